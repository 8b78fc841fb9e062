//! From a configuration to the flow that it is for, its variables and their values. What a run of it would do is the
//! plan's.

use std::collections::BTreeSet;
use std::sync::Arc;

use tapeout_config::{
    Config, Diagnostic, Elsewhere, FlowChoice, KnownElsewhere, Loaded, Loader, Node, Schema, SourceMap, Span, Variable,
    nearest,
};
use tapeout_model::Value;

use crate::custom::{EditedStep, Program};
use crate::hooks::{Hooks, Steps, no_such_step};
use crate::plan::{PlanError, universal_variables};
use crate::registry::Registered;
use crate::sequence::{Change, Listed, Persistent};
use crate::{Flow, Hook, HookKind, InitialState, Plan, Puts, Registry, Sequence, StepEdit, StepInfo, StepPattern};

/// What a flow is called that is only a list of steps.
const AD_HOC: &str = "Custom Sequential Flow";

/// A configuration that is right for its flow.
#[derive(Clone)]
pub struct Configured {
    /// The flow's name.
    pub flow: String,
    /// Whether the configuration, or an option, names it.
    pub named: bool,
    /// The whole configuration.
    pub config: Config,
    /// What a run would do.
    pub plan: Plan,
    /// The hooks that may concern it.
    pub hooks: Hooks,
    /// What is not wrong but worth saying.
    pub warnings: Vec<Diagnostic>,
}

/// A step in its place in a flow.
pub(crate) struct Arranged {
    pub(crate) step: Registered,
    /// Its id in the flow.
    pub(crate) id: String,
    /// The edit that brought it there.
    pub(crate) edit: Option<Span>,
    /// The hook that did, in words.
    pub(crate) hook: Option<String>,
    pub(crate) persistent: Option<Persistent>,
}

impl Arranged {
    fn listed(&self) -> Listed {
        let Self { step, id, edit, hook, persistent } = self;
        let (id, hook, persistent) = (id.clone(), hook.clone(), persistent.clone());
        Listed { step: step.info.id.to_owned(), id, edit: *edit, hook, persistent }
    }
}

/// The flow that is meant, with its steps.
struct Chosen {
    flow: Flow,
    steps: Vec<Arranged>,
    /// The edits, where the flow is a program: it asks for steps by the ids that it declares.
    edited: Vec<EditedStep>,
}

impl Configured {
    /// Reads a configuration for the flow that it, or `flow`, names. One that names none is for the flow that is
    /// taken then, see [`Flow::taken_unnamed`].
    ///
    /// # Errors
    /// All that is wrong with the configuration, the flow and the steps' inputs.
    pub fn load(
        registry: &Registry,
        loader: Loader,
        flow: Option<&str>,
        sources: &mut SourceMap,
    ) -> Result<Self, PlanError> {
        let (loaded, chosen) = begin(registry, loader, flow, sources)?;
        let named = chosen.is_some();
        let chosen = chosen.map_or_else(|| unnamed(registry), Ok)?;
        Ok(Self { named, ..Self::resolve(registry, &loaded, chosen, InitialState::default(), sources)? })
    }

    /// The name of the flow that `flow`, without it the configuration, names, and its variables.
    ///
    /// # Errors
    /// There is no such flow, or the configuration cannot be read.
    pub fn schema(
        registry: &Registry,
        loader: Option<Loader>,
        flow: Option<&str>,
        sources: &mut SourceMap,
    ) -> Result<(String, Schema), PlanError> {
        let chosen = match (loader, flow) {
            (_, Some(flow)) => Some(named(registry, flow, None)?),
            (Some(loader), None) => begin(registry, loader, None, sources)?.1,
            (None, None) => None,
        };
        let chosen = chosen.map_or_else(|| unnamed(registry), Ok)?;
        let schema = chosen.schema(registry)?;
        Ok((chosen.flow.name, schema))
    }

    /// What the configuration says before it is typed, with the name of its flow and the variables that it is to be typed
    /// by: for looking at single variables.
    ///
    /// # Errors
    /// The configuration cannot be read, or there is no such flow.
    pub fn open(
        registry: &Registry,
        loader: Loader,
        flow: Option<&str>,
        sources: &mut SourceMap,
    ) -> Result<(String, Schema, Loaded), PlanError> {
        let (loaded, chosen) = begin(registry, loader, flow, sources)?;
        let chosen = chosen.map_or_else(|| unnamed(registry), Ok)?;
        let schema = chosen.schema(registry)?;
        Ok((chosen.flow.name, schema, loaded))
    }

