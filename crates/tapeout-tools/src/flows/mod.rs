//! The built-in flows.
//!
//! What a program explores is data: the strategies, the steps, the metrics by which it judges. Another technology brings
//! its own.

mod exploration;
mod open_asic;
mod optimizing;
mod seed_sweep;
mod strategies;
mod tried;

use tapeout_flow::{Flow, Registry, Type, Variable};

const ICE40: &[&str] = &[
    "Ghdl.ToVerilog",
    "Verilator.Lint",
    "Icarus.Simulate",
    "Yosys.SynthIce40",
    "Nextpnr.Ice40",
    "Icestorm.Pack",
    "Icestorm.Time",
    "Icestorm.ReadBack",
    "Icestorm.PostLayoutSimulate",
    "Checker.SetupViolations",
];

pub(crate) fn register(registry: &mut Registry) {
    let doc = "From RTL to a verified bitstream for Lattice iCE40 devices, with Yosys, nextpnr and IceStorm.";
    registry.add_flow(gated(Flow::new("Ice40", doc, ICE40)));
    let doc = "The flow `Ice40`, and then the bitstream is loaded into a board.";
    registry.add_flow(gated(Flow::new("Ice40Program", doc, &[ICE40, &["Icestorm.Program"]].concat())));
    registry
        .add_flow(open_asic::flow())
        .add_custom_flow(exploration::SynthesisExploration {
            name: "SynthesisExploration",
            doc: "Synthesises a design for the cells of a PDK by every strategy there is, side by side, and compares cells, area \
                  and delay. The result is the netlist that is best by `EXPLORE_BY`.",
            kit: strategies::CELL_LIBRARY,
        })
        .add_custom_flow(exploration::SynthesisExploration {
            name: "Ice40Exploration",
            doc: "Synthesises a design for iCE40 by every strategy there is, side by side, and compares cells, area and delay. \
                  The result is the netlist that is best by `EXPLORE_BY`.",
            kit: strategies::ICE40,
        })
        .add_custom_flow(optimizing::Optimizing {
            name: "Optimizing",
            doc: "Explores all strategies of synthesis for the cells of a PDK and takes the smallest netlist; places it at a \
                  utilisation that is hard to reach, and at the one of the configuration if that fails. It ends with legal \
                  places.",
            kit: strategies::CELL_LIBRARY,
            implementation: optimizing::CELL_LIBRARY,
        })
        .add_custom_flow(optimizing::Optimizing {
            name: "Ice40Optimizing",
            doc: "Explores all strategies of synthesis for iCE40 and takes the smallest netlist; implements it at a target \
                  that is hard to reach, and at the one of the configuration if that fails. It ends with the bitstream, which \
                  is neither simulated nor read back.",
            kit: strategies::ICE40,
            implementation: optimizing::ICE40,
        })
        .add_custom_flow(seed_sweep::SeedSweep);
}

/// The gates of all. Whether a step of its own has something to do is for that step to say.
fn gated(flow: Flow) -> Flow {
    flow.variables([Variable::new("RUN_LINTER", Type::Bool, "Whether to lint.").default(true)])
        .gate("Verilator.Lint*", &["RUN_LINTER"])
}
