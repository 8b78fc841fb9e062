//! What becomes of targets, as data.

use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tapeout_engine::Failure;
use tapeout_model::{Class, Data};
use tapeout_store::Entry;

use super::TargetId;
use crate::tree::Edited;
use crate::{Reason, Stands, StepStatus};

/// A target after a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Built {
    /// Which one.
    pub id: TargetId,
    /// Whether it was asked for by name.
    pub asked: bool,
    /// How it ended.
    pub status: StepStatus,
    /// Its result.
    pub entry: Option<Arc<Entry>>,
}

impl Built {
    /// What it gives.
    #[must_use]
    pub fn data(&self) -> &[(String, Data)] {
        self.entry.as_ref().map_or(&[], |entry| &entry.record().data)
    }

    /// How long its tools took, in milliseconds, now or when the result was made.
    #[must_use]
    pub fn wall_ms(&self) -> u64 {
        self.entry.as_ref().map_or(0, |entry| entry.attempt().wall_ms)
    }
}

/// How a run of targets ended.
#[derive(Clone, Debug, Default)]
pub struct TargetsEnded {
    /// The targets that were to be built, each after what it requires.
    pub targets: Vec<Built>,
    /// Those that have no result, and why.
    pub failures: Vec<(String, Failure)>,
    /// What people had edited in the build directory and is shown as recorded again.
    pub edited: Vec<Edited>,
    /// Whose turn it is to act, if not all is well.
    pub class: Option<Class>,
    /// The build directory.
    pub dir: PathBuf,
}

/// How a target stands before a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetState {
    /// `fresh`, `stale`, `missing`, `failed`, `interrupted`, `running` or `edited`.
    pub status: Stands,
    /// Whether a run would build it.
    pub would_run: bool,
    /// Why it stands like that: what changed, the first thing first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// More on it, in one line.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A target in a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetStatus {
    /// `block.task`.
    pub target: String,
    /// Whether tables leave it out unless asked.
    pub hidden: bool,
    /// The first paragraph of its documentation.
    pub help: String,
    /// How it stands.
    #[serde(flatten)]
    pub state: TargetState,
    /// When the shown result was made, in seconds since the Unix epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished: Option<u64>,
    /// How long that took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wall_ms: Option<u64>,
}
