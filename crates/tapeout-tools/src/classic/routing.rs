//! Routing, global and detailed, and the repair of antennas.

use tapeout_config::{Type, Variable};

use super::types::{area_on_layer, routing_rule};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new("RT_MIN_LAYER", Type::Str, "The lowest layer for signals.").from_pdk(),
        Variable::new("RT_MAX_LAYER", Type::Str, "The highest layer for signals.").from_pdk(),
        Variable::new("RT_CLOCK_MIN_LAYER", Type::Str, "The lowest layer for clocks.").optional(),
        Variable::new("RT_CLOCK_MAX_LAYER", Type::Str, "The highest layer for clocks.").optional(),
        Variable::new(
            "ROUTING_OBSTRUCTIONS",
            Type::list(area_on_layer()),
            "Areas without wires, each a layer with its left, bottom, right and top edge.",
        )
        .units("µm")
        .optional()
        .formerly("GRT_OBS"),
        Variable::new(
            "GRT_ADJUSTMENT",
            Type::Decimal,
            "Which part of the tracks global routing leaves free on all layers, from 0 to 1.",
        )
        .default("0.3"),
        Variable::new(
            "GRT_LAYER_ADJUSTMENTS",
            Type::list(Type::Decimal),
            "Which part of the tracks global routing leaves free on each layer, from 0 to 1, from the lowest \
             layer up.",
        )
        .from_pdk(),
        Variable::new(
            "GRT_MACRO_EXTENSION",
            Type::Int,
            "By how many cells of the global routing grid the blockages of macros are widened.",
        )
        .default(0_i64),
        Variable::new(
            "GRT_ALLOW_CONGESTION",
            Type::Bool,
            "Whether the flow goes on with more wires than tracks somewhere after global routing.",
        )
        .default(false),
        Variable::new("GRT_OVERFLOW_ITERS", Type::Int, "How often global routing tries to get rid of congestion.")
            .default(50_i64),
        Variable::new("GRT_ANTENNA_REPAIR_ITERS", Type::Int, "How often antennas are repaired after global routing.")
            .default(3_i64)
            .formerly("GRT_ANT_ITERS")
            .formerly("GRT_ANTENNA_ITERS"),
        Variable::new(
            "GRT_ANTENNA_REPAIR_MARGIN",
            Type::Int,
            "By how much repairs after global routing stay below the antenna limit.",
        )
        .units("%")
        .default(10_i64)
        .formerly("GRT_ANT_MARGIN")
        .formerly("GRT_ANTENNA_MARGIN"),
        Variable::new(
            "GRT_ANTENNA_REPAIR_JUMPER_ONLY",
            Type::Bool,
            "Whether repairs after global routing change layers and insert no diodes.",
        )
        .default(false),
        Variable::new(
            "GRT_ANTENNA_REPAIR_DIODE_ONLY",
            Type::Bool,
            "Whether repairs after global routing insert diodes and change no layers.",
        )
        .default(false),
        Variable::new(
            "DIODE_ON_PORTS",
            Type::choice(["none", "in", "out", "both"]),
            "Which ports get an antenna diode in any case.",
        )
        .default("none"),
        Variable::new(
            "HEURISTIC_ANTENNA_THRESHOLD",
            Type::Decimal,
            "The length of a net, along x and y, from which on it gets a diode before routing is known.",
        )
        .units("µm")
        .optional()
        .from_pdk(),
        Variable::new(
            "DRT_THREADS",
            Type::Int,
            "How many threads detailed routing uses. Otherwise as many as there are cores.",
        )
        .optional()
        .formerly("ROUTING_CORES"),
        Variable::new("DRT_OPT_ITERS", Type::Int, "How often detailed routing goes over the wires at most.")
            .default(64_i64),
        Variable::new(
            "DRT_SAVE_SNAPSHOTS",
            Type::Bool,
            "Whether the layout is saved after each iteration of detailed routing, which takes much room. \
             Experimental.",
        )
        .default(false),
        Variable::new(
            "DRT_SAVE_DRC_REPORT_ITERS",
            Type::Int,
            "After how many iterations of detailed routing a report of violations is written.",
        )
        .optional(),
        Variable::new(
            "DRT_ANTENNA_REPAIR_ITERS",
            Type::Int,
            "How often antennas are repaired and detailed routing is run again. 0 repairs none.",
        )
        .default(3_i64),
        Variable::new(
            "DRT_ANTENNA_REPAIR_MARGIN",
            Type::Int,
            "By how much repairs after detailed routing stay below the antenna limit.",
        )
        .units("%")
        .default(10_i64)
        .formerly("DRT_ANTENNA_MARGIN"),
        Variable::new(
            "DRT_ANTENNA_REPAIR_JUMPER_ONLY",
            Type::Bool,
            "Whether repairs after detailed routing change layers and insert no diodes.",
        )
        .default(false),
        Variable::new(
            "DRT_ANTENNA_REPAIR_DIODE_ONLY",
            Type::Bool,
            "Whether repairs after detailed routing insert diodes and change no layers.",
        )
        .default(false),
        Variable::new(
            "NON_DEFAULT_RULES",
            Type::map(routing_rule()),
            "Routing rules with other widths, spacings and vias than the usual ones, by name.",
        )
        .optional(),
        Variable::new(
            "DRT_ASSIGN_NDR",
            Type::map(Type::Str),
            "The routing rule of `NON_DEFAULT_RULES` for nets, by a regular expression for their names.",
        )
        .optional(),
    ]
}
