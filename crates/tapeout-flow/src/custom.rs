//! Custom flows: programs that ask for steps, look at what came out, and decide what to do next.
//!
//! A flow of this kind has no plan of its own beyond what it declares: the steps that it may ask for, whose variables are
//! validated before it starts, and variables of its own. The program runs each time, as it costs next to nothing; the
//! steps that it asks for are recalled where their recorded results are good. That holds for a step that failed, too, if
//! the flow said that it [may](FlowCx::may_fail).
//!
//! Who owns what: [`CustomFlow`] is the program. [`FlowCx`](crate::FlowCx) is all that it may touch. A
//! [`FlowState`](crate::FlowState) stands for the state after a step, whether that step has ended or not. [`FlowError`] is
//! why there is none.

use std::fmt;
use std::sync::Arc;

use tapeout_config::{Config, CopyError};
use tapeout_engine::Failure;
use tapeout_model::Class;

use crate::registry::Registered;
use crate::{Flow, FlowCx, FlowState, PlannedStep, StepPattern};

/// A flow that is a program.
///
/// Nothing but a run can make a [`FlowCx`]: [`crate::Run::execute`] is the way to start a flow, and to call `run` from
/// within another flow is the way to nest it.
pub trait CustomFlow: Send + Sync {
    /// The name by which `meta.flow` and `--flow` ask for it.
    fn name(&self) -> &str;

    /// What it does, for the reference.
    fn doc(&self) -> &str {
        ""
    }

    /// The ids of the steps that it may ask for. Their variables are those of the flow, and are validated before it
    /// starts; another step is an error.
    fn steps(&self) -> Vec<&str>;

    /// Adds to its description, which has its name, its steps and nothing else yet: variables, gates, defaults.
    fn describe(&self, flow: Flow) -> Flow {
        flow
    }

    /// What changes with the program, such as its source or a version. A run of the flow runs the program anyway; a target
    /// that asks for the flow is built again where this has changed. Without one of its own, that is so with each build of
    /// the executable.
    fn implementation(&self) -> String {
        executable()
    }

    /// Asks for steps and gives the last state. The steps on the way to that state make up its result; what else was tried
    /// is shown and does not count.
    ///
    /// When a run is stopped, or fails for a reason that no other step could mend (no disk space, a missing tool), the
    /// program does not hear of it: the call that it is in does not return.
    ///
    /// # Errors
    /// When no state is what the flow is to give: the error of a step that it has no answer to, or one of its own.
    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError>;
}

/// What changes with each build of the executable that runs.
fn executable() -> String {
    let metadata = std::env::current_exe().and_then(std::fs::metadata);
    let stamp = metadata.and_then(|metadata| Ok((metadata.len(), metadata.modified()?)));
    format!("{:?}", stamp.ok())
}

/// A custom flow with the steps that it declares, found.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) flow: Arc<dyn CustomFlow>,
    pub(crate) described: Flow,
    pub(crate) declared: Vec<Registered>,
    /// What the configuration changes of that.
    pub(crate) edited: Vec<EditedStep>,
    /// The steps that are left out for this time, by the patterns as they were given.
    pub(crate) skipped: Vec<(String, StepPattern)>,
}

/// What happens when a program asks for a step that the configuration replaces or takes out.
#[derive(Clone)]
pub(crate) struct EditedStep {
    /// The id by which the program asks for it.
    pub(crate) asked: &'static str,
    /// What runs: the step itself, where it is taken out.
    pub(crate) step: Registered,
    /// Why nothing runs.
    pub(crate) taken_out: Option<String>,
}

impl Program {
    /// Why a step is left out for this time, if it is.
    pub(crate) fn skips(&self, id: &str, config: &Config) -> Option<String> {
        if let Some(gate) = self.described.closed_gate(id, config) {
            return Some(gate);
        }
        let (text, _) = self.skipped.iter().find(|(_, pattern)| pattern.matches(id))?;
        Some(format!("skipped by `--skip {text}`"))
    }

    /// All that it may ask for, as it would be planned with this configuration.
    pub(crate) fn steps(&self, config: &Config) -> impl Iterator<Item = PlannedStep> {
        let found = self.declared.iter().filter_map(|step| self.step(step.info.id));
        found.map(|(step, taken_out)| {
            let planned = PlannedStep::new(0, 2, step.info.id.to_owned(), step.clone(), config);
            PlannedStep { left_out: taken_out.map(str::to_owned).or(planned.left_out), ..planned }
        })
    }

    /// The step that runs when a declared one is asked for, regardless of case; and why it does not, if it is taken out.
    pub(crate) fn step(&self, id: &str) -> Option<(&Registered, Option<&str>)> {
        if let Some(edited) = self.edited.iter().find(|edited| edited.asked.eq_ignore_ascii_case(id)) {
            return Some((&edited.step, edited.taken_out.as_deref()));
        }
        let declared = self.declared.iter().find(|step| step.info.id.eq_ignore_ascii_case(id))?;
        Some((declared, None))
    }
}

/// Why a step, or a flow, did not come to a state.
#[derive(Clone, Debug)]
pub struct FlowError {
    step: Option<String>,
    failure: Box<Failure>,
}

impl FlowError {
    /// An error of the flow itself: what it was to reach cannot be reached.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { step: None, failure: Box::new(Failure::new(Class::Check, message)) }
    }

    /// The same with something to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.failure.hint = Some(hint.into());
        self
    }

    pub(crate) fn of_step(step: &str, failure: Failure) -> Self {
        Self { step: Some(step.to_owned()), failure: Box::new(failure) }
    }

    /// The id of the step that failed, if one did.
    #[must_use]
    pub fn step(&self) -> Option<&str> {
        self.step.as_deref()
    }

    /// Whether the step ran to its end and the design did not pass its check.
    #[must_use]
    pub fn is_failed_check(&self) -> bool {
        self.failure.class == Class::Check
    }

    /// What happened, with the tool's words.
    #[must_use]
    pub fn failure(&self) -> &Failure {
        &self.failure
    }

    pub(crate) fn into_failure(self) -> Failure {
        let failure = *self.failure;
        match self.step {
            Some(step) => Failure { message: format!("{step}: {}", failure.message), ..failure },
            None => failure,
        }
    }
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            Some(step) => write!(f, "{step}: {}", self.failure.message),
            None => f.write_str(&self.failure.message),
        }
    }
}

impl std::error::Error for FlowError {}

/// A failure of the flow itself.
impl From<Failure> for FlowError {
    fn from(failure: Failure) -> Self {
        Self { step: None, failure: Box::new(failure) }
    }
}

/// Overrides that a variable cannot have.
impl From<CopyError> for FlowError {
    fn from(error: CopyError) -> Self {
        Self { step: None, failure: Box::new(Failure::new(Class::Input, error.to_string())) }
    }
}
