//! What a project is made of: `Flow`, `block`, `param`, `task`; and what tasks make: `Result`, `Path`, `Time`, `files`.

// Functions of the language have as many named arguments as users need.
#![allow(clippy::too_many_arguments)]

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use starlark::collections::SmallMap;
use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::none::NoneOr;
use starlark::values::{Heap, UnpackValue, Value};
use tapeout_engine::Claims;
use tapeout_flow::project::{InvalidRequirement, Requirement, Requires};
use tapeout_model::Data;

use crate::amounts;
use crate::complaint::{complaint, complaint_with};
use crate::data::{self, named, to_data};
use crate::values::block::{DEPENDENCY_MAP, KindDecl, KindValue};
use crate::values::ctx::ID;
use crate::values::declarations::Declarations;
use crate::values::param::{ParamDecl, ParamType, ParamValue};
use crate::values::task::{TaskDecl, TaskValue};
use crate::values::{FilesValue, FlowValue, PathValue, ResultValue, TimeValue, is_id, path, running};

/// What is said of a task beside its function.
#[derive(Default)]
struct About<'v> {
    id: Option<&'v str>,
    requires: Option<Value<'v>>,
    always_rebuild: bool,
    hidden: bool,
    claims: Claims,
    doc: Option<&'v str>,
}

const TOP_LEVEL: &str =
    "a task's function must be a `def` at the top level of a file: only then is it known what it does";

/// Declares a task.
fn declare<'v>(function: Value<'v>, about: About<'v>, eval: &Evaluator<'v, '_, '_>) -> starlark::Result<Arc<TaskDecl>> {
    let declarations = Declarations::of(eval, "task")?;
    let name = match function.function_name() {
        // Whether it stands at the top level of a file is looked at when all is known.
        Some(name) => name,
        None => return Err(complaint_with(format!("a task is a function, found {}", named(function)), TOP_LEVEL)),
    };
    let id = about.id.unwrap_or_else(|| name.trim_start_matches('_'));
    if !is_id(id) {
        return Err(complaint_with(
            format!("`{id}` cannot be the id of a task"),
            "ids consist of letters, digits, `_` and `-`, and do not begin with `-`",
        ));
    }
    Ok(Arc::new(TaskDecl {
        id: id.to_owned(),
        function: declarations.keep(function, eval),
        requires: about.requires.map(required).transpose()?.unwrap_or_default(),
        always_rebuild: about.always_rebuild,
        hidden: about.hidden,
        claims: about.claims,
        doc: about.doc.map(str::to_owned),
        origin: declarations.call_site(eval),
    }))
}

fn requirement(value: Value<'_>, name: &str) -> starlark::Result<Requirement> {
    let Some(text) = value.unpack_str() else {
        return Err(complaint_with(
            format!("requirement `{name}` must be a string, found {}", named(value)),
            "\".task\", \"name.task\", \"=block.task\", or a list of these",
        ));
    };
    text.parse().map_err(|error: InvalidRequirement| complaint(format!("requirement `{name}`: {error}")))
}

fn required(value: Value<'_>) -> starlark::Result<Vec<(String, Requires)>> {
    let Some(dict) = DictRef::from_value(value) else {
        return Err(complaint_with(
            format!("`requires` must be a dict, found {}", named(value)),
            "requires = {\"syn\": \".synthesize\"}",
        ));
    };
    let one = |(name, value): (Value<'_>, Value<'_>)| {
        let Some(name) = name.unpack_str() else {
            return Err(complaint(format!("the names of requirements must be strings, found {}", named(name))));
        };
        let requires = match ListRef::from_value(value) {
            Some(list) => Requires::Many(list.iter().map(|one| requirement(one, name)).collect::<Result<_, _>>()?),
            None => Requires::One(requirement(value, name)?),
        };
        Ok((name.to_owned(), requires))
    };
    dict.iter().map(one).collect()
}

