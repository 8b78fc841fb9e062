//! `tapeout list`: what there is of a kind, one a line.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tapeout_flow::{Registry, Type, Variable, universal_variables};
use tapeout_script::Plugin;

use super::show::{PLANNED_ONLY, is_planned_only};
use crate::error::CliError;
use crate::runs::{RecordedRun, runs_in};
use crate::terminal::Style;
use crate::terminal::summary;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::{ago, from_here};
use crate::{Cx, targets};

/// List what there is: steps, flows, tools, PDKs, variables, hooks, runs of the design here, targets and plugins of the
/// project
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Of what
    #[arg(value_name = "KIND", value_enum)]
    kind: ListKind,
    /// With `hooks`, those that this configuration has, and whether they act there
    #[arg(value_name = "THING")]
    thing: Option<PathBuf>,
}

/// Kinds of things that can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ListKind {
    /// The steps of flows
    #[value(alias = "step")]
    Steps,
    /// The flows that `meta.flow` and `--flow` can name
    #[value(alias = "flow")]
    Flows,
    /// The tools that steps run
    #[value(alias = "tool")]
    Tools,
    /// The PDKs that tapeout knows, and those below `PDK_ROOT` of the environment
    #[value(alias = "pdk")]
    Pdks,
    /// The variables of configurations
    #[value(alias = "variable")]
    Variables,
    /// The hooks of the project, of plugins and of PDKs
    #[value(alias = "hook")]
    Hooks,
    /// The runs of the design in this directory
    #[value(alias = "run")]
    Runs,
    /// The targets of the project here
    #[value(alias = "target")]
    Targets,
    /// The plugins that the scripts of the project here can load
    #[value(alias = "plugin")]
    Plugins,
}

pub(crate) fn run(cx: &Cx, args: &ListArgs) -> Result<u8, CliError> {
    let registry = &cx.registry;
    if let Some(thing) = args.thing.as_ref().filter(|_| args.kind != ListKind::Hooks) {
        return Err(CliError::input(format!("`{}`: only hooks are listed for a configuration", thing.display()))
            .hint("`tapeout list hooks THING`"));
    }
    let items: Vec<(Vec<Cell>, Value)> = match args.kind {
        ListKind::Steps => registry
            .steps()
            .map(|step| {
                let described = step.vocabulary.is_some();
                let json = json!({ "id": step.id, "name": step.name, "doc": step.doc, "described": described });
                (row(step.id, &[step.name, if described { PLANNED_ONLY } else { "" }]), json)
            })
            .collect(),
        ListKind::Flows => registry
            .flows()
            .map(|flow| {
                let described = is_planned_only(flow, registry);
                let json = json!({
                    "name": flow.name, "doc": flow.doc, "steps": flow.steps, "described": described,
                    "program": registry.program(&flow.name).is_some(),
                });
                let words = if described { PLANNED_ONLY } else { "" };
                (row(&flow.name, &[first_sentence(&flow.doc), words]), json)
            })
            .collect(),
        ListKind::Tools => registry
            .tools()
            .map(|tool| {
                let json = json!({
                    "name": tool.name, "summary": tool.summary, "package": tool.package, "minimum": tool.minimum,
                });
                (row(tool.name, &[tool.summary]), json)
            })
            .collect(),
        ListKind::Pdks => super::pdks::list()?,
        ListKind::Variables => variables(registry)
            .into_values()
            .map(|Known { variable, steps, flows }| {
                let doc = first_sentence(&variable.doc);
                (row(&variable.name, &[&short_type(&variable.ty), doc]), variable_json(&variable, &steps, &flows))
            })
            .collect(),
        ListKind::Hooks => super::hooks::list(cx, args.thing.clone())?,
        ListKind::Targets => super::targets::docs::list(targets::project(cx)?),
        ListKind::Plugins => targets::plugins()?.into_iter().map(plugin_item).collect(),
        ListKind::Runs => runs_in(&std::path::absolute(".").unwrap_or_default())?.iter().map(run_item).collect(),
    };
    let (rows, json): (Vec<_>, Vec<_>) = items.into_iter().unzip();
    if cx.terminal.json {
        cx.terminal.print_json(&Value::Array(json));
    } else if rows.is_empty() {
        cx.terminal.note("there are none");
    } else {
        cx.terminal.print(&table(&rows, cx.terminal.out));
    }
    Ok(0)
}

