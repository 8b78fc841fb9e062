//! A page about a project: its blocks, their tasks, and what requires what, from what they say of themselves.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tapeout_flow::project::TargetId;

use crate::commands::list::row;
use crate::targets::LoadedProject;
use crate::terminal::table::Cell;

/// The page in Markdown.
pub(crate) fn page(loaded: &LoadedProject) -> String {
    let project = &loaded.project;
    let mut text = String::from("# Targets\n");
    if !loaded.doc.trim().is_empty() {
        let _ = write!(text, "\n{}\n", loaded.doc.trim());
    }
    for (id, block) in project.blocks() {
        let _ = writeln!(text, "\n## {id}");
        // A block that is the only one of its type has no name for that.
        let kind = Some(format!("A `{}`.", block.of.name)).filter(|_| !block.of.name.is_empty());
        let doc = Some(block.of.doc.trim().to_owned()).filter(|doc| !doc.is_empty());
        let said: Vec<String> = kind.into_iter().chain(doc).collect();
        if !said.is_empty() {
            let _ = writeln!(text, "\n{}", said.join(" "));
        }
        if !block.params.is_empty() {
            text.push_str("\n| parameter | value | |\n|---|---|---|\n");
            for (name, value) in &block.params {
                let doc = block.of.params.iter().find(|(known, _)| known == name).map_or("", |(_, doc)| doc);
                let _ = writeln!(text, "| `{name}` | `{}` | {} |", value.to_json(), doc.replace('\n', " "));
            }
        }
        for target in project.targets_of(id).unwrap_or_default() {
            let task = project.task(target);
            let name = project.name(target);
            let _ = write!(text, "\n### {name}\n");
            if !task.doc.trim().is_empty() {
                let _ = write!(text, "\n{}\n", task.doc.trim());
            }
            let required: Vec<String> = (project.required(target))
                .map(|(as_name, required)| {
                    let required = project.name(required);
                    format!("`{as_name}`: [{required}](#{})", anchor(&required))
                })
                .collect();
            if !required.is_empty() {
                let _ = write!(text, "\nRequires {}.\n", required.join(", "));
            }
            if task.always_rebuild {
                text.push_str("\nBuilt each time.\n");
            }
        }
    }
    text
}

/// The anchor of a heading, as Markdown renderers make it.
fn anchor(heading: &str) -> String {
    heading.to_lowercase().chars().filter(|c| c.is_alphanumeric() || matches!(c, '-' | '_')).collect()
}

/// The targets, a line each.
pub(crate) fn list(loaded: &LoadedProject) -> Vec<(Vec<Cell>, Value)> {
    let project = &loaded.project;
    let item = |target: TargetId| {
        let (block, of) = project.block(target);
        let task = project.task(target);
        let requires: Vec<String> = project.required(target).map(|(_, required)| project.name(required)).collect();
        let json = json!({
            "target": project.name(target), "block": block, "task": task.id, "type": of.of.name, "doc": task.doc,
            "requires": requires, "hidden": task.hidden, "always_rebuild": task.always_rebuild,
        });
        (row(&project.name(target), &[&task.help()]), json)
    };
    project.targets().map(item).collect()
}
