//! Configurations: readers → spanned tree → layers → schema → [`Config`], and the [`Diagnostic`]s about them. Looks at
//! the file system; starts no process and prints nothing.
//!
//! Loading has two phases, because the flow, and with it the schema, is named in the configuration itself:
//! [`Loader::load`] reads the files and the command line and knows [`Meta`]; [`Loaded::resolve`] then types each
//! variable of a [`struct@Schema`] and gives the [`Config`], or all that is wrong at once.

mod config;
mod configured;
mod copy;
mod diagnostic;
mod examine;
pub mod expr;
mod filelist;
mod gather;
mod include;
mod init;
mod json_schema;
mod layer;
mod load;
mod matches;
mod meta;
mod paths;
mod pdk;
mod read;
mod reads;
mod references;
mod resolve;
mod schema;
mod script;
mod sections;
mod setting;
mod source;
mod suggest;
mod targets;
mod tools;
mod tree;
mod types;
mod typing;
mod units;
mod variable;

pub use config::Config;
pub use configured::{Change, Configured, Declaration, Given, Structure};
pub use copy::CopyError;
pub use diagnostic::{Diagnostic, Label};
pub use examine::{Contribution, Examined};
pub use init::Init;
pub use load::{Loaded, Loader, NamedOption};
pub use matches::matching;
pub use meta::{FlowChoice, Meta};
pub use pdk::{ChosenPdk, PdkCorner, PdkHook, PdkInfo, PdkLibrary, PdkManifests, PdkVariable, Pdks};
pub use read::read;
pub use read::tcl::{TclEnvironment, TclInterpreter, TclLimits, TclProblem, TclRequest, TclScripts};
pub use reads::{ConfigRead, ConfigReads};
pub use schema::{Elsewhere, KnownElsewhere, Schema, SchemaError};
pub use setting::{ConfigSource, Origin, SECRET, Setting};
pub use source::{FileId, Location, SourceMap, Span};
pub use suggest::{nearest, nearest_file};
pub use tapeout_derive::Schema;
pub use tapeout_model::{ToolSettings, Value};
pub use targets::TargetResults;
pub use tree::{Key, MAX_DEPTH, Node, Tree};
pub use types::{Choices, Struct, Type};
pub use variable::{Check, Role, Translation, Variable};
