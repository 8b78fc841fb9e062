//! What a custom flow may touch: it asks for steps, looks at what came out of them, and tells how far it is.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tapeout_config::Config;
use tapeout_engine::{Conductor, Failure, Graph, Identity, Job, JobBody, JobCx, JobId, Outcome};
use tapeout_model::{Class, Metric, Record, State, Value, Verdict, View};
use tapeout_store::Entry;

use crate::cast::Cast;
use crate::custom::{FlowError, Program};
use crate::makers::Makers;
use crate::stage::{Comparison, Note, Stage};
use crate::{Needs, Plan, PlannedStep, StepAttempt};

/// The state after a step, whether that step has ended or not; or the one in which a flow begins. It is the input of
/// further steps, which wait for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlowState(usize);

/// A state of a running flow.
struct Node {
    before: Option<FlowState>,
    /// The step that it is the state after.
    step: Option<usize>,
    job: Option<JobId>,
    makers: Makers<JobId>,
    end: Option<Result<Option<Arc<Entry>>, FlowError>>,
}

/// A custom flow as a job: what its program, the run and the engine share.
pub(crate) struct FlowJob {
    plan: Arc<Plan>,
    program: Program,
    cast: Arc<Cast>,
    dir: PathBuf,
    last: BTreeMap<String, StepAttempt>,
    pinned: BTreeSet<String>,
    progress: Mutex<Progress>,
    is_cut: AtomicBool,
}

#[derive(Default)]
struct Progress {
    nodes: Vec<Node>,
    /// How often each id was asked for.
    asked: BTreeMap<String, u32>,
    stages: u32,
    stage_count: Option<u32>,
    /// Why the flow is not to go on.
    fatal: Option<Failure>,
    /// The state that it gave.
    last: Option<FlowState>,
}

/// What unwinds a flow that is not to go on.
struct Cut;

/// How many flows are being unwound.
static CUT: AtomicUsize = AtomicUsize::new(0);

/// Whether a custom flow is being ended in the midst of its program, because the run stops or only looks. Where such a flow
/// has threads, one that waits for another panics, which is no news: a panic hook asks this.
#[must_use]
pub fn is_ending_flow() -> bool {
    CUT.load(Ordering::SeqCst) > 0
}

impl JobBody for FlowJob {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("(flow)", self.program.flow.name());
    }

    fn run(&self, job: &mut JobCx<'_>) -> Result<Record, Failure> {
        let conductor = job.conductor();
        let initial = self.begin();
        let config = Arc::new(self.plan.config.clone());
        let cx = FlowCx { job: self, conductor, config, label: None, may_fail: false, at_once: false };
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let last = self.program.flow.run(&cx, initial)?;
            cx.wait(&last)?;
            Ok::<_, FlowError>(last)
        }));
        if self.is_cut.swap(false, Ordering::SeqCst) {
            CUT.fetch_sub(1, Ordering::SeqCst);
        }
        let mut progress = self.progress();
        match ran {
            _ if progress.fatal.is_some() => Err(progress.fatal.take().unwrap_or_else(Failure::interrupted)),
            Ok(Ok(last)) => {
                progress.last = Some(last);
                Ok(Record::default())
            }
            Ok(Err(error)) => Err(error.into_failure()),
            Err(_) if conductor.is_stopping() || conductor.is_looking() => Err(Failure::interrupted()),
            Err(panic) => resume_unwind(panic),
        }
    }
}

impl FlowJob {
    pub(crate) fn new(
        plan: &Plan,
        program: Program,
        cast: Arc<Cast>,
        dir: PathBuf,
        last: BTreeMap<String, StepAttempt>,
        pinned: BTreeSet<String>,
    ) -> Self {
        let plan = Arc::new(plan.clone());
        let (progress, is_cut) = (Mutex::default(), AtomicBool::new(false));
        Self { plan, program, cast, dir, last, pinned, progress, is_cut }
    }

    /// The steps on the way to the state that the flow gave, in order, without those that were left out; nothing if it gave
    /// none.
    pub(crate) fn way(&self) -> Option<Vec<usize>> {
        let progress = self.progress();
        let mut way = Vec::new();
        let mut at = Some(progress.last?);
        while let Some(state) = at {
            let node = &progress.nodes[state.0];
            way.extend(node.step.filter(|_| node.job.is_some()));
            at = node.before;
        }
        way.reverse();
        Some(way)
    }

