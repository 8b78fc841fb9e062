//! Metrics: named measurements of a design, after METRICS2.1 (`timing__setup__ws`, `design__instance__count`). Here is
//! the measurement itself; what names mean, what is known of them and how two sets compare is in the modules below.

mod aggregate;
mod compare;
mod filter;
mod known;
mod name;
mod read;
mod tolerance;

pub use aggregate::aggregated;
pub use compare::{Change, Difference, Show, compared};
pub use filter::{DEFAULT_FILTER, Filter, InvalidPattern};
pub use known::{Aggregation, KNOWN_METRICS, KnownMetric, Preference};
pub use name::{MetricName, unit_of};
pub use read::read_metrics;
pub use tolerance::{InvalidTolerance, Tolerance, Tolerances};

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Decimal;

/// One measurement. Infinity and NaN are written to JSON as the strings `"Infinity"`, `"-Infinity"` and `"NaN"`.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// A count.
    Int(i64),
    /// A quantity; its unit is the one METRICS2.1 gives to the name (ns, MHz, µm², …).
    Float(f64),
    /// A name, such as a device or a strategy.
    Text(String),
}

/// All measurements known at one point of a flow, by METRICS2.1 name.
pub type Metrics = BTreeMap<String, Metric>;

impl Metric {
    /// The measurement as a number, if it is one.
    #[must_use]
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(i) => Some(*i as f64),
            Self::Float(x) => Some(*x),
            Self::Text(_) => None,
        }
    }

    /// The measurement as it prints, if it is a number: differences of decimals have no artefacts of binary numbers.
    #[must_use]
    pub fn to_decimal(&self) -> Option<Decimal> {
        match self {
            Self::Int(i) => Some((*i).into()),
            Self::Float(x) if x.is_finite() => {
                let plain = *x == 0.0 || (1e-9..1e15).contains(&x.abs());
                // A binary number prints with at most 17 digits, which a decimal holds.
                if plain { x.to_string() } else { format!("{x:e}") }.parse().ok()
            }
            Self::Float(x) => float_name(*x).parse().ok(),
            Self::Text(_) => None,
        }
    }

    /// The measurement for people: a quantity to so many significant figures, counts and names as they are.
    #[must_use]
    pub fn figures(&self, figures: usize) -> String {
        match self {
            Self::Float(x) => significant(*x, figures),
            other => other.to_string(),
        }
    }

    /// The JSON form.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Int(i) => (*i).into(),
            Self::Float(x) => match serde_json::Number::from_f64(*x) {
                Some(number) => number.into(),
                None => float_name(*x).into(),
            },
            Self::Text(s) => s.as_str().into(),
        }
    }

    fn from_json(json: &serde_json::Value) -> Option<Self> {
        match json {
            serde_json::Value::Number(n) => n.as_i64().map(Self::Int).or_else(|| n.as_f64().map(Self::Float)),
            serde_json::Value::String(s) => Some(match s.as_str() {
                "Infinity" => Self::Float(f64::INFINITY),
                "-Infinity" => Self::Float(f64::NEG_INFINITY),
                "NaN" => Self::Float(f64::NAN),
                _ => Self::Text(s.clone()),
            }),
            _ => None,
        }
    }
}

fn float_name(x: f64) -> &'static str {
    if x.is_nan() {
        "NaN"
    } else if x > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

/// A number to so many significant figures. Digits before the point stay, however many; what is too small or too large
/// to be read that way gets an exponent.
pub(crate) fn significant(x: f64, figures: usize) -> String {
    if !x.is_finite() {
        return float_name(x).to_owned();
    }
    if x == 0.0 {
        return "0".to_owned();
    }
    let after_first = figures.saturating_sub(1);
    let scientific = format!("{x:.after_first$e}");
    // Rounding may have carried, so that the exponent is that of the rounded number.
    let exponent = scientific.rsplit_once('e').and_then(|(_, exponent)| exponent.parse::<i64>().ok()).unwrap_or(0);
    if !(-4..15).contains(&exponent) {
        return scientific;
    }
    let places = usize::try_from(i64::try_from(after_first).unwrap_or(i64::MAX) - exponent).unwrap_or(0);
    format!("{x:.places$}")
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(i) => write!(f, "{i}"),
            Self::Float(x) if x.is_finite() => write!(f, "{x}"),
            Self::Float(x) => f.write_str(float_name(*x)),
            Self::Text(s) => f.write_str(s),
        }
    }
}

impl From<i64> for Metric {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<usize> for Metric {
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Metric {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Metric {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

#[derive(Serialize, Deserialize)]
enum Packed {
    Int(i64),
    Float(f64),
    Text(String),
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return self.to_json().serialize(serializer);
        }
        match self {
            Self::Int(i) => Packed::Int(*i),
            Self::Float(x) => Packed::Float(*x),
            Self::Text(s) => Packed::Text(s.clone()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Metric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let json = serde_json::Value::deserialize(deserializer)?;
            return Self::from_json(&json)
                .ok_or_else(|| serde::de::Error::custom(format!("expected a number or a string, found `{json}`")));
        }
        Ok(match Packed::deserialize(deserializer)? {
            Packed::Int(i) => Self::Int(i),
            Packed::Float(x) => Self::Float(x),
            Packed::Text(s) => Self::Text(s),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_keep_their_significant_figures_and_counts_all_digits() {
        let cases = [
            (84.2504, "84.25"),
            (100.0, "100.0"),
            (9.99996, "10.00"),
            (-0.0151, "-0.01510"),
            (2.6e-9, "2.600e-9"),
            (123_456.7, "123457"),
            (1e30, "1.000e30"),
            (0.0, "0"),
            (f64::NEG_INFINITY, "-Infinity"),
        ];
        for (x, text) in cases {
            assert_eq!(Metric::Float(x).figures(4), text);
        }
        assert_eq!(Metric::Float(84.2504).figures(1), "84");
        assert_eq!(Metric::Int(123_456).figures(2), "123456");
    }

    #[test]
    fn a_quantity_is_the_decimal_that_it_prints_as() {
        for (x, text) in [(0.1, "0.1"), (100.0, "100"), (-2.5e-12, "-2.5E-12"), (1e30, "1E+30"), (-0.0, "0")] {
            let decimal = Metric::Float(x).to_decimal().unwrap();
            assert_eq!(decimal, text.parse().unwrap(), "{x}");
        }
        assert_eq!(Metric::Float(f64::INFINITY).to_decimal().unwrap().to_string(), "Infinity");
        assert!(Metric::Float(f64::NAN).to_decimal().unwrap().is_nan());
        assert_eq!(Metric::Text("up5k".to_owned()).to_decimal(), None);
    }

    #[test]
    fn infinity_is_a_string_in_json_and_comes_back() {
        let metrics = Metrics::from([
            ("a".to_owned(), Metric::Float(f64::INFINITY)),
            ("b".to_owned(), Metric::Int(3)),
            ("c".to_owned(), Metric::Float(0.25)),
            ("d".to_owned(), Metric::Text("up5k".to_owned())),
        ]);
        let json = serde_json::to_string(&metrics).unwrap();
        assert_eq!(json, r#"{"a":"Infinity","b":3,"c":0.25,"d":"up5k"}"#);
        assert_eq!(serde_json::from_str::<Metrics>(&json).unwrap(), metrics);
    }
}
