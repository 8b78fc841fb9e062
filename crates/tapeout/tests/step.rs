//! Single steps: what a flow begins with, one step again, and what can be given to others of it.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

mod support;

use std::fs;

use support::{TestSpace, has_flow};

/// The end of the flow, from place and route on, for the counter.
const BACK_END: &str = "
meta: {version: 2, flow: [Nextpnr.Ice40, IceStorm.Pack]}
DESIGN_NAME: counter
CLOCK_PORT: clk
CLOCK_PERIOD: 20
ICE40_DEVICE: hx1k
ICE40_PACKAGE: tq144
PCF_FILE: dir::src/counter.pcf
";

/// The statuses of the last run under a tag, by step.
fn statuses(space: &TestSpace, tag: &str) -> Vec<(String, String)> {
    let summary: serde_json::Value = serde_json::from_str(&space.read(&format!("runs/{tag}/run.json"))).unwrap();
    let steps = summary["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["id"].as_str().unwrap().to_owned(), step["status"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_flow_begins_with_files_that_are_there() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let bitstream = space.passes();
    space.write("back.yaml", BACK_END);
    let netlist = fs::read_dir(space.path("runs/default/final/json")).unwrap().next().unwrap().unwrap().path();
    fs::copy(netlist, space.path("mine.json")).unwrap();
    space.write("state.json", r#"{"json": "mine.json", "nl": ["src/counter.v"], "metrics": {"my__count": 3}}"#);

    space.tapeout(&["plan", "back.yaml"]).exits(2).says(&["needs a view `json`", "`-e json=FILE`"]);
    let run = |state: &[&str]| space.tapeout(&[&["run", "back.yaml", "--tag", "back"], state].concat()).exits(0);
    run(&["-e", "json=mine.json"]);
    assert_eq!(space.bytes("runs/back/final/bitstream/counter.bin"), bitstream);
    assert!(space.read("runs/back/01-nextpnr-ice40/state_in.json").contains("\"../00-initial-state/mine.json\""));
    assert_eq!(space.read("runs/back/command"), "tapeout run back.yaml -e json=mine.json --tag back\n");

    // The same files by way of a state: the steps see no difference. The metrics and the other views come along.
    run(&["-i", "state.json"]);
    let steps = statuses(&space, "back");
    assert_eq!(steps.iter().map(|(_, status)| status.as_str()).collect::<Vec<_>>(), ["done", "reused", "reused"]);
    assert!(space.read("runs/back/final/metrics.json").contains("\"my__count\": 3"));
    assert_eq!(space.read("runs/back/final/nl/counter.v"), space.read("src/counter.v"));

    // Another content of the file is another design.
    let why = ["why", "back.yaml", "--tag", "back", "-i", "state.json"];
    space.tapeout(&why).exits(0).prints(&["nothing would run"]);
    space.edit("mine.json", "\"creator\": \"", "\"creator\": \"not ");
    space.tapeout(&why).exits(0).prints(&["Initial.State would run\n  `mine.json` changed"]);
    let dry = ["run", "back.yaml", "--tag", "back", "-i", "state.json", "-n"];
    space.tapeout(&dry).exits(0).prints(&["Nextpnr.Ice40  stale"]);
    run(&["-i", "state.json"]);
    assert_eq!(statuses(&space, "back")[1], ("Nextpnr.Ice40".to_owned(), "done".to_owned()));

    // From another directory; and when what it names is not there.
    let elsewhere = ["-C", "src", "status", "../back.yaml", "--tag", "back", "-i", "../state.json"];
    space.tapeout(&elsewhere).exits(0).prints(&["Nextpnr.Ice40  fresh"]);
    fs::remove_file(space.path("src/counter.v")).unwrap();
    space
        .tapeout(&["plan", "back.yaml", "-i", "state.json"])
        .exits(2)
        .says(&["`state.json`: the file of `nl[0]` does not exist: `src/counter.v`"]);
    space.tapeout(&["plan", "back.yaml", "-e", "jsn=mine.json"]).exits(2).says(&["did you mean `json`?"]);
    space.tapeout(&["plan", "back.yaml", "-e", "json"]).exits(2).says(&["expected `FORMAT=PATH`"]);
}
