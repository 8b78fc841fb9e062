//! Records: what is committed is found, through compaction, by others, and whatever happens to the files.

#![allow(clippy::unwrap_used, reason = "as in tests, which clippy sees only in the test functions themselves")]

mod common;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use common::{copy, entry, key, run, segments};
use tapeout_model::{Attempt, Record};
use tapeout_store::{Entry, MAX_ENTRIES, Store, StoreError};

/// A result whose record takes so much room that a few hundred make a compaction.
fn big(of: u32) -> Entry {
    let attempt = Attempt { commands: "x".repeat(4000), ..Attempt::default() };
    Entry::new(key(of), &[], Record { statuses: vec![of as i32], ..Record::default() }, attempt)
}

fn is_big(store: &Store, of: u32) -> bool {
    let found = store.entries(&key(of));
    assert!(found.len() <= 1 && found.iter().all(|entry| **entry == big(of)), "a wrong result for {of}");
    found.len() == 1
}

#[test]
fn a_key_keeps_its_newest_results_and_one_per_set_of_reads() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for i in 0..20 {
        store.commit(entry(2, &format!("file{i}"), Vec::new())).unwrap();
        store.commit(entry(2, &format!("file{i}"), Vec::new())).unwrap();
    }
    let entries = store.entries(&key(2));
    assert_eq!(entries.len(), MAX_ENTRIES);
    assert_eq!(*entries[15], entry(2, "file19", Vec::new()));
    assert_eq!(*entries[0], entry(2, "file4", Vec::new()));
}

/// One of several results of the same key and reads.
fn version(number: i32) -> Entry {
    Entry::new(key(1), &[], Record { statuses: vec![number], ..Record::default() }, Attempt::default())
}

#[track_caller]
fn assert_newest(store: &Store, number: i32) {
    let found: Vec<i32> = store.entries(&key(1)).iter().flat_map(|entry| entry.record().statuses.clone()).collect();
    assert_eq!(found, [number]);
}

#[test]
fn a_result_replaces_the_older_one_when_the_clock_was_set_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    store.commit(version(1)).unwrap();
    drop(store);
    let later = dir.path().join("journal/00099999999999999999-1-0.seg");
    fs::rename(&segments(dir.path())[0], later).unwrap();
    for number in 2..4 {
        let store = Store::open(dir.path()).unwrap();
        store.commit(version(number)).unwrap();
        drop(store);
        assert_newest(&Store::open(dir.path()).unwrap(), number);
    }
}

#[test]
fn a_result_replaces_the_older_one_of_a_process_that_began_later() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = [(), ()].map(|()| Store::open(dir.path()).unwrap());
    one.commit(version(1)).unwrap();
    two.refresh().unwrap();
    for (number, store) in [(2, &two), (3, &one), (4, &one), (5, &two), (6, &one)] {
        store.refresh().unwrap();
        store.commit(version(number)).unwrap();
        assert_newest(&Store::open(dir.path()).unwrap(), number);
        for store in [&one, &two] {
            store.refresh().unwrap();
            assert_newest(store, number);
        }
    }
    assert_eq!(segments(dir.path()).len(), 5, "one more for each change of hands");
    one.commit(version(7)).unwrap();
    let three = Store::open(dir.path()).unwrap();
    three.commit(entry(2, "file", Vec::new())).unwrap();
    one.commit(version(8)).unwrap();
    one.refresh().unwrap();
    assert_newest(&one, 8);
}

#[test]
fn a_layout_without_its_words_is_written_again_and_another_one_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let format = dir.path().join("FORMAT");
    drop(Store::open(dir.path()).unwrap());
    let whole = fs::read(&format).unwrap();
    for left in 0..whole.len() {
        fs::write(&format, &whole[..left]).unwrap();
        assert!(Store::open(dir.path()).is_ok(), "{left}");
        assert_eq!(fs::read(&format).unwrap(), whole);
    }
    fs::write(&format, "tapeout store 0\n").unwrap();
    assert!(matches!(Store::open(dir.path()), Err(StoreError::Format { .. })));
}

#[test]
fn compaction_changes_nothing_but_the_files() {
    let dir = tempfile::tempdir().unwrap();
    for generation in 0..3 {
        let store = Store::open(dir.path()).unwrap();
        for i in 0..400 {
            assert!(!is_big(&store, generation * 400 + i));
            store.commit(big(generation * 400 + i)).unwrap();
        }
        drop(store);
        assert!(dir.path().join("index").exists() && segments(dir.path()).is_empty(), "{generation}");
        let store = Store::open(dir.path()).unwrap();
        assert!((0..(generation + 1) * 400).all(|i| is_big(&store, i)));
        assert_eq!(store.entries(&key(9_999_999)), []);
        assert!(store.damages().is_empty());
    }
}

