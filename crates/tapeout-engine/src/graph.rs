//! The jobs of a run and what they see of each other.

use std::sync::Arc;

use tapeout_model::{Digest, Part, Record};
use tapeout_store::KeyHasher;

use crate::{Claims, Failure, Identity, JobCx};

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

/// What a job does.
pub trait JobBody: Send + Sync {
    /// Tells what identifies the code and its arguments, such as an implementation version. What [`JobBody::run`] reads
    /// through its context need not be told.
    fn identify(&self, identity: &mut Identity<'_>);

    /// The names of all settings there are.
    fn settings(&self) -> Vec<String> {
        Vec::new()
    }

    /// A setting that the body may read: its text, or that there is none of that name. It must be the same as long as
    /// the body lives, and two settings that differ must read differently. It is recorded as it is: of a secret, give a
    /// digest.
    ///
    /// Of all settings, those count that the body reads through [`JobCx::setting`]. Those of a job that another one asks
    /// for must follow from what that one read.
    fn setting(&self, name: &str) -> Option<String> {
        let _ = name;
        None
    }

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
    /// The name in events and messages; unique in the run.
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
    /// Whether it only asks for other jobs, through [`JobCx::conductor`]: it runs each time, also when a run only
    /// looks, and nothing is recorded of it.
    pub conducts: bool,
    /// Whether it does next to nothing, such as a judgement of a few metrics: it is done where it is found, between other
    /// things, since handing it to a worker costs more than the work. One that asks for other jobs all the same is
    /// handed over, and begins again.
    pub brief: bool,
    /// What it needs while it runs.
    pub claims: Claims,
    /// How long it will take in milliseconds, as far as known: the longest way through the graph goes first.
    pub expected_ms: u64,
}

impl Job {
    /// A job of one core, without inputs.
    #[must_use]
    pub fn new(name: impl Into<String>, body: Arc<dyn JobBody>) -> Self {
        Self {
            name: name.into(),
            body,
            inputs: Vec::new(),
            after: Vec::new(),
            defers_check: false,
            always: false,
            conducts: false,
            brief: false,
            claims: Claims::default(),
            expected_ms: 0,
        }
    }

    /// A job that only asks for others: it takes up no core.
    #[must_use]
    pub fn conducting(name: impl Into<String>, body: Arc<dyn JobBody>) -> Self {
        Self { conducts: true, claims: Claims { cores: 0, ..Claims::default() }, ..Self::new(name, body) }
    }

    /// The key under which the traces of the job are kept: its code and arguments, and which parts it may see.
    #[must_use]
    pub fn key(&self) -> Digest {
        let mut key = KeyHasher::new("job 2");
        self.identify(&mut Identity::hashing(&mut key));
        key.finish()
    }

    /// Whether it is this job once more: the same code with the same arguments and settings, which sees the same.
    pub(crate) fn is(&self, other: &Self) -> bool {
        let settings = |job: &Self| {
            let names = job.body.settings().into_iter();
            names.map(|name| (job.body.setting(&name), name)).collect::<Vec<_>>()
        };
        self.inputs == other.inputs
            && self.after == other.after
            && self.key() == other.key()
            && settings(self) == settings(other)
    }

    /// What the key stands for, in words.
    pub(crate) fn words(&self) -> Vec<(String, String)> {
        let mut words = Vec::new();
        self.identify(&mut Identity::telling(&mut words));
        words
    }

    fn identify(&self, identity: &mut Identity<'_>) {
        for (part, _) in &self.inputs {
            let kind = match part {
                Part::View(_) => "view",
                Part::Metric(_) => "metric",
                Part::Metrics(_) => "metrics",
                Part::Datum(_) => "datum",
                Part::Names => "names",
                Part::Files(_) => "files",
                Part::Any => "any",
            };
            identity.part(kind, part.name());
        }
        self.body.identify(identity);
    }
}

/// The jobs of a run. A job can only name jobs that were added before it, so there are no cycles. While it runs, jobs may
/// ask for more, see [`JobCx::start`].
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
        Self::ids_of(self.jobs.len())
    }

    /// The ids of the first so many jobs of any graph.
    pub fn ids_of(count: usize) -> impl Iterator<Item = JobId> {
        (0..count).map(|index| JobId(index as u32))
    }

    /// The job with this id.
    #[must_use]
    pub fn job(&self, id: JobId) -> &Job {
        &self.jobs[id.index()]
    }
}
