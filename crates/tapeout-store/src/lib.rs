//! The store: content-addressed blobs, records of what came out of which job, and the cache of file digests.
//!
//! ```text
//! .tapeout/store/
//!     FORMAT             the version of this layout
//!     lock               held shared by who uses the store, exclusively by who evicts       (key_lock)
//!     locks              one byte per key: who is executing it                              (key_lock)
//!     blobs/ab/cdef…     file contents, named by SHA-256, read-only                         (blob)
//!     index              records and file digests, packed, read at once                     (index)
//!     index.lock         held by who is writing the index                                   (compact)
//!     journal/*.seg      what came since: one segment per process, appended to by it alone  (journal)
//!     words/*.log        what digests stood for, one file per process                       (words)
//!     runs/…             what present runs show, one file per run                           (runs)
//!     tmp/               where a file is written before it gets its name
//! ```
//!
//! Index, journal and side log are made of checked frames (frame). Whoever finds the journal large in relation to the
//! index merges it, when opening or closing the store (compact). Damage is found when it is read, and what is damaged is
//! as if it had not been recorded; [`Store::damages`] tells of it.
//!
//! What is guaranteed:
//! - A blob has its name only when it is whole, and what is read from it was hashed.
//! - A result is committed with one append to the process's segment: after [`Store::commit`] it survives the death of
//!   the process, however it dies.
//! - Everything written is brought to the disk once a second while there is something new (more rarely on a disk that
//!   needs more than a quarter of that), so that a loss of power costs no more than the last second of each process's
//!   work. Closing the store does not wait for the disk. What was lost halfway is found by its checksum or hash.
//! - Who only reads leaves no trace, and can read a store that it cannot write.
//!
//! Only this crate touches the store, and only this crate hashes files.

mod blob;
mod compact;
mod entry;
mod file_digest;
mod flush;
mod frame;
mod gc;
mod hash;
mod index;
mod journal;
mod key_lock;
mod runs;
pub mod shared;
mod state;
mod verify;
mod words;

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use tapeout_model::Digest;

pub use entry::Entry;
pub use file_digest::{FileTime, Signature};
pub use gc::{GcOptions, GcReport};
pub use hash::{KeyHasher, hash_bytes};
pub use key_lock::KeyLock;
pub use runs::{FailedJob, JobRef, Pin, RunRef, ShownEntry};
pub use verify::{Amount, StoreStat, VerifyReport};

use blob::BlobNames;
use entry::{Packed, standing};
use flush::Flusher;
use frame::Kind;
use journal::Journal;
use key_lock::{KeyLocks, UseLock};
use state::{State, journal_path};
use words::Words;

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
    /// A blob that was there is gone, so that the result counts as not recorded.
    #[error("a recorded file is gone: `{path}`", path = path.display())]
    Missing {
        /// The blob.
        path: PathBuf,
    },
    /// Nothing can be evicted while others use the store.
    #[error("{users} other tapeout {} using `{path}`", if *users == 1 { "is" } else { "are" }, path = path.display())]
    InUse {
        /// The lock.
        path: PathBuf,
        /// How many others.
        users: usize,
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

    /// Whether a recorded file is lost: the result that refers to it is as if not recorded.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        matches!(self, Self::Damaged { .. } | Self::Missing { .. })
    }

    /// Whether the store must not be written by this user, or not at all.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Io { source, .. }
            if matches!(source.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem))
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
    // Where both are taken, the journal comes first.
    state: RwLock<State>,
    blobs: BlobNames,
    words: Mutex<Words>,
    used: Mutex<HashSet<Digest>>,
    damages: Mutex<Vec<String>>,
    key_locks: Arc<KeyLocks>,
    flusher: Flusher,
    today: u32,
    use_lock: UseLock,
}

const DAY: u64 = 24 * 60 * 60;

/// The day of a moment in seconds since the Unix epoch.
fn day_of(seconds: u64) -> u32 {
    u32::try_from(seconds / DAY).unwrap_or(u32::MAX)
}

