//! One execution of a plan under a tag.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tapeout_engine::{Cause, Engine, Event, Failure, Graph, How, Job, Mode, Outcome, Wish};
use tapeout_model::{Class, Output, State, Verdict};
use tapeout_store::{Entry, FailedJob, JobRef, Pin, RunRef, ShownEntry};

use crate::event::{Difference, Happened, RunEvent, StepDone, StepFailed};
use crate::recorder::Recorder;
use crate::tree::{Edited, RunTree};
use crate::{Plan, PlannedStep, Reason, RunSummary, StepAttempt, StepStatus, StepSummary};

/// Whether to run a step although its result is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Again {
    /// No.
    #[default]
    No,
    /// Yes, and the new result replaces the recorded one.
    Fresh,
    /// Only to compare what its tools give now with what is recorded.
    Compare,
}

/// How a run ended.
#[derive(Clone, Debug)]
pub struct Ended {
    /// What it came to.
    pub summary: RunSummary,
    /// What has no result, with the index of the step in the plan.
    pub failures: Vec<(usize, Failure)>,
    /// Where its views are.
    pub dir: PathBuf,
    /// What people had edited in the tree and is shown as recorded again.
    pub edited: Vec<Edited>,
}

/// A plan, the engine that runs it, and a tag.
pub struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) engine: &'a Engine,
    pub(crate) tag: String,
    pub(crate) dir: PathBuf,
    /// The plan's step of each job.
    pub(crate) steps: Vec<usize>,
    /// What the run shows by now, as the store knows it.
    pub(crate) reference: RunRef,
    /// What the last run under this tag came to.
    pub(crate) last: Option<RunSummary>,
}

impl<'a> Run<'a> {
    /// A run with its views in `runs/<tag>` of the design.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn new(plan: &'a Plan, engine: &'a Engine, tag: &str) -> Result<Self, Failure> {
        let dir = plan.config.design_dir().join("runs").join(tag);
        let nothing = || RunRef { dir: Path::new("../../runs").join(tag), jobs: Vec::new() };
        // What another version wrote is of no use, and no reason not to run.
        let last = fs::read(dir.join(SUMMARY)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Ok(Self {
            plan,
            engine,
            tag: tag.to_owned(),
            dir,
            steps: plan.running().map(|(index, _)| index).collect(),
            reference: engine.store().run(tag)?.unwrap_or_else(nothing),
            last,
        })
    }

    /// What this run showed of a step before.
    pub(crate) fn recorded(&self, step: &str) -> Option<&JobRef> {
        self.reference.jobs.iter().find(|job| job.name == step)
    }

    pub(crate) fn write_reference(&self) -> Result<(), Failure> {
        Ok(self.engine.store().write_run(&self.tag, &self.reference)?)
    }

    /// The run's tag.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The pin of a step, if it has one.
    #[must_use]
    pub fn pinned(&self, step: &str) -> Option<&Pin> {
        self.recorded(step)?.pin.as_ref()
    }

    /// The plan's graph, with what the last run tells of the time and the memory that each step takes.
    pub(crate) fn graph(&self) -> Graph {
        let last = self.last_times();
        // What is held at a result waits for nothing.
        self.plan.graph(|step| last.get(step).copied(), |step| self.pinned_entry(step).is_some())
    }

    /// The result that a step is pinned at, as far as the store still has it.
    fn pinned_entry(&self, step: &str) -> Option<Arc<Entry>> {
        let job = self.recorded(step)?;
        let shown = job.shown.filter(|_| job.pin.is_some())?;
        self.engine.store().entry(&shown.key, &shown.id)
    }

    /// What is wanted of a step: what it is pinned at comes first.
    pub(crate) fn wish(&self, step: &str, again: Again) -> Wish {
        match again {
            Again::No => self.pinned_entry(step).map_or(Wish::Result, Wish::Pinned),
            Again::Fresh => Wish::Fresh,
            Again::Compare => Wish::Repeat,
        }
    }

