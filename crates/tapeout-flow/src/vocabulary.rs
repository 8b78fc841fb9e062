//! Vocabularies: steps that are known by their descriptors only, with the variables that they share. A flow with such steps
//! can be planned and not run. What the steps and variables are is for others to say.

use tapeout_config::Variable;
use tapeout_engine::Failure;
use tapeout_model::Class;

use crate::{Completed, Session, Step, StepCx, StepInfo, StepResult};

/// Steps that are known and not there to run, as far as no step of the same id [is](crate::Registry::add_step).
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// Whose steps they are.
    pub name: &'static str,
    /// Makes their descriptors. These have no variables: which of them a step reads is for the step to say once it is
    /// there.
    pub steps: fn() -> Vec<StepInfo>,
    /// Makes the variables that every flow with such a step has, those of former times included.
    pub variables: fn() -> Vec<Variable>,
    /// Names that were variables once, and why nothing has taken their place: the end of a sentence.
    pub removed: &'static [(&'static str, &'static str)],
    /// Whether a name is that of a variable, today or formerly, of these steps or of their relatives. Removed ones are
    /// not.
    pub knows: fn(&str) -> bool,
}

impl Vocabulary {
    /// Why there is no variable of that name any more, if there was one.
    #[must_use]
    pub fn removed(&self, name: &str) -> Option<&'static str> {
        self.removed.iter().find(|(removed, _)| *removed == name).map(|(_, reason)| *reason)
    }
}

/// A step of which there is only the descriptor.
pub(crate) struct Described(StepInfo);

impl Described {
    /// A step that this vocabulary describes.
    pub(crate) fn new(info: StepInfo, vocabulary: &'static str) -> Self {
        Self(StepInfo { vocabulary: Some(vocabulary), ..info })
    }

    fn not_there(&self) -> Failure {
        Failure::new(Class::Input, format!("`{}` is not part of this version", self.0.id))
    }
}

impl Step for Described {
    fn info(&self) -> StepInfo {
        self.0.clone()
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Err(self.not_there())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Err(self.not_there())
    }
}
