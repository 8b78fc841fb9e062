//! `tapeout status --follow`: says when targets begin and end, whoever builds them.

use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

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
    let mut known = Known { first: first_line(&path), at: fs::metadata(&path).map_or(0, |found| found.len()) };
    loop {
        std::thread::sleep(PERIOD);
        // Another run begins at another time.
        let first = first_line(&path);
        if first != known.first {
            known = Known { first, at: 0 };
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
    /// The first event.
    first: Option<String>,
    /// In bytes.
    at: u64,
}

fn first_line(path: &Path) -> Option<String> {
    let mut line = String::new();
    BufReader::new(File::open(path).ok()?).read_line(&mut line).ok()?;
    line.ends_with('\n').then_some(line)
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
