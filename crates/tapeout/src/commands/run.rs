//! `tapeout run`: runs what is not recorded, shows it, and says what came of it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde_json::json;
use tapeout_engine::{Engine, Failure, Shares};
use tapeout_flow::{Again, Edited, Ended, Happened, InRange, Plan, Run, RunEvent, recorded_events};
use tapeout_model::Class;

use super::cache;
use super::sharing::{self, SharedCacheArgs};
use super::targets::run::Wanted;
use crate::args::{PartArgs, TagArgs, ThingArgs};
use crate::error::CliError;
use crate::names::Glob;
use crate::signals::stopping_on_signal;
use crate::targets::{self, TargetArgs};
use crate::terminal::watch::Billing;
use crate::terminal::words::from_here;
use crate::terminal::{Terminal, standing, summary, watch};
use crate::{Cx, project, reproduce, tools, trace};

/// Run a design through its flow; what is recorded and still good does not run again
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    thing: ThingArgs,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    part: PartArgs,
    #[command(flatten)]
    tag: TagArgs,
    /// Steps that run at a time [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(super) jobs: Option<u16>,
    /// Only say what would run
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Refuse rather than build what the targets require
    #[arg(short = 'N', long, help_heading = "Targets of flow.star")]
    no_dependencies: bool,
    /// After a failure go on with what does not need the failed step
    #[arg(long)]
    pub(super) keep_going: bool,
    /// Run the steps whose ids match although their results are recorded, and replace these; all of them without a pattern
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub(super) fresh: Vec<String>,
    /// Run the tools of the steps whose ids match once more and say which bytes differ; of all steps without a pattern
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    pub(super) check_repeat: Vec<String>,
    /// Let tools touch only what their steps declare (needs Landlock)
    #[arg(long)]
    pub(super) sandbox: bool,
    /// Write what ran when, for `ui.perfetto.dev` or `chrome://tracing`
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    #[command(flatten)]
    pub(super) shared: SharedCacheArgs,
    /// How to tell what happens
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    log_format: LogFormat,
}

/// How to tell what happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// For people, on standard error
    #[default]
    Text,
    /// One JSON object a line on standard output
    Json,
}

impl RunArgs {
    pub(super) fn json_log(&self) -> bool {
        self.log_format == LogFormat::Json
    }
}

pub(crate) fn run(cx: &Cx, args: &RunArgs) -> Result<u8, CliError> {
    if let Some(asked) = targets::asked(cx, args.thing.thing.as_deref(), &args.targets.more)? {
        targets::refuse_overlay(&args.thing.overlay, &args.part, Some(&args.tag))?;
        if args.thing.thing.is_none() {
            return Err(targets::name_one(cx));
        }
        let wanted = Wanted { build: &args.targets.build, no_dependencies: args.no_dependencies };
        return super::targets::run::run(cx, args, &asked, &wanted);
    }
    let mut plan = project::load_part(cx, &args.thing, &args.part)?;
    plan.require_steps().map_err(|failure| CliError::from(failure).and("nothing was started"))?;
    let limit = cache::limit_in_environment()?;
    let RunArgs { jobs, keep_going, sandbox, .. } = *args;
    let options = tools::Options { jobs, keep_going, sandbox, shared: args.shared.open()? };
    let engine = tools::engine_with(&cx.registry, &plan, &options)?;
    let tag = &args.tag.tag;
    plan.hold(&engine, tag)?;
    let run = Run::new(&plan, &engine, tag)?;
    let [fresh, compare] = [step_globs(&plan, &run, &args.fresh)?, step_globs(&plan, &run, &args.check_repeat)?];
    // A pattern that is none is a mistake in the configuration: it is told before anything runs.
    summary::waived(&plan)?;
    let held: Vec<&str> = ids(&plan, |in_range| in_range == InRange::Held);
    let again = |id: &str| {
        if held.contains(&id) {
            Again::No
        } else if fresh.iter().any(|glob| glob.matches(id)) {
            Again::Fresh
        } else if compare.iter().any(|glob| glob.matches(id)) {
            Again::Compare
        } else {
            Again::No
        }
    };
    if args.sandbox && tapeout_engine::confinement_support().is_none() {
        cx.terminal.complain("warning: this kernel has no Landlock, so that `--sandbox` has no effect");
    }
    tools::require_tools(&engine, &plan)?;
    let run = Run::new(&plan, &engine, tag)?;
    refuse_pinned(&run, again)?;
    tell_stale(&cx.terminal, &run);
    if args.dry_run {
        return Ok(dry_run(cx, &plan, &run, tag, again));
    }
    let run = run.command(reproduce::run_command(&cx.registry, &plan, &args.thing, &args.part, tag)?);
    let json_log = args.json_log();
    let (code, ended) = execute(cx, &plan, run, &engine, again, json_log)?;
    if let Some(file) = &args.trace {
        trace::write(file, &recorded_events(&ended.dir))?;
    }
    drop(engine);
    if let Some(limit) = limit {
        cache::keep_limit(&cx.terminal, plan.config.design_dir(), limit)?;
    }
    Ok(code)
}

