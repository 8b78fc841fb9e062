//! From what is written to a value of a type. Owns the conversions, and the words for what does not convert.

use std::borrow::Cow;
use std::fmt;

use tapeout_model::{Decimal, Value};

use crate::diagnostic::Diagnostic;
use crate::meta::{Typing, is_comment};
use crate::paths::{Kind, Paths};
use crate::read::yaml;
use crate::source::Span;
use crate::suggest;
use crate::tree::{Key, Node, Tree};
use crate::types::{Choices, Struct, Type};
use crate::units::{self, Mismatch};
use crate::variable::Variable;

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
    /// The unit of the variable's numbers.
    pub(crate) units: Option<&'static str>,
    pub(crate) paths: &'a mut Paths,
    pub(crate) diagnostics: &'a mut Vec<Diagnostic>,
}

impl Typer<'_> {
    /// The value of type `ty`, or nothing after the reasons have been noted.
    pub(crate) fn value(&mut self, at: At<'_>, node: &Node, ty: &Type) -> Option<Value> {
        if let (Some(units), Type::Int | Type::Decimal, Tree::Str(text)) = (self.units, ty, &node.value)
            && let Some(converted) = units::convert(text, units)
        {
            return self.in_units(at, text, converted, ty, node.span);
        }
        if self.typing == Typing::Permissive
            && let Some(converted) = convert(node, ty)
        {
            return self.typed(at, &converted, ty);
        }
        self.typed(at, node, ty)
    }

    /// What a number with a unit stands for in the unit of the variable.
    fn in_units(
        &mut self,
        at: At<'_>,
        text: &str,
        converted: Result<Decimal, Mismatch>,
        ty: &Type,
        span: Span,
    ) -> Option<Value> {
        let units = self.units.unwrap_or_default();
        let diagnostic = match converted {
            Ok(value) if *ty == Type::Decimal => return Some(Value::Decimal(value)),
            Ok(value) => match value.to_i64() {
                Some(value) => return Some(Value::Int(value)),
                None => Diagnostic::error(format!("`{at}` must be {}; `{text}` is {value} {units}", ty.one()))
                    .at(span, format!("expected {}, in {units}", ty.one())),
            },
            Err(mismatch) => {
                Diagnostic::error(format!("`{at}` {}", mismatch.reason)).at(span, mismatch.label).help(mismatch.help)
            }
        };
        self.diagnostics.push(diagnostic);
        None
    }

    fn typed(&mut self, at: At<'_>, node: &Node, ty: &Type) -> Option<Value> {
        match (ty, &node.value) {
            (Type::Bool, Tree::Bool(value)) => Some(Value::Bool(*value)),
            (Type::Int, Tree::Int(value)) => Some(Value::Int(*value)),
            // What an expression comes to may be written `50.0`.
            (Type::Int, Tree::Decimal(value)) if value.to_i64().is_some() => value.to_i64().map(Value::Int),
            (Type::Decimal, Tree::Int(value)) => Some(Value::Decimal((*value).into())),
            (Type::Decimal, Tree::Decimal(value)) => Some(Value::Decimal(*value)),
            (Type::Str, Tree::Str(text)) => Some(Value::Str(text.clone())),
            // Text may name a path in the design directory too, of a file that a tool will only write, for instance.
            (Type::Str | Type::NewPath, Tree::Pattern(text)) => Some(self.new_path(text)),
            (Type::NewPath, Tree::Str(text)) => Some(self.new_path(text)),
            (Type::Choice(words), Tree::Str(word)) => self.choice(at, node.span, words, word),
            (Type::Path | Type::Dir, Tree::Str(text) | Tree::Pattern(text)) => self.path(at, text, ty, node.span),
            // A list of one, as patterns make it in OpenLane.
            (Type::Path | Type::Dir, Tree::List(nodes)) if nodes.len() == 1 => self.value(at, &nodes[0], ty),
            (Type::List(item), Tree::List(nodes)) => self.list(at, nodes, item),
            // The idiom `"VERILOG_FILES": "dir::src/*.v"`.
            (Type::List(item), Tree::Pattern(_)) if item.is_textual() => {
                self.list(at, std::slice::from_ref(node), item)
            }
            (Type::Map(item), Tree::Map(entries)) => {
                let typed = entries
                    .iter()
                    .map(|(key, value)| Some((key.name.clone(), self.value(At::Entry(&at, &key.name), value, item)?)))
                    // All entries are looked at before one of them fails the map.
                    .collect::<Vec<_>>();
                typed.into_iter().collect::<Option<_>>().map(Value::Map)
            }
            (Type::Tuple(items), Tree::List(nodes)) if items.len() == nodes.len() => {
                let typed = items.iter().zip(nodes).enumerate();
                let typed: Vec<_> =
                    typed.map(|(index, (item, node))| self.value(At::Item(&at, index), node, item)).collect();
                typed.into_iter().collect::<Option<_>>().map(Value::List)
            }
            (Type::Union(_), Tree::Faulty) => None,
            (Type::Union(members), _) => self.union(at, node, members, ty),
            (Type::Optional(_), Tree::Null) => Some(Value::Null),
            (Type::Optional(item), _) => self.value(at, node, item),
            (Type::Struct(of), Tree::Map(entries)) => self.structure(at, node.span, entries, of),
            (Type::Any, _) => self.any(at, node),
            (_, Tree::Faulty) => None,
            _ => {
                self.diagnostics.push(mismatch(at, node, ty));
                None
            }
        }
    }

    fn choice(&mut self, at: At<'_>, span: Span, words: &Choices, word: &str) -> Option<Value> {
        if let Some(meant) = words.meant(word) {
            return Some(Value::Str(meant.to_owned()));
        }
        let one_of = words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
        let diagnostic = Diagnostic::error(format!("`{at}` must be one of {one_of}, not `{word}`"))
            .at(span, "not one of the choices");
        self.diagnostics.push(match suggest::nearest(word, words.written()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        });
        None
    }

    /// The value of the first member that takes it. Only when none does, something is said.
    fn union(&mut self, at: At<'_>, node: &Node, members: &[Type], ty: &Type) -> Option<Value> {
        let mut reasons = Vec::new();
        for member in members {
            let mut unsaid = Vec::new();
            let mut typer =
                Typer { typing: self.typing, units: self.units, paths: self.paths, diagnostics: &mut unsaid };
            if let Some(value) = typer.value(at, node, member) {
                return Some(value);
            }
            reasons.push(unsaid);
        }
        // Where only one member is of this shape, its own reasons are what helps.
        let mut shaped = members.iter().zip(reasons).filter(|(member, _)| shape(member) == tree_shape(&node.value));
        match (shaped.next(), shaped.next()) {
            (Some((_, reasons)), None) if tree_shape(&node.value) != Shape::Scalar => self.diagnostics.extend(reasons),
            _ => self.diagnostics.push(mismatch(at, node, ty)),
        }
        None
    }

    /// A struct as a map of all of its fields, those that are not given with their defaults.
    fn structure(&mut self, at: At<'_>, span: Span, entries: &[(Key, Node)], of: &Struct) -> Option<Value> {
        let mut complete = true;
        for (key, _) in entries.iter().filter(|(key, _)| !is_comment(&key.name)) {
            if of.fields.get(&key.name).is_none() {
                complete = false;
                let diagnostic =
                    Diagnostic::error(format!("`{at}`: a {} has no `{}`", of.name, key.name)).at(key.span, "unknown");
                let names = || of.fields.iter().map(|field| field.name.as_ref());
                self.diagnostics.push(match suggest::nearest(&key.name, names()) {
                    Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                    None => diagnostic.help(format!("it has `{}`", names().collect::<Vec<_>>().join("`, `"))),
                });
            }
        }
        let mut fields = Vec::new();
        for field in of.fields.iter() {
            let at = At::Entry(&at, &field.name);
            let given = entries.iter().find(|(key, _)| key.name == field.name);
            let value = match (given, &field.default) {
                (Some((_, node)), _) if node.value == Tree::Null && field.optional => Some(Value::Null),
                (Some((_, node)), _) => self.field(at, node, field),
                (None, Some(default)) => Some(default.clone()),
                (None, None) if field.optional => Some(Value::Null),
                (None, None) => {
                    let message = format!("`{at}` is not given: {} ({})", field.doc, field.ty);
                    self.diagnostics.push(Diagnostic::error(message).at(span, format!("in this {}", of.name)));
                    None
                }
            };
            match value {
                Some(value) => fields.push((field.name.to_string(), value)),
                None => complete = false,
            }
        }
        complete.then_some(Value::Map(fields))
    }

    fn field(&mut self, at: At<'_>, node: &Node, field: &Variable) -> Option<Value> {
        let units = std::mem::replace(&mut self.units, field.units);
        let value = self.value(at, node, &field.ty);
        self.units = units;
        let value = value?;
        if let Some(Err(reason)) = field.check.as_ref().map(|check| check.of(&value)) {
            self.diagnostics.push(Diagnostic::error(format!("`{at}` {reason}")).at(node.span, ""));
            return None;
        }
        Some(value)
    }

    fn any(&mut self, at: At<'_>, node: &Node) -> Option<Value> {
        match &node.value {
            Tree::Pattern(text) => Some(Value::List(
                self.paths.any(&at.to_string(), text, node.span).into_iter().map(Value::Str).collect(),
            )),
            Tree::List(nodes) => {
                let items = nodes.iter().enumerate().filter(|(_, node)| node.value != Tree::Null);
                let items: Vec<_> = items.map(|(index, node)| self.any(At::Item(&at, index), node)).collect();
                items.into_iter().collect::<Option<_>>().map(Value::List)
            }
            Tree::Map(entries) => {
                let entries = entries.iter().filter(|(key, _)| !is_comment(&key.name));
                let typed: Vec<_> = entries
                    .map(|(key, node)| Some((key.name.clone(), self.any(At::Entry(&at, &key.name), node)?)))
                    .collect();
                typed.into_iter().collect::<Option<_>>().map(Value::Map)
            }
            _ => Some(node.to_value()),
        }
    }

    fn list(&mut self, at: At<'_>, nodes: &[Node], item: &Type) -> Option<Value> {
        let mut values = Vec::with_capacity(nodes.len());
        let mut complete = true;
        for (index, node) in nodes.iter().enumerate() {
            let at = At::Item(&at, index);
            match (item, &node.value) {
                (Type::Optional(_), Tree::Null) => values.push(Value::Null),
                (_, Tree::Null) => {}
                (Type::Path | Type::Dir, Tree::Str(text) | Tree::Pattern(text)) => {
                    match self.paths(at, text, item, node.span) {
                        Some(found) => values.extend(found.into_iter().map(Value::Str)),
                        None => complete = false,
                    }
                }
                // Lists in a list of paths, as OpenLane's patterns make them.
                (Type::Path | Type::Dir, Tree::List(nodes)) => match self.list(at, nodes, item) {
                    Some(Value::List(found)) => values.extend(found),
                    _ => complete = false,
                },
                // What a pattern in a list of other text matches, as OpenLane has it.
                (Type::Str, Tree::Pattern(text)) => {
                    values.extend(self.paths.any(&at.to_string(), text, node.span).into_iter().map(Value::Str))
                }
                _ => match self.value(at, node, item) {
                    Some(value) => values.push(value),
                    None => complete = false,
                },
            }
        }
        complete.then_some(Value::List(values))
    }

    fn path(&mut self, at: At<'_>, text: &str, ty: &Type, span: Span) -> Option<Value> {
        let mut found = self.paths(at, text, ty, span)?;
        if found.len() > 1 {
            self.diagnostics.push(
                Diagnostic::error(format!("`{at}` must be {}, but {} match `{text}`", ty.one(), found.len()))
                    .at(span, format!("matches `{}` and `{}`", found[0], found[1])),
            );
            return None;
        }
        found.pop().map(Value::Str)
    }

    fn new_path(&self, text: &str) -> Value {
        Value::Str(self.paths.stored(text.as_ref()).to_string_lossy().into_owned())
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
}

