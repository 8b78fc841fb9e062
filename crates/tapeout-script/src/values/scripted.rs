//! What files declare beside the blocks of a project: steps, tools, flows, hooks.

use std::cell::RefCell;
use std::fmt;
use std::hash::Hash;
use std::sync::Arc;

use allocative::Allocative;
use starlark::collections::StarlarkHasher;
use starlark::eval::Evaluator;
use starlark::starlark_simple_value;
use starlark::values::{NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value};
use tapeout_config::{Span, Type, Variable};
use tapeout_flow::{Action, Registry, Tool};
use tapeout_model::Value as Setting;

use super::declarations::Declarations;
use super::hook::HookDecl;
use super::plain::plain_value;
use super::task::Slot;
use crate::complaint::complaint_with;
use crate::data::named;

/// A variable, with the function that looks at its values.
#[derive(Clone, Debug)]
pub(crate) struct VariableDecl {
    pub(crate) variable: Variable,
    pub(crate) check: Option<Slot>,
    pub(crate) origin: Option<Span>,
}

plain_value!(
    /// The value of `variable(…)`.
    VariableValue(Arc<VariableDecl>), "variable", |decl| format!("variable({:?})", decl.variable.name)
);

plain_value!(
    /// A type of variables that no annotation says.
    TypeValue(Type), "type_of_variable", |kind| format!("<{kind}>")
);

/// A view that may be missing, or a file that need not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Optional(pub(crate) String);

plain_value!(
    /// The value of `optional(…)`.
    OptionalValue(Optional), "optional", |optional| format!("optional({:?})", optional.0)
);

/// A tool, with where it is declared.
#[derive(Debug)]
pub(crate) struct ToolDecl {
    pub(crate) tool: Tool,
    pub(crate) replaces: bool,
    pub(crate) origin: Option<Span>,
}

plain_value!(
    /// The value of `tool(…)`.
    ToolValue(Arc<ToolDecl>), "tool", |decl| format!("<tool {}>", decl.tool.name)
);

/// The functions of a step, by the names of the arguments of `step` that they are.
#[derive(Debug, Default)]
pub(crate) struct StepSlots {
    pub(crate) prepare: Option<Slot>,
    pub(crate) collect: Option<Slot>,
    pub(crate) follow_up: Option<Slot>,
    pub(crate) nothing_to_do: Option<Slot>,
    pub(crate) check: Option<Slot>,
    pub(crate) tools: Option<Slot>,
    pub(crate) alerts: Option<Slot>,
    pub(crate) advice: Option<Slot>,
}

/// What a file says of a step.
#[derive(Debug)]
pub(crate) struct StepDecl {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) doc: Option<String>,
    /// The views that it reads, and which of them may be missing.
    pub(crate) inputs: Vec<(String, bool)>,
    pub(crate) about: Option<String>,
    pub(crate) outputs: Vec<String>,
    /// The metrics that it reads; of those that end with `*`, all that begin like this.
    pub(crate) metrics: Vec<String>,
    pub(crate) measures: Vec<String>,
    pub(crate) variables: Vec<Arc<VariableDecl>>,
    pub(crate) yields: Vec<String>,
    pub(crate) tools: Vec<String>,
    pub(crate) action: Option<Action>,
    /// The sections of what its tools are told, each with what it does.
    pub(crate) sections: Vec<(String, String)>,
    /// Arguments of its own that are no variables.
    pub(crate) args: Vec<(String, tapeout_model::Data)>,
    pub(crate) functions: StepSlots,
    pub(crate) defers_check: bool,
    pub(crate) acts_outside: bool,
    pub(crate) replaces: bool,
    pub(crate) origin: Option<Span>,
}

/// A step that consists of others.
#[derive(Debug)]
pub(crate) struct CompositeDecl {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) doc: String,
    pub(crate) steps: Vec<String>,
    pub(crate) replaces: bool,
    pub(crate) origin: Option<Span>,
}

/// The value of `step(…)` and `composite_step(…)`: the id. It may be a key where steps are named.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct StepValue(#[allocative(skip)] pub(crate) Arc<str>);

starlark_simple_value!(StepValue);

impl fmt::Display for StepValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<step {}>", self.0)
    }
}

#[starlark_value(type = "step")]
impl<'v> StarlarkValue<'v> for StepValue {
    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(Self::from_value(other).is_some_and(|other| other.0 == self.0))
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        self.0.hash(hasher);
        Ok(())
    }
}

/// What a file says of a flow.
#[derive(Debug)]
pub(crate) struct FlowDecl {
    pub(crate) name: String,
    pub(crate) doc: Option<String>,
    pub(crate) steps: Vec<String>,
    pub(crate) variables: Vec<Arc<VariableDecl>>,
    pub(crate) defaults: Vec<(String, Setting)>,
    pub(crate) gates: Vec<(String, Vec<String>)>,
    /// The flows that its program may run.
    pub(crate) flows: Vec<String>,
    /// Its program, if it is one.
    pub(crate) run: Option<Slot>,
    pub(crate) replaces: bool,
    pub(crate) origin: Option<Span>,
}

plain_value!(
    /// The value of `sequential_flow(…)` and `custom_flow(…)`: the name.
    FlowNameValue(Arc<str>), "flow_name", |name| format!("<flow {name}>")
);

/// All of it, in the order of declaration.
#[derive(Debug, Default)]
pub(crate) struct Scripted {
    pub(crate) steps: RefCell<Vec<Arc<StepDecl>>>,
    pub(crate) composites: RefCell<Vec<Arc<CompositeDecl>>>,
    pub(crate) tools: RefCell<Vec<Arc<ToolDecl>>>,
    pub(crate) flows: RefCell<Vec<Arc<FlowDecl>>>,
    pub(crate) hooks: RefCell<Vec<Arc<HookDecl>>>,
    /// The flows that are there already: their names and steps.
    known: Vec<(String, Vec<String>)>,
}

impl Scripted {
    /// Nothing yet, beside these flows.
    pub(crate) fn beside(registry: &Registry) -> Self {
        let known = registry.flows().map(|flow| (flow.name.clone(), flow.steps.clone())).collect();
        Self { known, ..Self::default() }
    }

    /// The steps of a flow, which is there already or declared further above.
    pub(crate) fn steps_of(&self, name: &str) -> Result<Vec<String>, Vec<String>> {
        let flows = self.flows.borrow();
        let ours = flows.iter().rev().map(|flow| (&flow.name, &flow.steps));
        let all = || ours.clone().chain(self.known.iter().map(|(name, steps)| (name, steps)));
        match all().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((_, steps)) => Ok(steps.clone()),
            None => Err(all().map(|(name, _)| name.clone()).collect()),
        }
    }
}

/// Why a function that is handed over must be a `def`.
pub(crate) const TOP_LEVEL: &str = "it must be a `def` at the top level of a file: only then is it known what it does";

/// Keeps a function for later.
pub(crate) fn keep<'v>(
    declarations: &Declarations,
    eval: &Evaluator<'v, '_, '_>,
    argument: &str,
    function: Value<'v>,
) -> starlark::Result<Slot> {
    match function.function_name() {
        Some("lambda") => Err(complaint_with(format!("`{argument}` cannot be a lambda"), TOP_LEVEL)),
        Some(_) => Ok(declarations.keep(function, eval)),
        None => Err(complaint_with(format!("`{argument}` must be a function, found {}", named(function)), TOP_LEVEL)),
    }
}
