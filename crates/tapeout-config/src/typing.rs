//! From what is written to a value of a type. Owns the conversions, and the words for what does not convert.

use std::fmt;

use tapeout_model::Value;

use crate::diagnostic::Diagnostic;
use crate::meta::Typing;
use crate::paths::{Kind, Paths, strip_references};
use crate::read::yaml;
use crate::source::Span;
use crate::suggest;
use crate::tree::{Node, Tree};
use crate::types::Type;

/// The name of a value in messages: `A`, `A[0]`, `A.b`.
#[derive(Clone, Copy)]
pub(crate) enum At<'a> {
    Variable(&'a str),
    Item(&'a At<'a>, usize),
    Entry(&'a At<'a>, &'a str),
}

impl fmt::Display for At<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => f.write_str(name),
            Self::Item(of, index) => write!(f, "{of}[{index}]"),
            Self::Entry(of, name) => write!(f, "{of}.{name}"),
        }
    }
}

/// Types the values of one layer.
pub(crate) struct Typer<'a> {
    pub(crate) typing: Typing,
    pub(crate) paths: &'a mut Paths,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
}

impl Typer<'_> {
    /// The value of type `ty`, or nothing after the reasons have been noted.
    pub(crate) fn value(&mut self, at: At<'_>, node: &Node, ty: &Type) -> Option<Value> {
        if self.typing == Typing::Permissive
            && let Some(converted) = convert(node, ty)
        {
            return self.typed(at, &converted, ty);
        }
        self.typed(at, node, ty)
    }

    fn typed(&mut self, at: At<'_>, node: &Node, ty: &Type) -> Option<Value> {
        match (ty, &node.value) {
            (Type::Bool, Tree::Bool(value)) => Some(Value::Bool(*value)),
            (Type::Int, Tree::Int(value)) => Some(Value::Int(*value)),
            (Type::Decimal, Tree::Int(value)) => Some(Value::Decimal((*value).into())),
            (Type::Decimal, Tree::Decimal(value)) => Some(Value::Decimal(*value)),
            (Type::Str, Tree::Str(text)) => self.text(at, text, node.span).map(Value::Str),
            (Type::Choice(words), Tree::Str(word)) => {
                if words.iter().any(|choice| choice == word) {
                    return Some(Value::Str(word.clone()));
                }
                let diagnostic = Diagnostic::error(format!("`{at}` must be {}, not `{word}`", ty.one()))
                    .at(node.span, "not one of the choices");
                self.diagnostics.push(match suggest::nearest(word, words.iter().map(AsRef::as_ref)) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic,
                });
                None
            }
            (Type::Path | Type::Dir, Tree::Str(text)) => {
                let mut found = self.paths(at, text, ty, node.span)?;
                if found.len() > 1 {
                    self.diagnostics.push(
                        Diagnostic::error(format!("`{at}` must be {}, but {} match `{text}`", ty.one(), found.len()))
                            .at(node.span, format!("matches `{}` and `{}`", found[0], found[1])),
                    );
                    return None;
                }
                found.pop().map(Value::Str)
            }
            (Type::List(item), Tree::List(nodes)) => self.list(at, nodes, item),
            // The idiom `"VERILOG_FILES": "dir::src/*.v"`.
            (Type::List(item), Tree::Str(_)) if item.is_textual() => self.list(at, std::slice::from_ref(node), item),
            (Type::Map(item), Tree::Map(entries)) => {
                let typed = entries
                    .iter()
                    .map(|(key, value)| Some((key.name.clone(), self.value(At::Entry(&at, &key.name), value, item)?)))
                    // All entries are looked at before one of them fails the map.
                    .collect::<Vec<_>>();
                typed.into_iter().collect::<Option<_>>().map(Value::Map)
            }
            _ => {
                self.diagnostics.push(mismatch(at, node, ty));
                None
            }
        }
    }

    fn list(&mut self, at: At<'_>, nodes: &[Node], item: &Type) -> Option<Value> {
        let mut values = Vec::with_capacity(nodes.len());
        let mut complete = true;
        for (index, node) in nodes.iter().enumerate() {
            let at = At::Item(&at, index);
            match (item, &node.value) {
                (_, Tree::Null) => {}
                (Type::Path | Type::Dir, Tree::Str(text)) => match self.paths(at, text, item, node.span) {
                    Some(found) => values.extend(found.into_iter().map(Value::Str)),
                    None => complete = false,
                },
                _ => match self.value(at, node, item) {
                    Some(value) => values.push(value),
                    None => complete = false,
                },
            }
        }
        complete.then_some(Value::List(values))
    }

    fn paths(&mut self, at: At<'_>, text: &str, ty: &Type, span: Span) -> Option<Vec<String>> {
        let kind = if *ty == Type::Dir { Kind::Dir } else { Kind::Any };
        match self.paths.expand(&at.to_string(), text, kind, span) {
            Ok(found) => Some(found),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }

    /// Text may name a path in the design directory too, of a file that a tool will only write, for instance.
    fn text(&mut self, at: At<'_>, text: &str, span: Span) -> Option<String> {
        match strip_references(&at.to_string(), text, span) {
            Ok(plain) if plain == text => Some(text.to_owned()),
            Ok(plain) => Some(self.paths.stored(plain.as_ref()).to_string_lossy().into_owned()),
            Err(diagnostic) => {
                self.diagnostics.push(diagnostic);
                None
            }
        }
    }
}

