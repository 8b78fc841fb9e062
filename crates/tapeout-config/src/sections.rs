//! Sections of a configuration that hold for some PDKs or cell libraries only: `"pdk::sky130*": {…}`. They are opened
//! where they stand, so that what follows sees and replaces what is in them. Which PDK and library that is, is found out
//! here, too.

use std::borrow::Cow;
use std::path::Path;

use glob::Pattern;
use tapeout_model::Value;

use crate::diagnostic::Diagnostic;
use crate::layer::{Entry, Item};
use crate::load::Loaded;
use crate::meta::is_comment;
use crate::pdk::{self, PdkManifests};
use crate::references::{self, DESIGN_DIR, References};
use crate::schema::Schema;
use crate::source::Span;
use crate::tree::{Key, Node, Tree};
use crate::variable::Variable;

/// The PDK and the cell library in use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pdk: Option<String>,
    /// The directory that PDKs are in. Absolute.
    pub(crate) root: Option<String>,
    pub(crate) scl: Option<String>,
}

impl Process {
    /// What the variables say that choose it.
    pub(crate) fn of(design_dir: &Path, variable: impl Fn(&str) -> Option<String>) -> Self {
        let root = variable("PDK_ROOT").map(|root| Self::root(design_dir, &root));
        Self { pdk: variable("PDK"), root, scl: variable("STD_CELL_LIBRARY") }
    }

    /// The directory that PDKs are in, as the design sees it.
    pub(crate) fn root(design_dir: &Path, root: &str) -> String {
        design_dir.join(root).to_string_lossy().into_owned()
    }

    /// The same, with what a weaker layer says where this says nothing.
    pub(crate) fn or(self, weaker: Self) -> Self {
        Self { pdk: self.pdk.or(weaker.pdk), root: self.root.or(weaker.root), scl: self.scl.or(weaker.scl) }
    }

    /// The directory of the PDK.
    pub(crate) fn path(&self, known: PdkManifests) -> Option<String> {
        pdk::path(self, known)
    }
}

/// The entry with its place in sections opened; nothing if it stands in a section for other PDKs.
pub(crate) fn open<'a>(
    entry: &'a Entry,
    process: &Process,
    variable: &dyn Fn(&str) -> Option<&'a Variable>,
    items: &mut Vec<Item<'a>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let node = match entry.given.node(variable(&entry.key.name)) {
        Ok(node) => node,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            return;
        }
    };
    match node {
        Cow::Borrowed(node) => put(entry, &entry.key, node, process, items, diagnostics),
        node @ Cow::Owned(_) => items.push(item(entry, &entry.key, node)),
    }
}

fn item<'a>(entry: &'a Entry, key: &'a Key, node: Cow<'a, Node>) -> Item<'a> {
    Item {
        source: entry.source,
        layer: entry.layer,
        name: Cow::Borrowed(&key.name),
        key_span: key.span,
        node,
        typing: entry.typing,
    }
}

fn put<'a>(
    entry: &'a Entry,
    key: &'a Key,
    node: &'a Node,
    process: &Process,
    items: &mut Vec<Item<'a>>,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let (glob, chosen) = match (key.name.strip_prefix("pdk::"), key.name.strip_prefix("scl::")) {
        (Some(glob), _) => (glob, &process.pdk),
        (_, Some(glob)) => (glob, &process.scl),
        _ if is_comment(&key.name) => return,
        _ => {
            refuse_within(&key.name, node, diagnostics);
            return items.push(item(entry, key, Cow::Borrowed(node)));
        }
    };
    let Tree::Map(entries) = &node.value else {
        diagnostics.push(
            Diagnostic::error(format!("the section `{}` must be a map, not {}", key.name, node.kind()))
                .at(node.span, "expected a map of variables"),
        );
        return;
    };
    match Pattern::new(glob) {
        Ok(pattern) if chosen.as_deref().is_some_and(|chosen| pattern.matches(chosen)) => {
            for (key, node) in entries {
                put(entry, key, node, process, items, diagnostics);
            }
        }
        Ok(_) => {}
        Err(error) => diagnostics.push(bad_pattern(glob, error.msg, key.span)),
    }
}

/// Notes sections that stand within the value of a variable, where they would be entries like any other.
fn refuse_within(variable: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    match &node.value {
        Tree::List(nodes) => nodes.iter().for_each(|node| refuse_within(variable, node, diagnostics)),
        Tree::Map(entries) => {
            for (key, node) in entries {
                let by = match key.name.get(..5) {
                    Some("pdk::") => Some("PDK"),
                    Some("scl::") => Some("STD_CELL_LIBRARY"),
                    _ => None,
                };
                if let Some(by) = by {
                    diagnostics.push(
                        Diagnostic::error(format!("the section `{}` stands in the value of `{variable}`", key.name))
                            .at(key.span, format!("no section by `{by}` here"))
                            .help(format!("put it around `{variable}`, at the top of the configuration")),
                    );
                } else {
                    refuse_within(variable, node, diagnostics);
                }
            }
        }
        _ => {}
    }
}

fn bad_pattern(glob: &str, reason: &str, span: Span) -> Diagnostic {
    Diagnostic::error(format!("`{glob}` is not a pattern of names")).at(span, reason)
}

/// The entries of all layers, with the sections that hold opened.
pub(crate) fn open_all<'a>(
    entries: Vec<&'a Entry>,
    schema: &'a Schema,
    process: &Process,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<Item<'a>> {
    let mut items = Vec::with_capacity(entries.len());
    for entry in entries {
        open(entry, process, &|name| schema.get(name), &mut items, diagnostics);
    }
    items
}

/// Which PDK and cell library are chosen, and the names that references have in every configuration. What is wrong with
/// the choice is said when these variables get their values.
pub(crate) fn process(loaded: &Loaded, schema: &Schema, given: &[&Entry]) -> (Process, Vec<(&'static str, String)>) {
    let mut fixed = vec![(DESIGN_DIR, loaded.design_dir.to_string_lossy().into_owned())];
    let chosen = |name: &str, process: &Process, fixed: &[(&'static str, String)]| {
        let items = open_all(given.to_vec(), schema, process, &mut Vec::new());
        let position = items.iter().rposition(|item| item.name == name)?;
        let node = &items[position].node;
        let chosen = match &node.value {
            Tree::Str(text) if references::is_reference(text) => {
                References::new(&items, fixed.to_vec()).evaluate(position, node)
            }
            _ => Cow::Borrowed(&**node),
        };
        match &chosen.value {
            Tree::Str(text) | Tree::Pattern(text) if !text.is_empty() => Some(text.clone()),
            _ => None,
        }
    };
    let names = ["PDK", "PDK_ROOT", "STD_CELL_LIBRARY"];
    let mentioned =
        given.iter().any(|entry| names.contains(&entry.key.name.as_str()) || entry.key.name.starts_with("pdk::"));
    let mut process = Process::default();
    if !mentioned {
        return (process, fixed);
    }
    process.root = chosen("PDK_ROOT", &process, &fixed).map(|root| Process::root(&loaded.design_dir, &root));
    process.pdk =
        chosen("PDK", &process, &fixed).or_else(|| match (&process.root, schema.get("PDK")?.default.as_ref()?) {
            (Some(_), Value::Str(pdk)) => Some(pdk.clone()),
            _ => None,
        });
    process.scl = chosen("STD_CELL_LIBRARY", &process, &fixed);
    fixed.extend(process.pdk.clone().map(|pdk| ("PDK", pdk)));
    fixed.extend(process.path(loaded.pdks).map(|path| ("PDKPATH", path)));
    (process, fixed)
}
