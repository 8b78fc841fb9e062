//! `Result`: what a task makes for others, and what it sees of the results that it requires.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::collections::SmallMap;
use starlark::starlark_simple_value;
use starlark::values::{
    AllocValue, Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Trace, Value, ValueLike,
    starlark_value,
};
use tapeout_flow::Failure;
use tapeout_model::{Class, Data};

use super::running;
use crate::complaint::complaint;
use crate::data;

/// A result in the making.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct ResultValue<'v> {
    attributes: RefCell<SmallMap<String, Value<'v>>>,
}

impl<'v> ResultValue<'v> {
    pub(crate) fn new(attributes: SmallMap<String, Value<'v>>) -> starlark::Result<Self> {
        let result = Self { attributes: RefCell::default() };
        for (name, value) in attributes {
            result.set_attr(&name, value)?;
        }
        Ok(result)
    }

    pub(crate) fn is(value: Value<'v>) -> bool {
        value.downcast_ref::<Self>().is_some()
    }

    /// The attributes as data.
    pub(crate) fn data(&self) -> Result<Vec<(String, Data)>, Failure> {
        let attributes = self.attributes.borrow();
        let convert = |(name, value): (&String, &Value<'v>)| match data::to_data(*value) {
            Ok(data) => Ok((name.clone(), data)),
            Err(unfit) => Err(Failure::new(Class::Input, unfit_attribute(name, &unfit))),
        };
        attributes.iter().map(convert).collect()
    }
}

fn unfit_attribute(name: &str, unfit: &data::Unfit) -> String {
    format!("attribute `{name}{}` of the result: {}", unfit.at, unfit.why)
}

impl fmt::Display for ResultValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Result(")?;
        for (i, (name, value)) in self.attributes.borrow().iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            write!(f, "{comma}{name} = {value}")?;
        }
        f.write_str(")")
    }
}

// It lives within one call of a task's function: there is nothing to freeze.
impl<'v> AllocValue<'v> for ResultValue<'v> {
    fn alloc_value(self, heap: Heap<'v>) -> Value<'v> {
        heap.alloc_complex_no_freeze(self)
    }
}

#[starlark_value(type = "Result")]
impl<'v> StarlarkValue<'v> for ResultValue<'v> {
    fn get_attr(&self, attribute: &str, _heap: Heap<'v>) -> Option<Value<'v>> {
        // If there is none, the error is about this value.
        running::take_aside();
        self.attributes.borrow().get(attribute).copied()
    }

    fn dir_attr(&self) -> Vec<String> {
        self.attributes.borrow().keys().cloned().collect()
    }

    fn set_attr(&self, attribute: &str, value: Value<'v>) -> starlark::Result<()> {
        if let Err(unfit) = data::to_data(value) {
            return Err(complaint(unfit_attribute(attribute, &unfit)));
        }
        self.attributes.borrow_mut().insert(attribute.to_owned(), value);
        Ok(())
    }
}

/// The result behind a requirement. Each look at an attribute is a read of that attribute alone.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct RequiredValue {
    /// The name of the requirement.
    pub(crate) requirement: Arc<str>,
    /// Which of its results.
    pub(crate) index: usize,
}

starlark_simple_value!(RequiredValue);

impl RequiredValue {
    /// All attributes.
    pub(crate) fn data(&self) -> Result<Vec<(String, Data)>, Failure> {
        let (name, index) = (&*self.requirement, self.index);
        let all = running::with(|ops| {
            let names = ops.attributes(name, index);
            names
                .into_iter()
                .map(|attribute| Ok((attribute.clone(), ops.attribute(name, index, &attribute)?)))
                .collect()
        });
        all.unwrap_or_else(|| Ok(Vec::new()))
    }
}

impl fmt::Display for RequiredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<result of {}>", self.requirement)
    }
}

#[starlark_value(type = "Result")]
impl<'v> StarlarkValue<'v> for RequiredValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        match running::with(|ops| ops.attribute(&self.requirement, self.index, attribute))? {
            Ok(data) => Some(data::to_value(&data, heap)),
            Err(failure) => {
                // Starlark goes on with an error of its own; this one says more.
                running::put_aside(attribute, failure);
                None
            }
        }
    }

    fn has_attr(&self, attribute: &str, _heap: Heap<'v>) -> bool {
        self.dir_attr().iter().any(|name| name == attribute)
    }

    fn dir_attr(&self) -> Vec<String> {
        running::with(|ops| ops.attributes(&self.requirement, self.index)).unwrap_or_default()
    }

    fn set_attr(&self, attribute: &str, _value: Value<'v>) -> starlark::Result<()> {
        Err(complaint(format!("`{}.{attribute}`: the result of another task cannot be changed", self.requirement)))
    }
}
