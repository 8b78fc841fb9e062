//! A hardened block inside another design: `examples/hier-asic`, from the block's sources to the parent's LVS.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts tapeout itself, says what it skips, and fails by panic"
)]

mod support;

use std::path::Path;

use serde_json::Value;
use support::{TestSpace, has};

/// Without what takes long and is not about macros.
const WITHOUT_KLAYOUT: [&str; 4] = ["-c", "RUN_KLAYOUT_STREAMOUT=false", "-c", "RUN_RENDER=false"];

fn metrics(space: &TestSpace, design: &str) -> Value {
    serde_json::from_str(&space.read(&format!("{design}/runs/default/final/metrics.json"))).unwrap()
}

fn run(space: &TestSpace, design: &str, more: &[&str]) -> support::Ran {
    space.tapeout(&[&["run", "-C", design], &WITHOUT_KLAYOUT[..], more].concat())
}

#[test]
fn a_block_is_hardened_and_used_twice() {
    let tools = ["yosys", "graywolf", "qrouter", "magic", "netgen-lvs", "sta", "verilator", "iverilog"];
    assert!(
        has(&tools) && Path::new("/usr/share/qflow/tech/osu035").is_dir(),
        "these tests need the tools of `OpenAsic`"
    );
    let space = TestSpace::example("hier-asic");
    run(&space, "block", &[]).exits(0);
    run(&space, "top", &[]).exits(0);
    let by_model = metrics(&space, "top");
    for name in ["route__net__failed__count", "magic__drc_error__count", "design__lvs_error__count"] {
        assert_eq!(by_model[name], 0, "{name}");
    }
    assert_eq!(by_model["design__instance__count__macros"], 2);
    // The block's GDS has abstracts of its own, which the parent's cannot be manufactured with either.
    assert!(
        by_model["design__gds__abstract_cells"].as_i64()
            >= metrics(&space, "block")["design__gds__abstract_cells"].as_i64()
    );
    assert_eq!(by_model["equivalence__point__count__unproved"], 0);
    let status = |step: &str| {
        let run: Value = serde_json::from_str(&space.read("top/runs/default/run.json")).unwrap();
        let steps = run["steps"].as_array().unwrap().clone();
        steps.into_iter().find(|of| of["id"] == step).unwrap()["status"].clone()
    };
    for step in ["Icarus.GateLevel", "Yosys.Equivalence", "Netgen.LVS", "OpenSTA.PostPnR"] {
        assert_eq!(status(step), "done", "{step}");
    }

    // The model is close to what netlist and parasitics of the block give, and not on the better side.
    run(&space, "top", &["-c", "STA_MACRO_PRIORITIZE_NL=true"]).exits(0);
    let by_netlist = metrics(&space, "top");
    let slack = |metrics: &Value, name: &str| metrics[name].as_f64().unwrap();
    for (name, too_good, too_bad) in [("timing__setup__ws", 0.0, 0.1), ("timing__hold__ws", 0.01, 0.1)] {
        let difference = slack(&by_model, name) - slack(&by_netlist, name);
        assert!(difference != 0.0 && difference <= too_good && difference >= -too_bad, "{name}: {difference}");
    }
}
