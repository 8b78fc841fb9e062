//! The shared cache on the command line: which one, and what came of it.

use std::env;
use std::sync::Arc;

use clap::Args;
use tapeout_engine::{Access, SharedCache, Shares};

use crate::error::CliError;
use crate::terminal::words::bytes;
use crate::terminal::{Terminal, plural};

const LOCATION: &str = "TAPEOUT_SHARED_CACHE";
const READ_ONLY: &str = "TAPEOUT_SHARED_CACHE_READ_ONLY";

/// Results in common with others.
#[derive(Debug, Args)]
pub(crate) struct SharedCacheArgs {
    /// Take results from a cache that others use, too, and bring new ones there: `http://HOST[:PORT][/PREFIX]` or a
    /// directory; none when empty [default: TAPEOUT_SHARED_CACHE of the environment]
    #[arg(long, value_name = "LOCATION")]
    shared_cache: Option<String>,
    /// Bring nothing there [default: if TAPEOUT_SHARED_CACHE_READ_ONLY=1 is in the environment]
    #[arg(long)]
    shared_cache_read_only: bool,
}

impl SharedCacheArgs {
    pub(crate) fn open(&self) -> Result<Option<Arc<SharedCache>>, CliError> {
        let location = match &self.shared_cache {
            Some(location) => location.clone(),
            None => from_environment(LOCATION)?,
        };
        if location.is_empty() {
            return Ok(None);
        }
        let read_only = match from_environment(READ_ONLY)?.as_str() {
            "" | "0" => self.shared_cache_read_only,
            "1" => true,
            other => return Err(CliError::input(format!("{READ_ONLY} is `{other}`; expected 0 or 1"))),
        };
        let access = if read_only { Access::ReadOnly } else { Access::ReadWrite };
        match SharedCache::open(&location, access) {
            Ok(cache) => Ok(Some(Arc::new(cache))),
            Err(error) => Err(CliError::input(error.to_string())),
        }
    }
}

fn from_environment(name: &str) -> Result<String, CliError> {
    let value = env::var_os(name).unwrap_or_default();
    value.into_string().map_err(|_| CliError::input(format!("{name} is no text")))
}

/// Says in one warning what was not as it should be, and with `--verbose` what came of it all.
pub(crate) fn tell(terminal: &Terminal, shares: &Shares) {
    let Shares { uploads, kept, trouble, damage } = shares;
    let mut wrong: Vec<String> = trouble.iter().cloned().collect();
    if let Some(first) = damage.first() {
        let count = plural(damage.len(), "item");
        wrong.push(format!("{count} of the shared cache: not what the name says, so made here: {first}"));
    }
    // With a trouble, the rest follows from it.
    if trouble.is_none() && uploads.left > 0 {
        let reason = uploads.reason.as_deref().unwrap_or("there was no more time");
        let items = plural(uploads.left, "item");
        wrong.push(format!("{items} ({}) not brought to the shared cache: {reason}", bytes(uploads.left_bytes)));
    }
    if !wrong.is_empty() {
        terminal.note(&format!("warning: {}", wrong.join("; ")));
    }
    if terminal.verbose {
        for kept in kept {
            terminal.note(&format!("{} is not shared: {}", kept.job, kept.place));
        }
        let items = plural(uploads.sent, "item");
        terminal.note(&format!("brought {items} to the shared cache: {}", bytes(uploads.sent_bytes)));
    }
}
