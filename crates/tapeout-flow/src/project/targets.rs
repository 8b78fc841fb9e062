//! Targets that are to be built, with all that they require: one run of the engine, and the views of it.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use tapeout_engine::{Cause, Engine, Event, Failure, Graph, How, Job, JobId, Mode, Outcome, Part, Wish};
use tapeout_model::Class;
use tapeout_store::{Entry, FailedJob, JobRef, RunRef, ShownEntry};

use super::build::{Built, TargetState, TargetStatus, TargetsEnded};
use super::job::{Site, TargetJob};
use super::{FlowPlanner, Project, TargetId, reason};
use crate::event::{Happened, RunEvent, StepFailed};
use crate::recorder::{Recorder, open_steps, recorded_events};
use crate::run::interrupted;
use crate::showing::step_done;
use crate::stage::Note;
use crate::tree::{RunTree, edited_files};
use crate::{Again, Reason, Stands, StepStatus};

/// The build directory, if nobody says another.
pub const BUILD_DIR: &str = "build";

/// How often a run looks for results whose files are lost.
const MAX_TURNS: u32 = 64;

/// Of more targets than this, nobody wants to hear one by one that they are as they were.
const MANY: usize = 40;

/// What will be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetPlan {
    /// The targets in the order in which they come, each after what it requires.
    pub targets: Vec<TargetId>,
    /// Those that were asked for.
    pub asked: HashSet<TargetId>,
}

/// Targets, and the engine that builds them.
pub struct Targets<'a> {
    project: Arc<Project>,
    engine: &'a Engine,
    /// The build directory.
    dir: PathBuf,
    plan: TargetPlan,
    graph: Graph,
    /// What the build directory shows by now, as the store knows it.
    reference: RunRef,
    tag: String,
    /// Where in it each target of the plan is.
    places: Vec<Option<usize>>,
}

impl<'a> Targets<'a> {
    /// These targets of a project, with views in `dir`, which is seen from the project. `planner` plans the flows that
    /// tasks ask for.
    ///
    /// # Errors
    /// When a file has the place of the build directory, or the store cannot be read.
    pub fn new(
        project: &Arc<Project>,
        asked: &[TargetId],
        engine: &'a Engine,
        dir: &Path,
        planner: FlowPlanner,
    ) -> Result<Self, Failure> {
        let absolute = project.root().join(dir);
        if absolute.exists() && !absolute.is_dir() {
            let message = format!("the build directory is to be `{}`, and a file is there", absolute.display());
            return Err(Failure::new(Class::Input, message).hint("move the file away, or name another directory"));
        }
        let Some(build_dir) = dir.to_str() else {
            return Err(Failure::new(Class::Input, format!("the path `{}` is not UTF-8", dir.display())));
        };
        let site = Arc::new(Site { project: Arc::clone(project), build_dir: build_dir.to_owned(), planner });
        let targets = project.closure(asked);
        let tag = tag(build_dir);
        let shown_dir = || if dir.is_absolute() { dir.to_owned() } else { Path::new("../..").join(dir) };
        let reference = engine.store().run(&tag)?.unwrap_or_else(|| RunRef { dir: shown_dir(), jobs: Vec::new() });
        let places = places(project, &targets, &reference);
        let mut graph = Graph::default();
        let mut jobs: Vec<Option<JobId>> = vec![None; project.count()];
        for target in &targets {
            let task = project.task(*target);
            let job_of = |required| jobs[project.index(required)].expect("a closure has what is required before");
            let body = Arc::new(TargetJob { site: Arc::clone(&site), target: *target });
            let job = Job {
                inputs: project.required(*target).map(|(_, required)| (Part::Any, job_of(required))).collect(),
                always: task.always_rebuild,
                brief: task.body.may_be_brief(),
                claims: task.claims.clone(),
                ..Job::new(project.name(*target), body)
            };
            jobs[project.index(*target)] = Some(graph.add(job));
        }
        let plan = TargetPlan { targets, asked: asked.iter().copied().collect() };
        Ok(Self { project: Arc::clone(project), engine, dir: absolute, plan, graph, reference, tag, places })
    }

