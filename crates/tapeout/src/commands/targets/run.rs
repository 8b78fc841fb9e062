//! `tapeout run TARGET…`: builds targets and what they require.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};
use tapeout_flow::project::{Built, Project, TargetId, Targets, TargetsEnded};
use tapeout_flow::{Again, StepStatus, recorded_events};
use tapeout_model::{Class, Data, FilePath};

use crate::Cx;
use crate::commands::cache;
use crate::commands::run::{RunArgs, Watched, tell_edited, tell_store, watched};
use crate::error::CliError;
use crate::names::Glob;
use crate::targets::{self, BuildArgs};
use crate::terminal::summary;
use crate::terminal::table::{Cell, table};
use crate::terminal::watch::Billing;
use crate::terminal::words::{duration, from_here};
use crate::terminal::{Style, Terminal, plural};
use crate::tools::Options;
use crate::trace;

/// More attributes of a result than this are for its file.
const SHOWN_ATTRIBUTES: usize = 12;

/// Of more targets than this, only those that are not well are shown, and the others counted.
const SHOWN_TARGETS: usize = 40;

/// What of the command line is for targets.
pub(crate) struct Wanted<'a> {
    pub(crate) build: &'a BuildArgs,
    pub(crate) no_dependencies: bool,
}

pub(crate) fn run(cx: &Cx, args: &RunArgs, asked: &[TargetId], wanted: &Wanted<'_>) -> Result<u8, CliError> {
    let loaded = targets::project(cx)?;
    let project = &loaded.project;
    let limit = cache::limit_in_environment()?;
    let options =
        Options { jobs: args.jobs, keep_going: args.keep_going, sandbox: args.sandbox, shared: args.shared.open()? };
    if args.sandbox && tapeout_engine::confinement_support().is_none() {
        cx.terminal.complain("warning: this kernel has no Landlock, so that `--sandbox` has no effect");
    }
    let engine = targets::engine(cx, project, &options)?;
    let targets = targets::targets(cx, project, asked, &engine, wanted.build)?;
    let globs = |patterns| globs(project, &targets.plan().targets, patterns);
    let [fresh, compare] = [globs(&args.fresh)?, globs(&args.check_repeat)?];
    let again = |name: &str| {
        if fresh.iter().any(|glob| glob.matches(name)) {
            Again::Fresh
        } else if compare.iter().any(|glob| glob.matches(name)) {
            Again::Compare
        } else {
            Again::No
        }
    };
    if args.dry_run {
        return Ok(dry_run(cx, project, &targets, again));
    }
    if wanted.no_dependencies {
        refuse_missing(project, &targets)?;
    }
    let billing = Billing::of_targets(project, &targets.plan().targets);
    let json_log = args.json_log();
    let watched = watched(cx, &engine, billing, json_log, |heard| targets.execute(again, heard))?;
    let Watched { ended, differs, signal, shares } = watched;
    let failed = ended.class.or((!differs.is_empty()).then_some(Class::Check));
    let code = signal.unwrap_or(failed.map_or(0, Class::exit_code));
    let terminal = &cx.terminal;
    if json_log || terminal.json {
        let targets: Vec<Value> = ended.targets.iter().map(|built| to_json(project, built, &ended)).collect();
        let mut json = json!({ "exit_code": code, "dir": ended.dir, "targets": targets });
        if json_log {
            // A line of the stream says what it is and when.
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            json["event"] = "targets_finished".into();
            json["time"] = now.as_secs_f64().into();
            terminal.print(&json.to_string());
        } else {
            terminal.print_json(&json);
        }
    } else if !terminal.quiet {
        terminal.print(&text(terminal, project, &ended));
    }
    summary::failures(terminal, project.root(), &ended.failures);
    differs.iter().for_each(|difference| terminal.complain(difference));
    tell_edited(terminal, &ended.dir, &ended.edited);
    tell_store(terminal, &engine, shares.filter(|_| signal.is_none()));
    if let Some(file) = &args.trace {
        trace::write(file, &recorded_events(&ended.dir))?;
    }
    drop(engine);
    if let Some(limit) = limit {
        cache::keep_limit(terminal, project.root(), limit)?;
    }
    Ok(code)
}

/// Patterns of target names; each must match one that is to be built, or it is a mistake.
fn globs(project: &Project, targets: &[TargetId], patterns: &[String]) -> Result<Vec<Glob>, CliError> {
    let glob = |pattern: &String| {
        let glob = Glob::new(pattern)?;
        if targets.iter().any(|target| glob.matches(&project.name(*target))) {
            return Ok(glob);
        }
        Err(CliError::input(format!("`{pattern}`: no such target is to be built")))
    };
    patterns.iter().map(glob).collect()
}

