//! Projects of a few lines, from their text to what they ask of a task's context.

mod hooks;
mod identity;
mod project;
mod refusals;
mod running;
mod steps;
mod support;
