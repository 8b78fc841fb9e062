//! A step's directory as one that stands for itself: what it names elsewhere in the project is copied into it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use serde_json::{Value, json};
use tapeout_flow::{PlannedStep, StepStatus, StepSummary};
use tapeout_model::State;

use crate::error::CliError;
use crate::project;
use crate::terminal::words::from_here;

/// Refuses a directory in which there is something.
pub(super) fn refuse_full(dir: &Path) -> Result<(), CliError> {
    if dir.is_file() || fs::read_dir(dir).is_ok_and(|mut listing| listing.next().is_some()) {
        let message = format!("`{}` is there already", from_here(dir));
        return Err(CliError::input(message).hint("name another place: one that is not there yet, or empty"));
    }
    Ok(())
}

/// Copies the directory of a step in a run: that of the failed attempt if it failed.
pub(super) fn copy_step(run: &Path, step: &StepSummary, to: &Path) -> Result<(), CliError> {
    let failed = run.join(format!("{}.failed", step.dir));
    let from = if step.status == StepStatus::Failed && failed.is_dir() { failed } else { run.join(&step.dir) };
    let problem = |error: io::Error| CliError::environment(format!("cannot copy to `{}`: {error}", from_here(to)));
    copy_dir(&from, to).map_err(problem)?;
    for name in ["state_in.json", "state_out.json"] {
        let Ok(text) = fs::read_to_string(from.join(name)) else { continue };
        let state = State::parse(&text).map_err(|error| CliError::environment(format!("`{name}`: {error}")))?;
        let mut copied = Ok(());
        let state = state.map(|path| {
            let Some((dir, own)) = path.strip_prefix("../").and_then(|other| other.split_once('/')) else {
                return path.clone();
            };
            let source = from.join(path);
            let is_other = |name: &str| fs::read(to.join(name)).is_ok_and(|it| fs::read(&source).ok() != Some(it));
            // Steps may give files of one name.
            let own = if is_other(own) { format!("{dir}-{own}") } else { own.to_owned() };
            if !to.join(&own).exists() && copied.is_ok() {
                copied = fs::copy(&source, to.join(&own)).map(drop);
            }
            own
        });
        copied.map_err(problem)?;
        fs::write(to.join(name), format!("{:#}\n", state.to_json())).map_err(problem)?;
    }
    Ok(())
}

/// Where the files of the design are in the copy.
const DESIGN: &str = "design";

/// Copies the files of the design that a step read, given from the project or absolute, and those that its configuration
/// names, which it writes down whole. What lies outside of the project stays where it is.
pub(super) fn copy_design(
    step: &PlannedStep,
    design_dir: &Path,
    sources: &[String],
    to: &Path,
) -> Result<(), CliError> {
    let config = step.config().iter().map(|(name, setting)| (name.to_owned(), setting.shown_json()));
    let mut config: BTreeMap<String, Value> = config.collect();
    let mut files: BTreeSet<PathBuf> = sources.iter().map(|path| design_dir.join(path)).collect();
    config.values_mut().for_each(|value| find_paths(value, design_dir, &mut files));
    let problem = |error: io::Error| CliError::environment(format!("cannot copy to `{}`: {error}", from_here(to)));
    let design = to.join(DESIGN);
    for file in &files {
        let Some(inside) = file.strip_prefix(design_dir).ok().filter(|inside| is_inside(inside)) else { continue };
        let copy = design.join(inside);
        if file.is_dir() {
            fs::create_dir_all(&copy).map_err(problem)?;
        } else if file.is_file() {
            fs::create_dir_all(project::directory_of(&copy)).map_err(problem)?;
            fs::copy(file, &copy).map_err(problem)?;
        }
    }
    config.insert("meta".to_owned(), json!({ "version": 2, "step": step.info.id }));
    if design.is_dir() {
        config.insert("DESIGN_DIR".to_owned(), json!(DESIGN));
    }
    fs::write(to.join("config.json"), format!("{:#}\n", json!(config))).map_err(problem)
}

/// Notes the files and directories that a value names, and makes the paths of those absolute that are not copied.
fn find_paths(value: &mut Value, design_dir: &Path, files: &mut BTreeSet<PathBuf>) {
    match value {
        Value::String(text) if !text.is_empty() => {
            let path = design_dir.join(text.as_str());
            if !path.exists() {
                return;
            }
            if is_inside(Path::new(text.as_str())) {
                files.insert(path);
            } else if let Ok(inside) = path.strip_prefix(design_dir).map(Path::to_owned)
                && is_inside(&inside)
            {
                *text = inside.to_string_lossy().into_owned();
                files.insert(path);
            } else if Path::new(text.as_str()).is_relative() {
                *text = fs::canonicalize(&path).unwrap_or(path).to_string_lossy().into_owned();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| find_paths(item, design_dir, files)),
        Value::Object(entries) => entries.values_mut().for_each(|item| find_paths(item, design_dir, files)),
        _ => {}
    }
}

/// Whether a path stays in the directory that it is relative to.
fn is_inside(path: &Path) -> bool {
    path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// Copies files and directories; what links lead to becomes a file.
fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() { copy_dir(&path, &to.join(name))? } else { _ = fs::copy(&path, to.join(name))? }
    }
    Ok(())
}
