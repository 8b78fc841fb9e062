//! tapeout's end of the guard: starting it, asking it for processes, and hearing how they end.

use std::collections::HashMap;
use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use rustix::rand::GetRandomFlags;

use crate::orphans;
use crate::proc::OwnChildren;
use crate::server::GUARD_ARGUMENT;
use crate::spec::{Confinement, Exit, MemorySource, ProcessSpec, SpawnError, Status, TreeMemory};
use crate::sys;
use crate::wire::{self, Confine, Frames, Grace, JobId, Launch, MARK, Refusal, Reply, Request, Step};

/// What a process tree has between SIGTERM and SIGKILL, after a time-out or a kill.
pub const KILL_GRACE: Duration = Duration::from_secs(2);

/// The program that runs as the guard: one whose `main` begins with [`serve_if_asked`](crate::serve_if_asked).
#[derive(Clone, Debug)]
pub struct GuardCommand {
    /// The executable.
    pub program: PathBuf,
    /// Its arguments, the first of which makes it the guard.
    pub args: Vec<OsString>,
}

impl GuardCommand {
    /// This very program, even when its file was replaced since it started.
    #[must_use]
    pub fn current_exe() -> Self {
        Self::of("/proc/self/exe")
    }

    /// Another program that calls [`serve_if_asked`](crate::serve_if_asked).
    #[must_use]
    pub fn of(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), args: vec![GUARD_ARGUMENT.into()] }
    }
}

/// A running guard. Clones are handles of the same one; when the last is dropped, everything that the guard still runs is
/// killed and the guard is waited for.
#[derive(Clone, Debug)]
pub struct Guard {
    connection: Arc<Connection>,
}

/// A process that was started. Dropping it does not end the process; the end of the guard does.
#[derive(Debug)]
pub struct Running {
    id: JobId,
    pid: u32,
    slot: Arc<Slot>,
    link: Arc<Link>,
}

/// A process that was asked for: it runs, has ended, or could not start, and nobody has waited to know. Dropping it
/// does not end the process; the end of the guard does.
#[derive(Debug)]
pub struct Submitted {
    id: JobId,
    spec: ProcessSpec,
    slot: Arc<Slot>,
    link: Arc<Link>,
}

/// Closes the link when the last handle goes.
#[derive(Debug)]
struct Connection {
    link: Arc<Link>,
    reader: Option<JoinHandle<()>>,
    guard_pid: u32,
}

/// What handles, running processes and the reader thread share.
#[derive(Debug)]
struct Link {
    tag: String,
    to_guard: Mutex<UnixStream>,
    next_id: AtomicU64,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    slots: HashMap<JobId, Arc<Slot>>,
    lost: bool,
}

/// Where the reader thread leaves what it heard of one process.
#[derive(Debug)]
struct Slot {
    heard: Mutex<Heard>,
    changed: Condvar,
}

#[derive(Debug)]
enum Heard {
    /// The guard is to tell of the start.
    Nothing,
    /// The guard is to tell of the end only.
    Submitted {
        at: Instant,
    },
    Refused(Refusal),
    Started {
        pid: u32,
        at: Instant,
    },
    Ended {
        /// Where its start was told.
        pid: Option<u32>,
        exit: Exit,
    },
    /// The guard went away before it started anything.
    Lost,
}

impl Guard {
    /// Starts a guard, and makes this process the one that orphans of the guard come to.
    ///
    /// # Errors
    /// What the system says when it gives no process, or has no list of child processes in `/proc`.
    pub fn start(command: &GuardCommand) -> io::Result<Self> {
        // The guard could not tell.
        OwnChildren::open()?;
        rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
        let (ours, theirs) = UnixStream::pair()?;
        let tag = unique_tag()?;
        #[expect(clippy::disallowed_methods, reason = "the guard is what starts everything else")]
        let mut guard = Command::new(&command.program);
        guard.args(&command.args).arg(&tag).stdin(OwnedFd::from(theirs)).stdout(Stdio::null());
        let guard = sys::in_own_session(&mut guard).spawn()?;
        let guard_pid = guard.id();
        let from_guard = ours.try_clone()?;
        let link =
            Arc::new(Link { tag, to_guard: Mutex::new(ours), next_id: AtomicU64::new(1), waiting: Mutex::default() });
        let reader = thread::Builder::new().name("guard-replies".into()).spawn({
            let link = Arc::clone(&link);
            move || link.listen(from_guard, guard)
        })?;
        Ok(Self { connection: Arc::new(Connection { link, reader: Some(reader), guard_pid }) })
    }

