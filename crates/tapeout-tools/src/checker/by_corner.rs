//! Checkers of timing by corner: how many violations there are in each, and in which corners they are errors.

use std::collections::BTreeMap;

use tapeout_config::{Config, Variable};
use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_model::{Alert, Metrics, Severity};

use super::limit::not_checked;
use super::{variable, warning_code};
use crate::corners::CornerPatterns;

/// The corners of all checkers that have none of their own.
const ALL: &str = "TIMING_VIOLATION_CORNERS";

/// A checker of violations by corner.
#[derive(Clone, Copy, Debug)]
pub(super) struct Violations {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
    /// What is violated, for messages.
    pub(super) what: &'static str,
    /// What the names of the counts begin with; the corner follows.
    pub(super) counts: &'static str,
    /// The variable with the patterns of its corners.
    pub(super) corners: &'static str,
}

/// Those of the flow Classic that read nothing but the counts. Setup is checked by a step of its own, as FPGA flows
/// measure it otherwise.
pub(super) const VIOLATIONS: &[Violations] = &[
    Violations {
        id: "Checker.HoldViolations",
        name: "Check hold",
        doc: "Fails when hold is violated in a corner that counts, see `HOLD_VIOLATION_CORNERS`. In others it is a \
              warning. The flow goes on after a violation and fails at its end.",
        what: "hold",
        counts: "timing__hold_vio__count__corner:",
        corners: "HOLD_VIOLATION_CORNERS",
    },
    Violations {
        id: "Checker.MaxSlewViolations",
        name: "Check slews",
        doc: "Fails when slews are above their limits in a corner that counts, see `MAX_SLEW_VIOLATION_CORNERS`. In \
              others it is a warning. The flow goes on after a violation and fails at its end.",
        what: "maximum slew",
        counts: "design__max_slew_violation__count__corner:",
        corners: "MAX_SLEW_VIOLATION_CORNERS",
    },
    Violations {
        id: "Checker.MaxCapViolations",
        name: "Check loads",
        doc: "Fails when loads are above their limits in a corner that counts, see `MAX_CAP_VIOLATION_CORNERS`. In \
              others it is a warning. The flow goes on after a violation and fails at its end.",
        what: "maximum capacitance",
        counts: "design__max_cap_violation__count__corner:",
        corners: "MAX_CAP_VIOLATION_CORNERS",
    },
];

/// Setup, which is judged by corner only in flows without a timing report of an FPGA router.
pub(super) const SETUP: Violations = Violations {
    id: "Checker.SetupViolations",
    name: "Check timing",
    doc: "Compares what each clock reaches after routing with its target. Clocks that the configuration does not name \
          must reach the target that the router used for them. In flows without a timing report of an FPGA router, \
          setup must not be violated in a corner that counts, see `SETUP_VIOLATION_CORNERS`; in others it is a warning. \
          The flow goes on after a violation and fails at its end.",
    what: "setup",
    counts: "timing__setup_vio__count__corner:",
    corners: "SETUP_VIOLATION_CORNERS",
};

impl Step for Violations {
    fn info(&self) -> StepInfo {
        StepInfo::new(self.id, self.name, self.doc, env!("IMPLEMENTATION"))
            .reads_metrics(self.counts)
            .variables(self.variables())
            .defers_check()
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let counts = cx.metrics(self.counts);
        Ok(self.judge(&self.patterns(cx.config), &counts))
    }
}

impl Violations {
    /// The variables with the patterns. A PDK gives them; without one they need not be there.
    pub(super) fn variables(&self) -> [Variable; 2] {
        [ALL, self.corners].map(|name| variable(name).optional())
    }

    /// The corners in which a violation is an error. Where nobody has said which, it is one in all.
    pub(super) fn patterns(&self, config: &Config) -> CornerPatterns {
        let own = config.strings(self.corners);
        let given = if own.is_empty() { config.strings(ALL) } else { own };
        CornerPatterns::new(if given.is_empty() { vec!["*"] } else { given })
    }

