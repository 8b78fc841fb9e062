//! Shared caches as they are met with: a real nginx, servers that are slow, wrong or absent, and directories.
#![expect(clippy::disallowed_methods, reason = "a test starts nginx")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]
#![allow(clippy::unwrap_used, reason = "as in tests, which clippy sees only in the test functions themselves")]

mod directories;
mod servers;

use std::collections::BTreeSet;
use std::fs::{self, Permissions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tapeout_model::{Digest, Output};
use tapeout_store::hash_bytes;
use tapeout_store::shared::{Access, SharedCache, Uploads};
use tempfile::TempDir;

use servers::{MAX_BODY, Nginx, PATIENCE, Request, Tiny, free_port, reply};

const DAV: &str = "dav_methods PUT; create_full_put_path on; client_max_body_size 0;";

fn open(location: &str) -> SharedCache {
    SharedCache::open(location, Access::ReadWrite).unwrap()
}

fn key(text: &str) -> Digest {
    hash_bytes(text.as_bytes())
}

/// A directory with files, as a run has them.
struct Space(TempDir);

impl Space {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: &[u8]) -> Output {
        fs::write(self.path(name), content).unwrap();
        Output { path: name.to_owned(), digest: hash_bytes(content), size: content.len() as u64, executable: false }
    }

    /// Publishes a result with its files.
    fn publish(&self, cache: &SharedCache, key: &Digest, payload: &[u8], files: &[Output]) {
        for file in files {
            cache.publish_blob(&file.digest, &self.path(&file.path));
        }
        cache.publish(key, payload, files);
    }

    /// Fetches a content that must not come.
    #[track_caller]
    fn assert_not_fetched(&self, cache: &SharedCache, file: &Output) {
        let before = names(self.0.path());
        assert!(!cache.fetch_blob(&file.digest, file.size, &self.path("fetched")).unwrap());
        assert_eq!(names(self.0.path()), before, "something was left behind");
    }

    #[track_caller]
    fn assert_fetched(&self, cache: &SharedCache, file: &Output) {
        let to = self.path("fetched");
        let fetched = cache.fetch_blob(&file.digest, file.size, &to).unwrap();
        assert!(fetched, "{:?} {:?}", cache.trouble(), cache.damage());
        assert_eq!(hash_bytes(&fs::read(&to).unwrap()), file.digest);
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o444);
        fs::remove_file(to).unwrap();
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn content(size: usize, seed: u8) -> Vec<u8> {
    (0..size).map(|i| (i / 251) as u8 ^ (i as u8).wrapping_mul(31) ^ seed).collect()
}

#[track_caller]
fn assert_all_sent(cache: &SharedCache) -> Uploads {
    let uploads = cache.finish(PATIENCE);
    assert_eq!((uploads.left, &uploads.reason), (0, &None), "{:?}", cache.trouble());
    assert_eq!((cache.trouble(), cache.damage()), (None, vec![]));
    uploads
}

#[test]
fn results_travel_through_nginx_under_bazel_remotes_names() {
    let Some(nginx) = Nginx::start(DAV) else { return };
    let space = Space::new();
    let files = [space.file("top.json", &content(3 << 20, 1)), space.file("log", b"ok"), space.file("empty", b"")];
    let cache = open(&nginx.location());
    assert_eq!(cache.fetch(&key("synth")), None);
    space.publish(&cache, &key("synth"), b"record", &files);
    let uploads = assert_all_sent(&cache);
    // The empty content needs no sending.
    assert_eq!(uploads.sent, 3);
    assert!(uploads.sent_bytes > (3 << 20) + 2);
    assert_eq!(names(&nginx.path("")), ["ac", "cas"].map(str::to_owned).into());
    assert_eq!(names(&nginx.path("ac")), [key("synth").to_string()].into());
    let blobs: BTreeSet<_> = files[..2].iter().map(|file| file.digest.to_string()).collect();
    assert_eq!(names(&nginx.path("cas")), blobs);

    // Another checkout, and one that is given nginx's directory.
    for location in [nginx.location(), nginx.path("").display().to_string()] {
        let other = SharedCache::open(&location, Access::ReadOnly).unwrap();
        assert_eq!(other.fetch(&key("synth")).as_deref(), Some(&b"record"[..]));
        assert_eq!(other.fetch(&key("other")), None);
        for file in &files {
            space.assert_fetched(&other, file);
        }
        space.publish(&other, &key("private"), b"record", &files);
        assert_eq!(assert_all_sent(&other), Uploads::default(), "read-only is read-only");
    }
    // What is there is not sent again, but for the result.
    let again = open(&nginx.location());
    space.publish(&again, &key("synth"), b"record", &files);
    assert_eq!(assert_all_sent(&again).sent, 1);
}

#[test]
fn a_connection_to_nginx_is_kept() {
    let Some(nginx) = Nginx::start(DAV) else { return };
    let space = Space::new();
    let cache = open(&nginx.location());
    for n in 0..20 {
        let name = format!("f{n}");
        let file = space.file(&name, name.as_bytes());
        assert_eq!(cache.fetch(&key(&name)), None);
        space.publish(&cache, &key(&name), b"record", &[file]);
    }
    assert_all_sent(&cache);
    // Nginx notes a request after it has answered it.
    until("the last request", || nginx.requests().len() >= 20 * 4);
    let requests = nginx.requests();
    let connections: BTreeSet<_> = requests.iter().map(|[connection, ..]| connection).collect();
    assert_eq!(requests.len(), 20 * 4, "GET; HEAD and PUT; PUT");
    // This thread's and the background's, which may swap them.
    assert!(connections.len() <= 2, "{} connections", connections.len());

    let other = open(&nginx.location());
    for n in 0..20 {
        let name = format!("f{n}");
        assert!(other.fetch(&key(&name)).is_some());
        space.assert_fetched(&other, &space.file(&name, name.as_bytes()));
    }
    until("the last request", || nginx.requests().len() >= 20 * 6);
    let requests = nginx.requests();
    let connections: BTreeSet<_> = requests[20 * 4..].iter().map(|[connection, ..]| connection).collect();
    assert_eq!((requests.len(), connections.len()), (20 * 6, 1));
}

#[test]
fn an_idle_connection_that_nginx_closed_is_replaced() {
    let Some(nginx) = Nginx::start(&format!("{DAV} keepalive_timeout 1s;")) else { return };
    let space = Space::new();
    let file = space.file("f", &content(100_000, 1));
    let cache = open(&nginx.location());
    assert_eq!(cache.fetch(&key("a")), None);
    thread::sleep(Duration::from_millis(1500));
    space.publish(&cache, &key("a"), b"record", &[file]);
    thread::sleep(Duration::from_millis(1500));
    while cache.fetch(&key("a")).is_none() {
        assert_eq!(cache.trouble(), None);
        thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(assert_all_sent(&cache).sent, 2);
}

#[test]
fn an_nginx_without_dav_is_only_read() {
    let Some(nginx) = Nginx::start("") else { return };
    let space = Space::new();
    let file = space.file("f", b"content");
    let filled = open(nginx.path("").to_str().unwrap());
    space.publish(&filled, &key("a"), b"record", std::slice::from_ref(&file));
    assert_all_sent(&filled);

    let cache = open(&nginx.location());
    let new = [space.file("g", b"new"), space.file("h", b"newer")];
    space.publish(&cache, &key("b"), b"record", &new);
    until("the refusal", || cache.trouble().is_some());
    let trouble = format!(
        "shared cache {}: it refuses PUT with HTTP 405; new results are not shared for the rest of this run",
        nginx.location()
    );
    assert_eq!(cache.trouble(), Some(trouble));
    assert_eq!(cache.fetch(&key("a")).as_deref(), Some(&b"record"[..]));
    space.assert_fetched(&cache, &file);
    let uploads = cache.finish(PATIENCE);
    assert_eq!((uploads.sent, uploads.left), (0, 3));
    let puts = || nginx.requests().iter().filter(|[_, method, ..]| method == "PUT").count();
    until("the note of the request", || puts() > 0);
    assert_eq!(puts(), 1);
}

#[test]
fn nginx_sees_the_credentials_of_the_address() {
    let Some(nginx) = Nginx::start(&format!("{DAV} auth_basic team; auth_basic_user_file users;")) else { return };
    // Looked for beside the configuration.
    fs::write(nginx.path("../../users"), "ann:{PLAIN}p@ss/word\n").unwrap();
    let space = Space::new();
    let cache = open(&nginx.location_for("ann:p%40ss%2Fword"));
    space.publish(&cache, &key("a"), b"record", &[space.file("f", &content(1 << 20, 2))]);
    assert_eq!(assert_all_sent(&cache).sent, 2);
    let cache = open(&nginx.location_for("ann:p%40ss%2Fword"));
    assert_eq!(cache.fetch(&key("a")).as_deref(), Some(&b"record"[..]));

    let mut refused = 0;
    for location in [nginx.location(), nginx.location_for("ann:wrong")] {
        let stranger = open(&location);
        assert_eq!(stranger.fetch(&key("a")), None);
        let trouble = stranger.trouble().unwrap();
        assert!(trouble.contains("HTTP 401") && !trouble.contains("wrong"), "{trouble}");
        // Nothing more is asked.
        let asked = || nginx.requests().iter().filter(|[.., status]| status == "401").count();
        refused += 1;
        until("the note of the request", || asked() == refused);
        assert_eq!(stranger.fetch(&key("b")), None);
        thread::sleep(Duration::from_millis(50));
        assert_eq!(asked(), refused);
    }
}

#[test]
fn what_nginx_finds_too_large_is_left_out_with_the_results_that_need_it() {
    let directives = "dav_methods PUT; create_full_put_path on; client_max_body_size 1m;";
    let Some(nginx) = Nginx::start(directives) else { return };
    let space = Space::new();
    let (large, small) = (space.file("large", &content(8 << 20, 3)), space.file("small", b"small"));
    let cache = open(&nginx.location());
    space.publish(&cache, &key("large"), b"record", &[large.clone(), small.clone()]);
    space.publish(&cache, &key("small"), b"record", &[small]);
    let uploads = cache.finish(PATIENCE);
    assert_eq!((uploads.sent, uploads.left), (2, 2));
    assert!(uploads.left_bytes > large.size);
    assert_eq!(uploads.reason.as_deref(), Some("refused with HTTP 413"));
    assert_eq!((cache.trouble(), cache.damage()), (None, vec![]));
    let other = open(&nginx.location());
    assert_eq!(other.fetch(&key("large")), None);
    assert!(other.fetch(&key("small")).is_some());
}

#[test]
fn a_server_is_asked_before_it_is_sent_much() {
    // It hangs up on what is too much, and its answer would be lost.
    let server = keeping(|_| None, true);
    let space = Space::new();
    let (large, small) = (space.file("large", &content(2 * MAX_BODY, 3)), space.file("small", b"small"));
    let cache = open(&server.location());
    space.publish(&cache, &key("a"), b"record", &[large, small]);
    let uploads = cache.finish(PATIENCE);
    assert_eq!((uploads.sent, uploads.left), (1, 2));
    assert_eq!((uploads.reason.as_deref(), cache.trouble()), (Some("refused with HTTP 413"), None));
}

#[test]
fn damage_is_a_miss_and_is_replaced() {
    let nginx = Nginx::start(DAV);
    let directory = Space::new();
    let mut places = vec![(directory.0.path().display().to_string(), directory.0.path().to_owned())];
    places.extend(nginx.iter().map(|nginx| (nginx.location(), nginx.path(""))));
    for (location, root) in places {
        let space = Space::new();
        let files: Vec<Output> =
            ["bent", "cut", "grown"].map(|name| space.file(name, &content(300_000, name.len() as u8))).into();
        let cache = open(&location);
        space.publish(&cache, &key("a"), b"record", &files);
        space.publish(&cache, &key("b"), b"record", &files);
        assert_all_sent(&cache);

        let damage = |item: String, change: fn(&mut Vec<u8>)| {
            let path = root.join(item);
            let mut bytes = fs::read(&path).unwrap();
            change(&mut bytes);
            // Root needs no permission, others do.
            fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
            fs::write(path, bytes).unwrap();
        };
        damage(format!("cas/{}", files[0].digest), |bytes| bytes[200_000] ^= 1);
        damage(format!("cas/{}", files[1].digest), |bytes| bytes.truncate(200_000));
        damage(format!("cas/{}", files[2].digest), |bytes| bytes.push(0));
        damage(format!("ac/{}", key("a")), |bytes| *bytes.last_mut().unwrap() ^= 1);
        fs::copy(root.join(format!("ac/{}", key("b"))), root.join(format!("ac/{}", key("c")))).unwrap();
        fs::write(root.join(format!("ac/{}", key("d"))), "<html>Welcome</html>").unwrap();

        let cache = open(&location);
        for file in &files {
            space.assert_not_fetched(&cache, file);
        }
        for name in ["a", "c", "d"] {
            assert_eq!(cache.fetch(&key(name)), None, "{name}");
        }
        assert_eq!(cache.damage().len(), 6);
        let says = |item: String, what: &str| {
            let line = format!("{location}/{item}: {what}").replace("//", "/").replace("http:/", "http://");
            assert!(cache.damage().contains(&line), "{line} is not in {:#?}", cache.damage());
        };
        says(format!("cas/{}", files[0].digest), "its content is not what its name says");
        says(format!("cas/{}", files[1].digest), "it is shorter than it should be");
        says(format!("ac/{}", key("a")), "its checksum is wrong");
        says(format!("ac/{}", key("c")), "it is the result for another key");
        assert_eq!(cache.trouble(), None);

        // Made again, and published as after any miss.
        space.publish(&cache, &key("a"), b"record", &files);
        let uploads = cache.finish(PATIENCE);
        assert_eq!((uploads.sent, uploads.left), (4, 0), "{:?}", uploads.reason);
        let cache = open(&location);
        assert!(cache.fetch(&key("a")).is_some());
        for file in &files {
            space.assert_fetched(&cache, file);
        }

        // What is cut off is noticed without being fetched.
        damage(format!("cas/{}", files[1].digest), |bytes| bytes.truncate(200_000));
        space.publish(&cache, &key("a"), b"record", &files);
        assert_eq!(assert_all_sent(&cache).sent, 2);
        space.assert_fetched(&open(&location), &files[1]);
    }
}

/// Waits for something that the background does.
#[track_caller]
fn until(what: &str, happened: impl Fn() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < PATIENCE, "{what} does not happen");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether the first question ends the use of this place, with this in the message, within this time, once and for all.
#[track_caller]
fn assert_switched_off(location: &str, words: &str, within: Duration) {
    let space = Space::new();
    let file = space.file("f", &content(100_000, 4));
    let asks: [&dyn Fn(&SharedCache); 3] = [
        &|cache| assert_eq!(cache.fetch(&key("a")), None),
        &|cache| space.assert_not_fetched(cache, &file),
        &|cache| {
            cache.publish_blob(&file.digest, &space.path("f"));
            until("trouble", || cache.trouble().is_some());
        },
    ];
    for ask in asks {
        let cache = open(location);
        let started = Instant::now();
        ask(&cache);
        assert!(started.elapsed() < within, "it took {:?}", started.elapsed());
        let trouble = cache.trouble().unwrap_or_default();
        assert!(trouble.contains(words) && trouble.ends_with("it is not used for the rest of this run"), "{trouble}");
        let started = Instant::now();
        for n in 0..1000 {
            assert_eq!(cache.fetch(&key(&n.to_string())), None);
        }
        space.publish(&cache, &key("b"), b"record", std::slice::from_ref(&file));
        let uploads = cache.finish(PATIENCE);
        assert!(uploads.left >= 2 && uploads.sent == 0, "{uploads:?}");
        assert!(started.elapsed() < Duration::from_secs(1), "it is asked on and on");
        assert_eq!(cache.trouble().unwrap(), trouble, "one message");
    }
}

#[test]
fn an_absent_server_is_noticed_at_once() {
    let location = format!("http://127.0.0.1:{}", free_port());
    assert_switched_off(&location, "Connection refused", Duration::from_secs(1));
    assert_switched_off("http://no-such-host.invalid", "host", Duration::from_secs(3));
}

/// Whether only fast tests are asked for.
fn fast_only() -> bool {
    let fast = std::env::var_os("TAPEOUT_FAST").is_some();
    if fast {
        println!("skipped: slow");
    }
    fast
}

#[test]
fn a_server_that_never_answers_is_left() {
    if fast_only() {
        return;
    }
    let silent = Tiny::start(|_, _| {
        thread::sleep(PATIENCE);
        false
    });
    assert_switched_off(&silent.location(), "does not answer in time", Duration::from_secs(8));
}

#[test]
fn a_server_that_drips_is_left() {
    if fast_only() {
        return;
    }
    let dripping = Tiny::start(|_, stream| {
        let started = Instant::now();
        let mut alive = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n").is_ok();
        while alive && started.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(50));
            alive = stream.write_all(b"x").is_ok();
        }
        false
    });
    let cache = open(&dripping.location());
    let started = Instant::now();
    let space = Space::new();
    space.assert_not_fetched(&cache, &space.file("f", &content(100_000, 5)));
    assert!(started.elapsed() < Duration::from_secs(8), "it took {:?}", started.elapsed());
    assert!(cache.trouble().unwrap().contains("broke off: it does not answer in time"), "{:?}", cache.trouble());
}

