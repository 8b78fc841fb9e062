//! The plan: everything a run will do, complete and validated before any tool starts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use tapeout_config::{Config, Diagnostic, Loader, SourceMap, Type, Variable};
use tapeout_engine::{Claims, Graph, Job, JobId, Part};
use tapeout_model::ToolSettings;

use crate::cx::slug;
use crate::initial::INITIAL_STATE;
use crate::job::StepJob;
use crate::registry::Registered;
use crate::{Configured, InitialState, Registry, Step, StepAttempt, StepInfo};

/// A step in its place in a plan.
#[derive(Clone)]
pub struct PlannedStep {
    /// Its id in this flow: that of the step, with `-1`, `-2`, … where a step stands there again.
    pub id: String,
    /// The directory of its views in the run: `04-yosys-synthice40`.
    pub dir: String,
    /// Its descriptor.
    pub info: Arc<StepInfo>,
    /// Why it is left out, if it is.
    pub left_out: Option<String>,
    /// Where each part that it reads comes from, as an index into the plan's steps.
    pub inputs: Vec<(Part, usize)>,
    step: Arc<dyn Step>,
    config: Config,
}

impl PlannedStep {
    /// Whether it stands for the initial state, and is no step of the flow.
    #[must_use]
    pub fn is_initial_state(&self) -> bool {
        self.id == INITIAL_STATE
    }

    /// The variables that it reads, with their values.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }
}

/// A validated plan.
#[derive(Clone)]
pub struct Plan {
    /// The flow's name.
    pub flow: String,
    /// The whole configuration.
    pub config: Config,
    /// All steps in order, those left out included. Where there is an initial state, a step that stands for it is the
    /// first.
    pub steps: Vec<PlannedStep>,
    /// What is not wrong but worth saying.
    pub warnings: Vec<Diagnostic>,
}

/// All that is wrong with a plan.
#[derive(Clone, Debug)]
pub struct PlanError(pub Vec<Diagnostic>);

/// `DESIGN_NAME`, which nearly every step reads.
#[must_use]
pub fn design_name() -> Variable {
    Variable::new("DESIGN_NAME", Type::Str, "The name of the top module. Also the stem of the files that are made.")
}

/// The variables that belong to every flow.
#[must_use]
pub fn universal_variables() -> Vec<Variable> {
    vec![
        design_name(),
        Variable::new(
            "WAIVED_ALERTS",
            Type::list(Type::Str),
            "Codes of warnings that are known and accepted, such as `verilator.UNUSEDSIGNAL`; `*` and `?` match as in \
             file names. A waived warning is still in the log.",
        )
        .default(Vec::<String>::new()),
    ]
}

impl Plan {
    /// Reads a configuration and makes the plan of the flow that it, or `flow`, names.
    ///
    /// # Errors
    /// All that is wrong with the configuration, the flow and the steps' inputs.
    pub fn load(
        registry: &Registry,
        loader: Loader,
        flow: Option<&str>,
        sources: &mut SourceMap,
    ) -> Result<Self, PlanError> {
        Self::load_from(registry, loader, flow, InitialState::default(), sources)
    }

    /// The same, for a flow that begins with an initial state. Its steps may need views of that.
    ///
    /// # Errors
    /// As [`Plan::load`].
    pub fn load_from(
        registry: &Registry,
        loader: Loader,
        flow: Option<&str>,
        initial: InitialState,
        sources: &mut SourceMap,
    ) -> Result<Self, PlanError> {
        Configured::load_to_run(registry, loader, flow, initial, sources)
    }

    pub(crate) fn new(
        flow: String,
        steps: Vec<Registered>,
        initial: InitialState,
        config: Config,
        warnings: Vec<Diagnostic>,
    ) -> Result<Self, PlanError> {
        let ids = unique_ids(steps.iter().map(|step| step.info.id));
        let digits = steps.len().to_string().len().max(2);
        let mut errors = Vec::new();
        let mut makers: BTreeMap<Part, usize> = BTreeMap::new();
        let mut planned = Vec::new();
        // The initial state has number 0, so that the numbers of the steps are the same with and without.
        let first = usize::from(initial.is_empty());
        let mut steps: Vec<(Registered, String)> = steps.into_iter().zip(ids).collect();
        if !initial.is_empty() {
            makers.extend(initial.metrics().map(|name| (Part::Metric(name.to_owned()), 0)));
            steps.insert(0, (initial.into_step(), INITIAL_STATE.to_owned()));
        }
        for (index, (Registered { step, info }, id)) in steps.into_iter().enumerate() {
            let left_out = step.nothing_to_do(&config);
            let mut inputs = Vec::new();
            if left_out.is_none() {
                if let Err((variable, message)) = step.check(&config) {
                    errors.push(at_variable(&config, variable, message));
                }
                for needs in &info.inputs {
                    let part = Part::View(needs.format.clone());
                    match makers.get(&part) {
                        Some(maker) => inputs.push((part, *maker)),
                        None if needs.optional => {}
                        None => errors.push(
                            Diagnostic::error(format!(
                                "`{id}` needs a view `{}`, and no step before it makes one",
                                needs.format
                            ))
                            .help(format!("`-e {}=FILE` gives one that is there before the first step", needs.format)),
                        ),
                    }
                }
                for metric in &info.metrics {
                    let part = Part::Metric(metric.clone());
                    inputs.extend(makers.get(&part).map(|maker| (part, *maker)));
                }
                for format in &info.outputs {
                    makers.insert(Part::View((*format).to_owned()), index);
                }
                for metric in &info.measures {
                    makers.insert(Part::Metric((*metric).to_owned()), index);
                }
            }
            let names: Vec<&str> = info.variables.iter().map(|variable| variable.name.as_ref()).collect();
            planned.push(PlannedStep {
                dir: format!("{:0digits$}-{}", index + first, slug(&id)),
                config: config.restricted_to(&names),
                id,
                info,
                left_out,
                inputs,
                step,
            });
        }
        if errors.is_empty() { Ok(Self { flow, config, steps: planned, warnings }) } else { Err(PlanError(errors)) }
    }

