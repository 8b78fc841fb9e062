//! Runs that were made: finding one by `[THING@]TAG[/STEP]` or by its directory, and what its `run.json` says.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tapeout_flow::{RunSummary, StepStatus, StepSummary};

use crate::error::CliError;
use crate::names;
use crate::project::directory_of;
use crate::terminal::words::from_here;

/// The tag that stands for the newest run.
const LAST: &str = "last";

/// A run with its summary.
#[derive(Clone, Debug)]
pub(crate) struct RecordedRun {
    /// Its directory.
    pub(crate) dir: PathBuf,
    /// When it ended.
    pub(crate) ended: SystemTime,
    pub(crate) summary: RunSummary,
}

impl RecordedRun {
    /// The run in this directory, or `None` when no run has ended there.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, CliError> {
        let path = dir.join("run.json");
        let Ok(text) = fs::read(&path) else { return Ok(None) };
        let ended = fs::metadata(&path).and_then(|data| data.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        let summary = serde_json::from_slice(&text).map_err(|error| {
            CliError::environment(format!("cannot make sense of `{}`: {error}", from_here(&path)))
                .hint("another version of tapeout may have written it; run again to replace it")
        })?;
        Ok(Some(Self { dir: dir.to_owned(), ended, summary }))
    }

    /// A step by id, beginning or pattern; also by the name of its directory, be it that of a failed attempt.
    pub(crate) fn step(&self, text: &str) -> Result<&StepSummary, CliError> {
        let dir = text.strip_suffix(".failed").unwrap_or(text);
        if let Some(step) = self.summary.steps.iter().find(|step| step.dir == dir) {
            return Ok(step);
        }
        let ids: Vec<&str> = self.summary.steps.iter().map(|step| step.id.as_str()).collect();
        let id = names::find("step", text, &ids)?;
        let step = self.summary.steps.iter().find(|step| step.id == id);
        step.ok_or_else(|| CliError::input(format!("there is no step `{id}` in this run")))
    }

    /// The step that the user wants to know about when none is named: the first that did not end well
    /// and that the flow has no answer to.
    pub(crate) fn failed_step(&self) -> Option<&StepSummary> {
        let failed =
            |wanted: StepStatus| self.summary.steps.iter().find(move |step| step.status == wanted && !step.handled);
        failed(StepStatus::Failed).or_else(|| failed(StepStatus::CheckFailed))
    }

    /// Where a step's files are: those of its failed attempt when that is what it came to.
    pub(crate) fn step_dir(&self, step: &StepSummary) -> PathBuf {
        let failed = self.dir.join(format!("{}.failed", step.dir));
        if step.status == StepStatus::Failed && failed.is_dir() { failed } else { self.dir.join(&step.dir) }
    }
}

/// What the name of a flow begins with that is one step, run again by itself.
pub(crate) const ONE_STEP: &str = "step ";

/// All runs of the design in a directory, the newest first; those of one step after all others, so that the newest run is
/// one of the design.
pub(crate) fn runs_in(design_dir: &Path) -> Result<Vec<RecordedRun>, CliError> {
    let listing = fs::read_dir(design_dir.join("runs")).into_iter().flatten().filter_map(Result::ok);
    let read = listing.filter_map(|entry| RecordedRun::read(&entry.path()).transpose());
    let mut runs: Vec<RecordedRun> = read.collect::<Result<_, _>>()?;
    let order = |run: &RecordedRun| (!run.summary.flow.starts_with(ONE_STEP), run.ended, run.summary.tag.clone());
    runs.sort_by_key(|run| std::cmp::Reverse(order(run)));
    Ok(runs)
}

/// The run of which a directory is that of the run, or of a step in it.
fn run_around(dir: &Path) -> Result<Option<RecordedRun>, CliError> {
    match RecordedRun::read(dir)? {
        Some(run) => Ok(Some(run)),
        None => dir.parent().map_or(Ok(None), RecordedRun::read),
    }
}

