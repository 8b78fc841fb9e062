//! How the steps of a plan stand before a run: what is good, what would run, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use tapeout_engine::{Event, Graph, How, JobId, Mode, Outcome};
use tapeout_model::Verdict;
use tapeout_store::{Entry, JobRef};

use crate::recorder::{open_steps, recorded_events};
use crate::run::whole;
use crate::tree::{RunTree, edited_files};
use crate::{Again, Reason, Run, StepAttempt};

/// How a step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// Its recorded result is good.
    Fresh,
    /// It has a result that is not good any more.
    Stale,
    /// It has no result.
    Missing,
    /// Its last attempt failed.
    Failed,
    /// Its last attempt was stopped, or killed.
    Interrupted,
    /// Another process is running it.
    Running,
    /// It is held at a result, whatever has changed.
    Pinned,
    /// It stands before the range that is to run, and stays at its result.
    Held,
    /// The files that show its result were edited.
    Edited,
    /// The plan leaves it out.
    LeftOut,
}

/// A step before a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// The step's id in the flow.
    pub step: String,
    /// How it stands.
    pub status: Stands,
    /// Whether a run would run it.
    pub would_run: bool,
    /// Why it stands like that: what changed, the first thing first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// More on it, in one line: what failed, why it is pinned, what was edited, why it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The check that its result does not pass, or that could not be made: `check_failed`, `not_checked`, `failed`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<&'static str>,
    /// How long its tools took last time, in milliseconds, if it ran tools.
    pub last_wall_ms: Option<u64>,
}

