//! `tapeout plan TARGET`: what targets require, without looking at what is recorded.

use serde_json::json;
use tapeout_flow::project::TargetId;

use crate::Cx;
use crate::error::CliError;
use crate::targets;
use crate::terminal::table::{Cell, table};
use crate::terminal::{Style, plural};

pub(crate) fn run(cx: &Cx, asked: &[TargetId]) -> Result<u8, CliError> {
    let project = &targets::project(cx)?.project;
    let order = project.closure(asked);
    let required = |target: TargetId| project.required(target).map(|(name, required)| (name, project.name(required)));
    if cx.terminal.json {
        let target = |target: &TargetId| {
            let requires: Vec<_> =
                required(*target).map(|(name, required)| json!({ "name": name, "target": required })).collect();
            json!({ "target": project.name(*target), "requires": requires, "asked": asked.contains(target) })
        };
        cx.terminal.print_json(&json!({ "targets": order.iter().map(target).collect::<Vec<_>>() }));
        return Ok(0);
    }
    let row = |target: &TargetId| {
        let required: Vec<String> =
            required(*target).map(|(name, required)| format!("{name} from {required}")).collect();
        vec![Cell::left(project.name(*target)), Cell::left(required.join(", ")).style(Some(Style::Dim))]
    };
    let rows: Vec<Vec<Cell>> = order.iter().map(row).collect();
    cx.terminal.print(&format!("{}\n\n{}", table(&rows, cx.terminal.out), plural(order.len(), "target")));
    Ok(0)
}
