//! The guard's jobs: which processes are whose, and how a tree comes to its end. It waits for nothing: the server calls
//! it when something has happened or is due, and sends the replies that it leaves.
//!
//! Every descendant of the guard has an ancestor that is a child of the guard: the main process of a job, or an orphan
//! that the kernel handed over when its parent ended. So a tree is ended from the top, and only children are sent
//! SIGKILL, whose numbers cannot be used again before the guard has collected them: kill the children, collect them,
//! kill what they leave, until a job has no child any more. A process that keeps forking away loses that race, because
//! it dies with every round and its last child is in the next.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::cgroup::Group;
use crate::memory::Samples;
use crate::proc::{self, Identity, OwnChildren};
use crate::spec::{Exit, MemorySource, Status, Stop, TreeMemory};
use crate::sys::{self, Ended, Reaped};
use crate::wire::{Grace, JobId, Reply};

/// What the descendants of a process that has ended get to end by themselves. Its exit is told only after that.
const LINGER: Duration = Duration::from_millis(100);
/// How long what SIGKILL does not end (another user's, or stuck in the kernel) can hold back the exit of its job.
const GIVE_UP: Duration = Duration::from_secs(10);

/// A job, from its start until nothing is left of it.
struct Job {
    main: Main,
    pid: Pid,
    started: Instant,
    deadline: Option<Instant>,
    stage: Stage,
    stopped: Option<Stop>,
    memory: Memory,
    /// Descendants seen in the tree at the time of a kill, for those that leave no other trace of whose they are.
    known: Vec<Identity>,
}

/// How a job's memory is known.
enum Memory {
    Counted(Group),
    Sampled(Samples),
}

enum Main {
    Running,
    Ended(Exit),
}

/// How far the end of a job is. `Jobs::terminate` and `Jobs::kill` move it on, nothing moves it back.
#[derive(Clone, Copy)]
enum Stage {
    Running,
    /// SIGTERM is sent.
    Terminating {
        kill_at: Instant,
    },
    /// SIGKILL is sent, and again to whatever turns up.
    Killing {
        give_up_at: Instant,
    },
}

impl Job {
    /// When something is to be done about the job although nothing happens.
    fn due(&self) -> Option<Instant> {
        match self.stage {
            Stage::Running => self.deadline,
            Stage::Terminating { kill_at } => Some(kill_at),
            Stage::Killing { give_up_at } => Some(give_up_at),
        }
    }

    /// When its memory is to be looked at next.
    fn sample_due(&self) -> Option<Instant> {
        match (&self.main, &self.memory) {
            (Main::Running, Memory::Sampled(samples)) => Some(samples.due),
            _ => None,
        }
    }
}

/// All jobs of a guard.
pub(crate) struct Jobs {
    /// In front of the job's number in the mark of its processes.
    tag: String,
    children: OwnChildren,
    has_children: bool,
    jobs: BTreeMap<JobId, Job>,
    by_main: HashMap<Pid, JobId>,
    /// Whose the orphans are, as far as that has been asked and is known.
    owners: HashMap<Pid, Option<JobId>>,
    /// What is to be told.
    pub(crate) replies: Vec<Reply>,
}

impl Jobs {
    /// No jobs yet.
    pub(crate) fn new(tag: &str) -> io::Result<Self> {
        Ok(Self {
            tag: format!("{tag}."),
            children: OwnChildren::open()?,
            has_children: false,
            jobs: BTreeMap::new(),
            by_main: HashMap::new(),
            owners: HashMap::new(),
            replies: Vec::new(),
        })
    }

    /// Takes in a process that was just started.
    pub(crate) fn add(
        &mut self,
        id: JobId,
        pid: Pid,
        started: Instant,
        timeout: Option<Duration>,
        group: Option<Group>,
    ) {
        let deadline = timeout.and_then(|t| started.checked_add(t));
        let (main, stage) = (Main::Running, Stage::Running);
        let memory = group.map_or_else(|| Memory::Sampled(Samples::from(started)), Memory::Counted);
        self.jobs.insert(id, Job { main, pid, started, deadline, stage, stopped: None, memory, known: Vec::new() });
        self.by_main.insert(pid, id);
        self.has_children = true;
    }

