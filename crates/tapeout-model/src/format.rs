//! Design formats: the kinds of files a design is kept in.

/// A kind of design file: what a [`crate::View`] is a view in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesignFormat {
    /// The id by which steps, states and `-e ID=PATH` name it; also its folder in `final/`.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The usual file extension, without the dot.
    pub extension: &'static str,
}

const fn format(id: &'static str, name: &'static str, extension: &'static str) -> DesignFormat {
    DesignFormat { id, name, extension }
}

/// The formats known to built-in steps. Ids that OpenLane has are OpenLane's.
pub const FORMATS: &[DesignFormat] = &[
    format("nl", "Verilog netlist", "v"),
    format("vhdl_nl", "Verilog netlist of the VHDL sources", "v"),
    format("json", "Yosys JSON netlist", "json"),
    format("asc", "IceStorm text bitstream", "asc"),
    format("bitstream", "Bitstream", "bin"),
    format("post_layout_nl", "Verilog netlist read back from the bitstream", "v"),
    format("timing_report", "Timing report of the router", "json"),
    format("vcd", "Waveform", "vcd"),
];

impl DesignFormat {
    /// The format with this id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.id == id)
    }
}
