//! Metrics to compare: of a run, of a step in it, of a file.

use std::fs;
use std::path::{Path, PathBuf};

use tapeout_flow::{StepStatus, StepSummary};
use tapeout_model::{Metrics, read_metrics};

use crate::error::CliError;
use crate::runs::{self, RecordedRun};
use crate::terminal::words::from_here;

/// Metrics, and where they are from.
#[derive(Debug)]
pub(super) struct Measured {
    /// What people call it.
    pub(super) name: String,
    /// The file, or the directory of the run; absolute.
    pub(super) path: PathBuf,
    pub(super) metrics: Metrics,
    /// Why there may be fewer metrics than one would expect.
    pub(super) warning: Option<String>,
}

/// The files in a directory that tell its metrics, the best first: of a run of another program, of a state, of a step.
const FILES: [&str; 3] = ["final/metrics.json", "metrics.json", "state_out.json"];

impl Measured {
    /// Finds what is meant: a tag of the design here, a file, a directory with metrics in it, else a run or a step in one,
    /// also of another thing.
    pub(super) fn find(text: &str) -> Result<Self, CliError> {
        let path = Path::new(text);
        let is_run = path.exists() && is_tag(text);
        if path.is_file() && !is_run {
            return Self::file(text, path);
        }
        if path.is_dir() && !is_run {
            if let Some(run) = RecordedRun::read(&absolute(path))? {
                return Ok(Self::run(text.to_owned(), &run));
            }
            if let Some(file) = FILES.iter().map(|file| path.join(file)).find(|file| file.is_file()) {
                return Self::file(text, &file);
            }
        }
        // A word alone is a tag here, and not a step.
        let of_thing = text.contains('@');
        let reference = if of_thing { text.to_owned() } else { format!("@{text}") };
        let (run, step) = runs::find(Some(&reference)).map_err(|mut error| match (of_thing, path.is_dir()) {
            (true, _) => error,
            (false, true) => CliError::input(format!("there are no metrics in the directory `{text}`"))
                .hint(format!("a run of the design there is `{text}@TAG`")),
            (false, false) => {
                error.message = format!("`{text}` is no file, and {}", error.message);
                error
            }
        })?;
        let thing = reference.rsplit_once('@').map(|(thing, _)| thing).filter(|thing| !thing.is_empty());
        let thing = thing.map(|thing| format!("{thing}@")).unwrap_or_default();
        let name = format!("{thing}{}", run.summary.tag);
        match step {
            None => Ok(Self::run(name, &run)),
            Some(step) => {
                let step = run.step(step)?;
                Self::step(format!("{name}/{}", step.id), &run, step)
            }
        }
    }

    fn run(name: String, run: &RecordedRun) -> Self {
        let without_result = |step: &StepSummary| {
            matches!(step.status, StepStatus::Failed | StepStatus::Interrupted | StepStatus::NotReached)
        };
        let is_partial = run.summary.steps.iter().any(without_result);
        let warning = is_partial
            .then(|| format!("the run `{name}` did not come to its end; its metrics are those of the steps that did"));
        Self { name, path: run.dir.clone(), metrics: run.summary.metrics.clone(), warning }
    }

    fn step(name: String, run: &RecordedRun, step: &StepSummary) -> Result<Self, CliError> {
        let path = run.step_dir(step).join("state_out.json");
        if !path.is_file() {
            return Err(CliError::input(format!("`{}` has no result in the run `{}`", step.id, run.summary.tag)));
        }
        Self::file(&name, &path)
    }

    fn file(name: &str, path: &Path) -> Result<Self, CliError> {
        let text = fs::read_to_string(path)
            .map_err(|error| CliError::input(format!("cannot read `{}`: {error}", from_here(path))))?;
        let metrics = read_metrics(&text)
            .map_err(|error| CliError::input(format!("there are no metrics in `{}`: {error}", from_here(path))))?;
        Ok(Self { name: name.to_owned(), path: absolute(path), metrics, warning: None })
    }
}

/// Whether a word is the tag of a run here, and by its form no path. Runs that cannot be read are no tags.
fn is_tag(text: &str) -> bool {
    let runs = || runs::runs_in(&absolute(Path::new("."))).unwrap_or_default();
    !text.contains(['/', '@']) && runs().iter().any(|run| run.summary.tag == text)
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
