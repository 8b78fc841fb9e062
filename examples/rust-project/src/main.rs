//! The program: the whole command line, with the project that is described here.

use std::process::ExitCode;

fn main() -> ExitCode {
    tapeout::main(tapeout::App::new(tapeout::registry()).project(rust_project::project))
}
