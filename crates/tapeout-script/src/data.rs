//! Values of the language ↔ data that tasks give and blocks have.

use num_bigint::BigInt;
use starlark::collections::SmallMap;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::float::StarlarkFloat;
use starlark::values::list::{AllocList, ListRef};
use starlark::values::tuple::{AllocTuple, TupleRef};
use starlark::values::{Heap, UnpackValue, Value, ValueLike};
use tapeout_model::{Data, Metric};

use crate::values::{FilesValue, PathValue, RequiredValue, ResultValue, TimeValue};

/// How deep values may lie in each other. A list may contain itself.
const DEEPEST: usize = 64;

/// Why a value is no data.
#[derive(Debug)]
pub(crate) struct Unfit {
    /// Where in it, as one would write it after the name: `[2]["x"]`.
    pub(crate) at: String,
    /// What is wrong.
    pub(crate) why: String,
}

impl Unfit {
    pub(crate) fn new(why: impl Into<String>) -> Self {
        Self { at: String::new(), why: why.into() }
    }

    fn within(mut self, outer: &str) -> Self {
        self.at.insert_str(0, outer);
        self
    }
}

/// The data in a value.
pub(crate) fn to_data(value: Value<'_>) -> Result<Data, Unfit> {
    convert(value, DEEPEST)
}

fn convert(value: Value<'_>, left: usize) -> Result<Data, Unfit> {
    let Some(left) = left.checked_sub(1) else {
        return Err(Unfit::new(format!("values may lie in each other {DEEPEST} deep")));
    };
    if value.is_none() {
        return Ok(Data::None);
    }
    if let Some(flag) = value.unpack_bool() {
        return Ok(Data::Bool(flag));
    }
    if let Some(text) = value.unpack_str() {
        return Ok(Data::Text(text.to_owned()));
    }
    if let Some(float) = value.downcast_ref::<StarlarkFloat>() {
        return Ok(Data::Float(float.0));
    }
    if let Some(path) = PathValue::from_value(value) {
        return Ok(Data::Path(path.0.clone()));
    }
    if let Some(time) = TimeValue::from_value(value) {
        return Ok(Data::Time(time.0));
    }
    let items = |items: &[Value<'_>]| -> Result<Vec<Data>, Unfit> {
        let convert = |(i, item): (usize, &Value<'_>)| convert(*item, left).map_err(|e| e.within(&format!("[{i}]")));
        items.iter().enumerate().map(convert).collect()
    };
    if let Some(list) = ListRef::from_value(value) {
        return Ok(Data::List(items(list.content())?));
    }
    if let Some(tuple) = TupleRef::from_value(value) {
        return Ok(Data::Tuple(items(tuple.content())?));
    }
    if let Some(dict) = DictRef::from_value(value) {
        let mut entries = Vec::with_capacity(dict.len());
        for (key, value) in dict.iter() {
            let Some(key) = key.unpack_str() else {
                return Err(Unfit::new(format!("the keys of a dict must be strings, found {}", named(key))));
            };
            let value = convert(value, left).map_err(|e| e.within(&format!("[{key:?}]")))?;
            entries.push((key.to_owned(), value));
        }
        return Ok(Data::Map(entries));
    }
    if value.get_type() == "int" {
        return match i64::unpack_value(value) {
            Ok(Some(number)) => Ok(Data::Int(number)),
            _ => Ok(Data::BigInt(value.to_str())),
        };
    }
    Err(Unfit::new(format!("{} cannot be kept", named(value))))
}

/// A value as an error message names it: its type, and the way to get data out of it.
pub(crate) fn named(value: Value<'_>) -> String {
    if ResultValue::is(value) || RequiredValue::from_value(value).is_some() {
        return "a whole result (take its attributes)".to_owned();
    }
    if FilesValue::from_value(value).is_some() {
        return "a file collection (make a list of its paths)".to_owned();
    }
    match value.get_type() {
        "NoneType" => "None".to_owned(),
        "string" => format!("the string {}", value.to_repr()),
        "int" | "float" | "bool" => value.to_repr(),
        "block_type" => "a block type".to_owned(),
        "enum" => "an enum".to_owned(),
        kind => format!("a {kind}"),
    }
}

/// The value of data.
pub(crate) fn to_value<'v>(data: &Data, heap: Heap<'v>) -> Value<'v> {
    match data {
        Data::None => Value::new_none(),
        Data::Bool(flag) => Value::new_bool(*flag),
        Data::Int(number) => heap.alloc(*number),
        Data::BigInt(digits) => heap.alloc(digits.parse::<BigInt>().expect("digits, as they came from a number")),
        Data::Float(number) => heap.alloc(*number),
        Data::Text(text) => heap.alloc(text.as_str()),
        Data::Path(path) => heap.alloc(PathValue(path.clone())),
        Data::Time(seconds) => heap.alloc(TimeValue(*seconds)),
        Data::List(items) => heap.alloc(AllocList(items.iter().map(|item| to_value(item, heap)))),
        Data::Tuple(items) => heap.alloc(AllocTuple(items.iter().map(|item| to_value(item, heap)))),
        Data::Map(entries) => heap.alloc(AllocDict(entries.iter().map(|(key, value)| (&**key, to_value(value, heap))))),
    }
}

/// Data as one writes it in a script.
pub(crate) fn written(data: &Data) -> String {
    Heap::temp(|heap| to_value(data, heap).to_repr())
}

/// The metric that a value is: a number or a text.
pub(crate) fn to_metric(value: Value<'_>) -> Option<Metric> {
    match to_data(value) {
        Ok(Data::Int(number)) => Some(Metric::Int(number)),
        Ok(Data::Float(number)) => Some(Metric::Float(number)),
        Ok(Data::Text(text)) => Some(Metric::Text(text)),
        _ => None,
    }
}

/// The value of a metric.
pub(crate) fn metric_value<'v>(metric: &Metric, heap: Heap<'v>) -> Value<'v> {
    match metric {
        Metric::Int(number) => heap.alloc(*number),
        Metric::Float(number) => heap.alloc(*number),
        Metric::Text(text) => heap.alloc(text.as_str()),
    }
}

/// Named values of a call as data, the first that is none named.
pub(crate) fn named_data(attributes: &SmallMap<String, Value<'_>>) -> Result<Vec<(String, Data)>, starlark::Error> {
    let convert = |(name, value): (&String, &Value<'_>)| match to_data(*value) {
        Ok(data) => Ok((name.clone(), data)),
        Err(unfit) => Err(crate::complaint::complaint(format!("`{name}{}`: {}", unfit.at, unfit.why))),
    };
    attributes.iter().map(convert).collect()
}
