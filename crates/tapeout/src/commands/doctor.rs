//! `tapeout doctor`: which tools are there, and what to install.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use tapeout_engine::{Engine, ToolProblem};
use tapeout_model::Class;

use crate::Cx;
use crate::args::{OverlayArgs, ThingArgs};
use crate::error::CliError;
use crate::project;
use crate::terminal::Style;
use crate::terminal::table::{Cell, table};
use crate::tools::{self, Checked};

/// Say which tools are there, where, in which version, and what to install
///
/// Without THING all tools that tapeout knows are looked for, and none is needed.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// A configuration: look for the tools that its flow needs, and fail when one cannot be used
    #[arg(value_name = "THING")]
    thing: Option<PathBuf>,
    #[command(flatten)]
    overlay: OverlayArgs,
}

pub(crate) fn run(cx: &Cx, args: &DoctorArgs) -> Result<u8, CliError> {
    if args.thing.is_none() && args.overlay == OverlayArgs::default() {
        let scratch = Scratch::create()?;
        let engine = tools::bare_engine(&cx.registry, &scratch.0)?;
        let names: Vec<&str> = cx.registry.tools().map(|tool| tool.name).collect();
        report(cx, &engine, &names);
        return Ok(0);
    }
    let plan = project::load(cx, &ThingArgs { thing: args.thing.clone(), overlay: args.overlay.clone() })?;
    let engine = tools::engine(&cx.registry, &plan)?;
    let complete = report(cx, &engine, &plan.tools());
    Ok(if complete { 0 } else { Class::Environment.exit_code() })
}

/// Prints what was found; whether all of it can be used.
fn report(cx: &Cx, engine: &Engine, names: &[&str]) -> bool {
    let checked = tools::check_tools(engine, names);
    let install = tools::install_command(checked.iter());
    if cx.terminal.json {
        let tools: Vec<_> = checked.iter().map(to_json).collect();
        cx.terminal.print_json(&json!({ "tools": tools, "install": install }));
    } else {
        cx.terminal.print(&table(&checked.iter().map(row).collect::<Vec<_>>(), cx.terminal.out));
        for checked in &checked {
            // What is missing the table says; what is broken needs words.
            if let Err(ToolProblem::Broken { .. }) = checked.found {
                cx.terminal.print(&format!("\n{}", checked.problem().unwrap_or_default()));
            }
        }
        if let Some(install) = install {
            cx.terminal.print(&format!("\n{} {install}", cx.terminal.out.paint(Style::Good, "try:")));
        }
    }
    checked.iter().all(|checked| checked.found.is_ok())
}

fn state(checked: &Checked<'_>) -> (&'static str, Style) {
    match &checked.found {
        Ok(_) => ("ok", Style::Good),
        Err(ToolProblem::Missing { .. }) => ("missing", Style::Error),
        Err(ToolProblem::TooOld { .. }) => ("too old", Style::Error),
        Err(ToolProblem::Broken { .. } | ToolProblem::Unknown(_)) => ("broken", Style::Error),
    }
}

fn version(checked: &Checked<'_>) -> Option<String> {
    match &checked.found {
        Ok(found) => found.version.as_ref().map(ToString::to_string),
        Err(ToolProblem::TooOld { found, .. }) => Some(found.to_string()),
        Err(ToolProblem::Missing { .. } | ToolProblem::Broken { .. } | ToolProblem::Unknown(_)) => None,
    }
}

fn row(checked: &Checked<'_>) -> Vec<Cell> {
    let (word, style) = state(checked);
    let minimum = checked.tool.minimum.map(|minimum| format!("(at least {minimum})"));
    let place = match &checked.found {
        Ok(found) => found.path.clone(),
        Err(_) => format!("package {}", checked.tool.package),
    };
    vec![
        Cell::left(word).style(Some(style)),
        Cell::left(checked.tool.name),
        Cell::left(version(checked).unwrap_or_default()),
        Cell::left(minimum.unwrap_or_default()).style(Some(Style::Dim)),
        Cell::left(place),
    ]
}

fn to_json(checked: &Checked<'_>) -> serde_json::Value {
    json!({
        "tool": checked.tool.name, "summary": checked.tool.summary, "package": checked.tool.package,
        "status": state(checked).0.replace(' ', "_"), "version": version(checked), "minimum": checked.tool.minimum,
        "path": checked.found.as_ref().ok().map(|found| &found.path), "problem": checked.problem(),
    })
}

/// A directory for the engine where no design is: nothing is left in the user's.
struct Scratch(PathBuf);

impl Scratch {
    fn create() -> Result<Self, CliError> {
        let path = std::env::temp_dir().join(format!("tapeout-doctor-{}", std::process::id()));
        std::fs::create_dir(&path)
            .map_err(|error| CliError::environment(format!("cannot create `{}`: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Best effort: it is in the directory that the system cleans.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
