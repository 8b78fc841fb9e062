//! Flows that tasks ask for. The steps are jobs of their own, so that a change runs only what it concerns; their files are
//! in numbered subdirectories of the target's, below the name of the flow.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tapeout_config::{Diagnostic, Loader, SourceMap, matching};
use tapeout_engine::{Failure, Job, JobId, KeyHasher};
use tapeout_model::{Class, Data, FilePath, Metrics, Output, Severity, Value, Verdict, View};
use tapeout_store::Entry;

use super::TaskCx;
use super::job::setting;
use crate::custom::Program;
use crate::cx::slug;
use crate::flow_job::FlowJob;
use crate::{Comparison, InitialState, Plan, PlanError, PlannedStep, Registry};

/// What a task asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowThing {
    /// A flow by its name.
    Flow(String),
    /// The flow of a configuration, which is a file of the project's.
    File(String),
    /// These steps, one after the other.
    Steps(Vec<String>),
}

/// A flow, and what it begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowCall {
    /// Which.
    pub thing: FlowThing,
    /// Variables; they beat those of a configuration.
    pub config: Vec<(String, Data)>,
    /// Files that are there before the first step, by format.
    pub views: Vec<(String, FilePath)>,
    /// The name of the directory that its files are in; that of the flow if it has none.
    pub label: Option<String>,
    /// Whether the task fails where a check does that lets the other steps go on.
    pub check: bool,
}

impl FlowCall {
    /// A flow with nothing but what its configuration says.
    #[must_use]
    pub fn new(thing: FlowThing) -> Self {
        Self { thing, config: Vec::new(), views: Vec::new(), label: None, check: true }
    }

    /// Gives a variable a value.
    #[must_use]
    pub fn set(mut self, variable: &str, value: impl Into<Data>) -> Self {
        self.config.push((variable.to_owned(), value.into()));
        self
    }
}

/// The last state of a flow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowResult {
    /// Its views by format.
    pub views: BTreeMap<String, View<FilePath>>,
    /// Its metrics.
    pub metrics: Metrics,
    /// Which check failed, and why.
    pub failed: Option<String>,
}

/// What plans flows: all steps and flows that there are, and how configurations are read here.
#[derive(Clone)]
pub struct FlowPlanner {
    registry: Arc<Registry>,
    loader: Loader,
}

/// A request as it is planned: all paths are relative to the project, or absolute.
#[derive(serde::Serialize, serde::Deserialize)]
struct Request {
    file: Option<String>,
    flow: Option<String>,
    steps: Vec<String>,
    config: serde_json::Value,
    views: Vec<(String, String)>,
}

impl FlowPlanner {
    /// `loader`: how configurations are read; without one of its own. Its design directory is that of the project.
    #[must_use]
    pub fn new(registry: Arc<Registry>, loader: Loader) -> Self {
        Self { registry, loader }
    }

    /// What is planned for a request, as one digest: the setting of a target that asks for it.
    pub(super) fn setting(&self, request: &str) -> Option<String> {
        let plan = self.plan(&serde_json::from_str(request).ok()?).ok()?;
        let mut key = KeyHasher::new("plan");
        key.text(&plan.flow).text(&plan.resolved().to_string());
        let mut add = |step: &PlannedStep| {
            let left_out = step.left_out.as_deref().unwrap_or_default();
            key.text(&step.id).text(left_out).digest(Some(&plan.identity_of(step)));
        };
        plan.steps.iter().for_each(|step| add(step));
        if let Some(program) = &plan.program {
            program.steps(&plan.config).for_each(|step| add(&step));
            key.text(&program.flow.implementation());
        }
        Some(key.finish().to_string())
    }

    fn plan(&self, request: &Request) -> Result<Plan, Failure> {
        let root = self.loader.design_dir.clone().unwrap_or_default();
        let mut mapping = match value_of(&request.config) {
            Value::Map(entries) => entries,
            _ => Vec::new(),
        };
        if !request.steps.is_empty() {
            let steps = request.steps.iter().cloned().map(Value::Str).collect();
            let meta = vec![("version".to_owned(), Value::Int(2)), ("flow".to_owned(), Value::List(steps))];
            mapping.insert(0, ("meta".to_owned(), Value::Map(meta)));
        }
        let views: Vec<(String, PathBuf)> =
            request.views.iter().map(|(format, path)| (format.clone(), root.join(path))).collect();
        let (initial, mut errors) = InitialState::read(&[], &views, &root);
        let loader = Loader {
            files: request.file.iter().map(|file| root.join(file)).collect(),
            mapping: (!mapping.is_empty()).then_some(Value::Map(mapping)),
            ..self.loader.clone()
        };
        let mut sources = SourceMap::new();
        let plan = Plan::load_from(&self.registry, loader, request.flow.as_deref(), initial, &mut sources);
        match plan {
            Ok(plan) if errors.is_empty() => Ok(plan),
            Ok(_) => Err(unplanned(&errors, &sources)),
            Err(PlanError(more)) => {
                errors.extend(more);
                Err(unplanned(&errors, &sources))
            }
        }
    }
}

