//! Which parts of the flow run.

use tapeout_config::{Type, Variable};

pub(super) fn variables() -> Vec<Variable> {
    vec![
        Variable::new("RUN_LINTER", Type::Bool, "Whether the sources are linted before synthesis.")
            .default(true)
            .formerly("RUN_VERILATOR"),
        Variable::new("RUN_TAP_ENDCAP_INSERTION", Type::Bool, "Whether well taps and end caps are inserted.")
            .default(true)
            .formerly("TAP_DECAP_INSERTION")
            .formerly("RUN_TAP_DECAP_INSERTION"),
        Variable::new(
            "RUN_POST_GPL_DESIGN_REPAIR",
            Type::Bool,
            "Whether slew, load and fan-out are repaired after global placement.",
        )
        .default(true)
        .formerly("PL_RESIZER_DESIGN_OPTIMIZATIONS")
        .formerly("RUN_REPAIR_DESIGN"),
        Variable::new(
            "RUN_POST_GRT_DESIGN_REPAIR",
            Type::Bool,
            "Whether slew, load and fan-out are repaired again after global routing. It can take very long.",
        )
        .default(false),
        Variable::new("RUN_CTS", Type::Bool, "Whether a clock tree is built.")
            .default(true)
            .formerly("CLOCK_TREE_SYNTH"),
        Variable::new(
            "RUN_POST_CTS_RESIZER_TIMING",
            Type::Bool,
            "Whether setup and hold are repaired after the clock tree is built.",
        )
        .default(true)
        .formerly("PL_RESIZER_TIMING_OPTIMIZATIONS"),
        Variable::new(
            "RUN_POST_GRT_RESIZER_TIMING",
            Type::Bool,
            "Whether setup and hold are repaired again after global routing. It can take very long.",
        )
        .default(false)
        .formerly("GLB_RESIZER_TIMING_OPTIMIZATIONS"),
        Variable::new(
            "RUN_HEURISTIC_DIODE_INSERTION",
            Type::Bool,
            "Whether antenna diodes are put beside gates at the end of long nets before routing is known.",
        )
        .default(false),
        Variable::new(
            "RUN_ANTENNA_REPAIR",
            Type::Bool,
            "Whether antenna violations are repaired after global routing.",
        )
        .default(true)
        .formerly("GRT_REPAIR_ANTENNAS"),
        Variable::new("RUN_DRT", Type::Bool, "Whether detailed routing draws the wires.").default(true),
        Variable::new(
            "RUN_FILL_INSERTION",
            Type::Bool,
            "Whether the gaps in rows are closed by fill and decoupling cells.",
        )
        .default(true),
        Variable::new("RUN_MCSTA", Type::Bool, "Whether timing is analysed in all corners after layout.")
            .default(true)
            .formerly("RUN_SPEF_STA"),
        Variable::new("RUN_SPEF_EXTRACTION", Type::Bool, "Whether the parasitics of the routed wires are extracted.")
            .default(true),
        Variable::new("RUN_IRDROP_REPORT", Type::Bool, "Whether the voltage drop in the power grid is reported.")
            .default(true),
        Variable::new("RUN_LVS", Type::Bool, "Whether the layout is compared with the netlist.").default(true),
        Variable::new("RUN_MAGIC_STREAMOUT", Type::Bool, "Whether Magic writes a GDS.")
            .default(true)
            .formerly("RUN_MAGIC"),
        Variable::new("RUN_KLAYOUT_STREAMOUT", Type::Bool, "Whether KLayout writes a GDS.")
            .default(true)
            .formerly("RUN_KLAYOUT"),
        Variable::new(
            "RUN_MAGIC_WRITE_LEF",
            Type::Bool,
            "Whether Magic writes an abstract of the finished design as LEF.",
        )
        .default(true)
        .formerly("MAGIC_GENERATE_LEF"),
        Variable::new(
            "RUN_KLAYOUT_XOR",
            Type::Bool,
            "Whether the GDS of Magic and that of KLayout are compared, shape by shape.",
        )
        .default(true),
        Variable::new("RUN_MAGIC_DRC", Type::Bool, "Whether Magic checks the design rules.").default(true),
        Variable::new("RUN_KLAYOUT_DRC", Type::Bool, "Whether KLayout checks the design rules.").default(true),
        Variable::new("RUN_EQY", Type::Bool, "Whether the netlist is proved to be equivalent to the sources.")
            .default(false),
    ]
}
