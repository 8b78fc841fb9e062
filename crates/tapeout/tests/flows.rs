//! Flows that are programs, with the real tools: what they find out, what a failure is to them, that nothing runs twice,
//! and that the commands know their steps.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use std::time::Duration;

use serde_json::Value;
use support::{COUNTER, TestSpace, fast_only, has, has_flow};

const LAYOUT: &str = "Nextpnr.Ice40";
const HARD_LAYOUT: &str = "Nextpnr.Ice40-hard";
const HARD_TIMING: &str = "Checker.SetupViolations-hard";

/// The counter with this flow and without a bench.
fn counter(flow: &str) -> TestSpace {
    let space = TestSpace::with(&COUNTER[..COUNTER.len() - 1]);
    space.edit("config.yaml", "flow: Ice40", &format!("flow: {flow}"));
    space.edit("config.yaml", "TEST_BENCHES: 'dir::tb/*_tb.v'\n", "RUN_LINTER: false\n");
    space
}

/// Puts a script in the place of a tool. `real` is run by it through `PATH`.
fn replace(space: &TestSpace, tool: &str, script: &str) {
    space.script(&format!("bin/{tool}"), &format!("{script}\nexec {tool} \"$@\"\n"));
    let config = space.read("config.yaml");
    space.write("config.yaml", format!("{config}tools: {{{tool}: {{path: bin/{tool}}}}}\n"));
}

/// A Yosys that fails on the scripts in which this stands.
fn yosys_fails_on(space: &TestSpace, words: &str) {
    let found = format!("grep -qe '{words}' \"$file\"");
    let fails = format!("if [ -f \"$file\" ] && {found}; then echo 'ERROR: no such mapping'; exit 1; fi");
    replace(space, "yosys", &format!("for file; do {fails}; done"));
}

/// The rows of the first comparison: their cells and how they came off.
fn rows(space: &TestSpace) -> Vec<(Vec<String>, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let row = |row: &Value| (row["cells"].as_array().unwrap().iter().map(text).collect(), text(&row["standing"]));
    space.summary()["comparisons"][0]["rows"].as_array().unwrap().iter().map(row).collect()
}

