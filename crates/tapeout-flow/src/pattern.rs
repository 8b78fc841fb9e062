//! Patterns over the ids of steps, as substitutions, gates and ranges have them.

use glob::{MatchOptions, Pattern};

/// Names for people never tell apart by case.
const ANY_CASE: MatchOptions =
    MatchOptions { case_sensitive: false, require_literal_separator: false, require_literal_leading_dot: false };

/// A pattern over names: `*`, `?` and `[…]` as in file names. Case does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPattern(Pattern);

impl StepPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// In words, why the text is none.
    pub fn new(text: &str) -> Result<Self, String> {
        Pattern::new(text).map(Self).map_err(|error| format!("`{text}` is not a pattern: {}", error.msg))
    }

    /// Whether the name is one of those meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches_with(name, ANY_CASE)
    }
}
