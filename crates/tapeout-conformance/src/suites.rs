//! The case files: what peers were given and what came of it. Owns their two forms, and nothing of what cases mean.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value as Json, json};

/// The suites in the order in which they are told of. Each is a file, `NAME.json`, and may have a second one,
/// `NAME-more.json`, with cases like those of the first.
pub(crate) const SUITES: [&str; 5] = ["openlane", "radgen", "hammer_config", "hammer_hook", "pydesignflow"];

/// The cases of one peer.
#[derive(Debug)]
pub(crate) struct Suite {
    /// The peer.
    pub(crate) name: &'static str,
    /// The cases in the order of the file.
    pub(crate) cases: Vec<Case>,
    /// What the cases of a suite refer to by name.
    pub(crate) definitions: Json,
}

/// One case.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// What it is about. Empty where a suite is about one thing.
    pub(crate) area: String,
    /// What people call it; names repeat.
    pub(crate) name: String,
    /// What the peer was given.
    pub(crate) input: Json,
    /// What came of it: `{"ok": …}` or `{"error": …}`.
    pub(crate) expected: Json,
    /// What should have come of it, in words, where the case says that the peer is wrong.
    pub(crate) wanted: Option<String>,
    /// Whether it is of the second file of the suite, where a case may differ by a kind of difference.
    pub(crate) more: bool,
}

/// Reads the suites of which there is a file in the directory.
///
/// # Errors
/// There is none, or one that is not of the known form.
pub(crate) fn read(dir: &Path) -> Result<Vec<Suite>, String> {
    let mut suites = Vec::new();
    for name in SUITES {
        let mut suite = Suite { name, cases: Vec::new(), definitions: Json::Null };
        let mut found = false;
        for (file, more) in [(format!("{name}.json"), false), (format!("{name}-more.json"), true)] {
            let path = dir.join(file);
            if !path.exists() {
                continue;
            }
            found = true;
            let at = |error: String| format!("{}: {error}", path.display());
            let text = fs::read_to_string(&path).map_err(|error| at(error.to_string()))?;
            let file: Json = serde_json::from_str(&text).map_err(|error| at(error.to_string()))?;
            suite.add(&file, more).map_err(at)?;
        }
        suites.extend(found.then_some(suite));
    }
    if suites.is_empty() {
        let names = SUITES.map(|name| format!("{name}.json"));
        return Err(format!("{}: no case file here; expected one of {}", dir.display(), names.join(", ")));
    }
    Ok(suites)
}

impl Suite {
    fn add(&mut self, file: &Json, more: bool) -> Result<(), String> {
        let cases = file.as_array().or_else(|| file["cases"].as_array());
        let cases = cases.ok_or("expected a list of cases, or a map with `cases`")?;
        for (index, case) in cases.iter().enumerate() {
            let case = case.as_object().ok_or_else(|| format!("case {index} is not a map"))?;
            let case = match self.name {
                "openlane" => openlane(case),
                "radgen" => radgen(case),
                "pydesignflow" => pydesignflow(case),
                "hammer_hook" => hammer_hook(case),
                // Nothing of these is run yet.
                _ => Case::default_of(case),
            };
            match case {
                Case { area, input, .. } if area == "_schemas" => self.definitions = input,
                case => self.cases.push(Case { more, ..case }),
            }
        }
        Ok(())
    }
}

impl Case {
    fn default_of(case: &Map<String, Json>) -> Self {
        let text = |key: &str| case.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
        Self {
            area: String::new(),
            name: text("id"),
            input: Json::Null,
            expected: Json::Null,
            wanted: None,
            more: false,
        }
    }
}

/// The module of LibreLane that compares metrics, and the area of its commands.
const METRICS_MODULE: &str = "librelane.common.metrics";
const METRICS_AREA: &str = "metrics.cli";

fn openlane(case: &Map<String, Json>) -> Case {
    let text = |key: &str| case.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let value = |key: &str| case.get(key).cloned().unwrap_or_default();
    let (area, name, mut input) = (text("area"), text("name"), value("input"));
    // Commands of several modules share an area there; those on metrics belong to metrics.
    let of_metrics = area == "step_cli" && input["module_args"][0] == METRICS_MODULE;
    let area = if of_metrics { METRICS_AREA.to_owned() } else { area };
    if area == "cli" {
        // What the steps are is said in each case in the same words.
        input.as_object_mut().and_then(|input| input.shift_remove("steps"));
    }
    let expected = match value("expected") {
        // How a command ended is all that is said of it.
        expected if of_metrics => json!({ "ok": expected }),
        expected if area == "cli" || area == "step_cli" => json!({ "ok": ended(&expected) }),
        other => other,
    };
    Case { area, name, input, expected, wanted: None, more: false }
}

