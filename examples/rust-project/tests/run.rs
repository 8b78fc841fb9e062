//! The program, run as a user would.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const TOOLS: [&str; 7] = ["iverilog", "vvp", "verilator", "yosys", "nextpnr-ice40", "icepack", "icetime"];

/// A copy of the sources; `None`, with a word on why, where they cannot be run.
fn sources() -> Option<TempDir> {
    let path = env::var_os("PATH").unwrap_or_default();
    let missing = TOOLS.iter().find(|tool| !env::split_paths(&path).any(|dir| dir.join(tool).is_file()));
    if let Some(tool) = missing {
        println!("skipped: no {tool}");
        return None;
    }
    if env::var_os("TAPEOUT_FAST").is_some() {
        println!("skipped: slow");
        return None;
    }
    let dir = tempfile::tempdir().unwrap();
    for folder in ["firmware", "rtl", "tb"] {
        fs::create_dir(dir.path().join(folder)).unwrap();
        for file in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), dir.path().join(folder).join(file.file_name())).unwrap();
        }
    }
    Some(dir)
}

/// Runs the program. Gives its exit code, and what it said.
#[expect(clippy::disallowed_methods, reason = "a test starts programs")]
fn run(dir: &TempDir, args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rust-project"));
    command.args(args).current_dir(dir.path()).stdin(Stdio::null());
    let path = env::var_os("PATH").unwrap_or_default();
    let output = command.env_clear().env("PATH", path).env("HOME", dir.path()).output().unwrap();
    let [out, err] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    (output.status.code().unwrap(), out, err)
}

/// Builds the report, and says which targets ran for it, in alphabetical order.
fn report(dir: &TempDir) -> Vec<String> {
    let (code, _, log) = run(dir, &["run", "report.summary"]);
    assert_eq!(code, 0, "{log}");
    let started = log.lines().filter(|line| line.contains(": started"));
    let mut started: Vec<String> = started.map(|line| line.split([' ', ':']).nth(1).unwrap().to_owned()).collect();
    started.sort();
    started
}

fn edit(dir: &TempDir, path: &str, from: &str, to: &str) {
    let path = dir.path().join(path);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "no {from:?} in {}", path.display());
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn an_edit_runs_what_depends_on_it_and_nothing_else() {
    let Some(dir) = sources() else { return };
    assert_eq!(report(&dir).len(), 9);
    let page = fs::read_to_string(dir.path().join("build/report/summary/report.md")).unwrap();
    assert!(page.contains("\n| blink | 16 | ") && page.contains("\n| chase | 16 | "), "{page}");
    assert_eq!(report(&dir), [""; 0]);

    edit(&dir, "firmware/chase.s", "; One LED", "; A single LED");
    assert_eq!(report(&dir), ["chase.assemble"], "the memory is the same");
    edit(&dir, "firmware/chase.s", "ldi 1", "ldi 3");
    let (_, would_run, _) = run(&dir, &["run", "-n", "report.summary"]);
    assert!(would_run.contains("`firmware/chase.s` changed") && would_run.contains("5 targets"), "{would_run}");
    let ran = report(&dir);
    let expected = ["chase.assemble", "core_chase.implement", "core_chase.simulate", "core_chase.synthesize"];
    assert_eq!(ran.iter().filter(|target| **target != "report.summary").collect::<Vec<_>>(), expected);
}

#[test]
fn a_bench_that_fails_says_what_is_wrong() {
    let Some(dir) = sources() else { return };
    let (code, _, log) = run(&dir, &["run", "core_blink.simulate", "core_chase.simulate", "--keep-going"]);
    assert_eq!(code, 0, "{log}");
    edit(&dir, "rtl/core.v", "accumulator ^ operand", "accumulator | operand");
    let (code, _, log) = run(&dir, &["run", "core_blink.simulate", "core_chase.simulate", "--keep-going"]);
    assert_eq!(code, 1, "a check has failed: {log}");
    assert!(log.contains("error: core_blink.simulate: value 1: the core puts out ff, and the model says aa"), "{log}");
    assert!(log.contains("core_chase.simulate: done"), "it does not use the operation: {log}");
    assert!(dir.path().join("build/core_blink/simulate.failed/simulate.log").is_file());

    edit(&dir, "rtl/core.v", "accumulator | operand", "accumulator ^ operand");
    let (code, _, log) = run(&dir, &["run", "core_blink.simulate"]);
    assert_eq!(code, 0, "{log}");
    assert!(!dir.path().join("build/core_blink/simulate.failed").exists());
}

#[test]
fn a_mistake_in_a_program_is_said_with_its_line() {
    let Some(dir) = sources() else { return };
    edit(&dir, "firmware/blink.s", "xor 255", "xor 256");
    let (code, _, log) = run(&dir, &["run", "blink.assemble"]);
    assert_eq!(code, 2, "{log}");
    assert!(log.contains("firmware/blink.s: line 6: `256` is no label and no number up to 255"), "{log}");
}
