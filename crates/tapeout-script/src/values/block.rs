//! `block`: a type of blocks, and the blocks that calls of it make.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, OnceLock};

use allocative::Allocative;
use starlark::eval::{Arguments, Evaluator};
use starlark::starlark_simple_value;
use starlark::values::dict::DictRef;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use tapeout_config::{Diagnostic, Span, nearest};
use tapeout_flow::project::Requirement;
use tapeout_model::Data;

use super::declarations::Declarations;
use super::param::ParamDecl;
use super::task::TaskDecl;
use crate::data;

/// A type of blocks.
#[derive(Debug)]
pub(crate) struct KindDecl {
    /// The name to which it was first bound.
    pub(crate) name: OnceLock<String>,
    pub(crate) doc: String,
    pub(crate) params: Vec<(String, Arc<ParamDecl>)>,
    pub(crate) tasks: Vec<Arc<TaskDecl>>,
    /// The symbolic names of other blocks that its tasks use.
    pub(crate) symbolic: BTreeSet<String>,
    pub(crate) origin: Option<Span>,
}

impl KindDecl {
    pub(crate) fn symbolic_names(tasks: &[Arc<TaskDecl>]) -> BTreeSet<String> {
        let names = tasks.iter().flat_map(|task| task.requirements()).filter_map(|requirement| match requirement {
            Requirement::Symbolic { name, .. } => Some(name.clone()),
            Requirement::Own { .. } | Requirement::Direct { .. } => None,
        });
        names.collect()
    }

    /// The name in messages.
    pub(crate) fn name(&self) -> &str {
        self.name.get().map_or("block", String::as_str)
    }

    fn call_with_map(&self) -> String {
        let names: Vec<String> = self.symbolic.iter().map(|name| format!("\"{name}\": \"…\"")).collect();
        format!("dependency_map = {{{}}}", names.join(", "))
    }
}

/// What a call of a block type may be given beside its parameters.
pub(crate) const DEPENDENCY_MAP: &str = "dependency_map";

/// The value of `block(…)`.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct KindValue(#[allocative(skip)] pub(crate) Arc<KindDecl>);

starlark_simple_value!(KindValue);

impl fmt::Display for KindValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<block type {}>", self.0.name())
    }
}

