//! Projects, steps and flows written in Starlark.
#![allow(missing_docs, dead_code)]

mod amounts;
mod complaint;
mod data;
mod diagnose;
mod globals;
mod identity;
mod limits;
mod loader;
pub mod ops;
pub mod pending;
mod project;
mod readers;
mod resolve;
mod script;
mod task;
mod values;

pub use loader::ScriptFile;
pub use script::{FLOW_FILE, Script};
