//! Parts of a result: what other jobs see of it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A part of a job's result that another job sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Part {
    /// The view in this format.
    View(String),
    /// The metric of this name.
    Metric(String),
    /// All metrics whose names begin like this, however many there are.
    Metrics(String),
    /// The datum of this name.
    Datum(String),
    /// The names of all data.
    Names,
    /// The file at this path, or all files in the directory at it.
    Files(String),
    /// Whichever part the job reads, named when it does.
    Any,
}

impl Part {
    /// The format, the name, the path, or what names begin with.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::View(name) | Self::Metric(name) | Self::Metrics(name) | Self::Datum(name) | Self::Files(name) => name,
            Self::Names | Self::Any => "",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::View(format) => write!(f, "view {format}"),
            Self::Metric(name) => write!(f, "metric {name}"),
            Self::Metrics(prefix) => write!(f, "metrics {prefix}*"),
            Self::Datum(name) => write!(f, "`{name}`"),
            Self::Names => f.write_str("names"),
            Self::Files(path) => write!(f, "file {path}"),
            Self::Any => f.write_str("result"),
        }
    }
}
