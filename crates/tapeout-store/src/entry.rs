//! Entries: committed results, in memory and packed.
//!
//! A packed entry is the payload of a frame of the journal or of the index:
//!
//! ```text
//! 0   id         32 bytes
//! 32  key        32 bytes
//! 64  u32        length of the reads
//! 68  u32        length of the record
//! 72  reads, record, attempt: each in postcard's encoding
//! ```
//!
//! Equal reads have equal bytes, so entries are merged without being decoded.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use tapeout_model::{Attempt, Digest, Output, Read, Record};

use crate::KeyHasher;
use crate::frame::u32_at;

const READS: usize = 72;

/// A committed result: under this key, with these reads, this came out.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The job's key.
    pub key: Digest,
    /// What else the result depends on; it is good only while every read gives the same.
    pub reads: Vec<Read>,
    /// What came out.
    pub record: Record,
    id: OnceLock<Digest>,
    attempt: OnceLock<Attempt>,
    /// Where the attempt is decoded from on the first question.
    packed: Option<Packed>,
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
            && self.reads == other.reads
            && self.record == other.record
            && self.attempt() == other.attempt()
    }
}

impl Entry {
    /// A result that is not yet committed.
    #[must_use]
    pub fn new(key: Digest, reads: Vec<Read>, record: Record, attempt: Attempt) -> Self {
        Self { key, reads, record, id: OnceLock::new(), attempt: OnceLock::from(attempt), packed: None }
    }

    /// How the execution went.
    #[must_use]
    pub fn attempt(&self) -> &Attempt {
        self.attempt.get_or_init(|| {
            let packed = self.packed.as_ref().map(|packed| packed.attempt_bytes());
            // The bytes had the right checksum when the entry was unpacked; what does not decode is nothing known.
            packed.and_then(|bytes| postcard::from_bytes(bytes).ok()).unwrap_or_default()
        })
    }

    /// Names this entry among those of its key: the hash of key, reads and record, without the attempt.
    #[must_use]
    pub fn id(&self) -> Digest {
        *self.id.get_or_init(|| identity(&self.key, &encoded(&self.reads), &encoded(&self.record)))
    }

    /// The day on which the entry was last known to be used.
    pub(crate) fn day(&self) -> Option<u32> {
        self.packed.as_ref().map(|packed| packed.day)
    }

    /// Everything that the entry needs from the blobs.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Output> {
        let attempt = self.attempt();
        self.record.outputs.iter().chain(&attempt.log).chain(&attempt.inputs)
    }

    /// The payload of its frame.
    pub(crate) fn pack(&self) -> Vec<u8> {
        let [reads, record] = [encoded(&self.reads), encoded(&self.record)];
        let id = *self.id.get_or_init(|| identity(&self.key, &reads, &record));
        let mut payload = Vec::with_capacity(READS + reads.len() + record.len() + 128);
        payload.extend_from_slice(&id.0);
        payload.extend_from_slice(&self.key.0);
        for part in [&reads, &record] {
            payload.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        }
        payload.extend_from_slice(&reads);
        payload.extend_from_slice(&record);
        payload.extend_from_slice(&encoded(self.attempt()));
        payload
    }
}

fn identity(key: &Digest, reads: &[u8], record: &[u8]) -> Digest {
    let mut hasher = KeyHasher::new("entry");
    hasher.digest(Some(key)).bytes(reads).bytes(record);
    hasher.finish()
}

fn encoded(part: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(part).expect("reads, records and attempts hold only sized sequences, which postcard encodes")
}

/// A packed entry in a file that was read.
#[derive(Clone, Debug)]
pub(crate) struct Packed {
    pub(crate) bytes: Arc<Vec<u8>>,
    pub(crate) payload: Range<usize>,
    /// The day of its frame, or a later one on which it was used.
    pub(crate) day: u32,
}

