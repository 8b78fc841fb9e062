//! Repair of setup and hold, after the clock tree (`PL_RESIZER_…`) and after global routing (`GRT_RESIZER_…`).

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "PL_RESIZER_SETUP_SLACK_MARGIN",
            Type::Decimal,
            "The setup slack that repairs after the clock tree aim at.",
        )
        .units("ns")
        .default("0.05"),
        Variable::new(
            "PL_RESIZER_HOLD_SLACK_MARGIN",
            Type::Decimal,
            "The hold slack that repairs after the clock tree aim at.",
        )
        .units("ns")
        .default("0.1"),
        Variable::new(
            "PL_RESIZER_SETUP_MAX_BUFFER_PCT",
            Type::Decimal,
            "How many buffers repairs of setup may add after the clock tree, in relation to the number of \
             instances.",
        )
        .units("%")
        .default("50")
        .formerly("PL_RESIZER_SETUP_MAX_BUFFER_PERCENT"),
        Variable::new(
            "PL_RESIZER_HOLD_MAX_BUFFER_PCT",
            Type::Decimal,
            "How many buffers repairs of hold may add after the clock tree, in relation to the number of \
             instances.",
        )
        .units("%")
        .default("50")
        .formerly("PL_RESIZER_HOLD_MAX_BUFFER_PERCENT"),
        Variable::new(
            "PL_RESIZER_ALLOW_SETUP_VIOS",
            Type::Bool,
            "Whether repairs of hold after the clock tree may cost setup. A chip that is too slow still runs; one \
             that violates hold does not.",
        )
        .default(false),
        Variable::new(
            "PL_RESIZER_SETUP_GATE_CLONING",
            Type::Bool,
            "Whether repairs of setup after the clock tree may duplicate gates.",
        )
        .default(true)
        .formerly("PL_RESIZER_GATE_CLONING"),
        Variable::new(
            "PL_RESIZER_SETUP_BUFFERING",
            Type::Bool,
            "Whether repairs of setup after the clock tree may insert buffers and split loads.",
        )
        .default(true),
        Variable::new(
            "PL_RESIZER_SETUP_BUFFER_REMOVAL",
            Type::Bool,
            "Whether repairs of setup after the clock tree may remove buffers.",
        )
        .default(true),
        Variable::new(
            "PL_RESIZER_SETUP_REPAIR_TNS_PCT",
            Type::Decimal,
            "How many of the end points that violate setup are repaired after the clock tree.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "PL_RESIZER_SETUP_MAX_UTIL_PCT",
            Type::Decimal,
            "How full the core may get by repairs of setup after the clock tree.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "PL_RESIZER_HOLD_REPAIR_TNS_PCT",
            Type::Decimal,
            "How many of the end points that violate hold are repaired after the clock tree.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "PL_RESIZER_HOLD_MAX_UTIL_PCT",
            Type::Decimal,
            "How full the core may get by repairs of hold after the clock tree.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "PL_RESIZER_FIX_HOLD_FIRST",
            Type::Bool,
            "Whether hold is repaired before setup after the clock tree. Experimental.",
        )
        .default(false),
        Variable::new(
            "GRT_RESIZER_RUN_GRT",
            Type::Bool,
            "Whether wires are routed globally again after timing repairs.",
        )
        .default(true),
        Variable::new(
            "GRT_RESIZER_SETUP_SLACK_MARGIN",
            Type::Decimal,
            "The setup slack that repairs after global routing aim at.",
        )
        .units("ns")
        .default("0.025")
        .formerly("GLB_RESIZER_SETUP_SLACK_MARGIN"),
        Variable::new(
            "GRT_RESIZER_HOLD_SLACK_MARGIN",
            Type::Decimal,
            "The hold slack that repairs after global routing aim at.",
        )
        .units("ns")
        .default("0.05")
        .formerly("GLB_RESIZER_HOLD_SLACK_MARGIN"),
        Variable::new(
            "GRT_RESIZER_SETUP_MAX_BUFFER_PCT",
            Type::Decimal,
            "How many buffers repairs of setup may add after global routing, in relation to the number of \
             instances.",
        )
        .units("%")
        .default("50")
        .formerly("GLB_RESIZER_SETUP_MAX_BUFFER_PERCENT"),
        Variable::new(
            "GRT_RESIZER_HOLD_MAX_BUFFER_PCT",
            Type::Decimal,
            "How many buffers repairs of hold may add after global routing, in relation to the number of \
             instances.",
        )
        .units("%")
        .default("50")
        .formerly("GLB_RESIZER_HOLD_MAX_BUFFER_PERCENT"),
        Variable::new(
            "GRT_RESIZER_ALLOW_SETUP_VIOS",
            Type::Bool,
            "Whether repairs of hold after global routing may cost setup.",
        )
        .default(false)
        .formerly("GLB_RESIZER_ALLOW_SETUP_VIOS"),
        Variable::new(
            "GRT_RESIZER_SETUP_GATE_CLONING",
            Type::Bool,
            "Whether repairs of setup after global routing may duplicate gates.",
        )
        .default(true)
        .formerly("GRT_RESIZER_GATE_CLONING"),
        Variable::new(
            "GRT_RESIZER_SETUP_BUFFERING",
            Type::Bool,
            "Whether repairs of setup after global routing may insert buffers and split loads.",
        )
        .default(true),
        Variable::new(
            "GRT_RESIZER_SETUP_BUFFER_REMOVAL",
            Type::Bool,
            "Whether repairs of setup after global routing may remove buffers.",
        )
        .default(true),
        Variable::new(
            "GRT_RESIZER_SETUP_REPAIR_TNS_PCT",
            Type::Decimal,
            "How many of the end points that violate setup are repaired after global routing.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "GRT_RESIZER_SETUP_MAX_UTIL_PCT",
            Type::Decimal,
            "How full the core may get by repairs of setup after global routing.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "GRT_RESIZER_HOLD_REPAIR_TNS_PCT",
            Type::Decimal,
            "How many of the end points that violate hold are repaired after global routing.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "GRT_RESIZER_HOLD_MAX_UTIL_PCT",
            Type::Decimal,
            "How full the core may get by repairs of hold after global routing.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "GRT_RESIZER_FIX_HOLD_FIRST",
            Type::Bool,
            "Whether hold is repaired before setup after global routing. Experimental.",
        )
        .default(false),
    ]
}
