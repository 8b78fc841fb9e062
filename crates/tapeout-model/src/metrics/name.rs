//! Names of metrics: their parts, and what is known by them.

use std::fmt;

use super::known::{KNOWN_METRICS, KnownMetric, Preference};

/// A METRICS2.1 name: a base such as `timing__setup__ws`, and modifiers `name:value` behind it, as in
/// `timing__setup__ws__corner:nom_tt_025C_1v80`. The parts of both are joined by `__`.
///
/// Every text is a name. The first part belongs to the base; the modifiers begin at the first later part with a colon.
/// A part without a colon behind that belongs to the value before it: tools name cells `$__ICE40_CARRY_WRAPPER`.
///
/// ```
/// use tapeout_model::MetricName;
///
/// let name = MetricName::new("design__instance__count__cell:$__ABC9_LUT");
/// assert_eq!(name.base(), "design__instance__count");
/// assert_eq!(name.modifiers(), [("cell", "$__ABC9_LUT")]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricName<'a> {
    base: &'a str,
    modifiers: Vec<(&'a str, &'a str)>,
}

const JOINT: &str = "__";

/// Modifiers that name one kind of what a total counts: more of it may be less of another, and neither is better.
const KINDS: [&str; 3] = ["bel", "cell", "class"];

impl<'a> MetricName<'a> {
    /// Takes a name apart.
    #[must_use]
    pub fn new(name: &'a str) -> Self {
        let end_of_first = name.find(JOINT).unwrap_or(name.len());
        let mut base_end = name.len();
        let mut starts = Vec::new();
        for (at, _) in name.match_indices(JOINT).filter(|(at, _)| *at >= end_of_first) {
            let part = &name[at + JOINT.len()..];
            let part = &part[..part.find(JOINT).unwrap_or(part.len())];
            if part.contains(':') {
                base_end = base_end.min(at);
                starts.push(at + JOINT.len());
            }
        }
        let ends = starts.iter().skip(1).map(|start| start - JOINT.len()).chain([name.len()]);
        let modifiers = starts.iter().zip(ends).filter_map(|(start, end)| name[*start..end].split_once(':')).collect();
        Self { base: &name[..base_end], modifiers }
    }

    /// The name without modifiers.
    #[must_use]
    pub fn base(&self) -> &'a str {
        self.base
    }

    /// The modifiers in the order of writing.
    #[must_use]
    pub fn modifiers(&self) -> &[(&'a str, &'a str)] {
        &self.modifiers
    }

    /// What is known of the metric, whatever its modifiers are.
    #[must_use]
    pub fn known(&self) -> Option<&'static KnownMetric> {
        KNOWN_METRICS.iter().find(|known| known.name == self.base)
    }

    /// Which of two values is the better one, if that is known. It is not where a modifier names one kind of what a
    /// total counts, as `cell:SB_LUT4` does.
    #[must_use]
    pub fn preference(&self) -> Option<Preference> {
        let of_a_kind = self.modifiers.iter().any(|(modifier, _)| KINDS.contains(modifier));
        self.known().and_then(|known| known.preference).filter(|_| !of_a_kind)
    }

    /// The names of the totals that this one is a part of, from the base on: one modifier more each time.
    pub(super) fn totals(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.modifiers.len())
            .map(|kept| Self { base: self.base, modifiers: self.modifiers[..kept].to_vec() }.to_string())
    }
}

impl fmt::Display for MetricName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.base)?;
        self.modifiers.iter().try_for_each(|(name, value)| write!(f, "{JOINT}{name}:{value}"))
    }
}

/// The unit in which a metric is measured, by its name; `None` for counts, names, and what is not known.
#[must_use]
pub fn unit_of(metric: &str) -> Option<&'static str> {
    MetricName::new(metric).known()?.unit
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn modifiers_begin_at_the_first_colon_and_names_print_as_they_were_written() {
        type Modifiers = &'static [(&'static str, &'static str)];
        let cases: [(&str, &str, Modifiers); 8] = [
            ("a__b__c", "a__b__c", &[]),
            ("a__b__etc:etc:etc", "a__b", &[("etc", "etc:etc")]),
            ("power__total__corner:a__mode:x", "power__total", &[("corner", "a"), ("mode", "x")]),
            ("timing__fmax__clock:u__clk", "timing__fmax", &[("clock", "u__clk")]),
            ("a__count__cell:$__X__iter:2", "a__count", &[("cell", "$__X"), ("iter", "2")]),
            ("clk:1__b", "clk:1__b", &[]),
            ("a__b:", "a", &[("b", "")]),
            ("", "", &[]),
        ];
        for (text, base, modifiers) in cases {
            let name = MetricName::new(text);
            assert_eq!((name.base(), name.modifiers()), (base, modifiers), "{text}");
            assert_eq!(name.to_string(), text);
        }
    }

    #[test]
    fn units_follow_from_names() {
        assert_eq!(unit_of("timing__fmax__clock:clk"), Some("MHz"));
        assert_eq!(unit_of("timing__setup__ws__clock:ws"), Some("ns"));
        assert_eq!(unit_of("timing__setup_vio__count"), None);
        assert_eq!(unit_of("design__instance__count__cell:fmax"), None);
        assert_eq!(unit_of("bitstream__size"), Some("bytes"));
    }

    #[test]
    fn of_one_kind_neither_more_nor_less_is_better() {
        let preference = |name| MetricName::new(name).preference();
        assert_eq!(preference("design__instance__count"), Some(Preference::Lower));
        assert_eq!(preference("design__instance__count__cell:SB_LUT4"), None);
        assert_eq!(preference("timing__setup__ws__corner:a"), Some(Preference::Higher));
        assert_eq!(preference("bitstream__size"), None);
        assert_eq!(preference("foo__bar"), None);
    }

    proptest! {
        #[test]
        fn any_name_prints_as_it_was_written(text in "[a:_$é]{0,12}") {
            prop_assert_eq!(MetricName::new(&text).to_string(), text);
        }
    }
}
