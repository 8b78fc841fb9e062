//! What happens in a run, as data: the terminal, the JSON log and reports are renderings of one stream.

use std::path::PathBuf;
use std::sync::Arc;

use tapeout_store::Entry;

use crate::{Failure, JobId};

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// A job's recorded result was found good.
    Reused {
        /// Which job.
        job: JobId,
        /// Its result.
        entry: Arc<Entry>,
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
    /// A job ended with a new result.
    Done {
        /// Which job.
        job: JobId,
        /// Its result.
        entry: Arc<Entry>,
    },
    /// A job ended without a result.
    Failed {
        /// Which job.
        job: JobId,
        /// Why.
        failure: Failure,
    },
}
