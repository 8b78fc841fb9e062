//! Strategies of synthesis, and by what they are compared.

use crate::yosys;

/// A way to synthesise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strategy {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The switches of synthesis that it turns on.
    pub(crate) switches: &'static [&'static str],
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
    measures: [
        Measure { metric: "design__instance__count", heading: "cells" },
        Measure { metric: "design__instance__count__cell:SB_LUT4", heading: "area (LUTs)" },
        Measure { metric: yosys::DELAY, heading: "delay (ns)" },
    ],
};
