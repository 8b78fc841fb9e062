//! What tasks can require: the result of a target, an attribute of it, or the results of many.

use std::fmt;
use std::marker::PhantomData;

use tapeout_engine::Failure;
use tapeout_model::Data;

use super::{Attribute, Attributes, Datum, Shape, TaskResult};
use crate::project::{TargetId, TaskCx};

/// A target whose task gives a `T`.
pub struct Target<T> {
    pub(super) at: At,
    gives: PhantomData<fn() -> T>,
}

/// An attribute of a target's result.
pub struct TargetAttribute<T> {
    at: At,
    name: &'static str,
    gives: PhantomData<fn() -> T>,
}

/// Where a target is: in which blueprint, and where there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    pub(super) blueprint: u64,
    pub(super) target: TargetId,
}

impl<T> Target<T> {
    pub(super) fn new(at: At) -> Self {
        Self { at, gives: PhantomData }
    }
}

impl<R: TaskResult> Target<R> {
    /// One attribute of what it gives. A task that requires this and not the whole is built again only if this attribute
    /// changes.
    #[must_use]
    pub fn attribute<T: Datum>(self, attribute: Attribute<R, T>) -> TargetAttribute<T> {
        TargetAttribute { at: self.at, name: attribute.name, gives: PhantomData }
    }
}

impl<T> Clone for Target<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Target<T> {}

impl<T> fmt::Debug for Target<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.at.fmt(f)
    }
}

impl<T> Clone for TargetAttribute<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for TargetAttribute<T> {}

impl<T> fmt::Debug for TargetAttribute<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.at, self.name)
    }
}

/// What a task can require, and what it gets for it: for a [`Target`] its result, for a [`TargetAttribute`] its value,
/// for a `Vec` of either a `Vec` of these.
pub trait Needs: Send + Sync + 'static {
    /// What the task gets.
    type Given;

    /// The targets that this comes from; whether they are a list.
    fn targets(&self) -> (Vec<At>, bool);

    /// Tells what the task gets.
    fn describe(shape: &mut Shape);

    /// Reads it: what a task requires under the name.
    ///
    /// # Errors
    /// When the result has something else.
    fn given(&self, cx: &mut TaskCx<'_, '_>, name: &str) -> Result<Self::Given, Failure>;
}

/// What comes of one target.
trait One: Send + Sync + 'static {
    type Given;

    fn at(&self) -> At;

    fn describe(shape: &mut Shape);

    fn given(&self, cx: &mut TaskCx<'_, '_>, name: &str, index: usize) -> Result<Self::Given, Failure>;
}

impl<T: TaskResult> One for Target<T> {
    type Given = T;

    fn at(&self) -> At {
        self.at
    }

    fn describe(shape: &mut Shape) {
        <T as TaskResult>::describe(shape);
    }

    fn given(&self, cx: &mut TaskCx<'_, '_>, name: &str, index: usize) -> Result<T, Failure> {
        let read = |attribute: &&str| Ok(((*attribute).to_owned(), cx.attribute(name, index, attribute)?));
        let attributes: Vec<(String, Data)> = T::NAMES.iter().map(read).collect::<Result<_, Failure>>()?;
        T::from_attributes(Attributes::from(attributes))
            .map_err(|wrong| wrong.into_failure("attribute", &cx.result_name(self.at)))
    }
}

impl<T: Datum + 'static> One for TargetAttribute<T> {
    type Given = T;

    fn at(&self) -> At {
        self.at
    }

    fn describe(shape: &mut Shape) {
        shape.field::<T>("");
    }

    fn given(&self, cx: &mut TaskCx<'_, '_>, name: &str, index: usize) -> Result<T, Failure> {
        let value = T::from_data(cx.attribute(name, index, self.name)?);
        value.map_err(|wrong| wrong.inside(self.name).into_failure("attribute", &cx.result_name(self.at)))
    }
}

impl TaskCx<'_, '_> {
    /// What messages call the result of a target.
    fn result_name(&self, at: At) -> String {
        format!("the result of `{}`", self.target.project().name(at.target))
    }
}

macro_rules! needs {
    ($($one:ident: $bound:path;)*) => { $(
        impl<T: $bound + 'static> Needs for $one<T> {
            type Given = T;

            fn targets(&self) -> (Vec<At>, bool) {
                (vec![self.at()], false)
            }

            fn describe(shape: &mut Shape) {
                <Self as One>::describe(shape);
            }

            fn given(&self, cx: &mut TaskCx<'_, '_>, name: &str) -> Result<T, Failure> {
                One::given(self, cx, name, 0)
            }
        }

        impl<T: $bound + 'static> Needs for Vec<$one<T>> {
            type Given = Vec<T>;

            fn targets(&self) -> (Vec<At>, bool) {
                (self.iter().map(One::at).collect(), true)
            }

            fn describe(shape: &mut Shape) {
                shape.of("each", <$one<T> as One>::describe);
            }

            fn given(&self, cx: &mut TaskCx<'_, '_>, name: &str) -> Result<Vec<T>, Failure> {
                self.iter().enumerate().map(|(index, one)| One::given(one, cx, name, index)).collect()
            }
        }
    )* };
}

needs! {
    Target: TaskResult;
    TargetAttribute: Datum;
}
