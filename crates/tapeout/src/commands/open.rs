//! `tapeout open`: a view that a step made, in the program that shows it.

use std::env;
use std::fs;
use std::io::{IsTerminal, stdout};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use tapeout_flow::StepSummary;
use tapeout_model::State;

use crate::Cx;
use crate::error::CliError;
use crate::names;
use crate::runs::{self, RecordedRun};
use crate::terminal::Style;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::from_here;
use crate::viewer::{become_program, find_program, has_display};

/// Open a view that a step made: a waveform in GTKWave, a layout in KLayout or Magic, text in your pager
///
/// Without STEP that of the step that made the view in `--format`, or of the step that failed; without either, the views
/// are listed. Where no viewer can be started, the
/// path is printed.
#[derive(Debug, Args)]
pub(crate) struct OpenArgs {
    /// A step of the newest run, or `[THING@]TAG[/STEP]`; `@last` is the newest run
    #[arg(value_name = "RUN/STEP")]
    what: Option<String>,
    /// Which of the step's views [default: the waveform, else the first]
    #[arg(short, long, value_name = "ID")]
    format: Option<String>,
    /// Only print the path
    #[arg(long)]
    print: bool,
}

/// One file of a view.
struct Shown {
    format: String,
    path: PathBuf,
}

pub(crate) fn run(cx: &Cx, args: &OpenArgs) -> Result<u8, CliError> {
    let (run, step) = runs::find(args.what.as_deref())?;
    let step = match (step, &args.format) {
        (Some(text), _) => Some(run.step(text)?),
        (None, Some(format)) => Some(maker(&run, format)?),
        (None, None) => run.failed_step(),
    };
    let Some(step) = step else {
        list(cx, &run);
        return Ok(0);
    };
    let views = views(&run, step);
    let path = match &args.format {
        Some(format) => {
            let formats: Vec<&str> = views.iter().map(|view| view.format.as_str()).collect();
            let format = names::find("view", format, &formats)?;
            views.iter().find(|view| view.format == format).map(|view| view.path.clone())
        }
        None => preferred(&views).map(|view| view.path.clone()),
    };
    let log = || step.log.as_ref().map(|log| run.dir.join(log));
    let path = path
        .or_else(log)
        .ok_or_else(|| CliError::input(format!("`{}` has neither views nor a log in this run", step.id)))?;
    if !args.print
        && !cx.terminal.json
        && let Some((program, arguments)) = viewer(&path, &run.step_dir(step))
    {
        let file = path.display().to_string();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain([file.as_str()]).collect();
        return Err(become_program(&program, &arguments, Path::new(".")));
    }
    if cx.terminal.json {
        cx.terminal.print_json(&json!({ "step": step.id, "path": path }));
    } else {
        cx.terminal.print(&from_here(&path));
    }
    Ok(0)
}

/// The last step that made a view of this format.
fn maker<'a>(run: &'a RecordedRun, format: &str) -> Result<&'a StepSummary, CliError> {
    let made: Vec<(&StepSummary, Vec<Shown>)> = run.summary.steps.iter().map(|step| (step, views(run, step))).collect();
    let formats: Vec<&str> = made.iter().flat_map(|(_, views)| views).map(|view| view.format.as_str()).collect();
    let format = names::find("view", format, &formats)?;
    let has = |(_, views): &&(&StepSummary, Vec<Shown>)| views.iter().any(|view| view.format == format);
    let found = made.iter().rfind(has).map(|(step, _)| *step);
    found.ok_or_else(|| CliError::input(format!("no step of this run made a view `{format}`")))
}

/// The views that a step made itself, from its `state_out.json`: those of other steps lie outside of its directory.
fn views(run: &RecordedRun, step: &StepSummary) -> Vec<Shown> {
    let dir = run.step_dir(step);
    let state = fs::read(dir.join("state_out.json")).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let Some(Ok(state)) = state.map(|json: serde_json::Value| State::from_json(&json)) else { return Vec::new() };
    let mut shown = Vec::new();
    for (format, view) in &state.views {
        let own = view.files().into_iter().filter(|path| !path.starts_with("../"));
        shown.extend(own.map(|path| Shown { format: format.clone(), path: dir.join(path) }));
    }
    shown
}

/// What people most likely want to see.
fn preferred(views: &[Shown]) -> Option<&Shown> {
    views.iter().find(|view| view.format == "vcd").or_else(|| views.first())
}

fn list(cx: &Cx, run: &RecordedRun) {
    let mut rows = Vec::new();
    let mut json = Vec::new();
    for step in &run.summary.steps {
        for Shown { format, path } in views(run, step) {
            json.push(json!({ "step": step.id, "format": format, "path": path }));
            let path = Cell::left(from_here(&path)).style(Some(Style::Dim));
            rows.push(vec![Cell::left(step.id.as_str()), Cell::left(format), path]);
        }
    }
    if cx.terminal.json {
        cx.terminal.print_json(&json!(json));
    } else {
        cx.terminal.print(&table(&rows, cx.terminal.out));
    }
}

/// The program that shows a file of a step, with what comes before the file on its command line.
fn viewer(path: &Path, step: &Path) -> Option<(PathBuf, Vec<String>)> {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let in_window = |program, args| has_display().then(|| find_program(program)).flatten().map(|found| (found, args));
    match extension {
        "vcd" | "fst" => in_window("gtkwave", Vec::new()),
        "gds" | "oas" => in_window("klayout", Vec::new()),
        // Without the technology it would show nothing.
        "mag" => in_window("magic", vec!["-rcfile".to_owned(), start_up_file(step)?]),
        "png" => in_window("xdg-open", Vec::new()),
        // Bytes for a device: nothing shows them.
        "bin" => None,
        _ => pager().or_else(|| in_window("xdg-open", Vec::new())),
    }
}

/// The start-up file of Magic that a step had, which loads the technology.
fn start_up_file(step: &Path) -> Option<String> {
    let config: serde_json::Value = serde_json::from_slice(&fs::read(step.join("config.json")).ok()?).ok()?;
    config["MAGICRC"].as_str().map(str::to_owned)
}

/// The user's pager, when somebody is there to turn pages. `PAGER` may have arguments.
fn pager() -> Option<(PathBuf, Vec<String>)> {
    if !stdout().is_terminal() {
        return None;
    }
    let words = env::var("PAGER").unwrap_or_default();
    let mut words = words.split_whitespace().map(str::to_owned);
    let program = words.next().unwrap_or_else(|| "less".to_owned());
    Some((find_program(&program)?, words.collect()))
}
