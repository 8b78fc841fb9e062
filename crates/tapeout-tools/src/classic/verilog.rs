//! The Verilog sources, and how they are linted.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "VERILOG_FILES",
            Type::list(Type::Path),
            "The Verilog and SystemVerilog sources. Globs are allowed.",
        ),
        Variable::new(
            "VERILOG_INCLUDE_DIRS",
            Type::list(Type::Dir),
            "Directories in which `` `include`` looks for files.",
        )
        .optional(),
        Variable::new(
            "VERILOG_DEFINES",
            Type::list(Type::Str),
            "Macros for the preprocessor, each `NAME` or `NAME=VALUE`.",
        )
        .optional()
        .formerly("SYNTH_DEFINES"),
        Variable::new(
            "VERILOG_POWER_DEFINE",
            Type::Str,
            "The macro under which sources and models declare their supply pins.",
        )
        .optional()
        .default("USE_POWER_PINS")
        .formerly("SYNTH_USE_PG_PINS_DEFINES")
        .formerly("SYNTH_POWER_DEFINE"),
        Variable::new(
            "LINTER_INCLUDE_PDK_MODELS",
            Type::Bool,
            "Whether the linter also reads the Verilog models of the cells, for sources that instantiate cells.",
        )
        .default(false),
        Variable::new(
            "LINTER_RELATIVE_INCLUDES",
            Type::Bool,
            "Whether `` `include`` looks beside the including file first.",
        )
        .default(true)
        .formerly("VERILATOR_RELATIVE_INCLUDES"),
        Variable::new("LINTER_ERROR_ON_LATCH", Type::Bool, "Whether a latch outside `always_latch` is a lint error.")
            .default(true),
        Variable::new(
            "LINTER_ERROR_ON_MULTIDRIVEN",
            Type::Bool,
            "Whether a signal with several drivers is a lint error.",
        )
        .default(true),
        Variable::new("LINTER_DEFINES", Type::list(Type::Str), "Macros for the linter instead of `VERILOG_DEFINES`.")
            .optional(),
        Variable::new(
            "LINTER_DISABLE_WARNINGS",
            Type::list(Type::Str),
            "Codes of lint warnings that are switched off.",
        )
        .optional()
        .default(vec!["DECLFILENAME", "EOFNEWLINE"]),
        Variable::new(
            "LINTER_DISABLE_WARNINGS_BLACKBOX",
            Type::list(Type::Str),
            "Codes of lint warnings that are switched off for black boxes only.",
        )
        .optional()
        .default(vec!["UNDRIVEN", "UNUSEDSIGNAL"]),
        Variable::new("LINTER_VLT", Type::Path, "A Verilator configuration file (`.vlt`), with waivers for example.")
            .optional(),
    ]
}
