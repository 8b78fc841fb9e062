//! Driving a graph to its end: recalling what is recorded, starting what is not, telling what happens.

use std::collections::HashSet;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, mpsc};
use std::thread;

use tapeout_guard::{Guard, GuardCommand};
use tapeout_model::{Attempt, Class, Digest, Read, Verdict};
use tapeout_store::{Entry, FileTime, KeyHasher, Store};

use crate::cx::part_digest;
use crate::schedule::{End, JobState, Scheduler};
use crate::work_dir::{self, WorkDir, Workplace};
use crate::{Event, Failure, Graph, Job, JobCx, JobId, Part, Toolbox};

/// How an engine runs its jobs.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many jobs run at a time.
    pub slots: usize,
    /// Whether jobs that do not need a failed one go on.
    pub keep_going: bool,
    /// How the guard process is started.
    pub guard: GuardCommand,
    /// Where to note what the tools of this machine are, for all projects. Without it, each project finds out.
    pub machine_notes: Option<PathBuf>,
}

/// Whether to run what is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Run it.
    Run,
    /// Only say that it would run.
    Look,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It has a result. A failed check is in the record's verdict.
    Done {
        /// The result.
        entry: Arc<Entry>,
        /// Whether it was recalled instead of run.
        reused: bool,
    },
    /// It ended without a result.
    Failed(Failure),
    /// It did not start: something it needs failed, or the run was stopped.
    Skipped,
    /// Looking only: it would run.
    WouldRun,
}

/// Store, tools, guard and options of one project.
pub struct Engine {
    project: PathBuf,
    store: Store,
    machine: Option<Store>,
    toolbox: Toolbox,
    options: Options,
    guard: Mutex<Option<Arc<Guard>>>,
    stopping: AtomicBool,
    settled: OnceLock<FileTime>,
    workplace: Mutex<Option<Arc<Workplace>>>,
}

/// Who is told what happens; called from several threads.
pub type Sink<'a> = &'a (dyn Fn(&Event) + Sync);

impl Engine {
    /// An engine for the project in this directory (absolute), with its store in `.tapeout/store`.
    ///
    /// # Errors
    /// When the store cannot be opened, or is not where relative paths of the project hold.
    pub fn open(project: &Path, toolbox: Toolbox, options: Options) -> Result<Self, Failure> {
        let hidden = project.join(".tapeout");
        if hidden.is_symlink() {
            let message =
                format!("`{}` is a link, and tools name sources relative to where they run", hidden.display());
            return Err(Failure::new(Class::Environment, message).hint("make it a directory, or mount one there"));
        }
        let store = Store::open(&project.join(".tapeout/store"))?;
        work_dir::sweep(project);
        Ok(Self {
            project: project.to_owned(),
            store,
            // A cache: where it cannot be, we do without.
            machine: options.machine_notes.as_deref().and_then(|folder| Store::open(folder).ok()),
            toolbox,
            options,
            guard: Mutex::default(),
            stopping: AtomicBool::new(false),
            settled: OnceLock::new(),
            workplace: Mutex::default(),
        })
    }

    /// The project's directory.
    #[must_use]
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Where to note what is true of the machine and not of a project.
    pub(crate) fn notes(&self) -> &Store {
        self.machine.as_ref().unwrap_or(&self.store)
    }

    /// The tools.
    #[must_use]
    pub fn toolbox(&self) -> &Toolbox {
        &self.toolbox
    }

    /// The guard, which is started when first needed: looking at recorded results needs none.
    pub(crate) fn guard(&self) -> io::Result<Arc<Guard>> {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(guard) = &*guard {
            return Ok(Arc::clone(guard));
        }
        let started = Arc::new(Guard::start(&self.options.guard)?);
        *guard = Some(Arc::clone(&started));
        Ok(started)
    }

    /// A fresh directory for a tool to run in.
    pub(crate) fn work_dir(&self) -> io::Result<WorkDir> {
        let mut workplace = self.workplace.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(workplace) = &*workplace {
            return workplace.dir();
        }
        let opened = Arc::new(Workplace::open(&self.project)?);
        *workplace = Some(Arc::clone(&opened));
        opened.dir()
    }

