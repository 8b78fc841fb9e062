//! The initial state: files and measurements that are there before the first step of a plan. What they are is read here;
//! in the plan they are the result of a step of its own, so that the steps after it see them as those of any other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tapeout_config::{Diagnostic, nearest};
use tapeout_engine::{Failure, Identity};
use tapeout_model::{Class, DesignFormat, FORMATS, Output, State, View};

use crate::registry::Registered;
use crate::{Completed, Session, Step, StepCx, StepInfo, StepResult};

/// The id of the step that stands for it in a plan.
pub(crate) const INITIAL_STATE: &str = "Initial.State";

/// The name of that part of the step's identity which is the state.
pub(crate) const STATE: &str = "(state)";

/// The views and metrics before the first step. Paths are relative to the design directory, or absolute outside of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct InitialState(State<String>);

impl InitialState {
    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.views.is_empty() && self.0.metrics.is_empty()
    }

    /// Reads state files, the later one laid over the earlier, and over them single views, each a format and a path. The
    /// paths in a state file are relative to it, those of the single views to the current directory.
    ///
    /// All that is wrong comes with it: a state file that cannot be read, an unknown format, a file that is not there.
    #[must_use]
    pub fn read(states: &[PathBuf], views: &[(String, PathBuf)], design_dir: &Path) -> (Self, Vec<Diagnostic>) {
        let mut initial = Self::default();
        let mut errors = Vec::new();
        for file in states {
            match read_state(file) {
                Ok(state) => {
                    let place = format!("in `{}`", file.display());
                    let base = file.parent().unwrap_or(Path::new(""));
                    for (format, view) in state.views {
                        initial.add(&format, &view, &place, base, design_dir, &mut errors);
                    }
                    initial.0.metrics.extend(state.metrics);
                }
                Err(error) => errors.push(error),
            }
        }
        for (format, path) in views {
            let place = format!("by `-e {format}={}`", path.display());
            match path.to_str() {
                Some(path) => {
                    let view = View::File(path.to_owned());
                    initial.add(format, &view, &place, Path::new(""), design_dir, &mut errors);
                }
                None => errors.push(Diagnostic::error(format!("{place}: the path is not UTF-8"))),
            }
        }
        (initial, errors)
    }

    fn add(
        &mut self,
        format: &str,
        view: &View<String>,
        place: &str,
        base: &Path,
        design_dir: &Path,
        errors: &mut Vec<Diagnostic>,
    ) {
        if DesignFormat::by_id(format).is_none() {
            let error = Diagnostic::error(format!("there is no design format `{format}`, named {place}"));
            let known = FORMATS.iter().map(|format| format.id);
            errors.push(match nearest(format, known.clone()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("there are {}", known.collect::<Vec<_>>().join(", "))),
            });
            return;
        }
        let placed = with_keys(format, view).map(&mut |(key, path): &(String, String)| {
            let found = seen_from(design_dir, &base.join(path));
            if found.is_none() {
                let path = base.join(path);
                errors.push(
                    Diagnostic::error(format!("`{key}` {place}: there is no file `{}`", path.display()))
                        .help("relative paths in a state are relative to the directory of its file"),
                );
            }
            found.unwrap_or_else(|| path.clone())
        });
        self.0.views.insert(format.to_owned(), placed);
    }

    /// The formats that it has views in.
    pub(crate) fn formats(&self) -> impl Iterator<Item = &'static str> {
        self.0.views.keys().filter_map(|id| Some(DesignFormat::by_id(id)?.id))
    }

    /// The names of its metrics.
    pub(crate) fn metrics(&self) -> impl Iterator<Item = &str> {
        self.0.metrics.keys().map(String::as_str)
    }

    /// The step that stands for it.
    pub(crate) fn into_step(self) -> Registered {
        Registered::new(InitialStep(self))
    }
}

fn read_state(file: &Path) -> Result<State<String>, Diagnostic> {
    let wrong = |reason: String| Diagnostic::error(format!("the state `{}`: {reason}", file.display()));
    let text = fs::read(file).map_err(|error| wrong(format!("it cannot be read: {error}")))?;
    let json = serde_json::from_slice(&text).map_err(|error| wrong(format!("it is not JSON: {error}")))?;
    State::from_json(&json).map_err(wrong)
}

/// Each path with the key that leads to it: `nl`, `nl[0]`, `lib.tt`.
fn with_keys(key: &str, view: &View<String>) -> View<(String, String)> {
    match view {
        View::File(path) => View::File((key.to_owned(), path.clone())),
        View::Files(views) => {
            View::Files(views.iter().enumerate().map(|(n, view)| with_keys(&format!("{key}[{n}]"), view)).collect())
        }
        View::Named(views) => View::Named(
            views.iter().map(|(name, view)| (name.clone(), with_keys(&format!("{key}.{name}"), view))).collect(),
        ),
    }
}

/// The path of a file from the design directory, absolute where it is outside of that; nothing if there is no such file.
fn seen_from(design_dir: &Path, file: &Path) -> Option<String> {
    if !file.is_file() {
        return None;
    }
    // A file is known by the name it was given: only its directory is made plain.
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let full = fs::canonicalize(folder).ok()?.join(file.file_name()?);
    let design_dir = fs::canonicalize(design_dir).ok()?;
    full.strip_prefix(&design_dir).unwrap_or(&full).to_str().map(str::to_owned)
}

/// The names that files get in the step's directory, by path: their own, with something before it where several files
/// have the same.
fn names(state: &State<String>) -> BTreeMap<&str, String> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for (format, view) in &state.views {
        for path in view.files() {
            if names.contains_key(path.as_str()) {
                continue;
            }
            let own = path.rsplit('/').next().unwrap_or(path);
            let candidates = [own.to_owned(), format!("{format}-{own}")];
            let candidates = candidates.into_iter().chain((2..).map(|n| format!("{format}-{n}-{own}")));
            let free = candidates.into_iter().find(|name| !names.values().any(|taken| taken == name));
            names.insert(path, free.unwrap_or_default());
        }
    }
    names
}

/// The step: what it gives are copies of the files, so that a result stays what it is whatever becomes of them.
struct InitialStep(InitialState);

impl Step for InitialStep {
    fn info(&self) -> StepInfo {
        let formats: Vec<&'static str> = self.0.formats().collect();
        StepInfo::new(INITIAL_STATE, "Initial state", "The files and measurements that the flow begins with.", "1")
            .makes(&formats)
    }

    fn identify(&self, identity: &mut Identity<'_>) {
        identity.shown(STATE, self.0.0.to_json());
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let state = &self.0.0;
        let names = names(state);
        let mut written: BTreeMap<&str, Output> = BTreeMap::new();
        for (path, name) in &names {
            let bytes = cx.read_source(path)?.ok_or_else(|| {
                Failure::new(Class::Input, format!("there is no file `{path}`, which the initial state names"))
                    .hint("it was there when the plan was made: was it moved?")
            })?;
            written.insert(path, cx.write(name, &bytes)?);
        }
        let name_of = |path: &String| names.get(path.as_str()).cloned().unwrap_or_default();
        let views = state.views.iter().map(|(format, view)| (format.clone(), view.map(&mut |path| name_of(path))));
        Ok(StepResult {
            views: views.collect(),
            written: written.into_values().collect(),
            metrics: state.metrics.clone(),
            ..StepResult::default()
        })
    }
}
