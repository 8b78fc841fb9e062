//! Strategies of synthesis, and by what they are compared.

use tapeout_model::Value;

use crate::yosys;

/// A way to synthesise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strategy {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The switches of synthesis that it turns on.
    pub(crate) switches: &'static [&'static str],
}

impl Strategy {
    /// What the configuration must be for it.
    pub(crate) fn settings(&self, kit: &Kit) -> Vec<(String, Value)> {
        let named = kit.named_by.map(|variable| (variable.to_owned(), Value::from(self.name)));
        named.into_iter().chain(self.switches.iter().map(|switch| ((*switch).to_owned(), Value::Bool(true)))).collect()
    }
}

/// What is measured of each strategy; less of it is better.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) metric: &'static str,
    /// The heading, with the unit.
    pub(crate) heading: &'static str,
}

/// How the netlists of a technology are made and compared.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kit {
    /// What is needed once, before synthesis.
    pub(crate) before: &'static [&'static str],
    /// Synthesis, and what measures its result.
    pub(crate) synthesis: &'static [&'static str],
    pub(crate) strategies: &'static [Strategy],
    /// The variable that takes the name of a strategy, if there is one.
    pub(crate) named_by: Option<&'static str>,
    /// What is meant by the area, for people.
    pub(crate) area: &'static str,
    /// What is measured of a netlist: in the places [`CELLS`], [`AREA`] and [`DELAY`].
    pub(crate) measures: [Measure; 3],
}

pub(crate) const CELLS: usize = 0;
pub(crate) const AREA: usize = 1;
pub(crate) const DELAY: usize = 2;

/// iCE40: Yosys' ways to map to lookup tables. `abc9` cannot retime.
pub(crate) const ICE40: Kit = Kit {
    before: &["Ghdl.ToVerilog", "Verilator.Lint"],
    synthesis: &["Yosys.SynthIce40", "Yosys.DelayIce40"],
    strategies: &[
        Strategy { name: "plain", switches: &[] },
        Strategy { name: "abc2", switches: &["SYNTH_ABC2"] },
        Strategy { name: "dff", switches: &["SYNTH_DFF"] },
        Strategy { name: "abc2 dff", switches: &["SYNTH_ABC2", "SYNTH_DFF"] },
        Strategy { name: "retime", switches: &["SYNTH_RETIME"] },
        Strategy { name: "retime abc2", switches: &["SYNTH_RETIME", "SYNTH_ABC2"] },
        Strategy { name: "abc9", switches: &["SYNTH_ABC9"] },
        Strategy { name: "abc9 dff", switches: &["SYNTH_ABC9", "SYNTH_DFF"] },
    ],
    named_by: None,
    area: "the number of lookup tables, LUTs",
    measures: [
        Measure { metric: "design__instance__count", heading: "cells" },
        Measure { metric: "design__instance__count__cell:SB_LUT4", heading: "area (LUTs)" },
        Measure { metric: yosys::DELAY, heading: "delay (ns)" },
    ],
};

/// Cells of a PDK: OpenLane's strategies, with the delay that OpenSTA finds before layout.
pub(crate) const CELLS_OF_A_PDK: Kit = Kit {
    before: &["Ghdl.ToVerilog", "Verilator.Lint"],
    synthesis: &["Yosys.Synthesis", "OpenSTA.PrePnR"],
    strategies: &[
        Strategy { name: "AREA 0", switches: &[] },
        Strategy { name: "AREA 1", switches: &[] },
        Strategy { name: "AREA 2", switches: &[] },
        Strategy { name: "AREA 3", switches: &[] },
        Strategy { name: "DELAY 0", switches: &[] },
        Strategy { name: "DELAY 1", switches: &[] },
        Strategy { name: "DELAY 2", switches: &[] },
        Strategy { name: "DELAY 3", switches: &[] },
        Strategy { name: "DELAY 4", switches: &[] },
    ],
    named_by: Some("SYNTH_STRATEGY"),
    area: "that of all cells",
    measures: [
        Measure { metric: "design__instance__count", heading: "cells" },
        Measure { metric: "design__instance__area", heading: "area (µm²)" },
        Measure { metric: yosys::DELAY, heading: "delay (ns)" },
    ],
};
