//! `Misc.ReportManufacturability`: in one text, whether the layout can be made and is the design. It judges nothing that a
//! checker has not judged.

use std::fmt::Write as _;

use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult, design_name};
use tapeout_model::Metric;

use crate::layouts::ABSTRACT_CELLS;

pub(super) struct ReportManufacturability;

const REPORT: &str = "manufacturability.rpt";

/// A heading, and the metrics below it with their words. What must be 0 is in order where all of them are.
const SUBJECTS: &[(&str, &[(&str, &str)])] = &[
    (
        "Antennas",
        &[
            ("antenna__violating__nets", "nets"),
            ("antenna__violating__pins", "pins"),
            ("klayout__antenna_error__count", "violations by KLayout"),
        ],
    ),
    ("LVS", &[("design__lvs_error__count", "differences between layout and netlist")]),
    (
        "DRC",
        &[
            ("route__drc_errors", "violations after routing"),
            ("magic__drc_error__count", "violations by Magic"),
            ("klayout__drc_error__count", "violations by KLayout"),
        ],
    ),
    ("Overlaps", &[("magic__illegal_overlap__count", "illegal overlaps")]),
    ("Layouts of cells", &[(ABSTRACT_CELLS, "kinds of cells without a layout")]),
    ("XOR", &[("design__xor_difference__count", "differences between the layouts of Magic and KLayout")]),
];

impl Step for ReportManufacturability {
    fn info(&self) -> StepInfo {
        let metrics = SUBJECTS.iter().flat_map(|(_, metrics)| *metrics);
        metrics.fold(
            StepInfo::new(
                "Misc.ReportManufacturability",
                "Sum up",
                "Says in one report, `manufacturability.rpt`, whether antennas, comparison, design rules and layouts are in \
                 order. What no step has checked is said to be not checked.",
                env!("IMPLEMENTATION"),
            )
            .variables([design_name()]),
            |info, (metric, _)| info.reads_metric(metric),
        )
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let text = report(cx.config.str("DESIGN_NAME"), |name| cx.metric(name));
        let mut result = StepResult::default();
        result.written.push(cx.write(REPORT, text.as_bytes())?);
        Ok(result)
    }
}

fn report(design: &str, mut metric: impl FnMut(&str) -> Option<Metric>) -> String {
    let mut text = format!("Manufacturability of {design}\n");
    for (subject, metrics) in SUBJECTS {
        let known: Vec<(Metric, &str)> =
            metrics.iter().filter_map(|(name, words)| Some((metric(name)?, *words))).collect();
        let state = if known.is_empty() {
            "not checked"
        } else if known.iter().all(|(value, _)| value.as_f64() == Some(0.0)) {
            "in order"
        } else {
            "NOT in order"
        };
        let _ = write!(text, "\n{subject}: {state}\n");
        for (value, words) in known {
            let _ = writeln!(text, "  {words}: {value}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_checked_is_not_in_order() {
        let text = report("spm", |name| match name {
            "design__lvs_error__count" => Some(0_i64.into()),
            "magic__drc_error__count" => Some(2_i64.into()),
            "klayout__drc_error__count" => Some(0_i64.into()),
            _ => None,
        });
        let expected = "\
Manufacturability of spm

Antennas: not checked

LVS: in order
  differences between layout and netlist: 0

DRC: NOT in order
  violations by Magic: 2
  violations by KLayout: 0

Overlaps: not checked

Layouts of cells: not checked

XOR: not checked
";
        assert_eq!(text, expected);
    }
}
