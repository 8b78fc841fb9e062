//! `Qrouter.Parasitics`: SPEF from the resistances and capacitances of qrouter.

use std::collections::HashMap;

use tapeout_flow::{Action, Completed, Failure, Session, Step, StepCx, StepInfo, StepResult, design_name};
use tapeout_formats::{qrouter::rc, spef};
use tapeout_model::{Alert, Severity, View};

use super::trace::Tracer;
use crate::design_files;

pub(super) struct Parasitics;

/// The pattern of corners: LEF has one value for each layer, whatever the corner.
const CORNERS: &str = "*";

impl Step for Parasitics {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Qrouter.Parasitics",
            "Parasitics",
            "Writes the resistances and capacitances of wires as SPEF: as qrouter has found them, and of nets that it lost \
             its way on, as they follow from the wires in the layout. They are of each net alone, by the values in LEF, \
             without coupling, and the same for all corners.",
            env!("IMPLEMENTATION"),
        )
        .needs("rc")
        .needs("def")
        .makes(&["spef"])
        .measures(&[INCOMPLETE])
        .variables([design_name()])
        .variables(design_files::lef_variables())
        .action(Action::PlaceAndRoute)
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let view = cx.view_file("rc")?;
        let trees = rc::parse(&cx.output_text(&view)?).map_err(|error| cx.unreadable(&view.path, error))?;
        let def = design_files::layout(cx)?;
        let lef = design_files::library(cx)?;
        let tracer = Tracer::new(&def, &lef);
        let mut found: HashMap<&str, &rc::Net> = trees.iter().map(|tree| (tree.name.as_str(), tree)).collect();
        let mut whole: Vec<rc::Net> = Vec::new();
        for net in def.nets.iter().filter(|net| net.pins.len() > 1) {
            let told = found.remove(net.name.as_str());
            let tree = match told {
                Some(tree) if !tree.is_incomplete() => Some(tree.clone()),
                told => better(told, tracer.trace(net)),
            };
            whole.extend(tree);
        }
        let incomplete: Vec<&rc::Net> = whole.iter().filter(|tree| tree.is_incomplete()).collect();
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let path = format!("{design}.spef");
        let nets = whole.iter().map(spef::Net::from_tree).collect();
        let written = cx.write(&path, spef::write(&spef::Spef { design, nets }).as_bytes())?;
        let mut result = StepResult::default().metric(INCOMPLETE, incomplete.len() as i64);
        result.written.push(written);
        result.views.insert("spef".to_owned(), View::Named([(CORNERS.to_owned(), View::File(path))].into()));
        if let Some(first) = incomplete.first() {
            let message = format!(
                "the parasitics of {} of {} nets do not reach all their pins, `{}` for one: their delays are too small",
                incomplete.len(),
                whole.len(),
                first.name
            );
            let code = "qrouter.incomplete-parasitics".to_owned();
            result = result.alerts([Alert { severity: Severity::Warning, code, message, count: 1 }]);
        }
        Ok(result)
    }
}

/// Of two trees of one net the whole one, or else the one that reaches more pins.
fn better(told: Option<&rc::Net>, traced: Option<rc::Net>) -> Option<rc::Net> {
    let reached = |tree: &rc::Net| tree.pieces.iter().filter(|piece| piece.terminal.is_some()).count();
    match (told, traced) {
        (Some(told), Some(traced)) if traced.is_incomplete() && reached(told) > reached(&traced) => Some(told.clone()),
        (told, traced) => traced.or_else(|| told.cloned()),
    }
}

/// Nets whose parasitics do not reach all their pins.
const INCOMPLETE: &str = "timing__incomplete_net__count";
