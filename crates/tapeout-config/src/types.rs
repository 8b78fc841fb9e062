//! The types of variables and the words for them. Typing of what users give is in `typing`.

use std::borrow::Cow;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use tapeout_model::{Decimal, Value};

use crate::schema::Schema;

/// The type of a variable. Shows as documentation names it: `list of paths`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// `true` or `false`; a number is not a boolean.
    Bool,
    /// A whole number.
    Int,
    /// A number with or without a fraction.
    Decimal,
    /// Text.
    Str,
    /// A file or directory that exists. Stored relative to the design directory where it can be.
    Path,
    /// A directory that exists. Stored as a path is.
    Dir,
    /// A path where nothing need exist yet, such as a directory for results. Stored as a path is.
    NewPath,
    /// One of these words.
    Choice(Choices),
    /// Any number of values of one type.
    List(Box<Type>),
    /// Names with values of one type.
    Map(Box<Type>),
    /// As many values as there are types, in this order.
    Tuple(Arc<[Type]>),
    /// The first of these types that takes the value.
    Union(Arc<[Type]>),
    /// A value of the type, or `null`. For the parts of lists, maps and tuples; a whole variable is optional by
    /// [`Variable::optional`](crate::Variable::optional).
    Optional(Box<Type>),
    /// Named fields.
    Struct(Arc<Struct>),
    /// Whatever is written.
    Any,
}

/// The words of a choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choices {
    words: Arc<[Cow<'static, str>]>,
    /// Other words, each with the one that it stands for.
    aliases: Arc<[(Cow<'static, str>, Cow<'static, str>)]>,
}

impl Choices {
    /// The word that is meant by what is written.
    pub(crate) fn meant(&self, written: &str) -> Option<&str> {
        let word = self.words.iter().find(|word| *word == written);
        word.or_else(|| self.aliases.iter().find(|(alias, _)| alias == written).map(|(_, word)| word))
            .map(AsRef::as_ref)
    }

    /// All that may be written: the words, then those that stand for them.
    pub(crate) fn written(&self) -> impl Iterator<Item = &str> {
        self.words.iter().chain(self.aliases.iter().map(|(alias, _)| alias)).map(AsRef::as_ref)
    }
}

/// The words, without those that stand for others.
impl Deref for Choices {
    type Target = [Cow<'static, str>];

    fn deref(&self) -> &Self::Target {
        &self.words
    }
}

/// A type with named fields, for the items of lists and maps. A field without a default that is not optional must be
/// given; a field that the struct does not have is an error.
#[derive(Debug)]
pub struct Struct {
    /// What one of them is called: `Macro`.
    pub name: Cow<'static, str>,
    /// Its fields.
    pub fields: Schema,
}

impl PartialEq for Struct {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.fields.agrees_with(&other.fields)
    }
}

impl Eq for Struct {}

impl Type {
    /// A list of `item`.
    #[must_use]
    pub fn list(item: Self) -> Self {
        Self::List(Box::new(item))
    }

    /// A map from names to `item`.
    #[must_use]
    pub fn map(item: Self) -> Self {
        Self::Map(Box::new(item))
    }

