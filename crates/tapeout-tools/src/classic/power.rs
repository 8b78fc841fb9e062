//! The power grid.

use tapeout_config::{Type, Variable};

use super::types::area_on_layer;

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "PDN_CFG",
            Type::Path,
            "A Tcl script that describes the power grid, instead of the built-in one.",
        )
        .optional()
        .formerly("FP_PDN_CFG"),
        Variable::new(
            "PDN_ENABLE_GLOBAL_CONNECTIONS",
            Type::Bool,
            "Whether the supply pins of cells are connected to the supply nets by name.",
        )
        .default(true)
        .formerly("FP_PDN_ENABLE_GLOBAL_CONNECTIONS"),
        Variable::new(
            "PDN_CONNECT_MACROS_TO_GRID",
            Type::Bool,
            "Whether macros are connected to the power grid of the design.",
        )
        .default(true)
        .formerly("FP_PDN_ENABLE_MACROS_GRID"),
        Variable::new(
            "PDN_MACRO_CONNECTIONS",
            Type::list(Type::Str),
            "How supplies reach macros, each `INSTANCE_REGEX POWER_NET GROUND_NET POWER_PIN GROUND_PIN`.",
        )
        .optional(),
        Variable::new(
            "PDN_OBSTRUCTIONS",
            Type::list(area_on_layer()),
            "Areas where the grid has no metal, each a layer with its left, bottom, right and top edge.",
        )
        .units("µm")
        .optional(),
        Variable::new("PDN_SKIPTRIM", Type::Bool, "Whether loose ends of straps are left in place.")
            .default(false)
            .formerly("FP_PDN_SKIPTRIM"),
        Variable::new(
            "PDN_MULTILAYER",
            Type::Bool,
            "Whether the grid has straps in both directions. A block for use in a larger chip has vertical ones \
             only.",
        )
        .default(true)
        .formerly("FP_PDN_MULTILAYER")
        .formerly("DESIGN_IS_CORE"),
        Variable::new("PDN_ENABLE_RAILS", Type::Bool, "Whether rails run along the rows.")
            .default(true)
            .formerly("FP_PDN_ENABLE_RAILS"),
        Variable::new("PDN_ENABLE_PINS", Type::Bool, "Whether straps become power pins of the block.")
            .default(true)
            .from_pdk(),
        Variable::new(
            "PDN_EXTEND_TO",
            Type::choice(["core_ring", "boundary"]),
            "How far straps reach: to the core ring, or to the edge of the die.",
        )
        .default("core_ring")
        .from_pdk(),
        Variable::new("PDN_RAIL_LAYER", Type::Str, "The layer of the rails along the rows.")
            .formerly("FP_PDN_RAIL_LAYER")
            .formerly("FP_PDN_RAILS_LAYER")
            .from_pdk(),
        Variable::new("PDN_RAIL_WIDTH", Type::Decimal, "How wide a rail is.")
            .units("µm")
            .formerly("FP_PDN_RAIL_WIDTH")
            .from_pdk(),
        Variable::new("PDN_RAIL_OFFSET", Type::Decimal, "How far rails are shifted from the edges of the rows.")
            .units("µm")
            .formerly("FP_PDN_RAIL_OFFSET")
            .from_pdk(),
        Variable::new("PDN_HORIZONTAL_LAYER", Type::Str, "The layer of horizontal straps.")
            .formerly("FP_PDN_HORIZONTAL_LAYER")
            .formerly("FP_PDN_UPPER_LAYER")
            .from_pdk(),
        Variable::new("PDN_VERTICAL_LAYER", Type::Str, "The layer of vertical straps.")
            .formerly("FP_PDN_VERTICAL_LAYER")
            .formerly("FP_PDN_LOWER_LAYER")
            .from_pdk(),
        Variable::new("PDN_HWIDTH", Type::Decimal, "How wide a horizontal strap is.")
            .units("µm")
            .formerly("FP_PDN_HWIDTH")
            .from_pdk(),
        Variable::new("PDN_VWIDTH", Type::Decimal, "How wide a vertical strap is.")
            .units("µm")
            .formerly("FP_PDN_VWIDTH")
            .from_pdk(),
        Variable::new(
            "PDN_HSPACING",
            Type::Decimal,
            "The gap between the power and the ground strap of a horizontal pair.",
        )
        .units("µm")
        .formerly("FP_PDN_HSPACING")
        .from_pdk(),
        Variable::new(
            "PDN_VSPACING",
            Type::Decimal,
            "The gap between the power and the ground strap of a vertical pair.",
        )
        .units("µm")
        .formerly("FP_PDN_VSPACING")
        .from_pdk(),
        Variable::new("PDN_HPITCH", Type::Decimal, "The distance from one horizontal pair of straps to the next.")
            .units("µm")
            .formerly("FP_PDN_HPITCH")
            .from_pdk(),
        Variable::new("PDN_VPITCH", Type::Decimal, "The distance from one vertical pair of straps to the next.")
            .units("µm")
            .formerly("FP_PDN_VPITCH")
            .from_pdk(),
        Variable::new("PDN_HOFFSET", Type::Decimal, "How far the first horizontal strap is from the edge of the core.")
            .units("µm")
            .formerly("FP_PDN_HOFFSET")
            .from_pdk(),
        Variable::new("PDN_VOFFSET", Type::Decimal, "How far the first vertical strap is from the edge of the core.")
            .units("µm")
            .formerly("FP_PDN_VOFFSET")
            .from_pdk(),
        Variable::new(
            "PDN_HORIZONTAL_HALO",
            Type::Decimal,
            "How far the grid stays away from the left and right of a macro.",
        )
        .units("µm")
        .default("10")
        .formerly("FP_PDN_HORIZONTAL_HALO"),
        Variable::new(
            "PDN_VERTICAL_HALO",
            Type::Decimal,
            "How far the grid stays away from the top and bottom of a macro.",
        )
        .units("µm")
        .default("10")
        .formerly("FP_PDN_VERTICAL_HALO"),
        Variable::new("PDN_CORE_RING", Type::Bool, "Whether supply rings surround the core.")
            .default(false)
            .formerly("FP_PDN_CORE_RING"),
        Variable::new(
            "PDN_CORE_HORIZONTAL_LAYER",
            Type::Str,
            "The layer of the ring's horizontal sides. Otherwise that is `PDN_HORIZONTAL_LAYER`.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "PDN_CORE_VERTICAL_LAYER",
            Type::Str,
            "The layer of the ring's vertical sides. Otherwise that is `PDN_VERTICAL_LAYER`.",
        )
        .optional()
        .from_pdk(),
        Variable::new("PDN_CORE_RING_HWIDTH", Type::Decimal, "How wide the ring's horizontal sides are.")
            .units("µm")
            .formerly("FP_PDN_CORE_RING_HWIDTH")
            .from_pdk(),
        Variable::new("PDN_CORE_RING_VWIDTH", Type::Decimal, "How wide the ring's vertical sides are.")
            .units("µm")
            .formerly("FP_PDN_CORE_RING_VWIDTH")
            .from_pdk(),
        Variable::new(
            "PDN_CORE_RING_HSPACING",
            Type::Decimal,
            "The gap between the power and the ground ring on the horizontal sides.",
        )
        .units("µm")
        .formerly("FP_PDN_CORE_RING_HSPACING")
        .from_pdk(),
        Variable::new(
            "PDN_CORE_RING_VSPACING",
            Type::Decimal,
            "The gap between the power and the ground ring on the vertical sides.",
        )
        .units("µm")
        .formerly("FP_PDN_CORE_RING_VSPACING")
        .from_pdk(),
        Variable::new("PDN_CORE_RING_HOFFSET", Type::Decimal, "How far the ring's horizontal sides are from the core.")
            .units("µm")
            .formerly("FP_PDN_CORE_RING_HOFFSET")
            .from_pdk(),
        Variable::new("PDN_CORE_RING_VOFFSET", Type::Decimal, "How far the ring's vertical sides are from the core.")
            .units("µm")
            .formerly("FP_PDN_CORE_RING_VOFFSET")
            .from_pdk(),
        Variable::new(
            "PDN_CORE_RING_CONNECT_TO_PADS",
            Type::Bool,
            "Whether the ring is connected to the supply pins of IO cells.",
        )
        .default(false)
        .from_pdk(),
        Variable::new("PDN_CORE_RING_ALLOW_OUT_OF_DIE", Type::Bool, "Whether the ring may reach beyond the die.")
            .default(true)
            .from_pdk(),
    ]
}
