//! The engine: runs a graph of jobs, each at most once for the same reads. It knows no configuration language and no
//! EDA tool.
//!
//! Who owns what:
//! - [`Graph`]: the jobs of a run and the parts of each other's results that they see. Immutable while it runs.
//! - [`JobBody`]: what a job does; the front ends (flows, targets, …) implement it.
//! - [`JobCx`]: all that a body may touch. Every read through it is noted, and becomes the trace of the result. A body may
//!   ask for further jobs and wait for them.
//! - [`Conductor`]: asks for jobs on behalf of one that does nothing else.
//! - [`Invocation`]: one call of a tool or a few, as data. Its action key covers all that can influence the outcome.
//! - [`Toolbox`]: where each tool is and what it is.
//! - [`Engine`]: store, toolbox, guard and options; [`Engine::run`] drives a [`schedule::Scheduler`], which decides, with
//!   threads, which wait. [`Engine::changes`] says why a result is not good any more.
//! - [`Resources`] and [`Claims`]: cores, memory and licences, of which there are only so many. [`RetryPolicy`]: what is
//!   tried again.
//! - [`SharedCache`]: where results of invocations are looked for before tools run, and brought to afterwards.
//! - [`Confined`]: a program outside of any job, which may read what is listed and write nothing.
//! - [`KeptAttempt`]: what is noted of an attempt that failed. [`Elsewhere`]: a script where no project is.
//! - [`Event`]: what happens, as data, for whoever shows it.
//!
//! A job is *recalled* when a recorded trace under its key verifies completely: every setting, every file, every part of
//! another result and every tool that the body read is still the same. Then the body does not run at all. When it runs, each
//! invocation is looked up once more by its action key, so that going back to an old input, or another job with the
//! same invocation, costs no tool run either.

mod conductor;
mod confined;
mod cx;
mod discovered;
mod elsewhere;
mod engine;
mod event;
mod execute;
mod failure;
mod graph;
mod identity;
mod invocation;
mod kept;
mod process;
mod recall;
mod repeat;
mod resources;
mod retry;
mod run;
mod sandbox;
pub mod schedule;
mod sharing;
mod tool;
mod why;
mod work_dir;

pub use conductor::Conductor;
pub use confined::{Confined, ConfinedError};
pub use cx::JobCx;
pub use discovered::without_dots;
pub use elsewhere::Elsewhere;
pub use engine::{Engine, Options};
pub use event::Event;
pub use failure::Failure;
pub use graph::{Graph, Job, JobBody, JobId};
pub use identity::Identity;
pub use invocation::{Accept, Command, DepFormat, Input, Invocation, TIMED_OUT, TO_PROJECT, from_work_dir};
pub use kept::{KeptAttempt, KeptFile, KeptTool};
pub use process::ShellEnvironment;
pub use repeat::Difference;
pub use resources::{Claims, Resources};
pub use retry::{Cause, Retry, RetryPolicy};
pub use run::{How, Mode, Outcome, Sink, Wish};
pub use sharing::{KeptLocal, Shares};
pub use tapeout_guard::{GuardCommand, confinement_support, serve_if_asked};
pub use tapeout_model::{Part, ToolSettings};
pub use tapeout_store::KeyHasher;
pub use tapeout_store::shared::{Access, InvalidLocation, SharedCache, Uploads};
pub use tool::{FoundTool, Tool, ToolProblem, Toolbox, Version};
pub use why::Change;
