//! From the command line to targets: which project, which of its targets, and the engine that builds them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use tapeout_config::{Loader, TargetResults};
use tapeout_engine::{Engine, Failure};
use tapeout_flow::project::{BUILD_DIR, Built, FlowPlanner, Project, TargetId, Targets};
use tapeout_flow::{Again, Registry};
use tapeout_model::{Data, FilePath, Metric, Value};
use tapeout_script::{FLOW_FILE, Plugin};

use crate::args::{OverlayArgs, PartArgs, TagArgs};
use crate::error::CliError;
use crate::names::Glob;
use crate::project::find_config;
use crate::signals::stopping_on_signal;
use crate::terminal::Terminal;
use crate::terminal::watch::{self, Billing};
use crate::tools::{self, Options};
use crate::{Cx, names};

/// Further targets, and where they are built.
#[derive(Debug, Default, Args)]
pub(crate) struct TargetArgs {
    /// Further targets: `block.task`, or patterns of them
    #[arg(value_name = "TARGET")]
    pub(crate) more: Vec<String>,
    #[command(flatten)]
    pub(crate) build: BuildArgs,
}

/// Where targets are built.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Targets of flow.star")]
pub(crate) struct BuildArgs {
    /// Where targets are built, seen from the project [default: build]
    #[arg(short = 'B', long, value_name = "DIR")]
    build_dir: Option<PathBuf>,
}

impl BuildArgs {
    pub(crate) fn dir(&self) -> &Path {
        self.build_dir.as_deref().unwrap_or(Path::new(BUILD_DIR))
    }
}

/// The project of this directory, with its texts.
pub(crate) struct LoadedProject {
    pub(crate) project: Arc<Project>,
    /// What its file says of itself.
    pub(crate) doc: String,
}

/// The project here.
pub(crate) fn project(cx: &Cx) -> Result<&LoadedProject, CliError> {
    cx.project.as_ref().ok_or_else(|| CliError::input("there is no project here").hint(how_to_have_one()))
}

/// What to do where there is no project.
fn how_to_have_one() -> String {
    match script_here() {
        Some(script) => format!("`{script}` does not say that there is one: `flow = Flow()` does"),
        None => format!("a project is written in `{FLOW_FILE}`, here or in a directory above"),
    }
}

/// The file of the nearest project in scripts, whether there is one in it or not.
fn script_here() -> Option<String> {
    let here = std::env::current_dir().ok()?;
    Some(script_root(&here)?.join(FLOW_FILE).display().to_string())
}

/// The plugins that the scripts of the project here can load; what is wrong with others, in words.
pub(crate) fn plugins() -> Result<Vec<Result<Plugin, String>>, CliError> {
    let here = std::env::current_dir()
        .map_err(|error| CliError::environment(format!("there is no current directory: {error}")))?;
    Ok(Plugin::all(script_root(&here).unwrap_or(&here)))
}

/// The directory of the nearest project in scripts, here or above.
pub(crate) fn script_root(here: &Path) -> Option<&Path> {
    here.ancestors().find(|dir| dir.join(FLOW_FILE).is_file())
}

/// The targets that words of the command line name, if they name targets: `first` stands where a configuration may. Both
/// absent: none.
pub(crate) fn asked(cx: &Cx, first: Option<&Path>, more: &[String]) -> Result<Option<Vec<TargetId>>, CliError> {
    let words: Vec<&str> = first.and_then(Path::to_str).into_iter().chain(more.iter().map(String::as_str)).collect();
    let Some(project) = &cx.project else {
        return match words.first().and_then(|word| word.strip_prefix(':')) {
            Some(target) => Err(without_project(target)),
            None if more.is_empty() => Ok(None),
            None => Err(without_project(&more[0])),
        };
    };
    match words.as_slice() {
        [] if find_config(None).is_ok() => Ok(None),
        [only] if is_configuration(only) => Ok(None),
        words => find(&project.project, words).map(Some),
    }
}