    /// What is to be done.
    #[must_use]
    pub fn plan(&self) -> &TargetPlan {
        &self.plan
    }

    fn name(&self, place: usize) -> &str {
        &self.graph.jobs()[place].name
    }

    fn target(&self, place: usize) -> TargetId {
        self.plan.targets[place]
    }

    /// What the build directory shows of a target.
    fn recorded(&self, place: usize) -> Option<&JobRef> {
        self.places[place].map(|place| &self.reference.jobs[place])
    }

    fn shown_entry(&self, place: usize) -> Option<Arc<Entry>> {
        let shown = self.recorded(place)?.shown?;
        self.engine.store().entry(&shown.key, &shown.id)
    }

    /// Builds what is not recorded and shows the results. `again` says by name what to build although it is recorded. An
    /// event that is about a target comes with its place in the plan.
    ///
    /// # Errors
    /// When the build directory cannot be written or another process is using it. What fails in a target is in
    /// [`TargetsEnded`].
    pub fn execute(
        self,
        again: impl Fn(&str) -> Again + Sync,
        sink: impl Fn(Option<usize>, &Happened) + Sync,
    ) -> Result<TargetsEnded, Failure> {
        let tree = RunTree::open(&self.dir)?;
        let recorder = Recorder::create(&self.dir)?;
        let tell = |place: Option<usize>, event: RunEvent| {
            let about = place.map(|place| (self.name(place), self.project.dir(self.target(place))));
            let happened = Happened::now(about.as_ref().map(|(name, dir)| (*name, dir.as_str())), event);
            recorder.record(&happened);
            sink(place, &happened);
        };
        let showing = Mutex::new(Showing::new(tree, self.plan.targets.len()));
        let locked = || showing.lock().unwrap_or_else(PoisonError::into_inner);
        // Shown before anything else begins: a task may have been told of a file of a target that it does not require.
        let run = |wish: &dyn Fn(&Job) -> Wish| {
            self.engine.run(&self.graph, Mode::Run, wish, &|event| {
                let mut showing = locked();
                let Some(place) = showing.place_of(event, self.plan.targets.len()) else { return };
                let event = match event {
                    Event::Started { .. } if showing.is_own(event) => {
                        let reasons = self.reasons(place, again(self.name(place)), &showing.entries);
                        let reasons = reasons.iter().map(Reason::to_string).collect();
                        let name = self.project.task(self.target(place)).help();
                        Some(RunEvent::StepStarted { name, reasons })
                    }
                    event => showing.show(&self, place, event),
                };
                drop(showing);
                if let Some(event) = event {
                    tell(Some(place), event);
                }
            })
        };
        let mut outcomes = run(&|job| match again(&job.name) {
            Again::No => Wish::Result,
            Again::Fresh => Wish::Fresh,
            Again::Compare => Wish::Repeat,
        });
        let mut turns = 0;
        // Results that could not be shown, because the store has lost files of theirs, do not count as recorded now.
        while std::mem::take(&mut locked().lost) && turns < MAX_TURNS && !interrupted(&outcomes) {
            turns += 1;
            let shown: HashMap<String, Arc<Entry>> = (locked().entries.iter().enumerate())
                .filter_map(|(place, entry)| Some((self.name(place).to_owned(), Arc::clone(entry.as_ref()?))))
                .collect();
            let before = outcomes;
            outcomes = run(&|job| shown.get(&job.name).cloned().map_or(Wish::Result, Wish::Pinned));
            for (place, (outcome, old)) in outcomes.iter_mut().zip(before).take(self.plan.targets.len()).enumerate() {
                if shown.contains_key(self.name(place)) {
                    *outcome = old;
                }
            }
        }
        let mut showing = showing.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(error) = showing.error.take() {
            return Err(error);
        }
        showing.tree.close()?;
        let ended = self.ended(&mut showing, &outcomes);
        self.keep_reference(&outcomes)?;
        Ok(ended)
    }

