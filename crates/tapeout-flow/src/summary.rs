//! What a run came to: `run.json` in the run's directory, for people's scripts and for our own commands.

use serde::{Deserialize, Serialize};
use tapeout_model::{Alert, Attempt, Class, Metrics, PeakBy};

/// How a step of a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepStatus {
    /// It ran and all is well.
    Done,
    /// Its recorded result was still good.
    Reused,
    /// It is held at a result, whatever has changed.
    Pinned,
    /// It stands before the range that was to run, and is as it was.
    Held,
    /// It ended, and the design does not pass its check.
    CheckFailed,
    /// It ended, and its check could not be made.
    NotChecked,
    /// It has no result.
    Failed,
    /// It was stopped.
    Interrupted,
    /// It was not reached.
    NotReached,
    /// The plan leaves it out.
    LeftOut,
}

/// One step of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepSummary {
    /// Its id in the flow.
    pub id: String,
    /// The directory of its views, relative to the run's.
    pub dir: String,
    /// How it stands.
    pub status: StepStatus,
    /// Whether its result was found recorded instead of made.
    pub reused: bool,
    /// Whether all that its tools would have made was taken from the shared cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// Why it failed, was not checked or was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What to try then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The path of its log, relative to the run's directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
    /// How its execution went, now or when it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<StepAttempt>,
    /// What it complained of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Why it ran when it last did, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<String>,
}

/// The times and the memory of an execution.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepAttempt {
    /// Seconds since the Unix epoch.
    pub started: u64,
    /// Milliseconds of wall time during which its tools ran.
    pub wall_ms: u64,
    /// Milliseconds of processor time of its tools.
    pub cpu_ms: u64,
    /// Peak memory of its process tree in KiB.
    pub peak_kib: u64,
    /// How that was found out.
    #[serde(default)]
    pub peak_by: PeakBy,
}

impl From<&Attempt> for StepAttempt {
    fn from(attempt: &Attempt) -> Self {
        let Attempt { started, wall_ms, cpu_ms, peak_kib, peak_by, .. } = *attempt;
        Self { started, wall_ms, cpu_ms, peak_kib, peak_by }
    }
}

/// A run as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The version of tapeout.
    pub tapeout: String,
    /// The flow's name.
    pub flow: String,
    /// The design's name.
    pub design: String,
    /// The run's tag.
    pub tag: String,
    /// What stands for the whole run if it failed; absent when all is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<Class>,
    /// Its steps in order.
    pub steps: Vec<StepSummary>,
    /// The metrics of the last state.
    pub metrics: Metrics,
}