/// The target that a word names exactly, if it does.
pub(crate) fn named(cx: &Cx, word: Option<&str>) -> Option<TargetId> {
    let word = word?;
    cx.project.as_ref()?.project.find(word.strip_prefix(':').unwrap_or(word)).ok()
}

/// Whether a word names a configuration that is there.
fn is_configuration(word: &str) -> bool {
    let path = Path::new(word);
    path.is_file() || path.is_dir() && find_config(Some(path)).is_ok()
}

/// Refuses what stands where a configuration may, where it can only be meant as a target and there is no project.
pub(crate) fn refuse_target(word: &Path) -> Result<(), CliError> {
    let suffixes = ["json", "yaml", "yml", "toml", "tcl"];
    let is_file = word.components().count() > 1
        || word.extension().is_none_or(|found| suffixes.iter().any(|suffix| found == *suffix));
    match word.to_str() {
        Some(name) if !is_file && !word.exists() && script_here().is_some() => Err(without_project(name)),
        _ => Ok(()),
    }
}

fn without_project(target: &str) -> CliError {
    CliError::input(format!("there is no project with a target `{target}` here")).hint(how_to_have_one())
}

/// The targets that words mean: `block.task`, a pattern of that, all tasks of a block, or, with no words, all.
pub(crate) fn find(project: &Project, words: &[&str]) -> Result<Vec<TargetId>, CliError> {
    if words.is_empty() {
        return Ok(project.targets().collect());
    }
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for word in words {
        let word = word.strip_prefix(':').unwrap_or(word);
        let matching = match word.split_once('.') {
            Some((block, "")) => project.targets_of(block),
            None => project.targets_of(word),
            Some((block, task)) => project.target(block, task).map(|target| vec![target]),
        };
        let matching = match matching {
            Some(targets) => targets,
            None if word.contains(['*', '?', '[']) => {
                let glob = Glob::new(word)?;
                let targets: Vec<TargetId> =
                    project.targets().filter(|target| glob.matches(&project.name(*target))).collect();
                if targets.is_empty() {
                    return Err(CliError::input(format!("no target matches `{word}`"))
                        .hint("`tapeout list targets` lists all of them"));
                }
                targets
            }
            None => return Err(unknown(project, word)),
        };
        for target in matching {
            if seen.insert(target) {
                found.push(target);
            }
        }
    }
    Ok(found)
}

fn unknown(project: &Project, word: &str) -> CliError {
    if word.contains('.') {
        let reason = project.find(word).err().unwrap_or_default();
        return match reason.split_once("; ") {
            Some((reason, near)) => CliError::input(format!("`{word}`: {reason}")).hint(near),
            None => CliError::input(format!("`{word}`: {reason}")).hint("`tapeout list targets` lists all of them"),
        };
    }
    let blocks: Vec<&str> = project.blocks().iter().map(|(id, _)| id.as_str()).collect();
    names::unknown("block", word, &blocks)
}

/// The engine of a project: whatever a task calls is a tool.
pub(crate) fn engine(cx: &Cx, project: &Project, options: &Options) -> Result<Engine, CliError> {
    Ok(tools::project_engine(&cx.registry, project, options)?)
}

/// Targets, ready to be built or looked at.
pub(crate) fn targets<'e>(
    cx: &Cx,
    project: &Arc<Project>,
    asked: &[TargetId],
    engine: &'e Engine,
    build: &BuildArgs,
) -> Result<Targets<'e>, CliError> {
    Ok(Targets::new(project, asked, engine, build.dir(), planner(&cx.registry, project))?)
}

fn planner(registry: &Registry, project: &Project) -> FlowPlanner {
    let loader = Loader { design_dir: Some(project.root().to_owned()), ..tools::loader() };
    FlowPlanner::new(Arc::new(registry.clone()), loader)
}

/// What targets give, for configurations that name it. `builds`: a target without a good result is built.
pub(crate) fn results(project: Arc<Project>, registry: Registry, terminal: Terminal, builds: bool) -> TargetResults {
    Arc::new(move |name| result(&project, &registry, &terminal, builds, name))
}