    /// The plan of a configuration that is to run: a flow must be named.
    pub(crate) fn load_to_run(
        registry: &Registry,
        loader: Loader,
        flow: Option<&str>,
        initial: InitialState,
        sources: &mut SourceMap,
    ) -> Result<Plan, PlanError> {
        let (loaded, chosen) = begin(registry, loader, flow, sources)?;
        let chosen = chosen.ok_or_else(|| no_flow(registry))?;
        Ok(Self::resolve(registry, &loaded, chosen, initial, sources)?.plan)
    }

    fn resolve(
        registry: &Registry,
        loaded: &Loaded,
        chosen: Chosen,
        initial: InitialState,
        sources: &mut SourceMap,
    ) -> Result<Self, PlanError> {
        let schema = chosen.schema(registry)?;
        let (config, mut warnings) = loaded.resolve(&schema, sources).map_err(PlanError)?;
        warnings.extend(unknown_tools(registry, &config));
        let Chosen { flow, steps, edited } = chosen;
        let name = flow.name.clone();
        let hooks = Hooks::of(registry, &config).map_err(PlanError)?;
        let plan = match registry.program(&flow.name) {
            Some(program) => {
                let mut hooking = hooks.hooking();
                let mut hooked = |step: &Registered| hooking.step(step.info.id, step);
                let edited =
                    edited.into_iter().map(|edited| EditedStep { step: hooked(&edited.step), ..edited }).collect();
                let declared = steps.into_iter().map(|step| hooked(&step.step)).collect();
                let problems = hooking.problems(registry);
                if !problems.is_empty() {
                    return Err(PlanError(problems));
                }
                let (flow, described) = (Arc::clone(program), flow);
                let program = Program { flow, described, declared, edited, skipped: Vec::new() };
                Plan::of_program(program, initial, config.clone(), warnings.clone())
            }
            None => Plan::new(&flow, steps, (registry, &hooks), initial, config.clone(), warnings.clone(), sources)?,
        };
        Ok(Self { flow: name, named: true, config, plan, hooks, warnings })
    }
}

impl Chosen {
    /// The variables. Those of other steps are known too, so that one configuration can serve several flows, but nothing
    /// requires them.
    fn schema(&self, registry: &Registry) -> Result<Schema, PlanError> {
        match schema_of_steps(registry, &self.flow, &self.steps) {
            Ok(schema) => Ok(schema.with_elsewhere(elsewhere(registry))),
            Err(error) => Err(PlanError(vec![Diagnostic::error(error)])),
        }
    }
}

/// What is known of names that a flow does not have.
fn elsewhere(registry: &Registry) -> KnownElsewhere {
    let registry = registry.clone();
    Arc::new(move |name| {
        let removed = registry.vocabularies().find_map(|vocabulary| vocabulary.removed(name));
        if let Some(reason) = removed {
            return Some(Elsewhere::Removed(reason.into()));
        }
        let of_steps = registry.steps().any(|step| step.variables.iter().any(|variable| variable.name == name));
        let of_flows = registry.flows().any(|flow| flow.variables.iter().any(|variable| variable.name == name));
        let known = of_steps || of_flows || registry.vocabularies().any(|vocabulary| (vocabulary.knows)(name));
        known.then_some(Elsewhere::OtherFlow)
    })
}

/// What is loaded, with the defaults of its flow, and the flow if one is named.
fn begin(
    registry: &Registry,
    loader: Loader,
    flow: Option<&str>,
    sources: &mut SourceMap,
) -> Result<(Loaded, Option<Chosen>), PlanError> {
    let mut loaded = loader.load(sources).map_err(PlanError)?;
    let mut chosen = choose(registry, &loaded, flow)?;
    if let Some(chosen) = &mut chosen {
        hooked(registry, chosen).map_err(PlanError)?;
    }
    // An option that names another flow leaves the edits of the one in the file behind.
    if let Some(edits) = loaded.meta().substituting_steps.as_ref().filter(|_| flow.is_none()) {
        let Some(Chosen { flow, steps, edited }) = &mut chosen else {
            return Err(PlanError(vec![edits_of_nothing(edits.span)]));
        };
        let edits = known_edits(registry, edits).map_err(PlanError)?;
        if registry.program(&flow.name).is_some() {
            let by_hooks = std::mem::take(edited);
            *edited =
                edits_of_program(registry, flow, steps, &edits, sources).map_err(|error| PlanError(vec![error]))?;
            // What the configuration says comes last.
            let is_new = |step: &EditedStep| !edited.iter().any(|edited| edited.asked == step.asked);
            let others: Vec<EditedStep> = by_hooks.into_iter().filter(is_new).collect();
            edited.extend(others);
        }
        *steps = substituted(registry, steps, &edits).map_err(|error| PlanError(vec![error]))?;
    }
    if let Some(Chosen { flow, .. }) = &chosen {
        loaded.add_defaults(&Value::Map(flow.defaults.clone()), sources).map_err(PlanError)?;
    }
    Ok((loaded, chosen))
}

