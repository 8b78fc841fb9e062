//! What a later tapeout does about one that was killed together with its guard: nobody was left to end the tools, and
//! those in sessions of their own live on.
//!
//! They are nobody's children that could be trusted to stay, so each is held by a pidfd before it is looked at: as long
//! as the process that the pidfd holds has not ended, its number means that process.

use std::io;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal};

use crate::cgroup;
use crate::proc::{self, Identity};

/// How long to wait for processes that SIGKILL does not end.
const GIVE_UP: Duration = Duration::from_secs(10);
/// For what was killed to be gone.
const PAUSE: Duration = Duration::from_millis(1);
/// So many looks in a row that find nothing are enough even if each is unclear, because processes came or went meanwhile
/// or were in the middle of an `exec`. A chain of processes that `fork` and exit may be just ahead of some looks.
const LOOKS: u32 = 100;

/// Ends all that still runs of a guard that was killed at the same moment as the tapeout it belonged to, and tells how
/// many processes that were. `tag` is what [`Guard::tag`](crate::Guard::tag) of that guard gave.
///
/// It finds the processes of this user that were started with that guard's mark in their environment, whatever sessions
/// and parents they have now, and the descendants of these. What has cleared its environment *and* has lost its marked
/// parents looks like any other process of the user's, and stays, except in a control group of the guard's: that is ended
/// and removed, without being counted. Of a guard that is alive it ends the jobs.
///
/// # Errors
/// When `/proc` cannot be read, or something does not end within ten seconds.
pub fn kill_leftovers(tag: &str) -> io::Result<usize> {
    let give_up_at = Instant::now() + GIVE_UP;
    let mut killed: Vec<Identity> = Vec::new();
    let mut in_vain = 0;
    loop {
        let before = proc::all()?;
        let found = find(tag, &before);
        if found.is_empty() {
            in_vain += 1;
            let unclear = before.iter().any(|&pid| proc::is_in_exec(pid)) || proc::all()? != before;
            if !unclear || in_vain == LOOKS {
                // Also of what could not be found.
                cgroup::remove(tag);
                return Ok(killed.len());
            }
            continue;
        }
        in_vain = 0;
        if Instant::now() > give_up_at {
            let what = format!("{} processes do not end on SIGKILL", found.len());
            return Err(io::Error::new(io::ErrorKind::TimedOut, what));
        }
        // Parents first: a shell must not take the end of its command for a reason to go on with the next.
        for process in found {
            if pidfd_send_signal(&process.handle, Signal::KILL).is_ok() && !killed.contains(&process.identity) {
                killed.push(process.identity);
            }
        }
        std::thread::sleep(PAUSE);
    }
}

/// A process that cannot be mistaken for another.
struct Held {
    handle: OwnedFd,
    identity: Identity,
}

impl Held {
    /// Takes hold of a process if it is the right one.
    fn take(pid: Pid, is_right: impl FnOnce() -> bool) -> Option<Self> {
        let handle = pidfd_open(pid, PidfdFlags::empty()).ok()?;
        let identity = proc::stat(pid).filter(|_| is_right())?.identity;
        let held = Self { handle, identity };
        held.lives().then_some(held)
    }

    /// Whether it has not ended, so that what was read by its number until now was its own.
    fn lives(&self) -> bool {
        poll(&mut [PollFd::new(&self.handle, PollFlags::IN)], Some(&Timespec::default())) == Ok(0)
    }
}

/// The marked ones of the processes and their descendants, as far as a look can tell.
fn find(tag: &str, among: &[Pid]) -> Vec<Held> {
    let mut found: Vec<Held> = Vec::new();
    let is_new = |found: &[Held], pid| pid != getpid() && found.iter().all(|held| held.identity.pid != pid);
    // The newest first: they may be the shortest-lived.
    for &pid in among.iter().rev() {
        if is_new(&found, pid) && proc::is_marked(pid, tag) {
            found.extend(Held::take(pid, || proc::is_marked(pid, tag) && proc::is_own(pid)));
        }
    }
    let mut next = 0;
    while let Some(parent) = found.get(next) {
        let (number, children) = (parent.identity.pid, |pid: Pid| proc::children(&pid.to_string()));
        let new: Vec<Held> = children(number)
            .into_iter()
            .filter(|&pid| is_new(&found, pid))
            .filter_map(|pid| Held::take(pid, || children(number).contains(&pid) && parent.lives()))
            .collect();
        found.extend(new);
        next += 1;
    }
    found
}
