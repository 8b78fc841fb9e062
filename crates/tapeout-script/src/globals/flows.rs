//! `sequential_flow`, `custom_flow`, `flow_steps`, `flow_error`; and `variable` with the types that variables have.

// Functions of the language have as many named arguments as they have.
#![allow(clippy::too_many_arguments)]

use std::sync::Arc;

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::none::NoneOr;
use starlark::values::tuple::{TupleRef, UnpackTuple};
use starlark::values::{Heap, Value};
use tapeout_config::{Schema, Span, Type, Variable, nearest};
use tapeout_flow::{Change, FlowError, Sequence, StepEdit};
use tapeout_model::Value as Setting;

use super::steps::{items, steps, texts, variables};
use crate::complaint::{complaint, complaint_with};
use crate::data::named;
use crate::leak::forever;
use crate::values::config::to_setting;
use crate::values::declarations::Declarations;
use crate::values::flow_ctx::{ErrorValue, flow_name, step_id};
use crate::values::param::ParamType;
use crate::values::scripted::{FlowDecl, FlowNameValue, TypeValue, VariableDecl, VariableValue, keep};

/// The type of a variable: an annotation, or one of `types`.
fn type_of<'v>(value: Value<'v>, heap: Heap<'v>) -> starlark::Result<Type> {
    if let Some(kind) = TypeValue::from_value(value) {
        return Ok(kind.0.clone());
    }
    let unknown = || {
        complaint_with(
            format!("{} is no type of a variable", value.to_repr()),
            "bool, int, float, str, Path, list[…], dict[str, …], or types.choice(…), types.tuple(…) and the like",
        )
    };
    annotated(&ParamType::of_annotation(value, heap).map_err(|_| unknown())?).ok_or_else(unknown)
}

/// The type of a variable for that of a parameter.
pub(super) fn annotated(kind: &ParamType) -> Option<Type> {
    Some(match kind {
        ParamType::Any => Type::Any,
        ParamType::Bool => Type::Bool,
        ParamType::Int => Type::Int,
        ParamType::Float => Type::Decimal,
        ParamType::Text => Type::Str,
        ParamType::Path => Type::Path,
        ParamType::List(item) => Type::list(annotated(item)?),
        ParamType::Dict(item) => Type::map(annotated(item)?),
        ParamType::OneOf(kinds) => {
            let some = kinds.iter().filter(|kind| **kind != ParamType::None);
            let mut some: Vec<Type> = some.map(annotated).collect::<Option<_>>()?;
            let is_optional = some.len() < kinds.len();
            let kind = if some.len() == 1 { some.remove(0) } else { Type::union(some) };
            if is_optional { kind.or_null() } else { kind }
        }
        ParamType::None | ParamType::Time | ParamType::Tuple => return None,
    })
}

fn setting(value: Value<'_>, what: &str) -> starlark::Result<Setting> {
    to_setting(value).map_err(|unfit| complaint(format!("`{what}{}`: {}", unfit.at, unfit.why)))
}

/// The values that a flow gives to variables.
fn defaults(value: Option<Value<'_>>) -> starlark::Result<Vec<(String, Setting)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Some(dict) = DictRef::from_value(value) else {
        return Err(complaint(format!("`defaults` must be a dict, found {}", named(value))));
    };
    let one = |(name, value): (Value<'_>, Value<'_>)| match name.unpack_str() {
        Some(name) => Ok((name.to_owned(), setting(value, name)?)),
        None => Err(complaint(format!("the name of a variable is a string, found {}", named(name)))),
    };
    dict.iter().map(one).collect()
}

/// Patterns of steps, each with the variables that must be true.
fn gates(value: Option<Value<'_>>) -> starlark::Result<Vec<(String, Vec<String>)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let malformed = || {
        complaint_with(
            format!("`gates` says for steps by which variables they are opened, found {}", named(value)),
            "gates = {\"My.Prove\": \"RUN_PROOF\", \"Verilator.*\": [\"RUN_LINTER\"]}",
        )
    };
    let dict = DictRef::from_value(value).ok_or_else(malformed)?;
    let one = |(steps, variables): (Value<'_>, Value<'_>)| {
        let steps = step_id(steps).map_err(|_| malformed())?;
        match variables.unpack_str() {
            Some(variable) => Ok((steps, vec![variable.to_owned()])),
            None => Ok((steps, texts(Some(variables), "gates")?)),
        }
    };
    dict.iter().map(one).collect()
}

/// What is the same for both kinds of flows.
struct About<'v> {
    name: &'v str,
    doc: NoneOr<&'v str>,
    steps: Value<'v>,
    variables: Option<Value<'v>>,
    defaults: Option<Value<'v>>,
    gates: Option<Value<'v>>,
    flows: Option<Value<'v>>,
    run: Option<Value<'v>>,
    replaces: bool,
}

