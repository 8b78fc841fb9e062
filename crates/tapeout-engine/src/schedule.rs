//! Which job may start when. A pure state machine: it is told what happened, and says what to do. No I/O, no threads, no
//! clock, no recursion; each edge of the graph is looked at once.
//!
//! A job starts when all jobs it needs are done and what it claims is free. Among those that could start, the one with
//! the longest way to the end of the graph does, by the times that jobs took before; among equals the one that could
//! first, so that chains of which nobody knows how long they take, or go on, keep step with each other. Where one core
//! has to do, the order is that of adding. A job that cannot start for want of something keeps others, less urgent, from
//! taking that very thing, so that it is not starved; what needs other things may pass it.
//!
//! A running job may *pause*: it gives back what it holds, and is *resumed* when it is ready to go on and can have it
//! again. So one core is enough for any depth of jobs that wait for jobs.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use crate::resources::{Amounts, Pool};
use crate::{Claims, Graph, Job, JobId, Resources};

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It has a result that others may use.
    Done,
    /// It has none, or one that must not be used. Those that need it are skipped.
    Failed,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start this job, which counts as running from here on.
    Start(JobId),
    /// Let this paused job go on.
    Resume(JobId),
}

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Some of its inputs are not done.
    Waiting,
    /// All inputs are done; no room to start it yet.
    Ready,
    /// Started and not ended; it holds what it claims.
    Running,
    /// Started, and has given back what it claims.
    Paused,
    /// Paused no longer; no room to go on yet.
    Resuming,
    /// Ended with a result.
    Done,
    /// Ended without one.
    Failed,
    /// Will not start, because a job it needs has failed.
    Skipped,
}

/// What waits for room: the most urgent is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    priority: u64,
    resuming: bool,
    /// When it came to wait, counted; the same for all where that does not matter.
    since: Reverse<u64>,
    job: Reverse<u32>,
}

/// The scheduler of one run.
pub struct Scheduler {
    states: Vec<JobState>,
    unfinished_inputs: Vec<u32>,
    /// Dependents of job `i` of the graph: `dependents[starts[i]..starts[i + 1]]`.
    starts: Vec<u32>,
    dependents: Vec<u32>,
    /// Those that were added later.
    later_dependents: HashMap<u32, Vec<u32>>,
    /// Milliseconds from the start of a job to the end of the graph, as far as known.
    priorities: Vec<u64>,
    /// Which of `kinds` a job claims.
    claims: Vec<u32>,
    /// The different claims, and the candidates that have each.
    kinds: Vec<(Amounts, BinaryHeap<Candidate>)>,
    /// How many candidates there were; nothing where one core has to do.
    offered: Option<u64>,
    pool: Pool,
    free: Amounts,
    running: usize,
    paused: usize,
    halted: bool,
    /// After the halt: those that go on only to end.
    released: Vec<u32>,
}

impl Scheduler {
    /// A scheduler for this graph with these resources.
    #[must_use]
    pub fn new(graph: &Graph, resources: &Resources) -> Self {
        let count = graph.jobs().len();
        let mut starts = vec![0_u32; count + 1];
        let mut unfinished_inputs = vec![0; count];
        let mut needs = Vec::new();
        let mut edges: Vec<(u32, u32)> = Vec::with_capacity(count);
        for id in graph.ids() {
            needs_of(graph.job(id), &mut needs);
            unfinished_inputs[id.index()] = needs.len() as u32;
            for need in &needs {
                starts[*need as usize + 1] += 1;
                edges.push((*need, id.0));
            }
        }
        for i in 0..count {
            starts[i + 1] += starts[i];
        }
        let mut next = starts.clone();
        let mut dependents = vec![0; edges.len()];
        for (need, job) in edges {
            dependents[next[need as usize] as usize] = job;
            next[need as usize] += 1;
        }
        let pool = Pool::new(resources);
        // Where one job runs at a time, the order changes nothing but what is known first: then it is that of adding.
        let several = resources.cores > 1;
        let mut scheduler = Self {
            states: vec![JobState::Waiting; count],
            unfinished_inputs,
            starts,
            dependents,
            later_dependents: HashMap::new(),
            priorities: vec![0; count],
            claims: Vec::with_capacity(count),
            kinds: Vec::new(),
            offered: several.then_some(0),
            free: pool.all().clone(),
            pool,
            running: 0,
            paused: 0,
            halted: false,
            released: Vec::new(),
        };
        let mut last: Option<(&Claims, u32)> = None;
        for job in graph.jobs() {
            let kind = match last {
                Some((claims, kind)) if *claims == job.claims => kind,
                _ => scheduler.kind(&job.claims),
            };
            last = Some((&job.claims, kind));
            scheduler.claims.push(kind);
        }
        // A job names only jobs that were added before it.
        for (id, job) in graph.jobs().iter().enumerate().rev().filter(|_| several) {
            let after =
                scheduler.dependents_of(id as u32).map(|i| scheduler.priorities[scheduler.dependents[i] as usize]);
            scheduler.priorities[id] = job.expected_ms.saturating_add(after.max().unwrap_or(0));
        }
        for id in graph.ids() {
            if scheduler.unfinished_inputs[id.index()] == 0 {
                scheduler.make_ready(id.0);
            }
        }
        scheduler
    }

