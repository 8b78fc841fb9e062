//! `config`: what a step or a flow sees of the configuration. What is read of it is noted by the configuration itself.

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::dict::AllocDict;
use starlark::values::list::AllocList;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};
use tapeout_config::{Config, nearest};
use tapeout_flow::Failure;
use tapeout_model::{Class, Data, FilePath, Value as Setting};

use super::running;
use crate::complaint::{complaint, complaint_with};
use crate::data::{Unfit, named, to_data};

/// The configuration.
#[derive(Clone, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct ConfigValue {
    #[allocative(skip)]
    pub(crate) config: Config,
    /// Whose it is, for messages.
    pub(crate) owner: Arc<str>,
    /// The variables that the owner declares; all there are if it is not said.
    pub(crate) names: Option<Arc<[String]>>,
}

starlark_simple_value!(ConfigValue);

impl fmt::Debug for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<config>")
    }
}

impl ConfigValue {
    fn knows(&self, name: &str) -> bool {
        match &self.names {
            Some(names) => names.iter().any(|known| known == name),
            None => self.config.schema().get(name).is_some(),
        }
    }

    fn value<'v>(&self, name: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let known = self.knows(name);
        known.then(|| self.config.get(name).map_or(Value::new_none(), |value| setting_value(value, heap)))
    }

    /// What is wrong with a name that is not known, and what to do.
    fn unknown(&self, name: &str) -> (String, String) {
        let message = format!("{} has no variable `{name}`", self.owner);
        let help = match &self.names {
            None => nearest(name, self.config.schema().iter().map(|variable| variable.name.as_ref())),
            Some(names) => nearest(name, names.iter().map(String::as_str)),
        };
        let declare = || "declare it: variables = [variable(…)]".to_owned();
        (message, help.map_or_else(declare, |near| format!("is `{near}` meant?")))
    }
}

methods_static!(METHODS = methods);

/// The word for the type, which messages of starlark begin with.
pub(crate) const CONFIG: &str = "config";

#[starlark_value(type = "config")]
impl<'v> StarlarkValue<'v> for ConfigValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }

    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let value = self.value(attribute, heap);
        if value.is_none() {
            let (message, help) = self.unknown(attribute);
            running::put_aside(attribute, Failure::new(Class::Input, message).hint(help));
        }
        value
    }

    fn has_attr(&self, attribute: &str, _heap: Heap<'v>) -> bool {
        self.knows(attribute)
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let Some(name) = index.unpack_str() else {
            return Err(complaint(format!("the name of a variable is a string, found {}", named(index))));
        };
        self.value(name, heap).ok_or_else(|| {
            let (message, help) = self.unknown(name);
            complaint_with(message, help)
        })
    }

    fn is_in(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.unpack_str().is_some_and(|name| self.knows(name)))
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Whether the value was given, as opposed to the default.
    fn explicit(this: &ConfigValue, #[starlark(require = pos)] name: &str) -> starlark::Result<bool> {
        match this.knows(name) {
            true => Ok(this.config.explicit(name)),
            false => {
                let (message, help) = this.unknown(name);
                Err(complaint_with(message, help))
            }
        }
    }
}

/// A value of a configuration in the language. Decimals become floats.
pub(crate) fn setting_value<'v>(setting: &Setting, heap: Heap<'v>) -> Value<'v> {
    match setting {
        Setting::Null => Value::new_none(),
        Setting::Bool(flag) => Value::new_bool(*flag),
        Setting::Int(number) => heap.alloc(*number),
        Setting::Decimal(number) => heap.alloc(number.to_f64()),
        Setting::Str(text) => heap.alloc(text.as_str()),
        Setting::List(items) => heap.alloc(AllocList(items.iter().map(|item| setting_value(item, heap)))),
        Setting::Map(entries) => {
            heap.alloc(AllocDict(entries.iter().map(|(name, value)| (name.as_str(), setting_value(value, heap)))))
        }
    }
}

/// A value as configurations have it.
pub(crate) fn to_setting(value: Value<'_>) -> Result<Setting, Unfit> {
    to_data(value).and_then(|data| of_data(data).ok_or_else(|| Unfit::new("no configuration can have that")))
}

/// Data as configurations have it.
pub(crate) fn of_data(data: Data) -> Option<Setting> {
    Some(match data {
        Data::None => Setting::Null,
        Data::Bool(flag) => flag.into(),
        Data::Int(number) => number.into(),
        Data::Float(number) => number.into(),
        Data::Text(text) | Data::BigInt(text) => text.into(),
        Data::Path(FilePath::Source(path)) => path.into(),
        Data::Path(FilePath::Target { .. }) | Data::Time(_) => return None,
        Data::List(items) | Data::Tuple(items) => Setting::List(items.into_iter().map(of_data).collect::<Option<_>>()?),
        Data::Map(entries) => {
            let entries = entries.into_iter().map(|(name, value)| Some((name, of_data(value)?)));
            Setting::Map(entries.collect::<Option<_>>()?)
        }
    })
}
