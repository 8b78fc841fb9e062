//! The programs, run on the design as a user would.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const TOOLS: [&str; 4] = ["verilator", "yosys", "nextpnr-ice40", "icepack"];

/// A copy of the design; `None`, with a word on why, where it cannot be run.
fn design() -> Option<TempDir> {
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
    fs::create_dir(dir.path().join("src")).unwrap();
    for file in ["config.yaml", "src/correlator.v"] {
        let design = Path::new(env!("CARGO_MANIFEST_DIR")).join("design");
        fs::copy(design.join(file), dir.path().join(file)).unwrap();
    }
    Some(dir)
}

/// A line for a shell, in which the programs are found.
#[expect(clippy::disallowed_methods, reason = "a test starts programs")]
fn run(typed: &str, dir: &TempDir) -> Output {
    let programs = Path::new(env!("CARGO_BIN_EXE_rust-flow")).parent().unwrap();
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs.to_owned()].into_iter().chain(env::split_paths(&path))).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", typed]).current_dir(dir.path()).stdin(Stdio::null());
    let output = command.env_clear().env("PATH", path).env("HOME", dir.path()).output().unwrap();
    assert!(output.status.success(), "{typed}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

fn said(output: Output) -> (String, String) {
    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn the_loop_ends_at_the_first_device_that_is_large_enough() {
    let Some(dir) = design() else { return };
    // What the page of the book shows.
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/src/custom-flows.md");
    let page = fs::read_to_string(page).unwrap();
    let (typed, expected) = page.split_once("```text\n$ ").unwrap().1.split_once('\n').unwrap();
    let expected = expected.split_once("```").unwrap().0;
    assert_eq!(said(run(typed, &dir)).0.trim_end(), expected.trim_end());

    let (_, log) = said(run("rust-flow run", &dir));
    assert!(log.contains("Nextpnr.Ice40-lp384: failed: "), "{log}");
    assert!(log.contains("(recorded)") && log.contains("Icestorm.Pack: reused"), "{log}");
    assert!(!log.contains("started"), "the failure is recorded, too: {log}");
}

#[test]
fn a_list_of_steps_has_the_step_from_here_among_them() {
    let Some(dir) = design() else { return };
    let (results, _) = said(run("rust-flow run --flow MyFlow -c ICE40_DEVICE=lp1k -c ICE40_PACKAGE=qn84", &dir));
    let depth = results.lines().find(|line| line.contains("my__depth")).unwrap();
    assert!(depth.split_whitespace().nth(1).unwrap().parse::<u32>().unwrap() > 10, "{depth}");
    // The other part tells its metric and its report by lines of its log.
    assert!(results.lines().any(|line| line.split_whitespace().eq(["my__port__count", "3"])), "{results}");
    let shown = "runs/default/03-my-logic/2-my-ports";
    let report = fs::read_to_string(dir.path().join(shown).join("ports.rpt")).unwrap();
    assert!(report.contains("correlator/clk"), "{report}");
}

#[test]
fn a_program_starts_the_flow_and_gets_its_files() {
    let Some(dir) = design() else { return };
    let (printed, errors) = said(run("smallest .", &dir));
    let lines: Vec<&str> = printed.lines().collect();
    let [first, .., step, bitstream] = lines.as_slice() else { panic!("{printed}") };
    assert_eq!((*first, *step, errors.as_str()), ("Verilator.Lint: Done", "Icestorm.Pack: Done", ""));
    assert!(lines.contains(&"Nextpnr.Ice40-lp384: Failed"), "{printed}");
    assert_eq!(fs::metadata(bitstream).unwrap().len(), 32_220);
}

#[test]
fn the_whole_command_line_takes_less_than_fifty_lines() {
    let lines = [include_str!("../src/main.rs"), include_str!("../src/lib.rs")].map(|text| text.lines().count());
    assert!(lines.iter().sum::<usize>() < 50, "{lines:?}");
}

#[test]
fn the_hook_is_the_one_that_the_page_shows_and_acts() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(here.join("../../book/src/hooks.md")).unwrap();
    let code = fs::read_to_string(here.join("src/share.rs")).unwrap();
    let (_, code) = code.split_once("\n\n").unwrap();
    assert!(page.contains(code.trim()), "book/src/hooks.md shows another hook than src/share.rs");
    let Some(dir) = design() else { return };
    let (plan, _) = said(run("rust-flow plan --flow MyFlow -c ICE40_DEVICE=hx1k -c ICE40_PACKAGE=tq144", &dir));
    assert!(plan.contains("share       user hook, examples/rust-flow/src/share.rs:"), "{plan}");
    run("rust-flow run --flow MyFlow -c ICE40_DEVICE=hx1k -c ICE40_PACKAGE=tq144", &dir);
    let script = dir.path().join("runs/default/02-yosys-synthice40/yosys-synthice40.ys");
    assert!(fs::read_to_string(script).unwrap().contains("# section share\nshare -aggressive correlator\n"));
}