    /// Runs what is not recorded and shows the results. `again` says by step id what to run although it is recorded.
    ///
    /// # Errors
    /// When the run's directory cannot be written or another process is using it. What fails in a step is in [`Ended`].
    pub fn execute(
        mut self,
        again: impl Fn(&str) -> Again + Sync,
        sink: impl Fn(Option<usize>, &Happened) + Sync,
    ) -> Result<Ended, Failure> {
        let tree = RunTree::open(&self.dir)?;
        self.read_reference()?;
        for (_, step) in self.plan.running() {
            if self.pinned(&step.id).is_some() && self.pinned_entry(&step.id).is_none() {
                return Err(lost_pin(step));
            }
        }
        tree.write_json("resolved.json", &self.plan.config.to_json())?;
        let recorder = Recorder::create(&self.dir)?;
        let tell = |step: Option<usize>, event: RunEvent| {
            let about = step.map(|step| &self.plan.steps[step]);
            let happened = Happened::now(about.map(|step| (step.id.as_str(), step.dir.as_str())), event);
            recorder.record(&happened);
            sink(step, &happened);
        };
        tell(None, self.started());
        let graph = self.graph();
        let showing = Mutex::new(Showing::of(tree));
        let run = |wish: &dyn Fn(&Job) -> Wish| {
            self.engine.run(&graph, Mode::Run, wish, &|event| {
                // Jobs that steps asked for are those steps' business.
                let Some(&step) = self.steps.get(event.job().index()) else { return };
                let mut showing = showing.lock().unwrap_or_else(PoisonError::into_inner);
                if showing.knows(step, event) {
                    return;
                }
                let event = match event {
                    Event::Started { job } => {
                        let again = again(&self.plan.steps[step].id);
                        let reasons = self.reasons(&graph, *job, step, again, &showing.entries);
                        let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
                        showing.started.insert(step, reasons.clone());
                        Some(RunEvent::StepStarted { reasons })
                    }
                    event => showing.show(&self, step, event),
                };
                drop(showing);
                if let Some(event) = event {
                    tell(Some(step), event);
                }
            })
        };
        let mut outcomes = run(&|job| self.wish(&job.name, again(&job.name)));
        // Results that could not be shown, because the store has lost files of theirs, do not count as recorded now. What
        // is shown already stands.
        let entries = |step: usize| {
            let showing = showing.lock().unwrap_or_else(PoisonError::into_inner);
            showing.entries.get(&step).cloned()
        };
        let step_of = |job: &Job| self.plan.steps.iter().position(|step| step.id == job.name);
        while showing.lock().unwrap_or_else(PoisonError::into_inner).has_lost() && !interrupted(&outcomes) {
            let shown: Vec<bool> = self.steps.iter().map(|step| entries(*step).is_some()).collect();
            let again = run(&|job| step_of(job).and_then(entries).map_or(Wish::Result, Wish::Pinned));
            for ((outcome, new), shown) in outcomes.iter_mut().zip(again).zip(shown) {
                if !shown {
                    *outcome = new;
                }
            }
        }
        let showing = showing.into_inner().unwrap_or_else(PoisonError::into_inner);
        let reference = self.new_reference(&outcomes);
        let ended = self.finish(showing, &outcomes)?;
        let exit_code = ended.summary.class.map_or(0, Class::exit_code);
        let summary = Box::new(ended.summary.clone());
        recorder.record(&Happened::now(None, RunEvent::RunFinished { exit_code, dir: ended.dir.clone(), summary }));
        self.reference = reference;
        self.write_reference()?;
        Ok(ended)
    }

