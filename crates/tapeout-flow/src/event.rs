//! What happens in a run, as data: one stream, which is recorded in the run's directory and from which the terminal, the
//! JSON log and traces are rendered.
//!
//! A line of the stream is a JSON object with `event` and `time`, seconds since the Unix epoch with a fraction. Those
//! about a step have `step`, its id in the flow, and `dir`, its directory in the run. The rest depends on the event, see
//! [`RunEvent`]. It is part of tapeout's interface: fields are added, not changed.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value, json};
use tapeout_engine::{Difference, Failure};
use tapeout_model::{Alert, Class, Metrics};

use crate::stage::Note;
use crate::{Comparison, RunSummary, Stage, StepStatus};

/// The name of the recorded stream in the run's directory.
pub const EVENTS: &str = "events.jsonl";

/// One thing that happened.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunEvent {
    /// First of all.
    RunStarted {
        /// The flow's name.
        flow: String,
        /// The design's name.
        design: String,
        /// The run's tag.
        tag: String,
        /// The ids of the steps that are neither left out nor held.
        steps: Vec<String>,
    },
    /// A custom flow began a stage of its work.
    StageStarted(Stage),
    /// It ended the stage that it began last.
    StageEnded,
    /// A custom flow compared things.
    Compared(Comparison),
    /// A step began to run.
    StepStarted {
        /// What it does, in a few words.
        #[serde(default)]
        name: String,
        /// Why: what changed since its result was recorded, in words.
        #[serde(default)]
        reasons: Vec<String>,
    },
    /// A step runs tools.
    StepRunning {
        /// The command lines.
        commands: String,
        /// Where the growing log is.
        log: PathBuf,
    },
    /// A step has to wait, holding nothing.
    StepWaiting {
        /// For what.
        reason: String,
    },
    /// A step is tried again.
    StepRetried {
        /// What went wrong.
        reason: String,
    },
    /// The tools of a step ran once more for comparison.
    StepRepeated {
        /// What was not the same; empty when all was.
        differences: Vec<Difference>,
    },
    /// A step has a result.
    StepDone(StepDone),
    /// A step has none.
    StepFailed(StepFailed),
    /// Something else is worth knowing.
    Message {
        /// What.
        text: String,
    },
    /// Last of all.
    RunFinished {
        /// The exit code of the command.
        exit_code: u8,
        /// The run's directory. Of an event that was read back, it is in [`Happened::dir`], as they are one field.
        #[serde(default)]
        dir: PathBuf,
        /// What `run.json` holds.
        summary: Box<RunSummary>,
    },
}

/// The result of a step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepDone {
    /// `done`, `reused`, `pinned`, `check_failed`, `not_checked`, or `failed` of a failure that is recorded.
    pub status: StepStatus,
    /// Whether the result was found recorded instead of made.
    pub reused: bool,
    /// Whether all that its tools would have made was taken from the shared cache.
    #[serde(default)]
    pub shared: bool,
    /// Why the check failed or could not be made.
    pub reason: Option<String>,
    /// What to try then.
    pub hint: Option<String>,
    /// Milliseconds of wall time of its tools.
    pub wall_ms: u64,
    /// Milliseconds of processor time of its tools.
    pub cpu_ms: u64,
    /// Peak memory in KiB; 0 for a step without tools.
    pub peak_kib: u64,
    /// What it measured.
    pub metrics: Metrics,
    /// What it complained of.
    pub alerts: Vec<Alert>,
}

/// Why a step has no result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepFailed {
    /// Whose turn it is to act.
    pub class: Class,
    /// What happened, in one line.
    pub message: String,
    /// The tool's own error lines.
    pub words: Vec<String>,
    /// What to try.
    pub hint: Option<String>,
    /// The log.
    pub log: Option<PathBuf>,
}

impl RunEvent {
    /// What a custom flow tells.
    pub(crate) fn of(note: &Note) -> Self {
        match note {
            Note::StageStarted(stage) => Self::StageStarted(stage.clone()),
            Note::StageEnded => Self::StageEnded,
            Note::Compared(comparison) => Self::Compared(comparison.clone()),
            Note::Message(text) => Self::Message { text: text.clone() },
        }
    }
}

