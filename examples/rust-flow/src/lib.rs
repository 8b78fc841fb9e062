//! Steps and flows of a user's own.

mod depth;
mod ports;
mod share;
mod smallest_device;

use tapeout::flow::{Flow, Registry};

/// A flow that is a list of steps; one of them is from here, and consists of two.
const MY_FLOW: &[&str] = &[
    "Verilator.Lint",
    "Yosys.SynthIce40",
    "My.Logic",
    "Nextpnr.Ice40",
    "Icestorm.Pack",
    "Icestorm.Time",
    "Checker.SetupViolations",
];

/// All that is built in, and all that is defined here.
pub fn registry() -> Registry {
    let mut registry = tapeout::registry();
    registry
        .add_step(depth::Depth)
        .add_step(ports::Ports)
        .add_composite("My.Logic", "Logic", "The depth and the ports of the netlist.", &["My.Depth", "My.Ports"])
        .add_flow(Flow::new("MyFlow", "To a bitstream, with a look at the logic.", MY_FLOW))
        .add_custom_flow(smallest_device::SmallestDevice)
        .add_hook(share::share());
    registry
}
