//! The area `cli`: the command line as users run it, with the steps of the cases. The peer's options that have another
//! name here are given by that; those that have no counterpart are passed on, and refused.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value as Json, json};

use crate::outcome::Outcome;
use crate::place::Place;
use crate::run::{entry, only};

/// The name by which this program is the command line.
pub(crate) const NAME: &str = "tapeout";

/// Runs of a configuration, one after the other.
pub(crate) fn command_line(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["config_file", "config", "args"])?;
    let file = entry(input, "config_file")?.as_str();
    if let Some(file) = file {
        let text = match entry(input, "config")? {
            Json::String(text) => text.clone(),
            config => config.to_string(),
        };
        place.write(&place.cwd().join(file), &text)?;
    }
    let args = entry(input, "args")?.as_array().ok_or("`args` is not a list")?;
    if !args.iter().any(Json::is_array) {
        return one(file, args, place).map(Outcome::Accepted);
    }
    let mut runs = Vec::new();
    for args in args {
        runs.push(one(file, args.as_array().ok_or("arguments are not a list")?, place)?);
    }
    Ok(Outcome::Accepted(runs.into()))
}

/// One run, and what it left.
fn one(file: Option<&str>, args: &[Json], place: &Place<'_>) -> Result<Json, String> {
    let args: Vec<&str> = args.iter().filter_map(Json::as_str).collect();
    let mut words = Vec::new();
    let mut tag = "default";
    let mut given = args.iter();
    while let Some(arg) = given.next() {
        match *arg {
            "--run-tag" => {
                tag = given.next().copied().unwrap_or_default();
                words.extend(["--tag", tag]);
            }
            // PDKs are never fetched here.
            "--manual-pdk" => {}
            // New results take the place of those that are there.
            "--overwrite" => words.push("--fresh"),
            other => words.push(other),
        }
    }
    if words != ["--version"] {
        // One step after the other, as there.
        words.splice(0..0, ["run", "-j1"]);
        words.extend(file);
    }
    let (good, text) = tapeout(&words, place)?;
    let mut told = Map::new();
    told.insert("good".to_owned(), json!(good));
    if words == ["--version"] {
        told.insert("lists_plugin".to_owned(), json!(text.contains("plugin")));
        return Ok(told.into());
    }
    let runs = place.cwd().join("runs");
    let dir = runs.join(tag);
    // What was refused before it began has no directory here, and an empty one there.
    told.insert("runs".to_owned(), json!({ tag: step_dirs(&dir) }));
    if let Ok(text) = fs::read_to_string(dir.join("final/metrics.json")) {
        let metrics: Json = serde_json::from_str(&text).map_err(|error| error.to_string())?;
        told.insert("final_metrics".to_owned(), metrics);
    }
    told.insert("tree".to_owned(), json!(tree(&dir)));
    Ok(told.into())
}

/// How a command ended, and what it said.
pub(crate) struct Ended {
    /// Whether all was well.
    pub(crate) good: bool,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs the command line in the design directory: whether all was well, and what it said.
pub(crate) fn tapeout(args: &[&str], place: &Place<'_>) -> Result<(bool, String), String> {
    let Ended { good, output, errors } = ended(args, place)?;
    Ok((good, output + &errors))
}

/// The same, with what it said to the output apart from its errors.
#[expect(clippy::disallowed_methods, reason = "the program is started as its users start it")]
pub(crate) fn ended(args: &[&str], place: &Place<'_>) -> Result<Ended, String> {
    let cannot = |error: std::io::Error| format!("cannot start this program once more: {error}");
    let program = std::env::current_exe().map_err(cannot)?;
    let home = place.root().join("home");
    let mut command = Command::new(program);
    command.arg0(NAME).args(args).current_dir(place.cwd()).env("HOME", home).env_remove("XDG_CACHE_HOME");
    let done = command.output().map_err(cannot)?;
    let [output, errors] = [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    Ok(Ended { good: done.status.success(), output, errors })
}

/// The directories of steps in a run, with their numbers as the peer writes them. That of a failed attempt stands for the
/// step.
pub(crate) fn step_dirs(dir: &Path) -> Vec<String> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut steps: Vec<String> = names.filter(|name| name.starts_with(|c: char| c.is_ascii_digit())).collect();
    for step in &mut steps {
        *step = step.trim_start_matches('0').trim_end_matches(".failed").to_owned();
    }
    steps.sort();
    steps.dedup();
    steps
}

/// All files of a run that are not hidden, relative to it.
fn tree(dir: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            match path.strip_prefix(dir) {
                Ok(_) if path.is_dir() => pending.push(path),
                Ok(name) if !name.to_string_lossy().starts_with('.') => files.push(name.to_string_lossy().into_owned()),
                _ => {}
            }
        }
    }
    files.sort();
    files
}
