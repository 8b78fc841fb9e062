//! `tapeout run`: runs what is not recorded, shows it, and says what came of it.

use std::io;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::json;
use tapeout_engine::Engine;
use tapeout_flow::{Again, Happened, Plan, Run, RunEvent, StepStatus};
use tapeout_model::Class;

use crate::Cx;
use crate::args::{TagArgs, ThingArgs};
use crate::error::CliError;
use crate::names::{self, Glob};
use crate::project;
use crate::runs::RecordedRun;
use crate::signals::stopping_on_signal;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::duration;
use crate::terminal::{Style, Terminal, summary, watch};

/// Run a design through its flow; what is recorded and still good does not run again
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    thing: ThingArgs,
    #[command(flatten)]
    tag: TagArgs,
    /// Steps that run at a time [default: the number of cores]
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Only say what would run
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// After a failure go on with what does not need the failed step
    #[arg(long)]
    keep_going: bool,
    /// Run the steps whose ids match although their results are recorded; all of them without a pattern
    #[arg(long, value_name = "GLOB", num_args = 0..=1, require_equals = true, default_missing_value = "*")]
    fresh: Vec<String>,
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

pub(crate) fn run(cx: &Cx, args: &RunArgs) -> Result<u8, CliError> {
    let plan = project::load(cx, &args.thing)?;
    let fresh = fresh_steps(&plan, &args.fresh)?;
    // A pattern that is none is a mistake in the configuration: it is told before anything runs.
    summary::waived(&plan)?;
    let again = |id: &str| if fresh.iter().any(|glob| glob.matches(id)) { Again::Fresh } else { Again::No };
    let slots = args.jobs.map_or_else(project::default_slots, usize::from);
    let engine = project::engine(&cx.registry, &plan.config, slots, args.keep_going)?;
    project::require_tools(&engine, &plan)?;
    if args.dry_run {
        return dry_run(cx, &plan, &engine, &args.tag.tag, again);
    }
    let json_log = args.log_format == LogFormat::Json;
    execute(cx, &plan, &engine, &args.tag.tag, again, json_log)
}

/// The patterns of `--fresh`; each must match a step, or it is a mistake.
fn fresh_steps(plan: &Plan, patterns: &[String]) -> Result<Vec<Glob>, CliError> {
    let ids: Vec<&str> = plan.steps.iter().map(|step| step.id.as_str()).collect();
    let mut globs = Vec::new();
    for pattern in patterns {
        let glob = Glob::new(pattern)?;
        if !ids.iter().any(|id| glob.matches(id)) {
            return Err(names::unknown("step", pattern, &ids));
        }
        globs.push(glob);
    }
    Ok(globs)
}

fn execute(
    cx: &Cx,
    plan: &Plan,
    engine: &Engine,
    tag: &str,
    again: impl Fn(&str) -> Again,
    json_log: bool,
) -> Result<u8, CliError> {
    let terminal = &cx.terminal;
    let watcher = watch::watcher(terminal, plan, json_log);
    let run = Run::new(plan, engine, tag);
    let (ended, signal) = stopping_on_signal(engine, &|text| watcher.say(text), || {
        run.execute(again, |step, happened| watcher.heard(step, happened))
    })
    .map_err(|error: io::Error| CliError::environment(format!("cannot listen for signals: {error}")))?;
    drop(watcher);
    let ended = ended?;
    let code = signal.unwrap_or(ended.summary.class.map_or(0, Class::exit_code));
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
    Ok(code)
}

fn dry_run(cx: &Cx, plan: &Plan, engine: &Engine, tag: &str, again: impl Fn(&str) -> Again) -> Result<u8, CliError> {
    let run_dir: PathBuf = plan.config.design_dir().join("runs").join(tag);
    // How long steps took is of interest also when the run was made by another version.
    let before = RecordedRun::read(&run_dir).ok().flatten();
    let standing = Run::new(plan, engine, tag).look(&again);
    let mut steps = Vec::new();
    for (step, standing) in plan.steps.iter().zip(standing) {
        let time = before.as_ref().and_then(|run| run.tool_time(&step.id));
        steps.push(Standing { id: &step.id, status: standing, time, left_out: &step.left_out });
    }
    let terminal = &cx.terminal;
    if terminal.json {
        let steps: Vec<_> = steps.iter().map(Standing::to_json).collect();
        terminal.print_json(&json!({ "flow": plan.flow, "design": plan.design(), "tag": tag, "steps": steps }));
    } else {
        terminal.print(&standing_text(terminal, &steps));
    }
    Ok(0)
}

/// A step before a run.
pub(crate) struct Standing<'a> {
    pub(crate) id: &'a str,
    /// `None`: it would run.
    pub(crate) status: Option<StepStatus>,
    /// How long it took last time, in milliseconds.
    pub(crate) time: Option<u64>,
    pub(crate) left_out: &'a Option<String>,
}

impl Standing<'_> {
    pub(crate) fn to_json(&self) -> serde_json::Value {
        json!({
            "step": self.id, "would_run": self.status.is_none(), "status": self.status, "last_wall_ms": self.time,
            "left_out": self.left_out,
        })
    }
}

/// What would run, with the time it took before.
pub(crate) fn standing_text(terminal: &Terminal, steps: &[Standing<'_>]) -> String {
    let row = |step: &Standing<'_>| {
        let (word, style) = match step.status {
            None => ("would run", Some(Style::Bold)),
            Some(StepStatus::Reused) => ("up to date", Some(Style::Dim)),
            Some(status) => summary::status(status),
        };
        let time = step.time.filter(|_| step.left_out.is_none()).map(duration);
        vec![
            Cell::left(step.id),
            Cell::left(word).style(style),
            Cell::right(time.unwrap_or_default()),
            Cell::left(step.left_out.clone().unwrap_or_default()).style(Some(Style::Dim)),
        ]
    };
    let rows: Vec<Vec<Cell>> = steps.iter().map(row).collect();
    let would_run: Vec<&Standing<'_>> = steps.iter().filter(|step| step.status.is_none()).collect();
    let known: u64 = would_run.iter().filter_map(|step| step.time).sum();
    let mut total = match would_run.len() {
        0 => "nothing would run".to_owned(),
        count => format!("{} would run", crate::terminal::plural(count, "step")),
    };
    if known > 0 {
        total.push_str(&format!("; last time that took {}", duration(known)));
    }
    format!("{}\n\n{total}", table(&rows, terminal.out))
}
