//! Flows with steps that are known and not part of this version: their plans, and how running them is refused. The
//! examples that have such flows are planned here.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use serde_json::Value;
use support::{TestSpace, has};

/// The steps of a plan.
fn steps(space: &TestSpace, args: &[&str]) -> Vec<Value> {
    let ran = space.tapeout(&[&["plan", "--json"], args].concat()).exits(0);
    let plan: Value = serde_json::from_str(&ran.out).unwrap();
    plan["steps"].as_array().unwrap().clone()
}

fn ids(steps: &[Value]) -> Vec<&str> {
    steps.iter().map(|step| step["id"].as_str().unwrap()).collect()
}

fn find<'s>(steps: &'s [Value], id: &str) -> &'s Value {
    steps.iter().find(|step| step["id"] == id).unwrap_or_else(|| panic!("there is no {id} in {:?}", ids(steps)))
}

/// Each input of a step, as `FORMAT of STEP`.
fn inputs(step: &Value) -> Vec<String> {
    let inputs = step["inputs"].as_array().unwrap().iter();
    inputs.map(|input| format!("{} of {}", input["name"].as_str().unwrap(), input["from"].as_str().unwrap())).collect()
}

#[test]
fn a_list_of_steps_is_planned_and_does_not_run() {
    let space = TestSpace::example("openlane-list");
    let planned = steps(&space, &[]);
    let config: Value = serde_json::from_str(&space.read("config.json")).unwrap();
    let listed = config["meta"]["flow"].as_array().unwrap();
    assert_eq!(planned.iter().map(|step| &step["id"]).collect::<Vec<_>>(), listed.iter().collect::<Vec<_>>());
    assert!(planned.len() == 15 && planned.iter().all(|step| step["left_out"].is_null()));
    assert!(find(&planned, "Yosys.Synthesis")["described"] == false);
    assert!(find(&planned, "OpenROAD.Floorplan")["described"] == true);
    assert_eq!(inputs(find(&planned, "OpenROAD.Floorplan")), ["nl of Yosys.Synthesis"]);
    assert_eq!(
        inputs(find(&planned, "Netgen.LVS")),
        ["spice of Magic.SpiceExtraction", "pnl of OpenROAD.FillInsertion"]
    );
    space.tapeout(&["plan"]).exits(0).prints(&[
        "Custom Sequential Flow of spm: 15 of 15 steps",
        " 3. OpenROAD.Floorplan  Plan the floor (not part of this version)\n  reads  nl from Yosys.Synthesis\n",
    ]);
    let checked = space.tapeout(&["config", "check"]).exits(0);
    checked.prints(&["Custom Sequential Flow (15 steps, which can be planned and not run): 4 of "]);
    for dry in [&[][..], &["--dry-run"]] {
        space.tapeout(&[&["run"], dry].concat()).exits(2).says_once(&[
            "steps of it are not part of this version: `Misc.LoadBaseSDC`, `OpenROAD.Floorplan`",
            " more; nothing was started\n",
            "try: `tapeout plan` shows the whole plan, and which steps these are",
        ]);
    }
    assert!(!space.path("runs").exists() && !space.path(".tapeout").exists());
}

#[test]
fn mistakes_in_such_a_list_are_found() {
    let space = TestSpace::example("openlane-list");
    space.edit("config.json", "      \"OpenROAD.Floorplan\",\n", "");
    let lacks = "`OpenROAD.TapDecapInsertion` needs a view `odb`, and no step before it makes one";
    space.tapeout(&["plan"]).exits(2).says(&[lacks]);
    space.edit("config.json", "Magic.DRC", "Magic.DCR");
    space.tapeout(&["plan"]).exits(2).says(&["there is no step `Magic.DCR`", "did you mean `Magic.DRC`?"]);
    let space = TestSpace::example("openlane-list");
    space.tapeout(&["plan", "-c", "FP_CORE_UTIL=much"]).exits(2).says(&["`FP_CORE_UTIL` must be"]);
    space.edit("config.json", "\"VERILOG_FILES\": \"dir::src/spm.v\",", "");
    space.tapeout(&["plan"]).exits(2).says(&["`VERILOG_FILES`"]);
}

