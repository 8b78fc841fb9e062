//! `conformance [--dir DIR] [--page]`: runs the case files against the libraries. What it prints is one line per suite
//! and area, and what failed; with `--page`, the page of the book on all this. Exit codes: 0 all is as it should be, 1
//! something is not, 2 usage or files that cannot be read.
//!
//! Called by the name `tapeout`, it is the command line with the steps of the cases, see [`cli`].

mod cli;
mod compare;
mod differences;
mod encoding;
mod expressions;
mod flow;
mod hooks;
mod load;
mod metrics;
mod outcome;
mod place;
mod project;
mod radgen;
mod report;
mod run;
mod scalars;
mod state;
mod step_cli;
mod steps;
mod suites;
mod tcl;
mod test_steps;
mod type_language;
mod variable;
mod views;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;

const USAGE: &str = "Usage: conformance [--dir DIR] [--page]";

fn main() -> ExitCode {
    if std::env::args_os().next().is_some_and(|name| name == cli::NAME) {
        return tapeout::main(test_steps::registry());
    }
    // The guard process, which runs the Tcl interpreter, is this program once more.
    tapeout_engine::serve_if_asked();
    let mut dir = None;
    let mut page = false;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--page" => page = true,
            "--dir" => dir = args.next().map(PathBuf::from),
            _ => return end(2, &format!("unknown argument `{arg}`\n{USAGE}\n")),
        }
        if arg == "--dir" && dir.is_none() {
            return end(2, &format!("`--dir` needs a directory\n{USAGE}\n"));
        }
    }
    let report = match report(dir.as_deref()) {
        Ok(report) => report,
        Err(message) => return end(2, &format!("{message}\n")),
    };
    let text = if page { report.page() } else { report.text() };
    end(u8::from(!report.is_good()), &text)
}

/// Where the project's own cases are, and what is said of them.
fn own_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance")
}

fn report(dir: Option<&Path>) -> Result<Report, String> {
    let own = own_dir();
    let differences = differences::read(&own.join("differences.toml"))?;
    let suites = suites::read(dir.unwrap_or(&own))?;
    // Of other files, some cases that differ may be absent.
    Ok(Report::new(&suites, differences, dir.is_none()))
}

/// Text for a good or bad end goes to the output, for one that never began to the errors.
fn end(code: u8, text: &str) -> ExitCode {
    // Who closed the pipe has read enough.
    let _ = if code == 2 {
        std::io::stderr().write_all(text.as_bytes())
    } else {
        std::io::stdout().write_all(text.as_bytes())
    };
    ExitCode::from(code)
}
