//! What a custom flow may touch: it asks for steps, looks at what came out of them, and tells how far it is.

use std::any::Any;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_config::Config;
use tapeout_engine::{Conductor, Failure, Job, JobId, Outcome};
use tapeout_model::{Class, Metric, Record, State, Value, Verdict, View};
use tapeout_store::Entry;

use crate::custom::FlowError;
use crate::flow_job::{FlowJob, Node};
use crate::stage::{Comparison, Note, Stage};
use crate::{Needs, PlannedStep};

/// The state after a step, whether that step has ended or not; or the one in which a flow begins. It is the input of
/// further steps, which wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowState(pub(crate) usize);

/// What a custom flow may touch. It may be shared by threads.
///
/// Steps take their configuration, their label and what their failure means from the context through which they are asked
/// for: [`FlowCx::with`], [`FlowCx::labelled`], [`FlowCx::may_fail`] and [`FlowCx::at_once`] give another such context.
#[derive(Clone)]
pub struct FlowCx<'run> {
    job: &'run FlowJob,
    conductor: Conductor<'run>,
    config: Arc<Config>,
    label: Option<String>,
    may_fail: bool,
    at_once: bool,
}

impl<'run> FlowCx<'run> {
    pub(crate) fn new(job: &'run FlowJob, conductor: Conductor<'run>, config: Arc<Config>) -> Self {
        Self { job, conductor, config, label: None, may_fail: false, at_once: false }
    }
}