fn plugin_item(plugin: Result<Plugin, String>) -> (Vec<Cell>, Value) {
    match plugin {
        Ok(Plugin { name, version, summary, minimum, entry, dir, .. }) => {
            let cells = row(&name, &[&version, &summary, &from_here(&dir)]);
            let json = json!({
                "name": name, "version": version, "summary": summary, "minimum": minimum, "entry": entry, "dir": dir,
            });
            (cells, json)
        }
        Err(error) => (row("", &[&error]), json!({ "error": error })),
    }
}

pub(super) fn row(name: &str, more: &[&str]) -> Vec<Cell> {
    let more = more.iter().map(|text| Cell::left(*text).style(Some(Style::Dim)));
    std::iter::once(Cell::left(name)).chain(more).collect()
}

/// A type in a column: `show` names the choices.
fn short_type(ty: &Type) -> String {
    match ty {
        Type::Choice(_) => "choice".to_owned(),
        Type::List(item) if matches!(**item, Type::Choice(_)) => "list of choices".to_owned(),
        other => other.to_string(),
    }
}

/// What a name in a list is for.
pub(crate) fn first_sentence(doc: &str) -> &str {
    let line = doc.lines().next().unwrap_or_default();
    line.split_once(". ").map_or(line, |(first, _)| first).trim_end_matches('.')
}

/// A variable and who has it: no step and no flow where it belongs to every flow.
pub(crate) struct Known<'r> {
    pub(crate) variable: Variable,
    /// The ids of the steps that read it.
    pub(crate) steps: Vec<&'r str>,
    /// The flows of which it is one of their own.
    pub(crate) flows: Vec<&'r str>,
}

/// Every variable by name.
pub(crate) fn variables(registry: &Registry) -> BTreeMap<String, Known<'_>> {
    let known = |variable: &Variable| Known { variable: variable.clone(), steps: Vec::new(), flows: Vec::new() };
    let mut variables = BTreeMap::new();
    for variable in universal_variables() {
        variables.insert(variable.name.to_string(), known(&variable));
    }
    for step in registry.steps() {
        for variable in &step.variables {
            variables.entry(variable.name.to_string()).or_insert_with(|| known(variable)).steps.push(step.id);
        }
    }
    for flow in registry.flows() {
        for variable in &flow.variables {
            variables.entry(variable.name.to_string()).or_insert_with(|| known(variable)).flows.push(&flow.name);
        }
    }
    variables
}

pub(crate) fn variable_json(variable: &Variable, steps: &[&str], flows: &[&str]) -> Value {
    json!({
        "name": variable.name, "type": variable.ty.to_string(), "required": variable.is_required(),
        "default": variable.default.as_ref().map(tapeout_model::Value::to_json), "units": variable.units,
        "env": variable.env, "doc": variable.doc, "steps": steps,
        "flows": flows,
    })
}

fn run_item(run: &RecordedRun) -> (Vec<Cell>, Value) {
    let summary = &run.summary;
    let (outcome, style) = match (summary.class, run.failed_step()) {
        (None, _) => ("done".to_owned(), Some(Style::Good)),
        (_, Some(step)) => (format!("{} in {}", summary::status(step.status).0, step.id), Some(Style::Error)),
        (Some(_), None) => ("stopped".to_owned(), Some(Style::Warning)),
    };
    let cells = vec![
        Cell::left(summary.tag.as_str()),
        Cell::left(summary.flow.as_str()),
        Cell::left(outcome).style(style),
        Cell::left(ago(run.ended)).style(Some(Style::Dim)),
    ];
    let json = json!({
        "tag": summary.tag, "flow": summary.flow, "design": summary.design, "class": summary.class,
        "dir": run.dir,
    });
    (cells, json)
}