    /// One of these words.
    #[must_use]
    pub fn choice<W: Into<Cow<'static, str>>>(words: impl IntoIterator<Item = W>) -> Self {
        let words = words.into_iter().map(Into::into).collect();
        Self::Choice(Choices { words, aliases: Arc::new([]) })
    }

    /// The first word of each pair; the second may be written for it.
    #[must_use]
    pub fn choice_with_aliases(words: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        let pairs = words.into_iter().map(|(word, alias)| (Cow::Borrowed(alias), Cow::Borrowed(word)));
        let aliases: Arc<[(Cow<'_, str>, Cow<'_, str>)]> = pairs.collect();
        Self::Choice(Choices { words: aliases.iter().map(|(_, word)| word.clone()).collect(), aliases })
    }

    /// A value of each of these types.
    #[must_use]
    pub fn tuple(items: impl IntoIterator<Item = Self>) -> Self {
        Self::Tuple(items.into_iter().collect())
    }

    /// The first of these types that takes the value.
    #[must_use]
    pub fn union(members: impl IntoIterator<Item = Self>) -> Self {
        Self::Union(members.into_iter().collect())
    }

    /// A value of the type, or `null`.
    #[must_use]
    pub fn or_null(self) -> Self {
        Self::Optional(Box::new(self))
    }

    /// Named fields.
    #[must_use]
    pub fn structure(name: impl Into<Cow<'static, str>>, fields: Schema) -> Self {
        Self::Struct(Arc::new(Struct { name: name.into(), fields }))
    }

    /// The type with `kind` where it has paths or text.
    pub(crate) fn with_paths(self, kind: &Self) -> Self {
        match self {
            Self::Str | Self::Path | Self::Dir | Self::NewPath => kind.clone(),
            Self::List(item) => Self::list(item.with_paths(kind)),
            Self::Map(item) => Self::map(item.with_paths(kind)),
            Self::Optional(item) => item.with_paths(kind).or_null(),
            Self::Tuple(items) => Self::tuple(items.iter().map(|item| item.clone().with_paths(kind))),
            other => other,
        }
    }

    /// Whether values of the type are written as one piece of text.
    pub(crate) fn is_textual(&self) -> bool {
        match self {
            Self::Str | Self::Path | Self::Dir | Self::NewPath | Self::Choice(_) => true,
            Self::Optional(item) => item.is_textual(),
            _ => false,
        }
    }

    /// Whether values of the type name files.
    pub(crate) fn has_paths(&self) -> bool {
        match self {
            Self::Path | Self::Dir | Self::NewPath => true,
            Self::List(item) | Self::Map(item) | Self::Optional(item) => item.has_paths(),
            Self::Tuple(items) | Self::Union(items) => items.iter().any(Self::has_paths),
            Self::Struct(of) => of.fields.iter().any(|field| field.ty.has_paths()),
            Self::Bool | Self::Int | Self::Decimal | Self::Str | Self::Choice(_) | Self::Any => false,
        }
    }

    /// The type with its article: "an integer".
    pub(crate) fn one(&self) -> String {
        match self {
            Self::Choice(_) | Self::Union(_) => self.to_string(),
            Self::Optional(item) => format!("{} or null", item.one()),
            _ => {
                let name = self.to_string();
                let article = if name.starts_with(['a', 'e', 'i', 'o', 'A', 'E', 'I', 'O']) { "an" } else { "a" };
                format!("{article} {name}")
            }
        }
    }

    fn many(&self) -> String {
        match self {
            Self::Dir => "directories".to_owned(),
            Self::NewPath => "paths".to_owned(),
            Self::Choice(words) => format!("words out of {}", quoted(words)),
            Self::List(item) => format!("lists of {}", item.many()),
            Self::Map(item) => format!("maps of {}", item.many()),
            Self::Tuple(items) => format!("tuples of {}", listed(items)),
            Self::Union(members) => members.iter().map(Self::many).collect::<Vec<_>>().join(" or "),
            Self::Optional(item) => format!("{}, or null", item.many()),
            _ => format!("{self}s"),
        }
    }

    /// A default as a value of the type. Paths are looked up only when a configuration uses the default.
    pub(crate) fn default_value(&self, value: Value) -> Option<Value> {
        match (self, value) {
            (Self::Any, value) => Some(value),
            (Self::Optional(_), Value::Null) => Some(Value::Null),
            (Self::Optional(item), value) => item.default_value(value),
            (Self::Decimal, Value::Int(value)) => Some(Value::Decimal(value.into())),
            (Self::Decimal, Value::Str(text)) => text.parse::<Decimal>().ok().map(Value::Decimal),
            (Self::Choice(words), Value::Str(word)) => words.iter().any(|w| *w == word).then_some(Value::Str(word)),
            (Self::Bool, value @ Value::Bool(_))
            | (Self::Int, value @ Value::Int(_))
            | (Self::Decimal, value @ Value::Decimal(_))
            | (Self::Str | Self::Path | Self::Dir | Self::NewPath, value @ Value::Str(_)) => Some(value),
            (Self::List(item), Value::List(values)) => {
                values.into_iter().map(|value| item.default_value(value)).collect::<Option<_>>().map(Value::List)
            }
            (Self::Tuple(items), Value::List(values)) if items.len() == values.len() => {
                let typed = items.iter().zip(values).map(|(item, value)| item.default_value(value));
                typed.collect::<Option<_>>().map(Value::List)
            }
            (Self::Map(item), Value::Map(entries)) => {
                let typed = entries.into_iter().map(|(name, value)| Some((name, item.default_value(value)?)));
                typed.collect::<Option<_>>().map(Value::Map)
            }
            (Self::Struct(of), Value::Map(entries)) => {
                let typed = entries.into_iter().map(|(name, value)| {
                    let field = of.fields.get(&name)?;
                    let value =
                        if value == Value::Null && field.optional { value } else { field.ty.default_value(value)? };
                    Some((name, value))
                });
                typed.collect::<Option<_>>().map(Value::Map)
            }
            (Self::Union(members), value) => members.iter().find_map(|member| member.default_value(value.clone())),
            _ => None,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("boolean"),
            Self::Int => f.write_str("integer"),
            Self::Decimal => f.write_str("decimal"),
            Self::Str => f.write_str("string"),
            Self::Path | Self::NewPath => f.write_str("path"),
            Self::Dir => f.write_str("directory"),
            Self::Choice(words) => write!(f, "one of {}", quoted(words)),
            Self::List(item) => write!(f, "list of {}", item.many()),
            Self::Map(item) => write!(f, "map of {}", item.many()),
            Self::Tuple(items) => write!(f, "tuple of {}", listed(items)),
            Self::Union(members) => f.write_str(&members.iter().map(Self::one).collect::<Vec<_>>().join(" or ")),
            Self::Optional(item) => write!(f, "{item} or null"),
            Self::Struct(of) => f.write_str(&of.name),
            Self::Any => f.write_str("value"),
        }
    }
}