/// The run that a path means: the directory of a run, of a step in it, or the former with a name of a step behind it. Gives
/// the text that stands for the step, too. A tag of `runs` goes before a path that begins like it.
fn at_path<'a>(text: &'a str, runs: &[RecordedRun]) -> Result<Option<(RecordedRun, Option<&'a str>)>, CliError> {
    let first = text.split('/').next().unwrap_or_default();
    if first == LAST || runs.iter().any(|run| run.summary.tag == first) {
        return Ok(None);
    }
    let path = text.trim_end_matches('/');
    // The components of a path from here are all there, `..` included.
    let absolute = |path: &str| Path::new(path).canonicalize().ok();
    if let Some(dir) = absolute(path)
        && let Some(run) = RecordedRun::read(&dir)?
    {
        return Ok(Some((run, None)));
    }
    let Some((before, step)) = path.rsplit_once('/') else { return Ok(None) };
    let Some(dir) = absolute(before) else { return Ok(None) };
    Ok(RecordedRun::read(&dir)?.map(|run| (run, Some(step))))
}

/// Finds what `[THING@]TAG[/STEP]`, or the directory of a run or of a step in it, means; also a STEP alone, which is one of
/// the newest run, or of the run in whose directory one is. Gives the run and the text that stands for the step.
pub(crate) fn find(text: Option<&str>) -> Result<(RecordedRun, Option<&str>), CliError> {
    let (thing, rest) = match text.and_then(|text| text.rsplit_once('@')) {
        Some((thing, rest)) => (Some(thing).filter(|thing| !thing.is_empty()), Some(rest)),
        None => (None, text),
    };
    let design_dir = match thing.map(Path::new) {
        None => PathBuf::from("."),
        Some(dir) if dir.is_dir() => dir.to_owned(),
        Some(file) if file.exists() => directory_of(file),
        Some(other) => {
            let message = format!("there is no `{}`, of which a run could be shown", other.display());
            return Err(CliError::input(message).hint("before the `@` stands a configuration file or its directory"));
        }
    };
    let design_dir = std::path::absolute(&design_dir).unwrap_or(design_dir);
    let mut runs = runs_in(&design_dir)?;
    if let (None, Some(path)) = (thing, rest)
        && text == rest
        && let Some(found) = at_path(path, &runs)?
    {
        return Ok(found);
    }
    if runs.is_empty() {
        runs.extend(run_around(&design_dir)?);
    }
    if runs.is_empty() {
        if let Some(path) = rest.filter(|path| Path::new(path).is_dir()) {
            return Err(no_run_at(path));
        }
        let message = format!("there is no run in `{}`", from_here(&design_dir));
        return Err(CliError::input(message).hint("`tapeout run` makes one"));
    }
    let Some(rest) = rest else { return Ok((runs.swap_remove(0), None)) };
    let (tag, step) = rest.split_once('/').map_or((rest, None), |(tag, step)| (tag, Some(step)));
    let step = step.filter(|step| !step.is_empty());
    if tag == LAST {
        return Ok((runs.swap_remove(0), step));
    }
    if let Some(at) = runs.iter().position(|run| run.summary.tag == tag) {
        return Ok((runs.swap_remove(at), step));
    }
    let is_tag = step.is_some() || text.is_some_and(|text| text.contains('@'));
    if is_tag {
        if text == Some(rest) && Path::new(rest).is_dir() {
            return Err(no_run_at(rest));
        }
        if tag.is_empty() {
            let message = format!("`{}` names no run", text.unwrap_or_default());
            return Err(CliError::input(message).hint("a run is `[THING@]TAG[/STEP]`, `@last`, or its directory"));
        }
        let tags: Vec<&str> = runs.iter().map(|run| run.summary.tag.as_str()).collect();
        return Err(names::unknown("run", tag, &tags));
    }
    Ok((runs.swap_remove(0), Some(rest)))
}

/// A path is there, and no run is: a run's directory has a summary.
fn no_run_at(path: &str) -> CliError {
    CliError::input(format!("`{path}` is the directory neither of a run nor of a step in one"))
        .hint("a run's directory has a file `run.json`")
}
