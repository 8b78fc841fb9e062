//! Command lines and files of RAD-Gen, and what they come to.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

mod command_line;
mod fixtures;
mod help;
mod initialisation;
mod one_command_line;
mod support;
