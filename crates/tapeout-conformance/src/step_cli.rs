//! The area `step_cli`: one step from its directory. What the peer's modules do is done by `step run`, `step pack` and the
//! states of a run; what their arguments are called here is known here.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::cli::tapeout;
use crate::outcome::Outcome;
use crate::place::Place;
use crate::run::{entry, only};

/// The run that cases refer to as `$R/1/runs/t`: of the flow `TestFlow`.
const RUN: &str = "runs/t";

/// A command of a module on steps or states: how it ended, and what there is then.
pub(crate) fn command(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["module_args"])?;
    let words: Vec<&str> =
        entry(input, "module_args")?.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    place.write(&place.cwd().join("config.json"), r#"{"meta": {"flow": "TestFlow"}, "DESIGN_NAME": "x"}"#)?;
    let (good, text) = tapeout(&["run", "-q", "--tag", "t"], place)?;
    if !good {
        return Err(format!("the run that the cases refer to failed: {text}"));
    }
    let ended = match words.as_slice() {
        ["librelane.steps", "run", options @ ..] => run(options, place)?,
        ["librelane.steps", "eject", ..] => eject(place)?,
        ["librelane.state", "latest", dir] => latest(dir, place)?,
        _ => return Err(format!("nothing is known of the command {words:?}")),
    };
    Ok(Outcome::Accepted(ended))
}

/// `step run`: `-c` names a configuration there, and stands alone here. One in the directory is that of the step, as the
/// peer's reproducibles have it.
fn run(options: &[&str], place: &Place<'_>) -> Result<Json, String> {
    let mut words = vec!["step", "run"];
    let mut out = None;
    let mut config = None;
    for pair in options.chunks(2) {
        match *pair {
            ["-o", dir] => out = Some(dir),
            ["-c", file] => config = Some(file),
            ["--id", id] => words.extend(["--id", id]),
            // The state beside the configuration is taken anyway.
            ["-i", _] => {}
            _ => return Err(format!("nothing is known of the option {pair:?}")),
        }
    }
    let out = out.ok_or("no directory is named for the results")?.trim_start_matches("../");
    words.extend(["-o", out]);
    let alone = "alone/config.json";
    if config.is_some() {
        let text = r#"{"meta": {"version": 2, "step": "Test.Sh"}, "DESIGN_NAME": "x", "TEST_VAR": 3}"#;
        place.write(&place.cwd().join(alone), text)?;
        place.write(&place.cwd().join("alone/state_in.json"), r#"{"metrics": {}}"#)?;
        words.push(alone);
    }
    let (good, _) = tapeout(&words, place)?;
    Ok(if good { json!({ "good": good, "files": files(&place.cwd().join(out)) }) } else { json!({ "good": good }) })
}

/// `step pack`: what is told is what lies where the step runs, and the script of the whole.
fn eject(place: &Place<'_>) -> Result<Json, String> {
    let (good, _) = tapeout(&["step", "pack", "@t/Test.Sh", "-o", "pack"], place)?;
    let pack = place.cwd().join("pack");
    let script = fs::read_to_string(pack.join("run.sh")).unwrap_or_default();
    let command = script.lines().find(|line| line.starts_with("sh ")).unwrap_or_default();
    Ok(json!({ "good": good, "files": files(&pack), "last_line_starts": command.get(.."sh -c 'echo ".len()) }))
}

/// The state after the last step, which is what `run.json` and the directories of steps tell.
fn latest(dir: &str, place: &Place<'_>) -> Result<Json, String> {
    let run = match dir {
        "$R/1/runs/t" => place.cwd().join(RUN),
        _ => place.cwd().join("empty"),
    };
    let summary = fs::read(run.join("run.json")).ok();
    let summary: Option<Json> = summary.and_then(|text| serde_json::from_slice(&text).ok());
    let steps = summary.iter().filter_map(|summary| summary["steps"].as_array()).flatten();
    let mut states = steps.filter_map(|step| Some(Path::new(step["dir"].as_str()?).join("state_out.json")));
    let last: Option<PathBuf> = states.rfind(|state| run.join(state).is_file());
    Ok(match last {
        Some(state) => {
            let parts = state.iter().map(|part| part.to_string_lossy().trim_start_matches('0').to_owned());
            json!({ "good": true, "path_printed_endswith": parts.collect::<Vec<_>>() })
        }
        None => json!({ "good": false }),
    })
}

/// The names in a directory, without hidden ones.
fn files(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    names
}
