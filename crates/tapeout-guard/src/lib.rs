//! The guard: a small process of tapeout's own that starts the tools, measures them and ends them, with all that they
//! started, when they are done, when their time is up, when they are killed, and when tapeout goes away, however it goes.
//!
//! ```text
//! tapeout ──socket──► guard (a subreaper, in a session of its own) ──► tool ──► its helpers, daemons …
//! ```
//!
//! A program that uses it calls [`serve_if_asked`] first thing in `main` and later [`Guard::start`], which runs the same
//! program again as the guard. What a descendant does to get away (a session of its own, a double fork, a closed
//! standard output) does not help it: orphans come to the guard, which knows whose they are. When the guard itself is
//! killed, the tools die with it and what they leave comes to tapeout, which finishes the work.
//!
//! What a job may read and write, and what its whole tree uses, is not known here.

mod cgroup;
mod client;
mod confine;
mod jobs;
mod leftovers;
mod memory;
mod orphans;
mod proc;
mod server;
mod spec;
mod sys;
mod wire;

pub use client::{Guard, GuardCommand, KILL_GRACE, Running, Submitted};
pub use confine::confinement_support;
pub use leftovers::kill_leftovers;
pub use server::serve_if_asked;
pub use spec::{Confinement, Exit, Limits, MemorySource, ProcessSpec, SpawnError, Status, Stop, TreeMemory};
