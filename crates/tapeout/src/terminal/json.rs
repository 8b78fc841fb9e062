//! The log for programs: one JSON object a line on standard output. The fields are part of tapeout's interface.
//!
//! Every object has `event` and `time`, seconds since the Unix epoch with a fraction. Those about a step have `step`, its
//! id in the flow, and `dir`, its directory in the run.
//!
//! | `event` | when | further fields |
//! |---|---|---|
//! | `run_started` | first of all | `flow`, `design`, `tag`, `steps`: the ids of the steps that are not left out |
//! | `step_started` | a step begins to run | |
//! | `step_running` | a step runs tools | `commands`, `log`: where the growing log is |
//! | `step_done` | a step has a result | `status`: `done`, `reused`, `check_failed` or `not_checked`; `reused`, `reason`, `hint`, `wall_ms`, `cpu_ms`, `peak_kib`, `metrics`, `alerts` |
//! | `step_failed` | a step has none | `class`: `input`, `environment`, `internal`, `tool` or `interrupted`; `message`, `words`: the tool's own error lines, `hint`, `log` |
//! | `message` | something else is worth knowing | `text` |
//! | `run_finished` | last of all | `exit_code`, `dir`, `summary`: what `run.json` holds |

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tapeout_flow::{Plan, RunSummary, StepEvent};
use tapeout_model::{Record, Verdict};

use super::Terminal;
use super::watch::Watcher;

pub(crate) struct JsonLog<'a> {
    terminal: &'a Terminal,
    plan: &'a Plan,
}

impl<'a> JsonLog<'a> {
    pub(crate) fn new(terminal: &'a Terminal, plan: &'a Plan) -> Self {
        Self { terminal, plan }
    }

    fn about(&self, step: usize, event: &str, fields: Value) {
        let step = &self.plan.steps[step];
        let mut object = json!({ "step": step.id, "dir": step.dir });
        merge(&mut object, fields);
        emit(self.terminal, event, object);
    }
}

impl Watcher for JsonLog<'_> {
    fn step(&self, step: usize, event: &StepEvent) {
        match event {
            StepEvent::Started => self.about(step, "step_started", json!({})),
            StepEvent::Running { commands, log } => {
                self.about(step, "step_running", json!({ "commands": commands, "log": log }));
            }
            StepEvent::Reused(entry) | StepEvent::Done(entry) => {
                let reused = matches!(event, StepEvent::Reused(_));
                let (status, reason, hint) = judgement(&entry.record, reused);
                let attempt = entry.attempt();
                self.about(
                    step,
                    "step_done",
                    json!({
                        "status": status, "reused": reused, "reason": reason, "hint": hint,
                        "wall_ms": attempt.wall_ms, "cpu_ms": attempt.cpu_ms, "peak_kib": attempt.peak_kib,
                        "metrics": metrics_json(&entry.record.metrics), "alerts": entry.record.alerts,
                    }),
                );
            }
            StepEvent::Failed(failure) => {
                let log = failure.work_dir.as_deref().zip(failure.log.as_deref()).map(|(dir, log)| dir.join(log));
                self.about(
                    step,
                    "step_failed",
                    json!({
                        "class": failure.class, "message": failure.message, "words": failure.words,
                        "hint": failure.hint, "log": log,
                    }),
                );
            }
        }
    }

    fn say(&self, text: &str) {
        emit(self.terminal, "message", json!({ "text": text }));
    }
}

fn judgement(record: &Record, reused: bool) -> (&'static str, Option<&str>, Option<&str>) {
    match &record.verdict {
        Verdict::Passed => (if reused { "reused" } else { "done" }, None, None),
        Verdict::NotChecked { reason } => ("not_checked", Some(reason), None),
        Verdict::Failed { reason, hint } => ("check_failed", Some(reason), hint.as_deref()),
    }
}

/// Metrics as JSON: infinity and NaN are strings.
pub(crate) fn metrics_json(metrics: &tapeout_model::Metrics) -> Value {
    Value::Object(metrics.iter().map(|(name, metric)| (name.clone(), metric.to_json())).collect())
}

/// The first line of the log.
pub(crate) fn run_started(terminal: &Terminal, plan: &Plan, tag: &str) {
    let steps: Vec<&str> = plan.running().map(|(_, step)| step.id.as_str()).collect();
    let fields = json!({ "flow": plan.flow, "design": plan.design(), "tag": tag, "steps": steps });
    emit(terminal, "run_started", fields);
}

/// The last line of the log.
pub(crate) fn run_finished(terminal: &Terminal, exit_code: u8, dir: &Path, summary: &RunSummary) {
    emit(terminal, "run_finished", json!({ "exit_code": exit_code, "dir": dir, "summary": summary }));
}

fn emit(terminal: &Terminal, event: &str, fields: Value) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = (now.as_secs_f64() * 1e3).round() / 1e3;
    let mut object = json!({ "event": event, "time": time });
    merge(&mut object, fields);
    terminal.print(&object.to_string());
}

fn merge(object: &mut Value, fields: Value) {
    if let (Value::Object(object), Value::Object(fields)) = (object, fields) {
        object.extend(fields);
    }
}