/// What is wrong with a plan, as the failure of the task that asked for it.
fn unplanned(errors: &[Diagnostic], sources: &SourceMap) -> Failure {
    let errors: Vec<String> = (errors.iter())
        .filter(|error| error.severity == Severity::Error)
        .map(|error| error.one_line(sources).replacen("error: ", "", 1))
        .collect();
    let failure = Failure::new(Class::Input, format!("the flow cannot be planned: {}", errors.join("; ")));
    failure.hint("nothing of it was started")
}

/// A value as configurations have it.
fn value_of(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Null,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(number) => match number.as_i64() {
            Some(i) => Value::Int(i),
            None => number.to_string().parse().map_or_else(|_| Value::Str(number.to_string()), Value::Decimal),
        },
        serde_json::Value::String(text) => Value::Str(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value_of).collect()),
        serde_json::Value::Object(map) => {
            Value::Map(map.iter().map(|(name, value)| (name.clone(), value_of(value))).collect())
        }
    }
}

impl TaskCx<'_, '_> {
    /// Has a flow run, and waits for its end. Its steps run at the side of each other and of other targets; those whose
    /// recorded results are good do not run.
    ///
    /// # Errors
    /// When it cannot be planned; when a step fails, or a check of one.
    pub fn flow(&mut self, call: &FlowCall) -> Result<FlowResult, Failure> {
        self.job.leave_driver()?;
        let request = self.request(call)?;
        let plan = self.target.site.planner.plan(&request)?;
        plan.require_steps()?;
        let text = serde_json::to_string(&request).map_err(|error| Failure::new(Class::Internal, error.to_string()))?;
        self.job.setting(&setting::flow(&text));
        let label = self.label(call, &plan);
        let jobs = self.start_steps(&plan, &label)?;
        let parts = match &plan.program {
            Some(program) => self.conduct(&plan, program, &label, jobs)?,
            None => jobs.into_iter().map(|(index, job)| (Arc::clone(&plan.steps[index]), job)).collect(),
        };
        let mut result = FlowResult::default();
        for (step, job) in &parts {
            let entry = self.job.wait(*job).map_err(|failure| of_step(step, failure))?;
            self.take_step(&entry, &format!("{label}/{}", step.dir), &mut result);
            match &entry.record().verdict {
                Verdict::Failed { reason, hint } if !step.defers_check => {
                    let failure = Failure { hint: hint.clone(), ..Failure::new(Class::Check, reason.as_str()) };
                    return Err(of_step(step, failure));
                }
                Verdict::Failed { reason, .. } => _ = result.failed.get_or_insert(format!("{}: {reason}", step.id)),
                Verdict::Broke { reason, hint } => {
                    let failure = Failure { hint: hint.clone(), ..Failure::new(Class::Tool, reason.as_str()) };
                    return Err(of_step(step, failure));
                }
                Verdict::NotChecked { reason } => self.say(&format!("{}: not checked: {reason}", step.id)),
                Verdict::Passed => {}
            }
        }
        match &result.failed {
            Some(failed) if call.check => Err(Failure::new(Class::Check, failed.as_str())),
            _ => Ok(result),
        }
    }

    /// Asks for the steps of a plan. Gives the job of each by its index.
    fn start_steps(&mut self, plan: &Plan, label: &str) -> Result<BTreeMap<usize, JobId>, Failure> {
        let mut jobs: BTreeMap<usize, JobId> = BTreeMap::new();
        for (index, step) in plan.running() {
            let id = format!("{}/{label}/{}", self.target.name(), step.id);
            let inputs = step.inputs.iter().map(|(part, maker)| (part.clone(), jobs[maker])).collect();
            let after = if step.info.acts_outside { jobs.values().copied().collect() } else { Vec::new() };
            let mut named = step.clone();
            named.id = id;
            let job = Job { after, ..plan.job(&named, inputs, None) };
            jobs.insert(index, self.job.start(job)?);
        }
        Ok(jobs)
    }

    /// Takes over what a step has made: its files, below `dir`, and what it gives to the state.
    fn take_step(&mut self, entry: &Entry, dir: &str, result: &mut FlowResult) {
        let inside = |file: &Output| Output { path: format!("{dir}/{}", file.path), ..file.clone() };
        let record = entry.record();
        let files = record.outputs.iter().chain(&entry.attempt().log).map(inside);
        self.files.extend(files.map(|file| (file.path.clone(), file)));
        self.job.attempt_of_part(entry, dir);
        let cwd = self.cwd();
        for (format, view) in &record.views {
            let view = view.map(&mut |path: &String| cwd.join(&format!("{dir}/{path}")));
            result.views.insert(format.clone(), view);
        }
        result.metrics.extend(record.metrics.clone());
        self.alerts.extend(record.alerts.iter().cloned());
    }

