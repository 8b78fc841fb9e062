//! Several users of one store: locks, eviction, and what eviction leaves.

#![allow(clippy::unwrap_used, reason = "as in tests, which clippy sees only in the test functions themselves")]

mod common;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use common::{entry, key, run, segments};
use tapeout_model::{Attempt, Read, Record};
use tapeout_store::{Entry, GcOptions, Store, StoreError};

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

#[test]
fn a_key_is_locked_once() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = [(), ()].map(|()| Store::open(dir.path()).unwrap());
    let held = one.lock_key(&key(1)).unwrap().unwrap();
    assert!(one.lock_key(&key(1)).unwrap().is_none(), "not twice in one process");
    assert!(two.lock_key(&key(1)).unwrap().is_none(), "nor by another one");
    let other = two.lock_key(&key(2)).unwrap().unwrap();
    assert!(one.lock_key(&key(2)).unwrap().is_none());
    drop(held);
    let held = two.lock_key(&key(1)).unwrap().unwrap();
    assert!(one.lock_key(&key(1)).unwrap().is_none());
    drop((held, other));
    assert!(one.lock_key(&key(1)).unwrap().is_some() && one.lock_key(&key(2)).unwrap().is_some());
}

#[test]
fn one_of_many_threads_gets_a_key() {
    let dir = tempfile::tempdir().unwrap();
    let stores: Vec<Store> = (0..2).map(|_| Store::open(dir.path()).unwrap()).collect();
    for round in 0..50 {
        let got: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|i| {
                    let store = &stores[i % 2];
                    scope.spawn(move || store.lock_key(&key(round)).unwrap())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(got.iter().flatten().count(), 1);
    }
}

#[test]
fn nothing_is_evicted_while_others_use_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let mut one = Store::open(dir.path()).unwrap();
    let two = Store::open(dir.path()).unwrap();
    let three = Store::open(dir.path()).unwrap();
    let error = one.gc(&GcOptions::default()).unwrap_err();
    assert!(matches!(error, StoreError::InUse { users: 2, .. }), "{error}");
    assert!(error.to_string().starts_with("2 other tapeout are using `"), "{error}");
    one.gc(&GcOptions { dry: true, ..GcOptions::default() }).unwrap();
    drop(three);
    let error = one.gc(&GcOptions::default()).unwrap_err();
    assert!(error.to_string().starts_with("1 other tapeout is using `"), "{error}");
    // Somebody else may have evicted meanwhile: all is looked at anew, and nothing goes to a file that was removed.
    one.commit(entry(1, "a", Vec::new())).unwrap();
    two.commit(entry(2, "b", Vec::new())).unwrap();
    one.gc(&GcOptions::default()).unwrap_err();
    assert_eq!(one.entries(&key(2)).len(), 1);
    let before = segments(dir.path()).len();
    one.commit(entry(3, "c", Vec::new())).unwrap();
    assert_eq!(segments(dir.path()).len(), before + 1);
    drop(two);
    one.gc(&GcOptions::default()).unwrap();
    let mut two = Store::open(dir.path()).unwrap();
    assert!(matches!(two.gc(&GcOptions::default()), Err(StoreError::InUse { .. })), "the lock is shared again");
}

/// A store with ten results of 1000 bytes each, of which the first two are shown by a run.
fn filled(root: &Path) -> (Store, Vec<Arc<Entry>>) {
    let store = Store::open(root).unwrap();
    let entries: Vec<Arc<Entry>> = (0..10u32)
        .map(|i| {
            let output = store.put_bytes(&[i as u8; 1000], "out").unwrap();
            let log = store.put_bytes(format!("log {i}").as_bytes(), "log").unwrap();
            let reads = vec![Read::Tool { name: "yosys".to_owned(), digest: Some(key(100 + i)) }];
            let script = store.put_bytes(b"a script of all", "run.tcl").unwrap();
            let attempt = Attempt { log: Some(log), inputs: vec![script], ..Attempt::default() };
            let record = Record { outputs: vec![output], ..Record::default() };
            store.commit(Entry::new(key(i), &reads, record, attempt)).unwrap()
        })
        .collect();
    store.write_run("shown", &run(root, &[&*entries[0], &*entries[1]])).unwrap();
    (store, entries)
}

fn whole(store: &Store, entry: &Entry) -> bool {
    store.entries(&entry.key).iter().any(|found| {
        found.id() == entry.id()
            && found
                .record()
                .outputs
                .iter()
                .chain(&found.attempt().log)
                .chain(&found.attempt().inputs)
                .all(|output| store.has(output) && store.read(&output.digest).is_ok())
    })
}

