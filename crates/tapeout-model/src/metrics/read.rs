//! Metrics out of files that people and programs keep: `metrics.json`, and states, which have them under `metrics`.

use serde_json::Value as Json;

use super::{Metric, Metrics};

/// Reads the text of a `metrics.json`, an object of numbers and texts, or of a state. Nulls are left out. OpenLane
/// writes `Infinity`, `-Infinity` and `NaN` without quotes, which JSON does not know; they are read.
///
/// # Errors
/// What is expected instead, in words.
pub fn read_metrics(text: &str) -> Result<Metrics, String> {
    let json: Json = serde_json::from_str(text)
        .or_else(|error| serde_json::from_str(&quoted(text)).map_err(|_| error))
        .map_err(|error| format!("it is not JSON: {error}"))?;
    let metrics = match &json {
        Json::Object(object) => match object.get("metrics") {
            Some(Json::Object(metrics)) => metrics,
            _ => object,
        },
        _ => return Err("expected an object of metrics, or a state".to_owned()),
    };
    let given = metrics.iter().filter(|(_, value)| !value.is_null());
    given.map(|(name, value)| Ok((name.clone(), Metric::from_json(value).ok_or_else(|| wrong(name))?))).collect()
}

fn wrong(name: &str) -> String {
    format!("`{name}` is neither a number nor a text; expected an object of metrics, or a state")
}

/// The numbers that JSON does not know, in quotes, outside of strings.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut rest = text;
    let mut in_string = false;
    while let Some(c) = rest.chars().next() {
        let special = ["-Infinity", "Infinity", "NaN"].iter().find(|name| !in_string && rest.starts_with(**name));
        let taken = match (special, c) {
            (Some(name), _) => {
                quoted.extend(["\"", name, "\""]);
                rest = &rest[name.len()..];
                continue;
            }
            // What follows a backslash ends no string.
            (None, '\\') => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
            (None, c) => c.len_utf8(),
        };
        in_string ^= c == '"';
        quoted.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    quoted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn metrics_and_states_are_read() {
        let metrics = Metrics::from([
            ("a\"NaN".to_owned(), Metric::Float(f64::NEG_INFINITY)),
            ("b".to_owned(), Metric::Float(f64::INFINITY)),
            ("c".to_owned(), Metric::Int(3)),
        ]);
        let text = r#"{"a\"NaN": -Infinity, "b": "Infinity", "c": 3, "d": null}"#;
        assert_eq!(read_metrics(text), Ok(metrics.clone()));
        assert_eq!(read_metrics(&format!(r#"{{"nl": "a.v", "lib": {{"tt": "b"}}, "metrics": {text}}}"#)), Ok(metrics));
        assert!(matches!(read_metrics(r#"{"x": NaN}"#).unwrap()["x"], Metric::Float(x) if x.is_nan()));
        assert_eq!(read_metrics("{}"), Ok(Metrics::new()));
    }

    #[test]
    fn what_is_none_says_so() {
        let error = |text| read_metrics(text).unwrap_err();
        assert!(error("{").starts_with("it is not JSON: "));
        assert!(error(r#"{"a": Infinite}"#).starts_with("it is not JSON: "));
        assert!(error("[1]").starts_with("expected an object"));
        assert!(error(r#"{"lib": {"tt": 3}}"#).starts_with("`lib` is neither"));
        assert!(error(r#"{"metrics": {"a": true}}"#).starts_with("`a` is neither"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in r#"[{}\[\]:,"\\é1.](NaN|-?Infinity)?"#, more in ".{0,20}") {
            _ = read_metrics(&(text + &more));
        }

        #[test]
        fn strings_stay_as_they_are(name in ".{0,12}", value in r#"([\\"é ]|NaN|-?Infinity){0,6}x"#) {
            let text = serde_json::json!({ &name: value, "y": 0.5 }).to_string().replace("0.5", "NaN");
            prop_assume!(!["metrics", "y"].contains(&name.as_str()) && !name.contains("0.5"));
            prop_assert_eq!(&read_metrics(&text).unwrap()[&name], &Metric::Text(value));
        }
    }
}