impl Packed {
    /// `None`: too short to be an entry.
    pub(crate) fn new(bytes: &Arc<Vec<u8>>, payload: Range<usize>, day: u32) -> Option<Self> {
        let found = bytes.get(payload.clone())?;
        let parts = READS + u32_at(found, 64)? as usize + u32_at(found, 68)? as usize;
        (parts <= found.len()).then(|| Self { bytes: Arc::clone(bytes), payload, day })
    }

    pub(crate) fn payload(&self) -> &[u8] {
        &self.bytes[self.payload.clone()]
    }

    fn digest_at(&self, at: usize) -> Digest {
        let mut digest = [0; 32];
        digest.copy_from_slice(&self.payload()[at..at + 32]);
        Digest(digest)
    }

    pub(crate) fn id(&self) -> Digest {
        self.digest_at(0)
    }

    pub(crate) fn key(&self) -> Digest {
        self.digest_at(32)
    }

    fn parts(&self) -> [&[u8]; 3] {
        let payload = self.payload();
        let length = |at| u32_at(payload, at).unwrap_or_default() as usize;
        let (reads, rest) = payload[READS..].split_at(length(64));
        let (record, attempt) = rest.split_at(length(68));
        [reads, record, attempt]
    }

    pub(crate) fn reads_bytes(&self) -> &[u8] {
        self.parts()[0]
    }

    fn attempt_bytes(&self) -> &[u8] {
        self.parts()[2]
    }

    /// `None`: the bytes are not what this version writes.
    pub(crate) fn unpack(self) -> Option<Entry> {
        let [reads, record, _] = self.parts();
        let (reads, record) = (postcard::from_bytes(reads).ok()?, postcard::from_bytes(record).ok()?);
        let (key, id) = (self.key(), OnceLock::from(self.id()));
        Some(Entry { key, reads, record, id, attempt: OnceLock::new(), packed: Some(self) })
    }
}

/// Of the entries of one key, oldest first, the places of those that answer for it: of equal reads the newest, and at
/// most [`MAX_ENTRIES`](crate::MAX_ENTRIES).
pub(crate) fn standing(of_key: &[&Packed]) -> Vec<usize> {
    let hidden = |i: usize| of_key[i + 1..].iter().any(|later| later.reads_bytes() == of_key[i].reads_bytes());
    let mut kept: Vec<usize> = (0..of_key.len()).filter(|i| !hidden(*i)).collect();
    kept.drain(..kept.len().saturating_sub(crate::MAX_ENTRIES));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str) -> Entry {
        let reads = vec![Read::File { path: path.to_owned(), digest: None }];
        let attempt = Attempt { host: "here".to_owned(), ..Attempt::default() };
        Entry::new(Digest([7; 32]), reads, Record::default(), attempt)
    }

    fn packed(entry: &Entry, day: u32) -> Packed {
        let bytes = Arc::new(entry.pack());
        Packed::new(&bytes, 0..bytes.len(), day).unwrap()
    }

    #[test]
    fn an_entry_unpacks_as_it_was_and_keeps_its_name() {
        let entry = entry("a.v");
        let unpacked = packed(&entry, 3).unpack().unwrap();
        assert_eq!(
            unpacked.id(),
            Entry::new(entry.key, entry.reads.clone(), Record::default(), Attempt::default()).id()
        );
        assert_eq!((unpacked.day(), unpacked.attempt().host.as_str()), (Some(3), "here"));
        assert_eq!(unpacked, entry);
        let bytes = Arc::new(entry.pack());
        assert!(Packed::new(&bytes, 0..READS - 1, 0).is_none() && Packed::new(&bytes, 0..READS, 0).is_none());
    }

    #[test]
    fn the_newest_of_equal_reads_stands() {
        let of_key: Vec<Packed> = ["a", "b", "a", "c"].iter().map(|path| packed(&entry(path), 0)).collect();
        assert_eq!(standing(&of_key.iter().collect::<Vec<_>>()), [1, 2, 3]);
    }
}
