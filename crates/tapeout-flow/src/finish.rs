//! The end of a run: the states around its steps, its last state, and what it came to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tapeout_engine::{Failure, How, Outcome};
use tapeout_model::{Class, Metrics, Output, State, Verdict};
use tapeout_store::Entry;

use crate::flow_job::FlowJob;
use crate::showing::{Made, Showing, reason_of, status_of};
use crate::{Ended, InRange, PlannedStep, Run, RunSummary, StepAttempt, StepStatus, StepSummary};

/// What a run came to, in its directory.
pub(crate) const SUMMARY: &str = "run.json";

/// Files with the index of the step that made them.
type Located = State<(usize, Output)>;

impl Run<'_> {
    /// `program`: the flow, if it is one.
    pub(crate) fn finish(
        &self,
        showing: Showing,
        outcomes: &[Outcome],
        program: Option<&FlowJob>,
    ) -> Result<Ended, Failure> {
        let Showing { mut tree, entries, made, mut failures, error, started, comparisons, .. } = showing;
        if let Some(error) = error {
            return Err(error);
        }
        let steps = self.cast.steps();
        let states = self.states(&steps, &entries);
        // The steps that the last state comes from; nothing if there is no last state.
        let way = match program {
            Some(program) => program.way().map(|way| way.into_iter().map(|(step, _)| step).collect::<Vec<usize>>()),
            None => {
                let running = || steps.iter().enumerate().filter(|(_, step)| step.left_out.is_none());
                running().all(|(index, _)| entries.contains_key(&index)).then(|| running().map(|(i, _)| i).collect())
            }
        };
        let end = match &way {
            Some(way) => way.last().copied(),
            None => entries.keys().next_back().copied(),
        };
        let last = end.and_then(|end| states.get(&end)).map(|(_, after)| after.clone()).unwrap_or_default();
        let dirs: Vec<&str> = states.keys().map(|index| steps[*index].dir.as_str()).collect();
        if !tree.shows_states(&dirs) {
            let mut shown = Vec::new();
            for (index, (before, after)) in &states {
                let from = |file: &(usize, Output)| format!("../{}/{}", steps[file.0].dir, file.1.path);
                let own = |file: &(usize, Output)| if file.0 == *index { file.1.path.clone() } else { from(file) };
                shown.push((steps[*index].dir.clone(), with_paths(before, from), with_paths(after, own)));
            }
            tree.show_states(&shown)?;
        }
        let mut summary = self.summary(&steps, outcomes, &made, started, &last.metrics);
        if program.is_some() {
            let on_way: Option<BTreeSet<usize>> = way.as_ref().map(|way| way.iter().copied().collect());
            // Of a flow that failed, one step may have said why; others that were allowed to fail are beside the point.
            let program_failed = matches!(self.outcome_of_program(outcomes), Some(Outcome::Failed(_)));
            let told = self.told_by(outcomes, &summary.steps);
            for (index, step) in summary.steps.iter_mut().enumerate() {
                let failed = matches!(step.status, StepStatus::Failed | StepStatus::CheckFailed);
                step.handled = failed
                    && match &on_way {
                        Some(way) => !way.contains(&index),
                        None => program_failed && steps[index].keeps_failure && told != Some(index),
                    };
            }
            summary.class = self.class_of_program(outcomes, &summary);
            failures.retain(|(id, _)| !summary.steps.iter().any(|step| step.handled && Some(&step.id) == id.as_ref()));
            failures.extend(self.own_failure(outcomes, told).map(|failure| (None, failure)));
        }
        summary.comparisons = comparisons;
        tree.show_comparisons(&summary.comparisons)?;
        let whole = way.is_some() && self.plan.is_whole();
        if whole {
            let views =
                last.views.iter().map(|(format, view)| (format.clone(), view.map(&mut |(_, file)| file.clone())));
            let state = State { views: views.collect(), metrics: last.metrics.clone() };
            tree.show_final(self.engine.store(), &state)?;
            let kept = steps.iter().filter(|step| {
                step.left_out.is_none() || step.in_range == InRange::Skipped || self.pinned(&step.id).is_some()
            });
            tree.keep_only(&kept.map(|step| step.dir.as_str()).collect())?;
        }
        let edited = tree.take_edited();
        tree.write_json(SUMMARY, &summary)?;
        tree.close()?;
        let state = last.map(|(index, file)| self.dir.join(&steps[*index].dir).join(&file.path));
        Ok(Ended { summary, state, failures, dir: self.dir.clone(), edited, whole })
    }

    /// The state before and after each step that has a result, by its index. A step sees only what it declares; the state
    /// after it holds all that is known by then.
    fn states(
        &self,
        steps: &[Arc<PlannedStep>],
        entries: &BTreeMap<usize, Arc<Entry>>,
    ) -> BTreeMap<usize, (Located, Located)> {
        let mut states: BTreeMap<usize, (Located, Located)> = BTreeMap::new();
        // Those without a result have not changed anything, nor have those whose result is that a tool failed.
        let results = entries.iter().filter(|(_, entry)| !matches!(entry.record().verdict, Verdict::Broke { .. }));
        for (index, entry) in results {
            let step = &steps[*index];
            let mut before = step.before;
            while let Some(earlier) = before.filter(|before| !states.contains_key(before)) {
                before = steps[earlier].before;
            }
            let mut state = before.map(|before| states[&before].1.clone()).unwrap_or_default();
            let needed = |format: &str| step.info.inputs.iter().any(|needs| needs.format == format);
            let mut seen = Located::default();
            let views = state.views.iter().filter(|(format, _)| needed(format));
            seen.views.extend(views.map(|(format, view)| (format.clone(), view.clone())));
            let metrics = state.metrics.iter().filter(|(name, _)| step.info.sees_metric(name));
            seen.metrics.extend(metrics.map(|(name, metric)| (name.clone(), metric.clone())));
            for (format, view) in &entry.record().views {
                let located = view.map(&mut |path: &String| {
                    let output = entry.record().output(path).cloned();
                    (*index, output.expect("a record's views name its outputs; checked when it was made"))
                });
                state.views.insert(format.clone(), located);
            }
            let metrics = entry.record().metrics.iter();
            state.metrics.extend(metrics.map(|(name, metric)| (name.clone(), metric.clone())));
            states.insert(*index, (seen, state));
        }
        states
    }

    fn summary(
        &self,
        steps: &[Arc<PlannedStep>],
        outcomes: &[Outcome],
        made: &BTreeMap<usize, Made>,
        mut started: BTreeMap<usize, Vec<String>>,
        metrics: &Metrics,
    ) -> RunSummary {
        let mut steps: Vec<StepSummary> = (steps.iter())
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
                handled: false,
                why: Vec::new(),
            })
            .collect();
        // What is not in the range ran when it last did, and for that reason.
        for (step, planned) in steps.iter_mut().zip(&self.plan.steps).filter(|(_, planned)| planned.is_beyond()) {
            if let Some(last) = self.last_of(&planned.id) {
                step.attempt = last.attempt;
                step.why.clone_from(&last.why);
            }
        }
        for (index, _, outcome) in self.outcomes_of_steps(outcomes) {
            let step = &mut steps[index];
            step.why = started.remove(&index).or_else(|| Some(self.last_ran(&step.id)?.1.to_vec())).unwrap_or_default();
            match outcome {
                Outcome::Done { entry, how } => {
                    let is_pinned = self.pinned(&step.id).is_some();
                    step.shared = made.get(&index) == Some(&Made::Elsewhere);
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
            comparisons: Vec::new(),
            metrics: metrics.clone(),
        }
    }

    /// How the job ended that is the flow: the last one of the graph.
    fn outcome_of_program<'o>(&self, outcomes: &'o [Outcome]) -> Option<&'o Outcome> {
        outcomes.get(self.plan.running().count())
    }

    /// What stands for a run of a program: its own end, and the checks that were put off on the way to its last state.
    fn class_of_program(&self, outcomes: &[Outcome], summary: &RunSummary) -> Option<Class> {
        match self.outcome_of_program(outcomes) {
            Some(Outcome::Done { .. }) => {
                let failed = |step: &&StepSummary| step.status == StepStatus::CheckFailed && !step.handled;
                summary.steps.iter().find(failed).map(|_| Class::Check)
            }
            Some(Outcome::Failed(failure)) => Some(failure.class),
            _ => class(outcomes).or(Some(Class::Interrupted)),
        }
    }

    /// The step that has said why a program failed.
    fn told_by(&self, outcomes: &[Outcome], steps: &[StepSummary]) -> Option<usize> {
        let Some(Outcome::Failed(failure)) = self.outcome_of_program(outcomes) else { return None };
        let whole = |step: &StepSummary| Some(format!("{}: {}", step.id, step.reason.as_deref()?));
        let says = |step: &StepSummary| step.status == StepStatus::Failed || step.status == StepStatus::CheckFailed;
        let by_name = steps.iter().position(|step| says(step) && whole(step).as_ref() == Some(&failure.message));
        by_name.or_else(|| steps.iter().position(|step| says(step) && step.reason.as_ref() == Some(&failure.message)))
    }

    /// What a program says of its end, where no step has said it.
    fn own_failure(&self, outcomes: &[Outcome], told: Option<usize>) -> Option<Failure> {
        let Some(Outcome::Failed(failure)) = self.outcome_of_program(outcomes) else { return None };
        (failure.class != Class::Interrupted && told.is_none()).then(|| (**failure).clone())
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
            Outcome::Done { entry, .. } if entry.is_bad() => classes.push(Class::Check),
            Outcome::Done { .. } | Outcome::Skipped | Outcome::WouldRun => {}
        }
    }
    let first = |wanted: &dyn Fn(Class) -> bool| classes.iter().copied().find(|class| wanted(*class));
    first(&|class| !matches!(class, Class::Check | Class::Interrupted))
        .or_else(|| first(&|class| class == Class::Check))
        .or_else(|| first(&|class| class == Class::Interrupted))
}
