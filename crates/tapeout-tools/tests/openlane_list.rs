//! The flow of `examples/openlane-list` once more in Rust, with its configuration given by code: the same plan.

use std::path::Path;

use tapeout_config::{Loader, SourceMap, Value};
use tapeout_flow::{Flow, Plan};

const STEPS: &[&str] = &[
    "Yosys.Synthesis",
    "Misc.LoadBaseSDC",
    "OpenROAD.Floorplan",
    "OpenROAD.TapDecapInsertion",
    "OpenROAD.GeneratePDN",
    "OpenROAD.IOPlacement",
    "OpenROAD.GlobalPlacement",
    "OpenROAD.DetailedPlacement",
    "OpenROAD.GlobalRouting",
    "OpenROAD.DetailedRouting",
    "OpenROAD.FillInsertion",
    "Magic.StreamOut",
    "Magic.DRC",
    "Magic.SpiceExtraction",
    "Netgen.LVS",
];

/// The Rust of the example's README is this file's.
#[test]
fn the_readme_shows_this_list() {
    let (readme, here) = (include_str!("../../../examples/openlane-list/README.md"), include_str!("openlane_list.rs"));
    let shown = readme.split_once("```rust\n").unwrap().1.split_once("\n```").unwrap().0;
    let (list, last) = shown.split_once("\n\n").unwrap();
    assert!(here.contains(list) && here.contains(last), "{shown}");
}

/// Each step with what it reads and from which steps.
fn shape(plan: &Plan) -> Vec<String> {
    let step = |step: &tapeout_flow::PlannedStep| {
        let inputs = step.inputs.iter().map(|(part, from)| format!("{part} of {}", plan.steps[*from].id));
        format!("{}: {}", step.dir, inputs.collect::<Vec<_>>().join(", "))
    };
    plan.steps.iter().map(|planned| step(planned)).collect()
}

#[test]
fn a_flow_in_rust_has_the_plan_of_the_list_in_the_example() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/openlane-list");
    let mut registry = tapeout_tools::registry();
    registry.add_flow(Flow::new("MyFlow", "From RTL to a layout that is compared with its netlist.", STEPS));
    let mapping = [
        ("DESIGN_NAME", "spm".into()),
        ("VERILOG_FILES", vec!["dir::src/spm.v"].into()),
        ("CLOCK_PORT", "clk".into()),
        ("CLOCK_PERIOD", 10_i64.into()),
    ];
    let mapping = Value::Map(mapping.map(|(name, value): (&str, Value)| (name.to_owned(), value)).into());
    let by_code = Loader { mapping: Some(mapping), design_dir: Some(example.clone()), ..Loader::default() };
    let by_code = Plan::load(&registry, by_code, Some("MyFlow"), &mut SourceMap::new()).unwrap();
    let by_file = Loader { files: vec![example.join("config.json")], ..Loader::default() };
    let by_file = Plan::load(&registry, by_file, None, &mut SourceMap::new()).unwrap();
    assert_eq!(shape(&by_code), shape(&by_file));
    assert_eq!((by_code.steps.len(), by_code.flow.as_str()), (15, "MyFlow"));
    assert_eq!(by_code.config.to_json(), by_file.config.to_json());
    assert!(by_code.require_steps().is_err());
}
