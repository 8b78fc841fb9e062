//! Conducting: asking for jobs on behalf of a job whose own result is of no interest. A conductor may be used by several
//! threads at once, and notes no reads: the job that it belongs to runs each time, and what costs is in the jobs that it
//! asks for.

use std::any::Any;
use std::sync::{Arc, mpsc};

use crate::run::{Message, Mode, Run};
use crate::{Event, Failure, Job, JobCx, JobId, Outcome};

/// Asks for jobs and waits for them. See [`Job::conducts`].
#[derive(Clone, Copy)]
pub struct Conductor<'run> {
    run: &'run Run<'run>,
    by: JobId,
}

impl<'run> JobCx<'run> {
    /// Asks for jobs on behalf of this one.
    ///
    /// # Panics
    /// When the job does not say that it conducts: its result would be taken for good although what it was made of has
    /// changed.
    #[must_use]
    pub fn conductor(&self) -> Conductor<'run> {
        assert!(self.job.conducts, "`{}` asks for jobs without noting it", self.job.name);
        Conductor { run: self.run, by: self.id }
    }
}

impl Conductor<'_> {
    /// Asks for a job, which runs as soon as its inputs are done. Its inputs may be parts of any job of the run that is
    /// known here. Where the run already has this very job, that one is meant.
    ///
    /// # Errors
    /// When another job has its name.
    pub fn start(&self, job: Job) -> Result<JobId, Failure> {
        let (reply, answer) = mpsc::channel();
        self.run.tell(Message::Asks { by: self.by, job, reply });
        answer.recv().map_err(|_| Failure::interrupted())?
    }

    /// Waits for a job to end.
    #[must_use]
    pub fn wait(&self, job: JobId) -> Outcome {
        let (reply, answer) = mpsc::channel();
        self.run.tell(Message::Watches { on: job, reply });
        answer.recv().unwrap_or(Outcome::Skipped)
    }

    /// Tells something, which is the business of whoever made the job: [`Event::Told`].
    pub fn tell(&self, note: Arc<dyn Any + Send + Sync>) {
        (self.run.sink)(&Event::Told { job: self.by, note });
    }

    /// Whether nothing is to run: a job without a good result ends as [`Outcome::WouldRun`].
    #[must_use]
    pub fn is_looking(&self) -> bool {
        self.run.mode == Mode::Look
    }

    /// Whether the run is being stopped: no further job will start.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.run.is_stopping()
    }
}
