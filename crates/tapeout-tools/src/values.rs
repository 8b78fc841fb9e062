//! Looks into values of configurations: the entries of maps, texts and numbers in lists. What is not of the wanted form
//! counts as nothing. Owns no meaning of a value.

use tapeout_config::Config;
use tapeout_model::Value;

/// The value of a variable, null where there is none.
pub(crate) fn value<'c>(config: &'c Config, name: &str) -> &'c Value {
    config.get(name).unwrap_or(&Value::Null)
}

/// The entries of a map.
pub(crate) fn entries(map: &Value) -> &[(String, Value)] {
    match map {
        Value::Map(entries) => entries,
        _ => &[],
    }
}

/// An entry of a map, null where there is none.
pub(crate) fn entry<'v>(map: &'v Value, name: &str) -> &'v Value {
    entries(map).iter().find(|(key, _)| key == name).map_or(&Value::Null, |(_, value)| value)
}

/// A text, or those of a list.
pub(crate) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Str(text) => vec![text],
        Value::List(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The entries of a map that are texts.
pub(crate) fn named_texts(map: &Value) -> Vec<(&str, &str)> {
    let texts = entries(map).iter().filter_map(|(name, value)| match value {
        Value::Str(text) => Some((name.as_str(), text.as_str())),
        _ => None,
    });
    texts.collect()
}

/// The names in a list, or the keys of a map.
pub(crate) fn names(value: &Value) -> Vec<&str> {
    match value {
        Value::Map(entries) => entries.iter().map(|(name, _)| name.as_str()).collect(),
        other => texts(other),
    }
}

/// A number, or those of a list.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::List(items) => items.iter().flat_map(numbers).collect(),
        Value::Decimal(decimal) => vec![decimal.to_f64()],
        Value::Int(int) => vec![*int as f64],
        _ => Vec::new(),
    }
}
