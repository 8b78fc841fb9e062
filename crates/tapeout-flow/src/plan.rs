//! The plan: everything a run will do, complete and validated before any tool starts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::json;
use tapeout_config::{Config, Diagnostic, Loader, SourceMap, Type, Variable};
use tapeout_engine::{Claims, Failure, Graph, Job, JobBody, JobId, Part};
use tapeout_model::{Class, Digest, ToolSettings};

use crate::composite::CompositeJob;
use crate::configure::Arranged;
use crate::custom::Program;
use crate::cx::slug;
use crate::hooks::partial::PartOfStep;
use crate::hooks::{HOOKS, Hooks, StepHooks};
use crate::initial::INITIAL_STATE;
use crate::job::StepJob;
use crate::makers::Makers;
use crate::registry::Registered;
use crate::sequence::Persistent;
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
    /// Where the substitution is written that brought it there, if one did: `config.yaml:4:9`; or the hook that did, in
    /// words.
    pub origin: Option<String>,
    /// Why it is left out, if it is.
    pub left_out: Option<String>,
    /// Where it lies, seen from the part of the flow that is to run.
    pub in_range: InRange,
    /// Where each part that it reads comes from, as an index into the plan's steps.
    pub inputs: Vec<(Part, usize)>,
    /// The step that runs whose state after it is the state before this one.
    pub(crate) before: Option<usize>,
    /// Whether it is a result when its tools fail.
    pub(crate) keeps_failure: bool,
    /// Whether a check that fails lets those after it go on.
    pub(crate) defers_check: bool,
    pub(crate) step: Arc<dyn Step>,
    /// The steps that it consists of, if it is a composite one.
    pub(crate) parts: Vec<Registered>,
    pub(crate) hooks: Option<Arc<StepHooks>>,
    /// What of it is to run, where that is not all.
    pub(crate) part: Option<Arc<PartOfStep>>,
    /// When it runs in a part of the flow that may leave it out.
    pub(crate) persistent: Option<Persistent>,
    pub(crate) config: Config,
}

