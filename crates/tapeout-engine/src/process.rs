//! Processes of invocations: their environment, their start and end through the guard, and what an end that is no good
//! means.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tapeout_guard::{Exit, Limits, MemorySource, ProcessSpec, SpawnError, Status, Stop};
use tapeout_model::{Attempt, Class, PeakBy};

use crate::failure::DISK_HINT;
use crate::invocation::TIMED_OUT;
use crate::retry::{Cause, cause_in};
use crate::run::Run;
use crate::work_dir::WorkDir;
use crate::{Command, Engine, Failure, FoundTool, Invocation, JobCx};

/// The variable that decides which libraries a tool runs with: unlike the others that are passed on, it is in the key.
pub(crate) const LIBRARIES: &str = "LD_LIBRARY_PATH";

/// Environment variables that tools get from the user's shell. They are not part of a key: they say where things are
/// (a licence server, a display), not what a result is.
const PASSED: &[&str] = &["PATH", "HOME", "USER", "LOGNAME", "DISPLAY", "XAUTHORITY", LIBRARIES];

/// What a shell needs for the person in front of it. No tool asks for it.
const FOR_PEOPLE: &[&str] = &["TERM", "COLORTERM", "SHELL", "EDITOR", "VISUAL", "PAGER"];

/// Whether tools get a variable of the environment from the user's shell.
fn is_passed(name: &str) -> bool {
    PASSED.contains(&name) || name.ends_with("LICENSE_FILE")
}

/// What differs from the environment of this process in that of tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShellEnvironment {
    /// What they get from us and from the settings. `PATH` begins with the directories of those that are elsewhere.
    pub set: Vec<(String, String)>,
    /// The names of variables that they do not get.
    pub unset: Vec<String>,
}

/// Of all that makes a locale, C.UTF-8 differs from C in the encoding alone, and each further part of it costs every
/// process of every tool another file.
const LOCALE: [(&str, &str); 2] = [("LC_CTYPE", "C.UTF-8"), ("TZ", "UTC")];

impl Engine {
    /// The environment of a tool: fixed locale and time zone, the allow-list, licence servers, a private `TMPDIR`.
    fn environment(
        &self,
        dir: &WorkDir,
        own: &BTreeMap<String, String>,
        more: &[(String, String)],
    ) -> Vec<(String, String)> {
        let as_text = |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        let mut environment: BTreeMap<String, String> =
            env::vars_os().filter_map(as_text).filter(|(name, _)| is_passed(name)).collect();
        for (name, value) in LOCALE {
            environment.insert(name.to_owned(), value.to_owned());
        }
        environment.insert("TMPDIR".to_owned(), dir.tmp_from_here.clone());
        environment.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
        environment.extend(more.iter().cloned());
        environment.into_iter().collect()
    }

