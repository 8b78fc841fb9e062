//! From what scripts declare to a registry. What is there already is replaced only where that is said.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tapeout_config::{Diagnostic, Span, nearest};
use tapeout_flow::{Flow, Registry, nearest_step};

use super::flow::StarFlow;
use super::made::{Made, MadeFlow};
use crate::leak::forever;
use crate::values::flow_ctx::{FlowFacts, Nested};
use crate::values::hook::PutsDecl;

/// Adds everything to a registry.
///
/// # Errors
/// What is there already, and what refers to something that is not.
pub(crate) fn register(made: &Made, registry: &mut Registry) -> Result<(), Vec<Diagnostic>> {
    let mut register = Register { registry, ours: HashMap::new(), problems: Vec::new() };
    register.tools(made);
    register.steps(made);
    register.composites(made);
    for flow in &made.flows {
        register.flow(flow);
    }
    register.hooks(made);
    let mut problems = register.problems;
    Diagnostic::sort(&mut problems);
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

struct Register<'a> {
    registry: &'a mut Registry,
    /// What was declared, by kind and id in lower case.
    ours: HashMap<(&'static str, String), Option<Span>>,
    problems: Vec<Diagnostic>,
}

fn problem(message: String, at: Option<Span>, help: impl Into<Option<String>>) -> Diagnostic {
    let mut problem = Diagnostic::error(message);
    if let Some(at) = at {
        problem = problem.at(at, "");
    }
    problem.help = help.into().map(String::into_boxed_str);
    problem
}

impl Register<'_> {
    /// Whether something may have this id.
    fn takes(&mut self, kind: &'static str, id: &str, is_there: bool, replaces: bool, origin: Option<Span>) -> bool {
        let earlier = self.ours.insert((kind, id.to_lowercase()), origin);
        if replaces || (earlier.is_none() && !is_there) {
            return true;
        }
        let help = format!("give it another name, or say replaces = True if this {kind} is to take its place");
        self.problems.push(match earlier {
            Some(earlier) => {
                let problem = problem(format!("the {kind} `{id}` is declared twice"), origin, help);
                match earlier {
                    Some(earlier) => problem.also(earlier, "the first time"),
                    None => problem,
                }
            }
            None => problem(format!("there is a {kind} `{id}` already, which is built in"), origin, help),
        });
        false
    }

    fn tools(&mut self, made: &Made) {
        for decl in &made.tools {
            let name = decl.tool.name;
            let same = self.registry.tools().find(|tool| tool.name == name);
            // Two files may need the same tool.
            if same.is_some_and(|same| *same == decl.tool) {
                continue;
            }
            let is_there = same.is_some() && !self.ours.contains_key(&("tool", name.to_lowercase()));
            if self.takes("tool", name, is_there, decl.replaces, decl.origin) {
                self.registry.add_tool(decl.tool.clone());
            }
        }
    }

    fn steps(&mut self, made: &Made) {
        for (step, decl) in &made.steps {
            let known = self.registry.step(&decl.id);
            // A step that is only described waits for somebody who makes it.
            let is_there = known.is_some_and(|known| known.vocabulary.is_none());
            self.tools_of(&format!("step `{}` runs", decl.id), &decl.tools, decl.origin);
            if self.takes("step", &decl.id, is_there, decl.replaces, decl.origin) {
                self.registry.add_step(step.clone());
            }
        }
    }

    /// Says which of these tools are not there.
    fn tools_of(&mut self, who: &str, tools: &[String], origin: Option<Span>) {
        for tool in tools {
            if self.registry.tools().any(|known| known.name == tool) {
                continue;
            }
            let message = format!("{who} the tool `{tool}`, which nobody has declared");
            let help = match nearest(tool, self.registry.tools().map(|known| known.name)) {
                Some(near) => format!("is `{near}` meant? Another tool is declared by tool(\"{tool}\")"),
                None => format!("tool(\"{tool}\", version_args = [\"--version\"]) declares it"),
            };
            self.problems.push(problem(message, origin, help));
        }
    }

    fn hooks(&mut self, made: &Made) {
        for (hook, decl) in &made.hooks {
            let at = &decl.at;
            // With a tool that there is not, it would act nowhere, and nobody would say so.
            self.tools_of(&format!("the hook at `{at}` is for"), decl.tool.as_slice(), decl.origin);
            self.tools_of(&format!("the hook at `{at}` runs"), &decl.tools, decl.origin);
            if let PutsDecl::Step(id) = &decl.puts {
                self.finds(&format!("the hook at `{at}`"), id, decl.origin);
            }
            // What nobody publishes is told apart by the step that it acts on.
            let name = hook.full_name();
            if decl.published_by.is_none() || self.takes("hook", &name, false, false, decl.origin) {
                self.registry.add_hook(hook.clone());
            }
        }
    }

    /// Whether a step is there; if not, that is said.
    fn finds(&mut self, owner: &str, id: &str, origin: Option<Span>) -> bool {
        if self.registry.step(id).is_some() {
            return true;
        }
        let near =
            nearest_step(id, self.registry.steps().map(|step| step.id)).map(|near| format!("is `{near}` meant?"));
        let help = near.or_else(|| Some("`tapeout list steps` has their ids".to_owned()));
        self.problems.push(problem(format!("{owner} has the step `{id}`, which there is not"), origin, help));
        false
    }

    fn composites(&mut self, made: &Made) {
        for decl in &made.composites {
            let owner = format!("the step `{}`", decl.id);
            let found = decl.steps.iter().filter(|part| self.finds(&owner, part, decl.origin)).count();
            let known = self.registry.step(&decl.id);
            let is_there = known.is_some_and(|known| known.vocabulary.is_none());
            if self.takes("step", &decl.id, is_there, decl.replaces, decl.origin) && found == decl.steps.len() {
                let parts: Vec<&str> = decl.steps.iter().map(String::as_str).collect();
                self.registry.add_composite(forever(&decl.id), forever(&decl.name), forever(&decl.doc), &parts);
            }
        }
    }

    fn flow(&mut self, made: &MadeFlow) {
        let decl = &made.decl;
        let owner = format!("the flow `{}`", decl.name);
        let found = decl.steps.iter().filter(|step| self.finds(&owner, step, decl.origin)).count();
        let mut flow = Flow {
            steps: decl.steps.clone(),
            defaults: decl.defaults.clone(),
            variables: made.variables.clone(),
            ..Flow::new(&decl.name, &made.doc, &[])
        };
        for (steps, variables) in &decl.gates {
            flow = flow.gate(steps, &variables.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let mut nested = BTreeMap::new();
        for name in &decl.flows {
            self.nest(&mut flow, name, &mut nested, decl.origin);
        }
        for fault in flow.faults() {
            self.problems.push(problem(fault, decl.origin, None));
        }
        let is_there = self.registry.flow(&decl.name).is_some();
        if !self.takes("flow", &decl.name, is_there, decl.replaces, decl.origin) || found < decl.steps.len() {
            return;
        }
        match &made.run {
            None => _ = self.registry.add_flow(flow),
            Some(run) => {
                let facts = FlowFacts { name: decl.name.clone(), steps: flow.steps.clone(), nested };
                let program = StarFlow { described: flow, facts: Arc::new(facts), run: run.clone() };
                self.registry.add_custom_flow(program);
            }
        }
    }

    /// Adds what another flow is to one that runs it.
    fn nest(&mut self, flow: &mut Flow, name: &str, nested: &mut BTreeMap<String, Nested>, origin: Option<Span>) {
        let Some(other) = self.registry.flow(name) else {
            let near = nearest(name, self.registry.flows().map(|flow| flow.name.as_str()));
            let help = near.map_or_else(
                || "`tapeout list flows` has their names".to_owned(),
                |near| format!("is `{near}` meant?"),
            );
            let message = format!("the flow `{}` runs the flow `{name}`, which there is not", flow.name);
            self.problems.push(problem(message, origin, help));
            return;
        };
        let new = other.steps.iter().filter(|step| !flow.steps.iter().any(|known| known.eq_ignore_ascii_case(step)));
        let new: Vec<String> = new.cloned().collect();
        flow.steps.extend(new);
        for variable in &other.variables {
            if !flow.variables.iter().any(|known| known.name == variable.name) {
                flow.variables.push(variable.clone());
            }
        }
        for (name, value) in &other.defaults {
            if !flow.defaults.iter().any(|(known, _)| known == name) {
                flow.defaults.push((name.clone(), value.clone()));
            }
        }
        for gate in &other.gates {
            if !flow.gates.contains(gate) {
                flow.gates.push(gate.clone());
            }
        }
        let inner = match self.registry.program(name) {
            Some(program) => Nested::Program(Arc::clone(program)),
            None => Nested::Steps(other.steps.clone()),
        };
        nested.insert(name.to_lowercase(), inner);
    }
}