    /// What the run shows now: new results, and the old ones of steps that have none.
    fn new_reference(&self, outcomes: &[Outcome]) -> RunRef {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let job = |(outcome, step): (&Outcome, &usize)| {
            let name = self.plan.steps[*step].id.clone();
            let before = self.recorded(&name).cloned();
            let before = before.unwrap_or(JobRef { name, shown: None, pin: None, failed: None });
            match outcome {
                Outcome::Done { entry, how } => JobRef {
                    shown: Some(ShownEntry { key: entry.key, id: entry.id() }),
                    // Whoever asks for a new result lets go of the old one.
                    pin: before.pin.filter(|_| *how == How::Pinned),
                    failed: None,
                    ..before
                },
                Outcome::Failed(failure) => JobRef {
                    failed: Some(FailedJob {
                        message: failure.message.clone(),
                        interrupted: failure.class == Class::Interrupted,
                        when: now,
                    }),
                    ..before
                },
                Outcome::Skipped | Outcome::WouldRun => before,
            }
        };
        let mut jobs: Vec<JobRef> = outcomes.iter().zip(&self.steps).map(job).collect();
        // A pin holds also while the step is not in the plan.
        let elsewhere = |job: &&JobRef| job.pin.is_some() && !jobs.iter().any(|known| known.name == job.name);
        let pinned: Vec<JobRef> = self.reference.jobs.iter().filter(elsewhere).cloned().collect();
        jobs.extend(pinned);
        RunRef { dir: self.reference.dir.clone(), jobs }
    }

    /// Takes in what another process may have written of this run.
    pub(crate) fn read_reference(&mut self) -> Result<(), Failure> {
        if let Some(reference) = self.engine.store().run(&self.tag)? {
            self.reference = reference;
        }
        Ok(())
    }

    fn started(&self) -> RunEvent {
        RunEvent::RunStarted {
            flow: self.plan.flow.clone(),
            design: self.plan.design().to_owned(),
            tag: self.tag.clone(),
            steps: self.plan.running().map(|(_, step)| step.id.clone()).collect(),
        }
    }

