//! The plan: everything a run will do, complete and validated before any tool starts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tapeout_config::{Config, Diagnostic, Loader, SourceMap, Type, Variable};
use tapeout_engine::{Claims, Graph, Job, JobId, Part};

use crate::custom::Program;
use crate::cx::slug;
use crate::job::StepJob;
use crate::makers::Makers;
use crate::registry::Registered;
use crate::{Configured, Needs, Registry, Step, StepAttempt, StepInfo};

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
    /// The step that runs whose state after it is the state before this one.
    pub(crate) before: Option<usize>,
    /// Whether it is a result when its tools fail.
    pub(crate) keeps_failure: bool,
    pub(crate) step: Arc<dyn Step>,
    pub(crate) config: Config,
}

impl PlannedStep {
    /// The step in the place with this index, of which there are so many digits.
    pub(crate) fn new(index: usize, digits: usize, id: String, registered: Registered, config: &Config) -> Self {
        let Registered { step, info } = registered;
        let names: Vec<&str> = info.variables.iter().map(|variable| variable.name.as_ref()).collect();
        Self {
            dir: format!("{:0digits$}-{}", index + 1, slug(&id)),
            id,
            left_out: step.nothing_to_do(config),
            inputs: Vec::new(),
            before: None,
            keeps_failure: false,
            config: config.restricted_to(&names),
            info,
            step,
        }
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
    /// All steps in order, those left out included.
    pub steps: Vec<Arc<PlannedStep>>,
    /// The program that asks for further steps, if the flow is one.
    pub(crate) program: Option<Program>,
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
        Configured::load_to_run(registry, loader, flow, sources)
    }

    pub(crate) fn new(
        flow: String,
        steps: Vec<Registered>,
        config: Config,
        warnings: Vec<Diagnostic>,
    ) -> Result<Self, PlanError> {
        let ids = unique_ids(steps.iter().map(|step| step.info.id));
        let digits = steps.len().to_string().len().max(2);
        let mut errors = Vec::new();
        let mut makers = Makers::default();
        let mut planned: Vec<Arc<PlannedStep>> = Vec::new();
        let mut before = None;
        for (index, (registered, id)) in steps.into_iter().zip(ids).enumerate() {
            let mut step = PlannedStep::new(index, digits, id, registered, &config);
            step.before = before;
            if step.left_out.is_none() {
                before = Some(index);
                if let Err((variable, message)) = step.step.check(&config) {
                    errors.push(at_variable(&config, variable, message));
                }
                let (inputs, missing) = makers.inputs_of(&step.info);
                step.inputs = inputs;
                errors.extend(missing.into_iter().map(|needs| {
                    let Needs { format, .. } = needs;
                    Diagnostic::error(format!("`{}` needs a view `{format}`, and no step before it makes one", step.id))
                }));
                makers.add(&step.info, index);
            }
            planned.push(Arc::new(step));
        }
        if !errors.is_empty() {
            return Err(PlanError(errors));
        }
        Ok(Self { flow, config, steps: planned, program: None, warnings })
    }

    /// The plan of a custom flow: what it begins with, and the program.
    pub(crate) fn of_program(program: Program, config: Config, warnings: Vec<Diagnostic>) -> Self {
        let flow = program.flow.name().to_owned();
        Self { flow, config, steps: Vec::new(), program: Some(program), warnings }
    }

    /// The steps that a custom flow may ask for; none for other flows.
    pub fn declared(&self) -> impl Iterator<Item = &StepInfo> {
        self.program.iter().flat_map(|program| &program.declared).map(|step| &*step.info)
    }

    /// Whether the flow is a program, so that its steps are known only while it runs.
    #[must_use]
    pub fn is_program(&self) -> bool {
        self.program.is_some()
    }

    /// The design's name.
    #[must_use]
    pub fn design(&self) -> &str {
        self.config.str("DESIGN_NAME")
    }

    /// The tools that its steps need, each once.
    #[must_use]
    pub fn tools(&self) -> Vec<&'static str> {
        let planned = self.running().map(|(_, step)| &step.step);
        let declared = self.program.iter().flat_map(|program| &program.declared).map(|step| &step.step);
        let tools: BTreeSet<_> = planned.chain(declared).flat_map(|step| step.tools(&self.config)).collect();
        tools.into_iter().collect()
    }

    /// The steps that are not left out, with their index in the plan.
    pub fn running(&self) -> impl Iterator<Item = (usize, &PlannedStep)> {
        self.steps.iter().map(|step| &**step).enumerate().filter(|(_, step)| step.left_out.is_none())
    }

    /// The jobs of the plan: job `i` is the `i`-th of [`Plan::running`]. `last` tells how a step went last time.
    pub(crate) fn graph(&self, last: impl Fn(&str) -> Option<StepAttempt>, is_pinned: impl Fn(&str) -> bool) -> Graph {
        let mut graph = Graph::default();
        let mut jobs: BTreeMap<usize, JobId> = BTreeMap::new();
        for (index, step) in self.running() {
            let inputs = step.inputs.iter().map(|(part, maker)| (part.clone(), jobs[maker]));
            let inputs = if is_pinned(&step.id) { Vec::new() } else { inputs.collect() };
            let job = Job {
                after: if step.info.acts_outside { jobs.values().copied().collect() } else { Vec::new() },
                // What acts outside must wait for every check, so that none can be put off.
                defers_check: step.info.defers_check && !self.running().any(|(_, step)| step.info.acts_outside),
                ..self.job(step, inputs, last(&step.id))
            };
            jobs.insert(index, graph.add(job));
        }
        graph
    }

    /// A step as a job. `last`: how it went last time.
    pub(crate) fn job(&self, step: &PlannedStep, inputs: Vec<(Part, JobId)>, last: Option<StepAttempt>) -> Job {
        let body = StepJob {
            id: step.id.clone(),
            step: Arc::clone(&step.step),
            info: Arc::clone(&step.info),
            config: step.config.clone(),
            keeps_failure: step.keeps_failure,
        };
        Job {
            inputs,
            defers_check: step.info.defers_check,
            always: step.info.acts_outside,
            claims: self.claims(step, last),
            expected_ms: last.map_or(0, |last| last.wall_ms),
            ..Job::new(step.id.as_str(), Arc::new(body))
        }
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
