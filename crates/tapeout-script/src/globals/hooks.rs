//! `hook`: an edit of what the steps of a flow do, or of which there are.

// Functions of the language have as many named arguments as they have.
#![allow(clippy::too_many_arguments)]

use std::sync::Arc;

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::none::{NoneOr, NoneType};
use tapeout_config::Variable;
use tapeout_flow::hooks::Address;
use tapeout_flow::{HookKind, Layer};

use super::flows::annotated;
use super::project::declared_params;
use super::steps::{format_id, items, maybe_optional};
use crate::complaint::{complaint, complaint_with};
use crate::values::config::of_data;
use crate::values::declarations::Declarations;
use crate::values::flow_ctx::step_id;
use crate::values::hook::{HookDecl, PutsDecl};
use crate::values::is_id;
use crate::values::param::ParamDecl;
use crate::values::scripted::keep;
use crate::values::session::tool_name;

/// Where hooks are asked for, this is the name of the hook, and the others are its parameters.
const HOOK: &str = "hook";

/// What is given of some that exclude each other.
fn given<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" and ")
}

/// The kind of a hook and its place.
fn place(kinds: [NoneOr<Value<'_>>; HookKind::ALL.len()]) -> starlark::Result<(HookKind, Address)> {
    let places = HookKind::ALL.into_iter().zip(kinds);
    let places = places.filter_map(|(kind, place)| Some((kind, place.into_option()?))).collect::<Vec<_>>();
    let &[(kind, place)] = &*places else {
        let all: Vec<&str> = HookKind::ALL.into_iter().map(HookKind::name).collect();
        let help = format!("one of {} says so: after = \"Yosys.Synthesis/abc\"", all.join(", "));
        return Err(match places.is_empty() {
            true => complaint_with("the hook does not say where it acts", help),
            false => {
                let found = given(places.iter().map(|(kind, _)| kind.name()));
                complaint_with(format!("a hook acts in one place, found {found}"), help)
            }
        });
    };
    Ok((kind, Address::parse(&step_id(place)?).map_err(complaint)?))
}

/// What a hook of this kind puts there.
fn puts<'v>(
    kind: HookKind,
    at: &Address,
    (function, text, step): (NoneOr<Value<'v>>, NoneOr<&'v str>, NoneOr<Value<'v>>),
    declarations: &Declarations,
    eval: &Evaluator<'v, '_, '_>,
) -> starlark::Result<PutsDecl> {
    let (function, text, step) = (function.into_option(), text.into_option(), step.into_option());
    let said = [("a function", function.is_some()), ("text", text.is_some()), ("step", step.is_some())];
    let said = given(said.into_iter().filter(|(_, given)| *given).map(|(word, _)| word));
    if kind == HookKind::Remove {
        return match said.is_empty() {
            true => Ok(PutsDecl::Nothing),
            false => Err(complaint_with(
                format!("a hook that removes puts nothing there, found {said}"),
                format!("replace = \"{at}\" puts something in its place"),
            )),
        };
    }
    match (function, text, step) {
        (Some(function), None, None) => Ok(PutsDecl::Function(keep(declarations, eval, "function", function)?)),
        (None, Some(text), None) => Ok(PutsDecl::Text(text.to_owned())),
        (None, None, Some(_)) if at.section.is_some() => Err(complaint_with(
            format!("a step cannot stand at `{at}`, which is within a step"),
            format!("{} = \"{}\"", kind.name(), Address { section: None, ..at.clone() }),
        )),
        (None, None, Some(step)) => Ok(PutsDecl::Step(step_id(step)?)),
        _ => Err(complaint_with(
            match said.is_empty() {
                true => format!("the hook puts nothing at `{at}`"),
                false => format!("a hook puts one thing into its place, found {said}"),
            },
            "a function of a file, text = \"…\", or step = \"…\"",
        )),
    }
}

/// What a hook is called where nothing else is said.
fn own_name(puts: &PutsDecl, function: NoneOr<Value<'_>>) -> String {
    let function = function.into_option().and_then(|function| function.function_name());
    match puts {
        PutsDecl::Step(id) => id.clone(),
        _ => function.unwrap_or_default().trim_start_matches('_').to_owned(),
    }
}

/// A parameter of a hook as a variable.
fn parameter((name, decl): &(String, Arc<ParamDecl>)) -> starlark::Result<Variable> {
    let ParamDecl { kind, default, doc } = &**decl;
    let unfit = || {
        complaint_with(
            format!("parameter `{name}` of a hook cannot be {kind}"),
            "a configuration gives it: bool, int, float, str, Path, list[…], dict[str, …]",
        )
    };
    let variable = Variable::new(name.clone(), annotated(kind).ok_or_else(unfit)?, doc.clone());
    Ok(match default {
        Some(default) => variable.default(of_data(default.clone()).ok_or_else(unfit)?),
        None => variable,
    })
}

/// The layer of what this module declares, and the name under which it publishes.
fn package(module: &str) -> (Layer, &str) {
    match module.strip_prefix('@').and_then(|module| module.split_once("//")) {
        Some((plugin, _)) => (Layer::Tool, plugin),
        None => {
            let file = module.rsplit_once('/').map_or(module, |(_, file)| file);
            (Layer::User, file.strip_suffix(".star").unwrap_or(file))
        }
    }
}

#[starlark_module]
pub(super) fn declaring(builder: &mut GlobalsBuilder) {
    /// Declares a hook.
    fn hook<'v>(
        #[starlark(require = pos, default = NoneOr::None)] function: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] before: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] after: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] replace: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] remove: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] persistent: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] pre_persistent: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] post_persistent: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] text: NoneOr<&'v str>,
        #[starlark(require = named, default = NoneOr::None)] step: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] name: NoneOr<&'v str>,
        #[starlark(require = named, default = NoneOr::None)] doc: NoneOr<&'v str>,
        #[starlark(require = named, default = NoneOr::None)] tool: NoneOr<Value<'v>>,
        #[starlark(require = named)] params: Option<Value<'v>>,
        #[starlark(require = named, default = false)] publish: bool,
        #[starlark(require = named)] variables: Option<Value<'v>>,
        #[starlark(require = named)] inputs: Option<Value<'v>>,
        #[starlark(require = named)] tools: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let declarations = Declarations::of(eval, "hook")?;
        let (kind, at) = place([before, after, replace, remove, persistent, pre_persistent, post_persistent])?;
        let puts = super::hooks::puts(kind, &at, (function, text, step), declarations, eval)?;
        let name = name.into_option().map_or_else(|| own_name(&puts, function), str::to_owned);
        let is_named = is_id(&name) || matches!(puts, PutsDecl::Step(_)) || (name.is_empty() && !publish);
        if !is_named || (name.is_empty() && kind != HookKind::Remove) {
            return Err(match name.is_empty() {
                true => complaint_with("the hook has no name", "name = \"…\": other hooks can then name it"),
                false => complaint_with(
                    format!("`{name}` cannot be the name of a hook"),
                    "names consist of letters, digits, `_` and `-`, and do not begin with `-`",
                ),
            });
        }
        let view = |item: Value<'v>| {
            let (format, optional) = maybe_optional(item, "inputs")?;
            Ok((format_id(&format)?, optional))
        };
        let taken: (&[&str], &str) = (&[HOOK], "a configuration that asks for the hook names it by that");
        let params = params.map(|params| declared_params(params, taken)).transpose()?.unwrap_or_default();
        let parameters: Vec<Variable> = params.iter().map(parameter).collect::<starlark::Result<_>>()?;
        if let Some(missing) = parameters.iter().find(|parameter| parameter.is_required() && !publish) {
            return Err(complaint_with(
                format!("nobody says what `{}` of the hook `{name}` is", missing.name),
                "give it a default, or publish the hook: publish = True",
            ));
        }
        let module = declarations.module();
        let (layer, package) = package(&module);
        let decl = HookDecl {
            name,
            doc: doc.into_option().map(str::to_owned),
            layer,
            kind,
            at,
            tool: tool.into_option().map(tool_name).transpose()?,
            puts,
            published_by: publish.then(|| package.to_owned()),
            parameters,
            inputs: items(inputs, "inputs")?.into_iter().map(view).collect::<starlark::Result<_>>()?,
            variables: super::steps::variables(variables)?,
            tools: items(tools, "tools")?.into_iter().map(tool_name).collect::<starlark::Result<_>>()?,
            origin: declarations.call_site(eval),
        };
        declarations.scripted.hooks.borrow_mut().push(Arc::new(decl));
        Ok(NoneType)
    }
}
