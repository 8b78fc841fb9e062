//! Steps: the unit of work of a flow.

use std::borrow::Cow;
use std::sync::Arc;

use tapeout_config::{Config, Variable};
use tapeout_engine::{Failure, Identity, Invocation};
use tapeout_model::{Alert, Class, Metric, Metrics, Output, Verdict, View};
use tapeout_store::Entry;

use crate::{Action, StepCx};

/// A view that a step reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Needs {
    /// The id of its format.
    pub format: String,
    /// Whether the step can do without.
    pub optional: bool,
}

/// What is known of a step before it runs.
#[derive(Clone, Debug)]
pub struct StepInfo {
    /// `Tool.Name`, by which flows and hooks name it.
    pub id: &'static str,
    /// What it does, in a few words, for the progress display.
    pub name: &'static str,
    /// What it does and how it judges success, for the reference.
    pub doc: &'static str,
    /// The views it reads.
    pub inputs: Vec<Needs>,
    /// The metrics it reads, each if there is one of that name.
    pub metrics: Vec<String>,
    /// What the names of further metrics begin with that it reads: one for each corner, for example, whose names are
    /// known only after a run.
    pub metric_prefixes: Vec<String>,
    /// The formats of the views it makes.
    pub outputs: Vec<&'static str>,
    /// The metrics it measures that other steps may read.
    pub measures: Vec<String>,
    /// What the names of further metrics begin with that it measures and other steps may read.
    pub measured_prefixes: Vec<&'static str>,
    /// The variables it may read. Of these, a result depends on those that were read when it was made.
    pub variables: Vec<Variable>,
    /// Those of its variables that, in a flow with another step that reads one of the same name, are what they are there.
    pub yields: Vec<&'static str>,
    /// The tools it runs.
    pub tools: Vec<&'static str>,
    /// What it is for.
    pub action: Option<Action>,
    /// The sections of what its tools are told, in order. Which of them have text may depend on the configuration.
    pub sections: Vec<SectionInfo>,
    /// What changes with its implementation, such as a digest or a version: another text makes recorded results void.
    /// For a step in a file of its own, the text of that file will do: `include_str!("my_step.rs")`.
    pub implementation: &'static str,
    /// Whether a check that fails here is reported at the end instead of stopping the flow.
    pub defers_check: bool,
    /// Whether it changes something outside, such as a board: it then runs each time, and after all steps before it
    /// have passed.
    pub acts_outside: bool,
    /// The view that it is about: where no step before it makes one, it is left out.
    pub subject: Option<&'static str>,
    /// The vocabulary that describes it, if that is all there is of it: it can be planned and cannot run. Its variables
    /// are then among those of the vocabulary.
    pub vocabulary: Option<&'static str>,
}

impl StepInfo {
    /// A step that reads nothing and makes nothing yet.
    #[must_use]
    pub fn new(id: &'static str, name: &'static str, doc: &'static str, implementation: &'static str) -> Self {
        Self {
            id,
            name,
            doc,
            inputs: Vec::new(),
            metrics: Vec::new(),
            metric_prefixes: Vec::new(),
            outputs: Vec::new(),
            measures: Vec::new(),
            measured_prefixes: Vec::new(),
            variables: Vec::new(),
            yields: Vec::new(),
            tools: Vec::new(),
            action: None,
            sections: Vec::new(),
            implementation,
            defers_check: false,
            acts_outside: false,
            subject: None,
            vocabulary: None,
        }
    }

    /// Adds a view that it cannot do without.
    #[must_use]
    pub fn needs(mut self, format: &str) -> Self {
        self.inputs.push(Needs { format: format.to_owned(), optional: false });
        self
    }

    /// Adds a view that it reads if there is one.
    #[must_use]
    pub fn takes(mut self, format: &str) -> Self {
        self.inputs.push(Needs { format: format.to_owned(), optional: true });
        self
    }

    /// Adds the view that it is about. Where no step before it makes one, the step is left out. A step that makes it may
    /// still have none to give.
    #[must_use]
    pub fn about(mut self, format: &'static str) -> Self {
        self.subject = Some(format);
        self.takes(format)
    }

