//! State: the views and metrics of a design at one point of a flow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{DesignFormat, Metric, Metrics};

/// The file or files of a design in one format. `F` is what stands for a file: a path in `state_out.json`, a blob inside
/// the engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum View<F> {
    /// One file.
    File(F),
    /// Several files of one kind.
    Files(Vec<View<F>>),
    /// One view per timing corner or other name.
    Named(BTreeMap<String, View<F>>),
}

impl<F> View<F> {
    /// The same view with another thing standing for each file.
    pub fn map<G>(&self, f: &mut impl FnMut(&F) -> G) -> View<G> {
        match self {
            Self::File(file) => View::File(f(file)),
            Self::Files(views) => View::Files(views.iter().map(|view| view.map(f)).collect()),
            Self::Named(views) => View::Named(views.iter().map(|(name, view)| (name.clone(), view.map(f))).collect()),
        }
    }

    /// The files of this view, in order.
    #[must_use]
    pub fn files(&self) -> Vec<&F> {
        match self {
            Self::File(file) => vec![file],
            Self::Files(views) => views.iter().flat_map(Self::files).collect(),
            Self::Named(views) => views.values().flat_map(Self::files).collect(),
        }
    }
}

/// The views of a design by format id, and its metrics. Immutable once made: a step's result is a new state.
///
/// In JSON the views and the key `metrics` stand side by side in one object, as OpenLane writes them.
#[derive(Clone, Debug, PartialEq)]
pub struct State<F> {
    /// Views by [`crate::DesignFormat::id`].
    pub views: BTreeMap<String, View<F>>,
    /// Metrics by METRICS2.1 name.
    pub metrics: Metrics,
}

impl<F> Default for State<F> {
    fn default() -> Self {
        Self { views: BTreeMap::new(), metrics: Metrics::new() }
    }
}

impl<F> State<F> {
    /// This state with another one laid over it: a view or metric that both have is that of `later`.
    #[must_use]
    pub fn overlaid(mut self, later: Self) -> Self {
        self.views.extend(later.views);
        self.metrics.extend(later.metrics);
        self
    }

    /// The same state with another thing standing for each file.
    pub fn map<G>(&self, mut f: impl FnMut(&F) -> G) -> State<G> {
        let views = self.views.iter().map(|(format, view)| (format.clone(), view.map(&mut f)));
        State { views: views.collect(), metrics: self.metrics.clone() }
    }

    /// The key of each file and the file, in order: `nl`, `gds[0]`, `lib.nom_tt`.
    #[must_use]
    pub fn files(&self) -> Vec<(String, &F)> {
        let mut files = Vec::new();
        for (format, view) in &self.views {
            add_files(format.clone(), view, &mut files);
        }
        files
    }
}

fn add_files<'s, F>(key: String, view: &'s View<F>, files: &mut Vec<(String, &'s F)>) {
    match view {
        View::File(file) => files.push((key, file)),
        View::Files(views) => {
            let items = views.iter().enumerate();
            items.for_each(|(index, view)| add_files(format!("{key}[{index}]"), view, files));
        }
        View::Named(views) => views.iter().for_each(|(name, view)| add_files(format!("{key}.{name}"), view, files)),
    }
}

impl State<String> {
    /// The JSON of `state_in.json` and `state_out.json`; the strings are paths relative to that file.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut object: serde_json::Map<_, _> =
            self.views.iter().map(|(id, view)| (id.clone(), view_json(view))).collect();
        object.insert("metrics".to_owned(), crate::metrics_json(&self.metrics));
        serde_json::Value::Object(object)
    }

    /// Reads the text of a state. It may have `Infinity`, `-Infinity` and `NaN` bare, as Python writes them.
    ///
    /// # Errors
    /// A text that says where it is not JSON, or what [`State::from_json`] says.
    pub fn parse(text: &str) -> Result<Self, String> {
        let json = serde_json::from_str(text).or_else(|error| {
            let quoted = with_quoted_numbers(text);
            quoted.map_or(Err(error), |quoted| serde_json::from_str(&quoted))
        });
        Self::from_json(&json.map_err(|error| format!("this is not JSON: {error}"))?)
    }

    /// Reads what [`State::to_json`] writes. Null views and metrics are dropped. A format may be given by another name
    /// that it has, see [`DesignFormat::find`]; what no format is called is kept as it is.
    ///
    /// # Errors
    /// A text that names the key whose value is neither a path nor a list or map of paths, the metric that is neither
    /// a number nor a string, or the format that is given twice.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        let object =
            json.as_object().ok_or_else(|| format!("a state is an object of views and metrics, not {}", kind(json)))?;
        let mut state = Self::default();
        for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
            if key == METRICS {
                state.metrics = metrics_from_json(value)?;
                continue;
            }
            let view = view_from_json(key, value)?;
            let id = DesignFormat::find(key).map_or(key.as_str(), |format| format.id);
            if state.views.insert(id.to_owned(), view).is_some() {
                return Err(format!("`{key}`: the view `{id}` is given twice, under two names"));
            }
        }
        Ok(state)
    }
}

/// The key beside the views.
const METRICS: &str = "metrics";

fn view_json(view: &View<String>) -> serde_json::Value {
    match view {
        View::File(path) => path.as_str().into(),
        View::Files(views) => views.iter().map(view_json).collect(),
        View::Named(views) => {
            serde_json::Value::Object(views.iter().map(|(name, view)| (name.clone(), view_json(view))).collect())
        }
    }
}

