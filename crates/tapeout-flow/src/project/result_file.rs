//! `result.json`: the result of a target as people and other programs read it. It shows times; nothing depends on it.

use serde_json::{Map, Value as Json, json};
use tapeout_model::Data;
use tapeout_store::Entry;

/// The content of the file.
pub(super) fn text(block: &str, task: &str, entry: &Entry) -> String {
    let attempt = entry.attempt();
    let started = attempt.started as f64;
    let finished = started + attempt.wall_ms as f64 / 1000.0;
    let mut data: Map<String, Json> =
        entry.record().data.iter().map(|(name, datum)| (name.clone(), datum.to_json())).collect();
    data.insert("time_started".to_owned(), Data::Time(started).to_json());
    data.insert("time_finished".to_owned(), Data::Time(finished).to_json());
    let json = json!({ "block_id": block, "task_id": task, "data": data });
    format!("{json:#}\n")
}
