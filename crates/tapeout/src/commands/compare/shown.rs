//! A comparison as a table for a terminal, as Markdown and as JSON.

use serde_json::{Value as Json, json};
use tapeout_model::{Change, Difference, Metric, Show, Tolerances, Value, unit_of};

use super::measured::Measured;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::printable;
use crate::terminal::{Paint, Style};

/// A comparison, and how it is to be shown.
pub(super) struct Comparison<'a> {
    before: &'a Measured,
    after: &'a Measured,
    rows: Vec<Row<'a>>,
    show: Show,
    figures: usize,
}

/// One metric.
struct Row<'a> {
    difference: &'a Difference,
    verdict: Verdict,
}

/// What a difference comes to. The order is that of the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Worse by more than is tolerated.
    Worse,
    /// Worse, but not by more than that.
    Tolerated,
    Better,
    /// Another value, of which neither is better.
    Changed,
    /// Measured in the first only.
    Gone,
    /// Measured in the second only.
    New,
    Same,
}

const VERDICTS: [Verdict; 7] =
    [Verdict::Worse, Verdict::Tolerated, Verdict::Better, Verdict::Changed, Verdict::Gone, Verdict::New, Verdict::Same];

impl Verdict {
    fn of(difference: &Difference, tolerances: &Tolerances) -> Self {
        match difference.change {
            Change::Worse if difference.is_regression(tolerances) => Self::Worse,
            Change::Worse => Self::Tolerated,
            Change::Better => Self::Better,
            Change::Other => Self::Changed,
            Change::Gone => Self::Gone,
            Change::New => Self::New,
            Change::Same => Self::Same,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Tolerated => "tolerated",
            Self::Better => "better",
            Self::Changed => "changed",
            Self::Gone => "gone",
            Self::New => "new",
            Self::Same => "same",
        }
    }

    fn style(self) -> Option<Style> {
        match self {
            Self::Worse => Some(Style::Error),
            Self::Tolerated | Self::Gone => Some(Style::Warning),
            Self::Better => Some(Style::Good),
            Self::Changed | Self::New => None,
            Self::Same => Some(Style::Dim),
        }
    }
}

impl Row<'_> {
    /// Whether the comparison fails for it.
    fn fails(&self) -> bool {
        self.verdict == Verdict::Worse || self.difference.is_lost()
    }

    /// The verdict, and whether to worry.
    fn words(&self) -> String {
        let is_critical = self.difference.critical && matches!(self.verdict, Verdict::Worse | Verdict::Gone);
        format!("{}{}", self.verdict.word(), if is_critical { ", critical" } else { "" })
    }

    fn delta(&self, figures: usize) -> String {
        if self.difference.change == Change::Same { String::new() } else { self.difference.delta_text(figures) }
    }
}

impl<'a> Comparison<'a> {
    pub(super) fn new(
        before: &'a Measured,
        after: &'a Measured,
        differences: &'a [Difference],
        tolerances: &Tolerances,
        show: Show,
        figures: usize,
    ) -> Self {
        let row = |difference| Row { difference, verdict: Verdict::of(difference, tolerances) };
        Self { before, after, rows: differences.iter().map(row).collect(), show, figures }
    }

    /// Whether a metric became worse by more than is tolerated, or a critical one is not measured any more.
    pub(super) fn has_regressions(&self) -> bool {
        self.rows.iter().any(|row| row.fails())
    }

    /// Whether the two have metrics, and none of them is in both: most likely they are no results of the same thing.
    pub(super) fn has_nothing_in_common(&self) -> bool {
        let is_in_both = |row: &Row<'_>| row.difference.before.is_some() && row.difference.after.is_some();
        !self.rows.is_empty() && !self.rows.iter().any(is_in_both)
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.rows.iter().filter(|row| row.verdict == verdict).count()
    }