fn declare<'v>(about: About<'v>, function: &str, eval: &Evaluator<'v, '_, '_>) -> starlark::Result<FlowNameValue> {
    let declarations = Declarations::of(eval, function)?;
    let name = about.name;
    let is_word = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if name.is_empty() || !is_word {
        return Err(complaint_with(
            format!("`{name}` cannot be the name of a flow"),
            "names of flows consist of letters, digits, `_` and `-`",
        ));
    }
    let decl = FlowDecl {
        name: name.to_owned(),
        doc: about.doc.into_option().map(str::to_owned),
        steps: steps(about.steps)?,
        variables: variables(about.variables)?,
        defaults: defaults(about.defaults)?,
        gates: gates(about.gates)?,
        flows: items(about.flows, "flows")?.into_iter().map(flow_name).collect::<starlark::Result<_>>()?,
        run: about.run.map(|run| keep(declarations, eval, "run", run)).transpose()?,
        replaces: about.replaces,
        origin: declarations.call_site(eval),
    };
    declarations.scripted.flows.borrow_mut().push(Arc::new(decl));
    Ok(FlowNameValue(name.into()))
}

/// The edits of a list of steps, as `meta.substituting_steps` of a configuration writes them.
fn edits<'v>(value: Value<'v>, place: Span) -> starlark::Result<Vec<StepEdit>> {
    let malformed = || {
        complaint_with(
            format!("`substituting` must be a dict or a list of pairs, found {}", named(value)),
            "substituting = {\"A\": \"B\", \"+A\": \"put after it\", \"-A\": \"put before it\", \"C\": None}",
        )
    };
    let pairs: Vec<(Value<'v>, Value<'v>)> = match (DictRef::from_value(value), ListRef::from_value(value)) {
        (Some(dict), _) => dict.iter().collect(),
        (None, Some(list)) => {
            let pair = |item: Value<'v>| match TupleRef::from_value(item).map(TupleRef::content) {
                Some([from, to]) => Ok((*from, *to)),
                _ => Err(malformed()),
            };
            list.iter().map(pair).collect::<starlark::Result<_>>()?
        }
        (None, None) => return Err(malformed()),
    };
    let edit = |(target, to): (Value<'v>, Value<'v>)| {
        let target = step_id(target)?;
        let (make, target): (fn(String) -> Change, &str) = match (target.strip_prefix('+'), target.strip_prefix('-')) {
            (Some(target), _) => (Change::After, target),
            (None, Some(target)) => (Change::Before, target),
            (None, None) if to.is_none() => (|_| Change::Remove, &target),
            (None, None) => (Change::Replace, &target),
        };
        let change = make(if to.is_none() { String::new() } else { step_id(to)? });
        if to.is_none() && change != Change::Remove {
            return Err(complaint(format!("a step is put beside `{target}`, and none is given")));
        }
        Ok(StepEdit { target: target.to_owned(), change, place, step_place: place })
    };
    pairs.into_iter().map(edit).collect()
}