    /// Runs the program of a flow. Gives the steps on the way to its last state.
    fn conduct(
        &mut self,
        plan: &Plan,
        program: &Program,
        label: &str,
        initial: BTreeMap<usize, JobId>,
    ) -> Result<Vec<(Arc<PlannedStep>, JobId)>, Failure> {
        let name = format!("{}/{label}", self.target.name());
        let dir = self.target.project().root().join(self.hidden_dir()).join(label);
        let flow = FlowJob::part_of(name, plan, program.clone(), dir, initial.into_values().collect());
        self.job.conduct(|conductor| flow.conduct(conductor))??;
        let comparisons = std::mem::take(&mut flow.progress().comparisons);
        for (name, text) in comparisons.iter().map(Comparison::csv) {
            let file = self.job.write_output(text.as_bytes(), &format!("{label}/{name}"))?;
            self.files.insert(file.path.clone(), file);
        }
        let way = flow.way().unwrap_or_default();
        Ok(way.into_iter().map(|(step, job)| (flow.cast.step(step), job)).collect())
    }

    /// The name of the directory of a flow's files: another for each time.
    fn label(&mut self, call: &FlowCall, plan: &Plan) -> String {
        let name = match (&call.label, &call.thing) {
            (Some(label), _) => slug(label),
            (None, FlowThing::Steps(steps)) if steps.len() == 1 => slug(&steps[0]),
            (None, _) => slug(&plan.flow),
        };
        let asked = self.flows.entry(name.clone()).or_insert(0);
        *asked += 1;
        if *asked == 1 { name } else { format!("{name}-{}", *asked - 1) }
    }

    fn request(&mut self, call: &FlowCall) -> Result<Request, Failure> {
        let (file, flow, steps) = match &call.thing {
            FlowThing::Flow(name) => (None, Some(name.clone()), Vec::new()),
            FlowThing::File(file) => {
                self.input(file)?;
                (Some(file.clone()), None, Vec::new())
            }
            FlowThing::Steps(steps) => (None, None, steps.clone()),
        };
        let config = call.config.iter().map(|(name, datum)| Ok((name.clone(), self.given(datum)?)));
        let config: serde_json::Map<_, _> = config.collect::<Result<_, Failure>>()?;
        let views = call.views.iter().map(|(format, path)| Ok((format.clone(), self.on_disk(path)?)));
        let views = views.collect::<Result<_, Failure>>()?;
        Ok(Request { file, flow, steps, config: config.into(), views })
    }

    /// A value for a variable: paths are those of files that a tool can read where they are.
    fn given(&mut self, datum: &Data) -> Result<serde_json::Value, Failure> {
        Ok(match datum {
            Data::Path(path) => self.on_disk(path)?.into(),
            Data::List(items) | Data::Tuple(items) => {
                items.iter().map(|item| self.given(item)).collect::<Result<Vec<_>, _>>()?.into()
            }
            Data::Map(entries) => {
                let entries = entries.iter().map(|(name, value)| Ok((name.clone(), self.given(value)?)));
                entries.collect::<Result<serde_json::Map<_, _>, Failure>>()?.into()
            }
            other => other.to_json(),
        })
    }

    /// Where files are put of a target that is not there yet, seen from the project.
    fn hidden_dir(&self) -> String {
        format!("{}/.files/{}", self.target.build_dir(), self.cwd())
    }

    /// A file as one of the project's: its path, relative to it or absolute. Those that the task has made have no place yet:
    /// all of them are put side by side in a directory that is hidden in the build directory, so that one that names
    /// another finds it.
    fn on_disk(&mut self, path: &FilePath) -> Result<String, Failure> {
        let Some(own) = self.own_path(path) else {
            self.take(path)?;
            return Ok(self.source_of(path));
        };
        if !own.is_empty() && self.files_at(own).next().is_none() {
            let message = format!("`{own}` is no file that `{}` has made", self.target.name());
            return Err(Failure::new(Class::Input, message).hint(self.own_files()));
        }
        let dir = self.hidden_dir();
        let root = self.target.project().root().join(&dir);
        for stale in matching(&root, "**/*").unwrap_or_default() {
            if !self.files.contains_key(&stale) {
                // Best effort: what cannot be removed is seen when it is read.
                let _ = std::fs::remove_file(root.join(stale));
            }
        }
        for output in self.files.values() {
            self.job.place(output, &format!("{dir}/{}", output.path))?;
        }
        Ok(if own.is_empty() { dir } else { format!("{dir}/{own}") })
    }
}

fn of_step(step: &PlannedStep, failure: Failure) -> Failure {
    Failure { message: format!("{}: {}", step.id, failure.message), ..failure }
}
