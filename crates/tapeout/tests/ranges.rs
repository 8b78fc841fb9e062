//! A flow that the configuration changes, and parts of it that are run: with the real tools.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use serde_json::Value;
use support::{TestSpace, has_flow};

const SYNTH: &str = "Yosys.SynthIce40";
const ROUTE: &str = "Nextpnr.Ice40";
const PACK: &str = "Icestorm.Pack";

/// How each step stands in the summary of the last run, those left out apart.
fn summary(space: &TestSpace) -> Vec<String> {
    let summary: Value = serde_json::from_str(&space.read("runs/default/run.json")).unwrap();
    let steps = summary["steps"].as_array().unwrap().iter().filter(|step| step["status"] != "left_out");
    steps.map(|step| format!("{} {}", step["id"].as_str().unwrap(), step["status"].as_str().unwrap())).collect()
}

/// A counter whose flow has four steps.
fn counter() -> TestSpace {
    let space = TestSpace::counter();
    let steps = format!("flow: [Verilator.Lint, {SYNTH}, {ROUTE}, {PACK}]");
    space.edit("config.yaml", "flow: Ice40", &steps);
    space
}

#[test]
fn a_substitution_changes_what_runs_and_the_plan_says_where_it_is_written() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let edits = "flow: Ice40\n  substituting_steps:\n    Icarus.*: null\n    icestorm.p?st*: null\n    +Nextpnr.Ice40: Verilator.Lint";
    space.edit("config.yaml", "meta: {version: 2, flow: Ice40}", &format!("meta:\n  {edits}"));
    let plan = space.tapeout(&["plan"]).exits(0);
    plan.prints(&["Verilator.Lint-1  Lint\n  put there by config.yaml:6:5"]);
    let plan: Value = serde_json::from_str(&space.tapeout(&["plan", "--json"]).exits(0).out).unwrap();
    let step = |id: &str| plan["steps"].as_array().unwrap().iter().find(|step| step["id"] == id).cloned();
    assert_eq!(step("Verilator.Lint-1").unwrap()["origin"], "config.yaml:6:5");
    assert_eq!(step("Verilator.Lint").unwrap()["origin"], Value::Null);
    assert!(step("Icarus.Simulate").is_none() && step("Icestorm.PostLayoutSimulate").is_none());
    space.run().exits(0);
    assert_eq!(space.status("Verilator.Lint-1"), "done");
}

#[test]
fn a_range_begins_with_what_the_run_shows_and_ends_where_it_says() {
    if !has_flow() {
        return;
    }
    let space = counter();
    space.tapeout(&["run", "--from", "pack"]).exits(2).says_once(&[
        &format!("`{PACK}` reads what `{ROUTE}` makes, and the run `default` has no result of that"),
        &format!("try: `tapeout run --to {ROUTE}` makes it"),
    ]);
    let ran = space.tapeout(&["run", "-T", "nextpnr"]).exits(0);
    ran.prints(&[&format!("it comes after `--to {ROUTE}`"), "a part of the flow: runs/default"]).says(&["[3/3]"]);
    assert!(!space.path("runs/default/final").exists());
    assert!(space.read("runs/default/command").ends_with(" --to nextpnr\n"), "{}", space.read("runs/default/command"));

    let ran = space.tapeout(&["run", "-F", "pack"]).exits(0).says(&["[1/1] Icestorm.Pack: started"]);
    ran.prints(&["results: runs/default/final"]);
    let held =
        ["Verilator.Lint held".to_owned(), format!("{SYNTH} held"), format!("{ROUTE} held"), format!("{PACK} done")];
    assert_eq!(summary(&space), held);

    // The source changes. Before the range nothing runs, but it is said; without it, all is made good.
    space.edit("src/counter.v", "count + `STEP", "count - `STEP");
    let warning =
        format!("warning: {SYNTH} stays at its recorded result, which is not good any more: `src/counter.v` changed");
    let ran = space.tapeout(&["run", "--only", "nextpnr"]).exits(0).says(&[&warning, "[1/1] Nextpnr.Ice40: reused"]);
    ran.prints(&["`final` in it is that of an earlier run"]);
    space.tapeout(&["run", "-q", "--only", "nextpnr"]).exits(0);
    space.tapeout(&["status", "-F", ROUTE]).exits(0).prints(&["held", "nothing would run"]);
    space.tapeout(&["why", "-F", ROUTE, "synth"]).exits(0).prints(&["would not run: it stands before the range"]);
    space.tapeout(&["status"]).exits(0).prints(&["4 steps would run"]);
    let ran = space.tapeout(&["run", "-F", ROUTE, "--fresh"]).exits(0);
    assert!(!ran.err.contains("Yosys.SynthIce40: started"), "what is held is not made anew: {}", ran.err);
    assert_eq!(summary(&space), [held[0].clone(), held[1].clone(), format!("{ROUTE} done"), held[3].clone()]);
    space.tapeout(&["run", "-F", ROUTE, "--fresh=yosys*"]).exits(2).says_once(&["no such step is in the range"]);
}

