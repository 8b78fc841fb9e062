//! The store: content-addressed blobs, the journal of what came out of which job, and the cache of file digests.
//!
//! ```text
//! .tapeout/store/
//!     FORMAT             the version of this layout
//!     blobs/ab/cdef…     file contents, named by SHA-256, read-only
//!     journal/*.seg      one segment per process, appended to by that process alone
//!     tmp/               where a blob is written before it gets its name
//! ```
//!
//! A blob exists under its final name only when it is whole (rename). A frame of the journal is written with one call
//! and carries a checksum; whatever follows a torn frame in a segment is ignored. So a process that is killed loses at
//! most what it had not committed. Only this crate touches the store, and only this crate hashes files.

mod blob;
mod file_digest;
mod hash;
mod journal;
pub mod shared;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tapeout_model::Digest;

pub use file_digest::{FileTime, Signature};
pub use hash::{KeyHasher, hash_bytes};
pub use journal::Entry;

use journal::{Frame, Journal};

const FORMAT: &str = "tapeout store 1\n";

/// An operation of the store that failed, with the path it failed on.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The operating system refused.
    #[error("cannot {action} `{path}`: {source}", path = path.display())]
    Io {
        /// What was attempted: `read`, `create`, …
        action: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A blob is not what its name says. It was removed, so that the result counts as not recorded.
    #[error("a recorded file was damaged on disk and has been removed: `{path}`", path = path.display())]
    Damaged {
        /// The blob.
        path: PathBuf,
    },
    /// The store was made by another version of tapeout.
    #[error("`{path}` is in the layout `{found}`, this tapeout reads `{expected}`", path = path.display())]
    Format {
        /// The store's `FORMAT` file.
        path: PathBuf,
        /// What it says.
        found: String,
        /// What this version writes.
        expected: String,
    },
}

impl StoreError {
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }

    /// Whether the disk or a quota is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

/// An open store. Shared between threads by reference.
pub struct Store {
    root: PathBuf,
    journal: Mutex<Journal>,
    entries: RwLock<HashMap<Digest, Vec<Arc<Entry>>>>,
    digests: Mutex<HashMap<PathBuf, (Signature, Digest)>>,
}

impl Store {
    /// Opens the store in `root`, creating it when it does not exist.
    ///
    /// # Errors
    /// When a directory cannot be made or read, or the layout is another one.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        for folder in ["blobs", "journal", "tmp"] {
            let path = root.join(folder);
            fs::create_dir_all(&path).map_err(StoreError::io("create", &path))?;
        }
        let format = root.join("FORMAT");
        match fs::read_to_string(&format) {
            Ok(found) if found == FORMAT => {}
            Ok(found) => {
                let [found, expected] = [found.as_str(), FORMAT].map(|text| text.trim().to_owned());
                return Err(StoreError::Format { path: format, found, expected });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Whole or not at all: what is half written would be another layout for ever.
                let written = tempfile::NamedTempFile::new_in(root).and_then(|mut file| {
                    file.write_all(FORMAT.as_bytes())?;
                    file.persist(&format).map_err(|error| error.error)
                });
                written.map_err(StoreError::io("write", &format))?;
            }
            Err(error) => return Err(StoreError::io("read", &format)(error)),
        }
        let store = Self {
            root: root.to_owned(),
            journal: Mutex::new(Journal::new(root.join("journal"))),
            entries: RwLock::default(),
            digests: Mutex::default(),
        };
        let mut entries: HashMap<Digest, Vec<Arc<Entry>>> = HashMap::new();
        let mut digests = HashMap::new();
        journal::read_all(&root.join("journal"), |frame| match frame {
            Frame::Entry(entry) => keep(entries.entry(entry.key).or_default(), entry),
            Frame::FileDigest { path, signature, digest } => {
                digests.insert(PathBuf::from(path), (signature, digest));
            }
        })?;
        Ok(Self { entries: RwLock::new(entries), digests: Mutex::new(digests), ..store })
    }

    /// What is recorded under a key: at most [`MAX_ENTRIES`] results that differ in what was read, newest last.
    #[must_use]
    pub fn entries(&self, key: &Digest) -> Vec<Arc<Entry>> {
        self.entries.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned().unwrap_or_default()
    }

    /// Commits a result: from here on it is found under its key, by this process and by later ones.
    ///
    /// # Errors
    /// When the journal cannot be written; nothing is recorded then.
    pub fn commit(&self, entry: Entry) -> Result<Arc<Entry>, StoreError> {
        let entry = Arc::new(entry);
        self.append(&Frame::Entry(Arc::clone(&entry)))?;
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        keep(entries.entry(entry.key).or_default(), Arc::clone(&entry));
        Ok(entry)
    }

    fn append(&self, frame: &Frame) -> Result<(), StoreError> {
        lock(&self.journal).append(frame)
    }
}

/// How many results one key may have.
pub const MAX_ENTRIES: usize = 16;

/// Adds a result to those of its key: one with the same reads is replaced, the oldest makes room.
fn keep(entries: &mut Vec<Arc<Entry>>, new: Arc<Entry>) {
    entries.retain(|old| old.reads != new.reads);
    if entries.len() == MAX_ENTRIES {
        entries.remove(0);
    }
    entries.push(new);
}

// A panic while one of these maps is held leaves it whole: each change is one insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
