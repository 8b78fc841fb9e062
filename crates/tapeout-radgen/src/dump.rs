//! The resolved configuration as JSON: by sections as a top configuration has them, and by subtools as RAD-Gen dumps
//! its structs.

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value as Json};
use tapeout_config::{SourceMap, Variable};
use tapeout_model::Value;

use crate::files::{Surroundings, is_path};
use crate::options::COMMON;
use crate::resolve::{Request, Resolved, resolve};

impl Resolved {
    /// The variables of `common` and of the named subtools in the order of declaration.
    pub fn variables(&self) -> impl Iterator<Item = &Variable> {
        let is_shown = |variable: &&Variable| {
            let section = variable.name.split('.').next().unwrap_or_default();
            let named = section == COMMON || self.subtools.iter().any(|subtool| subtool.name() == section);
            // A name of former times has no value.
            named && self.config.declares(&variable.name)
        };
        self.config.schema().iter().filter(is_shown)
    }

    /// The sections `common` and those of the named subtools, with `null` for what has no value. Paths are relative to
    /// the current directory where they lie in it.
    #[must_use]
    pub fn to_json(&self) -> Json {
        self.nested(|_, value| value.to_json())
    }

    /// The structs of the named subtools, each with its `common`, as RAD-Gen dumps them: paths are absolute, and below
    /// RAD-Gen's directory they begin with `${RAD_GEN_HOME}`. What a sweep does not vary is `null`
    /// as a whole.
    #[must_use]
    pub fn dump(&self, surroundings: &Surroundings) -> Json {
        let dir = self.config.design_dir();
        let home = surroundings.variable("RAD_GEN_HOME").map(|home| absolute(dir, home));
        let mut sections = self.nested(|variable, value| {
            let json = value.to_json();
            if is_path(&variable.ty) { with_home(json, dir, home.as_deref()) } else { json }
        });
        let common = sections[COMMON].take();
        let structs = self.subtools.iter().map(|subtool| {
            let mut section = sections[subtool.name()].take();
            section[COMMON] = common.clone();
            // The struct that the option's name shortens.
            if let Some(hammer) = section.get("hammer_flow").cloned() {
                section["asic_flow_settings"] = hammer;
            }
            if let Some(sweep) = section.get_mut("design_sweep_info") {
                for params in ["vlsi_params", "sram_params", "rtl_params"] {
                    sweep[params] = without_empty(sweep[params].take());
                }
            }
            (subtool.name().to_owned(), section)
        });
        Json::Object(structs.collect())
    }

    fn nested(&self, json: impl Fn(&Variable, &Value) -> Json) -> Json {
        let mut top = Map::new();
        for variable in self.variables() {
            let setting = self.config.setting(&variable.name);
            let value = match &setting.value {
                Some(_) if setting.secret => Json::String("(secret)".to_owned()),
                Some(value) => json(variable, value),
                None => Json::Null,
            };
            put(&mut top, &variable.name, value);
        }
        Json::Object(top)
    }
}

/// What a command line comes to, as [`Resolved::dump`] has it; nothing if it asks for help.
///
/// # Errors
/// Each as it is shown to users.
pub fn dump(words: &[String], surroundings: &Surroundings) -> Result<Json, Vec<String>> {
    let mut sources = SourceMap::new();
    match resolve(words, surroundings, &mut sources) {
        Ok(Request::Run(resolved)) => Ok(resolved.dump(surroundings)),
        Ok(Request::Help(_)) => Ok(Json::Null),
        Err(diagnostics) => Err(diagnostics.iter().map(|diagnostic| diagnostic.render(&sources, false)).collect()),
    }
}

/// Puts a value at the place that a dotted name says.
fn put(map: &mut Map<String, Json>, name: &str, value: Json) {
    match name.split_once('.') {
        None => {
            map.insert(name.to_owned(), value);
        }
        Some((first, rest)) => {
            let below = map.entry(first).or_insert_with(|| Json::Object(Map::new()));
            if let Json::Object(below) = below {
                put(below, rest, value);
            }
        }
    }
}

/// The same with `null` for each map of nothing but that.
fn without_empty(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let map: Map<String, Json> = map.into_iter().map(|(name, value)| (name, without_empty(value))).collect();
            if map.values().all(Json::is_null) { Json::Null } else { Json::Object(map) }
        }
        other => other,
    }
}

fn with_home(json: Json, dir: &Path, home: Option<&Path>) -> Json {
    match json {
        Json::String(path) => {
            let path = absolute(dir, &path);
            let below = home.and_then(|home| path.strip_prefix(home).ok());
            Json::String(match below {
                Some(below) => {
                    Path::new("${RAD_GEN_HOME}").join(below).to_string_lossy().trim_end_matches('/').to_owned()
                }
                None => path.to_string_lossy().into_owned(),
            })
        }
        Json::Array(items) => Json::Array(items.into_iter().map(|item| with_home(item, dir, home)).collect()),
        other => other,
    }
}

/// The absolute path, by the text alone.
fn absolute(dir: &Path, path: &str) -> PathBuf {
    let mut out = PathBuf::new();
    for component in dir.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}
