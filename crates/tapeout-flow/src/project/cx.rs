//! What a task may touch. What it reads through it becomes the trace of its result.
//!
//! All that a task does happens in one directory of its own, its `cwd`: the files that it writes, and those that its tools
//! leave there, are there for the tools that it calls later. Each call runs in a fresh directory with exactly the files
//! that the task has by then: its own, and those that it has read of other targets. Sources stay where they are.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tapeout_engine::{Accept, Cause, Command, DepFormat, Failure, Input, Invocation, JobCx, TO_PROJECT, from_work_dir};
use tapeout_model::{Alert, Class, Data, FilePath, Metric, Metrics, Output, Part, Record, shell_quoted};

use super::job::{TargetJob, setting};
use super::{Call, Ran, TargetId, Word};
use crate::job::last_words;
use crate::stage::Note;

/// The context of a running task.
pub struct TaskCx<'a, 'run> {
    pub(super) job: &'a mut JobCx<'run>,
    pub(super) target: &'a TargetJob,
    /// The files of the task by path.
    pub(super) files: BTreeMap<String, Output>,
    /// What tools that are called from here on may read beside them.
    inputs: BTreeMap<String, Input>,
    /// The paths that are among these inputs.
    known: BTreeSet<FilePath>,
    pub(super) log: String,
    statuses: Vec<i32>,
    metrics: Metrics,
    pub(super) alerts: Vec<Alert>,
    /// How many flows it has asked for under each name.
    pub(super) flows: BTreeMap<String, u32>,
    /// What it requires: the places among the inputs of the job, by the names under which it gets the results.
    required: BTreeMap<String, Vec<(u32, TargetId)>>,
    /// The same by target.
    places: HashMap<TargetId, u32>,
    /// What a brief task has said: if it begins again, it says it again.
    said: Vec<String>,
}

impl<'a, 'run> TaskCx<'a, 'run> {
    pub(super) fn new(job: &'a mut JobCx<'run>, target: &'a TargetJob) -> Self {
        let mut required: BTreeMap<String, Vec<(u32, TargetId)>> = BTreeMap::new();
        let mut places = HashMap::new();
        for (place, (name, id)) in (0..).zip(target.project().required(target.target)) {
            required.entry(name.to_owned()).or_default().push((place, id));
            places.entry(id).or_insert(place);
        }
        Self {
            required,
            places,
            said: Vec::new(),
            job,
            target,
            files: BTreeMap::new(),
            inputs: BTreeMap::new(),
            known: BTreeSet::new(),
            log: String::new(),
            statuses: Vec::new(),
            metrics: Metrics::new(),
            alerts: Vec::new(),
            flows: BTreeMap::new(),
        }
    }
}

impl<'run> TaskCx<'_, 'run> {
    /// Asks whether the run is being stopped: for code that would otherwise not come to an end.
    pub fn stop_asker(&self) -> impl Fn() -> bool + use<'run> {
        self.job.stop_asker()
    }
}

impl TaskCx<'_, '_> {
    /// The id of the block.
    #[must_use]
    pub fn block(&self) -> &str {
        self.target.block().0
    }

    /// The id of the task.
    #[must_use]
    pub fn task(&self) -> &str {
        &self.target.task().id
    }

    /// The directory of the task.
    #[must_use]
    pub fn cwd(&self) -> FilePath {
        self.own("")
    }

    fn own(&self, path: &str) -> FilePath {
        FilePath::Target { block: self.block().to_owned(), task: self.task().to_owned(), path: path.to_owned() }
    }

    /// A parameter of the block. That is a read.
    pub fn param(&mut self, name: &str) -> Option<Data> {
        self.job.setting(&setting::param(name));
        self.target.block().1.params.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
    }

    /// How many results the task gets under a name.
    #[must_use]
    pub fn results(&self, requirement: &str) -> usize {
        self.required.get(requirement).map_or(0, Vec::len)
    }

    fn result(&self, requirement: &str, index: usize) -> Option<(u32, TargetId)> {
        self.required.get(requirement)?.get(index).copied()
    }

    /// The names of the attributes of such a result, in order. That is a read.
    pub fn attributes(&mut self, requirement: &str, index: usize) -> Vec<String> {
        let Some((input, _)) = self.result(requirement, index) else { return Vec::new() };
        self.job.part(input, Part::Names, |record| record.data.iter().map(|(name, _)| name.clone()).collect())
    }