    /// Starts a process.
    ///
    /// # Errors
    /// See [`SpawnError`]. Nothing runs then, but the log may have been created.
    pub fn spawn(&self, spec: &ProcessSpec) -> Result<Running, SpawnError> {
        let (id, slot) = self.ask_for(spec, Heard::Nothing)?;
        let heard = slot
            .changed
            .wait_while(locked(&slot.heard), |heard| matches!(heard, Heard::Nothing))
            .unwrap_or_else(PoisonError::into_inner);
        let pid = match &*heard {
            // The end may have come in the same piece.
            Heard::Started { pid, .. } | Heard::Ended { pid: Some(pid), .. } => *pid,
            Heard::Refused(refusal) => return Err(spawn_error(spec, *refusal)),
            _ => return Err(SpawnError::GuardLost),
        };
        drop(heard);
        Ok(Running { id, pid, slot, link: Arc::clone(&self.connection.link) })
    }

    /// Starts a process without waiting for its start. This spares two switches between processes, which is what counts
    /// for many short ones.
    ///
    /// # Errors
    /// [`SpawnError::Spec`] and [`SpawnError::GuardLost`]; the others are what [`Submitted::wait`] then gives.
    pub fn submit(&self, spec: ProcessSpec) -> Result<Submitted, SpawnError> {
        let (id, slot) = self.ask_for(&spec, Heard::Submitted { at: Instant::now() })?;
        Ok(Submitted { id, spec, slot, link: Arc::clone(&self.connection.link) })
    }

    fn ask_for(&self, spec: &ProcessSpec, heard: Heard) -> Result<(JobId, Arc<Slot>), SpawnError> {
        let link = &self.connection.link;
        let id = link.next_id.fetch_add(1, Ordering::Relaxed);
        let launch = launch(spec, &link.tag, id)?;
        let tell_start = matches!(heard, Heard::Nothing);
        let slot = Arc::new(Slot { heard: Mutex::new(heard), changed: Condvar::new() });
        {
            let mut waiting = locked(&link.waiting);
            if waiting.lost {
                return Err(SpawnError::GuardLost);
            }
            waiting.slots.insert(id, Arc::clone(&slot));
        }
        // A request that cannot be sent is answered by the reader, which sees the same end of the connection.
        link.ask(&Request::Spawn { id, launch: Box::new(launch), tell_start });
        Ok((id, slot))
    }

    /// Asks all processes to end and kills those that have not after [`KILL_GRACE`]. Returns at once; each process
    /// reports its end as usual.
    pub fn kill_all(&self) {
        self.connection.link.ask(&Request::KillAll(KILL_GRACE));
    }

    /// Kills all processes. Returns at once, as [`Guard::kill_all`].
    pub fn kill_all_now(&self) {
        self.connection.link.ask(&Request::KillAll(Grace::ZERO));
    }

    /// What marks the processes of this guard, for [`kill_leftovers`](crate::kill_leftovers) should it be killed together
    /// with this process. A random name: it differs from that of any other guard on any boot.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.connection.link.tag
    }

    /// The guard's process number.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.connection.guard_pid
    }
}

impl Running {
    /// Waits until nothing is left of the process and its descendants.
    #[must_use]
    pub fn wait(&self) -> Exit {
        let heard = self.slot.changed.wait_while(locked(&self.slot.heard), |heard| heard.exit().is_none());
        let exit = heard.unwrap_or_else(PoisonError::into_inner).exit().cloned();
        exit.expect("the wait ends with an exit only")
    }

    /// The same for a limited time; `None` while it runs.
    #[must_use]
    pub fn wait_timeout(&self, time: Duration) -> Option<Exit> {
        let heard =
            self.slot.changed.wait_timeout_while(locked(&self.slot.heard), time, |heard| heard.exit().is_none());
        heard.unwrap_or_else(PoisonError::into_inner).0.exit().cloned()
    }

