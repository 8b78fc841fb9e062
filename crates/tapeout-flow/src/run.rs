//! One execution of a plan under a tag.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tapeout_engine::{Engine, Event, Failure, Graph, How, Job, JobBody, Mode, Outcome, Wish};
use tapeout_model::{Class, State};
use tapeout_store::{Entry, FailedJob, JobRef, Pin, RunRef, ShownEntry};

use crate::cast::Cast;
use crate::event::{Happened, RunEvent};
use crate::finish::SUMMARY;
use crate::flow_job::FlowJob;
use crate::pin::{lost_held, lost_pin};
use crate::recorder::Recorder;
use crate::showing::Showing;
use crate::tree::{Edited, RunTree};
use crate::{InRange, Plan, PlannedStep, Reason, RunSummary, StepStatus, StepSummary};

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
    /// The last state: its views, which are files in the run's directory, and its metrics. Of a run without an end, the
    /// state up to which it came.
    pub state: State<PathBuf>,
    /// What has no result: steps by id, and the flow itself without one.
    pub failures: Vec<(Option<String>, Failure)>,
    /// Where its views are.
    pub dir: PathBuf,
    /// What people had edited in the tree and is shown as recorded again.
    pub edited: Vec<Edited>,
    /// Whether all of the flow stands, so that `final/` is what this run came to.
    pub whole: bool,
}

impl Ended {
    /// The steps that have ended, in the order of the flow: now or, where a result was still good, earlier; well or not.
    pub fn steps(&self) -> impl Iterator<Item = &StepSummary> {
        let ended = |step: &&StepSummary| {
            !matches!(step.status, StepStatus::LeftOut | StepStatus::NotReached | StepStatus::Interrupted)
        };
        self.summary.steps.iter().filter(ended)
    }
}

/// A plan, the engine that runs it, and a tag.
pub struct Run<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) engine: &'a Engine,
    pub(crate) tag: String,
    pub(crate) dir: PathBuf,
    /// Its steps: those of the plan, and those that a custom flow has asked for.
    pub(crate) cast: Arc<Cast>,
    /// What the run shows by now, as the store knows it.
    pub(crate) reference: RunRef,
    /// Where in it each step is.
    pub(crate) places: HashMap<String, usize>,
    /// What the last run under this tag came to.
    pub(crate) last: Option<RunSummary>,
    /// Where in that each step is.
    last_places: HashMap<String, usize>,
    command: Option<String>,
    /// The steps before the range that is to run.
    held: BTreeSet<&'a str>,
}

