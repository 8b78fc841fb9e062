//! `tapeout compare`: the metrics of two runs side by side, and whether any became worse. Where metrics come from is in
//! `measured`, how a comparison is shown in `shown`.

mod measured;
mod shown;

use clap::{Args, ValueEnum};
use tapeout_model::{Class, DEFAULT_FILTER, Filter, Show, Tolerances, compared};

use crate::Cx;
use crate::error::CliError;
use crate::names;
use measured::Measured;
use shown::Comparison;

/// Compare the metrics of two runs; exit code 1 when one became worse, or a critical one is gone
///
/// A and B are runs, `[THING@]TAG[/STEP]`, directories of runs, or files: a `metrics.json`, a `state_out.json`. A word that
/// is a tag is that run; `./WORD` is the file or directory.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// What to compare with
    #[arg(value_name = "A")]
    before: String,
    /// What is compared
    #[arg(value_name = "B")]
    after: String,
    /// Only metrics of which the name matches; `!GLOB` leaves some out, `DEFAULT` stands for the most telling ones
    #[arg(long, short, value_name = "GLOB")]
    filter: Vec<String>,
    /// What to list
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    show: Shown,
    /// Significant figures of quantities
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=17))]
    digits: u8,
    /// By how much metrics may become worse: `2%`; those of a name: `NAME=2%`, or in their unit, `NAME=0.1`
    #[arg(long, value_name = "[GLOB=]AMOUNT")]
    tolerance: Vec<String>,
    /// How to print
    #[arg(long, value_enum, default_value_t, conflicts_with = "json")]
    format: Format,
}

/// What is listed of a comparison; all of it counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Shown {
    /// All metrics
    All,
    /// Those that are not the same
    #[default]
    Changed,
    /// Those that became worse
    Worse,
    /// Those that became worse, or are gone, and mean that the design may not work
    Critical,
    /// Only the counts
    None,
}

/// How a comparison is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A table for a terminal
    #[default]
    Text,
    /// A table for a pull request
    Markdown,
}

impl From<Shown> for Show {
    fn from(shown: Shown) -> Self {
        match shown {
            Shown::All => Self::All,
            Shown::Changed => Self::Changed,
            Shown::Worse => Self::Worse,
            Shown::Critical => Self::Critical,
            Shown::None => Self::None,
        }
    }
}

/// The word that stands for a set of patterns.
const DEFAULT: &str = "DEFAULT";

/// What is compared when nobody says: all but what happened on the way.
const EVERYTHING: [&str; 2] = ["*", "!*__iter:*"];

pub(crate) fn run(cx: &Cx, args: &CompareArgs) -> Result<u8, CliError> {
    let filter = filter(&args.filter)?;
    let mut tolerances = Tolerances::default();
    for text in &args.tolerance {
        tolerances.add(text).map_err(|error| CliError::input(format!("`--tolerance`: {error}")))?;
    }
    let before = Measured::find(&args.before)?;
    let after = Measured::find(&args.after)?;
    for measured in [&before, &after] {
        if let Some(warning) = &measured.warning {
            cx.terminal.note(&format!("warning: {warning}"));
        }
    }
    check_patterns(cx, &args.filter, &filter, &before, &after)?;
    let differences = compared(&before.metrics, &after.metrics, &filter);
    let comparison = Comparison::new(&before, &after, &differences, &tolerances, args.show.into(), args.digits.into());
    if comparison.has_nothing_in_common() {
        cx.terminal.note("warning: no metric is in both");
    }
    match (cx.terminal.json, args.format) {
        (true, _) => cx.terminal.print_json(&comparison.json()),
        (false, Format::Text) => cx.terminal.print(&comparison.text(cx.terminal.out)),
        (false, Format::Markdown) => cx.terminal.print(&comparison.markdown()),
    }
    Ok(if comparison.has_regressions() { Class::Check.exit_code() } else { 0 })
}

/// The filter that these texts ask for. Where they only deny, they deny some of all.
fn filter(texts: &[String]) -> Result<Filter, CliError> {
    let only_denied = texts.iter().all(|text| text.starts_with('!'));
    let everything = EVERYTHING.iter().filter(|_| only_denied).copied();
    let given = texts.iter().flat_map(|text| match text.as_str() {
        DEFAULT => DEFAULT_FILTER.to_vec(),
        text => vec![text],
    });
    Filter::new(everything.chain(given)).map_err(|error| CliError::input(format!("`--filter`: {error}")))
}

/// Refuses filters that leave nothing to compare, and tells of patterns that do nothing: a mistyped name must not look
/// as if all were well.
fn check_patterns(
    cx: &Cx,
    texts: &[String],
    filter: &Filter,
    before: &Measured,
    after: &Measured,
) -> Result<(), CliError> {
    let names: Vec<&str> = before.metrics.keys().chain(after.metrics.keys()).map(String::as_str).collect();
    let idle = filter.idle(&names);
    let mistyped: Vec<&str> = texts.iter().map(String::as_str).filter(|text| idle.contains(text)).collect();
    if !texts.is_empty() && !names.iter().any(|name| filter.allows(name)) {
        return Err(match mistyped.as_slice() {
            [name] if !name.contains(['*', '?', '[']) => names::unknown("metric", name, &names),
            _ => CliError::input("no metric of either passes `--filter`"),
        });
    }
    for text in mistyped {
        cx.terminal.note(&format!("warning: no metric matches `{text}`"));
    }
    Ok(())
}
