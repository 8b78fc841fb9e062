//! The steps of a run: those of its plan, and those that a custom flow asks for while it runs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tapeout_engine::{Graph, Job, JobId};

use crate::{Plan, PlannedStep};

/// Who takes part in a run. A step has an index, in the order in which the steps became known.
pub(crate) struct Cast(RwLock<Steps>);

#[derive(Default)]
struct Steps {
    steps: Vec<Arc<PlannedStep>>,
    /// Those that a flow asked for.
    index_of: HashMap<String, usize>,
    /// Of those that a flow asked for: as it did so.
    jobs: HashMap<usize, Job>,
    of_jobs: HashMap<JobId, usize>,
    /// The jobs that steps asked for, which are parts of them.
    of_parts: HashMap<JobId, usize>,
}

impl Cast {
    /// The steps of a plan. Those that are not left out are the first jobs of its graph.
    pub(crate) fn of(plan: &Plan) -> Self {
        let running = plan.running().map(|(index, _)| index);
        let of_jobs = Graph::ids_of(plan.running().count()).zip(running).collect();
        Self(RwLock::new(Steps { steps: plan.steps.clone(), of_jobs, ..Steps::default() }))
    }

    /// The step with this index.
    pub(crate) fn step(&self, index: usize) -> Arc<PlannedStep> {
        Arc::clone(&self.read().steps[index])
    }

    /// All steps, in order.
    pub(crate) fn steps(&self) -> Vec<Arc<PlannedStep>> {
        self.read().steps.clone()
    }

    /// The index of the step that a job stands for; none for jobs that are the engine's or a step's own.
    pub(crate) fn step_of(&self, job: JobId) -> Option<usize> {
        self.read().of_jobs.get(&job).copied()
    }

    /// A job that a flow asked for.
    pub(crate) fn job(&self, step: usize) -> Option<Job> {
        self.read().jobs.get(&step).cloned()
    }

    /// Adds a step that a flow asks for; one of the same id, from an earlier turn of the flow, makes room for it. `plan`
    /// makes it, given its index.
    pub(crate) fn add(&self, id: &str, plan: impl FnOnce(usize) -> PlannedStep) -> (usize, Arc<PlannedStep>) {
        let mut steps = self.write();
        let index = steps.index_of.get(id).copied().unwrap_or(steps.steps.len());
        let step = Arc::new(plan(index));
        if index == steps.steps.len() {
            steps.steps.push(Arc::clone(&step));
            steps.index_of.insert(id.to_owned(), index);
        } else {
            steps.steps[index] = Arc::clone(&step);
        }
        (index, step)
    }

    /// Notes what a flow asks for.
    pub(crate) fn ask(&self, step: usize, job: Job) {
        self.write().jobs.insert(step, job);
    }

    /// Notes which job the engine made of what a flow, or a step, asked for. In an earlier turn of the run, that job may have
    /// been another one.
    pub(crate) fn bind(&self, job: JobId, name: &str, by: JobId) {
        let mut steps = self.write();
        steps.of_jobs.remove(&job);
        steps.of_parts.remove(&job);
        if let Some(index) = steps.index_of.get(name).copied() {
            steps.of_jobs.insert(job, index);
        } else if let Some(whole) = steps.of_jobs.get(&by).copied() {
            steps.of_parts.insert(job, whole);
        }
    }

    /// The step that a job is a part of.
    pub(crate) fn whole_of(&self, job: JobId) -> Option<usize> {
        self.read().of_parts.get(&job).copied()
    }

    fn read(&self) -> RwLockReadGuard<'_, Steps> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Steps> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}
