//! `tapeout step run`: one step again, from what its directory has.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::Value;
use tapeout_config::SourceMap;
use tapeout_flow::{Again, Flow, Run, StepStatus, StepSummary};

use super::export;
use crate::args::{InitialArgs, OverlayArgs, ThingArgs};
use crate::error::CliError;
use crate::runs::{ONE_STEP, RecordedRun};
use crate::terminal::words::from_here;
use crate::{Cx, names, project, tools};

/// Run one step again, with the configuration and the state that it had
///
/// The results are a run of their own; the run that the step is taken from stays as it is.
#[derive(Debug, Args)]
pub(crate) struct AgainArgs {
    /// A step of the newest run, `[THING@]TAG/STEP`, a step's directory, or a configuration [default: the step that
    /// failed]
    #[arg(value_name = "RUN/STEP|DIR|FILE")]
    what: Option<String>,
    /// The step, where the configuration does not name one
    #[arg(long, value_name = "STEP")]
    id: Option<String>,
    /// Set a variable; beats the configuration that the step had
    #[arg(short = 'c', long = "set", value_name = "KEY=VALUE")]
    set: Vec<String>,
    #[command(flatten)]
    initial: InitialArgs,
    /// Copy what comes out into this directory: one that is not there yet, or empty
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Run its tools although the result is recorded
    #[arg(long)]
    fresh: bool,
}

/// A step and what it is run with.
struct OneStep {
    id: String,
    config: PathBuf,
    design_dir: PathBuf,
    states: Vec<PathBuf>,
    tag: String,
}

pub(super) fn run(cx: &Cx, args: &AgainArgs) -> Result<u8, CliError> {
    project::refuse_files_as_settings(&args.set)?;
    if let Some(dir) = &args.output {
        export::refuse_full(dir)?;
    }
    let OneStep { id, config, design_dir, mut states, tag } = find(cx, args)?;
    let name = format!("{ONE_STEP}{id}");
    let mut registry = cx.registry.clone();
    registry.add_flow(Flow::new(&name, "One step.", &[&id]));
    if !args.initial.initial_state.is_empty() {
        states.clear();
    }
    states.extend(args.initial.initial_state.iter().cloned());
    let initial = InitialArgs { initial_state: states, ..args.initial.clone() };
    let overlay =
        OverlayArgs { set: args.set.clone(), flow: Some(name), design_dir: Some(design_dir), ..OverlayArgs::default() };
    // What the other steps of the run read is of no use here, which is no mistake.
    let thing = ThingArgs { thing: Some(config), overlay };
    let plan = project::load_with(cx, &registry, &thing, &initial, &mut SourceMap::new())?;
    let engine = tools::engine(&registry, &plan)?;
    tools::require_tools(&engine, &plan)?;
    let again = |step: &str| if args.fresh && step == id { Again::Fresh } else { Again::No };
    let (code, ended) = super::super::run::execute(cx, &plan, Run::new(&plan, &engine, &tag)?, &engine, again, false)?;
    let step = ended.summary.steps.iter().find(|step| step.id == id);
    if step.is_some_and(|step| step.reused) {
        cx.terminal.note("this very step was run before, and its result is reused; `--fresh` runs its tools again");
    }
    if let (Some(dir), Some(step)) = (&args.output, step) {
        export::copy_step(&ended.dir, step, dir)?;
        cx.terminal.note(&format!("copied to {}", from_here(dir)));
    }
    Ok(code)
}

fn find(cx: &Cx, args: &AgainArgs) -> Result<OneStep, CliError> {
    if let Some(id) = &args.id {
        step_id(cx, id)?;
    }
    let path = args.what.as_deref().map(Path::new);
    if let Some(file) = path.filter(|path| path.is_file()) {
        return of_config(cx, file, args);
    }
    if let Some(dir) = path.filter(|path| path.is_dir()) {
        if let Some((run, step)) = in_run(dir)? {
            return of_run(cx, &run, &step, args);
        }
        return of_config(cx, &project::find_config(Some(dir))?, args);
    }
    let (run, step) = super::find(args.what.as_deref())?;
    of_run(cx, &run, &step, args)
}

/// The step of a run whose directory this is.
fn in_run(dir: &Path) -> Result<Option<(RecordedRun, StepSummary)>, CliError> {
    let Ok(dir) = fs::canonicalize(dir) else { return Ok(None) };
    let (Some(parent), Some(name)) = (dir.parent(), dir.file_name().and_then(|name| name.to_str())) else {
        return Ok(None);
    };
    let Some(run) = RecordedRun::read(parent)? else { return Ok(None) };
    let name = name.strip_suffix(".failed").unwrap_or(name);
    let step = run.summary.steps.iter().find(|step| step.dir == name).cloned();
    Ok(step.map(|step| (run, step)))
}

fn of_run(cx: &Cx, run: &RecordedRun, step: &StepSummary, args: &AgainArgs) -> Result<OneStep, CliError> {
    let config = run.dir.join("resolved.json");
    if !config.is_file() {
        let message = format!("`{}` is not there: the run does not say with which configuration", from_here(&config));
        return Err(CliError::input(message).hint("`tapeout run` makes it"));
    }
    let id = match &args.id {
        Some(id) => step_id(cx, id)?,
        None => step_id(cx, &super::implementation(cx, &step.id))?,
    };
    let design_dir = run.dir.parent().and_then(Path::parent).unwrap_or(Path::new(".")).to_owned();
    let slug = step.dir.split_once('-').map_or(step.dir.as_str(), |(_, slug)| slug);
    let tag = format!("{}.{slug}", run.summary.tag);
    Ok(OneStep { id, config, design_dir, states: state_before(run, step).into_iter().collect(), tag })
}

/// The state before a step: its own, or that after the last step before it that has one.
fn state_before(run: &RecordedRun, step: &StepSummary) -> Option<PathBuf> {
    let own = run.dir.join(&step.dir).join("state_in.json");
    if step.status != StepStatus::Failed && own.is_file() {
        return Some(own);
    }
    let before = run.summary.steps.iter().take_while(|other| other.id != step.id);
    let after = |other: &StepSummary| run.dir.join(&other.dir).join("state_out.json");
    before.map(after).filter(|state| state.is_file()).last()
}

/// A step's own configuration, with `meta.step`, as steps of OpenLane have it in their directories.
fn of_config(cx: &Cx, config: &Path, args: &AgainArgs) -> Result<OneStep, CliError> {
    let json: Option<Value> = fs::read(config).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let named = json.as_ref().and_then(|json| json["meta"]["step"].as_str());
    let id = args.id.as_deref().or(named).ok_or_else(|| {
        CliError::input(format!("`{}` does not say which step it is for", from_here(config)))
            .hint("name it: `--id STEP`; a step's own configuration has it as `meta.step`")
    })?;
    let id = step_id(cx, &super::implementation(cx, id))?;
    let design_dir = project::directory_of(config);
    let state = design_dir.join("state_in.json");
    let tag = format!("step-{}", id.to_lowercase().replace('.', "-"));
    Ok(OneStep {
        id,
        config: config.to_owned(),
        states: vec![state].into_iter().filter(|it| it.is_file()).collect(),
        design_dir,
        tag,
    })
}

fn step_id(cx: &Cx, text: &str) -> Result<String, CliError> {
    let ids: Vec<&str> = cx.registry.steps().map(|step| step.id).collect();
    names::find("step", text, &ids).map(str::to_owned)
}
