//! What a reader makes of a text: values with the place of each. One tree for all formats, before any typing.

use std::collections::HashMap;

use tapeout_model::{Decimal, Value};

use crate::diagnostic::Diagnostic;
use crate::source::Span;

/// How deep lists and maps may nest. No design needs it; the limit keeps walks over the tree off the end of the stack.
pub const MAX_DEPTH: usize = 128;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The value.
    pub value: Tree,
    /// Where it stands.
    pub span: Span,
}

/// The name of a map's entry and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The name.
    pub name: String,
    /// Where it stands.
    pub span: Span,
}

/// A value whose parts know where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tree {
    /// An explicit `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number written with a fraction or an exponent.
    Decimal(Decimal),
    /// Text.
    Str(String),
    /// A path or a pattern of paths, as `dir::` and `refg::` make them. No reader gives it.
    Pattern(String),
    /// A reference that could not be followed, which has been said. No reader gives it.
    Faulty,
    /// A sequence.
    List(Vec<Node>),
    /// Entries in the order of writing; the names are unique.
    Map(Vec<(Key, Node)>),
}

impl Node {
    /// The value of a program at a place that it is made from.
    pub(crate) fn from_value(value: &Value, span: Span) -> Self {
        let value = match value {
            Value::Null => Tree::Null,
            Value::Bool(b) => Tree::Bool(*b),
            Value::Int(i) => Tree::Int(*i),
            Value::Decimal(d) => Tree::Decimal(*d),
            Value::Str(s) => Tree::Str(s.clone()),
            Value::List(items) => Tree::List(items.iter().map(|item| Self::from_value(item, span)).collect()),
            Value::Map(entries) => {
                let entry =
                    |(name, value): &(String, Value)| (Key { name: name.clone(), span }, Self::from_value(value, span));
                Tree::Map(entries.iter().map(entry).collect())
            }
        };
        Self { value, span }
    }

    /// The value without places.
    #[must_use]
    pub fn to_value(&self) -> Value {
        match &self.value {
            Tree::Null | Tree::Faulty => Value::Null,
            Tree::Bool(b) => Value::Bool(*b),
            Tree::Int(i) => Value::Int(*i),
            Tree::Decimal(d) => Value::Decimal(*d),
            Tree::Str(s) | Tree::Pattern(s) => Value::Str(s.clone()),
            Tree::List(items) => Value::List(items.iter().map(Self::to_value).collect()),
            Tree::Map(entries) => Value::Map(entries.iter().map(|(k, v)| (k.name.clone(), v.to_value())).collect()),
        }
    }

    /// What a person calls this kind of value.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Tree::Null | Tree::Faulty => Value::Null.kind(),
            Tree::Bool(_) => "a boolean",
            Tree::Int(_) => "an integer",
            Tree::Decimal(_) => "a decimal",
            Tree::Str(_) => "a string",
            Tree::Pattern(_) => "a list of paths",
            Tree::List(_) => "a list",
            Tree::Map(_) => "a map",
        }
    }
}

/// The entries of a map while a reader collects them; refuses the second entry of a name.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    entries: Vec<(Key, Node)>,
    places: HashMap<String, Span>,
}

impl Entries {
    pub(crate) fn push(&mut self, key: Key, node: Node) -> Result<(), Diagnostic> {
        if let Some(first) = self.places.insert(key.name.clone(), key.span) {
            return Err(given_twice(&key.name, first, key.span));
        }
        self.entries.push((key, node));
        Ok(())
    }

    pub(crate) fn finish(self) -> Tree {
        Tree::Map(self.entries)
    }
}

/// The error for the second entry of a name.
pub(crate) fn given_twice(name: &str, first: Span, again: Span) -> Diagnostic {
    Diagnostic::error(format!("`{name}` is given twice"))
        .at(again, "given again here")
        .also(first, "first given here")
        .help("remove one of the two")
}

/// The error for a value that lies too deep.
pub(crate) fn too_deep(span: Span) -> Diagnostic {
    Diagnostic::error(format!("lists and maps are nested more than {MAX_DEPTH} deep")).at(span, "too deep")
}
