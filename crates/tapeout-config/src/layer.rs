//! The layers of a configuration before typing: who gives which value under which name, the weakest first.

use std::borrow::Cow;

use crate::config::ConfigSource;
use crate::diagnostic::Diagnostic;
use crate::meta::Typing;
use crate::read::yaml;
use crate::source::Span;
use crate::tree::{Key, Node, Tree};
use crate::types::Type;
use crate::variable::Variable;

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
    /// The tree, for a variable of which only the type matters. A single word will do for a list. Text is taken as it is
    /// where text is wanted, so that a shell's quotes are enough, and read as YAML elsewhere.
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
    let is_list = matches!(ty, Type::List(_));
    let verbatim = match ty {
        Type::List(item) => item.is_textual() && !text.trim_start().starts_with('['),
        ty => ty.is_textual(),
    };
    if verbatim {
        // Only a required text can be meant to be the word `null`.
        let none = match text {
            "null" => optional || is_list,
            "" => optional && !is_list && *ty != Type::Str,
            _ => false,
        };
        let value = match text {
            _ if none => Tree::Null,
            "" if is_list => Tree::List(Vec::new()),
            // Of several items in one text, the permissive typing of a command line makes a list.
            text => Tree::Str(text.to_owned()),
        };
        return Ok(Node { value, span });
    }
    if crate::references::is_reference(text) {
        return Ok(Node { value: Tree::Str(text.to_owned()), span });
    }
    let node = yaml::parse(text, span.file, span.start)?;
    Ok(match (ty, &node.value) {
        (Type::List(_), Tree::List(_) | Tree::Null) => node,
        // The permissive reading of `1,2;`.
        (Type::List(_), Tree::Str(text)) if text.contains([',', ';', ' ']) => node,
        (Type::List(_), _) => listed(node),
        _ => node,
    })
}

fn listed(node: Node) -> Node {
    Node { span: node.span, value: Tree::List(vec![node]) }
}
