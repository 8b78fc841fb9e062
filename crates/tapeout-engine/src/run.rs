//! Driving a graph to its end. One thread, the caller's, owns the scheduler and all results; it recalls what is recorded
//! and hands the rest to workers, a thread for each job that has started and not ended. Workers never share state: they
//! send messages and wait for replies.

use std::any::Any;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Scope};

use tapeout_guard::Submitted;
use tapeout_model::{Class, Digest, Output, Verdict};
use tapeout_store::Entry;

use crate::cx::run_body;
use crate::schedule::{Command, End, JobState, Scheduler};
use crate::{Cause, Claims, Engine, Event, Failure, Graph, Job, JobId};

/// Whether to run what is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Run it.
    Run,
    /// Only say that it would run.
    Look,
}

/// What is wanted of one job.
#[derive(Clone, Debug, Default)]
pub enum Wish {
    /// Its recorded result if that is still good, else a new one.
    #[default]
    Result,
    /// A new result, which replaces the recorded one.
    Fresh,
    /// Its result, and to hear whether its tools give the same when they run once more.
    Repeat,
    /// This result, whatever has changed.
    Pinned(Arc<Entry>),
}

/// How a job came to its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It ran.
    Ran,
    /// Its recorded result was good.
    Reused,
    /// It is held at a result.
    Pinned,
}

/// How a job ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It has a result. A failed check is in the record's verdict.
    Done {
        /// The result.
        entry: Arc<Entry>,
        /// Where it came from.
        how: How,
    },
    /// It ended without a result.
    Failed(Box<Failure>),
    /// It did not start: something it needs failed, or the run was stopped.
    Skipped,
    /// Looking only: it would run.
    WouldRun,
}

/// Who is told what happens; called from several threads.
pub type Sink<'a> = &'a (dyn Fn(&Event) + Sync);

/// What workers tell the driver.
pub(crate) enum Message {
    /// A job ended.
    Ended(JobId, Outcome),
    /// A job asks for another.
    Asks { by: JobId, job: Job, reply: Sender<Result<JobId, Failure>> },
    /// A job waits for the outcome of another.
    Waits { job: JobId, on: JobId, reply: Sender<Outcome> },
    /// Somebody wants to hear how a job ends, without pausing meanwhile.
    Watches { on: JobId, reply: Sender<Outcome> },
    /// A job waits for something that is no job.
    Pauses(JobId),
    /// That wait is over; with what the job claims from here on, if that has changed.
    GoesOn { job: JobId, claims: Option<Claims>, reply: Sender<()> },
}

/// What everybody in one run shares.
pub(crate) struct Run<'r> {
    pub(crate) engine: &'r Engine,
    pub(crate) sink: Sink<'r>,
    pub(crate) mode: Mode,
    graph: &'r Graph,
    /// Jobs that jobs asked for.
    added: boxcar::Vec<Job>,
    to_driver: Sender<Message>,
    stopping: AtomicBool,
    processes: Mutex<HashMap<u64, Arc<Submitted>>>,
    next_process: AtomicU64,
}

