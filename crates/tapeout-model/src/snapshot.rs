//! How a state is laid out for people: where its files go in a folder like `final/`, and its metrics as tables.

use std::collections::BTreeMap;

use crate::{DesignFormat, Metrics, State, View};

impl<F: PartialEq> State<F> {
    /// The path of each file in a folder of them: `FOLDER/NAME`, with a folder for each corner in between, called
    /// like the corner's pattern without `_` and `*` at its ends. `name` gives a file's path, of which the last part
    /// counts. Of files that would have one path, all but the first get a number before their extension, unless they
    /// are the same.
    pub fn snapshot(&self, name: impl Fn(&F) -> &str) -> BTreeMap<String, &F> {
        let mut files = BTreeMap::new();
        for (id, view) in &self.views {
            let folder = DesignFormat::by_id(id).map_or(id.as_str(), |format| format.folder);
            lay_out(view, folder, &name, &mut files);
        }
        files
    }
}

fn lay_out<'s, F: PartialEq>(
    view: &'s View<F>,
    folder: &str,
    name: &impl Fn(&F) -> &str,
    files: &mut BTreeMap<String, &'s F>,
) {
    match view {
        View::File(file) => {
            let path = name(file);
            let last = path.rsplit('/').next().unwrap_or(path);
            let (stem, extension) = last.split_once('.').map_or((last, None), |(stem, rest)| (stem, Some(rest)));
            let numbered = |number: usize| match extension {
                _ if number == 0 => format!("{folder}/{last}"),
                Some(extension) => format!("{folder}/{stem}-{number}.{extension}"),
                None => format!("{folder}/{stem}-{number}"),
            };
            let is_free = |path: &String| files.get(path).is_none_or(|there| **there == *file);
            let free = (0..).map(numbered).find(is_free).expect("there are more numbers than files");
            files.insert(free, file);
        }
        View::Files(views) => views.iter().for_each(|view| lay_out(view, folder, name, files)),
        View::Named(views) => {
            for (corner, view) in views {
                let corner = corner.trim_matches(['_', '*']);
                let below = if corner.is_empty() { folder.to_owned() } else { format!("{folder}/{corner}") };
                lay_out(view, &below, name, files);
            }
        }
    }
}

/// Metrics as one object of JSON.
#[must_use]
pub fn metrics_json(metrics: &Metrics) -> serde_json::Value {
    serde_json::Value::Object(metrics.iter().map(|(name, metric)| (name.clone(), metric.to_json())).collect())
}

/// Metrics as a table of comma-separated values with the columns `Metric` and `Value`.
#[must_use]
pub fn metrics_csv(metrics: &Metrics) -> String {
    let rows = metrics.iter().map(|(name, metric)| format!("{},{}\n", csv_field(name), csv_field(&metric.to_string())));
    format!("Metric,Value\n{}", rows.collect::<String>())
}

/// One field, quoted as RFC 4180 asks.
fn csv_field(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(json: &str) -> Vec<String> {
        let state = State::parse(json).unwrap();
        state.snapshot(String::as_str).into_iter().map(|(path, file)| format!("{path} {file}")).collect()
    }

    #[test]
    fn formats_share_folders_and_corners_have_their_own() {
        assert_eq!(
            snapshot(r#"{"logical_nl": "b/t.logical_nl.v", "nl": "a/t.nl.v", "spef": {"nom_*": "n.spef", "*": "x"}}"#),
            ["nl/t.logical_nl.v b/t.logical_nl.v", "nl/t.nl.v a/t.nl.v", "spef/nom/n.spef n.spef", "spef/x x"]
        );
    }

    #[test]
    fn no_file_hides_another() {
        assert_eq!(
            snapshot(r#"{"gds": ["a/t.x.gds", "b/t.x.gds", "a/t.x.gds", "c/t.x.gds"], "lef": ["a/t", "b/t"]}"#),
            ["gds/t-1.x.gds b/t.x.gds", "gds/t-2.x.gds c/t.x.gds", "gds/t.x.gds a/t.x.gds", "lef/t a/t", "lef/t-1 b/t"]
        );
    }

    #[test]
    fn a_field_that_could_be_two_is_quoted() {
        let metrics = Metrics::from([("a".to_owned(), "x, \"y\"".into()), ("b".to_owned(), 1_i64.into())]);
        assert_eq!(metrics_csv(&metrics), "Metric,Value\na,\"x, \"\"y\"\"\"\nb,1\n");
    }
}