/// What kinds of written values a type takes.
#[derive(PartialEq)]
enum Shape {
    Scalar,
    List,
    Map,
}

fn shape(ty: &Type) -> Shape {
    match ty {
        Type::List(_) | Type::Tuple(_) => Shape::List,
        Type::Map(_) | Type::Struct(_) => Shape::Map,
        Type::Optional(item) => shape(item),
        _ => Shape::Scalar,
    }
}

fn tree_shape(tree: &Tree) -> Shape {
    match tree {
        Tree::List(_) => Shape::List,
        Tree::Map(_) => Shape::Map,
        _ => Shape::Scalar,
    }
}

fn mismatch(at: At<'_>, node: &Node, ty: &Type) -> Diagnostic {
    if let (Type::Tuple(items), Tree::List(nodes)) = (ty, &node.value) {
        return Diagnostic::error(format!("`{at}` must have {} values, not {}", items.len(), nodes.len()))
            .at(node.span, format!("expected {}", ty.one()));
    }
    let diagnostic = Diagnostic::error(format!("`{at}` must be {}, not {}", ty.one(), node.kind()))
        .at(node.span, format!("expected {}", ty.one()));
    match (ty, &node.value) {
        (Type::Bool | Type::Int | Type::Decimal, Tree::Str(text)) if reads_as(text, ty, node.span) => {
            diagnostic.help("remove the quotes")
        }
        (Type::List(_), Tree::Str(text)) => diagnostic.help(format!("write a list: `[{text:?}]`")),
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

/// What permissive typing makes of text, and of numbers where booleans are wanted. Nothing where the value is
/// fine or hopeless as it stands.
pub(crate) fn convert(node: &Node, ty: &Type) -> Option<Node> {
    let span = node.span;
    let value = match (ty, &node.value) {
        (Type::Bool, Tree::Int(0)) => Tree::Bool(false),
        (Type::Bool, Tree::Int(1)) => Tree::Bool(true),
        // What an expression comes to.
        (Type::Bool, Tree::Decimal(value)) => match value.to_i64()? {
            0 => Tree::Bool(false),
            1 => Tree::Bool(true),
            _ => return None,
        },
        (Type::Bool, Tree::Str(text)) => match text.as_str() {
            "1" | "true" | "True" => Tree::Bool(true),
            "0" | "false" | "False" => Tree::Bool(false),
            _ => return None,
        },
        (Type::Int, Tree::Str(text)) => Tree::Int(number(text)?.parse().ok()?),
        (Type::Decimal, Tree::Str(text)) => Tree::Decimal(number(text)?.parse().ok()?),
        (Type::List(_) | Type::Tuple(_), Tree::Str(text)) => {
            let items = split(text).into_iter();
            Tree::List(items.map(|(_, item)| Node { value: Tree::Str(item.to_owned()), span }).collect())
        }
        (Type::Map(_), Tree::Str(_) | Tree::List(_)) => {
            let words: Cow<'_, [Node]> = match &node.value {
                Tree::Str(text) => {
                    shell_words(text)?.into_iter().map(|word| Node { value: Tree::Str(word), span }).collect()
                }
                Tree::List(items) => Cow::Borrowed(items),
                _ => return None,
            };
            if !words.len().is_multiple_of(2) {
                return None;
            }
            let mut entries = crate::tree::Entries::default();
            for pair in words.chunks_exact(2) {
                let Tree::Str(name) = &pair[0].value else { return None };
                entries.push(Key { name: name.clone(), span: pair[0].span }, pair[1].clone()).ok()?;
            }
            entries.finish()
        }
        _ => return None,
    };
    Some(Node { value, span })
}

/// The text of a number without the `_` between its digits, as Python has them, and OpenLane by that. Nothing if one
/// stands elsewhere.
fn number(text: &str) -> Option<Cow<'_, str>> {
    let text = text.trim();
    if !text.contains('_') {
        return Some(text.into());
    }
    let is_digit = |at: Option<usize>| at.and_then(|at| text.as_bytes().get(at)).is_some_and(u8::is_ascii_digit);
    let mut separators = text.match_indices('_');
    separators
        .all(|(at, _)| is_digit(at.checked_sub(1)) && is_digit(Some(at + 1)))
        .then(|| text.replace('_', "").into())
}

/// The items of a list written as text, each with where it begins: after commas, else semicolons, else white space. One
/// separator may trail.
pub(crate) fn split(text: &str) -> Vec<(usize, &str)> {
    let separator = [',', ';'].into_iter().find(|separator| text.contains(*separator));
    let ends = |c: char| separator.map_or(c.is_whitespace(), |separator| c == separator);
    let mut start = 0;
    let items = text.trim_end().split_inclusive(ends).map(|item| {
        let begins = item.trim_start();
        let at = start + item.len() - begins.len();
        start += item.len();
        (at, begins.strip_suffix(ends).unwrap_or(begins).trim_end())
    });
    items.filter(|(_, item)| separator.is_some() || !item.is_empty()).collect()
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
