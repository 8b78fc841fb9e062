//! `param`: a parameter of a block type, and the types that parameters have.

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::starlark_simple_value;
use starlark::values::typing::TypeCompiled;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use tapeout_model::Data;

use crate::complaint::complaint_with;
use crate::data::named;

/// The type of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ParamType {
    /// Whatever can be kept.
    Any,
    /// Nothing.
    None,
    /// True or false.
    Bool,
    /// A whole number.
    Int,
    /// A number. A whole one is made one.
    Float,
    /// A text.
    Text,
    /// A file or directory.
    Path,
    /// A moment.
    Time,
    /// Values of one type.
    List(Box<ParamType>),
    /// Values in order.
    Tuple,
    /// Values of one type by name.
    Dict(Box<ParamType>),
    /// One of these types.
    OneOf(Vec<ParamType>),
}

impl ParamType {
    /// The type that an annotation says: `str`, `list[int]`, `str | None`.
    pub(crate) fn of_annotation<'v>(value: Value<'v>, heap: Heap<'v>) -> starlark::Result<Self> {
        let unknown = |found: &str| {
            complaint_with(
                format!("a type is expected, found {found}"),
                "bool, int, float, str, Path, Time, list[…], tuple, dict[str, …], and several of them with `|`",
            )
        };
        let Ok(compiled) = TypeCompiled::new(value, heap) else { return Err(unknown(&named(value))) };
        let text = compiled.as_ty().to_string();
        Self::of_text(&text).ok_or_else(|| unknown(&format!("`{text}`")))
    }

    /// The type of the values that fit where this one is the default.
    pub(crate) fn of_default(data: &Data) -> Self {
        match data {
            Data::None => Self::Any,
            Data::Bool(_) => Self::Bool,
            Data::Int(_) | Data::BigInt(_) => Self::Int,
            Data::Float(_) => Self::Float,
            Data::Text(_) => Self::Text,
            Data::Path(_) => Self::Path,
            Data::Time(_) => Self::Time,
            Data::List(_) => Self::List(Box::new(Self::Any)),
            Data::Tuple(_) => Self::Tuple,
            Data::Map(_) => Self::Dict(Box::new(Self::Any)),
        }
    }

    /// As starlark writes types.
    fn of_text(text: &str) -> Option<Self> {
        let choices = top_level(text, '|');
        if choices.len() > 1 {
            return choices.into_iter().map(Self::of_text).collect::<Option<_>>().map(Self::OneOf);
        }
        let text = text.trim();
        let (name, inner) = match text.split_once('[') {
            Some((name, inner)) => (name, Some(inner.strip_suffix(']')?)),
            None => (text, None),
        };
        Some(match (name, inner) {
            ("typing.Any", None) => Self::Any,
            ("None", None) => Self::None,
            ("bool", None) => Self::Bool,
            ("int", None) => Self::Int,
            ("float", None) => Self::Float,
            ("str", None) => Self::Text,
            ("Path", None) => Self::Path,
            ("Time", None) => Self::Time,
            ("list", None) => Self::List(Box::new(Self::Any)),
            ("list", Some(inner)) => Self::List(Box::new(Self::of_text(inner)?)),
            ("tuple", _) => Self::Tuple,
            ("dict", None) => Self::Dict(Box::new(Self::Any)),
            ("dict", Some(inner)) => match top_level(inner, ',')[..] {
                [key, value] if matches!(key.trim(), "str" | "typing.Any") => {
                    Self::Dict(Box::new(Self::of_text(value)?))
                }
                _ => return None,
            },
            _ => return None,
        })
    }

    /// The data as this type has it; nothing if it does not fit.
    pub(crate) fn fitted(&self, data: Data) -> Option<Data> {
        match (self, data) {
            (Self::Any, data)
            | (Self::None, data @ Data::None)
            | (Self::Bool, data @ Data::Bool(_))
            | (Self::Int, data @ (Data::Int(_) | Data::BigInt(_)))
            | (Self::Float, data @ Data::Float(_))
            | (Self::Text, data @ Data::Text(_))
            | (Self::Path, data @ Data::Path(_))
            | (Self::Time, data @ Data::Time(_))
            | (Self::Tuple, data @ Data::Tuple(_)) => Some(data),
            (Self::Float, Data::Int(number)) => Some(Data::Float(number as f64)),
            (Self::Float, Data::BigInt(digits)) => digits.parse().ok().map(Data::Float),
            (Self::List(inner), Data::List(items)) => {
                items.into_iter().map(|item| inner.fitted(item)).collect::<Option<_>>().map(Data::List)
            }
            (Self::Dict(inner), Data::Map(entries)) => {
                let fitted = entries.into_iter().map(|(name, value)| Some((name, inner.fitted(value)?)));
                fitted.collect::<Option<_>>().map(Data::Map)
            }
            (Self::OneOf(types), data) => types.iter().find_map(|one| one.fitted(data.clone())),
            _ => None,
        }
    }
}

impl fmt::Display for ParamType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any value"),
            Self::None => f.write_str("None"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Float => f.write_str("float"),
            Self::Text => f.write_str("str"),
            Self::Path => f.write_str("Path"),
            Self::Time => f.write_str("Time"),
            Self::List(inner) if **inner == Self::Any => f.write_str("list"),
            Self::List(inner) => write!(f, "list[{inner}]"),
            Self::Tuple => f.write_str("tuple"),
            Self::Dict(inner) if **inner == Self::Any => f.write_str("dict"),
            Self::Dict(inner) => write!(f, "dict[str, {inner}]"),
            Self::OneOf(types) => {
                for (i, one) in types.iter().enumerate() {
                    f.write_str(if i == 0 { "" } else { " | " })?;
                    one.fmt(f)?;
                }
                Ok(())
            }
        }
    }
}

/// The parts of a text between separators that stand in no brackets.
fn top_level(text: &str, separator: char) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0_usize, 0, Vec::new());
    for (at, c) in text.char_indices() {
        match c {
            '[' | '(' => depth += 1,
            ']' | ')' => depth = depth.saturating_sub(1),
            _ if c == separator && depth == 0 => {
                parts.push(&text[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// What a block type says of a parameter.
#[derive(Clone, Debug)]
pub(crate) struct ParamDecl {
    /// Its type.
    pub(crate) kind: ParamType,
    /// The value of blocks that do not say another; without one, each block must say it.
    pub(crate) default: Option<Data>,
    /// What it means.
    pub(crate) doc: String,
}

/// The value of `param(…)`.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct ParamValue(#[allocative(skip)] pub(crate) Arc<ParamDecl>);

starlark_simple_value!(ParamValue);

impl fmt::Display for ParamValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "param({})", self.0.kind)
    }
}

#[starlark_value(type = "param")]
impl<'v> StarlarkValue<'v> for ParamValue {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_read_back() {
        for text in ["int", "list[str]", "dict[str, list[int]]", "str | None", "list[str | int] | None", "Path"] {
            assert_eq!(ParamType::of_text(text).unwrap().to_string(), text);
        }
        for text in ["function", "dict[int, str]", "str | typing.Callable"] {
            assert_eq!(ParamType::of_text(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_fit_where_numbers_do() {
        let numbers = ParamType::of_text("list[float]").unwrap();
        let given = Data::List(vec![Data::Int(1), Data::Float(0.5)]);
        assert_eq!(numbers.fitted(given), Some(Data::List(vec![Data::Float(1.0), Data::Float(0.5)])));
        assert_eq!(numbers.fitted(Data::List(vec![Data::Text("1".into())])), None);
        assert_eq!(ParamType::Int.fitted(Data::Bool(true)), None);
    }
}
