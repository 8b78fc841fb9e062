//! What files declare, as steps, flows and hooks: functions are looked up here, once everything is frozen.

use std::fmt::Write as _;
use std::sync::Arc;

use tapeout_config::{Diagnostic, Span, Variable};
use tapeout_flow::{Hook, Needs, Puts, StepInfo, TextHook};

use super::Function;
use super::hook::StarHook;
use super::step::{Functions, StarStep, StepFacts, in_one};
use crate::identity::{Coder, DefText, ParamKind};
use crate::leak::forever;
use crate::loader::Loader;
use crate::values::config::setting_value;
use crate::values::hook::{HookDecl, PutsDecl};
use crate::values::scripted::{CompositeDecl, FlowDecl, StepDecl, TOP_LEVEL, ToolDecl, VariableDecl};
use crate::values::task::Slot;

/// A flow that is declared.
#[derive(Clone)]
pub(crate) struct MadeFlow {
    pub(crate) decl: Arc<FlowDecl>,
    pub(crate) doc: String,
    pub(crate) variables: Vec<Variable>,
    /// Its program, if it is one.
    pub(crate) run: Option<Function>,
}

/// Everything that a registry can take, in the order of declaration.
#[derive(Clone, Default)]
pub(crate) struct Made {
    pub(crate) tools: Vec<Arc<ToolDecl>>,
    pub(crate) steps: Vec<(StarStep, Arc<StepDecl>)>,
    pub(crate) composites: Vec<Arc<CompositeDecl>>,
    pub(crate) flows: Vec<MadeFlow>,
    pub(crate) hooks: Vec<(Hook, Arc<HookDecl>)>,
}

struct Maker<'a, 'b> {
    loader: &'a Loader<'b>,
    coder: Coder<'a>,
    problems: Vec<Diagnostic>,
}

/// Makes what the files of a loading declare.
///
/// # Errors
/// All functions that cannot be what they are to be.
pub(crate) fn made(loader: &Loader<'_>) -> Result<Made, Vec<Diagnostic>> {
    let scripted = &loader.declarations.scripted;
    let mut maker = Maker { loader, coder: Coder::new(&loader.modules), problems: Vec::new() };
    let made = Made {
        tools: scripted.tools.take(),
        steps: scripted.steps.take().into_iter().map(|decl| (maker.step(&decl), decl)).collect(),
        composites: scripted.composites.take(),
        flows: scripted.flows.take().into_iter().map(|decl| maker.flow(decl)).collect(),
        hooks: scripted.hooks.take().into_iter().map(|decl| (maker.hook(&decl), decl)).collect(),
    };
    if maker.problems.is_empty() { Ok(made) } else { Err(maker.problems) }
}

