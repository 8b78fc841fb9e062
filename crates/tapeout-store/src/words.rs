//! The side log: what a digest stood for, so that a difference can be told in words.
//!
//! One file per process in `words/`, locked while the process lives, of frames whose payload is the digest and, in postcard's encoding, the words. It is
//! not read when the store is opened, only when it is asked; its newest part may be lost when the process is killed.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_model::Digest;

use crate::frame::{self, Kind};
use crate::journal::{create_locked, unique_name};
use crate::{Store, StoreError, lock};

/// So many bytes wait before they are written.
const MANY: usize = 64 * 1024;
/// With more files than these, those whose processes are gone are merged.
const MANY_FILES: usize = 32;

/// What this process adds to the side log.
pub(crate) struct Words {
    folder: PathBuf,
    file: Option<File>,
    waiting: Vec<u8>,
    described: HashSet<Digest>,
    read: Option<Log>,
}

/// Where the words of each digest are.
type Log = HashMap<Digest, (Arc<Vec<u8>>, Range<usize>)>;

impl Words {
    pub(crate) fn new(root: &Path) -> Self {
        let folder = root.join("words");
        Self { folder, file: None, waiting: Vec::new(), described: HashSet::new(), read: None }
    }

    /// Writes what waits. After an error it is forgotten.
    pub(crate) fn flush(&mut self) -> Result<(), StoreError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = Arc::new(std::mem::take(&mut self.waiting));
        // After an error the next words get a new file, as this one may end within a frame.
        let mut file = match self.file.take() {
            Some(file) => file,
            None => {
                // What cannot be merged is read file by file.
                let _ = merge(&self.folder);
                create_locked(&new_path(&self.folder), b"")?
            }
        };
        file.write_all(&waiting).map_err(StoreError::io("write in", &self.folder))?;
        self.file = Some(file);
        if let Some(log) = &mut self.read {
            note(&waiting, log);
        }
        Ok(())
    }

    /// Ends the file of this process and forgets what was read: the log is about to be written anew.
    pub(crate) fn close(&mut self) {
        self.file = None;
        self.read = None;
        self.described.clear();
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let listing = match fs::read_dir(folder) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(StoreError::io("read", folder)(error)),
    };
    let mut files: Vec<PathBuf> = listing.filter_map(Result::ok).map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    files.sort();
    Ok(files)
}

fn read_files(files: &[PathBuf]) -> Result<Log, StoreError> {
    let mut log = Log::new();
    for path in files {
        let bytes = match fs::read(path) {
            Ok(bytes) => Arc::new(bytes),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        note(&bytes, &mut log);
    }
    Ok(log)
}

/// Takes in the words of some frames.
fn note(bytes: &Arc<Vec<u8>>, log: &mut Log) {
    frame::scan(bytes, 0, |frame| {
        if frame.kind == Some(Kind::Words)
            && let Some((digest, _)) = bytes[frame.payload.clone()].split_first_chunk()
        {
            log.insert(Digest(*digest), (Arc::clone(bytes), frame.payload));
        }
    });
}

fn new_path(folder: &Path) -> PathBuf {
    folder.join(format!("{}.log", unique_name()))
}

/// Writes the side log anew with what is still referred to. Nobody else may be using the store.
pub(crate) fn rewrite(root: &Path, referred: &HashSet<Digest>) -> Result<(), StoreError> {
    let folder = root.join("words");
    replace(&folder, &files(&folder)?, |digest| referred.contains(digest))
}

/// Makes one file of those whose processes are gone, when there are many.
fn merge(folder: &Path) -> Result<(), StoreError> {
    let all = files(folder)?;
    if all.len() <= MANY_FILES {
        return Ok(());
    }
    // They stay locked until they are removed, so that nobody else merges them, too.
    let lock = |path: PathBuf| File::open(&path).ok().filter(|file| file.try_lock().is_ok()).map(|file| (path, file));
    let (left, _locks): (Vec<PathBuf>, Vec<File>) = all.into_iter().filter_map(lock).unzip();
    replace(folder, &left, |_| true)
}

/// Replaces these files by one with those of their words that stay.
fn replace(folder: &Path, old: &[PathBuf], stays: impl Fn(&Digest) -> bool) -> Result<(), StoreError> {
    if old.is_empty() {
        return Ok(());
    }
    let mut kept: Vec<(Digest, _)> = read_files(old)?.into_iter().collect();
    kept.retain(|(digest, _)| stays(digest));
    kept.sort_unstable_by_key(|(digest, _)| *digest);
    let mut bytes = Vec::new();
    for (_, (file, payload)) in kept {
        frame::push(&mut bytes, Kind::Words, 0, &file[payload]);
    }
    if !bytes.is_empty() {
        create_locked(&new_path(folder), &bytes)?;
    }
    for path in old {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(StoreError::io("remove", path)(error)),
            _ => {}
        }
    }
    Ok(())
}

