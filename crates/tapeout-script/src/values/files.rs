//! `files`: paths with attributes, such as the corners of a library, and the choice among them.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use allocative::Allocative;
use starlark::collections::SmallMap;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::{Arguments, Evaluator};
use starlark::values::dict::AllocDict;
use starlark::values::none::NoneType;
use starlark::values::{
    AllocValue, Freeze, FreezeResult, Freezer, Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic,
    StarlarkValue, Trace, Value, ValueLike, starlark_value,
};
use starlark::{methods_static, starlark_module};
use tapeout_model::{Data, FilePath};

use super::path::{self, PathValue};
use super::running;
use crate::complaint::{complaint, complaint_with, refused};
use crate::data::{self, named_data, written};

/// Attributes by name.
pub(crate) type Attributes = Vec<(String, Data)>;

/// A file collection.
#[derive(Debug, Trace, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct FilesValue {
    #[allocative(skip)]
    #[trace(unsafe_ignore)]
    items: Mutex<Vec<(FilePath, Attributes)>>,
    is_frozen: bool,
}

impl FilesValue {
    pub(crate) fn new(items: Vec<(FilePath, Attributes)>) -> Self {
        Self { items: Mutex::new(items), is_frozen: false }
    }

    pub(crate) fn from_value(value: Value<'_>) -> Option<&Self> {
        value.downcast_ref::<Self>()
    }

    pub(crate) fn items(&self) -> MutexGuard<'_, Vec<(FilePath, Attributes)>> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The items that have these attributes.
    fn matching(&self, wanted: &Attributes, missing_key_deselects: bool) -> Vec<(FilePath, Attributes)> {
        let fits = |attributes: &Attributes| {
            wanted.iter().all(|(name, value)| match attributes.iter().find(|(has, _)| has == name) {
                Some((_, has)) => same(has, value),
                None => !missing_key_deselects,
            })
        };
        self.items().iter().filter(|(_, attributes)| fits(attributes)).cloned().collect()
    }

    /// The one path with these attributes.
    fn one(&self, wanted: &Attributes, missing_key_deselects: bool) -> starlark::Result<PathValue> {
        let found = self.matching(wanted, missing_key_deselects);
        if let [(path, _)] = &found[..] {
            return Ok(PathValue(path.clone()));
        }
        let asked = match wanted.is_empty() {
            true => "without conditions".to_owned(),
            false => format!("for {}", listed(wanted)),
        };
        let (message, candidates) = match found.is_empty() {
            true => (format!("No result {asked}"), self.items().clone()),
            false => (format!("Ambiguous result {asked}: {} files", found.len()), found),
        };
        if candidates.is_empty() {
            return Err(complaint_with(message, "the collection is empty"));
        }
        let shown: Vec<String> = candidates.iter().take(MOST).map(|(path, has)| described(path, has)).collect();
        let more = if candidates.len() > MOST { ", …" } else { "" };
        Err(complaint_with(message, format!("there are: {}{more}", shown.join(", "))))
    }
}

/// How many candidates a message lists.
const MOST: usize = 12;

fn listed(attributes: &Attributes) -> String {
    let shown = |(name, value): &(String, Data)| format!("{name} = {}", written(value));
    attributes.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn described(path: &FilePath, attributes: &Attributes) -> String {
    match attributes.is_empty() {
        true => path.to_string(),
        false => format!("{path} ({})", listed(attributes)),
    }
}

/// Numbers are the same whichever way they are written: corners are named `1.8` and `2`.
fn same(a: &Data, b: &Data) -> bool {
    match (a, b) {
        (Data::Int(a), Data::Float(b)) | (Data::Float(b), Data::Int(a)) => *a as f64 == *b,
        _ => a == b,
    }
}

impl fmt::Display for FilesValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let items = self.items().iter().map(|(path, has)| described(path, has)).collect::<Vec<_>>();
        write!(f, "files({})", items.join(", "))
    }
}

impl<'v> AllocValue<'v> for FilesValue {
    fn alloc_value(self, heap: Heap<'v>) -> Value<'v> {
        heap.alloc_complex(self)
    }
}

impl Freeze for FilesValue {
    type Frozen = Self;

    fn freeze(self, _freezer: &Freezer<'_>) -> FreezeResult<Self> {
        Ok(Self { is_frozen: true, ..self })
    }
}

fn item<'v>((path, attributes): &(FilePath, Attributes), heap: Heap<'v>) -> Value<'v> {
    let attributes = AllocDict(attributes.iter().map(|(name, value)| (&**name, data::to_value(value, heap))));
    let path = heap.alloc(PathValue(path.clone()));
    heap.alloc((path, heap.alloc(attributes)))
}

