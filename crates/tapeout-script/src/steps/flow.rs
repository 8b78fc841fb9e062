//! A flow whose program is a function of a script.

use std::panic::resume_unwind;
use std::sync::Arc;

use tapeout_flow::{CustomFlow, Flow, FlowCx, FlowError, FlowState};
use tapeout_model::Class;

use super::Function;
use crate::values::flow_ctx::{ErrorValue, FlowFacts, FlowRun, Nested, StateValue, raised_in};

/// A custom flow of a script.
pub(crate) struct StarFlow {
    /// With the steps and variables of the flows that it runs.
    pub(crate) described: Flow,
    pub(crate) facts: Arc<FlowFacts>,
    pub(crate) run: Function,
}

impl CustomFlow for StarFlow {
    fn name(&self) -> &str {
        &self.described.name
    }

    fn doc(&self) -> &str {
        &self.described.doc
    }

    fn steps(&self) -> Vec<&str> {
        self.described.steps.iter().map(String::as_str).collect()
    }

    fn describe(&self, _: Flow) -> Flow {
        self.described.clone()
    }

    fn implementation(&self) -> String {
        let nested = self.facts.nested.values().map(|nested| match nested {
            Nested::Program(flow) => flow.implementation(),
            Nested::Steps(steps) => steps.join(" "),
        });
        std::iter::once(self.run.code.to_string()).chain(nested).collect::<Vec<_>>().join("\n")
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        let run = FlowRun::new(cx.clone(), Arc::clone(&self.facts));
        let Some(ctx) = run.first() else { return Ok(initial) };
        let ended = self.run.eval(
            Some(&run),
            &|text| cx.say(text),
            |heap| vec![heap.alloc(ctx), heap.alloc(StateValue(initial))],
            |returned| match returned {
                Ok(value) => match (StateValue::from_value(value), ErrorValue::from_value(value)) {
                    (Some(state), _) => Ok(state.0),
                    (None, Some(error)) => Err(FlowError::clone(&error.0)),
                    (None, None) => Err(self.run.must_return("a state or an error", value).into()),
                },
                Err(error) => Err(raised_in(&error).unwrap_or_else(|| self.run.failure(&error, Class::Check).into())),
            },
        );
        // The evaluation has ended in order; what is left is for whoever stopped the flow.
        if let Some(panic) = run.take_unwound() {
            resume_unwind(panic);
        }
        ended
    }
}
