//! How the place of a hook is written: `STEP/section`, `action/section`, or without a section for the step itself.

use std::fmt;

use crate::{Action, StepPattern};

/// Which steps are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Steps {
    /// Those of a flow whose ids match.
    Pattern(String, StepPattern),
    /// Those that do this.
    Action(Action),
}

/// A place: a section or a hook in certain steps, or the steps themselves.
///
/// `Yosys.Synthesis/abc` is the section `abc` of the step, `Magic.*/read` that of all steps of Magic, `synthesis/read`
/// that of all steps that do synthesis, whichever tool they use; `Magic.StreamOut` is the step as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The steps.
    pub steps: Steps,
    /// The section, or the hook, in them.
    pub section: Option<String>,
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// In words, what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (steps, section) = match text.split_once('/') {
            Some((steps, section)) => (steps, Some(section)),
            None => (text, None),
        };
        if steps.is_empty() || section.is_some_and(|section| section.is_empty() || section.contains('/')) {
            return Err(format!("`{text}` is no place of a hook: expected `STEP/SECTION`, `ACTION/SECTION` or `STEP`"));
        }
        let steps = match Action::named(steps) {
            Some(action) => Steps::Action(action),
            None => Steps::Pattern(steps.to_owned(), StepPattern::new(steps)?),
        };
        Ok(Self { steps, section: section.map(str::to_owned) })
    }

    /// Whether a step of this id, that does this, is meant.
    #[must_use]
    pub fn means(&self, id: &str, action: Option<Action>) -> bool {
        match &self.steps {
            Steps::Pattern(_, pattern) => pattern.matches(id),
            Steps::Action(meant) => action == Some(*meant),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.steps {
            Steps::Pattern(text, _) => f.write_str(text)?,
            Steps::Action(action) => f.write_str(action.name())?,
        }
        match &self.section {
            Some(section) => write!(f, "/{section}"),
            None => Ok(()),
        }
    }
}
