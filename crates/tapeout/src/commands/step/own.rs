//! The configuration of a single step: of what files say, that which concerns the step. What other steps read is of no
//! use to it, and need not be there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tapeout_config::{ConfigSource, Diagnostic, Key, Loader, Node, SECRET, Schema, SourceMap, Tree, Variable, read};
use tapeout_flow::{PlanError, Registry, universal_variables};
use tapeout_model::Class;

use crate::error::CliError;
use crate::terminal::words::from_here;
use crate::{Cx, project, tools};

/// What chooses a PDK and its cell library.
const PROCESS: [&str; 3] = ["PDK", "PDK_ROOT", "STD_CELL_LIBRARY"];

/// What a configuration in the manner of OpenLane says of itself.
pub(super) struct Header {
    /// The step that it is for: `meta.step`.
    pub(super) step: Option<String>,
    /// What the paths in it are relative to: `DESIGN_DIR`, without it the directory of the file.
    pub(super) design_dir: PathBuf,
}

impl Header {
    /// Reads it, where the file is one in JSON.
    pub(super) fn read(file: &Path) -> Result<Self, CliError> {
        let json: Option<Value> = fs::read(file).ok().and_then(|text| serde_json::from_slice(&text).ok());
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let step = json.as_ref().and_then(|json| text(&json["meta"]["step"]));
        let dir = project::directory_of(file);
        let named = json.as_ref().filter(|_| step.is_some()).and_then(|json| text(&json["DESIGN_DIR"]));
        let design_dir = named.map_or_else(|| dir.clone(), |named| dir.join(named));
        if !design_dir.is_dir() {
            let message = format!(
                "`{}` is for a design in `{}`, and there is no such directory",
                from_here(file),
                from_here(&design_dir)
            );
            return Err(CliError::input(message)
                .hint("correct its `DESIGN_DIR`; without that, paths are relative to the file's directory"));
        }
        Ok(Self { step, design_dir })
    }
}

/// What reads these files, the weakest first, for one step.
pub(super) fn loader(
    cx: &Cx,
    id: &str,
    files: &[PathBuf],
    design_dir: &Path,
    sources: &mut SourceMap,
) -> Result<Loader, CliError> {
    let schema = schema(&cx.registry, id)?;
    let mut layers = Vec::new();
    for file in files {
        let node = read(file, sources).map_err(|error| PlanError(vec![error]));
        let node = project::reported(cx, node, sources)?;
        let text = fs::read_to_string(file).unwrap_or_default();
        layers.push(concerning(&schema, &text, node).map_err(|error| PlanError(vec![error])));
    }
    let mut layers =
        layers.into_iter().map(|layer| project::reported(cx, layer, sources)).collect::<Result<Vec<_>, _>>()?;
    let given: BTreeSet<String> = layers.iter().flatten().map(|(key, _)| key.name.clone()).collect();
    // What is written down of the PDK needs not to be read from it.
    let lacks = |variable: &Variable| variable.from_pdk && !given.contains(variable.name.as_ref());
    if !schema.iter().any(lacks) && !given.iter().any(|name| is_section(name)) {
        let is_of_use = |name: &str| !PROCESS.contains(&name) || schema.get(name).is_some();
        layers.iter_mut().for_each(|entries| entries.retain(|(key, _)| is_of_use(&key.name)));
    }
    let layers = layers.into_iter().filter_map(|entries| {
        let span = entries.first()?.0.span;
        Some((ConfigSource::File, Node { value: Tree::Map(entries), span }))
    });
    Ok(Loader { design_dir: Some(design_dir.to_owned()), layers: layers.collect(), ..tools::loader() })
}

/// The variables of a step.
fn schema(registry: &Registry, id: &str) -> Result<Schema, CliError> {
    let internal = |error: String| CliError::new(Class::Internal, error);
    let of_step = registry.steps().filter(|step| step.id == id).flat_map(|step| step.variables.iter().cloned());
    let mut schema = Schema::new(universal_variables()).map_err(|error| internal(error.to_string()))?;
    for variable in of_step {
        schema.add(variable).map_err(|error| internal(error.to_string()))?;
    }
    Ok(schema)
}

/// The entries that concern the step: its variables, what their values refer to, and how tools are started.
fn concerning(schema: &Schema, text: &str, node: Node) -> Result<Vec<(Key, Node)>, Diagnostic> {
    let kind = node.kind();
    let Tree::Map(mut entries) = node.value else {
        return Err(Diagnostic::error(format!("a configuration must be a map, not {kind}"))
            .at(node.span, "expected a map of variables"));
    };
    entries.retain(|(key, node)| {
        let name = key.name.as_str();
        let known = schema.find(name).map(|(variable, _)| variable).or_else(|| schema.formerly(name));
        match (known, &node.value) {
            // OpenLane writes so what a variable has that nobody gave.
            (Some(variable), Tree::Null) => variable.optional,
            // What is secret is not written down.
            (_, Tree::Str(text)) if text == SECRET => false,
            (Some(_), _) => true,
            (None, _) => {
                ["meta", "tools"].contains(&name)
                    || PROCESS.contains(&name)
                    || is_section(name)
                    || schema.is_group(name)
                    || text.contains(&format!("${name}"))
            }
        }
    });
    Ok(entries)
}

/// Whether it is for some PDKs or cell libraries only: `pdk::sky130*`.
fn is_section(name: &str) -> bool {
    name.contains("::")
}
