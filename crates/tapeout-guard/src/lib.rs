//! The guard: a small process of tapeout's own that starts the tools, measures them and ends them, with all that they
//! started, when they are done, when their time is up, when they are killed, and when tapeout goes away, however it goes.
//!
//! ```text
//! tapeout ──socket──► guard (a subreaper, in a session of its own) ──► tool ──► its helpers, daemons …
//! ```
//!
//! A program that uses it calls [`serve_if_asked`] first thing in `main` and later [`Guard::start`], which runs the same
//! program again as the guard.
//!
//! # What is guaranteed
//! - **Nothing outlives its job.** What a descendant does to get away (a session of its own, a double fork, a closed
//!   standard output) does not help it: orphans come to the guard, which knows whose they are. When the guard itself is
//!   killed, the tools die with it and what they leave comes to tapeout, which finishes the work. When both are killed at
//!   the same moment, the tools that the guard started die, and the next tapeout ends the rest by [`kill_leftovers`]; only
//!   a process that has cleared its environment and lost its marked parents gets away from that.
//! - **A confined process uses the files of its [`Confinement`] and no others**, and so do its descendants; where the
//!   kernel cannot confine it ([`confinement_support`]), it does not start. Landlock denies silently: the tool gets
//!   `EACCES`, and what it makes of that is all there is to see.
//! - **Times and memory are of the tree**: of the processes that were waited for, and as [`MemorySource`] says.
//!
//! What is not: confinement does not cover the network, signals, and what can be learnt of a file without opening it.
//! Limits are for each process, not for the tree.

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