    /// The design's name.
    #[must_use]
    pub fn design(&self) -> &str {
        self.config.str("DESIGN_NAME")
    }

    /// The tools that its steps need, each once.
    #[must_use]
    pub fn tools(&self) -> Vec<&'static str> {
        let tools: BTreeSet<_> = self.running().flat_map(|(_, step)| step.step.tools(&self.config)).collect();
        tools.into_iter().collect()
    }

    /// The steps that are not left out, with their index in the plan.
    pub fn running(&self) -> impl Iterator<Item = (usize, &PlannedStep)> {
        self.steps.iter().enumerate().filter(|(_, step)| step.left_out.is_none())
    }

    /// The jobs of the plan: job `i` is the `i`-th of [`Plan::running`]. `last` tells how a step went last time.
    pub(crate) fn graph(&self, last: impl Fn(&str) -> Option<StepAttempt>, is_pinned: impl Fn(&str) -> bool) -> Graph {
        let mut graph = Graph::default();
        let mut jobs: BTreeMap<usize, JobId> = BTreeMap::new();
        for (index, step) in self.running() {
            let id = step.id.clone();
            let body =
                StepJob { id, step: Arc::clone(&step.step), info: Arc::clone(&step.info), config: step.config.clone() };
            let inputs = step.inputs.iter().map(|(part, maker)| (part.clone(), jobs[maker]));
            let inputs = if is_pinned(&step.id) { Vec::new() } else { inputs.collect() };
            let job = Job {
                inputs,
                after: if step.info.acts_outside { jobs.values().copied().collect() } else { Vec::new() },
                // What acts outside must wait for every check, so that none can be put off.
                defers_check: step.info.defers_check && !self.running().any(|(_, step)| step.info.acts_outside),
                always: step.info.acts_outside,
                claims: self.claims(step, last(&step.id)),
                expected_ms: last(&step.id).map_or(0, |last| last.wall_ms),
                ..Job::new(step.id.as_str(), Arc::new(body))
            };
            jobs.insert(index, graph.add(job));
        }
        graph
    }

    /// What a step needs while it runs: a core, the memory that it took last time, and one of each tool of which only so
    /// many may run at a time.
    fn claims(&self, step: &PlannedStep, last: Option<StepAttempt>) -> Claims {
        let settings = self.config.tools();
        let tools = step.step.tools(&step.config);
        let limited = tools.into_iter().filter(|tool| settings.get(*tool).is_some_and(|tool| tool.at_once.is_some()));
        Claims {
            memory_mib: last.map_or(0, |last| last.peak_kib / 1024),
            tokens: limited.map(|tool| (tool.to_owned(), 1)).collect(),
            ..Claims::default()
        }
    }

    /// The configuration as it came out, with the settings of tools: what `resolved.json` says.
    pub(crate) fn resolved(&self) -> serde_json::Value {
        let mut json = self.config.to_json();
        let set = |tool: &ToolSettings| {
            let ToolSettings { path, setup, prefix, env, at_once, timeout_s, no_licence } = tool;
            let all = json!({
                "path": path, "setup": setup, "prefix": prefix, "env": env, "at_once": at_once,
                "timeout_s": timeout_s, "no_licence": no_licence,
            });
            let is_set = |value: &serde_json::Value| !value.is_null() && *value != json!([]) && *value != json!({});
            let given = all.as_object().into_iter().flatten().filter(|(_, value)| is_set(value));
            given.map(|(key, value)| (key.clone(), value.clone())).collect::<serde_json::Map<_, _>>()
        };
        let tools = self.config.tools();
        if !tools.is_empty() {
            let tools: BTreeMap<&String, _> = tools.iter().map(|(name, tool)| (name, set(tool))).collect();
            json["tools"] = json!(tools);
        }
        json
    }

    /// How many of each tool may run at a time, where that is limited.
    #[must_use]
    pub fn tool_limits(&self) -> BTreeMap<String, u64> {
        let settings = self.config.tools().iter();
        settings.filter_map(|(name, tool)| Some((name.clone(), tool.at_once?))).collect()
    }
}

fn unique_ids<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    let mut unique = Vec::new();
    for id in ids {
        let times = seen.entry(id).or_default();
        unique.push(if *times == 0 { id.to_owned() } else { format!("{id}-{times}") });
        *times += 1;
    }
    unique
}

fn at_variable(config: &Config, variable: &str, message: String) -> Diagnostic {
    let error = Diagnostic::error(format!("`{variable}`: {message}"));
    match &config.setting(variable).origin.place {
        Some((_, span)) => error.at(*span, "set here"),
        None => error,
    }
}
