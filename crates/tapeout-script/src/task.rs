//! The body of a task that is a function of a script.

use std::sync::Arc;

use starlark::PrintHandler;
use starlark::environment::Module as Scope;
use starlark::eval::Evaluator;
use starlark::values::{Heap, OwnedFrozenValue, Value, ValueLike};
use tapeout_flow::project::{TaskBody, TaskCx};
use tapeout_flow::{Failure, Identity};
use tapeout_model::{Class, Data};

use crate::data::named;
use crate::diagnose;
use crate::limits::Limits;
use crate::ops::Ops;
use crate::values::ctx::CtxValue;
use crate::values::{RequiredValue, ResultValue, running};

/// A frozen function with what it takes to call it.
pub(crate) struct StarTask {
    pub(crate) function: OwnedFrozenValue,
    /// What the function is, as text.
    pub(crate) code: String,
    /// Where it stands: `flow.star:12:5`.
    pub(crate) origin: String,
    /// The names of its requirements, and whether each stands for several results.
    pub(crate) requires: Vec<(Arc<str>, bool)>,
    /// The names of the block's parameters.
    pub(crate) params: Arc<[String]>,
}

/// `print` in a task.
struct Print;

impl PrintHandler for Print {
    fn println(&self, text: &str) -> starlark::Result<()> {
        // One at a time: the lines of several tasks are shown among each other.
        running::with(|ops| text.split('\n').for_each(|line| ops.say(line)));
        Ok(())
    }
}

impl TaskBody for StarTask {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("code", &self.code);
    }

    /// One that only looks at data is done in a moment; whatever else it asks for ends the attempt.
    fn may_be_brief(&self) -> bool {
        true
    }

    fn run(&self, cx: &mut TaskCx<'_, '_>) -> Result<Option<Vec<(String, Data)>>, Failure> {
        let is_stopping = Box::new(cx.stop_asker());
        if !cx.is_between() {
            return self.call(cx, Limits::TASK, is_stopping);
        }
        let tried = self.call(cx, Limits::BRIEF, is_stopping);
        if tried.is_err() {
            // What is wrong is told where there is time for it.
            cx.is_not_brief();
        }
        tried
    }
}

impl StarTask {
    /// Calls the function. It is left when the run is being stopped.
    pub(crate) fn call(
        &self,
        ops: &mut dyn Ops,
        limits: Limits,
        is_stopping: Box<dyn Fn() -> bool + '_>,
    ) -> Result<Option<Vec<(String, Data)>>, Failure> {
        // The values live as long as the call; each has its own.
        Scope::with_temp_heap(|scope| {
            let mut eval = Evaluator::new(&scope);
            limits.apply(&mut eval);
            eval.set_print_handler(&Print);
            eval.set_check_cancelled(is_stopping);
            let heap = scope.heap();
            let results: Vec<(&str, Value<'_>)> =
                self.requires.iter().map(|(name, many)| (&**name, required(name, *many, ops, heap))).collect();
            let target = format!("{}.{}", ops.block(), ops.task());
            running::enter(ops, || {
                running::take_aside();
                let function = heap.access_owned_frozen_value(&self.function);
                let ctx = heap.alloc(CtxValue { params: Arc::clone(&self.params) });
                let returned = eval.eval_function(function, &[ctx], &results);
                let returned = returned.map_err(|error| diagnose::failure(&error, &format!("`{target}`"), limits))?;
                self.result(returned, &target)
            })
        })
    }

    fn result(&self, returned: Value<'_>, target: &str) -> Result<Option<Vec<(String, Data)>>, Failure> {
        if returned.is_none() {
            return Ok(None);
        }
        let wrong = |message: String| Failure::new(Class::Input, format!("{}: {message}", self.origin));
        if let Some(result) = returned.downcast_ref::<ResultValue<'_>>() {
            return result.data().map(Some).map_err(|failure| wrong(failure.message));
        }
        if let Some(result) = RequiredValue::from_value(returned) {
            return result.data().map(Some);
        }
        let message = format!("`{target}` must return a Result or None, found {}", named(returned));
        Err(wrong(message).hint("return Result(name = value, …)"))
    }
}

/// The argument for a requirement.
fn required<'v>(name: &Arc<str>, many: bool, ops: &dyn Ops, heap: Heap<'v>) -> Value<'v> {
    let one = |index| heap.alloc(RequiredValue { requirement: Arc::clone(name), index });
    match many {
        false => one(0),
        true => heap.alloc((0..ops.results(name)).map(one).collect::<Vec<_>>()),
    }
}
