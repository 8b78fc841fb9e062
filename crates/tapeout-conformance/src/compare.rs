//! Whether what came of a case is what is expected. Numbers, text and structure must be the same; of errors, the names
//! that they mention, as the words are each program's own.

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value as Json};

use crate::encoding::special;
use crate::outcome::{Outcome, Refusal};
use crate::project::account;

/// What is compared, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Comparison<'a> {
    /// The directory to which paths in values are relative.
    pub(crate) cwd: &'a Path,
    /// Whether the value may have entries of which the case does not speak.
    pub(crate) in_part: bool,
    /// Whether it is accounts of commands.
    pub(crate) accounts: bool,
}

/// Classes of errors; all of them mean that the input is refused.
const CATEGORIES: [&str; 10] = [
    "bad_value",
    "deferred_step_error",
    "flow_error",
    "flow_exception",
    "invalid_config",
    "invalid_state",
    "missing_required",
    "step_error",
    "step_exception",
    "step_signalled",
];

/// Words of Python, in which the peers are written, for kinds of values and for values, and ours.
const KINDS: [(&str, &str); 9] = [
    ("str", "string"),
    ("int", "integer"),
    ("float", "decimal"),
    ("bool", "boolean"),
    ("dict", "map"),
    ("NoneType", "null"),
    ("None", "null"),
    ("True", "true"),
    ("False", "false"),
];

/// Modules whose classes peers name in messages.
const MODULES: [&str; 4] = ["decimal", "types", "__main__", "librelane"];