fn tokens(licences: Value<'_>) -> starlark::Result<BTreeMap<String, u64>> {
    let malformed = || {
        complaint_with(
            format!("`licences` must say how many of each, found {}", licences.to_repr()),
            "licences = {\"vendor_place\": 1}",
        )
    };
    let dict = DictRef::from_value(licences).ok_or_else(malformed)?;
    let one = |(name, count): (Value<'_>, Value<'_>)| {
        let count = u64::unpack_value(count).ok().flatten().filter(|_| count.get_type() == "int");
        Ok((name.unpack_str().ok_or_else(malformed)?.to_owned(), count.ok_or_else(malformed)?))
    };
    dict.iter().map(one).collect()
}

/// The parameters that a dict declares. `taken`: names that they cannot have, and why.
pub(super) fn declared_params(
    params: Value<'_>,
    (taken, why): (&[&str], &str),
) -> starlark::Result<Vec<(String, Arc<ParamDecl>)>> {
    let Some(dict) = DictRef::from_value(params) else {
        return Err(complaint_with(
            format!("`params` must be a dict, found {}", named(params)),
            "params = {\"voltage\": 1.8, \"name\": param(str)}",
        ));
    };
    let one = |(name, value): (Value<'_>, Value<'_>)| {
        let Some(name) = name.unpack_str() else {
            return Err(complaint(format!("the names of parameters must be strings, found {}", named(name))));
        };
        if taken.contains(&name) {
            return Err(complaint(format!("a parameter cannot be called `{name}`: {why}")));
        }
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty();
        if !is_name {
            let help = "names of parameters consist of letters, digits and `_`, and do not begin with a digit";
            return Err(complaint_with(format!("{name:?} cannot be the name of a parameter"), help));
        }
        let decl = match ParamValue::from_value(value) {
            Some(param) => Arc::clone(&param.0),
            None => match to_data(value) {
                Ok(data) => {
                    let kind = ParamType::of_default(&data);
                    Arc::new(ParamDecl { kind, default: Some(data), doc: String::new() })
                }
                Err(unfit) => {
                    let message = format!("the default of parameter `{name}{}`: {}", unfit.at, unfit.why);
                    return Err(complaint_with(message, "for a parameter without a default: param(str)"));
                }
            },
        };
        Ok((name.to_owned(), decl))
    };
    dict.iter().map(one).collect()
}