    /// Judges counts by metrics with their whole names.
    pub(super) fn judge(&self, patterns: &CornerPatterns, counts: &Metrics) -> StepResult {
        let mut corners = BTreeMap::new();
        for (name, count) in counts {
            // What follows the corner would count something else.
            if let Some(corner) = name.strip_prefix(self.counts).filter(|corner| !corner.contains("__")) {
                corners.insert(corner, count);
            }
        }
        if corners.is_empty() {
            return not_checked(format!("no step before it has measured `{}*`", self.counts));
        }
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        for (corner, count) in &corners {
            // A count that is not a number is no pass.
            let is_met = count.as_f64().is_some_and(|count| count <= 0.0);
            if !is_met {
                let list = if patterns.mean(corner) { &mut errors } else { &mut warnings };
                list.push(format!("{corner} ({count})"));
            }
        }
        let mut result = StepResult::default();
        if !warnings.is_empty() {
            let message = format!("{} is violated in {}", self.what, warnings.join(", "));
            let code = warning_code(self.id);
            result = result.alerts([Alert { severity: Severity::Warning, code, message, count: 1 }]);
        }
        let mut reasons = Vec::new();
        if !errors.is_empty() {
            reasons.push(format!("{} is violated in {}", self.what, errors.join(", ")));
        }
        let unused = patterns.unused(corners.keys().copied());
        if !unused.is_empty() {
            let known = corners.keys().copied().collect::<Vec<_>>().join(", ");
            reasons.push(format!("`{}` stands for no corner; there are {known}", unused.join("`, `")));
        }
        if reasons.is_empty() {
            return result;
        }
        let hint = format!("`{}` has the patterns of the corners that count, else `{ALL}`", self.corners);
        result.failed(reasons.join("; "), Some(hint))
    }
}

#[cfg(test)]
mod tests {
    use tapeout_model::Verdict;

    use super::*;

    fn judge(patterns: &[&str], counts: &[(&str, i64)]) -> (Vec<String>, Verdict) {
        let metrics = counts.iter().map(|(corner, count)| (format!("{}{corner}", SETUP.counts), (*count).into()));
        let result = SETUP.judge(&CornerPatterns::new(patterns.iter().copied()), &metrics.collect());
        (result.alerts.into_iter().map(|alert| alert.message).collect(), result.verdict)
    }

    fn failed(reason: &str) -> Verdict {
        let hint =
            "`SETUP_VIOLATION_CORNERS` has the patterns of the corners that count, else `TIMING_VIOLATION_CORNERS`";
        Verdict::Failed { reason: reason.to_owned(), hint: Some(hint.to_owned()) }
    }

    #[test]
    fn corners_that_do_not_count_are_warned_of() {
        let counts = [("nom_tt", 0), ("nom_ss", 2), ("nom_ss__iter:1", 9)];
        assert_eq!(judge(&["*tt*"], &counts), (vec!["setup is violated in nom_ss (2)".to_owned()], Verdict::Passed));
        assert_eq!(judge(&["*ss"], &counts), (vec![], failed("setup is violated in nom_ss (2)")));
        assert_eq!(judge(&[""], &[("nom_tt", 1)]).1, Verdict::Passed);
        assert_eq!(judge(&["*"], &[("a", 0), ("b", 0)]), (vec![], Verdict::Passed));
    }

    #[test]
    fn a_pattern_without_a_corner_fails() {
        assert_eq!(judge(&["*", "max_*"], &[("a", 0)]).1, failed("`max_*` stands for no corner; there are a"));
        let both = "setup is violated in a (1); `max_*` stands for no corner; there are a";
        assert_eq!(judge(&["*", "max_*"], &[("a", 1)]).1, failed(both));
    }

    #[test]
    fn what_nobody_measured_is_not_passed() {
        assert!(matches!(judge(&["*"], &[]).1, Verdict::NotChecked { .. }));
        let name = format!("{}a", SETUP.counts);
        let nan = SETUP.judge(&CornerPatterns::new(["*"]), &Metrics::from([(name, f64::NAN.into())]));
        assert_eq!(nan.verdict, failed("setup is violated in a (NaN)"));
    }
}