impl Run<'_> {
    pub(crate) fn job(&self, id: JobId) -> &Job {
        match self.graph.jobs().get(id.index()) {
            Some(job) => job,
            None => &self.added[id.index() - self.graph.jobs().len()],
        }
    }

    /// Puts a recorded file at a path, unless it is there.
    pub(crate) fn place(&self, output: &Output, path: &Path) -> Result<(), Failure> {
        let store = self.engine.store();
        if store.file_digest(path)? == Some(output.digest) {
            return Ok(());
        }
        Ok(store.materialise(output, path)?)
    }

    pub(crate) fn tell(&self, message: Message) {
        // The driver lives until every started job has ended.
        let _ = self.to_driver.send(message);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst) || self.engine.is_stopping()
    }

    /// Kills the processes of this run and lets it start no more.
    fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        for process in self.processes().values() {
            process.kill();
        }
    }

    /// Looks after a process of the run until the guard of it is dropped: it is killed when the run stops.
    pub(crate) fn watch(&self, process: &Arc<Submitted>) -> impl Drop + '_ {
        struct Watch<'r>(&'r Run<'r>, u64);
        impl Drop for Watch<'_> {
            fn drop(&mut self) {
                self.0.processes().remove(&self.1);
            }
        }
        let number = self.next_process.fetch_add(1, Ordering::Relaxed);
        self.processes().insert(number, Arc::clone(process));
        // The stop may have come between the question whether to start and the start.
        if self.is_stopping() {
            process.kill();
        }
        Watch(self, number)
    }

    fn processes(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Submitted>>> {
        self.processes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job to be run.
#[derive(Clone)]
pub(crate) struct Task {
    pub(crate) id: JobId,
    pub(crate) key: Digest,
    /// The results that the job has inputs from, in the order of its inputs.
    pub(crate) inputs: Vec<Option<Arc<Entry>>>,
    pub(crate) wish: Wish,
}

impl Engine {
    /// Runs a graph, or looks what would run. Gives the outcome of each job, in the order of the graph; those of jobs
    /// that jobs asked for follow. `wish` says what is wanted of each.
    ///
    /// Without `keep_going`, the first failure of a job of the graph stops the jobs that run and starts no more. A job
    /// that was asked for by another is that one's business.
    pub fn run(&self, graph: &Graph, mode: Mode, wish: impl Fn(&Job) -> Wish, sink: Sink<'_>) -> Vec<Outcome> {
        // Files may have changed since the last run.
        self.asked().forget();
        let (to_driver, messages) = mpsc::channel();
        let run = Run {
            engine: self,
            sink,
            mode,
            graph,
            added: boxcar::Vec::new(),
            to_driver,
            stopping: AtomicBool::new(false),
            processes: Mutex::default(),
            next_process: AtomicU64::new(0),
        };
        thread::scope(|scope| {
            let tools = self.found_tools();
            if mode == Mode::Run && !tools.is_empty() {
                // So that no job has to wait for it. Whatever is wrong is said to the job that needs the tool.
                scope.spawn(move || tools.iter().for_each(|tool| _ = self.identity(tool)));
            }
            let driver = Driver {
                run: &run,
                wish: &wish,
                scheduler: Scheduler::new(graph, &self.options().resources),
                outcomes: vec![Outcome::Skipped; graph.jobs().len()],
                names: HashMap::new(),
                waiting: HashMap::new(),
                watching: HashMap::new(),
                waits_on: HashMap::new(),
                resumes: HashMap::new(),
                workers: Workers::new(scope, &run),
            };
            driver.drive(messages)
        })
    }
}

/// What a paused job is told when it goes on.
enum Resume {
    Outcome(JobId, Sender<Outcome>),
    Go(Sender<()>),
}

struct Driver<'scope, 'env, W> {
    run: &'env Run<'env>,
    wish: &'env W,
    scheduler: Scheduler,
    outcomes: Vec<Outcome>,
    /// The jobs by their names, once a job has asked for another.
    names: HashMap<String, JobId>,
    /// Who waits for a job to end.
    waiting: HashMap<JobId, Vec<JobId>>,
    /// Who wants to hear how a job ends.
    watching: HashMap<JobId, Vec<Sender<Outcome>>>,
    /// Which job a paused one waits for.
    waits_on: HashMap<JobId, JobId>,
    resumes: HashMap<JobId, Resume>,
    workers: Workers<'scope, 'env>,
}

impl<W: Fn(&Job) -> Wish> Driver<'_, '_, W> {
    fn drive(mut self, messages: Receiver<Message>) -> Vec<Outcome> {
        // Should this thread break, nobody may wait for it for ever: the receiver goes with it, and the tools are stopped.
        let _stop = StopWhenBroken(self.run);
        if self.run.is_stopping() {
            self.halt();
        }
        loop {
            while let Some(command) = self.scheduler.next_command() {
                match command {
                    Command::Start(id) => self.start(id),
                    Command::Resume(id) => self.resume(id),
                }
            }
            if self.scheduler.active() == 0 {
                break;
            }
            // `run` holds a sender: the channel stays open.
            let Ok(message) = messages.recv() else { break };
            self.hear(message);
            if self.run.is_stopping() {
                self.halt();
            }
        }
        if self.run.mode == Mode::Look {
            // What is skipped behind a recorded failure would be so again. A job names only such as were there before it.
            for index in 0..self.outcomes.len() {
                let id = JobId(index as u32);
                let job = self.run.job(id);
                let mut needs = job.inputs.iter().map(|(_, from)| from).chain(&job.after);
                if self.scheduler.state(id) == JobState::Skipped
                    && needs.any(|need| matches!(self.outcomes[need.index()], Outcome::WouldRun))
                {
                    self.outcomes[index] = Outcome::WouldRun;
                }
            }
        }
        self.outcomes
    }

    /// Ends a job at once if there is nothing to run, else gives it to a worker.
    fn start(&mut self, id: JobId) {
        let run = self.run;
        let job = run.job(id);
        let wish = match (self.wish)(job) {
            Wish::Result if job.always || job.conducts => Wish::Fresh,
            wish => wish,
        };
        let key = match wish {
            Wish::Pinned(entry) => return self.ended(id, Outcome::Done { entry, how: How::Pinned }),
            Wish::Result => {
                let key = job.key();
                let recalled =
                    run.engine.recall(job, &key, |index| self.result_of(job.inputs[index].1).map(Arc::as_ref));
                if let Some(entry) = recalled {
                    return self.ended(id, Outcome::Done { entry, how: How::Reused });
                }
                key
            }
            Wish::Fresh | Wish::Repeat => job.key(),
        };
        if self.run.mode == Mode::Look && !job.conducts {
            return self.ended(id, Outcome::WouldRun);
        }
        if let Some((name, claimed, there)) = job.claims.beyond(&run.engine.options().resources) {
            let message = format!("`{}` needs {claimed} of `{name}`, and there are {there}", job.name);
            return self.ended(id, Outcome::Failed(Failure::new(Class::Environment, message).into()));
        }
        (run.sink)(&Event::Started { job: id });
        let inputs = job.inputs.iter().map(|(_, from)| self.result_of(*from).cloned()).collect();
        let task = Task { id, key, inputs, wish };
        if job.brief {
            match run_task(run, task.clone(), true) {
                Outcome::Failed(failure) if failure.cause == Some(Cause::NotBrief) => {}
                outcome => return self.ended(id, outcome),
            }
        }
        self.workers.give(task, self.scheduler.active());
    }

    fn result_of(&self, id: JobId) -> Option<&Arc<Entry>> {
        match &self.outcomes[id.index()] {
            Outcome::Done { entry, .. } => Some(entry),
            Outcome::Failed(_) | Outcome::Skipped | Outcome::WouldRun => None,
        }
    }

    fn resume(&mut self, id: JobId) {
        // A worker that waits for a reply is there to get it.
        let _ = match self.resumes.remove(&id) {
            Some(Resume::Outcome(of, reply)) => reply.send(self.outcomes[of.index()].clone()).is_ok(),
            Some(Resume::Go(reply)) => reply.send(()).is_ok(),
            None => false,
        };
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Ended(id, outcome) => self.ended(id, outcome),
            Message::Asks { by, job, reply } => {
                let id = self.add(by, job);
                let _ = reply.send(id);
            }
            Message::Waits { job, on, reply } => self.wait(job, on, reply),
            Message::Watches { on, reply } => {
                if self.has_ended(on) {
                    let _ = reply.send(self.outcomes[on.index()].clone());
                } else {
                    self.watching.entry(on).or_default().push(reply);
                }
            }
            Message::Pauses(job) => self.scheduler.pause(job),
            Message::GoesOn { job, claims, reply } => {
                self.resumes.insert(job, Resume::Go(reply));
                self.scheduler.unpause(job, claims.as_ref());
            }
        }
    }

    /// Tells of an outcome, keeps it, and decides whether others may build on it.
    fn ended(&mut self, id: JobId, outcome: Outcome) {
        let run = self.run;
        let end = match &outcome {
            Outcome::Done { entry, how } => {
                if self.run.mode == Mode::Run && *how != How::Ran {
                    run.engine.store().used(entry);
                }
                let put_off = || run.job(id).defers_check && matches!(entry.record().verdict, Verdict::Failed { .. });
                let passed = !entry.is_bad() || put_off();
                (run.sink)(&Event::Done { job: id, entry: Arc::clone(entry), how: *how });
                if passed { End::Done } else { End::Failed }
            }
            Outcome::Failed(failure) => {
                (run.sink)(&Event::Failed { job: id, failure: (**failure).clone() });
                End::Failed
            }
            Outcome::Skipped | Outcome::WouldRun => End::Failed,
        };
        self.outcomes[id.index()] = outcome;
        let skipped = self.scheduler.ended(id, end);
        self.release(id);
        skipped.into_iter().for_each(|skipped| self.release(skipped));
        let stops = end == End::Failed && self.run.mode == Mode::Run && !run.engine.options().keep_going;
        if stops && id.index() < run.graph.jobs().len() {
            run.stop();
            self.halt();
        }
    }

    /// Lets those go on that wait for a job which will not run any more.
    fn release(&mut self, id: JobId) {
        for waiter in self.waiting.remove(&id).unwrap_or_default() {
            self.waits_on.remove(&waiter);
            self.scheduler.unpause(waiter, None);
        }
        for reply in self.watching.remove(&id).unwrap_or_default() {
            let _ = reply.send(self.outcomes[id.index()].clone());
        }
    }

    fn has_ended(&self, id: JobId) -> bool {
        matches!(self.scheduler.state(id), JobState::Done | JobState::Failed | JobState::Skipped)
    }

    fn halt(&mut self) {
        self.scheduler.halt();
        let unstarted =
            |id: &JobId| matches!(self.scheduler.state(*id), JobState::Waiting | JobState::Ready | JobState::Skipped);
        let hopeless: Vec<JobId> = self.waiting.keys().chain(self.watching.keys()).copied().filter(unstarted).collect();
        hopeless.into_iter().for_each(|id| self.release(id));
    }

    /// Adds a job that another asks for, or finds the one that is there already.
    fn add(&mut self, by: JobId, job: Job) -> Result<JobId, Failure> {
        if self.names.is_empty() {
            let jobs = self.run.graph.jobs().iter().zip(self.run.graph.ids());
            self.names = jobs.map(|(job, id)| (job.name.clone(), id)).collect();
        }
        if let Some(id) = self.names.get(&job.name) {
            if self.run.job(*id).is(&job) {
                return Ok(*id);
            }
            let message = format!("`{}` asks for `{}`, and another job has that name", self.run.job(by).name, job.name);
            return Err(Failure::new(Class::Input, message).hint("give jobs that differ names that differ"));
        }
        let id = self.scheduler.add(&job, by);
        self.names.insert(job.name.clone(), id);
        (self.run.sink)(&Event::Asked { job: id, name: job.name.clone(), by });
        self.run.added.push(job);
        self.outcomes.push(Outcome::Skipped);
        Ok(id)
    }

    fn wait(&mut self, job: JobId, on: JobId, reply: Sender<Outcome>) {
        let outcome = if self.has_ended(on) {
            self.outcomes[on.index()].clone()
        } else if let Some(cycle) = self.way(on, job) {
            let names: Vec<&str> = cycle.iter().map(|id| self.run.job(*id).name.as_str()).collect();
            let message = format!("`{}` waits for itself: {}", names[names.len() - 1], names.join(" needs "));
            Outcome::Failed(Failure::new(Class::Input, message).into())
        } else {
            self.resumes.insert(job, Resume::Outcome(on, reply));
            self.waiting.entry(on).or_default().push(job);
            self.waits_on.insert(job, on);
            self.scheduler.pause(job);
            return;
        };
        let _ = reply.send(outcome);
    }

    /// The cycle that there would be if `to` waited for `from`: `to`, `from`, what that needs, …, `to`. Goes over jobs that
    /// have not ended only.
    fn way(&self, from: JobId, to: JobId) -> Option<Vec<JobId>> {
        let mut came_from = HashMap::from([(from, from)]);
        let mut pending = vec![from];
        while let Some(id) = pending.pop() {
            if id == to {
                let mut way = vec![to];
                let mut at = to;
                while at != from {
                    at = came_from[&at];
                    way.push(at);
                }
                way.push(to);
                way.reverse();
                return Some(way);
            }
            let job = self.run.job(id);
            let needs = job.inputs.iter().map(|(_, from)| from).chain(&job.after).chain(self.waits_on.get(&id));
            for need in needs {
                if !self.has_ended(*need) && !came_from.contains_key(need) {
                    came_from.insert(*need, id);
                    pending.push(*need);
                }
            }
        }
        None
    }
}

/// The threads of a run: as many as there were jobs at one time that had started and not ended.
struct Workers<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    run: &'env Run<'env>,
    tasks: Sender<Task>,
    source: Arc<Mutex<Receiver<Task>>>,
    threads: usize,
}