#[starlark_module]
pub(super) fn project(builder: &mut GlobalsBuilder) {
    /// The blocks of a project.
    fn Flow<'v>(
        #[starlark(require = named)] licences: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<FlowValue> {
        Declarations::of(eval, "Flow")?;
        Ok(FlowValue::new(licences.map(tokens).transpose()?.unwrap_or_default()))
    }

    /// A task with more to say than its function.
    fn task<'v>(
        #[starlark(require = pos)] function: Value<'v>,
        #[starlark(require = named, default = NoneOr::None)] id: NoneOr<&'v str>,
        #[starlark(require = named)] requires: Option<Value<'v>>,
        #[starlark(require = named, default = false)] always_rebuild: bool,
        #[starlark(require = named, default = false)] hidden: bool,
        #[starlark(require = named, default = 1)] cores: u32,
        #[starlark(require = named, default = NoneOr::None)] memory: NoneOr<Value<'v>>,
        #[starlark(require = named)] licences: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] doc: NoneOr<&'v str>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<TaskValue> {
        if cores == 0 {
            return Err(complaint("a task needs at least one core"));
        }
        let claims = Claims {
            cores: u64::from(cores),
            memory_mib: memory.into_option().map(amounts::memory_mib).transpose()?.unwrap_or(0),
            tokens: licences.map(tokens).transpose()?.unwrap_or_default(),
        };
        let (id, doc) = (id.into_option(), doc.into_option());
        Ok(TaskValue(declare(function, About { id, requires, always_rebuild, hidden, claims, doc }, eval)?))
    }

    /// A type of blocks.
    fn block<'v>(
        #[starlark(require = named, default = "")] doc: &str,
        #[starlark(require = named)] params: Option<Value<'v>>,
        #[starlark(require = named)] tasks: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<KindValue> {
        let declarations = Declarations::of(eval, "block")?;
        let mut declared: Vec<Arc<TaskDecl>> = Vec::new();
        if let Some(tasks) = tasks {
            let Some(list) = ListRef::from_value(tasks) else {
                return Err(complaint(format!("`tasks` must be a list, found {}", named(tasks))));
            };
            for value in list.iter() {
                let task = match TaskValue::from_value(value) {
                    Some(task) => Arc::clone(&task.0),
                    None => declare(value, About::default(), eval)?,
                };
                if declared.iter().any(|other| other.id == task.id) {
                    let help = "task(function, id = \"…\") gives a task another id";
                    return Err(complaint_with(format!("the block has two tasks `{}`", task.id), help));
                }
                declared.push(task);
            }
        }
        let taken: (&[&str], &str) = (&[DEPENDENCY_MAP, ID], "every block has that already");
        let kind = Arc::new(KindDecl {
            name: OnceLock::new(),
            doc: doc.to_owned(),
            params: params.map(|params| declared_params(params, taken)).transpose()?.unwrap_or_default(),
            symbolic: KindDecl::symbolic_names(&declared),
            tasks: declared,
            origin: declarations.call_site(eval),
        });
        declarations.add_kind(Arc::clone(&kind));
        Ok(KindValue(kind))
    }

    /// A parameter of a type of blocks.
    fn param<'v>(
        #[starlark(require = pos)] r#type: Value<'v>,
        #[starlark(require = named)] default: Option<Value<'v>>,
        #[starlark(require = named, default = "")] doc: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<ParamValue> {
        let kind = ParamType::of_annotation(r#type, heap)?;
        let default = match default {
            None => None,
            Some(value) => match to_data(value) {
                Ok(data) => Some(
                    kind.fitted(data)
                        .ok_or_else(|| complaint(format!("the default must be {kind}, found {}", named(value))))?,
                ),
                Err(unfit) => return Err(complaint(format!("`default{}`: {}", unfit.at, unfit.why))),
            },
        };
        Ok(ParamValue(Arc::new(ParamDecl { kind, default, doc: doc.to_owned() })))
    }

    /// What a task gives to those that require it.
    fn Result<'v>(#[starlark(kwargs)] attributes: SmallMap<String, Value<'v>>) -> starlark::Result<ResultValue<'v>> {
        if !running::is_running() {
            return Err(complaint("a result is made by the function of a task, while it runs"));
        }
        ResultValue::new(attributes)
    }

    /// A file or directory of the project.
    #[starlark(as_type = PathValue)]
    fn Path<'v>(#[starlark(require = pos)] path: Value<'v>) -> starlark::Result<PathValue> {
        Ok(PathValue(path::of_value(path)?))
    }

    /// A moment, in seconds since 1970.
    #[starlark(as_type = TimeValue)]
    fn Time<'v>(#[starlark(require = pos)] seconds: Value<'v>) -> starlark::Result<TimeValue> {
        match ParamType::Float.fitted(to_data(seconds).unwrap_or(Data::None)) {
            Some(Data::Float(seconds)) if seconds.is_finite() => Ok(TimeValue(seconds)),
            _ => Err(complaint(format!("a time is a number of seconds since 1970, found {}", data::named(seconds)))),
        }
    }

    /// An empty file collection, or one with the paths of a list.
    fn files<'v>(
        #[starlark(require = pos)] paths: Option<Value<'v>>,
        #[starlark(kwargs)] attributes: SmallMap<String, Value<'v>>,
    ) -> starlark::Result<FilesValue> {
        let attributes = data::named_data(&attributes)?;
        let Some(paths) = paths else { return Ok(FilesValue::new(Vec::new())) };
        let Some(list) = ListRef::from_value(paths) else {
            return Err(complaint(format!("`files` takes a list of paths, found {}", named(paths))));
        };
        let item = |path: Value<'v>| Ok((path::of_value(path)?, attributes.clone()));
        Ok(FilesValue::new(list.iter().map(item).collect::<starlark::Result<_>>()?))
    }
}
