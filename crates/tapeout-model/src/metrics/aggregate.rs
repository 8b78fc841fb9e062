//! Totals of what is measured per corner, clock or the like.

use std::collections::{BTreeMap, BTreeSet};

use super::known::Aggregation;
use super::{Metric, MetricName, Metrics};
use crate::Decimal;

/// The metrics with the total of every prefix of modifiers: of `power__total__corner:a__mode:x`, those of
/// `power__total__corner:a` and of `power__total`.
///
/// Only what the table of known metrics has an aggregation for gets totals, and only of numbers. A total that is given
/// beside its parts is made anew, and is no part itself. To do it twice is to do it once.
#[must_use]
pub fn aggregated(metrics: &Metrics) -> Metrics {
    let parts: Vec<(MetricName<'_>, Aggregation, &Metric)> = metrics.iter().filter_map(part).collect();
    let totals: BTreeSet<String> = parts.iter().flat_map(|(name, ..)| name.totals()).collect();
    let mut sums: BTreeMap<String, Total> = BTreeMap::new();
    for (name, aggregation, metric) in parts.iter().filter(|(name, ..)| !totals.contains(&name.to_string())) {
        let Some(value) = metric.to_decimal() else { continue };
        let counts = matches!(metric, Metric::Int(_));
        for total in name.totals() {
            sums.entry(total)
                .and_modify(|total| total.add(*aggregation, value, counts))
                .or_insert(Total { value, counts });
        }
    }
    let mut metrics = metrics.clone();
    metrics.extend(sums.into_iter().map(|(name, total)| (name, total.into())));
    metrics
}

/// The metric, if it is a part of totals.
fn part<'a>((name, metric): (&'a String, &'a Metric)) -> Option<(MetricName<'a>, Aggregation, &'a Metric)> {
    let name = MetricName::new(name);
    let known = name.known()?;
    let stands_apart = name.modifiers().iter().any(|(modifier, _)| known.apart.contains(modifier));
    let is_part = !name.modifiers().is_empty() && !stands_apart && metric.to_decimal().is_some();
    Some((name, known.aggregation?, metric)).filter(|_| is_part)
}

/// The parts of a total so far.
struct Total {
    value: Decimal,
    /// Whether all of them are counts.
    counts: bool,
}

impl Total {
    fn add(&mut self, aggregation: Aggregation, value: Decimal, counts: bool) {
        self.counts &= counts;
        self.value = match aggregation {
            // What is not known of a part is not known of the total.
            _ if self.value.is_nan() || value.is_nan() => return self.value = self.value.max(value),
            Aggregation::Sum => self.value + value,
            Aggregation::Min => self.value.min(value),
            Aggregation::Max => self.value.max(value),
        };
    }
}

impl From<Total> for Metric {
    fn from(total: Total) -> Self {
        match total.value.to_i64().filter(|_| total.counts) {
            Some(count) => Self::Int(count),
            None => Self::Float(total.value.to_f64()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn metrics(entries: &[(&str, Metric)]) -> Metrics {
        entries.iter().map(|(name, metric)| ((*name).to_owned(), metric.clone())).collect()
    }

    /// The total of a metric whose parts are these.
    fn total(base: &str, parts: &[Metric]) -> Option<Metric> {
        let parts = parts.iter().enumerate().map(|(n, metric)| (format!("{base}__corner:{n}"), metric.clone()));
        aggregated(&parts.collect()).remove(base)
    }

    #[test]
    fn totals_are_sums_or_the_worst() {
        let int = Metric::Int;
        let float = Metric::Float;
        assert_eq!(total("timing__hold_vio__count", &[int(2), int(3)]), Some(int(5)));
        assert_eq!(total("design__max_slew_violation__count", &[int(4), int(9)]), Some(int(9)));
        assert_eq!(total("timing__hold__ws", &[float(0.5), float(-0.1)]), Some(float(-0.1)));
        // Zero is a value like others.
        assert_eq!(total("timing__hold__wns", &[int(0), int(5)]), Some(int(0)));
        // No artefacts of binary numbers.
        assert_eq!(total("power__total", &[float(0.1), float(0.2)]), Some(float(0.3)));
        assert_eq!(total("power__total", &[float(0.5), int(2)]), Some(float(2.5)));
        assert_eq!(total("timing__hold__ws", &[float(f64::INFINITY), float(1.0)]), Some(float(1.0)));
        assert_eq!(
            total("timing__hold_vio__count", &[int(i64::MAX), int(1)]),
            Some(float(9_223_372_036_854_775_808.0))
        );
        let unknown = total("timing__hold__ws", &[float(f64::NAN), float(1.0)]);
        assert!(matches!(unknown, Some(Metric::Float(x)) if x.is_nan()));
    }

    #[test]
    fn what_has_no_total_gets_none() {
        assert_eq!(total("foo__bar", &[Metric::Int(1)]), None);
        assert_eq!(total("design__instance__count", &[Metric::Int(1)]), None);
        assert_eq!(total("power__total", &["high".into()]), None);
        let iterations = metrics(&[("route__drc_errors__iter:1", 7_i64.into()), ("route__drc_errors", 2_i64.into())]);
        assert_eq!(aggregated(&iterations), iterations);
    }

    #[test]
    fn every_prefix_has_a_total_and_a_total_is_no_part() {
        let given = metrics(&[
            ("power__total", Metric::Int(100)),
            ("power__total__corner:a", Metric::Int(3)),
            ("power__total__corner:a__mode:x", Metric::Int(1)),
            ("power__total__corner:a__mode:y", Metric::Int(2)),
            ("power__total__corner:b__mode:x", Metric::Int(4)),
        ]);
        let totals = metrics(&[
            ("power__total", Metric::Int(7)),
            ("power__total__corner:a", Metric::Int(3)),
            ("power__total__corner:b", Metric::Int(4)),
        ]);
        let mut expected = given.clone();
        expected.extend(totals);
        assert_eq!(aggregated(&given), expected);
    }

    fn some_metrics() -> impl Strategy<Value = Metrics> {
        let name = "(timing__hold_vio__count|power__total)(__c:[ab])?(__m:[xy])?";
        let value = prop_oneof![any::<i32>().prop_map(|n| Metric::Int(n.into())), (-1e6..1e6).prop_map(Metric::Float),];
        prop::collection::btree_map(name, value, 0..12)
    }

    proptest! {
        #[test]
        fn twice_is_once(metrics in some_metrics()) {
            let once = aggregated(&metrics);
            prop_assert_eq!(aggregated(&once), once);
        }
    }
}