/// How the peer's command line ended. Of its exit codes, which mean several things each, only the good one is kept, and
/// nothing of what its errors look like.
fn ended(expected: &Json) -> Json {
    match expected {
        Json::Array(runs) => runs.iter().map(ended).collect(),
        Json::Object(entries) => {
            let kept = entries.iter().filter(|(name, _)| *name != "raw_traceback");
            let kept = kept.map(|(name, value)| match name.as_str() {
                "exit" => ("good".to_owned(), json!(value == 0)),
                _ => (name.clone(), value.clone()),
            });
            Json::Object(kept.collect())
        }
        other => other.clone(),
    }
}

/// The keys by which RAD-Gen's cases say what is given; all others tell what came of it.
const RADGEN_INPUT: [&str; 4] = ["argv", "top_config", "env_unset", "env"];

fn radgen(case: &Map<String, Json>) -> Case {
    let text = |key: &str| case.get(key).and_then(Json::as_str).unwrap_or_default().to_owned();
    let given = RADGEN_INPUT.iter().filter_map(|key| Some(((*key).to_owned(), moved(case.get(*key)?))));
    let wanted = case.get("wanted_from_new_program").and_then(Json::as_str);
    let mut expected = Map::new();
    if let Some(values) = case.get("expect") {
        expected.insert("ok".to_owned(), moved(values));
    }
    if let Some(error) = case.get("expect_error") {
        // Of an exit there is only the code. Where the message is no good, the case says what a better one tells.
        let message = if error["type"] == "SystemExit" { None } else { error["contains"].as_str() };
        let mentions: Vec<&str> = wanted.or(message).into_iter().collect();
        expected.insert("error".to_owned(), json!({ "mentions": mentions }));
    }
    Case {
        area: text("kind"),
        name: text("id"),
        input: Json::Object(given.collect()),
        expected: Json::Object(expected),
        wanted: wanted.map(str::to_owned),
        more: false,
    }
}

/// What a case does before a command, beside the command itself; all else tells what came of it.
const BEFORE: &str = "_before";

fn pydesignflow(case: &Map<String, Json>) -> Case {
    let text = |key: &str| case.get(key).and_then(Json::as_str).unwrap_or_default();
    let mut given = Vec::new();
    let mut told = Vec::new();
    for step in case.get("steps").and_then(Json::as_array).into_iter().flatten() {
        let (mut before, mut after) = (Map::new(), Map::new());
        let (mut says, mut says_not) = (Vec::new(), Vec::new());
        for (name, value) in step.as_object().into_iter().flatten() {
            match (name.as_str(), value) {
                ("exit", _) => _ = after.insert("good".to_owned(), json!(value == 0)),
                // On which of the two something is said is each program's own.
                ("stdout" | "stderr", Json::Array(pieces)) => says.extend(pieces.iter().cloned()),
                ("not_stdout" | "not_stderr", Json::Array(pieces)) => says_not.extend(pieces.iter().cloned()),
                (name, _) if name == "cmd" || name.ends_with(BEFORE) => {
                    _ = before.insert(name.to_owned(), value.clone())
                }
                (name, _) => _ = after.insert(name.to_owned(), value.clone()),
            }
        }
        for (name, pieces) in [("says", says), ("says_not", says_not)] {
            if !pieces.is_empty() {
                after.insert(name.to_owned(), pieces.into());
            }
        }
        given.push(Json::Object(before));
        told.push(Json::Object(after));
    }
    let flow = case.get("flow").cloned().unwrap_or_default();
    // What should be done better is described by what is wrong with it.
    let wanted = matches!(text("advice"), "improve" | "decide").then(|| text("title").to_owned());
    Case {
        area: String::new(),
        name: text("id").to_owned(),
        input: json!({ "flow": flow, "steps": given }),
        expected: json!({ "ok": told }),
        wanted,
        more: false,
    }
}

