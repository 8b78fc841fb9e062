//! Conducting: asking for jobs on behalf of another one, from several threads at once. The job either runs each time and
//! only conducts, so that what costs is in the jobs that it asks for; or all that was asked for becomes what it read.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use tapeout_model::Output;

use crate::run::{Message, Mode, Run};
use crate::{Event, Failure, Job, JobCx, JobId, Outcome};

/// Asks for jobs and waits for them. See [`Job::conducts`].
#[derive(Clone, Copy)]
pub struct Conductor<'run> {
    run: &'run Run<'run>,
    by: JobId,
    /// What it asks for, where that is noted.
    asked: Option<&'run Mutex<BTreeSet<JobId>>>,
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
        Conductor { run: self.run, by: self.id, asked: None }
    }

    /// Has a program ask for jobs on behalf of this one, which holds nothing meanwhile, and waits for all of them. Each is
    /// a read, and may be waited for once more with [`JobCx::wait`]. What the program does beyond what comes out of them
    /// must follow from what this job read before.
    ///
    /// # Errors
    /// When a brief body is being done between other things, see [`JobCx::leave_driver`].
    pub fn conduct<T>(&mut self, program: impl FnOnce(Conductor<'_>) -> T) -> Result<T, Failure> {
        self.leave_driver()?;
        let asked = Mutex::default();
        self.run.tell(Message::Pauses(self.id));
        let conductor = Conductor { run: self.run, by: self.id, asked: Some(&asked) };
        let ran = catch_unwind(AssertUnwindSafe(|| program(conductor)));
        self.go_on(None);
        let ran = ran.unwrap_or_else(|panic| resume_unwind(panic));
        self.take_in(asked.into_inner().unwrap_or_else(PoisonError::into_inner));
        Ok(ran)
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
        let id = answer.recv().map_err(|_| Failure::interrupted())??;
        if let Some(asked) = self.asked {
            asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id);
        }
        Ok(id)
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

    /// Puts a recorded file at a path, unless it is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn place(&self, output: &Output, path: &Path) -> Result<(), Failure> {
        self.run.place(output, path)
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