    /// The state before anything was asked for: what the plan begins with.
    fn begin(&self) -> FlowState {
        let mut progress = Progress::default();
        let mut makers = Makers::default();
        let empty = Node { before: None, step: None, job: None, makers: makers.clone(), end: Some(Ok(None)) };
        let mut initial = progress.add(empty);
        for ((index, step), job) in self.plan.running().zip(Graph::ids_of(self.plan.steps.len())) {
            makers.add(&step.info, job);
            let (step, job, makers) = (Some(index), Some(job), makers.clone());
            initial = progress.add(Node { before: Some(initial), step, job, makers, end: None });
        }
        *self.progress() = progress;
        initial
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

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
    /// that the next run does not wait for the same failure again. `--fresh` tries again.
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
    /// wrong with it is told to whoever waits for its state.
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
        let mut progress = self.job.progress();
        let Node { makers, job: before, .. } = &progress.nodes[state.0];
        let (mut makers, before) = (makers.clone(), *before);
        let mut id = registered.info.id.to_owned();
        if let Some(label) = &self.label {
            id = format!("{id}-{label}");
        }
        let times = progress.asked.entry(id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            id = format!("{id}-{}", *times - 1);
        }
        // The initial state has number 0.
        let first = usize::from(!self.job.plan.steps.iter().any(|step| step.is_initial_state()));
        let node = |step, job, makers| Node { before: Some(*state), step: Some(step), job, makers, end: None };
        let mut unfit = None;
        let (index, planned) = self.job.cast.add(&id, |index| {
            let mut planned = PlannedStep::new(index + first, 2, id.clone(), registered.clone(), &self.config);
            planned.before = self.job.last_step(&progress, *state);
            planned.keeps_failure = self.may_fail;
            planned.defers_check &= !self.at_once;
            let skipped = self.job.program.skips(registered.info.id, &self.config);
            planned.left_out = taken_out.map(str::to_owned).or(skipped).or(planned.left_out);
            planned.left_out = planned.left_out.or_else(|| makers.nothing_for(&planned.info));
            if planned.left_out.is_none()
                && let Err((variable, message)) = registered.step.check(&planned.config)
            {
                let message = format!("`{variable}`: {message}");
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
        let after = before.filter(|_| in_turn).into_iter().collect();
        let last = self.job.last.get(&id).copied();
        let job = Job { after, ..self.job.plan.job(&planned, inputs, last) };
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
        self.find(state, |step, entry| {
            let dir = self.job.dir.join(&step.dir);
            entry.record().views.get(format).map(|view| view.map(&mut |path| dir.join(path)))
        })
    }

    /// All views and metrics of a state, which is waited for.
    ///
    /// # Errors
    /// When a step up to that state did not end well.
    pub fn state(&self, state: &FlowState) -> Result<State<PathBuf>, FlowError> {
        let mut all = State::default();
        self.find(state, |step, entry| {
            let dir = self.job.dir.join(&step.dir);
            for (format, view) in &entry.record().views {
                let located = || view.map(&mut |path: &String| dir.join(path));
                all.views.entry(format.clone()).or_insert_with(located);
            }
            for (name, metric) in &entry.record().metrics {
                all.metrics.entry(name.clone()).or_insert_with(|| metric.clone());
            }
            None::<()>
        })?;
        Ok(all)
    }

    /// The first thing that is found in the results of the steps up to a state, the last one first.
    fn find<T>(
        &self,
        state: &FlowState,
        mut look: impl FnMut(&PlannedStep, &Entry) -> Option<T>,
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

impl Progress {
    fn add(&mut self, node: Node) -> FlowState {
        self.nodes.push(node);
        FlowState(self.nodes.len() - 1)
    }
}

impl FlowJob {
    /// Unwinds the program from where it is.
    fn cut(&self) -> ! {
        if !self.is_cut.swap(true, Ordering::SeqCst) {
            CUT.fetch_add(1, Ordering::SeqCst);
        }
        resume_unwind(Box::new(Cut))
    }

    /// The last step before a state that ran.
    fn last_step(&self, progress: &Progress, state: FlowState) -> Option<usize> {
        let mut at = Some(state);
        while let Some(state) = at {
            let node = &progress.nodes[state.0];
            if node.job.is_some() {
                return node.step;
            }
            at = node.before;
        }
        None
    }
}
