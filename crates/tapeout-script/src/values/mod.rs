//! The values of the language, each with its attributes and methods, and what they find of the running task.

// The derive macros of starlark implement its unsafe traits, of which each checks itself. Written by hand there is only
// `running`.
#![allow(unsafe_code)]

pub(crate) mod block;
pub(crate) mod config;
pub(crate) mod ctx;
pub(crate) mod declarations;
mod files;
mod flow;
pub(crate) mod flow_ctx;
pub(crate) mod hook;
pub(crate) mod hook_ctx;
mod hook_ops;
pub(crate) mod param;
pub(crate) mod path;
pub(crate) mod plain;
mod reading;
mod result;
pub(crate) mod running;
pub(crate) mod scripted;
pub(crate) mod session;
pub(crate) mod step_ctx;
pub(crate) mod step_result;
pub(crate) mod task;
mod time;

pub(crate) use files::FilesValue;
pub(crate) use flow::{FlowValue, is_id};
pub(crate) use path::PathValue;
pub(crate) use result::{RequiredValue, ResultValue};
pub(crate) use time::TimeValue;
