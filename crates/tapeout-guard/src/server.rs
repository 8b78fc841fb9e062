//! The guard's own process: its entry, its surroundings and its loop. Single-threaded on purpose; what it does about
//! jobs is in `jobs`.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};

use crate::cgroup::{Group, Groups};
use crate::confine;
use crate::jobs::Jobs;
use crate::spec::Stop;
use crate::sys::{self, Image};
use crate::wire::{self, Frames, JobId, Launch, Refusal, Reply, Request, Step};

/// The first argument that makes a program the guard.
pub(crate) const GUARD_ARGUMENT: &str = "__guard";

/// How long the guard stays, once tapeout is gone, for processes that SIGKILL does not end.
const LAST_WAIT: Duration = Duration::from_secs(10);

/// Becomes the guard, and never returns, in a process that [`Guard::start`](crate::Guard::start) made; returns at once in
/// any other.
///
/// To be called first thing in `main`: before threads, which the guard must not have, and before files are opened, which
/// it closes.
pub fn serve_if_asked() {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().as_deref() != Some(OsStr::new(GUARD_ARGUMENT)) {
        return;
    }
    let tag = arguments.next().and_then(|tag| tag.into_string().ok());
    // Nobody listens to a message. tapeout sees the end of the connection, and the kernel kills the tools.
    process::exit(if tag.is_some_and(|tag| serve(&tag).is_ok()) { 0 } else { 1 })
}

fn serve(tag: &str) -> io::Result<()> {
    sys::close_inherited_files()?;
    let ended_children = sys::take_signals()?;
    rustix::process::set_child_subreaper(Some(rustix::process::getpid()))?;
    rustix::thread::set_name(c"tapeout-guard")?;
    let mut guard = Server {
        client: UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?),
        frames: Frames::default(),
        ended_children,
        nothing: open(c"/dev/null", OFlags::RDONLY)?,
        jobs: Jobs::new(tag)?,
        groups: Groups::make(tag),
    };
    // Whatever is wrong with the connection (a client that died with replies unread resets it) ends it.
    while guard.turn().unwrap_or(false) {}
    guard.leave()
}

struct Server {
    client: UnixStream,
    frames: Frames,
    ended_children: OwnedFd,
    nothing: OwnedFd,
    jobs: Jobs,
    /// Where the user may have control groups for them. After `jobs`, as it can only be removed when theirs are.
    groups: Option<Groups>,
}

impl Server {
    /// Waits for something to happen and deals with it; `false` when tapeout is gone.
    fn turn(&mut self) -> io::Result<bool> {
        let wait = self.jobs.next_due().map(|at| at.saturating_duration_since(Instant::now()));
        let mut events = [PollFd::new(&self.client, PollFlags::IN), PollFd::new(&self.ended_children, PollFlags::IN)];
        wait_for(&mut events, wait)?;
        let [asked, ended] = events.map(|event| !event.revents().is_empty());
        if ended {
            drain(&self.ended_children);
            self.jobs.on_child()?;
        }
        if asked {
            if !self.frames.fill(&mut self.client)? {
                return Ok(false);
            }
            while let Some(request) = self.frames.next()? {
                self.answer(request)?;
            }
        }
        self.jobs.on_time()?;
        // That tapeout is gone is for the next turn to see.
        match wire::send(&mut self.client, self.jobs.replies.drain(..)) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e),
            _ => Ok(true),
        }
    }

    fn answer(&mut self, request: Request) -> io::Result<()> {
        match request {
            Request::Spawn { id, launch, tell_start } => {
                let reply = match self.spawn(id, &launch) {
                    Ok(pid) => tell_start.then_some(Reply::Started(id, pid)),
                    Err(refusal) => Some(Reply::Refused(id, refusal)),
                };
                self.jobs.replies.extend(reply);
                Ok(())
            }
            Request::Kill(id, grace) => self.jobs.stop(id, Stop::Killed, grace),
            Request::KillAll(grace) => self.jobs.stop_all(grace),
        }
    }

    fn spawn(&mut self, id: JobId, launch: &Launch) -> Result<i32, Refusal> {
        let writable = |path: &CStr, step: Step, how: OFlags| {
            let opened = open(path, OFlags::WRONLY | OFlags::CREATE | how);
            opened.map_err(|e| Refusal { step, errno: e.raw_os_error() })
        };
        let log = writable(&launch.log, Step::Log, OFlags::APPEND)?;
        let readable = |path: &CStr| {
            open(path, OFlags::RDONLY).map_err(|e| Refusal { step: Step::Stdin, errno: e.raw_os_error() })
        };
        let stdin = launch.stdin.as_deref().map(readable).transpose()?;
        let stdout = launch.stdout.as_deref().map(|path| writable(path, Step::Stdout, OFlags::TRUNC)).transpose()?;
        let ruleset = launch.confine.as_ref().map(confine::ruleset).transpose()?;
        let start = |group: Option<&Group>| {
            sys::start(&Image {
                program: &launch.program,
                args: &launch.args,
                env: &launch.env,
                cwd: &launch.cwd,
                streams: [
                    stdin.as_ref().unwrap_or(&self.nothing).as_fd(),
                    stdout.as_ref().unwrap_or(&log).as_fd(),
                    log.as_fd(),
                ],
                limits: launch.limits,
                ruleset: ruleset.as_ref().map(AsFd::as_fd),
                cgroup: group.map(Group::as_fd),
            })
        };
        let started = Instant::now();
        let mut group = self.groups.as_ref().and_then(|groups| groups.job(id).ok());
        let mut pid = start(group.as_ref());
        if group.is_some() && pid.is_err_and(|refusal| refusal.step == Step::Fork) {
            // The groups can be made, but not be used from where the guard is.
            pid = start(None);
            (self.groups, group) = (None, None);
        }
        let pid = pid?;
        self.jobs.add(id, pid, started, launch.timeout, group);
        Ok(pid.as_raw_nonzero().get())
    }

    /// Takes everything along.
    fn leave(mut self) -> io::Result<()> {
        let end = Instant::now() + LAST_WAIT;
        while !self.jobs.abandon()? {
            let Some(left) = end.checked_duration_since(Instant::now()) else { break };
            wait_for(&mut [PollFd::new(&self.ended_children, PollFlags::IN)], Some(left))?;
            drain(&self.ended_children);
        }
        Ok(())
    }
}

/// Opens a file that no tool inherits, except as a standard stream.
fn open(path: &CStr, how: OFlags) -> rustix::io::Result<OwnedFd> {
    rustix::fs::open(path, how | OFlags::CLOEXEC | OFlags::NOCTTY, Mode::from_raw_mode(0o666))
}

fn wait_for(events: &mut [PollFd], wait: Option<Duration>) -> io::Result<()> {
    let wait = wait.map(|wait| Timespec::try_from(wait).map_err(io::Error::other)).transpose()?;
    match poll(events, wait.as_ref()) {
        // After a SIGSTOP and SIGCONT.
        Err(rustix::io::Errno::INTR) | Ok(_) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Empties a signalfd. One notice stands for any number of ended children.
fn drain(signals: &OwnedFd) {
    let mut notices = [0; 1024];
    while matches!(rustix::io::read(signals, &mut notices), Ok(n) if n == notices.len()) {}
}