impl<'a> Maker<'a, '_> {
    fn step(&mut self, decl: &StepDecl) -> StarStep {
        let owner = format!("step `{}`", decl.id);
        let mut doc = decl.doc.clone();
        let mut function = |slot: &Option<Slot>, argument: &str, params: &[&str]| {
            let (function, def) = self.function(slot.as_ref()?, &owner, argument, params, decl.origin)?;
            doc.get_or_insert_with(String::new);
            if let Some(doc) = doc.as_mut().filter(|doc| doc.is_empty() && decl.doc.is_none()) {
                doc.clone_from(&def.doc);
            }
            Some(function)
        };
        let slots = &decl.functions;
        let functions = Functions {
            prepare: function(&slots.prepare, "prepare", &["ctx"]),
            collect: function(&slots.collect, "collect", &["ctx", "sessions"]),
            follow_up: function(&slots.follow_up, "follow_up", &["ctx", "sessions"]),
            nothing_to_do: function(&slots.nothing_to_do, "nothing_to_do", &["config"]),
            check: function(&slots.check, "check", &["config"]),
            tools: function(&slots.tools, "which_tools", &["config"]),
            alerts: function(&slots.alerts, "alerts", &["log"]),
            advice: function(&slots.advice, "advice", &["log"]),
        };
        let variables: Vec<Variable> = decl.variables.iter().map(|variable| self.variable(variable)).collect();
        let id = forever(&decl.id);
        let doc = forever(doc.unwrap_or_default().split("\n\n").next().unwrap_or_default());
        let mut info = StepInfo::new(id, forever(&decl.name), doc, forever(&implementation(decl, &functions)));
        info.inputs = needs(&decl.inputs);
        info.subject = decl.about.as_deref().map(forever);
        info.outputs = decl.outputs.iter().map(|format| forever(format)).collect();
        for metric in &decl.metrics {
            match metric.strip_suffix('*') {
                Some(prefix) => info.metric_prefixes.push(prefix.to_owned()),
                None => info.metrics.push(metric.clone()),
            }
        }
        for metric in &decl.measures {
            match metric.strip_suffix('*') {
                Some(prefix) => info.measured_prefixes.push(forever(prefix)),
                None => info.measures.push(metric.clone()),
            }
        }
        info.yields = decl.yields.iter().map(|name| forever(name)).collect();
        info.tools = decl.tools.iter().map(|tool| forever(tool)).collect();
        info.action = decl.action;
        info =
            info.sections(&decl.sections.iter().map(|(name, doc)| (forever(name), forever(doc))).collect::<Vec<_>>());
        info.defers_check = decl.defers_check;
        info.acts_outside = decl.acts_outside;
        let facts = StepFacts {
            id,
            inputs: decl.inputs.clone(),
            metrics: decl.metrics.clone(),
            args: decl.args.clone(),
            variables: variables.iter().map(|variable| variable.name.clone().into_owned()).collect(),
        };
        info.variables = variables;
        StarStep { info, facts: Arc::new(facts), functions }
    }

    fn flow(&mut self, decl: Arc<FlowDecl>) -> MadeFlow {
        let owner = format!("flow `{}`", decl.name);
        let run = decl.run.as_ref();
        let run = run.and_then(|slot| self.function(slot, &owner, "run", &["ctx", "state"], decl.origin));
        let doc = decl.doc.clone().or_else(|| run.as_ref().map(|(_, def)| def.doc.clone()));
        let variables = decl.variables.iter().map(|variable| self.variable(variable)).collect();
        MadeFlow { doc: doc.unwrap_or_default(), variables, run: run.map(|(function, _)| function), decl }
    }

    fn hook(&mut self, decl: &HookDecl) -> Hook {
        let mut doc = String::new();
        let puts = match &decl.puts {
            PutsDecl::Nothing => Puts::Nothing,
            PutsDecl::Text(text) => Puts::Body(Arc::new(TextHook(text.clone()))),
            PutsDecl::Step(id) => Puts::Step(id.clone()),
            PutsDecl::Function(slot) => {
                let owner = format!("hook `{}`", decl.name);
                match self.function(slot, &owner, "function", &["ctx"], decl.origin) {
                    Some((function, def)) => {
                        doc.clone_from(&def.doc);
                        Puts::Body(Arc::new(StarHook(function)))
                    }
                    // What is wrong with it has been said.
                    None => Puts::Nothing,
                }
            }
        };
        Hook {
            name: decl.name.clone(),
            doc: decl.doc.clone().unwrap_or(doc).split("\n\n").next().unwrap_or_default().to_owned(),
            layer: decl.layer,
            origin: decl.origin.map_or_else(String::new, |origin| self.loader.location(origin).to_string()),
            kind: decl.kind,
            at: decl.at.clone(),
            tool: decl.tool.clone(),
            puts,
            published_by: decl.published_by.clone(),
            parameters: decl.parameters.clone(),
            inputs: needs(&decl.inputs),
            variables: decl.variables.iter().map(|variable| self.variable(variable)).collect(),
            tools: decl.tools.iter().map(|tool| forever(tool)).collect(),
        }
    }

    fn variable(&mut self, decl: &VariableDecl) -> Variable {
        let variable = decl.variable.clone();
        let Some(slot) = &decl.check else { return variable };
        let owner = format!("variable `{}`", variable.name);
        let Some((function, _)) = self.function(slot, &owner, "check", &["value"], decl.origin) else {
            return variable;
        };
        variable.check(move |value| {
            let reason = function.call(
                |heap| vec![setting_value(value, heap)],
                |returned| match returned.unpack_str() {
                    Some(reason) => Ok(Some(reason.to_owned())),
                    None if returned.is_none() => Ok(None),
                    None => Err(function.must_return("None or what is wrong with the value", returned)),
                },
            );
            match reason {
                Ok(None) => Ok(()),
                Ok(Some(reason)) => Err(reason),
                Err(failure) => Err(format!("cannot be checked: {}", in_one(failure))),
            }
        })
    }

    /// The function that was handed over as `argument`, which takes as many parameters as there are names.
    fn function(
        &mut self,
        slot: &Slot,
        owner: &str,
        argument: &str,
        params: &[&str],
        declared: Option<Span>,
    ) -> Option<(Function, &'a DefText)> {
        let module = self.loader.modules.get(&slot.module)?;
        let (value, _) = module.frozen.get_any_visibility(&slot.name).ok()?;
        let Some((module, def)) = self.coder.def_of(value.value()) else {
            let problem =
                Diagnostic::error(format!("`{argument}` of {owner} is no function of a file")).help(TOP_LEVEL);
            self.problems.push(match declared {
                Some(declared) => problem.at(declared, ""),
                None => problem,
            });
            return None;
        };
        let signature = Span::new(self.loader.file(module)?, def.signature.start, def.signature.end);
        if def.params.len() != params.len() || def.params.iter().any(|param| param.kind != ParamKind::One) {
            let message = format!("`{argument}` of {owner} must take {}", counted(params));
            let problem = Diagnostic::error(message).at(signature, "");
            let problem = problem.help(format!("def {}({}):", def.name, params.join(", ")));
            self.problems.push(match declared {
                Some(declared) => problem.also(declared, "declared here"),
                None => problem,
            });
        }
        let function = Function {
            value,
            name: def.name.clone(),
            code: self.coder.code(module, &def.name),
            origin: self.loader.location(signature).to_string(),
            owner: owner.to_owned(),
        };
        Some((function, def))
    }
}

/// Views that are read, and which of them may be missing.
fn needs(views: &[(String, bool)]) -> Vec<Needs> {
    views.iter().map(|(format, optional)| Needs { format: format.clone(), optional: *optional }).collect()
}

fn counted(params: &[&str]) -> String {
    let names: Vec<String> = params.iter().map(|name| format!("`{name}`")).collect();
    format!("{} {}", names.join(" and "), if names.len() == 1 { "alone" } else { "alone, in this order" })
}

/// What changes with what a step does. What decides whether it runs at all is no part of it.
fn implementation(decl: &StepDecl, functions: &Functions) -> String {
    let mut text = String::new();
    for (name, function) in functions.all().filter(|(name, _)| !matches!(*name, "nothing_to_do" | "check" | "tools")) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{name} {} ", function.code);
    }
    let _ = write!(text, "{:?} {:?} {:?}", decl.inputs, decl.outputs, decl.metrics);
    text
}
