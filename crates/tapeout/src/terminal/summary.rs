//! The end of a run in words: steps, measurements, complaints, where the results are, and what went wrong.

use std::collections::BTreeMap;
use std::path::Path;

use tapeout_flow::{Comparison, Ended, Failure, Placing, Plan, StepStatus, StepSummary};
use tapeout_model::{Class, Metric, Metrics, Severity, unit_of};

use super::table::{Cell, table};
use super::words::{duration, from_here, memory};
use super::{Paint, Style, Terminal, plural};
use crate::error::CliError;
use crate::names::Glob;

/// More metrics than this are for files, not for terminals.
const SHOWN_METRICS: usize = 25;

/// More kinds of complaints than this are for logs.
const SHOWN_ALERTS: usize = 15;

/// What came out, on standard output.
pub(crate) fn results(terminal: &Terminal, plan: &Plan, ended: &Ended) -> Result<(), CliError> {
    let summary = &ended.summary;
    let paint = terminal.out;
    let mut parts = vec![format!(
        "{} of {}, run {}\n{}",
        paint.paint(Style::Bold, &summary.flow),
        paint.paint(Style::Bold, &summary.design),
        summary.tag,
        steps(&summary.steps, paint)
    )];
    parts.extend(summary.comparisons.iter().map(|comparison| comparison_table(comparison, paint)));
    if !summary.metrics.is_empty() {
        parts.push(format!("metrics\n{}", metrics(&summary.metrics, paint)));
    }
    parts.extend(alerts(&summary.steps, &waived(plan)?, paint));
    let last = ended.dir.join("final");
    parts.push(if ended.whole {
        format!("results: {}", from_here(&last))
    } else {
        let earlier = if last.exists() { "; `final` in it is that of an earlier run" } else { "" };
        let failed = summary.steps.iter().any(|step| has_no_result(step.status));
        let what = if failed { "no results; what there is" } else { "a part of the flow" };
        format!("{what}: {}{earlier}", from_here(&ended.dir))
    });
    terminal.print(&parts.join("\n\n"));
    Ok(())
}

fn has_no_result(status: StepStatus) -> bool {
    matches!(status, StepStatus::Failed | StepStatus::Interrupted | StepStatus::NotReached)
}

/// The word for how a step stands, and its colour.
pub(crate) fn status(status: StepStatus) -> (&'static str, Option<Style>) {
    match status {
        StepStatus::Done => ("done", Some(Style::Good)),
        StepStatus::Reused => ("reused", Some(Style::Dim)),
        StepStatus::Pinned => ("pinned", Some(Style::Warning)),
        StepStatus::Held => ("held", Some(Style::Dim)),
        StepStatus::CheckFailed => ("check failed", Some(Style::Error)),
        StepStatus::NotChecked => ("not checked", Some(Style::Warning)),
        StepStatus::Failed => ("failed", Some(Style::Error)),
        StepStatus::Interrupted => ("stopped", Some(Style::Warning)),
        StepStatus::NotReached => ("not reached", Some(Style::Dim)),
        StepStatus::LeftOut => ("left out", Some(Style::Dim)),
    }
}

fn steps(steps: &[StepSummary], paint: Paint) -> String {
    let head = ["step", "status"].map(Cell::left).into_iter().chain(["time", "memory"].map(Cell::right));
    let mut rows = vec![head.map(|cell| cell.style(Some(Style::Dim))).collect()];
    for step in steps {
        let (word, style) = match step.status {
            StepStatus::Reused if step.shared => ("shared", Some(Style::Dim)),
            other => status(other),
        };
        let [time, peak] = match step.attempt {
            Some(attempt) if attempt.peak_kib > 0 && step.status != StepStatus::LeftOut => {
                [duration(attempt.wall_ms), memory(attempt.peak_kib)]
            }
            _ => [String::new(), String::new()],
        };
        let faded = step.reused.then_some(Style::Dim);
        // A failure is told in full below the table.
        let reason = step.reason.clone().filter(|_| step.status == StepStatus::LeftOut).unwrap_or_default();
        rows.push(vec![
            Cell::left(step.id.as_str()),
            Cell::left(word).style(style),
            Cell::right(time).style(faded),
            Cell::right(peak).style(faded),
            Cell::left(reason).style(Some(Style::Dim)),
        ]);
    }
    table(&rows, paint)
}

