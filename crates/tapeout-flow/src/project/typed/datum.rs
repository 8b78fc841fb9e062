//! Rust types whose values can be attributes of results and parameters of blocks. What a struct is as a whole is told in
//! `result`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tapeout_config::nearest;
use tapeout_engine::Failure;
use tapeout_model::{Class, Data, FilePath};

use super::{Shape, TaskResult};
use crate::project::{TaskCx, or_near};

/// A type whose values can be attributes of results and parameters of blocks: booleans, whole numbers, `f64`, `String`,
/// [`FilePath`], [`SystemTime`], [`Data`] for whatever it may be; `Option`, `Vec`, tuples of up to six and
/// `BTreeMap<String, _>` of such; and structs that derive [`TaskResult`].
///
/// A `HashMap` is none: its order differs from run to run, and with it would the result.
pub trait Datum: Sized {
    /// Tells what such values are made of.
    fn describe(shape: &mut Shape);

    /// The value as a result has it.
    ///
    /// # Errors
    /// When a result cannot hold it: it has whole numbers of 64 bits with a sign.
    fn into_data(self) -> Result<Data, Mismatch>;

    /// The value from what a result has.
    ///
    /// # Errors
    /// When that is something else.
    fn from_data(data: Data) -> Result<Self, Mismatch>;
}

/// A value that is not what it is expected to be, and where in a larger one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The way to it: `.cells[2]`.
    at: String,
    reason: String,
}

impl Mismatch {
    pub(super) fn new(reason: impl Into<String>) -> Self {
        Self { at: String::new(), reason: reason.into() }
    }

    fn expected(what: &str, found: &Data) -> Self {
        Self::new(format!("expected {what}, found {}", found.kind()))
    }

    /// The same, seen from what has this as a part.
    pub(super) fn inside(mut self, part: impl fmt::Display) -> Self {
        self.at = format!("{part}{}", self.at);
        self
    }

    /// What is said of it. `kind`: what has the value, an attribute or a parameter; `owner`: what has that.
    pub(super) fn into_failure(self, kind: &str, owner: &str) -> Failure {
        let at = self.at.strip_prefix('.').unwrap_or(&self.at);
        Failure::new(Class::Input, format!("the {kind} `{at}` of {owner}: {}", self.reason))
    }
}

impl TaskCx<'_, '_> {
    /// A parameter of the block as a value of a Rust type. That is a read.
    ///
    /// # Errors
    /// When the block has no such parameter, or it is something else.
    pub fn value<T: Datum>(&mut self, name: &str) -> Result<T, Failure> {
        let Some(data) = self.param(name) else {
            let (id, block) = self.target.block();
            let near = nearest(name, block.params.iter().map(|(name, _)| name.as_str()));
            let message = format!("the block `{id}` has no parameter `{name}`{}", or_near(near));
            return Err(Failure::new(Class::Input, message));
        };
        let owner = || format!("the block `{}`", self.block());
        T::from_data(data).map_err(|wrong| wrong.inside(name).into_failure("parameter", &owner()))
    }
}

/// Types of which results have a kind of their own.
macro_rules! plain {
    ($($rust:ty, $kind:ident, $words:literal;)*) => { $(
        impl Datum for $rust {
            fn describe(shape: &mut Shape) {
                shape.word(stringify!($rust));
            }

            fn into_data(self) -> Result<Data, Mismatch> {
                Ok(Data::$kind(self))
            }

            fn from_data(data: Data) -> Result<Self, Mismatch> {
                match data {
                    Data::$kind(value) => Ok(value),
                    other => Err(Mismatch::expected($words, &other)),
                }
            }
        }
    )* };
}

plain! {
    bool, Bool, "a boolean";
    String, Text, "a string";
    FilePath, Path, "a path";
}

macro_rules! whole_numbers {
    ($($rust:ty)*) => { $(
        impl Datum for $rust {
            fn describe(shape: &mut Shape) {
                shape.word(stringify!($rust));
            }

            fn into_data(self) -> Result<Data, Mismatch> {
                let too_large = |_| Mismatch::new(format!("{self} is larger than a result can hold ({})", i64::MAX));
                i64::try_from(self).map(Data::Int).map_err(too_large)
            }

            fn from_data(data: Data) -> Result<Self, Mismatch> {
                let Data::Int(number) = data else { return Err(Mismatch::expected("an integer", &data)) };
                let expected = || format!("expected an integer from {} to {}, found {number}", Self::MIN, Self::MAX);
                Self::try_from(number).map_err(|_| Mismatch::new(expected()))
            }
        }
    )* };
}

whole_numbers!(i8 i16 i32 i64 isize u8 u16 u32 u64 usize);

impl Datum for f64 {
    fn describe(shape: &mut Shape) {
        shape.word("f64");
    }

    fn into_data(self) -> Result<Data, Mismatch> {
        Ok(Data::Float(self))
    }

    /// A whole number is a number, too: `2` for a voltage.
    fn from_data(data: Data) -> Result<Self, Mismatch> {
        match data {
            Data::Float(number) => Ok(number),
            Data::Int(number) => Ok(number as f64),
            other => Err(Mismatch::expected("a number", &other)),
        }
    }
}

