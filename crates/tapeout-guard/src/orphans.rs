//! What tapeout does when its guard is gone: the descendants of the guard are now tapeout's own children, and it ends
//! them itself.
//!
//! It errs on the side of leaving alone: an orphan that is in a session of its own *and* has cleared its environment looks
//! like a process that the program started for another purpose, and stays.

use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

use crate::cgroup;
use crate::proc;

/// How long to wait for processes that SIGKILL does not end.
const GIVE_UP: Duration = Duration::from_secs(10);
/// The wait for a killed process to be gone; there is no other process to be notified.
const PAUSE: Duration = Duration::from_millis(1);

/// Kills and collects, from the top, all children of this process that came from a guard, until there is none. Other
/// children are left alone: a program may have its own.
pub(crate) fn end(guard: Pid, tag: &str) {
    let give_up_at = Instant::now() + GIVE_UP;
    while Instant::now() < give_up_at {
        let orphans = proc::children("self").into_iter().filter(|&pid| is_of(pid, guard, tag));
        let mut left = false;
        for pid in orphans {
            left |= kill_process(pid, Signal::KILL) != Err(Errno::PERM);
            let _ = waitpid(Some(pid), WaitOptions::NOHANG);
        }
        if !left {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    cgroup::remove(tag);
}

/// A descendant of the guard is in its session or has its tag.
fn is_of(pid: Pid, guard: Pid, tag: &str) -> bool {
    proc::stat(pid).is_some_and(|stat| stat.session == guard.as_raw_nonzero().get())
        || proc::mark(pid).is_some_and(|mark| mark.rsplit_once('.').is_some_and(|(of, _)| of == tag))
}
