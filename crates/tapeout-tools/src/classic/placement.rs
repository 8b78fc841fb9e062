//! Placement of cells, global and detailed.

use tapeout_config::{Type, Variable};

use super::types::instance_type;

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "PL_TARGET_DENSITY_PCT",
            Type::Decimal,
            "How densely cells are placed where they are densest. Otherwise it follows from `FP_CORE_UTIL` and \
             `GPL_CELL_PADDING`.",
        )
        .units("%")
        .optional(),
        Variable::new("PL_TIMING_DRIVEN", Type::Bool, "Whether global placement draws critical paths together.")
            .default(false)
            .formerly("PL_TIME_DRIVEN"),
        Variable::new(
            "PL_ROUTABILITY_DRIVEN",
            Type::Bool,
            "Whether global placement spreads cells where wires would be too dense.",
        )
        .default(true),
        Variable::new(
            "PL_ROUTABILITY_OVERFLOW_THRESHOLD",
            Type::Decimal,
            "The overflow of cells below which routability is looked at.",
        )
        .optional(),
        Variable::new(
            "PL_KEEP_RESIZE_BELOW_OVERFLOW",
            Type::Decimal,
            "The overflow of cells, from 0 to 1, below which sizes changed by timing-driven placement are kept.",
        )
        .optional(),
        Variable::new(
            "PL_SKIP_INITIAL_PLACEMENT",
            Type::Bool,
            "Whether global placement starts with the cells where they are, without a first rough placement.",
        )
        .default(false),
        Variable::new(
            "PL_WIRE_LENGTH_COEF",
            Type::Decimal,
            "The weight of wire length at the start of global placement.",
        )
        .default("0.25")
        .formerly("PL_WIRELENGTH_COEF"),
        Variable::new(
            "PL_MIN_PHI_COEFFICIENT",
            Type::Decimal,
            "The least step by which the density penalty grows in global placement. Of help when it diverges.",
        )
        .optional(),
        Variable::new(
            "PL_MAX_PHI_COEFFICIENT",
            Type::Decimal,
            "The greatest step by which the density penalty grows in global placement. Of help when it diverges.",
        )
        .optional(),
        Variable::new(
            "GPL_CELL_PADDING",
            Type::Int,
            "How many sites each cell is taken to be wider in global placement, shared by both sides.",
        )
        .units("sites")
        .from_pdk(),
        Variable::new(
            "DPL_CELL_PADDING",
            Type::Int,
            "How many sites each cell is taken to be wider in detailed placement, shared by both sides. Not more \
             than `GPL_CELL_PADDING`.",
        )
        .units("sites")
        .from_pdk(),
        Variable::new(
            "PL_OPTIMIZE_MIRRORING",
            Type::Bool,
            "Whether detailed placement mirrors cells where that shortens wires.",
        )
        .default(true),
        Variable::new(
            "PL_MAX_DISPLACEMENT_X",
            Type::Int,
            "How far detailed placement may move a cell sideways to find a legal site.",
        )
        .units("µm")
        .default(500_i64),
        Variable::new(
            "PL_MAX_DISPLACEMENT_Y",
            Type::Int,
            "How far detailed placement may move a cell up or down to find a legal site.",
        )
        .units("µm")
        .default(100_i64),
        Variable::new(
            "MANUAL_GLOBAL_PLACEMENTS",
            Type::map(instance_type()),
            "Where instances start from, by name. They are neither fixed there nor on a legal site yet.",
        )
        .optional(),
        Variable::new(
            "DIODE_PADDING",
            Type::Int,
            "How many sites antenna diodes are taken to be wider when placement is checked.",
        )
        .units("sites")
        .optional(),
    ]
}
