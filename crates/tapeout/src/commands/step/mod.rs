//! `tapeout step`: what one does with a single step of a run.

mod again;
mod export;
mod own;
mod pack;
mod shell;

use clap::{Args, Subcommand};

use crate::Cx;
use crate::error::CliError;
use crate::runs::{self, RecordedRun};
use tapeout_flow::{Registry, StepSummary};

/// Work with a single step of a run
#[derive(Debug, Args)]
pub(crate) struct StepArgs {
    #[command(subcommand)]
    command: StepCommand,
}

#[derive(Debug, Subcommand)]
enum StepCommand {
    Pack(pack::PackArgs),
    Run(again::AgainArgs),
    Shell(shell::ShellArgs),
}

pub(crate) fn run(cx: &Cx, args: &StepArgs) -> Result<u8, CliError> {
    match &args.command {
        StepCommand::Pack(args) => pack::run(cx, args),
        StepCommand::Run(args) => again::run(cx, args),
        StepCommand::Shell(args) => shell::run(cx, args),
    }
}

/// The run and the step that are meant; without one, the step that failed.
fn find(what: Option<&str>) -> Result<(RecordedRun, StepSummary), CliError> {
    let (run, step) = runs::find(what)?;
    let step = match step {
        Some(text) => run.step(text)?,
        None => run.failed_step().ok_or_else(|| {
            CliError::input("no step of this run failed: which one is meant?").hint("`tapeout logs` lists the steps")
        })?,
    };
    let step = step.clone();
    Ok((run, step))
}

/// The id of a step as it is registered: in a flow, there may be a label behind it, and a number where it stands again.
fn implementation(registry: &Registry, id: &str) -> String {
    let is_meant = |own: &&str| id.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'));
    let registered = registry.steps().map(|step| step.id).filter(is_meant).max_by_key(|own| own.len());
    registered.unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_found_behind_its_label_and_number() {
        let registry = tapeout_tools::registry();
        let cases = [
            ("Nextpnr.Ice40", "Nextpnr.Ice40"),
            ("Nextpnr.Ice40-1", "Nextpnr.Ice40"),
            ("Nextpnr.Ice40-seed2", "Nextpnr.Ice40"),
            ("Nextpnr.Ice40-AREA_0-2", "Nextpnr.Ice40"),
            ("Nextpnr.Ice40s", "Nextpnr.Ice40s"),
            ("nextpnr", "nextpnr"),
        ];
        for (id, own) in cases {
            assert_eq!(implementation(&registry, id), own);
        }
    }
}
