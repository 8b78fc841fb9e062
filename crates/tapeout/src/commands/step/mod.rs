//! `tapeout step`: what one does with a single step of a run.

mod again;
mod export;
mod pack;
mod shell;

use clap::{Args, Subcommand};

use crate::Cx;
use crate::error::CliError;
use crate::runs::{self, RecordedRun};
use tapeout_flow::StepSummary;

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

/// The id of a step as it is registered: one that stands in a flow again has a number behind it.
fn implementation(cx: &Cx, id: &str) -> String {
    match id.rsplit_once('-') {
        Some((own, number)) if cx.registry.step(id).is_none() && number.parse::<u32>().is_ok() => own.to_owned(),
        _ => id.to_owned(),
    }
}
