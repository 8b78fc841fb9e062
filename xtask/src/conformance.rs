//! `cargo xtask conformance`: the cases of other programs, run by a program of their own that has tapeout's libraries.
//! The page of the book about them is its output, too.

use std::process::Command;

use crate::{Stop, process};

/// The page in the book.
pub(crate) const PAGE: &str = "book/src/conformance.md";

/// Runs the cases in the directory, or the project's own, and ends with the exit code of that.
pub(crate) fn run(dir: Option<&str>) -> Result<u8, Stop> {
    let mut command = program()?;
    if let Some(dir) = dir {
        // The program starts where this one was started.
        command.arg("--dir").arg(dir);
    }
    let status = command.status().map_err(|e| process::not_started(&command, &e))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

/// Runs the project's own cases; true if all of them are as they should be.
pub(crate) fn succeeds() -> Result<bool, Stop> {
    process::succeeds(&mut program()?)
}

/// Builds the program that runs cases. A case takes milliseconds: there is nothing to win from a release build.
fn program() -> Result<Command, Stop> {
    let mut build = process::cargo(&["build", "--quiet", "--package", "tapeout-conformance"]);
    if !process::succeeds(&mut build)? {
        return Err(Stop::failed("the program that runs cases does not build; the compiler's messages are above"));
    }
    Ok(Command::new(process::target()?.join("debug/conformance")))
}

/// The command that prints the page.
pub(crate) fn page() -> Result<Command, Stop> {
    let mut command = program()?;
    command.arg("--page");
    Ok(command)
}