    /// Adds a metric that it reads if there is one.
    #[must_use]
    pub fn reads_metric(mut self, name: &str) -> Self {
        self.metrics.push(name.to_owned());
        self
    }

    /// Adds all metrics whose names begin like this and that one step has measured: the last one before it that says
    /// so.
    #[must_use]
    pub fn reads_metrics(mut self, prefix: &str) -> Self {
        self.metric_prefixes.push(prefix.to_owned());
        self
    }

    /// Adds views that it makes.
    #[must_use]
    pub fn makes(mut self, formats: &[&'static str]) -> Self {
        self.outputs.extend(formats);
        self
    }

    /// Adds metrics that it measures and other steps may read.
    #[must_use]
    pub fn measures(mut self, names: &[&str]) -> Self {
        self.measures.extend(names.iter().map(|name| (*name).to_owned()));
        self
    }

    /// Adds metrics that it measures and other steps may read, by what their names begin with.
    #[must_use]
    pub fn measures_metrics(mut self, prefixes: &[&'static str]) -> Self {
        self.measured_prefixes.extend(prefixes);
        self
    }

    /// The metrics it reads, for people: `NAME`, and `PREFIX*` for all that begin like this.
    #[must_use]
    pub fn metric_patterns(&self) -> Vec<String> {
        patterns(self.metrics.iter().map(String::as_str), self.metric_prefixes.iter().map(String::as_str))
    }

    /// The metrics it measures, in the same form.
    #[must_use]
    pub fn measured_patterns(&self) -> Vec<String> {
        patterns(self.measures.iter().map(String::as_str), self.measured_prefixes.iter().copied())
    }

    /// Whether it reads a metric of that name.
    pub(crate) fn sees_metric(&self, name: &str) -> bool {
        self.metrics.iter().any(|known| known == name)
            || self.metric_prefixes.iter().any(|prefix| name.starts_with(prefix))
    }

    /// Adds variables that it reads.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = Variable>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Lets other steps of its flow say what these variables are: for a step that serves flows in which they differ.
    #[must_use]
    pub fn yields(mut self, variables: &[&'static str]) -> Self {
        self.yields.extend(variables);
        self
    }

    /// Adds tools that it runs.
    #[must_use]
    pub fn tools(mut self, tools: &[&'static str]) -> Self {
        self.tools.extend(tools);
        self
    }

    /// Says what it is for.
    #[must_use]
    pub fn action(mut self, action: Action) -> Self {
        self.action = Some(action);
        self
    }

    /// Adds sections, each with what it does. Hooks address them as `Step.Id/section`.
    #[must_use]
    pub fn sections(mut self, sections: &[(&'static str, &'static str)]) -> Self {
        self.sections.extend(sections.iter().map(|(name, doc)| SectionInfo { name, doc }));
        self
    }

    /// Says that it changes something outside.
    #[must_use]
    pub fn acts_outside(mut self) -> Self {
        self.acts_outside = true;
        self
    }

    /// Lets a flow go on after a check of this step failed; the run fails at its end.
    #[must_use]
    pub fn defers_check(mut self) -> Self {
        self.defers_check = true;
        self
    }
}

fn patterns<'a>(names: impl Iterator<Item = &'a str>, prefixes: impl Iterator<Item = &'a str>) -> Vec<String> {
    names.map(str::to_owned).chain(prefixes.map(|prefix| format!("{prefix}*"))).collect()
}

/// What a step does.
pub trait Step: Send + Sync {
    /// The step's descriptor. Called once, when the step is registered.
    fn info(&self) -> StepInfo;

    /// What else it is, beside its implementation: arguments of its own that are no variables. Results of other arguments
    /// are those of another step.
    fn identify(&self, identity: &mut Identity<'_>) {
        let _ = identity;
    }

    /// Why the step has nothing to do with this configuration, if so: the plan then leaves it out and says why.
    ///
    /// This, [`Step::tools`] and [`Step::check`] are asked each time a plan is made. What they read of the configuration is
    /// no read of the step's result: that is what [`Step::prepare`] and those after it read.
    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        let _ = config;
        None
    }

    /// Which of its tools it runs with this configuration; all, if it does not say. They are looked for and reserved;
    /// what runs is what [`Step::prepare`] says, which must read for itself what that depends on.
    fn tools(&self, config: &Config) -> Vec<&'static str> {
        let _ = config;
        self.info().tools
    }

    /// What is wrong with the configuration beyond the types of variables, found before any tool starts.
    ///
    /// # Errors
    /// The name of the variable at fault, or nothing where no single one is, and what is wrong with it.
    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        let _ = config;
        Ok(())
    }

