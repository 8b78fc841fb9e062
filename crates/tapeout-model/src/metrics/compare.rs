//! Two sets of metrics side by side: what has changed, by how much, and whether for the better.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{Filter, Metric, MetricName, Metrics, Preference, Tolerances, significant};
use crate::Decimal;

/// One metric in two sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Its name.
    pub name: String,
    /// What it was, if it was measured.
    pub before: Option<Metric>,
    /// What it is, if it is measured.
    pub after: Option<Metric>,
    /// What that means.
    pub change: Change,
    /// Whether a worse value is likely to be a chip that does not work.
    pub critical: bool,
}

/// How a metric has changed. The order is that of attention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// For the worse.
    Worse,
    /// It is not measured any more.
    Gone,
    /// It was not measured before.
    New,
    /// For the better.
    Better,
    /// It is another one, and neither is better.
    Other,
    /// It is the same.
    Same,
}

/// Which differences are shown; each more than the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Show {
    /// Nothing.
    None,
    /// Critical metrics that became worse, or are not measured any more: what fails a comparison at the least.
    Critical,
    /// All metrics that became worse.
    Worse,
    /// All that is not the same.
    Changed,
    /// All metrics.
    All,
}

/// Compares the metrics that the filter allows, those that need attention first.
#[must_use]
pub fn compared(before: &Metrics, after: &Metrics, filter: &Filter) -> Vec<Difference> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).filter(|name| filter.allows(name)).collect();
    let mut differences: Vec<Difference> = names
        .into_iter()
        .map(|name| Difference::new(name, before.get(name).cloned(), after.get(name).cloned()))
        .collect();
    // A stable sort: names stay in order.
    differences.sort_by_key(|difference| (difference.change, !difference.critical));
    differences
}

impl Difference {
    /// Compares two values of a metric.
    #[must_use]
    pub fn new(name: &str, before: Option<Metric>, after: Option<Metric>) -> Self {
        let parsed = MetricName::new(name);
        let critical = parsed.known().is_some_and(|known| known.critical);
        let change = match (&before, &after) {
            (Some(before), Some(after)) => changed(before, after, parsed.preference()),
            (Some(_), None) => Change::Gone,
            // Of a critical metric all is well at zero, so that a first value that is worse than that is news.
            (None, Some(after)) if critical => match changed(&Metric::Int(0), after, parsed.preference()) {
                Change::Worse => Change::Worse,
                _ => Change::New,
            },
            (None, Some(_)) => Change::New,
            (None, None) => Change::Same,
        };
        Self { name: name.to_owned(), before, after, change, critical }
    }

    fn numbers(&self) -> Option<(Decimal, Decimal)> {
        Some((self.before.as_ref()?.to_decimal()?, self.after.as_ref()?.to_decimal()?))
    }

    /// By how much the metric has changed, if it is a number in both. NaN where that is not known.
    #[must_use]
    pub fn delta(&self) -> Option<Decimal> {
        let (before, after) = self.numbers()?;
        // The difference of two infinities is none if they are the same.
        Some(if before == after { Decimal::ZERO } else { after - before })
    }

    /// The same in percent of the former value; `None` where that is zero or infinite, unless nothing has changed.
    #[must_use]
    pub fn percent(&self) -> Option<Decimal> {
        let (before, _) = self.numbers()?;
        let delta = self.delta()?;
        if delta.is_zero() {
            return Some(Decimal::ZERO);
        }
        let size = if before < Decimal::ZERO { -before } else { before };
        Some(delta * Decimal::from(100) / size).filter(|percent| percent.is_finite() && size.is_finite())
    }

    /// Whether it has become worse by more than is tolerated. What was not measured before, is measured from zero.
    #[must_use]
    pub fn is_regression(&self, tolerances: &Tolerances) -> bool {
        if self.change != Change::Worse {
            return false;
        }
        let from_zero = || Some((Decimal::ZERO, self.after.as_ref()?.to_decimal()?));
        let changed = self.numbers().map(|(before, _)| before).zip(self.delta()).or_else(from_zero);
        changed.is_some_and(|(before, delta)| tolerances.of(&self.name).is_exceeded(before, delta))
    }