impl PlannedStep {
    /// The tools that it and its hooks call with this configuration.
    fn tools(&self, config: &Config) -> Vec<&'static str> {
        let mut tools = self.step.tools(config);
        tools.extend(self.hooks.iter().flat_map(|hooks| hooks.tools()));
        tools
    }

    /// The step in the place with this number, of which there are so many digits.
    pub(crate) fn new(number: usize, digits: usize, id: String, registered: Registered, config: &Config) -> Self {
        let is_hooked = registered.is_hooked();
        let Registered { step, info, parts, hooks } = registered;
        let names: Vec<&str> = info.variables.iter().map(|variable| variable.name.as_ref()).collect();
        Self {
            dir: format!("{number:0digits$}-{}", slug(&id)),
            id,
            origin: None,
            left_out: step.nothing_to_do(config),
            in_range: InRange::Inside,
            inputs: Vec::new(),
            before: None,
            keeps_failure: false,
            defers_check: info.defers_check,
            // A hook may read all of it.
            config: if is_hooked { config.clone() } else { config.restricted_to(&names) },
            info,
            step,
            parts,
            hooks,
            part: None,
            persistent: None,
        }
    }

    /// Whether it only looks at metrics: that takes less than to hand it to another thread.
    fn is_brief(&self) -> bool {
        let StepInfo { tools, inputs, outputs, acts_outside, .. } = &*self.info;
        self.parts.is_empty() && tools.is_empty() && inputs.is_empty() && outputs.is_empty() && !acts_outside
    }

    /// The step that stands for the initial state. It has number 0, so that the numbers of the others are the same with
    /// it and without.
    fn initial(initial: InitialState, digits: usize, config: &Config) -> Option<Arc<Self>> {
        if initial.is_empty() {
            return None;
        }
        Some(Arc::new(Self::new(0, digits, INITIAL_STATE.to_owned(), initial.into_step(), config)))
    }

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

    /// Its hooks, if it has any, with the order of its sections.
    #[must_use]
    pub fn hooks(&self) -> Option<&StepHooks> {
        self.hooks.as_deref()
    }

    /// The hooks of the steps that it consists of, each with the id of that step.
    #[must_use]
    pub fn hooks_of_parts(&self) -> Vec<(&str, &StepHooks)> {
        self.parts.iter().flat_map(Registered::hooked).collect()
    }

    /// The options that leave only a part of it, and the sections that are not in that, by name.
    #[must_use]
    pub fn beyond_part(&self) -> Option<(&str, Vec<&str>)> {
        let (part, hooks) = (self.part.as_ref()?, self.hooks.as_ref()?);
        Some((&part.words, part.beyond(hooks)))
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
    pub steps: Vec<Arc<PlannedStep>>,
    /// The program that asks for further steps, if the flow is one.
    pub(crate) program: Option<Program>,
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

/// How many steps that are not there an error names.
const NAMED_STEPS: usize = 8;

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
        Variable::new(
            HOOKS,
            Type::list(Type::Any),
            "Hooks that a PDK or a plugin publishes and that are to act: the name of the one with a dot and that of the \
             other, or a map of this as `hook` and the values of parameters. `tapeout list hooks` shows which there are.",
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
        (registry, hooks): (&Registry, &Hooks),
        initial: InitialState,
        config: Config,
        warnings: Vec<Diagnostic>,
        sources: &SourceMap,
    ) -> Result<Self, PlanError> {
        let digits = steps.len().to_string().len().max(2);
        let mut errors = Vec::new();
        // Steps that read the same variable find the same wrong with it.
        let mut found = BTreeSet::new();
        let mut hooking = hooks.hooking();
        let mut planned = Vec::new();
        planned.extend(PlannedStep::initial(initial, digits, &config));
        for (number, Arranged { step, id, edit, hook, persistent }) in (1..).zip(steps) {
            let hooked = hooking.step(&id, &step);
            let mut step = PlannedStep::new(number, digits, id, hooked, &config);
            step.origin = edit.map(|span| sources.location(span).to_string()).or(hook);
            step.persistent = persistent;
            step.left_out = flow.closed_gate(&step.id, &config).or(step.left_out);
            if step.left_out.is_none()
                && let Err((variable, message)) = step.step.check(&config)
                && found.insert((variable, message.clone()))
            {
                errors.push(at_variable(&config, variable, message));
            }
            planned.push(Arc::new(step));
        }
        errors.extend(hooking.problems(registry));
        let mut plan = Self { flow: flow.name.clone(), config, steps: planned, program: None, warnings };
        errors.extend(plan.link().into_iter().map(|missing| {
            let message =
                format!("`{}` needs a view `{}`, and no step before it makes one", missing.step, missing.format);
            match &missing.edit {
                Some(place) => Diagnostic::error(message).help(format!("{place} puts it there")),
                None => Diagnostic::error(message)
                    .help(format!("`-e {}=FILE` gives one that is there before the first step", missing.format)),
            }
        }));
        if errors.is_empty() { Ok(plan) } else { Err(PlanError(errors)) }
    }

    /// The plan of a custom flow: what it begins with, and the program.
    pub(crate) fn of_program(
        program: Program,
        initial: InitialState,
        config: Config,
        warnings: Vec<Diagnostic>,
    ) -> Self {
        let flow = program.flow.name().to_owned();
        let steps = PlannedStep::initial(initial, 2, &config).into_iter().collect();
        Self { flow, config, steps, program: Some(program), warnings }
    }

    /// The steps that a custom flow may ask for; none for other flows.
    pub fn declared(&self) -> impl Iterator<Item = &StepInfo> {
        self.program.iter().flat_map(|program| &program.declared).map(|step| &*step.info)
    }

    /// The hooks of the steps that a custom flow may ask for, each with the id of that step.
    #[must_use]
    pub fn hooks_of_declared(&self) -> Vec<(&str, &StepHooks)> {
        let Some(Program { declared, edited, .. }) = &self.program else { return Vec::new() };
        let is_own = |step: &&Registered| edited.iter().all(|edit| edit.asked != step.info.id);
        let brought = edited.iter().filter(|edit| edit.taken_out.is_none()).map(|edit| &edit.step);
        declared.iter().filter(is_own).chain(brought).flat_map(Registered::hooked).collect()
    }

    /// The declared steps of a program that nothing leaves out.
    fn asked_for(&self) -> impl Iterator<Item = &Registered> {
        self.program.iter().flat_map(|program| {
            program.declared.iter().filter(|step| program.skips(step.info.id, &self.config).is_none())
        })
    }

    /// Whether there is no step in it, and none that its program may ask for: a run of it would do nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.declared().next().is_none() && self.steps.iter().all(|step| step.is_initial_state())
    }

    /// Whether the flow is a program, so that its steps are known only while it runs.
    #[must_use]
    pub fn is_program(&self) -> bool {
        self.program.is_some()
    }

    /// Finds out anew where each step gets from what it reads: from the last step before it that makes it and is not left
    /// out. Gives what there is not of what steps cannot do without; steps that are held at a result have had it.
    pub(crate) fn link(&mut self) -> Vec<Missing> {
        let mut makers = Makers::default();
        let mut missing = Vec::new();
        let mut before = None;
        let mut skipped = Vec::new();
        for (index, step) in self.steps.iter_mut().enumerate() {
            let step = Arc::make_mut(step);
            step.inputs.clear();
            step.before = before;
            if let (None, Some(reason)) = (&step.left_out, makers.nothing_for(&step.info)) {
                step.left_out = Some(reason);
                // With what it is about, it is left out for this time only.
                if step.info.subject.is_some_and(|subject| skipped.contains(&subject)) {
                    step.in_range = InRange::Skipped;
                }
            }
            if step.in_range == InRange::Skipped {
                skipped.extend(&step.info.outputs);
            }
            if step.left_out.is_some() {
                continue;
            }
            before = Some(index);
            let (inputs, lacking) = makers.inputs_of(&step.info);
            step.inputs = inputs;
            let lacking = lacking.into_iter().filter(|_| step.in_range != InRange::Held);
            missing.extend(lacking.map(|needs| Missing {
                step: step.id.clone(),
                edit: step.origin.clone(),
                format: needs.format.clone(),
            }));
            makers.add(&step.info, index);
        }
        missing
    }

    /// Refuses a plan with steps that are not there to run.
    ///
    /// # Errors
    /// When a step that would run, or that the program may ask for, is known by its descriptor only.
    pub fn require_steps(&self) -> Result<(), Failure> {
        let inside = self.running().filter(|(_, step)| step.in_range == InRange::Inside);
        let planned = inside.map(|(_, step)| (step.id.as_str(), &step.info));
        let asked = self.asked_for().map(|step| (step.info.id, &step.info));
        let described = planned.chain(asked).filter(|(_, info)| info.vocabulary.is_some());
        let missing: Vec<String> = described.map(|(id, _)| format!("`{id}`")).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let more = match missing.len().saturating_sub(NAMED_STEPS) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let named = missing.iter().take(NAMED_STEPS).map(String::as_str).collect::<Vec<_>>().join(", ");
        let message = format!(
            "the flow `{}` can be planned and not run: steps of it are not part of this version: {named}{more}",
            self.flow
        );
        Err(Failure::new(Class::Input, message).hint("`tapeout plan` shows the whole plan, and which steps these are"))
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
        let inside = inside.flat_map(|(_, step)| step.tools(&self.config));
        // What a program changes in the configuration as it goes is not known yet.
        let declared = self.asked_for().filter(|step| step.step.nothing_to_do(&self.config).is_none());
        let tools: BTreeSet<_> = inside.chain(declared.flat_map(|step| step.tools(&self.config))).collect();
        tools.into_iter().collect()
    }

    /// The steps that are not left out, with their index in the plan: those that run, and those that are held at a result.
    pub fn running(&self) -> impl Iterator<Item = (usize, &PlannedStep)> {
        self.steps.iter().map(|step| &**step).enumerate().filter(|(_, step)| step.left_out.is_none())
    }

    /// The jobs of the plan: job `i` is the `i`-th of [`Plan::running`]. `last` tells how a step went last time, `is_held`
    /// whether its result is given and waits for nothing.
    pub(crate) fn graph(
        &self,
        last: impl Fn(&str) -> Option<StepAttempt>,
        is_held: impl Fn(&PlannedStep) -> bool,
    ) -> Graph {
        let acts_outside = self.running().any(|(_, step)| step.info.acts_outside);
        let mut graph = Graph::default();
        let mut jobs: BTreeMap<usize, JobId> = BTreeMap::new();
        for (index, step) in self.running() {
            let inputs = step.inputs.iter().map(|(part, maker)| (part.clone(), jobs[maker]));
            let inputs = if is_held(step) { Vec::new() } else { inputs.collect() };
            let job = Job {
                after: if step.info.acts_outside { jobs.values().copied().collect() } else { Vec::new() },
                // What acts outside must wait for every check, so that none can be put off.
                // Who begins behind a check that failed knows of it.
                defers_check: step.in_range == InRange::Held || step.info.defers_check && !acts_outside,
                ..self.job(step, inputs, last(&step.id))
            };
            jobs.insert(index, graph.add(job));
        }
        graph
    }

    /// A step as a job. `last`: how it went last time.
    pub(crate) fn job(&self, step: &PlannedStep, inputs: Vec<(Part, JobId)>, last: Option<StepAttempt>) -> Job {
        let claims = self.claims(step, last);
        let (id, info, config) = (step.id.clone(), Arc::clone(&step.info), step.config.clone());
        let keeps_failure = step.keeps_failure;
        let body: Arc<dyn JobBody> = if step.parts.is_empty() {
            let (step, hooks, part) = (Arc::clone(&step.step), step.hooks.clone(), step.part.clone());
            Arc::new(StepJob { id, step, info, config, keeps_failure, hooks, part })
        } else {
            let (parts, claims) = (step.parts.clone(), claims.clone());
            Arc::new(CompositeJob { id, info, parts, config, keeps_failure, claims })
        };
        Job {
            inputs,
            defers_check: step.defers_check,
            always: step.info.acts_outside,
            brief: step.is_brief(),
            claims,
            expected_ms: last.map_or(0, |last| last.wall_ms),
            ..Job::new(step.id.as_str(), body)
        }
    }

    /// What a step does with its configuration, with its hooks: all that makes it another one, but for what it is given.
    pub(crate) fn identity_of(&self, step: &PlannedStep) -> Digest {
        self.job(step, Vec::new(), None).key()
    }

    /// What a step needs while it runs: a core, the memory that it took last time, and one of each tool of which only so
    /// many may run at a time.
    fn claims(&self, step: &PlannedStep, last: Option<StepAttempt>) -> Claims {
        let settings = self.config.tools();
        let tools = step.tools(&step.config);
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
    if variable.is_empty() {
        return Diagnostic::error(message);
    }
    let error = Diagnostic::error(format!("`{variable}`: {message}"));
    match &config.setting(variable).origin.place {
        Some((_, span)) => error.at(*span, "set here"),
        None => error,
    }
}
