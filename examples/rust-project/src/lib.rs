//! A project of blocks and tasks in Rust: programs for a small core, the core with each of them, and a report.

mod core;
mod firmware;
mod isa;
mod report;

use std::path::Path;

use tapeout::flow::project::{Blueprint, Diagnostic, Project};

/// The programs, `firmware/NAME.s`.
const PROGRAMS: [&str; 2] = ["blink", "chase"];

/// The project in this directory.
///
/// # Errors
/// What is wrong with its description.
pub fn project(root: &Path) -> Result<Project, Vec<Diagnostic>> {
    let mut project = Blueprint::new();
    let programs = PROGRAMS.map(|name| (name, firmware::block(&mut project, name)));
    let cores = programs.map(|(name, image)| core::block(&mut project, name, image));
    report::block(&mut project, &cores);
    project.build(root)
}
