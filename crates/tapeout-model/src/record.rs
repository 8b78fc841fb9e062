//! What a job read, what came out of it, and how that went.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Alert, Data, Digest, Metrics, Part, View};

/// One file that came out of a job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Output {
    /// Its path in the job's directory.
    pub path: String,
    /// Its content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it may be executed.
    pub executable: bool,
}

/// What came out of a job. Deterministic: two runs of one key must give equal records.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// All files, sorted by path.
    pub outputs: Vec<Output>,
    /// Views by format id; the strings are paths of `outputs`.
    pub views: BTreeMap<String, View<String>>,
    /// Measurements.
    pub metrics: Metrics,
    /// What else a task gives, in the order in which it does.
    pub data: Vec<(String, Data)>,
    /// The exit status of each command, where commands ran.
    pub statuses: Vec<i32>,
    /// Complaints of the tools, one per code.
    pub alerts: Vec<Alert>,
    /// Whether the design passed the checks that the job made.
    pub verdict: Verdict,
}

impl Record {
    /// The file with this path.
    #[must_use]
    pub fn output(&self, path: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.path == path)
    }

    /// The file at this path, or all files in the directory at it.
    pub fn outputs_at(&self, path: &str) -> impl Iterator<Item = &Output> {
        let is_below = move |output: &&Output| {
            output.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.outputs.iter().filter(is_below)
    }

    /// The datum of this name.
    #[must_use]
    pub fn datum(&self, name: &str) -> Option<&Data> {
        self.data.iter().find(|(known, _)| known == name).map(|(_, datum)| datum)
    }
}

/// The judgement of a job that ran to its end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
    /// Every check was passed, or none was made.
    #[default]
    Passed,
    /// A check could not be made here; nothing is known. Never shown as passed.
    NotChecked {
        /// Why not, in one line.
        reason: String,
    },
    /// A check failed: a test, timing, a rule. The views exist.
    Failed {
        /// What failed, in one line.
        reason: String,
        /// What the user can try.
        hint: Option<String>,
    },
    /// A tool failed where that had been reckoned with: that it fails is the result, and there are no views.
    Broke {
        /// What happened, in one line.
        reason: String,
        /// What the user can try.
        hint: Option<String>,
    },
}

impl Verdict {
    /// Whether nothing can be built on the result: a check failed, or a tool.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        matches!(self, Self::Failed { .. } | Self::Broke { .. })
    }
}

/// How one execution went. Volatile: no key depends on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// Seconds since the Unix epoch at which it began.
    pub started: u64,
    /// Wall time in milliseconds.
    pub wall_ms: u64,
    /// Processor time of all its processes in milliseconds.
    pub cpu_ms: u64,
    /// Peak memory of its process tree in KiB.
    pub peak_kib: u64,
    /// How that was found out.
    pub peak_by: PeakBy,
    /// Where it ran.
    pub host: String,
    /// The log, kept as a blob.
    pub log: Option<Output>,
    /// The command lines, as they can be pasted into a shell in the job's directory.
    pub commands: String,
    /// The files that the command lines expect beside the outputs: scripts, and results of other jobs.
    pub inputs: Vec<Output>,
}

/// How the peak memory of a process tree was found out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeakBy {
    /// Its control group counted it.
    Cgroup,
    /// The resident memory of its processes was added up from time to time.
    Sampled,
    /// It ended before the first sample: that of its largest process.
    #[default]
    LargestProcess,
}

impl Attempt {
    /// This attempt followed by another: times add up, the peak is the higher one.
    pub fn then(&mut self, next: &Self) {
        if self.started == 0 {
            self.started = next.started;
            self.host.clone_from(&next.host);
        }
        self.wall_ms = self.wall_ms.saturating_add(next.wall_ms);
        self.cpu_ms = self.cpu_ms.saturating_add(next.cpu_ms);
        if next.peak_kib > self.peak_kib {
            (self.peak_kib, self.peak_by) = (next.peak_kib, next.peak_by);
        }
        self.commands.push_str(&next.commands);
        for input in &next.inputs {
            if !self.inputs.contains(input) {
                self.inputs.push(input.clone());
            }
        }
    }
}

/// One thing that a job read, and what it was. A recorded result is good again when every read gives the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Read {
    /// A file of the user's, by path relative to the project or absolute. `None`: it was looked for and was absent.
    File {
        /// Where.
        path: String,
        /// Its content.
        digest: Option<Digest>,
    },
    /// A part of another job's result.
    Input {
        /// Which of the job's inputs, in the order in which it declares them.
        index: u32,
        /// Its content; `None`: the job has no such part.
        digest: Option<Digest>,
    },
    /// A part of another job's result, where the job declares any part of that as its input.
    Part {
        /// Which of the job's inputs.
        index: u32,
        /// Which part.
        part: Part,
        /// Its content; `None`: the job has no such part.
        digest: Option<Digest>,
    },
    /// A tool, with all that belongs to it.
    Tool {
        /// The name by which the job asked for it.
        name: String,
        /// What it was; `None`: it was not there.
        digest: Option<Digest>,
    },
    /// A job that this one asked for while it ran.
    Job {
        /// Its key.
        key: Digest,
        /// The parts of other results that it read, in the order in which it declares them.
        inputs: Vec<Option<Digest>>,
        /// Its own settings, as far as it read them, in this order.
        settings: Vec<(String, Option<String>)>,
        /// What came out of it; `None`: it failed.
        result: Option<Digest>,
    },
    /// A setting of the job's own, such as the value of a variable.
    Setting {
        /// Its name.
        name: String,
        /// Its value as text; a secret's is a digest. `None`: there was no such setting.
        text: Option<String>,
    },
}
