//! Flows: which steps, in which order, and under which conditions.

use tapeout_config::{Config, ConfigSource, Type, Variable};
use tapeout_model::Value;

use crate::{Sequence, StepPattern};

/// A flow. In a sequential one each step sees what the steps before it made, and steps that need nothing of each other may
/// run at the same time; of a program, `steps` are those that it may ask for.
#[derive(Clone, Debug)]
pub struct Flow {
    /// The name by which `meta.flow` and `--flow` ask for it.
    pub name: String,
    /// What it does, for the reference.
    pub doc: String,
    /// The ids of its steps in order.
    pub steps: Vec<String>,
    /// Values that it gives to variables where nobody else does, such as those of its technology.
    pub defaults: Vec<(String, Value)>,
    /// Variables of its own, beside those of its steps.
    pub variables: Vec<Variable>,
    /// Which steps it leaves out, and when.
    pub gates: Vec<Gate>,
    /// Whether a configuration that names no flow is taken to be for this one, where it is not to run.
    pub taken_unnamed: bool,
}

/// Steps that a flow has only while boolean variables of it are true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gate {
    /// The id of a step in the flow, or a pattern over such ids.
    pub steps: String,
    /// The names of the variables; all must be true.
    pub variables: Vec<String>,
}

impl Flow {
    /// A flow of these steps.
    #[must_use]
    pub fn new(name: &str, doc: &str, steps: &[&str]) -> Self {
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        Self {
            name: name.to_owned(),
            doc: doc.to_owned(),
            steps,
            defaults: Vec::new(),
            variables: Vec::new(),
            gates: Vec::new(),
            taken_unnamed: false,
        }
    }

    /// Gives a variable another default than its own.
    #[must_use]
    pub fn default(mut self, variable: &str, value: impl Into<Value>) -> Self {
        self.defaults.push((variable.to_owned(), value.into()));
        self
    }

    /// Adds variables of its own.
    #[must_use]
    pub fn variables(mut self, variables: impl IntoIterator<Item = Variable>) -> Self {
        self.variables.extend(variables);
        self
    }

    /// Has the steps whose ids match only while all of these boolean variables of the flow are true.
    #[must_use]
    pub fn gate(mut self, steps: &str, variables: &[&str]) -> Self {
        let variables = variables.iter().map(|name| (*name).to_owned()).collect();
        self.gates.push(Gate { steps: steps.to_owned(), variables });
        self
    }

    /// Makes it the flow that a configuration is checked for which names none.
    #[must_use]
    pub fn taken_unnamed(mut self) -> Self {
        self.taken_unnamed = true;
        self
    }

    /// What is wrong with its gates, in words: they are the flow's own, so that a step that the configuration takes out
    /// is no fault.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        if self.gates.is_empty() {
            return Vec::new();
        }
        let sequence = Sequence::new(self.steps.iter().map(String::as_str));
        let mut faults = Vec::new();
        for Gate { steps, variables } in &self.gates {
            match StepPattern::new(steps) {
                Ok(pattern) if sequence.ids().any(|id| pattern.matches(id)) => {}
                Ok(_) => faults.push(format!("flow `{}`: the gate `{steps}` matches none of its steps", self.name)),
                Err(error) => faults.push(format!("flow `{}`: {error}", self.name)),
            }
            for name in variables {
                match self.variables.iter().find(|variable| variable.name == *name) {
                    Some(variable) if matches!(variable.ty, Type::Bool) => {}
                    Some(variable) => faults.push(format!(
                        "flow `{}`: the gate `{steps}` must be opened by a boolean, and `{name}` is {}",
                        self.name, variable.ty
                    )),
                    None => faults.push(format!(
                        "flow `{}`: the gate `{steps}` is opened by `{name}`, which is no variable of the flow",
                        self.name
                    )),
                }
            }
        }
        faults
    }

    /// Why a step is left out, if a gate before it is closed. The flow has no [faults](Flow::faults).
    pub(crate) fn closed_gate(&self, id: &str, config: &Config) -> Option<String> {
        let before = |gate: &&Gate| StepPattern::new(&gate.steps).is_ok_and(|pattern| pattern.matches(id));
        let names = self.gates.iter().filter(before).flat_map(|gate| &gate.variables);
        let closed = names.filter(|name| config.opt_bool(name) != Some(true));
        let reasons: Vec<String> = closed
            .map(|name| {
                let value = if config.opt_bool(name).is_some() { "false" } else { "not set" };
                let origin = &config.setting(name).origin;
                match origin.source {
                    // Its words are not on lines that people can look up.
                    ConfigSource::CommandLine => format!("{name} is {value} ({})", origin.source),
                    _ => format!("{name} is {value} ({origin})"),
                }
            })
            .collect();
        (!reasons.is_empty()).then(|| reasons.join(", "))
    }
}