#[test]
fn a_run_keeps_its_result_though_newer_ones_answer() {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    let first = store.commit(entry(1, "a", Vec::new())).unwrap();
    // The same reads, another result: made afresh.
    let afresh = Record { statuses: vec![1], ..Record::default() };
    let afresh =
        store.commit(Entry::new(key(1), &first.reads().collect::<Vec<_>>(), afresh, Attempt::default())).unwrap();
    assert_eq!(store.entries(&key(1)), std::slice::from_ref(&afresh));
    store.write_run("r", &run(dir.path(), &[&*first])).unwrap();
    let unshown = store.commit(entry(1, "b", Vec::new())).unwrap();
    for i in 0..20 {
        store.commit(entry(1, &format!("c{i}"), Vec::new())).unwrap();
    }
    for i in 0..400 {
        store.commit(big(i + 10)).unwrap();
    }
    drop(store);
    let store = Store::open(dir.path()).unwrap();
    assert!(segments(dir.path()).is_empty());
    assert_eq!(store.entries(&key(1)).len(), MAX_ENTRIES);
    assert!(!store.entries(&key(1)).contains(&first));
    assert_eq!(store.entry(&key(1), &first.id()), Some(first));
    assert_eq!(store.entry(&key(1), &unshown.id()), None);
    assert_eq!(store.entry(&key(1), &afresh.id()), None);
}

#[test]
fn two_stores_see_each_other_through_compaction() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = [(), ()].map(|()| Store::open(dir.path()).unwrap());
    for i in 0..300 {
        one.commit(big(2 * i)).unwrap();
        two.commit(big(2 * i + 1)).unwrap();
    }
    two.refresh().unwrap();
    assert!((0..600).all(|i| is_big(&two, i)));
    // A third one merges what the two have written so far, and may remove neither segment.
    drop(Store::open(dir.path()).unwrap());
    assert!(dir.path().join("index").exists());
    assert_eq!(segments(dir.path()).len(), 2);
    for i in 300..600 {
        one.commit(big(2 * i)).unwrap();
        two.commit(big(2 * i + 1)).unwrap();
    }
    one.refresh().unwrap();
    assert!((0..1200).all(|i| is_big(&one, i)));
    drop(two);
    one.commit(big(1200)).unwrap();
    one.refresh().unwrap();
    assert!((0..1201).all(|i| is_big(&one, i)));
    drop(one);
    let store = Store::open(dir.path()).unwrap();
    assert!((0..1201).all(|i| is_big(&store, i)));
    assert!(store.damages().is_empty());
}

#[test]
fn what_is_added_to_a_settled_journal_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = [(), ()].map(|()| Store::open(dir.path()).unwrap());
    for i in 0..3 {
        one.commit(big(i)).unwrap();
        // Longer than the clock of files takes to go on, so that the folder's time can be relied on.
        std::thread::sleep(std::time::Duration::from_millis(30));
        two.refresh().unwrap();
        assert!(is_big(&two, i), "{i}");
    }
    drop(one);
    two.refresh().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(30));
    two.refresh().unwrap();
    let three = Store::open(dir.path()).unwrap();
    three.commit(big(9)).unwrap();
    two.refresh().unwrap();
    assert!(is_big(&two, 9));
}

#[test]
fn the_same_result_twice_is_one() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..2 {
        let mut store = Store::open(dir.path()).unwrap();
        for _ in 0..2 {
            store.commit(big(1)).unwrap();
            assert_eq!(store.stat().entries, 1);
        }
        store.gc(&tapeout_store::GcOptions::default()).unwrap();
        assert_eq!(store.stat().entries, 1);
    }
}

#[test]
fn many_threads_and_stores_commit_while_others_open_and_compact() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    drop(Store::open(root).unwrap());
    std::thread::scope(|scope| {
        for writer in 0..3 {
            scope.spawn(move || {
                for round in 0..4 {
                    let store = Store::open(root).unwrap();
                    for i in 0..200 {
                        store.commit(big(writer * 10_000 + round * 200 + i)).unwrap();
                        if i % 50 == 0 {
                            store.refresh().unwrap();
                            assert!((0..=i).all(|i| is_big(&store, writer * 10_000 + round * 200 + i)));
                        }
                    }
                }
            });
        }
        scope.spawn(move || {
            for _ in 0..30 {
                drop(Store::open(root).unwrap());
            }
        });
    });
    let store = Store::open(root).unwrap();
    for writer in 0..3 {
        assert!((0..800).all(|i| is_big(&store, writer * 10_000 + i)));
    }
    assert!(store.damages().is_empty(), "{:?}", store.damages());
}

/// Opens a damaged store and counts the right results; a wrong one fails the test.
fn count(root: &Path, keys: u32) -> usize {
    let store = Store::open(root).unwrap();
    (0..keys).filter(|i| is_big_or_small(&store, *i)).count()
}

