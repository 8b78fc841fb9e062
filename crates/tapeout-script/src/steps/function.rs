//! A function of a script that is called from outside: with what it is, and where it stands.

use starlark::PrintHandler;
use starlark::any::AnyLifetime;
use starlark::environment::Module as Scope;
use starlark::eval::Evaluator;
use starlark::values::{Heap, OwnedFrozenValue, Value};
use tapeout_flow::Failure;
use tapeout_model::{Class, Digest};

use crate::diagnose;
use crate::limits::Limits;
use crate::values::running;
use crate::values::step_ctx::StepRun;

/// A frozen function with what it takes to call it.
#[derive(Clone)]
pub(crate) struct Function {
    pub(crate) value: OwnedFrozenValue,
    /// Its name in the file.
    pub(crate) name: String,
    /// What it is.
    pub(crate) code: Digest,
    /// Where it stands: `flow.star:12:5`.
    pub(crate) origin: String,
    /// Whose it is, for messages: ``step `My.Lint` ``.
    pub(crate) owner: String,
}

/// `print`.
struct Print<'a>(&'a dyn Fn(&str));

impl PrintHandler for Print<'_> {
    fn println(&self, text: &str) -> starlark::Result<()> {
        (self.0)(text);
        Ok(())
    }
}

impl Function {
    /// Calls it. The values live as long as the call.
    pub(crate) fn eval<'e, T>(
        &self,
        extra: Option<&dyn AnyLifetime<'e>>,
        say: &dyn Fn(&str),
        args: impl for<'v> FnOnce(Heap<'v>) -> Vec<Value<'v>>,
        take: impl for<'v> FnOnce(starlark::Result<Value<'v>>) -> T,
    ) -> T {
        let print = Print(say);
        Scope::with_temp_heap(|scope| {
            let mut eval = Evaluator::new(&scope);
            Limits::TASK.apply(&mut eval);
            eval.set_print_handler(&print);
            eval.extra = extra;
            running::take_aside();
            let heap = scope.heap();
            let function = heap.access_owned_frozen_value(&self.value);
            let args = args(heap);
            take(eval.eval_function(function, &args, &[]))
        })
    }

    /// Calls it as a part of a step and takes what it gives. `fails_as`: the class of what it refuses by `fail`.
    pub(crate) fn call_in<'e, T>(
        &self,
        run: &'e StepRun<'e>,
        fails_as: Class,
        args: impl for<'v> FnOnce(Heap<'v>) -> Vec<Value<'v>>,
        take: impl for<'v> FnOnce(Value<'v>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.eval(Some(run), &|text| run.say(text), args, |returned| match returned {
            Ok(value) => take(value),
            Err(error) => Err(self.failure(&error, fails_as)),
        })
    }

    /// Calls it while a plan is made, or a log is looked at, and takes what it gives. Nobody hears what it prints.
    pub(crate) fn call<T>(
        &self,
        args: impl for<'v> FnOnce(Heap<'v>) -> Vec<Value<'v>>,
        take: impl for<'v> FnOnce(Value<'v>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.eval(None, &|_| (), args, |returned| match returned {
            Ok(value) => take(value),
            Err(error) => Err(self.failure(&error, Class::Input)),
        })
    }

    /// An error of it as a failure.
    pub(crate) fn failure(&self, error: &starlark::Error, fails_as: Class) -> Failure {
        let mut failure = diagnose::failure(error, &self.owner, Limits::TASK);
        if matches!(error.kind(), starlark::ErrorKind::Fail(_)) {
            failure.class = fails_as;
        }
        failure
    }

    /// The failure that it gave something else than it must.
    pub(crate) fn must_return(&self, expected: &str, found: Value<'_>) -> Failure {
        let found = crate::data::named(found);
        let Self { origin, name, owner, .. } = self;
        Failure::new(Class::Input, format!("{origin}: `{name}` of {owner} must return {expected}, found {found}"))
    }
}