/// Has the hooks of a registry that concern the list of a flow's steps edit it, those of lower layers first.
fn hooked(registry: &Registry, chosen: &mut Chosen) -> Result<(), Vec<Diagnostic>> {
    let mut hooks: Vec<&Hook> = registry.hooks().map(|hook| &**hook).filter(|hook| hook.is_of_flow()).collect();
    hooks.sort_by_key(|hook| hook.layer);
    let is_program = registry.program(&chosen.flow.name).is_some();
    let mut sequence = Sequence::new(chosen.steps.iter().map(|step| step.step.info.id));
    let mut problems = Vec::new();
    for hook in hooks {
        let step = match &hook.puts {
            Puts::Step(id) => match registry.step(id) {
                Some(info) => Some(info.id),
                None => {
                    let error = unknown("step", id, None, registry.steps().map(|step| step.id));
                    problems.push(Diagnostic { message: format!("{}: {}", hook.words(), error.message), ..error });
                    continue;
                }
            },
            Puts::Nothing | Puts::Body(_) => None,
        };
        let pattern = match &hook.at.steps {
            Steps::Pattern(_, pattern) if hook.at.section.is_none() => pattern,
            _ => {
                let message = format!(
                    "{}: a step is put before, after or in place of steps: `{}` is none",
                    hook.words(),
                    hook.at
                );
                problems.push(Diagnostic::error(message).help("name the step, or a pattern: `Magic.*`"));
                continue;
            }
        };
        problems.extend(no_such_step(hook, registry));
        if !is_program {
            sequence.hook(hook.kind, pattern, step, &hook.words());
            continue;
        }
        let meant = |asked: &str| pattern.matches(asked);
        if !matches!(hook.kind, HookKind::Replace | HookKind::Remove) {
            if chosen.steps.iter().any(|step| meant(step.step.info.id)) {
                let message = format!(
                    "{}: the flow `{}` is a program, in which no step can be put beside another",
                    hook.words(),
                    chosen.flow.name
                );
                problems.push(Diagnostic::error(message).help("`replace` and `remove` change what it asks for"));
            }
            continue;
        }
        for Arranged { step: asked, .. } in chosen.steps.iter().filter(|step| meant(step.step.info.id)) {
            chosen.edited.retain(|edited| edited.asked != asked.info.id);
            let brought = step.and_then(|id| registry.registered(id));
            let taken_out = brought.is_none().then(|| format!("taken out by the {}", hook.words()));
            let runs = brought.unwrap_or(asked).clone();
            chosen.edited.push(EditedStep { asked: asked.info.id, step: runs, taken_out });
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    if !is_program {
        chosen.steps = arranged(registry, &sequence);
    }
    Ok(())
}

/// The edits of a configuration; all steps that they bring are there.
fn known_edits(registry: &Registry, edits: &Node) -> Result<Vec<StepEdit>, Vec<Diagnostic>> {
    let mut errors = Vec::new();
    let mut edits = StepEdit::read(edits)?;
    for edit in &mut edits {
        let Some(step) = edit.brings() else { continue };
        match registry.step(step) {
            Some(info) => *edit = edit.clone().bringing(info.id),
            None => errors.push(unknown("step", step, Some(edit.step_place), registry.steps().map(|step| step.id))),
        }
    }
    if errors.is_empty() { Ok(edits) } else { Err(errors) }
}

/// The steps after edits.
fn substituted(registry: &Registry, steps: &[Arranged], edits: &[StepEdit]) -> Result<Vec<Arranged>, Diagnostic> {
    let mut sequence = Sequence::of(steps.iter().map(Arranged::listed).collect());
    for edit in edits {
        // What follows builds on it, so that the first one that fails is the only one of interest.
        sequence.edit(edit)?;
    }
    Ok(arranged(registry, &sequence))
}

/// What edits make of the steps that a program asks for. It has no order in which a step could be put beside another.
fn edits_of_program(
    registry: &Registry,
    flow: &Flow,
    steps: &[Arranged],
    edits: &[StepEdit],
    sources: &SourceMap,
) -> Result<Vec<EditedStep>, Diagnostic> {
    let own =
        |Arranged { step, .. }: &Arranged| EditedStep { asked: step.info.id, step: step.clone(), taken_out: None };
    let mut edited: Vec<EditedStep> = steps.iter().map(own).collect();
    let mut sequence = Sequence::new(steps.iter().map(|step| step.step.info.id));
    for edit in edits {
        let (Change::Replace(_) | Change::Remove) = &edit.change else {
            let message =
                format!("the flow `{}` is a program, in which no step can be put beside `{}`", flow.name, edit.target);
            return Err(Diagnostic::error(message)
                .at(edit.place, "asked for here")
                .help("`A: B` lets B run where the program asks for A, `A: null` takes A out"));
        };
        let ids: Vec<String> = sequence.ids().map(str::to_owned).collect();
        sequence.edit(edit)?;
        // The list was edited by the same pattern.
        let Ok(pattern) = StepPattern::new(&edit.target) else { continue };
        let still_there = edited.iter_mut().filter(|step| step.taken_out.is_none());
        for (step, _) in still_there.zip(&ids).filter(|(_, id)| pattern.matches(id)) {
            match edit.brings().and_then(|id| registry.registered(id)) {
                Some(brought) => step.step = brought.clone(),
                None => step.taken_out = Some(format!("taken out by {}", sources.location(edit.place))),
            }
        }
    }
    edited.retain(|step| step.taken_out.is_some() || step.asked != step.step.info.id);
    Ok(edited)
}

fn edits_of_nothing(edits: Span) -> Diagnostic {
    Diagnostic::error("`meta.substituting_steps` changes the flow that `meta.flow` names, and none is named")
        .at(edits, "asked for here")
        .help("name one: `flow: NAME`")
}

/// The steps of a list, all of which there are.
fn arranged(registry: &Registry, sequence: &Sequence) -> Vec<Arranged> {
    let listed = sequence.steps().iter();
    let arranged = listed.filter_map(|listed| {
        let step = registry.registered(&listed.step)?.clone();
        let Listed { id, edit, hook, persistent, .. } = listed.clone();
        Some(Arranged { step, id, edit, hook, persistent })
    });
    arranged.collect()
}

/// The flow that is named; nothing if none is.
fn choose(registry: &Registry, loaded: &Loaded, flow: Option<&str>) -> Result<Option<Chosen>, PlanError> {
    match (flow, &loaded.meta().flow) {
        (Some(name), _) => named(registry, name, None).map(Some),
        (None, Some((FlowChoice::Named(name), span))) => named(registry, name, Some(*span)).map(Some),
        (None, Some((FlowChoice::Steps(steps), _))) => {
            let (steps, spans): (Vec<&str>, Vec<Option<Span>>) =
                steps.iter().map(|(step, span)| (step.as_str(), Some(*span))).unzip();
            let flow = Flow::new(AD_HOC, "", &steps);
            let steps = find_steps(registry, &flow, &spans)?;
            Ok(Some(Chosen { flow, steps, edited: Vec::new() }))
        }
        (None, None) => Ok(None),
    }
}

fn named(registry: &Registry, name: &str, span: Option<Span>) -> Result<Chosen, PlanError> {
    let Some(flow) = registry.flow(name) else {
        let known = registry.flows().map(|flow| flow.name.as_str());
        return Err(PlanError(vec![unknown("flow", name, span, known)]));
    };
    let steps = find_steps(registry, flow, &vec![None; flow.steps.len()])?;
    Ok(Chosen { flow: flow.clone(), steps, edited: Vec::new() })
}

/// The flow that a configuration is taken to be for which names none, where it is not to run.
fn unnamed(registry: &Registry) -> Result<Chosen, PlanError> {
    let flow = registry.flows().find(|flow| flow.taken_unnamed).ok_or_else(|| no_flow(registry))?;
    named(registry, &flow.name, None)
}

fn no_flow(registry: &Registry) -> PlanError {
    let names: Vec<&str> = registry.flows().map(|flow| flow.name.as_str()).collect();
    PlanError(vec![
        Diagnostic::error("the configuration does not say which flow to run")
            .help(format!("set `meta.flow`, or give `--flow`; there are {}", names.join(", "))),
    ])
}

fn find_steps(registry: &Registry, flow: &Flow, spans: &[Option<Span>]) -> Result<Vec<Arranged>, PlanError> {
    let mut errors: Vec<Diagnostic> = flow.faults().into_iter().map(Diagnostic::error).collect();
    let mut found = Vec::new();
    for (id, span) in flow.steps.iter().zip(spans) {
        match registry.step(id) {
            Some(step) => found.push(step.id),
            None => errors.push(unknown("step", id, *span, registry.steps().map(|step| step.id))),
        }
    }
    if errors.is_empty() { Ok(arranged(registry, &Sequence::new(found))) } else { Err(PlanError(errors)) }
}

fn unknown<'a>(kind: &str, name: &str, span: Option<Span>, known: impl Iterator<Item = &'a str>) -> Diagnostic {
    let mut error = Diagnostic::error(format!("there is no {kind} `{name}`"));
    if let Some(span) = span {
        error = error.at(span, format!("no such {kind}"));
    }
    match nearest(name, known) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("`tapeout list {kind}s` shows them all")),
    }
}

