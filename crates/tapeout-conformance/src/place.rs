//! Where a case runs: a temporary directory, `$ROOT` in the case files, with the files that the suite's definitions
//! name, and how a configuration is resolved there.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tapeout_config::{Config, Diagnostic, Loaded, Loader, Schema, SourceMap};
use tempfile::TempDir;

use crate::outcome::Outcome;

/// The directory of one case, and what the suite defines for all.
pub(crate) struct Place<'a> {
    root: PathBuf,
    /// What cases refer to by name.
    pub(crate) definitions: &'a Json,
    _dir: TempDir,
}

/// A configuration with all that it was made from.
pub(crate) struct Resolved {
    pub(crate) loaded: Loaded,
    pub(crate) config: Config,
    pub(crate) warnings: Vec<Diagnostic>,
    pub(crate) sources: SourceMap,
}

/// The stand-in for [`Place::root`] in case files.
const ROOT: &str = "$ROOT";

impl<'a> Place<'a> {
    /// Makes the directory with the files.
    pub(crate) fn new(definitions: &'a Json) -> Result<Self, String> {
        let cannot = |error: std::io::Error| format!("cannot make a temporary directory: {error}");
        let dir = TempDir::with_prefix("conformance-").map_err(cannot)?;
        let root = dir.path().canonicalize().map_err(cannot)?;
        let place = Self { root, definitions, _dir: dir };
        fs::create_dir(place.cwd()).map_err(cannot)?;
        for file in definitions["design_files"].as_array().into_iter().flatten().filter_map(Json::as_str) {
            place.write(&place.cwd().join(place.filled(file)), "// A file of the design.\n")?;
        }
        Ok(place)
    }

    /// The directory itself.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The design directory.
    pub(crate) fn cwd(&self) -> PathBuf {
        self.root.join("cwd")
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn write(&self, path: &Path, text: &str) -> Result<(), String> {
        let folder = path.parent().map_or(Ok(()), fs::create_dir_all);
        folder.and_then(|()| fs::write(path, text)).map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// Text with the real directory in it.
    pub(crate) fn filled(&self, text: &str) -> String {
        text.replace(ROOT, &self.root.to_string_lossy())
    }

    /// Text without the real directory, which is another each time.
    pub(crate) fn emptied(&self, text: &str) -> String {
        text.replace(&*self.root.to_string_lossy(), ROOT)
    }

    /// The same for all text in a value.
    pub(crate) fn fill(&self, value: &Json) -> Json {
        match value {
            Json::String(text) => Json::String(self.filled(text)),
            Json::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Json::Object(entries) => entries.iter().map(|(name, item)| (self.filled(name), self.fill(item))).collect(),
            other => other.clone(),
        }
    }
}

/// Both phases; what is wrong in either is the outcome.
pub(crate) fn resolve(loader: Loader, schema: &Schema) -> Result<Resolved, Outcome> {
    let mut sources = SourceMap::new();
    let refused = |diagnostics: Vec<Diagnostic>, sources: &SourceMap| Outcome::refused(&diagnostics, sources);
    let loaded = loader.load(&mut sources).map_err(|diagnostics| refused(diagnostics, &sources))?;
    match loaded.resolve(schema, &mut sources) {
        Ok((config, warnings)) => Ok(Resolved { loaded, config, warnings, sources }),
        Err(diagnostics) => Err(refused(diagnostics, &sources)),
    }
}