    /// When [`Jobs::on_time`] is to be called next.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.jobs.values().flat_map(|job| [job.due(), job.sample_due()]).flatten().min()
    }

    /// Collects the children that have ended and whatever follows from that.
    pub(crate) fn on_child(&mut self) -> io::Result<()> {
        self.collect()?;
        self.settle()
    }

    /// Does what is due.
    pub(crate) fn on_time(&mut self) -> io::Result<()> {
        let now = Instant::now();
        let due: Vec<JobId> =
            self.jobs.iter().filter(|(_, job)| job.due().is_some_and(|at| at <= now)).map(|(&id, _)| id).collect();
        for id in due {
            match self.jobs[&id].stage {
                Stage::Running => self.stop(id, Stop::TimedOut, crate::KILL_GRACE)?,
                Stage::Terminating { .. } => {
                    let orphans = self.orphans_of(id)?;
                    self.kill(id, &orphans);
                }
                Stage::Killing { .. } => {
                    let orphans = self.orphans_of(id)?;
                    self.finish(id, orphans.len());
                }
            }
        }
        self.sample(now)
    }

    /// Looks at the memory of the jobs for which it is time.
    fn sample(&mut self, now: Instant) -> io::Result<()> {
        let due = |job: &Job| job.sample_due().is_some_and(|at| at <= now);
        let ids: Vec<JobId> = self.jobs.iter().filter(|(_, job)| due(job)).map(|(&id, _)| id).collect();
        for id in ids {
            let orphans = self.orphans_of(id)?;
            let Some(job) = self.jobs.get_mut(&id) else { continue };
            let roots = job.main_if_running().into_iter().chain(orphans);
            if let Memory::Sampled(samples) = &mut job.memory {
                samples.take(roots);
            }
        }
        Ok(())
    }

    /// Ends a job on purpose. One that is ending already is only hurried.
    pub(crate) fn stop(&mut self, id: JobId, why: Stop, grace: Grace) -> io::Result<()> {
        let orphans = self.orphans_of(id)?;
        // Its end may have crossed the request.
        let Some(job) = self.jobs.get_mut(&id) else { return Ok(()) };
        if let Main::Running = job.main {
            job.stopped.get_or_insert(why);
        }
        if grace.is_zero() {
            self.kill(id, &orphans);
        } else {
            self.terminate(id, &orphans, grace);
        }
        Ok(())
    }

    /// Ends all jobs on purpose.
    pub(crate) fn stop_all(&mut self, grace: Grace) -> io::Result<()> {
        self.jobs.keys().copied().collect::<Vec<_>>().into_iter().try_for_each(|id| self.stop(id, Stop::Killed, grace))
    }

    /// Kills everything, without replies; `false` while something is left.
    pub(crate) fn abandon(&mut self) -> io::Result<bool> {
        self.collect()?;
        for job in self.jobs.values() {
            job.kill_group();
        }
        if self.has_children {
            for child in self.children.list()? {
                let _ = kill_process(child, Signal::KILL);
            }
        }
        Ok(!self.has_children)
    }

    /// Notes the ends of all children that have ended.
    fn collect(&mut self) -> io::Result<()> {
        self.has_children = loop {
            match sys::reap()? {
                Reaped::Child(ended) => match self.by_main.remove(&ended.pid) {
                    Some(id) => self.note_end(id, &ended),
                    None => drop(self.owners.remove(&ended.pid)),
                },
                Reaped::AllAlive => break true,
                Reaped::NoChildren => break false,
            }
        };
        Ok(())
    }

    fn note_end(&mut self, id: JobId, ended: &Ended) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let status = ExitStatus::from_raw(ended.status);
        let status = match status.code() {
            Some(code) => Status::Code(code),
            None => Status::Signal(status.signal().unwrap_or(0)),
        };
        job.main = Main::Ended(Exit {
            user: ended.user,
            system: ended.system,
            memory: TreeMemory { peak_kib: ended.max_rss_kib, by: MemorySource::LargestProcess },
            ..job.exit(status)
        });
    }

    /// Brings the jobs whose main process has ended nearer to their own end.
    fn settle(&mut self) -> io::Result<()> {
        let ended: Vec<JobId> =
            self.jobs.iter().filter(|(_, job)| matches!(job.main, Main::Ended(_))).map(|(&id, _)| id).collect();
        for id in ended {
            let orphans = self.orphans_of(id)?;
            match self.jobs[&id].stage {
                _ if orphans.is_empty() => self.finish(id, 0),
                Stage::Running => self.terminate(id, &orphans, LINGER),
                Stage::Terminating { .. } => {}
                Stage::Killing { .. } => self.kill(id, &orphans),
            }
        }
        Ok(())
    }

    /// Asks all processes of a job to end.
    fn terminate(&mut self, id: JobId, orphans: &[Pid], grace: Grace) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        let asked_until = Instant::now() + grace;
        match &mut job.stage {
            Stage::Running => job.stage = Stage::Terminating { kill_at: asked_until },
            Stage::Terminating { kill_at } => return *kill_at = asked_until.min(*kill_at),
            Stage::Killing { .. } => return,
        }
        job.remember_tree(orphans);
        // Parents first: a shell must not take the end of its command for a reason to go on with the next.
        for process in &job.known {
            let _ = kill_process(process.pid, Signal::TERM);
        }
    }

    /// Kills what is the guard's own child of a job; what that leaves comes back through [`Jobs::settle`].
    fn kill(&mut self, id: JobId, orphans: &[Pid]) {
        let Some(job) = self.jobs.get_mut(&id) else { return };
        if !matches!(job.stage, Stage::Killing { .. }) {
            job.stage = Stage::Killing { give_up_at: Instant::now() + GIVE_UP };
            job.remember_tree(orphans);
        }
        job.kill_group();
        for &pid in job.main_if_running().iter().chain(orphans) {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    fn finish(&mut self, id: JobId, survivors: usize) {
        let Some(job) = self.jobs.remove(&id) else { return };
        let (mut exit, survivors) = match job.main {
            Main::Ended(exit) => (exit, survivors),
            Main::Running => {
                // Should it end yet, it is collected like an orphan, and is none of a later job.
                self.by_main.remove(&job.pid);
                self.owners.insert(job.pid, Some(id));
                (job.exit(Status::Signal(Signal::KILL.as_raw())), survivors + 1)
            }
        };
        // What the process left running until now counts, too.
        exit.memory = job.memory.peak(exit.memory.peak_kib);
        let survivors = u32::try_from(survivors).unwrap_or(u32::MAX);
        self.replies.push(Reply::Ended(id, Exit { survivors, ..exit }));
    }

    /// The orphans of a job. Costs nothing for a job that is the only one and leaves nothing, and one read of a small
    /// file otherwise.
    fn orphans_of(&mut self, id: JobId) -> io::Result<Vec<Pid>> {
        if !self.has_children {
            return Ok(Vec::new());
        }
        let children = self.children.list()?;
        Ok(children.into_iter().filter(|pid| !self.by_main.contains_key(pid) && self.owner(*pid) == Some(id)).collect())
    }

    /// Whose an orphan is: the mark in its environment tells, its process group, or that it was seen in the tree. One
    /// that has got rid of all of these goes with the last job that runs.
    fn owner(&mut self, pid: Pid) -> Option<JobId> {
        let owner = *self.owners.entry(pid).or_insert_with(|| {
            let stat = proc::stat(pid)?;
            let by_tree =
                |job: &Job| job.pid.as_raw_nonzero().get() == stat.group || job.known.contains(&stat.identity);
            self.jobs
                .iter()
                .find(|(_, job)| by_tree(job))
                .map(|(&id, _)| id)
                .or_else(|| proc::mark(pid)?.strip_prefix(&self.tag)?.parse().ok())
        });
        owner.or_else(|| if self.jobs.len() == 1 { self.jobs.keys().next().copied() } else { None })
    }
}

impl Memory {
    fn peak(&self, largest_kib: u64) -> TreeMemory {
        let largest = TreeMemory { peak_kib: largest_kib, by: MemorySource::LargestProcess };
        match self {
            Self::Counted(group) => {
                group.peak_kib().map_or(largest, |peak_kib| TreeMemory { peak_kib, by: MemorySource::Cgroup })
            }
            Self::Sampled(samples) => samples.with_largest(largest_kib),
        }
    }
}

impl Job {
    /// An end at this moment, as far as it is known without the kernel's account of the process.
    fn exit(&self, status: Status) -> Exit {
        Exit {
            status,
            stopped: self.stopped,
            wall: self.started.elapsed(),
            user: Duration::ZERO,
            system: Duration::ZERO,
            memory: TreeMemory { peak_kib: 0, by: MemorySource::LargestProcess },
            survivors: 0,
        }
    }

    fn kill_group(&self) {
        if let Memory::Counted(group) = &self.memory {
            group.kill();
        }
    }

    fn main_if_running(&self) -> Option<Pid> {
        matches!(self.main, Main::Running).then_some(self.pid)
    }

    fn remember_tree(&mut self, orphans: &[Pid]) {
        let tree = proc::trees(self.main_if_running().into_iter().chain(orphans.iter().copied()));
        self.known = tree.into_iter().filter_map(|pid| Some(proc::stat(pid)?.identity)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_main_process_that_cannot_be_killed_does_not_hold_its_job_back() {
        let mut jobs = Jobs::new("tag").unwrap();
        // Not a child of this process: its end is never told.
        let init = Pid::INIT;
        jobs.add(1, init, Instant::now(), None, None);
        let job = jobs.jobs.get_mut(&1).unwrap();
        job.stopped = Some(Stop::TimedOut);
        job.stage = Stage::Killing { give_up_at: Instant::now() };
        assert!(jobs.next_due().is_some_and(|due| due <= Instant::now()));
        jobs.on_time().unwrap();
        let [Reply::Ended(1, exit)] = &jobs.replies[..] else { panic!("no end was told") };
        let killed = Status::Signal(Signal::KILL.as_raw());
        assert_eq!((exit.status, exit.stopped, exit.survivors), (killed, Some(Stop::TimedOut), 1));
        assert!(jobs.by_main.is_empty() && jobs.owner(init) == Some(1), "it is nobody else's");
    }
}