    /// What to run. A pure function of what it reads through the context.
    ///
    /// # Errors
    /// When an input makes it impossible.
    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure>;

    /// What else to run, now that this came out: a failing simulation once more with waves, for example. Its sessions
    /// follow the first ones in what [`Step::collect`] gets.
    ///
    /// # Errors
    /// When an output makes it impossible.
    fn follow_up(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<Vec<Session>, Failure> {
        let _ = (cx, sessions);
        Ok(Vec::new())
    }

    /// What came out of it. A pure function of what it reads through the context and of the completed sessions, which
    /// are in the order of [`Step::prepare`].
    ///
    /// # Errors
    /// When the outputs are not what the tool promises.
    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure>;

    /// The complaints in a log: the first errors are shown when a tool fails.
    fn alerts(&self, log: &str) -> Vec<Alert> {
        let _ = log;
        Vec::new()
    }

    /// What to try when a tool failed with these words, if the step knows.
    fn advice(&self, log: &str) -> Option<String> {
        let _ = log;
        None
    }
}

/// What is known of a section before its step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SectionInfo {
    /// The name, unique within the step.
    pub name: &'static str,
    /// What it does.
    pub doc: &'static str,
}

/// A named part of a script. Hooks address it as `Step.Id/section`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// The name, unique within the step.
    pub name: Cow<'static, str>,
    /// Its text; a line break is added where it is missing.
    pub text: String,
}

/// A script that a tool reads: its sections in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file name in the work directory. Its end says which language it is.
    pub path: String,
    /// What begins a comment in its language.
    pub comment: &'static str,
    /// Its parts.
    pub sections: Vec<Section>,
    /// For a script that is there only where something is in it: the option that then gives it to the first command.
    pub given_by: Option<&'static str>,
    /// How it leaves what it has come to, if it can.
    pub checkpoints: Option<Checkpoints>,
    /// Sections that write an output of the step, each with its path.
    pub writes: Vec<(&'static str, String)>,
}

/// How a script saves what it has come to, and goes on from there. `{file}` in the commands stands for the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoints {
    /// The sections behind which one is left: those that change the design and take their time.
    pub behind: &'static [&'static str],
    /// The commands that save.
    pub save: &'static str,
    /// The commands that go on from what is saved, in a tool that has only been started.
    pub restore: &'static str,
    /// The end of the file's name: `il`.
    pub extension: &'static str,
}

impl Script {
    /// An empty script.
    #[must_use]
    pub fn new(path: impl Into<String>, comment: &'static str) -> Self {
        Self { path: path.into(), comment, sections: Vec::new(), given_by: None, checkpoints: None, writes: Vec::new() }
    }

    /// Adds a section.
    #[must_use]
    pub fn section(mut self, name: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        self.sections.push(Section { name: name.into(), text: text.into() });
        self
    }

    /// Has the script only where something is in it, and gives it to the first command by this option.
    #[must_use]
    pub fn given_by(mut self, option: &'static str) -> Self {
        self.given_by = Some(option);
        self
    }

    /// Lets it leave checkpoints.
    #[must_use]
    pub fn checkpoints(mut self, checkpoints: Checkpoints) -> Self {
        self.checkpoints = Some(checkpoints);
        self
    }

    /// Says that a section writes this output: who goes on from a checkpoint behind it has it from the run before.
    #[must_use]
    pub fn writes(mut self, section: &'static str, output: impl Into<String>) -> Self {
        self.writes.push((section, output.into()));
        self
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.sections.iter().all(|section| section.text.trim().is_empty())
    }