/// How long the end of a run waits for results on their way to a shared cache.
const PATIENCE: Duration = Duration::from_secs(60);

/// Patterns of step ids; each must match a step that may run, or it is a mistake. What a program may ask for is known by
/// what it declares, and by what it asked for the last time.
fn step_globs(plan: &Plan, run: &Run<'_>, patterns: &[String]) -> Result<Vec<Glob>, CliError> {
    let (mut all, mut inside) = (ids(plan, |_| true), ids(plan, |in_range| in_range == InRange::Inside));
    if plan.is_program() {
        let asked: Vec<&str> = plan.declared().map(|step| step.id).chain(run.steps()).collect();
        all.extend(&asked);
        inside.extend(asked);
    }
    let mut globs = Vec::new();
    for pattern in patterns {
        let pattern = project::step_pattern(&all, pattern)?;
        let glob = Glob::new(&pattern)?;
        if !inside.iter().any(|id| glob.matches(id)) {
            return Err(CliError::input(format!("`{pattern}`: no such step is in the range that is to run")));
        }
        // A step of a program may be labelled or numbered.
        if plan.declared().any(|step| glob.matches(step.id)) {
            globs.push(Glob::new(&format!("{pattern}-*"))?);
        }
        globs.push(glob);
    }
    Ok(globs)
}

/// The ids of the steps that lie so.
fn ids(plan: &Plan, lies: impl Fn(InRange) -> bool) -> Vec<&str> {
    plan.steps.iter().filter(|step| lies(step.in_range)).map(|step| step.id.as_str()).collect()
}

/// Warns of steps that would run if the range did not begin behind them.
fn tell_stale(terminal: &Terminal, run: &Run<'_>) {
    for (step, reasons) in run.stale() {
        let reasons: Vec<&str> = reasons.iter().map(|reason| reason.words.as_str()).collect();
        terminal.note(&format!(
            "warning: {} stays at its recorded result, which is not good any more: {}",
            step.id,
            reasons.join("; ")
        ));
    }
}

/// Runs a plan, tells what happens, and sums up. Gives the exit code and how the run ended.
pub(super) fn execute(
    cx: &Cx,
    plan: &Plan,
    run: Run<'_>,
    engine: &Engine,
    again: impl Fn(&str) -> Again + Sync,
    json_log: bool,
) -> Result<(u8, Ended), CliError> {
    let terminal = &cx.terminal;
    let watched = watched(cx, engine, Billing::of_plan(plan), json_log, |heard| run.execute(again, heard))?;
    let Watched { ended, differs, signal, shares } = watched;
    let failed = ended.summary.class.or((!differs.is_empty()).then_some(Class::Check));
    let code = signal.unwrap_or(failed.map_or(0, Class::exit_code));
    if json_log {
        let summary = Box::new(ended.summary.clone());
        let finished = RunEvent::RunFinished { exit_code: code, dir: ended.dir.clone(), summary };
        terminal.print(&Happened::now(None, finished).to_line());
    } else if terminal.json {
        terminal.print_json(&json!({ "exit_code": code, "dir": ended.dir, "summary": ended.summary }));
    } else if !terminal.quiet {
        summary::results(terminal, plan, &ended)?;
    }
    summary::problems(terminal, &ended);
    differs.iter().for_each(|difference| terminal.complain(difference));
    tell_edited(terminal, &ended.dir, &ended.edited);
    tell_store(terminal, engine, shares.filter(|_| signal.is_none()));
    Ok((code, ended))
}

