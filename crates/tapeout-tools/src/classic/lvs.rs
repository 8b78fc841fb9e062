//! The comparison of layout and netlist by Netgen.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new("NETGEN_SETUP", Type::Path, "Netgen's setup file, which says how devices are compared.")
            .formerly("NETGEN_SETUP_FILE")
            .from_pdk(),
        Variable::new(
            "LVS_INCLUDE_MARCO_NETLISTS",
            Type::Bool,
            "Whether the netlists of macros are compared too. The name is misspelt where it comes from.",
        )
        .default(false),
        Variable::new("LVS_FLATTEN_CELLS", Type::list(Type::Str), "Cells that are dissolved before the comparison.")
            .optional(),
        Variable::new("LVS_IGNORE_CELLS", Type::list(Type::Str), "Cells that are left out of the comparison.")
            .optional(),
    ]
}
