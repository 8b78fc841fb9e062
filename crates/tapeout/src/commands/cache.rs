//! `tapeout cache`: what the store of a project holds, what of it may go, and whether it is whole.

use std::env;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use clap::{Args, Subcommand};
use serde_json::json;
use tapeout_engine::{Engine, Failure};
use tapeout_flow::{Retention, Retired};
use tapeout_model::Class;
use tapeout_store::{Amount, GcOptions, GcReport, Store, StoreError, StoreStat};

use crate::error::CliError;
use crate::terminal::table::{Cell, table};
use crate::terminal::words::{bytes, duration, from_here};
use crate::terminal::{Style, Terminal, plural};
use crate::{Cx, amounts, project};

/// The variable of the environment that limits a store after each run.
const LIMIT: &str = "TAPEOUT_CACHE_LIMIT";

/// Look at, thin out or check what is recorded of a project
#[derive(Debug, Args)]
pub(crate) struct CacheArgs {
    #[command(subcommand)]
    command: CacheCommand,
}

#[derive(Debug, Subcommand)]
enum CacheCommand {
    /// Say what is recorded and how much space it takes
    Stat(PlaceArgs),
    /// Remove what nothing refers to, and what is beyond a limit or an age
    Gc(GcArgs),
    /// Read all that is recorded and say what is damaged; what is damaged is removed
    Verify(PlaceArgs),
}

