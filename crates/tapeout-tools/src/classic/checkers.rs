//! Which findings fail the flow.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "ERROR_ON_LINTER_TIMING_CONSTRUCTS",
            Type::Bool,
            "Whether delays and the like in the sources, which synthesis cannot build, stop the flow.",
        )
        .default(true)
        .formerly("QUIT_ON_LINTER_TIMING_CONSTRUCTS"),
        Variable::new("ERROR_ON_LINTER_ERRORS", Type::Bool, "Whether lint errors stop the flow.")
            .default(true)
            .formerly("QUIT_ON_VERILATOR_ERRORS")
            .formerly("QUIT_ON_LINTER_ERRORS"),
        Variable::new("ERROR_ON_LINTER_WARNINGS", Type::Bool, "Whether lint warnings stop the flow.")
            .default(false)
            .formerly("QUIT_ON_VERILATOR_WARNINGS")
            .formerly("QUIT_ON_LINTER_WARNINGS"),
        Variable::new(
            "ERROR_ON_UNMAPPED_CELLS",
            Type::Bool,
            "Whether logic without a library cell stops the flow after synthesis.",
        )
        .default(true)
        .formerly("QUIT_ON_UNMAPPED_CELLS")
        .formerly("CHECK_UNMAPPED_CELLS"),
        Variable::new(
            "ERROR_ON_SYNTH_CHECKS",
            Type::Bool,
            "Whether loops of logic and nets without a driver stop the flow after synthesis.",
        )
        .default(true)
        .formerly("QUIT_ON_SYNTH_CHECKS"),
        Variable::new(
            "ERROR_ON_NL_ASSIGN_STATEMENTS",
            Type::Bool,
            "Whether `assign` in the netlist is an error rather than a warning.",
        )
        .default(true),
        Variable::new(
            "ERROR_ON_PDN_VIOLATIONS",
            Type::Bool,
            "Whether parts of the power grid that are not connected are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_PDN_VIOLATIONS")
        .formerly("FP_PDN_CHECK_NODES"),
        Variable::new(
            "ERROR_ON_TR_DRC",
            Type::Bool,
            "Whether violations of design rules after detailed routing are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_TR_DRC"),
        Variable::new(
            "ERROR_ON_DISCONNECTED_PINS",
            Type::Bool,
            "Whether pins without a connection after detailed routing stop the flow.",
        )
        .default(true)
        .formerly("QUIT_ON_DISCONNECTED_PINS"),
        Variable::new(
            "IGNORE_DISCONNECTED_MODULES",
            Type::list(Type::Str),
            "Modules and cells whose pins need no connection.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "ERROR_ON_LONG_WIRE",
            Type::Bool,
            "Whether wires longer than `WIRE_LENGTH_THRESHOLD` are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_LONG_WIRE"),
        Variable::new("WIRE_LENGTH_THRESHOLD", Type::Decimal, "The length above which a wire is too long.")
            .units("µm")
            .optional()
            .from_pdk(),
        Variable::new(
            "ERROR_ON_XOR_ERROR",
            Type::Bool,
            "Whether differences between the GDS of Magic and that of KLayout are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_XOR_ERROR"),
        Variable::new(
            "ERROR_ON_MAGIC_DRC",
            Type::Bool,
            "Whether violations of design rules that Magic finds are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_MAGIC_DRC"),
        Variable::new(
            "ERROR_ON_KLAYOUT_DRC",
            Type::Bool,
            "Whether violations of design rules that KLayout finds are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_KLAYOUT_DRC"),
        Variable::new(
            "ERROR_ON_ILLEGAL_OVERLAPS",
            Type::Bool,
            "Whether overlaps that Magic's extraction calls illegal, a sign of shorts, are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_ILLEGAL_OVERLAPS"),
        Variable::new(
            "ERROR_ON_LVS_ERROR",
            Type::Bool,
            "Whether differences between layout and netlist are an error at the end.",
        )
        .default(true)
        .formerly("QUIT_ON_LVS_ERROR"),
        Variable::new(
            "TIMING_VIOLATION_CORNERS",
            Type::list(Type::Str),
            "Patterns of the timing corners in which a violation of timing is an error.",
        )
        .formerly("TIMING_VIOLATIONS_CORNERS")
        .from_pdk(),
        Variable::new(
            "SETUP_VIOLATION_CORNERS",
            Type::list(Type::Str),
            "Patterns of the timing corners in which a violation of setup is an error. Otherwise they are \
             `TIMING_VIOLATION_CORNERS`.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "HOLD_VIOLATION_CORNERS",
            Type::list(Type::Str),
            "Patterns of the timing corners in which a violation of hold is an error.",
        )
        .optional()
        .default(vec!["*"])
        .from_pdk(),
        Variable::new(
            "MAX_SLEW_VIOLATION_CORNERS",
            Type::list(Type::Str),
            "Patterns of the timing corners in which a slew above its limit is an error. The default names none.",
        )
        .optional()
        .default(vec![""])
        .from_pdk(),
        Variable::new(
            "MAX_CAP_VIOLATION_CORNERS",
            Type::list(Type::Str),
            "Patterns of the timing corners in which a load above its limit is an error. The default names none.",
        )
        .optional()
        .default(vec![""])
        .from_pdk(),
    ]
}
