//! Results on their way between a store and a shared cache: what stands under a key there, what of it is brought in,
//! and what is fit to be given away.
//!
//! The payload of a key is a number, the version of what follows, and its entries, oldest first: each its length and
//! what the journal would hold of it. Both numbers are u32, little-endian.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Component, Path};
use std::sync::Arc;

use tapeout_model::{Digest, Output, Read};

use super::{Item, SharedCache, leaks};
use crate::entry::Packed;
use crate::frame::{VERSION, u32_at};
use crate::{Entry, MAX_ENTRIES, Store, StoreError};

/// What became of a result that was to be given to a shared cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It is on its way.
    Queued,
    /// It names a path of this machine, here.
    LocalOnly(String),
    /// The cache takes nothing.
    NotTaken,
}

impl SharedCache {
    /// The results that others published under a key, oldest first. Each is for that key and has only paths that stay
    /// where they are put; whether what it read is the same here, and whether its files can be had, is not known yet.
    #[must_use]
    pub fn candidates(&self, key: &Digest) -> Vec<Entry> {
        let Some(payload) = self.fetch(key) else { return Vec::new() };
        match decode(key, payload) {
            Ok(entries) => entries,
            Err(what) => {
                self.link.note_damage(Item::Action(*key), what);
                Vec::new()
            }
        }
    }
}

impl Store {
    /// Brings in every file that a result from a shared cache needs and this store does not have; `false` when one of
    /// them cannot be had. The result itself is not recorded.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn bring(&self, cache: &SharedCache, entry: &Entry) -> Result<bool, StoreError> {
        for file in entry.files() {
            if !self.has_whole(file) && !self.adopt(&file.digest, |to| cache.fetch_blob(&file.digest, file.size, to))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives a committed result to others, in the background: its files, and then the result beside those that are there
    /// under its key, in the place of one with the same reads. A result that names one of the `local` paths, or whose
    /// files do, is of no use elsewhere and stays here.
    ///
    /// # Errors
    /// When a file of the result cannot be read.
    pub fn share(&self, cache: &SharedCache, entry: &Entry, local: &[&[u8]]) -> Result<Sharing, StoreError> {
        if !cache.link.health.writes() {
            return Ok(Sharing::NotTaken);
        }
        if let Some(place) = self.local_path_in(entry, local)? {
            return Ok(Sharing::LocalOnly(place));
        }
        let files: Vec<Output> = entry.files().cloned().collect();
        let mut sent = HashSet::new();
        for file in files.iter().filter(|file| sent.insert(file.digest)) {
            cache.publish_blob(&file.digest, &self.blob_path(&file.digest));
        }
        let mut entries = cache.candidates(&entry.key);
        entries.retain(|other| !other.reads().eq(entry.reads()));
        entries.drain(..(entries.len() + 1).saturating_sub(MAX_ENTRIES));
        entries.push(entry.clone());
        cache.publish(&entry.key, &encode(&entries), &files);
        Ok(Sharing::Queued)
    }

    /// Where a result names one of these paths.
    fn local_path_in(&self, entry: &Entry, local: &[&[u8]]) -> Result<Option<String>, StoreError> {
        let named = |text: &str| matches!(leaks(text.as_bytes(), local), Ok(true));
        if named(&entry.attempt().commands) {
            return Ok(Some("its command line".to_owned()));
        }
        if texts(entry).iter().any(|text| named(text)) {
            return Ok(Some("its record".to_owned()));
        }
        for file in entry.files() {
            let blob = self.blob_path(&file.digest);
            let found = File::open(&blob).and_then(|content| leaks(content, local));
            if found.map_err(StoreError::io("read", &blob))? {
                return Ok(Some(format!("`{}`", file.path)));
            }
        }
        Ok(None)
    }
}

/// The texts of a result that may name paths, without the command lines.
fn texts(entry: &Entry) -> Vec<String> {
    let reads = entry.reads().filter_map(|read| match read {
        Read::File { path, .. } => Some(path),
        Read::Input { .. } | Read::Tool { .. } | Read::Job { .. } => None,
    });
    let alerts = entry.record().alerts.iter().map(|alert| alert.message.clone());
    reads.chain(alerts).chain(entry.files().map(|file| file.path.clone())).collect()
}

fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut payload = (VERSION as u32).to_le_bytes().to_vec();
    for packed in entries.iter().map(|entry| entry.packed().payload()) {
        payload.extend_from_slice(&u32::try_from(packed.len()).unwrap_or(u32::MAX).to_le_bytes());
        payload.extend_from_slice(packed);
    }
    payload
}