    /// Whether a metric by which a chip may be told not to work is not measured any more: nobody knows then.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.critical && self.change == Change::Gone
    }

    /// Whether it is one of those that are shown.
    #[must_use]
    pub fn is_shown(&self, show: Show) -> bool {
        let least = match self.change {
            Change::Worse | Change::Gone if self.critical => Show::Critical,
            Change::Worse => Show::Worse,
            Change::Gone | Change::New | Change::Better | Change::Other => Show::Changed,
            Change::Same => Show::All,
        };
        least <= show
    }

    /// The change for people: `-4.150 (-4.926%)`, to so many significant figures, those of counts with all digits; empty
    /// where it is no number.
    #[must_use]
    pub fn delta_text(&self, figures: usize) -> String {
        let Some(delta) = self.delta().filter(|delta| !delta.is_nan()) else { return String::new() };
        let sign = if delta > Decimal::ZERO { "+" } else { "" };
        let counts = matches!((&self.before, &self.after), (Some(Metric::Int(_)), Some(Metric::Int(_))));
        let number = if counts { delta.to_string() } else { significant(delta.to_f64(), figures) };
        match self.percent() {
            Some(percent) => format!("{number} ({sign}{}%)", significant(percent.to_f64(), figures)),
            None => number,
        }
    }
}