    fn ended(&self, showing: &mut Showing, outcomes: &[Outcome]) -> TargetsEnded {
        let mut ended = TargetsEnded { dir: self.dir.clone(), ..TargetsEnded::default() };
        for (place, outcome) in outcomes.iter().enumerate().take(self.plan.targets.len()) {
            let id = self.target(place);
            let (status, entry) = match outcome {
                Outcome::Done { entry, how: How::Ran } => (StepStatus::Done, Some(Arc::clone(entry))),
                Outcome::Done { entry, .. } => (StepStatus::Reused, Some(Arc::clone(entry))),
                Outcome::Failed(failure) => match failure.class {
                    Class::Interrupted => (StepStatus::Interrupted, None),
                    Class::Check => (StepStatus::CheckFailed, None),
                    _ => (StepStatus::Failed, None),
                },
                Outcome::Skipped | Outcome::WouldRun => (StepStatus::NotReached, None),
            };
            ended.targets.push(Built { id, asked: self.plan.asked.contains(&id), status, entry });
        }
        ended.failures = std::mem::take(&mut showing.failures);
        ended.edited = showing.tree.take_edited();
        let classes = ended.failures.iter().map(|(_, failure)| failure.class);
        // What was stopped because another one failed says nothing.
        ended.class = classes.min_by_key(|class| *class == Class::Interrupted);
        ended
    }

