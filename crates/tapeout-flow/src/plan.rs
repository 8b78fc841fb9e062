//! The plan: everything a run will do, complete and validated before any tool starts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use tapeout_config::{Config, Diagnostic, Loader, SourceMap, Type, Variable};
use tapeout_engine::{Claims, Graph, Job, JobId, Part};
use tapeout_model::ToolSettings;

use crate::configure::Arranged;
use crate::cx::slug;
use crate::initial::INITIAL_STATE;
use crate::job::StepJob;
use crate::registry::Registered;
use crate::{Configured, Flow, InRange, InitialState, Registry, Step, StepAttempt, StepInfo};

/// A step in its place in a plan.
#[derive(Clone)]
pub struct PlannedStep {
    /// Its id in this flow: that of the step, with `-1`, `-2`, … where a step stands there again.
    pub id: String,
    /// The directory of its views in the run: `04-yosys-synthice40`.
    pub dir: String,
    /// Its descriptor.
    pub info: Arc<StepInfo>,
    /// Where the substitution is written that brought it there, if one did: `config.yaml:4:9`.
    pub origin: Option<String>,
    /// Why it is left out, if it is.
    pub left_out: Option<String>,
    /// Where it lies, seen from the part of the flow that is to run.
    pub in_range: InRange,
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

    /// Whether only the range leaves it out.
    pub(crate) fn is_beyond(&self) -> bool {
        matches!(self.in_range, InRange::Skipped | InRange::Outside)
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
    /// The metrics of the initial state.
    given: Vec<String>,
    /// What is not wrong but worth saying.
    pub warnings: Vec<Diagnostic>,
}

/// A view that a step needs and no step before it makes.
pub(crate) struct Missing {
    pub(crate) step: String,
    /// Where the edit is written that put the step there, if one did.
    edit: Option<String>,
    pub(crate) format: String,
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
        flow: &Flow,
        steps: Vec<Arranged>,
        initial: InitialState,
        config: Config,
        warnings: Vec<Diagnostic>,
        sources: &SourceMap,
    ) -> Result<Self, PlanError> {
        let digits = steps.len().to_string().len().max(2);
        let mut errors = Vec::new();
        let mut planned = Vec::new();
        // The initial state has number 0, so that the numbers of the steps are the same with and without.
        let first = usize::from(initial.is_empty());
        let given: Vec<String> = initial.metrics().map(str::to_owned).collect();
        let mut steps = steps;
        if !initial.is_empty() {
            steps.insert(0, Arranged { step: initial.into_step(), id: INITIAL_STATE.to_owned(), edit: None });
        }
        for (index, Arranged { step: Registered { step, info }, id, edit }) in steps.into_iter().enumerate() {
            let left_out = flow.closed_gate(&id, &config).or_else(|| step.nothing_to_do(&config));
            if left_out.is_none()
                && let Err((variable, message)) = step.check(&config)
            {
                errors.push(at_variable(&config, variable, message));
            }
            let names: Vec<&str> = info.variables.iter().map(|variable| variable.name.as_ref()).collect();
            planned.push(PlannedStep {
                dir: format!("{:0digits$}-{}", index + first, slug(&id)),
                config: config.restricted_to(&names),
                id,
                info,
                origin: edit.map(|span| sources.location(span).to_string()),
                left_out,
                in_range: InRange::Inside,
                inputs: Vec::new(),
                step,
            });
        }
        let mut plan = Self { flow: flow.name.clone(), config, steps: planned, given, warnings };
        errors.extend(plan.link().into_iter().map(|missing| {
            let message =
                format!("`{}` needs a view `{}`, and no step before it makes one", missing.step, missing.format);
            Diagnostic::error(message).help(match &missing.edit {
                Some(place) => format!("{place} puts it there"),
                None => format!("`-e {}=FILE` gives one that is there before the first step", missing.format),
            })
        }));
        if errors.is_empty() { Ok(plan) } else { Err(PlanError(errors)) }
    }

    /// Finds out anew where each step gets from what it reads: from the last step before it that makes it and is not left
    /// out. Gives what there is not of what steps cannot do without; steps that are held at a result have had it.
    pub(crate) fn link(&mut self) -> Vec<Missing> {
        let mut makers: BTreeMap<Part, usize> = BTreeMap::new();
        makers.extend(self.given.iter().map(|name| (Part::Metric(name.clone()), 0)));
        let mut missing = Vec::new();
        for (index, step) in self.steps.iter_mut().enumerate() {
            step.inputs.clear();
            if step.left_out.is_some() {
                continue;
            }
            for needs in &step.info.inputs {
                let part = Part::View(needs.format.clone());
                match makers.get(&part) {
                    Some(maker) => step.inputs.push((part, *maker)),
                    None if needs.optional || step.in_range == InRange::Held => {}
                    None => missing.push(Missing {
                        step: step.id.clone(),
                        edit: step.origin.clone(),
                        format: needs.format.clone(),
                    }),
                }
            }
            for metric in &step.info.metrics {
                let part = Part::Metric(metric.clone());
                step.inputs.extend(makers.get(&part).map(|maker| (part, *maker)));
            }
            for format in &step.info.outputs {
                makers.insert(Part::View((*format).to_owned()), index);
            }
            for metric in &step.info.measures {
                makers.insert(Part::Metric((*metric).to_owned()), index);
            }
        }
        missing
    }

    /// The design's name.
    #[must_use]
    pub fn design(&self) -> &str {
        self.config.str("DESIGN_NAME")
    }

    /// The tools that its steps need, each once.
    #[must_use]
    pub fn tools(&self) -> Vec<&'static str> {
        let inside = self.running().filter(|(_, step)| step.in_range == InRange::Inside);
        let tools: BTreeSet<_> = inside.flat_map(|(_, step)| step.step.tools(&self.config)).collect();
        tools.into_iter().collect()
    }

    /// The steps that are not left out, with their index in the plan: those that run, and those that are held at a result.
    pub fn running(&self) -> impl Iterator<Item = (usize, &PlannedStep)> {
        self.steps.iter().enumerate().filter(|(_, step)| step.left_out.is_none())
    }

    /// The jobs of the plan: job `i` is the `i`-th of [`Plan::running`]. `last` tells how a step went last time, `is_held`
    /// whether its result is given and waits for nothing.
    pub(crate) fn graph(
        &self,
        last: impl Fn(&str) -> Option<StepAttempt>,
        is_held: impl Fn(&PlannedStep) -> bool,
    ) -> Graph {
        let mut graph = Graph::default();
        let mut jobs: BTreeMap<usize, JobId> = BTreeMap::new();
        for (index, step) in self.running() {
            let id = step.id.clone();
            let body =
                StepJob { id, step: Arc::clone(&step.step), info: Arc::clone(&step.info), config: step.config.clone() };
            let inputs = step.inputs.iter().map(|(part, maker)| (part.clone(), jobs[maker]));
            let inputs = if is_held(step) { Vec::new() } else { inputs.collect() };
            let job = Job {
                inputs,
                after: if step.info.acts_outside { jobs.values().copied().collect() } else { Vec::new() },
                // What acts outside must wait for every check, so that none can be put off.
                // Who begins behind a check that failed knows of it.
                defers_check: step.in_range == InRange::Held
                    || step.info.defers_check && !self.running().any(|(_, step)| step.info.acts_outside),
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

fn at_variable(config: &Config, variable: &str, message: String) -> Diagnostic {
    let error = Diagnostic::error(format!("`{variable}`: {message}"));
    match &config.setting(variable).origin.place {
        Some((_, span)) => error.at(*span, "set here"),
        None => error,
    }
}
