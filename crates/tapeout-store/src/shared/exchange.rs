//! Results on their way between a store and a shared cache: what stands under a key there, what of it is brought in,
//! and what is fit to be given away.
//!
//! The payload of a key is a number, the version of what follows (u32, little-endian), and the results, oldest first, in
//! postcard's encoding. Only what tools made travels: reads, outputs, exit statuses and the attempt. Nothing in it is
//! nested without end, so that whatever stands there can be decoded safely.

use std::collections::HashSet;
use std::fs::File;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use tapeout_model::{Attempt, Digest, Output, Read, Record};

use super::{Item, SharedCache, leaks};
use crate::frame::u32_at;
use crate::{Entry, MAX_ENTRIES, Store, StoreError};

/// Raised with each change of [`Portable`] and what it is made of.
const VERSION: u32 = 3;

/// What travels of a result.
#[derive(Serialize, Deserialize)]
struct Portable {
    reads: Vec<Read>,
    outputs: Vec<Output>,
    statuses: Vec<i32>,
    attempt: Attempt,
}

impl Portable {
    /// `None`: there is more to the result than what tools made.
    fn of(entry: &Entry) -> Option<Self> {
        let Record { outputs, statuses, .. } = entry.record().clone();
        let portable = Self { reads: entry.reads().collect(), outputs, statuses, attempt: entry.attempt().clone() };
        (portable.record() == *entry.record()).then_some(portable)
    }

    fn record(&self) -> Record {
        Record { outputs: self.outputs.clone(), statuses: self.statuses.clone(), ..Record::default() }
    }
}

/// What became of a result that was to be given to a shared cache.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// It is on its way.
    Queued,
    /// It names a path of this machine, here.
    LocalOnly(String),
    /// The cache takes nothing, or not such a result.
    NotTaken,
}

impl SharedCache {
    /// The results that others published under a key, oldest first. Each is for that key and has only paths that stay
    /// where they are put; whether what it read is the same here, and whether its files can be had, is not known yet.
    #[must_use]
    pub fn candidates(&self, key: &Digest) -> Vec<Entry> {
        let Some(payload) = self.fetch(key) else { return Vec::new() };
        match decode(key, &payload) {
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
        let Some(own) = Portable::of(entry).filter(|_| cache.link.health.writes()) else {
            return Ok(Sharing::NotTaken);
        };
        if let Some(place) = self.local_path_in(entry, local)? {
            return Ok(Sharing::LocalOnly(place));
        }
        let files: Vec<Output> = entry.files().cloned().collect();
        let mut sent = HashSet::new();
        for file in files.iter().filter(|file| sent.insert(file.digest)) {
            cache.publish_blob(&file.digest, &self.blob_path(&file.digest));
        }
        let mut results: Vec<Portable> = cache.candidates(&entry.key).iter().filter_map(Portable::of).collect();
        results.retain(|other| other.reads != own.reads);
        results.drain(..(results.len() + 1).saturating_sub(MAX_ENTRIES));
        results.push(own);
        cache.publish(&entry.key, &encode(&results), &files);
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
        _ => None,
    });
    reads.chain(entry.files().map(|file| file.path.clone())).collect()
}

fn encode(results: &[Portable]) -> Vec<u8> {
    let payload = VERSION.to_le_bytes().to_vec();
    postcard::to_extend(results, payload).expect("results hold only sized sequences, which postcard encodes")
}

