//! Recalling: is a recorded result still good? It is when everything that was read gives the same, and its files are in
//! the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tapeout_model::{Digest, Read};
use tapeout_store::{Entry, KeyHasher};

use crate::cx::part_digest;
use crate::{Engine, Job};

impl Engine {
    /// The newest result under a job's key that is good. `result_of` gives the results of the jobs that it has inputs
    /// from, by their place among its inputs.
    pub(crate) fn recall<'e>(
        &self,
        job: &Job,
        key: &Digest,
        result_of: impl Fn(usize) -> Option<&'e Entry>,
    ) -> Option<Arc<Entry>> {
        let input = |index: u32| {
            let (part, _) = job.inputs.get(index as usize)?;
            part_digest(result_of(index as usize)?, part)
        };
        self.good_entry(key, &input)
    }

    /// The newest good result under a key, where `input` gives the parts of other results that it reads.
    pub(crate) fn good_entry(&self, key: &Digest, input: &dyn Fn(u32) -> Option<Digest>) -> Option<Arc<Entry>> {
        self.store().newest(key, |entry| self.is_good(entry, input))
    }

    /// Whether every read of a recorded result gives the same now, and its files are in the store.
    fn is_good(&self, entry: &Entry, input: &dyn Fn(u32) -> Option<Digest>) -> bool {
        entry.reads().all(|read| self.is_same(&read, input)) && self.store().has_all(entry)
    }

    /// Whether something is still what it was when it was read.
    pub(crate) fn is_same(&self, read: &Read, input: &dyn Fn(u32) -> Option<Digest>) -> bool {
        match read {
            Read::Input { index, digest } => input(*index) == *digest,
            Read::File { path, digest } => {
                self.store().file_digest(&self.project().join(path)).is_ok_and(|found| found == *digest)
            }
            Read::Tool { name, digest } => self.tool(name).and_then(|tool| self.identity(&tool)).ok() == *digest,
            // The depth is that of jobs which wait for jobs, each of which had a thread when this was recorded.
            Read::Job { key, inputs, result } => {
                let input = |index: u32| inputs.get(index as usize).copied().flatten();
                let found = || self.good_entry(key, &input).map(|entry| result_digest(&entry));
                result.is_some() && self.asked().result(key, inputs, found) == *result
            }
        }
    }
}

/// What came out of a job, as one digest.
pub(crate) fn result_digest(entry: &Entry) -> Digest {
    let mut key = KeyHasher::new("result 1");
    let record = entry.record();
    for output in &record.outputs {
        key.text(&output.path).digest(Some(&output.digest)).number(u64::from(output.executable));
    }
    // Everything else is small, and its text says all of it.
    key.text(&format!("{:?}", (&record.views, &record.metrics, &record.statuses, &record.alerts, &record.verdict)));
    key.finish()
}

/// The good results of jobs that others asked for, by key and inputs, as far as they were looked for: many jobs may have
/// asked for the same one. What is known holds until something new is recorded.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<AskedJob, Option<Digest>>>);

type AskedJob = (Digest, Vec<Option<Digest>>);

impl Asked {
    fn result(&self, key: &Digest, inputs: &[Option<Digest>], look: impl FnOnce() -> Option<Digest>) -> Option<Digest> {
        let job = (*key, inputs.to_vec());
        let known = self.known().get(&job).copied();
        known.unwrap_or_else(|| {
            let result = look();
            self.known().insert(job, result);
            result
        })
    }

    pub(crate) fn forget(&self) {
        self.known().clear();
    }

    fn known(&self) -> MutexGuard<'_, HashMap<AskedJob, Option<Digest>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
