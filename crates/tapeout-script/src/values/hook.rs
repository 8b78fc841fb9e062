//! What a file says of a hook.

use std::sync::Arc;

use tapeout_config::{Span, Variable};
use tapeout_flow::hooks::Address;
use tapeout_flow::{HookKind, Layer};

use super::scripted::VariableDecl;
use super::task::Slot;

/// What a hook puts into its place.
#[derive(Debug)]
pub(crate) enum PutsDecl {
    Nothing,
    Function(Slot),
    Text(String),
    /// A step, by its id.
    Step(String),
}

/// What a file says of a hook.
#[derive(Debug)]
pub(crate) struct HookDecl {
    /// Empty for a removal that nobody asks for by a name.
    pub(crate) name: String,
    /// Instead of the function's documentation.
    pub(crate) doc: Option<String>,
    pub(crate) layer: Layer,
    pub(crate) kind: HookKind,
    pub(crate) at: Address,
    pub(crate) tool: Option<String>,
    pub(crate) puts: PutsDecl,
    pub(crate) published_by: Option<String>,
    pub(crate) parameters: Vec<Variable>,
    /// The views that it reads, and which of them may be missing.
    pub(crate) inputs: Vec<(String, bool)>,
    pub(crate) variables: Vec<Arc<VariableDecl>>,
    pub(crate) tools: Vec<String>,
    pub(crate) origin: Option<Span>,
}