#[test]
fn those_that_wait_are_let_go_when_one_gives_up() {
    // The first question is answered with an error after a while; the others would wait for ever.
    let asked = AtomicUsize::new(0);
    let server = Tiny::start(move |_, stream| {
        if asked.fetch_add(1, Ordering::SeqCst) == 0 {
            thread::sleep(Duration::from_millis(500));
            return reply(stream, 503, b"");
        }
        thread::sleep(PATIENCE);
        false
    });
    let cache = open(&server.location());
    let started = Instant::now();
    thread::scope(|scope| {
        for n in 0..8 {
            let cache = &cache;
            scope.spawn(move || assert_eq!(cache.fetch(&key(&n.to_string())), None));
        }
    });
    assert!(started.elapsed() < Duration::from_secs(3), "it took {:?}", started.elapsed());
    assert!(cache.trouble().unwrap().contains("HTTP 503"), "{:?}", cache.trouble());
}

#[test]
fn servers_in_trouble_and_servers_of_something_else_are_left() {
    let prompt = Duration::from_secs(3);
    let failing = Tiny::start(|_, stream| reply(stream, 500, b"oh"));
    assert_switched_off(&failing.location(), "HTTP 500", prompt);
    let elsewhere = Tiny::start(|_, stream| {
        stream.write_all(b"HTTP/1.1 302 X\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n").is_ok()
    });
    assert_switched_off(&elsewhere.location(), "HTTP 302", prompt);
    let mail = Tiny::start(|_, stream| {
        stream.write_all(b"220 ESMTP ready\r\n500 what?\r\n\r\n").unwrap();
        false
    });
    assert_switched_off(&mail.location(), "not answer as an HTTP server", prompt);
    let hanging_up = Tiny::start(|_, _| false);
    assert_switched_off(&hanging_up.location(), "", prompt);
    // Tried again once, in case it was an idle connection that broke.
    assert_eq!(hanging_up.requests().len(), 3 * 2);
}

