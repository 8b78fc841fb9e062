//! The `tools` map: how the tools of this machine are to be started.

use std::collections::BTreeMap;

use tapeout_model::ToolSettings;

use crate::diagnostic::Diagnostic;
use crate::meta::is_comment;
use crate::suggest;
use crate::tree::{Key, Node, Tree};

const KEYS: [&str; 7] = ["path", "setup", "prefix", "env", "at_once", "timeout_s", "no_licence"];

/// Takes over the entries of one layer's `tools`; each entry of a tool beats that of the layer below.
pub(crate) fn update(tools: &mut BTreeMap<String, ToolSettings>, node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    let Some(entries) = map("tools", "a map from tools to their settings", node, diagnostics) else { return };
    for (key, settings) in entries {
        let name = format!("tools.{}", key.name);
        let Some(entries) = map(&name, "a map of settings", settings, diagnostics) else { continue };
        let tool = tools.entry(key.name.clone()).or_default();
        for (key, value) in entries {
            let at = format!("{name}.{}", key.name);
            match key.name.as_str() {
                "path" => replace(text(&at, value, diagnostics).map(Some), &mut tool.path),
                "setup" => replace(text(&at, value, diagnostics).map(Some), &mut tool.setup),
                "prefix" => replace(words(&at, value, diagnostics), &mut tool.prefix),
                "env" => replace(variables(&at, value, diagnostics), &mut tool.env),
                "at_once" => replace(count(&at, value, diagnostics).map(Some), &mut tool.at_once),
                "timeout_s" => replace(count(&at, value, diagnostics).map(Some), &mut tool.timeout_s),
                "no_licence" => replace(words(&at, value, diagnostics), &mut tool.no_licence),
                other => {
                    let diagnostic =
                        Diagnostic::error(format!("a tool has no setting `{other}`")).at(key.span, "unknown");
                    diagnostics.push(match suggest::nearest(other, KEYS) {
                        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                        None => diagnostic.help(format!("its settings are `{}`", KEYS.join("`, `"))),
                    });
                }
            }
        }
    }
}

fn replace<T>(new: Option<T>, place: &mut T) {
    if let Some(new) = new {
        *place = new;
    }
}

fn map<'n>(
    at: &str,
    expected: &str,
    node: &'n Node,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<impl Iterator<Item = &'n (Key, Node)> + use<'n>> {
    match &node.value {
        Tree::Map(entries) => Some(entries.iter().filter(|(key, _)| !is_comment(&key.name))),
        _ => {
            wrong(at, expected, node, diagnostics);
            None
        }
    }
}

fn text(at: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<String> {
    match &node.value {
        Tree::Str(text) => Some(text.clone()),
        _ => {
            wrong(at, "a string", node, diagnostics);
            None
        }
    }
}

fn count(at: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<u64> {
    match node.value {
        Tree::Int(count) if count > 0 => u64::try_from(count).ok(),
        _ => {
            wrong(at, "a whole number from 1 on", node, diagnostics);
            None
        }
    }
}

fn words(at: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<Vec<String>> {
    // A string would have to be split, and where is for the user to say.
    let Tree::List(items) = &node.value else {
        diagnostics.push(mismatch(at, "a list of strings", node).help("write a list with one word in each item"));
        return None;
    };
    let mut words = Vec::new();
    for (index, item) in items.iter().enumerate() {
        words.extend(text(&format!("{at}[{index}]"), item, diagnostics));
    }
    (words.len() == items.len()).then_some(words)
}

fn variables(at: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) -> Option<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    let mut complete = true;
    for (key, value) in map(at, "a map of strings", node, diagnostics)? {
        match text(&format!("{at}.{}", key.name), value, diagnostics) {
            Some(value) => _ = variables.insert(key.name.clone(), value),
            None => complete = false,
        }
    }
    complete.then_some(variables)
}

fn wrong(at: &str, expected: &str, node: &Node, diagnostics: &mut Vec<Diagnostic>) {
    diagnostics.push(mismatch(at, expected, node));
}

fn mismatch(at: &str, expected: &str, node: &Node) -> Diagnostic {
    Diagnostic::error(format!("`{at}` must be {expected}, not {}", node.kind()))
        .at(node.span, format!("expected {expected}"))
}