impl Store {
    /// Opens the store in `root`, creating it when it does not exist. Waits while somebody evicts from it.
    ///
    /// # Errors
    /// When it cannot be made or read, or the layout is another one.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        let format = root.join("FORMAT");
        match fs::read_to_string(&format) {
            Ok(found) if found == FORMAT => {}
            // A loss of power shortly after the store was made may leave the name without the content.
            Ok(found) if !FORMAT.starts_with(&found) => {
                let [found, expected] = [found.as_str(), FORMAT].map(|text| text.trim().to_owned());
                return Err(StoreError::Format { path: format, found, expected });
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(StoreError::io("read", &format)(error));
            }
            Ok(_) | Err(_) => {
                // Whole or not at all: what is half written would be another layout for ever.
                let made = fs::create_dir_all(root).and_then(|()| temporary_file(root));
                let written = made.and_then(|mut file| {
                    file.write_all(FORMAT.as_bytes())?;
                    file.persist(&format).map_err(|error| error.error)
                });
                written.map_err(StoreError::io("write", &format))?;
            }
        }
        let use_lock = UseLock::shared(root)?;
        let mut state = State::load(root)?;
        let mut damages = std::mem::take(&mut state.damages);
        if state.wants_compaction() && compact::compact_quietly(root) {
            state = State::load(root)?;
            damages.append(&mut state.damages);
        }
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        Ok(Self {
            root: root.to_owned(),
            journal: Mutex::new(Journal::new(journal_path(root))),
            state: RwLock::new(state),
            blobs: BlobNames::new(),
            words: Mutex::new(Words::new(root)),
            used: Mutex::default(),
            damages: Mutex::new(damages),
            key_locks: Arc::new(KeyLocks::new(root)),
            flusher: Flusher::default(),
            today: day_of(seconds),
            use_lock,
        })
    }

    /// What is recorded under a key: at most [`MAX_ENTRIES`] results that differ in what was read, newest last.
    #[must_use]
    pub fn entries(&self, key: &Digest) -> Vec<Arc<Entry>> {
        self.standing(key).into_iter().map(Packed::unpack).map(Arc::new).collect()
    }

    /// The newest of [`Store::entries`] that is good.
    pub fn newest(&self, key: &Digest, mut good: impl FnMut(&Entry) -> bool) -> Option<Arc<Entry>> {
        self.standing(key).into_iter().rev().map(Packed::unpack).find(|entry| good(entry)).map(Arc::new)
    }

    fn standing(&self, key: &Digest) -> Vec<Packed> {
        let mut all = self.packed(key);
        if all.len() > 1 {
            let standing = standing(&all.iter().collect::<Vec<_>>());
            let mut place = 0..;
            all.retain(|_| place.next().is_some_and(|place: usize| standing.contains(&place)));
        }
        all
    }

    /// One result of a key by its [`Entry::id`], also when it does not answer for its key any more but a run shows it.
    #[must_use]
    pub fn entry(&self, key: &Digest, id: &Digest) -> Option<Arc<Entry>> {
        let found = self.packed(key).into_iter().find(|packed| packed.id() == *id)?;
        Some(Arc::new(found.unpack()))
    }

    fn packed(&self, key: &Digest) -> Vec<Packed> {
        self.state().of_key(key, &mut |at| {
            self.note_damage(format!(
                "the index `{}` is damaged at byte {at}; what it recorded there is done again",
                state::index_path(&self.root).display()
            ));
        })
    }

    /// Commits a result: from here on it is found under its key, by this process and by later ones.
    ///
    /// # Errors
    /// When the journal cannot be written; nothing is recorded then.
    pub fn commit(&self, entry: Entry) -> Result<Arc<Entry>, StoreError> {
        let entry = entry.committed(self.today);
        {
            let mut journal = lock(&self.journal);
            let replaces = self.state().has_key(&entry.key);
            if replaces && let Some((segment, length)) = journal.overtake()? {
                self.state_mut().ended(segment, length);
            }
            let grown = journal.append(Kind::Entry, self.today, entry.packed().payload())?;
            let mut state = self.state_mut();
            state.appended(grown);
            state.add_entry(entry.packed().clone());
        }
        self.flusher.dirty(&self.root);
        Ok(Arc::new(entry))
    }

    /// Notes that a result was used again. Written when the store is closed, and once a day at most for each key.
    pub fn used(&self, entry: &Entry) {
        if entry.day() < self.today {
            lock(&self.used).insert(entry.key);
        }
    }

    /// Takes in what other processes committed since the store was opened or last refreshed.
    ///
    /// # Errors
    /// When index or journal cannot be read.
    pub fn refresh(&self) -> Result<(), StoreError> {
        let mut journal = lock(&self.journal);
        let position = journal.position();
        let mut state = self.state_mut();
        if !state.refresh(&self.root, position)? {
            // What waits to be written is read again with the rest.
            journal.flush()?;
            *state = State::load(&self.root)?;
        }
        lock(&self.damages).append(&mut state.damages);
        Ok(())
    }

    fn reload(&self) -> Result<(), StoreError> {
        let mut state = self.state_mut();
        *state = State::load(&self.root)?;
        lock(&self.damages).append(&mut state.damages);
        Ok(())
    }

    /// What was found to be damaged so far, in words, one line each.
    #[must_use]
    pub fn damages(&self) -> Vec<String> {
        lock(&self.damages).clone()
    }

    fn note_damage(&self, words: String) {
        let mut damages = lock(&self.damages);
        if !damages.contains(&words) {
            damages.push(words);
        }
    }

    /// Writes what may wait. It may also be lost, so an error here costs nobody a result.
    fn flush_notes(&self) {
        let used: Vec<u8> = lock(&self.used).drain().flat_map(|key| key.0).collect();
        let mut journal = lock(&self.journal);
        let noted = if used.is_empty() { Ok(0) } else { journal.note(Kind::Used, self.today, &used) };
        let grown = noted.unwrap_or_default() + journal.flush().unwrap_or_default();
        self.state_mut().appended(grown);
        let _ = lock(&self.words).flush();
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn state_mut(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.flush_notes();
        lock(&self.journal).close();
        if self.state().wants_compaction() {
            compact::compact_quietly(&self.root);
        }
    }
}

