//! Whether the account of a command has what a case says of it. A case speaks of few things: how it ended, some files,
//! parts of results, pieces of what was said.

use serde_json::{Map, Value as Json};

use super::words;

/// In which way the accounts of the commands differ from what is expected of each.
pub(crate) fn difference(expected: &Json, accounts: &Json) -> Option<String> {
    let (Some(expected), Some(accounts)) = (expected.as_array(), accounts.as_array()) else {
        return Some("the case expects no list of commands".to_owned());
    };
    if expected.len() != accounts.len() {
        return Some(format!("{} commands instead of {}", accounts.len(), expected.len()));
    }
    let mut pairs = expected.iter().zip(accounts).enumerate();
    pairs.find_map(|(index, (expected, account))| {
        let Some(expected) = expected.as_object() else { return Some("what is expected is no map".to_owned()) };
        let differs = of_command(expected, account)?;
        Some(format!("of command {}, {differs}", index + 1))
    })
}

fn of_command(expected: &Map<String, Json>, account: &Json) -> Option<String> {
    expected.iter().find_map(|(name, wanted)| match name.as_str() {
        "good" | "plan" | "ran" => {
            let found = &account[name];
            (found != wanted).then(|| match name.as_str() {
                "good" => format!("good: {found} instead of {wanted}, and it said:\n{}", text(&account["says"])),
                _ => format!("{name}: {found} instead of {wanted}"),
            })
        }
        "exists" => listed(wanted).find(|path| account["files"].get(path).is_none()).map(|path| format!("no {path}")),
        "absent" => {
            listed(wanted).find(|path| account["files"].get(path).is_some()).map(|path| format!("there is {path}"))
        }
        "json" => wanted.as_object().into_iter().flatten().find_map(|(path, parts)| of_file(path, parts, account)),
        "file_contains" => wanted.as_object().into_iter().flatten().find_map(|(path, pieces)| {
            let found = text(&account["files"][path]);
            let piece = listed(pieces).find(|piece| !contains(found, piece))?;
            Some(format!("no {piece} in {path}, but:\n{found}"))
        }),
        "says" => {
            let found = text(&account["says"]);
            let piece = listed(wanted).find(|piece| !words::said(piece, found))?;
            Some(format!("it did not say `{piece}`, but:\n{found}"))
        }
        "says_not" => {
            let found = text(&account["says"]);
            let piece = listed(wanted).find(|piece| found.contains(piece))?;
            Some(format!("it said `{piece}`:\n{found}"))
        }
        _ => Some(format!("the case expects `{name}`, which is not understood")),
    })
}

/// What is expected, without targets that need not run since they have run before.
pub(crate) fn without_recalled(expected: &Json, accounts: &Json) -> Json {
    let mut expected = expected.clone();
    let mut recorded: Vec<&Json> = Vec::new();
    let accounts = accounts.as_array().into_iter().flatten();
    for (expected, account) in expected.as_array_mut().into_iter().flatten().zip(accounts) {
        for name in ["plan", "ran"] {
            let Some(wanted) = expected.get_mut(name).and_then(Json::as_array_mut) else { continue };
            let found = account[name].as_array().map_or(&[][..], Vec::as_slice);
            wanted.retain(|target| found.contains(target) || !recorded.contains(&target));
        }
        recorded.extend(account["ran"].as_array().into_iter().flatten());
    }
    expected
}

/// The parts of a file of JSON, by pointers.
fn of_file(path: &str, parts: &Json, account: &Json) -> Option<String> {
    let found = match account["files"].get(path) {
        None => return Some(format!("no {path}")),
        Some(found) => text(found),
    };
    let Ok(json) = serde_json::from_str::<Json>(found) else { return Some(format!("{path} is no JSON: {found}")) };
    parts.as_object().into_iter().flatten().find_map(|(pointer, wanted)| {
        let found = json.pointer(pointer).unwrap_or(&Json::Null);
        (found != wanted).then(|| format!("{path}{pointer}: {found} instead of {wanted}"))
    })
}

/// A piece of a file of JSON that is a bare word is one outside of texts.
fn contains(found: &str, piece: &str) -> bool {
    match piece {
        "NaN" | "Infinity" | "-Infinity" => {
            let outside = found.split('"').step_by(2);
            outside.into_iter().any(|part| part.contains(piece))
        }
        _ => found.contains(piece),
    }
}

fn listed(list: &Json) -> impl Iterator<Item = &str> {
    list.as_array().into_iter().flatten().filter_map(Json::as_str)
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_thing_that_is_expected_counts() {
        let account = json!([{
            "good": true, "plan": ["b.t"], "ran": [], "says": "one\ntwo",
            "files": { "f": "{\"a\": {\"b\": [1, \"NaN\"]}}" },
        }]);
        let differs = |expected: Json| difference(&json!([expected]), &account);
        let same = json!({
            "good": true, "plan": ["b.t"], "ran": [], "exists": ["f"], "absent": ["g"], "says": ["two"],
            "json": { "f": { "/a/b/0": 1 } }, "file_contains": { "f": ["\"a\""] },
        });
        assert_eq!(differs(same), None);
        for other in [
            json!({ "good": false }),
            json!({ "plan": [] }),
            json!({ "ran": ["b.t"] }),
            json!({ "exists": ["g"] }),
            json!({ "absent": ["f"] }),
            json!({ "says": ["three"] }),
            json!({ "json": { "f": { "/a/b/0": 2 } } }),
            json!({ "json": { "g": { "/a": 2 } } }),
            json!({ "file_contains": { "f": ["NaN"] } }),
            json!({ "files": 1 }),
        ] {
            assert!(differs(other.clone()).is_some(), "{other}");
        }
        assert!(difference(&json!([]), &account).is_some());
    }

    #[test]
    fn what_has_run_need_not_run_again() {
        let accounts = json!([{ "ran": ["b.s", "b.t"] }, { "ran": [] }, { "ran": ["b.u"] }]);
        let without =
            |last: Json| without_recalled(&json!([{ "ran": ["b.s", "b.t"] }, { "ran": ["b.t"] }, last]), &accounts);
        let expected = |last: Json| json!([{ "ran": ["b.s", "b.t"] }, { "ran": [] }, last]);
        assert_eq!(without(json!({ "ran": ["b.t", "b.u"] })), expected(json!({ "ran": ["b.u"] })));
        assert_eq!(without(json!({ "ran": ["b.v"] })), expected(json!({ "ran": ["b.v"] })));
    }
}
