//! Locks between processes: one per key, so that nobody executes what another is executing; and one on the whole store,
//! so that nobody evicts what another is using.
//!
//! A key's lock is an open-file-description lock on one byte of the file `locks`, at an offset made of the key: it dies
//! with its process, and a million of them need no file each. These locks do not conflict within one open file, so those
//! held through this handle are listed, too.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc::{F_UNLCK, F_WRLCK, SEEK_SET, flock};
use tapeout_model::Digest;

use crate::compact::uninterrupted;
use crate::{Store, StoreError, lock};

/// All key locks that are held through one store handle.
pub(crate) struct KeyLocks {
    path: PathBuf,
    inner: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    file: Option<File>,
    offsets: HashSet<i64>,
}

/// A key is locked while this lives.
#[must_use]
pub struct KeyLock {
    locks: Arc<KeyLocks>,
    offset: i64,
}

impl KeyLocks {
    pub(crate) fn new(root: &Path) -> Self {
        Self { path: root.join("locks"), inner: Mutex::default() }
    }
}

fn byte(kind: i32, offset: i64) -> flock {
    flock { l_type: kind as i16, l_whence: SEEK_SET as i16, l_start: offset, l_len: 1, l_pid: 0 }
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        let mut held = lock(&self.locks.inner);
        if let Some(file) = &held.file {
            // It cannot fail on a lock that is held; if it did, the lock would end with the process.
            let _ = fcntl(file, FcntlArg::F_OFD_SETLK(&byte(F_UNLCK, self.offset)));
        }
        held.offsets.remove(&self.offset);
    }
}

impl Store {
    /// Locks a key against all other processes and all other callers in this one; `None` when it is locked already. The
    /// lock ends when the value is dropped or the process dies. Different keys conflict with a probability of 2⁻⁶².
    ///
    /// # Errors
    /// When the file system has no locks or the file cannot be written.
    pub fn lock_key(&self, key: &Digest) -> Result<Option<KeyLock>, StoreError> {
        let locks = &self.key_locks;
        let leading = key.0.first_chunk().map_or(0, |first| u64::from_be_bytes(*first));
        let offset = (leading >> 2) as i64;
        let mut held = lock(&locks.inner);
        let Held { file, offsets } = &mut *held;
        if offsets.contains(&offset) {
            return Ok(None);
        }
        let file = match file {
            Some(file) => file,
            None => {
                let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&locks.path);
                file.insert(opened.map_err(StoreError::io("open", &locks.path))?)
            }
        };
        match fcntl(&*file, FcntlArg::F_OFD_SETLK(&byte(F_WRLCK, offset))) {
            Ok(_) => {
                offsets.insert(offset);
                Ok(Some(KeyLock { locks: Arc::clone(locks), offset }))
            }
            Err(Errno::EAGAIN | Errno::EACCES) => Ok(None),
            Err(error) => Err(StoreError::io("lock a key in", &locks.path)(error.into())),
        }
    }
}

/// The lock on the whole store: shared while it is used, exclusive while something is evicted.
pub(crate) struct UseLock {
    path: PathBuf,
    /// `None`: the store cannot be written, so nothing can be evicted from it either.
    file: Option<File>,
}

impl UseLock {
    /// Takes the lock for use. Waits while somebody evicts.
    pub(crate) fn shared(root: &Path) -> Result<Self, StoreError> {
        let path = root.join("lock");
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                OpenOptions::new().create(true).truncate(false).read(true).write(true).open(&path)
            }
            opened => opened,
        };
        let file = match file {
            Ok(file) => Some(file),
            Err(error)
                if matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) =>
            {
                None
            }
            Err(error) => return Err(StoreError::io("open", &path)(error)),
        };
        if let Some(file) = &file {
            uninterrupted(|| file.lock_shared()).map_err(StoreError::io("lock", &path))?;
        }
        Ok(Self { path, file })
    }

    /// Takes the lock for eviction; an error when anybody else uses the store.
    pub(crate) fn exclusive(&self) -> Result<(), StoreError> {
        let refused = |error| StoreError::io("lock", &self.path)(error);
        let Some(file) = &self.file else { return Err(refused(io::ErrorKind::ReadOnlyFilesystem.into())) };
        match file.try_lock() {
            Ok(()) => Ok(()),
            Err(error) => {
                // The kernel gives up the shared lock before it finds that there is no exclusive one.
                self.share()?;
                match error {
                    fs::TryLockError::WouldBlock => {
                        Err(StoreError::InUse { path: self.path.clone(), users: self.other_users(file) })
                    }
                    fs::TryLockError::Error(error) => Err(refused(error)),
                }
            }
        }
    }

    /// Goes back to use.
    pub(crate) fn share(&self) -> Result<(), StoreError> {
        match &self.file {
            Some(file) => uninterrupted(|| file.lock_shared()).map_err(StoreError::io("lock", &self.path)),
            None => Ok(()),
        }
    }

    /// How many others hold the lock, by the kernel's list; at least one, as the question arises when there is one.
    fn other_users(&self, file: &File) -> usize {
        let inode = file.metadata().map_or(0, |metadata| metadata.ino());
        let list = fs::read_to_string("/proc/locks").unwrap_or_default();
        let ours = format!(":{inode} ");
        let holders = list.lines().filter(|line| line.contains(" FLOCK ") && line.contains(&ours)).count();
        holders.saturating_sub(1).max(1)
    }
}
