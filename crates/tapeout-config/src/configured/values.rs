//! The types of Rust's own that fields may have.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tapeout_model::{Decimal, Value};

use super::{Configured, Declaration, Given};
use crate::schema::{Schema, SchemaError};
use crate::types::Type;

/// What to say of a value that is not of the type.
fn mistyped<T>(expected: &Type, found: &Value) -> Result<T, String> {
    Err(format!("must be {}, not {}", expected.one(), found.kind()))
}

impl Configured for bool {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::Bool)
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given.required()? {
            Value::Bool(value) => Ok(*value),
            other => mistyped(&Type::Bool, other),
        }
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Configured for Decimal {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::Decimal)
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given.required()? {
            Value::Decimal(value) => Ok(*value),
            other => mistyped(&Type::Decimal, other),
        }
    }

    fn to_value(&self) -> Value {
        Value::Decimal(*self)
    }
}

impl Configured for String {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::Str)
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given.required()? {
            Value::Str(text) => Ok(text.clone()),
            other => mistyped(&Type::Str, other),
        }
    }

    fn to_value(&self) -> Value {
        Value::Str(self.clone())
    }
}

impl Configured for PathBuf {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::Path)
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given.required()? {
            Value::Str(text) => Ok(text.into()),
            other => mistyped(&Type::Path, other),
        }
    }

    /// Paths come from text, so that all of a path is text.
    fn to_value(&self) -> Value {
        Value::Str(self.to_string_lossy().into_owned())
    }
}

/// Whatever is written.
impl Configured for Value {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::Any)
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        given.required().cloned()
    }

    fn to_value(&self) -> Value {
        self.clone()
    }
}

macro_rules! integers {
    ($($int:ty),*) => {$(
        impl Configured for $int {
            fn ty() -> Result<Type, SchemaError> {
                Ok(Type::Int)
            }

            fn read(given: &Given<'_>) -> Result<Self, String> {
                match given.required()? {
                    Value::Int(value) => Self::try_from(*value)
                        .map_err(|_| format!("must be from {} to {}, not {value}", Self::MIN, Self::MAX)),
                    other => mistyped(&Type::Int, other),
                }
            }

            fn to_value(&self) -> Value {
                // What was read fits. What the program worked out is cut to what can be written.
                Value::Int(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )*};
}

integers!(i8, i16, i32, i64, u8, u16, u32, u64, usize);

impl<T: Configured> Configured for Option<T> {
    fn ty() -> Result<Type, SchemaError> {
        Ok(T::ty()?.or_null())
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        given.is_present().then(|| T::read(given)).transpose()
    }

    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, T::to_value)
    }

    fn declare(field: Declaration, to: &mut Schema) -> Result<(), SchemaError> {
        T::declare(Declaration { optional: true, ..field }, to)
    }

    /// Nothing is written of what is absent, which may be a struct.
    fn write(&self, name: &str, to: &mut Vec<(String, Value)>) {
        if let Some(value) = self {
            value.write(name, to);
        }
    }

    fn field_name(path: &[&str]) -> Option<String> {
        T::field_name(path)
    }
}

impl<T: Configured> Configured for Vec<T> {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::list(T::ty()?))
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given.required()? {
            Value::List(items) => items.iter().enumerate().map(|(index, item)| part(item, &index)).collect(),
            other => mistyped(&Type::list(T::ty().map_err(|error| error.to_string())?), other),
        }
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(T::to_value).collect())
    }
}

impl<T: Configured> Configured for BTreeMap<String, T> {
    fn ty() -> Result<Type, SchemaError> {
        Ok(Type::map(T::ty()?))
    }

    fn read(given: &Given<'_>) -> Result<Self, String> {
        match given.required()? {
            Value::Map(entries) => {
                entries.iter().map(|(name, item)| Ok((name.clone(), part(item, &format_args!("`{name}`"))?))).collect()
            }
            other => mistyped(&Type::map(T::ty().map_err(|error| error.to_string())?), other),
        }
    }

    fn to_value(&self) -> Value {
        Value::Map(self.iter().map(|(name, item)| (name.clone(), item.to_value())).collect())
    }
}

/// A part of a list, tuple or map.
fn part<T: Configured>(value: &Value, at: &dyn std::fmt::Display) -> Result<T, String> {
    T::read(&Given::Value(value)).map_err(|reason| format!("has at [{at}] a value that {reason}"))
}

macro_rules! tuples {
    ($(($($part:ident $index:tt),+)),*) => {$(
        impl<$($part: Configured),+> Configured for ($($part,)+) {
            fn ty() -> Result<Type, SchemaError> {
                Ok(Type::tuple([$($part::ty()?),+]))
            }

            fn read(given: &Given<'_>) -> Result<Self, String> {
                const LEN: usize = [$($index),+].len();
                match given.required()? {
                    Value::List(items) if items.len() == LEN => Ok(($(part(&items[$index], &$index)?,)+)),
                    other => mistyped(&Self::ty().map_err(|error| error.to_string())?, other),
                }
            }

            fn to_value(&self) -> Value {
                Value::List(vec![$(self.$index.to_value()),+])
            }
        }
    )*};
}

tuples!((A 0, B 1), (A 0, B 1, C 2), (A 0, B 1, C 2, D 3));
