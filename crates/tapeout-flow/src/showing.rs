//! A run while it goes on: each result is shown in the tree as it comes, and each event of the engine becomes one of the
//! run.

use std::collections::BTreeMap;
use std::sync::Arc;

use tapeout_engine::{Cause, Event, Failure, How};
use tapeout_model::{Output, Verdict};
use tapeout_store::Entry;

use crate::event::{RunEvent, StepDone, StepFailed};
use crate::pin::{lost_held, lost_pin};
use crate::tree::RunTree;
use crate::{Comparison, InRange, Run, StepStatus};

/// Where the results of a step's tools were made, in this run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// At least one tool ran.
    Here,
    /// None ran: they were in the shared cache.
    Elsewhere,
}

/// The tree while the run goes on.
pub(crate) struct Showing {
    pub(crate) tree: RunTree,
    pub(crate) entries: BTreeMap<usize, Arc<Entry>>,
    /// Where the results of the tools of a step were made.
    pub(crate) made: BTreeMap<usize, Made>,
    pub(crate) failures: Vec<(Option<String>, Failure)>,
    /// What a custom flow compared.
    pub(crate) comparisons: Vec<Comparison>,
    /// The first failure to write the tree.
    pub(crate) error: Option<Failure>,
    /// Whether a result could not be shown because files of it are lost.
    pub(crate) lost: bool,
    /// How often the plan was run because of that.
    pub(crate) turns: u32,
    /// Why the steps that began did so.
    pub(crate) started: BTreeMap<usize, Vec<String>>,
}

/// How often a run looks for lost results: each time it finds all of those of a step, and then of those after it.
const MAX_TURNS: u32 = 64;

impl Showing {
    pub(crate) fn of(tree: RunTree) -> Self {
        Self {
            tree,
            entries: BTreeMap::new(),
            made: BTreeMap::new(),
            failures: Vec::new(),
            comparisons: Vec::new(),
            error: None,
            lost: false,
            turns: 0,
            started: BTreeMap::new(),
        }
    }

    /// Whether an event only says again what was said in an earlier turn.
    pub(crate) fn knows(&self, step: usize, event: &Event) -> bool {
        let shown = self.entries.get(&step).map(|entry| entry.id());
        matches!(event, Event::Done { entry, how, .. } if *how != How::Ran && shown == Some(entry.id()))
    }

    /// Whether something is to be run again, asked once in a turn.
    pub(crate) fn has_lost(&mut self) -> bool {
        self.turns += 1;
        std::mem::take(&mut self.lost)
    }

    /// Shows what an event brings and gives it as one of the run, with where a failed attempt is kept.
    pub(crate) fn show(&mut self, run: &Run<'_>, step: usize, event: &Event) -> Option<RunEvent> {
        let planned = &*run.cast.step(step);
        Some(match event {
            Event::Shared { .. } => {
                self.made.entry(step).or_insert(Made::Elsewhere);
                return None;
            }
            Event::Running { commands, log, .. } => {
                self.made.insert(step, Made::Here);
                RunEvent::StepRunning { commands: commands.clone(), log: log.clone() }
            }
            Event::Waiting { reason, .. } => RunEvent::StepWaiting { reason: reason.clone() },
            Event::Retried { reason, .. } => RunEvent::StepRetried { reason: reason.clone() },
            Event::Repeated { differences, .. } => RunEvent::StepRepeated { differences: differences.clone() },
            Event::Done { entry, how, .. } => {
                let entries = &self.entries;
                let maker = |file: &Output| {
                    let mut others = entries.iter().rev().filter(|(other, _)| **other != step);
                    others
                        .find(|(_, other)| other.record().outputs.contains(file))
                        .map(|(other, _)| run.cast.step(*other))
                };
                let shown = self.tree.show_step(run.engine.store(), planned, entry, maker);
                match shown {
                    Err(error) if error.cause == Some(Cause::LostInput) && *how == How::Pinned => {
                        let is_held = planned.in_range == InRange::Held;
                        let lost = if is_held { lost_held(&planned.id) } else { lost_pin(&planned.id) };
                        _ = self.error.get_or_insert(lost);
                    }
                    Err(error) if error.cause == Some(Cause::LostInput) && self.turns < MAX_TURNS => {
                        run.engine.store().weed(entry);
                        self.lost = true;
                        return None;
                    }
                    Err(error) => _ = self.error.get_or_insert(error),
                    Ok(()) => {}
                }
                self.entries.insert(step, Arc::clone(entry));
                RunEvent::StepDone(step_done(entry, *how, self.made.get(&step) == Some(&Made::Elsewhere)))
            }
            Event::Failed { failure, .. } => {
                let mut failure = failure.clone();
                if let Some(work_dir) = failure.work_dir.take() {
                    match self.tree.keep_failed(planned, &work_dir) {
                        Ok(kept) => failure.work_dir = Some(kept),
                        Err(_) => failure.work_dir = Some(work_dir),
                    }
                }
                let event = RunEvent::StepFailed(StepFailed::from(&failure));
                self.failures.push((Some(planned.id.clone()), failure));
                event
            }
            Event::Started { .. } | Event::Asked { .. } | Event::Told { .. } => return None,
        })
    }
}

pub(crate) fn step_done(entry: &Entry, how: How, shared: bool) -> StepDone {
    let (reason, hint) = reason_of(entry);
    let attempt = entry.attempt();
    StepDone {
        status: status_of(entry, how, shared),
        reused: how != How::Ran || shared,
        shared,
        reason,
        hint,
        wall_ms: attempt.wall_ms,
        cpu_ms: attempt.cpu_ms,
        peak_kib: attempt.peak_kib,
        metrics: entry.record().metrics.clone(),
        alerts: entry.record().alerts.clone(),
    }
}

pub(crate) fn status_of(entry: &Entry, how: How, shared: bool) -> StepStatus {
    match &entry.record().verdict {
        Verdict::Passed => match how {
            How::Ran if shared => StepStatus::Reused,
            How::Ran => StepStatus::Done,
            How::Reused => StepStatus::Reused,
            How::Pinned => StepStatus::Pinned,
        },
        Verdict::NotChecked { .. } => StepStatus::NotChecked,
        Verdict::Failed { .. } => StepStatus::CheckFailed,
        Verdict::Broke { .. } => StepStatus::Failed,
    }
}

pub(crate) fn reason_of(entry: &Entry) -> (Option<String>, Option<String>) {
    match &entry.record().verdict {
        Verdict::Passed => (None, None),
        Verdict::NotChecked { reason } => (Some(reason.clone()), None),
        Verdict::Failed { reason, hint } | Verdict::Broke { reason, hint } => (Some(reason.clone()), hint.clone()),
    }
}
