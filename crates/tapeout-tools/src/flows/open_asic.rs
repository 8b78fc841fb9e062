//! `OpenAsic`: from RTL to GDSII with the tools that Debian has.

use tapeout_flow::{Flow, Type, Variable};

use crate::classic;

const STEPS: &[&str] = &[
    "Ghdl.ToVerilog",
    "Verilator.Lint",
    "Checker.LintTimingConstructs",
    "Checker.LintErrors",
    "Checker.LintWarnings",
    "Icarus.Simulate",
    "Yosys.Synthesis",
    "Checker.YosysUnmappedCells",
    "Checker.YosysSynthChecks",
    "Checker.NetlistAssignStatements",
    "Checker.CellCount",
    "OpenSTA.PrePnR",
    "Layout.Floorplan",
    "Layout.PlacePins",
    "Graywolf.Place",
    "Layout.Legalise",
    "Layout.Fill",
    "Layout.PowerGrid",
    "Qrouter.Route",
    "Layout.WriteNetlists",
    "Qrouter.Parasitics",
    "OpenSTA.PostPnR",
    "OpenSTA.TimingModel",
    "Magic.StreamOut",
    "KLayout.StreamOut",
    "KLayout.Render",
    "Magic.WriteLEF",
    "KLayout.XOR",
    "Checker.XOR",
    "Magic.DRC",
    "KLayout.DRC",
    "Checker.MagicDRC",
    "Checker.KLayoutDRC",
    "Magic.SpiceExtraction",
    "Checker.IllegalOverlap",
    "Netgen.LVS",
    "KLayout.LVS",
    "Checker.LVS",
    "Icarus.GateLevel",
    "Yosys.Equivalence",
    "Checker.SetupViolations",
    "Checker.HoldViolations",
    "Checker.MaxSlewViolations",
    "Misc.ReportManufacturability",
];

/// Steps, and the variables that must be true for them. Whether a step of its own has something to do is for that step to
/// say.
const GATES: &[(&str, &[&str])] = &[
    ("Verilator.Lint", &["RUN_LINTER"]),
    ("Checker.Lint*", &["RUN_LINTER"]),
    ("Layout.Fill", &["RUN_FILL_INSERTION"]),
    ("Qrouter.Parasitics", &["RUN_SPEF_EXTRACTION"]),
    ("OpenSTA.PostPnR", &["RUN_MCSTA", "RUN_SPEF_EXTRACTION"]),
    ("OpenSTA.TimingModel", &["RUN_TIMING_MODEL"]),
    ("Checker.*Violations", &["RUN_MCSTA", "RUN_SPEF_EXTRACTION"]),
    ("KLayout.Render", &["RUN_RENDER"]),
    ("*.LVS", &["RUN_LVS"]),
    ("Yosys.Equivalence", &["RUN_EQUIVALENCE"]),
];

fn gates() -> impl Iterator<Item = &'static (&'static str, &'static [&'static str])> {
    GATES.iter().chain(classic::SIGN_OFF_GATES)
}

pub(super) fn flow() -> Flow {
    let doc = "From RTL to a verified GDS with tools that Debian has: Yosys, graywolf, qrouter, Magic, KLayout, Netgen and \
               OpenSTA. Clocks are ideal: there is no clock tree, and nothing repairs hold.";
    let own = [
        Variable::new("RUN_RENDER", Type::Bool, "Whether KLayout draws a picture of the layout.").default(true),
        Variable::new(
            "RUN_EQUIVALENCE",
            Type::Bool,
            "Whether Yosys proves that the netlist does what the sources say.",
        )
        .default(true),
        Variable::new(
            "RUN_TIMING_MODEL",
            Type::Bool,
            "Whether a timing model of the design is written, for designs that have it inside.",
        )
        .default(true),
    ];
    let switches: Vec<&str> = gates().flat_map(|(_, switches)| switches.iter().copied()).collect();
    let known = |name: &&str| !own.iter().any(|variable| variable.name == **name);
    let mut of_openlane: Vec<&str> = switches.into_iter().filter(known).collect();
    of_openlane.sort_unstable();
    of_openlane.dedup();
    let of_openlane = of_openlane.into_iter().map(classic::variable);
    let flow = Flow::new("OpenAsic", doc, STEPS).variables(of_openlane.chain(own.clone()));
    gates().fold(flow, |flow, (steps, variables)| flow.gate(steps, variables))
}
