//! What a task gives to those that require it, and what parameters of blocks are: scalars, paths, times, containers.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json, json};

use crate::Metric;

/// A value that a task gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Data {
    /// Nothing.
    None,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number beyond 64 bits, in decimal digits with a sign where it is negative.
    BigInt(String),
    /// A number.
    Float(f64),
    /// A text.
    Text(String),
    /// A file or a directory.
    Path(FilePath),
    /// Seconds since the Unix epoch.
    Time(f64),
    /// Values in order.
    List(Vec<Data>),
    /// So many values, each with a meaning of its own.
    Tuple(Vec<Data>),
    /// Values by name, in the order in which they were given.
    Map(Vec<(String, Data)>),
}

/// Where a file or directory is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FilePath {
    /// Among the files of a target.
    Target {
        /// The target's block.
        block: String,
        /// Its task.
        task: String,
        /// The path in its directory; empty for the directory itself.
        path: String,
    },
    /// A file of the user's: relative to the project, or absolute.
    Source(String),
}

impl FilePath {
    /// The path of something in it, if it is a directory. `..` leads up by the text alone.
    #[must_use]
    pub fn join(&self, below: &str) -> Self {
        if below.starts_with('/') {
            return Self::Source(below.to_owned());
        }
        match self {
            Self::Target { block, task, path } => {
                Self::Target { block: block.clone(), task: task.clone(), path: joined(path, below) }
            }
            Self::Source(path) => Self::Source(joined(path, below)),
        }
    }

    /// The last part of it.
    #[must_use]
    pub fn name(&self) -> &str {
        let (Self::Target { path, .. } | Self::Source(path)) = self;
        path.rsplit('/').next().unwrap_or_default()
    }
}

/// A path and what is below it, without `.` and, as far as there is something to leave, without `..`.
fn joined(path: &str, below: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').chain(below.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
}

/// A path of a target is shown from the build directory.
impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Target { block, task, path } if path.is_empty() => write!(f, "{block}/{task}"),
            Self::Target { block, task, path } => write!(f, "{block}/{task}/{path}"),
            Self::Source(path) => f.write_str(path),
        }
    }
}

impl Data {
    /// What a person calls this kind of value in an error message.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::None => "nothing",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::BigInt(_) => "an integer",
            Self::Float(_) => "a number",
            Self::Text(_) => "a string",
            Self::Path(_) => "a path",
            Self::Time(_) => "a time",
            Self::List(_) => "a list",
            Self::Tuple(_) => "a tuple",
            Self::Map(_) => "a dict",
        }
    }

    /// The form in `result.json`: paths and times as objects with `_type`, paths of targets from the build directory.
    /// Infinity and NaN are the strings `"Infinity"`, `"-Infinity"` and `"NaN"`. A map that itself has a `_type` is
    /// wrapped.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::None => Json::Null,
            Self::Bool(b) => (*b).into(),
            Self::Int(i) => (*i).into(),
            Self::BigInt(digits) => serde_json::from_str(digits).unwrap_or_else(|_| digits.as_str().into()),
            Self::Float(x) => Metric::Float(*x).to_json(),
            Self::Text(text) => text.as_str().into(),
            Self::Path(path) => json!({ "_type": "Path", "value": path.to_string() }),
            Self::Time(seconds) => json!({ "_type": "Time", "value": seconds }),
            Self::List(items) | Self::Tuple(items) => items.iter().map(Self::to_json).collect(),
            Self::Map(entries) => {
                let map: Map<_, _> = entries.iter().map(|(name, value)| (name.clone(), value.to_json())).collect();
                if map.contains_key("_type") { json!({ "_type": "Dict", "value": map }) } else { map.into() }
            }
        }
    }

    /// The paths in it.
    pub fn paths(&self) -> Vec<&FilePath> {
        let mut paths = Vec::new();
        let mut pending = vec![self];
        while let Some(data) = pending.pop() {
            match data {
                Self::Path(path) => paths.push(path),
                Self::List(items) | Self::Tuple(items) => pending.extend(items.iter().rev()),
                Self::Map(entries) => pending.extend(entries.iter().rev().map(|(_, value)| value)),
                Self::None
                | Self::Bool(_)
                | Self::Int(_)
                | Self::BigInt(_)
                | Self::Float(_)
                | Self::Text(_)
                | Self::Time(_) => {}
            }
        }
        paths
    }
}

impl From<bool> for Data {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Data {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<f64> for Data {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Data {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<String> for Data {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<FilePath> for Data {
    fn from(value: FilePath) -> Self {
        Self::Path(value)
    }
}

impl<T: Into<Data>> From<Vec<T>> for Data {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_result_files_have_them() {
        let netlist = FilePath::Target { block: "top".into(), task: "synthesize".into(), path: "netlist.v".into() };
        let data = Data::Map(vec![
            ("netlist".into(), netlist.into()),
            ("hosts".into(), FilePath::Source("/etc/hosts".into()).into()),
            ("started".into(), Data::Time(1003.2)),
            ("slack".into(), f64::NEG_INFINITY.into()),
            ("huge".into(), Data::BigInt("36893488147419103232".into())),
            ("pair".into(), Data::Tuple(vec![1.into(), true.into()])),
            ("typed".into(), Data::Map(vec![("_type".into(), "Path".into()), ("value".into(), Data::None)])),
        ]);
        let huge: Json = serde_json::from_str("36893488147419103232").unwrap();
        assert_eq!(huge.to_string(), "36893488147419103232");
        let expected = json!({
            "huge": huge,
            "netlist": { "_type": "Path", "value": "top/synthesize/netlist.v" },
            "hosts": { "_type": "Path", "value": "/etc/hosts" },
            "started": { "_type": "Time", "value": 1003.2 },
            "slack": "-Infinity",
            "pair": [1, true],
            "typed": { "_type": "Dict", "value": { "_type": "Path", "value": null } },
        });
        assert_eq!(data.to_json(), expected);
        let paths: Vec<String> = data.paths().iter().map(ToString::to_string).collect();
        assert_eq!(paths, ["top/synthesize/netlist.v", "/etc/hosts"]);
    }

    #[test]
    fn paths_are_joined_by_their_text() {
        for (path, below, expected) in [
            ("rtl", "a.v", "rtl/a.v"),
            ("", "a.v", "a.v"),
            ("rtl", "../tb/./b.v", "tb/b.v"),
            ("", "../up", "../up"),
            ("/pdk", "lib", "/pdk/lib"),
            ("rtl", "/etc/hosts", "/etc/hosts"),
        ] {
            assert_eq!(FilePath::Source(path.into()).join(below).to_string(), expected, "{path} and {below}");
        }
    }
}
