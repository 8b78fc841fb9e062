//! The areas on states and views: `state`, `state.*`.

use std::path::Path;

use serde_json::{Map, Value as Json, json};
use tapeout_flow::{check_formats, load_state};
use tapeout_model::{DesignFormat, Metric, Metrics, State, View, metrics_csv, metrics_json};

use crate::encoding::encode_metrics;
use crate::outcome::{Outcome, Refusal};
use crate::place::Place;
use crate::run::{entry, only};

/// `state.design_format`: what is known of a format by any of its names; null where there is none.
pub(crate) fn design_format(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    let name = input.as_str().ok_or("the input is not text")?;
    Ok(match tapeout_flow::design_format(name) {
        Ok(DesignFormat { id, extension, folder, per_corner, .. }) => {
            Outcome::Accepted(json!({ "id": id, "extension": extension, "folder": folder, "multiple": per_corner }))
        }
        Err(_) => Outcome::Accepted(Json::Null),
    })
}

/// `state.validate`: whether views are in known formats. A path is written `{"$path": …}` there, text is not one.
pub(crate) fn validate(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["views"])?;
    let state = match State::from_json(&with_plain_paths(entry(input, "views")?)) {
        Ok(state) => state,
        Err(error) => return Ok(Refusal::outcome(error)),
    };
    Ok(match check_formats(&state) {
        Ok(()) => Outcome::Accepted(json!("valid")),
        Err(failure) => Refusal::outcome(failure),
    })
}

/// `state.load`: the text of a file beside the file `t.nl.v`.
pub(crate) fn load(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    let file = place.cwd().join("state_in.json");
    place.write(&file, input.as_str().ok_or("the input is not text")?)?;
    place.write(&place.cwd().join("t.nl.v"), "// A netlist.\n")?;
    let state = match load_state(&file) {
        Ok(state) => state,
        Err(failure) => return Ok(Refusal::outcome(failure)),
    };
    let cwd = place.cwd();
    let from_cwd = |path: &Path| path.strip_prefix(&cwd).unwrap_or(path).display().to_string();
    let mut encoded = state.map(|path| from_cwd(path)).to_json();
    encoded["metrics"] = encode_metrics(&state.metrics)?;
    Ok(Outcome::Accepted(encoded))
}

/// `state`: one state laid over another, a state without its null views, and what `final/` has of a state.
pub(crate) fn state(input: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    if let Some(base) = input.get("base") {
        only(input, &["base", "override"])?;
        let state = State::from_json(base)?.overlaid(State::from_json(entry(input, "override")?)?);
        return Ok(Outcome::Accepted(views(&state)));
    }
    only(input, &["views", "metrics"])?;
    let mut state = State::from_json(entry(input, "views")?)?;
    let Some(metrics) = input.get("metrics") else {
        return Ok(Outcome::Accepted(json!(state.views.len())));
    };
    state.metrics = described(metrics)?;
    let mut files: Vec<String> = state.snapshot(String::as_str).into_keys().collect();
    files.extend(["metrics.csv", "metrics.json"].map(str::to_owned));
    files.sort_unstable();
    Ok(Outcome::Accepted(json!({
        "files": files,
        "metrics.csv": metrics_csv(&state.metrics),
        "metrics.json": format!("{:#}", metrics_json(&state.metrics)),
    })))
}

/// The views alone.
fn views(state: &State<String>) -> Json {
    let State { views, .. } = state;
    let file = |(format, view): (&String, &View<String>)| match view {
        View::File(file) => Some((format.clone(), json!(file))),
        View::Files(_) | View::Named(_) => None,
    };
    Json::Object(views.iter().filter_map(file).collect())
}

/// Metrics of which some are only described: `2.5 (decimal)`, `+infinity`.
fn described(metrics: &Json) -> Result<Metrics, String> {
    let metrics: Map<String, Json> = metrics.as_object().ok_or("`metrics` is not a map")?.clone();
    let mut made = State::from_json(&json!({ "metrics": metrics }))?.metrics;
    for metric in made.values_mut() {
        if let Metric::Text(text) = metric {
            let number = text.strip_suffix(" (decimal)").map(str::parse);
            if let Some(Ok(number)) = number {
                *metric = Metric::Float(number);
            } else if text == "+infinity" {
                *metric = Metric::Float(f64::INFINITY);
            }
        }
    }
    Ok(made)
}

fn with_plain_paths(views: &Json) -> Json {
    match views {
        Json::Object(entries) => match entries.get("$path") {
            Some(path) => path.clone(),
            None => entries.iter().map(|(name, view)| (name.clone(), with_plain_paths(view))).collect(),
        },
        Json::Array(items) => items.iter().map(with_plain_paths).collect(),
        other => other.clone(),
    }
}
