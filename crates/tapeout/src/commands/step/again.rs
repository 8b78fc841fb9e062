//! `tapeout step run`: one step again, from what its directory has.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use tapeout_config::{Loader, SourceMap};
use tapeout_flow::{Again, Flow, Run, StepStatus, StepSummary, sources_of_step};

use super::export;
use super::own::{self, Header};
use crate::args::{InitialArgs, OverlayArgs, ThingArgs};
use crate::error::CliError;
use crate::runs::{ONE_STEP, RecordedRun};
use crate::terminal::words::from_here;
use crate::{Cx, names, project, tools};

/// The configuration in the directory of a step.
const CONFIG: &str = "config.json";

/// What the directory of a failed attempt ends with.
const FAILED: &str = ".failed";

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
    config: OwnConfig,
    design_dir: PathBuf,
    states: Vec<PathBuf>,
    tag: String,
}

/// Where the configuration of a step comes from.
enum OwnConfig {
    /// That of a whole design.
    Design(PathBuf),
    /// Files of which only that counts which concerns the step, the weakest first.
    Step(Vec<PathBuf>),
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
    let mut sources = SourceMap::new();
    let loader = match config {
        OwnConfig::Design(file) => {
            let overlay = OverlayArgs { design_dir: Some(design_dir), ..OverlayArgs::default() };
            project::loader(&ThingArgs { thing: Some(file), overlay })?
        }
        OwnConfig::Step(files) => own::loader(cx, &id, &files, &design_dir, &mut sources)?,
    };
    let loader = Loader { sets: args.set.clone(), ..loader };
    // What the other steps of the run read is of no use here, which is no mistake.
    let plan = project::load_with(cx, &registry, loader, Some(&name), &initial, &mut sources)?;
    let engine = tools::engine(&registry, &plan)?;
    tools::require_tools(&engine, &plan)?;
    let again = |step: &str| if args.fresh && step == id { Again::Fresh } else { Again::No };
    let (code, ended) = super::super::run::execute(cx, &plan, Run::new(&plan, &engine, &tag)?, &engine, again, false)?;
    let step = ended.summary.steps.iter().find(|step| step.id == id);
    if step.is_some_and(|step| step.reused) {
        cx.terminal.note("this very step was run before, and its result is reused; `--fresh` runs its tools again");
    }
    let planned = plan.steps.iter().find(|step| step.id == id);
    if let (Some(dir), Some(step), Some(planned)) = (&args.output, step, planned) {
        export::copy_step(&ended.dir, step, dir)?;
        // Of a step that was not reached nothing is known; what its configuration names is copied in any case.
        let sources = sources_of_step(&engine, &ended.dir, &tag, step).unwrap_or_default();
        export::copy_design(planned, plan.config.design_dir(), &sources, dir)?;
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
        let is_own = file.file_name().is_some_and(|name| name == CONFIG);
        if let Some((run, step)) = is_own.then(|| in_run(&project::directory_of(file))).transpose()?.flatten() {
            return of_run(cx, &run, &step, args);
        }
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
    let name = name.strip_suffix(FAILED).unwrap_or(name);
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
        None => step_id(cx, &super::implementation(&cx.registry, &step.id))?,
    };
    // A program may have given the step other values than the run has.
    let own = config_dir(run, step).map(|dir| run.dir.join(dir).join(CONFIG)).filter(|own| own.is_file());
    let config = OwnConfig::Step(std::iter::once(config).chain(own).collect());
    let design_dir = run.dir.parent().and_then(Path::parent).unwrap_or(Path::new(".")).to_owned();
    let slug = step.dir.split_once('-').map_or(step.dir.as_str(), |(_, slug)| slug);
    let tag = format!("{}.{slug}", run.summary.tag);
    Ok(OneStep { id, config, design_dir, states: state_before(run, step).into_iter().collect(), tag })
}

/// The directory in a run that says what a step was run with the last time, if it was.
fn config_dir(run: &RecordedRun, step: &StepSummary) -> Option<String> {
    let failed = format!("{}{FAILED}", step.dir);
    let logged_in =
        |dir: &str| step.log.as_deref().and_then(|log| log.rsplit_once('/')).is_some_and(|log| log.0 == dir);
    match step.status {
        // A failure that its flow expects is a result.
        StepStatus::Failed if logged_in(&step.dir) => Some(step.dir.clone()),
        StepStatus::Failed => run.dir.join(&failed).is_dir().then_some(failed),
        StepStatus::Interrupted | StepStatus::NotReached | StepStatus::LeftOut => None,
        StepStatus::Done
        | StepStatus::Reused
        | StepStatus::Pinned
        | StepStatus::Held
        | StepStatus::CheckFailed
        | StepStatus::NotChecked => Some(step.dir.clone()),
    }
}

/// The state before a step: its own, or that after the last step before it that has one.
fn state_before(run: &RecordedRun, step: &StepSummary) -> Option<PathBuf> {
    let own = run.dir.join(&step.dir).join("state_in.json");
    let is_its_own = step.status != StepStatus::Failed || config_dir(run, step).as_ref() == Some(&step.dir);
    if is_its_own && own.is_file() {
        return Some(own);
    }
    let before = run.summary.steps.iter().take_while(|other| other.id != step.id);
    let after = |other: &StepSummary| run.dir.join(&other.dir).join("state_out.json");
    before.map(after).filter(|state| state.is_file()).last()
}

/// A step's own configuration, with `meta.step`, as steps of OpenLane have it in their directories.
fn of_config(cx: &Cx, config: &Path, args: &AgainArgs) -> Result<OneStep, CliError> {
    let Header { step: named, design_dir } = Header::read(config)?;
    let id = args.id.as_deref().or(named.as_deref()).ok_or_else(|| {
        CliError::input(format!("`{}` does not say which step it is for", from_here(config)))
            .hint("name it: `--id STEP`; a step's own configuration has it as `meta.step`")
    })?;
    let id = step_id(cx, &super::implementation(&cx.registry, id))?;
    let state = project::directory_of(config).join("state_in.json");
    let tag = format!("step-{}", id.to_lowercase().replace('.', "-"));
    let config = config.to_owned();
    Ok(OneStep {
        id,
        config: if named.is_some() { OwnConfig::Step(vec![config]) } else { OwnConfig::Design(config) },
        states: vec![state].into_iter().filter(|it| it.is_file()).collect(),
        design_dir,
        tag,
    })
}

fn step_id(cx: &Cx, text: &str) -> Result<String, CliError> {
    let ids: Vec<&str> = cx.registry.steps().map(|step| step.id).collect();
    names::find("step", text, &ids).map(str::to_owned)
}
