//! The `meta` map: what a configuration says about itself.

use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::suggest;
use crate::tree::{Node, Tree};

/// What a configuration says about itself. With several files, the last one that has an entry gives it; one that names a
/// flow takes away the edits of what was named before.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Meta {
    /// The flow, and where it is named.
    pub flow: Option<(FlowChoice, Span)>,
    /// Edits of the named flow's steps: a map or a list of pairs, for the flow to understand.
    pub substituting_steps: Option<Node>,
    /// The step for which a step's own configuration was written.
    pub step: Option<Node>,
}

/// Which flow a configuration asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FlowChoice {
    /// A flow by its name.
    Named(String),
    /// A flow of these steps, one after the other.
    Steps(Vec<(String, Span)>),
}

/// How the values of a file are typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    /// As written: text is not a number. `version: 2`.
    Strict,
    /// Text is converted, and unknown variables are only warned of. `version: 1`.
    Permissive,
}

const KEYS: [&str; 6] = ["version", "flow", "substituting_steps", "step", "librelane_version", "openlane_version"];

impl Meta {
    /// Takes over the entries of one file's `meta`, and says how that file is typed: as is usual for its format unless
    /// there is a version.
    pub(crate) fn update(&mut self, node: &Node, usual: Typing, diagnostics: &mut Vec<Diagnostic>) -> Typing {
        let mut typing = usual;
        let Tree::Map(entries) = &node.value else {
            if node.value == Tree::Null {
                return typing;
            }
            diagnostics.push(
                Diagnostic::error(format!("`meta` must be a map, not {}", node.kind())).at(node.span, "expected a map"),
            );
            return typing;
        };
        if entries.iter().any(|(key, value)| key.name == "flow" && value.value != Tree::Null) {
            self.substituting_steps = None;
        }
        for (key, value) in entries {
            match key.name.as_str() {
                "version" => match value.value {
                    Tree::Int(1) => typing = Typing::Permissive,
                    Tree::Int(2) => typing = Typing::Strict,
                    _ => diagnostics
                        .push(Diagnostic::error("`meta.version` must be 1 or 2").at(value.span, "expected `1` or `2`")),
                },
                "flow" if value.value == Tree::Null => {}
                "flow" => match flow(value) {
                    Ok(flow) => self.flow = Some((flow, value.span)),
                    Err(diagnostic) => diagnostics.push(diagnostic),
                },
                "substituting_steps" if value.value == Tree::Null => self.substituting_steps = None,
                "substituting_steps" => self.substituting_steps = Some(value.clone()),
                "step" => self.step = Some(value.clone()),
                // Other programs note here who wrote the file.
                "librelane_version" | "openlane_version" => {}
                name if is_comment(name) => {}
                name => {
                    let diagnostic = Diagnostic::error(format!("`meta` has no entry `{name}`")).at(key.span, "unknown");
                    diagnostics.push(match suggest::nearest(name, KEYS) {
                        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                        None => diagnostic.help(format!("its entries are `{}`", KEYS[..4].join("`, `"))),
                    });
                }
            }
        }
        typing
    }
}

fn flow(node: &Node) -> Result<FlowChoice, Diagnostic> {
    let wrong = |node: &Node, expected: &str| {
        Diagnostic::error(format!("`meta.flow` must be the name of a flow or a list of steps, not {}", node.kind()))
            .at(node.span, expected)
    };
    match &node.value {
        Tree::Str(name) => Ok(FlowChoice::Named(name.clone())),
        Tree::List(items) if items.is_empty() => {
            Err(Diagnostic::error("`meta.flow` is a list without steps").at(node.span, "expected the ids of steps"))
        }
        Tree::List(items) => {
            let step = |item: &Node| match &item.value {
                Tree::Str(id) => Ok((id.clone(), item.span)),
                _ => Err(wrong(item, "expected the id of a step")),
            };
            Ok(FlowChoice::Steps(items.iter().map(step).collect::<Result<_, _>>()?))
        }
        _ => Err(wrong(node, "expected a string or a list of strings")),
    }
}

/// Keys that formats without comments use for comments.
pub(crate) fn is_comment(key: &str) -> bool {
    key.starts_with("//") || key.starts_with('#')
}