impl Comparison<'_> {
    /// Says in which way the outcome differs from what is expected, which is `{"ok": …}` or `{"error": …}`.
    pub(crate) fn difference(&self, expected: &Json, outcome: &Outcome) -> Option<String> {
        let entries = match expected.as_object() {
            Some(entries) if entries.len() == 1 => entries,
            _ => return Some("the case expects neither `ok` nor `error`".to_owned()),
        };
        match (entries.get("ok"), entries.get("error"), outcome) {
            (Some(value), _, Outcome::Accepted(found)) if self.accounts => account::difference(value, found),
            (Some(value), _, Outcome::Accepted(found)) => self.values(value, found, ""),
            (Some(_), _, Outcome::Refused(refusal)) => Some(format!("refused: {}", refusal.text)),
            (_, Some(Json::Object(error)), Outcome::Refused(refusal)) => self.refusals(error, refusal),
            (_, Some(_), Outcome::Accepted(found)) => Some(format!("accepted: {}", shortened(&found.to_string()))),
            _ => Some("the case expects neither `ok` nor `error`".to_owned()),
        }
    }

    /// Whether the outcome is as expected in all parts of the value but these.
    pub(crate) fn agree_but_for(&self, parts: &[String], expected: &Json, outcome: &Outcome) -> bool {
        let (mut expected, mut outcome) = (expected.clone(), outcome.clone());
        if self.accounts {
            // What is not expected is not looked at.
            for account in expected.get_mut("ok").and_then(Json::as_array_mut).into_iter().flatten() {
                for part in parts {
                    account.as_object_mut().and_then(|account| account.shift_remove(part));
                }
            }
            return self.difference(&expected, &outcome).is_none();
        }
        let Outcome::Accepted(Json::Object(found)) = &mut outcome else { return false };
        let Some(wanted) = expected.get_mut("ok").and_then(Json::as_object_mut) else { return false };
        for part in parts {
            found.shift_remove(part);
            wanted.shift_remove(part);
        }
        self.difference(&expected, &outcome).is_none()
    }

    /// Whether the accounts differ in nothing but that results which were there are not made again.
    pub(crate) fn agree_but_for_recalled(&self, expected: &Json, outcome: &Outcome) -> bool {
        match (expected.get("ok"), outcome) {
            (Some(expected), Outcome::Accepted(found)) if self.accounts => {
                let expected = account::without_recalled(expected, found);
                account::difference(&expected, found).is_none()
            }
            _ => false,
        }
    }

    fn values(&self, expected: &Json, found: &Json, at: &str) -> Option<String> {
        let differs = || Some(format!("{}{found} instead of {expected}", prefix(at)));
        match (expected, found) {
            (Json::Object(wanted), _) if special(wanted).is_some() => {
                let same = match (special(wanted)?, found) {
                    (("$decimal", Json::String(wanted)), Json::Object(found)) => {
                        matches!(special(found), Some(("$decimal", Json::String(found))) if same_decimal(wanted, found))
                    }
                    (("$path", Json::String(wanted)), Json::String(found)) => self.same_path(wanted, found),
                    (("$enum", Json::String(wanted)), Json::String(found)) => wanted == found,
                    (("$tuple", wanted @ Json::Array(_)), _) => return self.values(wanted, found, at),
                    _ => false,
                };
                if same { None } else { differs() }
            }
            (Json::Object(wanted), Json::Object(found)) => self.maps(wanted, found, at),
            (Json::Array(wanted), Json::Array(found)) if wanted.len() == found.len() => {
                let mut items = wanted.iter().zip(found).enumerate();
                items.find_map(|(index, (wanted, found))| self.values(wanted, found, &format!("{at}[{index}]")))
            }
            (Json::String(wanted), Json::String(found)) if self.same_path(wanted, found) => None,
            // Decimals by another name, where a case file has plain numbers.
            (Json::Number(wanted), Json::Object(_)) if wanted.is_f64() => {
                let wanted = serde_json::json!({ "$decimal": wanted.to_string() });
                self.values(&wanted, found, at)
            }
            _ if expected == found => None,
            _ => differs(),
        }
    }

    fn maps(&self, wanted: &Map<String, Json>, found: &Map<String, Json>, at: &str) -> Option<String> {
        for (name, value) in wanted {
            let below = if at.is_empty() { name.clone() } else { format!("{at}.{name}") };
            let differs = match (name.as_str(), found.get(name)) {
                // What the warnings say is kept in one text.
                ("warning_mentions", Some(Json::String(warnings))) => {
                    let Json::Array(mentions) = value else { return Some(format!("{below} is not a list")) };
                    self.unmentioned(mentions, warnings).map(|name| format!("no warning mentions {name}: {warnings}"))
                }
                // What went wrong in a run that has come to something nevertheless.
                ("error", Some(Json::String(text))) => {
                    let Json::Object(error) = value else { return Some(format!("{below} is not a map")) };
                    self.refusals(error, &Refusal { text: text.clone(), errors: 1 })
                }
                (_, Some(found)) => self.values(value, found, &below),
                (_, None) => Some(format!("{}nothing instead of {value}", prefix(&below))),
            };
            if differs.is_some() {
                return differs;
            }
        }
        if self.in_part {
            return None;
        }
        let more = found.iter().find(|(name, _)| !wanted.contains_key(*name));
        more.map(|(name, value)| format!("{}there is also `{name}`: {value}", prefix(at)))
    }

    fn refusals(&self, expected: &Map<String, Json>, refusal: &Refusal) -> Option<String> {
        for (name, value) in expected {
            let differs = match (name.as_str(), value) {
                ("category", Json::String(category)) if CATEGORIES.contains(&category.as_str()) => None,
                // Of the peer's program.
                ("ref_class" | "type", _) => None,
                ("mentions" | "warning_mentions", Json::Array(mentions)) => self
                    .unmentioned(mentions, &refusal.text)
                    .map(|name| format!("refused without mention of {name}: {}", refusal.text)),
                // One error may speak of several faults, such as all variables that are missing.
                ("error_count", Json::Number(count)) if count.as_u64() >= Some(refusal.errors as u64) => None,
                ("error_count", Json::Number(count)) => {
                    Some(format!("{} errors instead of {count}: {}", refusal.errors, refusal.text))
                }
                _ => Some(format!("the case expects of an error `{name}`: {value}, which is not understood")),
            };
            if differs.is_some() {
                return differs;
            }
        }
        None
    }

    /// The first name out of the mentions that the text does not have.
    fn unmentioned(&self, mentions: &[Json], text: &str) -> Option<String> {
        let names = mentions.iter().flat_map(|mention| names_in(mention.as_str().unwrap_or_default()));
        names.filter(|name| !self.told(name, text)).map(|name| format!("`{name}`")).next()
    }

    /// Whether the text speaks of what a peer calls `name`: by that name, by ours for a kind of value, or by the path
    /// from the design directory. Classes of the peer's program mean nothing to its users.
    fn told(&self, name: &str, text: &str) -> bool {
        let ours = KINDS.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
        let relative =
            Path::new(name).strip_prefix(self.cwd).ok().and_then(Path::to_str).filter(|path| !path.is_empty());
        // Where a value stands begins with a dot there.
        let at = name.strip_prefix('.').filter(|name| name.starts_with(char::is_alphanumeric));
        mentioned(name, text)
            || [ours, relative, at].into_iter().flatten().any(|name| mentioned(name, text))
            || MODULES.iter().any(|module| name.strip_prefix(module).is_some_and(|rest| rest.starts_with('.')))
    }

    /// Paths are stored relative to the design directory here.
    fn same_path(&self, wanted: &str, found: &str) -> bool {
        wanted == found || (wanted.starts_with('/') && normal(&self.cwd.join(found)) == Path::new(wanted))
    }
}

