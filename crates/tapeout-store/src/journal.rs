//! The journal: frames appended by each process to a segment of its own, merged on reading.
//!
//! A segment begins with [`MAGIC`]. A frame is a little-endian `u32` length, the first eight bytes of the payload's
//! SHA-256, and the payload in postcard's encoding. A segment whose magic differs was written by another version: its
//! frames are unknown results, not errors.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tapeout_model::{Attempt, Digest, Read, Record};

use crate::{Signature, StoreError, hash_bytes};

const MAGIC: &[u8; 8] = b"tapeJ003";
const HEADER: usize = 12;

/// A committed result: under this key, with these reads, this came out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The job's key.
    pub key: Digest,
    /// What else the result depends on; it is good only while every read gives the same.
    pub reads: Vec<Read>,
    /// What came out.
    pub record: Record,
    /// How the execution went.
    pub attempt: Attempt,
}

/// What the journal holds.
#[derive(Serialize, Deserialize)]
pub(crate) enum Frame {
    /// A committed result.
    Entry(Arc<Entry>),
    /// The digest of one of the user's files.
    FileDigest {
        /// Absolute path.
        path: String,
        /// What `stat` said.
        signature: Signature,
        /// The content.
        digest: Digest,
    },
}

/// The segment of this process. It is created with the first frame, so that reading alone leaves no trace.
pub(crate) struct Journal {
    folder: PathBuf,
    segment: Option<(File, PathBuf)>,
}

impl Journal {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, segment: None }
    }

    pub(crate) fn append(&mut self, frame: &Frame) -> Result<(), StoreError> {
        let payload = postcard::to_stdvec(frame).map_err(|error| {
            StoreError::io("encode a frame for", &self.folder)(io::Error::new(io::ErrorKind::InvalidData, error))
        })?;
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        bytes.extend_from_slice(&u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend_from_slice(&hash_bytes(&payload).0[..8]);
        bytes.extend_from_slice(&payload);
        let (file, path) = self.segment()?;
        let length = file.metadata().map_err(StoreError::io("read", path))?.len();
        file.write_all(&bytes).map_err(|error| {
            // A partly written frame would hide those that follow it in this segment.
            let _ = file.set_len(length);
            StoreError::io("write", path)(error)
        })
    }

    fn segment(&mut self) -> Result<(&mut File, &Path), StoreError> {
        if self.segment.is_none() {
            // Segments are read in the order of their names: the time comes first.
            let micros = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
            let path = self.folder.join(format!("{micros:020}-{}.seg", std::process::id()));
            let mut file = OpenOptions::new()
                .append(true)
                .create_new(true)
                .open(&path)
                .map_err(StoreError::io("create", &path))?;
            file.write_all(MAGIC).map_err(StoreError::io("write", &path))?;
            self.segment = Some((file, path));
        }
        match &mut self.segment {
            Some((file, path)) => Ok((file, path)),
            None => unreachable!("the segment was opened above"),
        }
    }
}

/// Reads every whole frame of every segment, oldest segment first.
pub(crate) fn read_all(folder: &Path, mut each: impl FnMut(Frame)) -> Result<(), StoreError> {
    let listing = fs::read_dir(folder).map_err(StoreError::io("read", folder))?;
    let mut segments: Vec<PathBuf> = listing
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .collect();
    segments.sort();
    for segment in segments {
        let bytes = fs::read(&segment).map_err(StoreError::io("read", &segment))?;
        let Some(mut rest) = bytes.strip_prefix(MAGIC) else { continue };
        while let Some((frame, after)) = next_frame(rest) {
            each(frame);
            rest = after;
        }
    }
    Ok(())
}

fn next_frame(bytes: &[u8]) -> Option<(Frame, &[u8])> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let (length, checksum) = header.split_at(4);
    let length = u32::from_le_bytes(length.try_into().ok()?) as usize;
    let (payload, after) = rest.split_at_checked(length)?;
    if hash_bytes(payload).0[..8] != *checksum {
        return None;
    }
    Some((postcard::from_bytes(payload).ok()?, after))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Store;

    fn entry(key: u8, path: &str) -> Entry {
        let reads = vec![Read::File { path: path.to_owned(), digest: None }];
        Entry { key: Digest([key; 32]), reads, record: Record::default(), attempt: Attempt::default() }
    }

    #[test]
    fn what_was_committed_is_found_by_the_next_process_whatever_happens_to_the_tail() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for path in ["a", "b", "c"] {
            store.commit(entry(1, path)).unwrap();
        }
        drop(store);
        let segment = fs::read_dir(dir.path().join("journal")).unwrap().next().unwrap().unwrap().path();
        let whole = fs::read(&segment).unwrap();
        let counts: Vec<usize> = (0..=whole.len())
            .map(|length| {
                fs::write(&segment, &whole[..length]).unwrap();
                Store::open(dir.path()).unwrap().entries(&Digest([1; 32])).len()
            })
            .collect();
        assert!(counts.is_sorted(), "a longer prefix never holds less");
        assert_eq!((counts[0], counts[whole.len() - 1], counts[whole.len()]), (0, 2, 3));

        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            fs::write(&segment, &damaged).unwrap();
            for found in Store::open(dir.path()).unwrap().entries(&Digest([1; 32])) {
                assert!(["a", "b", "c"].iter().any(|path| *found == entry(1, path)), "byte {at} made a wrong entry");
            }
        }
    }

    #[test]
    fn a_key_keeps_its_newest_results_and_one_per_set_of_reads() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        for i in 0..20 {
            store.commit(entry(2, &format!("file{i}"))).unwrap();
            store.commit(entry(2, &format!("file{i}"))).unwrap();
        }
        let entries = store.entries(&Digest([2; 32]));
        assert_eq!(entries.len(), crate::MAX_ENTRIES);
        assert_eq!(*entries[15], entry(2, "file19"));
        assert_eq!(*entries[0], entry(2, "file4"));
    }
}
