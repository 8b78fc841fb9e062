//! Runs: what the present run trees show. They are the roots that nothing is evicted from under.
//!
//! One file per run in `runs/`, named by the hash of the run's name: eight bytes of magic, the xxh3-64 of what follows,
//! and name and content in postcard's encoding.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tapeout_model::Digest;
use twox_hash::XxHash3_64;

use crate::frame::u64_at;
use crate::{Store, StoreError, hash_bytes, temporary_file};

const MAGIC: &[u8; 8] = b"tapeR001";

/// What a run's tree shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// Where the tree is: absolute, or from the store's directory. When it is gone, the run counts no more.
    pub dir: PathBuf,
    /// Its jobs.
    pub jobs: Vec<JobRef>,
}

/// One job of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRef {
    /// The job's name in the run.
    pub name: String,
    /// The result that is shown, if there is one.
    pub shown: Option<ShownEntry>,
    /// Set when this result is to stand whatever changes.
    pub pin: Option<Pin>,
    /// Set when a later attempt failed.
    pub failed: Option<FailedJob>,
}

/// Which result is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownEntry {
    /// The key under which it is recorded.
    pub key: Digest,
    /// Which one of that key: [`Entry::id`](crate::Entry::id).
    pub id: Digest,
}

/// Why a result stands whatever changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The user's words.
    pub reason: String,
    /// Since when, in seconds since the Unix epoch.
    pub since: u64,
}

/// An attempt that gave no result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedJob {
    /// What went wrong.
    pub message: String,
    /// Whether it was stopped rather than failed.
    pub interrupted: bool,
    /// When, in seconds since the Unix epoch.
    pub when: u64,
}

/// All runs, and the files that are none.
#[derive(Default)]
pub(crate) struct AllRuns {
    pub(crate) found: Vec<(String, RunRef)>,
    pub(crate) damaged: Vec<PathBuf>,
}

pub(crate) fn path_of(root: &Path, name: &str) -> PathBuf {
    root.join("runs").join(hash_bytes(name.as_bytes()).to_string())
}

/// Reads every run. What cannot be read is as if not recorded.
pub(crate) fn read_all(root: &Path) -> AllRuns {
    let mut all = AllRuns::default();
    let Ok(listing) = fs::read_dir(root.join("runs")) else { return all };
    for path in listing.filter_map(Result::ok).map(|entry| entry.path()) {
        match fs::read(&path).ok().and_then(|bytes| decoded(&bytes)) {
            Some(run) => all.found.push(run),
            None => all.damaged.push(path),
        }
    }
    all.found.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// The ids of all entries that runs show.
pub(crate) fn shown_entries(runs: &[(String, RunRef)]) -> HashSet<Digest> {
    runs.iter().flat_map(|(_, run)| &run.jobs).filter_map(|job| job.shown).map(|shown| shown.id).collect()
}

fn encoded(name: &str, run: &RunRef) -> Result<Vec<u8>, postcard::Error> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&[0; 8]);
    let mut bytes = postcard::to_extend(&(name, run), bytes)?;
    let sum = XxHash3_64::oneshot(&bytes[16..]);
    bytes[8..16].copy_from_slice(&sum.to_le_bytes());
    Ok(bytes)
}

fn decoded(bytes: &[u8]) -> Option<(String, RunRef)> {
    let content = bytes.get(16..)?;
    if !bytes.starts_with(MAGIC) || u64_at(bytes, 8)? != XxHash3_64::oneshot(content) {
        return None;
    }
    postcard::from_bytes(content).ok()
}

impl Store {
    /// Records what a run shows, in one step; nothing is written when it is what is recorded already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_run(&self, name: &str, run: &RunRef) -> Result<(), StoreError> {
        let path = path_of(&self.root, name);
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let bytes = encoded(name, run).map_err(|error| StoreError::io("encode", &path)(invalid(error)))?;
        if fs::read(&path).is_ok_and(|old| old == bytes) {
            return Ok(());
        }
        let folder = self.root.join("runs");
        let temporaries = self.root.join("tmp");
        let made = fs::create_dir_all(&folder).and_then(|()| fs::create_dir_all(&temporaries));
        let written = made.and_then(|()| temporary_file(&temporaries)).and_then(|mut file| {
            file.write_all(&bytes)?;
            file.persist(&path).map_err(|error| error.error)
        });
        written.map_err(StoreError::io("write", &path))?;
        self.flusher.dirty(&self.root);
        Ok(())
    }

    /// What a run shows; `None` when there is no such run, or what was recorded of it is damaged, which
    /// [`Store::damages`] then tells.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn run(&self, name: &str) -> Result<Option<RunRef>, StoreError> {
        let path = path_of(&self.root, name);
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(StoreError::io("read", &path)(error)),
        };
        let run = decoded(&bytes);
        if run.is_none() {
            self.note_damaged_run(&path);
        }
        Ok(run.map(|(_, run)| run))
    }

    /// All runs by name, sorted.
    #[must_use]
    pub fn runs(&self) -> Vec<(String, RunRef)> {
        let all = read_all(&self.root);
        for path in &all.damaged {
            self.note_damaged_run(path);
        }
        all.found
    }

    /// Forgets a run. Its results stay until space is wanted.
    ///
    /// # Errors
    /// When it exists and cannot be removed.
    pub fn remove_run(&self, name: &str) -> Result<(), StoreError> {
        let path = path_of(&self.root, name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", &path)(error)),
            _ => Ok(()),
        }
    }

    fn note_damaged_run(&self, path: &Path) {
        self.note_damage(format!("the record `{}` of what a run shows was damaged", path.display()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_found_again_or_told_to_be_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let failed = FailedJob { message: "no".to_owned(), interrupted: false, when: 5 };
        let pin = Pin { reason: "taped out".to_owned(), since: 4 };
        let job = JobRef {
            name: "01-synth".to_owned(),
            shown: Some(ShownEntry { key: Digest([1; 32]), id: Digest([2; 32]) }),
            pin: Some(pin),
            failed: Some(failed),
        };
        let run = RunRef { dir: "/p/runs/a/b".into(), jobs: vec![job] };
        assert_eq!(store.run("a/b").unwrap(), None);
        store.write_run("a/b", &run).unwrap();
        let path = path_of(dir.path(), "a/b");
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        store.write_run("a/b", &run).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written, "the same is not written again");
        assert_eq!(store.run("a/b").unwrap().as_ref(), Some(&run));
        assert_eq!(store.runs(), [("a/b".to_owned(), run.clone())]);

        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 1;
            fs::write(&path, damaged).unwrap();
            assert_eq!(store.run("a/b").unwrap(), None, "byte {at}");
        }
        assert_eq!(store.damages().len(), 1);
        store.remove_run("a/b").unwrap();
        store.remove_run("a/b").unwrap();
        assert!(store.runs().is_empty());
    }
}
