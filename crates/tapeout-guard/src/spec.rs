//! What a process is to be, how it ended, and why it could not be started.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// One process to run. All paths are absolute: the guard's working directory is nobody's business.
///
/// The process gets a process group of its own, the default signal dispositions, an empty signal mask, no open files but
/// the standard three, and the user's `umask`. Its standard input is empty.
#[derive(Clone, Debug)]
pub struct ProcessSpec {
    /// The executable; `PATH` is not searched.
    pub program: PathBuf,
    /// The arguments after the program's name.
    pub args: Vec<OsString>,
    /// The working directory.
    pub cwd: PathBuf,
    /// The whole environment, except for the guard's own mark, `TAPEOUT_JOB`.
    pub env: Vec<(String, String)>,
    /// The file that standard output and standard error are appended to, in the order in which they are written.
    pub log: PathBuf,
    /// The file that is standard input; `None`: there is nothing to read.
    pub stdin: Option<PathBuf>,
    /// Where standard output goes instead, replacing what was there.
    pub stdout: Option<PathBuf>,
    /// How long the process may run.
    pub timeout: Option<Duration>,
    /// What it may use.
    pub limits: Limits,
    /// The files that it may use; `None`: all that the user may.
    pub confine: Option<Confinement>,
}

/// The only files that a process and its descendants may use, enforced by the kernel (Landlock). Anything else is denied
/// with `EACCES`, which the tool may report in its own words or not at all; nobody else is told.
///
/// A directory stands for all that is beneath it, also what comes to be there later; a symbolic link for what it leads
/// to. What does not exist when the process starts is passed over. Besides what is listed, a process may read `/proc`,
/// unless that is hidden, and read and write `/dev/null`, `zero`, `full`, `random`, `urandom`, `tty`, `ptmx` and `pts`. What is denied
/// can still be seen to exist (`stat`, `chdir`, `readlink`), and the log and the network are not affected.
///
/// The program itself, its interpreter and its libraries must be listed. A confined process cannot gain privileges
/// (`no_new_privs`): `sudo` and the like do not work in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confinement {
    /// What may be read, listed and executed. Absolute paths.
    pub read: Vec<PathBuf>,
    /// Directories of which, and of those beneath, the names in them may be listed. Absolute paths.
    pub list: Vec<PathBuf>,
    /// What may, besides, be written, truncated, created, removed, and renamed or linked from one of these directories
    /// to another (a kernel before 5.19 denies the last). Absolute paths.
    pub write: Vec<PathBuf>,
    /// Whether `/proc` may not be read: it has the environments of all processes, and of those of its own user a process
    /// may see them, or of all where it is privileged (Linux 6.18 lets the capability `CAP_PERFMON` see what Landlock
    /// would deny). Most tools need `/proc`.
    pub hide_processes: bool,
}

/// Limits of each process in the tree (`setrlimit`), in bytes; `None` leaves what the user's shell allows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// `RLIMIT_AS`: allocations beyond it fail.
    pub address_space: Option<u64>,
    /// `RLIMIT_FSIZE`: writing a file beyond it ends the process with `SIGXFSZ`.
    pub file_size: Option<u64>,
}

/// How a process ended. It is told only when nothing of its process tree is left, so its files are stable, or when what is
/// left (`survivors`) cannot be ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exit {
    /// The end of the process itself.
    pub status: Status,
    /// Why the guard ended it, where it did. The status tells how the process took that.
    pub stopped: Option<Stop>,
    /// From just before its start to its end. The time to end what it left running is not in it.
    pub wall: Duration,
    /// Processor time in user mode, with that of the descendants which were waited for.
    pub user: Duration,
    /// Processor time in the kernel, likewise.
    pub system: Duration,
    /// Memory of the process and its descendants.
    pub memory: TreeMemory,
    /// How many of it and its descendants not even `SIGKILL` ended in time (another user's, or stuck in the kernel). Where there
    /// are any, its files may still change.
    pub survivors: u32,
}

impl Exit {
    /// Whether the process ended by itself with exit code 0 and left nothing behind.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.status == Status::Code(0) && self.stopped.is_none() && self.survivors == 0
    }
}

/// The peak memory use of a process tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeMemory {
    /// The peak in KiB.
    pub peak_kib: u64,
    /// How it is known, which also says what it counts.
    pub by: MemorySource,
}

/// How the peak memory use of a process tree is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MemorySource {
    /// The kernel counted it, in a control group of the job's own (`memory.peak`): everything, also the tree's cached
    /// files and kernel memory.
    Cgroup,
    /// The largest of samples that were taken about twice a second, and no less than
    /// [`LargestProcess`](Self::LargestProcess). A sample counts the processes' private resident memory, and of their
    /// mapped files and shared memory only the largest process's. Memory that a `fork` still shares is counted in each of
    /// the two processes; peaks between samples are missed.
    Sampled,
    /// It ended before the first sample: the largest resident set of any one of its processes that were waited for.
    /// Linux counts what the guard held when it started the process, a few MiB, as the process's own.
    LargestProcess,
}

/// The end of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Status {
    /// It exited with this code.
    Code(i32),
    /// This signal ended it; or it is `SIGKILL`, and not even that ended it in time: then it is among the survivors, and
    /// its times are not known.
    Signal(i32),
    /// The guard went away before it could tell. The process was killed; its times are not known.
    Lost,
}

/// Why the guard ended a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stop {
    /// It ran longer than its time-out.
    TimedOut,
    /// It was asked to: [`Running::kill`](crate::Running::kill), [`Guard::kill_all`](crate::Guard::kill_all).
    Killed,
}

/// Why a process did not start.
#[derive(Debug, thiserror::Error)]
pub enum SpawnError {
    /// The specification cannot be passed to the system.
    #[error("cannot start {program}: {what}", program = program.display())]
    Spec {
        /// The program that was to run.
        program: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The log or the file for standard output cannot be opened.
    #[error("cannot write {path}: {source}", path = path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file for standard input cannot be opened.
    #[error("cannot read {path}: {source}", path = path.display())]
    Input {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The working directory cannot be entered.
    #[error("cannot work in {path}: {source}", path = path.display())]
    WorkDir {
        /// The directory.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The program cannot be executed.
    #[error("cannot execute {program}: {source}", program = program.display())]
    Exec {
        /// The program, or a script whose `#!` interpreter is what is missing.
        program: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The system gives no process, or not with these limits.
    #[error("cannot {what} for {program}: {source}", program = program.display())]
    System {
        /// The program that was to run.
        program: PathBuf,
        /// What could not be done.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// It cannot be confined, and was not started without.
    #[error("cannot confine {program}{at}: {source}", program = program.display(), at = at(path.as_deref()))]
    Confine {
        /// The program that was to run.
        program: PathBuf,
        /// The path that access cannot be given to, where it is about one.
        path: Option<PathBuf>,
        /// What the system says.
        source: io::Error,
    },
    /// The guard is gone.
    #[error("the guard process is gone, so nothing more can be started")]
    GuardLost,
}

fn at(path: Option<&Path>) -> String {
    path.map(|path| format!(" to {}", path.display())).unwrap_or_default()
}
