//! Magic: stream-out, abstracts, design rules, extraction.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new("MAGICRC", Type::Path, "Magic's start-up file, which loads the technology.")
            .formerly("MAGIC_MAGICRC")
            .from_pdk(),
        Variable::new(
            "MAGIC_TECH",
            Type::Path,
            "Magic's technology file, which has layers, design rules and extraction.",
        )
        .formerly("MAGIC_TECH_FILE")
        .from_pdk(),
        Variable::new("MAGIC_PDK_SETUP", Type::Path, "A script that the start-up file of Magic reads.").from_pdk(),
        Variable::new(
            "MAGIC_CAPTURE_ERRORS",
            Type::Bool,
            "Whether messages of Magic that look fatal fail the step, as its exit status does not tell.",
        )
        .default(true),
        Variable::new("MAGIC_DEF_LABELS", Type::Bool, "Whether nets of a DEF file become labels in Magic.")
            .default(false),
        Variable::new(
            "MAGIC_DEF_NO_BLOCKAGES",
            Type::Bool,
            "Whether Magic leaves out the blockages of a DEF file, which it would draw as metal.",
        )
        .default(true),
        Variable::new(
            "MAGIC_GDS_POLYGON_SUBCELLS",
            Type::Bool,
            "Whether slanted polygons of a GDS file get cells of their own in Magic, which can speed up reading.",
        )
        .default(false),
        Variable::new(
            "MAGIC_GDS_MERGE",
            Type::Bool,
            "Whether Magic joins touching tiles to polygons in the GDS. The file is smaller, and takes longer to \
             write.",
        )
        .default(true),
        Variable::new(
            "MAGIC_INCLUDE_GDS_POINTERS",
            Type::Bool,
            "Whether Magic's files refer to the places of cells in the GDS files.",
        )
        .default(false),
        Variable::new(
            "MAGIC_ZEROIZE_ORIGIN",
            Type::Bool,
            "Whether the layout is moved so that its lower left corner is the origin.",
        )
        .default(false),
        Variable::new(
            "MAGIC_DISABLE_CIF_INFO",
            Type::Bool,
            "Whether the GDS is written without Magic's own notes on hierarchy and arrays.",
        )
        .default(true)
        .formerly("MAGIC_DISABLE_HIER_GDS"),
        Variable::new(
            "MAGIC_MACRO_STD_CELL_SOURCE",
            Type::choice(["PDK", "macro"]),
            "Whether standard cells within macros have the layout of the PDK, or that in the GDS of the macro.",
        )
        .default("macro"),
        Variable::new(
            "MAGIC_LEF_WRITE_USE_GDS",
            Type::Bool,
            "Whether the LEF is made from the GDS rather than from abstracts.",
        )
        .default(false),
        Variable::new(
            "MAGIC_WRITE_FULL_LEF",
            Type::Bool,
            "Whether the LEF shows all shapes of the design rather than an abstract.",
        )
        .default(false),
        Variable::new(
            "MAGIC_WRITE_LEF_PINONLY",
            Type::Bool,
            "Whether only labelled areas are pins in the LEF, and the rest of their nets are obstructions.",
        )
        .default(false),
        Variable::new(
            "MAGIC_DRC_USE_GDS",
            Type::Bool,
            "Whether Magic checks the GDS rather than the DEF, which takes longer and sees inside the cells.",
        )
        .default(true),
        Variable::new(
            "MAGIC_DRC_MAGLEFS",
            Type::list(Type::Path),
            "Abstracts in Magic's format that stand for cells whose inside is not to be checked.",
        )
        .optional(),
        Variable::new(
            "MAGIC_GDS_FLATGLOB",
            Type::list(Type::Str),
            "Patterns of cells that are dissolved when the GDS is read for the check, against false violations.",
        )
        .optional(),
        Variable::new(
            "MAGIC_EXT_USE_GDS",
            Type::Bool,
            "Whether Magic extracts the netlist from the GDS rather than from DEF and LEF, which takes longer.",
        )
        .default(false),
        Variable::new(
            "MAGIC_EXT_ABSTRACT",
            Type::Bool,
            "Whether Magic extracts the connections of cells and macros rather than transistors. Cannot go with \
             `MAGIC_EXT_USE_GDS`.",
        )
        .default(false),
        Variable::new(
            "MAGIC_EXT_ABSTRACT_CELLS",
            Type::list(Type::Str),
            "Regular expressions for cells that Magic extracts as black boxes.",
        )
        .optional(),
        Variable::new(
            "MAGIC_EXT_UNIQUE",
            Type::choice(["all", "notopports", "noports", "none"]),
            "Which labels are made unique, so that nets with one label are not taken to be connected. `none` \
             takes them to be.",
        )
        .default("all"),
        Variable::new(
            "MAGIC_EXT_SHORT_RESISTOR",
            Type::Bool,
            "Whether a resistor is put between two pins on one net, so that LVS sees both. Does not suit every \
             design.",
        )
        .default(false),
        Variable::new(
            "MAGIC_FEEDBACK_CONVERSION_THRESHOLD",
            Type::Int,
            "With more messages than this from Magic they are not converted for KLayout.",
        )
        .default(10000_i64),
    ]
}