methods_static!(METHODS = methods);

#[starlark_value(type = "FileCollection", UnpackValue, StarlarkTypeRepr)]
impl<'v> StarlarkValue<'v> for FilesValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }

    fn to_bool(&self) -> bool {
        !self.items().is_empty()
    }

    fn length(&self) -> starlark::Result<i32> {
        Ok(i32::try_from(self.items().len()).unwrap_or(i32::MAX))
    }

    fn at(&self, index: Value<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let items = self.items();
        let asked = index.unpack_i32().map(i64::from);
        let from_end = asked.map(|asked| if asked < 0 { asked + items.len() as i64 } else { asked });
        match from_end.and_then(|at| items.get(usize::try_from(at).ok()?)) {
            Some(found) => Ok(item(found, heap)),
            None => Err(complaint(format!("there is no file {} in a collection of {}", index.to_repr(), items.len()))),
        }
    }

    fn iterate_collect(&self, heap: Heap<'v>) -> starlark::Result<Vec<Value<'v>>> {
        Ok(self.items().iter().map(|found| item(found, heap)).collect())
    }

    fn add(&self, other: Value<'v>, heap: Heap<'v>) -> Option<starlark::Result<Value<'v>>> {
        let other = Self::from_value(other)?;
        // One after the other, as both may be the same collection.
        let mut items = self.items().clone();
        items.extend(other.items().clone());
        Some(Ok(heap.alloc(Self::new(items))))
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        let Some(other) = Self::from_value(other) else { return Ok(false) };
        let own = self.items().clone();
        Ok(own == *other.items())
    }

    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        args.no_positional_args(eval.heap())?;
        let mut wanted = SmallMap::new();
        let mut missing_key_deselects = false;
        for (name, value) in args.names_map()? {
            match name.as_str() {
                "missing_key_deselects" => missing_key_deselects = value.to_bool(),
                name => _ = wanted.insert(name.to_owned(), value),
            }
        }
        Ok(eval.heap().alloc(self.one(&named_data(&wanted)?, missing_key_deselects)?))
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Adds a file.
    fn add<'v>(
        this: &FilesValue,
        #[starlark(require = pos)] path: Value<'v>,
        #[starlark(kwargs)] attributes: SmallMap<String, Value<'v>>,
    ) -> starlark::Result<NoneType> {
        if this.is_frozen {
            return Err(complaint_with(
                "a file collection that is bound at the top level of a file cannot be changed later",
                "make a new one: files() + collection",
            ));
        }
        let item = (path::of_value(path)?, named_data(&attributes)?);
        // While files are loaded, nobody looks at the disk.
        if let Some(exists) = running::with(|ops| ops.exists(&item.0))
            && !exists.map_err(refused)?
        {
            return Err(complaint(format!("`{}` does not exist", item.0)));
        }
        this.items().push(item);
        Ok(NoneType)
    }

    /// A new collection with these attributes added to each file.
    fn tag<'v>(
        this: &FilesValue,
        #[starlark(kwargs)] attributes: SmallMap<String, Value<'v>>,
    ) -> starlark::Result<FilesValue> {
        let mut items = this.items().clone();
        for (name, value) in named_data(&attributes)? {
            for (_, has) in &mut items {
                match has.iter_mut().find(|(has, _)| *has == name) {
                    Some((_, old)) => *old = value.clone(),
                    None => has.push((name.clone(), value.clone())),
                }
            }
        }
        Ok(FilesValue::new(items))
    }

    /// A new collection of the files with these attributes.
    fn filter<'v>(
        this: &FilesValue,
        #[starlark(require = named, default = false)] missing_key_deselects: bool,
        #[starlark(kwargs)] attributes: SmallMap<String, Value<'v>>,
    ) -> starlark::Result<FilesValue> {
        Ok(FilesValue::new(this.matching(&named_data(&attributes)?, missing_key_deselects)))
    }

    /// The path of the one file with these attributes.
    fn one<'v>(
        this: &FilesValue,
        #[starlark(require = named, default = false)] missing_key_deselects: bool,
        #[starlark(kwargs)] attributes: SmallMap<String, Value<'v>>,
    ) -> starlark::Result<PathValue> {
        this.one(&named_data(&attributes)?, missing_key_deselects)
    }
}
