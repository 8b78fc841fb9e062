//! Projects, steps and flows written in Starlark.
#![allow(missing_docs, dead_code)]

mod amounts;
mod complaint;
mod data;
mod diagnose;
mod globals;
mod identity;
mod leak;
mod limits;
mod loader;
mod ops;
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
pub use script::{FLOW_FILE, Script};