    /// Stops the run: kills every tool and starts nothing more. [`Engine::run`] then returns soon.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        if let Some(guard) = &*self.guard.lock().unwrap_or_else(PoisonError::into_inner) {
            guard.kill_all();
        }
    }

    /// A moment of the file clock after all edits that were made before the first tool ran. What has a later time stamp
    /// was changed while tools were running.
    pub(crate) fn settled(&self) -> FileTime {
        let first = *self.settled.get_or_init(FileTime::next);
        FileTime::now().max(first)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Runs a graph, or looks what would run. Gives the outcome of each job, in the order of the graph. Jobs for which
    /// `fresh` is true run although they are recorded.
    ///
    /// Without `keep_going`, the first failure stops the jobs that run and starts no more.
    pub fn run(&self, graph: &Graph, mode: Mode, fresh: impl Fn(&Job) -> bool, sink: Sink<'_>) -> Vec<Outcome> {
        let mut progress = Progress {
            sink,
            scheduler: Scheduler::new(graph, self.options.slots),
            outcomes: vec![Outcome::Skipped; graph.jobs().len()],
        };
        thread::scope(|scope| {
            if mode == Mode::Run {
                scope.spawn(|| self.identify_found_tools());
            }
            let (done, finished) = mpsc::channel::<(JobId, Outcome)>();
            loop {
                while let Some(id) = progress.scheduler.start_next() {
                    let job = graph.job(id);
                    let inputs = progress.inputs_of(job);
                    let key = weak_key(job);
                    let fresh = job.always || fresh(job);
                    if let Some(entry) = (!fresh).then(|| self.recall(job, &key, &inputs)).flatten() {
                        self.end(&mut progress, job, id, Outcome::Done { entry, reused: true });
                    } else if mode == Mode::Look {
                        self.end(&mut progress, job, id, Outcome::WouldRun);
                    } else {
                        sink(&Event::Started { job: id });
                        let done = done.clone();
                        scope.spawn(move || {
                            let outcome = match self.run_body(id, job, key, &inputs, fresh, sink) {
                                Ok(entry) => Outcome::Done { entry, reused: false },
                                Err(failure) => Outcome::Failed(failure),
                            };
                            // The receiver lives until every running job has reported.
                            let _ = done.send((id, outcome));
                        });
                    }
                }
                if progress.scheduler.running() == 0 {
                    break;
                }
                let Ok((id, outcome)) = finished.recv() else { break };
                self.end(&mut progress, graph.job(id), id, outcome);
            }
        });
        if mode == Mode::Look {
            for id in graph.ids().filter(|id| progress.scheduler.state(*id) == JobState::Skipped) {
                progress.outcomes[id.index()] = Outcome::WouldRun;
            }
        }
        progress.outcomes
    }

    /// Tells of an outcome, keeps it, and decides whether others may build on it.
    fn end(&self, progress: &mut Progress<'_>, job: &Job, id: JobId, outcome: Outcome) {
        let end = match &outcome {
            Outcome::Done { entry, reused } => {
                let entry = Arc::clone(entry);
                let passed = job.defers_check || !matches!(entry.record.verdict, Verdict::Failed { .. });
                (progress.sink)(&if *reused {
                    Event::Reused { job: id, entry }
                } else {
                    Event::Done { job: id, entry }
                });
                if passed { End::Done } else { End::Failed }
            }
            Outcome::Failed(failure) => {
                (progress.sink)(&Event::Failed { job: id, failure: failure.clone() });
                End::Failed
            }
            Outcome::Skipped | Outcome::WouldRun => End::Failed,
        };
        let only_looking = matches!(outcome, Outcome::WouldRun);
        progress.outcomes[id.index()] = outcome;
        progress.scheduler.ended(id, end);
        if end == End::Failed && !only_looking && !self.options.keep_going {
            self.stop();
        }
        if self.is_stopping() {
            progress.scheduler.halt();
        }
    }

    fn recall(&self, job: &Job, key: &Digest, inputs: &[Option<Arc<Entry>>]) -> Option<Arc<Entry>> {
        let input = |index: u32| {
            let (part, _) = job.inputs.get(index as usize)?;
            part_digest(inputs.get(index as usize)?.as_deref()?, part)
        };
        let entries = self.store.entries(key);
        entries.into_iter().rev().find(|entry| self.verifies(entry, input))
    }

    /// Whether every read of a recorded result gives the same now, and its files are in the store.
    pub(crate) fn verifies(&self, entry: &Entry, input: impl Fn(u32) -> Option<Digest>) -> bool {
        let same = |read: &Read| match read {
            Read::Input { index, digest } => input(*index) == *digest,
            Read::File { .. } | Read::Tool { .. } => self.is_same(read),
        };
        entry.reads.iter().all(same)
            && entry
                .record
                .outputs
                .iter()
                .chain(&entry.attempt().log)
                .chain(&entry.attempt().inputs)
                .all(|o| self.store.has(o))
    }

    /// Whether a file or a tool is still what it was.
    fn is_same(&self, read: &Read) -> bool {
        match read {
            Read::File { path, digest } => {
                self.store.file_digest(&self.project.join(path)).is_ok_and(|found| found == *digest)
            }
            Read::Tool { name, digest } => self.tool(name).and_then(|tool| self.identity(&tool)).ok() == *digest,
            Read::Input { .. } => false,
        }
    }

    fn run_body(
        &self,
        id: JobId,
        job: &Job,
        key: Digest,
        inputs: &[Option<Arc<Entry>>],
        fresh: bool,
        sink: Sink<'_>,
    ) -> Result<Arc<Entry>, Failure> {
        let mut cx = JobCx {
            engine: self,
            sink,
            id,
            job,
            inputs,
            parts: job.inputs.iter().zip(0..).map(|((part, _), index)| (part, index)).collect(),
            fresh,
            reads: Vec::new(),
            noted: HashSet::new(),
            attempt: Attempt::default(),
        };
        let record = catch_unwind(AssertUnwindSafe(|| job.body.run(&mut cx))).unwrap_or_else(|panic| {
            let reason = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            let reason = reason.unwrap_or("no reason given");
            Err(Failure::new(Class::Internal, format!("`{}` broke: {reason}", job.name))
                .hint("this is a defect of tapeout or of a plug-in, not of the design"))
        })?;
        // What the body itself read may have changed since: tools are looked after one by one.
        let stale = cx.reads.iter().find_map(|read| match read {
            Read::File { path, .. } if !self.is_same(read) => Some(path),
            Read::File { .. } | Read::Input { .. } | Read::Tool { .. } => None,
        });
        if let Some(path) = stale {
            return Err(Failure::changed(path));
        }
        let missing = record.views.values().flat_map(|view| view.files()).find(|path| record.output(path).is_none());
        if let Some(path) = missing {
            let message = format!("`{}` names the view `{path}`, which is none of its outputs", job.name);
            return Err(Failure::new(Class::Internal, message));
        }
        Ok(self.store.commit(Entry::new(key, cx.reads, record, cx.attempt))?)
    }
}

/// Where a run is.
struct Progress<'a> {
    sink: Sink<'a>,
    scheduler: Scheduler,
    outcomes: Vec<Outcome>,
}

impl Progress<'_> {
    /// The results that a job has inputs from, in the order of its inputs.
    fn inputs_of(&self, job: &Job) -> Vec<Option<Arc<Entry>>> {
        let result = |from: &JobId| match &self.outcomes[from.index()] {
            Outcome::Done { entry, .. } => Some(Arc::clone(entry)),
            Outcome::Failed(_) | Outcome::Skipped | Outcome::WouldRun => None,
        };
        job.inputs.iter().map(|(_, from)| result(from)).collect()
    }
}

/// The key under which the traces of a job are kept: its code and arguments, and which parts it may see.
fn weak_key(job: &Job) -> Digest {
    let mut key = KeyHasher::new("job 1");
    key.number(job.inputs.len() as u64);
    for (part, _) in &job.inputs {
        match part {
            Part::View(format) => key.number(0).text(format),
            Part::Metric(name) => key.number(1).text(name),
        };
    }
    job.body.identify(&mut key);
    key.finish()
}
