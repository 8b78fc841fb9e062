//! Running an invocation: its key, its work directory, its processes, and the commit of what came out.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tapeout_formats::makefile_deps;
use tapeout_guard::{Exit, Limits, MemorySource, ProcessSpec, SpawnError, Status, Stop};
use tapeout_model::{Attempt, Class, Digest, PeakBy, Read, Record};
use tapeout_store::{Entry, FileTime, KeyHasher, KeyLock, Signature};

use crate::failure::DISK_HINT;
use crate::invocation::{Accept, DepFormat, Input, shell_line};
use crate::retry::{Cause, cause_in};
use crate::run::Run;
use crate::work_dir::WorkDir;
use crate::{Claims, Command, Engine, Event, Failure, FoundTool, Invocation, JobCx, Wish};

/// Environment variables that tools get from the user's shell. They are not part of a key: they say where things are
/// (a licence server, a display), not what a result is.
const PASSED: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "DISPLAY", "XAUTHORITY", "LD_LIBRARY_PATH"];

impl Engine {
    /// The environment of a tool: fixed locale and time zone, the allow-list, licence servers, a private `TMPDIR`.
    fn environment(
        &self,
        dir: &WorkDir,
        own: &BTreeMap<String, String>,
        more: &[(String, String)],
    ) -> Vec<(String, String)> {
        let is_passed = |name: &str| PASSED.contains(&name) || name.ends_with("LICENSE_FILE");
        let as_text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let mut environment: BTreeMap<String, String> =
            env::vars_os().filter_map(as_text).filter(|(name, _)| is_passed(name)).collect();
        // Of all that makes a locale, C.UTF-8 differs from C in the encoding alone, and each further part of it costs
        // every process of every tool another file.
        for (name, value) in [("LC_CTYPE", "C.UTF-8"), ("TZ", "UTC")] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        environment.insert("TMPDIR".to_owned(), dir.tmp_from_here.clone());
        environment.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        environment.extend(more.iter().cloned());
        environment.into_iter().collect()
    }

    /// Runs a short command for its words (output and errors) and exit code, outside of any job.
    pub(crate) fn capture(
        &self,
        argv: &[String],
        env: &BTreeMap<String, String>,
    ) -> Result<(Option<i32>, String), String> {
        let dir = self.work_dir().map_err(|error| format!("cannot make a work directory: {error}"))?;
        let log = dir.path.join("answer");
        let spec = ProcessSpec {
            program: PathBuf::from(&argv[0]),
            args: argv[1..].iter().map(Into::into).collect(),
            cwd: dir.path.clone(),
            env: self.environment(&dir, env, &[]),
            log: log.clone(),
            stdout: None,
            timeout: Some(Duration::from_secs(300)),
            limits: Limits::default(),
            confine: None,
        };
        let exit = self.run_process(spec, None).map_err(|failure| failure.message)?;
        let words = fs::read(&log).map_err(|error| error.to_string())?;
        let code = match exit.status {
            Status::Code(code) => Some(code),
            Status::Signal(_) | Status::Lost => None,
        };
        Ok((code, String::from_utf8_lossy(&words).into_owned()))
    }

    /// Runs one process to its end, as one of a run, or of nobody in particular.
    fn run_process(&self, spec: ProcessSpec, run: Option<&Run<'_>>) -> Result<Exit, Failure> {
        let environment = |reason: String| Failure::new(Class::Environment, reason);
        let program = spec.program.to_string_lossy().into_owned();
        let guard = self.guard().map_err(|error| environment(format!("cannot start the guard process: {error}")))?;
        let ended = guard.submit(spec).and_then(|submitted| {
            let submitted = Arc::new(submitted);
            let _watch = run.map(|run| run.watch(&submitted));
            // A stop may have come between the question whether to start and the start.
            if self.is_stopping() {
                submitted.kill();
            }
            submitted.wait()
        });
        match ended {
            Ok(exit) if exit.status == Status::Lost => {
                self.give_up(&guard);
                Ok(exit)
            }
            Err(SpawnError::GuardLost) => {
                self.give_up(&guard);
                Err(lost(&program))
            }
            ended => ended.map_err(|error| environment(error.to_string())),
        }
    }
}

/// The number of the signal.
const SIGKILL: i32 = 9;

/// The failure of a tool that the system has killed, as far as one can tell.
fn killed(tool: &str) -> Failure {
    Failure::new(Class::Environment, format!("`{tool}` was killed (SIGKILL)"))
        .because(Cause::OutOfMemory)
        .hint("when nobody killed it, the system ran out of memory: see `dmesg`")
}

