//! The values that configuration files, the command line and code can give to a variable.

use std::fmt;

use crate::Decimal;

/// A configuration value before and after typing.
///
/// Numbers with a fraction are decimals, so that `10.0` prints as `10.0` and `0.1` is not rounded. Maps keep the
/// order in which they were written: order matters to references and to substitutions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// An explicit `null`: unlike an absent key it overrides a default.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number written with a fraction or an exponent.
    Decimal(Decimal),
    /// Text, and paths.
    Str(String),
    /// A sequence.
    List(Vec<Value>),
    /// Keys and values in the order of writing; keys are unique.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// What a person calls this kind of value in an error message.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) => "an integer",
            Self::Decimal(_) => "a decimal",
            Self::Str(_) => "a string",
            Self::List(_) => "a list",
            Self::Map(_) => "a map",
        }
    }

    /// The JSON form. Decimals become JSON numbers, of which readers keep 17 digits. Infinities, NaN, and what is too
    /// large or too close to zero for a binary number become strings.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        match self {
            Self::Null => Json::Null,
            Self::Bool(b) => Json::Bool(*b),
            Self::Int(i) => Json::from(*i),
            Self::Decimal(d) => decimal_to_json(*d),
            Self::Str(s) => Json::String(s.clone()),
            Self::List(items) => Json::Array(items.iter().map(Self::to_json).collect()),
            Self::Map(entries) => Json::Object(entries.iter().map(|(k, v)| (k.clone(), v.to_json())).collect()),
        }
    }
}

fn decimal_to_json(decimal: Decimal) -> serde_json::Value {
    let text = decimal.to_string();
    if let Ok(integer) = text.parse::<i64>() {
        return integer.into();
    }
    let number = decimal.to_f64();
    if !number.is_finite() || number == 0.0 && !decimal.is_zero() {
        return serde_json::Value::String(text);
    }
    number.into()
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Str(s) => f.write_str(s),
            Self::Decimal(d) => write!(f, "{d}"),
            other => write!(f, "{}", other.to_json()),
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

/// The decimal that reads like the number: `0.1` is one tenth.
impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Decimal(format!("{value:?}").parse().expect("a decimal reads whatever a binary number is written as"))
    }
}

impl From<Decimal> for Value {
    fn from(value: Decimal) -> Self {
        Self::Decimal(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Str(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Str(value)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary_numbers_are_the_decimals_that_they_read_as() {
        for (number, text) in [(0.1, "0.1"), (83.333, "83.333"), (10.0, "10.0"), (-1.5e300, "-1.5E+300")] {
            assert_eq!(Value::from(number).to_string(), text);
        }
        for number in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN, f64::MIN_POSITIVE, f64::MAX] {
            assert!(matches!(Value::from(number), Value::Decimal(_)), "{number}");
        }
    }

    #[test]
    fn decimals_are_numbers_in_json_where_they_can_be() {
        let cases = [
            ("10.0", "10.0"),
            ("-0.25", "-0.25"),
            ("7", "7"),
            ("1e3", "1000.0"),
            ("1e-30", "1e-30"),
            ("1e40", "1e+40"),
            ("0e-999", "0.0"),
            ("100000000000000000000", "1e+20"),
            ("1e400", "\"1E+400\""),
            ("1e-400", "\"1E-400\""),
            ("inf", "\"Infinity\""),
            ("-inf", "\"-Infinity\""),
            ("nan", "\"NaN\""),
        ];
        for (text, json) in cases {
            let value = Value::Decimal(text.parse().unwrap());
            assert_eq!(value.to_json().to_string(), json, "{text}");
            assert_eq!(Value::List(vec![value]).to_string(), format!("[{json}]"), "{text}");
        }
        assert_eq!(Value::Decimal("1e400".parse().unwrap()).to_string(), "1E+400");
    }
}