    /// An attribute of such a result. That is a read; files that it names become inputs of the tools that are called from
    /// here on.
    ///
    /// # Errors
    /// When the result has no such attribute.
    pub fn attribute(&mut self, requirement: &str, index: usize, name: &str) -> Result<Data, Failure> {
        let Some((input, target)) = self.result(requirement, index) else {
            let message = format!("`{}` does not require `{requirement}`", self.target.name());
            return Err(Failure::new(Class::Input, message));
        };
        let datum = self.job.part(input, Part::Datum(name.to_owned()), |record| record.datum(name).cloned());
        let Some(datum) = datum else {
            let names = self.attributes(requirement, index);
            let message = format!("the result of `{}` has no attribute `{name}`", self.target.project().name(target));
            let hint = match names.as_slice() {
                [] => "it has none at all".to_owned(),
                names => format!("it has `{}`", names.join("`, `")),
            };
            return Err(Failure::new(Class::Input, message).hint(hint));
        };
        for path in datum.paths() {
            self.take(path)?;
        }
        Ok(datum)
    }

    /// A file of the project's, or all files in a directory of it. The tools that are called from here on may read it.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn input(&mut self, path: &str) -> Result<FilePath, Failure> {
        self.job.leave_driver()?;
        let path = FilePath::Source(String::new()).join(path);
        self.take(&path)?;
        if self.known.contains(&path) {
            return Ok(path);
        }
        let near = self.target.near(&path.to_string());
        let failure = Failure::new(Class::Input, format!("there is no file `{path}` in the project"));
        Err(match near {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint("paths are relative to the directory of the project"),
        })
    }

    /// The files that match a pattern, in order, as [`TaskCx::input`] gives them. Which ones there are is a read.
    ///
    /// # Errors
    /// When there are none, or the pattern is none.
    pub fn glob(&mut self, pattern: &str) -> Result<Vec<FilePath>, Failure> {
        self.job.leave_driver()?;
        let listed = self.list(pattern)?;
        if listed.is_empty() {
            return Err(Failure::new(Class::Input, format!("no file of the project matches `{pattern}`"))
                .hint("patterns are relative to the directory of the project; `**` stands for any directories"));
        }
        listed.iter().map(|path| self.input(path)).collect()
    }

    fn list(&mut self, pattern: &str) -> Result<Vec<String>, Failure> {
        let found = self.target.list(pattern).map_err(|reason| Failure::new(Class::Input, reason))?;
        self.job.setting(&setting::files(pattern));
        Ok(found)
    }

    /// Whether there is such a file or directory. That is a read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn exists(&mut self, path: &FilePath) -> Result<bool, Failure> {
        self.job.leave_driver()?;
        match path {
            FilePath::Source(path) => {
                Ok(self.job.exists(path)? || self.job.setting(&setting::directory(path)).is_some())
            }
            FilePath::Target { .. } => match self.own_path(path) {
                Some(path) => Ok(self.files_at(path).next().is_some()),
                None => {
                    self.take(path)?;
                    Ok(self.known.contains(path))
                }
            },
        }
    }

    /// Whether a tool can be used. That is a read.
    pub fn has_tool(&mut self, name: &str) -> bool {
        self.job.leave_driver().is_ok() && self.job.has_tool(name)
    }

    /// Writes a file of the task.
    ///
    /// # Errors
    /// When its path does not lead into the task's directory, or the store cannot take it.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FilePath, Failure> {
        self.job.leave_driver()?;
        let path = match self.cwd().join(path) {
            FilePath::Target { path, .. } if !path.is_empty() && !path.starts_with("..") => path,
            _ => {
                let message = format!("`{path}` is not in the directory of `{}`", self.target.name());
                return Err(Failure::new(Class::Input, message).hint("a task writes in its own directory"));
            }
        };
        if self.is_reserved(&path) {
            return Err(self.reserved(&path));
        }
        if let Some(other) = self.in_the_way(&path).first() {
            let message = format!("`{path}` cannot be written: `{}` has the file `{other}`", self.target.name());
            return Err(Failure::new(Class::Input, message).hint("a name is of a file or of a directory"));
        }
        let output = self.job.write_output(bytes, &path)?;
        let written = self.own(&path);
        self.files.insert(path, output);
        Ok(written)
    }

    /// The content of a file: of the task's own, of a target's that it requires, or of the project's.
    ///
    /// # Errors
    /// When there is no such file.
    pub fn read(&mut self, path: &FilePath) -> Result<Vec<u8>, Failure> {
        self.job.leave_driver()?;
        let missing = |there: Option<String>| {
            let failure = Failure::new(Class::Input, format!("there is no file `{path}`"));
            there.into_iter().fold(failure, Failure::hint)
        };
        if let Some(own) = self.own_path(path) {
            let Some(output) = self.files.get(own) else { return Err(missing(Some(self.own_files()))) };
            return self.job.read_output(output);
        }
        self.take(path)?;
        match self.outputs_of(path) {
            Some(outputs) => match outputs.iter().find(|output| output.path == *path_in_target(path)) {
                Some(output) => self.job.read_output(output),
                None => Err(missing(None)),
            },
            None => {
                let place = self.source_of(path);
                self.job.read_source(&place)?.ok_or_else(|| missing(None))
            }
        }
    }

    /// How a tool that the task calls has to name a file.
    #[must_use]
    pub fn shown(&self, path: &FilePath) -> String {
        match self.own_path(path) {
            Some("") => ".".to_owned(),
            Some(own) => own.to_owned(),
            None if self.input_of(path).is_some() => path.to_string(),
            None => match self.source_of(path) {
                place if place == "." || place.is_empty() => TO_PROJECT.to_owned(),
                place => from_work_dir(&place),
            },
        }
    }

    /// Whether the task is tried between other things, which wait for it: see [`super::TaskBody::may_be_brief`].
    #[must_use]
    pub fn is_between(&self) -> bool {
        self.job.is_between()
    }

    /// Says that the task takes longer than a moment. If it is tried between other things, whatever it gives after this does
    /// not count, and it is called again.
    pub fn is_not_brief(&self) {
        // Either it may go on, or it begins again: nothing is to be done here.
        let _ = self.job.leave_driver();
    }

    /// Adds a measurement to the result.
    pub fn metric(&mut self, name: &str, value: impl Into<Metric>) {
        self.metrics.insert(name.to_owned(), value.into());
    }

    /// Says something to whoever watches, and in the log.
    pub fn say(&mut self, text: &str) {
        self.log.push_str(text.trim_end_matches('\n'));
        self.log.push('\n');
        if self.job.is_between() {
            self.said.push(text.to_owned());
        } else {
            self.job.tell(Arc::new(Note::Message(text.to_owned())));
        }
    }

    /// Calls a tool.
    ///
    /// # Errors
    /// When it is not there or fails, an expected file is not there, or an input is not.
    pub fn run(&mut self, call: &Call) -> Result<Ran, Failure> {
        self.job.leave_driver()?;
        let command = self.command(call)?;
        let name = format!("{}.log", self.task());
        if let Some(path) = call.outputs.iter().flatten().find(|path| self.is_reserved(path)) {
            return Err(self.reserved(path));
        }
        let own = self.files.values().cloned().map(Input::Output);
        let invocation = Invocation {
            log: name,
            commands: vec![command],
            inputs: own.chain(self.inputs.values().cloned()).collect(),
            outputs: call.outputs.clone().unwrap_or_default(),
            keeps_all: call.outputs.is_none(),
            further_tools: call.tools.clone(),
            depfiles: call.depfile.iter().map(|file| (file.clone(), DepFormat::Makefile)).collect(),
            env: call.env.clone(),
            timeout: call.timeout,
            ..Invocation::default()
        };
        let entry = self.job.execute(&invocation).map_err(explained)?;
        let log = match &entry.attempt().log {
            Some(log) => String::from_utf8_lossy(&self.job.read_output(log)?).into_owned(),
            None => String::new(),
        };
        let words = call.argv.iter().map(|word| match word {
            Word::Text(text) => shell_quoted(text),
            Word::Path(path) => shell_quoted(&self.shown(path)),
        });
        let line = words.collect::<Vec<_>>().join(" ");
        self.log.push_str(&format!("$ {line}\n{}\n", log.trim_end()));
        self.statuses.extend(&entry.record().statuses);
        for output in &entry.record().outputs {
            if self.is_reserved(&output.path) {
                return Err(self.reserved(&output.path));
            }
            // A tool may make a directory of what was a file, and the other way round.
            for gone in self.in_the_way(&output.path) {
                self.files.remove(&gone);
            }
            self.files.insert(output.path.clone(), output.clone());
        }
        Ok(Ran { entry, log })
    }

    fn command(&mut self, call: &Call) -> Result<Command, Failure> {
        for word in &call.argv {
            if let Word::Path(path) = word {
                self.take(path)?;
            }
        }
        let shown = |word: &Word| match word {
            Word::Text(text) => text.clone(),
            Word::Path(path) => self.shown(path),
        };
        let Some((tool, args)) = call.argv.split_first() else {
            return Err(Failure::new(Class::Input, "expected a command line, found an empty list"));
        };
        let own = match tool {
            Word::Text(text) => self.files.contains_key(text.trim_start_matches("./")) && text.contains('/'),
            Word::Path(path) => self.own_path(path).is_some() || self.input_of(path).is_some(),
        };
        let command = match tool {
            // What a task has made is no tool whose identity is looked after: it is an input of what starts it.
            tool if own => {
                let program = shown(tool);
                let program = if program.contains('/') { program } else { format!("./{program}") };
                Command::new("env").arg(program)
            }
            Word::Text(text) => Command::new(text),
            Word::Path(path) => {
                let place = self.source_of(path);
                Command::new(&if place.contains('/') { place } else { format!("./{place}") })
            }
        };
        let mut command = command.args(args.iter().map(shown));
        command.stdout.clone_from(&call.stdout);
        if let Some(path) = &call.stdin {
            self.take(path)?;
            command.stdin = Some(self.shown(path));
        }
        command.accept = match call.accept.as_slice() {
            [] => Accept::Any,
            [0] => Accept::Zero,
            statuses => Accept::These(statuses.to_vec()),
        };
        Ok(command)
    }

    /// Keeps what the task has made by now, and its log, where no tool's own directory is kept.
    pub(super) fn keeping(self, mut failure: Failure) -> Failure {
        let name = format!("{}.log", self.task());
        let nothing = self.files.is_empty() && self.log.is_empty();
        if !self.is_between()
            && failure.work_dir.is_none()
            && !nothing
            && let Ok(dir) = self.job.keep_failed(&[(&name, &self.log)], self.files.values(), &[])
        {
            failure.work_dir = Some(dir);
            failure.log = Some(name);
        }
        failure
    }

    /// Whether a file of this name would be in the place of one that tapeout writes.
    fn is_reserved(&self, path: &str) -> bool {
        path == RESULT || path == COMMANDS || path.strip_suffix(".log") == Some(self.task())
    }

    /// The files of the task that cannot be beside one with this path, as a name is of a file or of a directory.
    fn in_the_way(&self, path: &str) -> Vec<String> {
        let above = path.match_indices('/').map(|(end, _)| path[..end].to_owned());
        let folder = format!("{path}/");
        let below = self.files.range(folder.clone()..).map(|(path, _)| path.clone());
        let below = below.take_while(|path| path.starts_with(&folder));
        above.filter(|above| self.files.contains_key(above)).chain(below).collect()
    }

    fn reserved(&self, path: &str) -> Failure {
        let message = format!("`{path}` is a file that tapeout itself writes for `{}`", self.target.name());
        Failure::new(Class::Input, message).hint("have the tool write it under another name")
    }

    /// Makes a file or directory an input of the tools that are called from here on, if it is there.
    pub(super) fn take(&mut self, path: &FilePath) -> Result<(), Failure> {
        if self.own_path(path).is_some() || self.known.contains(path) {
            return Ok(());
        }
        if let Some(outputs) = self.outputs_of(path) {
            let FilePath::Target { block, task, .. } = path else { return Ok(()) };
            for output in &outputs {
                let input = Output { path: format!("{block}/{task}/{}", output.path), ..output.clone() };
                self.inputs.insert(input.path.clone(), Input::Output(input));
            }
            if !outputs.is_empty() {
                self.known.insert(path.clone());
            }
            return Ok(());
        }
        let place = self.source_of(path);
        if self.target.is_dir(&place) {
            let below = if place.is_empty() { "**/*".to_owned() } else { format!("{place}/**/*") };
            for file in self.list(&below)? {
                self.take_source(file)?;
            }
            self.known.insert(path.clone());
        } else if self.take_source(place)? {
            self.known.insert(path.clone());
        }
        Ok(())
    }

    fn take_source(&mut self, path: String) -> Result<bool, Failure> {
        let exists = self.job.exists(&path)?;
        if exists {
            // Blocks cannot be called like this.
            self.inputs.insert(format!("./{path}"), Input::Source { path });
        }
        Ok(exists)
    }

    /// The path of a file of the task's own, in its directory.
    pub(super) fn own_path<'p>(&self, path: &'p FilePath) -> Option<&'p str> {
        match path {
            FilePath::Target { block, task, path } if block == self.block() && task == self.task() => Some(path),
            _ => None,
        }
    }

    pub(super) fn files_at<'s>(&'s self, path: &'s str) -> impl Iterator<Item = &'s Output> {
        let is_below = move |file: &&Output| {
            path.is_empty() || file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.files.values().filter(is_below)
    }

    pub(super) fn own_files(&self) -> String {
        const NAMED: usize = 8;
        let names: Vec<&str> = self.files.keys().take(NAMED).map(String::as_str).collect();
        match self.files.len().saturating_sub(NAMED) {
            _ if names.is_empty() => "the task has written nothing".to_owned(),
            0 => format!("the task has `{}`", names.join("`, `")),
            more => format!("the task has `{}` and {more} more", names.join("`, `")),
        }
    }

    /// The input of the job that a file of another target comes from, where the task requires that target.
    fn input_of(&self, path: &FilePath) -> Option<u32> {
        let FilePath::Target { block, task, .. } = path else { return None };
        self.places.get(&self.target.project().target(block, task)?).copied()
    }

    /// The files at a path of another target that the task requires, which are read then.
    fn outputs_of(&mut self, path: &FilePath) -> Option<Vec<Output>> {
        let input = self.input_of(path)?;
        let path = path_in_target(path).to_owned();
        Some(self.job.part(input, Part::Files(path.clone()), |record| {
            let all = || record.outputs.to_vec();
            if path.is_empty() { all() } else { record.outputs_at(&path).cloned().collect() }
        }))
    }

    /// Where a file is that is read where it stands: one of the project's, or of a target that the task does not
    /// require and was told of.
    pub(super) fn source_of(&self, path: &FilePath) -> String {
        match path {
            FilePath::Source(path) => path.clone(),
            FilePath::Target { .. } => format!("{}/{path}", self.target.build_dir()),
        }
    }

    /// The result of the task.
    pub(super) fn finish(self, data: Option<Vec<(String, Data)>>) -> Result<Record, Failure> {
        for (name, datum) in data.iter().flatten() {
            for path in datum.paths() {
                let Some(own) = self.own_path(path) else { continue };
                if own.starts_with("..") || !own.is_empty() && self.files_at(own).next().is_none() {
                    let message = format!("`{}` gives `{own}` as `{name}`, and has no such file", self.target.name());
                    return Err(Failure::new(Class::Input, message).hint(self.own_files()));
                }
            }
        }
        for text in &self.said {
            self.job.tell(Arc::new(Note::Message(text.clone())));
        }
        if !self.log.is_empty() {
            let name = format!("{}.log", self.task());
            let log = self.job.write_output(self.log.as_bytes(), &name)?;
            self.job.attempt_log(log);
        }
        let returned = data.is_some();
        let mut data = data.unwrap_or_default();
        data.retain(|(name, _)| !VOLATILE.contains(&name.as_str()));
        data.push((RETURNED.to_owned(), returned.into()));
        Ok(Record {
            outputs: self.files.into_values().collect(),
            metrics: self.metrics,
            data,
            statuses: self.statuses,
            alerts: self.alerts,
            ..Record::default()
        })
    }
}

/// The file with the data of a result.
pub(super) const RESULT: &str = "result.json";

/// The file with the command lines of what ran.
pub(super) const COMMANDS: &str = "COMMANDS";

/// The attribute that says whether a task gave any data.
pub(super) const RETURNED: &str = "returned_data";

/// Attributes that are not a task's to give: they are of the target, or of an attempt.
const VOLATILE: [&str; 3] = [RETURNED, "time_started", "time_finished"];

fn path_in_target(path: &FilePath) -> &str {
    match path {
        FilePath::Target { path, .. } | FilePath::Source(path) => path,
    }
}

/// Adds the end of the log to the failure of a tool.
fn explained(mut failure: Failure) -> Failure {
    let log = failure.work_dir.as_deref().zip(failure.log.as_deref());
    if let Some(log) = log.and_then(|(dir, log)| std::fs::read(dir.join(log)).ok()) {
        failure.words = last_words(&String::from_utf8_lossy(&log));
    }
    if failure.cause == Some(Cause::TimedOut) {
        failure.hint = Some("give the call more time, by its `timeout`".to_owned());
    }
    failure
}
