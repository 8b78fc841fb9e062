//! The jobs of a run and what they see of each other.

use std::fmt;
use std::sync::Arc;

use tapeout_model::Record;
use tapeout_store::KeyHasher;

use crate::{Failure, JobCx};

/// A job's place in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct JobId(pub(crate) u32);

impl JobId {
    /// The index in the order of adding.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A part of a job's result that another job sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The view in this format.
    View(String),
    /// The metric of this name.
    Metric(String),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View(format) => write!(f, "view {format}"),
            Self::Metric(name) => write!(f, "metric {name}"),
        }
    }
}

/// What a job does.
pub trait JobBody: Send + Sync {
    /// Adds to the job's key what identifies the code and its arguments: an implementation version, values of
    /// variables. What [`JobBody::run`] reads through its context need not be added.
    fn identify(&self, key: &mut KeyHasher);

    /// Does the work.
    ///
    /// # Errors
    /// When there is no result to record. A check that the design does not pass is a result, see
    /// [`tapeout_model::Verdict`].
    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure>;
}

/// One job: a name for people, a body, and where the parts it sees come from.
#[derive(Clone)]
pub struct Job {
    /// The name in events and messages; unique in the graph.
    pub name: String,
    /// What it does.
    pub body: Arc<dyn JobBody>,
    /// The parts it may read, each with the job that has it.
    pub inputs: Vec<(Part, JobId)>,
    /// Jobs that must be done before, although nothing of them is read.
    pub after: Vec<JobId>,
    /// Whether a failed check lets the others go on.
    pub defers_check: bool,
    /// Whether it runs although its result is recorded: it acts on something outside.
    pub always: bool,
}

/// The jobs of a run. A job can only name jobs that were added before it, so there are no cycles.
#[derive(Clone, Default)]
pub struct Graph {
    jobs: Vec<Job>,
}

impl Graph {
    /// Adds a job.
    ///
    /// # Panics
    /// When the job names one that is not in this graph yet.
    pub fn add(&mut self, job: Job) -> JobId {
        let id = JobId(u32::try_from(self.jobs.len()).expect("a graph has fewer than 2^32 jobs"));
        let known = job.inputs.iter().map(|(_, from)| from).chain(&job.after).all(|from| *from < id);
        assert!(known, "`{}` names a job that was not added before it", job.name);
        self.jobs.push(job);
        id
    }

    /// The jobs in the order of adding.
    #[must_use]
    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    /// The ids in the order of adding.
    pub fn ids(&self) -> impl Iterator<Item = JobId> + use<> {
        (0..self.jobs.len()).map(|index| JobId(index as u32))
    }

    /// The job with this id.
    #[must_use]
    pub fn job(&self, id: JobId) -> &Job {
        &self.jobs[id.index()]
    }
}
