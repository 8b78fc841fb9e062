//! `tapeout step shell`: a shell where a step ran.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use tapeout_engine::ShellEnvironment;
use tapeout_flow::StepSummary;

use crate::error::CliError;
use crate::runs::RecordedRun;
use crate::terminal::words::from_here;
use crate::viewer::{become_program_with, find_program};
use crate::{Cx, project, tools};

/// Start a shell in the directory of a step, that of the failed attempt if it failed
#[derive(Debug, Args)]
pub(crate) struct ShellArgs {
    /// A step of the newest run, or `[THING@]TAG/STEP`; `@last` is the newest run [default: the step that failed]
    #[arg(value_name = "RUN/STEP")]
    what: Option<String>,
}

pub(super) fn run(cx: &Cx, args: &ShellArgs) -> Result<u8, CliError> {
    let (run, step) = super::find(args.what.as_deref())?;
    let dir = run.step_dir(&step);
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
    let environment = environment(cx, &run, &step)?;
    Err(become_program_with(&shell, &[], &dir, &environment))
}

/// What the step's tools have in their environment, with the settings of tools that the run had.
fn environment(cx: &Cx, run: &RecordedRun, step: &StepSummary) -> Result<ShellEnvironment, CliError> {
    let id = super::implementation(&cx.registry, &step.id);
    let tools = cx.registry.step(&id).map(|step| step.tools.clone()).unwrap_or_default();
    let design_dir = run.dir.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    // A configuration that is not good any more is no reason not to look at what came of it.
    let settings = project::recorded_tools(&cx.registry, &run.dir, design_dir).unwrap_or_default();
    Ok(tools::engine_of(&cx.registry, design_dir, settings)?.shell_environment(&tools))
}
