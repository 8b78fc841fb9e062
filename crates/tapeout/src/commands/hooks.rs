//! What `tapeout list` and `tapeout show` say of hooks: those of the project and of plugins, and those of PDKs; for a
//! configuration, whether they act there.

use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Value, json};
use tapeout_config::SourceMap;
use tapeout_flow::hooks::{StepHooks, technology_hooks};
use tapeout_flow::{Configured, Hook, HookKind};

use super::list::{first_sentence, variable_json};
use super::sections::of_layer;
use super::show::{page, variable_list};
use crate::args::{OverlayArgs, ThingArgs};
use crate::error::CliError;
use crate::terminal::table::Cell;
use crate::terminal::{Paint, Style};
use crate::{Cx, names, project};

/// A hook, and what is known of it in a configuration.
struct Known {
    hook: Arc<Hook>,
    standing: Option<Standing>,
}

/// What a hook has to do with a configuration.
enum Standing {
    /// It is in these steps of the flow.
    Acts(Vec<String>),
    /// It is published, and `HOOKS` does not name it.
    NotAsked,
    /// The flow has no step for it.
    NoStep,
    /// It edits the flow's list of steps.
    OfList,
}

impl Standing {
    fn words(&self) -> String {
        match self {
            Self::Acts(steps) => format!("acts in {}", steps.join(", ")),
            Self::NotAsked => "published: not asked for".to_owned(),
            Self::NoStep => "its steps are not in this flow".to_owned(),
            Self::OfList => "edits the list of steps".to_owned(),
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Acts(_) => "acts",
            Self::NotAsked => "not_asked",
            Self::NoStep => "no_step",
            Self::OfList => "of_list",
        }
    }
}

/// A row for each hook that there is, or that a configuration has, and the same for programs.
pub(super) fn list(cx: &Cx, thing: Option<PathBuf>) -> Result<Vec<(Vec<Cell>, Value)>, CliError> {
    let known = match thing {
        Some(thing) => {
            let args = ThingArgs { thing: Some(thing), overlay: OverlayArgs::default() };
            of_configuration(&project::configure(cx, &args)?)
        }
        None => of_all(cx)?,
    };
    Ok(known.iter().map(|known| item(known, cx.terminal.verbose)).collect())
}

/// All that is known of one, for people and for programs.
pub(super) fn show(cx: &Cx, name: &str, paint: Paint) -> Result<(String, Value), CliError> {
    let known = of_all(cx)?;
    // What takes something out has no name.
    let known: Vec<Known> = known.into_iter().filter(|known| !known.hook.name.is_empty()).collect();
    let all: Vec<String> = known.iter().map(|known| known.hook.full_name()).collect();
    let name = names::find("hook", name, &all.iter().map(String::as_str).collect::<Vec<_>>())?;
    let found = known.iter().find(|known| known.hook.full_name() == name);
    let found = found.ok_or_else(|| CliError::input(format!("there is no hook `{name}`")))?;
    Ok((text(&found.hook, paint), to_json(found)))
}

/// The hooks of the project, of plugins and of all PDKs.
fn of_all(cx: &Cx) -> Result<Vec<Known>, CliError> {
    let pdks = super::pdks::pdks();
    let mut known = Vec::new();
    for name in pdks.names() {
        let mut sources = SourceMap::new();
        // A PDK whose manifest cannot be read is for `list pdks` to tell of.
        let Ok(info) = pdks.info(&name, &mut sources) else { continue };
        let hooks = technology_hooks(&name, &info.hooks).map_err(|faults| {
            CliError::input(format!("the PDK `{name}` has hooks where none can be"))
                .details(faults.iter().map(|fault| fault.one_line(&sources)).collect())
        })?;
        known.extend(hooks.into_iter().map(Arc::new));
    }
    known.extend(cx.registry.hooks().cloned());
    known.sort_by_key(|hook| hook.layer);
    Ok(known.into_iter().map(|hook| Known { hook, standing: None }).collect())
}

