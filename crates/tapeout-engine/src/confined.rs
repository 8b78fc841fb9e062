//! One program outside of any project: what it may read is listed, what it may write is nothing, and all there is of it
//! is what it prints. For what must run before there is a plan, such as the interpreter of a configuration language.
//!
//! There is no engine then, and no store: each program has a guard of its own and a temporary directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tapeout_guard::{
    Confinement, Guard, GuardCommand, Limits, ProcessSpec, SpawnError, Status, Stop, confinement_support,
};

use crate::sandbox::{PROGRAMS, installation};
use crate::tool::executable;

/// A program to run and what it may use.
#[derive(Clone, Debug)]
pub struct Confined<'a> {
    /// The executable: a name on `PATH`, or a path.
    pub program: &'a str,
    /// Its arguments.
    pub args: &'a [&'a str],
    /// Files that it gets in its working directory, by name.
    pub files: &'a [(&'a str, &'a [u8])],
    /// What it may read, besides those files and where systems keep programs and libraries. Absolute paths.
    pub read: Vec<PathBuf>,
    /// How long it may run.
    pub timeout: Duration,
    /// The memory of each of its processes (`RLIMIT_AS`), in bytes.
    pub memory: u64,
    /// What it may print, in bytes.
    pub output: u64,
}

/// Why a confined program gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ConfinedError {
    /// There is no such program: `NAME on PATH`, or a path.
    #[error("there is no program {0}")]
    Missing(String),
    /// It was not started.
    #[error("{0}")]
    NotStarted(String),
    /// It was ended when its time was up.
    #[error("it ran longer than {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// It was ended when it had printed more than it may.
    #[error("it printed more than {0} bytes")]
    TooMuchOutput(u64),
    /// It ended otherwise than with exit code 0.
    #[error("{how}: {said}")]
    Ended {
        /// How: `exit code 1`, `signal 6`.
        how: String,
        /// What it wrote to its standard error output.
        said: String,
    },
}

/// The number of the signal that ends who writes too much.
const SIGXFSZ: i32 = 25;

impl Confined<'_> {
    /// Runs it to its end and gives what it wrote to its standard output. Nothing that it started is left then.
    ///
    /// The kernel confines it ([`Confinement`]); where it cannot ([`confinement_support`]), the program is as free with
    /// files as any, and has only its limits. Its environment has nothing of this process's.
    ///
    /// # Errors
    /// See [`ConfinedError`].
    pub fn run(&self, guard: &GuardCommand) -> Result<Vec<u8>, ConfinedError> {
        let program = executable(self.program, Path::new(".")).ok_or_else(|| {
            let place = if self.program.contains('/') { "" } else { " on PATH" };
            ConfinedError::Missing(format!("`{}`{place}", self.program))
        })?;
        let program = std::path::absolute(program).map_err(|error| not_started("name its file", &error))?;
        let dir = tempfile::Builder::new()
            .prefix("tapeout-")
            .tempdir()
            .map_err(|error| not_started("make a temporary directory", &error))?;
        let path = std::path::absolute(dir.path()).map_err(|error| not_started("name its directory", &error))?;
        let (cwd, stdout, stderr) = (path.join("files"), path.join("stdout"), path.join("stderr"));
        fs::create_dir(&cwd).map_err(|error| not_started("make its directory", &error))?;
        for (name, bytes) in self.files {
            fs::write(cwd.join(name), bytes).map_err(|error| not_started("write its files", &error))?;
        }
        let spec = ProcessSpec {
            confine: confinement_support().is_some().then(|| self.confinement(&program, &cwd)),
            program,
            args: self.args.iter().map(Into::into).collect(),
            cwd,
            env: [("LC_CTYPE", "C.UTF-8"), ("TZ", "UTC")].map(|(name, value)| (name.into(), value.into())).into(),
            log: stderr.clone(),
            stdin: None,
            stdout: Some(stdout.clone()),
            timeout: Some(self.timeout),
            limits: Limits { address_space: Some(self.memory), file_size: Some(self.output) },
        };
        let guard = Guard::start(guard).map_err(|error| not_started("start the guard process", &error))?;
        let exit = guard
            .submit(spec)
            .and_then(|submitted| submitted.wait())
            .map_err(|error: SpawnError| ConfinedError::NotStarted(error.to_string()))?;
        let read = |path: &Path| fs::read(path).map_err(|error| not_started("read what it printed", &error));
        let said = || read(&stderr).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match (exit.status, exit.stopped) {
            (_, Some(Stop::TimedOut)) => Err(ConfinedError::TimedOut(self.timeout)),
            (Status::Code(0), None) => read(&stdout),
            (Status::Signal(SIGXFSZ), _) => Err(ConfinedError::TooMuchOutput(self.output)),
            (Status::Code(code), _) => Err(ConfinedError::Ended { how: format!("exit code {code}"), said: said()? }),
            (Status::Signal(signal), _) => Err(ConfinedError::Ended { how: format!("signal {signal}"), said: said()? }),
            (Status::Lost, _) => {
                Err(ConfinedError::Ended { how: "its guard process was killed".to_owned(), said: String::new() })
            }
        }
    }

    fn confinement(&self, program: &Path, cwd: &Path) -> Confinement {
        let real = fs::canonicalize(program).unwrap_or_else(|_| program.to_owned());
        let mut read: Vec<PathBuf> = PROGRAMS.iter().map(PathBuf::from).collect();
        read.extend([program.to_owned(), cwd.to_owned()]);
        read.extend(installation(&real));
        read.push(real);
        read.extend(self.read.iter().cloned());
        // The environments of other processes are there.
        Confinement { read, hide_processes: true, ..Confinement::default() }
    }
}

fn not_started(what: &str, error: &io::Error) -> ConfinedError {
    ConfinedError::NotStarted(format!("cannot {what}: {error}"))
}