/// The entries of a payload: none when another version of tapeout wrote it. An error is what is wrong with it.
fn decode(key: &Digest, payload: Vec<u8>) -> Result<Vec<Entry>, &'static str> {
    const CUT_OFF: &str = "it is cut off";
    let payload = Arc::new(payload);
    if u64::from(u32_at(&payload, 0).ok_or(CUT_OFF)?) != VERSION {
        return Ok(Vec::new());
    }
    let mut entries = Vec::new();
    let mut at = 4;
    while at < payload.len() {
        let begin = at + 4;
        at = begin + u32_at(&payload, at).ok_or(CUT_OFF)? as usize;
        let packed = Packed::new(&payload, begin..at, 0).ok_or(CUT_OFF)?;
        if packed.key() != *key {
            return Err("it has a result for another key");
        }
        if entries.len() == MAX_ENTRIES {
            return Err("it has more results than a key may have");
        }
        let entry = packed.remade().ok_or("it has a result that cannot be read")?;
        if !entry.files().all(|file| stays(&file.path)) {
            return Err("it has a file that would be written elsewhere");
        }
        entries.push(entry);
    }
    Ok(entries)
}

/// Whether a path is relative and leads down only.
fn stays(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tapeout_model::{Attempt, Record};

    use super::super::Access;
    use super::*;
    use crate::hash_bytes;

    const KEY: Digest = Digest([7; 32]);

    fn entry(key: Digest, read: &str, file: &str) -> Entry {
        let reads = vec![Read::File { path: read.to_owned(), digest: None }];
        let output = Output { path: file.to_owned(), digest: hash_bytes(b"x"), size: 1, executable: false };
        let attempt = Attempt { host: "there".to_owned(), ..Attempt::default() };
        Entry::new(key, &reads, Record { outputs: vec![output], ..Record::default() }, attempt)
    }

    #[test]
    fn entries_of_the_key_come_back_and_nothing_else() {
        let all = [entry(KEY, "a", "out"), entry(KEY, "b", "deep/out")];
        let payload = encode(&all);
        assert_eq!(decode(&KEY, payload.clone()).unwrap(), all);
        assert_eq!(decode(&Digest([8; 32]), payload.clone()), Err("it has a result for another key"));
        let whole = decode(&KEY, encode(&all[..1])).map(|_| encode(&all[..1]).len()).unwrap();
        for cut in (0..payload.len()).filter(|cut| ![4, whole].contains(cut)) {
            assert!(decode(&KEY, payload[..cut].to_vec()).is_err(), "cut at {cut}");
        }
        let mut newer = payload.clone();
        newer[0] += 1;
        assert_eq!(decode(&KEY, newer), Ok(Vec::new()), "what another version wrote is as if not there");
        let mut renamed = payload;
        renamed[8] ^= 1;
        assert_eq!(decode(&KEY, renamed).unwrap()[0].id(), all[0].id(), "its name is made from what it is");
        let many: Vec<Entry> = (0..=MAX_ENTRIES).map(|n| entry(KEY, &n.to_string(), "out")).collect();
        assert_eq!(decode(&KEY, encode(&many[1..])).unwrap().len(), MAX_ENTRIES);
        assert!(decode(&KEY, encode(&many)).is_err());
    }

    #[test]
    fn a_key_has_one_result_for_the_same_reads_and_no_more_than_it_may() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let place = dir.path().join("cache");
        std::fs::create_dir(&place).unwrap();
        let open = || SharedCache::open(place.to_str().unwrap(), Access::ReadWrite).unwrap();
        let share = |read: &str, content: &[u8]| {
            let record = Record { outputs: vec![store.put_bytes(content, "out").unwrap()], ..Record::default() };
            let reads: Vec<Read> = entry(KEY, read, "out").reads().collect();
            let entry = Entry::new(KEY, &reads, record, Attempt::default());
            let cache = open();
            assert_eq!(store.share(&cache, &entry, &[]).unwrap(), Sharing::Queued);
            assert_eq!(cache.finish(Duration::from_secs(20)).left, 0);
        };
        share("a", b"old");
        share("b", b"b");
        share("a", b"new");
        let reads =
            || -> Vec<Vec<Read>> { open().candidates(&KEY).into_iter().map(|entry| entry.reads().collect()).collect() };
        assert_eq!(reads(), ["b", "a"].map(|read| entry(KEY, read, "out").reads().collect::<Vec<_>>()));
        assert_eq!(open().candidates(&KEY)[1].record().outputs[0].digest, hash_bytes(b"new"));
        (0..MAX_ENTRIES).for_each(|n| share(&n.to_string(), b"n"));
        assert_eq!(
            reads(),
            (0..MAX_ENTRIES).map(|n| entry(KEY, &n.to_string(), "out").reads().collect::<Vec<_>>()).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_result_cannot_write_outside_of_its_directory() {
        for path in ["../out", "a/../../out", "/etc/out", "", "./"] {
            assert!(decode(&KEY, encode(&[entry(KEY, "a", path)])).is_err(), "{path:?}");
        }
    }
}
