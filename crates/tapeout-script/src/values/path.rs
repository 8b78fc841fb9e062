//! `Path`: a file or directory of a target or of the project. Names it; what is in it, only a running task can say.

use std::cmp::Ordering;
use std::fmt;
use std::hash::Hash;

use allocative::Allocative;
use starlark::collections::StarlarkHasher;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, ValueError, ValueLike,
    starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};
use tapeout_model::FilePath;

use super::running;
use crate::complaint::complaint;

/// A path. Its text is its name on a command line, however the text is made of it: `str`, `format`, `%s`.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct PathValue(#[allocative(skip)] pub(crate) FilePath);

starlark_simple_value!(PathValue);

impl fmt::Display for PathValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.0))
    }
}

/// How a command in the running task's directory names it; without one, how one names it in the project.
pub(crate) fn shown(path: &FilePath) -> String {
    running::with(|ops| ops.shown(path)).unwrap_or_else(|| path.to_string())
}

/// The last part of a path, before and from its last dot. A dot at the start begins a name, not a suffix.
fn split_name(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && dot + 1 < name.len() => name.split_at(dot),
        _ => (name, ""),
    }
}

/// The directory in which it is; that of a target and that of the project are their own.
fn parent(path: &FilePath) -> FilePath {
    let above = |path: &str| match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((above, _)) => above.to_owned(),
        None => String::new(),
    };
    match path {
        FilePath::Target { block, task, path } => {
            FilePath::Target { block: block.clone(), task: task.clone(), path: above(path) }
        }
        FilePath::Source(path) => FilePath::Source(above(path)),
    }
}

/// The path below another one. A path of a target does not lead out of its directory.
pub(crate) fn below(path: &FilePath, text: &str) -> starlark::Result<FilePath> {
    let joined = path.join(text);
    let leaves = matches!(&joined, FilePath::Target { path, .. } if path == ".." || path.starts_with("../"));
    if leaves {
        return Err(complaint(format!("`{text}` leads out of the target's directory")));
    }
    Ok(joined)
}

methods_static!(METHODS = methods);

#[starlark_value(type = "Path")]
impl<'v> StarlarkValue<'v> for PathValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }

    fn div(&self, other: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        match other.unpack_str() {
            Some(text) => Ok(heap.alloc(Self(below(&self.0, text)?))),
            None => ValueError::unsupported_with(self, "/", other),
        }
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.downcast_ref::<Self>().is_some_and(|other| other.0 == self.0))
    }

    fn compare(&self, other: Value<'v>) -> starlark::Result<Ordering> {
        match other.downcast_ref::<Self>() {
            Some(other) => Ok(self.0.cmp(&other.0)),
            None => ValueError::unsupported_with(self, "cmp()", other),
        }
    }

    fn write_hash(&self, hasher: &mut StarlarkHasher) -> starlark::Result<()> {
        self.0.hash(hasher);
        Ok(())
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The last part of the path.
    #[starlark(attribute)]
    fn name(this: &PathValue) -> starlark::Result<String> {
        Ok(this.0.name().to_owned())
    }

    /// The last part without its suffix.
    #[starlark(attribute)]
    fn stem(this: &PathValue) -> starlark::Result<String> {
        Ok(split_name(this.0.name()).0.to_owned())
    }

    /// The last dot of the last part and what follows it.
    #[starlark(attribute)]
    fn suffix(this: &PathValue) -> starlark::Result<String> {
        Ok(split_name(this.0.name()).1.to_owned())
    }

    /// The directory in which it is.
    #[starlark(attribute)]
    fn parent(this: &PathValue) -> starlark::Result<PathValue> {
        Ok(PathValue(super::path::parent(&this.0)))
    }
}

/// The path that a value is: a `Path`, or a string that names a file of the project.
pub(crate) fn of_value(value: Value<'_>) -> starlark::Result<FilePath> {
    if let Some(path) = PathValue::from_value(value) {
        return Ok(path.0.clone());
    }
    match value.unpack_str() {
        Some("") | None => Err(complaint(format!("a path is expected, found {}", crate::data::named(value)))),
        Some(text) => Ok(FilePath::Source(String::new()).join(text)),
    }
}
