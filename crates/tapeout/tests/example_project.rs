//! `examples/project`, with real tools: what its report has, and what runs again after which edit.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts tapeout itself, says what it skips, and fails by panic"
)]

mod support;

use std::collections::BTreeMap;

use serde_json::Value;
use support::{Ran, TestSpace, fast_only, has, has_flow};

/// What became of the targets that were not simply there, by name.
fn changed(ran: &Ran) -> BTreeMap<String, String> {
    let ended: Value = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}{}", ran.out, ran.err));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let targets = ended["targets"].as_array().unwrap().iter();
    let all = targets.map(|target| (text(&target["target"]), text(&target["status"])));
    all.filter(|(_, status)| status != "reused").collect()
}

/// Builds the report, and expects that exactly these targets run, and end well.
#[track_caller]
fn builds(space: &TestSpace, expected: &[&str]) {
    let ran = space.tapeout(&["run", "report.write", "--json"]).exits(0);
    let changed = changed(&ran);
    assert!(changed.values().all(|status| status == "done"), "{changed:#?}");
    let mut expected = expected.to_vec();
    expected.sort_unstable();
    assert_eq!(changed.keys().map(String::as_str).collect::<Vec<_>>(), expected);
}

/// Expects that a run fails by a check, and with these words.
#[track_caller]
fn fails(space: &TestSpace, target: &str, words: &[&str]) {
    space.tapeout(&["run", "--keep-going", target]).exits(1).says(words);
}

#[test]
fn an_edit_runs_what_depends_on_it() {
    if fast_only() || !has_flow() || !has(&["icebram", "python3"]) {
        return;
    }
    let space = TestSpace::example("project");
    // Python may be a script in somebody's home, which the sandbox does not know; the stack machine needs none.
    space.tapeout(&["run", "stack.implement", "stack_*_tb.simulate", "--sandbox"]).exits(0);
    let first = space.tapeout(&["run", "report.write", "--json"]).exits(0);
    assert!(changed(&first).keys().all(|target| !target.starts_with("stack_")), "{:#?}", changed(&first));
    let cores = space.read("build/report/write/cores.csv");
    let rows: Vec<Vec<&str>> = cores.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(rows[0][..3], ["core", "device", "cells"]);
    assert_eq!([rows[1][0], rows[1][5], rows[1][6]], ["acc", "acc_fibonacci", "15"]);
    assert_eq!([rows[2][0], rows[2][5], rows[2][6]], ["stack", "stack_primes", "39"]);
    let report = space.read("build/report/write/report.md");
    assert!(report.contains("| stack_primes_tb | 17 | 53671 | passed |"), "{report}");
    builds(&space, &[]);

    // Words about the code, and words about a program: the program stays as it is.
    space.edit("lib/core.star", "\"\"\"Place and route.\"\"\"", "\"\"\"Place and route it.\"\"\"");
    space.edit("flow.star", "# The memories.", "# All memories.");
    builds(&space, &[]);
    space.edit("firmware/stack/primes.s", "; The primes", "; All primes");
    builds(&space, &["stack_primes.assemble"]);

    // Another program goes into the same layout.
    space.edit("firmware/stack/primes.s", "        60\n", "        50\n");
    space.edit("firmware/stack/primes.s", " 53 59\n", "\n");
    let stack = ["stack_primes.assemble", "stack_primes_tb.simulate", "stack.implement", "report.write"];
    builds(&space, &stack);

    // The other core's flow simulates the program, too.
    space.edit("firmware/acc/fibonacci.s", "ldi  0", "ldi  1");
    fails(&space, "acc*", &["acc_fibonacci_tb.simulate: output 1: expected 01, got 02", "error: acc.implement: "]);
    space.edit("firmware/acc/fibonacci.s", "expect 1 1 2", "expect 1 2");
    space.tapeout(&["run", "acc*"]).exits(0);
}

#[test]
fn what_is_wrong_is_named() {
    if fast_only() || !has_flow() || !has(&["icebram", "python3"]) {
        return;
    }
    let space = TestSpace::example("project");
    space.edit("flow.star", "frequency = 20.0", "frequency = 200.0");
    fails(&space, "stack.timing", &["error: stack.timing: timing not met: ", ", 200.0 MHz are wanted"]);
    space.edit("rtl/stack.v", "second - top;", "top - second;");
    let words = ["stack_arithmetic_tb.simulate: output 1: expected fffe, got 0002", "lib/bench.star:"];
    fails(&space, "stack_*_tb.simulate", &words);
    space.edit("rtl/stack.v", "reg [15:0] top;", "reg [15:0] top, spare;");
    fails(&space, "stack.lint", &["error: stack.lint: %Warning-UNUSEDSIGNAL: ", "'spare'\n"]);
    space.edit("firmware/stack/calls.s", "call six", "call sixty");
    fails(&space, "stack_calls.assemble", &["firmware/stack/calls.s:7: `call` needs one label, of taken, double"]);
    space.edit("firmware/acc/branches.s", "jz   down", "jz   town");
    let ran = space.tapeout(&["run", "acc_branches.assemble"]).exits(5);
    ran.says(&["firmware/acc/branches.s:9: `town` is neither a number nor a name"]);
}
