//! `tapeout status --follow`: says when targets begin and end, whoever builds them.

use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::{Duration, SystemTime};

use tapeout_flow::{EVENTS, Happened, RunEvent};

use crate::Cx;
use crate::error::CliError;
use crate::targets::{self, BuildArgs};
use crate::terminal::watch::ending;

/// How often it looks.
const PERIOD: Duration = Duration::from_millis(250);

/// Follows what happens in the build directory, for ever.
pub(crate) fn run(cx: &Cx, build: &BuildArgs) -> Result<u8, CliError> {
    let loaded = targets::project(cx)?;
    let path = loaded.project.root().join(build.dir()).join(EVENTS);
    // What has happened by now is not told.
    let mut known = Known { begun: begun(&path), at: fs::metadata(&path).map_or(0, |found| found.len()) };
    loop {
        std::thread::sleep(PERIOD);
        let now = begun(&path);
        if now != known.begun {
            known = Known { begun: now, at: 0 };
        }
        let text = text_from(&path, known.at).unwrap_or_default();
        // A line that is still being written is told when it is whole.
        let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
        known.at += whole.len() as u64;
        for line in whole.lines() {
            if let Some(text) = serde_json::from_str::<Happened>(line).ok().and_then(|happened| words(&happened)) {
                cx.terminal.print(&text);
            }
        }
    }
}

/// How far the events of a run have been told.
struct Known {
    /// When their file was made.
    begun: Option<SystemTime>,
    /// In bytes.
    at: u64,
}

fn begun(path: &Path) -> Option<SystemTime> {
    let metadata = fs::metadata(path).ok()?;
    metadata.created().or_else(|_| metadata.modified()).ok()
}

fn text_from(path: &Path, at: u64) -> io::Result<String> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(at))?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

fn words(happened: &Happened) -> Option<String> {
    let target = happened.step.as_deref()?;
    match &happened.event {
        RunEvent::StepStarted { .. } => Some(format!("{target}: started")),
        event => ending(event).map(|ending| format!("{target}: {}", ending.words)),
    }
}
