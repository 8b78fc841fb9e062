//! What happens in a run, as data: the terminal, the JSON log and reports are renderings of one stream.

use std::any::Any;
use std::path::PathBuf;
use std::sync::Arc;

use tapeout_store::Entry;

use crate::{Difference, Failure, How, JobId};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A job asked for another one.
    Asked {
        /// The new job.
        job: JobId,
        /// Its name.
        name: String,
        /// Who asked.
        by: JobId,
    },
    /// A job began to run.
    Started {
        /// Which job.
        job: JobId,
    },
    /// A job runs tools; their words go to this file as they come.
    Running {
        /// Which job.
        job: JobId,
        /// The command lines.
        commands: String,
        /// The growing log.
        log: PathBuf,
    },
    /// A job took the result of an invocation from the shared cache, where somebody else had brought it.
    Shared {
        /// Which job.
        job: JobId,
        /// The machine on which the tools ran.
        host: String,
    },
    /// A job has to wait and holds nothing meanwhile: for a licence, for another tapeout that does the same.
    Waiting {
        /// Which job.
        job: JobId,
        /// For what, in one line.
        reason: String,
    },
    /// A job is tried again.
    Retried {
        /// Which job.
        job: JobId,
        /// What went wrong.
        reason: String,
    },
    /// The tools of a job ran once more for comparison.
    Repeated {
        /// Which job.
        job: JobId,
        /// What was not the same; empty when all was.
        differences: Vec<Difference>,
    },
    /// A job that conducts told something of its own.
    Told {
        /// Which job.
        job: JobId,
        /// What; who made the job knows.
        note: Arc<dyn Any + Send + Sync>,
    },
    /// A job has a result.
    Done {
        /// Which job.
        job: JobId,
        /// Its result.
        entry: Arc<Entry>,
        /// Where it came from.
        how: How,
    },
    /// A job ended without a result.
    Failed {
        /// Which job.
        job: JobId,
        /// Why.
        failure: Failure,
    },
}

impl Event {
    /// The job that it is about.
    #[must_use]
    pub fn job(&self) -> JobId {
        match self {
            Self::Asked { job, .. }
            | Self::Started { job }
            | Self::Running { job, .. }
            | Self::Shared { job, .. }
            | Self::Waiting { job, .. }
            | Self::Retried { job, .. }
            | Self::Repeated { job, .. }
            | Self::Told { job, .. }
            | Self::Done { job, .. }
            | Self::Failed { job, .. } => *job,
        }
    }
}