    fn finish(&self, showing: Showing, outcomes: &[Outcome]) -> Result<Ended, Failure> {
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
        if entries.len() == self.steps.len() {
            let views =
                last.views.iter().map(|(format, view)| (format.clone(), view.map(&mut |(_, file)| file.clone())));
            let state = State { views: views.collect(), metrics: last.metrics.clone() };
            tree.show_final(self.engine.store(), &state)?;
            let kept = self.plan.steps.iter().filter(|step| step.left_out.is_none() || self.pinned(&step.id).is_some());
            tree.keep_only(&kept.map(|step| step.dir.as_str()).collect::<Vec<_>>())?;
        }
        let edited = tree.take_edited();
        let json = serde_json::to_value(&summary).map_err(|error| Failure::new(Class::Internal, error.to_string()))?;
        tree.write_json(SUMMARY, &json)?;
        tree.close()?;
        Ok(Ended { failures, summary, dir: self.dir.clone(), edited })
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
        for (outcome, index) in outcomes.iter().zip(&self.steps) {
            let step = &mut steps[*index];
            step.why = started.remove(index).or_else(|| Some(self.last_ran(&step.id)?.1.to_vec())).unwrap_or_default();
            match outcome {
                Outcome::Done { entry, how } => {
                    step.shared = shared.contains(index);
                    step.status = status_of(entry, *how, step.shared);
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

/// What a run came to, in its directory.
pub(crate) const SUMMARY: &str = "run.json";

/// Files with the index of the step that made them.
type Located = State<(usize, Output)>;

fn with_paths(state: &Located, path: impl Fn(&(usize, Output)) -> String) -> State<String> {
    let views = state.views.iter().map(|(format, view)| (format.clone(), view.map(&mut |file| path(file))));
    State { views: views.collect(), metrics: state.metrics.clone() }
}

fn status_of(entry: &Entry, how: How, shared: bool) -> StepStatus {
    match &entry.record().verdict {
        Verdict::Passed => match how {
            How::Ran if shared => StepStatus::Reused,
            How::Ran => StepStatus::Done,
            How::Reused => StepStatus::Reused,
            How::Pinned => StepStatus::Pinned,
        },
        Verdict::NotChecked { .. } => StepStatus::NotChecked,
        Verdict::Failed { .. } => StepStatus::CheckFailed,
    }
}

fn reason_of(entry: &Entry) -> (Option<String>, Option<String>) {
    match &entry.record().verdict {
        Verdict::Passed => (None, None),
        Verdict::NotChecked { reason } => (Some(reason.clone()), None),
        Verdict::Failed { reason, hint } => (Some(reason.clone()), hint.clone()),
    }
}

/// The failure to find a result that a step is pinned at.
pub(crate) fn lost_pin(step: &PlannedStep) -> Failure {
    Failure::new(Class::Environment, format!("the result that `{}` is pinned at is not in the store any more", step.id))
        .hint(format!("`tapeout unpin {}`, and it is made anew", step.id))
}

fn interrupted(outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(failure) if failure.class == Class::Interrupted))
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

/// Where the results of a step's tools were made, in this run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Made {
    /// At least one tool ran.
    Here,
    /// None ran: they were in the shared cache.
    Elsewhere,
}

/// The tree while the run goes on.
struct Showing {
    tree: RunTree,
    entries: BTreeMap<usize, Arc<Entry>>,
    /// Where the results of the tools of a step were made.
    made: BTreeMap<usize, Made>,
    failures: Vec<(usize, Failure)>,
    /// The first failure to write the tree.
    error: Option<Failure>,
    /// Whether a result could not be shown because files of it are lost.
    lost: bool,
    /// How often the plan was run because of that.
    turns: u32,
    /// Why the steps that began did so.
    started: BTreeMap<usize, Vec<String>>,
}

/// How often a run looks for lost results: each time it finds all of those of a step, and then of those after it.
const MAX_TURNS: u32 = 64;

impl Showing {
    fn of(tree: RunTree) -> Self {
        Self {
            tree,
            entries: BTreeMap::new(),
            made: BTreeMap::new(),
            failures: Vec::new(),
            error: None,
            lost: false,
            turns: 0,
            started: BTreeMap::new(),
        }
    }

    /// Whether an event only says again what was said in an earlier turn.
    fn knows(&self, step: usize, event: &Event) -> bool {
        let shown = self.entries.get(&step).map(|entry| entry.id());
        matches!(event, Event::Done { entry, how, .. } if *how != How::Ran && shown == Some(entry.id()))
    }

    /// Whether something is to be run again, asked once in a turn.
    fn has_lost(&mut self) -> bool {
        self.turns += 1;
        std::mem::take(&mut self.lost)
    }

    /// Shows what an event brings and gives it as one of the run, with where a failed attempt is kept.
    fn show(&mut self, run: &Run<'_>, step: usize, event: &Event) -> Option<RunEvent> {
        let planned = &run.plan.steps[step];
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
            Event::Repeated { differences, .. } => {
                let differences = differences.iter().map(|tapeout_engine::Difference { what, how }| Difference {
                    what: what.clone(),
                    how: how.clone(),
                });
                RunEvent::StepRepeated { differences: differences.collect() }
            }
            Event::Done { entry, how, .. } => {
                let entries = &self.entries;
                let others = || {
                    let others = entries.iter().filter(|(other, _)| **other != step);
                    others.map(|(other, entry)| (run.plan.steps[*other].dir.as_str(), &**entry)).collect()
                };
                let shown = self.tree.show_step(run.engine.store(), planned, entry, others);
                match shown {
                    Err(error) if error.cause == Some(Cause::LostInput) && *how == How::Pinned => {
                        _ = self.error.get_or_insert(lost_pin(planned));
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
                self.failures.push((step, failure));
                event
            }
            Event::Started { .. } | Event::Asked { .. } => return None,
        })
    }
}

fn step_done(entry: &Entry, how: How, shared: bool) -> StepDone {
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
