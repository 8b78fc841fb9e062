//! The areas on steps: `step`, `step.*`. Each case is a flow of its own that runs in the place of the case.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value as Json, json};
use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Tool, Toolbox};
use tapeout_flow::{
    Again, Command, Completed, Ended, Failure, Flow, Invocation, Plan, Run, Session, Step, StepCx, StepInfo,
    StepResult, StepStatus, StepSummary,
};
use tapeout_model::{Metric, Metrics, Value};

use crate::encoding::{decode, encode_metrics};
use crate::outcome::{Outcome, Refusal};
use crate::place::Place;
use crate::run::{entry, only, text};

/// Measures what it is told.
struct Measure {
    metrics: Metrics,
}

impl Step for Measure {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Measure", "", "", "1").measures_metrics(&[""])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult { metrics: self.metrics.clone(), ..StepResult::default() })
    }
}

/// Runs a script of the shell and takes what it tells.
struct Proto {
    script: String,
}

impl Step for Proto {
    fn info(&self) -> StepInfo {
        StepInfo::new("Tool.Proto", "", "", "1").tools(&["sh"])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let commands = vec![Command::new("sh").args(["-c", &self.script])];
        Ok(vec![Invocation { commands, ..Invocation::default() }.into()])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        cx.told(&sessions[0])
    }
}

/// Reads a view.
struct Reads {
    format: String,
}

impl Step for Reads {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Reads", "", "", "1").needs(&self.format)
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}

const LAST: &str = "Test.Last";

/// Is there to be reached.
struct Last;

impl Step for Last {
    fn info(&self) -> StepInfo {
        StepInfo::new(LAST, "", "", "1")
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}

/// What came of a flow of one such step, if it is one of these, and others by their ids, with variables.
fn run(
    step: impl Step + 'static,
    more: &[&str],
    variables: Vec<(String, Value)>,
    place: &Place<'_>,
) -> Result<Result<Ended, Outcome>, String> {
    let id = step.info().id;
    let mut registry = tapeout_tools::registry();
    registry.add_step(step).add_step(Last).add_tool(Tool {
        name: "sh",
        summary: "",
        package: "dash",
        version_args: &[],
        minimum: None,
        companions: &[],
    });
    registry.add_flow(Flow::new("Case", "", &[&[id], more].concat()));
    let name = ("DESIGN_NAME".to_owned(), Value::from("t"));
    let mapping = Value::Map([name].into_iter().chain(variables).collect());
    let loader = Loader { mapping: Some(mapping), design_dir: Some(place.cwd()), ..Loader::default() };
    let mut sources = SourceMap::new();
    let plan = match Plan::load(&registry, loader, Some("Case"), &mut sources) {
        Ok(plan) => plan,
        Err(errors) => return Ok(Err(Outcome::refused(&errors.0, &sources))),
    };
    let toolbox = Toolbox::new(registry.tools().cloned(), plan.config.tools());
    let engine = Engine::open(&place.cwd(), toolbox, Options::cores(1)).map_err(|error| error.to_string())?;
    let run = Run::new(&plan, &engine, "case").map_err(|failure| failure.to_string())?;
    Ok(Ok(run.execute(|_| Again::No, |_, _| ()).map_err(|failure| failure.to_string())?))
}

/// `step`: a step whose view nobody makes.
pub(crate) fn step(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["inputs", "state_in"])?;
    if input["state_in"] != json!({}) {
        return Err("only an empty state is understood".to_owned());
    }
    let format = entry(input, "inputs")?[0].as_str().ok_or("`inputs` is not a list of text")?;
    Ok(match run(Reads { format: format.to_owned() }, &[], Vec::new(), place)? {
        Ok(_) => Outcome::Accepted(Json::Null),
        Err(refused) => refused,
    })
}

/// `step.subprocess`: the lines of a tool's output that tell something.
pub(crate) fn subprocess(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["stdout", "exit_code", "script"])?;
    let script = match input.get("script") {
        Some(Json::String(script)) if script == "kill -9 self" => "kill -9 $$".to_owned(),
        Some(_) => return Err(format!("the script {} is not understood", input["script"])),
        None => {
            let escaped = |byte: u8| format!("\\{byte:03o}");
            let bytes: String = unescaped(text(input, "stdout")?).into_iter().map(escaped).collect();
            let code = input.get("exit_code").and_then(Json::as_i64).unwrap_or_default();
            format!("printf '{bytes}'; exit {code}")
        }
    };
    let ended = match run(Proto { script }, &[], Vec::new(), place)? {
        Ok(ended) => ended,
        Err(refused) => return Ok(refused),
    };
    if let Some((_, failure)) = ended.failures.first() {
        return Ok(Refusal::outcome(failure));
    }
    let step = &ended.summary.steps[0];
    let dir = ended.dir.join(&step.dir);
    let log = step.log.as_deref().and_then(|log| log.rsplit('/').next()).unwrap_or_default();
    let mut files = Map::new();
    add_files(&dir, &dir, log, &mut files)?;
    // Times and memory are told of the run as a whole here.
    if step.attempt.is_some() {
        files.insert("runtime.txt".to_owned(), Json::Null);
        files.insert(log.replace(".log", ".process_stats.json"), Json::Null);
    }
    let metrics = encode_metrics(&ended.summary.metrics)?;
    Ok(Outcome::Accepted(json!({ "metrics": metrics, "files": files, "returncode": 0, "log": log })))
}

