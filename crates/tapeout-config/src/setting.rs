//! One setting of a configuration: its value, who gave it, and whom that beat.

use std::fmt;

use tapeout_model::Value;

use crate::source::{Location, Span};

/// The layers of a configuration, each of which beats those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigSource {
    /// The variable's own default.
    Default,
    /// A default of the flow or the technology for that variable.
    Technology,
    /// The PDK.
    Pdk,
    /// The standard cell library of the PDK.
    CellLibrary,
    /// The project's file, which holds for all of its configurations.
    Project,
    /// A configuration file; of several, the later beats the earlier.
    File,
    /// A configuration given by code.
    Code,
    /// A variable of the environment.
    Environment,
    /// `-c KEY=VALUE`.
    CommandLine,
    /// An override of a copy, see [`Config::copy`](crate::Config::copy).
    Override,
    /// Initialisation, which works values out from others.
    Derived,
}

impl ConfigSource {
    /// Whether it is a layer of the user's own, as opposed to what programs and PDKs bring along.
    #[must_use]
    pub fn is_users(self) -> bool {
        match self {
            Self::Default | Self::Technology | Self::Pdk | Self::CellLibrary | Self::Derived => false,
            Self::Project | Self::File | Self::Code | Self::Environment | Self::CommandLine | Self::Override => true,
        }
    }
}

impl fmt::Display for ConfigSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Default => "built-in default",
            Self::Technology => "default of the flow",
            Self::Pdk => "PDK",
            Self::CellLibrary => "cell library",
            Self::Project => "project file",
            Self::File => "file",
            Self::Code => "code",
            Self::Environment => "environment",
            Self::CommandLine => "command line",
            Self::Override => "override",
            Self::Derived => "derived",
        })
    }
}

/// Who gave a value. Shows as `config.json:3:19`, or as the layer where there is no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The layer.
    pub source: ConfigSource,
    /// The place of the value; a default has none.
    pub place: Option<(Location, Span)>,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            // The text of an override is nobody's file.
            Some((location, _)) if self.source != ConfigSource::Override => location.fmt(f),
            Some(_) | None => self.source.fmt(f),
        }
    }
}

/// A variable's value and how it came to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The value; absent only if the variable is optional.
    pub value: Option<Value>,
    /// Who gave it.
    pub origin: Origin,
    /// What it beat, as written, the strongest last.
    pub beaten: Vec<(Origin, Value)>,
    /// Whether the value must not be shown.
    pub secret: bool,
}

impl Setting {
    /// The value as people may see it.
    #[must_use]
    pub fn shown(&self) -> String {
        match &self.value {
            None => "not set".to_owned(),
            Some(_) if self.secret => SECRET.to_owned(),
            Some(value) => value.to_string(),
        }
    }

    /// The value as programs and files may see it; `null` for an absent one.
    #[must_use]
    pub fn shown_json(&self) -> serde_json::Value {
        match &self.value {
            None => serde_json::Value::Null,
            Some(_) if self.secret => SECRET.into(),
            Some(value) => value.to_json(),
        }
    }
}

/// What stands for a secret.
pub const SECRET: &str = "(secret)";
