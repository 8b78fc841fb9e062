//! The IO cells and the bond pads, which the PDK describes.

use tapeout_config::{Type, Variable};

use super::types::point;

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "PAD_LIBS",
            Type::map(Type::list(Type::Path)),
            "The Liberty files of the IO cells by timing corner, a pattern.",
        )
        .optional()
        .from_pdk(),
        Variable::new("PAD_LEFS", Type::list(Type::Path), "The LEF files of the IO cells.").optional().from_pdk(),
        Variable::new("PAD_GDS", Type::list(Type::Path), "The GDS files of the IO cells.").optional().from_pdk(),
        Variable::new("PAD_VERILOG_MODELS", Type::list(Type::Path), "Verilog models of the IO cells.")
            .optional()
            .from_pdk(),
        Variable::new("PAD_SPICE_MODELS", Type::list(Type::Path), "SPICE netlists of the IO cells.")
            .optional()
            .from_pdk(),
        Variable::new("PAD_CDLS", Type::list(Type::Path), "CDL netlists of the IO cells.").optional().from_pdk(),
        Variable::new("PAD_CORNER", Type::list(Type::Str), "The IO cells for the corners of the pad ring.")
            .optional()
            .from_pdk(),
        Variable::new("PAD_FILLERS", Type::list(Type::Str), "The IO cells that close the gaps of the pad ring.")
            .optional()
            .from_pdk(),
        Variable::new("PAD_SITE_NAME", Type::Str, "The site on which the IO cells of the four sides stand.")
            .optional()
            .from_pdk(),
        Variable::new("PAD_CORNER_SITE_NAME", Type::Str, "The site on which the corners of the pad ring stand.")
            .optional()
            .from_pdk(),
        Variable::new(
            "PAD_FAKE_SITES",
            Type::map(point()),
            "Sites to be made with this width and height, for IO cells whose LEF files define none.",
        )
        .units("µm")
        .optional()
        .from_pdk(),
        Variable::new("PAD_BONDPAD_NAME", Type::Str, "The cell of the bond pads. Without it there are none.")
            .optional()
            .from_pdk(),
        Variable::new("PAD_BONDPAD_WIDTH", Type::Decimal, "How wide a bond pad is.").units("µm").optional().from_pdk(),
        Variable::new("PAD_BONDPAD_HEIGHT", Type::Decimal, "How high a bond pad is.").units("µm").optional().from_pdk(),
        Variable::new(
            "PAD_BONDPAD_OFFSETS",
            Type::map(point()),
            "Where the bond pad stands relative to its IO cell, as x and y, by a regular expression for the cell.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "PAD_PLACE_IO_TERMINALS",
            Type::list(Type::Str),
            "The pins of IO cells that become terminals of the chip, each `CELL/PIN`.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "PAD_EDGE_SPACING",
            Type::Decimal,
            "How far from the edge of the die the pad ring stays, which leaves room for a seal ring.",
        )
        .units("µm")
        .optional()
        .default("0")
        .from_pdk(),
    ]
}
