//! `KLayout.DRC`: the PDK's deck of design rules.

use tapeout_flow::{
    Action, Completed, Failure, Input, Invocation, Session, Step, StepCx, StepInfo, StepResult, design_name,
};
use tapeout_formats::{alerts, lyrdb};
use tapeout_model::{Alert, Class};

use super::deck::{ask_version, minimum_version, misses_something, not_checked, too_old};
use super::{batch, environment};
use crate::classic::variable;
use crate::design_files::sources;
use crate::layouts::violations_alert;
use crate::values::{named_texts, value};

pub(super) struct Drc;

const REPORT: &str = "drc.lyrdb";
const COUNT: &str = "klayout__drc_error__count";

impl Step for Drc {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "KLayout.DRC",
            "Check design rules",
            "KLayout checks the layout by the deck of the PDK, `KLAYOUT_DRC_RUNSET`. The deck gets the variables `input`, \
             `report`, `topcell`, `threads`, by other names `in_gds`, `report_file` and `cell`, and those in \
             `KLAYOUT_DRC_DEFINES`. Without a deck, or with a KLayout too old for \
             it, nothing is checked, and that is said. `Checker.KLayoutDRC` judges the number of violations.",
            env!("IMPLEMENTATION"),
        )
        .about("gds")
        .measures(&[COUNT])
        .variables([design_name(), minimum_version()])
        .variables(["KLAYOUT_DRC_RUNSET", "KLAYOUT_DRC_DEFINES", "KLAYOUT_DRC_THREADS"].map(variable))
        .tools(&["klayout"])
        .action(Action::Drc)
        .sections(&[
            ("check", "Runs the deck."),
        ])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(if cx.config.opt_str("KLAYOUT_DRC_RUNSET").is_some() { vec![ask_version()] } else { Vec::new() })
    }

    fn follow_up(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<Vec<Session>, Failure> {
        let Some(deck) = cx.config.opt_str("KLAYOUT_DRC_RUNSET").map(str::to_owned) else { return Ok(Vec::new()) };
        if too_old(cx, &sessions[0]).is_some() {
            return Ok(Vec::new());
        }
        let gds = cx.view_file("gds")?;
        let (deck, mut inputs) = sources(cx, &[deck])?;
        let top = cx.config.str("DESIGN_NAME");
        let threads = cx.config.opt_int("KLAYOUT_DRC_THREADS").unwrap_or(1).to_string();
        // Decks of sky130 and of gf180mcu have the first names, those of IHP the others; none minds what it does not know.
        let own = [
            ("input", gds.path.as_str()),
            ("report", REPORT),
            ("topcell", top),
            ("threads", &threads),
            ("in_gds", &gds.path),
            ("report_file", REPORT),
            ("cell", top),
        ];
        let own = own.into_iter().chain(named_texts(value(cx.config, "KLAYOUT_DRC_DEFINES")));
        let words: Vec<String> = own.flat_map(|(name, value)| ["-rd".to_owned(), format!("{name}={value}")]).collect();
        inputs.push(Input::Output(gds));
        let invocation = Invocation {
            commands: vec![batch(&deck[0]).args(words).any_status()],
            inputs,
            optional_outputs: vec![REPORT.to_owned()],
            env: environment(),
            ..Invocation::default()
        };
        Ok(vec![Session::from(invocation).call("check", 0)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let Some(asked) = sessions.first() else {
            return Ok(not_checked("`KLAYOUT_DRC_RUNSET` is not set: the PDK has no deck for KLayout".to_owned()));
        };
        if let Some(reason) = too_old(cx, asked) {
            return Ok(not_checked(reason));
        }
        let Some(run) = sessions.get(1) else {
            return Err(Failure::new(Class::Internal, "the deck has not been run".to_owned()));
        };
        if let Some(reason) = misses_something(run.log()) {
            return Ok(not_checked(reason));
        }
        if run.status(0) != 0 || run.output(REPORT).is_none() {
            let status = run.status(0);
            let what = format!("the deck in `KLAYOUT_DRC_RUNSET` failed: KLayout exited with {status}");
            let mut failure = Failure::new(Class::Tool, what).hint("does it write to the file in `$report`?");
            failure.words = self.alerts(run.log()).into_iter().map(|alert| alert.message).collect();
            return Err(failure);
        }
        let report = lyrdb::parse(&cx.text(run, REPORT)?).map_err(|error| cx.unreadable(REPORT, error))?;
        let named = |(rule, count): (&String, &u64)| {
            let about = report.categories.get(rule).filter(|about| !about.is_empty() && *about != rule);
            (about.map_or_else(|| rule.clone(), |about| format!("{rule}: {about}")), *count)
        };
        let rules = report.counts.iter().map(named).collect();
        Ok(StepResult::default()
            .metric(COUNT, i64::try_from(report.total()).unwrap_or(i64::MAX))
            .alerts(violations_alert("klayout.drc", "design rules are violated", rules))
            .alerts(self.alerts(run.log())))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::klayout(log)
    }
}
