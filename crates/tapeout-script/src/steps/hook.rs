//! A hook whose body is a function of a script.

use tapeout_flow::{Failure, HookBody, HookCx};
use tapeout_model::Class;

use super::Function;
use crate::values::hook_ctx::{HookCtxValue, HookRun};

/// The function of a hook.
pub(crate) struct StarHook(pub(crate) Function);

impl HookBody for StarHook {
    fn code(&self) -> String {
        self.0.code.to_string()
    }

    fn run(&self, cx: &mut HookCx<'_, '_, '_>) -> Result<(), Failure> {
        // As with the functions of steps: before a tool runs it is the input that is refused, and then what the tool made.
        let fails_as = if cx.is_behind() { Class::Tool } else { Class::Input };
        let ctx = HookCtxValue::of(cx);
        let run = HookRun::new(cx);
        self.0.eval(
            Some(&run),
            &|text| run.say(text),
            |heap| vec![heap.alloc(ctx)],
            |returned| match returned {
                Ok(value) if value.is_none() => Ok(()),
                Ok(value) => Err(self.0.must_return("None", value).hint("what a hook does, it does through `ctx`")),
                Err(error) => Err(self.0.failure(&error, fails_as)),
            },
        )
    }
}