#[starlark_value(type = "block_type")]
impl<'v> StarlarkValue<'v> for KindValue {
    fn export_as(&self, variable_name: &str, _eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<()> {
        self.0.name.get_or_init(|| variable_name.to_owned());
        Ok(())
    }

    fn name_for_call_stack(&self, _me: Value<'v>) -> String {
        self.0.name().to_owned()
    }

    fn invoke(
        &self,
        _me: Value<'v>,
        args: &Arguments<'v, '_>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let kind = &self.0;
        let declarations = Declarations::of(eval, kind.name())?;
        let site = declarations.call_site(eval);
        // Evaluation goes on: there may be more to say of other calls.
        let complain = |message: String, help: Option<String>| {
            let mut problem = Diagnostic::error(message);
            problem.help = help.map(String::into_boxed_str);
            if let Some(site) = site {
                problem = problem.at(site, "");
            }
            declarations.add_problem(match kind.origin {
                Some(origin) => problem.also(origin, "the block type"),
                None => problem,
            });
        };
        if args.positions(eval.heap())?.next().is_some() {
            complain(format!("parameters of a block are given by name: {}(name = …)", kind.name()), None);
        }
        let mut given = args.names_map()?;
        let dependency_map = given.shift_remove(DEPENDENCY_MAP);
        let mut params = Vec::with_capacity(kind.params.len());
        for (name, param) in &kind.params {
            params.push(match given.shift_remove(name.as_str()) {
                Some(value) => match data::to_data(value) {
                    Ok(data) => {
                        let found = data::named(value);
                        param.kind.fitted(data).unwrap_or_else(|| {
                            complain(format!("`{name}` must be {}, found {found}", param.kind), None);
                            Data::None
                        })
                    }
                    Err(unfit) => {
                        complain(format!("`{name}{}`: {}", unfit.at, unfit.why), None);
                        Data::None
                    }
                },
                None => param.default.clone().unwrap_or_else(|| {
                    complain(format!("parameter `{name}` of {} is missing: it has no default", kind.name()), None);
                    Data::None
                }),
            });
        }
        for name in given.keys() {
            let names = kind.params.iter().map(|(name, _)| name.as_str()).chain([DEPENDENCY_MAP]);
            let help = match nearest(name, names.clone()) {
                Some(near) => format!("is `{near}` meant?"),
                None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
            };
            complain(format!("{} has no parameter `{}`", kind.name(), name.as_str()), Some(help));
        }
        let dependency_map = mapped(kind, dependency_map, &complain).into();
        Ok(eval.heap().alloc(BlockValue(Arc::new(BlockDecl {
            kind: Arc::clone(kind),
            params,
            dependency_map,
            origin: site,
            id: OnceLock::new(),
        }))))
    }
}

/// The dependency map of a call: exactly the symbolic names of the type, each with a block's id, in order.
fn mapped(
    kind: &KindDecl,
    given: Option<Value<'_>>,
    complain: &dyn Fn(String, Option<String>),
) -> Vec<(String, String)> {
    let mut map = Vec::new();
    let dict = given.and_then(DictRef::from_value);
    match (&dict, given) {
        (None, Some(value)) if !value.is_none() => {
            complain(
                format!("`{DEPENDENCY_MAP}` must be a dict, found {}", data::named(value)),
                Some(kind.call_with_map()),
            );
            return map;
        }
        _ => {}
    }
    for (name, block) in dict.iter().flat_map(|dict| dict.iter()) {
        match (name.unpack_str(), block.unpack_str()) {
            (Some(name), Some(block)) => map.push((name.to_owned(), block.to_owned())),
            (Some(name), None) => complain(
                format!("`{DEPENDENCY_MAP}[{name:?}]` must be the id of a block, found {}", data::named(block)),
                Some("blocks are named by the id under which they are in the flow".to_owned()),
            ),
            (None, _) => complain(format!("the keys of `{DEPENDENCY_MAP}` must be strings"), None),
        }
    }
    map.sort_unstable();
    let quoted = |names: Vec<&String>| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let is_given = |name: &String| map.binary_search_by(|(known, _)| known.cmp(name)).is_ok();
    let missing: Vec<&String> = kind.symbolic.iter().filter(|name| !is_given(name)).collect();
    if !missing.is_empty() {
        let message = format!("`{DEPENDENCY_MAP}` does not say which block {} is", quoted(missing));
        complain(message, Some(kind.call_with_map()));
    }
    let surplus: Vec<&String> =
        map.iter().map(|(name, _)| name).filter(|name| !kind.symbolic.contains(*name)).collect();
    if !surplus.is_empty() {
        let message =
            format!("`{DEPENDENCY_MAP}` names {}, which no task of {} requires", quoted(surplus), kind.name());
        let help = match kind.symbolic.is_empty() {
            true => "leave it out".to_owned(),
            false => kind.call_with_map(),
        };
        complain(message, Some(help));
    }
    map
}

/// A block.
#[derive(Debug)]
pub(crate) struct BlockDecl {
    pub(crate) kind: Arc<KindDecl>,
    /// One value for each parameter of the type.
    pub(crate) params: Vec<Data>,
    pub(crate) dependency_map: Arc<[(String, String)]>,
    pub(crate) origin: Option<Span>,
    /// Under which id it is in a flow.
    pub(crate) id: OnceLock<String>,
}

/// The value of a call of a block type.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct BlockValue(#[allocative(skip)] pub(crate) Arc<BlockDecl>);

starlark_simple_value!(BlockValue);

impl fmt::Display for BlockValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0.kind.name())
    }
}

#[starlark_value(type = "block")]
impl<'v> StarlarkValue<'v> for BlockValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        let at = self.0.kind.params.iter().position(|(name, _)| name == attribute)?;
        Some(data::to_value(&self.0.params[at], heap))
    }

    fn dir_attr(&self) -> Vec<String> {
        self.0.kind.params.iter().map(|(name, _)| name.clone()).collect()
    }
}
