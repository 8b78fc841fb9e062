//! A design that a program starts a flow on: what `tapeout run` does, without a command line and a terminal.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use tapeout_config::{Diagnostic, Loader, SourceMap};
use tapeout_engine::{Failure, serve_if_asked};
use tapeout_flow::{Again, Ended, Plan, PlanError, Registry, Run, StepStatus, Value};
use tapeout_model::Severity;

use crate::tools;

/// A directory with the sources of a design, and its configuration: files, values, or both.
///
/// [`Design::start`] is the way to run a flow on it. The environment counts as it does on the command line, and so do
/// recorded results: what is still good does not run again. Nothing is printed.
///
/// A program that runs tools this way calls [`serve_if_asked`](crate::serve_if_asked) first thing in its `main`.
///
/// ```
/// use tapeout::Design;
/// use tapeout::flow::{Completed, Failure, Flow, Registry, Session, Step, StepCx, StepInfo, StepResult};
/// use tapeout::flow::{StepStatus, Type, Variable};
///
/// /// Counts the lines of a source. It runs no tool.
/// struct Lines;
///
/// impl Step for Lines {
///     fn info(&self) -> StepInfo {
///         let source = Variable::new("SOURCE", Type::Path, "The file whose lines are counted.");
///         StepInfo::new("My.Lines", "Count lines", "Counts lines.", "1").measures(&["lines"]).variables([source])
///     }
///
///     fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
///         Ok(Vec::new())
///     }
///
///     fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
///         let text = cx.read_source(cx.config.str("SOURCE"))?.unwrap_or_default();
///         let lines = text.iter().filter(|byte| **byte == b'\n').count();
///         Ok(StepResult::default().metric("lines", lines as i64))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut registry = Registry::default();
/// registry.add_step(Lines).add_flow(Flow::new("MyFlow", "", &["My.Lines"]));
///
/// # let dir = tempfile::tempdir()?;
/// # std::fs::write(dir.path().join("spm.v"), "module spm;\nendmodule\n")?;
/// # let design_dir = dir.path();
/// let spm = Design::new(design_dir).set("DESIGN_NAME", "spm").set("SOURCE", "dir::spm.v").flow("MyFlow");
/// let ended = spm.start(&registry)?;
/// assert_eq!(ended.state.metrics["lines"].as_f64(), Some(2.0));
/// let steps: Vec<(&str, StepStatus)> = ended.steps().map(|step| (step.id.as_str(), step.status)).collect();
/// assert_eq!(steps, [("My.Lines", StepStatus::Done)]);
///
/// let again = spm.start(&registry)?;
/// assert!(again.steps().all(|step| step.status == StepStatus::Reused));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Design {
    dir: PathBuf,
    files: Vec<PathBuf>,
    values: Vec<(String, Value)>,
    flow: Option<String>,
    tag: String,
}

impl Design {
    /// The design in a directory. Paths in its configuration are relative to that, and runs are in its `runs`.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into(), files: Vec::new(), values: Vec::new(), flow: None, tag: "default".to_owned() }
    }

    /// Adds a configuration file, seen from the design's directory. Of two that give a variable, the later wins.
    #[must_use]
    pub fn file(mut self, path: impl Into<PathBuf>) -> Self {
        self.files.push(path.into());
        self
    }

    /// Gives a variable a value, as a file would. It beats the files; of two values, the later wins.
    #[must_use]
    pub fn set(mut self, variable: &str, value: impl Into<Value>) -> Self {
        self.values.retain(|(name, _)| name != variable);
        self.values.push((variable.to_owned(), value.into()));
        self
    }

    /// Says which flow is started; without it, the one that `meta.flow` of a file names.
    #[must_use]
    pub fn flow(mut self, name: &str) -> Self {
        self.flow = Some(name.to_owned());
        self
    }

    /// Says under which tag it runs; without it, under `default`.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.tag);
        self
    }

    /// Starts the flow and waits for its end: the last state, and the steps in order.
    ///
    /// # Errors
    /// What keeps the flow from starting; and a flow that did not end well, with all there is of it.
    pub fn start(&self, registry: &Registry) -> Result<Ended, StartError> {
        // In a program that has not called it, the guard would start the flow once more.
        serve_if_asked();
        let mut sources = SourceMap::new();
        let loader = Loader {
            design_dir: Some(self.dir.clone()),
            files: self.files.iter().map(|file| self.dir.join(file)).collect(),
            mapping: (!self.values.is_empty()).then(|| Value::Map(self.values.clone())),
            ..tools::loader()
        };
        let plan = Plan::load(registry, loader, self.flow.as_deref(), &mut sources)
            .map_err(|PlanError(diagnostics)| StartError::Plan { diagnostics, sources: Arc::new(sources) })?;
        plan.require_steps()?;
        let engine = tools::engine(registry, &plan)?;
        tools::require_tools(&engine, &plan)?;
        let ended = Run::new(&plan, &engine, &self.tag)?.execute(|_| Again::No, |_, _| {})?;
        if ended.summary.class.is_some() { Err(StartError::Ended(Box::new(ended))) } else { Ok(ended) }
    }
}

/// Why a flow did not come to a good end. Shows as a user reads it, also where a `main` returns it.
#[derive(Clone)]
pub enum StartError {
    /// The configuration is wrong, or does not fit the flow: nothing was started.
    Plan {
        /// All that is wrong.
        diagnostics: Vec<Diagnostic>,
        /// The texts that they point into.
        sources: Arc<SourceMap>,
    },
    /// A tool is missing, the store cannot be opened, another process is at the same run.
    Failure(Box<Failure>),
    /// The flow ran, and a step or the flow itself failed.
    Ended(Box<Ended>),
}

impl From<Failure> for StartError {
    fn from(failure: Failure) -> Self {
        Self::Failure(Box::new(failure))
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan { diagnostics, sources } => {
                let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
                let texts: Vec<String> = errors.map(|diagnostic| diagnostic.render(sources, false)).collect();
                f.write_str(&texts.join("\n\n"))
            }
            Self::Failure(failure) => {
                f.write_str(&failure.message)?;
                failure.words.iter().chain(&failure.hint).try_for_each(|line| write!(f, "\n  {line}"))
            }
            Self::Ended(ended) => {
                let summary = &ended.summary;
                write!(f, "the flow `{}` of `{}` did not end well", summary.flow, summary.design)?;
                let failed = |status| matches!(status, StepStatus::Failed | StepStatus::CheckFailed);
                for step in summary.steps.iter().filter(|step| failed(step.status) && !step.handled) {
                    write!(f, "\n  {}: {}", step.id, step.reason.as_deref().unwrap_or("it failed"))?;
                }
                let own = ended.failures.iter().filter(|(step, _)| step.is_none());
                own.map(|(_, failure)| failure).try_for_each(|failure| write!(f, "\n  {failure}"))
            }
        }
    }
}

/// What the process says of an error that its `main` returns is this: it had better be words.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for StartError {}