    /// Asks the process and its descendants to end, and kills what has not after [`KILL_GRACE`]. Returns at once; asked
    /// again, it changes nothing.
    pub fn kill(&self) {
        self.link.ask(&Request::Kill(self.id, KILL_GRACE));
    }

    /// Kills the process and its descendants. Returns at once.
    pub fn kill_now(&self) {
        self.link.ask(&Request::Kill(self.id, Grace::ZERO));
    }

    /// The process number, which is also that of its process group.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }
}

impl Submitted {
    /// Waits until nothing is left of the process and its descendants.
    ///
    /// # Errors
    /// See [`SpawnError`]. Nothing has run then, but the log may have been created.
    pub fn wait(&self) -> Result<Exit, SpawnError> {
        let heard = self.slot.changed.wait_while(locked(&self.slot.heard), |h| matches!(h, Heard::Submitted { .. }));
        match &*heard.unwrap_or_else(PoisonError::into_inner) {
            Heard::Ended { exit, .. } => Ok(exit.clone()),
            Heard::Refused(refusal) => Err(spawn_error(&self.spec, *refusal)),
            _ => Err(SpawnError::GuardLost),
        }
    }

    /// Asks the process and its descendants to end, as [`Running::kill`].
    pub fn kill(&self) {
        self.link.ask(&Request::Kill(self.id, KILL_GRACE));
    }
}

impl Heard {
    fn exit(&self) -> Option<&Exit> {
        match self {
            Self::Ended { exit, .. } => Some(exit),
            _ => None,
        }
    }

    /// What becomes of it when the guard is gone.
    fn lost(&self) -> Self {
        match *self {
            Self::Started { pid, at } => Self::Ended { pid: Some(pid), exit: lost_after(at.elapsed()) },
            // It may have started.
            Self::Submitted { at } => Self::Ended { pid: None, exit: lost_after(at.elapsed()) },
            _ => Self::Lost,
        }
    }
}

impl Link {
    /// Sends a request. That the guard is gone is the reader thread's to notice.
    fn ask(&self, request: &Request) {
        let _ = wire::send(&mut *locked(&self.to_guard), [request]);
    }

    /// The reader thread: hands out replies until the guard is gone, then clears up after it.
    fn listen(&self, mut from_guard: UnixStream, mut guard: Child) {
        if self.dispatch(&mut from_guard).is_err() {
            // It is not gone but makes no sense any more.
            let _ = guard.kill();
        }
        let pid = Pid::from_child(&guard);
        // The connection closes before the guard's children are handed over; only its end as a process says they are.
        let _ = guard.wait();
        orphans::end(pid, &self.tag);
        let slots = {
            let mut waiting = locked(&self.waiting);
            waiting.lost = true;
            std::mem::take(&mut waiting.slots)
        };
        for slot in slots.into_values() {
            slot.tell(Heard::lost);
        }
    }

    fn dispatch(&self, from_guard: &mut UnixStream) -> io::Result<()> {
        let mut frames = Frames::default();
        while frames.fill(from_guard)? {
            while let Some(reply) = frames.next()? {
                self.hand_out(reply);
            }
        }
        Ok(())
    }

    fn hand_out(&self, reply: Reply) {
        match reply {
            Reply::Started(id, pid) => {
                let slot = locked(&self.waiting).slots.get(&id).cloned();
                let (pid, at) = (pid.unsigned_abs(), Instant::now());
                slot.inspect(|slot| slot.tell(|_| Heard::Started { pid, at }));
            }
            Reply::Refused(id, refusal) => {
                let slot = locked(&self.waiting).slots.remove(&id);
                slot.inspect(|slot| slot.tell(|_| Heard::Refused(refusal)));
            }
            Reply::Ended(id, exit) => {
                let slot = locked(&self.waiting).slots.remove(&id);
                slot.inspect(|slot| {
                    slot.tell(|heard| match *heard {
                        Heard::Started { pid, .. } => Heard::Ended { pid: Some(pid), exit },
                        _ => Heard::Ended { pid: None, exit },
                    });
                });
            }
        }
    }
}

