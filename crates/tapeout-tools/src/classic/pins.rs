//! The pins of the block on the edges of the die.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "IO_PIN_PLACEMENT_MODE",
            Type::choice(["matching", "annealing", "random_equidistant"]),
            "How pins without a given place are spread: by matching them to slots, or by annealing. \
             `random_equidistant` is no more and means `matching`.",
        )
        .default("matching")
        .formerly("FP_PPL_MODE"),
        Variable::new(
            "IO_PIN_ORDER_CFG",
            Type::Path,
            "A file that says which pins stand on which side, and in which order.",
        )
        .optional()
        .formerly("FP_PIN_ORDER_CFG"),
        Variable::new(
            "ERRORS_ON_UNMATCHED_IO",
            Type::choice(["none", "unmatched_design", "unmatched_cfg", "both"]),
            "Which difference between the design's pins and those in `IO_PIN_ORDER_CFG` is an error: pins missing \
             in the file, pins missing in the design, both or none.",
        )
        .default("unmatched_design"),
        Variable::new("IO_PIN_H_LAYER", Type::Str, "The layer of pins on the left and right edge.")
            .formerly("FP_IO_HLAYER")
            .from_pdk(),
        Variable::new("IO_PIN_V_LAYER", Type::Str, "The layer of pins on the top and bottom edge.")
            .formerly("FP_IO_VLAYER")
            .from_pdk(),
        Variable::new(
            "IO_PIN_H_EXTENSION",
            Type::Decimal,
            "How far pins on the left and right edge reach out of the die.",
        )
        .units("µm")
        .default("0")
        .formerly("FP_IO_HEXTEND"),
        Variable::new(
            "IO_PIN_V_EXTENSION",
            Type::Decimal,
            "How far pins on the top and bottom edge reach out of the die.",
        )
        .units("µm")
        .default("0")
        .formerly("FP_IO_VEXTEND"),
        Variable::new(
            "IO_PIN_H_THICKNESS_MULT",
            Type::Decimal,
            "How thick pins on the left and right edge are, as a multiple of the layer's least width.",
        )
        .default("2")
        .formerly("FP_IO_HTHICKNESS_MULT"),
        Variable::new(
            "IO_PIN_V_THICKNESS_MULT",
            Type::Decimal,
            "How thick pins on the top and bottom edge are, as a multiple of the layer's least width.",
        )
        .default("2")
        .formerly("FP_IO_VTHICKNESS_MULT"),
        Variable::new(
            "IO_PIN_H_LENGTH",
            Type::Decimal,
            "How long pins on the left and right edge are. Otherwise it follows from their width and the least \
             area of a shape.",
        )
        .units("µm")
        .optional()
        .formerly("FP_IO_HLENGTH")
        .from_pdk(),
        Variable::new(
            "IO_PIN_V_LENGTH",
            Type::Decimal,
            "How long pins on the top and bottom edge are. Otherwise it follows from their width and the least \
             area of a shape.",
        )
        .units("µm")
        .optional()
        .formerly("FP_IO_VLENGTH")
        .from_pdk(),
        Variable::new("IO_PIN_CORNER_AVOIDANCE", Type::Decimal, "How far pins stay away from the corners of the die.")
            .units("µm")
            .optional(),
        Variable::new(
            "IO_PIN_MIN_DISTANCE",
            Type::Decimal,
            "How far pins are apart at least. Otherwise two tracks. Counts tracks with \
             `IO_PIN_MIN_DISTANCE_IN_TRACKS`.",
        )
        .units("µm")
        .optional()
        .formerly("FP_IO_MIN_DISTANCE")
        .from_pdk(),
        Variable::new(
            "IO_PIN_MIN_DISTANCE_IN_TRACKS",
            Type::Bool,
            "Whether `IO_PIN_MIN_DISTANCE` counts routing tracks.",
        )
        .optional()
        .from_pdk(),
        Variable::new(
            "IO_EXCLUDE_PIN_REGION",
            Type::list(Type::Str),
            "Parts of the edges without pins, such as `left:*`, `top:0-50` or `bottom:100-*`.",
        )
        .optional(),
    ]
}
