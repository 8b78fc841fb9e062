//! Design formats: the kinds of files a design is kept in.

/// A kind of design file: what a [`crate::View`] is a view in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DesignFormat {
    /// The id by which steps, states and `-e ID=PATH` name it.
    pub id: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// The usual file extension, without the dot.
    pub extension: &'static str,
    /// Its folder in `final/`. Some formats share one.
    pub folder: &'static str,
    /// Whether there is a file of it for each corner, so that its view is a map of them.
    pub per_corner: bool,
    /// Names of former times and of other programs. [`DesignFormat::find`] knows them.
    pub aliases: &'static [&'static str],
}

const fn format(id: &'static str, name: &'static str, extension: &'static str) -> DesignFormat {
    DesignFormat { id, name, extension, folder: id, per_corner: false, aliases: &[] }
}

impl DesignFormat {
    const fn in_folder(self, folder: &'static str) -> Self {
        Self { folder, ..self }
    }

    const fn per_corner(self) -> Self {
        Self { per_corner: true, ..self }
    }

    const fn also(self, aliases: &'static [&'static str]) -> Self {
        Self { aliases, ..self }
    }
}

/// The formats known to built-in steps, then those that other steps of OpenLane's flows make. Ids that OpenLane has are
/// OpenLane's, with its extensions, folders and other names (LibreLane 3.0).
pub const FORMATS: &[DesignFormat] = &[
    format("nl", "Verilog netlist", "nl.v").also(&["netlist"]),
    format("vhdl_nl", "Verilog netlist of the VHDL sources", "v"),
    format("json", "Yosys JSON netlist", "json"),
    format("asc", "IceStorm text bitstream", "asc"),
    format("bitstream", "Bitstream", "bin"),
    format("post_layout_nl", "Verilog netlist read back from the bitstream", "v"),
    format("timing_report", "Timing report of the router", "json"),
    format("vcd", "Waveform", "vcd"),
    format("logical_nl", "Verilog netlist of the logic cells only", "logical_nl.v").in_folder("nl"),
    format("pnl", "Verilog netlist with power pins", "pnl.v").also(&["powered_netlist"]),
    format("sdf_pnl", "Verilog netlist with power pins and without fill cells, to simulate with delays", "sdf_pnl.v")
        .in_folder("pnl")
        .also(&["sdf_friendly_powered_netlist"]),
    format("logical_pnl", "Verilog netlist of the logic cells only, with power pins", "logical_pnl.v")
        .in_folder("pnl")
        .also(&["logical_powered_netlist"]),
    format("vh", "Verilog header", "vh").also(&["verilog_header"]),
    format("json_h", "Header of the design in JSON", "h.json").also(&["json_header"]),
    format("def", "DEF layout", "def").also(&["def_"]),
    format("lef", "LEF abstract", "lef"),
    format("openroad_lef", "LEF abstract by OpenROAD", "openroad.lef").in_folder("lef"),
    format("odb", "OpenDB database", "odb"),
    format("sdc", "Timing constraints", "sdc"),
    format("sdf", "Delays", "sdf").per_corner(),
    format("rc", "Resistances and capacitances by qrouter", "rc"),
    format("spef", "Parasitics", "spef").per_corner(),
    format("lib", "Liberty timing model", "lib").per_corner(),
    format("spice", "SPICE netlist", "spice"),
    format("spice_rcx", "SPICE netlist with parasitics", "rcx.spice"),
    format("cdl", "CDL netlist", "cdl"),
    format("gds", "GDSII layout", "gds"),
    format("mag", "Magic layout", "mag"),
    format("mag_gds", "GDSII layout by Magic", "magic.gds"),
    format("klayout_gds", "GDSII layout by KLayout", "klayout.gds"),
    format("render", "Picture of the layout", "png").also(&["klayout_render"]),
];

impl DesignFormat {
    /// The format with this id.
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.id == id)
    }

    /// The format with this id or other name. Case does not count.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        let is_it = |known: &str| known.eq_ignore_ascii_case(name);
        FORMATS.iter().find(|format| is_it(format.id) || format.aliases.iter().any(|alias| is_it(alias)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_means_one_format_in_any_case() {
        let mut names = BTreeSet::new();
        for format in FORMATS {
            for name in format.aliases.iter().chain([&format.id]) {
                assert!(names.insert(name.to_lowercase()), "{name}");
                assert_eq!(DesignFormat::find(&name.to_uppercase()).map(|found| found.id), Some(format.id));
            }
            assert!(DesignFormat::by_id(format.folder).is_some(), "{}", format.id);
        }
        assert_eq!(DesignFormat::find("Netlist").map(|format| format.id), Some("nl"));
        assert_eq!(DesignFormat::find("net"), None);
    }
}