#[starlark_module]
pub(super) fn declaring(builder: &mut GlobalsBuilder) {
    /// A variable of a step or a flow.
    fn variable<'v>(
        #[starlark(require = pos)] name: &'v str,
        #[starlark(require = pos)] r#type: Value<'v>,
        #[starlark(require = named)] default: Option<Value<'v>>,
        #[starlark(require = named, default = "")] doc: &str,
        #[starlark(require = named, default = NoneOr::None)] units: NoneOr<&'v str>,
        #[starlark(require = named, default = NoneOr::None)] env: NoneOr<&'v str>,
        #[starlark(require = named, default = false)] optional: bool,
        #[starlark(require = named, default = false)] secret: bool,
        #[starlark(require = named, default = false)] from_pdk: bool,
        #[starlark(require = named)] former: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] check: NoneOr<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<VariableValue> {
        let declarations = Declarations::of(eval, "variable")?;
        let mut kind = type_of(r#type, eval.heap())?;
        let mut variable_optional = optional;
        if let Type::Optional(inner) = kind {
            kind = *inner;
            variable_optional = true;
        }
        let mut variable = Variable::new(name.to_owned(), kind, doc.to_owned());
        match default {
            Some(value) if value.is_none() => variable_optional = true,
            Some(value) => variable = variable.default(setting(value, "default")?),
            None => {}
        }
        variable.optional = variable_optional;
        variable.units = units.into_option().map(forever);
        variable.env = env.into_option().map(forever);
        variable.from_pdk = from_pdk;
        if secret {
            variable = variable.secret();
        }
        for name in texts(former, "former")? {
            variable = variable.formerly(name);
        }
        Schema::new([variable.clone()]).map_err(|error| complaint(error.to_string()))?;
        let check = check.into_option().map(|check| keep(declarations, eval, "check", check)).transpose()?;
        Ok(VariableValue(Arc::new(VariableDecl { variable, check, origin: declarations.call_site(eval) })))
    }

    /// A flow that is a list of steps.
    fn sequential_flow<'v>(
        #[starlark(require = pos)] name: &'v str,
        #[starlark(require = named)] steps: Value<'v>,
        #[starlark(require = named, default = NoneOr::None)] doc: NoneOr<&'v str>,
        #[starlark(require = named)] gates: Option<Value<'v>>,
        #[starlark(require = named)] variables: Option<Value<'v>>,
        #[starlark(require = named)] defaults: Option<Value<'v>>,
        #[starlark(require = named, default = false)] replaces: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<FlowNameValue> {
        let (flows, run) = (None, None);
        let about = About { name, doc, steps, variables, defaults, gates, flows, run, replaces };
        declare(about, "sequential_flow", eval)
    }

    /// A flow that is a program.
    fn custom_flow<'v>(
        #[starlark(require = pos)] name: &'v str,
        #[starlark(require = named)] steps: Value<'v>,
        #[starlark(require = named)] run: Value<'v>,
        #[starlark(require = named, default = NoneOr::None)] doc: NoneOr<&'v str>,
        #[starlark(require = named)] gates: Option<Value<'v>>,
        #[starlark(require = named)] variables: Option<Value<'v>>,
        #[starlark(require = named)] defaults: Option<Value<'v>>,
        #[starlark(require = named)] flows: Option<Value<'v>>,
        #[starlark(require = named, default = false)] replaces: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<FlowNameValue> {
        let run = Some(run);
        let about = About { name, doc, steps, variables, defaults, gates, flows, run, replaces };
        declare(about, "custom_flow", eval)
    }

    /// The steps of a flow that is there or declared further above, edited as a configuration would do it.
    fn flow_steps<'v>(
        #[starlark(require = pos)] flow: Value<'v>,
        #[starlark(require = named)] substituting: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Vec<String>> {
        let declarations = Declarations::of(eval, "flow_steps")?;
        let name = flow_name(flow)?;
        let steps = declarations.scripted.steps_of(&name).map_err(|known| {
            let help = match nearest(&name, known.iter().map(String::as_str)) {
                Some(near) => format!("is `{near}` meant?"),
                None => "`tapeout list flows` has their names; one of a file must stand before".to_owned(),
            };
            complaint_with(format!("there is no flow `{name}`"), help)
        })?;
        let Some(value) = substituting else { return Ok(steps) };
        let Some(place) = declarations.call_site(eval) else { return Err(complaint("`flow_steps` is called nowhere")) };
        let mut sequence = Sequence::new(steps.iter().map(String::as_str));
        for edit in edits(value, place)? {
            sequence.edit(&edit).map_err(|problem| match problem.help {
                Some(help) => complaint_with(problem.message, help),
                None => complaint(problem.message),
            })?;
        }
        Ok(sequence.steps().iter().map(|listed| listed.step.clone()).collect())
    }

    /// Why a custom flow does not come to what it is for.
    fn flow_error<'v>(
        #[starlark(require = pos)] message: &str,
        #[starlark(require = named, default = NoneOr::None)] hint: NoneOr<&'v str>,
    ) -> starlark::Result<ErrorValue> {
        let error = FlowError::new(message);
        Ok(ErrorValue(Arc::new(match hint.into_option() {
            Some(hint) => error.hint(hint),
            None => error,
        })))
    }
}

#[starlark_module]
pub(super) fn types(builder: &mut GlobalsBuilder) {
    /// One of these words.
    fn choice<'v>(#[starlark(args)] args: UnpackTuple<&'v str>) -> starlark::Result<TypeValue> {
        match args.items.is_empty() {
            true => Err(complaint("a choice of no words")),
            false => Ok(TypeValue(Type::choice(args.items.into_iter().map(str::to_owned)))),
        }
    }

    /// A directory that exists.
    fn directory() -> starlark::Result<TypeValue> {
        Ok(TypeValue(Type::Dir))
    }

    /// A path where nothing need exist yet.
    fn new_path() -> starlark::Result<TypeValue> {
        Ok(TypeValue(Type::NewPath))
    }

    /// Any number of values of one type.
    fn list<'v>(#[starlark(require = pos)] item: Value<'v>, heap: Heap<'v>) -> starlark::Result<TypeValue> {
        Ok(TypeValue(Type::list(type_of(item, heap)?)))
    }

    /// Names with values of one type.
    fn map<'v>(#[starlark(require = pos)] item: Value<'v>, heap: Heap<'v>) -> starlark::Result<TypeValue> {
        Ok(TypeValue(Type::map(type_of(item, heap)?)))
    }

    /// A value of each of these types, in this order.
    fn tuple<'v>(#[starlark(args)] args: UnpackTuple<Value<'v>>, heap: Heap<'v>) -> starlark::Result<TypeValue> {
        let items: Vec<Type> =
            args.items.into_iter().map(|item| type_of(item, heap)).collect::<starlark::Result<_>>()?;
        Ok(TypeValue(Type::tuple(items)))
    }

    /// Named fields.
    fn structure<'v>(
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] fields: Value<'v>,
    ) -> starlark::Result<TypeValue> {
        let fields = variables(Some(fields))?;
        if let Some(field) = fields.iter().find(|field| field.check.is_some()) {
            let name = &field.variable.name;
            return Err(complaint_with(
                format!("the field `{name}` cannot have a `check` of its own"),
                "the variable with the structure can: it gets the whole value",
            ));
        }
        let fields = Schema::new(fields.iter().map(|field| field.variable.clone()));
        Ok(TypeValue(Type::structure(name.to_owned(), fields.map_err(|error| complaint(error.to_string()))?)))
    }
}
