//! The layers of a configuration before typing: who gives which value under which name, the weakest first.

use std::borrow::Cow;

use crate::diagnostic::Diagnostic;
use crate::meta::Typing;
use crate::read::yaml;
use crate::setting::ConfigSource;
use crate::source::Span;
use crate::tree::{Key, Node, Tree};
use crate::types::Type;
use crate::typing;
use crate::variable::Variable;

/// Layers that are no files come behind those that are, each so far behind the last one: the environment, what a PDK says.
pub(crate) const ENVIRONMENT: usize = 1;
pub(crate) const OF_PDK: usize = 2;

/// The first layer of overrides, behind all that a PDK can have.
pub(crate) const OVERRIDES: usize = usize::MAX / 2;

/// One value that is given under a name at the top of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) source: ConfigSource,
    /// Which file, mapping or command line it is, in order: entries of one layer see only those above them.
    pub(crate) layer: usize,
    pub(crate) key: Key,
    pub(crate) given: Given,
    pub(crate) typing: Typing,
}

/// A value as its layer gives it.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// Read already.
    Tree(Node),
    /// Text whose reading depends on the type of the variable, as that of `-c KEY=VALUE`.
    Text(String, Span),
}

/// An entry once the type of its variable is known, and the sections for a PDK are opened or left out.
#[derive(Clone, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) source: ConfigSource,
    pub(crate) layer: usize,
    pub(crate) name: Cow<'a, str>,
    pub(crate) key_span: Span,
    pub(crate) node: Cow<'a, Node>,
    pub(crate) typing: Typing,
}

impl Given {
    /// The tree, for a variable of which only the type matters. Text is taken as it is where text is wanted, so that a
    /// shell's quotes are enough, and read as YAML elsewhere. For a list, items may stand side by side, without brackets.
    pub(crate) fn node(&self, variable: Option<&Variable>) -> Result<Cow<'_, Node>, Diagnostic> {
        let (text, span) = match self {
            Self::Tree(node) => return Ok(Cow::Borrowed(node)),
            Self::Text(text, span) => (text, *span),
        };
        let ty = variable.map_or(&Type::Any, |variable| &variable.ty);
        word(text, span, ty, variable.is_some_and(|variable| variable.optional)).map(Cow::Owned)
    }
}

fn word(text: &str, span: Span, ty: &Type, optional: bool) -> Result<Node, Diagnostic> {
    if let Type::List(item) = ty {
        return list(text, span, item);
    }
    if matches!(ty, Type::Map(_)) && text.trim().is_empty() {
        return Ok(Node { value: Tree::Map(Vec::new()), span });
    }
    if ty.is_textual() {
        // Only a required text can be meant to be the word `null`.
        let none = match text {
            "null" => optional,
            "" => optional && *ty != Type::Str,
            _ => false,
        };
        return Ok(Node { value: if none { Tree::Null } else { Tree::Str(text.to_owned()) }, span });
    }
    if crate::references::is_reference(text) {
        return Ok(Node { value: Tree::Str(text.to_owned()), span });
    }
    yaml::parse(text, span.file, span.start)
}

/// What is written for a list: a list of YAML, or items that white space, commas or semicolons separate.
fn list(text: &str, span: Span, item: &Type) -> Result<Node, Diagnostic> {
    let items = typing::split(text);
    if text == "null" {
        return Ok(Node { value: Tree::Null, span });
    }
    if let [(_, reference)] = items.as_slice()
        && crate::references::is_reference(reference)
    {
        // It may be to a text with several items.
        return Ok(Node { value: Tree::Str((*reference).to_owned()), span });
    }
    if item.is_textual() && !text.trim_start().starts_with('[') || items.is_empty() {
        let place = |start: usize, len| Span::new(span.file, span.start + start, span.start + start + len);
        let items = items.into_iter();
        let nodes = items.map(|(at, item)| Node { value: Tree::Str(item.to_owned()), span: place(at, item.len()) });
        return Ok(Node { value: Tree::List(nodes.collect()), span });
    }
    let node = yaml::parse(text, span.file, span.start)?;
    Ok(match &node.value {
        Tree::List(_) | Tree::Null => node,
        // The permissive reading of `1,2;`.
        Tree::Str(text) if text.contains([',', ';', ' ']) => node,
        _ => Node { span: node.span, value: Tree::List(vec![node]) },
    })
}
