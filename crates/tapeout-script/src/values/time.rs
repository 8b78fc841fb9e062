//! `Time`: a moment, as seconds since 1970.

use std::cmp::Ordering;
use std::fmt;

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::{
    NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, ValueError, ValueLike, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};

/// A moment.
#[derive(Clone, Copy, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct TimeValue(pub(crate) f64);

starlark_simple_value!(TimeValue);

impl fmt::Display for TimeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Time({})", self.0)
    }
}

methods_static!(METHODS = methods);

#[starlark_value(type = "Time")]
impl<'v> StarlarkValue<'v> for TimeValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.downcast_ref::<Self>().is_some_and(|other| other.0.total_cmp(&self.0).is_eq()))
    }

    fn compare(&self, other: Value<'v>) -> starlark::Result<Ordering> {
        match other.downcast_ref::<Self>() {
            Some(other) => Ok(self.0.total_cmp(&other.0)),
            None => ValueError::unsupported_with(self, "cmp()", other),
        }
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Seconds since 1970.
    #[starlark(attribute)]
    fn seconds(this: &TimeValue) -> starlark::Result<f64> {
        Ok(this.0)
    }
}
