//! Which areas there are and what runs a case of each, and what the runners share.

use serde_json::Value as Json;
use tapeout_config::Variable;

use crate::outcome::Outcome;
use crate::place::Place;
use crate::{cli, expressions, flow, load, radgen, scalars, step_cli, tcl, variable};

/// Runs the input of a case.
///
/// An error says that the case could not be run: its input is not of a known form.
pub(crate) type Runner = fn(&Json, &Place<'_>) -> Result<Outcome, String>;

/// What runs the cases of an area; nothing where they are of things that the program does not have yet.
pub(crate) fn runner(suite: &str, area: &str) -> Option<Runner> {
    Some(match (suite, area) {
        ("openlane", "config.expr") => expressions::expression,
        ("openlane", "config.preprocess_string") => expressions::string,
        ("openlane", "config.preprocess_dict") => expressions::mapping,
        ("openlane", "config.variable") => variable::variable,
        ("openlane", "config.macro") => variable::hard_macro,
        ("openlane", "config.load") => load::load,
        ("openlane", "config.yaml_scalar") => scalars::yaml,
        ("openlane", "tcl.value") => tcl::value,
        ("openlane", "tcl.escape") => tcl::escape,
        ("openlane", "tcl.eval_env") => tcl::environment,
        ("openlane", "flow.substitution") => flow::substitution,
        ("openlane", "flow.sequential") => flow::sequential,
        ("openlane", "flow.start") => flow::start,
        ("openlane", "cli") => cli::command_line,
        ("openlane", "step_cli") => step_cli::command,
        ("openlane", area) if ["config.", "flow.", "tcl."].iter().any(|part| area.starts_with(part)) => unknown,
        ("radgen", "merge_ok" | "error") => radgen::resolve,
        _ => return None,
    })
}

/// A part of what is covered that case files did not have before.
fn unknown(_: &Json, _: &Place<'_>) -> Result<Outcome, String> {
    Err("there is no runner for this area".to_owned())
}

/// Refuses inputs that say more than is understood.
pub(crate) fn only(input: &Json, keys: &[&str]) -> Result<(), String> {
    let entries = input.as_object().ok_or("the input is not a map")?;
    match entries.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("the input has `{key}`, which is not understood")),
        None => Ok(()),
    }
}

pub(crate) fn entry<'a>(input: &'a Json, key: &str) -> Result<&'a Json, String> {
    input.get(key).ok_or_else(|| format!("the input has no `{key}`"))
}

pub(crate) fn text<'a>(input: &'a Json, key: &str) -> Result<&'a str, String> {
    entry(input, key)?.as_str().ok_or_else(|| format!("`{key}` is not text"))
}

/// A variable of the flow Classic.
pub(crate) fn classic(name: &str) -> Result<Variable, String> {
    let registry = tapeout_tools::registry();
    let classic = registry.vocabulary("Classic").ok_or("there is no flow Classic")?;
    let found = (classic.variables)().into_iter().find(|variable| variable.name == name);
    found.ok_or_else(|| format!("the flow Classic has no variable `{name}`"))
}
