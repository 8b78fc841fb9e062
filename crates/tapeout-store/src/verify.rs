//! What is in the store, and whether it is what it says.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;

use tapeout_model::{Digest, Output};

use crate::blob::list;
use crate::entry::Packed;
use crate::file_digest::hash_file;
use crate::runs;
use crate::{Store, StoreError, lock};

/// A number of files and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// How many.
    pub count: usize,
    /// Their size together.
    pub bytes: u64,
}

impl Amount {
    fn add(&mut self, bytes: u64) {
        self.count += 1;
        self.bytes += bytes;
    }
}

/// What is in a store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoreStat {
    /// Results.
    pub entries: usize,
    /// All blobs.
    pub blobs: Amount,
    /// Blobs that are outputs of a result.
    pub outputs: Amount,
    /// Blobs that are only logs.
    pub logs: Amount,
    /// Blobs that are only kept to repeat a command: scripts and the like.
    pub inputs: Amount,
    /// Blobs that no result refers to.
    pub unreferenced: Amount,
    /// Size of the index in bytes.
    pub index_bytes: u64,
    /// Size in bytes of the journal that is not yet in the index.
    pub journal_bytes: u64,
    /// Digests of the user's files.
    pub file_digests: usize,
    /// Runs.
    pub runs: usize,
    /// The day of the longest unused result, in seconds since the Unix epoch.
    pub oldest_use: Option<u64>,
}

/// What a check of the whole store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Results that are whole.
    pub entries: usize,
    /// Blobs that are what their names say.
    pub blobs: Amount,
    /// What is wrong, in words, one line each.
    pub problems: Vec<String>,
}

impl Store {
    /// Counts what is in the store.
    #[must_use]
    pub fn stat(&self) -> StoreStat {
        let sizes = self.blob_sizes();
        let entries = self.state().all_entries(&mut |_| ());
        let mut stat = StoreStat { entries: entries.len(), runs: self.runs().len(), ..StoreStat::default() };
        stat.oldest_use = entries.iter().map(|entry| u64::from(entry.day) * crate::DAY).min();
        let entries: Vec<_> = entries.into_iter().map(Packed::unpack).collect();
        let mut kinds: HashMap<Digest, u8> = HashMap::new();
        let mut note = |output: &Output, kind: u8| {
            let known = kinds.entry(output.digest).or_insert(kind);
            *known = kind.min(*known);
        };
        for entry in &entries {
            entry.record().outputs.iter().for_each(|output| note(output, 0));
            entry.attempt().log.iter().for_each(|output| note(output, 1));
            entry.attempt().inputs.iter().for_each(|output| note(output, 2));
        }
        for (digest, size) in &sizes {
            stat.blobs.add(*size);
            match kinds.get(digest) {
                Some(0) => stat.outputs.add(*size),
                Some(1) => stat.logs.add(*size),
                Some(_) => stat.inputs.add(*size),
                None => stat.unreferenced.add(*size),
            }
        }
        let state = self.state();
        stat.index_bytes = state.index_size();
        stat.journal_bytes = state.journal_size();
        stat.file_digests = state.all_files().len();
        stat
    }

    /// Reads everything: hashes every blob, decodes every record, looks up what the runs show. Damaged blobs and damaged
    /// records of runs are removed; results whose blobs are gone are told.
    ///
    /// # Errors
    /// When something cannot be read or a damaged file cannot be removed.
    pub fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport { problems: self.damages(), ..VerifyReport::default() };
        let mut whole = HashSet::new();
        for digest in (0..=u8::MAX).flat_map(|prefix| list(&self.root, prefix)) {
            let path = self.blob_path(&digest);
            let size = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let found = match hash_file(&path) {
                Ok(found) => found,
                // Another process found it damaged meanwhile, and removed it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(StoreError::io("read", &path)(error)),
            };
            if found == digest {
                whole.insert(digest);
                report.blobs.add(size);
                continue;
            }
            match self.damaged_blob(&digest, path) {
                error @ StoreError::Damaged { .. } => report.problems.push(error.to_string()),
                error => return Err(error),
            }
        }

        let damaged = self.state().damaged_index_bytes();
        if damaged > 0 {
            report.problems.push(format!("{damaged} bytes of the index are damaged; what they recorded is done again"));
        }
        let mut ids = HashSet::new();
        for packed in self.state().all_entries(&mut |_| ()) {
            let (key, id) = (packed.key(), packed.id());
            if !packed.decodes() {
                report.problems.push(format!("the result {} of the job {} cannot be decoded", id.short(), key.short()));
                continue;
            }
            ids.insert((key, id));
            let entry = packed.unpack();
            let missing = entry.files().filter(|file| !whole.contains(&file.digest));
            let missing: Vec<&str> = missing.map(|file| file.path.as_str()).collect();
            if missing.is_empty() {
                report.entries += 1;
            } else {
                let files = missing.join("`, `");
                report.problems.push(format!("a result of the job {} has lost `{files}`", key.short()));
            }
        }

        let runs = runs::read_all(&self.root);
        for path in runs.damaged {
            report.problems.push(format!("the record `{}` of what a run shows was damaged", path.display()));
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        }
        for (name, run) in runs.found {
            for job in
                run.jobs.iter().filter(|job| job.shown.is_some_and(|shown| !ids.contains(&(shown.key, shown.id))))
            {
                report.problems.push(format!("the run `{name}` shows a result of `{}` that is not recorded", job.name));
            }
        }
        // Nothing that is told now is to be told again.
        lock(&self.damages).clear();
        Ok(report)
    }
}
