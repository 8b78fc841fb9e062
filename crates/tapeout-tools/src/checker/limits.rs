//! The checkers of OpenLane's flows that hold one metric against a limit: their ids, metrics and variables are those of
//! LibreLane 3.0.

use tapeout_config::{Type, Variable};

use super::limit::Limit;

/// Those of the flow Classic, then those of its relatives.
pub(super) const LIMITS: &[Limit] = &[
    Limit {
        id: "Checker.LintTimingConstructs",
        name: "Check for delays",
        doc: "Fails when the linter has found delays and the like, which synthesis cannot build.",
        metric: "design__lint_timing_construct__count",
        what: "timing constructs in the sources",
        gate: "ERROR_ON_LINTER_TIMING_CONSTRUCTS",
        threshold: None,
        defers: false,
    },
    Limit {
        id: "Checker.LintErrors",
        name: "Check lint errors",
        doc: "Fails when the linter has found errors.",
        metric: "design__lint_error__count",
        what: "lint errors",
        gate: "ERROR_ON_LINTER_ERRORS",
        threshold: None,
        defers: false,
    },
    Limit {
        id: "Checker.LintWarnings",
        name: "Check lint warnings",
        doc: "Fails when the linter has found warnings, if the configuration wants that.",
        metric: "design__lint_warning__count",
        what: "lint warnings",
        gate: "ERROR_ON_LINTER_WARNINGS",
        threshold: None,
        defers: false,
    },
    Limit {
        id: "Checker.YosysUnmappedCells",
        name: "Check for unmapped cells",
        doc: "Fails when synthesis has left logic without a library cell.",
        metric: "design__instance_unmapped__count",
        what: "unmapped cells",
        gate: "ERROR_ON_UNMAPPED_CELLS",
        threshold: None,
        defers: false,
    },
    Limit {
        id: "Checker.YosysSynthChecks",
        name: "Check synthesis",
        doc: "Fails when synthesis has found loops of logic or nets without a driver.",
        metric: "synthesis__check_error__count",
        what: "errors of Yosys' check",
        gate: "ERROR_ON_SYNTH_CHECKS",
        threshold: None,
        defers: false,
    },
    Limit {
        id: "Checker.PowerGridViolations",
        name: "Check the power grid",
        doc: "Fails when parts of the power grid are not connected.",
        metric: "design__power_grid_violation__count",
        what: "violations of the power grid",
        gate: "ERROR_ON_PDN_VIOLATIONS",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.TrDRC",
        name: "Check routing",
        doc: "Fails when detailed routing has left violations of design rules.",
        metric: "route__drc_errors",
        what: "violations of design rules after routing",
        gate: "ERROR_ON_TR_DRC",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.DisconnectedPins",
        name: "Check for unconnected pins",
        doc: "Fails when routing has left pins without a connection that need one.",
        metric: "design__critical_disconnected_pin__count",
        what: "pins without a connection",
        gate: "ERROR_ON_DISCONNECTED_PINS",
        threshold: None,
        defers: false,
    },
    Limit {
        id: "Checker.WireLength",
        name: "Check wire lengths",
        doc: "Fails when the longest wire is longer than `WIRE_LENGTH_THRESHOLD`.",
        metric: "route__wirelength__max",
        what: "the length of the longest wire in µm",
        gate: "ERROR_ON_LONG_WIRE",
        threshold: Some("WIRE_LENGTH_THRESHOLD"),
        defers: true,
    },
    Limit {
        id: "Checker.XOR",
        name: "Compare the layouts",
        doc: "Fails when the layouts that Magic and KLayout have written differ.",
        metric: "design__xor_difference__count",
        what: "differences between the layouts of Magic and KLayout",
        gate: "ERROR_ON_XOR_ERROR",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.MagicDRC",
        name: "Check Magic's DRC",
        doc: "Fails when Magic has found violations of design rules.",
        metric: "magic__drc_error__count",
        what: "violations of design rules by Magic",
        gate: "ERROR_ON_MAGIC_DRC",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.KLayoutDRC",
        name: "Check KLayout's DRC",
        doc: "Fails when KLayout has found violations of design rules.",
        metric: "klayout__drc_error__count",
        what: "violations of design rules by KLayout",
        gate: "ERROR_ON_KLAYOUT_DRC",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.IllegalOverlap",
        name: "Check for overlaps",
        doc: "Fails when Magic's extraction has found overlaps that it calls illegal, a sign of shorts.",
        metric: "magic__illegal_overlap__count",
        what: "illegal overlaps",
        gate: "ERROR_ON_ILLEGAL_OVERLAPS",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.LVS",
        name: "Check LVS",
        doc: "Fails when layout and netlist differ.",
        metric: "design__lvs_error__count",
        what: "differences between layout and netlist",
        gate: "ERROR_ON_LVS_ERROR",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.CellCount",
        name: "Check the size",
        doc: "Says, before placement, that the design has more cells than its tools are made for: expect long wires, nets that \
              cannot be routed and hours of work, or cut it into blocks.",
        metric: "design__instance__count",
        what: "the number of cells",
        gate: "ERROR_ON_CELL_COUNT",
        threshold: Some("CELL_COUNT_THRESHOLD"),
        defers: false,
    },
    Limit {
        id: "Checker.KLayoutAntenna",
        name: "Check antennas",
        doc: "Fails when KLayout has found violations of antenna rules.",
        metric: "klayout__antenna_error__count",
        what: "violations of antenna rules",
        gate: "ERROR_ON_KLAYOUT_ANTENNA",
        threshold: None,
        defers: true,
    },
    Limit {
        id: "Checker.KLayoutDensity",
        name: "Check densities",
        doc: "Fails when KLayout has found violations of density rules.",
        metric: "klayout__density_error__count",
        what: "violations of density rules",
        gate: "ERROR_ON_KLAYOUT_DENSITY",
        threshold: None,
        defers: true,
    },
];

/// The variables that the flow Classic does not have.
pub(super) fn variables() -> [Variable; 4] {
    let gate = |name, doc| Variable::new(name, Type::Bool, doc).default(true);
    [
        gate(
            "ERROR_ON_KLAYOUT_ANTENNA",
            "Whether violations of antenna rules that KLayout finds are an error at the end.",
        ),
        gate(
            "ERROR_ON_KLAYOUT_DENSITY",
            "Whether violations of density rules that KLayout finds are an error at the end.",
        ),
        gate("ERROR_ON_CELL_COUNT", "Whether more cells than `CELL_COUNT_THRESHOLD` are an error.").default(false),
        Variable::new(
            "CELL_COUNT_THRESHOLD",
            Type::Decimal,
            "How many cells the tools of place and route are made for. graywolf takes seconds for 1,500 cells, a minute for \
             6,000 and a quarter of an hour for 14,000.",
        )
        .default("2000"),
    ]
}

#[cfg(test)]
mod tests {
    use tapeout_model::{MetricName, Preference};

    use super::*;

    #[test]
    fn of_what_must_not_be_above_a_limit_less_is_better() {
        for Limit { id, metric, .. } in LIMITS {
            assert_eq!(MetricName::new(metric).preference(), Some(Preference::Lower), "{id}: {metric}");
        }
        let delay = MetricName::new(crate::yosys::DELAY);
        assert_eq!(delay.preference(), Some(Preference::Lower));
    }
}