impl<'a> Run<'a> {
    /// A run with its views in `runs/<tag>` of the design.
    ///
    /// # Errors
    /// When a file has the place of the run's directory, or the store cannot be read.
    pub fn new(plan: &'a Plan, engine: &'a Engine, tag: &str) -> Result<Self, Failure> {
        let dir = plan.config.design_dir().join("runs").join(tag);
        if dir.exists() && !dir.is_dir() {
            let message = format!("the run `{tag}` needs the directory `{}`, and a file is there", dir.display());
            return Err(Failure::new(Class::Input, message)
                .hint("move the file away, or give this run a tag of its own with `--tag`"));
        }
        let nothing = || RunRef { dir: Path::new("../../runs").join(tag), jobs: Vec::new() };
        // What another version wrote is of no use, and no reason not to run.
        let last: Option<RunSummary> =
            fs::read(dir.join(SUMMARY)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let reference = engine.store().run(tag)?.unwrap_or_else(nothing);
        Ok(Self {
            plan,
            engine,
            tag: tag.to_owned(),
            dir,
            cast: Arc::new(Cast::of(plan)),
            places: places(reference.jobs.iter().map(|job| &job.name)),
            reference,
            last_places: places(last.iter().flat_map(|last| &last.steps).map(|step| &step.id)),
            last,
            command: None,
            held: (plan.steps.iter())
                .filter(|step| step.in_range == InRange::Held)
                .map(|step| step.id.as_str())
                .collect(),
        })
    }

    /// Keeps a shell's line in the run's directory that would do the same run again.
    #[must_use]
    pub fn command(self, line: String) -> Self {
        Self { command: Some(line), ..self }
    }

    /// What this run showed of a step before.
    pub(crate) fn recorded(&self, step: &str) -> Option<&JobRef> {
        self.places.get(step).map(|place| &self.reference.jobs[*place])
    }

    /// What the last run under this tag came to in a step.
    pub(crate) fn last_of(&self, step: &str) -> Option<&StepSummary> {
        let place = *self.last_places.get(step)?;
        self.last.as_ref()?.steps.get(place)
    }

    pub(crate) fn write_reference(&self) -> Result<(), Failure> {
        Ok(self.engine.store().write_run(&self.tag, &self.reference)?)
    }

    /// The ids of its steps as far as they are known before it runs: those of the plan that are not left out; of a
    /// program, those that its last run asked for, too.
    #[must_use]
    pub fn steps(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.plan.running().map(|(_, step)| step.id.as_str()).collect();
        if self.plan.is_program() {
            let mut known: BTreeSet<&str> = ids.iter().copied().collect();
            let last = self.last.iter().flat_map(|last| &last.steps);
            let last = last.filter(|step| step.status != StepStatus::LeftOut).map(|step| step.id.as_str());
            let asked = last.chain(self.reference.jobs.iter().map(|job| job.name.as_str()));
            ids.extend(asked.filter(|id| known.insert(id)));
        }
        ids
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

    /// The plan's graph, with what the last run tells of the time and the memory that each step takes; and the job in it
    /// that is the flow, if that is a program.
    pub(crate) fn graph(&self) -> (Graph, Option<Arc<FlowJob>>) {
        let last = self.last_times();
        // What is held at a result waits for nothing.
        let mut graph = self.plan.graph(|step| last.get(step).copied(), |step| self.held_entry(&step.id).is_some());
        let program = self.plan.program.as_ref().map(|program| {
            let last = last.into_iter().map(|(step, attempt)| (step.to_owned(), attempt)).collect();
            let pinned = self.reference.jobs.iter().filter(|job| self.pinned_entry(&job.name).is_some());
            let pinned = pinned.map(|job| job.name.clone()).collect();
            let cast = Arc::clone(&self.cast);
            let job = Arc::new(FlowJob::new(self.plan, program.clone(), cast, self.dir.clone(), last, pinned));
            graph.add(Job::conducting(format!("({})", self.plan.flow), Arc::clone(&job) as Arc<dyn JobBody>));
            job
        });
        (graph, program)
    }

    /// The result that this run shows of a step, as far as the store still has it.
    pub(crate) fn shown_entry(&self, step: &str) -> Option<Arc<Entry>> {
        let shown = self.recorded(step)?.shown?;
        self.engine.store().entry(&shown.key, &shown.id)
    }

    /// The result that a step is pinned at, as far as the store still has it.
    pub(crate) fn pinned_entry(&self, step: &str) -> Option<Arc<Entry>> {
        self.pinned(step).and_then(|_| self.shown_entry(step))
    }

    /// The same for a step that is pinned, or stands before the range that is to run.
    fn held_entry(&self, step: &str) -> Option<Arc<Entry>> {
        if self.is_held(step) { self.shown_entry(step) } else { self.pinned_entry(step) }
    }

    /// Whether no step stands before the range that is to run.
    pub(crate) fn holds_nothing(&self) -> bool {
        self.held.is_empty()
    }

    fn is_held(&self, step: &str) -> bool {
        self.held.contains(step)
    }

    /// What is wanted of a step: what it is pinned or held at comes first.
    pub(crate) fn wish(&self, step: &str, again: Again) -> Wish {
        match again {
            _ if self.is_held(step) => self.held_entry(step).map_or(Wish::Result, Wish::Pinned),
            Again::No => self.pinned_entry(step).map_or(Wish::Result, Wish::Pinned),
            Again::Fresh => Wish::Fresh,
            Again::Compare => Wish::Repeat,
        }
    }

    /// Runs what is not recorded and shows the results. `again` says by step id what to run although it is recorded.
    ///
    /// # Errors
    /// When steps are not there to run, see [`Plan::require_steps`]; when the run's directory cannot be written or another
    /// process is using it. What fails in a step is in [`Ended`].
    pub fn execute(
        mut self,
        again: impl Fn(&str) -> Again + Sync,
        sink: impl Fn(Option<usize>, &Happened) + Sync,
    ) -> Result<Ended, Failure> {
        self.plan.require_steps()?;
        let tree = RunTree::open(&self.dir)?;
        self.read_reference()?;
        for id in self.steps() {
            let is_lost = self.shown_entry(id).is_none();
            match self.is_held(id) {
                true if is_lost => return Err(lost_held(id)),
                false if is_lost && self.pinned(id).is_some() => return Err(lost_pin(id)),
                true | false => {}
            }
        }
        tree.write_json("resolved.json", &self.plan.resolved())?;
        if let Some(command) = &self.command {
            tree.write_text("command", command)?;
        }
        let recorder = Recorder::create(&self.dir)?;
        let tell = |step: Option<usize>, event: RunEvent| {
            let about = step.map(|step| self.cast.step(step));
            let happened = Happened::now(about.as_ref().map(|step| (step.id.as_str(), step.dir.as_str())), event);
            recorder.record(&happened);
            sink(step, &happened);
        };
        let (graph, program) = self.graph();
        tell(None, self.started());
        let showing = Mutex::new(Showing::of(tree));
        let run = |wish: &dyn Fn(&Job) -> Wish| {
            self.engine.run(&graph, Mode::Run, wish, &|event| {
                if let Event::Told { note, .. } = event {
                    let Some(event) = note.downcast_ref().map(RunEvent::of) else { return };
                    if let RunEvent::Compared(comparison) = &event {
                        let mut showing = showing.lock().unwrap_or_else(PoisonError::into_inner);
                        showing.comparisons.retain(|known| known.title != comparison.title);
                        showing.comparisons.push(comparison.clone());
                    }
                    return tell(None, event);
                }
                if let Event::Asked { job, name, by } = event {
                    self.cast.bind(*job, name, *by);
                }
                // What the parts of a step do is told as the step's; how they end is the step's business.
                let step = self.cast.step_of(event.job()).or_else(|| match event {
                    Event::Running { .. } | Event::Waiting { .. } | Event::Retried { .. } => {
                        self.cast.whole_of(event.job())
                    }
                    _ => None,
                });
                let Some(step) = step else { return };
                let mut showing = showing.lock().unwrap_or_else(PoisonError::into_inner);
                if showing.knows(step, event) {
                    return;
                }
                let event = match event {
                    Event::Started { job } => {
                        let planned = self.cast.step(step);
                        let again = again(&planned.id);
                        let reasons = self.reasons(&graph, *job, step, again, &showing.entries);
                        let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
                        showing.started.insert(step, reasons.clone());
                        Some(RunEvent::StepStarted { name: planned.info.name.to_owned(), reasons })
                    }
                    event => showing.show(&self, step, event),
                };
                drop(showing);
                // What is held only stands there: nothing happens to it.
                if let Some(event) = event.filter(|_| self.cast.step(step).in_range == InRange::Inside) {
                    tell(Some(step), event);
                }
            })
        };
        let mut outcomes = run(&|job| self.wish(&job.name, again(whole(&job.name))));
        // Results that could not be shown, because the store has lost files of theirs, do not count as recorded now. What
        // is shown already stands.
        let entries = |step: usize| {
            let showing = showing.lock().unwrap_or_else(PoisonError::into_inner);
            showing.entries.get(&step).cloned()
        };
        while showing.lock().unwrap_or_else(PoisonError::into_inner).has_lost() && !interrupted(&outcomes) {
            let shown: BTreeMap<String, Arc<Entry>> = (self.cast.steps().iter().enumerate())
                .filter_map(|(index, step)| Some((step.id.clone(), entries(index)?)))
                .collect();
            let shows = |step: &PlannedStep| shown.contains_key(&step.id);
            let before = self.outcomes_of_steps(&outcomes).filter(|(_, step, _)| shows(step));
            let before: BTreeMap<usize, Outcome> = before.map(|(index, _, outcome)| (index, outcome.clone())).collect();
            outcomes = run(&|job| shown.get(&job.name).cloned().map_or(Wish::Result, Wish::Pinned));
            // A flow may have asked for its steps in another order.
            for (id, outcome) in Graph::ids_of(outcomes.len()).zip(&mut outcomes) {
                if let Some(old) = self.cast.step_of(id).and_then(|step| before.get(&step)) {
                    outcome.clone_from(old);
                }
            }
        }
        let showing = showing.into_inner().unwrap_or_else(PoisonError::into_inner);
        // A program that did not come to its end may not have asked for all its steps.
        let was_cut = program.as_ref().is_some_and(|program| program.way().is_none());
        let reference = self.new_reference(&outcomes, was_cut);
        let ended = self.finish(showing, &outcomes, program.as_deref())?;
        let exit_code = ended.summary.class.map_or(0, Class::exit_code);
        let summary = Box::new(ended.summary.clone());
        recorder.record(&Happened::now(None, RunEvent::RunFinished { exit_code, dir: ended.dir.clone(), summary }));
        self.reference = reference;
        self.write_reference()?;
        Ok(ended)
    }

    /// What the run shows now: new results, and the old ones of steps that have none.
    fn new_reference(&self, outcomes: &[Outcome], was_cut: bool) -> RunRef {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let job = |(_, step, outcome): (usize, Arc<PlannedStep>, &Outcome)| {
            let name = step.id.clone();
            let before = self.recorded(&name).cloned();
            let before = before.unwrap_or(JobRef { name, shown: None, pin: None, failed: None });
            match outcome {
                Outcome::Done { .. } if step.in_range == InRange::Held => before,
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
        let mut jobs: Vec<JobRef> = self.outcomes_of_steps(outcomes).map(job).collect();
        // A pin holds also while the step is not in the plan; what a range leaves out is as it was.
        let beyond: HashSet<&str> =
            self.plan.steps.iter().filter(|step| step.is_beyond()).map(|step| step.id.as_str()).collect();
        let known: HashSet<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
        let stays = |job: &&JobRef| {
            (was_cut || job.pin.is_some() || beyond.contains(job.name.as_str())) && !known.contains(job.name.as_str())
        };
        let staying: Vec<JobRef> = self.reference.jobs.iter().filter(stays).cloned().collect();
        jobs.extend(staying);
        RunRef { dir: self.reference.dir.clone(), jobs }
    }

    /// Takes in what another process may have written of this run.
    pub(crate) fn read_reference(&mut self) -> Result<(), Failure> {
        if let Some(reference) = self.engine.store().run(&self.tag)? {
            self.places = places(reference.jobs.iter().map(|job| &job.name));
            self.reference = reference;
        }
        Ok(())
    }

    /// The outcomes of jobs that stand for steps, each with the step and its index.
    pub(crate) fn outcomes_of_steps<'o>(
        &'o self,
        outcomes: &'o [Outcome],
    ) -> impl Iterator<Item = (usize, Arc<PlannedStep>, &'o Outcome)> {
        Graph::ids_of(outcomes.len()).zip(outcomes).filter_map(|(job, outcome)| {
            let index = self.cast.step_of(job)?;
            Some((index, self.cast.step(index), outcome))
        })
    }

    fn started(&self) -> RunEvent {
        RunEvent::RunStarted {
            flow: self.plan.flow.clone(),
            design: self.plan.design().to_owned(),
            tag: self.tag.clone(),
            steps: (self.plan.running())
                .filter(|(_, step)| step.in_range == InRange::Inside)
                .map(|(_, step)| step.id.clone())
                .collect(),
        }
    }
}

/// The step that a job is, or is a part of.
pub(crate) fn whole(job: &str) -> &str {
    job.split_once('/').map_or(job, |(whole, _)| whole)
}

/// Where each of some names is; the first one, should one be there twice.
fn places<'n>(names: impl Iterator<Item = &'n String>) -> HashMap<String, usize> {
    let mut places = HashMap::new();
    for (place, name) in names.enumerate() {
        places.entry(name.clone()).or_insert(place);
    }
    places
}

pub(crate) fn interrupted(outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failed(failure) if failure.class == Class::Interrupted))
}
