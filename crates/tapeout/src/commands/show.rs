//! `tapeout show`: all that is known of one step, flow, tool, PDK, hook or variable.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};
use tapeout_engine::Tool;
use tapeout_flow::{Action, Flow, Gate, Needs, Registry, SectionInfo, StepInfo, Variable};

use super::list::{Known, variable_json, variables};
use crate::Cx;
use crate::error::CliError;
use crate::names;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::{filled, plural};
use crate::terminal::{Paint, Style};

/// Show all that is known of a step, a flow, a tool, a PDK, a hook or a variable
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// What kind of thing
    #[arg(value_name = "KIND", value_enum)]
    kind: ShowKind,
    /// Its name, or a part of it that no other has
    #[arg(value_name = "NAME")]
    name: String,
}

/// Kinds of things that can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShowKind {
    /// A step: what it does, reads, makes
    #[value(alias = "steps")]
    Step,
    /// A flow: its steps
    #[value(alias = "flows")]
    Flow,
    /// A tool: what it is, who runs it
    #[value(alias = "tools")]
    Tool,
    /// A PDK: where it is, its libraries, corners and files
    #[value(alias = "pdks")]
    Pdk,
    /// A hook: what it does where, its parameters
    #[value(alias = "hooks")]
    Hook,
    /// A variable: type, default, meaning
    #[value(alias = "variables")]
    Variable,
}

pub(crate) fn run(cx: &Cx, args: &ShowArgs) -> Result<u8, CliError> {
    let registry = &cx.registry;
    let paint = cx.terminal.out;
    let find = |kind, names: Vec<&str>| names::find(kind, &args.name, &names).map(str::to_owned);
    let vanished = || CliError::input(format!("there is no `{}`", args.name));
    let (text, json) = match args.kind {
        ShowKind::Step => {
            let id = find("step", registry.steps().map(|step| step.id).collect())?;
            let step = registry.step(&id).ok_or_else(vanished)?;
            (step_text(step, paint), step_json(step))
        }
        ShowKind::Flow => {
            let name = find("flow", registry.flows().map(|flow| flow.name.as_str()).collect())?;
            let flow = registry.flow(&name).ok_or_else(vanished)?;
            let defaults = tapeout_model::Value::Map(flow.defaults.clone()).to_json();
            let own = |variable| variable_json(variable, &[], &[&flow.name]);
            let gate = |gate: &Gate| json!({ "steps": gate.steps, "variables": gate.variables });
            let json = json!({
                "name": flow.name, "doc": flow.doc, "steps": flow.steps, "defaults": defaults,
                "described": is_planned_only(flow, registry), "program": registry.program(&flow.name).is_some(),
                "variables": flow.variables.iter().map(own).collect::<Vec<_>>(),
                "gates": flow.gates.iter().map(gate).collect::<Vec<_>>(),
            });
            (flow_text(flow, registry, paint), json)
        }
        ShowKind::Tool => {
            let name = find("tool", registry.tools().map(|tool| tool.name).collect())?;
            let tool = registry.tools().find(|tool| tool.name == name).ok_or_else(vanished)?;
            let users: Vec<&str> =
                registry.steps().filter(|step| step.tools.contains(&tool.name)).map(|step| step.id).collect();
            (tool_text(tool, &users, paint), tool_json(tool, &users))
        }
        ShowKind::Pdk => super::pdks::show(registry, &args.name, paint)?,
        ShowKind::Hook => super::hooks::show(cx, &args.name, paint)?,
        ShowKind::Variable => {
            let mut all = variables(registry);
            let name = find("variable", all.keys().map(String::as_str).collect())?;
            let known = all.remove(&name).ok_or_else(vanished)?;
            (variable_text(&known, paint), variable_json(&known.variable, &known.steps, &known.flows))
        }
    };
    if cx.terminal.json {
        cx.terminal.print_json(&json);
    } else {
        cx.terminal.print(&text);
    }
    Ok(0)
}

/// What a list says of a step that is known by its descriptor only.
pub(crate) const PLANNED_ONLY: &str = "to plan only";

/// Whether a flow has steps that are known by their descriptors only, so that it cannot run as it is.
pub(crate) fn is_planned_only(flow: &Flow, registry: &Registry) -> bool {
    flow.steps.iter().filter_map(|id| registry.step(id)).any(|step| step.vocabulary.is_some())
}

/// A title, a text, and named lines.
pub(super) fn page(title: &str, summary: &str, doc: &str, lines: &[(&str, String)], paint: Paint) -> String {
    let mut text = paint.paint(Style::Bold, title);
    if !summary.is_empty() {
        text.push_str(&format!("  {summary}"));
    }
    if !doc.is_empty() {
        text.push_str(&format!("\n\n{}", filled(doc, 0)));
    }
    let rows: Vec<Vec<Cell>> = (lines.iter().filter(|(_, value)| !value.is_empty()))
        .map(|(name, value)| vec![Cell::left(*name).style(Some(Style::Dim)), Cell::left(value.as_str())])
        .collect();
    if !rows.is_empty() {
        text.push_str(&format!("\n\n{}", table(&rows, paint)));
    }
    text
}

