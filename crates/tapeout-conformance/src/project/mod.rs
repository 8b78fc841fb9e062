//! The cases of PyDesignFlow: a flow, and commands one after the other in one project. What the peer's options are
//! called here is known here; how its flows are written, in [`star`]; what its messages say, in [`words`].

pub(crate) mod account;
mod star;
mod words;

use std::fs;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::cli::{Ended, ended};
use crate::outcome::Outcome;
use crate::place::Place;
use crate::run::{entry, only};

/// The peer's directory of results and where a case writes; both are absolute paths in what it prints.
const BUILD: &str = "$BUILD";
const PROJECT: &str = "$PROJECT";

/// The commands of a case; the outcome is an account of each.
pub(crate) fn commands(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["flow", "steps"])?;
    place.write(&place.cwd().join("flow.star"), &star::flow_star(entry(input, "flow")?)?)?;
    let steps = entry(input, "steps")?.as_array().ok_or("`steps` is not a list")?;
    let accounts = steps.iter().map(|step| command(step, place)).collect::<Result<Vec<_>, _>>()?;
    Ok(Outcome::Accepted(accounts.into()))
}

/// One command, after what the case does to files first.
fn command(step: &Json, place: &Place<'_>) -> Result<Json, String> {
    only(step, &["cmd", "touch_before", "write_before"])?;
    for path in step.get("touch_before").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str) {
        place.write(&place.cwd().join(path), "")?;
    }
    for (path, text) in step.get("write_before").and_then(Json::as_object).into_iter().flatten() {
        place.write(&place.cwd().join(path), text.as_str().ok_or("text to write is no text")?)?;
    }
    let words: Vec<&str> = entry(step, "cmd")?.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let ours = Command::of(&words);
    let mut told = Map::new();
    if ours.runs {
        // What would run is told by the same command, which does nothing yet.
        let dry = ended(&ours.with(&["--dry-run", "--json"]), place)?;
        told.insert("plan".to_owned(), planned(&dry));
    }
    let ended = if ours.dry { ended(&ours.with(&["--dry-run"]), place)? } else { ended(&ours.words(), place)? };
    told.insert("good".to_owned(), json!(ended.good));
    told.insert("ran".to_owned(), json!(ran(&ended.errors)));
    told.insert("says".to_owned(), json!(said(&ended, place)));
    told.insert("files".to_owned(), Json::Object(files(&place.cwd())));
    Ok(told.into())
}

/// A command of ours in place of one of the peer's.
struct Command {
    words: Vec<String>,
    /// Whether it runs targets.
    runs: bool,
    /// Whether it only says what it would do.
    dry: bool,
}

impl Command {
    fn of(words: &[&str]) -> Self {
        let mut given = Given::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "-B" | "--build-dir" => given.build_dir = words.next().map(|dir| (*dir).to_owned()),
                "-d" | "--dry-run" => given.dry = true,
                "-R" | "--rebuild-dependencies" => given.options.push("--fresh"),
                "-N" | "--no-dependencies" => given.options.push("--no-dependencies"),
                "-c" | "--clean" => given.clean = true,
                "-M" | "--monitor" => given.follow = true,
                "-b" | "--brief" => given.brief = true,
                // The table has targets that were not run anyway.
                "-a" | "--hidden" | "-n" | "--no-color" => {}
                "-h" | "--help" => given.help = true,
                // What is none of the peer's must be none here.
                option if option.starts_with('-') => given.options.push(option),
                name => given.names.push(name),
            }
        }
        given.command()
    }

    fn words(&self) -> Vec<&str> {
        self.words.iter().map(String::as_str).collect()
    }

    fn with<'a>(&'a self, more: &[&'a str]) -> Vec<&'a str> {
        [self.words().as_slice(), more].concat()
    }
}

/// What the peer is told to do.
#[derive(Default)]
struct Given<'a> {
    names: Vec<&'a str>,
    options: Vec<&'a str>,
    build_dir: Option<String>,
    dry: bool,
    clean: bool,
    follow: bool,
    brief: bool,
    help: bool,
}

impl Given<'_> {
    fn command(self) -> Command {
        // A block and a task may be two words there. Everything that is too much stays.
        let mut names: Vec<String> = self.names.iter().map(|name| (*name).to_owned()).collect();
        if let [block, task] = self.names.as_slice()
            && !block.contains('.')
        {
            names = vec![format!("{block}.{task}")];
        }
        let of_target = names.iter().any(|name| name.split_once('.').is_some_and(|(_, task)| !task.is_empty()));
        for name in &mut names {
            name.truncate(name.trim_end_matches('.').len());
        }
        let runs = of_target && !(self.clean || self.follow || self.help);
        let mut words: Vec<String> = match () {
            () if self.help => vec!["--help"],
            () if self.follow => vec!["status", "--follow"],
            // Where nothing is to be done yet, the question is not answered.
            () if self.clean && self.dry => vec!["clean"],
            () if self.clean => vec!["clean", "-y"],
            () if runs => vec!["run", "-j1"],
            () if self.brief => vec!["list", "targets"],
            () => vec!["status"],
        }
        .into_iter()
        .map(str::to_owned)
        .collect();
        words.extend(self.options.iter().map(|option| (*option).to_owned()));
        words.extend(names);
        words.extend(self.build_dir.into_iter().flat_map(|dir| ["--build-dir".to_owned(), dir]));
        Command { words, runs, dry: self.dry && runs }
    }
}

/// The targets that would run, in order.
fn planned(dry: &Ended) -> Json {
    let plan: Json = serde_json::from_str(&dry.output).unwrap_or_default();
    plan["targets"].as_array().into_iter().flatten().map(|target| target["target"].clone()).collect()
}

/// The targets that ran, in the order in which they began: `[1/2] b.t: started: …`.
fn ran(said: &str) -> Vec<&str> {
    said.lines()
        .filter_map(|line| Some(line.strip_prefix('[')?.split_once("] ")?.1.split_once(": started")?.0))
        .collect()
}

/// Everything that was printed, with the peer's names for directories.
fn said(ended: &Ended, place: &Place<'_>) -> String {
    let project = place.cwd();
    let build = project.join("build");
    let text = format!("{}{}", ended.output, ended.errors);
    // What a task prints has its name before each line.
    let text: Vec<&str> =
        text.lines().map(|line| line.split_once(" | ").map_or(line, |(_, printed)| printed)).collect();
    let text = text.join("\n");
    text.replace(&*build.to_string_lossy(), BUILD).replace(&*project.to_string_lossy(), PROJECT)
}

/// All files below the project that are not hidden, by their paths there: their text, or nothing of those that are none.
fn files(project: &Path) -> Map<String, Json> {
    let mut files = Map::new();
    let mut pending = vec![project.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            let Ok(name) = path.strip_prefix(project) else { continue };
            let name = name.to_string_lossy().into_owned();
            if name.starts_with('.') {
                continue;
            }
            if path.is_dir() {
                pending.push(path);
                files.insert(name, Json::Null);
            } else {
                files.insert(name, fs::read_to_string(&path).map_or(Json::Null, Json::from));
            }
        }
    }
    files
}