#[test]
fn a_body_that_breaks_off_leaves_nothing() {
    let server = Tiny::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nonly this");
        false
    });
    let space = Space::new();
    let file = space.file("f", &content(100_000, 6));
    let cache = open(&server.location());
    space.assert_not_fetched(&cache, &file);
    assert!(cache.trouble().unwrap().contains("broke off"), "{:?}", cache.trouble());
    let cache = open(&server.location());
    assert_eq!(cache.fetch(&key("a")), None);
    assert!(cache.trouble().unwrap().contains("broke off"), "{:?}", cache.trouble());
}

#[test]
fn a_server_that_always_answers_something_is_left_after_some_damage() {
    let server = Tiny::start(|request, stream| {
        if request.path.starts_with("/ac/") { reply(stream, 200, b"<html>") } else { reply(stream, 200, &[0; 50_000]) }
    });
    let space = Space::new();
    let file = space.file("f", &content(50_000, 7));
    let cache = open(&server.location());
    space.assert_not_fetched(&cache, &file);
    for n in 0..100 {
        assert_eq!(cache.fetch(&key(&n.to_string())), None);
    }
    assert!(cache.trouble().unwrap().contains("16 answers were damaged"), "{:?}", cache.trouble());
    assert_eq!((cache.damage().len(), server.requests().len()), (16, 16));
}