fn step_text(step: &StepInfo, paint: Paint) -> String {
    let input = |needs: &Needs| format!("{}{}", needs.format, if needs.optional { " (if there is one)" } else { "" });
    let lines = [
        ("reads", step.inputs.iter().map(input).collect::<Vec<_>>().join(", ")),
        ("reads metrics", step.metric_patterns().join(", ")),
        ("makes", step.outputs.join(", ")),
        ("measures", step.measured_patterns().join(", ")),
        ("tools", step.tools.join(", ")),
        ("action", step.action.map_or("", Action::name).to_owned()),
        match step.vocabulary {
            Some(of) => {
                ("runs", format!("not in this version: flows with it can be planned, with the variables of {of}"))
            }
            None => (
                "a failed check",
                if step.defers_check { "is reported at the end" } else { "stops the flow" }.to_owned(),
            ),
        },
        (
            "acts outside",
            if step.acts_outside { "runs each time, after all that stands before it" } else { "" }.to_owned(),
        ),
    ];
    let mut text = page(step.id, step.name, step.doc, &lines, paint);
    let dim = |text: &str| Cell::left(text).style(Some(Style::Dim));
    let row = |section: &SectionInfo| vec![Cell::left(section.name), dim(section.doc)];
    let rows: Vec<Vec<Cell>> = step.sections.iter().map(row).collect();
    if !rows.is_empty() {
        text.push_str(&format!("\n\nsections\n{}", table(&rows, paint)));
    }
    text.push_str(&variable_list("variables", &step.variables, paint));
    text
}

/// Variables with what they are for.
pub(super) fn variable_list(title: &str, variables: &[Variable], paint: Paint) -> String {
    let mut text = String::new();
    if !variables.is_empty() {
        text.push_str(&format!("\n\n{title}"));
    }
    for variable in variables {
        let name = paint.paint(Style::Bold, &variable.name);
        text.push_str(&format!("\n  {name}  {}\n{}", nature(variable), filled(&variable.doc, 6)));
    }
    text
}

/// `decimal in ns, default 10`.
pub(crate) fn nature(variable: &Variable) -> String {
    let units = variable.units.map(|units| format!(" in {units}")).unwrap_or_default();
    let presence = match &variable.default {
        Some(default) => match default.to_string() {
            empty if empty.is_empty() => "default empty".to_owned(),
            default => format!("default `{default}`"),
        },
        None if variable.optional => "optional".to_owned(),
        None => "required".to_owned(),
    };
    format!("{}{units}, {presence}", variable.ty)
}

fn step_json(step: &StepInfo) -> Value {
    let input = |needs: &Needs| json!({ "format": needs.format, "optional": needs.optional });
    json!({
        "id": step.id, "name": step.name, "doc": step.doc,
        "inputs": step.inputs.iter().map(input).collect::<Vec<_>>(), "reads_metrics": step.metric_patterns(),
        "outputs": step.outputs, "measures": step.measured_patterns(), "tools": step.tools,
        "defers_check": step.defers_check, "described": step.vocabulary.is_some(),
        "action": step.action.map(Action::name), "sections": super::sections::own_to_json(&step.sections),
        "variables": step.variables.iter().map(|variable| variable_json(variable, &[step.id], &[])).collect::<Vec<_>>(),
    })
}

fn flow_text(flow: &Flow, registry: &Registry, paint: Paint) -> String {
    let defaults = flow.defaults.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(", ");
    let gates = flow.gates.iter().map(|gate| format!("{} if {}", gate.steps, gate.variables.join(" and ")));
    let program = registry.program(&flow.name).is_some();
    let steps = plural(flow.steps.len(), "step");
    let runs = match program {
        true => format!("a program, which may ask for {steps} in an order of its own"),
        false => String::new(),
    };
    let lines = [("runs", runs), ("defaults", defaults), ("gates", gates.collect::<Vec<_>>().join(", "))];
    let mut text = page(&flow.name, "", &flow.doc, &lines, paint);
    let row = |(index, id): (usize, &String)| {
        let name = registry.step(id).map_or("", |step| step.name);
        let described = registry.step(id).is_some_and(|step| step.vocabulary.is_some());
        let dim = |text| Cell::left(text).style(Some(Style::Dim));
        let number = if program { "–".to_owned() } else { format!("{}.", index + 1) };
        let (number, id) = (Cell::right(number), Cell::left(id.as_str()));
        vec![number, id, dim(name), dim(if described { PLANNED_ONLY } else { "" })]
    };
    text.push_str(&format!("\n\n{}", table(&flow.steps.iter().enumerate().map(row).collect::<Vec<_>>(), paint)));
    text.push_str(&variable_list("variables", &flow.variables, paint));
    text
}

fn tool_text(tool: &Tool, users: &[&str], paint: Paint) -> String {
    let lines = [
        ("package", tool.package.to_owned()),
        ("at least", tool.minimum.unwrap_or_default().to_owned()),
        ("run by", users.join(", ")),
        ("set by", format!("`tools.{0}.path`, `{1}`", tool.name, crate::tools::environment_name(tool.name))),
    ];
    page(tool.name, tool.summary, "", &lines, paint)
}

fn tool_json(tool: &Tool, users: &[&str]) -> Value {
    json!({
        "name": tool.name, "summary": tool.summary, "package": tool.package, "minimum": tool.minimum, "steps": users,
    })
}

fn variable_text(known: &Known<'_>, paint: Paint) -> String {
    let Known { variable, steps, flows } = known;
    let users = if steps.is_empty() && flows.is_empty() { "every flow".to_owned() } else { steps.join(", ") };
    let lines = [
        ("read by", users),
        ("of the flows", flows.join(", ")),
        ("environment", variable.env.unwrap_or_default().to_owned()),
    ];
    page(&variable.name, &nature(variable), &variable.doc, &lines, paint)
}