#[derive(Debug, Args)]
struct PlaceArgs {
    /// A configuration file or the directory of a project [default: the one here]
    #[arg(value_name = "THING")]
    thing: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct GcArgs {
    #[command(flatten)]
    place: PlaceArgs,
    /// Remove the results that were not used for longest until the rest takes no more space, as `1.5G` or `500M`; what
    /// a run shows stays
    #[arg(long, value_name = "SIZE", value_parser = amounts::size)]
    limit: Option<u64>,
    /// Remove runs that ended longer ago, as `30d` or `12h`; the newest run and those with pinned results stay
    #[arg(long, value_name = "AGE", value_parser = amounts::age)]
    runs_older_than: Option<Duration>,
    /// Remove failed attempts that have been kept in runs for longer
    #[arg(long, value_name = "AGE", value_parser = amounts::age)]
    failed_older_than: Option<Duration>,
    /// Only say what would be removed
    #[arg(short = 'n', long)]
    dry_run: bool,
}

pub(crate) fn run(cx: &Cx, args: &CacheArgs) -> Result<u8, CliError> {
    match &args.command {
        CacheCommand::Stat(place) => stat(&cx.terminal, place),
        CacheCommand::Gc(args) => gc(&cx.terminal, args),
        CacheCommand::Verify(place) => verify(&cx.terminal, place),
    }
}

impl PlaceArgs {
    /// The project's directory and its store, which is not made when there is none.
    fn open(&self) -> Result<(PathBuf, Store), CliError> {
        let dir = match &self.thing {
            None => PathBuf::from("."),
            Some(dir) if dir.is_dir() => dir.clone(),
            Some(file) if file.exists() => project::directory_of(file),
            Some(other) => return Err(CliError::input(format!("there is no `{}`", other.display()))),
        };
        let dir = std::path::absolute(&dir).unwrap_or(dir);
        let root = Engine::store_dir(&dir);
        if !root.is_dir() {
            return Err(CliError::input(format!("nothing is recorded in `{}`", from_here(&dir)))
                .hint("`tapeout run` makes results"));
        }
        let store = Store::open(&root).map_err(from_store)?;
        Ok((dir, store))
    }
}

fn from_store(error: StoreError) -> CliError {
    let in_use = matches!(error, StoreError::InUse { .. });
    let error = CliError::from(Failure::from(error));
    if in_use { error.hint("wait for it to end; nothing was removed from the store") } else { error }
}

fn stat(terminal: &Terminal, place: &PlaceArgs) -> Result<u8, CliError> {
    let (dir, store) = place.open()?;
    let stat = store.stat();
    let StoreStat { entries, blobs, outputs, logs, inputs, unreferenced, index_bytes, journal_bytes, .. } = stat;
    if terminal.json {
        let amount = |amount: Amount| json!({ "count": amount.count, "bytes": amount.bytes });
        terminal.print_json(&json!({
            "dir": Engine::store_dir(&dir), "results": entries, "files": amount(blobs), "outputs": amount(outputs),
            "logs": amount(logs), "inputs": amount(inputs), "unreferenced": amount(unreferenced),
            "index_bytes": index_bytes, "journal_bytes": journal_bytes, "sources": stat.file_digests,
            "runs": stat.runs, "oldest_use": stat.oldest_use,
        }));
    } else {
        let row = |name: &str, count: usize, size: Option<u64>, what: &str| {
            let size = size.map(bytes).unwrap_or_default();
            let what = Cell::left(what).style(Some(Style::Dim));
            vec![Cell::left(name), Cell::right(count.to_string()), Cell::right(size), what]
        };
        let amount = |name: &str, amount: Amount, what: &str| row(name, amount.count, Some(amount.bytes), what);
        let oldest = stat.oldest_use.map(|seconds| format!("the longest unused one: {}", days_ago(seconds)));
        let rows = [
            row("results", entries, Some(index_bytes + journal_bytes), &oldest.unwrap_or_default()),
            amount("files", blobs, ""),
            amount("  outputs", outputs, "views and what else steps make"),
            amount("  logs", logs, ""),
            amount("  inputs", inputs, "scripts and the like, to repeat a command"),
            amount("  unreferenced", unreferenced, "`tapeout cache gc` removes them"),
            row("sources", stat.file_digests, None, "files of yours whose content is known"),
            row("runs", stat.runs, None, "what they show is never evicted"),
        ];
        terminal.print(&format!("{}\n{}", from_here(&Engine::store_dir(&dir)), table(&rows, terminal.out)));
    }
    Ok(0)
}

fn gc(terminal: &Terminal, args: &GcArgs) -> Result<u8, CliError> {
    let limit = match args.limit {
        Some(limit) => Some(limit),
        None => limit_in_environment()?,
    };
    let (dir, mut store) = args.place.open()?;
    let retention = Retention { runs: args.runs_older_than, failed: args.failed_older_than, dry: args.dry_run };
    let options = GcOptions { limit, now: now(), dry: args.dry_run };
    // While another tapeout uses the store, nothing is removed at all.
    let first = store.gc(&options).map_err(from_store)?;
    let retired = retention.apply(&dir, &store)?;
    let collected = if retired.runs.is_empty() { Ok(first) } else { store.gc(&options) };
    if terminal.json {
        let report = collected.map_err(from_store)?;
        terminal.print_json(&json!({
            "dry_run": args.dry_run, "limit": limit, "results_kept": report.entries_kept,
            "results_removed": report.entries_removed, "tool_ms_removed": report.tool_ms_removed,
            "files_kept": report.blobs_kept, "files_removed": report.blobs_removed, "bytes_kept": report.bytes_kept,
            "bytes_removed": report.bytes_removed, "leftovers_removed": report.leftovers_removed,
            "runs_forgotten": report.runs_removed, "held_by_runs": report.held_by_runs,
            "runs_removed": retired.runs, "failed_removed": retired.failed, "trees_bytes_removed": retired.bytes,
            "runs_kept": retired.stay.iter().map(|(tag, why)| json!({ "tag": tag, "reason": why })).collect::<Vec<_>>(),
        }));
        return Ok(0);
    }
    let mut lines = retired_words(&retired, args.dry_run);
    if let Ok(report) = &collected {
        lines.push(collected_words(report, limit, args.dry_run));
    }
    if !lines.is_empty() {
        terminal.print(&lines.join("\n"));
    }
    collected.map(|_| 0).map_err(from_store)
}

fn retired_words(retired: &Retired, dry: bool) -> Vec<String> {
    let verb = if dry { "would remove" } else { "removed" };
    let mut lines: Vec<String> = retired.runs.iter().map(|tag| format!("{verb} the run `{tag}`")).collect();
    let failed = retired.failed.iter().map(|dir| format!("{verb} the failed attempt `runs/{}`", dir.display()));
    lines.extend(failed);
    lines.extend(retired.stay.iter().map(|(tag, why)| format!("the run `{tag}` stays: {why}")));
    if retired.bytes > 0 {
        lines.push(format!("{verb} {} of views and failed attempts", bytes(retired.bytes)));
    }
    lines
}

fn collected_words(report: &GcReport, limit: Option<u64>, dry: bool) -> String {
    let verb = if dry { "would remove" } else { "removed" };
    let mut text = if report.entries_removed + report.blobs_removed + report.leftovers_removed == 0 {
        format!("nothing {} removed from the store", if dry { "would be" } else { "was" })
    } else {
        let hours = match report.tool_ms_removed {
            0 => String::new(),
            time => format!(", which tools had taken {} to make", duration(time)),
        };
        let files = plural(report.blobs_removed + report.leftovers_removed, "file");
        let results = plural(report.entries_removed, "result");
        format!("{verb} {results}{hours}, and {files}: {}", bytes(report.bytes_removed))
    };
    let kept = plural(report.entries_kept, "result");
    text.push_str(&format!("\n{kept} and {} stay: {}", plural(report.blobs_kept, "file"), bytes(report.bytes_kept)));
    if let (Some(held), Some(limit)) = (report.held_by_runs, limit) {
        let (held, limit) = (bytes(held), bytes(limit));
        text.push_str(&format!("\nthe runs that there are show {held}, more than the limit of {limit}"));
    }
    text
}

fn verify(terminal: &Terminal, place: &PlaceArgs) -> Result<u8, CliError> {
    let (_, store) = place.open()?;
    let report = store.verify().map_err(from_store)?;
    let whole = format!(
        "{} and {} ({}) are whole",
        plural(report.entries, "result"),
        plural(report.blobs.count, "file"),
        bytes(report.blobs.bytes)
    );
    if terminal.json {
        terminal.print_json(&json!({
            "results": report.entries, "files": { "count": report.blobs.count, "bytes": report.blobs.bytes },
            "problems": report.problems,
        }));
    } else {
        terminal.print(&whole);
    }
    if report.problems.is_empty() {
        return Ok(0);
    }
    let count = plural(report.problems.len(), "problem");
    Err(CliError::new(Class::Environment, format!("{count} in the store"))
        .details(report.problems)
        .hint("`tapeout run` makes anew what was lost"))
}

/// The limit that the environment sets.
pub(crate) fn limit_in_environment() -> Result<Option<u64>, CliError> {
    let Some(text) = env::var_os(LIMIT).filter(|text| !text.is_empty()) else { return Ok(None) };
    amounts::size(&text.to_string_lossy()).map(Some).map_err(|words| CliError::input(format!("{LIMIT}: {words}")))
}

/// Brings the store of a project below a limit, when it is beyond it and nobody else uses it.
pub(crate) fn keep_limit(terminal: &Terminal, project: &Path, limit: u64) -> Result<(), CliError> {
    let mut store = Store::open(&Engine::store_dir(project)).map_err(from_store)?;
    let stat = store.stat();
    if stat.blobs.bytes + stat.index_bytes + stat.journal_bytes <= limit {
        return Ok(());
    }
    match store.gc(&GcOptions { limit: Some(limit), now: now(), dry: false }) {
        Ok(report) if report.entries_removed > 0 || report.held_by_runs.is_some() => {
            terminal.note(&format!("{LIMIT}: {}", collected_words(&report, Some(limit), false)));
            Ok(())
        }
        Ok(_) | Err(StoreError::InUse { .. }) => Ok(()),
        Err(error) => Err(from_store(error)),
    }
}

/// Uses are known to the day.
fn days_ago(seconds: u64) -> String {
    match now().saturating_sub(seconds) / (24 * 60 * 60) {
        0 => "today".to_owned(),
        days => format!("{} ago", plural(usize::try_from(days).unwrap_or(usize::MAX), "day")),
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