#[test]
fn garbage_goes_and_results_stay() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let (mut store, entries) = filled(&root);
    let garbage = store.put_bytes(&[1; 777], "garbage").unwrap();
    let unused = root.join("tmp/left");
    fs::write(&unused, "half").unwrap();
    fs::write(root.join("new-index"), "half").unwrap();
    store.write_run("gone", &run(&dir.path().join("gone"), &[&*entries[5]])).unwrap();
    let before = store.stat();
    assert_eq!((before.entries, before.blobs.count, before.unreferenced.bytes, before.runs), (10, 22, 777, 2));
    assert_eq!((before.outputs.count, before.logs.count, before.inputs.count), (10, 10, 1));

    let dry = store.gc(&GcOptions { dry: true, now: now(), limit: None }).unwrap();
    assert_eq!(store.stat(), before, "a dry run changes nothing");
    let report = store.gc(&GcOptions { now: now(), ..GcOptions::default() }).unwrap();
    assert_eq!(report, dry);
    assert_eq!((report.entries_kept, report.entries_removed), (10, 0));
    assert_eq!((report.blobs_kept, report.blobs_removed, report.bytes_removed), (21, 1, 777));
    assert_eq!((report.leftovers_removed, report.runs_removed), (2, vec!["gone".to_owned()]));
    assert!(!store.has(&garbage) && !unused.exists() && segments(&root).is_empty());
    assert!(entries.iter().all(|entry| whole(&store, entry)));
    let later = store.commit(entry(50, "later", Vec::new())).unwrap();
    drop(store);
    let store = Store::open(&root).unwrap();
    assert!(entries.iter().chain([&later]).all(|entry| whole(&store, entry)));
    assert_eq!(store.verify().unwrap().problems, [""; 0]);
}

#[test]
fn the_longest_unused_are_evicted_but_never_what_a_run_shows() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let (mut store, entries) = filled(&root);
    for entry in &entries {
        store.describe(&entry.key, &[("key".to_owned(), "words".to_owned())]).unwrap();
    }
    let size = store.gc(&GcOptions { now: now(), ..GcOptions::default() }).unwrap().bytes_kept;
    let limit = size * 11 / 20;
    let report = store.gc(&GcOptions { limit: Some(limit), now: now(), dry: false }).unwrap();
    assert!(report.bytes_kept <= limit && report.held_by_runs.is_none(), "{report:?}");
    assert_eq!((report.entries_kept, report.entries_removed), (5, 5));
    let stays: Vec<bool> = entries.iter().map(|entry| whole(&store, entry)).collect();
    assert_eq!(stays, [true, true, false, false, false, false, false, true, true, true], "the oldest go");
    let told: Vec<bool> = entries.iter().map(|entry| store.description(&entry.key).is_some()).collect();
    assert_eq!(told, stays, "words stay with what they describe");

    let evict = |store: &mut Store| store.gc(&GcOptions { limit: Some(10), now: now(), dry: false }).unwrap();
    let record = fs::read_dir(root.join("runs")).unwrap().next().unwrap().unwrap().path();
    let undamaged = fs::read(&record).unwrap();
    fs::write(&record, "").unwrap();
    let report = evict(&mut store);
    assert_eq!((report.entries_kept, report.held_by_runs), (5, Some(report.bytes_kept)), "a run may show any of them");
    assert_eq!(store.damages().len(), 1);
    fs::write(&record, undamaged).unwrap();
    let report = evict(&mut store);
    assert_eq!(report.entries_kept, 2);
    assert_eq!(report.held_by_runs, Some(report.bytes_kept));
    let index = || fs::metadata(root.join("index")).unwrap().ino();
    let before = index();
    assert_eq!(evict(&mut store).entries_kept, 2);
    assert_eq!(index(), before, "nothing can be evicted, and nothing is written");
    assert!(whole(&store, &entries[0]) && whole(&store, &entries[1]));
    store.remove_run("shown").unwrap();
    let report = store.gc(&GcOptions { limit: Some(10), now: now(), dry: false }).unwrap();
    assert_eq!((report.entries_kept, report.blobs_kept, report.bytes_kept), (0, 0, 0));
}

#[test]
fn damage_is_found_told_and_removed() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("store");
    let (store, entries) = filled(&root);
    store.write_run("other", &run(&root, &[&entry(77, "never", Vec::new())])).unwrap();
    let name = entries[3].record().outputs[0].digest.to_string();
    let blob = root.join("blobs").join(&name[..2]).join(&name[2..]);
    fs::set_permissions(&blob, fs::Permissions::from_mode(0o644)).unwrap();
    fs::write(&blob, "").unwrap();
    let report = store.verify().unwrap();
    assert_eq!((report.entries, report.blobs.count), (9, 20));
    assert_eq!(report.problems.len(), 3, "{:?}", report.problems);
    assert!(report.problems[0].contains("damaged on disk and has been removed"));
    assert!(report.problems[1].contains("has lost `out`"));
    assert!(report.problems[2].contains("the run `other` shows a result of `job` that is not recorded"));
    assert!(!blob.exists());
}
