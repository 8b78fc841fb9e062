//! The values of case files, which JSON alone could not hold: `{"$decimal": "10.0"}`, `{"$path": "…"}`, and so on.

use serde_json::{Map, Value as Json, json};
use tapeout_model::{Decimal, Metric, Metrics, Value};

/// The value that a case file writes.
///
/// # Errors
/// A number beyond what values hold, or an encoding that there is not.
pub(crate) fn decode(encoded: &Json) -> Result<Value, String> {
    Ok(match encoded {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(value) => Value::Int(value),
            None => decimal(&number.to_string())?,
        },
        Json::String(text) => Value::Str(text.clone()),
        Json::Array(items) => Value::List(items.iter().map(decode).collect::<Result<_, _>>()?),
        Json::Object(entries) => match special(entries) {
            Some(("$decimal", Json::String(text))) => decimal(text)?,
            Some(("$path" | "$enum", Json::String(text))) => Value::Str(text.clone()),
            Some(("$tuple", items @ Json::Array(_))) => decode(items)?,
            Some((name, _)) => return Err(format!("there is no encoding `{name}` of such a value")),
            None => {
                let decoded = entries.iter().map(|(name, item)| Ok((name.clone(), decode(item)?)));
                Value::Map(decoded.collect::<Result<_, String>>()?)
            }
        },
    })
}

/// How a case file writes the value. Paths, tuples and words out of a choice are text and lists here.
pub(crate) fn encode(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Int(value) => json!(value),
        Value::Decimal(value) => json!({ "$decimal": value.to_string() }),
        Value::Str(text) => Json::String(text.clone()),
        Value::List(items) => items.iter().map(encode).collect(),
        Value::Map(entries) => entries.iter().map(|(name, item)| (name.clone(), encode(item))).collect(),
    }
}

/// How a case file writes metrics: quantities are decimals.
///
/// # Errors
/// A quantity that is no decimal.
pub(crate) fn encode_metrics(metrics: &Metrics) -> Result<Json, String> {
    let encoded = |metric: &Metric| -> Result<Json, String> {
        match metric {
            Metric::Float(_) => {
                let decimal = metric.to_string().parse().map_err(|_| format!("`{metric}` is no decimal"))?;
                Ok(encode(&Value::Decimal(decimal)))
            }
            Metric::Int(_) | Metric::Text(_) => Ok(metric.to_json()),
        }
    };
    metrics.iter().map(|(name, metric)| Ok((name.clone(), encoded(metric)?))).collect()
}

/// The name and content of an encoding, where the map is one.
pub(crate) fn special(entries: &Map<String, Json>) -> Option<(&str, &Json)> {
    let (name, value) = entries.iter().next().filter(|_| entries.len() == 1)?;
    name.starts_with('$').then_some((name.as_str(), value))
}

fn decimal(text: &str) -> Result<Value, String> {
    text.parse::<Decimal>().map(Value::Decimal).map_err(|_| format!("`{text}` is not a decimal"))
}