impl Run<'_> {
    /// How each step of the plan stands, without running anything. `again` is as for [`Run::execute`].
    #[must_use]
    pub fn look(&self, again: impl Fn(&str) -> Again) -> Vec<Standing> {
        let (graph, _) = self.graph();
        let outcomes =
            self.engine.run(&graph, Mode::Look, |job| self.wish(&job.name, again(whole(&job.name))), &|event| {
                if let Event::Asked { job, name, by } = event {
                    self.cast.bind(*job, name, *by);
                }
            });
        let events = recorded_events(&self.dir);
        let open = open_steps(&events);
        let in_use = RunTree::is_in_use(&self.dir);
        let edited = edited_files(self.engine.store(), &self.dir);
        let last = self.last_times();
        let mut standings: Vec<Standing> = (self.cast.steps().iter())
            .map(|step| Standing {
                step: step.id.clone(),
                status: Stands::LeftOut,
                would_run: false,
                reasons: Vec::new(),
                note: step.left_out.clone(),
                verdict: None,
                last_wall_ms: last.get(step.id.as_str()).filter(|time| time.peak_kib > 0).map(|time| time.wall_ms),
            })
            .collect();
        let results: BTreeMap<usize, Arc<Entry>> = (self.outcomes_of_steps(&outcomes))
            .filter_map(|(step, _, outcome)| match outcome {
                Outcome::Done { entry, .. } => Some((step, Arc::clone(entry))),
                Outcome::Failed(_) | Outcome::Skipped | Outcome::WouldRun => None,
            })
            .collect();
        for (job, outcome) in Graph::ids_of(outcomes.len()).zip(&outcomes) {
            let Some(step) = self.cast.step_of(job) else { continue };
            let standing = &mut standings[step];
            let planned = self.cast.step(step);
            let recorded = self.recorded(&planned.id);
            let is_behind_failure = matches!(outcome, Outcome::Skipped);
            standing.would_run = !matches!(outcome, Outcome::Done { .. } | Outcome::Skipped);
            if standing.would_run {
                standing.reasons = self.reasons(&graph, job, step, again(&planned.id), &results);
            }
            (standing.status, standing.note) = match outcome {
                _ if in_use && open.contains_key(planned.id.as_str()) => (Stands::Running, None),
                Outcome::Done { how: How::Pinned, .. } => match recorded.and_then(|job| job.pin.as_ref()) {
                    Some(pin) => (Stands::Pinned, Some(pin.reason.clone())),
                    None => (Stands::Held, None),
                },
                Outcome::Done { .. } => match edited.get(&planned.dir) {
                    Some(files) => (Stands::Edited, Some(files.join(", "))),
                    None => (Stands::Fresh, None),
                },
                _ => self.unfinished(recorded, open.contains_key(planned.id.as_str()) && !in_use),
            };
            if is_behind_failure {
                standing.note.get_or_insert_with(|| "would not be reached: a step before it failed".to_owned());
            }
            if let Outcome::Done { entry, .. } = outcome {
                (standing.verdict, standing.note) = match &entry.record().verdict {
                    Verdict::Passed => (None, standing.note.take()),
                    Verdict::NotChecked { reason } => {
                        (Some("not_checked"), standing.note.take().or(Some(reason.clone())))
                    }
                    Verdict::Failed { reason, .. } => {
                        (Some("check_failed"), standing.note.take().or(Some(reason.clone())))
                    }
                    Verdict::Broke { reason, .. } => (Some("failed"), standing.note.take().or(Some(reason.clone()))),
                };
            }
        }
        standings
    }

    /// How a step stands that has no good result.
    fn unfinished(&self, recorded: Option<&JobRef>, was_killed: bool) -> (Stands, Option<String>) {
        let failed = recorded.and_then(|job| job.failed.as_ref());
        match failed {
            _ if was_killed => (Stands::Interrupted, Some("tapeout was killed while it ran".to_owned())),
            Some(failed) if failed.interrupted => (Stands::Interrupted, Some(failed.message.clone())),
            Some(failed) => (Stands::Failed, Some(failed.message.clone())),
            None if recorded.is_some_and(|job| job.shown.is_some()) => (Stands::Stale, None),
            None => (Stands::Missing, None),
        }
    }

    /// Why a step runs: what changed since the result that this run shows. `results` are those of the steps that need not
    /// run, or have run.
    pub(crate) fn reasons(
        &self,
        graph: &Graph,
        job: JobId,
        step: usize,
        again: Again,
        results: &BTreeMap<usize, Arc<Entry>>,
    ) -> Vec<Reason> {
        let planned = &*self.cast.step(step);
        if again == Again::Fresh {
            return vec![Reason::fresh(planned)];
        }
        if planned.info.acts_outside {
            return vec![Reason::always(planned)];
        }
        let Some(shown) = self.recorded(&planned.id).and_then(|job| job.shown) else {
            return vec![Reason::first(planned)];
        };
        let entry = self.engine.store().entry(&shown.key, &shown.id);
        let result_of = |from: JobId| results.get(&self.cast.step_of(from)?).cloned();
        let asked = self.cast.job(step);
        let job = asked.as_ref().unwrap_or_else(|| graph.job(job));
        let changes = self.engine.changes(job, &shown.key, entry.as_deref(), result_of);
        let step_of = |job| self.cast.step_of(job).map_or_else(String::new, |step| self.cast.step(step).id.clone());
        let mut reasons: Vec<Reason> = Vec::new();
        for change in changes {
            let reason = Reason::of(change, self.plan, planned, step_of);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        reasons
    }

    /// How long each step took when it last had a result: in the last run, or in the one that made what is shown.
    pub(crate) fn last_times(&self) -> BTreeMap<&str, StepAttempt> {
        let steps = self.last.iter().flat_map(|last| &last.steps);
        let mut times: BTreeMap<&str, StepAttempt> =
            steps.filter_map(|step| Some((step.id.as_str(), step.attempt?))).collect();
        for job in &self.reference.jobs {
            if !times.contains_key(job.name.as_str())
                && let Some(shown) = job.shown
                && let Some(entry) = self.engine.store().entry(&shown.key, &shown.id)
            {
                times.insert(&job.name, StepAttempt::from(entry.attempt()));
            }
        }
        times
    }

    /// Why a step ran when it last did, in words, and when that was in seconds since the Unix epoch.
    #[must_use]
    pub fn last_ran(&self, step: &str) -> Option<(u64, &[String])> {
        let last = self.last_of(step)?;
        (!last.why.is_empty()).then_some((last.attempt?.started, last.why.as_slice()))
    }
}