    /// Adds a job while others run, as urgent as the one that asks for it. It is the next id.
    ///
    /// # Panics
    /// When it names a job that is not there.
    pub fn add(&mut self, job: &Job, asked_by: JobId) -> JobId {
        let id = self.states.len() as u32;
        let mut needs = Vec::new();
        needs_of(job, &mut needs);
        self.states.push(JobState::Waiting);
        self.priorities.push(self.priorities[asked_by.index()].saturating_add(job.expected_ms));
        let kind = self.kind(&job.claims);
        self.claims.push(kind);
        let mut unfinished = 0;
        for need in needs {
            match self.states[need as usize] {
                JobState::Done => {}
                JobState::Failed | JobState::Skipped => self.states[id as usize] = JobState::Skipped,
                JobState::Waiting | JobState::Ready | JobState::Running | JobState::Paused | JobState::Resuming => {
                    unfinished += 1;
                    self.later_dependents.entry(need).or_default().push(id);
                }
            }
        }
        self.unfinished_inputs.push(unfinished);
        if unfinished == 0 && self.states[id as usize] == JobState::Waiting {
            self.make_ready(id);
        }
        JobId(id)
    }

    /// The state of a job.
    #[must_use]
    pub fn state(&self, job: JobId) -> JobState {
        self.states[job.index()]
    }

    /// How many jobs have started and not ended.
    #[must_use]
    pub fn active(&self) -> usize {
        self.running + self.paused
    }

    /// What to do next; `None` when nothing can be done before something happens.
    pub fn next_command(&mut self) -> Option<Command> {
        if self.halted {
            let job = self.released.pop()?;
            self.begin(job);
            return Some(Command::Resume(JobId(job)));
        }
        let kind = self.best_kind()?;
        let (amounts, candidates) = &mut self.kinds[kind];
        let Candidate { resuming, job: Reverse(job), .. } = candidates.pop()?;
        self.free.take(amounts);
        self.begin(job);
        Some(if resuming { Command::Resume(JobId(job)) } else { Command::Start(JobId(job)) })
    }

    fn begin(&mut self, job: u32) {
        if self.states[job as usize] == JobState::Resuming {
            self.paused -= 1;
        }
        self.states[job as usize] = JobState::Running;
        self.running += 1;
    }

    /// The kind of claim whose most urgent candidate may have it now.
    fn best_kind(&self) -> Option<usize> {
        if let [(amounts, candidates)] = self.kinds.as_slice() {
            return (!candidates.is_empty() && self.free.covers(amounts)).then_some(0);
        }
        let mut kinds: Vec<(Candidate, usize)> =
            self.kinds.iter().enumerate().filter_map(|(i, (_, candidates))| Some((*candidates.peek()?, i))).collect();
        kinds.sort_unstable_by(|a, b| b.cmp(a));
        // What more urgent candidates are short of.
        let mut reserved = Amounts::default();
        for (_, kind) in kinds {
            let amounts = &self.kinds[kind].0;
            if amounts.meets(&reserved) {
                continue;
            }
            if self.free.covers(amounts) {
                return Some(kind);
            }
            reserved.add(&self.free.lacking(amounts));
        }
        None
    }

    /// A running job gives back what it holds, to go on later.
    ///
    /// # Panics
    /// When the job is not running.
    pub fn pause(&mut self, job: JobId) {
        self.leave_running(job, JobState::Paused);
        self.paused += 1;
    }

