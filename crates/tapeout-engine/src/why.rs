//! Why a recorded result is not good any more: what the job is and what it reads, compared with what that was when the
//! result was recorded.

use std::sync::Arc;

use tapeout_model::{Digest, Part, Read};
use tapeout_store::Entry;

use crate::recall::Given;
use crate::tool::{PATH, VERSION};
use crate::{Engine, Job, JobId};

/// Something that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A part of the job's identity; the values are absent where the job had no such part.
    Part {
        /// Its name.
        name: String,
        /// Its value then.
        old: Option<String>,
        /// Its value now.
        new: Option<String>,
    },
    /// What the job was when its result was recorded is not known any more.
    Unknown,
    /// A setting that the body read; the texts are absent where there was no such setting.
    Setting {
        /// Its name.
        name: String,
        /// Its text then.
        old: Option<String>,
        /// Its text now.
        new: Option<String>,
    },
    /// A file of the user's.
    File {
        /// Its path, relative to the project.
        path: String,
        /// Whether it was there.
        was_there: bool,
        /// Whether it is there.
        is_there: bool,
    },
    /// A part of another job's result.
    Input {
        /// Whose.
        from: JobId,
        /// Which part.
        part: Part,
        /// Whether that job would run first, so that nothing is known yet.
        pending: bool,
    },
    /// A tool.
    Tool {
        /// Its name.
        name: String,
        /// What it was: its version, or that and its path.
        old: Option<String>,
        /// What it is.
        new: Option<String>,
    },
    /// A job that this one asked for gives something else, or nothing.
    Asked,
    /// A file of the result is not in the store any more.
    Lost {
        /// Its path in the job's directory.
        path: String,
    },
}

/// What has changed of a part of another job's result.
fn changed_input(
    from: JobId,
    part: &Part,
    digest: Option<&Digest>,
    result_of: impl Fn(JobId) -> Option<Arc<Entry>>,
) -> Option<Change> {
    let Some(result) = result_of(from) else { return Some(Change::Input { from, part: part.clone(), pending: true }) };
    let is_same = result.part_digest(part).as_ref() == digest;
    (!is_same).then(|| Change::Input { from, part: part.clone(), pending: false })
}

impl Engine {
    /// What has changed since a result of a job was recorded under a key: its identity first, then its settings, then
    /// what else it read, in that order. `entry` is the result, as far as it still is recorded; `result_of` gives the
    /// results of other jobs, where these need not run first.
    pub fn changes(
        &self,
        job: &Job,
        key: &Digest,
        entry: Option<&Entry>,
        result_of: impl Fn(JobId) -> Option<Arc<Entry>>,
    ) -> Vec<Change> {
        let mut changes = if job.key() == *key { Vec::new() } else { self.changed_parts(job, key) };
        let Some(entry) = entry else {
            if changes.is_empty() {
                changes.push(Change::Unknown);
            }
            return changes;
        };
        let (settings, others): (Vec<Read>, Vec<Read>) =
            entry.reads().partition(|read| matches!(read, Read::Setting { .. }));
        for read in settings.iter().chain(&others) {
            let change = match read {
                Read::Setting { name, text } => {
                    let new = job.body.setting(name);
                    (new != *text).then(|| Change::Setting { name: name.clone(), old: text.clone(), new })
                }
                Read::Input { index, digest } => {
                    // Where the identity changed, the places of inputs may have, too; what they are is told by it.
                    let Some((part, from)) = job.inputs.get(*index as usize) else { continue };
                    changed_input(*from, part, digest.as_ref(), &result_of)
                }
                Read::Part { index, part, digest } => {
                    let Some((_, from)) = job.inputs.get(*index as usize) else { continue };
                    changed_input(*from, part, digest.as_ref(), &result_of)
                }
                Read::File { path, digest } => {
                    let now = self.store().file_digest(&self.project().join(path)).ok().flatten();
                    (now != *digest).then(|| Change::File {
                        path: path.clone(),
                        was_there: digest.is_some(),
                        is_there: now.is_some(),
                    })
                }
                Read::Tool { name, digest } => self.changed_tool(name, digest.as_ref()),
                Read::Job { .. } => (!self.is_same(read, &Given::NOTHING)).then_some(Change::Asked),
            };
            if let Some(change) = change
                && !changes.contains(&change)
            {
                changes.push(change);
            }
        }
        if changes.is_empty()
            && let Some(lost) = entry.files().find(|file| !self.store().has(file))
        {
            changes.push(Change::Lost { path: lost.path.clone() });
        }
        changes
    }

    fn changed_parts(&self, job: &Job, key: &Digest) -> Vec<Change> {
        let Some(old) = self.store().description(key) else { return vec![Change::Unknown] };
        let new = job.words();
        let value = |words: &[(String, String)], wanted: &str| {
            // A name may stand several times: all its values are compared at once.
            let values: Vec<&str> =
                words.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.as_str()).collect();
            (!values.is_empty()).then(|| values.join(", "))
        };
        let mut changes = Vec::new();
        for (name, _) in new.iter().chain(&old) {
            let (old, new) = (value(&old, name), value(&new, name));
            let change = Change::Part { name: name.clone(), old, new };
            let differs = matches!(&change, Change::Part { old, new, .. } if old != new);
            if differs && !changes.contains(&change) {
                changes.push(change);
            }
        }
        changes
    }

    fn changed_tool(&self, name: &str, digest: Option<&Digest>) -> Option<Change> {
        let found = self.tool(name).and_then(|tool| Ok((self.identity(&tool)?, tool))).ok();
        let now = found.as_ref().map(|(identity, _)| *identity);
        if now.as_ref() == digest {
            return None;
        }
        let old = digest.and_then(|digest| self.store().description(digest));
        let new = found.map(|(_, tool)| tool.words());
        let word = |words: &Option<Vec<(String, String)>>, wanted: &str| {
            words.iter().flatten().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
        };
        let version = |words| word(words, VERSION);
        let (old_version, new_version) = (version(&old), version(&new));
        if old_version != new_version {
            return Some(Change::Tool { name: name.to_owned(), old: old_version, new: new_version });
        }
        // The same version, elsewhere or otherwise built.
        Some(Change::Tool { name: name.to_owned(), old: word(&old, PATH), new: word(&new, PATH) })
    }
}