    /// Writes down what the build directory shows now: new results, and the old ones of targets that have none.
    fn keep_reference(mut self, outcomes: &[Outcome]) -> Result<(), Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut changed = false;
        for (place, outcome) in outcomes.iter().enumerate().take(self.plan.targets.len()) {
            let name = &self.graph.jobs()[place].name;
            let known = self.places[place];
            let (shown, failed) = match outcome {
                Outcome::Done { entry, .. } => (Some(ShownEntry { key: entry.key, id: entry.id() }), None),
                Outcome::Failed(failure) => {
                    let message = failure.message.clone();
                    let interrupted = failure.class == Class::Interrupted;
                    let shown = known.and_then(|place| self.reference.jobs[place].shown);
                    (shown, Some(FailedJob { message, interrupted, when: now }))
                }
                Outcome::Skipped | Outcome::WouldRun => continue,
            };
            match known {
                Some(place) => {
                    let job = &mut self.reference.jobs[place];
                    if job.shown != shown || job.failed != failed {
                        (job.shown, job.failed) = (shown, failed);
                        changed = true;
                    }
                }
                None => {
                    self.reference.jobs.push(JobRef { name: name.clone(), shown, pin: None, failed });
                    changed = true;
                }
            }
        }
        if changed {
            self.engine.store().write_run(&self.tag, &self.reference)?;
        }
        Ok(())
    }

    /// How each target stands, without building anything, in the order of the plan.
    #[must_use]
    pub fn look(&self, again: impl Fn(&str) -> Again) -> Vec<TargetState> {
        let wish = |job: &Job| if again(&job.name) == Again::No { Wish::Result } else { Wish::Fresh };
        let outcomes = self.engine.run(&self.graph, Mode::Look, wish, &|_| {});
        let events = recorded_events(&self.dir);
        let open = open_steps(&events);
        let in_use = RunTree::is_in_use(&self.dir);
        let edited = edited_files(self.engine.store(), &self.dir);
        let entries: Vec<Option<Arc<Entry>>> = outcomes.iter().map(done).collect();
        let state = |(place, outcome): (usize, &Outcome)| {
            let name = self.name(place);
            let is_done = matches!(outcome, Outcome::Done { .. });
            let reasons = if is_done { Vec::new() } else { self.reasons(place, again(name), &entries) };
            let failed = self.recorded(place).and_then(|job| job.failed.as_ref());
            let (status, note) = match outcome {
                _ if in_use && open.contains_key(name) => (Stands::Running, None),
                Outcome::Done { .. } => match edited.get(&self.project.dir(self.target(place))) {
                    Some(files) => (Stands::Edited, Some(files.join(", "))),
                    None => (Stands::Fresh, None),
                },
                _ => match failed {
                    Some(failed) if failed.interrupted => (Stands::Interrupted, None),
                    Some(failed) => (Stands::Failed, Some(failed.message.clone())),
                    None if open.contains_key(name) => (Stands::Interrupted, None),
                    None if self.recorded(place).is_some_and(|job| job.shown.is_some()) => (Stands::Stale, None),
                    None => (Stands::Missing, None),
                },
            };
            TargetState { status, would_run: !is_done, reasons, note }
        };
        outcomes.iter().enumerate().take(self.plan.targets.len()).map(state).collect()
    }

    /// The targets of the plan as rows of a table.
    #[must_use]
    pub fn table(&self) -> Vec<TargetStatus> {
        let states = self.look(|_| Again::No);
        let row = |(place, state): (usize, TargetState)| {
            let task = self.project.task(self.target(place));
            let entry = self.shown_entry(place);
            let attempt = entry.as_deref().map(Entry::attempt);
            TargetStatus {
                target: self.name(place).to_owned(),
                hidden: task.hidden,
                help: task.help(),
                finished: attempt.map(|attempt| attempt.started + attempt.wall_ms.div_ceil(1000)),
                wall_ms: attempt.map(|attempt| attempt.wall_ms),
                state,
            }
        };
        states.into_iter().enumerate().map(row).collect()
    }

    fn reasons(&self, place: usize, again: Again, entries: &[Option<Arc<Entry>>]) -> Vec<Reason> {
        let name = self.name(place);
        if again == Again::Fresh {
            return vec![Reason::new("fresh", name, "a new result was asked for")];
        }
        if self.project.task(self.target(place)).always_rebuild {
            return vec![Reason::new("always", name, "it is built each time")];
        }
        let Some(shown) = self.recorded(place).and_then(|job| job.shown) else {
            return vec![Reason::new("first", name, "it has no result yet")];
        };
        let entry = self.engine.store().entry(&shown.key, &shown.id);
        let result_of = |from: JobId| entries.get(from.index())?.clone();
        let job = &self.graph.jobs()[place];
        let name_of = |from: JobId| self.name(from.index()).to_owned();
        let mut reasons: Vec<Reason> = Vec::new();
        for change in self.engine.changes(job, &shown.key, entry.as_deref(), result_of) {
            let reason = reason::of(change, name, name_of);
            if !reasons.contains(&reason) {
                reasons.push(reason);
            }
        }
        if reasons.is_empty() {
            // Of what it read nothing has changed by now; what comes of what it requires is not known.
            let unknown = job.inputs.iter().find(|(_, from)| entries[from.index()].is_none());
            let words = unknown.map(|(_, from)| (name_of(*from), format!("{} would run first", name_of(*from))));
            reasons.extend(words.map(|(from, words)| Reason::new("input", from, words)));
        }
        reasons
    }
}

/// Where each target of a plan is in what the store knows of the build directory.
fn places(project: &Project, plan: &[TargetId], reference: &RunRef) -> Vec<Option<usize>> {
    let mut places = vec![None; project.count()];
    for (place, job) in reference.jobs.iter().enumerate() {
        let target = job.name.split_once('.').and_then(|(block, task)| project.target(block, task));
        if let Some(target) = target {
            places[project.index(target)] = Some(place);
        }
    }
    plan.iter().map(|target| places[project.index(*target)]).collect()
}

fn done(outcome: &Outcome) -> Option<Arc<Entry>> {
    match outcome {
        Outcome::Done { entry, .. } => Some(Arc::clone(entry)),
        Outcome::Failed(_) | Outcome::Skipped | Outcome::WouldRun => None,
    }
}

/// The name by which the store knows what a build directory shows. No tag of a run has a `@`.
fn tag(build_dir: &str) -> String {
    if build_dir == BUILD_DIR { "@build".to_owned() } else { format!("@build {}", build_dir.replace('/', "%")) }
}