fn view_from_json(key: &str, json: &serde_json::Value) -> Result<View<String>, String> {
    match json {
        serde_json::Value::String(path) if path.is_empty() => {
            Err(format!("`{key}`: expected a path, found an empty string"))
        }
        serde_json::Value::String(path) => Ok(View::File(path.clone())),
        serde_json::Value::Array(items) => {
            let items = items.iter().enumerate();
            items
                .map(|(index, item)| view_from_json(&format!("{key}[{index}]"), item))
                .collect::<Result<_, _>>()
                .map(View::Files)
        }
        serde_json::Value::Object(entries) => entries
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| Ok((name.clone(), view_from_json(&format!("{key}.{name}"), value)?)))
            .collect::<Result<_, _>>()
            .map(View::Named),
        other => Err(format!("`{key}`: expected a path, a list or a map of paths, found `{other}`")),
    }
}

fn metrics_from_json(json: &serde_json::Value) -> Result<Metrics, String> {
    let object = json.as_object().ok_or_else(|| format!("`{METRICS}`: expected an object, found {}", kind(json)))?;
    let metric = |(name, value): (&String, &serde_json::Value)| {
        let metric = match value {
            // METRICS2.1 has no truth values; other programs write some.
            serde_json::Value::Bool(truth) => Metric::Int(i64::from(*truth)),
            other => serde_json::from_value(other.clone()).map_err(|error| format!("`{METRICS}.{name}`: {error}"))?,
        };
        Ok((name.clone(), metric))
    };
    object.iter().filter(|(_, value)| !value.is_null()).map(metric).collect()
}

fn kind(json: &serde_json::Value) -> &'static str {
    match json {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "a boolean",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "a string",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}

/// The text with the numbers in quotes that JSON does not have; nothing if there are none.
fn with_quoted_numbers(text: &str) -> Option<String> {
    let mut quoted = String::with_capacity(text.len());
    let (mut rest, mut found) = (text, false);
    while let Some(first) = rest.chars().next() {
        let number = ["-Infinity", "Infinity", "NaN"].into_iter().find(|number| rest.starts_with(number));
        let length = match (first, number) {
            ('"', _) => string_length(rest),
            (_, Some(number)) => number.len(),
            _ => first.len_utf8(),
        };
        let (piece, after) = rest.split_at(length);
        if number.is_some() {
            found = true;
            quoted.extend(["\"", piece, "\""]);
        } else {
            quoted.push_str(piece);
        }
        rest = after;
    }
    found.then_some(quoted)
}

/// The bytes of the string that the text begins with, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = true;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' if !escaped => return at + 1,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_reads_back_what_it_wrote_and_names_the_key_it_cannot_read() {
        let mut state = State::default();
        state.views.insert("asc".to_owned(), View::File("a.asc".to_owned()));
        let corner = View::Named(BTreeMap::from([("tt".to_owned(), View::File("tt.lib".to_owned()))]));
        state.views.insert("lib".to_owned(), corner);
        state.metrics.insert("design__instance__count".to_owned(), 7_i64.into());
        assert_eq!(State::from_json(&state.to_json()), Ok(state));
        let wrong = serde_json::json!({"lib": {"tt": 3}});
        assert_eq!(
            State::from_json(&wrong).unwrap_err(),
            "`lib.tt`: expected a path, a list or a map of paths, found `3`"
        );
    }

    #[test]
    fn what_is_wrong_with_a_text_is_said_with_its_place() {
        let cases = [
            ("{", "this is not JSON: EOF while parsing an object at line 1 column 1"),
            ("[]", "a state is an object of views and metrics, not a list"),
            (r#"{"nl": ["a", true]}"#, "`nl[1]`: expected a path, a list or a map of paths, found `true`"),
            (r#"{"nl": ""}"#, "`nl`: expected a path, found an empty string"),
            (r#"{"metrics": []}"#, "`metrics`: expected an object, found a list"),
            (r#"{"metrics": {"a": []}}"#, "`metrics.a`: expected a number or a string, found `[]`"),
            (r#"{"NL": "a", "netlist": "b"}"#, "`netlist`: the view `nl` is given twice, under two names"),
        ];
        for (text, message) in cases {
            assert_eq!(State::parse(text).unwrap_err(), message, "{text}");
        }
    }

    #[test]
    fn infinity_is_read_bare_and_written_as_a_string() {
        let text = r#"{"nl": "a \\", "metrics": {"NaN\"x": NaN, "i": Infinity, "m": [-Infinity, 1][0], "n": 1}}"#;
        assert!(State::parse(text).is_err());
        let text = r#"{"nl": "a \\", "gds": null,
            "metrics": {"Infinity\"x": -Infinity, "i": Infinity, "b": true, "z": null}}"#;
        let state = State::parse(text).unwrap();
        let json = r#"{"nl":"a \\","metrics":{"Infinity\"x":"-Infinity","b":1,"i":"Infinity"}}"#;
        assert_eq!(state.to_json().to_string(), json);
        assert_eq!(State::parse(json), Ok(state));
    }

    #[test]
    fn the_later_state_wins() {
        let state = |text: &str| State::parse(text).unwrap();
        let both = state(r#"{"nl": "a", "gds": ["g"], "metrics": {"m": 1, "n": 2}}"#)
            .overlaid(state(r#"{"NETLIST": "b", "lib": {"tt": "l"}, "metrics": {"m": 3}}"#));
        assert_eq!(both, state(r#"{"nl": "b", "gds": ["g"], "lib": {"tt": "l"}, "metrics": {"m": 3, "n": 2}}"#));
        let keys: Vec<String> = both.files().into_iter().map(|(key, file)| format!("{key} {file}")).collect();
        assert_eq!(keys, ["gds[0] g", "lib.tt l", "nl b"]);
    }
}
