//! `tapeout logs`: the log of a step of a run.

use std::fs;
use std::path::Path;

use clap::Args;
use serde_json::json;

use crate::Cx;
use crate::error::CliError;
use crate::runs::{self, RecordedRun};
use crate::targets::{self, BuildArgs};
use crate::terminal::table::{Cell, table};
use crate::terminal::words::from_here;
use crate::terminal::{Style, summary};

/// Print the log of a step: of the one that failed, or list the logs when none did; or the log of a target
#[derive(Debug, Args)]
pub(crate) struct LogsArgs {
    /// A step of the newest run, `[THING@]TAG[/STEP]`, or a target; `@last` is the newest run
    #[arg(value_name = "RUN/STEP")]
    what: Option<String>,
    #[command(flatten)]
    build: BuildArgs,
}

pub(crate) fn run(cx: &Cx, args: &LogsArgs) -> Result<u8, CliError> {
    if let Some(target) = targets::named(cx, args.what.as_deref()) {
        return super::targets::logs::run(cx, &[target], &args.build);
    }
    let (run, step) = runs::find(args.what.as_deref())?;
    let step = match step {
        Some(text) => Some(run.step(text)?),
        None => run.failed_step(),
    };
    let Some(step) = step else {
        list(cx, &run);
        return Ok(0);
    };
    let Some(log) = &step.log else {
        let (status, _) = summary::status(step.status);
        let why = step.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        return Err(CliError::input(format!("`{}` has no log in this run: {status}{why}", step.id)));
    };
    let path = run.dir.join(log);
    if cx.terminal.json {
        cx.terminal
            .print_json(&json!({ "step": step.id, "log": path, "text": String::from_utf8_lossy(&read(&path)?) }));
    } else {
        cx.terminal.note(&cx.terminal.err.paint(Style::Dim, &from_here(&path)));
        cx.terminal.print_bytes(&read(&path)?);
    }
    Ok(0)
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|error| {
        CliError::environment(format!("cannot read `{}`: {error}", from_here(path)))
            .hint("`tapeout run` puts the files of a run back where they were")
    })
}

fn list(cx: &Cx, run: &RecordedRun) {
    let with_log = run.summary.steps.iter().filter_map(|step| Some((step, run.dir.join(step.log.as_ref()?))));
    if cx.terminal.json {
        let logs: Vec<_> =
            with_log.map(|(step, log)| json!({ "step": step.id, "status": step.status, "log": log })).collect();
        cx.terminal.print_json(&json!(logs));
        return;
    }
    let rows: Vec<Vec<Cell>> = with_log
        .map(|(step, log)| {
            let (word, style) = summary::status(step.status);
            vec![Cell::left(step.id.as_str()), Cell::left(word).style(style), Cell::left(from_here(&log))]
        })
        .collect();
    cx.terminal.print(&table(&rows, cx.terminal.out));
}