impl<'scope, 'env> Workers<'scope, 'env> {
    fn new(scope: &'scope Scope<'scope, 'env>, run: &'env Run<'env>) -> Self {
        let (tasks, source) = mpsc::channel();
        Self { scope, run, tasks, source: Arc::new(Mutex::new(source)), threads: 0 }
    }

    /// Gives a task to a free thread. `active`: how many tasks have been given and have not ended, with this one.
    fn give(&mut self, task: Task, active: usize) {
        if self.threads < active {
            self.threads += 1;
            let (run, source) = (self.run, Arc::clone(&self.source));
            self.scope.spawn(move || {
                loop {
                    let task = source.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    // The sender goes with the driver.
                    let Ok(task) = task else { break };
                    let id = task.id;
                    run.tell(Message::Ended(id, run_task(run, task, false)));
                }
            });
        }
        // The threads hold the receiver.
        let _ = self.tasks.send(task);
    }
}

/// Runs a task to its end, whatever that is. `is_driver`: as in [`run_body`].
fn run_task(run: &Run<'_>, task: Task, is_driver: bool) -> Outcome {
    let id = task.id;
    match catch_unwind(AssertUnwindSafe(|| run_body(run, task, is_driver))) {
        Ok(Ok(entry)) => Outcome::Done { entry, how: How::Ran },
        Ok(Err(failure)) => Outcome::Failed(Box::new(failure)),
        Err(panic) => Outcome::Failed(Box::new(broken(&run.job(id).name, &*panic))),
    }
}

/// Stops the processes of a run whose driver breaks.
struct StopWhenBroken<'r>(&'r Run<'r>);

impl Drop for StopWhenBroken<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.stop();
        }
    }
}

/// The failure of code that broke.
fn broken(job: &str, panic: &(dyn Any + Send)) -> Failure {
    let reason = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    let reason = reason.unwrap_or("no reason given");
    Failure::new(Class::Internal, format!("`{job}` broke: {reason}"))
        .hint("this is a defect of tapeout or of a plug-in, not of the design")
}
