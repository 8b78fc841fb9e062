//! A run as a trace that `ui.perfetto.dev` and `chrome://tracing` show: the Trace Event Format's JSON, times in
//! microseconds. Each step is a slice on the first track that is free, its waits are slices within it; a counter tells how
//! many run.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tapeout_flow::{Happened, RunEvent, StepDone};

use crate::error::CliError;

/// Writes the trace of a recorded stream.
pub(crate) fn write(file: &Path, events: &[Happened]) -> Result<(), CliError> {
    let trace = json!({ "displayTimeUnit": "ms", "traceEvents": of(events) });
    fs::write(file, format!("{trace}\n"))
        .map_err(|error| CliError::environment(format!("cannot write `{}`: {error}", file.display())))
}

/// A step that runs.
struct Open {
    track: usize,
    since: f64,
    reasons: Vec<String>,
    /// What it waits for, and since when.
    waiting: Option<(f64, String)>,
}

fn of(events: &[Happened]) -> Vec<Value> {
    let begin = events.first().map_or(0.0, |first| first.time);
    let at = |time: f64| ((time - begin) * 1e6).round();
    let slice = |name: &str, track: usize, from: f64, to: f64, args: Value| {
        json!({
            "name": name, "ph": "X", "pid": 1, "tid": track + 1, "ts": at(from), "dur": at(to) - at(from), "args": args,
        })
    };
    let mut open: BTreeMap<&str, Open> = BTreeMap::new();
    let mut trace = Vec::new();
    for happened in events {
        let time = happened.time;
        let Some(step) = happened.step.as_deref() else {
            if let RunEvent::RunStarted { flow, design, tag, .. } = &happened.event {
                let name = format!("{flow} of {design}, {tag}");
                trace.push(json!({ "name": "process_name", "ph": "M", "pid": 1, "args": { "name": name } }));
            }
            continue;
        };
        let waited = open.get_mut(step).and_then(|open| Some((open.track, open.waiting.take()?)));
        if let Some((track, (since, reason))) = waited {
            trace.push(slice(&reason, track, since, time, json!({})));
        }
        let args = match &happened.event {
            RunEvent::StepStarted { reasons, .. } => {
                let track = (0..).find(|track| open.values().all(|open| open.track != *track)).unwrap_or(0);
                open.insert(step, Open { track, since: time, reasons: reasons.clone(), waiting: None });
                trace.push(
                    json!({ "name": "steps", "ph": "C", "pid": 1, "ts": at(time), "args": { "running": open.len() } }),
                );
                continue;
            }
            RunEvent::StepWaiting { reason } => {
                if let Some(open) = open.get_mut(step) {
                    open.waiting = Some((time, reason.clone()));
                }
                continue;
            }
            RunEvent::StepDone(StepDone { reused: true, status, .. }) => {
                trace.push(json!({
                    "name": step, "ph": "i", "s": "p", "pid": 1, "tid": 1, "ts": at(time), "args": { "status": status },
                }));
                continue;
            }
            RunEvent::StepDone(done) => json!({
                "status": done.status, "cpu_ms": done.cpu_ms, "peak_kib": done.peak_kib, "reason": done.reason,
            }),
            RunEvent::StepFailed(failed) => json!({ "class": failed.class, "message": failed.message }),
            _ => continue,
        };
        if let Some(ended) = open.remove(step) {
            let mut args = args;
            args["why"] = json!(ended.reasons);
            trace.push(slice(step, ended.track, ended.since, time, args));
            trace.push(
                json!({ "name": "steps", "ph": "C", "pid": 1, "ts": at(time), "args": { "running": open.len() } }),
            );
        }
    }
    trace
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_that_overlap_get_tracks_of_their_own() {
        let event =
            |time: f64, step: &str, event: RunEvent| Happened { time, ..Happened::now(Some((step, "dir")), event) };
        let done = || {
            let json =
                r#"{"status":"done","reused":false,"wall_ms":1,"cpu_ms":1,"peak_kib":1,"metrics":{},"alerts":[]}"#;
            RunEvent::StepDone(serde_json::from_str(json).unwrap())
        };
        let started = || RunEvent::StepStarted { name: String::new(), reasons: vec!["`a.v` changed".to_owned()] };
        let trace = of(&[
            event(10.0, "A", started()),
            event(10.5, "B", started()),
            event(11.0, "A", done()),
            event(11.5, "C", started()),
            event(12.0, "B", done()),
            event(13.0, "C", done()),
        ]);
        let slices: Vec<(&str, u64, f64, f64)> = (trace.iter())
            .filter(|event| event["ph"] == "X")
            .filter_map(|s| Some((s["name"].as_str()?, s["tid"].as_u64()?, s["ts"].as_f64()?, s["dur"].as_f64()?)))
            .collect();
        assert_eq!(slices, [("A", 1, 0.0, 1e6), ("B", 2, 5e5, 1.5e6), ("C", 1, 1.5e6, 1.5e6)]);
        assert_eq!(trace.last().map(|last| last["args"]["running"].clone()), Some(json!(0)));
    }
}
