//! What is said of options that there are not: those of OpenLane's command line have other names here.

use clap::error::{ContextKind, ContextValue, Error};

/// An option of OpenLane's command line, and what does the same here.
const OF_OPENLANE: &[(&str, &str)] = &[
    ("--run-tag", "`--tag` names the run"),
    ("--last-run", "a run goes on where the last one under its tag ended; `--tag` names another"),
    ("--overwrite", "`--fresh` runs again what is recorded"),
    ("--with-initial-state", "`-i`, `--initial-state` is the state to begin with"),
    ("--initial-state-element-override", "`-e`, `--initial-view` is a view to begin with"),
    ("--override-config", "`-c`, `--set` sets a variable"),
    ("--show-progress-bar", "the progress is shown on a terminal, without an option"),
    ("--hide-progress-bar", "`-q` says nothing but errors"),
    ("--log-level", "`-v` says more, `-q` nothing but errors"),
    ("--reproducible", "`tapeout step pack` makes a directory that shows what a step did"),
];

/// The words of a wrong command line.
pub(crate) fn explained(mut error: Error) -> Error {
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return error };
    let Some((_, here)) = OF_OPENLANE.iter().find(|(known, _)| known == option) else { return error };
    error.insert(ContextKind::SuggestedArg, ContextValue::None);
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![(*here).into()]));
    error
}
