//! What the tests of the store share.

#![allow(clippy::unwrap_used, reason = "as in tests, which clippy sees only in the test functions themselves")]

use std::fs;
use std::path::{Path, PathBuf};

use tapeout_model::{Attempt, Digest, Output, Read, Record};
use tapeout_store::{Entry, JobRef, RunRef, ShownEntry, hash_bytes};

/// A key.
pub(crate) fn key(number: u32) -> Digest {
    hash_bytes(&number.to_le_bytes())
}

/// A result that depends on one file and has these outputs.
pub(crate) fn entry(of: u32, path: &str, outputs: Vec<Output>) -> Entry {
    let reads = [Read::File { path: path.to_owned(), digest: Some(key(of)) }];
    let record = Record { outputs, ..Record::default() };
    Entry::new(key(of), &reads, record, Attempt { host: "here".to_owned(), ..Attempt::default() })
}

/// A run that shows these results.
#[allow(dead_code, reason = "not every test file shows runs")]
pub(crate) fn run(dir: &Path, entries: &[&Entry]) -> RunRef {
    let job = |entry: &&Entry| JobRef {
        name: "job".to_owned(),
        shown: Some(ShownEntry { key: entry.key, id: entry.id() }),
        pin: None,
        failed: None,
    };
    RunRef { dir: dir.to_owned(), jobs: entries.iter().map(job).collect() }
}

/// The segments of a store.
#[allow(dead_code, reason = "not every test file looks at segments")]
pub(crate) fn segments(root: &Path) -> Vec<PathBuf> {
    let Ok(listing) = fs::read_dir(root.join("journal")) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = listing.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// Copies a store as it is at this moment.
#[allow(dead_code, reason = "not every test file copies stores")]
pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for item in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            fs::copy(item.path(), target).unwrap();
        }
    }
}