#[test]
fn classic_has_all_its_steps_and_gates() {
    let space = TestSpace::example("openlane-list");
    let planned = steps(&space, &["--flow", "Classic"]);
    assert_eq!(planned.len(), 80);
    for (number, id, dir) in [
        (1, "Verilator.Lint", "01-verilator-lint"),
        (36, "OpenROAD.STAMidPNR-1", "36-openroad-stamidpnr-1"),
        (49, "OpenROAD.CheckAntennas-1", "49-openroad-checkantennas-1"),
        (58, "OpenROAD.STAPostPNR", "58-openroad-stapostpnr"),
        (80, "Misc.ReportManufacturability", "80-misc-reportmanufacturability"),
    ] {
        let step = &planned[number - 1];
        assert_eq!((step["id"].as_str().unwrap(), step["dir"].as_str().unwrap()), (id, dir));
    }
    assert_eq!(find(&planned, "Verilator.Lint")["described"], false);
    assert_eq!(inputs(find(&planned, "Checker.TrDRC")), ["route__drc_errors of OpenROAD.DetailedRouting"]);
    assert_eq!(
        inputs(find(&planned, "OpenROAD.STAPostPNR")),
        ["nl of OpenROAD.FillInsertion", "spef of OpenROAD.RCX", "odb of Odb.CellFrequencyTables"]
    );
    let left_out = |planned: &[Value]| {
        let left_out = planned.iter().filter(|step| !step["left_out"].is_null());
        left_out.map(|step| step["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let usual =
        ["OpenROAD.RepairDesignPostGRT", "Odb.HeuristicDiodeInsertion", "OpenROAD.ResizerTimingPostGRT", "Yosys.EQY"];
    assert_eq!(left_out(&planned), usual);
    let closed = steps(&space, &["--flow", "Classic", "-c", "RUN_LINTER=false", "-c", "RUN_KLAYOUT_STREAMOUT=false"]);
    let more: Vec<String> = left_out(&closed).into_iter().filter(|id| !usual.contains(&id.as_str())).collect();
    assert_eq!(
        more,
        [
            "Verilator.Lint",
            "Checker.LintTimingConstructs",
            "Checker.LintErrors",
            "Checker.LintWarnings",
            "KLayout.StreamOut",
            "KLayout.XOR",
            "Checker.XOR",
        ]
    );
    let part = steps(&space, &["--flow", "Classic", "--from", "OpenROAD.CTS", "--to", "globalrouting"]);
    let held = part.iter().filter(|step| step["held"] == true).count();
    assert_eq!((held, left_out(&part).len()), (34, 41), "of steps 35 to 39 all run");
    let unclear = space.tapeout(&["plan", "--flow", "Classic", "-c", "RUN_SPEF_EXTRACTION=false"]).exits(2);
    unclear.says(&["`OpenROAD.STAPostPNR` needs a view `spef`", "`OpenROAD.IRDropReport` needs a view `spef`"]);
}

#[test]
fn substitutions_of_classic_are_planned() {
    let space = TestSpace::example("openlane-substitution");
    let planned = steps(&space, &[]);
    let ids = ids(&planned);
    let behind = |id: &str| ids[ids.iter().position(|known| *known == id).unwrap() + 1];
    assert_eq!(ids.len(), 78);
    assert_eq!(ids.iter().filter(|id| id.starts_with("OpenROAD.STAMidPNR")).count(), 1);
    assert_eq!(behind("OpenROAD.CTS"), "OpenROAD.STAMidPNR");
    assert_eq!((behind("KLayout.Antenna"), behind("Checker.KLayoutDRC")), ("KLayout.DRC", "Checker.KLayoutAntenna"));
    assert!(!ids.contains(&"KLayout.Render"));
    let checker = find(&planned, "Checker.KLayoutAntenna");
    assert_eq!(inputs(checker), ["klayout__antenna_error__count of KLayout.Antenna"]);
    assert!(checker["origin"].as_str().unwrap().starts_with("config.json:9:"), "{checker}");
    space.tapeout(&["plan"]).exits(0).prints(&["left out: RUN_IRDROP_REPORT is false (config.json:"]);
    space.tapeout(&["run"]).exits(2).says_once(&["the flow `Classic` can be planned and not run"]);
}

#[test]
fn the_part_of_such_a_flow_that_is_there_runs() {
    if !has(&["verilator"]) {
        return;
    }
    let space = TestSpace::example("openlane-substitution");
    let ran = space.tapeout(&["run", "--to", "Checker.LintWarnings"]).exits(0);
    ran.prints(&["a part of the flow: runs/default"]);
    space.tapeout(&["run", "--from", "Yosys.JsonHeader"]).exits(2).says_once(&["steps of it are not part of"]);
}

#[test]
fn steps_that_are_not_there_are_listed_and_shown_as_such() {
    let space = TestSpace::new();
    let flows = space.tapeout(&["list", "flows"]).exits(0).out;
    for line in flows.lines() {
        assert_eq!(line.ends_with("to plan only"), line.trim_start().starts_with("Classic "), "{line}");
    }
    let flows: Value = serde_json::from_str(&space.tapeout(&["list", "flows", "--json"]).exits(0).out).unwrap();
    let that_are = |what: &str| -> Vec<&str> {
        let flows = flows.as_array().unwrap().iter().filter(|flow| flow[what] == true);
        flows.map(|flow| flow["name"].as_str().unwrap()).collect()
    };
    assert_eq!(that_are("described"), ["Classic"]);
    assert_eq!(
        that_are("program"),
        ["Ice40Exploration", "Ice40Optimizing", "Optimizing", "SeedSweep", "SynthesisExploration"]
    );
    let shown = space.tapeout(&["show", "flow", "SeedSweep"]).exits(0);
    shown.prints(&["a program, which may ask for 10 steps in an order of its own", "–  Nextpnr.Ice40"]);
    let shown: Value = serde_json::from_str(&space.tapeout(&["show", "flow", "Ice40", "--json"]).exits(0).out).unwrap();
    assert_eq!((&shown["program"], &shown["described"]), (&false.into(), &false.into()));
    let listed: Value = serde_json::from_str(&space.tapeout(&["list", "steps", "--json"]).exits(0).out).unwrap();
    let described = |id: &str| {
        let step = listed.as_array().unwrap().iter().find(|step| step["id"] == id);
        step.unwrap_or_else(|| panic!("no {id}"))["described"].clone()
    };
    assert_eq!((described("OpenROAD.CTS"), described("Checker.LVS")), (true.into(), false.into()));
    space.tapeout(&["show", "step", "staprepnr"]).exits(0).prints(&[
        "OpenROAD.STAPrePNR  Analyse timing before layout",
        "makes     sdf, sdc",
        "not in this version: flows with it can be planned",
    ]);
    space.tapeout(&["show", "flow", "classic"]).exits(0).prints(&["80.  Misc.ReportManufacturability", "RUN_LINTER"]);
}
