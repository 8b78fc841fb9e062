//! The floorplan: die, core, rows, tracks, where macros and taps stand.

use tapeout_config::{Type, Variable};

use super::types::rectangle;

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "FP_SIZING",
            Type::choice(["absolute", "relative"]),
            "Whether the die has the size in `DIE_AREA`, or one that follows from the cells' area, `FP_CORE_UTIL` \
             and `FP_ASPECT_RATIO`.",
        )
        .default("relative"),
        Variable::new("DIE_AREA", rectangle(), "The die as left, bottom, right and top edge.").units("µm").optional(),
        Variable::new(
            "CORE_AREA",
            rectangle(),
            "The part of the die in which rows are made, as left, bottom, right and top edge. Needs `DIE_AREA`.",
        )
        .units("µm")
        .optional(),
        Variable::new("FP_CORE_UTIL", Type::Decimal, "How much of the core the cells of the netlist fill.")
            .units("%")
            .default("50"),
        Variable::new("FP_ASPECT_RATIO", Type::Decimal, "The height of the core divided by its width.").default("1"),
        Variable::new(
            "BOTTOM_MARGIN_MULT",
            Type::Decimal,
            "The space below the core, as a multiple of the site's height.",
        )
        .default("4"),
        Variable::new(
            "TOP_MARGIN_MULT",
            Type::Decimal,
            "The space above the core, as a multiple of the site's height.",
        )
        .default("4"),
        Variable::new(
            "LEFT_MARGIN_MULT",
            Type::Decimal,
            "The space to the left of the core, as a multiple of the site's width.",
        )
        .default("12"),
        Variable::new(
            "RIGHT_MARGIN_MULT",
            Type::Decimal,
            "The space to the right of the core, as a multiple of the site's width.",
        )
        .default("12"),
        Variable::new(
            "FP_OBSTRUCTIONS",
            Type::list(rectangle()),
            "Rectangles that stay empty for good, each as left, bottom, right and top edge.",
        )
        .units("µm")
        .optional(),
        Variable::new(
            "PL_SOFT_OBSTRUCTIONS",
            Type::list(rectangle()),
            "Rectangles that global placement avoids but buffers may enter later, each as left, bottom, right and \
             top edge.",
        )
        .units("µm")
        .optional(),
        Variable::new(
            "FP_TRACKS_INFO",
            Type::Path,
            "A file with the offset and pitch of the routing tracks of each layer.",
        )
        .formerly("TRACKS_INFO_FILE")
        .from_pdk(),
        Variable::new(
            "FP_FLIP_SITES",
            Type::list(Type::Str),
            "Sites whose rows are turned upside down, so that cells of different heights share their supply \
             rails.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "EXTRA_SITES",
            Type::list(Type::Str),
            "Sites beside `PLACE_SITE` that get rows of their own, such as those of double-height cells.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "MACRO_PLACEMENT_CFG",
            Type::Path,
            "A text file with an instance, its position and its orientation on each line, in the manner of \
             OpenLane 1. Use `MACROS` instead.",
        )
        .optional(),
        Variable::new(
            "FP_MACRO_HORIZONTAL_HALO",
            Type::Decimal,
            "How far rows stay away from the left and right of a macro.",
        )
        .units("µm")
        .default("10")
        .formerly("FP_TAP_HORIZONTAL_HALO"),
        Variable::new(
            "FP_MACRO_VERTICAL_HALO",
            Type::Decimal,
            "How far rows stay away from the top and bottom of a macro.",
        )
        .units("µm")
        .default("10")
        .formerly("FP_TAP_VERTICAL_HALO"),
        Variable::new(
            "FP_PRUNE_THRESHOLD",
            Type::Decimal,
            "Rows shorter than this are removed, since cells in them are hard to reach.",
        )
        .units("µm")
        .optional()
        .from_pdk(),
        Variable::new(
            "FP_TAPCELL_DIST",
            Type::Decimal,
            "The distance between columns of well taps. Needed where there is a `WELLTAP_CELL`.",
        )
        .units("µm")
        .optional()
        .from_pdk(),
        Variable::new("FP_DEF_TEMPLATE", Type::Path, "A DEF file from which the die and the pins are taken.")
            .optional(),
        Variable::new(
            "FP_TEMPLATE_MATCH_MODE",
            Type::choice(["strict", "permissive"]),
            "Whether the template must have just the pins of the design, or pins that only one of them has are \
             passed over.",
        )
        .default("strict"),
        Variable::new(
            "FP_TEMPLATE_COPY_POWER_PINS",
            Type::Bool,
            "Whether the power pins of the template are always taken over.",
        )
        .default(false),
    ]
}