/// What was executed while somebody watched.
pub(super) struct Watched<T> {
    pub(super) ended: T,
    /// What tools that ran once more gave otherwise, in words.
    pub(super) differs: Vec<String>,
    /// The exit code of a signal that stopped it.
    pub(super) signal: Option<u8>,
    pub(super) shares: Option<Shares>,
}

/// Executes steps or targets, shows what happens, and stops on signals.
pub(super) fn watched<T>(
    cx: &Cx,
    engine: &Engine,
    billing: Billing,
    json_log: bool,
    execute: impl FnOnce(&(dyn Fn(Option<usize>, &Happened) + Sync)) -> Result<T, Failure>,
) -> Result<Watched<T>, CliError> {
    let watcher = watch::watcher(&cx.terminal, billing, json_log);
    let differs = Mutex::new(Vec::new());
    let ((ended, shares), signal) = stopping_on_signal(engine, &|text| watcher.say(text), || {
        let ended = execute(&|place, happened| {
            if matches!(&happened.event, RunEvent::StepRepeated { differences } if !differences.is_empty()) {
                let remark = watch::remark(&happened.event).unwrap_or_default();
                let name = happened.step.as_deref().unwrap_or_default();
                differs.lock().unwrap_or_else(PoisonError::into_inner).push(format!("error: {name}: {remark}"));
            }
            watcher.heard(place, happened);
        });
        (ended, engine.finish_sharing(PATIENCE))
    })
    .map_err(|error: io::Error| CliError::environment(format!("cannot listen for signals: {error}")))?;
    drop(watcher);
    let differs = differs.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Watched { ended: ended?, differs, signal, shares })
}

/// What came of sharing, and what was found damaged.
pub(super) fn tell_store(terminal: &Terminal, engine: &Engine, shares: Option<Shares>) {
    if let Some(shares) = shares {
        sharing::tell(terminal, &shares);
    }
    for damage in engine.store().damages() {
        terminal.complain(&format!("warning: {damage}"));
    }
}

fn dry_run(cx: &Cx, plan: &Plan, run: &Run<'_>, tag: &str, again: impl Fn(&str) -> Again) -> u8 {
    let steps = run.look(again);
    let terminal = &cx.terminal;
    if terminal.json {
        terminal.print_json(&json!({ "flow": plan.flow, "design": plan.design(), "tag": tag, "steps": steps }));
    } else {
        terminal.print(&standing::text(terminal, plan, &steps));
    }
    0
}

/// What a pinned step must not be asked for.
fn refuse_pinned(run: &Run<'_>, again: impl Fn(&str) -> Again) -> Result<(), CliError> {
    for step in run.steps() {
        if let Some(pin) = run.pinned(step).filter(|_| again(step) != Again::No) {
            return Err(CliError::input(format!("`{step}` is pinned: {}", pin.reason))
                .hint(format!("`tapeout unpin {step} --tag {}` lets it go", run.tag())));
        }
    }
    Ok(())
}

/// Says what was edited in a tree and is shown as recorded again.
pub(super) fn tell_edited(terminal: &Terminal, dir: &Path, edited: &[Edited]) {
    for edited in edited {
        let kept = from_here(&dir.join(&edited.kept));
        terminal.complain(&format!(
            "note: `{}` was edited or added to ({}); the recorded files are shown again, and what was there is in `{kept}`",
            edited.dir,
            edited.files.join(", "),
        ));
    }
}
