//! `KLayout.LVS`: the PDK's deck that compares layout and netlist down to transistors.

use tapeout_flow::{
    Action, Completed, Failure, Input, Invocation, Session, Step, StepCx, StepInfo, StepResult, Type, Variable,
    design_name,
};
use tapeout_formats::alerts;
use tapeout_model::{Alert, Class, Metric, Severity};

use super::deck::{ask_version, minimum_version, misses_something, not_checked, too_old};
use super::{batch, environment};
use crate::design_files::{sources, spice_files, spice_variables};
use crate::values::{named_texts, value};

pub(super) struct Lvs;

const REPORT: &str = "lvs.lvsdb";
const EXTRACTED: &str = "extracted.cir";
const NETLIST: &str = "netlist.cir";
const ERRORS: &str = "design__lvs_error__count";

impl Step for Lvs {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "KLayout.LVS",
            "Compare with the netlist",
            "KLayout compares the layout with the netlist by the deck of the PDK, `KLAYOUT_LVS_SCRIPT`. The deck gets the \
             variables `input`, `schematic`, `report`, `topcell`, `target_netlist` and those in `KLAYOUT_LVS_OPTIONS`. \
             Without a deck, or with a KLayout too old for it, nothing is compared, and that is said. What another tool has \
             found before stays in the number of differences.",
            env!("IMPLEMENTATION"),
        )
        .about("gds")
        .takes("cdl")
        .reads_metric(ERRORS)
        .measures(&[ERRORS])
        .variables([
            design_name(),
            minimum_version(),
            Variable::new("KLAYOUT_LVS_SCRIPT", Type::Path, "KLayout's script that compares layout and netlist.")
                .optional()
                .from_pdk(),
            Variable::new(
                "KLAYOUT_LVS_OPTIONS",
                Type::map(Type::Str),
                "Variables for KLayout's script that compares layout and netlist. Which there are depends on the PDK.",
            )
            .optional()
            .from_pdk(),
        ])
        .variables(spice_variables())
        .tools(&["klayout"])
        .action(Action::Lvs)
        .sections(&[
            ("compare", "Runs the deck."),
        ])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(if cx.config.opt_str("KLAYOUT_LVS_SCRIPT").is_some() { vec![ask_version()] } else { Vec::new() })
    }

    fn follow_up(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<Vec<Session>, Failure> {
        let Some(deck) = cx.config.opt_str("KLAYOUT_LVS_SCRIPT").map(str::to_owned) else { return Ok(Vec::new()) };
        if too_old(cx, &sessions[0]).is_some() {
            return Ok(Vec::new());
        }
        let (gds, netlist) = (cx.view_file("gds")?, cx.view_file("cdl")?);
        let (deck, mut inputs) = sources(cx, &[deck])?;
        let (models, more) = sources(cx, &spice_files(cx.config))?;
        inputs.extend(more);
        // KLayout's reader takes a path without quotes to end at a dash.
        let include = |path: &String| format!(".include \"{path}\"\n");
        let text = format!("* Netlist\n{}{}", models.iter().map(include).collect::<String>(), include(&netlist.path));
        inputs.push(Input::Text { name: NETLIST.to_owned(), text });
        let mut options = vec![
            ("input".to_owned(), gds.path.clone()),
            ("schematic".to_owned(), NETLIST.to_owned()),
            ("report".to_owned(), REPORT.to_owned()),
            ("topcell".to_owned(), cx.config.str("DESIGN_NAME").to_owned()),
            ("target_netlist".to_owned(), EXTRACTED.to_owned()),
        ];
        let more = named_texts(value(cx.config, "KLAYOUT_LVS_OPTIONS")).into_iter();
        options.extend(more.map(|(name, text)| (name.to_owned(), text.to_owned())));
        inputs.extend([Input::Output(gds), Input::Output(netlist)]);
        let words = options.into_iter().flat_map(|(name, value)| ["-rd".to_owned(), format!("{name}={value}")]);
        let invocation = Invocation {
            commands: vec![batch(&deck[0]).args(words).any_status()],
            inputs,
            optional_outputs: vec![REPORT.to_owned(), EXTRACTED.to_owned()],
            env: environment(),
            ..Invocation::default()
        };
        Ok(vec![Session::from(invocation).call("compare", 0)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let mut result = self.compared(cx, sessions)?;
        // A checker asks the last step that measures: what Netgen has found must not be lost here.
        if let Some(before) = cx.metric(ERRORS).and_then(|metric| metric.as_f64()) {
            let own = result.metrics.get(ERRORS).and_then(Metric::as_f64).unwrap_or_default();
            result = result.metric(ERRORS, (before + own) as i64);
        }
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::klayout(log)
    }
}

impl Lvs {
    fn compared(&self, cx: &StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let Some(asked) = sessions.first() else {
            return Ok(not_checked("`KLAYOUT_LVS_SCRIPT` is not set: the PDK has no deck for KLayout".to_owned()));
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
        let Some(matches) = says(run.log()).filter(|_| run.output(REPORT).is_some()) else {
            let status = run.status(0);
            let what = format!(
                "the deck in `KLAYOUT_LVS_SCRIPT` does not say whether the netlists match; KLayout exited with {status}"
            );
            let mut failure = Failure::new(Class::Tool, what);
            failure.words = self.alerts(run.log()).into_iter().map(|alert| alert.message).collect();
            return Err(failure);
        };
        let mut result = StepResult::default().metric(ERRORS, i64::from(!matches)).alerts(self.alerts(run.log()));
        if !matches {
            result.alerts.push(Alert {
                severity: Severity::Warning,
                code: "klayout.lvs".to_owned(),
                message: format!(
                    "layout and netlist do not match; `{REPORT}` has the differences, for KLayout's window"
                ),
                count: 1,
            });
        }
        Ok(result)
    }
}

/// Whether the netlists match, in the words of the deck. Decks print what KLayout's own `compare` says.
fn says(log: &str) -> Option<bool> {
    log.lines().rev().find_map(|line| {
        let line = line.to_ascii_lowercase();
        if line.contains("netlists don't match") || line.contains("netlists do not match") {
            Some(false)
        } else if line.contains("netlists match") {
            Some(true)
        } else {
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_deck_says() {
        assert_eq!(says("INFO : Congratulations! Netlists match.\n"), Some(true));
        assert_eq!(says("ERROR : Netlists don't match\nend"), Some(false));
        assert_eq!(says("error: no such layer"), None);
    }
}
