//! Digests of the user's files, kept by what `stat` says so that an unchanged file is not read again.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use rustix::time::ClockId;

use tapeout_model::Digest;

use crate::frame::{Kind, u64_at};
use crate::hash::hash_reader;
use crate::{KeyHasher, Store, StoreError, lock};

/// What is known of a file.
pub(crate) type Known = (Signature, Digest);

/// What `stat` says of a file: while it is the same, so is the content. The change time cannot be set by a program, so
/// a file that was replaced by an older one, or whose modification time was put back, is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

/// A moment of the clock that file time stamps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileTime(i64, i64);

impl FileTime {
    /// Now. A file that is changed after this call gets no older time stamp. The clock advances once per scheduler tick
    /// (10 ms at most on Linux), so a file that was changed shortly before may have the same one.
    #[must_use]
    pub fn now() -> Self {
        Self::of(ClockId::RealtimeCoarse)
    }

    /// Waits for the clock to pass this moment of it and gives the moment after: every file that was changed before this
    /// call is older than that. Takes no longer than a tick.
    #[must_use]
    pub fn next() -> Self {
        let begin = Self::of(ClockId::Realtime);
        loop {
            let now = Self::now();
            if now > begin {
                return now;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// When a folder's list of names last changed.
    pub(crate) fn of_folder(folder: &Path) -> Option<Self> {
        let metadata = fs::metadata(folder).ok()?;
        Some(Self(metadata.mtime(), metadata.mtime_nsec()))
    }

    fn of(clock: ClockId) -> Self {
        let now = rustix::time::clock_gettime(clock);
        Self(now.tv_sec, now.tv_nsec)
    }
}

impl Signature {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The signature of a regular file, following links; `None` when there is none.
    ///
    /// # Errors
    /// When the file exists and cannot be looked at.
    pub fn of_file(path: &Path) -> Result<Option<Self>, StoreError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(Self::of(&metadata))),
            Ok(_) => Ok(None),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(StoreError::io("read", path)(error)),
        }
    }

    /// Adds it to a key.
    pub fn add_to(&self, key: &mut KeyHasher) {
        key.number(self.device).number(self.inode).number(self.size);
        for (seconds, nanoseconds) in [self.modified, self.changed] {
            key.number(seconds as u64).number(nanoseconds as u64);
        }
    }

    /// Whether the file was last changed before a moment, by more than a tick of its clock: then it is certain that it
    /// was not changed after it. The modification time does not count, as programs may set it to any time.
    #[must_use]
    pub fn is_older_than(&self, moment: FileTime) -> bool {
        self.changed < (moment.0, moment.1)
    }

    /// Whether the file was last changed at a moment that is yet to come, by more than a tick: the clock was set back
    /// after that, and a change since then would show.
    #[must_use]
    pub fn is_ahead_of_clock(&self) -> bool {
        let now = FileTime::of(ClockId::Realtime);
        self.changed > (now.0 + 1, now.1)
    }
}

impl Store {
    /// The digest of a file, or `None` when there is no such regular file. `path` must be absolute.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn file_digest(&self, path: &Path) -> Result<Option<Digest>, StoreError> {
        let Some((digest, _)) = self.file_digest_and_signature(path)? else { return Ok(None) };
        Ok(Some(digest))
    }

    /// The digest of a file, read now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn content_digest(&self, path: &Path) -> Result<Digest, StoreError> {
        hash_file(path).map_err(StoreError::io("read", path))
    }

    /// The digest of a file together with the signature under which it was read.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn file_digest_and_signature(&self, path: &Path) -> Result<Option<(Digest, Signature)>, StoreError> {
        let Some(signature) = Signature::of_file(path)? else { return Ok(None) };
        if let Some((known, digest)) = self.state().file_digest(path)
            && known == signature
        {
            return Ok(Some((digest, signature)));
        }
        let before = FileTime::now();
        let digest = hash_file(path).map_err(StoreError::io("read", path))?;
        if signature.is_older_than(before) && Signature::of_file(path)? == Some(signature) {
            let known = (signature, digest);
            let mut journal = lock(&self.journal);
            let mut state = self.state_mut();
            state.files.insert(path.to_owned(), known);
            if let Some(path) = path.to_str() {
                // A digest that is not noted is worked out again; a result that is worth the noting tells of a full disk.
                let grown = journal.note(Kind::FileDigest, self.today, &pack(path, &known)).unwrap_or_default();
                state.appended(grown);
            }
        }
        Ok(Some((digest, signature)))
    }
}

pub(crate) fn hash_file(path: &Path) -> io::Result<Digest> {
    hash_reader(&mut fs::File::open(path)?, |_| Ok(()))
}

const PATH: usize = 7 * 8 + 32;

/// The payload of a file digest's frame: seven numbers of the signature, the digest, the path.
pub(crate) fn pack(path: &str, (signature, digest): &Known) -> Vec<u8> {
    let Signature { device, inode, size, modified, changed } = *signature;
    let times = [modified.0, modified.1, changed.0, changed.1].map(|time| time as u64);
    let mut payload = Vec::with_capacity(PATH + path.len());
    for number in [device, inode, size].into_iter().chain(times) {
        payload.extend_from_slice(&number.to_le_bytes());
    }
    payload.extend_from_slice(&digest.0);
    payload.extend_from_slice(path.as_bytes());
    payload
}

/// What [`pack`] packed.
pub(crate) fn unpack(payload: &[u8]) -> Option<(&str, Known)> {
    let number = |i: usize| u64_at(payload, 8 * i);
    let time = |i: usize| number(i).map(|time| time as i64);
    let signature = Signature {
        device: number(0)?,
        inode: number(1)?,
        size: number(2)?,
        modified: (time(3)?, time(4)?),
        changed: (time(5)?, time(6)?),
    };
    let digest = Digest(*payload.get(7 * 8..)?.first_chunk()?);
    Some((std::str::from_utf8(payload.get(PATH..)?).ok()?, (signature, digest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_within_one_tick_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let file = dir.path().join("top.v");
        for content in ["aaaa", "bbbb", "cccc"] {
            fs::write(&file, content).unwrap();
            assert_eq!(store.file_digest(&file).unwrap(), Some(crate::hash_bytes(content.as_bytes())));
        }
    }

    #[test]
    fn a_file_from_before_the_clock_was_set_back_is_told_from_one_that_changes_now() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut signature = Signature::of_file(file.path()).unwrap().unwrap();
        assert!(!signature.is_ahead_of_clock());
        signature.changed.0 += 3600;
        assert!(signature.is_ahead_of_clock());
    }

    #[test]
    fn a_settled_file_is_not_read_again_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("store");
        let file = dir.path().join("top.v");
        fs::write(&file, "old").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(30));
        Store::open(&root).unwrap().file_digest(&file).unwrap();
        let store = Store::open(&root).unwrap();
        assert!(store.state().file_digest(&file).is_some(), "the digest survives the process");
        fs::write(&file, "new").unwrap();
        assert_eq!(store.file_digest(&file).unwrap(), Some(crate::hash_bytes(b"new")));
        assert_eq!(store.file_digest(dir.path()).unwrap(), None, "a directory is not a file");
        assert_eq!(store.file_digest(&dir.path().join("none")).unwrap(), None);
    }
}