impl FlowCx<'_> {
    /// The configuration that steps get which are asked for through this.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The same, with variables replaced for the steps that are asked for through it.
    ///
    /// # Errors
    /// A variable that the flow does not have, or a value that it cannot have.
    pub fn with<N: Into<String>, V: Into<Value>>(
        &self,
        overrides: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, FlowError> {
        Ok(Self { config: Arc::new(self.config.copy(overrides)?), ..self.clone() })
    }

    /// The same, with a label for the steps that are asked for through it: `Yosys.Synthesis` labelled `AREA 0` is
    /// `Yosys.Synthesis-AREA_0`. Without labels, steps that are asked for again are numbered.
    #[must_use]
    pub fn labelled(&self, label: &str) -> Self {
        let plain = |c: char| if c.is_alphanumeric() || c == '.' || c == '-' { c } else { '_' };
        let label: String = label.chars().map(plain).collect();
        Self { label: Some(label), ..self.clone() }
    }

    /// The same, where the steps that are asked for through it may fail: that a tool failed is recorded like a result, so
    /// that the next run does not wait for the same failure again. `--fresh` tries again. A tool that tells what it read only at
    /// its end, as Yosys does, is tried again each time.
    #[must_use]
    pub fn may_fail(&self) -> Self {
        Self { may_fail: true, ..self.clone() }
    }

    /// The same, where a check that otherwise is put off to the end of the run is an error at once, to which the flow can
    /// answer.
    #[must_use]
    pub fn at_once(&self) -> Self {
        Self { at_once: true, ..self.clone() }
    }

    /// Asks for a step and waits for it.
    ///
    /// # Errors
    /// When it, or a step before it, did not end well.
    pub fn start(&self, step: &str, state: &FlowState) -> Result<FlowState, FlowError> {
        let state = self.start_async(step, state);
        self.wait(&state)?;
        Ok(state)
    }

    /// Asks for a step, which runs after the one that gives its input state, and at the side of everything else. What goes
    /// wrong with it is told to whoever waits for its state. Where several threads ask for the same step, labels keep apart
    /// who asked for which; numbers go by who comes first.
    #[must_use = "nobody hears whether a step ended well whose state is not waited for"]
    pub fn start_async(&self, step: &str, state: &FlowState) -> FlowState {
        self.ask(step, state, true)
    }

    /// Asks for steps one after the other, as a sequential flow of them would: those that need nothing of each other may
    /// run at the same time.
    #[must_use = "nobody hears whether a step ended well whose state is not waited for"]
    pub fn sequence_async(&self, steps: &[&str], state: &FlowState) -> FlowState {
        steps.iter().fold(*state, |state, step| self.ask(step, &state, false))
    }

    /// Asks for steps as [`FlowCx::sequence_async`] does, and waits for the last state.
    ///
    /// # Errors
    /// When one of them did not end well.
    pub fn sequence(&self, steps: &[&str], state: &FlowState) -> Result<FlowState, FlowError> {
        let state = self.sequence_async(steps, state);
        self.wait(&state)?;
        Ok(state)
    }

    fn ask(&self, step: &str, state: &FlowState, in_turn: bool) -> FlowState {
        let Some((registered, taken_out)) = self.job.program.step(step) else {
            let flow = self.job.program.flow.name();
            let message = format!("the flow `{flow}` asks for the step `{step}`, which it does not declare");
            self.give_up(Failure::new(Class::Input, message).hint("name it in the flow's `steps()`"));
        };
        let refused = registered.info.acts_outside.then(|| self.refused(state)).flatten();
        let mut progress = self.job.progress();
        let mut makers = progress.nodes[state.0].makers.clone();
        // Nothing can come of a state that there will not be.
        let error = refused.or_else(|| progress.nodes[state.0].end.as_ref()?.as_ref().err().cloned());
        if let Some(error) = error {
            let end = Some(Err(error));
            return progress.add(Node { before: Some(*state), step: None, job: None, makers, end });
        }
        let id = match &self.label {
            Some(label) => format!("{}-{label}", registered.info.id),
            None => registered.info.id.to_owned(),
        };
        let id = progress.free_id(id);
        // The initial state has number 0.
        let first = usize::from(!self.job.plan.steps.iter().any(|step| step.is_initial_state()));
        let node = |step, job, makers| Node { before: Some(*state), step: Some(step), job, makers, end: None };
        let mut unfit = None;
        let (index, planned) = self.job.cast.add(&id, |index| {
            let mut planned = PlannedStep::new(index + first, 2, id.clone(), registered.clone(), &self.config);
            planned.before = progress.way_to(*state).find(|node| node.job.is_some()).and_then(|node| node.step);
            planned.keeps_failure = self.may_fail;
            planned.defers_check &= !self.at_once;
            let skipped = self.job.program.skips(registered.info.id, &self.config);
            planned.left_out = taken_out.map(str::to_owned).or(skipped).or(planned.left_out);
            planned.left_out = planned.left_out.or_else(|| makers.nothing_for(&planned.info));
            if planned.left_out.is_none()
                && let Err((variable, message)) = registered.step.check(&planned.config)
            {
                let message = if variable.is_empty() { message } else { format!("`{variable}`: {message}") };
                unfit = Some(FlowError::of_step(&id, Failure::new(Class::Input, message.clone())));
                planned.left_out = Some(message);
            }
            planned
        });
        if planned.left_out.is_some() {
            return progress.add(Node { end: unfit.map(Err), ..node(index, None, makers) });
        }
        let (mut inputs, missing) = makers.inputs_of(&planned.info);
        if let Some(Needs { format, .. }) = missing.first() {
            drop(progress);
            let message = format!("`{id}` needs a view `{format}`, and no step before it makes one");
            self.give_up(Failure::new(Class::Input, message));
        }
        if self.job.pinned.contains(&id) {
            inputs.clear();
        }
        let after = progress.way_to(*state).filter_map(|node| node.job).take(usize::from(in_turn)).collect();
        let last = self.job.last.get(&id).copied();
        let job = self.job.plan.job(&planned, inputs, last);
        let name = self.job.part_of.as_ref().map_or_else(|| job.name.clone(), |whole| format!("{whole}/{}", job.name));
        let job = Job { name, after, ..job };
        self.job.cast.ask(index, job.clone());
        let job = match self.conductor.start(job) {
            Ok(job) => job,
            Err(failure) => {
                drop(progress);
                self.give_up(failure)
            }
        };
        makers.add(&planned.info, job);
        progress.add(node(index, Some(job), makers))
    }

    /// Why a step that acts outside must not follow a state, which is waited for: a check that was put off has failed, or
    /// a step did.
    fn refused(&self, state: &FlowState) -> Option<FlowError> {
        if let Err(error) = self.wait(state) {
            return Some(error);
        }
        let progress = self.job.progress();
        let failed =
            progress.way_to(*state).find_map(|node| match node.end.as_ref()?.as_ref().ok()?.as_ref()?.record() {
                Record { verdict: Verdict::Failed { reason, hint }, .. } => {
                    Some((node.step?, reason.clone(), hint.clone()))
                }
                _ => None,
            });
        let (step, reason, hint) = failed?;
        let failure = Failure { hint, ..Failure::new(Class::Check, reason) };
        Some(FlowError::of_step(&self.job.cast.step(step).id, failure))
    }

    /// Waits for all steps up to a state.
    ///
    /// # Errors
    /// The first of them that did not end well.
    pub fn wait(&self, state: &FlowState) -> Result<(), FlowError> {
        let mut open = Vec::new();
        let mut result = Ok(());
        let mut at = Some(*state);
        {
            let progress = self.job.progress();
            while let Some(state) = at {
                let node = &progress.nodes[state.0];
                match &node.end {
                    Some(Ok(_)) => break,
                    Some(Err(error)) => {
                        result = Err(error.clone());
                        break;
                    }
                    None => open.push((state, node.job)),
                }
                at = node.before;
            }
        }
        for (state, job) in open.into_iter().rev() {
            let end = match (&result, job) {
                (Err(error), _) => Err(error.clone()),
                (Ok(()), None) => Ok(None),
                (Ok(()), Some(job)) => self.outcome(state, job),
            };
            result = end.as_ref().map(|_| ()).map_err(Clone::clone);
            self.job.progress().nodes[state.0].end = Some(end);
        }
        result
    }

    /// How the step of a state ended.
    fn outcome(&self, state: FlowState, job: JobId) -> Result<Option<Arc<Entry>>, FlowError> {
        let outcome = self.conductor.wait(job);
        if self.conductor.is_stopping() || matches!(outcome, Outcome::WouldRun) {
            self.job.cut();
        }
        let step = self.job.progress().nodes[state.0].step;
        let step = step.map(|step| self.job.cast.step(step));
        let (id, defers) = step.as_ref().map_or(("", false), |step| (step.id.as_str(), step.defers_check));
        let failed = |class, reason: &str, hint: &Option<String>| {
            let failure = Failure { hint: hint.clone(), ..Failure::new(class, reason) };
            Err(FlowError::of_step(id, failure))
        };
        match outcome {
            Outcome::Done { entry, .. } => match &entry.record().verdict {
                Verdict::Failed { reason, hint } if !defers => failed(Class::Check, reason, hint),
                Verdict::Broke { reason, hint } => failed(Class::Tool, reason, hint),
                Verdict::Passed | Verdict::NotChecked { .. } | Verdict::Failed { .. } => Ok(Some(entry)),
            },
            Outcome::Failed(failure) => match failure.class {
                Class::Tool | Class::Input | Class::Check => Err(FlowError::of_step(id, *failure)),
                Class::Environment | Class::Internal | Class::Interrupted => self.give_up(*failure),
            },
            // Looking, what a step needs that would run is skipped itself.
            Outcome::Skipped | Outcome::WouldRun if self.conductor.is_looking() => self.job.cut(),
            Outcome::Skipped | Outcome::WouldRun => failed(Class::Tool, "something that it needs failed", &None),
        }
    }

    /// Ends the flow for good, wherever its program is.
    fn give_up(&self, failure: Failure) -> ! {
        self.job.progress().fatal.get_or_insert(failure);
        self.job.cut()
    }

    /// A metric of a state, which is waited for.
    ///
    /// # Errors
    /// When a step up to that state did not end well.
    pub fn metric(&self, state: &FlowState, name: &str) -> Result<Option<Metric>, FlowError> {
        self.find(state, |_, entry| entry.record().metrics.get(name).cloned())
    }

    /// A metric of a state as a number.
    ///
    /// # Errors
    /// When a step up to that state did not end well.
    pub fn number(&self, state: &FlowState, name: &str) -> Result<Option<f64>, FlowError> {
        Ok(self.metric(state, name)?.and_then(|metric| metric.as_f64()))
    }

    /// A view of a state, which is waited for: where its files are in the run's directory.
    ///
    /// # Errors
    /// When a step up to that state did not end well.
    pub fn view(&self, state: &FlowState, format: &str) -> Result<Option<View<PathBuf>>, FlowError> {
        let found = self.find(state, |step, entry| {
            let view = entry.record().views.get(format)?;
            Some((self.job.dir.join(&step.dir), view.clone(), Arc::clone(entry)))
        })?;
        Ok(found.map(|(dir, view, entry)| {
            self.place(&dir, &entry);
            view.map(&mut |path| dir.join(path))
        }))
    }

    /// All views and metrics of a state, which is waited for.
    ///
    /// # Errors
    /// When a step up to that state did not end well.
    pub fn state(&self, state: &FlowState) -> Result<State<PathBuf>, FlowError> {
        let mut all = State::default();
        let mut entries = Vec::new();
        self.find(state, |step, entry| {
            let dir = self.job.dir.join(&step.dir);
            for (format, view) in &entry.record().views {
                let located = || view.map(&mut |path: &String| dir.join(path));
                all.views.entry(format.clone()).or_insert_with(located);
            }
            for (name, metric) in &entry.record().metrics {
                all.metrics.entry(name.clone()).or_insert_with(|| metric.clone());
            }
            entries.push((dir, Arc::clone(entry)));
            None::<()>
        })?;
        entries.iter().for_each(|(dir, entry)| self.place(dir, entry));
        Ok(all)
    }

    /// Puts the files of a step's views where they are told to be, where nobody else does: a target is shown at its end.
    fn place(&self, dir: &Path, entry: &Entry) {
        if self.job.part_of.is_none() {
            return;
        }
        let record = entry.record();
        let files: BTreeSet<&String> = record.views.values().flat_map(View::files).collect();
        for output in record.outputs.iter().filter(|output| files.contains(&output.path)) {
            if let Err(failure) = self.conductor.place(output, &dir.join(&output.path)) {
                self.give_up(failure);
            }
        }
    }

    /// The first thing that is found in the results of the steps up to a state, the last one first.
    fn find<T>(
        &self,
        state: &FlowState,
        mut look: impl FnMut(&PlannedStep, &Arc<Entry>) -> Option<T>,
    ) -> Result<Option<T>, FlowError> {
        self.wait(state)?;
        let progress = self.job.progress();
        let mut at = Some(*state);
        while let Some(state) = at {
            let node = &progress.nodes[state.0];
            if let (Some(step), Some(Ok(Some(entry)))) = (node.step, &node.end)
                && let Some(found) = look(&self.job.cast.step(step), entry)
            {
                return Ok(Some(found));
            }
            at = node.before;
        }
        Ok(None)
    }

    /// Says how many stages there will be, for the progress display.
    pub fn set_max_stage_count(&self, count: u32) {
        self.job.progress().stage_count = Some(count);
    }

    /// Begins a stage. It may stand for any number of steps.
    pub fn start_stage(&self, name: &str) {
        let stage = {
            let mut progress = self.job.progress();
            progress.stages += 1;
            Stage { number: progress.stages, of: progress.stage_count, name: name.to_owned() }
        };
        self.tell(Note::StageStarted(stage));
    }

    /// Ends the stage that was begun last.
    pub fn end_stage(&self) {
        self.tell(Note::StageEnded);
    }

    /// Shows a comparison: at the end of the run, and as a file in its directory.
    pub fn compared(&self, comparison: Comparison) {
        self.job.progress().comparisons.push(comparison.clone());
        self.tell(Note::Compared(comparison));
    }

    /// Says something that is worth knowing.
    pub fn say(&self, text: impl Into<String>) {
        self.tell(Note::Message(text.into()));
    }

    fn tell(&self, note: Note) {
        let note: Arc<dyn Any + Send + Sync> = Arc::new(note);
        self.conductor.tell(note);
    }
}
