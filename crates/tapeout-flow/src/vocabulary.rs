//! Vocabularies: flows that are known by their variables only. What those variables are is for others to say.

use tapeout_config::Variable;

/// A flow whose variables are known and whose steps are not there. Its configurations can be read and checked; nothing
/// can be planned.
#[derive(Clone, Copy, Debug)]
pub struct Vocabulary {
    /// The name by which `meta.flow` and `--flow` ask for the flow.
    pub name: &'static str,
    /// What the flow does, for the reference.
    pub doc: &'static str,
    /// Makes all its variables, those of former times included.
    pub variables: fn() -> Vec<Variable>,
    /// Names that were variables once, and why nothing has taken their place: the end of a sentence.
    pub removed: &'static [(&'static str, &'static str)],
    /// Whether a name is that of a variable of this flow or of its relatives, today or formerly. Removed ones are not.
    pub knows: fn(&str) -> bool,
    /// The ids of its steps, and of those of its relatives. A flow that is a list of such has the same variables.
    pub steps: &'static [&'static str],
    /// Whether a configuration that names no flow is taken to be for this one, where it is only to be checked.
    pub taken_unnamed: bool,
}

impl Vocabulary {
    /// Why there is no variable of that name any more, if there was one.
    #[must_use]
    pub fn removed(&self, name: &str) -> Option<&'static str> {
        self.removed.iter().find(|(removed, _)| *removed == name).map(|(_, reason)| *reason)
    }
}