/// A server that keeps what it gets, but for what is refused. As bazel-remote, it wants to know how much will come.
fn keeping(refuse: impl Fn(&Request) -> Option<u16> + Send + Sync + 'static, keep: bool) -> Tiny {
    let items = std::sync::Mutex::new(std::collections::HashMap::<String, Vec<u8>>::new());
    Tiny::start(move |request: &Request, stream: &mut TcpStream| {
        let mut items = items.lock().unwrap();
        let kept = match (refuse(request), request.method.as_str()) {
            (Some(status), _) => reply(stream, status, b""),
            (None, "PUT") if !request.headers.contains("content-length: ") => reply(stream, 400, b""),
            (None, "PUT") => {
                items.insert(request.path.clone(), request.body.clone());
                reply(stream, 201, b"")
            }
            (None, "GET") => match items.get(&request.path) {
                Some(body) => reply(stream, 200, body),
                None => reply(stream, 404, b"nothing here"),
            },
            // It knows no HEAD.
            (None, _) => reply(stream, 405, b""),
        };
        kept && keep
    })
}

#[test]
fn a_server_that_closes_each_connection_serves() {
    let server = keeping(|_| None, false);
    let space = Space::new();
    let files = [space.file("f", &content(200_000, 8)), space.file("g", b"small")];
    let cache = open(&server.location());
    space.publish(&cache, &key("a"), b"record", &files);
    assert_eq!(assert_all_sent(&cache).sent, 3);
    let cache = open(&server.location());
    assert!(cache.fetch(&key("a")).is_some());
    for file in &files {
        space.assert_fetched(&cache, file);
    }
    assert_eq!(cache.trouble(), None);
}