impl Slot {
    fn tell(&self, next: impl FnOnce(&Heard) -> Heard) {
        let mut heard = locked(&self.heard);
        *heard = next(&heard);
        self.changed.notify_all();
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // The guard takes it as our end, and the reader then as the guard's.
        let _ = locked(&self.link.to_guard).shutdown(Shutdown::Write);
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

/// A mutex here protects single assignments, so one that a panic poisoned is as good as any.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lost_after(wall: Duration) -> Exit {
    Exit {
        status: Status::Lost,
        stopped: None,
        wall,
        user: Duration::ZERO,
        system: Duration::ZERO,
        memory: TreeMemory { peak_kib: 0, by: MemorySource::LargestProcess },
        survivors: 0,
    }
}

/// A name that no other guard has or had, on any boot, and that nobody can guess.
fn unique_tag() -> io::Result<String> {
    let mut random = [0; 16];
    // So few bytes come in one piece.
    rustix::rand::getrandom(&mut random, GetRandomFlags::empty())?;
    Ok(format!("{}-{:032x}", std::process::id(), u128::from_ne_bytes(random)))
}

/// Converts a specification to what the system calls take, as far as it makes sense.
fn launch(spec: &ProcessSpec, tag: &str, id: JobId) -> Result<Launch, SpawnError> {
    let refuse = |what: String| SpawnError::Spec { program: spec.program.clone(), what };
    let text = |text: &OsStr| {
        CString::new(text.as_bytes()).map_err(|_| refuse(format!("{} contains a NUL byte", text.display())))
    };
    let path = |path: &Path| {
        if !path.is_absolute() {
            return Err(refuse(format!("{} is not an absolute path", path.display())));
        }
        text(path.as_os_str())
    };
    let variable = |(name, value): &(String, String)| {
        if name.is_empty() || name.contains('=') {
            return Err(refuse(format!("“{name}” cannot be the name of an environment variable")));
        }
        text(OsStr::new(&format!("{name}={value}")))
    };
    let confine = |Confinement { read, list, write, hide_processes }: &Confinement| {
        let paths = |paths: &[PathBuf]| paths.iter().map(|p| path(p)).collect::<Result<_, _>>();
        let (read, list, write) = (paths(read)?, paths(list)?, paths(write)?);
        Ok(Confine { read, list, write, hide_processes: *hide_processes })
    };
    let program = path(&spec.program)?;
    let mut args = vec![program.clone()];
    for arg in &spec.args {
        args.push(text(arg)?);
    }
    let mut env = vec![text(OsStr::new(&format!("{MARK}={tag}.{id}")))?];
    for entry in spec.env.iter().filter(|(name, _)| name != MARK) {
        env.push(variable(entry)?);
    }
    Ok(Launch {
        program,
        args,
        env,
        cwd: path(&spec.cwd)?,
        log: path(&spec.log)?,
        stdin: spec.stdin.as_deref().map(path).transpose()?,
        stdout: spec.stdout.as_deref().map(path).transpose()?,
        timeout: spec.timeout,
        limits: spec.limits,
        confine: spec.confine.as_ref().map(confine).transpose()?,
    })
}

fn spawn_error(spec: &ProcessSpec, Refusal { step, errno }: Refusal) -> SpawnError {
    let source = io::Error::from_raw_os_error(errno);
    let program = spec.program.clone();
    match step {
        Step::Log => SpawnError::Output { path: spec.log.clone(), source },
        Step::Stdin => SpawnError::Input { path: spec.stdin.clone().unwrap_or_default(), source },
        Step::Stdout => SpawnError::Output { path: spec.stdout.clone().unwrap_or_default(), source },
        Step::WorkDir => SpawnError::WorkDir { path: spec.cwd.clone(), source },
        Step::Confine(number) => {
            let mut paths =
                spec.confine.iter().flat_map(|confine| confine.read.iter().chain(&confine.list).chain(&confine.write));
            let path = number.and_then(|number| paths.nth(number as usize).cloned());
            SpawnError::Confine { program, path, source }
        }
        Step::Exec => SpawnError::Exec { program, source },
        Step::Fork => SpawnError::System { program, what: "make a process", source },
        Step::Attach => SpawnError::System { program, what: "set up the process", source },
        Step::Limits => SpawnError::System { program, what: "set the limits", source },
    }
}
