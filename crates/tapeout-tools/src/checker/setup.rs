//! `Checker.SetupViolations`: does every clock reach its target?
//!
//! The targets are those of the configuration, not those that the router was made to believe: a `set_frequency` in the
//! user's constraints cannot make a missed target look met.

use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::nextpnr::{self, Report};
use tapeout_model::{Alert, Severity, Verdict};

use super::by_corner::SETUP;
use crate::icestorm::FMAX;
use crate::nextpnr::{Target, clock_variables, targets};

pub(super) struct SetupViolations;

/// How much slower than nextpnr's slowest clock icetime may be before it is worth saying.
const DISAGREEMENT: f64 = 0.9;

impl Step for SetupViolations {
    fn info(&self) -> StepInfo {
        StepInfo::new(SETUP.id, SETUP.name, SETUP.doc, env!("IMPLEMENTATION"))
            .takes("timing_report")
            .reads_metric(FMAX)
            .reads_metrics(SETUP.counts)
            .variables(clock_variables())
            // In flows without an FPGA router, which do not read them here, they are another matter.
            .yields(&["CLOCK_PORT", "CLOCK_PERIOD"])
            .variables(SETUP.variables())
            .defers_check()
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        if cx.view("timing_report").is_none() {
            let counts = cx.metrics(SETUP.counts);
            return Ok(SETUP.judge(&SETUP.patterns(cx.config), &counts));
        }
        let view = cx.view_file("timing_report")?;
        let report = nextpnr::parse(&cx.output_text(&view)?).map_err(|error| cx.unreadable(&view.path, error))?;
        let icetime = cx.metric(FMAX).and_then(|metric| metric.as_f64());
        Ok(judge(&report, &targets(cx.config), icetime))
    }
}

/// A clock as it was measured.
struct Clock {
    name: String,
    target_ns: f64,
    reached_ns: f64,
}

impl Clock {
    fn slack_ns(&self) -> f64 {
        self.target_ns - self.reached_ns
    }
}

fn judge(report: &Report, targets: &[Target], icetime_mhz: Option<f64>) -> StepResult {
    let mut clocks: Vec<Clock> = Vec::new();
    for (net, fmax) in &report.fmax {
        let name = nextpnr::clock_source(net);
        let target = targets.iter().find(|target| target.clock == name).map(|target| target.period_ns.to_f64());
        clocks.push(Clock {
            name: name.to_owned(),
            target_ns: target.unwrap_or(1e3 / fmax.constraint),
            reached_ns: 1e3 / fmax.achieved,
        });
    }
    let mut result = StepResult::default();
    for clock in &clocks {
        result = result.metric(&format!("timing__setup__ws__clock:{}", clock.name), rounded(clock.slack_ns()));
    }
    let worst = clocks.iter().map(Clock::slack_ns).fold(f64::INFINITY, f64::min);
    let missed: Vec<&Clock> = clocks.iter().filter(|clock| clock.slack_ns() < 0.0).collect();
    result = result
        .metric("timing__setup__ws", rounded(worst))
        .metric("timing__setup__wns", rounded(worst.min(0.0)))
        .metric("timing__setup_vio__count", missed.len() as i64);
    let slowest_mhz = clocks.iter().map(|clock| 1e3 / clock.reached_ns).fold(f64::INFINITY, f64::min);
    if let Some(icetime) = icetime_mhz
        && icetime < slowest_mhz * DISAGREEMENT
    {
        result.alerts.push(Alert {
            severity: Severity::Warning,
            code: "checker.icetime-disagrees".to_owned(),
            message: format!(
                "icetime finds {icetime:.2} MHz over all paths, nextpnr {slowest_mhz:.2} MHz for the slowest clock"
            ),
            count: 1,
        });
    }
    let unmeasured: Vec<&str> = (targets.iter().map(|target| target.clock.as_str()))
        .filter(|name| !clocks.iter().any(|clock| clock.name == *name))
        .collect();
    result.verdict = if !missed.is_empty() {
        let words = missed.iter().map(|clock| {
            let mhz = |ns: f64| 1e3 / ns;
            format!(
                "`{}` reaches {:.2} MHz, its target is {:.2} MHz",
                clock.name,
                mhz(clock.reached_ns),
                mhz(clock.target_ns)
            )
        });
        Verdict::Failed {
            reason: words.collect::<Vec<_>>().join("; "),
            hint: Some(
                "try other seeds (`-c PNR_SEED=2`), a longer period, or a pipeline register in the critical path, \
                which is in the timing report"
                    .to_owned(),
            ),
        }
    } else if !unmeasured.is_empty() {
        let names = unmeasured.join("`, `");
        let others = match clocks.len() {
            0 => String::new(),
            count => format!("; the clocks that have such paths ({count}) reach their targets"),
        };
        Verdict::NotChecked { reason: format!("no path between registers of the clock `{names}` was found{others}") }
    } else {
        Verdict::Passed
    };
    result
}

/// Slack to the picosecond, which is all that the router computes with.
fn rounded(ns: f64) -> f64 {
    if ns.is_finite() { (ns * 1e3).round() / 1e3 } else { ns }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(clocks: &[(&str, f64, f64)]) -> Report {
        let mut report = Report::default();
        for (net, achieved, constraint) in clocks {
            report.fmax.insert((*net).to_owned(), nextpnr::Fmax { achieved: *achieved, constraint: *constraint });
        }
        report
    }

    fn target(clock: &str, period: i64) -> Target {
        Target { clock: clock.to_owned(), period_ns: period.into() }
    }

    #[test]
    fn the_target_of_the_configuration_counts_and_not_the_one_the_router_believed() {
        let believed_easy = report(&[("clk$SB_IO_IN_$glb_clk", 50.0, 12.0)]);
        let result = judge(&believed_easy, &[target("clk", 10)], None);
        assert!(
            matches!(&result.verdict, Verdict::Failed { reason, .. }
            if reason == "`clk` reaches 50.00 MHz, its target is 100.00 MHz"),
            "{:?}",
            result.verdict
        );
        assert_eq!(result.metrics["timing__setup__ws"].as_f64(), Some(-10.0));
        assert_eq!(judge(&believed_easy, &[target("clk", 20)], None).verdict, Verdict::Passed);
    }

    #[test]
    fn clocks_are_judged_one_by_one_and_an_unmeasured_one_is_not_passed() {
        let two = report(&[("a", 100.0, 50.0), ("b", 40.0, 50.0)]);
        let result = judge(&two, &[target("a", 20)], Some(30.0));
        assert_eq!(result.metrics["timing__setup_vio__count"].as_f64(), Some(1.0));
        assert_eq!(result.alerts[0].code, "checker.icetime-disagrees");
        let none = judge(&report(&[("a", 100.0, 50.0)]), &[target("a", 20), target("gone", 20)], None);
        assert!(matches!(none.verdict, Verdict::NotChecked { .. }));
    }
}
