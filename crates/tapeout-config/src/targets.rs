//! `target::block.task.attribute`: what a target of the project gives, as a value. Owns where such a text may stand; what it
//! means is told by whoever knows the project.

use std::sync::Arc;

use tapeout_model::Value;

use crate::diagnostic::Diagnostic;
use crate::layer::{Entry, Given};
use crate::source::Span;
use crate::tree::{Key, Node, Tree};

/// What begins such a value.
const TARGET: &str = "target::";

/// Gives what `block.task.attribute` is, or says in one line why it cannot.
pub type TargetResults = Arc<dyn Fn(&str) -> Result<Value, String> + Send + Sync>;

/// Puts what targets give in the place of what names it.
pub(crate) fn resolve(entries: &mut [Entry], targets: Option<&TargetResults>, diagnostics: &mut Vec<Diagnostic>) {
    for entry in entries {
        let resolved = match &mut entry.given {
            Given::Tree(node) => {
                in_node(node, targets, diagnostics);
                None
            }
            Given::Text(text, span) => text.strip_prefix(TARGET).map(|name| value(name, *span, targets, diagnostics)),
        };
        if let Some(node) = resolved {
            entry.given = Given::Tree(node);
        }
    }
}

fn in_node(node: &mut Node, targets: Option<&TargetResults>, diagnostics: &mut Vec<Diagnostic>) {
    match &mut node.value {
        Tree::Str(text) => {
            if let Some(name) = text.strip_prefix(TARGET) {
                *node = value(name, node.span, targets, diagnostics);
            }
        }
        Tree::List(items) => items.iter_mut().for_each(|item| in_node(item, targets, diagnostics)),
        Tree::Map(entries) => entries.iter_mut().for_each(|(_, value)| in_node(value, targets, diagnostics)),
        _ => {}
    }
}

fn value(name: &str, span: Span, targets: Option<&TargetResults>, diagnostics: &mut Vec<Diagnostic>) -> Node {
    let given = match targets {
        Some(targets) => targets(name.trim()),
        None => Err("there is no project with targets here".to_owned()),
    };
    match given {
        Ok(value) => node(&value, span),
        Err(reason) => {
            diagnostics.push(Diagnostic::error(format!("`{TARGET}{name}`: {reason}")).at(span, "used here"));
            Node { value: Tree::Faulty, span }
        }
    }
}

/// A value that stands where it is named.
fn node(value: &Value, span: Span) -> Node {
    let value = match value {
        Value::Null => Tree::Null,
        Value::Bool(b) => Tree::Bool(*b),
        Value::Int(i) => Tree::Int(*i),
        Value::Decimal(decimal) => Tree::Decimal(*decimal),
        Value::Str(text) => Tree::Str(text.clone()),
        Value::List(items) => Tree::List(items.iter().map(|item| node(item, span)).collect()),
        Value::Map(entries) => {
            let entry = |(name, value): &(String, Value)| (Key { name: name.clone(), span }, node(value, span));
            Tree::Map(entries.iter().map(entry).collect())
        }
    };
    Node { value, span }
}