/// The ids of the steps of the last run that were not left out.
fn steps(space: &TestSpace) -> Vec<String> {
    let summary = space.summary();
    let there = summary["steps"].as_array().unwrap().iter().filter(|step| step["status"] != "left_out");
    there.map(|step| step["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn exploration_compares_all_strategies_and_goes_on_where_one_fails() {
    if fast_only() || !has_flow() {
        return;
    }
    let space = counter("Ice40Exploration");
    yosys_fails_on(&space, "-abc9");
    let plan = space.tapeout(&["plan"]).exits(0);
    plan.prints(&["a program", "Yosys.SynthIce40", "Yosys.DelayIce40"]);
    space.tapeout(&["pin", "Yosys.SynthIce40-plain", "-r", "why not"]).exits(2).says(&["has not been run"]);

    let failed = "note: Yosys.SynthIce40-abc9 failed, and the flow went another way: `yosys` failed with exit code 1";
    space.run().exits(0).says(&[failed]);
    let rows = rows(&space);
    let came_off: Vec<(&str, &str)> = rows.iter().map(|(cells, placing)| (&*cells[0], &**placing)).collect();
    assert_eq!(
        came_off,
        [
            ("plain", "best"),
            ("abc2", "also"),
            ("dff", "also"),
            ("abc2 dff", "also"),
            ("retime", "also"),
            ("retime abc2", "also"),
            ("abc9", "failed"),
            ("abc9 dff", "failed"),
        ]
    );
    assert_eq!(rows[0].0[1..], ["10", "4", "1.234"]);
    assert!(space.read("runs/default/synthesis-exploration.csv").contains("\nabc9,–,–,–\n"));
    let of = |id: &str| (space.status(id), space.step(id)["handled"] == true);
    assert_eq!(of("Yosys.SynthIce40-abc9"), ("failed".to_owned(), true));
    assert_eq!(of("Yosys.DelayIce40-abc9"), ("not_reached".to_owned(), false));
    assert_eq!(space.summary()["metrics"]["design__instance__count__cell:SB_LUT4"], 4);

    // What Yosys read is not known where it failed: whether it would again, only another try can tell.
    space.run().exits(0);
    let abc9 = ["SynthIce40-abc9", "DelayIce40-abc9", "SynthIce40-abc9_dff", "DelayIce40-abc9_dff"];
    assert_eq!(space.repeated(), abc9.map(|step| format!("Yosys.{step}")));

    let status = space.tapeout(&["status"]).exits(0);
    let first = status.out.lines().next().unwrap_or_default();
    assert!(first.ends_with("all was well"), "{first}");
    space.tapeout(&["why", "Yosys.SynthIce40-abc9"]).exits(0).prints(&["would run again, it failed"]);
    space.tapeout(&["why", "Yosys.SynthIce40-plain"]).exits(0).prints(&["would not run", "it has no result yet"]);
    space.tapeout(&["logs", "Yosys.SynthIce40-abc9"]).exits(0).prints(&["ERROR: no such mapping"]);
    space.tapeout(&["open", "Yosys.SynthIce40-abc2", "--print"]).exits(0).prints(&["05-yosys-synthice40-abc2"]);
    space.tapeout(&["run", "--from", "Yosys.SynthIce40"]).exits(2).says_once(&["in which no step has a place"]);
    space.tapeout(&["run", "--fresh=*-none"]).exits(2).says_once(&["there is no step `*-none`"]);

    // A step of a program is known by what the last run asked for.
    space.tapeout(&["pin", "Yosys.SynthIce40-plain", "-r", "it will do"]).exits(0);
    space.edit("src/step.vh", "4'd1", "4'd2");
    space.tapeout(&["run", "--fresh=*-plain"]).exits(2).says_once(&["is pinned: it will do"]);
    let dry = space.tapeout(&["run", "-n"]).exits(0);
    assert!(dry.out.lines().any(|line| line.contains("SynthIce40-plain") && line.contains("pinned")), "{}", dry.out);
    space.tapeout(&["unpin", "Yosys.SynthIce40-plain"]).exits(0);
    space.edit("src/step.vh", "4'd2", "4'd1");
    space.tapeout(&["run", "--fresh=Yosys.DelayIce40-plain"]).exits(0);
    assert_eq!(space.repeated()[0], "Yosys.DelayIce40-plain");
    assert_eq!(space.repeated().len(), 5, "{:?}", space.repeated());
}

#[test]
fn exploration_without_any_netlist_fails_with_one_error() {
    if !has_flow() {
        return;
    }
    let space = counter("Ice40Exploration");
    yosys_fails_on(&space, "synth_ice40");
    space.run().exits(5).says_once(&[
        "none of the 8 tries came to a result",
        "error: Yosys.SynthIce40-plain: `yosys` failed with exit code 1\n  no such mapping\nlog: ",
        "note: Yosys.SynthIce40-abc9_dff failed, too:",
    ]);
    assert_eq!(space.summary()["class"], "tool");
    assert!(rows(&space).iter().all(|(_, placing)| placing == "failed"));
    space.tapeout(&["run", "--keep-going"]).exits(5);
    space.tapeout(&["logs"]).exits(0).prints(&["no such mapping"]);
}

#[test]
fn optimizing_falls_back_where_the_hard_target_is_missed() {
    if fast_only() || !has_flow() {
        return;
    }
    let space = counter("Ice40Optimizing");
    let run = |sets: &[&str]| {
        let sets = sets.iter().flat_map(|set| ["-c", set]);
        space.tapeout(&["run"].into_iter().chain(sets).collect::<Vec<_>>())
    };
    let bitstream = "runs/default/final/bitstream/counter.bin";

    let missed = run(&["HARD_CLOCK_PERIOD=1"]).exits(0);
    missed.says(&["the hard target is out of reach", "note: Checker.SetupViolations-hard failed, and the flow went"]);
    let timing = space.step(HARD_TIMING);
    assert_eq!((timing["status"].as_str(), &timing["handled"]), (Some("check_failed"), &Value::Bool(true)));
    assert_eq!(space.status("Checker.SetupViolations"), "done");
    assert_eq!(space.bytes(bitstream).len(), 32_220);
    let events = space.read("runs/default/events.jsonl");
    let stages: Vec<Value> = (events.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()))
        .filter(|event| event["event"] == "stage_started")
        .map(|event| serde_json::json!([event["number"], event["of"], event["name"]]))
        .collect();
    let expected = serde_json::json!([[1, 2, "Synthesis exploration"], [2, 2, "Implementation for the hard period"],]);
    assert_eq!(Value::from(stages), expected);
    run(&["HARD_CLOCK_PERIOD=1"]).exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    space.tapeout(&["run", "-n", "-c", "HARD_CLOCK_PERIOD=1"]).exits(0).prints(&["nothing would run"]);
    let why = space.tapeout(&["why", LAYOUT, "-c", "HARD_CLOCK_PERIOD=2"]).exits(2);
    why.says(&["is not known yet"]);

    // Synthesis has nothing to do with the period. The place of an override is no file.
    let reached = run(&["HARD_CLOCK_PERIOD=10"]).exits(0);
    reached.says(&["Nextpnr.Ice40-hard: started: `CLOCK_PERIOD` 1 → 10, override"]);
    assert!(!steps(&space).iter().any(|id| id == LAYOUT), "{:?}", steps(&space));
    assert_eq!(space.repeated()[0], HARD_LAYOUT);
    assert!(!space.path("runs/default/23-nextpnr-ice40").exists(), "the flow does not ask for it any more");

    let both = run(&["CLOCK_PERIOD=1", "HARD_CLOCK_PERIOD=0.5"]).exits(1);
    both.says_once(&["error: Checker.SetupViolations: `clk` reaches", "its target is 1000.00 MHz"]);
    assert_eq!(space.bytes(bitstream).len(), 32_220);
    let handled = |id: &str| space.step(id)["handled"] == true;
    assert!(handled(HARD_TIMING) && !handled("Checker.SetupViolations"));

    // A layout that fails is recorded like a result, with what it read.
    let tries = space.path("tries");
    let count = || std::fs::read_to_string(&tries).unwrap_or_default().lines().count();
    let fails = "case \"$*\" in *'--freq 1000') echo 'ERROR: it does not fit'; exit 1;; esac";
    replace(
        &space,
        "nextpnr-ice40",
        &format!("case \"$*\" in *--freq*) echo try >> '{}';; esac\n{fails}", tries.display()),
    );
    let words = "Nextpnr.Ice40-hard failed, and the flow went another way: `nextpnr-ice40` failed with exit code 1";
    run(&["HARD_CLOCK_PERIOD=1"]).exits(0).says(&[
        words,
        "Nextpnr.Ice40-hard: failed: `nextpnr-ice40` failed",
        "the hard try failed, the target of the configuration is next",
    ]);
    assert_eq!((count(), space.status(HARD_LAYOUT)), (2, "failed".to_owned()), "the hard target and the fallback");
    run(&["HARD_CLOCK_PERIOD=1"]).exits(0).says(&[words]);
    assert_eq!((count(), space.step(HARD_LAYOUT)["reused"].as_bool()), (2, Some(true)));
    assert_eq!(space.status(HARD_TIMING), "not_reached");
    space.tapeout(&["logs", HARD_LAYOUT]).exits(0).prints(&["ERROR: it does not fit"]);
    let dry = space.tapeout(&["run", "-n", "-c", "HARD_CLOCK_PERIOD=1"]).exits(0);
    dry.prints(&["failed: `nextpnr-ice40` failed with exit code 1", "would not be reached", "nothing would run"]);
    let why = space.tapeout(&["why", HARD_LAYOUT, "-c", "HARD_CLOCK_PERIOD=1"]).exits(0);
    why.prints(&["would not run", "it ran just now"]);
    run(&["HARD_CLOCK_PERIOD=1", "PNR_SEED=2"]).exits(0);
    assert_eq!(count(), 4, "another seed may have more luck");
    space.tapeout(&["run", "-c", "HARD_CLOCK_PERIOD=1", "-c", "PNR_SEED=2", "--fresh=Nextpnr.Ice40-hard"]).exits(0);
    assert_eq!(count(), 5, "`--fresh` tries again");
    // A step that nobody allows to fail does not find that failure.
    let plain = space.tapeout(&["run", "--flow", "Ice40", "--tag", "plain", "-c", "CLOCK_PERIOD=1"]).exits(5);
    plain.says_once(&["error: Nextpnr.Ice40: `nextpnr-ice40` failed with exit code 1"]);
}

#[test]
fn a_sweep_of_seeds_runs_only_the_new_ones_and_the_best_wins() {
    if !has_flow() {
        return;
    }
    let space = counter("SeedSweep");
    let sweep = |seeds: &str| space.tapeout(&["run", "-c", &format!("SWEEP_SEEDS={seeds}")]);
    let seeds = || rows(&space).into_iter().map(|(cells, placing)| (cells[0].clone(), placing)).collect::<Vec<_>>();
    sweep("0").exits(2).says(&["must be from 1 to 10000"]);
    // Seed 2 finds nothing, and is fast at that.
    replace(&space, "nextpnr-ice40", "case \"$*\" in *'--seed 2 '*) echo 'ERROR: no luck'; exit 1;; esac");
    sweep("3").exits(0).prints(&["seed  slowest clock (MHz)"]);
    let [best, failed, also] = ["best", "failed", "also"].map(str::to_owned);
    let three = [("1".to_owned(), best), ("2".to_owned(), failed), ("3".to_owned(), also.clone())];
    assert_eq!(seeds(), three);
    let bitstream = space.bytes("runs/default/final/bitstream/counter.bin");
    assert_eq!(bitstream.len(), 32_220);

    sweep("4").exits(0);
    assert_eq!(space.repeated(), ["Nextpnr.Ice40-seed4"], "a failure that was recorded is not tried again either");
    assert_eq!(seeds().last().unwrap(), &("4".to_owned(), also));
    sweep("2").exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    let views = space.bytes("runs/default/.views");
    assert!(!views.windows(5).any(|part| part == b"seed3"), "its directory is gone with it");
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin"), bitstream);
    sweep("4").exits(0);
    assert_eq!(space.repeated(), [""; 0], "what was recorded stays so");

    // The last state is that after the last step that was not left out.
    space.tapeout(&["run", "-c", "SWEEP_SEEDS=4", "-S", "Checker.*"]).exits(0);
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin"), bitstream);
    assert_eq!(space.summary()["metrics"]["bitstream__size"], 32_220);

    // Lost files are made again, and nothing else.
    for entry in std::fs::read_dir(space.path(".tapeout/store/blobs")).unwrap().map(Result::unwrap) {
        std::fs::remove_dir_all(entry.path()).or_else(|_| std::fs::remove_file(entry.path())).unwrap();
    }
    std::fs::remove_dir_all(space.path("runs")).unwrap();
    sweep("4").exits(0);
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin"), bitstream);
    space.tapeout(&["cache", "gc", "--limit", "0"]).exits(0);
    sweep("4").exits(0);
    space.tapeout(&["compare", "default", "default"]).exits(0);
}

#[test]
fn a_program_that_is_stopped_leaves_nothing_behind_and_goes_on_from_there() {
    if !has_flow() {
        return;
    }
    let space = counter("SeedSweep");
    let go = space.path("go");
    let waits =
        format!("case \"$*\" in *--asc*) [ -e '{}' ] || {{ touch \"$0.$$\"; sleep 300; }};; esac", go.display());
    replace(&space, "nextpnr-ice40", &waits);
    let scripts = || std::fs::read_dir(space.path("bin")).unwrap().count();
    for (signal, code) in [("INT", Some(130)), ("TERM", Some(143)), ("KILL", None)] {
        let before = scripts();
        let run = space.start(&["run", "-j2", "-c", "SWEEP_SEEDS=3"]);
        assert!(support::until(Duration::from_secs(60), || scripts() == before + 2), "two layouts at a time");
        let status = space.tapeout(&["status", "-c", "SWEEP_SEEDS=3"]).exits(0);
        assert_eq!(status.out.matches(" running     ").count(), 2, "{}", status.out);
        run.signal(signal);
        let ended = run.wait(Duration::from_secs(20));
        assert_eq!(ended.code, code, "{}", ended.err);
        assert!(!ended.err.contains("error") && !ended.err.contains("broke"), "{}", ended.err);
        space.is_quiet();
        let status = space.tapeout(&["status", "-c", "SWEEP_SEEDS=3"]).exits(0);
        assert_eq!(status.out.matches(" interrupted ").count(), 2, "{}", status.out);
    }
    space.write("go", "");
    space.tapeout(&["run", "-c", "SWEEP_SEEDS=3"]).exits(0);
    assert!(!space.repeated().iter().any(|id| id.starts_with("Yosys")), "{:?}", space.repeated());
}

#[test]
fn a_terminal_shows_the_stage_and_the_steps_that_run() {
    if !has_flow() || !has(&["script", "stty"]) {
        return;
    }
    for columns in [120, 30] {
        let space = counter("SeedSweep").env("TERM", "xterm");
        let typed = format!("stty cols {columns} rows 24; exec {} run -c SWEEP_SEEDS=2", env!("CARGO_BIN_EXE_tapeout"));
        let shown = space.in_terminal(&typed);
        assert!(shown.contains("SeedSweep - Stage 2 - L"), "{shown}");
        assert!(shown.contains("Nextpnr.Ice40-seed2"), "{shown}");
        assert!(!shown.contains("panicked") && !shown.contains("broke"), "{shown}");
        assert!(columns < 100 || shown.contains(" 1/3 0:00:0"), "{shown}");
    }
}
