//! `tapeout status` and its like of a project: its targets as a table.

use std::time::{Duration, SystemTime};

use serde_json::json;
use tapeout_flow::Stands;
use tapeout_flow::project::{Project, TargetId, TargetStatus};

use crate::Cx;
use crate::error::CliError;
use crate::targets::{self, BuildArgs};
use crate::terminal::standing::word;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::{ago, duration};
use crate::terminal::{Style, plural};
use crate::tools::Options;

/// Help texts are cut to this many characters.
const HELP: usize = 40;

/// The targets as a table. `all`: with hidden ones.
pub(crate) fn run(cx: &Cx, asked: &[TargetId], build: &BuildArgs, all: bool) -> Result<u8, CliError> {
    let loaded = targets::project(cx)?;
    let project = &loaded.project;
    let engine = targets::engine(cx, project, &Options::default())?;
    let targets = targets::targets(cx, project, asked, &engine, build)?;
    let plan = targets.plan().clone();
    let table = targets.table();
    let place: std::collections::HashMap<TargetId, usize> = plan.targets.iter().copied().zip(0..).collect();
    // In the order of the project, and without what is only required.
    let rows: Vec<(TargetId, &TargetStatus)> = (project.targets())
        .filter(|target| plan.asked.contains(target))
        .map(|target| (target, &table[place[&target]]))
        .filter(|(_, status)| all || !status.hidden)
        .collect();
    if cx.terminal.json {
        cx.terminal.print_json(&json!({ "targets": rows.iter().map(|(_, status)| status).collect::<Vec<_>>() }));
        return Ok(0);
    }
    cx.terminal.print(&text(cx, project, &rows));
    for damage in engine.store().damages() {
        cx.terminal.complain(&format!("warning: {damage}"));
    }
    Ok(0)
}

fn text(cx: &Cx, project: &Project, rows: &[(TargetId, &TargetStatus)]) -> String {
    let head = ["target", "status", "made"].map(Cell::left);
    let head = head.into_iter().chain([Cell::right("took"), Cell::left("")]);
    let mut cells = vec![head.map(|cell| cell.style(Some(Style::Dim))).collect::<Vec<_>>()];
    let mut block = None;
    for (target, status) in rows {
        let (id, of) = project.block(*target);
        if block != Some(id) {
            block = Some(id);
            let mut row = vec![Cell::left(id).style(Some(Style::Bold))];
            row.extend(["", "", ""].map(Cell::left));
            row.push(Cell::left(cut(&of.help())).style(Some(Style::Dim)));
            cells.push(row);
        }
        let (word, style) = word(status.state.status);
        let made = status.finished.map(|when| ago(SystemTime::UNIX_EPOCH + Duration::from_secs(when)));
        let note = match (&status.state.note, status.state.reasons.first()) {
            (Some(note), _) => note.clone(),
            (None, Some(reason)) if status.state.status != Stands::Missing => reason.to_string(),
            _ => cut(&status.help),
        };
        cells.push(vec![
            Cell::left(format!("  .{}", project.task(*target).id)),
            Cell::left(word).style(style),
            Cell::left(made.unwrap_or_default()).style(Some(Style::Dim)),
            Cell::right(status.wall_ms.filter(|time| *time > 0).map(duration).unwrap_or_default()),
            Cell::left(note).style(Some(Style::Dim)),
        ]);
    }
    let stale = rows.iter().filter(|(_, status)| status.state.would_run).count();
    let total = match stale {
        0 => "all are up to date".to_owned(),
        count => format!("{} would run", plural(count, "target")),
    };
    format!("{}\n\n{total}", table(&cells, cx.terminal.out))
}

/// A help text as long as a table has room for.
fn cut(help: &str) -> String {
    match help.char_indices().nth(HELP) {
        Some(_) => help.chars().take(HELP - 3).chain("...".chars()).collect(),
        None => help.to_owned(),
    }
}
