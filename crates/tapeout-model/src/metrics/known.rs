//! The metrics that are known: what their steps measure is named as METRICS2.1, OpenLane and our own tools name it.
//! Owns the table, and nothing of what is done by it.

/// What is known of a metric, whatever its modifiers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnownMetric {
    /// The base of its name.
    pub name: &'static str,
    /// How a total is made of what is measured per corner, clock or the like. `None` where there is no sense in it, or
    /// where the tools measure the total themselves.
    pub aggregation: Option<Aggregation>,
    /// Which of two values is the better one; `None` where neither is.
    pub preference: Option<Preference>,
    /// Whether a worse value is likely to be a chip that does not work.
    pub critical: bool,
    /// Modifiers whose values are no parts of a total: the values of iterations follow each other.
    pub apart: &'static [&'static str],
    /// The unit; `None` for counts and fractions.
    pub unit: Option<&'static str>,
}

/// How a total is made of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregation {
    /// All together.
    Sum,
    /// The smallest.
    Min,
    /// The largest.
    Max,
}

/// Which of two values is the better one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preference {
    /// The larger one.
    Higher,
    /// The smaller one.
    Lower,
}

impl KnownMetric {
    const fn new(name: &'static str, preference: Option<Preference>) -> Self {
        Self { name, aggregation: None, preference, critical: false, apart: &[], unit: None }
    }

    const fn sum(self) -> Self {
        Self { aggregation: Some(Aggregation::Sum), ..self }
    }

    const fn min(self) -> Self {
        Self { aggregation: Some(Aggregation::Min), ..self }
    }

    const fn max(self) -> Self {
        Self { aggregation: Some(Aggregation::Max), ..self }
    }

    const fn critical(self) -> Self {
        Self { critical: true, ..self }
    }

    const fn by_iteration(self) -> Self {
        Self { apart: &["iter"], ..self }
    }

    const fn unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }
}

const fn lower(name: &'static str) -> KnownMetric {
    KnownMetric::new(name, Some(Preference::Lower))
}

const fn higher(name: &'static str) -> KnownMetric {
    KnownMetric::new(name, Some(Preference::Higher))
}

