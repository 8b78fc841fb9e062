//! Where we differ from a peer on purpose: `conformance/differences.toml`. A difference names its cases, the reason,
//! which is a defect of the peer, and what we do instead, in the form of what a case expects.

use std::path::Path;

use regex::Regex;
use serde_json::Value as Json;
use tapeout_config::{Node, SourceMap, Tree, read as read_config};

use crate::compare::Comparison;
use crate::hooks::{Quirk, quirks};
use crate::outcome::Outcome;
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
    /// What further cases look like that differ for that reason, for other case files.
    kinds: Vec<Kind>,
    /// The way of Hammer's by which further cases differ.
    quirk: Option<Quirk>,
}

/// The name of an entry that stands for the whole input, where that is no map.
const WHOLE: &str = "input";

/// What cases of one defect look like.
#[derive(Clone, Debug)]
struct Kind {
    /// Patterns of entries of the input; [`WHOLE`] is the input itself.
    input: Vec<(String, Regex)>,
    /// Whether the peer accepts the input.
    accepted_there: bool,
    /// Whether we do.
    accepted_here: bool,
    /// A pattern of what is expected.
    expected: Option<Regex>,
    /// Parts of the value in which we differ; without any, the value may be another.
    only_in: Vec<String>,
    /// Whether we differ in nothing but that results which were there are not made again.
    recalled: bool,
}

/// One case that differs.
#[derive(Clone, Debug)]
pub(crate) struct Differing {
    /// What people call it.
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
        // The same input under another name, as other files may have it, is the same case.
        cases.find(|(_, differing)| differing.input == case.input)
    }
}

impl Difference {
    /// Whether a case that is not listed, and that comes out otherwise than for the peer, looks like one of the same
    /// defect.
    pub(crate) fn covers(&self, suite: &str, case: &Case, outcome: &Outcome, comparison: &Comparison<'_>) -> bool {
        let accepted_here = matches!(outcome, Outcome::Accepted(_));
        let accepted_there = case.expected.get("ok").is_some();
        let entry = |name: &str| if name == WHOLE { &case.input } else { &case.input[name] };
        let fits = |(name, pattern): &(String, Regex)| match entry(name) {
            Json::Null => false,
            Json::String(text) => pattern.is_match(text),
            other => pattern.is_match(&other.to_string()),
        };
        let covers = |kind: &Kind| {
            kind.accepted_there == accepted_there
                && kind.accepted_here == accepted_here
                && kind.expected.as_ref().is_none_or(|pattern| pattern.is_match(&case.expected.to_string()))
                && kind.input.iter().all(fits)
                && (kind.only_in.is_empty() || comparison.agree_but_for(&kind.only_in, &case.expected, outcome))
                && (!kind.recalled || comparison.agree_but_for_recalled(&case.expected, outcome))
        };
        let of_quirk = |quirk: Quirk| quirks(&case.input, &case.expected, outcome).contains(&quirk);
        self.suite == suite
            && self.area == case.area
            && (self.kinds.iter().any(covers) || self.quirk.is_some_and(of_quirk))
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
        let kinds = list(node, "kind").unwrap_or_default().iter().map(kind);
        let cases = list(node, "case").unwrap_or_default().iter().map(|node| {
            Ok(Differing { name: text(node, "name")?, input: json(node, "input")?, instead: json(node, "instead")? })
        });
        Ok(Difference {
            suite: text(node, "suite")?,
            area: text(node, "area")?,
            reason: text(node, "reason")?,
            cases: cases.collect::<Result<_, String>>()?,
            kinds: kinds.collect::<Result<_, String>>()?,
            quirk: match text(node, "quirk") {
                Ok(name) => Some(Quirk::named(&name).ok_or_else(|| format!("there is no quirk `{name}`"))?),
                Err(_) => None,
            },
        })
    });
    differences.collect::<Result<_, _>>().map_err(|error: String| format!("{}: {error}", path.display()))
}

fn kind(node: &Node) -> Result<Kind, String> {
    let Tree::Map(entries) = &entry(node, "input")?.value else { return Err("`input` is not a table".to_owned()) };
    let patterns = entries.iter().map(|(key, node)| match &node.value {
        Tree::Str(pattern) => Ok((key.name.clone(), Regex::new(pattern).map_err(|error| error.to_string())?)),
        _ => Err(format!("`input.{}` is not a pattern", key.name)),
    });
    let accepted = |key| match text(node, key)?.as_str() {
        "accepted" => Ok(true),
        "refused" => Ok(false),
        other => Err(format!("`{key}` must be `accepted` or `refused`, not `{other}`")),
    };
    Ok(Kind {
        input: patterns.collect::<Result<_, String>>()?,
        accepted_there: accepted("there")?,
        accepted_here: accepted("here")?,
        expected: match text(node, "expected") {
            Ok(pattern) => Some(Regex::new(&pattern).map_err(|error| error.to_string())?),
            Err(_) => None,
        },
        only_in: match list(node, "only_in") {
            Ok(names) => names.iter().map(|name| name.to_value().to_string()).collect(),
            Err(_) => Vec::new(),
        },
        recalled: matches!(entry(node, "recalled").map(|node| &node.value), Ok(Tree::Bool(true))),
    })
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_case_is_known_by_its_input() {
        let differing = Differing { name: "A".to_owned(), input: json!({ "x": 1 }), instead: json!({}) };
        let (suite, area, reason) = ("peer".to_owned(), "area".to_owned(), String::new());
        let difference = Difference { suite, area, reason, cases: vec![differing], kinds: Vec::new(), quirk: None };
        let found = |suite: &str, area: &str, input: Json| {
            let (area, name) = (area.to_owned(), "another name".to_owned());
            let case = Case { area, name, input, expected: Json::Null, wanted: None, more: false };
            difference.of(suite, &case).is_some()
        };
        assert!(found("peer", "area", json!({ "x": 1 })));
        assert!(!found("peer", "area", json!({ "x": 2 })));
        assert!(!found("other", "area", json!({ "x": 1 })) && !found("peer", "other", json!({ "x": 1 })));
    }
}
