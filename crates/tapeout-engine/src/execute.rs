//! Running an invocation: its key, its work directory, and the commit of what came out.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tapeout_model::{Attempt, Class, Digest, Record};
use tapeout_store::{Entry, FileTime, KeyHasher, KeyLock, Signature};

use crate::invocation::{Accept, DepFormat, Input, shell_line};
use crate::process::{LIBRARIES, disk_full};
use crate::recall::Given;
use crate::retry::Cause;
use crate::work_dir::WorkDir;
use crate::{Claims, Command, Event, Failure, FoundTool, Invocation, JobCx, Wish};

/// Tools that ran to their end, and what is in their work directory.
pub(crate) struct Finished {
    pub(crate) dir: WorkDir,
    pub(crate) attempt: Attempt,
    pub(crate) statuses: Vec<i32>,
    /// The outputs that are there.
    pub(crate) files: Vec<String>,
}

/// A file of the user's, and what `stat` says of it.
type FileState = (String, Option<Signature>);

impl JobCx<'_> {
    /// Gives the outcome of an invocation: the recorded one if all that it depends on is the same, else by running it.
    /// Its outputs, its exit statuses and its log (in the attempt) are in the entry; views and metrics are for the body
    /// to make of them.
    ///
    /// # Errors
    /// When a tool is missing or fails, an expected output is not there, or an input changed meanwhile. The work
    /// directory of a failed attempt is kept.
    pub fn execute(&mut self, invocation: &Invocation) -> Result<Arc<Entry>, Failure> {
        let tools = self.tools_of(invocation)?;
        // Before the key, so that no edit can come between the two.
        let before = self.signatures(invocation)?;
        let key = self.action_key(invocation, &tools)?;
        let known = if matches!(self.wish, Wish::Fresh) { None } else { self.recorded(&key) };
        let entry = match known {
            Some(entry) => entry,
            None => self.attempt(invocation, &tools, key, &before)?,
        };
        if matches!(self.wish, Wish::Repeat) {
            let differences = self.repeat(invocation, &tools, &entry)?;
            self.say(&Event::Repeated { job: self.id, differences });
        }
        entry.reads().for_each(|read| self.note(read));
        self.attempt.then(entry.attempt());
        Ok(entry)
    }

    /// What the outcome of an invocation depends on, in one digest: the same for the same tools, arguments and inputs.
    /// Nothing runs.
    ///
    /// # Errors
    /// When a tool or an input is missing.
    pub fn key_of(&mut self, invocation: &Invocation) -> Result<Digest, Failure> {
        let tools = self.tools_of(invocation)?;
        self.action_key(invocation, &tools)
    }

    fn recorded(&self, key: &Digest) -> Option<Arc<Entry>> {
        self.engine.good_entry(key, &Given::NOTHING).inspect(|entry| self.engine.store().used(entry))
    }

    /// Runs an invocation until it has a result or trying again does not help. Nobody else who uses this store runs it at
    /// the same time: whoever comes second takes what the first one commits.
    fn attempt(
        &mut self,
        invocation: &Invocation,
        tools: &[Arc<FoundTool>],
        key: Digest,
        before: &[FileState],
    ) -> Result<Arc<Entry>, Failure> {
        for attempts in 1.. {
            let lock = self.lock(&key)?;
            if !matches!(self.wish, Wish::Fresh) {
                self.engine.store().refresh()?;
                if let Some(entry) = self.recorded(&key) {
                    return Ok(entry);
                }
                if let Some(entry) = self.engine.shared_entry(&key, invocation)? {
                    self.say(&Event::Shared { job: self.id, host: entry.attempt().host.clone() });
                    return Ok(entry);
                }
            }
            let failure = match self.run_and_commit(invocation, tools, key, before) {
                Ok(entry) => return Ok(entry),
                Err(failure) => failure,
            };
            let failure = match failure.cause {
                Some(Cause::Tool) if self.engine.options().sandbox => self.name_denied(failure, invocation, tools),
                _ => failure,
            };
            drop(lock);
            self.try_again(failure, attempts)?;
        }
        unreachable!("there is no last attempt");
    }

    /// Waits for the next attempt after so many that failed, and holds nothing meanwhile; gives the failure back when
    /// there is to be none.
    pub(crate) fn try_again(&self, failure: Failure, attempts: u32) -> Result<(), Failure> {
        let wait = failure.cause.and_then(|cause| self.engine.options().retry.after(cause, attempts));
        let (Some(wait), false) = (wait, self.run.is_stopping()) else { return Err(failure) };
        if let Some(dir) = &failure.work_dir {
            // Best effort: the next process sweeps it away.
            let _ = fs::remove_dir_all(dir);
        }
        let (job, reason) = (self.id, failure.message.clone());
        self.say(&match failure.cause {
            Some(Cause::NoLicence) => {
                Event::Waiting { job, reason: format!("{reason}; asking again every {} s", wait.as_secs()) }
            }
            _ => Event::Retried { job, reason },
        });
        // Whatever the job claimed was too little: alone it has the most that there is.
        let claims = (failure.cause == Some(Cause::OutOfMemory)).then(|| Claims {
            cores: u64::MAX,
            memory_mib: u64::MAX,
            ..self.job.claims.clone()
        });
        let until = Instant::now() + wait;
        self.pause(claims, || Ok((Instant::now() >= until).then_some(())))
    }

    /// Locks a key for this process and job, waiting for whoever has it.
    fn lock(&self, key: &Digest) -> Result<KeyLock, Failure> {
        let try_lock = || Ok(self.engine.store().lock_key(key)?);
        if let Some(lock) = try_lock()? {
            return Ok(lock);
        }
        let reason = "another job or another tapeout runs the same".to_owned();
        self.say(&Event::Waiting { job: self.id, reason });
        self.pause(None, try_lock)
    }

    fn tools_of(&mut self, invocation: &Invocation) -> Result<Vec<Arc<FoundTool>>, Failure> {
        invocation.commands.iter().map(|command| self.found_tool(&command.tool)).collect()
    }

    fn action_key(&mut self, invocation: &Invocation, tools: &[Arc<FoundTool>]) -> Result<Digest, Failure> {
        let Invocation {
            log,
            commands,
            inputs,
            outputs,
            optional_outputs,
            keeps_all,
            further_tools,
            depfiles,
            env,
            timeout: _,
        } = invocation;
        let mut key = KeyHasher::new("action 2");
        key.text(log).number(commands.len() as u64);
        for (Command { tool, args, stdin, stdout, accept, within }, found) in commands.iter().zip(tools) {
            let identity = self.engine.identity(found);
            let identity = identity.map_err(|problem| Failure::new(Class::Environment, problem.to_string()))?;
            key.text(tool).digest(Some(&identity)).number(args.len() as u64);
            args.iter().for_each(|arg| _ = key.text(arg));
            key.text(stdout.as_deref().unwrap_or_default()).number(u64::from(*accept == Accept::Any));
            if let Accept::These(statuses) = accept {
                key.text("statuses").text(&format!("{statuses:?}"));
            }
            if let Some(stdin) = stdin {
                key.text("stdin").text(stdin);
            }
            if let Some(within) = within {
                key.text("within").number(within.as_millis() as u64);
            }
        }
        key.number(inputs.len() as u64);
        for input in inputs {
            match input {
                Input::Source { path } => {
                    let digest = self.digest(path)?;
                    key.text("source").text(path).digest(digest.as_ref());
                }
                Input::Copied { name, path } => {
                    let digest = self.digest(path)?;
                    key.text("copied").text(name).text(path).digest(digest.as_ref());
                }
                Input::Output(output) => {
                    key.text("output").text(&output.path).digest(Some(&output.digest));
                    key.number(u64::from(output.executable));
                }
                Input::Text { name, text } => {
                    key.text("text").text(name).text(text);
                }
            }
        }
        for names in [outputs, optional_outputs] {
            key.number(names.len() as u64);
            names.iter().for_each(|name| _ = key.text(name));
        }
        for name in further_tools {
            let identity = self.found_tool(name).ok().and_then(|tool| self.engine.identity(&tool).ok());
            key.text("tool").text(name).digest(identity.as_ref());
        }
        if *keeps_all {
            key.text("keeps all");
        }
        key.number(depfiles.len() as u64);
        depfiles.iter().for_each(|(name, format)| _ = key.text(name).number(u64::from(*format == DepFormat::Lines)));
        key.text(&std::env::var_os(LIBRARIES).unwrap_or_default().to_string_lossy());
        key.number(env.len() as u64);
        env.iter().for_each(|(name, value)| _ = key.text(name).text(value));
        Ok(key.finish())
    }

    fn run_and_commit(
        &mut self,
        invocation: &Invocation,
        tools: &[Arc<FoundTool>],
        key: Digest,
        before: &[FileState],
    ) -> Result<Arc<Entry>, Failure> {
        let started = self.engine.settled();
        let Finished { dir, mut attempt, statuses, mut files } = self.run_tools(invocation, tools)?;
        let reads = match self.discovered(&dir, invocation, tools, started) {
            Ok(reads) => reads,
            Err(failure) => return Err(self.failed(failure, dir, invocation, &attempt, &statuses)),
        };
        let after = self.signatures(invocation)?;
        if let Some(((path, _), _)) = before.iter().zip(&after).find(|(before, after)| before != after) {
            return Err(self.failed(Failure::changed(path), dir, invocation, &attempt, &statuses));
        }
        if let Some(tool) = tools.iter().find(|tool| tool.parts.was_replaced()) {
            return Err(self.failed(Failure::changed(&tool.path), dir, invocation, &attempt, &statuses));
        }
        let store = self.engine.store();
        files.sort_unstable();
        files.dedup();
        // What a link leads to is gone once it is taken.
        files.sort_by_cached_key(|name| !dir.path.join(name).is_symlink());
        let outputs = files.iter().map(|name| store.take_file(&dir.path.join(name), name));
        let mut outputs = outputs.collect::<Result<Vec<_>, _>>()?;
        outputs.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        attempt.log = Some(store.take_file(&dir.path.join(&invocation.log), &invocation.log)?);
        let record = Record { outputs, statuses, ..Record::default() };
        let entry = store.commit(Entry::new(key, &reads, record, attempt))?;
        // What runs each time is of no use to anybody.
        if !self.job.always {
            self.engine.share(&self.job.name, &entry);
        }
        Ok(entry)
    }

    /// Runs the commands of an invocation in a fresh work directory and checks that the outputs are there.
    pub(crate) fn run_tools(&self, invocation: &Invocation, tools: &[Arc<FoundTool>]) -> Result<Finished, Failure> {
        let dir = self.engine.work_dir().map_err(|error| Failure::io("make a work directory", &error))?;
        let mut attempt = self.fill(&dir, invocation)?;
        let filled = if invocation.keeps_all { dir.files()? } else { BTreeMap::new() };
        if !filled.is_empty() {
            // What the tools change must have another time stamp.
            let _ = FileTime::next();
        }
        for (command, tool) in invocation.commands.iter().zip(tools) {
            let limit = command.within.map(|within| ["timeout".to_owned(), within.as_secs_f64().to_string()]);
            let argv: Vec<String> =
                limit.into_iter().flatten().chain(tool.shown.iter().chain(&command.args).cloned()).collect();
            attempt.commands.push_str(&shell_line(
                &invocation.env,
                &argv,
                command.stdin.as_deref(),
                command.stdout.as_deref(),
            ));
            attempt.commands.push('\n');
        }
        let log = dir.path.join(&invocation.log);
        fs::write(&log, "").map_err(|error| Failure::io("write the log", &error))?;
        let commands = attempt.commands.clone();
        self.say(&Event::Running { job: self.id, commands, log });

        let mut statuses = Vec::new();
        for (command, tool) in invocation.commands.iter().zip(tools) {
            match self.run_command(&dir, invocation, command, tool, None, &mut attempt) {
                Ok(status) => statuses.push(status),
                Err(failure) => return Err(self.failed(failure, dir, invocation, &attempt, &statuses)),
            }
        }
        if let Some(failure) = disk_full(&dir.path) {
            return Err(self.failed(failure, dir, invocation, &attempt, &statuses));
        }
        let mut files = Vec::new();
        for name in invocation.outputs.iter().chain(&invocation.optional_outputs) {
            if dir.path.join(name).is_file() {
                files.push(name.clone());
            } else if invocation.outputs.contains(name) {
                let last = invocation.commands.last().map_or("", |command| &command.tool);
                let message = format!("`{last}` ended without an error but did not write `{name}`");
                let failure = Failure::new(Class::Tool, message).because(Cause::Tool);
                return Err(self.failed(failure, dir, invocation, &attempt, &statuses));
            }
        }
        if invocation.keeps_all {
            files.extend(dir.written(&filled, &invocation.log)?);
        }
        Ok(Finished { dir, attempt, statuses, files })
    }

    /// What `stat` says of each of the user's files that the invocation names.
    fn signatures(&self, invocation: &Invocation) -> Result<Vec<FileState>, Failure> {
        let sources = invocation.inputs.iter().filter_map(|input| match input {
            Input::Source { path } | Input::Copied { path, .. } => Some(path),
            Input::Output(_) | Input::Text { .. } => None,
        });
        sources
            .map(|path| {
                let found = self.engine.store().file_digest_and_signature(&self.absolute(path))?;
                Ok((path.clone(), found.map(|(_, signature)| signature)))
            })
            .collect()
    }

    /// Puts the inputs into the work directory.
    pub(crate) fn fill(&self, dir: &WorkDir, invocation: &Invocation) -> Result<Attempt, Failure> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut attempt = Attempt { started: now.as_secs(), host: host(), ..Attempt::default() };
        let store = self.engine.store();
        for input in &invocation.inputs {
            match input {
                Input::Source { .. } => {}
                Input::Copied { name, path } => {
                    let path = self.absolute(path);
                    let bytes =
                        fs::read(&path).map_err(|error| Failure::io(&format!("read `{}`", path.display()), &error))?;
                    dir.write(name, &bytes)?;
                    attempt.inputs.push(store.put_bytes(&bytes, name)?);
                }
                Input::Output(output) => {
                    store.materialise(output, &dir.path.join(&output.path))?;
                    attempt.inputs.push(output.clone());
                }
                Input::Text { name, text } => {
                    dir.write(name, text.as_bytes())?;
                    attempt.inputs.push(store.put_bytes(text.as_bytes(), name)?);
                }
            }
        }
        Ok(attempt)
    }
}

fn host() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let read = || fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    NAME.get_or_init(|| read().unwrap_or_default()).clone()
}
