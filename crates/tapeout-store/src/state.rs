//! What is known of the records: the index, and what the segments hold beyond it.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_model::Digest;

use crate::StoreError;
use crate::entry::Packed;
use crate::file_digest::{self, FileTime, Known};
use crate::frame::{self, FrameAt, Kind};
use crate::index::{self, Builder, Coverage, FileId, Found, Index};
use crate::journal;

/// A journal smaller than this is read faster (within a millisecond) than an index is brought to the disk.
const SMALL_JOURNAL: u64 = 1024 * 1024;
/// More segments than these are merged, however small.
const MANY_SEGMENTS: usize = 32;

pub(crate) fn index_path(root: &Path) -> PathBuf {
    root.join("index")
}

pub(crate) fn journal_path(root: &Path) -> PathBuf {
    root.join("journal")
}

/// An entry of the journal, with its place in the order of all that were read.
struct Fresh {
    order: u64,
    entry: Packed,
}

/// The records as of the last look at the disk, and what this process added.
#[derive(Default)]
pub(crate) struct State {
    index: Option<Index>,
    /// Entries that are not in the index, oldest first.
    fresh: HashMap<Digest, Vec<Fresh>>,
    fresh_count: u64,
    pub(crate) files: HashMap<PathBuf, Known>,
    /// Days of last use that are newer than the entries' own.
    used: HashMap<Digest, u32>,
    /// Up to where each segment was read.
    read_to: Coverage,
    /// Bytes of the journal that are not in the index.
    outside: u64,
    damaged_index: Option<FileId>,
    /// The journal's folder as of a moment from which on no segment can grow but this process's own: while it is the
    /// same, nobody has added anything.
    quiet: Option<FileTime>,
    /// What was found damaged, in words.
    pub(crate) damages: Vec<String>,
}

impl State {
    /// Reads the index and what the segments hold beyond it.
    pub(crate) fn load(root: &Path) -> Result<Self, StoreError> {
        let path = index_path(root);
        loop {
            let mut state = Self::default();
            match Index::read(&path)? {
                Found::Nothing => {}
                Found::Whole(index) => {
                    state.read_to.clone_from(&index.coverage);
                    state.index = Some(index);
                }
                Found::Damaged(bytes, id) => {
                    let lost = state.salvage(&bytes);
                    state.damages.push(format!(
                        "the index `{}` was damaged: {} entries were read from it, {lost} bytes are lost",
                        path.display(),
                        state.fresh_count
                    ));
                    state.damaged_index = Some(id);
                }
            }
            let all_read = state.read_segments(root, None)?;
            if all_read && state.is_current(root) {
                return Ok(state);
            }
        }
    }

    fn salvage(&mut self, bytes: &Arc<Vec<u8>>) -> usize {
        let mut frames = Vec::new();
        let scanned = frame::scan(bytes, index::BEGIN, |frame| frames.push(frame));
        for frame in frames {
            self.add(bytes, frame);
        }
        scanned.damaged
    }

    /// Reads what the segments hold beyond what was read before. `own` is the segment that this process writes. `false`:
    /// one vanished while it was being read.
    fn read_segments(&mut self, root: &Path, own: Option<&str>) -> Result<bool, StoreError> {
        let folder = journal_path(root);
        let before = FileTime::now();
        let changed = FileTime::of_folder(&folder);
        let names = journal::segments(&folder)?;
        let mut all_closed = true;
        self.read_to.retain(|name, _| names.binary_search(name).is_ok());
        for name in names {
            if own == Some(&name) {
                continue;
            }
            let from = self.read_to.get(&name).copied().unwrap_or(0);
            let path = folder.join(&name);
            let Some(tail) = journal::tail(&path, from)? else { return Ok(false) };
            for frame in tail.frames {
                self.add(&tail.bytes, frame);
            }
            if tail.damaged > 0 {
                self.damages.push(format!(
                    "{} bytes of the journal `{}` were damaged; what they recorded is done again",
                    tail.damaged,
                    path.display()
                ));
            }
            all_closed &= tail.closed;
            self.outside += tail.end - from;
            self.read_to.insert(name, tail.end);
        }
        self.quiet = changed.filter(|changed| all_closed && *changed < before);
        Ok(true)
    }

    /// Reads what others added since. `own` is the segment that this process writes, with its length. `false`: the index
    /// is another one now, all must be loaded anew.
    pub(crate) fn refresh(&mut self, root: &Path, own: Option<(String, u64)>) -> Result<bool, StoreError> {
        if !self.is_current(root) {
            return Ok(false);
        }
        if self.quiet.is_some() && self.quiet == FileTime::of_folder(&journal_path(root)) {
            return Ok(true);
        }
        let name = own.as_ref().map(|(name, _)| name.clone());
        self.read_to.extend(own);
        // Where the index was replaced meanwhile, segments may have been removed before they were read.
        Ok(self.read_segments(root, name.as_deref())? && self.is_current(root))
    }

    /// Whether the index is still the one that was read.
    fn is_current(&self, root: &Path) -> bool {
        let path = index_path(root);
        match (&self.index, &self.damaged_index) {
            (Some(Index { id, .. }), _) | (None, Some(id)) => id.is_at(&path),
            (None, None) => !path.exists(),
        }
    }

