//! How steps stand before a run, as a table with the total at stake.

use tapeout_flow::{Plan, Standing, Stands};

use super::table::{Cell, table};
use super::words::duration;
use super::{Style, Terminal, plural};

/// The word for how a step stands, and its colour.
pub(crate) fn word(status: Stands) -> (&'static str, Option<Style>) {
    match status {
        Stands::Fresh => ("fresh", Some(Style::Dim)),
        Stands::Stale => ("stale", Some(Style::Bold)),
        Stands::Missing => ("missing", Some(Style::Bold)),
        Stands::Failed => ("failed", Some(Style::Error)),
        Stands::Interrupted => ("interrupted", Some(Style::Warning)),
        Stands::Running => ("running", Some(Style::Good)),
        Stands::Pinned => ("pinned", Some(Style::Warning)),
        Stands::Held => ("held", Some(Style::Dim)),
        Stands::Edited => ("edited", Some(Style::Warning)),
        Stands::LeftOut => ("left out", Some(Style::Dim)),
    }
}

/// What there is to say of it beside: the first reason, or what was noted.
fn note(step: &Standing) -> String {
    let note = step.note.clone().unwrap_or_default();
    let note = match step.verdict {
        Some("check_failed") => format!("check failed: {note}"),
        Some("failed") => format!("failed: {note}"),
        Some(_) => format!("not checked: {note}"),
        None => note,
    };
    let more = match step.reasons.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    match (note.is_empty(), step.reasons.first()) {
        (true, Some(reason)) if step.status != Stands::Missing => format!("{reason}{more}"),
        _ => note,
    }
}

/// The table, and what would run.
pub(crate) fn text(terminal: &Terminal, plan: &Plan, steps: &[Standing]) -> String {
    let row = |step: &Standing| {
        let (word, style) = word(step.status);
        let time = step.last_wall_ms.filter(|_| step.status != Stands::LeftOut).map(duration);
        vec![
            Cell::left(step.step.as_str()),
            Cell::left(word).style(style),
            Cell::right(time.unwrap_or_default()),
            Cell::left(note(step)).style(Some(Style::Dim)),
        ]
    };
    let rows: Vec<Vec<Cell>> = steps.iter().map(row).collect();
    let would_run: Vec<&Standing> = steps.iter().filter(|step| step.would_run).collect();
    let known: u64 = would_run.iter().filter_map(|step| step.last_wall_ms).sum();
    let mut total = match would_run.len() {
        0 => "nothing would run".to_owned(),
        count => format!("{} would run", plural(count, "step")),
    };
    if known > 0 {
        total.push_str(&format!("; last time that took {}", duration(known)));
    }
    if plan.is_program() && !would_run.is_empty() {
        total.push_str("; the flow may ask for more then");
    }
    format!("{}\n\n{total}", table(&rows, terminal.out))
}
