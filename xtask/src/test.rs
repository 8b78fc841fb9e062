//! `cargo xtask test`: everything that is checked before a change is kept, in phases. Its last line counts them all.

use std::io::{self, BufRead, BufReader, PipeReader};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use crate::tally::{Line, Scanner, Tally};
use crate::{Stop, arrows, conformance, fuzz, process, setup, sources, words};

/// How much is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// All of it.
    Full,
    /// What takes no long time and installs nothing. Slow tests see `TAPEOUT_FAST=1` and skip themselves.
    Fast,
}

/// How many seconds each reader is given hostile input. Longer runs are for `cargo xtask fuzz`.
const FUZZED: u64 = 4;

/// What was found so far.
#[derive(Default)]
struct Report {
    tally: Tally,
    failures: Vec<String>,
    skips: Vec<String>,
}

impl Report {
    /// One check, with a headline and the time it took. It prints what is wrong, and returns whether all is well.
    fn check(&mut self, name: &str, check: impl FnOnce() -> Result<bool, Stop>) -> Result<bool, Stop> {
        println!("\n== {name}");
        let started = Instant::now();
        let passed = check()?;
        if passed {
            self.tally.passed += 1;
        } else {
            self.tally.failed += 1;
            self.failures.push(name.to_owned());
        }
        end_of_phase(name, passed, started);
        Ok(passed)
    }

    /// A check made by cargo.
    fn cargo(&mut self, name: &str, args: &[&str]) -> Result<bool, Stop> {
        self.check(name, || process::succeeds(&mut process::cargo(args)))
    }

    /// A check made here, which returns what is wrong.
    fn lint(&mut self, name: &str, lint: fn() -> Result<Vec<String>, Stop>) -> Result<bool, Stop> {
        self.check(name, || {
            let problems = lint()?;
            for problem in &problems {
                println!("{problem}");
            }
            Ok(problems.is_empty())
        })
    }

    /// Tests that cargo runs.
    fn tests(&mut self, name: &str, mut command: Command) -> Result<(), Stop> {
        println!("\n== {name}");
        let started = Instant::now();
        // Cargo names the test programs on one stream, they speak on the other: one pipe keeps the order.
        let (read, mut child) = into_one_pipe(command.stdin(Stdio::null()))
            .map_err(|e| Stop::environment(format!("cannot start the tests: {e}")))?;
        // It holds the pipe's writing ends, and the output would not end before they are closed.
        drop(command);

        let mut scanner = Scanner::default();
        for line in BufReader::new(read).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line);
            match scanner.line(&line) {
                Line::Quiet => {}
                Line::Loud => println!("{line}"),
                Line::Suite(summary) => println!("{summary}"),
            }
        }
        let status = child.wait().map_err(|e| Stop::environment(format!("cannot wait for the tests: {e}")))?;
        let (mut tally, mut failures, skips) = scanner.finish();
        if !status.success() && tally.failed == 0 {
            tally.failed = 1;
            failures.push(format!("cargo test ended with {status}, though no test failed"));
        }
        let passed = tally.failed == 0;
        self.tally.passed += tally.passed;
        self.tally.failed += tally.failed;
        self.tally.skipped += tally.skipped;
        self.failures.append(&mut failures);
        self.skips.extend(skips);
        end_of_phase(name, passed, started);
        Ok(())
    }

    /// Lists what is not good and counts all.
    fn finish(self) -> u8 {
        println!();
        for skip in &self.skips {
            println!("skipped: {skip}");
        }
        for failure in &self.failures {
            println!("failed: {failure}");
        }
        println!("{}", self.tally);
        u8::from(self.tally.failed > 0)
    }
}

/// Starts it with both its output streams in one pipe.
fn into_one_pipe(command: &mut Command) -> io::Result<(PipeReader, Child)> {
    let (read, write) = io::pipe()?;
    let errors = write.try_clone()?;
    let child = command.stdout(write).stderr(errors).spawn()?;
    Ok((read, child))
}

fn end_of_phase(name: &str, passed: bool, started: Instant) {
    let verdict = if passed { "passed" } else { "FAILED" };
    println!("== {name}: {verdict}, {:.1} s", started.elapsed().as_secs_f64());
}

/// Runs all phases. One that fails does not stop the others, except that code which does not compile is not tested.
pub(crate) fn run(extent: Extent) -> Result<u8, Stop> {
    let full = extent == Extent::Full;
    let mut deny = None;
    if full {
        setup::eda_tools(&[setup::ICE40_TOOLS, setup::ASIC_TOOLS, setup::TEST_TOOLS])?;
        setup::rust_components()?;
        deny = Some(setup::cargo_deny()?);
    }

    let mut report = Report::default();
    report.cargo("formatting", &["fmt", "--all", "--check"])?;
    report.cargo("formatting of fuzz targets", &["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])?;
    report.lint("arrows between crates", arrows::check)?;
    report.lint("shape of source files", sources::check)?;
    report.lint("words in files", words::check)?;
    // A clean build is made from the lock file as it is; while working, it may follow an edited Cargo.toml.
    let locked: &[&str] = if full { &["--locked"] } else { &[] };
    if !report.cargo("build", &[&["test", "--workspace", "--no-run", "--quiet"], locked].concat())? {
        println!("\nThe tests and what is checked after them were not run, since this does not compile.");
        return Ok(report.finish());
    }
    report.cargo(
        "clippy",
        &["clippy", "--workspace", "--all-targets", "--keep-going", "--quiet", "--", "-D", "warnings"],
    )?;
    let mut tests = process::cargo(&["test", "--workspace", "--no-fail-fast", "--", "--show-output"]);
    if full {
        tests.env_remove("TAPEOUT_FAST")
    } else {
        tests.env("TAPEOUT_FAST", "1")
    };
    report.tests("tests", tests)?;
    report.check("conformance", conformance::succeeds)?;
    if full {
        let mut flow = process::cargo(&["test", "-p", "tapeout", "--test", "ice40", "--", "--show-output"]);
        flow.env_remove("TAPEOUT_FAST").env("TAPEOUT_TEST_SANDBOX", "1");
        report.tests("the flow's tests in the sandbox", flow)?;
    }
    if full {
        report.check("hostile input for readers", || Ok(fuzz::run(FUZZED)? == 0))?;
    }
    if let Some(deny) = deny {
        report.check("licences and sources of dependencies", || {
            let mut command = Command::new(&deny);
            // Advisories would have to be fetched, and would fail a build that did not change.
            command.args(["check", "licenses", "bans", "sources"]);
            process::succeeds(command.current_dir(process::root()))
        })?;
        report.check("licences and sources of what fuzzing uses", || {
            let mut command = Command::new(&deny);
            command.args(["--manifest-path", "fuzz/Cargo.toml", "--config", "fuzz/deny.toml", "check"]);
            process::succeeds(command.args(["licenses", "bans", "sources"]).current_dir(process::root()))
        })?;
        report.check("documentation", || {
            let mut command = process::cargo(&["doc", "--workspace", "--no-deps", "--quiet"]);
            process::succeeds(command.env("RUSTDOCFLAGS", "-D warnings"))
        })?;
    }
    Ok(report.finish())
}
