//! `tapeout docs`: pages as Markdown: about the project here, and those of the book's reference from the registry.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use tapeout_flow::{Flow, Registry, Sequence, StepInfo, StepPattern};
use tapeout_model::FORMATS;

use super::list::{Known, variables};
use super::show::nature;
use crate::error::CliError;
use crate::tools::environment_name;
use crate::{Cx, targets};

/// Print a page as Markdown: the targets of the project here, or the reference
#[derive(Debug, Args)]
pub(crate) struct DocsArgs {
    /// Which page
    #[arg(value_name = "PAGE", value_enum)]
    page: Page,
}

/// The pages. Those made from the registry are `book/src/reference/<page>.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Page {
    /// The blocks and targets of the project here
    Targets,
    /// Flows, steps, views and tools
    Steps,
    /// Variables
    Variables,
}

pub(crate) fn run(cx: &Cx, args: &DocsArgs) -> Result<u8, CliError> {
    let text = match args.page {
        Page::Targets => super::targets::docs::page(targets::project(cx)?),
        Page::Steps => steps_page(&cx.registry),
        Page::Variables => variables_page(&cx.registry),
    };
    cx.terminal.print(text.trim_end());
    Ok(0)
}

const MADE: &str = "<!-- Made by `cargo xtask docs` from the code. Edit the code. -->\n";

fn steps_page(registry: &Registry) -> String {
    let mut text = format!("{MADE}# Flows, steps, views and tools\n\n## Flows\n");
    for flow in registry.flows() {
        text.push_str(&flow_section(flow, registry.program(&flow.name).is_some()));
    }
    text.push_str("\n## Steps\n");
    for step in registry.steps() {
        text.push_str(&step_section(step));
    }
    text.push_str("\n## Views\n\n| id | what it is | file | made by |\n|---|---|---|---|\n");
    for format in FORMATS {
        let makers: Vec<&str> =
            registry.steps().filter(|step| step.outputs.contains(&format.id)).map(|step| step.id).collect();
        if !makers.is_empty() {
            let _ = writeln!(
                text,
                "| `{}` | {} | `.{}` | {} |",
                format.id,
                format.name,
                format.extension,
                linked(makers.into_iter())
            );
        }
    }
    text.push_str(
        "\n## Tools\n\n| tool | what it is | at least | Debian package | environment |\n|---|---|---|---|---|\n",
    );
    for tool in registry.tools() {
        let minimum = tool.minimum.unwrap_or_default();
        let (name, summary, package) = (tool.name, tool.summary, tool.package);
        let _ = writeln!(text, "| `{name}` | {summary} | {minimum} | `{package}` | `{}` |", environment_name(name));
    }
    text
}

fn flow_section(flow: &Flow, is_program: bool) -> String {
    let sequence = Sequence::new(flow.steps.iter().map(String::as_str));
    let step = |(index, (id, name)): (usize, (&String, &str))| {
        let gates =
            flow.gates.iter().filter(|gate| StepPattern::new(&gate.steps).is_ok_and(|steps| steps.matches(name)));
        let variables: Vec<String> = gates
            .flat_map(|gate| &gate.variables)
            .map(|name| format!("[`{name}`](variables.md#{})", slug(name)))
            .collect();
        let condition = if variables.is_empty() { String::new() } else { format!(", if {}", variables.join(" and ")) };
        let mark = if is_program { "-".to_owned() } else { format!("{}.", index + 1) };
        format!("{mark} {}{condition}\n", link(id))
    };
    let steps = flow.steps.iter().zip(sequence.ids()).enumerate().map(step);
    let program = if is_program { "It is a program, which may ask for:\n\n" } else { "" };
    format!("\n### {}\n\n{}\n\n{program}{}", flow.name, flow.doc, steps.collect::<String>())
}

fn step_section(step: &StepInfo) -> String {
    let mut text = format!("\n### {}\n\n{}. {}\n\n| | |\n|---|---|\n", step.id, step.name, step.doc);
    let inputs = step.inputs.iter().map(|needs| {
        let optional = if needs.optional { " (if there is one)" } else { "" };
        format!("`{}`{optional}", needs.format)
    });
    let check = match (step.acts_outside, step.defers_check) {
        (true, _) => "runs each time, after every check has passed",
        (false, true) => "is reported at the end; the flow goes on",
        (false, false) => "stops the flow",
    };
    let variables =
        step.variables.iter().map(|variable| format!("[`{0}`](variables.md#{1})", variable.name, slug(&variable.name)));
    let rows = [
        ("for", step.action.map(|action| action.name().to_owned()).unwrap_or_default()),
        ("reads", inputs.collect::<Vec<_>>().join(", ")),
        ("reads metrics", code(step.metric_patterns().iter().map(String::as_str))),
        ("makes", code(step.outputs.iter().copied())),
        ("tools", code(step.tools.iter().copied())),
        match step.vocabulary {
            Some(_) => ("runs", "not in this version: flows with it can be planned".to_owned()),
            None => (if step.acts_outside { "acts outside" } else { "a failed check" }, check.to_owned()),
        },
        ("variables", variables.collect::<Vec<_>>().join(", ")),
    ];
    for (name, value) in rows.iter().filter(|(_, value)| !value.is_empty()) {
        let _ = writeln!(text, "| {name} | {value} |");
    }
    if !step.sections.is_empty() {
        let _ = writeln!(text, "\n| section | |\n|---|---|");
        for section in &step.sections {
            let _ = writeln!(text, "| `{}/{}` | {} |", step.id, section.name, section.doc);
        }
    }
    text
}

fn variables_page(registry: &Registry) -> String {
    let mut text = format!(
        "{MADE}# Variables\n\nA configuration gives each in capitals at its top level. A relative path is seen from the \
         design directory, and `dir::` before it says so. `tapeout show variable NAME` prints the same.\n"
    );
    for known in variables(registry).values() {
        text.push_str(&variable_section(known));
    }
    text
}

fn variable_section(known: &Known<'_>) -> String {
    let Known { variable, steps, flows } = known;
    let linked = linked_from_beside(steps.iter().chain(flows).copied());
    let users = if linked.is_empty() { "every flow".to_owned() } else { linked };
    let env = variable.env.map(|name| format!(" Set by `{name}` in the environment.")).unwrap_or_default();
    format!("\n## {}\n\n*{}*\n\n{}{env}\n\nRead by {users}.\n", variable.name, nature(variable), variable.doc)
}

fn code<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn link(step: &str) -> String {
    format!("[`{step}`](#{})", slug(step))
}

fn linked<'a>(steps: impl Iterator<Item = &'a str>) -> String {
    steps.map(link).collect::<Vec<_>>().join(", ")
}

fn linked_from_beside<'a>(steps: impl Iterator<Item = &'a str>) -> String {
    steps.map(|step| format!("[`{step}`](steps.md#{})", slug(step))).collect::<Vec<_>>().join(", ")
}

/// The anchor of a heading, as mdBook and GitHub make it.
fn slug(heading: &str) -> String {
    heading.chars().filter(|c| c.is_alphanumeric() || "_-".contains(*c)).collect::<String>().to_lowercase()
}