fn changed(before: &Metric, after: &Metric, preference: Option<Preference>) -> Change {
    let (Some(old), Some(new)) = (before.to_decimal(), after.to_decimal()) else {
        return if before == after { Change::Same } else { Change::Other };
    };
    match (new.cmp(&old), preference) {
        (Ordering::Equal, _) => Change::Same,
        // Nobody can tell.
        _ if new.is_nan() || old.is_nan() => Change::Other,
        (Ordering::Greater, Some(Preference::Higher)) | (Ordering::Less, Some(Preference::Lower)) => Change::Better,
        (_, Some(_)) => Change::Worse,
        (_, None) => Change::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(name: &str, before: impl Into<Metric>, after: impl Into<Metric>) -> Difference {
        Difference::new(name, Some(before.into()), Some(after.into()))
    }

    fn change(name: &str, before: impl Into<Metric>, after: impl Into<Metric>) -> Change {
        difference(name, before, after).change
    }

    #[test]
    fn the_known_direction_says_what_is_better() {
        assert_eq!(change("design__instance__area", 100_i64, 90_i64), Change::Better);
        assert_eq!(change("design__instance__area", 100_i64, 110_i64), Change::Worse);
        assert_eq!(change("timing__setup__ws__corner:a", 1.0, 2.0), Change::Better);
        assert_eq!(change("timing__setup__ws", 1.0, f64::INFINITY), Change::Better);
        assert_eq!(change("timing__setup__ws", f64::NAN, 1.0), Change::Other);
        assert_eq!(change("timing__setup__ws", f64::NAN, f64::NAN), Change::Same);
        assert_eq!(change("timing__setup__ws", 1_i64, 1.0), Change::Same);
        assert_eq!(change("design__instance__count__cell:SB_LUT4", 1_i64, 2_i64), Change::Other);
        assert_eq!(change("foo__bar", 1_i64, 2_i64), Change::Other);
        assert_eq!(change("foo__bar", "a", "b"), Change::Other);
        assert_eq!(change("power__total", "a", 1_i64), Change::Other);
        assert_eq!(Difference::new("a", Some(1_i64.into()), None).change, Change::Gone);
        assert_eq!(Difference::new("a", None, Some(1_i64.into())).change, Change::New);
    }

    #[test]
    fn a_violation_that_nobody_looked_for_before_is_worse_than_none() {
        let new = |name: &str, after: Metric| Difference::new(name, None, Some(after));
        let found = new("timing__hold_vio__count", 5_i64.into());
        assert_eq!((found.change, found.is_shown(Show::Critical), found.delta()), (Change::Worse, true, None));
        assert_eq!(new("timing__hold_vio__count", 0_i64.into()).change, Change::New);
        assert_eq!(new("timing__hold__wns", (-0.5).into()).change, Change::Worse);
        assert_eq!(new("timing__hold__wns", 0.0.into()).change, Change::New);
        assert_eq!(new("design__max_cap_violation__count", 5_i64.into()).change, Change::New, "it is not critical");
        let is_regression = |tolerance: &str| {
            let mut tolerances = Tolerances::default();
            tolerances.add(tolerance).unwrap();
            found.is_regression(&tolerances)
        };
        assert!(is_regression("50%") && is_regression("timing__hold*=4") && !is_regression("timing__hold*=5"));
        let gone = |name: &str| Difference::new(name, Some(0_i64.into()), None).is_lost();
        assert!(gone("design__lvs_error__count") && !gone("design__die__area") && !found.is_lost());
    }

    #[test]
    fn changes_are_told_exactly_and_relative_to_what_was() {
        let text = |before: Metric, after: Metric| difference("power__total", before, after).delta_text(4);
        assert_eq!(text(100_i64.into(), 90_i64.into()), "-10 (-10.00%)");
        assert_eq!(text(0.5.into(), 0.25.into()), "-0.2500 (-50.00%)");
        assert_eq!(text(0.3.into(), 0.1.into()), "-0.2000 (-66.67%)");
        assert_eq!(text(2.0e-9.into(), 2.6e-9.into()), "6.000e-10 (+30.00%)");
        assert_eq!(text((-2_i64).into(), (-1_i64).into()), "1 (+50.00%)");
        assert_eq!(text(0_i64.into(), 1_i64.into()), "1");
        assert_eq!(text(5_i64.into(), 5_i64.into()), "0 (0%)");
        assert_eq!(text(f64::INFINITY.into(), f64::INFINITY.into()), "0 (0%)");
        assert_eq!(text(f64::INFINITY.into(), 3.0.into()), "-Infinity");
        assert_eq!(text(1.0.into(), f64::NAN.into()), "");
        assert_eq!(text("a".into(), 3.0.into()), "");
    }

    #[test]
    fn attention_goes_to_what_became_worse_and_critical_first() {
        let metrics = |entries: &[(&str, i64)]| -> Metrics {
            entries.iter().map(|(name, value)| ((*name).to_owned(), Metric::Int(*value))).collect()
        };
        let before = metrics(&[
            ("design__die__area", 1),
            ("design__lvs_error__count", 0),
            ("foo", 1),
            ("magic__drc_error__count", 3),
            ("power__total", 5),
            ("timing__setup_vio__count", 0),
        ]);
        let after = metrics(&[
            ("bar", 1),
            ("design__die__area", 1),
            ("foo", 2),
            ("magic__drc_error__count", 1),
            ("power__total", 6),
            ("timing__setup_vio__count", 1),
        ]);
        let all = compared(&before, &after, &Filter::new(["*"]).unwrap());
        let shown = |show| {
            let shown = all.iter().filter(|difference| difference.is_shown(show));
            shown.map(|difference| difference.name.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(
            shown(Show::All),
            [
                "timing__setup_vio__count",
                "power__total",
                "design__lvs_error__count",
                "bar",
                "magic__drc_error__count",
                "foo",
                "design__die__area"
            ]
        );
        assert_eq!(shown(Show::Changed).len(), 6);
        assert_eq!(shown(Show::Worse), ["timing__setup_vio__count", "power__total", "design__lvs_error__count"]);
        assert_eq!(shown(Show::Critical), ["timing__setup_vio__count", "design__lvs_error__count"]);
        assert!(shown(Show::None).is_empty());
        let none = compared(&before, &after, &Filter::new(["!foo"]).unwrap());
        assert!(none.is_empty());
    }

    #[test]
    fn a_regression_is_worse_by_more_than_is_tolerated() {
        let mut tolerances = Tolerances::default();
        tolerances.add("5%").unwrap();
        let is_regression =
            |before: f64, after: f64| difference("timing__fmax__clock:clk", before, after).is_regression(&tolerances);
        assert!(!is_regression(100.0, 95.0) && is_regression(100.0, 94.9) && !is_regression(94.0, 100.0));
        assert!(!Difference::new("timing__setup__wns", Some(0.0.into()), None).is_regression(&tolerances));
        assert!(difference("timing__setup__ws", f64::INFINITY, 1.0).is_regression(&tolerances));
    }
}
