//! `tapeout step`: what one does with a single step of a run.

use std::env;
use std::fs;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::Cx;
use crate::error::CliError;
use crate::runs;
use crate::terminal::words::from_here;
use crate::viewer::{become_program, find_program};

/// Work with a single step of a run
#[derive(Debug, Args)]
pub(crate) struct StepArgs {
    #[command(subcommand)]
    command: StepCommand,
}

#[derive(Debug, Subcommand)]
enum StepCommand {
    /// Start a shell in the directory of a step, that of the failed attempt if it failed
    Shell(ShellArgs),
}

#[derive(Debug, Args)]
struct ShellArgs {
    /// A step of the newest run, or `[THING@]TAG/STEP`; `@last` is the newest run [default: the step that failed]
    #[arg(value_name = "RUN/STEP")]
    what: Option<String>,
}

pub(crate) fn run(cx: &Cx, args: &StepArgs) -> Result<u8, CliError> {
    match &args.command {
        StepCommand::Shell(args) => shell(cx, args),
    }
}

fn shell(cx: &Cx, args: &ShellArgs) -> Result<u8, CliError> {
    let (run, step) = runs::find(args.what.as_deref())?;
    let step = match step {
        Some(text) => run.step(text)?,
        None => run.failed_step().ok_or_else(|| {
            CliError::input("no step of this run failed: which one is meant?").hint("`tapeout logs` lists the steps")
        })?,
    };
    let dir = run.step_dir(step);
    if !dir.is_dir() {
        let message = format!("`{}` has no directory in this run: `{}` is not there", step.id, from_here(&dir));
        return Err(CliError::input(message).hint("`tapeout run` makes it"));
    }
    let terminal = &cx.terminal;
    terminal.note(&format!("{} in {}; `exit` comes back", step.id, from_here(&dir)));
    if let Ok(commands) = fs::read_to_string(dir.join("COMMANDS")) {
        terminal.note("what it ran (also in `COMMANDS`):");
        commands.lines().for_each(|line| terminal.note(&format!("  {line}")));
    }
    terminal.note("files changed here do not change the recorded result");
    let shell = env::var("SHELL").ok().filter(|shell| !shell.is_empty()).map(PathBuf::from);
    let shell = shell.or_else(|| find_program("sh")).unwrap_or_else(|| PathBuf::from("/bin/sh"));
    Err(become_program(&shell, &[], &dir))
}
