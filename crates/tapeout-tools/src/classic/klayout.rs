//! KLayout: stream-out, pictures, comparison of layouts, design rules.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new("KLAYOUT_TECH", Type::Path, "KLayout's technology file (`.lyt`).").from_pdk(),
        Variable::new("KLAYOUT_PROPERTIES", Type::Path, "KLayout's layer properties (`.lyp`): colours and names.")
            .optional()
            .from_pdk(),
        Variable::new(
            "KLAYOUT_DEF_LAYER_MAP",
            Type::Path,
            "KLayout's table from layers of LEF and DEF to those of GDS (`.map`).",
        )
        .from_pdk(),
        Variable::new(
            "KLAYOUT_CONFLICT_RESOLUTION",
            Type::choice(["AddToCell", "OverwriteCell", "RenameCell", "SkipNewCell"]),
            "What KLayout does with cells of one name in several files.",
        )
        .optional()
        .default("RenameCell"),
        Variable::new(
            "KLAYOUT_RENDER_GRID_VISBLE",
            Type::Bool,
            "Whether the picture of the layout shows a grid. The name is misspelt where it comes from.",
        )
        .default(false),
        Variable::new("KLAYOUT_RENDER_SHOW_RULER", Type::Bool, "Whether the picture of the layout shows a ruler.")
            .default(false),
        Variable::new(
            "KLAYOUT_RENDER_BACKGROUND_COLOR",
            Type::choice(["white", "black"]),
            "The background of the picture of the layout.",
        )
        .default("white"),
        Variable::new("KLAYOUT_RENDER_TEXT_VISIBLE", Type::Bool, "Whether the picture of the layout shows labels.")
            .default(false),
        Variable::new("KLAYOUT_RENDER_RESOLUTION", Type::Int, "The width of the picture of the layout, in pixels.")
            .default(1000_i64),
        Variable::new(
            "KLAYOUT_RENDER_OVERSAMPLING",
            Type::Int,
            "How much finer the picture of the layout is drawn before it is scaled down, 1 to 3; 0 is not finer.",
        )
        .default(0_i64),
        Variable::new(
            "KLAYOUT_XOR_THREADS",
            Type::Int,
            "How many threads the comparison of the GDS files uses, where it is done in tiles. Otherwise one.",
        )
        .optional(),
        Variable::new(
            "KLAYOUT_XOR_IGNORE_LAYERS",
            Type::list(Type::Str),
            "Layers that the comparison of the GDS files leaves out.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "KLAYOUT_XOR_TILE_SIZE",
            Type::Int,
            "The edge of the tiles in which the comparison of the GDS files is done.",
        )
        .units("µm")
        .optional()
        .from_pdk(),
        Variable::new("KLAYOUT_DRC_RUNSET", Type::Path, "KLayout's script of design rules.")
            .optional()
            .formerly("KLAYOUT_DRC_TECH_SCRIPT")
            .from_pdk(),
        Variable::new(
            "KLAYOUT_DRC_DEFINES",
            Type::map(Type::Str),
            "Variables for KLayout's script of design rules. Which there are depends on the PDK.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "KLAYOUT_DRC_THREADS",
            Type::Int,
            "How many threads KLayout's check of design rules uses. Otherwise one.",
        )
        .optional(),
    ]
}