/// The path without `a/..`, by its text.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

/// The beginning of a text that is long. All of a configuration tells nobody anything.
fn shortened(text: &str) -> String {
    match text.char_indices().nth(100) {
        Some((end, _)) => format!("{} …", &text[..end]),
        None => text.to_owned(),
    }
}

fn prefix(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!("{at}: ") }
}

/// By value, and by the number of decimal places unless there is an exponent in one of the texts.
fn same_decimal(wanted: &str, found: &str) -> bool {
    use tapeout_model::Decimal;
    let same =
        matches!((wanted.parse::<Decimal>(), found.parse::<Decimal>()), (Ok(wanted), Ok(found)) if wanted == found);
    let places = |text: &str| text.split_once('.').map_or(0, |(_, places)| places.len());
    let has_exponent = [wanted, found].iter().any(|text| text.contains(['e', 'E']));
    same && (has_exponent || places(wanted) == places(found))
}

/// What names something in a piece of a message: a single word, and in several those that are no words of a language.
fn names_in(mention: &str) -> Vec<&str> {
    let words = mention.split_whitespace().map(|word| word.trim_end_matches([',', ':', ';', '.']));
    let words: Vec<&str> = words.filter(|word| word.contains(char::is_alphanumeric)).collect();
    let is_name = |word: &&str| {
        word.contains(|c: char| c.is_ascii_digit() || "_.$:/".contains(c)) || *word == word.to_uppercase()
    };
    if mention.split_whitespace().count() == 1 { words } else { words.into_iter().filter(is_name).collect() }
}

/// Whether the name stands there and is not a part of another.
fn mentioned(name: &str, text: &str) -> bool {
    let in_a_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = name.starts_with(in_a_word) && text[..at].ends_with(in_a_word);
        let after = name.ends_with(in_a_word) && text[at + name.len()..].starts_with(in_a_word);
        !before && !after
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compare(expected: Json, found: Json) -> bool {
        let whole = Comparison { cwd: Path::new("/d"), in_part: false, accounts: false };
        whole.difference(&json!({ "ok": expected }), &Outcome::Accepted(found)).is_none()
    }

    #[test]
    fn decimals_are_the_same_by_value_and_places() {
        let same = |wanted: &str, found: &str| compare(json!({ "$decimal": wanted }), json!({ "$decimal": found }));
        assert!(
            same("10.0", "10.0") && same("1E+3", "1000") && same("0.001", "1e-3") && same("-Infinity", "-Infinity")
        );
        assert!(!same("10.0", "10") && !same("1", "2") && !same("NaN", "0"));
        assert!(!compare(json!({ "$decimal": "4" }), json!(4)) && !compare(json!(4), json!({ "$decimal": "4" })));
    }

    #[test]
    fn values_are_the_same_in_every_part() {
        assert!(compare(json!([{ "$path": "/d/a" }, { "$tuple": [1, null] }]), json!(["a", [1, null]])));
        assert!(compare(json!({ "a": 1, "b": "x" }), json!({ "b": "x", "a": 1 })));
        for found in [json!([1]), json!({}), json!({ "a": 1, "b": 2 }), json!({ "a": true }), json!(null)] {
            assert!(!compare(json!({ "a": 1 }), found.clone()), "{found}");
        }
        assert!(!compare(json!([1, 2]), json!([2, 1])) && !compare(json!("1"), json!(1)));
    }

    #[test]
    fn errors_mention_names_and_not_words() {
        let refusal = Outcome::Refused(Refusal { text: "`X_1` must be an integer, not `4.5`".to_owned(), errors: 1 });
        let whole = Comparison { cwd: Path::new("/d"), in_part: false, accounts: false };
        let fits = |error: Json| whole.difference(&json!({ "error": error }), &refusal).is_none();
        assert!(fits(json!({ "category": "bad_value", "mentions": ["Bad value X_1", "4.5", ", ", "["] })));
        assert!(fits(json!({ "error_count": 1 })) && fits(json!({ "error_count": 2 })));
        for error in [
            json!({ "mentions": ["X"] }),
            json!({ "mentions": ["no"] }),
            json!({ "mentions": ["Migrating OLD_NAME"] }),
            json!({ "category": "crash" }),
            json!({ "error_count": 0 }),
            json!({ "exit_code": 1 }),
        ] {
            assert!(!fits(error.clone()), "{error}");
        }
        assert!(whole.difference(&json!({ "ok": 1 }), &refusal).is_some());
        assert!(whole.difference(&json!({ "rc": 1 }), &refusal).is_some());
    }
}
