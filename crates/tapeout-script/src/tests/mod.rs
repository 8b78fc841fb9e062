//! Projects of a few lines, from their text to what they ask of a task's context.

mod project;
mod support;