/// Timing first, then what is wrong and how full the device is; what breaks down a total comes last, where there are too
/// many.
fn metrics(metrics: &Metrics, paint: Paint) -> String {
    let mut shown: Vec<(&String, &Metric)> = metrics.iter().collect();
    let is_part = |name: &str| {
        name.rsplit_once("__").is_some_and(|(total, part)| part.contains(':') && metrics.contains_key(total))
    };
    let rank = |name: &str| match name {
        _ if name.contains("__cell:") => 5,
        _ if is_part(name) => 4,
        _ if name.starts_with("timing__") => 0,
        _ if name.contains("_error__") || name.contains("__failed__") => 1,
        _ if name.contains("__utilization") => 2,
        _ => 3,
    };
    shown.sort_by_key(|(name, _)| (rank(name), *name));
    shown.truncate(SHOWN_METRICS);
    let row = |(name, metric): &(&String, &Metric)| {
        let unit = unit_of(name).unwrap_or_default();
        vec![Cell::left(name.as_str()), Cell::right(number(metric)), Cell::left(unit).style(Some(Style::Dim))]
    };
    let mut text = table(&shown.iter().map(row).collect::<Vec<_>>(), paint);
    if metrics.len() > SHOWN_METRICS {
        text.push_str(&format!("\n  and {} more, see `final/metrics.json`", metrics.len() - SHOWN_METRICS));
    }
    text
}