/// The hooks of a configuration, in the order in which they apply, and then those that it does not ask for.
fn of_configuration(configured: &Configured) -> Vec<Known> {
    let plan = &configured.plan;
    let of_declared = plan.hooks_of_declared().into_iter().map(|(id, hooks)| (id.to_owned(), hooks));
    let own = plan.steps.iter().filter_map(|step| Some((step.id.clone(), step.hooks()?)));
    let of_parts = plan.steps.iter().flat_map(|step| {
        step.hooks_of_parts().into_iter().map(|(part, hooks)| (format!("{part} of {}", step.id), hooks))
    });
    let hooked: Vec<(String, &StepHooks)> = own.chain(of_parts).chain(of_declared).collect();
    let acting = configured.hooks.iter().map(|published| {
        let hook = &published.hook;
        let has = |(_, hooks): &&(String, &StepHooks)| hooks.has(hook);
        let steps: Vec<String> = hooked.iter().filter(has).map(|(id, _)| id.clone()).collect();
        let standing = match steps.is_empty() {
            _ if hook.is_of_flow() => Standing::OfList,
            true => Standing::NoStep,
            false => Standing::Acts(steps),
        };
        Known { hook: Arc::clone(hook), standing: Some(standing) }
    });
    let offered = configured.hooks.offered();
    acting.chain(offered.map(|hook| Known { hook: Arc::clone(hook), standing: Some(Standing::NotAsked) })).collect()
}

fn is_removal(hook: &Hook) -> bool {
    hook.kind == HookKind::Remove
}

fn item(known: &Known, verbose: bool) -> (Vec<Cell>, Value) {
    let Known { hook, standing } = known;
    let dim = |text: String| Cell::left(text).style(Some(Style::Dim));
    let tool = hook.tool.as_ref().map(|tool| format!("with {tool}")).unwrap_or_default();
    let name = if is_removal(hook) { "(removal)".to_owned() } else { hook.full_name() };
    let mut cells = vec![
        Cell::left(name),
        dim(of_layer(hook.layer)),
        Cell::left(place(hook)),
        dim(tool),
        dim(match standing {
            Some(standing) => standing.words(),
            None if hook.published_by.is_some() => "asked for by `HOOKS`".to_owned(),
            None => String::new(),
        }),
        dim(hook.origin.clone()),
    ];
    if verbose {
        cells.push(dim(first_sentence(&hook.doc).to_owned()));
    }
    (cells, to_json(known))
}

/// What it does where: `after Yosys.Synthesis/abc`.
fn place(hook: &Hook) -> String {
    format!("{} {}", hook.kind.name(), hook.at)
}

fn to_json(known: &Known) -> Value {
    let Known { hook, standing } = known;
    let mut json = json!({
        "name": hook.full_name(), "doc": hook.doc, "layer": hook.layer.to_string(), "kind": hook.kind.name(),
        "at": hook.at.to_string(), "tool": hook.tool, "published_by": hook.published_by, "origin": hook.origin,
        "parameters": hook.parameters.iter().map(|of| variable_json(of, &[], &[])).collect::<Vec<_>>(),
    });
    if let Some(standing) = standing {
        json["standing"] = standing.name().into();
        if let Standing::Acts(steps) = standing {
            json["steps"] = steps.as_slice().into();
        }
    }
    json
}

fn text(hook: &Hook, paint: Paint) -> String {
    let asked = match &hook.published_by {
        Some(_) => format!("`HOOKS: [\"{}\"]`", hook.full_name()),
        None => String::new(),
    };
    let lines = [
        ("does", place(hook)),
        ("where steps use", hook.tool.clone().unwrap_or_default()),
        ("comes from", format!("{}, {}", hook.layer, hook.origin)),
        ("asked for by", asked),
    ];
    let mut text = page(&hook.full_name(), "", &hook.doc, &lines, paint);
    text.push_str(&variable_list("parameters", &hook.parameters, paint));
    text
}
