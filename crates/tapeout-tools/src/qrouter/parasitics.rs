//! `Qrouter.Parasitics`: SPEF from the resistances and capacitances of qrouter.

use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult, design_name};
use tapeout_formats::{qrouter::rc, spef};
use tapeout_model::{Alert, Severity, View};

pub(super) struct Parasitics;

/// The pattern of corners: LEF has one value for each layer, whatever the corner.
const CORNERS: &str = "*";

impl Step for Parasitics {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Qrouter.Parasitics",
            "Parasitics",
            "Writes the resistances and capacitances that qrouter has found as SPEF. They are of each net alone, by the \
             values in LEF, without coupling, and the same for all corners. Nets that qrouter lost its way on are counted \
             and have what it knows of them.",
            env!("IMPLEMENTATION"),
        )
        .needs("rc")
        .makes(&["spef"])
        .measures(&[INCOMPLETE])
        .variables([design_name()])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let view = cx.view_file("rc")?;
        let trees = rc::parse(&cx.output_text(&view)?).map_err(|error| cx.unreadable(&view.path, error))?;
        let incomplete: Vec<&rc::Net> = trees.iter().filter(|tree| tree.is_incomplete()).collect();
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let path = format!("{design}.spef");
        let nets = trees.iter().map(spef::Net::from_tree).collect();
        let written = cx.write(&path, spef::write(&spef::Spef { design, nets }).as_bytes())?;
        let mut result = StepResult::default().metric(INCOMPLETE, incomplete.len() as i64);
        result.written.push(written);
        result.views.insert("spef".to_owned(), View::Named([(CORNERS.to_owned(), View::File(path))].into()));
        if let Some(first) = incomplete.first() {
            let message = format!(
                "the parasitics of {} of {} nets do not reach all their pins, `{}` for one: their delays are too small",
                incomplete.len(),
                trees.len(),
                first.name
            );
            let code = "qrouter.incomplete-parasitics".to_owned();
            result = result.alerts([Alert { severity: Severity::Warning, code, message, count: 1 }]);
        }
        Ok(result)
    }
}

/// Nets whose parasitics do not reach all their pins.
const INCOMPLETE: &str = "timing__incomplete_net__count";