/// A measurement to three decimals, and small ones to three digits: more than tools and chips agree on.
fn number(metric: &Metric) -> String {
    match metric {
        Metric::Float(x) if x.is_finite() && x.abs() >= 1e-4 => {
            let decimals = if x.abs() >= 0.1 { 3 } else { 5 };
            format!("{x:.decimals$}").trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        other => other.to_string(),
    }
}

/// What a flow compared; the best in the colour of what is good.
fn comparison_table(comparison: &Comparison, paint: Paint) -> String {
    let heading = comparison.columns.iter().map(|column| Cell::left(column.as_str()).style(Some(Style::Dim)));
    let mut rows = vec![heading.chain([Cell::left("")]).collect()];
    for candidate in &comparison.rows {
        let (word, style) = match candidate.standing {
            Placing::Best => ("best", Some(Style::Good)),
            Placing::Also => ("", None),
            Placing::Failed => ("failed", Some(Style::Error)),
        };
        let cell = |(index, text): (usize, &String)| {
            if index == 0 { Cell::left(text.as_str()) } else { Cell::right(text.as_str()) }.style(style)
        };
        let cells = candidate.cells.iter().enumerate().map(cell);
        rows.push(cells.chain([Cell::left(word).style(style)]).collect());
    }
    format!("{}\n{}", comparison.title, table(&rows, paint))
}

/// The patterns of alerts that are accepted.
pub(crate) fn waived(plan: &Plan) -> Result<Vec<Glob>, CliError> {
    plan.config.strings("WAIVED_ALERTS").into_iter().map(Glob::new).collect()
}

fn alerts(steps: &[StepSummary], waived: &[Glob], paint: Paint) -> Option<String> {
    let mut kinds: BTreeMap<(Severity, &str), (u32, &str)> = BTreeMap::new();
    let mut accepted = 0;
    for alert in steps.iter().flat_map(|step| &step.alerts) {
        if waived.iter().any(|glob| glob.matches(&alert.code)) {
            accepted += alert.count as usize;
        } else {
            kinds.entry((alert.severity, &alert.code)).or_insert((0, &alert.message)).0 += alert.count;
        }
    }
    let mut lines = Vec::new();
    if !kinds.is_empty() {
        // Errors before warnings.
        let shown = kinds.iter().rev().take(SHOWN_ALERTS);
        let rows: Vec<Vec<Cell>> = shown
            .map(|((severity, code), (count, message))| {
                let style = if *severity == Severity::Error { Style::Error } else { Style::Warning };
                let message = message.lines().next().unwrap_or_default();
                vec![
                    Cell::left(severity.to_string()).style(Some(style)),
                    Cell::left(*code),
                    Cell::right(format!("×{count}")),
                    Cell::left(from_project(message)).style(Some(Style::Dim)),
                ]
            })
            .collect();
        lines.push(format!("alerts\n{}", table(&rows, paint)));
    }
    if kinds.len() > SHOWN_ALERTS {
        lines.push(format!("  and {} more kinds, see the logs", kinds.len() - SHOWN_ALERTS));
    }
    if accepted > 0 {
        lines.push(format!("{} waived", plural(accepted, "alert")));
    }
    (!lines.is_empty()).then(|| lines.join("\n"))
}

/// What went wrong or is not known, on standard error; nothing when all is well.
pub(crate) fn problems(terminal: &Terminal, ended: &Ended) {
    let paint = terminal.err;
    let project = ended.dir.parent().and_then(Path::parent).unwrap_or(&ended.dir);
    for step in &ended.summary.steps {
        let reason = step.reason.as_deref().unwrap_or("no reason given");
        if step.handled {
            let more = if ended.whole { "and the flow went another way" } else { "too" };
            terminal.note(&format!("note: {} failed, {more}: {reason}", step.id));
            continue;
        }
        match step.status {
            StepStatus::NotChecked => {
                terminal.complain(&format!("{} {}: {reason}", paint.paint(Style::Warning, "not checked:"), step.id));
            }
            StepStatus::CheckFailed => {
                let mut text = head(paint, step, reason);
                text.push_str(&log_and_hint(ended, step, paint));
                if step.reused {
                    text.push_str(&format!("\nthis result was recorded earlier; `--fresh={}` checks again", step.id));
                }
                terminal.complain(&text);
            }
            StepStatus::Failed => {
                let mut text = head(paint, step, reason);
                let failure = ended.failures.iter().find(|(failed, _)| failed.as_deref() == Some(&step.id));
                for word in failure.iter().flat_map(|(_, failure)| &failure.words) {
                    text.push_str(&format!("\n  {}", near(project, word)));
                }
                text.push_str(&log_and_hint(ended, step, paint));
                if step.reused {
                    text.push_str(&format!("\nthis failure was recorded earlier; `--fresh={}` tries again", step.id));
                }
                terminal.complain(&text);
            }
            StepStatus::Done
            | StepStatus::Reused
            | StepStatus::Pinned
            | StepStatus::Held
            | StepStatus::Interrupted
            | StepStatus::NotReached
            | StepStatus::LeftOut => {}
        }
    }
    for (_, failure) in ended.failures.iter().filter(|(step, _)| step.is_none()) {
        let mut text = format!("{} {}: {}", paint.paint(Style::Error, "error:"), ended.summary.flow, failure.message);
        if let Some(hint) = &failure.hint {
            text.push_str(&format!("\n{} {hint}", paint.paint(Style::Good, "try:")));
        }
        terminal.complain(&text);
    }
    let only_interrupted = |(_, failure): &(Option<String>, Failure)| failure.class == Class::Interrupted;
    if ended.summary.class == Some(Class::Interrupted) && ended.failures.iter().all(only_interrupted) {
        terminal.complain("stopped; what was done by then is kept, and the same command goes on from there");
    }
}

/// Why targets have no result, on standard error.
pub(crate) fn failures(terminal: &Terminal, project: &Path, failures: &[(String, Failure)]) {
    let paint = terminal.err;
    for (target, failure) in failures.iter().filter(|(_, failure)| failure.class != Class::Interrupted) {
        let mut text = format!("{} {target}: {}", paint.paint(Style::Error, "error:"), failure.message);
        for word in &failure.words {
            text.push_str(&format!("\n  {}", near(project, word)));
        }
        if let Some(dir) = &failure.work_dir {
            let place = failure.log.as_ref().map_or_else(|| dir.clone(), |log| dir.join(log));
            text.push_str(&format!("\nlog: {}", from_here(&place)));
        }
        if let Some(hint) = &failure.hint {
            text.push_str(&format!("\n{} {hint}", paint.paint(Style::Good, "try:")));
        }
        terminal.complain(&text);
    }
    if !failures.is_empty() && failures.iter().all(|(_, failure)| failure.class == Class::Interrupted) {
        terminal.complain("stopped; what was done by then is kept, and the same command goes on from there");
    }
}

fn head(paint: Paint, step: &StepSummary, reason: &str) -> String {
    format!("{} {}: {reason}", paint.paint(Style::Error, "error:"), step.id)
}

fn log_and_hint(ended: &Ended, step: &StepSummary, paint: Paint) -> String {
    let mut text = String::new();
    if let Some(log) = &step.log {
        text.push_str(&format!("\nlog: {}", from_here(&ended.dir.join(log))));
    }
    if let Some(hint) = &step.hint {
        text.push_str(&format!("\n{} {hint}", paint.paint(Style::Good, "try:")));
    }
    text
}

/// How tools, which run in the step's directory, name the project.
const FROM_STEP: &str = "../../../";

/// A tool's words with the paths as seen from the project.
fn from_project(words: &str) -> String {
    words.replace(FROM_STEP, "")
}

/// A tool's words with the paths as seen from here, so that they can be clicked and pasted.
fn near(project: &Path, words: &str) -> String {
    let prefix = match from_here(project).as_str() {
        "." => String::new(),
        path => format!("{path}/"),
    };
    words.replace(FROM_STEP, &prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_only_artefacts() {
        let cases =
            [(0.1 + 0.2, "0.3"), (84.2504, "84.25"), (100.0, "100"), (-0.0151, "-0.0151"), (47.100_936, "47.101")];
        for (x, text) in cases {
            assert_eq!(number(&Metric::Float(x)), text);
        }
        assert_eq!(number(&Metric::Int(100)), "100");
    }

    #[test]
    fn totals_are_shown_before_breakdowns() {
        let breakdown = (0..30).map(|n| (format!("a__count__cell:{n}"), Metric::Int(n)));
        let all: Metrics = breakdown.chain([("z__count".to_owned(), Metric::Int(435))]).collect();
        let text = metrics(&all, Paint::new(false));
        assert!(text.starts_with("  z__count           435\n"), "{text}");
        assert!(text.ends_with("\n  and 6 more, see `final/metrics.json`"), "{text}");
    }

    #[test]
    fn tools_name_files_as_the_user_does() {
        let words = "../../../src/x.v:3: ERROR: near `../../../src/y.vh'";
        assert_eq!(from_project(words), "src/x.v:3: ERROR: near `src/y.vh'");
        assert_eq!(near(Path::new("/p"), words), "/p/src/x.v:3: ERROR: near `/p/src/y.vh'");
    }
}
