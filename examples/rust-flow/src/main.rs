//! The program: the whole command line, with what is defined here beside all that is built in.

use std::process::ExitCode;

fn main() -> ExitCode {
    tapeout::main(rust_flow::registry())
}
