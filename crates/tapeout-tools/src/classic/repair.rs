//! Repair of slew, load and fan-out, after placement and after global routing.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "RSZ_CORNERS",
            Type::list(Type::Str),
            "The timing corners for repairs. Otherwise they are `PNR_CORNERS`.",
        )
        .optional(),
        Variable::new(
            "RSZ_DONT_TOUCH_RX",
            Type::Str,
            "A regular expression for nets and instances that repairs leave alone. The default matches none.",
        )
        .default("$^")
        .formerly("UNBUFFER_NETS"),
        Variable::new(
            "RSZ_DONT_TOUCH_LIST",
            Type::list(Type::Str),
            "Nets and instances that repairs leave alone, by name.",
        )
        .optional(),
        Variable::new("DESIGN_REPAIR_BUFFER_INPUT_PORTS", Type::Bool, "Whether input ports get a buffer.")
            .default(true)
            .formerly("PL_RESIZER_BUFFER_INPUT_PORTS"),
        Variable::new("DESIGN_REPAIR_BUFFER_OUTPUT_PORTS", Type::Bool, "Whether output ports get a buffer.")
            .default(true)
            .formerly("PL_RESIZER_BUFFER_OUTPUT_PORTS"),
        Variable::new(
            "DESIGN_REPAIR_TIE_FANOUT",
            Type::Bool,
            "Whether each input on a constant gets a tie cell of its own.",
        )
        .default(true)
        .formerly("PL_RESIZER_REPAIR_TIE_FANOUT"),
        Variable::new(
            "DESIGN_REPAIR_TIE_SEPARATION",
            Type::Bool,
            "Whether tie cells are moved a little away from the inputs that they serve.",
        )
        .default(false)
        .formerly("PL_RESIZER_TIE_SEPERATION"),
        Variable::new(
            "DESIGN_REPAIR_MAX_WIRE_LENGTH",
            Type::Decimal,
            "Longer wires are broken by buffers. 0 breaks none.",
        )
        .units("µm")
        .default("0")
        .formerly("PL_RESIZER_MAX_WIRE_LENGTH"),
        Variable::new("DESIGN_REPAIR_MAX_SLEW_PCT", Type::Decimal, "By how much repairs stay below the slew limit.")
            .units("%")
            .default("20")
            .formerly("PL_RESIZER_MAX_SLEW_MARGIN"),
        Variable::new("DESIGN_REPAIR_MAX_CAP_PCT", Type::Decimal, "By how much repairs stay below the load limit.")
            .units("%")
            .default("20")
            .formerly("PL_RESIZER_MAX_CAP_MARGIN"),
        Variable::new(
            "DESIGN_REPAIR_REMOVE_BUFFERS",
            Type::Bool,
            "Whether the buffers of synthesis are taken out first, so that repairs can place their own.",
        )
        .default(false),
        Variable::new(
            "GRT_DESIGN_REPAIR_RUN_GRT",
            Type::Bool,
            "Whether wires are routed globally again around repairs.",
        )
        .default(true),
        Variable::new(
            "GRT_DESIGN_REPAIR_MAX_WIRE_LENGTH",
            Type::Decimal,
            "Longer wires are broken by buffers after global routing. 0 breaks none.",
        )
        .units("µm")
        .default("0")
        .formerly("GLB_RESIZER_MAX_WIRE_LENGTH"),
        Variable::new(
            "GRT_DESIGN_REPAIR_MAX_SLEW_PCT",
            Type::Decimal,
            "By how much repairs after global routing stay below the slew limit.",
        )
        .units("%")
        .default("10")
        .formerly("GLB_RESIZER_MAX_SLEW_MARGIN"),
        Variable::new(
            "GRT_DESIGN_REPAIR_MAX_CAP_PCT",
            Type::Decimal,
            "By how much repairs after global routing stay below the load limit.",
        )
        .units("%")
        .default("10")
        .formerly("GLB_RESIZER_MAX_CAP_MARGIN"),
    ]
}
