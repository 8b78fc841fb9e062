//! `Icestorm.PostLayoutSimulate`: the design's benches on the netlist read back from the bitstream.

use tapeout_config::Config;
use tapeout_flow::{Type, Variable};

use crate::icarus::{Models, OnNetlist};
use crate::verilog;

pub(super) const POST_LAYOUT_SIMULATE: OnNetlist = OnNetlist {
    id: "Icestorm.PostLayoutSimulate",
    name: "Post-layout simulation",
    doc: "Runs each test bench on the netlist read back from the bitstream: function, without delays. A bench that looks \
          inside the design or sets its parameters cannot run on a netlist; the step says so. The macro `POST_LAYOUT` is \
          defined, for benches that do so only on the sources.",
    netlist: "post_layout_nl",
    without: "the netlist could not be read back from the bitstream",
    switch,
    models: Models::OfTool("yosys", verilog::ICE40_MODELS),
    // The models give inputs default values, which Icarus Verilog does not read.
    options: &["-DNO_ICE40_DEFAULT_ASSIGNMENTS"],
};

/// `RUN_POST_LAYOUT_SIMULATION`.
pub(super) fn switch() -> Variable {
    Variable::new("RUN_POST_LAYOUT_SIMULATION", Type::Bool, "Whether the benches run on the bitstream.").default(true)
}

pub(super) fn nothing_to_do(config: &Config) -> Option<String> {
    OnNetlist::nothing_to_do(&switch(), config)
}
