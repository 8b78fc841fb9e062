//! Compaction: the journal is merged into a new index.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use tapeout_model::Digest;

use crate::entry::{Packed, standing};
use crate::state::{State, journal_path};
use crate::{StoreError, journal, runs};

/// The lock of who writes the index; `None` when somebody else does.
pub(crate) fn lock_index(root: &Path) -> Result<Option<File>, StoreError> {
    let path = root.join("index.lock");
    let options = OpenOptions::new().create(true).truncate(false).write(true).clone();
    let file = options.open(&path).map_err(StoreError::io("open", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(StoreError::io("lock", &path)(error)),
    }
}

/// Merges the journal into a new index, if it is worth it and nobody else is at it. `false`: nothing was done.
pub(crate) fn compact(root: &Path) -> Result<bool, StoreError> {
    let Some(_lock) = lock_index(root)? else { return Ok(false) };
    let state = State::load(root)?;
    if !state.wants_compaction() {
        return Ok(false);
    }
    let entries = kept(root, state.all_entries(&mut |_| ()));
    State::write_index(root, state.coverage(), &entries, &state.all_files())?;
    journal::remove_merged(&journal_path(root), state.coverage());
    Ok(true)
}

/// Compacts where that does not matter to the caller: what cannot be merged now is merged by a later process.
pub(crate) fn compact_quietly(root: &Path) -> bool {
    compact(root).unwrap_or(false)
}

/// Of all entries those that answer for their keys, and those that a run shows.
pub(crate) fn kept(root: &Path, entries: Vec<Packed>) -> Vec<Packed> {
    let mut by_key: HashMap<Digest, Vec<usize>> = HashMap::with_capacity(entries.len());
    for (place, entry) in entries.iter().enumerate() {
        by_key.entry(entry.key()).or_default().push(place);
    }
    let mut dropped: HashSet<usize> = HashSet::new();
    for places in by_key.into_values().filter(|places| places.len() > 1) {
        let of_key: Vec<&Packed> = places.iter().map(|place| &entries[*place]).collect();
        let standing = standing(&of_key);
        dropped.extend((0..places.len()).filter(|i| !standing.contains(i)).map(|i| places[i]));
    }
    if dropped.is_empty() {
        return entries;
    }
    let runs = runs::read_all(root);
    if !runs.damaged.is_empty() {
        // Any of them may be shown by the run whose record cannot be read.
        return entries;
    }
    let shown = runs::shown_entries(&runs.found);
    let stays = |(place, entry): &(usize, Packed)| !dropped.contains(place) || shown.contains(&entry.id());
    entries.into_iter().enumerate().filter(stays).map(|(_, entry)| entry).collect()
}

/// Repeats a call that a signal may cut short.
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
