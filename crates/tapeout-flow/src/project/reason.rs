//! Why a target is built again, in words.

use tapeout_engine::{Change, JobId, Part};

use super::job::{REQUIRES, TARGET, setting};
use crate::Reason;
use crate::reason::cut;

/// A change that the engine found. `name_of` gives the target that a job stands for.
pub(super) fn of(change: Change, target: &str, name_of: impl Fn(JobId) -> String) -> Reason {
    match change {
        Change::Part { name, old, new } => {
            let words = match name.as_str() {
                TARGET => "another target had its place",
                REQUIRES => "it requires something else",
                "any" => "it requires more or fewer results",
                _ => "the code of its task changed",
            };
            Reason { old, new, ..Reason::new("code", name, words) }
        }
        Change::Setting { name, old, new } => {
            if let Some(pattern) = name.strip_prefix(setting::FILES) {
                let words = format!("other files match `{pattern}`");
                return Reason { old, new, ..Reason::new("files", pattern, words) };
            }
            if name.starts_with(setting::FLOW) {
                return Reason::new("flow", target, "the plan of a flow that it asks for changed");
            }
            if let Some(path) = name.strip_prefix(setting::DIRECTORY) {
                let words = format!("there is {} directory `{path}` now", if new.is_some() { "a" } else { "no" });
                return Reason::new("files", path, words);
            }
            let name = name.strip_prefix(setting::PARAM).unwrap_or(&name);
            let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "not there".to_owned(), cut);
            let words = format!("the parameter `{name}` {} → {}", shown(&old), shown(&new));
            Reason { old, new, ..Reason::new("parameter", name, words) }
        }
        Change::Input { from, part, pending } => {
            let from = name_of(from);
            let words = match part {
                _ if pending => format!("{from} would run first"),
                Part::Datum(name) => format!("`{name}` of {from} changed"),
                Part::Files(path) if path.is_empty() => format!("the files of {from} changed"),
                Part::Files(path) => format!("`{path}` of {from} changed"),
                _ => format!("{from} gave something else"),
            };
            Reason::new("input", from, words)
        }
        other => Reason::of_anything(other, target),
    }
}