#[test]
fn a_gate_leaves_a_step_out() {
    let space = TestSpace::counter();
    space.write("config.yaml", space.read("config.yaml") + "RUN_LINTER: false\n");
    space
        .tapeout(&["plan"])
        .exits(0)
        .prints(&["Verilator.Lint  Lint\n  left out: RUN_LINTER is false (config.yaml:11:13)"]);
    space
        .tapeout(&["show", "flow", "Ice40"])
        .exits(0)
        .prints(&["gates  Verilator.Lint* if RUN_LINTER", "Whether to lint."]);
    space
        .tapeout(&["show", "variable", "RUN_LINTER"])
        .exits(0)
        .prints(&["of the flows  Classic, Ice40, Ice40Exploration"]);
    space.edit("config.yaml", "flow: Ice40", "flow: [Verilator.Lint]");
    let plan = space.tapeout(&["plan"]).exits(0).prints(&["1 of 1 steps"]);
    plan.says(&["no step of this flow reads `RUN_LINTER`"]);
}

#[test]
fn skipped_steps_are_left_out_with_the_reason() {
    if !has_flow() {
        return;
    }
    let space = counter();
    let ran = space.tapeout(&["run", "-S", "verilator*", "--skip", "pack"]).exits(0);
    ran.prints(&["skipped by `--skip verilator*`", "skipped by `--skip Icestorm.Pack`"]).says(&["[2/2]"]);
    let command = space.read("runs/default/command");
    assert!(command.ends_with(" --skip 'verilator*' --skip pack\n"), "{command}");
    let plan = space.tapeout(&["plan", "-S", "synth"]).exits(2);
    plan.says_once(&[&format!("`{ROUTE}` needs the view `json`, which only `{SYNTH}` makes, and that is skipped")]);
}

#[test]
fn what_reads_a_skipped_netlist_is_left_out_with_it() {
    let plan = TestSpace::counter().tapeout(&["plan", "--skip", "icestorm.readback"]).exits(0);
    plan.prints(&["Post-layout simulation\n  left out: no step before it makes a view `post_layout_nl`"]);
}

#[test]
fn a_flow_needs_a_step() {
    let space = TestSpace::counter();
    space.edit("config.yaml", "flow: Ice40", "flow: Ice40, substituting_steps: {'*': null}");
    for command in [&["run"][..], &["plan"], &["config", "check"]] {
        let ran = space.tapeout(command).exits(2);
        ran.says(&["no step is left of the flow `Ice40`", "`meta.substituting_steps`"]);
    }
    assert!(!space.path("runs").exists());
}

#[test]
fn ranges_that_cannot_be_are_refused_before_anything_runs() {
    let space = TestSpace::counter();
    let cases: [(&[&str], &[&str]); 9] = [
        (&["-F", "synht"], &["`--from synht`: the flow `Ice40` has no such step", "did you mean `Yosys.SynthIce40`?"]),
        (&["--from", "*ice40"], &["`--from *ice40` must name one step, and matches 2", SYNTH, ROUTE]),
        (&["--to", "icestorm"], &["`--to`: `icestorm` may be any of 4 steps", "write the whole name"]),
        (&["-F", "pack", "-T", "synth"], &["the range is empty: `Icestorm.Pack` comes after `Yosys.SynthIce40`"]),
        (&["--skip", "nothing*"], &["`--skip nothing*`: the flow `Ice40` has no such step"]),
        (&["--skip", "synth,pack"], &["give it once for each: `--skip synth --skip pack`"]),
        (&["--only", "CTS"], &["`--only CTS`: the flow `Ice40` has no such step"]),
        (&["--only", "ghdl"], &["nothing is left to run", "VHDL_FILES is empty"]),
        (&["--only", "pack", "--from", "synth"], &["cannot be used with"]),
    ];
    for (args, words) in cases {
        for command in ["run", "plan", "status"] {
            space.tapeout(&[&[command], args].concat()).exits(2).says_once(words);
        }
    }
    assert!(!space.path("runs").exists());
    space.write("runs/taken", "");
    space
        .tapeout(&["run", "--tag", "taken"])
        .exits(2)
        .says_once(&["the run `taken` needs the directory", "a file is there"]);
    space.tapeout(&["plan", "--design-dir", "~x"]).exits(2).says_once(&["there is no such directory", "`~`"]);
}

#[test]
fn links_between_steps_follow_when_the_order_changes() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.edit("config.yaml", "flow: Ice40", "flow: [Yosys.SynthIce40, Verilator.Lint, Nextpnr.Ice40]");
    space.tapeout(&["run", "-q"]).exits(0);
    space.edit("config.yaml", "[Yosys.SynthIce40, Verilator.Lint,", "[Verilator.Lint, Yosys.SynthIce40,");
    space.tapeout(&["run", "-q"]).exits(0);
    let netlist = space.path("runs/default/03-nextpnr-ice40/counter.json");
    assert!(netlist.is_symlink() && netlist.exists(), "it leads to {:?}", std::fs::read_link(&netlist));
}
