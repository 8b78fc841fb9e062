//! Project IceStorm: packing, timing, reading back and programming iCE40 bitstreams.

mod pack;
mod post_layout;
mod program;
mod read_back;
mod time;

pub(crate) use time::FMAX;

use tapeout_flow::{Registry, Tool};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(pack::Pack);
    registry.add_step(time::Time);
    registry.add_step(read_back::ReadBack);
    registry.add_step(post_layout::POST_LAYOUT_SIMULATE);
    registry.add_step(program::Program);
    let tool = |name, summary, companions| Tool {
        name,
        summary,
        package: "fpga-icestorm",
        version_args: &[],
        minimum: None,
        companions,
    };
    const DATA: &[&str] = &["../share/fpga-icestorm/chipdb", "../share/icebox", "../libexec"];
    registry.add_tool(tool("icepack", "Packs iCE40 bitstreams", &[]));
    registry.add_tool(tool("iceunpack", "Unpacks iCE40 bitstreams", &[]));
    registry.add_tool(tool("icetime", "Timing analysis for iCE40", DATA));
    registry.add_tool(tool(
        "icebox_vlog",
        "Reads a netlist back from an iCE40 bitstream",
        &["icebox.py", "iceboxdb.py"],
    ));
    registry.add_tool(tool("iceprog", "Programs iCE40 boards", &[]));
    registry.add_tool(Tool {
        name: "openFPGALoader",
        summary: "Programs boards with FPGAs of many makers",
        package: "openfpgaloader",
        version_args: &[],
        minimum: None,
        companions: &[],
    });
}
