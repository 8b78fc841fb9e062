//! Shared caches that are directories: whose they are, and who may write in them.

use super::*;

#[test]
fn a_directory_is_for_whom_it_is() {
    let space = Space::new();
    let file = space.file("f", b"content");
    for mode in [0o700, 0o2775] {
        let root = space.path(&format!("{mode:o}"));
        fs::create_dir(&root).unwrap();
        fs::set_permissions(&root, Permissions::from_mode(mode)).unwrap();
        let cache = open(root.to_str().unwrap());
        space.publish(&cache, &key("a"), b"record", std::slice::from_ref(&file));
        assert_eq!(assert_all_sent(&cache).sent, 2);
        let mode_of = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        for folder in ["ac", "cas"] {
            assert_eq!(mode_of(&root.join(folder)), mode);
        }
        assert_eq!(mode_of(&root.join(format!("ac/{}", key("a")))), mode & 0o444);
        assert_eq!(mode_of(&root.join(format!("cas/{}", file.digest))), mode & 0o444);
        space.assert_fetched(&open(root.to_str().unwrap()), &file);
    }
}

#[test]
fn a_directory_that_is_absent_or_something_else_is_left() {
    let space = Space::new();
    let absent = space.path("absent");
    assert_switched_off(absent.to_str().unwrap(), "there is no such directory", Duration::from_secs(1));
    assert!(!absent.exists());
    space.file("file", b"");
    let file = space.path("file");
    assert_switched_off(file.to_str().unwrap(), "", Duration::from_secs(1));
}

#[test]
fn a_directory_that_cannot_be_written_is_read() {
    let space = Space::new();
    let file = space.file("f", b"content");
    let root = space.path("cache");
    fs::create_dir(&root).unwrap();
    let filled = open(root.to_str().unwrap());
    space.publish(&filled, &key("a"), b"record", std::slice::from_ref(&file));
    assert_all_sent(&filled);
    let other = space.file("g", b"other");
    let assert_read_only = || {
        let cache = open(root.to_str().unwrap());
        space.publish(&cache, &key("b"), b"record", std::slice::from_ref(&other));
        until("the refusal", || cache.trouble().is_some());
        let trouble = cache.trouble().unwrap();
        assert!(trouble.contains("it cannot be written") && trouble.contains("not shared"), "{trouble}");
        assert_eq!(cache.fetch(&key("a")).as_deref(), Some(&b"record"[..]));
        assert_eq!(cache.finish(PATIENCE).left, 2);
    };
    // Nobody, root neither, makes files in a file.
    fs::rename(root.join("cas"), root.join("kept")).unwrap();
    fs::write(root.join("cas"), "").unwrap();
    assert_read_only();
    fs::remove_file(root.join("cas")).unwrap();
    fs::rename(root.join("kept"), root.join("cas")).unwrap();

    fs::set_permissions(root.join("cas"), Permissions::from_mode(0o555)).unwrap();
    let may_write = fs::write(root.join("cas/probe"), "").is_ok();
    if may_write {
        println!("skipped: root can write everything");
    } else {
        assert_read_only();
    }
    fs::set_permissions(root.join("cas"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn many_writers_of_one_directory_never_show_half_an_item() {
    let root = Space::new();
    let location = root.0.path().to_str().unwrap().to_owned();
    let space = Arc::new(Space::new());
    let files: Vec<Output> = (0..6).map(|n| space.file(&format!("f{n}"), &content(400_000, n))).collect();
    thread::scope(|scope| {
        for _ in 0..6 {
            let (space, files, location) = (&space, &files, &location);
            scope.spawn(move || {
                let cache = open(location);
                let before = cache.fetch(&key("0")).is_some();
                for (n, file) in files.iter().enumerate() {
                    space.publish(&cache, &key(&n.to_string()), b"record", std::slice::from_ref(file));
                }
                // While all of them write.
                let mine = Space::new();
                let mut seen = before;
                while !seen {
                    for (n, file) in files.iter().enumerate() {
                        if cache.fetch(&key(&n.to_string())).is_some() {
                            mine.assert_fetched(&cache, file);
                            seen = n + 1 == files.len();
                        }
                    }
                    assert_eq!((cache.trouble(), cache.damage()), (None, vec![]));
                }
                assert_all_sent(&cache);
            });
        }
    });
    let item = |name: &String| name.parse::<Digest>().is_ok();
    assert!(names(&root.path("ac")).iter().all(item) && names(&root.path("cas")).iter().all(item));
    assert_eq!((names(&root.path("ac")).len(), names(&root.path("cas")).len()), (6, 6));
}
