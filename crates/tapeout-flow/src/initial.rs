//! The initial state: files and measurements that are there before the first step of a plan. What they are is read here;
//! in the plan they are the result of a step of its own, so that the steps after it see them as those of any other.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tapeout_config::Diagnostic;
use tapeout_engine::{Failure, Identity};
use tapeout_model::{Class, DesignFormat, Output, State, View};

use crate::registry::Registered;
use crate::{Completed, Session, Step, StepCx, StepInfo, StepResult, design_format, load_state};

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
    /// What is wrong comes with it: a state file that is none, an unknown format, a file that is not there.
    #[must_use]
    pub fn read(states: &[PathBuf], views: &[(String, PathBuf)], design_dir: &Path) -> (Self, Vec<Diagnostic>) {
        let mut state = State::default();
        let mut errors = Vec::new();
        for file in states {
            match load_state(file) {
                Ok(later) => state = state.overlaid(later),
                Err(failure) => errors.push(diagnostic(failure)),
            }
        }
        for (format, path) in views {
            match design_format(format) {
                Ok(format) => _ = state.views.insert(format.id.to_owned(), View::File(path.clone())),
                Err(failure) => errors.push(diagnostic(failure)),
            }
        }
        for (key, path) in state.files().into_iter().filter(|(_, path)| !path.is_file()) {
            errors.push(Diagnostic::error(format!("the initial `{key}`: there is no file `{}`", path.display())));
        }
        (Self(state.map(|path| seen_from(design_dir, path))), errors)
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

fn diagnostic(failure: Failure) -> Diagnostic {
    let error = Diagnostic::error(failure.message);
    failure.hint.into_iter().fold(error, Diagnostic::help)
}

/// The path of a file from the design directory, absolute where it is outside of that.
fn seen_from(design_dir: &Path, file: &Path) -> String {
    // A file is known by the name it was given: only its directory is made plain.
    let real = |dir: &Path| fs::canonicalize(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }).ok();
    let full = file.parent().and_then(real).zip(file.file_name()).map(|(dir, name)| dir.join(name));
    let full = full.unwrap_or_else(|| file.to_owned());
    let inside = real(design_dir).and_then(|dir| full.strip_prefix(dir).ok().map(Path::to_owned));
    inside.unwrap_or(full).to_string_lossy().into_owned()
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
            .measures(&self.0.metrics().collect::<Vec<_>>())
    }

    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part(STATE, &self.0.0.to_json().to_string());
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
