//! The end of a run: the states around its steps, its last state, and what it came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tapeout_engine::{Failure, How, Outcome};
use tapeout_model::{Class, Output, State, Verdict};
use tapeout_store::Entry;

use crate::showing::{Made, Showing, reason_of, status_of};
use crate::{Ended, InRange, Run, RunSummary, StepAttempt, StepStatus, StepSummary};

/// What a run came to, in its directory.
pub(crate) const SUMMARY: &str = "run.json";

/// Files with the index of the step that made them.
type Located = State<(usize, Output)>;

impl Run<'_> {
    pub(crate) fn finish(&self, showing: Showing, outcomes: &[Outcome]) -> Result<Ended, Failure> {
        let Showing { mut tree, entries, made, failures, error, started, .. } = showing;
        let shared: BTreeSet<usize> =
            made.into_iter().filter_map(|(step, made)| (made == Made::Elsewhere).then_some(step)).collect();
        if let Some(error) = error {
            return Err(error);
        }
        let states = self.states(&entries);
        let last = states.last().map(|(_, after)| after.clone()).unwrap_or_default();
        let shown_steps: Vec<_> = self.plan.running().filter(|(index, _)| entries.contains_key(index)).collect();
        let dirs: Vec<&str> = shown_steps.iter().map(|(_, step)| step.dir.as_str()).collect();
        if !tree.shows_states(&dirs) {
            let mut shown = Vec::new();
            for ((before, after), (index, step)) in states.iter().zip(self.plan.running()) {
                if entries.contains_key(&index) {
                    let from = |file: &(usize, Output)| format!("../{}/{}", self.plan.steps[file.0].dir, file.1.path);
                    let own = |file: &(usize, Output)| if file.0 == index { file.1.path.clone() } else { from(file) };
                    shown.push((step.dir.clone(), with_paths(before, from), with_paths(after, own)));
                }
            }
            tree.show_states(&shown)?;
        }
        let summary = self.summary(outcomes, &shared, started, &last);
        let whole = entries.len() == self.steps.len() && self.plan.is_whole();
        if whole {
            let views =
                last.views.iter().map(|(format, view)| (format.clone(), view.map(&mut |(_, file)| file.clone())));
            let state = State { views: views.collect(), metrics: last.metrics.clone() };
            tree.show_final(self.engine.store(), &state)?;
            let kept = self.plan.steps.iter().filter(|step| {
                step.left_out.is_none() || step.in_range == InRange::Skipped || self.pinned(&step.id).is_some()
            });
            tree.keep_only(&kept.map(|step| step.dir.as_str()).collect::<Vec<_>>())?;
        }
        let edited = tree.take_edited();
        let json = serde_json::to_value(&summary).map_err(|error| Failure::new(Class::Internal, error.to_string()))?;
        tree.write_json(SUMMARY, &json)?;
        tree.close()?;
        Ok(Ended { failures, summary, dir: self.dir.clone(), edited, whole })
    }

    /// The state before and after each running step. A step sees only what it declares; the state after it holds all
    /// that is known by then.
    fn states(&self, entries: &BTreeMap<usize, Arc<Entry>>) -> Vec<(Located, Located)> {
        let mut state = Located::default();
        let mut states = Vec::new();
        for (index, step) in self.plan.running() {
            let needed = |format: &str| step.info.inputs.iter().any(|needs| needs.format == format);
            let mut before = Located::default();
            before
                .views
                .extend(state.views.iter().filter(|(format, _)| needed(format)).map(|(f, v)| (f.clone(), v.clone())));
            let metrics = state.metrics.iter().filter(|(name, _)| step.info.metrics.contains(name));
            before.metrics.extend(metrics.map(|(name, metric)| (name.clone(), metric.clone())));
            if let Some(entry) = entries.get(&index) {
                for (format, view) in &entry.record().views {
                    let located = view.map(&mut |path: &String| {
                        let output = entry.record().output(path).cloned();
                        (index, output.expect("a record's views name its outputs; checked when it was made"))
                    });
                    state.views.insert(format.clone(), located);
                }
                let metrics = entry.record().metrics.iter();
                state.metrics.extend(metrics.map(|(name, metric)| (name.clone(), metric.clone())));
            }
            states.push((before, state.clone()));
        }
        states
    }

    fn summary(
        &self,
        outcomes: &[Outcome],
        shared: &BTreeSet<usize>,
        mut started: BTreeMap<usize, Vec<String>>,
        last: &Located,
    ) -> RunSummary {
        let mut steps: Vec<StepSummary> = (self.plan.steps.iter())
            .map(|step| StepSummary {
                id: step.id.clone(),
                dir: step.dir.clone(),
                status: StepStatus::LeftOut,
                reused: false,
                shared: false,
                reason: step.left_out.clone(),
                hint: None,
                log: None,
                attempt: None,
                alerts: Vec::new(),
                why: Vec::new(),
            })
            .collect();
        // What is not in the range ran when it last did, and for that reason.
        for (step, planned) in steps.iter_mut().zip(&self.plan.steps).filter(|(_, planned)| planned.is_beyond()) {
            let last = self.last.iter().flat_map(|last| &last.steps).find(|last| last.id == planned.id);
            if let Some(last) = last {
                step.attempt = last.attempt;
                step.why.clone_from(&last.why);
            }
        }
        for (outcome, index) in outcomes.iter().zip(&self.steps) {
            let step = &mut steps[*index];
            step.why = started.remove(index).or_else(|| Some(self.last_ran(&step.id)?.1.to_vec())).unwrap_or_default();
            match outcome {
                Outcome::Done { entry, how } => {
                    let is_pinned = self.pinned(&step.id).is_some();
                    step.shared = shared.contains(index);
                    step.status = match status_of(entry, *how, step.shared) {
                        StepStatus::Pinned if !is_pinned => StepStatus::Held,
                        status => status,
                    };
                    step.reused = *how != How::Ran || step.shared;
                    (step.reason, step.hint) = reason_of(entry);
                    step.log = entry.attempt().log.as_ref().map(|log| format!("{}/{}", step.dir, log.path));
                    step.attempt = Some(StepAttempt::from(entry.attempt()));
                    step.alerts.clone_from(&entry.record().alerts);
                }
                Outcome::Failed(failure) => {
                    let interrupted = failure.class == Class::Interrupted;
                    step.status = if interrupted { StepStatus::Interrupted } else { StepStatus::Failed };
                    step.reason = Some(failure.message.clone());
                    step.hint.clone_from(&failure.hint);
                    step.log = failure.log.as_ref().map(|log| format!("{}.failed/{log}", step.dir));
                    step.alerts.clone_from(&failure.alerts);
                }
                Outcome::Skipped | Outcome::WouldRun => step.status = StepStatus::NotReached,
            }
        }
        RunSummary {
            tapeout: env!("CARGO_PKG_VERSION").to_owned(),
            flow: self.plan.flow.clone(),
            design: self.plan.design().to_owned(),
            tag: self.tag.clone(),
            class: class(outcomes),
            steps,
            metrics: last.metrics.clone(),
        }
    }
}

fn with_paths(state: &Located, path: impl Fn(&(usize, Output)) -> String) -> State<String> {
    let views = state.views.iter().map(|(format, view)| (format.clone(), view.map(&mut |file| path(file))));
    State { views: views.collect(), metrics: state.metrics.clone() }
}

/// What stands for the whole run: what broke comes before a failed check, and both before the interruptions that
/// followed from them.
fn class(outcomes: &[Outcome]) -> Option<Class> {
    let mut classes: Vec<Class> = Vec::new();
    for outcome in outcomes {
        match outcome {
            Outcome::Failed(failure) => classes.push(failure.class),
            Outcome::Done { entry, .. } if matches!(entry.record().verdict, Verdict::Failed { .. }) => {
                classes.push(Class::Check);
            }
            Outcome::Done { .. } | Outcome::Skipped | Outcome::WouldRun => {}
        }
    }
    let first = |wanted: &dyn Fn(Class) -> bool| classes.iter().copied().find(|class| wanted(*class));
    first(&|class| !matches!(class, Class::Check | Class::Interrupted))
        .or_else(|| first(&|class| class == Class::Check))
        .or_else(|| first(&|class| class == Class::Interrupted))
}