/// Bytes that a case writes as `\xfa` are these bytes.
fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\x") {
        bytes.extend(before.bytes());
        match after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.extend(b"\\x");
                rest = after;
            }
        }
    }
    bytes.extend(rest.bytes());
    bytes
}

/// The names of all files, with the text of those that the tool's output makes.
fn add_files(root: &Path, dir: &Path, log: &str, files: &mut Map<String, Json>) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", dir.display());
    for entry in fs::read_dir(dir).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.is_dir() {
            add_files(root, &path, log, files)?;
            continue;
        }
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        let told = name == log || !["COMMANDS", "config.json", "state_in.json", "state_out.json"].contains(&&*name);
        let text = fs::read(&path).map_err(cannot)?;
        files.insert(name, if told { json!(String::from_utf8_lossy(&text)) } else { Json::Null });
    }
    Ok(())
}

/// The only checker with a threshold that is not 0. The flow goes on after it, whatever a case wants.
const WITH_THRESHOLD: &str = "Checker.WireLength";

/// `step.checker`: a metric and a limit. The checkers that are there stand for those of the cases.
pub(crate) fn checker(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["metric_value", "deferred", "threshold"])?;
    let deferred = entry(input, "deferred")?.as_bool().ok_or("`deferred` is not a boolean")?;
    let threshold = entry(input, "threshold")?;
    let is_zero = threshold.as_f64() == Some(0.0);
    let (id, metric) = match (is_zero, deferred) {
        (true, true) => ("Checker.TrDRC", "route__drc_errors"),
        (true, false) => ("Checker.YosysUnmappedCells", "design__instance_unmapped__count"),
        (false, _) => (WITH_THRESHOLD, "route__wirelength__max"),
    };
    let variables = match decode(threshold)? {
        Value::Null => Vec::new(),
        _ if is_zero => Vec::new(),
        threshold => vec![("WIRE_LENGTH_THRESHOLD".to_owned(), threshold)],
    };
    let value = State::metric(entry(input, "metric_value")?)?;
    let metrics = value.into_iter().map(|value| (metric.to_owned(), value)).collect();
    let ended = match run(Measure { metrics }, &[id, LAST], variables, place)? {
        Ok(ended) => ended,
        Err(refused) => return Ok(refused),
    };
    let [_, checker, last] = &ended.summary.steps[..] else { return Err("the flow has other steps".to_owned()) };
    let went_on = last.status == StepStatus::Done;
    Ok(match (checker.status, went_on) {
        (StepStatus::CheckFailed, went_on) if went_on == deferred || id == WITH_THRESHOLD => {
            Refusal::outcome(reason(checker))
        }
        (StepStatus::CheckFailed, _) => return Err(format!("the flow went on: {went_on}")),
        (StepStatus::NotChecked, true) => Outcome::Accepted(json!({ "logged_levels": ["WARNING"] })),
        (StepStatus::Done, true) if checker.alerts.is_empty() => {
            Outcome::Accepted(json!({ "logged_levels": ["INFO"] }))
        }
        (StepStatus::Done, true) => Outcome::Accepted(json!({ "logged_levels": ["WARNING"] })),
        (status, _) => return Err(format!("the checker ended as {status:?}: {}", reason(checker))),
    })
}

/// `step.timing_checker`: counts of violations by corner. `ZED` is the kind of violation.
pub(crate) fn timing_checker(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    let (all, own) = ("TIMING_VIOLATION_CORNERS", "ZED_VIOLATION_CORNERS");
    only(input, &["metric_by_corner", all, own])?;
    let counts = entry(input, "metric_by_corner")?.as_object().ok_or("`metric_by_corner` is not a map")?;
    let mut metrics = Metrics::new();
    for (corner, count) in counts {
        let name = format!("timing__setup_vio__count__corner:{corner}");
        metrics.extend(State::metric(count)?.map(|count| (name, count)));
    }
    let mut variables = vec![("CLOCK_PERIOD".to_owned(), Value::Int(10))];
    for (given, here) in [(all, all), (own, "SETUP_VIOLATION_CORNERS")] {
        if let Some(patterns) = input.get(given).filter(|patterns| !patterns.is_null()) {
            variables.push((here.to_owned(), decode(patterns)?));
        }
    }
    let ended = match run(Measure { metrics }, &["Checker.SetupViolations", LAST], variables, place)? {
        Ok(ended) => ended,
        Err(refused) => return Ok(refused),
    };
    let [_, checker, last] = &ended.summary.steps[..] else { return Err("the flow has other steps".to_owned()) };
    if last.status != StepStatus::Done {
        return Err("the flow did not go on".to_owned());
    }
    Ok(match checker.status {
        StepStatus::CheckFailed => Refusal::outcome(reason(checker)),
        StepStatus::Done | StepStatus::NotChecked => {
            let warned = |corner: &&String| checker.alerts.iter().any(|alert| alert.message.contains(corner.as_str()));
            let corners: Vec<&String> = counts.keys().filter(warned).collect();
            Outcome::Accepted(json!({ "warned_corners": corners }))
        }
        status => return Err(format!("the checker ended as {status:?}: {}", reason(checker))),
    })
}

fn reason(step: &StepSummary) -> &str {
    step.reason.as_deref().unwrap_or_default()
}

/// How cases write metrics.
struct State;

impl State {
    fn metric(value: &Json) -> Result<Option<Metric>, String> {
        let state = json!({ "metrics": { "m": value } });
        Ok(tapeout_model::State::from_json(&state)?.metrics.remove("m"))
    }
}
