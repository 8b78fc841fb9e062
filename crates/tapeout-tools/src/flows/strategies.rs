//! Strategies of synthesis, and by what they are compared.

use tapeout_model::Value;

use super::tried::Better;
use crate::yosys;

/// A way to synthesise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strategy {
    /// What people call it.
    pub(crate) name: &'static str,
    /// The variables of synthesis that make it out.
    pub(crate) overrides: &'static [(&'static str, Setting)],
}

/// What a strategy sets a variable to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting {
    On,
    Choice(&'static str),
}

impl From<Setting> for Value {
    fn from(setting: Setting) -> Self {
        match setting {
            Setting::On => true.into(),
            Setting::Choice(word) => word.into(),
        }
    }
}

/// What is measured of each strategy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measure {
    pub(crate) metric: &'static str,
    /// The heading, with the unit.
    pub(crate) heading: &'static str,
    pub(crate) better: Better,
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
        Strategy { name: "plain", overrides: &[] },
        Strategy { name: "abc2", overrides: &[("SYNTH_ABC2", Setting::On)] },
        Strategy { name: "dff", overrides: &[("SYNTH_DFF", Setting::On)] },
        Strategy { name: "abc2 dff", overrides: &[("SYNTH_ABC2", Setting::On), ("SYNTH_DFF", Setting::On)] },
        Strategy { name: "retime", overrides: &[("SYNTH_RETIME", Setting::On)] },
        Strategy { name: "retime abc2", overrides: &[("SYNTH_RETIME", Setting::On), ("SYNTH_ABC2", Setting::On)] },
        Strategy { name: "abc9", overrides: &[("SYNTH_ABC9", Setting::On)] },
        Strategy { name: "abc9 dff", overrides: &[("SYNTH_ABC9", Setting::On), ("SYNTH_DFF", Setting::On)] },
    ],
    measures: [
        Measure { metric: "design__instance__count", heading: "cells", better: Better::Less },
        Measure { metric: "design__instance__count__cell:SB_LUT4", heading: "area (LUTs)", better: Better::Less },
        Measure { metric: yosys::DELAY, heading: "delay (ns)", better: Better::Less },
    ],
};

/// Cells of a library: the scripts of ABC.
pub(crate) const CELL_LIBRARY: Kit = Kit {
    before: &["Ghdl.ToVerilog", "Verilator.Lint"],
    synthesis: &["Yosys.Synthesis", "OpenSTA.PrePnR"],
    strategies: &[
        Strategy { name: "AREA 0", overrides: &[("SYNTH_STRATEGY", Setting::Choice("AREA 0"))] },
        Strategy { name: "AREA 1", overrides: &[("SYNTH_STRATEGY", Setting::Choice("AREA 1"))] },
        Strategy { name: "AREA 2", overrides: &[("SYNTH_STRATEGY", Setting::Choice("AREA 2"))] },
        Strategy { name: "AREA 3", overrides: &[("SYNTH_STRATEGY", Setting::Choice("AREA 3"))] },
        Strategy { name: "DELAY 0", overrides: &[("SYNTH_STRATEGY", Setting::Choice("DELAY 0"))] },
        Strategy { name: "DELAY 1", overrides: &[("SYNTH_STRATEGY", Setting::Choice("DELAY 1"))] },
        Strategy { name: "DELAY 2", overrides: &[("SYNTH_STRATEGY", Setting::Choice("DELAY 2"))] },
        Strategy { name: "DELAY 3", overrides: &[("SYNTH_STRATEGY", Setting::Choice("DELAY 3"))] },
        Strategy { name: "DELAY 4", overrides: &[("SYNTH_STRATEGY", Setting::Choice("DELAY 4"))] },
    ],
    measures: [
        Measure { metric: "design__instance__count", heading: "cells", better: Better::Less },
        Measure { metric: "design__instance__area", heading: "area (µm²)", better: Better::Less },
        Measure { metric: yosys::DELAY, heading: "delay (ns)", better: Better::Less },
    ],
};
