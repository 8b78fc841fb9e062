//! Projects written in Starlark. The only crate that knows the language.
//!
//! ```text
//! flow.star + load()s ──Loader──► frozen modules ──Script──► Project, whose tasks are functions of these modules
//! ```
//!
//! - [`Script`]: the files of a project, loaded: each once, all that is wrong with them told together.
//! - The body of a task calls a frozen function in the thread of its job, with values of its own. What the function asks of
//!   `ctx`, of its block and of the results that it requires goes to the context of the target, one read at a time.
//! - The code of a function is identified by all that its text can reach, and by nothing else.

mod amounts;
mod complaint;
mod data;
mod diagnose;
mod globals;
mod identity;
mod leak;
mod limits;
mod loader;
mod nesting;
mod ops;
mod plugin;
mod project;
mod readers;
mod resolve;
mod script;
mod steps;
mod task;
#[cfg(test)]
mod tests;
mod values;

pub use loader::ScriptFile;
pub use plugin::Plugin;
pub use script::{FLOW_FILE, Script};
