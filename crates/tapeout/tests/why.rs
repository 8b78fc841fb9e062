//! Each change runs again exactly what it should, and `why` says so; what people did to a run is noticed.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]
#![allow(dead_code, reason = "the support is shared with other tests")]

mod support;

use std::fs;
use std::time::Duration;

use serde_json::Value;
use support::{TestSpace, fast_only, has, has_flow};

const SYNTH: &str = "Yosys.SynthIce40";
const ROUTE: &str = "Nextpnr.Ice40";

/// What a command prints as JSON.
fn json(space: &TestSpace, args: &[&str]) -> Value {
    let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&space.tapeout(&args).exits(0).out).unwrap()
}

/// How a step stands.
fn standing(space: &TestSpace, step: &str) -> Value {
    let status = json(space, &["status"]);
    status["steps"].as_array().unwrap().iter().find(|standing| standing["step"] == step).unwrap().clone()
}

/// The reasons why a step would run, in words.
fn reasons(space: &TestSpace, step: &str) -> Vec<String> {
    let why = json(space, &["why", step]);
    let reasons = why["steps"][0]["reasons"].as_array().cloned().unwrap_or_default();
    reasons.iter().map(|reason| reason["words"].as_str().unwrap().to_owned()).collect()
}

/// Edits a file, checks what `why` says of some steps, runs, checks what ran, and takes the edit back.
fn shows(space: &TestSpace, file: &str, from: &str, to: &str, why: &[(&str, &str)], ran: &[&str]) {
    let before = space.read(file);
    space.edit(file, from, to);
    for (step, words) in why {
        let reasons = reasons(space, step);
        assert!(reasons.iter().any(|reason| reason.contains(words)), "{file}: {step}: {reasons:?}");
    }
    if why.is_empty() {
        space.tapeout(&["why"]).exits(0).prints(&["nothing would run"]);
    }
    space.run().exits(0);
    assert_eq!(space.repeated(), ran, "{file}");
    space.write(file, before);
    space.run().exits(0);
    assert_eq!(space.repeated(), [""; 0], "{file}: what was there before is still recorded");
}

#[test]
fn on_the_soc_each_edit_runs_what_it_reaches_and_why_says_so() {
    if fast_only() || !has_flow() {
        return;
    }
    let space = TestSpace::example("riscv-soc");
    space.write("config.yaml", space.read("config.yaml") + "RUN_POST_LAYOUT_SIMULATION: false\n");
    space.run().exits(0);
    const LINT: &str = "Verilator.Lint";
    const SIMULATE: &str = "Icarus.Simulate";
    let front = [LINT, SIMULATE, SYNTH];

    let all = |words| front.map(|step| (step, words));
    let changed = "`src/uart.v` changed";
    // A comment at the end leaves the netlist as it was; the waves of its change end there.
    shows(&space, "src/uart.v", "endmodule", "endmodule // uart", &all(changed), &front);
    shows(&space, "src/soc_map.vh", "\n", " // map\n", &all("`src/soc_map.vh` changed"), &front);
    let words = "`firmware/firmware.hex` changed";
    shows(&space, "firmware/firmware.hex", "@00000000", "// image\n@00000000", &all(words), &front);
    shows(&space, "config.yaml", "this leaves room", "this leaves some room", &[], &[]);
    let words = "`CLOCK_PERIOD` 33.333 → 34, config.yaml:";
    let timing = [(ROUTE, words), ("Checker.SetupViolations", words)];
    shows(
        &space,
        "config.yaml",
        "CLOCK_PERIOD: 33.333",
        "CLOCK_PERIOD: 34",
        &timing,
        &[ROUTE, "Checker.SetupViolations"],
    );
}

#[test]
fn a_variable_that_a_step_has_no_need_of_is_no_reason() {
    if !has_flow() {
        return;
    }
    const CHECK: &str = "Checker.SetupViolations";
    let space = TestSpace::counter();
    // The check then knows the period of its only clock from here, and place and route has the other one for the rest.
    space.write("config.yaml", space.read("config.yaml") + "CLOCK_PERIODS: {clk: 20}\n");
    space.run().exits(0);
    let config: Value =
        serde_json::from_str(&space.read("runs/default/10-checker-setupviolations/config.json")).unwrap();
    let read = serde_json::json!({
        "CLOCK_PERIODS": {"clk": 20}, "CLOCK_PORT": "clk", "meta": {"version": 2, "step": CHECK},
    });
    assert_eq!(config, read, "what it read");
    space.edit("config.yaml", "CLOCK_PERIOD: 20", "CLOCK_PERIOD: 25");
    assert_eq!(reasons(&space, ROUTE), ["`CLOCK_PERIOD` 20 → 25, config.yaml:6:15"]);
    let found = reasons(&space, CHECK);
    assert!(!found.is_empty() && found.iter().all(|reason| reason.ends_with("would run first")), "{found:?}");
    space.edit("config.yaml", "{clk: 20}", "{}");
    let found = reasons(&space, CHECK);
    assert_eq!(found[0], "`CLOCK_PERIODS` {\"clk\": 20} → {}, config.yaml:11:16", "{found:?}");
}

