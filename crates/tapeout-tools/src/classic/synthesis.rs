//! Synthesis, and the proof that its netlist is right.

use tapeout_config::{Type, Variable};
use tapeout_model::Value;

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new("YOSYS_LOG_LEVEL", Type::choice(["ALL", "WARNING", "ERROR"]), "How much Yosys prints.")
            .default("ALL"),
        Variable::new(
            "USE_SLANG",
            Type::Bool,
            "Whether the Slang plugin reads the sources. It knows more of SystemVerilog than Yosys itself.",
        )
        .default(false)
        .formerly("USE_SYNLIG"),
        Variable::new("SLANG_ARGUMENTS", Type::list(Type::Str), "Further arguments for Slang.").optional(),
        Variable::new("SYNTH_PARAMETERS", Type::list(Type::Str), "Parameters of the top module, each `NAME=VALUE`.")
            .optional(),
        Variable::new(
            "SYNTH_CORNER",
            Type::Str,
            "The timing corner whose Liberty files guide mapping. Otherwise that is `DEFAULT_CORNER`.",
        )
        .optional()
        .from_pdk(),
        Variable::new("SYNTH_LATCH_MAP", Type::Path, "A techmap file from Yosys' latches to cells.")
            .optional()
            .from_pdk(),
        Variable::new("SYNTH_TRISTATE_MAP", Type::Path, "A techmap file from Yosys' tri-state buffers to cells.")
            .optional()
            .formerly("TRISTATE_BUFFER_MAP")
            .from_pdk(),
        Variable::new("SYNTH_CSA_MAP", Type::Path, "A techmap file that builds carry-select adders.")
            .optional()
            .formerly("CARRY_SELECT_ADDER_MAP")
            .from_pdk(),
        Variable::new("SYNTH_RCA_MAP", Type::Path, "A techmap file that builds ripple-carry adders.")
            .optional()
            .formerly("RIPPLE_CARRY_ADDER_MAP")
            .from_pdk(),
        Variable::new("SYNTH_FA_MAP", Type::Path, "A techmap file that builds adders from full-adder cells.")
            .optional()
            .formerly("FULL_ADDER_MAP")
            .from_pdk(),
        Variable::new(
            "SYNTH_CLOCKGATE_MIN_WIDTH",
            Type::Int,
            "From how many flip-flops with a common enable on a clock gate replaces the enable. Without it no \
             gates are made.",
        )
        .optional(),
        Variable::new(
            "SYNTH_CLOCKGATE_POSEDGE_ICG",
            Type::Str,
            "The clock gate for flip-flops of the rising edge, as `CELL/ENABLE/CLOCK/GATED_CLOCK`.",
        )
        .optional()
        .check(clock_gate)
        .from_pdk(),
        Variable::new(
            "SYNTH_CLOCKGATE_NEGEDGE_ICG",
            Type::Str,
            "The clock gate for flip-flops of the falling edge, as `CELL/ENABLE/CLOCK/GATED_CLOCK`.",
        )
        .optional()
        .check(clock_gate)
        .from_pdk(),
        Variable::new(
            "SYNTH_SHOW",
            Type::Bool,
            "Whether Yosys draws the design as a Graphviz file. Fails where nothing is left to draw.",
        )
        .default(false),
        Variable::new(
            "SYNTH_CHECKS_ALLOW_TRISTATE",
            Type::Bool,
            "Whether several drivers of a net are accepted where they are tri-state buffers.",
        )
        .default(true),
        Variable::new(
            "SYNTH_AUTONAME",
            Type::Bool,
            "Whether cells are named after what they drive. The names are telling, and can be very long.",
        )
        .default(false),
        Variable::new(
            "SYNTH_STRATEGY",
            Type::choice([
                "AREA 0", "AREA 1", "AREA 2", "AREA 3", "DELAY 0", "DELAY 1", "DELAY 2", "DELAY 3", "DELAY 4",
            ]),
            "The script of ABC that maps the logic. `AREA` ones aim at few cells, `DELAY` ones at speed; the best \
             number must be tried out.",
        )
        .default("AREA 0"),
        Variable::new("SYNTH_ABC_BUFFERING", Type::Bool, "Whether ABC inserts buffers.")
            .default(false)
            .formerly("SYNTH_BUFFERING"),
        Variable::new("SYNTH_SIZING", Type::Bool, "Whether ABC sizes cells up and down in place of buffering.")
            .default(false),
        Variable::new(
            "SYNTH_ABC_LEGACY_REFACTOR",
            Type::Bool,
            "Whether ABC refactors by its older command, which crashes more often.",
        )
        .default(false),
        Variable::new(
            "SYNTH_ABC_LEGACY_REWRITE",
            Type::Bool,
            "Whether ABC rewrites by its older command, which crashes more often.",
        )
        .default(false),
        Variable::new("SYNTH_ABC_DFF", Type::Bool, "Whether ABC sees the flip-flops too and may merge equal ones.")
            .default(false),
        Variable::new(
            "SYNTH_ABC_USE_MFS3",
            Type::Bool,
            "Whether ABC remaps by a SAT solver before it retimes. Experimental.",
        )
        .default(false),
        Variable::new(
            "SYNTH_ABC_AREA_USE_NF",
            Type::Bool,
            "Whether `AREA` strategies use the mapper `&nf` instead of `amap`. Experimental.",
        )
        .default(false),
        Variable::new(
            "SYNTH_DIRECT_WIRE_BUFFERING",
            Type::Bool,
            "Whether wires that go straight from port to port get a buffer.",
        )
        .default(true)
        .formerly("SYNTH_BUFFER_DIRECT_WIRES"),
        Variable::new("SYNTH_SPLITNETS", Type::Bool, "Whether the netlist has a net for each bit of a vector.")
            .default(true),
        Variable::new(
            "SYNTH_HIERARCHY_MODE",
            Type::choice(["flatten", "deferred_flatten", "keep"]),
            "When the hierarchy is dissolved: `flatten` before optimisation and after it, `deferred_flatten` only \
             after it, `keep` never.",
        )
        .default("flatten"),
        Variable::new(
            "SYNTH_KEEP_HIERARCHY_MIN_COST",
            Type::Int,
            "Modules that cost more gates than this are not dissolved.",
        )
        .optional(),
        Variable::new("SYNTH_KEEP_HIERARCHY_INSTANCES", Type::list(Type::Str), "Instances that are not dissolved.")
            .optional(),
        Variable::new(
            "SYNTH_KEEP_HIERARCHY_MODULES",
            Type::list(Type::Str),
            "Modules whose instances are not dissolved.",
        )
        .optional(),
        Variable::new(
            "SYNTH_SHARE_RESOURCES",
            Type::Bool,
            "Whether large operators that never work at the same time are merged into one.",
        )
        .default(true),
        Variable::new(
            "SYNTH_ADDER_TYPE",
            Type::choice(["YOSYS", "FA", "RCA", "CSA"]),
            "What `+` and `-` become: what Yosys chooses, full adders, ripple-carry adders or carry-select \
             adders.",
        )
        .default("YOSYS"),
        Variable::new(
            "SYNTH_EXTRA_MAPPING_FILE",
            Type::Path,
            "A techmap file that is applied before the general ones.",
        )
        .optional(),
        Variable::new(
            "SYNTH_ELABORATE_ONLY",
            Type::Bool,
            "Whether the sources are only elaborated, as they are a netlist of cells already.",
        )
        .default(false),
        Variable::new("SYNTH_MUL_BOOTH", Type::Bool, "Whether multipliers are built by Booth's method.").default(false),
        Variable::new(
            "SYNTH_TIE_UNDEFINED",
            Type::choice(["high", "low"]),
            "The level to which undefined bits are tied. With `null` they stay without a driver.",
        )
        .optional()
        .default("low"),
        Variable::new(
            "SYNTH_WRITE_NOATTR",
            Type::Bool,
            "Whether attributes are left out of the netlist, as some tools cannot read them.",
        )
        .default(true),
        Variable::new(
            "SYNTH_NORMALIZE_SINGLE_BIT_VECTORS",
            Type::Bool,
            "Whether a vector `[0:0]` becomes a plain wire, so that layout tools do not call it `name[0]`.",
        )
        .default(true),
        Variable::new(
            "EQY_SCRIPT",
            Type::Path,
            "The script of EQY for the proof of equivalence. Otherwise a general one is made, which does not suit \
             every design.",
        )
        .optional(),
        Variable::new(
            "EQY_FORCE_ACCEPT_PDK",
            Type::Bool,
            "Whether the proof is tried with a PDK whose cell models EQY is not known to understand.",
        )
        .default(false),
    ]
}

/// A clock gate is named with its three pins.
fn clock_gate(value: &Value) -> Result<(), String> {
    match value {
        Value::Str(text)
            if text.split('/').filter(|part| !part.is_empty()).count() == 4 && text.matches('/').count() == 3 =>
        {
            Ok(())
        }
        _ => Err("must be written `CELL/ENABLE/CLOCK/GATED_CLOCK`".to_owned()),
    }
}