impl From<&Failure> for StepFailed {
    fn from(failure: &Failure) -> Self {
        let log = failure.work_dir.as_deref().zip(failure.log.as_deref()).map(|(dir, log)| dir.join(log));
        Self {
            class: failure.class,
            message: failure.message.clone(),
            words: failure.words.clone(),
            hint: failure.hint.clone(),
            log,
        }
    }
}

/// An event with its time, and the step that it is about.
#[derive(Clone, Debug)]
pub struct Happened {
    /// Seconds since the Unix epoch.
    pub time: f64,
    /// The id of the step in the flow.
    pub step: Option<String>,
    /// The step's directory in the run.
    pub dir: Option<String>,
    /// What happened.
    pub event: RunEvent,
}

impl Happened {
    /// It happened now. `step`: its id and directory.
    #[must_use]
    pub fn now(step: Option<(&str, &str)>, event: RunEvent) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time = (now.as_secs_f64() * 1e6).round() / 1e6;
        let (step, dir) = step.map(|(step, dir)| (step.to_owned(), dir.to_owned())).unzip();
        Self { time, step, dir, event }
    }

    /// The event as a line of the stream, without the line break: what it is and when comes first.
    #[must_use]
    pub fn to_line(&self) -> String {
        // An event is made of texts, numbers and lists of them. Its JSON is `{"name":{…}}`, or `"name"` where that is all.
        let event = serde_json::to_string(&self.event).unwrap_or_default();
        let named = event.strip_prefix('{').and_then(|event| event.strip_suffix('}')).and_then(|e| e.split_once(':'));
        let (name, body) = named.unwrap_or((&event, "{}"));
        let mut line = format!("{{\"event\":{name},\"time\":{}", Value::from(self.time));
        for (name, text) in [("step", &self.step), ("dir", &self.dir)] {
            if let Some(text) = text {
                let _ = write!(line, ",\"{name}\":{}", Value::from(text.as_str()));
            }
        }
        match body.strip_prefix('{') {
            Some(rest) if rest != "}" => line + "," + rest,
            _ => line + "}",
        }
    }
}

/// Reads a line of the stream. By hand, since numbers in what serde flattens are read only as long as no crate asks for
/// those of any precision.
impl<'de> Deserialize<'de> for Happened {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = Map::deserialize(deserializer)?;
        let name = fields.remove("event").and_then(|name| name.as_str().map(str::to_owned));
        let name = name.ok_or_else(|| D::Error::missing_field("event"))?;
        let time =
            fields.remove("time").and_then(|time| time.as_f64()).ok_or_else(|| D::Error::missing_field("time"))?;
        let [step, dir] =
            ["step", "dir"].map(|field| fields.remove(field).and_then(|text| Some(text.as_str()?.into())));
        let event = if fields.is_empty() { Value::String(name) } else { json!({ name: fields }) };
        let event = serde_json::from_value(event).map_err(D::Error::custom)?;
        Ok(Self { time, step, dir, event })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_begins_with_what_and_when_and_reads_back() {
        let event = RunEvent::StepWaiting { reason: "no licence".to_owned() };
        let happened = Happened::now(Some(("Yosys.Synthesis", "04-yosys-synthesis")), event);
        let line = happened.to_line();
        let begin = format!("{{\"event\":\"step_waiting\",\"time\":{},\"step\":\"Yosys.Synthesis\"", happened.time);
        assert!(line.starts_with(&begin), "{line}");
        let back: Happened = serde_json::from_str(&line).unwrap();
        assert_eq!((back.to_line(), back.step), (line, happened.step));
    }

    #[test]
    fn the_end_of_a_run_reads_back() {
        let summary = RunSummary {
            tapeout: String::new(),
            flow: String::new(),
            design: String::new(),
            tag: "t".to_owned(),
            class: Some(Class::Check),
            steps: Vec::new(),
            comparisons: Vec::new(),
            metrics: Metrics::new(),
        };
        let event = RunEvent::RunFinished { exit_code: 1, dir: "/runs/t".into(), summary: Box::new(summary) };
        let back: Happened = serde_json::from_str(&Happened::now(None, event).to_line()).unwrap();
        assert!(matches!(&back.event, RunEvent::RunFinished { exit_code: 1, .. }), "{back:?}");
        assert_eq!(back.dir.as_deref(), Some("/runs/t"));
    }
}