/// The build directory while a run goes on.
struct Showing {
    tree: RunTree,
    /// The results by place in the plan.
    entries: Vec<Option<Arc<Entry>>>,
    /// Which target a job is a part of, of those that targets asked for.
    parts: HashMap<JobId, usize>,
    failures: Vec<(String, Failure)>,
    /// The first failure to write the build directory.
    error: Option<Failure>,
    /// Whether a result could not be shown because files of it are lost.
    lost: bool,
}

impl Showing {
    fn new(tree: RunTree, count: usize) -> Self {
        Self { tree, entries: vec![None; count], parts: HashMap::new(), failures: Vec::new(), error: None, lost: false }
    }

    /// The place of the target that an event is about, or about a part of which it is.
    fn place_of(&mut self, event: &Event, count: usize) -> Option<usize> {
        let place = |job: JobId, parts: &HashMap<JobId, usize>| {
            if job.index() < count { Some(job.index()) } else { parts.get(&job).copied() }
        };
        if let Event::Asked { job, by, .. } = event {
            let whole = place(*by, &self.parts)?;
            self.parts.insert(*job, whole);
            return None;
        }
        place(event.job(), &self.parts)
    }

    fn is_own(&self, event: &Event) -> bool {
        !self.parts.contains_key(&event.job())
    }

    /// Shows what an event brings and gives it as one of the run.
    fn show(&mut self, targets: &Targets<'_>, place: usize, event: &Event) -> Option<RunEvent> {
        let is_own = self.is_own(event);
        Some(match event {
            Event::Running { commands, log, .. } => {
                RunEvent::StepRunning { commands: commands.clone(), log: log.clone() }
            }
            Event::Waiting { reason, .. } => RunEvent::StepWaiting { reason: reason.clone() },
            Event::Retried { reason, .. } => RunEvent::StepRetried { reason: reason.clone() },
            Event::Repeated { differences, .. } => RunEvent::StepRepeated { differences: differences.clone() },
            Event::Told { note, .. } => match note.downcast_ref::<Note>()? {
                // Those of a run are about all of it, and here several flows may be at work.
                Note::StageStarted(stage) => RunEvent::Message { text: stage.to_string() },
                Note::StageEnded => return None,
                note => RunEvent::of(note),
            },
            Event::Done { entry, how, .. } if is_own => {
                if self.entries[place].as_ref().is_some_and(|shown| shown.id() == entry.id()) && *how != How::Ran {
                    return None;
                }
                let store = targets.engine.store();
                let (project, target) = (&targets.project, targets.target(place));
                if targets.recorded(place).is_some_and(|job| job.failed.is_some())
                    && let Err(error) = self.tree.forget_failed(&project.dir(target))
                {
                    self.error.get_or_insert(error);
                }
                let is_asked = targets.plan.asked.contains(&target);
                match self.tree.show_target(store, project, target, entry, is_asked) {
                    Err(error) if error.cause == Some(Cause::LostInput) => {
                        store.weed(entry);
                        self.lost = true;
                        return None;
                    }
                    Err(error) => _ = self.error.get_or_insert(error),
                    Ok(()) => {}
                }
                self.entries[place] = Some(Arc::clone(entry));
                // What is as it was is news only to who asked for it, and not for very much.
                if *how != How::Ran && (!is_asked || targets.plan.asked.len() > MANY) {
                    return None;
                }
                RunEvent::StepDone(step_done(entry, *how, false))
            }
            Event::Failed { failure, .. } if is_own => {
                let mut failure = failure.clone();
                if let Some(work_dir) = failure.work_dir.take() {
                    let dir = targets.project.dir(targets.target(place));
                    let kept = self.tree.keep_failed_as(&dir, &work_dir);
                    failure.work_dir = Some(kept.unwrap_or(work_dir));
                }
                let event = RunEvent::StepFailed(StepFailed::from(&failure));
                self.failures.push((targets.name(place).to_owned(), failure));
                event
            }
            _ => return None,
        })
    }
}
