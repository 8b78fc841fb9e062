//! The clock tree.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "CTS_CORNERS",
            Type::list(Type::Str),
            "The timing corners for the clock tree. Otherwise they are `PNR_CORNERS`.",
        )
        .optional(),
        Variable::new("CTS_ROOT_BUFFER", Type::Str, "The clock buffer that drives the whole tree.").from_pdk(),
        Variable::new(
            "CTS_CLK_BUFFERS",
            Type::list(Type::Str),
            "Names or patterns of the buffers that the clock tree may use.",
        )
        .formerly("CTS_CLK_BUFFER_LIST")
        .from_pdk(),
        Variable::new(
            "CTS_BALANCE_LEVELS",
            Type::Bool,
            "Whether branches through clock gates and inverters get as many levels as the others.",
        )
        .optional(),
        Variable::new(
            "CTS_OBSTRUCTION_AWARE",
            Type::Bool,
            "Whether clock buffers keep off macros and blockages, so that they need not be moved later.",
        )
        .optional(),
        Variable::new(
            "CTS_SINK_CLUSTERING_ENABLE",
            Type::Bool,
            "Whether nearby registers are gathered behind a common buffer before the tree is built.",
        )
        .default(true),
        Variable::new("CTS_SINK_CLUSTERING_SIZE", Type::Int, "How many registers share a buffer at most.").optional(),
        Variable::new(
            "CTS_SINK_CLUSTERING_MAX_DIAMETER",
            Type::Decimal,
            "How far apart registers that share a buffer may be.",
        )
        .units("µm")
        .optional(),
        Variable::new("CTS_MACRO_CLUSTERING_SIZE", Type::Int, "How many clock pins of macros share a buffer at most.")
            .optional(),
        Variable::new(
            "CTS_MACRO_CLUSTERING_MAX_DIAMETER",
            Type::Decimal,
            "How far apart clock pins of macros that share a buffer may be.",
        )
        .units("µm")
        .optional(),
        Variable::new(
            "CTS_SINK_BUFFER_MAX_CAP_DERATE_PCT",
            Type::Decimal,
            "How much of its load limit a leaf buffer may use. Less of it means stronger buffers.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "CTS_DELAY_BUFFER_DERATE_PCT",
            Type::Decimal,
            "How much of the delay between registers and macros is balanced by buffers.",
        )
        .units("%")
        .optional(),
        Variable::new(
            "CTS_CLK_MAX_WIRE_LENGTH",
            Type::Decimal,
            "Longer clock wires are broken by buffers. 0 leaves the limit to the tool.",
        )
        .units("µm")
        .default("0"),
        Variable::new(
            "CTS_DISTANCE_BETWEEN_BUFFERS",
            Type::Decimal,
            "The distance between buffers along the tree. 0 leaves it to the tool.",
        )
        .units("µm")
        .default("0"),
        Variable::new(
            "CTS_DISABLE_POST_PROCESSING",
            Type::Bool,
            "Whether registers far off the others are left as they are, where they would get buffers of their own \
             after the tree is built.",
        )
        .default(false),
        Variable::new(
            "CTS_MAX_CAP",
            Type::Decimal,
            "The greatest load for which the buffers are characterised. Otherwise it is that of the Liberty \
             files.",
        )
        .units("pF")
        .optional(),
        Variable::new(
            "CTS_MAX_SLEW",
            Type::Decimal,
            "The greatest slew for which the buffers are characterised. Otherwise it is that of the Liberty \
             files.",
        )
        .units("ns")
        .optional(),
        Variable::new(
            "CTS_APPLY_NDR",
            Type::choice(["none", "root_only", "half", "full"]),
            "Which part of the clock tree is routed at twice the usual spacing, from none to all but the leaves.",
        )
        .default("half"),
    ]
}