/// All metrics of which something is known, by subject.
pub const KNOWN_METRICS: &[KnownMetric] = &[
    // Size.
    lower("design__core__area").unit("µm²"),
    lower("design__die__area").unit("µm²"),
    lower("design__instance__area").unit("µm²"),
    lower("design__instance__count"),
    higher("design__instance__utilization"),
    KnownMetric::new("bitstream__size", None).unit("bytes"),
    // Timing. Slacks and skews are in ns; a negative slack is a violation.
    higher("timing__fmax").min().unit("MHz"),
    higher("timing__icetime__fmax").min().unit("MHz"),
    higher("timing__setup__ws").min().unit("ns"),
    higher("timing__setup__wns").min().critical().unit("ns"),
    higher("timing__setup__tns").min().critical().unit("ns"),
    higher("timing__setup_r2r__ws").min().unit("ns"),
    lower("timing__setup_vio__count").sum().critical(),
    lower("timing__setup_r2r_vio__count").sum().critical(),
    higher("timing__hold__ws").min().unit("ns"),
    higher("timing__hold__wns").min().critical().unit("ns"),
    higher("timing__hold__tns").min().critical().unit("ns"),
    higher("timing__hold_r2r__ws").min().unit("ns"),
    lower("timing__hold_vio__count").sum().critical(),
    lower("timing__hold_r2r_vio__count").sum().critical(),
    // Of the longest path, before it is placed.
    lower("timing__delay__estimate").unit("ns"),
    lower("timing__unannotated_net__count").max(),
    lower("timing__incomplete_net__count").sum(),
    lower("timing__unannotated_net_filtered__count").max(),
    // Signed: the skew that hurts hold is positive, the one that hurts setup negative.
    lower("clock__skew__worst_hold").max().unit("ns"),
    higher("clock__skew__worst_setup").min().unit("ns"),
    // Power and supply.
    lower("power__internal__total").sum().unit("W"),
    lower("power__leakage__total").sum().unit("W"),
    lower("power__switching__total").sum().unit("W"),
    lower("power__total").sum().unit("W"),
    lower("ir__drop__avg").unit("V"),
    lower("ir__drop__worst").max().unit("V"),
    higher("ir__voltage__worst").min().unit("V"),
    lower("design_powergrid__drop__average").unit("V"),
    lower("design_powergrid__drop__worst").max().unit("V"),
    higher("design_powergrid__voltage__worst").min().unit("V"),
    lower("design__power_grid_violation__count").sum().critical(),
    // Electrical limits, of which each corner sees the same nets.
    lower("design__max_slew_violation__count").max(),
    lower("design__max_fanout_violation__count").max(),
    lower("design__max_cap_violation__count").max(),
    // Placement and routing.
    lower("design__instance__displacement__max").max().unit("µm"),
    lower("design__instance__displacement__total").sum().unit("µm"),
    lower("route__wirelength").sum().by_iteration().unit("µm"),
    lower("route__wirelength__estimated").sum().by_iteration().unit("µm"),
    lower("route__wirelength__max").max().by_iteration().unit("µm"),
    lower("route__vias").sum(),
    lower("route__net__failed__count").sum().critical(),
    lower("route__antenna_violation__count").sum().by_iteration(),
    lower("route__drc_errors").sum().by_iteration().critical(),
    lower("antenna__violating__nets").sum(),
    lower("antenna__violating__pins").sum(),
    // The source and its synthesis.
    lower("design__lint_error__count").sum().critical(),
    lower("design__lint_warning__count").sum(),
    lower("design__lint_timing_construct__count").sum(),
    lower("design__inferred_latch__count").sum(),
    lower("design__instance_unmapped__count").sum().critical(),
    lower("synthesis__check_error__count").sum().critical(),
    // Sign-off.
    lower("design__violations").sum(),
    lower("design__disconnected_pin__count").sum().critical(),
    lower("design__critical_disconnected_pin__count").sum().critical(),
    // Kinds of cells whose layouts are not there.
    lower("design__gds__abstract_cells"),
    lower("design__xor_difference__count").sum().critical(),
    lower("magic__drc_error__count").sum().critical(),
    lower("magic__illegal_overlap__count").sum().critical(),
    lower("klayout__drc_error__count").sum().critical(),
    lower("klayout__antenna_error__count").sum().critical(),
    lower("klayout__density_error__count").sum().critical(),
    lower("design__lvs_error__count").sum().critical(),
    lower("design__lvs_device_difference__count").sum().critical(),
    lower("design__lvs_net_difference__count").sum().critical(),
    lower("design__lvs_property_fail__count").sum().critical(),
    lower("design__lvs_unmatched_device__count").sum().critical(),
    lower("design__lvs_unmatched_net__count").sum().critical(),
    lower("design__lvs_unmatched_pin__count").sum().critical(),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::MetricName;

    #[test]
    fn each_known_metric_is_a_base_and_stands_once() {
        let names: BTreeSet<&str> = KNOWN_METRICS.iter().map(|known| known.name).collect();
        assert_eq!(names.len(), KNOWN_METRICS.len());
        assert!(names.iter().all(|name| MetricName::new(name).modifiers().is_empty()));
    }

    #[test]
    fn the_worst_of_the_parts_is_the_total_where_it_is_one_of_them() {
        for known in KNOWN_METRICS {
            match known.aggregation {
                Some(Aggregation::Min) => assert_eq!(known.preference, Some(Preference::Higher), "{}", known.name),
                Some(Aggregation::Max) => assert_eq!(known.preference, Some(Preference::Lower), "{}", known.name),
                Some(Aggregation::Sum) | None => {}
            }
        }
    }
}