fn quoted(words: &[Cow<'static, str>]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// `a decimal and a decimal`.
fn listed(types: &[Type]) -> String {
    let names: Vec<String> = types.iter().map(Type::one).collect();
    match names.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_names() {
        let cases = [
            (Type::list(Type::Path), "list of paths"),
            (Type::map(Type::list(Type::Dir)), "map of lists of directories"),
            (Type::choice(["a", "b"]), "one of `a`, `b`"),
            (Type::list(Type::choice(["a", "b"])), "list of words out of `a`, `b`"),
            (Type::tuple([Type::Decimal, Type::Int]), "tuple of a decimal and an integer"),
            (Type::union([Type::Bool, Type::list(Type::Str)]), "a boolean or a list of strings"),
            (Type::list(Type::Path.or_null()), "list of paths, or null"),
            (Type::map(Type::structure("Macro", Schema::default())), "map of Macros"),
        ];
        for (ty, name) in cases {
            assert_eq!(ty.to_string(), name);
        }
    }

    #[test]
    fn a_choice_takes_other_words_for_its_own() {
        let Type::Choice(words) = Type::choice_with_aliases([("N", "R0"), ("W", "R90")]) else { panic!("a choice") };
        assert_eq!(words[..], ["N", "W"]);
        assert_eq!(words.written().collect::<Vec<_>>(), ["N", "W", "R0", "R90"]);
        assert_eq!(["W", "R90", "r90"].map(|word| words.meant(word)), [Some("W"), Some("W"), None]);
    }
}