fn result(
    project: &Arc<Project>,
    registry: &Registry,
    terminal: &Terminal,
    builds: bool,
    name: &str,
) -> Result<Value, String> {
    let Some((target, attribute)) = name.rsplit_once('.').filter(|(target, _)| target.contains('.')) else {
        return Err("expected `target::block.task.attribute`".to_owned());
    };
    let target = project.find(target)?;
    let words = |failure: Failure| failure.message;
    let engine = tools::project_engine(registry, project, &Options::default()).map_err(words)?;
    let planner = planner(registry, project);
    let targets = Targets::new(project, &[target], &engine, Path::new(BUILD_DIR), planner).map_err(words)?;
    let stale = targets.look(|_| Again::No).iter().any(|state| state.would_run);
    if stale && !builds {
        return Err(format!("it is not up to date; `tapeout run {}` builds it", project.name(target)));
    }
    let watcher = watch::watcher(terminal, Billing::of_targets(project, &targets.plan().targets), false);
    let ended = stopping_on_signal(&engine, &|text| watcher.say(text), || {
        targets.execute(|_| Again::No, |place, happened| watcher.heard(place, happened))
    });
    let (ended, _) = ended.map_err(|error| format!("cannot listen for signals: {error}"))?;
    let ended = ended.map_err(words)?;
    if let Some((failed, failure)) = ended.failures.first() {
        return Err(format!("{failed}: {}", failure.message));
    }
    let given = ended.targets.iter().find(|built| built.id == target).map_or(&[][..], Built::data);
    match given.iter().find(|(known, _)| known == attribute) {
        Some((_, datum)) => Ok(value(datum, &ended.dir, project.root())),
        None => {
            let there: Vec<&str> = given.iter().map(|(name, _)| name.as_str()).collect();
            Err(format!("its result has no `{attribute}`; it has `{}`", there.join("`, `")))
        }
    }
}

/// A datum as configurations have it.
fn value(datum: &Data, build: &Path, root: &Path) -> Value {
    match datum {
        Data::None => Value::Null,
        Data::Bool(b) => Value::Bool(*b),
        Data::Int(i) => Value::Int(*i),
        Data::Float(x) | Data::Time(x) => Metric::Float(*x).to_decimal().map_or(Value::Null, Value::Decimal),
        Data::Text(text) | Data::BigInt(text) => Value::Str(text.clone()),
        Data::Path(path @ FilePath::Target { .. }) => Value::Str(build.join(path.to_string()).display().to_string()),
        Data::Path(path) => Value::Str(root.join(path.to_string()).display().to_string()),
        Data::List(items) | Data::Tuple(items) => {
            Value::List(items.iter().map(|item| value(item, build, root)).collect())
        }
        Data::Map(entries) => {
            Value::Map(entries.iter().map(|(name, datum)| (name.clone(), value(datum, build, root))).collect())
        }
    }
}

/// What belongs to configurations is refused where targets are meant.
pub(crate) fn refuse_overlay(overlay: &OverlayArgs, part: &PartArgs, tag: Option<&TagArgs>) -> Result<(), CliError> {
    let refused = if *overlay != OverlayArgs::default() {
        "values and files that are laid over a configuration"
    } else if *part != PartArgs::default() {
        "a part of a flow"
    } else if tag.is_some_and(|tag| !tag.is_default()) {
        "a tag"
    } else {
        return Ok(());
    };
    Err(CliError::input(format!("a target was named, and {refused} belongs to a configuration"))
        .hint(format!("what makes targets differ stands in `{FLOW_FILE}`, as parameters of blocks")))
}

/// Nothing was named where something has to be built.
pub(crate) fn name_one(cx: &Cx) -> CliError {
    let blocks = cx.project.iter().flat_map(|loaded| loaded.project.blocks());
    let names: Vec<&str> = blocks.map(|(id, _)| id.as_str()).take(8).collect();
    CliError::input("expected the targets to build, `block.task`")
        .details(vec![format!("the blocks are {}", names.join(", "))])
        .hint("`tapeout status` shows all targets; `tapeout run '*'` builds them")
}