fn refuse_missing(project: &Project, targets: &Targets<'_>) -> Result<(), CliError> {
    let states = targets.look(|_| Again::No);
    let plan = targets.plan();
    let missing: Vec<String> = (plan.targets.iter().zip(states))
        .filter(|(target, state)| {
            state.would_run && !plan.asked.contains(target) && !project.task(**target).always_rebuild
        })
        .map(|(target, _)| project.name(*target))
        .collect();
    match missing.as_slice() {
        [] => Ok(()),
        missing => {
            Err(CliError::input(format!("{} that is required would run first", plural(missing.len(), "target")))
                .details(missing.to_vec())
                .hint("leave out `--no-dependencies`"))
        }
    }
}

fn dry_run(cx: &Cx, project: &Project, targets: &Targets<'_>, again: impl Fn(&str) -> Again) -> u8 {
    let states = targets.look(again);
    let would = targets.plan().targets.iter().zip(&states).filter(|(_, state)| state.would_run);
    if cx.terminal.json {
        let target = |(target, state): (&TargetId, _)| {
            let mut json = json!(state);
            json["target"] = project.name(*target).into();
            json
        };
        cx.terminal.print_json(&json!({ "targets": would.map(target).collect::<Vec<_>>() }));
        return 0;
    }
    let rows: Vec<Vec<Cell>> = would
        .map(|(target, state)| {
            let reason = state.reasons.first().map(ToString::to_string).unwrap_or_default();
            vec![Cell::left(project.name(*target)), Cell::left(reason).style(Some(Style::Dim))]
        })
        .collect();
    cx.terminal.print(&match rows.len() {
        0 => "nothing would run".to_owned(),
        count => format!("{}\n\n{} would run", table(&rows, cx.terminal.out), plural(count, "target")),
    });
    0
}

fn is_well(built: &Built) -> bool {
    matches!(built.status, StepStatus::Done | StepStatus::Reused)
}

/// The data of a result as one JSON object.
fn data(data: &[(String, Data)]) -> Map<String, Value> {
    data.iter().map(|(name, datum)| (name.clone(), datum.to_json())).collect()
}

fn to_json(project: &Project, built: &Built, ended: &TargetsEnded) -> Value {
    let (name, dir) = (project.name(built.id), ended.dir.join(project.dir(built.id)));
    let mut json = json!({ "target": name, "asked": built.asked, "status": built.status, "dir": dir });
    if built.asked {
        json["data"] = data(built.data()).into();
        json["wall_ms"] = built.wall_ms().into();
    }
    json
}

/// What was asked for, with what it gives; of the rest, how many there were.
fn text(terminal: &Terminal, project: &Project, ended: &TargetsEnded) -> String {
    let paint = terminal.out;
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    let asked = ended.targets.iter().filter(|built| built.asked).count();
    let is_shown = |built: &&Built| built.asked && (asked <= SHOWN_TARGETS || !is_well(built));
    for built in ended.targets.iter().filter(is_shown) {
        let (word, style) = summary::status(built.status);
        let time = if built.wall_ms() > 0 { duration(built.wall_ms()) } else { String::new() };
        rows.push(vec![
            Cell::left(project.name(built.id)),
            Cell::left(word).style(style),
            Cell::right(time).style(Some(Style::Dim)),
            Cell::left(from_here(&ended.dir.join(project.dir(built.id)))).style(Some(Style::Dim)),
        ]);
    }
    let mut text = table(&rows, paint);
    if asked > SHOWN_TARGETS {
        let well = asked - rows.len();
        let gap = if rows.is_empty() { "" } else { "\n\n" };
        text.push_str(&format!("{gap}{} done or up to date", plural(well, "target")));
    }
    // What one gives is of interest; what many give is in their files.
    if let [only] = ended.targets.iter().filter(|built| built.asked).collect::<Vec<_>>()[..] {
        let given: Vec<&(String, Data)> = only.data().iter().filter(|(name, _)| name != "returned_data").collect();
        let row = |(name, datum): &&(String, Data)| {
            let value = match datum {
                Data::Text(text) => text.lines().next().unwrap_or_default().to_owned(),
                Data::Path(path @ FilePath::Target { .. }) => from_here(&ended.dir.join(path.to_string())),
                Data::Path(path @ FilePath::Source(_)) => path.to_string(),
                other => other.to_json().to_string(),
            };
            vec![Cell::left(name.as_str()), Cell::left(value)]
        };
        let rows: Vec<Vec<Cell>> = given.iter().take(SHOWN_ATTRIBUTES).map(row).collect();
        if !rows.is_empty() {
            text.push_str(&format!("\n\n{}", table(&rows, paint)));
        }
        if given.len() > SHOWN_ATTRIBUTES {
            text.push_str(&format!("\n  and {} more, see `result.json`", given.len() - SHOWN_ATTRIBUTES));
        }
    }
    let others = ended.targets.iter().filter(|built| !built.asked).count();
    let reused = |built: &&Built| built.status == StepStatus::Reused;
    if others > 0 {
        let reused = ended.targets.iter().filter(|built| !built.asked).filter(reused).count();
        text.push_str(&format!("\n\n{} required, {reused} of them reused", plural(others, "further target")));
    }
    text
}