#[test]
fn a_server_that_refuses_to_be_written_is_read() {
    for status in [401, 403] {
        let server = keeping(move |request| (request.method == "PUT").then_some(status), true);
        let space = Space::new();
        let cache = open(&server.location());
        space.publish(&cache, &key("a"), b"record", &[space.file("f", b"1"), space.file("g", b"2")]);
        until("the refusal", || cache.trouble().is_some());
        assert!(
            cache.trouble().unwrap().contains(&format!("refuses PUT with HTTP {status}; new results are not shared"))
        );
        assert_eq!(cache.fetch(&key("a")), None);
        assert_eq!(cache.finish(PATIENCE).left, 3);
        let requests = server.requests();
        assert_eq!(requests.iter().filter(|request| request.starts_with("PUT")).count(), 1, "{requests:?}");
        assert!(requests.contains(&format!("GET /ac/{}", key("a"))), "{requests:?}");
    }
}

#[test]
fn a_result_whose_file_is_not_what_it_was_is_kept_back() {
    let server = keeping(|_| None, true);
    let directory = Space::new();
    for location in [server.location(), directory.0.path().display().to_string()] {
        let space = Space::new();
        let changed = space.file("changed", &content(100_000, 9));
        fs::write(space.path("changed"), content(100_000, 10)).unwrap();
        let gone = space.file("gone", b"gone");
        fs::remove_file(space.path("gone")).unwrap();
        let good = space.file("good", b"good");
        let cache = open(&location);
        for (name, file) in [("changed", &changed), ("gone", &gone), ("good", &good)] {
            space.publish(&cache, &key(name), b"record", std::slice::from_ref(file));
        }
        let uploads = cache.finish(PATIENCE);
        assert_eq!((uploads.sent, uploads.left), (2, 4), "{uploads:?}");
        assert_eq!((cache.trouble(), cache.damage()), (None, vec![]));
        let cache = open(&location);
        assert!(cache.fetch(&key("good")).is_some());
        for (name, file) in [("changed", &changed), ("gone", &gone)] {
            assert_eq!(cache.fetch(&key(name)), None);
            space.assert_not_fetched(&cache, file);
        }
        assert_eq!(cache.damage(), [""; 0], "nothing wrong was stored");
    }
}