/// The failure of a tool whose guard was killed.
fn lost(tool: &str) -> Failure {
    let message = format!("`{tool}` was lost: the guard process that ran it was killed from outside");
    Failure::new(Class::Environment, message).because(Cause::Lost).hint("run again; everything that was done is kept")
}

/// Tools that ran to their end, and what is in their work directory.
pub(crate) struct Finished<'i> {
    pub(crate) dir: WorkDir,
    pub(crate) attempt: Attempt,
    pub(crate) statuses: Vec<i32>,
    /// The outputs that are there.
    pub(crate) files: Vec<&'i str>,
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

    /// Keeps some files of a failed attempt for looking at and gives their directory.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_failed(&self, files: &[(&str, &str)]) -> Result<PathBuf, Failure> {
        let failure = |error: io::Error| Failure::io("keep the failed attempt", &error);
        let dir = self.engine.work_dir().map_err(failure)?;
        for (name, text) in files {
            fs::write(dir.path.join(name), text).map_err(failure)?;
        }
        Ok(dir.keep())
    }

    fn recorded(&self, key: &Digest) -> Option<Arc<Entry>> {
        self.engine.good_entry(key, &|_| None)
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
            Some(Cause::NoLicence) => Event::Waiting { job, reason },
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
        let Invocation { log, commands, inputs, outputs, optional_outputs, depfiles, env, timeout: _ } = invocation;
        let mut key = KeyHasher::new("action 1");
        key.text(log).number(commands.len() as u64);
        for (Command { tool, args, stdout, accept }, found) in commands.iter().zip(tools) {
            let identity = self.engine.identity(found);
            let identity = identity.map_err(|problem| Failure::new(Class::Environment, problem.to_string()))?;
            key.text(tool).digest(Some(&identity)).number(args.len() as u64);
            args.iter().for_each(|arg| _ = key.text(arg));
            key.text(stdout.as_deref().unwrap_or_default()).number(u64::from(*accept == Accept::Any));
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
        key.number(depfiles.len() as u64);
        depfiles.iter().for_each(|(name, format)| _ = key.text(name).number(u64::from(*format == DepFormat::Lines)));
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
            Err(failure) => return Err(self.failed(failure, dir, invocation, &attempt)),
        };
        let after = self.signatures(invocation)?;
        if let Some(((path, _), _)) = before.iter().zip(&after).find(|(before, after)| before != after) {
            return Err(self.failed(Failure::changed(path), dir, invocation, &attempt));
        }
        let store = self.engine.store();
        files.sort_unstable();
        let outputs = files.into_iter().map(|name| store.take_file(&dir.path.join(name), name));
        let outputs = outputs.collect::<Result<_, _>>()?;
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
    pub(crate) fn run_tools<'i>(
        &self,
        invocation: &'i Invocation,
        tools: &[Arc<FoundTool>],
    ) -> Result<Finished<'i>, Failure> {
        let dir = self.engine.work_dir().map_err(|error| Failure::io("make a work directory", &error))?;
        let mut attempt = self.fill(&dir, invocation)?;
        for (command, tool) in invocation.commands.iter().zip(tools) {
            let argv: Vec<String> = tool.shown.iter().chain(&command.args).cloned().collect();
            attempt.commands.push_str(&shell_line(&argv, command.stdout.as_deref()));
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
                Err(failure) => return Err(self.failed(failure, dir, invocation, &attempt)),
            }
        }
        if let Some(failure) = disk_full(&dir.path) {
            return Err(self.failed(failure, dir, invocation, &attempt));
        }
        let mut files = Vec::new();
        for name in invocation.outputs.iter().chain(&invocation.optional_outputs) {
            if dir.path.join(name).is_file() {
                files.push(name.as_str());
            } else if invocation.outputs.contains(name) {
                let last = invocation.commands.last().map_or("", |command| &command.tool);
                let message = format!("`{last}` ended without an error but did not write `{name}`");
                let failure = Failure::new(Class::Tool, message).because(Cause::Tool);
                return Err(self.failed(failure, dir, invocation, &attempt));
            }
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

    /// Runs one command to its end. `watched`: by this `strace`, which writes this file in the work directory.
    pub(crate) fn run_command(
        &self,
        dir: &WorkDir,
        invocation: &Invocation,
        command: &Command,
        tool: &FoundTool,
        watched: Option<(&Path, &str)>,
        attempt: &mut Attempt,
    ) -> Result<i32, Failure> {
        if self.run.is_stopping() {
            return Err(Failure::interrupted());
        }
        let mut argv: Vec<OsString> = tool.argv.iter().chain(&command.args).map(Into::into).collect();
        if let Some((strace, trace)) = watched {
            let words = ["-f", "-y", "-Z", "-qq", "-e", "trace=%file", "-o", trace, "--"];
            argv.splice(0..0, [strace.as_os_str().to_owned()].into_iter().chain(words.map(OsString::from)));
        }
        let spec = ProcessSpec {
            program: PathBuf::from(argv.remove(0)),
            args: argv,
            cwd: dir.path.clone(),
            env: self.engine.environment(dir, &tool.env, &invocation.env),
            log: dir.path.join(&invocation.log),
            stdout: command.stdout.as_ref().map(|file| dir.path.join(file)),
            timeout: invocation.timeout.or(tool.timeout),
            limits: Limits::default(),
            confine: self.confinement(dir, invocation, tool),
        };
        let exit = self.engine.run_process(spec, Some(self.run))?;
        attempt.wall_ms += millis(exit.wall);
        attempt.cpu_ms += millis(exit.user + exit.system);
        if exit.memory.peak_kib > attempt.peak_kib {
            attempt.peak_kib = exit.memory.peak_kib;
            attempt.peak_by = match exit.memory.by {
                MemorySource::Cgroup => PeakBy::Cgroup,
                MemorySource::Sampled => PeakBy::Sampled,
                MemorySource::LargestProcess => PeakBy::LargestProcess,
            };
        }
        let name = &command.tool;
        match (exit.status, exit.stopped) {
            (_, Some(Stop::Killed)) => Err(Failure::interrupted()),
            (_, Some(Stop::TimedOut)) => {
                Err(Failure::new(Class::Tool, format!("`{name}` ran longer than its time limit"))
                    .because(Cause::TimedOut)
                    .hint("raise the limit, or see in the log how far it came"))
            }
            (Status::Lost, _) => Err(lost(name)),
            (Status::Signal(SIGKILL), _) => Err(killed(name)),
            (Status::Signal(signal), _) => {
                let message = format!("`{name}` crashed: signal {signal} ended it");
                Err(Failure::new(Class::Tool, message).because(Cause::Tool))
            }
            // As shells say of a program that they started.
            (Status::Code(code), _) if code == 128 + SIGKILL && command.accept == Accept::Zero => Err(killed(name)),
            // As shells, `env` and container runtimes say that there is no such program.
            (Status::Code(code @ (126 | 127)), _) if command.accept == Accept::Zero => {
                let message = format!("`{name}` could not be started (exit code {code})");
                Err(Failure::new(Class::Environment, message)
                    .because(Cause::Tool)
                    .hint("is everything that it needs installed? see the log"))
            }
            // A status says nothing of the design when there was no licence to look at it.
            (Status::Code(code), _)
                if code != 0 && (command.accept == Accept::Zero || self.had_no_licence(dir, invocation)) =>
            {
                Err(Failure::new(Class::Tool, format!("`{name}` failed with exit code {code}")).because(Cause::Tool))
            }
            (Status::Code(code), _) => Ok(code),
        }
    }

    /// Completes a failure with its log, and keeps the work directory.
    fn failed(&self, mut failure: Failure, dir: WorkDir, invocation: &Invocation, attempt: &Attempt) -> Failure {
        if failure.class == Class::Interrupted {
            return failure;
        }
        if let Some(full) = disk_full(&dir.path) {
            failure = full;
        } else if failure.cause == Some(Cause::Tool) {
            failure = self.explained(failure, &dir.path.join(&invocation.log), invocation);
        }
        // Best effort, as the disk may be full: the failure itself is what counts.
        let _ = fs::write(dir.path.join("COMMANDS"), &attempt.commands);
        failure.log = Some(invocation.log.clone());
        failure.work_dir = Some(dir.keep());
        failure
    }

    /// The failure of a tool with the cause that its log tells.
    fn explained(&self, failure: Failure, log: &Path, invocation: &Invocation) -> Failure {
        let Some((cause, line)) = self.told_cause(log, invocation) else { return failure };
        let (class, hint) = match cause {
            Cause::NoLicence => (Class::Environment, "wait for a licence, or free one; nothing was recorded"),
            _ => (Class::Environment, "run fewer jobs at a time (`-j`), or on a machine with more memory"),
        };
        Failure { class, ..failure.because(cause) }.hint(format!("the log says `{line}`: {hint}"))
    }

    /// The cause of a failure that a log tells, with the line that tells it.
    fn told_cause(&self, log: &Path, invocation: &Invocation) -> Option<(Cause, String)> {
        let log = String::from_utf8_lossy(&end_of(log).ok()?).into_owned();
        let tools = invocation.commands.iter().filter_map(|command| self.engine.tool(&command.tool).ok());
        let no_licence: Vec<String> = tools.flat_map(|tool| tool.no_licence.clone()).collect();
        cause_in(&log, &no_licence).map(|(cause, line)| (cause, line.to_owned()))
    }

    fn had_no_licence(&self, dir: &WorkDir, invocation: &Invocation) -> bool {
        let told = self.told_cause(&dir.path.join(&invocation.log), invocation);
        told.is_some_and(|(cause, _)| cause == Cause::NoLicence)
    }

    /// What the tools say they have read beyond the declared inputs.
    fn discovered(
        &self,
        dir: &WorkDir,
        invocation: &Invocation,
        tools: &[Arc<FoundTool>],
        started: FileTime,
    ) -> Result<Vec<Read>, Failure> {
        if invocation.depfiles.is_empty() {
            return Ok(Vec::new());
        }
        let declared = |path: &str| {
            invocation.inputs.iter().any(|input| match input {
                Input::Source { path: source } | Input::Copied { path: source, .. } => source == path,
                Input::Output(_) | Input::Text { .. } => false,
            })
        };
        let is_tool = |path: &Path| tools.iter().any(|tool| tool.parts.cover(path));
        // `..` behind a link is not what its text says.
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (work_dir, project) = (real(&dir.path), real(self.project()));
        let mut reads = BTreeMap::new();
        for (depfile, format) in &invocation.depfiles {
            let unreadable = |reason: String| {
                Failure::new(Class::Tool, format!("cannot read the dependency file `{depfile}`: {reason}"))
            };
            let text = fs::read_to_string(dir.path.join(depfile)).map_err(|error| unreadable(error.to_string()))?;
            let rules;
            let files: Vec<&str> = match format {
                DepFormat::Makefile => {
                    rules = makefile_deps::parse(&text).map_err(|error| unreadable(error.to_string()))?;
                    makefile_deps::prerequisites(&rules)
                }
                DepFormat::Lines => text.lines().filter(|line| !line.is_empty()).collect(),
            };
            for prerequisite in files {
                let named = dir.path.join(prerequisite);
                let full = fs::canonicalize(&named).unwrap_or_else(|_| without_dots(&named));
                if full.starts_with(&work_dir) || is_tool(&full) {
                    continue;
                }
                let path = full.strip_prefix(&project).unwrap_or(&full).to_string_lossy().into_owned();
                if declared(&path) || reads.contains_key(&path) {
                    continue;
                }
                let found = self.engine.store().file_digest_and_signature(&full)?;
                let is_new = |signature: Signature| !signature.is_older_than(started) && !signature.is_ahead_of_clock();
                if found.is_some_and(|(_, signature)| is_new(signature)) {
                    return Err(Failure::changed(&path));
                }
                reads.insert(path, found.map(|(digest, _)| digest));
            }
        }
        Ok(reads.into_iter().map(|(path, digest)| Read::File { path, digest }).collect())
    }
}

/// The last part of a log, which may be long.
fn end_of(log: &Path) -> io::Result<Vec<u8>> {
    let mut file = fs::File::open(log)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(64 * 1024)))?;
    let mut end = Vec::new();
    file.read_to_end(&mut end)?;
    Ok(end)
}

/// The failure to report when the disk is full. Several tools cut their output off then and exit with 0.
fn disk_full(dir: &Path) -> Option<Failure> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    (disk.f_bavail * disk.f_frsize < FULL)
        .then(|| Failure::new(Class::Environment, format!("the disk of `{}` is full", dir.display())).hint(DISK_HINT))
}

/// A disk with less free space in bytes counts as full.
const FULL: u64 = 64 * 1024;

/// A path without `.` and `..`, by its text alone.
pub(crate) fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = plain.pop(),
            other => plain.push(other),
        }
    }
    plain
}

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn host() -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    let read = || fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned());
    NAME.get_or_init(|| read().unwrap_or_default()).clone()
}