    fn add(&mut self, bytes: &Arc<Vec<u8>>, frame: FrameAt) {
        let payload = &bytes[frame.payload.clone()];
        match frame.kind {
            Some(Kind::Entry) => {
                if let Some(entry) = Packed::new(bytes, frame.payload, frame.day) {
                    self.add_entry(entry);
                }
            }
            Some(Kind::FileDigest) => {
                if let Some((path, known)) = file_digest::unpack(payload) {
                    self.files.insert(PathBuf::from(path), known);
                }
            }
            Some(Kind::Used) => {
                for key in payload.as_chunks().0 {
                    let day = self.used.entry(Digest(*key)).or_default();
                    *day = frame.day.max(*day);
                }
            }
            Some(Kind::Coverage) => self.read_to = postcard::from_bytes(payload).unwrap_or_default(),
            Some(Kind::Words) | None => {}
        }
    }

    pub(crate) fn add_entry(&mut self, entry: Packed) {
        self.fresh_count += 1;
        let of_key = self.fresh.entry(entry.key()).or_default();
        let id = entry.id();
        of_key.retain(|old| old.entry.id() != id);
        of_key.push(Fresh { order: self.fresh_count, entry });
    }

    /// Whether anything is recorded under a key.
    pub(crate) fn has_key(&self, key: &Digest) -> bool {
        self.fresh.contains_key(key) || !self.of_key(key, &mut |_| ()).is_empty()
    }

    /// Notes that a segment of this process ended at this length: nothing in it is news.
    pub(crate) fn ended(&mut self, segment: String, length: u64) {
        self.read_to.insert(segment, length);
    }

    /// Notes that this process appended so many bytes to its segment.
    pub(crate) fn appended(&mut self, bytes: u64) {
        self.outside += bytes;
    }

    /// All entries of a key, oldest first.
    pub(crate) fn of_key(&self, key: &Digest, damaged: &mut dyn FnMut(usize)) -> Vec<Packed> {
        let mut found = Vec::new();
        if let Some(index) = &self.index {
            index.entries(key, &mut found, damaged);
        }
        if let Some(fresh) = self.fresh.get(key) {
            for Fresh { entry, .. } in fresh {
                found.retain(|old| old.id() != entry.id());
                found.push(entry.clone());
            }
        }
        if let Some(day) = self.used.get(key) {
            for entry in &mut found {
                entry.day = entry.day.max(*day);
            }
        }
        found
    }

    /// All entries, oldest first.
    pub(crate) fn all_entries(&self, damaged: &mut dyn FnMut(usize)) -> Vec<Packed> {
        let mut all = self.index.as_ref().map(|index| index.all_entries(damaged)).unwrap_or_default();
        let replaced = |old: &Packed| {
            self.fresh.get(&old.key()).is_some_and(|fresh| fresh.iter().any(|new| new.entry.id() == old.id()))
        };
        all.retain(|old| !replaced(old));
        let mut fresh: Vec<&Fresh> = self.fresh.values().flatten().collect();
        fresh.sort_unstable_by_key(|fresh| fresh.order);
        all.extend(fresh.into_iter().map(|fresh| fresh.entry.clone()));
        if !self.used.is_empty() {
            for entry in &mut all {
                entry.day = entry.day.max(self.used.get(&entry.key()).copied().unwrap_or(0));
            }
        }
        all
    }

    pub(crate) fn file_digest(&self, path: &Path) -> Option<Known> {
        if let Some(known) = self.files.get(path) {
            return Some(*known);
        }
        self.index.as_ref()?.file_digest(path.to_str()?)
    }

    /// All file digests, by path.
    pub(crate) fn all_files(&self) -> BTreeMap<&str, Known> {
        let mut all: BTreeMap<&str, Known> = self.index.iter().flat_map(Index::all_files).collect();
        all.extend(self.files.iter().filter_map(|(path, known)| Some((path.to_str()?, *known))));
        all
    }

    pub(crate) fn index_size(&self) -> u64 {
        self.index.as_ref().map_or(0, |index| index.size() as u64)
    }

    pub(crate) fn journal_size(&self) -> u64 {
        self.outside
    }

    pub(crate) fn coverage(&self) -> &Coverage {
        &self.read_to
    }

    /// Whether the journal is so big that merging it pays.
    pub(crate) fn wants_compaction(&self) -> bool {
        self.damaged_index.is_some()
            || self.read_to.len() > MANY_SEGMENTS
            || (self.outside > SMALL_JOURNAL && self.outside > self.index_size() / 4)
    }

    /// Writes an index of these entries (oldest first) and files.
    pub(crate) fn write_index(
        root: &Path,
        coverage: &Coverage,
        entries: &[Packed],
        files: &BTreeMap<&str, Known>,
    ) -> Result<u64, StoreError> {
        let size: usize = entries.iter().map(|entry| entry.payload().len() + 48).sum();
        let mut builder = Builder::new(coverage, size + files.len() * 256 + 4096);
        for entry in entries {
            builder.entry(entry);
        }
        for (path, known) in files {
            builder.file(path, known);
        }
        builder.replace(&index_path(root))
    }

    /// How many bytes of the index are damaged, whether they were asked for or not.
    pub(crate) fn damaged_index_bytes(&self) -> usize {
        self.index.as_ref().map_or(0, Index::damaged_bytes)
    }
}