/// To about a microsecond. Times before 1970 are 1970.
impl Datum for SystemTime {
    fn describe(shape: &mut Shape) {
        shape.word("time");
    }

    fn into_data(self) -> Result<Data, Mismatch> {
        Ok(Data::Time(self.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()))
    }

    fn from_data(data: Data) -> Result<Self, Mismatch> {
        let Data::Time(seconds) = data else { return Err(Mismatch::expected("a time", &data)) };
        let since = Duration::try_from_secs_f64(seconds).ok().and_then(|since| UNIX_EPOCH.checked_add(since));
        since.ok_or_else(|| Mismatch::new(format!("{seconds} seconds are no time after 1970")))
    }
}

impl Datum for Data {
    fn describe(shape: &mut Shape) {
        shape.word("any");
    }

    fn into_data(self) -> Result<Data, Mismatch> {
        Ok(self)
    }

    fn from_data(data: Data) -> Result<Self, Mismatch> {
        Ok(data)
    }
}

impl<T: Datum> Datum for Option<T> {
    fn describe(shape: &mut Shape) {
        shape.of("option", T::describe);
    }

    fn into_data(self) -> Result<Data, Mismatch> {
        self.map_or(Ok(Data::None), T::into_data)
    }

    fn from_data(data: Data) -> Result<Self, Mismatch> {
        if data == Data::None { Ok(None) } else { T::from_data(data).map(Some) }
    }
}

impl<T: Datum> Datum for Vec<T> {
    fn describe(shape: &mut Shape) {
        shape.of("list", T::describe);
    }

    fn into_data(self) -> Result<Data, Mismatch> {
        let item = |(index, item): (usize, T)| item.into_data().map_err(|wrong| wrong.inside(format!("[{index}]")));
        self.into_iter().enumerate().map(item).collect::<Result<_, _>>().map(Data::List)
    }

    fn from_data(data: Data) -> Result<Self, Mismatch> {
        let Data::List(items) = data else { return Err(Mismatch::expected("a list", &data)) };
        let item = |(index, item)| T::from_data(item).map_err(|wrong| wrong.inside(format!("[{index}]")));
        items.into_iter().enumerate().map(item).collect()
    }
}

impl<T: Datum> Datum for BTreeMap<String, T> {
    fn describe(shape: &mut Shape) {
        shape.of("dict", T::describe);
    }

    fn into_data(self) -> Result<Data, Mismatch> {
        let entry = |(name, value): (String, T)| match value.into_data() {
            Ok(value) => Ok((name, value)),
            Err(wrong) => Err(wrong.inside(format!("[{name:?}]"))),
        };
        self.into_iter().map(entry).collect::<Result<_, _>>().map(Data::Map)
    }

    fn from_data(data: Data) -> Result<Self, Mismatch> {
        let Data::Map(entries) = data else { return Err(Mismatch::expected("a dict", &data)) };
        let entry = |(name, value)| match T::from_data(value) {
            Ok(value) => Ok((name, value)),
            Err(wrong) => Err(wrong.inside(format!("[{name:?}]"))),
        };
        entries.into_iter().map(entry).collect()
    }
}

macro_rules! tuples {
    ($($count:literal: $($item:ident $place:tt),*;)*) => { $(
        impl<$($item: Datum),*> Datum for ($($item,)*) {
            fn describe(shape: &mut Shape) {
                shape.of("tuple", |shape| { $($item::describe(shape);)* });
            }

            fn into_data(self) -> Result<Data, Mismatch> {
                Ok(Data::Tuple(vec![$(self.$place.into_data().map_err(|wrong| wrong.inside(format!("[{}]", $place)))?),*]))
            }

            fn from_data(data: Data) -> Result<Self, Mismatch> {
                let Data::Tuple(items) = data else { return Err(Mismatch::expected("a tuple", &data)) };
                let found = items.len();
                let mut items = items.into_iter();
                let mut next = || items.next().unwrap_or(Data::None);
                if found != $count {
                    return Err(Mismatch::new(format!("expected a tuple of {}, found one of {found}", $count)));
                }
                Ok(($($item::from_data(next()).map_err(|wrong| wrong.inside(format!("[{}]", $place)))?,)*))
            }
        }
    )* };
}

tuples! {
    2: A 0, B 1;
    3: A 0, B 1, C 2;
    4: A 0, B 1, C 2, D 3;
    5: A 0, B 1, C 2, D 3, E 4;
    6: A 0, B 1, C 2, D 3, E 4, F 5;
}

/// A struct within a result.
impl<T: TaskResult> Datum for T {
    fn describe(shape: &mut Shape) {
        <T as TaskResult>::describe(shape);
    }

    fn into_data(self) -> Result<Data, Mismatch> {
        Ok(self.into_attributes()?.map_or(Data::None, Data::Map))
    }

    fn from_data(data: Data) -> Result<Self, Mismatch> {
        match data {
            Data::Map(attributes) => T::from_attributes(attributes.into()),
            Data::None if T::NAMES.is_empty() => T::from_attributes(Vec::new().into()),
            other => Err(Mismatch::expected("a dict", &other)),
        }
    }
}
