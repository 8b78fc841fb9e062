//! State: the views and metrics of a design at one point of a flow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Metrics;

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

impl State<String> {
    /// The JSON of `state_in.json` and `state_out.json`; the strings are paths relative to that file.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut object: serde_json::Map<_, _> =
            self.views.iter().map(|(id, view)| (id.clone(), view_json(view))).collect();
        let metrics = self.metrics.iter().map(|(name, metric)| (name.clone(), metric.to_json())).collect();
        object.insert("metrics".to_owned(), serde_json::Value::Object(metrics));
        serde_json::Value::Object(object)
    }

    /// Reads what [`State::to_json`] writes. Null views are dropped.
    ///
    /// # Errors
    /// A text that names the key whose value is neither a path nor a list or map of paths, or the metric that is neither
    /// a number nor a string.
    pub fn from_json(json: &serde_json::Value) -> Result<Self, String> {
        let object =
            json.as_object().ok_or_else(|| format!("expected an object of views and metrics, found `{json}`"))?;
        let mut state = Self::default();
        for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
            if key == "metrics" {
                state.metrics = serde_json::from_value(value.clone()).map_err(|error| format!("`metrics`: {error}"))?;
            } else {
                state.views.insert(key.clone(), view_from_json(key, value)?);
            }
        }
        Ok(state)
    }
}

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
        serde_json::Value::String(path) => Ok(View::File(path.clone())),
        serde_json::Value::Array(items) => {
            items.iter().map(|item| view_from_json(key, item)).collect::<Result<_, _>>().map(View::Files)
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
}
