//! Which job may start when. A pure state machine: it is told what happened, and says what to do. No I/O, no threads,
//! no recursion; each edge of the graph is looked at once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::{Graph, JobId};

/// What happened to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has a result that others may use.
    Done,
    /// It has none, or one that must not be used. Those that need it are skipped.
    Failed,
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Some of its inputs are not done.
    Waiting,
    /// All inputs are done; no room to start it yet.
    Ready,
    /// Started and not ended.
    Running,
    /// Ended with a result.
    Done,
    /// Ended without one.
    Failed,
    /// Will not start, because a job it needs has failed.
    Skipped,
}

/// The scheduler of one run.
///
/// A job starts when all jobs it needs are done and fewer than `slots` run; among those that could start, the one that
/// was added first does. After [`Scheduler::halt`] nothing starts any more.
pub struct Scheduler {
    states: Vec<JobState>,
    unfinished_inputs: Vec<u32>,
    /// Dependents of job `i`: `dependents[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    dependents: Vec<u32>,
    ready: BinaryHeap<Reverse<u32>>,
    running: usize,
    slots: usize,
    halted: bool,
}

impl Scheduler {
    /// A scheduler for this graph with so many slots (at least one).
    #[must_use]
    pub fn new(graph: &Graph, slots: usize) -> Self {
        let count = graph.jobs().len();
        let needs = |id: JobId| {
            let job = graph.job(id);
            let mut needs: Vec<u32> =
                job.inputs.iter().map(|(_, from)| from.0).chain(job.after.iter().map(|j| j.0)).collect();
            needs.sort_unstable();
            needs.dedup();
            needs
        };
        let mut starts = vec![0; count + 1];
        let mut unfinished_inputs = vec![0; count];
        for id in graph.ids() {
            let needs = needs(id);
            unfinished_inputs[id.index()] = needs.len() as u32;
            for need in needs {
                starts[need as usize + 1] += 1;
            }
        }
        for i in 0..count {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut dependents = vec![0; starts[count] as usize];
        for id in graph.ids() {
            for need in needs(id) {
                dependents[next[need as usize] as usize] = id.0;
                next[need as usize] += 1;
            }
        }
        let mut scheduler = Self {
            states: vec![JobState::Waiting; count],
            unfinished_inputs,
            starts,
            dependents,
            ready: BinaryHeap::new(),
            running: 0,
            slots: slots.max(1),
            halted: false,
        };
        for id in graph.ids() {
            if scheduler.unfinished_inputs[id.index()] == 0 {
                scheduler.make_ready(id.0);
            }
        }
        scheduler
    }

    /// The state of a job.
    #[must_use]
    pub fn state(&self, job: JobId) -> JobState {
        self.states[job.index()]
    }

    /// How many jobs are running.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running
    }

    /// The next job to start now, which counts as running from here on; `None` when none may start before something
    /// ends.
    pub fn start_next(&mut self) -> Option<JobId> {
        if self.halted || self.running >= self.slots {
            return None;
        }
        let Reverse(job) = self.ready.pop()?;
        self.states[job as usize] = JobState::Running;
        self.running += 1;
        Some(JobId(job))
    }

    /// A running job ended.
    ///
    /// # Panics
    /// When the job is not running.
    pub fn ended(&mut self, job: JobId, end: End) {
        assert_eq!(self.states[job.index()], JobState::Running, "only a running job can end");
        self.running -= 1;
        match end {
            End::Done => {
                self.states[job.index()] = JobState::Done;
                for i in self.dependents_of(job.0) {
                    let dependent = self.dependents[i];
                    self.unfinished_inputs[dependent as usize] -= 1;
                    if self.unfinished_inputs[dependent as usize] == 0
                        && self.states[dependent as usize] == JobState::Waiting
                    {
                        self.make_ready(dependent);
                    }
                }
            }
            End::Failed => {
                self.states[job.index()] = JobState::Failed;
                let mut skip = vec![job.0];
                while let Some(job) = skip.pop() {
                    for i in self.dependents_of(job) {
                        let dependent = self.dependents[i];
                        if self.states[dependent as usize] == JobState::Waiting {
                            self.states[dependent as usize] = JobState::Skipped;
                            skip.push(dependent);
                        }
                    }
                }
            }
        }
    }

    /// Starts nothing more. Running jobs are still awaited.
    pub fn halt(&mut self) {
        self.halted = true;
    }

    fn dependents_of(&self, job: u32) -> std::ops::Range<usize> {
        self.starts[job as usize] as usize..self.starts[job as usize + 1] as usize
    }

    fn make_ready(&mut self, job: u32) {
        self.states[job as usize] = JobState::Ready;
        self.ready.push(Reverse(job));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{Failure, Job, JobBody, JobCx, KeyHasher};

    struct Nothing;

    impl JobBody for Nothing {
        fn identify(&self, _: &mut KeyHasher) {}
        fn run(&self, _: &mut JobCx<'_>) -> Result<tapeout_model::Record, Failure> {
            Ok(tapeout_model::Record::default())
        }
    }

    fn graph(needs: &[&[u32]]) -> Graph {
        let mut graph = Graph::default();
        let body: Arc<dyn JobBody> = Arc::new(Nothing);
        for (i, needs) in needs.iter().enumerate() {
            let after = needs.iter().map(|need| JobId(*need)).collect();
            let body = Arc::clone(&body);
            graph.add(Job { name: i.to_string(), body, inputs: Vec::new(), after, defers_check: false, always: false });
        }
        graph
    }

    #[test]
    fn a_job_starts_after_its_inputs_and_within_the_slots() {
        let mut scheduler = Scheduler::new(&graph(&[&[], &[], &[0, 1, 1], &[]]), 2);
        let [a, b, c, d] = [0, 1, 2, 3].map(JobId);
        assert_eq!((scheduler.start_next(), scheduler.start_next(), scheduler.start_next()), (Some(a), Some(b), None));
        scheduler.ended(a, End::Done);
        assert_eq!((scheduler.start_next(), scheduler.start_next()), (Some(d), None));
        scheduler.ended(b, End::Done);
        assert_eq!((scheduler.start_next(), scheduler.state(c)), (Some(c), JobState::Running));
    }

    #[test]
    fn a_failure_skips_all_that_need_it_and_nothing_else() {
        let mut scheduler = Scheduler::new(&graph(&[&[], &[0], &[1], &[]]), 1);
        let first = scheduler.start_next().unwrap();
        scheduler.ended(first, End::Failed);
        let states: Vec<_> = (0..4).map(|i| scheduler.state(JobId(i))).collect();
        assert_eq!(states, [JobState::Failed, JobState::Skipped, JobState::Skipped, JobState::Ready]);
        scheduler.halt();
        assert_eq!(scheduler.start_next(), None);
    }

    #[test]
    fn a_chain_of_a_million_jobs_fails_and_finishes_without_recursion() {
        let mut chain = Graph::default();
        let body: Arc<dyn JobBody> = Arc::new(Nothing);
        for i in 0..1_000_000_u32 {
            let after = i.checked_sub(1).map(JobId).into_iter().collect();
            let body = Arc::clone(&body);
            chain.add(Job { name: String::new(), body, inputs: Vec::new(), after, defers_check: false, always: false });
        }
        let mut scheduler = Scheduler::new(&chain, 1);
        let mut started = 0;
        while let Some(job) = scheduler.start_next() {
            started += 1;
            scheduler.ended(job, if started < 500_000 { End::Done } else { End::Failed });
        }
        assert_eq!(started, 500_000);
        assert_eq!(scheduler.state(JobId(999_999)), JobState::Skipped);
    }
}
