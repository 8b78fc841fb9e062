//! Why a step runs again, in words: what changed, from what to what, and where the new value stands.

use std::fmt;

use serde::Serialize;
use tapeout_config::Config;
use tapeout_engine::{Change, JobId};

use crate::hooks::HOOK;
use crate::hooks::partial::{CHECKPOINT, STOP};
use crate::initial::STATE;
use crate::job::{FAILURE, IMPLEMENTATION, STEP};
use crate::settings::Says;
use crate::{Plan, PlannedStep};

/// A value longer than this, in characters, is cut in a message.
const SHOWN_VALUE: usize = 60;

/// One thing that changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// `variable`, `step`, `implementation`, `view`, `metric`, `file`, `input`, `tool`, `result`, `fresh`, `always` or `first`.
    pub kind: &'static str,
    /// What: the name of the variable, file, step, tool.
    pub what: String,
    /// What it was, where that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    /// Where the new value stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// The whole in one line.
    pub words: String,
}

impl Reason {
    pub(crate) fn new(kind: &'static str, what: impl Into<String>, words: impl Into<String>) -> Self {
        Self { kind, what: what.into(), old: None, new: None, place: None, words: words.into() }
    }

    /// The step has never given a result in this run.
    pub(crate) fn first(step: &PlannedStep) -> Self {
        Self::new("first", &step.id, "it has no result yet")
    }

    /// The user wants a new result.
    pub(crate) fn fresh(step: &PlannedStep) -> Self {
        Self::new("fresh", &step.id, "a new result was asked for")
    }

    /// The step acts on something outside.
    pub(crate) fn always(step: &PlannedStep) -> Self {
        Self::new("always", &step.id, "it acts on something outside, so it always runs")
    }

    /// A change that the engine found. `step_of` gives the name of the step that a job stands for.
    pub(crate) fn of(change: Change, plan: &Plan, step: &PlannedStep, step_of: impl Fn(JobId) -> String) -> Self {
        match change {
            Change::Part { name, old, new } => Self::of_part(name, old, new),
            // A step has values of its own where a program gives it some.
            Change::Setting { name, old, new } => match step.config().declares(Says::of(&name).variable()) {
                true => Self::of_setting(&name, old, new, step.config()),
                false => Self::of_setting(&name, old, new, &plan.config),
            },
            Change::Input { from, pending, part: _ } => {
                let from = step_of(from);
                let words =
                    if pending { format!("{from} would run first") } else { format!("{from} gave something else") };
                Self::new("input", from, words)
            }
            other => Self::of_anything(other, &step.id),
        }
    }

    /// A change that is one for whatever runs, a step or a target of this name.
    pub(crate) fn of_anything(change: Change, name: &str) -> Self {
        match change {
            Change::Part { name: part, .. } | Change::Setting { name: part, .. } => {
                Self::new("result", name, format!("`{part}` changed"))
            }
            Change::Input { part, .. } => Self::new("input", name, format!("{part} changed")),
            Change::Unknown => Self::new("result", name, "the recorded result is gone"),
            Change::File { path, was_there, is_there } => {
                let words = match (was_there, is_there) {
                    (false, true) => format!("`{path}` appeared"),
                    (true, false) => format!("`{path}` is gone"),
                    _ => format!("`{path}` changed"),
                };
                Self::new("file", path, words)
            }
            Change::Tool { name: tool, old, new } => {
                let words = match (&old, &new) {
                    (Some(old), Some(new)) if old == new => format!("{tool} at `{new}` changed"),
                    (Some(old), Some(new)) => format!("{tool} {old} → {new}"),
                    (_, None) => format!("{tool} cannot be used any more"),
                    (None, Some(_)) => format!("{tool} changed"),
                };
                Self { old, new, ..Self::new("tool", tool, words) }
            }
            Change::Asked => Self::new("input", name, "something that it asked for while it ran changed"),
            Change::Lost { path } => {
                let words = format!("the recorded `{path}` is not in the store any more");
                Self::new("result", path, words)
            }
        }
    }

    fn of_part(name: String, old: Option<String>, new: Option<String>) -> Self {
        let (kind, words) = match name.as_str() {
            STEP => ("step", "another step had its place".to_owned()),
            IMPLEMENTATION => ("implementation", "the code of the step changed".to_owned()),
            FAILURE => ("step", "whether it may fail is another matter now".to_owned()),
            STATE => ("input", "the initial state is another one".to_owned()),
            CHECKPOINT => ("section", "it goes on from another checkpoint".to_owned()),
            STOP => ("section", "it is to stop behind another section".to_owned()),
            hook if hook.starts_with(HOOK) => {
                let hook = hook.trim_start_matches(HOOK);
                let words = match (&old, &new) {
                    (None, _) => format!("the hook `{hook}` is new"),
                    (_, None) => format!("the hook `{hook}` is gone"),
                    (Some(_), Some(_)) => format!("the hook `{hook}` changed"),
                };
                return Self::new("hook", hook, words);
            }
            "metric" | "metrics" => ("metric", "other metrics can be seen".to_owned()),
            _ => ("view", "other views can be seen".to_owned()),
        };
        Self { old, new, ..Self::new(kind, name, words) }
    }

    fn of_setting(name: &str, old: Option<String>, new: Option<String>, config: &Config) -> Self {
        let says = Says::of(name);
        let name = says.variable();
        let setting = config.declares(name).then(|| config.setting(name));
        let place = new.as_ref().and(setting).map(|setting| setting.origin.to_string());
        let there = place.as_ref().map(|place| format!(", {place}")).unwrap_or_default();
        let shown = |value: &Option<String>| value.as_deref().map_or_else(|| "not there".to_owned(), cut);
        let words = match says {
            // Texts of secrets are digests, which tell people nothing.
            Says::Value(_) if setting.is_some_and(|setting| setting.secret) => {
                return Self { place, ..Self::new("variable", name, format!("`{name}` is another secret{there}")) };
            }
            Says::Value(_) => format!("`{name}` {} → {}{there}", shown(&old), shown(&new)),
            Says::Given(_) if new.as_deref() == Some("true") => format!("`{name}` is given now{there}"),
            Says::Given(_) => format!("`{name}` is not given any more"),
            Says::Layer(_) => format!("`{name}` is set elsewhere: {} → {}{there}", shown(&old), shown(&new)),
        };
        Self { old, new, place, ..Self::new("variable", name, words) }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

pub(crate) fn cut(value: &str) -> String {
    match value.char_indices().nth(SHOWN_VALUE) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}
