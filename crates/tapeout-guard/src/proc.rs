//! Reads the process tree from `/proc`. It knows processes, not jobs.
//!
//! Every list is a snapshot; a caller that must not miss a process repeats until nothing new is found.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::time::Duration;

use rustix::process::{Pid, geteuid};

use crate::wire::MARK;

/// A process for good: a number is used again, a number with a start time is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) pid: Pid,
    start_ticks: u64,
}

/// What `/proc/<pid>/stat` tells of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stat {
    pub(crate) identity: Identity,
    pub(crate) group: i32,
    pub(crate) session: i32,
}

/// Reads one process; `None` where there is none.
pub(crate) fn stat(pid: Pid) -> Option<Stat> {
    let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
    // The name, in parentheses, may hold anything; the numbers follow the last parenthesis.
    let after_name = text.iter().rposition(|&b| b == b')')? + 1;
    let mut fields = str::from_utf8(&text[after_name..]).ok()?.split_ascii_whitespace();
    // Fields 5, 6 and 22 of proc_pid_stat(5); the first here is 3.
    let group = fields.nth(2)?.parse().ok()?;
    let session = fields.next()?.parse().ok()?;
    let start_ticks = fields.nth(15)?.parse().ok()?;
    Some(Stat { identity: Identity { pid, start_ticks }, group, session })
}

/// The children of the calling thread, through a file that stays open. For a single-threaded process that waits for
/// its children itself the list is exact.
pub(crate) struct OwnChildren(File);

impl OwnChildren {
    pub(crate) fn open() -> io::Result<Self> {
        let path = "/proc/thread-self/children";
        let hint = "the guard needs a mounted /proc and a kernel with CONFIG_PROC_CHILDREN";
        File::open(path).map(Self).map_err(|e| io::Error::new(e.kind(), format!("{path}: {e}; {hint}")))
    }

    pub(crate) fn list(&self) -> io::Result<Vec<Pid>> {
        let mut text = Vec::new();
        let mut piece = [0; 4096];
        loop {
            let n = self.0.read_at(&mut piece, text.len() as u64)?;
            text.extend_from_slice(&piece[..n]);
            // The kernel stops short of a page only for a number that has no room in it, or at the end.
            if n < piece.len() / 2 {
                return Ok(pids(&text));
            }
        }
    }
}

/// The children of all threads of a process.
pub(crate) fn children(process: &str) -> Vec<Pid> {
    let Ok(tasks) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    tasks
        .flatten()
        .filter_map(|task| fs::read(task.path().join("children")).ok())
        .flat_map(|text| pids(&text))
        .collect()
}

/// The given processes and all their descendants, parents first.
pub(crate) fn trees(roots: impl IntoIterator<Item = Pid>) -> Vec<Pid> {
    let mut found: Vec<Pid> = roots.into_iter().collect();
    let mut next = 0;
    while let Some(&pid) = found.get(next) {
        // A process that moves to another parent during the walk could be met twice.
        let new: Vec<Pid> = children(&pid.to_string()).into_iter().filter(|child| !found.contains(child)).collect();
        found.extend(new);
        next += 1;
    }
    found
}

/// All processes, the newest last as long as the numbers do not start over.
pub(crate) fn all() -> io::Result<Vec<Pid>> {
    // Names only: asking for more takes longer than some processes live.
    let names = fs::read_dir("/proc")?.flatten().map(|entry| entry.file_name());
    Ok(names.filter_map(|name| Pid::from_raw(name.to_str()?.parse().ok()?)).collect())
}

/// Whether a process is this user's.
pub(crate) fn is_own(pid: Pid) -> bool {
    fs::metadata(format!("/proc/{pid}")).is_ok_and(|process| process.uid() == geteuid().as_raw())
}

/// The mark in the environment that a process was started with.
pub(crate) fn mark(pid: Pid) -> Option<String> {
    // In the middle of an exec the environment reads as empty, for less than a millisecond.
    let text = (0..5).find_map(|attempt| {
        if attempt > 0 {
            std::thread::sleep(Duration::from_micros(500));
        }
        environment(pid).filter(|text| !text.is_empty())
    })?;
    mark_in(&text)
}

/// Whether a process has the mark of the guard with this tag, at a glance: one in the middle of an exec has none.
pub(crate) fn is_marked(pid: Pid, tag: &str) -> bool {
    let mark = environment(pid).and_then(|text| mark_in(&text));
    mark.is_some_and(|mark| mark.rsplit_once('.').is_some_and(|(of, _)| of == tag))
}

/// Whether a process may be in the middle of an exec: it has a program and no environment.
pub(crate) fn is_in_exec(pid: Pid) -> bool {
    environment(pid).is_some_and(|text| text.is_empty()) && fs::read_link(format!("/proc/{pid}/exe")).is_ok()
}

fn environment(pid: Pid) -> Option<Vec<u8>> {
    fs::read(format!("/proc/{pid}/environ")).ok()
}

fn mark_in(environment: &[u8]) -> Option<String> {
    environment.split(|&b| b == 0).find_map(|entry| {
        let value = entry.strip_prefix(MARK.as_bytes())?.strip_prefix(b"=")?;
        String::from_utf8(value.to_vec()).ok()
    })
}

fn pids(text: &[u8]) -> Vec<Pid> {
    text.split(|&b| b == b' ').filter_map(|word| Pid::from_raw(str::from_utf8(word).ok()?.parse().ok()?)).collect()
}
