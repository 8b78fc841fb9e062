//! Copies of a configuration with some values replaced: sweep points, attempts of a custom flow.

use std::fmt;
use std::sync::Arc;

use tapeout_model::{Severity, Value};

use crate::config::Config;
use crate::diagnostic::Diagnostic;
use crate::layer::{self, Entry, Given};
use crate::meta::Typing;
use crate::read;
use crate::resolve::resolve;
use crate::setting::ConfigSource;
use crate::source::SourceMap;
use crate::tree::Tree;

/// What is wrong with the overrides of a copy. Shows as a user reads it.
#[derive(Clone, Debug)]
pub struct CopyError {
    /// All that is wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// The texts that they point into.
    pub sources: Arc<SourceMap>,
}

impl fmt::Display for CopyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let errors = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let texts: Vec<String> = errors.map(|diagnostic| diagnostic.render(&self.sources, false)).collect();
        f.write_str(&texts.join("\n\n"))
    }
}

impl std::error::Error for CopyError {}

impl Config {
    /// The same configuration with these variables replaced, and all that refers to them worked out again. A dotted name
    /// may name an entry of a map. The values replaced are in [`Setting::beaten`](crate::Setting::beaten).
    ///
    /// # Errors
    /// A variable that there is not, or a value that it cannot have.
    pub fn copy<N: Into<String>, V: Into<Value>>(
        &self,
        overrides: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, CopyError> {
        // Any value of the copy may follow from any of these.
        self.note_all();
        let overrides = overrides.into_iter().map(|(name, value)| (name.into(), value.into()));
        let mapping = Value::Map(overrides.collect());
        let mut sources = SourceMap::clone(self.sources());
        let mut entries = self.overrides().to_vec();
        let resolved = match read::from_value("<override>", &mapping, &mut sources) {
            Ok(node) => {
                let Tree::Map(given) = node.value else { unreachable!("a map was written down") };
                let layer = entries.last().map_or(layer::OVERRIDES, |entry| entry.layer + 1);
                entries.extend(given.into_iter().map(|(key, node)| Entry {
                    source: ConfigSource::Override,
                    layer,
                    key,
                    given: Given::Tree(node),
                    typing: Typing::Strict,
                }));
                resolve(self.loaded(), self.schema_shared(), Arc::new(entries), Some(self), &mut sources)
            }
            Err(diagnostic) => Err(vec![diagnostic]),
        };
        match resolved {
            Ok((config, _)) => Ok(config.narrowed_like(self).noting_like(self)),
            Err(diagnostics) => Err(CopyError { diagnostics, sources: Arc::new(sources) }),
        }
    }
}
