//! The project's own commands, as `cargo xtask COMMAND`. One file per command; what they share is beside them.

mod apt;
mod arrows;
mod bench;
mod conformance;
mod demo;
mod docs;
mod files;
mod fuzz;
mod measure;
mod process;
mod setup;
mod sources;
mod tally;
mod test;
mod torture;
mod words;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  demo           builds tapeout and takes the examples to bitstreams
  test           everything that is checked before a change is kept
  test --fast    the same without slow tests, installs nothing; for use while working
  conformance [--dir DIR]
                 runs what other programs were given, and compares; the cases in DIR instead of the project's own
  bench [NAME [PART]]
                 timing claims, measured; all of them, one, or a part of one
  torture [NAME] [--short] [--seed N] [--minutes N] [--count N]
                 kills, damages and starves tapeout, and looks whether results are lost or wrong
  fuzz [--seconds N]
                 hostile input for every reader of configurations, N seconds each
  docs           makes the generated pages and the picture of the book again
  docs --check   says which of them are out of date

demo, test, bench, fuzz and docs install the EDA tools, build systems and cargo tools that they need and do not
find. `bench flow` installs LibreLane from PyPI, in the target directory; where that cannot be, it does without.
Exit codes: 0 done, 1 a check failed, 2 usage, 3 something is missing here, else that of tapeout.
";

/// Why a command ends early: what to tell, and its exit code.
struct Stop {
    code: u8,
    message: String,
}

impl Stop {
    /// A check failed, or the code does not build.
    fn failed(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// The command line is wrong.
    fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// Something is missing on this machine.
    fn environment(message: impl Into<String>) -> Self {
        Self { code: 3, message: message.into() }
    }
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let end = match args[..] {
        ["demo"] => demo::run(),
        ["test"] => test::run(test::Extent::Full),
        ["test", "--fast"] => test::run(test::Extent::Fast),
        ["conformance"] => conformance::run(None),
        ["conformance", "--dir", dir] => conformance::run(Some(dir)),
        ["bench"] => bench::run(None, None),
        ["bench", name] if !name.starts_with('-') => bench::run(Some(name), None),
        ["bench", name, part] if !name.starts_with('-') => bench::run(Some(name), Some(part)),
        ["torture", ref options @ ..] => torture::Options::parse(options).and_then(|options| torture::run(&options)),
        ["fuzz", ref options @ ..] => fuzz::seconds(options).and_then(fuzz::run),
        ["docs"] => docs::make(),
        ["docs", "--check"] => docs::check(),
        [] | ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            Ok(0)
        }
        _ => Err(Stop::usage(format!("unknown command: {}\n\n{USAGE}", args.join(" ")))),
    };
    ExitCode::from(end.unwrap_or_else(|stop| {
        eprintln!("cargo xtask: {}", stop.message.trim_end());
        stop.code
    }))
}
