//! Which file of a state is meant by what people name: the file itself, a step, or the end of a run.

use std::path::{Path, PathBuf};

use tapeout_flow::{Registry, StepStatus, StepSummary};

use crate::error::CliError;
use crate::runs::{self, RecordedRun};
use crate::terminal::words::from_here;

/// The file that a step leaves its state in.
const STATE_OUT: &str = "state_out.json";

/// The state file that is meant: this file; in a directory of a step its `state_out.json`; after a run, given as its
/// directory or as `[THING@]TAG[/STEP]`, that of the step or of the last one.
///
/// # Errors
/// There is no such run, or it does not say which state it ended with.
pub(crate) fn state_file(registry: &Registry, state: &Path) -> Result<PathBuf, CliError> {
    if state.is_dir() {
        return of_directory(registry, state);
    }
    match state.to_str() {
        Some(text) if text.contains('@') && !state.exists() => {
            let (run, step) = runs::find(Some(text))?;
            match step {
                Some(step) => of_step(&run, run.step(step)?),
                None => after(registry, &run),
            }
        }
        _ => Ok(state.to_owned()),
    }
}

fn of_directory(registry: &Registry, dir: &Path) -> Result<PathBuf, CliError> {
    let own = dir.join(STATE_OUT);
    if own.is_file() {
        return Ok(own);
    }
    // `final` of a run shows what it ended with, and has no state.
    let above = dir.join("..");
    let run_dir = if dir.ends_with("final") { above.as_path() } else { dir };
    match RecordedRun::read(run_dir)? {
        Some(run) => after(registry, &run),
        None => Err(CliError::input(format!("`{}` has no state: neither `{STATE_OUT}` nor a run", from_here(dir)))
            .hint("name a file such as `state_out.json`, the directory of a step or of a run, or `@TAG/STEP`")),
    }
}

/// The state after a run: that after its last step.
fn after(registry: &Registry, run: &RecordedRun) -> Result<PathBuf, CliError> {
    let summary = &run.summary;
    let refused = |reason: &str| {
        CliError::input(format!("the run `{}` {reason}", summary.tag))
            .hint(format!("name the step after which to begin: `@{}/STEP`", summary.tag))
    };
    if registry.program(&summary.flow).is_some() {
        return Err(refused("is that of a program, whose last step need not have made its result"));
    }
    let is_there = |status: StepStatus| match status {
        StepStatus::Done
        | StepStatus::Reused
        | StepStatus::Pinned
        | StepStatus::Held
        | StepStatus::CheckFailed
        | StepStatus::NotChecked => true,
        StepStatus::Failed | StepStatus::Interrupted | StepStatus::NotReached | StepStatus::LeftOut => false,
    };
    let runs = |status: StepStatus| status != StepStatus::LeftOut;
    let last = summary.steps.iter().rfind(|step| runs(step.status));
    match last.filter(|step| is_there(step.status)) {
        Some(step) => of_step(run, step),
        None => Err(refused("did not come to its end")),
    }
}

fn of_step(run: &RecordedRun, step: &StepSummary) -> Result<PathBuf, CliError> {
    let state = run.dir.join(&step.dir).join(STATE_OUT);
    if state.is_file() {
        return Ok(state);
    }
    Err(CliError::input(format!("there is no `{}`: the step has no result", from_here(&state)))
        .hint("`tapeout run` makes it"))
}