impl Store {
    /// Notes what a digest stands for: names and values, in the order in which they are to be compared. A digest that
    /// this process described before is not written again.
    ///
    /// # Errors
    /// When the side log cannot be written.
    pub fn describe(&self, digest: &Digest, words: &[(String, String)]) -> Result<(), StoreError> {
        let mut log = lock(&self.words);
        if !log.described.insert(*digest) {
            return Ok(());
        }
        let invalid = |error| io::Error::new(io::ErrorKind::InvalidInput, error);
        let payload = postcard::to_extend(words, digest.0.to_vec());
        let payload = payload.map_err(|error| StoreError::io("encode words for", &log.folder)(invalid(error)))?;
        frame::push(&mut log.waiting, Kind::Words, self.today, &payload);
        if log.waiting.len() > MANY { log.flush() } else { Ok(()) }
    }

    /// What a digest stood for, where it was noted. Reads the whole side log on the first question.
    #[must_use]
    pub fn description(&self, digest: &Digest) -> Option<Vec<(String, String)>> {
        let mut log = lock(&self.words);
        // Words are worth a remark in a message, not an error: without them less is told.
        let _ = log.flush();
        if log.read.is_none() {
            log.read = files(&log.folder).and_then(|files| read_files(&files)).ok();
        }
        let (bytes, payload) = log.read.as_ref()?.get(digest)?;
        postcard::from_bytes(bytes[payload.clone()].get(32..)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, String)> {
        vec![("CLOCK_PERIOD".to_owned(), text.to_owned())]
    }

    #[test]
    fn words_are_found_by_all_and_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let [a, b, c] = [1, 2, 3].map(|byte| Digest([byte; 32]));
        let store = Store::open(dir.path()).unwrap();
        store.describe(&a, &words("10")).unwrap();
        store.describe(&a, &words("11")).unwrap();
        assert_eq!(store.description(&a), Some(words("10")));
        store.describe(&b, &words("8")).unwrap();
        assert_eq!(store.description(&b), Some(words("8")), "also what was noted after the first question");
        drop(store);
        let store = Store::open(dir.path()).unwrap();
        assert_eq!(store.description(&a), Some(words("10")));
        assert_eq!(store.description(&c), None);
        drop(store);

        rewrite(dir.path(), &HashSet::from([b])).unwrap();
        assert_eq!(fs::read_dir(dir.path().join("words")).unwrap().count(), 1);
        let store = Store::open(dir.path()).unwrap();
        assert_eq!((store.description(&a), store.description(&b)), (None, Some(words("8"))));
    }

    #[test]
    fn what_was_read_is_not_read_again_for_what_is_noted() {
        let dir = tempfile::tempdir().unwrap();
        let [old, new] = [1, 2].map(|byte| Digest([byte; 32]));
        let store = Store::open(dir.path()).unwrap();
        store.describe(&old, &words("10")).unwrap();
        assert_eq!(store.description(&old), Some(words("10")));
        for path in files(&dir.path().join("words")).unwrap() {
            fs::remove_file(path).unwrap();
        }
        store.describe(&new, &words("8")).unwrap();
        assert_eq!((store.description(&old), store.description(&new)), (Some(words("10")), Some(words("8"))));
    }

    #[test]
    fn files_of_processes_that_are_gone_are_merged() {
        let dir = tempfile::tempdir().unwrap();
        let digest = |byte| Digest([byte; 32]);
        let living = Store::open(dir.path()).unwrap();
        living.describe(&digest(0), &words("0")).unwrap();
        assert!(living.description(&digest(0)).is_some());
        for byte in 1..100 {
            let store = Store::open(dir.path()).unwrap();
            store.describe(&digest(byte), &words(&byte.to_string())).unwrap();
        }
        assert!(files(&dir.path().join("words")).unwrap().len() <= MANY_FILES + 1);
        living.describe(&digest(100), &words("100")).unwrap();
        assert!(living.description(&digest(100)).is_some());
        let store = Store::open(dir.path()).unwrap();
        for byte in 0..=100 {
            assert_eq!(store.description(&digest(byte)), Some(words(&byte.to_string())));
        }
    }
}