fn mismatch(at: At<'_>, node: &Node, ty: &Type) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("`{at}` must be {}, not {}", ty.one(), node.kind()))
        .at(node.span, format!("expected {}", ty.one()));
    match (ty, &node.value) {
        (Type::Bool | Type::Int | Type::Decimal, Tree::Str(text)) if reads_as(text, ty, node.span) => {
            diagnostic.help("remove the quotes")
        }
        (Type::Int, Tree::Decimal(value)) if value.is_integer() => {
            diagnostic.help(format!("write `{}`", value.normalize()))
        }
        (Type::Bool, Tree::Int(value @ (0 | 1))) => diagnostic.help(format!("write `{}`", *value == 1)),
        (ty, Tree::Bool(_) | Tree::Int(_) | Tree::Decimal(_)) if ty.is_textual() => {
            diagnostic.help("quote it if it is meant as text")
        }
        _ => diagnostic,
    }
}

/// Whether the text would be of the type if it were not quoted.
fn reads_as(text: &str, ty: &Type, span: Span) -> bool {
    matches!(
        (ty, yaml::plain(text, span)),
        (Type::Bool, Ok(Tree::Bool(_)))
            | (Type::Int | Type::Decimal, Ok(Tree::Int(_)))
            | (Type::Decimal, Ok(Tree::Decimal(_)))
    )
}

/// What permissive typing makes of text, and of numbers where booleans or text are wanted. Nothing where the value is
/// fine or hopeless as it stands.
fn convert(node: &Node, ty: &Type) -> Option<Node> {
    let span = node.span;
    let value = match (ty, &node.value) {
        (Type::Bool, Tree::Int(0)) => Tree::Bool(false),
        (Type::Bool, Tree::Int(1)) => Tree::Bool(true),
        (Type::Bool, Tree::Str(text)) => match text.as_str() {
            "1" | "true" | "True" => Tree::Bool(true),
            "0" | "false" | "False" => Tree::Bool(false),
            _ => return None,
        },
        (Type::Int | Type::Decimal, Tree::Str(text)) => match yaml::plain(text.trim(), span) {
            Ok(number @ (Tree::Int(_) | Tree::Decimal(_))) => number,
            _ => return None,
        },
        (Type::Str, Tree::Int(_) | Tree::Decimal(_)) => Tree::Str(node.to_value().to_string()),
        (Type::List(_), Tree::Str(text)) => {
            Tree::List(split(text).into_iter().map(|item| Node { value: Tree::Str(item.to_owned()), span }).collect())
        }
        (Type::List(_), Tree::Bool(_) | Tree::Int(_) | Tree::Decimal(_)) => Tree::List(vec![node.clone()]),
        (Type::Map(_), Tree::Str(text)) => {
            let words = shell_words(text)?;
            if words.len() % 2 != 0 {
                return None;
            }
            let mut entries = crate::tree::Entries::default();
            for pair in words.chunks_exact(2) {
                let key = crate::tree::Key { name: pair[0].clone(), span };
                entries.push(key, Node { value: Tree::Str(pair[1].clone()), span }).ok()?;
            }
            entries.finish()
        }
        _ => return None,
    };
    Some(Node { value, span })
}

/// The items of a list written as text: after commas, else semicolons, else white space. One separator may trail.
fn split(text: &str) -> Vec<&str> {
    for separator in [',', ';'] {
        if text.contains(separator) {
            let text = text.trim();
            let text = text.strip_suffix(separator).unwrap_or(text);
            return text.split(separator).map(str::trim).collect();
        }
    }
    text.split_whitespace().collect()
}

/// The words of a text with a shell's quotes. Nothing if a quote is left open.
fn shell_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().push(chars.next()?),
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}