    /// A paused job wants to go on. `claims`: what it needs now, if that has changed.
    ///
    /// # Panics
    /// When the job is not paused.
    pub fn unpause(&mut self, job: JobId, claims: Option<&Claims>) {
        assert_eq!(self.states[job.index()], JobState::Paused, "only a paused job can go on");
        self.states[job.index()] = JobState::Resuming;
        if let Some(claims) = claims {
            self.claims[job.index()] = self.kind(claims);
        }
        if self.halted {
            self.released.push(job.0);
        } else {
            self.offer(job.0, true);
        }
    }

    /// A running job ended. Gives the jobs that are skipped because of that.
    ///
    /// # Panics
    /// When the job is not running.
    pub fn ended(&mut self, job: JobId, end: End) -> Vec<JobId> {
        let mut skipped = Vec::new();
        match end {
            End::Done => {
                self.leave_running(job, JobState::Done);
                for i in self.dependents_of(job.0) {
                    self.input_done(self.dependents[i]);
                }
                for dependent in self.later_dependents.remove(&job.0).unwrap_or_default() {
                    self.input_done(dependent);
                }
            }
            End::Failed => {
                self.leave_running(job, JobState::Failed);
                let mut skip = vec![job.0];
                while let Some(job) = skip.pop() {
                    let later = self.later_dependents.remove(&job).unwrap_or_default();
                    let dependents = self.dependents_of(job).map(|i| self.dependents[i]);
                    for dependent in dependents.chain(later) {
                        if self.states[dependent as usize] == JobState::Waiting {
                            self.states[dependent as usize] = JobState::Skipped;
                            skip.push(dependent);
                            skipped.push(JobId(dependent));
                        }
                    }
                }
            }
        }
        skipped
    }

    /// Starts nothing more. Jobs that have started are still awaited; those that are paused go on without regard to what
    /// is free, as they go on only to end.
    pub fn halt(&mut self) {
        if self.halted {
            return;
        }
        self.halted = true;
        for (_, candidates) in &mut self.kinds {
            let resuming = candidates.drain().filter(|candidate| candidate.resuming);
            self.released.extend(resuming.map(|candidate| candidate.job.0));
        }
    }

    fn leave_running(&mut self, job: JobId, to: JobState) {
        assert_eq!(self.states[job.index()], JobState::Running, "only a running job can end or pause");
        self.states[job.index()] = to;
        self.running -= 1;
        // Nothing starts after a halt, so nobody asks what is free.
        if !self.halted {
            self.free.add(&self.kinds[self.claims[job.index()] as usize].0);
        }
    }

    fn input_done(&mut self, dependent: u32) {
        let unfinished = &mut self.unfinished_inputs[dependent as usize];
        *unfinished -= 1;
        if *unfinished == 0 && self.states[dependent as usize] == JobState::Waiting {
            self.make_ready(dependent);
        }
    }

    fn make_ready(&mut self, job: u32) {
        self.states[job as usize] = JobState::Ready;
        if !self.halted {
            self.offer(job, false);
        }
    }

    fn offer(&mut self, job: u32, resuming: bool) {
        if let Some(offered) = &mut self.offered {
            *offered += 1;
        }
        let since = Reverse(self.offered.unwrap_or_default());
        let candidate = Candidate { priority: self.priorities[job as usize], resuming, since, job: Reverse(job) };
        self.kinds[self.claims[job as usize] as usize].1.push(candidate);
    }

    fn kind(&mut self, claims: &Claims) -> u32 {
        let amounts = self.pool.amounts(claims);
        let known = self.kinds.iter().position(|(known, _)| *known == amounts);
        let kind = known.unwrap_or_else(|| {
            self.kinds.push((amounts, BinaryHeap::new()));
            self.kinds.len() - 1
        });
        kind as u32
    }

    fn dependents_of(&self, job: u32) -> std::ops::Range<usize> {
        match self.starts.get(job as usize + 1) {
            Some(end) => self.starts[job as usize] as usize..*end as usize,
            None => 0..0,
        }
    }
}

/// The jobs that a job needs, each once.
fn needs_of(job: &Job, needs: &mut Vec<u32>) {
    needs.clear();
    needs.extend(job.inputs.iter().map(|(_, from)| from.0).chain(job.after.iter().map(|after| after.0)));
    needs.sort_unstable();
    needs.dedup();
}