fn schema_of_steps(registry: &Registry, flow: &Flow, steps: &[Arranged]) -> Result<Schema, String> {
    let mut schema = Schema::new(universal_variables()).map_err(|error| error.to_string())?;
    for variable in &flow.variables {
        schema.add(variable.clone()).map_err(|error| format!("flow `{}`: {error}", flow.name))?;
    }
    for hook in registry.hooks() {
        for variable in &hook.variables {
            schema.add(variable.clone()).map_err(|error| format!("{}: {error}", hook.words()))?;
        }
    }
    let mut shared = BTreeSet::new();
    for vocabulary in registry.vocabularies() {
        if steps.iter().any(|step| step.step.info.vocabulary == Some(vocabulary.name)) {
            for mut variable in (vocabulary.variables)() {
                // A flow that cannot run yet is planned without a PDK, too: then the steps that are there have nothing of it.
                variable.optional |= variable.from_pdk && is_read(steps, &variable.name);
                shared.insert(variable.name.clone());
                schema.add(variable).map_err(|error| format!("`{}`: {error}", vocabulary.name))?;
            }
        }
    }
    let yielding = |step: &StepInfo, variable: &Variable| step.yields.contains(&variable.name.as_ref());
    for yields in [false, true] {
        for Arranged { step, .. } in steps {
            // In company of steps that are only described, a variable is what it is there.
            let own = step.info.variables.iter().filter(|variable| !shared.contains(&variable.name));
            for variable in own.filter(|variable| yielding(&step.info, variable) == yields) {
                if yields && schema.get(&variable.name).is_some() {
                    continue;
                }
                let mut variable = variable.clone();
                // A PDK must give what one step cannot do without.
                variable.optional &=
                    !variable.from_pdk || variable.default.is_some() || can_do_without(steps, &variable.name);
                schema.add(variable).map_err(|error| format!("`{}`: {error}", step.info.id))?;
            }
        }
    }
    if !shared.is_empty() {
        return Ok(schema);
    }
    for step in registry.steps() {
        for variable in &step.variables {
            if schema.get(&variable.name).is_none() {
                // For steps that are not there, neither a PDK nor the environment has a say.
                let variable = Variable { from_pdk: false, env: None, ..variable.clone().optional() };
                schema.add(variable).map_err(|error| format!("`{}`: {error}", step.id))?;
            }
        }
    }
    Ok(schema.needing_pdk())
}

/// Whether steps that are there read a variable, and need no value.
fn can_do_without(steps: &[Arranged], name: &str) -> bool {
    let variables = steps.iter().flat_map(|step| &step.step.info.variables);
    let mut read = variables.filter(|variable| variable.name == name).peekable();
    read.peek().is_some() && read.all(|variable| !variable.is_required())
}

/// Whether a step that is there reads a variable.
fn is_read(steps: &[Arranged], name: &str) -> bool {
    steps.iter().flat_map(|step| &step.step.info.variables).any(|variable| variable.name == name)
}

/// Settings of tools that nobody knows: most likely a name is misspelt. They are no errors, as a configuration may be
/// shared with a program that has more tools.
fn unknown_tools(registry: &Registry, config: &Config) -> Vec<Diagnostic> {
    let known = || registry.tools().map(|tool| tool.name);
    let unknown = config.tools().keys().filter(|name| !known().any(|tool| tool == *name));
    unknown
        .map(|name| {
            let warning = Diagnostic::warning(format!("`tools.{name}`: there is no tool `{name}`"));
            match nearest(name, known()) {
                Some(near) => warning.help(format!("did you mean `{near}`?")),
                None => warning.help("`tapeout list tools` has their names"),
            }
        })
        .collect()
}
