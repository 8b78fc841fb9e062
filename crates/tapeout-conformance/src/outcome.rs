//! What came of a case here.

use serde_json::Value as Json;
use tapeout_config::{Diagnostic, SourceMap};
use tapeout_model::Severity;

/// What our libraries made of the input of a case.
#[derive(Clone, Debug)]
pub(crate) enum Outcome {
    /// A value, in the encoding of the case files.
    Accepted(Json),
    /// Errors.
    Refused(Refusal),
}

/// Errors as users read them.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// All of them, with their snippets.
    pub(crate) text: String,
    /// How many there are, warnings left out.
    pub(crate) errors: usize,
}

impl Refusal {
    /// One error, as it is told.
    pub(crate) fn outcome(error: impl std::fmt::Display) -> Outcome {
        Outcome::Refused(Self { text: error.to_string(), errors: 1 })
    }
}

impl Outcome {
    /// What is wrong, warnings included.
    pub(crate) fn refused(diagnostics: &[Diagnostic], sources: &SourceMap) -> Self {
        let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
        Self::Refused(Refusal { text: rendered(diagnostics, sources), errors })
    }
}

/// Diagnostics as they are shown.
pub(crate) fn rendered(diagnostics: &[Diagnostic], sources: &SourceMap) -> String {
    let texts: Vec<String> = diagnostics.iter().map(|diagnostic| diagnostic.render(sources, false)).collect();
    texts.join("\n")
}
