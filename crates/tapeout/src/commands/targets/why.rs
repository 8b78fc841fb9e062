//! `tapeout why TARGET`: why targets would be built again.

use serde_json::json;
use tapeout_flow::Stands;
use tapeout_flow::project::TargetId;

use crate::Cx;
use crate::commands::why::state;
use crate::error::CliError;
use crate::targets::{self, BuildArgs};
use crate::terminal::Style;
use crate::tools::Options;

/// `named`: the targets were named, so that there is something to say of each.
pub(crate) fn run(cx: &Cx, asked: &[TargetId], build: &BuildArgs, named: bool) -> Result<u8, CliError> {
    let project = &targets::project(cx)?.project;
    let engine = targets::engine(cx, project, &Options::default())?;
    let targets = targets::targets(cx, project, asked, &engine, build)?;
    let table = targets.table();
    let is_asked = |name: &str| asked.iter().any(|target| project.name(*target) == name);
    let shown = table.iter().filter(|row| row.state.would_run || named && is_asked(&row.target));
    if cx.terminal.json {
        cx.terminal.print_json(&json!({ "targets": shown.collect::<Vec<_>>() }));
        return Ok(0);
    }
    let paint = cx.terminal.out;
    let mut nothing = true;
    for row in shown {
        nothing = false;
        let note = row.state.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        let words = state(row.state.status, &note);
        let mut lines = vec![format!("{} {words}", paint.paint(Style::Bold, &row.target))];
        if row.state.status != Stands::Missing {
            lines.extend(row.state.reasons.iter().map(|reason| format!("  {reason}")));
        }
        cx.terminal.print(&lines.join("\n"));
    }
    if nothing {
        cx.terminal.print("nothing would run");
    }
    Ok(0)
}
