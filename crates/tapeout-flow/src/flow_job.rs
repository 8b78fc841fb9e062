//! A custom flow as a job of the engine: runs its program, keeps what it asked for, and ends it from outside when the run
//! stops or only looks. What the program sees is [`FlowCx`]'s.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tapeout_engine::{Conductor, Failure, Graph, Identity, JobBody, JobCx, JobId};
use tapeout_model::Record;
use tapeout_store::Entry;

use crate::cast::Cast;
use crate::custom::{FlowError, Program};
use crate::makers::Makers;
use crate::{Comparison, FlowCx, FlowState, Plan, StepAttempt};

/// A state of a running flow.
pub(crate) struct Node {
    pub(crate) before: Option<FlowState>,
    /// The step that it is the state after.
    pub(crate) step: Option<usize>,
    pub(crate) job: Option<JobId>,
    pub(crate) makers: Makers<JobId>,
    pub(crate) end: Option<Result<Option<Arc<Entry>>, FlowError>>,
}

/// A custom flow as a job: what its program, the run and the engine share.
pub(crate) struct FlowJob {
    pub(crate) plan: Arc<Plan>,
    pub(crate) program: Program,
    pub(crate) cast: Arc<Cast>,
    /// Where the views of its steps are.
    pub(crate) dir: PathBuf,
    /// What the names of its jobs begin with, where it is part of a target: then views are where they should be only once
    /// they are asked for.
    pub(crate) part_of: Option<String>,
    /// The jobs of the plan's own steps.
    initial: Vec<JobId>,
    pub(crate) last: BTreeMap<String, StepAttempt>,
    pub(crate) pinned: BTreeSet<String>,
    pub(crate) progress: Mutex<Progress>,
    pub(crate) is_cut: AtomicBool,
}

#[derive(Default)]
pub(crate) struct Progress {
    pub(crate) nodes: Vec<Node>,
    /// How often each id was asked for.
    pub(crate) asked: BTreeMap<String, u32>,
    pub(crate) stages: u32,
    pub(crate) stage_count: Option<u32>,
    /// What was compared.
    pub(crate) comparisons: Vec<Comparison>,
    /// Why the flow is not to go on.
    pub(crate) fatal: Option<Failure>,
    /// The state that it gave.
    pub(crate) last: Option<FlowState>,
}

/// What unwinds a flow that is not to go on.
struct Cut;

/// How many flows are being unwound.
static CUT: AtomicUsize = AtomicUsize::new(0);

/// Whether a custom flow is being ended in the midst of its program, because the run stops or only looks. Where such a flow
/// has threads, one that waits for another panics, which is no news: a panic hook asks this.
#[must_use]
pub fn is_ending_flow() -> bool {
    CUT.load(Ordering::SeqCst) > 0
}

impl JobBody for FlowJob {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("(flow)", self.program.flow.name());
    }

    fn run(&self, job: &mut JobCx<'_>) -> Result<Record, Failure> {
        self.conduct(job.conductor()).map(|()| Record::default())
    }
}

impl FlowJob {
    /// A flow that a run consists of.
    pub(crate) fn new(
        plan: &Plan,
        program: Program,
        cast: Arc<Cast>,
        dir: PathBuf,
        last: BTreeMap<String, StepAttempt>,
        pinned: BTreeSet<String>,
    ) -> Self {
        let initial = Graph::ids_of(plan.running().count()).collect();
        let plan = Arc::new(plan.clone());
        let (progress, is_cut) = (Mutex::default(), AtomicBool::new(false));
        Self { plan, program, cast, dir, part_of: None, initial, last, pinned, progress, is_cut }
    }

    /// A flow that is part of a target. `initial`: the jobs of the plan's own steps.
    pub(crate) fn part_of(target: String, plan: &Plan, program: Program, dir: PathBuf, initial: Vec<JobId>) -> Self {
        let cast = Arc::new(Cast::of(plan));
        let whole = Self::new(plan, program, cast, dir, BTreeMap::new(), BTreeSet::new());
        Self { part_of: Some(target), initial, ..whole }
    }

    /// Runs the program to its end, or to where the run is stopped.
    pub(crate) fn conduct(&self, conductor: Conductor<'_>) -> Result<(), Failure> {
        let initial = self.begin();
        let config = Arc::new(self.plan.config.clone());
        let cx = FlowCx::new(self, conductor, config);
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let last = self.program.flow.run(&cx, initial)?;
            cx.wait(&last)?;
            Ok::<_, FlowError>(last)
        }));
        let was_cut = self.is_cut.swap(false, Ordering::SeqCst);
        if was_cut {
            CUT.fetch_sub(1, Ordering::SeqCst);
        }
        let mut progress = self.progress();
        match ran {
            _ if progress.fatal.is_some() => Err(progress.fatal.take().unwrap_or_else(Failure::interrupted)),
            // Whatever the program made of it, it did not see the end.
            _ if was_cut => Err(Failure::interrupted()),
            Ok(Ok(last)) => {
                progress.last = Some(last);
                Ok(())
            }
            Ok(Err(error)) => Err(error.into_failure()),
            Err(panic) => resume_unwind(panic),
        }
    }

    /// The steps on the way to the state that the flow gave, in order, each with its job, without those that were left out;
    /// nothing if it gave none.
    pub(crate) fn way(&self) -> Option<Vec<(usize, JobId)>> {
        let progress = self.progress();
        let mut way: Vec<_> = progress.way_to(progress.last?).filter_map(|node| node.step.zip(node.job)).collect();
        way.reverse();
        Some(way)
    }

    /// Unwinds the program from where it is.
    pub(crate) fn cut(&self) -> ! {
        if !self.is_cut.swap(true, Ordering::SeqCst) {
            CUT.fetch_add(1, Ordering::SeqCst);
        }
        resume_unwind(Box::new(Cut))
    }

    /// The state before anything was asked for: what the plan begins with.
    fn begin(&self) -> FlowState {
        let mut progress = Progress::default();
        let mut makers = Makers::default();
        let empty = Node { before: None, step: None, job: None, makers: makers.clone(), end: Some(Ok(None)) };
        let mut initial = progress.add(empty);
        for ((index, step), job) in self.plan.running().zip(self.initial.iter().copied()) {
            makers.add(&step.info, job);
            let (step, job, makers) = (Some(index), Some(job), makers.clone());
            initial = progress.add(Node { before: Some(initial), step, job, makers, end: None });
        }
        *self.progress() = progress;
        initial
    }

    pub(crate) fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress {
    /// The id that a step gets which is asked for under this one: another for each time.
    pub(crate) fn free_id(&mut self, id: String) -> String {
        let mut number = self.asked.get(&id).copied().unwrap_or(0);
        let mut free = id.clone();
        while self.asked.contains_key(&free) {
            number += 1;
            free = format!("{id}-{number}");
        }
        self.asked.insert(id, number);
        self.asked.entry(free.clone()).or_insert(0);
        free
    }

    /// The states up to one, that one first.
    pub(crate) fn way_to(&self, state: FlowState) -> impl Iterator<Item = &Node> {
        std::iter::successors(Some(&self.nodes[state.0]), |node| Some(&self.nodes[node.before?.0]))
    }

    pub(crate) fn add(&mut self, node: Node) -> FlowState {
        self.nodes.push(node);
        FlowState(self.nodes.len() - 1)
    }
}
