//! tapeout with the built-in steps.

fn main() -> std::process::ExitCode {
    tapeout::main(tapeout::registry())
}
