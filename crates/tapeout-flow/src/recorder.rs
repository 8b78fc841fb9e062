//! The stream of events of a run on disk: written as it happens, read by whoever wants to know what a run did or does.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use tapeout_engine::Failure;

use crate::event::{EVENTS, Happened, RunEvent, StepDone};

/// Writes the stream.
pub(crate) struct Recorder(Mutex<BufWriter<File>>);

impl Recorder {
    pub(crate) fn create(dir: &Path) -> Result<Self, Failure> {
        let path = dir.join(EVENTS);
        let file = File::create(&path).map_err(|error| Failure::io(&format!("write `{}`", path.display()), &error))?;
        Ok(Self(Mutex::new(BufWriter::new(file))))
    }

    /// Writes a line. Those of results that were there already, and of steps that have run no tool, wait for
    /// company; all others are on disk at once, so that another process can see what runs. The stream is a view: a line that cannot be written does not stop a run.
    pub(crate) fn record(&self, happened: &Happened) {
        let mut file = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(file, "{}", happened.to_line());
        let event = &happened.event;
        let waits = match event {
            RunEvent::StepDone(StepDone { reused, wall_ms, .. }) => *reused || *wall_ms == 0,
            RunEvent::StepStarted { .. } => true,
            _ => false,
        };
        if !waits {
            let _ = file.flush();
        }
    }
}

/// The recorded stream of the newest run in a directory. What cannot be read is left out: a killed run ends anywhere.
#[must_use]
pub fn recorded_events(dir: &Path) -> Vec<Happened> {
    let text = fs::read_to_string(dir.join(EVENTS)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The ids of the steps that began and did not end, with when they began: they run, or were killed.
pub(crate) fn open_steps(events: &[Happened]) -> BTreeMap<&str, f64> {
    let mut open = BTreeMap::new();
    for happened in events {
        let Some(step) = happened.step.as_deref() else { continue };
        match happened.event {
            RunEvent::StepStarted { .. } => _ = open.insert(step, happened.time),
            RunEvent::StepDone(_) | RunEvent::StepFailed(_) => _ = open.remove(step),
            _ => {}
        }
    }
    open
}