    /// The environment for a shell in which people try what these tools did: that of the tools, with what a terminal needs.
    #[must_use]
    pub fn shell_environment(&self, tools: &[&str]) -> ShellEnvironment {
        let found: Vec<Arc<FoundTool>> = tools.iter().filter_map(|tool| self.tool(tool).ok()).collect();
        let mut set: BTreeMap<String, String> =
            LOCALE.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        set.extend(found.iter().flat_map(|tool| tool.env.clone()));
        let path = env::var_os("PATH").unwrap_or_default();
        let mut folders: Vec<PathBuf> = env::split_paths(&path).collect();
        for tool in &found {
            let folder = Path::new(&tool.path).parent().filter(|folder| folder.is_absolute());
            let is_first = |folder: &Path| {
                let name = Path::new(&tool.path).file_name().unwrap_or_default();
                folders.iter().find(|known| known.join(name).is_file()).is_some_and(|known| known == folder)
            };
            if let Some(folder) = folder.filter(|folder| !is_first(folder)) {
                folders.insert(0, folder.to_owned());
            }
        }
        if let Ok(path) = env::join_paths(folders) {
            set.insert("PATH".to_owned(), path.to_string_lossy().into_owned());
        }
        let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        let is_kept = |name: &str| is_passed(name) || FOR_PEOPLE.contains(&name) || set.contains_key(name);
        let unset = names.filter(|name| !is_kept(name)).collect();
        ShellEnvironment { set: set.into_iter().collect(), unset }
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
            stdin: None,
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
    pub(crate) fn run_process(&self, spec: ProcessSpec, run: Option<&Run<'_>>) -> Result<Exit, Failure> {
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

impl JobCx<'_> {
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
        if let Some(folder) = command.stdout.as_deref().and_then(|file| Path::new(file).parent()) {
            let folder = dir.path.join(folder);
            fs::create_dir_all(&folder)
                .map_err(|error| Failure::io(&format!("create `{}`", folder.display()), &error))?;
        }
        let limit = invocation.timeout.or(tool.timeout);
        let spec = ProcessSpec {
            program: PathBuf::from(argv.remove(0)),
            args: argv,
            cwd: dir.path.clone(),
            env: self.engine.environment(dir, &tool.env, &invocation.env),
            log: dir.path.join(&invocation.log),
            stdin: command.stdin.as_ref().map(|file| dir.path.join(file)),
            stdout: command.stdout.as_ref().map(|file| dir.path.join(file)),
            timeout: command.within.into_iter().chain(limit).min(),
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
        if exit.survivors > 0 {
            // What still runs may still write: the files are nobody's result.
            let message = format!(
                "{} of `{name}` could not be ended, so that its result was not recorded",
                processes(exit.survivors)
            );
            return Err(Failure::new(Class::Environment, message)
                .hint("they belong to another user, or wait for a disk that does not answer; end them and run again"));
        }
        let ended = match (exit.status, exit.stopped) {
            (_, Some(Stop::Killed)) => Err(Failure::interrupted()),
            (_, Some(Stop::TimedOut)) if command.within.is_some_and(|own| limit.is_none_or(|limit| own <= limit)) => {
                Ok(TIMED_OUT)
            }
            (_, Some(Stop::TimedOut)) => {
                let limit = limit.unwrap_or_default().as_secs_f64();
                Err(Failure::new(Class::Tool, format!("`{name}` ran longer than its time limit of {limit} s"))
                    .because(Cause::TimedOut)
                    .hint("raise the limit (`timeout_s` of the tool), or see in the log how far it came"))
            }
            (Status::Lost, _) => Err(lost(name)),
            (Status::Signal(SIGKILL), _) => Err(killed(name)),
            (Status::Signal(signal), _) => {
                let message = format!("`{name}` crashed: signal {signal} ended it");
                Err(Failure::new(Class::Tool, message).because(Cause::Tool))
            }
            // As shells say of a program that they started.
            (Status::Code(code), _) if code == 128 + SIGKILL && !command.accept.takes(code) => Err(killed(name)),
            // As shells, `env` and container runtimes say that there is no such program.
            (Status::Code(code @ (126 | 127)), _) if !command.accept.takes(code) => {
                let message = format!("`{name}` could not be started (exit code {code})");
                Err(Failure::new(Class::Environment, message)
                    .because(Cause::Tool)
                    .hint("is everything that it needs installed? see the log"))
            }
            // A status says nothing of the design when there was no licence to look at it.
            (Status::Code(code), _)
                if !command.accept.takes(code) || code != 0 && self.had_no_licence(dir, invocation) =>
            {
                Err(Failure::new(Class::Tool, format!("`{name}` failed with exit code {code}")).because(Cause::Tool))
            }
            (Status::Code(code), _) => Ok(code),
        };
        ended.map_err(|failure| match (exit.status, exit.stopped) {
            (Status::Code(code), None) => Failure { exit: Some(code), ..failure },
            (Status::Signal(signal), None) => Failure { exit: Some(128 + signal), ..failure },
            _ => failure,
        })
    }

    /// Completes a failure with its log, and keeps the work directory.
    pub(crate) fn failed(
        &self,
        mut failure: Failure,
        dir: WorkDir,
        invocation: &Invocation,
        attempt: &Attempt,
        statuses: &[i32],
    ) -> Failure {
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
        self.note_attempt(&dir, invocation, attempt, statuses, &failure);
        failure.log = Some(invocation.log.clone());
        failure.work_dir = Some(dir.keep());
        failure
    }

    /// The failure of a tool with the cause that its log tells.
    pub(crate) fn explained(&self, failure: Failure, log: &Path, invocation: &Invocation) -> Failure {
        let Some((cause, line)) = self.told_cause(log, invocation) else { return failure };
        let (message, hint) = match cause {
            Cause::NoLicence => {
                (format!("no licence: {}", failure.message), "wait for a licence, or free one; nothing was recorded")
            }
            _ => (failure.message.clone(), "run fewer jobs at a time (`-j`), or on a machine with more memory"),
        };
        Failure { class: Class::Environment, message, ..failure.because(cause) }
            .hint(format!("the log says `{line}`: {hint}"))
    }

    /// The cause of a failure that a log tells, with the line that tells it.
    fn told_cause(&self, log: &Path, invocation: &Invocation) -> Option<(Cause, String)> {
        let log = String::from_utf8_lossy(&end_of(log).ok()?).into_owned();
        let tools = invocation.commands.iter().filter_map(|command| self.engine.tool(&command.tool).ok());
        let no_licence: Vec<String> = tools.flat_map(|tool| tool.no_licence.clone()).collect();
        cause_in(&log, &no_licence).map(|(cause, line)| (cause, line.to_owned()))
    }

    pub(crate) fn had_no_licence(&self, dir: &WorkDir, invocation: &Invocation) -> bool {
        let told = self.told_cause(&dir.path.join(&invocation.log), invocation);
        told.is_some_and(|(cause, _)| cause == Cause::NoLicence)
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

fn processes(count: u32) -> String {
    if count == 1 { "a process".to_owned() } else { format!("{count} processes") }
}

/// The failure of a tool whose guard was killed.
fn lost(tool: &str) -> Failure {
    let message = format!("`{tool}` was lost: the guard process that ran it was killed from outside");
    Failure::new(Class::Environment, message).because(Cause::Lost).hint("run again; everything that was done is kept")
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
pub(crate) fn disk_full(dir: &Path) -> Option<Failure> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    (disk.f_bavail * disk.f_frsize < FULL)
        .then(|| Failure::new(Class::Environment, format!("the disk of `{}` is full", dir.display())).hint(DISK_HINT))
}

/// A disk with less free space in bytes counts as full.
const FULL: u64 = 64 * 1024;

fn millis(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
