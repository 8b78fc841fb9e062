//! Metrics: named measurements of a design, after METRICS2.1 (`timing__setup__ws`, `design__instance__count`).

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The unit in which a metric is measured, by its name; `None` for counts and names.
#[must_use]
pub fn unit_of(metric: &str) -> Option<&'static str> {
    let base = metric.split(':').next().unwrap_or(metric);
    let is = |part: &str| base.split("__").any(|word| word == part);
    if is("fmax") {
        Some("MHz")
    } else if base.starts_with("timing__") && ["ws", "wns", "tns"].iter().any(|word| is(word)) {
        Some("ns")
    } else if base == "bitstream__size" {
        Some("bytes")
    } else {
        None
    }
}

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
    fn units_follow_from_names() {
        assert_eq!(unit_of("timing__fmax__clock:clk"), Some("MHz"));
        assert_eq!(unit_of("timing__setup__ws__clock:ws"), Some("ns"));
        assert_eq!(unit_of("timing__setup_vio__count"), None);
        assert_eq!(unit_of("design__instance__count__cell:fmax"), None);
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
