//! Timing: constraints, corners, wire models, analysis, extraction, voltage drop.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new("CLOCK_PERIOD", Type::Decimal, "The period of the clock.").units("ns").default("10.0"),
        Variable::new("FALLBACK_SDC", Type::Path, "The timing constraints of steps that have no file of their own.")
            .optional()
            .formerly("FALLBACK_SDC_FILE")
            .formerly("BASE_SDC_FILE")
            .formerly("SDC_FILE"),
        Variable::new("PNR_SDC_FILE", Type::Path, "The timing constraints during place and route.").optional(),
        Variable::new("SIGNOFF_SDC_FILE", Type::Path, "The timing constraints of the analysis after layout.")
            .optional(),
        Variable::new(
            "RCX_SDC_FILE",
            Type::Path,
            "The timing constraints beside extraction, where they are not those of place and route.",
        )
        .optional(),
        Variable::new("DEFAULT_CORNER", Type::Str, "The timing corner for steps that look at one only.").from_pdk(),
        Variable::new(
            "STA_CORNERS",
            Type::list(Type::Str),
            "The timing corners of the analysis, each named by interconnect, process, temperature and voltage: \
             `nom_tt_025C_1v80`.",
        )
        .from_pdk(),
        Variable::new(
            "PNR_CORNERS",
            Type::list(Type::Str),
            "The timing corners during place and route. Otherwise they are `STA_CORNERS`.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "DEDUPLICATE_CORNERS",
            Type::Bool,
            "Whether place and route drops corners that have the same files and wire resistances as another.",
        )
        .default(false),
        Variable::new(
            "STA_EXTRA_CORNER_TCL_FILE",
            Type::Path,
            "A Tcl file that is run for each corner after its files are read. Experimental.",
        )
        .optional(),
        Variable::new(
            "DEFAULT_MAX_TRAN",
            Type::Decimal,
            "The slew limit of the library. Where none is set, the limit is this or a tenth of the clock period, \
             whichever is less.",
        )
        .units("ns")
        .optional()
        .from_pdk(),
        Variable::new(
            "MAX_TRANSITION_CONSTRAINT",
            Type::Decimal,
            "The slew limit. Otherwise it follows from the clock period and `DEFAULT_MAX_TRAN`.",
        )
        .units("ns")
        .optional()
        .formerly("SYNTH_MAX_TRAN")
        .from_pdk(),
        Variable::new(
            "MAX_CAPACITANCE_CONSTRAINT",
            Type::Decimal,
            "The load limit of outputs. Otherwise it is that of the Liberty files.",
        )
        .units("pF")
        .optional()
        .from_pdk(),
        Variable::new("MAX_FANOUT_CONSTRAINT", Type::Int, "How many inputs an output may drive.")
            .units("cells")
            .formerly("SYNTH_MAX_FANOUT")
            .from_pdk(),
        Variable::new("OUTPUT_CAP_LOAD", Type::Decimal, "The load that is taken to be at each output port.")
            .units("fF")
            .formerly("SYNTH_CAP_LOAD")
            .from_pdk(),
        Variable::new(
            "CLOCK_UNCERTAINTY_CONSTRAINT",
            Type::Decimal,
            "How much of each clock cycle is set aside for jitter.",
        )
        .units("ns")
        .formerly("SYNTH_CLOCK_UNCERTAINTY")
        .from_pdk(),
        Variable::new(
            "CLOCK_TRANSITION_CONSTRAINT",
            Type::Decimal,
            "The slew that is taken for clocks before there is a clock tree.",
        )
        .units("ns")
        .formerly("SYNTH_CLOCK_TRANSITION")
        .from_pdk(),
        Variable::new(
            "TIME_DERATING_CONSTRAINT",
            Type::Decimal,
            "By how much late paths are slowed down and early paths sped up, to allow for variation on the chip.",
        )
        .units("%")
        .formerly("SYNTH_TIMING_DERATE")
        .from_pdk(),
        Variable::new(
            "IO_DELAY_CONSTRAINT",
            Type::Decimal,
            "The part of the clock period that is taken to be used up outside the ports.",
        )
        .units("%")
        .formerly("IO_PCT")
        .from_pdk(),
        Variable::new(
            "SET_RC_VERBOSE",
            Type::Bool,
            "Whether the commands that set wire resistance and capacitance are printed.",
        )
        .default(false),
        Variable::new(
            "LAYERS_RC",
            Type::map(Type::map(Type::map(Type::Decimal))),
            "Resistance and capacitance of wires for a unit of length, by corner pattern, then layer: `res` and \
             `cap`, in the units of the Liberty files.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "VIAS_R",
            Type::map(Type::map(Type::map(Type::Decimal))),
            "The resistance of a via, by corner pattern, then via layer: `res`, in the units of the Liberty \
             files.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "SIGNAL_WIRE_RC_LAYERS",
            Type::list(Type::Str),
            "The layers whose mean resistance and capacitance are taken for signals that are not routed yet.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "CLOCK_WIRE_RC_LAYERS",
            Type::list(Type::Str),
            "The layers whose mean resistance and capacitance are taken for clocks that are not routed yet.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "STA_MACRO_PRIORITIZE_NL",
            Type::Bool,
            "Whether a macro that has a netlist and parasitics is analysed by them rather than by its Liberty \
             file.",
        )
        .default(true),
        Variable::new("STA_MAX_VIOLATOR_COUNT", Type::Int, "How many violating paths the reports list.").optional(),
        Variable::new(
            "STA_THREADS",
            Type::Int,
            "How many corners are analysed or extracted at the same time. Otherwise as many as there are cores.",
        )
        .optional(),
        Variable::new(
            "EXTRA_SPEFS",
            Type::list(Type::union([Type::Str, Type::Path])),
            "The parasitics of macros in the manner of OpenLane 1: module name, then files for the corners min, \
             nom and max, for each. Use `MACROS` instead.",
        )
        .optional(),
        Variable::new(
            "RCX_MERGE_VIA_WIRE_RES",
            Type::Bool,
            "Whether the resistance of a via is added to that of its wire.",
        )
        .default(true),
        Variable::new(
            "RCX_RULESETS",
            Type::map(Type::Path),
            "The extraction rules by interconnect corner, a pattern such as `max_*`.",
        )
        .from_pdk(),
        Variable::new(
            "VSRC_LOC_FILES",
            Type::map(Type::Path),
            "Where the supplies enter the chip, for the report of voltage drop: a file for each supply net.",
        )
        .optional(),
    ]
}