#[test]
fn a_file_that_was_cut_to_nothing_replaces_nothing() {
    let space = Space::new();
    let place = space.path("cache");
    fs::create_dir(&place).unwrap();
    let server = keeping(|_| None, true);
    for location in [place.display().to_string(), server.location()] {
        let file = space.file("file", b"content");
        let cache = open(&location);
        cache.publish_blob(&file.digest, &space.path("file"));
        assert_all_sent(&cache);
        fs::write(space.path("file"), "").unwrap();
        let cache = open(&location);
        cache.publish_blob(&file.digest, &space.path("file"));
        let uploads = cache.finish(PATIENCE);
        assert_eq!((uploads.sent, uploads.left), (0, 1), "{uploads:?}");
        space.assert_fetched(&open(&location), &file);
    }
}

#[test]
fn the_end_does_not_wait_for_a_slow_server() {
    let server = Tiny::start(|request, stream| {
        if request.method == "HEAD" {
            return reply(stream, 404, b"");
        }
        thread::sleep(PATIENCE);
        false
    });
    let space = Space::new();
    let cache = open(&server.location());
    let files: Vec<Output> = (0..10).map(|n| space.file(&format!("f{n}"), &content(1000, n))).collect();
    space.publish(&cache, &key("a"), b"record", &files);
    let started = Instant::now();
    let uploads = cache.finish(Duration::from_millis(300));
    assert!(started.elapsed() < Duration::from_secs(1), "it took {:?}", started.elapsed());
    assert_eq!((uploads.sent, uploads.left), (0, 11));
    assert!(uploads.left_bytes > 10_000, "{uploads:?}");
    // Nor is what the background makes of it.
    thread::sleep(Duration::from_millis(100));
    assert_eq!(cache.fetch(&key("b")), None);
    assert_eq!(cache.trouble(), None, "lack of time is no trouble");
}

