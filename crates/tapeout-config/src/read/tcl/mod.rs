//! Configurations in Tcl.

/// Evaluates Tcl.
pub trait TclInterpreter: Send + Sync {}
