//! A configuration given by code. It is written down as JSON, so that errors can show where in it they are.

use tapeout_model::Value;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, SourceMap, Span};
use crate::tree::{Entries, Key, MAX_DEPTH, Node, Tree, too_deep};

/// The tree of `value`, whose text is added to `sources` under `name`.
pub(crate) fn from_value(name: &str, value: &Value, sources: &mut SourceMap) -> Result<Node, Diagnostic> {
    let mut writer = Writer { file: sources.next_id(), text: String::new() };
    let node = writer.node(value, 0);
    sources.add(name, writer.text);
    node
}

struct Writer {
    file: FileId,
    text: String,
}

impl Writer {
    fn node(&mut self, value: &Value, depth: usize) -> Result<Node, Diagnostic> {
        let start = self.text.len();
        if depth > MAX_DEPTH {
            return Err(too_deep(self.since(start)));
        }
        let tree = match value {
            Value::List(items) => {
                self.text.push('[');
                let mut nodes = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    self.text.push_str(if index == 0 { "" } else { ", " });
                    nodes.push(self.node(item, depth + 1)?);
                }
                self.text.push(']');
                Tree::List(nodes)
            }
            Value::Map(pairs) => {
                let indent = "  ".repeat(depth + 1);
                self.text.push('{');
                let mut entries = Entries::default();
                for (index, (name, item)) in pairs.iter().enumerate() {
                    self.text.push_str(if index == 0 { "\n" } else { ",\n" });
                    self.text.push_str(&indent);
                    let key = self.text.len();
                    self.text.push_str(&serde_json::Value::from(name.as_str()).to_string());
                    let key = Key { name: name.clone(), span: self.since(key) };
                    self.text.push_str(": ");
                    let node = self.node(item, depth + 1)?;
                    entries.push(key, node)?;
                }
                self.text.push('\n');
                self.text.push_str(&indent[2..]);
                self.text.push('}');
                entries.finish()
            }
            scalar => {
                self.text.push_str(&scalar.to_json().to_string());
                match scalar {
                    Value::Bool(value) => Tree::Bool(*value),
                    Value::Int(value) => Tree::Int(*value),
                    Value::Decimal(value) => Tree::Decimal(*value),
                    Value::Str(value) => Tree::Str(value.clone()),
                    Value::Null | Value::List(_) | Value::Map(_) => Tree::Null,
                }
            }
        };
        Ok(Node { value: tree, span: self.since(start) })
    }

    fn since(&self, start: usize) -> Span {
        Span::new(self.file, start, self.text.len())
    }
}
