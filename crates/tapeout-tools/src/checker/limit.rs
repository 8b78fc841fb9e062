//! Checkers of one metric that must not be above a limit.

use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_model::{Alert, Decimal, Metric, Severity, Verdict};

use super::{off_hint, variable, warning_code};

/// A checker of a metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limit {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    /// The metric.
    pub(super) metric: &'static str,
    /// What it counts or measures, for messages: `lint errors: 3`.
    pub(super) what: &'static str,
    /// The variable that says whether a violation is an error; else it is a warning.
    pub(super) gate: &'static str,
    /// The variable with the limit; without one it is 0.
    pub(super) threshold: Option<&'static str>,
    /// Whether the flow goes on after a violation and fails at its end.
    pub(super) defers: bool,
}

impl Step for Limit {
    fn info(&self) -> StepInfo {
        let variables = [Some(self.gate), self.threshold].into_iter().flatten().map(variable);
        let info = StepInfo::new(self.id, self.name, self.doc, env!("IMPLEMENTATION"))
            .reads_metric(self.metric)
            .variables(variables);
        if self.defers { info.defers_check() } else { info }
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let limit = self.threshold.map_or(Some(0.0), |name| cx.config.opt_decimal(name).map(Decimal::to_f64));
        let metric = cx.metric(self.metric);
        Ok(self.judge(metric.as_ref(), limit, || cx.config.bool(self.gate)))
    }
}

impl Limit {
    fn judge(&self, metric: Option<&Metric>, limit: Option<f64>, is_error: impl FnOnce() -> bool) -> StepResult {
        let Some(limit) = limit else {
            return not_checked(format!("`{}` is not set", self.threshold.unwrap_or_default()));
        };
        let Some(metric) = metric else {
            return not_checked(format!("no step before it has measured `{}`", self.metric));
        };
        let value = match metric.as_f64() {
            Some(value) if !value.is_nan() => value,
            _ => return not_checked(format!("`{}` is `{metric}`, which is not a number", self.metric)),
        };
        if value <= limit {
            return StepResult::default();
        }
        let reason = match self.threshold {
            None => format!("{}: {metric}", self.what),
            Some(threshold) => format!("{} is {metric}, and `{threshold}` is {limit}", self.what),
        };
        if is_error() {
            return StepResult::default().failed(reason, Some(off_hint(self.gate)));
        }
        let (severity, code) = (Severity::Warning, warning_code(self.id));
        StepResult::default().alerts([Alert { severity, code, message: reason, count: 1 }])
    }
}

/// A result that says nothing of the design.
pub(super) fn not_checked(reason: String) -> StepResult {
    StepResult { verdict: Verdict::NotChecked { reason }, ..StepResult::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checker::limits::LIMITS;

    fn limit(id: &str) -> Limit {
        *LIMITS.iter().find(|limit| limit.id == id).unwrap()
    }

    #[test]
    fn a_count_above_zero_fails_or_is_warned_of() {
        let lint = limit("Checker.LintErrors");
        let judge = |metric: Metric, is_error| lint.judge(Some(&metric), Some(0.0), || is_error);
        assert_eq!(judge(0_i64.into(), true), StepResult::default());
        let hint = "`-c ERROR_ON_LINTER_ERRORS=false` makes it a warning".to_owned();
        assert_eq!(judge(3_i64.into(), true), StepResult::default().failed("lint errors: 3", Some(hint)));
        let warned = judge(3_i64.into(), false);
        assert_eq!((warned.verdict, warned.alerts[0].message.as_str()), (Verdict::Passed, "lint errors: 3"));
        assert_eq!(warned.alerts[0].code, "checker.lint-errors");
    }

    #[test]
    fn what_is_not_known_is_not_passed() {
        let wires = limit("Checker.WireLength");
        let reason = |metric: Option<Metric>, limit| match wires.judge(metric.as_ref(), limit, || true).verdict {
            Verdict::NotChecked { reason } => reason,
            Verdict::Failed { reason, .. } | Verdict::Broke { reason, .. } => format!("failed: {reason}"),
            Verdict::Passed => "passed".to_owned(),
        };
        assert_eq!(reason(Some(6.5.into()), None), "`WIRE_LENGTH_THRESHOLD` is not set");
        assert_eq!(reason(None, Some(5.0)), "no step before it has measured `route__wirelength__max`");
        assert_eq!(
            reason(Some(f64::NAN.into()), Some(5.0)),
            "`route__wirelength__max` is `NaN`, which is not a number"
        );
        assert_eq!(reason(Some(5.0.into()), Some(5.0)), "passed");
        let above = "failed: the length of the longest wire in µm is 6.5, and `WIRE_LENGTH_THRESHOLD` is 5";
        assert_eq!(reason(Some(6.5.into()), Some(5.0)), above);
    }
}
