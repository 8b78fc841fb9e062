//! Recalling: is a recorded result still good? It is when everything that was read gives the same, and its files are in
//! the store.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tapeout_model::{Digest, Part, Read};
use tapeout_store::{Entry, KeyHasher};

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
            result_of(index as usize)?.part_digest(part)
        };
        let part = |index: u32, part: &Part| result_of(index as usize)?.part_digest(part);
        let setting = |name: &str, text: Option<&str>| job.body.setting(name).as_deref() == text;
        self.good_entry(key, &Given { input: &input, part: &part, setting: &setting })
    }

    /// The newest good result under a key of a job that was given this.
    pub(crate) fn good_entry(&self, key: &Digest, given: &Given<'_>) -> Option<Arc<Entry>> {
        self.store().newest(key, |entry| self.is_good(entry, given))
    }

    /// Whether every read of a recorded result gives the same now, and its files are in the store.
    fn is_good(&self, entry: &Entry, given: &Given<'_>) -> bool {
        entry.reads().all(|read| self.is_same(&read, given)) && self.store().has_all(entry)
    }

    /// Whether something is still what it was when it was read.
    pub(crate) fn is_same(&self, read: &Read, given: &Given<'_>) -> bool {
        match read {
            Read::Setting { name, text } => (given.setting)(name, text.as_deref()),
            Read::Input { index, digest } => (given.input)(*index) == *digest,
            Read::Part { index, part, digest } => (given.part)(*index, part) == *digest,
            Read::File { path, digest } => {
                self.store().file_digest(&self.project().join(path)).is_ok_and(|found| found == *digest)
            }
            Read::Tool { name, digest } => self.tool(name).and_then(|tool| self.identity(&tool)).ok() == *digest,
            // The depth is that of jobs which wait for jobs, each of which had a thread when this was recorded.
            Read::Job { key, inputs, settings, result } => {
                let input = |index: u32| inputs.get(index as usize).copied().flatten();
                // What it was given follows from what the job that asked for it read. Of a setting that it did not read
                // nothing is known.
                let setting = |name: &str, text: Option<&str>| {
                    settings.iter().any(|(known, was)| known == name && was.as_deref() == text)
                };
                let given = Given { input: &input, setting: &setting, ..Given::NOTHING };
                let found = || self.good_entry(key, &given).map(|entry| result_digest(&entry));
                result.is_some() && self.asked().result((*key, inputs.clone(), settings.clone()), found) == *result
            }
        }
    }
}

/// What a job was given.
pub(crate) struct Given<'a> {
    /// The part of another result that is its input of this index.
    input: &'a dyn Fn(u32) -> Option<Digest>,
    /// A part of the result that is its input of this index.
    part: &'a dyn Fn(u32, &Part) -> Option<Digest>,
    /// Whether it has a setting of this name and text; without a text, whether it is known to have none of this name.
    setting: &'a dyn Fn(&str, Option<&str>) -> bool,
}

impl Given<'_> {
    /// For what is no job, or for a read that has nothing to do with it.
    pub(crate) const NOTHING: Self = Self { input: &|_| None, part: &|_, _| None, setting: &|_, _| false };
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

/// The good results of jobs that others asked for, by what they were given, as far as they were looked for: many jobs may
/// have asked for the same one. What is known holds until something new is recorded.
#[derive(Default)]
pub(crate) struct Asked(Mutex<HashMap<AskedJob, Option<Digest>>>);

/// Its key, its inputs, its settings.
type AskedJob = (Digest, Vec<Option<Digest>>, Vec<(String, Option<String>)>);

impl Asked {
    fn result(&self, job: AskedJob, look: impl FnOnce() -> Option<Digest>) -> Option<Digest> {
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
