//! `task`: what a file says of a task. The function itself stays with the module in which it was named.

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::starlark_simple_value;
use starlark::values::{NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, starlark_value};
use tapeout_config::Span;
use tapeout_engine::Claims;
use tapeout_flow::project::{Requirement, Requires};

/// Where a function can be found once the module is frozen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Slot {
    /// The module in whose evaluation it was named.
    pub(crate) module: Arc<str>,
    /// The name under which it is kept there. No script can write it.
    pub(crate) name: String,
}

/// What a file says of a task.
#[derive(Debug)]
pub(crate) struct TaskDecl {
    pub(crate) id: String,
    pub(crate) function: Slot,
    pub(crate) requires: Vec<(String, Requires)>,
    pub(crate) always_rebuild: bool,
    pub(crate) hidden: bool,
    pub(crate) claims: Claims,
    /// Instead of the function's documentation.
    pub(crate) doc: Option<String>,
    pub(crate) origin: Option<Span>,
}

impl TaskDecl {
    /// Everything that it requires.
    pub(crate) fn requirements(&self) -> impl Iterator<Item = &Requirement> {
        self.requires.iter().flat_map(|(_, requires)| requires.each())
    }
}

/// The value of `task(…)`.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct TaskValue(#[allocative(skip)] pub(crate) Arc<TaskDecl>);

starlark_simple_value!(TaskValue);

impl fmt::Display for TaskValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<task {}>", self.0.id)
    }
}

#[starlark_value(type = "task")]
impl<'v> StarlarkValue<'v> for TaskValue {}