    fn shown(&self) -> impl Iterator<Item = &Row<'a>> {
        self.rows.iter().filter(|row| row.difference.is_shown(self.show))
    }

    fn value(&self, metric: Option<&Metric>) -> String {
        metric.map(|metric| printable(&metric.figures(self.figures))).unwrap_or_default()
    }

    /// `1 worse, 2 better, 12 same`.
    fn counts(&self) -> String {
        let counted = VERDICTS.iter().map(|verdict| (self.count(*verdict), verdict.word()));
        let words: Vec<String> =
            counted.filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect();
        if words.is_empty() { "no metrics".to_owned() } else { words.join(", ") }
    }

    pub(super) fn text(&self, paint: Paint) -> String {
        let head = ["before", "after", "change"].map(Cell::right);
        let head = std::iter::once(Cell::left("metric")).chain(head);
        let mut rows: Vec<Vec<Cell>> = vec![head.map(|cell| cell.style(Some(Style::Dim))).collect()];
        rows.extend(self.shown().map(|row| {
            let Difference { name, before, after, .. } = row.difference;
            vec![
                Cell::left(printable(name)),
                Cell::right(self.value(before.as_ref())),
                Cell::right(self.value(after.as_ref())),
                Cell::right(row.delta(self.figures)),
                Cell::left(unit_of(name).unwrap_or_default()).style(Some(Style::Dim)),
                Cell::left(row.words()).style(if row.fails() { Some(Style::Error) } else { row.verdict.style() }),
            ]
        }));
        let title = |measured: &Measured| paint.paint(Style::Bold, &measured.name);
        let mut text = format!("{} → {}\n", title(self.before), title(self.after));
        if rows.len() > 1 {
            text.push_str(&format!("{}\n\n", table(&rows, paint)));
        }
        text + &self.counts()
    }

    pub(super) fn markdown(&self) -> String {
        let mut text = format!("{} → {}: {}", code(&self.before.name), code(&self.after.name), self.counts());
        let mut rows = self.shown().peekable();
        if rows.peek().is_some() {
            text.push_str("\n\n| metric | before | after | change | |\n|---|---:|---:|---:|---|");
        }
        for row in rows {
            let Difference { name, before, after, .. } = row.difference;
            let unit = unit_of(name).map(|unit| format!(" ({unit})")).unwrap_or_default();
            let words = if row.fails() { format!("**{}**", row.words()) } else { row.words() };
            let value = |metric: &Option<Metric>| cell(&self.value(metric.as_ref()));
            let (before, after, delta) = (value(before), value(after), row.delta(self.figures));
            text.push_str(&format!("\n| {}{unit} | {before} | {after} | {delta} | {words} |", code(name)));
        }
        text
    }

    pub(super) fn json(&self) -> Json {
        let side = |measured: &Measured| json!({ "name": measured.name, "path": measured.path });
        let metrics: Vec<Json> = self
            .shown()
            .map(|Row { difference, verdict }| {
                json!({
                    "name": difference.name,
                    "before": difference.before.as_ref().map(Metric::to_json),
                    "after": difference.after.as_ref().map(Metric::to_json),
                    "delta": difference.delta().map(|delta| Value::Decimal(delta).to_json()),
                    "percent": difference.percent().map(|percent| Value::Decimal(percent).to_json()),
                    "unit": unit_of(&difference.name),
                    "verdict": verdict.word(),
                    "critical": difference.critical,
                })
            })
            .collect();
        let counts: serde_json::Map<String, Json> =
            VERDICTS.iter().map(|verdict| (verdict.word().to_owned(), self.count(*verdict).into())).collect();
        json!({ "before": side(self.before), "after": side(self.after), "counts": counts, "metrics": metrics })
    }
}

/// Text of a table's cell, which is one line and where a bar would end it.
fn cell(text: &str) -> String {
    printable(text).replace('|', "\\|")
}

/// The same as code. A backtick in it would end that.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {} ``", cell(text)) } else { format!("`{}`", cell(text)) }
}