/// A file that gets its name when it is whole. Like others, it is for all whom the umask lets see it.
fn temporary_file(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mode = fs::Permissions::from_mode(0o644);
    tempfile::Builder::new().prefix(TEMPORARY).permissions(mode).tempfile_in(folder)
}

/// How the names of files begin that have not got theirs yet.
const TEMPORARY: &str = "new-";

/// How many results one key may have.
pub const MAX_ENTRIES: usize = 16;

// A panic while one of these is held leaves it whole: each change is one insertion.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use tapeout_model::{Attempt, Record};

    use super::*;

    #[test]
    fn use_is_noted_once_a_day() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let [old, busy] = [Digest([1; 32]), Digest([2; 32])];
        let mut store = Store::open(root).unwrap();
        let today = store.today;
        store.today = today - 10;
        for key in [busy, old] {
            store.commit(Entry::new(key, &[], Record::default(), Attempt::default())).unwrap();
        }
        drop(store);
        let size = || -> u64 {
            let listing = fs::read_dir(root.join("journal")).unwrap();
            listing.map(|entry| entry.unwrap().metadata().unwrap().len()).sum()
        };
        let mut sizes = vec![size()];
        for _ in 0..3 {
            let store = Store::open(root).unwrap();
            for _ in 0..3 {
                store.used(&store.entries(&busy)[0]);
            }
            drop(store);
            sizes.push(size());
        }
        assert!(sizes[0] < sizes[1] && sizes[1] == sizes[2] && sizes[2] == sizes[3], "{sizes:?}");
        let mut store = Store::open(root).unwrap();
        assert_eq!(store.stat().oldest_use, Some(u64::from(today - 10) * DAY));
        // It stays known when the journal is merged.
        let options = GcOptions { now: u64::from(today) * DAY, ..GcOptions::default() };
        let bytes = store.gc(&options).unwrap().bytes_kept;
        store.gc(&GcOptions { limit: Some(bytes - 1), ..options }).unwrap();
        assert_eq!((store.entries(&busy).len(), store.entries(&old).len()), (1, 0));
    }
}