/// The keys by which Hammer's cases say what is given, bounds and hooks only where there are some.
const HAMMER_HOOK_INPUT: [&str; 11] = [
    "steps",
    "tech_hooks",
    "tool_hooks",
    "user_hooks",
    "from",
    "after",
    "to",
    "until",
    "only",
    "do_post_returns",
    "fill_outputs_returns",
];

fn hammer_hook(case: &Map<String, Json>) -> Case {
    let value = |key: &str| case.get(key).cloned().unwrap_or_default();
    let is_something = |value: &Json| !value.is_null() && value.as_array().is_none_or(|items| !items.is_empty());
    let given = HAMMER_HOOK_INPUT.iter().filter_map(|key| Some(((*key).to_owned(), case.get(*key)?.clone())));
    let given = given.filter(|(key, value)| key == "steps" || is_something(value));
    let (ran, good) = (value("expected_run_order"), value("expected_rc") == 0);
    let error = &value("expected_error");
    let expected = if !error.is_null() && !is_something(&ran) {
        // Its exceptions speak of its own program.
        let message = error["message"].as_str().filter(|_| error["kind"] == "clean_failure").unwrap_or_default();
        let mentions: Vec<&str> = message.split('\'').skip(1).step_by(2).collect();
        json!({ "error": { "mentions": mentions } })
    } else {
        let mut told = Map::from_iter([("ran".to_owned(), ran.clone()), ("good".to_owned(), json!(good))]);
        if !good {
            // What ran last has failed, unless it is the step as a whole.
            let of_step = value("fill_outputs_returns") == json!(false);
            let last = ran.as_array().and_then(|ran| ran.last()).filter(|_| !of_step);
            told.insert("error".to_owned(), json!({ "mentions": last.into_iter().collect::<Vec<_>>() }));
        }
        let trace = value("trace");
        let saw = trace.as_array().into_iter().flatten().filter_map(Json::as_str);
        let saw: Vec<&str> = saw.filter_map(|line| line.strip_prefix("saw ")).collect();
        if !saw.is_empty() {
            told.insert("saw".to_owned(), json!(saw));
        }
        json!({ "ok": told })
    };
    let name = value("id").as_str().unwrap_or_default().to_owned();
    Case { area: String::new(), name, input: Json::Object(given.collect()), expected, wanted: None, more: false }
}

/// Directories of the machine on which RAD-Gen ran, and where they are when a case runs here.
const MOVED: [(&str, &str); 2] = [("/out", "$ROOT/out"), ("/root", "$ROOT/home")];

/// The same with these directories elsewhere.
fn moved(value: &Json) -> Json {
    match value {
        Json::String(text) => {
            let moved = MOVED.iter().fold(text.clone(), |text, (from, to)| with_moved(&text, from, to));
            Json::String(moved)
        }
        Json::Array(items) => items.iter().map(moved).collect(),
        Json::Object(entries) => entries.iter().map(|(name, item)| (name.clone(), moved(item))).collect(),
        other => other.clone(),
    }
}

/// Replaces a directory where a path begins with it.
fn with_moved(text: &str, from: &str, to: &str) -> String {
    let in_a_path = |c: char| c.is_alphanumeric() || "/._-~}".contains(c);
    let mut moved = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, after) = (&rest[..at], &rest[at + from.len()..]);
        let begins = !before.ends_with(in_a_path) && !after.starts_with(|c| c != '/' && in_a_path(c));
        moved += before;
        moved += if begins { to } else { from };
        rest = after;
    }
    moved + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_the_peer_are_moved() {
        let text = "a: /out/x\nb: [\"/root\", /rooted, ./out/y, /tests/out]";
        let expected = "a: $ROOT/out/x\nb: [\"$ROOT/home\", /rooted, ./out/y, /tests/out]";
        assert_eq!(moved(&json!({ "text": text })), json!({ "text": expected }));
    }

    #[test]
    fn what_is_wanted_of_errors_counts() {
        let case =
            json!({ "id": "A", "kind": "error", "argv": [], "expect_error": { "type": "T", "contains": "no /x" } });
        let mentions = |case: &Json| radgen(case.as_object().unwrap()).expected["error"]["mentions"].clone();
        assert_eq!(mentions(&case), json!(["no /x"]));
        let mut better = case.clone();
        better["wanted_from_new_program"] = json!("error: b_c");
        assert_eq!(mentions(&better), json!(["error: b_c"]));
        let mut exit = case;
        exit["expect_error"]["type"] = json!("SystemExit");
        assert_eq!(mentions(&exit), json!([]));
    }
}
