//! The task that this thread runs: values whose attributes are read where starlark hands over nothing but the value find
//! it here. Owns the one place where a reference outlives what the compiler can see.

use std::cell::{Cell, RefCell};
use std::mem;
use std::ptr::NonNull;

use tapeout_flow::Failure;

use crate::ops::Ops;

thread_local! {
    static RUNNING: Cell<Option<NonNull<dyn Ops>>> = const { Cell::new(None) };
    static ASIDE: RefCell<Option<(String, Failure)>> = const { RefCell::new(None) };
}

/// Puts back what was there, on panics too: the engine ends jobs by unwinding.
struct Restore(Option<NonNull<dyn Ops>>);

impl Drop for Restore {
    fn drop(&mut self) {
        RUNNING.set(self.0.take());
    }
}

/// Calls `body` with `ops` as the running task of this thread.
pub(crate) fn enter<T>(ops: &mut dyn Ops, body: impl FnOnce() -> T) -> T {
    // SAFETY: only the lifetime is left out. The pointer is taken back by `_restore` before `ops` can be used again, as
    // that is borrowed for all of this function.
    let ops: NonNull<dyn Ops> =
        unsafe { mem::transmute::<NonNull<dyn Ops + '_>, NonNull<dyn Ops>>(NonNull::from(ops)) };
    let _restore = Restore(RUNNING.replace(Some(ops)));
    body()
}

/// Asks the running task for something; `None` if there is none.
pub(crate) fn with<T>(ask: impl FnOnce(&mut dyn Ops) -> T) -> Option<T> {
    // Taken away while it is in use, so that there is never a second reference.
    let mut ops = RUNNING.take()?;
    let _restore = Restore(Some(ops));
    // SAFETY: `enter` keeps it valid, and nobody else can have it.
    Some(ask(unsafe { ops.as_mut() }))
}

/// Whether a task runs in this thread.
pub(crate) fn is_running() -> bool {
    let ops = RUNNING.take();
    RUNNING.set(ops);
    ops.is_some()
}

/// Keeps why an attribute could not be had, as starlark only wants to know whether there is one.
pub(crate) fn put_aside(attribute: &str, failure: Failure) {
    ASIDE.replace(Some((attribute.to_owned(), failure)));
}

/// The failure that was put aside last, with the attribute.
pub(crate) fn take_aside() -> Option<(String, Failure)> {
    ASIDE.take()
}
