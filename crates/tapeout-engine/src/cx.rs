//! The context of a running job: all that its body may touch. What is read through it becomes the trace of the result.

use std::any::Any;
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, mpsc};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tapeout_model::{Attempt, Class, Digest, Metric, Metrics, Output, Part, Read, Record, View};
use tapeout_store::Entry;

use crate::recall::{Given, result_digest};
use crate::retry::Cause;
use crate::run::{Message, Run, Task};
use crate::{Claims, Engine, Event, Failure, FoundTool, Job, JobId, Outcome, Wish};

/// What a body sees of its run.
pub struct JobCx<'run> {
    pub(crate) engine: &'run Engine,
    pub(crate) run: &'run Run<'run>,
    pub(crate) id: JobId,
    pub(crate) job: &'run Job,
    inputs: Vec<Option<Arc<Entry>>>,
    /// The place of each declared part among the inputs.
    parts: HashMap<&'run Part, u32>,
    pub(crate) wish: Wish,
    /// Whether the driver's own thread runs it, which cannot reply to itself.
    is_driver: bool,
    /// Whether the body asked it all the same, and was told so.
    is_not_brief: Cell<bool>,
    reads: Vec<Read>,
    noted: HashSet<Read>,
    pub(crate) attempt: Attempt,
    /// The jobs that this one has asked for, and what came out of those that it knows the end of.
    children: BTreeMap<JobId, Option<Outcome>>,
}

/// How often a body starts again because recorded files turned out to be gone: one of its own session after the other.
const MAX_MENDED: u32 = 16;

/// Runs the body of a job and commits its result. `is_driver`: on the thread of the driver, which a job must not ask.
///
/// # Errors
/// The failure of the body; [`Cause::NotBrief`] for one that asks the driver on its own thread.
pub(crate) fn run_body<'run>(run: &'run Run<'run>, task: Task, is_driver: bool) -> Result<Arc<Entry>, Failure> {
    let Task { id, key, inputs, wish } = task;
    let job = run.job(id);
    let engine = run.engine;
    let new_cx = || JobCx {
        engine,
        run,
        id,
        job,
        inputs: inputs.clone(),
        parts: job.inputs.iter().zip(0..).map(|((part, _), index)| (part, index)).collect(),
        wish: wish.clone(),
        is_driver,
        is_not_brief: Cell::new(false),
        reads: Vec::new(),
        noted: HashSet::new(),
        attempt: Attempt::default(),
        children: BTreeMap::new(),
    };
    let mut cx = new_cx();
    let mut mended = 0;
    let record = loop {
        match job.body.run(&mut cx) {
            // Whatever it made of that.
            _ if cx.is_not_brief.get() => return Err(Failure::not_brief(&job.name)),
            Err(failure) if failure.cause == Some(Cause::LostInput) && mended < MAX_MENDED => {
                mended += 1;
                cx.make_inputs_again(&failure)?;
                cx.say(&Event::Retried { job: id, reason: failure.message });
                cx = new_cx();
            }
            result => break result?,
        }
    };
    // What it asked for and did not wait for is part of what it did.
    for child in cx.children.keys().copied().collect::<Vec<_>>() {
        cx.outcome_of(child);
    }
    // What the body itself read may have changed since: tools are looked after one by one.
    let stale = cx.reads.iter().find_map(|read| match read {
        Read::File { path, .. } if !engine.is_same(read, &Given::NOTHING) => Some(path),
        _ => None,
    });
    if let Some(path) = stale {
        return Err(Failure::changed(path));
    }
    let missing = record.views.values().flat_map(|view| view.files()).find(|path| record.output(path).is_none());
    if let Some(path) = missing {
        let message = format!("`{}` names the view `{path}`, which is none of its outputs", job.name);
        return Err(Failure::new(Class::Internal, message));
    }
    if cx.attempt.started == 0 {
        // No tool has told when.
        cx.attempt.started = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    }
    let entry = Entry::new(key, &cx.reads, record, cx.attempt);
    if job.conducts {
        return Ok(Arc::new(entry));
    }
    engine.asked().forget();
    engine.store().describe(&key, &job.words())?;
    Ok(engine.store().commit(entry)?)
}

impl<'run> JobCx<'run> {
    /// Asks whether the run is being stopped: for what would otherwise not come to an end.
    pub fn stop_asker(&self) -> impl Fn() -> bool + use<'run> {
        let run = self.run;
        move || run.is_stopping()
    }
}

