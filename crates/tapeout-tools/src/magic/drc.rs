//! `Magic.DRC`: are the design rules kept?

use tapeout_config::Config;
use tapeout_flow::{Completed, Failure, Input, Script, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::{alerts, lyrdb, magic_drc};
use tapeout_model::Alert;

use super::{Abstracts, READ_DEF, READ_GDS, Setting, advice, begin, judged, session, settings, variables};
use crate::classic::variable;
use crate::design_files::{check_lefs, lef_variables};
use crate::layouts::violations_alert;

pub(super) struct Drc;

const REPORT: &str = "drc.rpt";
const FOR_KLAYOUT: &str = "drc.lyrdb";
const COUNT: &str = "magic__drc_error__count";

impl Step for Drc {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Magic.DRC",
            "Check design rules",
            "Magic checks the layout against the design rules of `MAGIC_TECH`, the full set where there are several. The \
             violations are in `drc.rpt` by rule, and in `drc.lyrdb` for KLayout. `Checker.MagicDRC` judges their number.",
            env!("IMPLEMENTATION"),
        )
        .takes("def")
        .needs("gds")
        .measures(&[COUNT])
        .variables(variables())
        .variables(lef_variables())
        .variables(["MAGIC_DRC_USE_GDS", "MAGIC_GDS_FLATGLOB"].map(variable))
        .tools(&["magic"])
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
        let of_check = [("design", Setting::Text(&design)), ("report", Setting::Text(REPORT))];
        let script = Script::new(format!("{}.tcl", cx.slug()), "#");
        let (script, inputs) = if cx.config.bool("MAGIC_DRC_USE_GDS") {
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
        let mut session = session(cx, vec![script.section("check", include_str!("check.tcl"))])?;
        session.invocation.inputs.extend(inputs);
        session.invocation.outputs = vec![REPORT.to_owned()];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let alerts = judged(cx.config, sessions[0].log())?;
        let report = magic_drc::parse(&cx.text(&sessions[0], REPORT)?).map_err(|error| cx.unreadable(REPORT, error))?;
        let mut result = StepResult::default().metric(COUNT, report.count()).alerts(alerts);
        let rules = report.rules.iter().map(|rule| (rule.text.clone(), rule.boxes.len() as u64)).collect();
        result.alerts.extend(violations_alert("magic.drc", "design rules are violated", rules));
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
