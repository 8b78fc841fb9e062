//! Where we differ from a peer on purpose: `conformance/differences.toml`. A difference names its cases, the reason,
//! which is a defect of the peer, and what we do instead, in the form of what a case expects.

use std::path::Path;

use serde_json::Value as Json;
use tapeout_config::{Node, SourceMap, Tree, read as read_config};

use crate::suites::Case;

/// One reason to differ, with the cases.
#[derive(Clone, Debug)]
pub(crate) struct Difference {
    /// The peer.
    pub(crate) suite: String,
    /// What it is about.
    pub(crate) area: String,
    /// The defect of the peer.
    pub(crate) reason: String,
    /// The cases that differ for that reason.
    pub(crate) cases: Vec<Differing>,
}

/// One case that differs.
#[derive(Clone, Debug)]
pub(crate) struct Differing {
    /// Its name, which other cases may have as well.
    name: String,
    /// Its input.
    input: Json,
    /// What is expected of us.
    pub(crate) instead: Json,
}

impl Difference {
    /// What is said of a case, if anything is, and as which of the cases.
    pub(crate) fn of(&self, suite: &str, case: &Case) -> Option<(usize, &Differing)> {
        if self.suite != suite || self.area != case.area {
            return None;
        }
        let mut cases = self.cases.iter().enumerate();
        cases.find(|(_, differing)| differing.name == case.name && differing.input == case.input)
    }
}

impl Differing {
    /// The case, for people.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.name, self.input)
    }
}

/// Reads the file.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read(path: &Path) -> Result<Vec<Difference>, String> {
    let mut sources = SourceMap::new();
    let node = read_config(path, &mut sources).map_err(|diagnostic| diagnostic.render(&sources, false))?;
    let differences = list(&node, "difference")?.iter().map(|node| {
        let cases = list(node, "case")?.iter().map(|node| {
            Ok(Differing { name: text(node, "name")?, input: json(node, "input")?, instead: json(node, "instead")? })
        });
        Ok(Difference {
            suite: text(node, "suite")?,
            area: text(node, "area")?,
            reason: text(node, "reason")?,
            cases: cases.collect::<Result<_, String>>()?,
        })
    });
    differences.collect::<Result<_, _>>().map_err(|error: String| format!("{}: {error}", path.display()))
}

fn entry<'n>(node: &'n Node, key: &str) -> Result<&'n Node, String> {
    let Tree::Map(entries) = &node.value else { return Err("a difference is not a table".to_owned()) };
    let found = entries.iter().find(|(name, _)| name.name == key).map(|(_, node)| node);
    found.ok_or_else(|| format!("a difference has no `{key}`"))
}

fn list<'n>(node: &'n Node, key: &str) -> Result<&'n [Node], String> {
    match &entry(node, key)?.value {
        Tree::List(items) => Ok(items),
        _ => Err(format!("`{key}` is not a list")),
    }
}

fn text(node: &Node, key: &str) -> Result<String, String> {
    match &entry(node, key)?.value {
        Tree::Str(text) => Ok(text.trim().to_owned()),
        _ => Err(format!("`{key}` of a difference is not text")),
    }
}

fn json(node: &Node, key: &str) -> Result<Json, String> {
    let text = text(node, key)?;
    serde_json::from_str(&text).map_err(|error| format!("`{key}` of a difference is not JSON: {error}: {text}"))
}