impl JobCx<'_> {
    /// The project's directory: paths of sources are relative to it.
    #[must_use]
    pub fn project(&self) -> &std::path::Path {
        self.engine.project()
    }

    /// The parts of other results that the job declared as inputs.
    #[must_use]
    pub fn inputs(&self) -> Vec<Part> {
        self.job.inputs.iter().map(|(part, _)| part.clone()).collect()
    }

    /// The same, each with the job that has it.
    #[must_use]
    pub fn input_jobs(&self) -> &[(Part, JobId)] {
        &self.job.inputs
    }

    /// Whether another job of the graph offers this part: which ones do is in the job's key.
    #[must_use]
    pub fn sees(&self, part: &Part) -> bool {
        self.parts.contains_key(part)
    }

    /// Keeps the log of the job as a whole, where it has several of its invocations.
    pub fn attempt_log(&mut self, log: Output) {
        self.attempt.log = Some(log);
    }

    /// Counts what another job did, which this one asked for, as part of its own attempt; its files are in a directory of
    /// this one's.
    pub fn attempt_of_part(&mut self, entry: &Entry, dir: &str) {
        let own = |input: &Output| Output { path: format!("{dir}/{}", input.path), ..input.clone() };
        let part = entry.attempt();
        let commands = format!("# in {dir}\n{}", part.commands);
        let inputs = part.inputs.iter().map(own).collect();
        self.attempt.then(&Attempt { commands, inputs, ..part.clone() });
    }

    /// Keeps what is known of an attempt that failed, where that is the result.
    pub fn attempt_failed(&mut self, log: Output, commands: String, inputs: Vec<Output>) {
        self.attempt.log = Some(log);
        self.attempt.commands = commands;
        self.attempt.inputs = inputs;
    }

    /// Asks for another job, which runs at the side of this one as soon as its inputs are done. The id can be passed on as
    /// an input of further jobs. Where the run already has this very job, that one is meant.
    ///
    /// Its inputs may be parts that this job declares as its own inputs, or parts of jobs that it asked for.
    ///
    /// # Errors
    /// When another job has its name, or it has an input from elsewhere.
    pub fn start(&mut self, job: Job) -> Result<JobId, Failure> {
        for (part, from) in &job.inputs {
            if self.children.contains_key(from) {
                continue;
            }
            let own = self.parts.get(part).copied().filter(|index| self.job.inputs[*index as usize].1 == *from);
            let Some(index) = own else {
                let message = format!(
                    "`{}` gives `{}` {part} of a job that it neither has as an input nor asked for",
                    self.job.name, job.name
                );
                return Err(Failure::new(Class::Internal, message));
            };
            let digest = self.inputs[index as usize].as_deref().and_then(|entry| entry.part_digest(part));
            self.note(Read::Input { index, digest });
        }
        let id = self.ask(job)?;
        self.children.entry(id).or_default();
        Ok(id)
    }

    /// Whether a brief body is being done between other things: all else waits for it.
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.is_driver
    }

    /// Before something that takes long, or asks the driver: a brief body goes no further, and begins again elsewhere.
    ///
    /// # Errors
    /// When it is done between other things.
    pub fn leave_driver(&self) -> Result<(), Failure> {
        self.is_not_brief.set(self.is_driver);
        if self.is_driver { Err(Failure::not_brief(&self.job.name)) } else { Ok(()) }
    }

    fn ask(&self, job: Job) -> Result<JobId, Failure> {
        self.leave_driver()?;
        let (reply, answer) = mpsc::channel();
        self.run.tell(Message::Asks { by: self.id, job, reply });
        answer.recv().map_err(|_| Failure::interrupted())?
    }

    /// Waits for a job that this one asked for. What this one holds (cores, memory, licences) is free meanwhile.
    ///
    /// # Errors
    /// The failure of that job, or that it waits for this one. The body may go on in spite of it.
    ///
    /// # Panics
    /// When it did not ask for that job.
    pub fn wait(&mut self, job: JobId) -> Result<Arc<Entry>, Failure> {
        assert!(self.children.contains_key(&job), "`{}` waits for a job that it did not ask for", self.job.name);
        match self.outcome_of(job) {
            Outcome::Done { entry, .. } => Ok(entry),
            Outcome::Failed(failure) => Err(*failure),
            Outcome::Skipped | Outcome::WouldRun => {
                let name = &self.run.job(job).name;
                Err(Failure::new(Class::Interrupted, format!("`{name}` did not run: something it needs failed")))
            }
        }
    }

    /// Asks for a job and waits for it.
    ///
    /// # Errors
    /// As [`JobCx::start`] and [`JobCx::wait`].
    pub fn require(&mut self, job: Job) -> Result<Arc<Entry>, Failure> {
        let id = self.start(job)?;
        self.wait(id)
    }

    /// How a job ended that this one asked for. It and what it has inputs from become reads.
    fn outcome_of(&mut self, id: JobId) -> Outcome {
        // Those that have not been looked at yet, each after what it has inputs from: ids grow.
        let mut needed = std::collections::BTreeSet::from([id]);
        let mut pending = vec![id];
        while let Some(id) = pending.pop() {
            for (_, from) in &self.run.job(id).inputs {
                if matches!(self.children.get(from), Some(None)) && needed.insert(*from) {
                    pending.push(*from);
                }
            }
        }
        for id in needed {
            if !matches!(self.children.get(&id), Some(Some(_))) {
                let outcome = self.await_outcome(id);
                self.note_child(id, &outcome);
                self.children.insert(id, Some(outcome));
            }
        }
        self.children[&id].clone().unwrap_or(Outcome::Skipped)
    }

    fn await_outcome(&self, on: JobId) -> Outcome {
        let (reply, answer) = mpsc::channel();
        self.run.tell(Message::Waits { job: self.id, on, reply });
        answer.recv().unwrap_or(Outcome::Skipped)
    }

    fn note_child(&mut self, id: JobId, outcome: &Outcome) {
        let job = self.run.job(id);
        let result_of = |from: &JobId| match self.children.get(from) {
            Some(Some(Outcome::Done { entry, .. })) => Some(entry),
            Some(_) => None,
            None => {
                let index = self.job.inputs.iter().position(|(_, own)| own == from)?;
                self.inputs[index].as_ref()
            }
        };
        let inputs = job.inputs.iter().map(|(part, from)| result_of(from)?.part_digest(part)).collect();
        let (settings, result) = match outcome {
            Outcome::Done { entry, .. } => (settings_read(entry), Some(result_digest(entry))),
            Outcome::Failed(_) | Outcome::Skipped | Outcome::WouldRun => (Vec::new(), None),
        };
        self.note(Read::Job { key: job.key(), inputs, settings, result });
    }

    /// Has the jobs run once more that made inputs whose recorded content is gone from the store. What the tools of this
    /// job made is not looked for: it is not recalled without its files.
    ///
    /// # Errors
    /// `lost`, when what comes out is not the same again.
    fn make_inputs_again(&mut self, lost: &Failure) -> Result<(), Failure> {
        let store = self.engine.store();
        self.inputs.iter().flatten().for_each(|entry| store.weed(entry));
        let is_lost = |entry: &Arc<Entry>| !entry.record().outputs.iter().all(|output| store.has(output));
        let inputs = self.inputs.iter().zip(&self.job.inputs);
        let makers: std::collections::BTreeSet<JobId> =
            inputs.filter(|(entry, _)| entry.as_ref().is_some_and(is_lost)).map(|(_, (_, from))| *from).collect();
        for maker in makers {
            let job = self.run.job(maker);
            let again = Job { name: format!("{} (again)", job.name), always: true, ..job.clone() };
            let id = self.ask(again)?;
            // It is not this job's child: what comes out is what it had as an input already.
            if let Outcome::Failed(failure) = self.await_outcome(id) {
                return Err(*failure);
            }
        }
        let still_lost = self.inputs.iter().flatten().any(is_lost);
        if still_lost { Err(lost.clone()) } else { Ok(()) }
    }

    /// Waits for something that is no job, holding nothing meanwhile; `ready` is asked again and again. `claims`: what the
    /// job needs from then on, if that has changed.
    pub(crate) fn pause<T>(
        &self,
        claims: Option<Claims>,
        mut ready: impl FnMut() -> Result<Option<T>, Failure>,
    ) -> Result<T, Failure> {
        self.leave_driver()?;
        self.run.tell(Message::Pauses(self.id));
        let mut patience = Duration::from_millis(1);
        let result = loop {
            if self.run.is_stopping() {
                break Err(Failure::interrupted());
            }
            match ready() {
                Ok(Some(value)) => break Ok(value),
                Ok(None) => {}
                Err(failure) => break Err(failure),
            }
            std::thread::sleep(patience);
            patience = (patience * 2).min(Duration::from_millis(50));
        };
        self.go_on(claims);
        result
    }

    /// Ends a pause.
    pub(crate) fn go_on(&self, claims: Option<Claims>) {
        let (reply, answer) = mpsc::channel();
        self.run.tell(Message::GoesOn { job: self.id, claims, reply });
        // The driver replies as long as there are jobs.
        let _ = answer.recv();
    }

    /// Waits for jobs that were asked for on behalf of this one: they and what they have inputs from become reads.
    pub(crate) fn take_in(&mut self, asked: std::collections::BTreeSet<JobId>) {
        asked.iter().for_each(|id| _ = self.children.entry(*id).or_default());
        asked.into_iter().for_each(|id| _ = self.outcome_of(id));
    }

    pub(crate) fn say(&self, event: &Event) {
        (self.run.sink)(event);
    }

    /// The view in a format that another job made, or `None` when it made none.
    ///
    /// # Panics
    /// When the job did not declare this view as an input.
    pub fn view(&mut self, format: &str) -> Option<View<Output>> {
        let part = Part::View(format.to_owned());
        let (index, entry) = self.input(&part);
        let digest = entry.part_digest(&part);
        let view = entry.record().views.get(format).map(|view| {
            view.map(&mut |path: &String| {
                entry
                    .record()
                    .output(path)
                    .cloned()
                    .expect("a record's views name its outputs; checked when it was made")
            })
        });
        self.note(Read::Input { index, digest });
        view
    }

    /// A metric that another job measured, or `None` when it did not.
    ///
    /// # Panics
    /// When the job did not declare this metric as an input.
    pub fn metric(&mut self, name: &str) -> Option<Metric> {
        let part = Part::Metric(name.to_owned());
        let (index, entry) = self.input(&part);
        let metric = entry.record().metrics.get(name).cloned();
        let digest = entry.part_digest(&part);
        self.note(Read::Input { index, digest });
        metric
    }

    /// The metrics that another job measured and whose names begin like this.
    ///
    /// # Panics
    /// When the job did not declare these metrics as an input.
    pub fn metrics(&mut self, prefix: &str) -> Metrics {
        let part = Part::Metrics(prefix.to_owned());
        let (index, entry) = self.input(&part);
        let of_prefix = entry.record().metrics.iter().filter(|(name, _)| name.starts_with(prefix));
        let metrics = of_prefix.map(|(name, metric)| (name.clone(), metric.clone())).collect();
        let digest = entry.part_digest(&part);
        self.note(Read::Input { index, digest });
        metrics
    }

    /// A part of the result that the job has as its input of this index, of which it declared any part: what `get` makes of
    /// that result, which must follow from this part.
    pub fn part<T>(&mut self, index: u32, part: Part, get: impl FnOnce(&Record) -> T) -> T {
        let entry = self.inputs[index as usize].as_deref().expect("a job starts after the jobs it has inputs from");
        let digest = entry.part_digest(&part);
        let got = get(entry.record());
        self.note(Read::Part { index, part, digest });
        got
    }

    /// The place of a part among the job's inputs, and the result that it is a part of.
    fn input(&self, part: &Part) -> (u32, &Entry) {
        let Some(index) = self.parts.get(part) else {
            panic!("`{}` did not declare {part} as an input", self.job.name)
        };
        let entry = self.inputs[*index as usize].as_deref();
        (*index, entry.expect("a job starts after the jobs it has inputs from"))
    }

    /// A setting of the body, or `None` when it has none of this name. Both are reads.
    pub fn setting(&mut self, name: &str) -> Option<String> {
        let text = self.job.body.setting(name);
        self.note(Read::Setting { name: name.to_owned(), text: text.clone() });
        text
    }

    /// Notes that the job reads a file of the user's and returns how to name it on a command line in the work
    /// directory.
    ///
    /// # Errors
    /// When the file is not there or cannot be read.
    pub fn source(&mut self, path: &str) -> Result<String, Failure> {
        if self.digest(path)?.is_none() {
            return Err(Failure::new(Class::Input, format!("there is no file `{path}`"))
                .hint("it was there when the configuration was read: was it moved?"));
        }
        Ok(crate::invocation::from_work_dir(path))
    }

    /// Whether there is such a file of the user's. Its content, or its absence, is a read.
    ///
    /// # Errors
    /// When it exists and cannot be read.
    pub fn exists(&mut self, path: &str) -> Result<bool, Failure> {
        Ok(self.digest(path)?.is_some())
    }

    /// The content of a file of the user's, or `None` when there is no such file. Both are reads.
    ///
    /// # Errors
    /// When the file exists and cannot be read.
    pub fn read_source(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        if self.digest(path)?.is_none() {
            return Ok(None);
        }
        let full = self.absolute(path);
        std::fs::read(&full)
            .map(Some)
            .map_err(|error| Failure::new(Class::Environment, format!("cannot read `{}`: {error}", full.display())))
    }

    /// The content of a file that came out of a job.
    ///
    /// # Errors
    /// When the store cannot give it.
    pub fn read_output(&self, output: &Output) -> Result<Vec<u8>, Failure> {
        Ok(self.engine.store().read(&output.digest)?)
    }

    /// Keeps bytes that the body made as an output of the job.
    ///
    /// # Errors
    /// When the store cannot take them.
    pub fn write_output(&self, bytes: &[u8], path: &str) -> Result<Output, Failure> {
        Ok(self.engine.store().put_bytes(bytes, path)?)
    }

    /// Puts a recorded file at a path, relative to the project or absolute, unless it is there. To read it there is another
    /// matter.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn place(&self, output: &Output, path: &str) -> Result<(), Failure> {
        self.run.place(output, &self.absolute(path))
    }

    /// The path of a file that comes with a tool, given from the directory of the tool's real executable; when it is not
    /// there because the tool is wrapped, from those of its name on `PATH`.
    ///
    /// # Errors
    /// When the tool is not there.
    pub fn tool_file(&mut self, tool: &str, path: &str) -> Result<PathBuf, Failure> {
        let found = self.found_tool(tool)?;
        let beside = |executable: PathBuf| {
            let real = std::fs::canonicalize(&executable).unwrap_or(executable);
            crate::discovered::without_dots(&real.with_file_name("").join(path))
        };
        let expected = beside(PathBuf::from(&found.path));
        let on_path = || {
            let folders = std::env::var_os("PATH").unwrap_or_default();
            let executables = std::env::split_paths(&folders).map(|folder| folder.join(tool));
            let files: Vec<PathBuf> = executables.filter(|executable| executable.is_file()).map(beside).collect();
            files.into_iter().find(|file| file.exists())
        };
        Ok(if expected.exists() { expected } else { on_path().unwrap_or(expected) })
    }

    /// Whether there is a tool of this name that can be used. That is a read.
    pub fn has_tool(&mut self, name: &str) -> bool {
        self.found_tool(name).is_ok()
    }

    /// Tells something, which is the business of whoever made the job: [`Event::Told`].
    pub fn tell(&self, note: Arc<dyn Any + Send + Sync>) {
        self.say(&Event::Told { job: self.id, note });
    }

    /// A tool, noting that it is read.
    pub(crate) fn found_tool(&mut self, name: &str) -> Result<Arc<FoundTool>, Failure> {
        let identified = self.engine.tool(name).and_then(|tool| Ok((self.engine.identity(&tool)?, tool)));
        let digest = identified.as_ref().ok().map(|(identity, _)| *identity);
        if let Ok((identity, tool)) = &identified {
            self.engine.store().describe(identity, &tool.words())?;
        }
        self.note(Read::Tool { name: name.to_owned(), digest });
        match identified {
            Ok((_, tool)) => Ok(tool),
            Err(problem) => Err(Failure::new(Class::Environment, problem.to_string())),
        }
    }

    pub(crate) fn digest(&mut self, path: &str) -> Result<Option<Digest>, Failure> {
        let digest = self.engine.store().file_digest(&self.absolute(path))?;
        self.note(Read::File { path: path.to_owned(), digest });
        Ok(digest)
    }

    pub(crate) fn absolute(&self, path: &str) -> PathBuf {
        self.engine.project().join(path)
    }

    /// What it has read so far.
    pub(crate) fn reads(&self) -> &[Read] {
        &self.reads
    }

    pub(crate) fn note(&mut self, read: Read) {
        if self.noted.insert(read.clone()) {
            self.reads.push(read);
        }
    }
}

/// The settings that a job read.
fn settings_read(entry: &Entry) -> Vec<(String, Option<String>)> {
    let setting = |read| match read {
        Read::Setting { name, text } => Some((name, text)),
        _ => None,
    };
    entry.reads().filter_map(setting).collect()
}
