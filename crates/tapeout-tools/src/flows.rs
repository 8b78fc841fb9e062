//! The built-in flows.

use tapeout_flow::{Flow, Registry};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_flow(Flow::new(
        "Ice40",
        "From RTL to a verified bitstream for Lattice iCE40 devices, with Yosys, nextpnr and IceStorm.",
        &[
            "Verilator.Lint",
            "Ghdl.Synthesise",
            "Icarus.Simulate",
            "Yosys.SynthIce40",
            "Nextpnr.Ice40",
            "Icestorm.Pack",
            "Icestorm.Time",
            "Icestorm.ReadBack",
            "Icestorm.PostLayoutSimulate",
            "Checker.SetupViolations",
        ],
    ));
}