#[test]
fn the_end_does_not_wait_for_what_is_fetched() {
    let server = Tiny::start(|_, stream| {
        // It promises much, and sends so little that a time-out is far.
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\nbegin");
        thread::sleep(PATIENCE);
        false
    });
    let space = Space::new();
    let place = space.path("cache");
    fs::create_dir_all(place.join("cas")).unwrap();
    let file = Output { digest: key("long"), size: 1_000_000_000, ..space.file("long", b"") };
    // A content without end in a directory.
    fs::File::create(place.join("cas").join(file.digest.to_string())).unwrap().set_len(1_000_000_000).unwrap();
    for location in [server.location(), place.display().to_string()] {
        let cache = open(&location);
        thread::scope(|scope| {
            let fetch = scope.spawn(|| cache.fetch_blob(&file.digest, file.size, &space.path("fetched")).unwrap());
            let begun = || names(&space.path("")).iter().any(|name| name.starts_with(".tmp"));
            until("the first bytes", begun);
            let ended = Instant::now();
            cache.finish(Duration::ZERO);
            assert!(!fetch.join().unwrap());
            assert!(ended.elapsed() < Duration::from_millis(500), "it took {:?}", ended.elapsed());
        });
        assert_eq!((cache.trouble(), cache.damage()), (None, vec![]), "the end is no trouble");
    }
}

#[test]
fn what_the_disk_has_no_room_for_is_not_asked_for() {
    let server = keeping(|_| None, true);
    let space = Space::new();
    let cache = open(&server.location());
    let file = Output { size: 1 << 60, ..space.file("huge", b"") };
    space.assert_not_fetched(&cache, &file);
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn too_much_does_not_wait() {
    let server = Tiny::start(|_, _| {
        thread::sleep(PATIENCE);
        false
    });
    let space = Space::new();
    let cache = open(&server.location());
    let files = [space.file("first", b"1"), space.file("huge", b"2"), space.file("last", b"3")];
    fs::File::options().write(true).open(space.path("huge")).unwrap().set_len(1 << 30).unwrap();
    let publish = |file: &Output| cache.publish_blob(&file.digest, &space.path(&file.path));
    publish(&files[0]);
    until("the first request", || server.requests().len() == 1);
    let started = Instant::now();
    files[1..].iter().for_each(publish);
    assert!(started.elapsed() < Duration::from_secs(1), "it took {:?}", started.elapsed());
    let uploads = cache.finish(Duration::ZERO);
    assert_eq!((uploads.left, uploads.left_bytes), (3, (1 << 30) + 2));
    assert_eq!(uploads.reason.as_deref(), Some("too much was waiting to be sent"));
}

#[test]
fn locations_that_are_none_are_refused() {
    for (location, words) in [
        ("", "it is empty"),
        ("https://ann:secret@cache.example", "speaks no TLS"),
        ("s3://ann:secret@bucket", "expected http://"),
        ("http://", "expected http://"),
        ("http://ann:secret@/x", "expected http://"),
    ] {
        let Err(error) = SharedCache::open(location, Access::ReadOnly) else { panic!("{location} is taken") };
        let message = error.to_string();
        assert!(message.contains(words) && !message.contains("secret"), "{message}");
    }
}