#[test]
fn a_changed_tool_is_named_with_its_versions() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let fake = |version: &str| {
        format!("#!/bin/sh\ncase $1 in -V) echo 'Yosys {version} (test)';; *) exec yosys \"$@\";; esac\n")
    };
    space.script("bin/yosys", &fake("0.90"));
    let space = space.env("TAPEOUT_YOSYS", "bin/yosys");
    space.run().exits(0);
    space.script("bin/yosys", &fake("0.91"));
    assert_eq!(reasons(&space, SYNTH), ["yosys 0.90 → 0.91"]);
    assert_eq!(reasons(&space, ROUTE), [format!("{SYNTH} would run first")]);
    let ran = space.run().exits(0);
    ran.says(&["Yosys.SynthIce40: started: yosys 0.90 → 0.91"]);
    assert_eq!(space.repeated(), [SYNTH, "Icestorm.PostLayoutSimulate"], "those that run it; the netlist is the same");
}

#[test]
fn failed_interrupted_and_running_steps_are_told_apart() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let missing = standing(&space, SYNTH);
    assert_eq!((&missing["status"], &missing["would_run"]), (&"missing".into(), &true.into()));
    space.script("bin/yosys", "#!/bin/sh\ncase $1 in -V) exec yosys -V;; *) echo 'ERROR: no'; exit 1;; esac\n");
    let space = space.env("TAPEOUT_YOSYS", "bin/yosys");
    space.run().exits(5);
    let failed = standing(&space, SYNTH);
    assert_eq!(failed["status"], "failed");
    assert!(failed["note"].as_str().unwrap().contains("exit code 1"), "{failed}");

    space.script("bin/yosys", "#!/bin/sh\ncase $1 in -V) exec yosys -V;; *) : > started; sleep 60;; esac\n");
    let running = space.start(&["run"]);
    assert!(support::until(Duration::from_secs(20), || standing(&space, SYNTH)["status"] == "running"));
    running.signal("INT");
    running.wait(Duration::from_secs(20)).exits(130);
    assert_eq!(standing(&space, SYNTH)["status"], "interrupted");

    let killed = space.start(&["run"]);
    assert!(support::until(Duration::from_secs(20), || standing(&space, SYNTH)["status"] == "running"));
    killed.signal("KILL");
    drop(killed);
    assert!(support::until(Duration::from_secs(20), || standing(&space, SYNTH)["status"] == "interrupted"));
    let why = space.tapeout(&["why", "synth"]).exits(0);
    why.prints(&["it was interrupted: tapeout was killed while it ran"]);
}