    /// The text that the tool reads.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::new();
        for section in &self.sections {
            text.push_str(&format!("{} section {}\n", self.comment, section.name));
            text.push_str(section.text.trim_end());
            text.push('\n');
        }
        text
    }
}

/// One session with tools: scripts, and the invocation that runs them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
    /// The scripts. They become inputs of the invocation.
    pub scripts: Vec<Script>,
    /// The calls.
    pub invocation: Invocation,
    /// The sections that are calls and no text of a script: the name of each, with the index of the command.
    pub calls: Vec<(&'static str, usize)>,
}

impl Session {
    /// An invocation with one script.
    #[must_use]
    pub fn of(script: Script, invocation: Invocation) -> Self {
        Self { scripts: vec![script], invocation, ..Self::default() }
    }

    /// Makes the command with this index a section.
    #[must_use]
    pub fn call(mut self, section: &'static str, command: usize) -> Self {
        self.calls.push((section, command));
        self
    }
}

impl From<Invocation> for Session {
    fn from(invocation: Invocation) -> Self {
        Self { invocation, ..Self::default() }
    }
}

/// A session that ran, now or earlier.
pub struct Completed {
    pub(crate) entry: Arc<Entry>,
    pub(crate) log: String,
    /// Where hooks stand beside its commands: the place to which each has come, if it is still there.
    pub(crate) places: Option<Vec<Option<usize>>>,
    /// What it has from the run before, as it has gone on from there.
    pub(crate) earlier: Vec<Output>,
}

impl Completed {
    /// What the tools said.
    #[must_use]
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The exit status of the command that had this index in the session of the step. One that hooks have taken out counts
    /// as well ended.
    #[must_use]
    pub fn status(&self, command: usize) -> i32 {
        let place = self.places.as_ref().map_or(Some(command), |places| places.get(command).copied().flatten());
        let Some(command) = place else { return 0 };
        self.entry.record().statuses.get(command).copied().unwrap_or_default()
    }

    /// The output at this path, if the tools wrote it.
    #[must_use]
    pub fn output(&self, path: &str) -> Option<&Output> {
        self.entry.record().output(path).or_else(|| self.earlier.iter().find(|output| output.path == path))
    }

    /// All that the tools wrote and the session declared.
    #[must_use]
    pub fn outputs(&self) -> &[Output] {
        &self.entry.record().outputs
    }
}

/// What came out of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepResult {
    /// Views by format id; the files are outputs of the sessions, or written by `collect`.
    pub views: std::collections::BTreeMap<String, View<String>>,
    /// Outputs that `collect` itself wrote.
    pub written: Vec<Output>,
    /// Measurements.
    pub metrics: Metrics,
    /// Complaints.
    pub alerts: Vec<Alert>,
    /// The judgement.
    pub verdict: Verdict,
}

impl StepResult {
    /// Adds a view of one file.
    #[must_use]
    pub fn view(mut self, format: &str, path: impl Into<String>) -> Self {
        self.views.insert(format.to_owned(), View::File(path.into()));
        self
    }

    /// Adds a metric.
    #[must_use]
    pub fn metric(mut self, name: &str, value: impl Into<Metric>) -> Self {
        self.metrics.insert(name.to_owned(), value.into());
        self
    }

    /// Adds complaints.
    #[must_use]
    pub fn alerts(mut self, alerts: impl IntoIterator<Item = Alert>) -> Self {
        self.alerts.extend(alerts);
        self
    }

    /// Says that a check failed.
    #[must_use]
    pub fn failed(mut self, reason: impl Into<String>, hint: Option<String>) -> Self {
        self.verdict = Verdict::Failed { reason: reason.into(), hint };
        self
    }
}

/// An output that is not what the tool's manual says: a tool error, with where it is.
pub(crate) fn unreadable(path: &str, reason: impl std::fmt::Display) -> Failure {
    Failure::new(Class::Tool, format!("cannot make sense of `{path}`: {reason}"))
}
