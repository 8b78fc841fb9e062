//! `Magic.DRC`: are the design rules kept?

use std::collections::BTreeSet;

use tapeout_config::Config;
use tapeout_flow::{Action, Completed, Failure, Input, Script, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::{alerts, gds, lyrdb, magic_drc};
use tapeout_model::{Alert, Severity};

use super::inside::leave_out;
use super::{Abstracts, READ_DEF, READ_GDS, Setting, advice, begin, checkpoints, judged, session, settings, variables};
use crate::classic::variable;
use crate::design_files::{self, check_lefs, gds_variables, lef_variables};
use crate::layouts::violations_alert;
use crate::names::some;

pub(super) struct Drc;

const REPORT: &str = "drc.rpt";
const FOR_KLAYOUT: &str = "drc.lyrdb";
/// What Magic writes of all that it finds, and of each abstract alone.
const FOUND: &str = "found.rpt";
const OF_ABSTRACTS: &str = "abstracts.rpt";
/// The places of cells, where they are not those of the view `gds`.
const PLACED: &str = "placed.gds";
const COUNT: &str = "magic__drc_error__count";
/// How many violations lie in abstracts.
const LEFT_OUT: &str = "design__gds__abstract_violations";

impl Step for Drc {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Magic.DRC",
            "Check design rules",
            "Magic checks the layout against the design rules of `MAGIC_TECH`, the full set where there are several. The \
             violations are in `drc.rpt` by rule, and in `drc.lyrdb` for KLayout. Those that the abstract of a cell has alone are \
             not the design's: they are counted apart. `Checker.MagicDRC` judges the number of the others.",
            env!("IMPLEMENTATION"),
        )
        .takes("def")
        .about("gds")
        .measures(&[COUNT, LEFT_OUT])
        .variables(variables())
        .variables(lef_variables())
        .variables(gds_variables())
        .variables(["MAGIC_DRC_USE_GDS", "MAGIC_GDS_FLATGLOB"].map(variable))
        .tools(&["magic"])
        .action(Action::Drc)
        .sections(&[
            ("settings", "Sets variables."),
            ("begin", "Sets the grid, and turns checks off."),
            ("read", "Reads the layout."),
            ("check", "Checks the layout."),
            ("abstracts", "Checks abstracts alone, where there are violations."),
        ])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        super::has_no_technology(config)
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        check_lefs(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let begin = begin(cx)?;
        let from_gds = cx.config.bool("MAGIC_DRC_USE_GDS");
        let abstracts = abstract_cells(cx, from_gds)?;
        let of_check = [
            ("design", Setting::Text(&design)),
            ("report", Setting::Text(FOUND)),
            ("of_abstracts", Setting::Text(OF_ABSTRACTS)),
            ("abstracts", Setting::List(&abstracts)),
            ("placed", Setting::Text(if from_gds { "" } else { PLACED })),
        ];
        let script = Script::new(format!("{}.tcl", cx.slug()), "#").checkpoints(checkpoints(&["read"]));
        let (script, inputs) = if from_gds {
            let gds = cx.view_file("gds")?;
            let flatten: Vec<String> = cx.config.strings("MAGIC_GDS_FLATGLOB").into_iter().map(str::to_owned).collect();
            let of_gds = [
                ("layouts", Setting::List(std::slice::from_ref(&gds.path))),
                ("flatten", Setting::List(&flatten)),
                ("ports", Setting::Flag(false)),
            ];
            let script = script
                .section("settings", settings(&of_check) + &settings(&of_gds))
                .section("begin", begin.as_str())
                .section("read", READ_GDS);
            (script, vec![Input::Output(gds)])
        } else {
            let abstracts = Abstracts::gather(cx)?;
            let script = script
                .section("settings", settings(&of_check) + &settings(&abstracts.settings()))
                .section("begin", begin.as_str())
                .section("read", READ_DEF);
            (script, abstracts.inputs)
        };
        let script = script
            .section("check", include_str!("check.tcl"))
            .section("abstracts", include_str!("check_abstracts.tcl"));
        let mut session = session(cx, vec![script])?;
        session.invocation.inputs.extend(inputs);
        session.invocation.outputs = [FOUND, OF_ABSTRACTS].map(str::to_owned).into();
        session.invocation.optional_outputs = vec![PLACED.to_owned()];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let alerts = judged(cx.config, sessions[0].log())?;
        let session = &sessions[0];
        let mut report = magic_drc::parse(&cx.text(session, FOUND)?).map_err(|error| cx.unreadable(FOUND, error))?;
        let of_abstracts = magic_drc::parse_all(&cx.text(session, OF_ABSTRACTS)?)
            .map_err(|error| cx.unreadable(OF_ABSTRACTS, error))?;
        let (mut left_out, mut cells) = (0, BTreeSet::new());
        if of_abstracts.iter().any(|report| report.count() > 0) {
            let (name, bytes) = if cx.config.bool("MAGIC_DRC_USE_GDS") {
                let gds = cx.view_file("gds")?;
                (gds.path.clone(), cx.output_bytes(&gds)?)
            } else {
                (PLACED.to_owned(), cx.bytes(session, PLACED)?)
            };
            let placed = gds::read(&bytes).map_err(|error| cx.unreadable(&name, error))?;
            (left_out, cells) = leave_out(&mut report, &of_abstracts, &placed);
        }
        let mut result = StepResult::default().metric(COUNT, report.count()).metric(LEFT_OUT, left_out).alerts(alerts);
        let rules = report.rules.iter().map(|rule| (rule.text.clone(), rule.boxes.len() as u64)).collect();
        result.alerts.extend(violations_alert("magic.drc", "design rules are violated", rules));
        let mut text = magic_drc::write(&report);
        if left_out > 0 {
            let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
            let message = format!(
                "{left_out} violations of design rules are left out, as they lie in the abstracts of cells, which are not \
                 the layout ({})",
                some(&cells)
            );
            text.push_str(&format!("\n{message}\n"));
            let hint = "name the GDS files of the cells in `CELL_GDS` to have these checked";
            let code = "magic.drc-in-abstracts".to_owned();
            let message = format!("{message}; {hint}");
            result.alerts.push(Alert { severity: Severity::Warning, code, message, count: 1 });
        }
        result.written.push(cx.write(REPORT, text.as_bytes())?);
        let categories: Vec<_> =
            report.rules.iter().map(|rule| lyrdb::Category { name: &rule.text, boxes: &rule.boxes }).collect();
        let text = lyrdb::write("Design rules checked by Magic", &report.cell, &categories);
        result.written.push(cx.write(FOR_KLAYOUT, text.as_bytes())?);
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::magic(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        advice(log)
    }
}

/// The cells that the layout shows by their abstracts: all of a DEF, and of a GDS those that no GDS file of the library has.
fn abstract_cells(cx: &mut StepCx<'_, '_>, from_gds: bool) -> Result<Vec<String>, Failure> {
    let known = if from_gds { design_files::structures(cx)? } else { BTreeSet::new() };
    let cells = design_files::library(cx)?.cells.into_iter().map(|cell| cell.name);
    Ok(cells.filter(|cell| !known.contains(cell)).collect())
}