#[test]
fn edited_files_are_noticed_kept_and_can_be_adopted() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.run().exits(0);
    let netlist = "runs/default/04-yosys-synthice40/counter.json";
    let recorded = space.read(netlist);

    let edited = recorded.replace("\"creator\"", " \"creator\"");
    space.write(netlist, &edited);
    let status = standing(&space, SYNTH);
    assert_eq!((&status["status"], &status["note"]), (&"edited".into(), &"counter.json".into()));
    space.tapeout(&["pin", SYNTH, "-r", "x"]).exits(2).says(&["was edited", "--adopt"]);
    space.run().exits(0).says(&["(counter.json)", "was edited", "04-yosys-synthice40.edited"]);
    assert_eq!((space.read(netlist), space.repeated()), (recorded.clone(), Vec::<String>::new()));
    assert_eq!(space.read("runs/default/04-yosys-synthice40.edited/counter.json"), edited, "nothing is thrown away");

    // Touched, copied back: that is no edit.
    space.write(netlist, &recorded);
    assert_eq!(standing(&space, SYNTH)["status"], "fresh");

    space.write(netlist, &edited);
    space.tapeout(&["pin", SYNTH, "--adopt", "-r", "by hand"]).exits(0);
    let status = standing(&space, SYNTH);
    assert_eq!((&status["status"], &status["note"]), (&"pinned".into(), &"by hand".into()));
    assert_eq!(reasons(&space, ROUTE), [format!("{SYNTH} gave something else")]);
    space.run().exits(0);
    assert_eq!((space.read(netlist), space.status(SYNTH)), (edited.clone(), "pinned".to_owned()));
    assert!(space.repeated().contains(&ROUTE.to_owned()));

    // Whatever changes, a pinned step stays; asked for anew, it says why it does not.
    space.edit("src/counter.v", "endmodule", "endmodule // changed");
    assert_eq!(standing(&space, SYNTH)["status"], "pinned");
    space.tapeout(&["run", "--fresh=yosys*"]).exits(2).says(&["pinned: by hand", "tapeout unpin"]);
    let (would_run, ahead) = (&standing(&space, ROUTE)["would_run"], &standing(&space, SYNTH)["would_run"]);
    assert_eq!((would_run, ahead), (&false.into(), &false.into()), "what is pinned waits for nothing");
    space.tapeout(&["unpin", SYNTH]).exits(0);
    assert_eq!(standing(&space, SYNTH)["status"], "stale");
    space.run().exits(0);
    assert_eq!(space.read(netlist).contains(" \"creator\""), recorded.contains(" \"creator\""));
    assert_eq!(space.read("runs/default/04-yosys-synthice40.edited-2/counter.json"), edited, "also what was adopted");
}

#[test]
fn what_a_tool_gives_twice_is_compared() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let shell = "#!/bin/sh\ncase $1 in -V) exec yosys -V;; esac\nyosys \"$@\" && date +%N >> counter.json\n";
    space.script("bin/yosys", shell);
    let space = space.env("TAPEOUT_YOSYS", "bin/yosys");
    space.edit("config.yaml", "flow: Ice40", "flow: [Verilator.Lint, Yosys.SynthIce40]");
    space.run().exits(0);
    let ran = space.tapeout(&["run", "--check-repeat"]);
    ran.exits(1).says(&["Yosys.SynthIce40: not the same once more: `counter.json` first at byte", "(line"]);
    space.tapeout(&["run", "--check-repeat=verilator*"]).exits(0).says(&["Verilator.Lint: the same once more"]);
    space.tapeout(&["run", "--check-repeat=nothing"]).exits(2);
}

#[test]
fn a_run_can_be_seen_as_a_trace_and_is_recorded() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.tapeout(&["run", "--trace", "trace.json"]).exits(0);
    let trace: Value = serde_json::from_str(&space.read("trace.json")).unwrap();
    let slices: Vec<&Value> =
        trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["ph"] == "X").collect();
    let named = |name: &str| slices.iter().find(|slice| slice["name"] == name).copied().cloned().unwrap();
    let end = |slice: &Value| slice["ts"].as_f64().unwrap() + slice["dur"].as_f64().unwrap();
    assert!(end(&named(SYNTH)) <= named(ROUTE)["ts"].as_f64().unwrap(), "one after the other");
    assert_eq!(named(SYNTH)["args"]["why"], serde_json::json!(["it has no result yet"]));

    let lines = space.read("runs/default/events.jsonl");
    let events: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&events[0]["event"], &events.last().unwrap()["event"]),
        (&"run_started".into(), &"run_finished".into())
    );
    let started = events.iter().filter(|event| event["event"] == "step_started").count();
    assert_eq!(started, slices.len());
}

#[test]
fn the_built_in_steps_pass_in_the_sandbox_and_undeclared_files_are_named() {
    if !has_flow() || !has(&["strace"]) {
        return;
    }
    let space = TestSpace::counter();
    let ran = space.tapeout(&["run", "--sandbox"]);
    if ran.err.contains("no Landlock") {
        println!("skipped: no Landlock");
        return;
    }
    ran.exits(0);
    let secret = tempfile::tempdir().unwrap();
    fs::write(secret.path().join("seed"), "1").unwrap();
    let seed = secret.path().join("seed").canonicalize().unwrap();
    let shell =
        format!("#!/bin/sh\ncase $1 in -V) exec yosys -V;; esac\ncat '{}' && exec yosys \"$@\"\n", seed.display());
    space.script("bin/yosys", &shell);
    let space = space.env("TAPEOUT_YOSYS", "bin/yosys");
    let named = format!("the sandbox denied it what is not declared: `{}`", seed.display());
    space.tapeout(&["run", "--sandbox"]).exits(5).says(&[&named]);
    space.run().exits(0);
}