fn is_big_or_small(store: &Store, of: u32) -> bool {
    let found = store.entries(&key(of));
    assert!(found.len() <= 1 && found.iter().all(|found| **found == entry(of, "a", Vec::new())), "wrong for {of}");
    found.len() == 1
}

/// A store with three results in the index and two in the journal.
fn small_store(root: &Path) {
    let store = Store::open(root).unwrap();
    for i in 0..3 {
        store.commit(entry(i, "a", Vec::new())).unwrap();
    }
    drop(store);
    let mut store = Store::open(root).unwrap();
    store.gc(&tapeout_store::GcOptions::default()).unwrap();
    store.commit(entry(3, "a", Vec::new())).unwrap();
    store.commit(entry(4, "a", Vec::new())).unwrap();
}

#[test]
fn every_cut_of_index_and_journal_is_survived() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, cut] = ["whole", "cut"].map(|name| dir.path().join(name));
    small_store(&whole);
    copy(&whole, &cut);
    assert_eq!(count(&cut, 5), 5);
    let segment = segments(&cut).remove(0);
    for (path, least, most) in [(cut.join("index"), 2, 5), (segment, 3, 5)] {
        let bytes = fs::read(&path).unwrap();
        let mut counts = Vec::new();
        for length in 0..=bytes.len() {
            // Opening may have repaired it.
            fs::remove_dir_all(&cut).unwrap();
            copy(&whole, &cut);
            fs::write(&path, &bytes[..length]).unwrap();
            counts.push(count(&cut, 5));
        }
        assert!(counts.is_sorted(), "a longer prefix never holds less: {counts:?}");
        assert_eq!((counts[0], counts[bytes.len()]), (least, most));
    }
}

#[test]
fn every_flipped_byte_is_noticed_and_costs_one_result_at_most() {
    let dir = tempfile::tempdir().unwrap();
    let [whole, damaged] = ["whole", "damaged"].map(|name| dir.path().join(name));
    small_store(&whole);
    let segment = segments(&whole).remove(0);
    for name in [Path::new("index"), segment.strip_prefix(&whole).unwrap()] {
        let path = damaged.join(name);
        let bytes = fs::read(whole.join(name)).unwrap();
        copy(&whole, &damaged);
        for at in 0..bytes.len() {
            fs::remove_dir_all(&damaged).unwrap();
            copy(&whole, &damaged);
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x10;
            fs::write(&path, flipped).unwrap();
            let store = Store::open(&damaged).unwrap();
            let found = (0..5).filter(|i| is_big_or_small(&store, *i)).count();
            assert!(found >= 4, "{} byte {at}: {found}", path.display());
            assert!(found == 5 || !store.damages().is_empty(), "{} byte {at}: no word", path.display());
        }
    }
}

#[test]
fn the_state_after_every_commit_holds_all_commits_before_it() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let store = Store::open(&root).unwrap();
    for i in 0..40 {
        store.commit(entry(i, "a", Vec::new())).unwrap();
        if i % 8 == 0 {
            let killed = dir.path().join(format!("killed{i}"));
            copy(&root, &killed);
            assert_eq!(count(&killed, 40), i as usize + 1);
        }
    }
}

#[test]
fn who_cannot_write_can_read() {
    let dir = tempfile::tempdir().unwrap();
    small_store(dir.path());
    let before = listing(dir.path());
    assert_eq!(count(dir.path(), 5), 5);
    assert_eq!(listing(dir.path()), before, "reading leaves no trace");
    if rustix::process::geteuid().is_root() {
        // The permissions below mean nothing to the superuser.
        return;
    }
    for folder in [dir.path().to_owned(), dir.path().join("journal")] {
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    }
    let store = Store::open(dir.path()).unwrap();
    assert!(is_big_or_small(&store, 4));
    assert!(store.commit(entry(9, "a", Vec::new())).is_err());
}

fn listing(root: &Path) -> Vec<(String, u64)> {
    let mut all: Vec<(String, u64)> = fs::read_dir(root)
        .unwrap()
        .chain(fs::read_dir(root.join("journal")).unwrap())
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len()))
        .collect();
    all.sort();
    all
}

#[test]
fn a_store_that_vanishes_gives_errors() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let store = Store::open(&root).unwrap();
    let output = store.put_bytes(b"x", "x").unwrap();
    fs::remove_dir_all(&root).unwrap();
    fs::write(&root, "a file").unwrap();
    assert!(store.commit(entry(1, "a", Vec::new())).is_err());
    assert!(store.put_bytes(b"y", "y").is_err());
    assert!(store.read(&output.digest).is_err());
    assert!(store.lock_key(&key(1)).is_err());
    assert!(store.write_run("r", &run(dir.path(), &[])).is_err());
    assert!(store.refresh().is_err());
}
