//! Configurations: readers → spanned tree → layers → schema → [`Config`], and the [`Diagnostic`]s about them. Looks at
//! the file system; starts no process and prints nothing.
//!
//! Loading has two phases, because the flow, and with it the schema, is named in the configuration itself:
//! [`Loader::load`] reads the files and the command line and knows [`Meta`]; [`Loaded::resolve`] then types each
//! variable of a [`Schema`] and gives the [`Config`], or all that is wrong at once.

mod config;
mod diagnostic;
mod filelist;
mod load;
mod meta;
mod paths;
mod read;
mod resolve;
mod schema;
mod source;
mod suggest;
mod tools;
mod tree;
mod typing;

pub use config::{Config, ConfigSource, Origin, Setting};
pub use diagnostic::{Diagnostic, Label};
pub use load::{Loaded, Loader};
pub use meta::{FlowChoice, Meta};
pub use read::read;
pub use read::tcl::{TclEnvironment, TclInterpreter, TclLimits, TclProblem, TclRequest, TclScripts};
pub use schema::{Check, Schema, SchemaError, Type, Variable};
pub use source::{FileId, Location, SourceMap, Span};
pub use suggest::nearest;
pub use tapeout_model::ToolSettings;
pub use tree::{Key, MAX_DEPTH, Node, Tree};