/// The entries of a payload: none when another version of tapeout wrote it. An error is what is wrong with it.
fn decode(key: &Digest, payload: &[u8]) -> Result<Vec<Entry>, &'static str> {
    const UNREADABLE: &str = "it has results that cannot be read";
    if u32_at(payload, 0).ok_or(UNREADABLE)? != VERSION {
        return Ok(Vec::new());
    }
    let (results, rest): (Vec<Portable>, _) = postcard::take_from_bytes(&payload[4..]).map_err(|_| UNREADABLE)?;
    if !rest.is_empty() {
        return Err(UNREADABLE);
    }
    if results.len() > MAX_ENTRIES {
        return Err("it has more results than a key may have");
    }
    let entry = |result: Portable| Entry::new(*key, &result.reads, result.record(), result.attempt);
    let entries: Vec<Entry> = results.into_iter().map(entry).collect();
    if !entries.iter().flat_map(Entry::files).all(|file| stays(&file.path)) {
        return Err("it has a file that would be written elsewhere");
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

    use super::super::Access;
    use super::*;
    use crate::hash_bytes;

    const KEY: Digest = Digest([7; 32]);

    fn result(read: &str, file: &str, content: &[u8]) -> Portable {
        Portable {
            reads: vec![Read::File { path: read.to_owned(), digest: None }],
            outputs: vec![Output { path: file.to_owned(), digest: hash_bytes(content), size: 1, executable: false }],
            statuses: vec![0],
            attempt: Attempt { host: "there".to_owned(), ..Attempt::default() },
        }
    }

    fn entry(result: &Portable) -> Entry {
        Entry::new(KEY, &result.reads, result.record(), result.attempt.clone())
    }

    #[test]
    fn results_come_back_and_nothing_else() {
        let all = [result("a", "out", b"x"), result("b", "deep/out", b"x")];
        let payload = encode(&all);
        assert_eq!(decode(&KEY, &payload).unwrap(), all.each_ref().map(entry));
        for cut in 0..payload.len() {
            assert!(decode(&KEY, &payload[..cut]).is_err(), "cut at {cut}");
        }
        assert!(decode(&KEY, &[&payload[..], b"x"].concat()).is_err());
        for at in 0..payload.len() {
            let mut bent = payload.clone();
            bent[at] ^= 0x80;
            // Whatever comes out, it is not a panic.
            let _ = decode(&KEY, &bent);
        }
        let mut newer = payload;
        newer[0] += 1;
        assert_eq!(decode(&KEY, &newer), Ok(Vec::new()), "what another version wrote is as if not there");
        let many: Vec<Portable> = (0..=MAX_ENTRIES).map(|n| result(&n.to_string(), "out", b"x")).collect();
        assert_eq!(decode(&KEY, &encode(&many[1..])).unwrap().len(), MAX_ENTRIES);
        assert!(decode(&KEY, &encode(&many)).is_err());
    }

    #[test]
    fn a_key_has_one_result_for_the_same_reads_and_no_more_than_it_may() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let place = dir.path().join("cache");
        std::fs::create_dir(&place).unwrap();
        let open = || SharedCache::open(place.to_str().unwrap(), Access::ReadWrite).unwrap();
        let share = |read: &str, content: &[u8]| {
            let mut own = result(read, "out", content);
            own.outputs = vec![store.put_bytes(content, "out").unwrap()];
            let cache = open();
            assert_eq!(store.share(&cache, &entry(&own), &[]).unwrap(), Sharing::Queued);
            assert_eq!(cache.finish(Duration::from_secs(20)).left, 0);
        };
        share("a", b"old");
        share("b", b"b");
        share("a", b"new");
        let reads =
            || open().candidates(&KEY).iter().flat_map(|entry| entry.reads().collect::<Vec<_>>()).collect::<Vec<_>>();
        assert_eq!(reads(), ["b", "a"].map(|read| result(read, "out", b"").reads.remove(0)));
        assert_eq!(open().candidates(&KEY)[1].record().outputs[0].digest, hash_bytes(b"new"));
        (0..MAX_ENTRIES).for_each(|n| share(&n.to_string(), b"n"));
        assert_eq!(
            reads(),
            (0..MAX_ENTRIES).map(|n| result(&n.to_string(), "out", b"").reads.remove(0)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_wrong_size_costs_nobody_a_blob() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("store")).unwrap();
        let place = dir.path().join("cache");
        std::fs::create_dir(&place).unwrap();
        let cache = SharedCache::open(place.to_str().unwrap(), Access::ReadWrite).unwrap();
        let own = store.put_bytes(b"content", "out").unwrap();
        let mut wrong = result("a", "out", b"content");
        wrong.outputs[0].size = 0;
        assert!(!store.bring(&cache, &entry(&wrong)).unwrap());
        assert_eq!(store.read(&own.digest).unwrap(), b"content");
    }

    #[test]
    fn a_result_cannot_write_outside_of_its_directory() {
        for path in ["../out", "a/../../out", "/etc/out", "", "./"] {
            assert!(decode(&KEY, &encode(&[result("a", path, b"x")])).is_err(), "{path:?}");
        }
    }
}
