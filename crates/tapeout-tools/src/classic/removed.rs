//! Variables of earlier versions of the flow that nothing replaces, with the reason.

/// Their names in alphabetical order, and why there are none of these any more.
pub(super) const REMOVED: &[(&str, &str)] = &[
    ("CLOCK_BUFFER_FANOUT", "it belonged to a simpler way of building clock trees, which is gone"),
    ("CTS_TOLERANCE", "OpenROAD has no such setting any more"),
    ("FP_CONTEXT_DEF", "placing pins to match a surrounding layout is not possible yet"),
    ("FP_CONTEXT_LEF", "placing pins to match a surrounding layout is not possible yet"),
    ("FP_IO_HMETAL", "`IO_PIN_H_LAYER` takes the place of a number by the name of a layer"),
    ("FP_IO_VMETAL", "`IO_PIN_V_LAYER` takes the place of a number by the name of a layer"),
    ("FP_PADFRAME_CFG", "this way of describing a pad ring does not exist yet"),
    ("FP_PDN_AUTO_ADJUST", "it suited few designs; set the pitch and offset of the straps"),
    ("GENERATE_FINAL_SUMMARY_REPORT", "reports are asked for when a run is started, not by its configuration"),
    ("GLB_OPTIMIZE_MIRRORING", "`PL_OPTIMIZE_MIRRORING` decides for all of detailed placement"),
    ("GRT_ESTIMATE_PARASITICS", "parasitics are estimated wherever they can be"),
    ("GRT_MAX_DIODE_INS_ITERS", "the ways of inserting diodes that it limited are gone"),
    ("KLAYOUT_XOR_GDS", "a GDS of the differences says less than the database that is always written"),
    ("KLAYOUT_XOR_XML", "the database of the differences is always written"),
    ("LEC_ENABLE", "that check failed without cause and was too slow for large designs"),
    ("LIGHTER_DFF_MAP", "clock gates are made by Yosys itself, see `SYNTH_CLOCKGATE_MIN_WIDTH`"),
    ("LVS_INSERT_POWER_PINS", "netlists have their power pins without it"),
    ("MAGIC_GDS_ALLOW_ABSTRACT", "a layout must not have empty cells; make a GDS from the LEF where one is wanted"),
    ("MAGIC_GENERATE_GDS", "Magic writes a GDS whenever `RUN_MAGIC_STREAMOUT` is on"),
    ("MAGIC_PAD", "it was a makeshift of doubtful use"),
    ("PLACE_SITE_HEIGHT", "the height of `PLACE_SITE` is read from the LEF files"),
    ("PLACE_SITE_WIDTH", "the width of `PLACE_SITE` is read from the LEF files"),
    ("PL_ESTIMATE_PARASITICS", "parasitics are estimated wherever they can be"),
    ("PL_RANDOM_GLB_PLACEMENT", "starting from random places gains nothing with today's OpenROAD"),
    ("PL_RANDOM_INITIAL_PLACEMENT", "starting from random places gains nothing with today's OpenROAD"),
    ("RUN_CVC", "the checker CVC is not supported any more"),
    ("SYNLIG_DEFER", "Slang has taken the place of Synlig"),
    ("SYNTH_READ_BLACKBOX_LIB", "libraries are always read as black boxes"),
    ("TAKE_LAYOUT_SCROT", "it was unreliable"),
    ("USE_GPIO_PADS", "name the files of the pads in `EXTRA_LEFS` and `EXTRA_VERILOG_MODELS`"),
    ("VDD_PIN_VOLTAGE", "voltages are read from the Liberty files"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_and_reasons_are_said() {
        assert!(REMOVED.is_sorted_by(|(a, _), (b, _)| a < b));
        assert!(REMOVED.iter().all(|(_, reason)| reason.len() > 10));
    }
}
