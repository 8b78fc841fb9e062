//! Which areas there are and what runs a case of each, and what the runners share.

use serde_json::Value as Json;
use tapeout_config::Variable;

use crate::outcome::Outcome;
use crate::place::Place;
use crate::{
    cli, expressions, flow, hooks, load, metrics, project, radgen, scalars, state, step_cli, steps, tcl, variable,
    views,
};

/// The areas of which every case is run, so that one that nobody knows is a fault.
const COVERED: [&str; 7] = ["config.", "flow.", "metrics.", "state.", "step.", "tcl.", "toolbox."];

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
        ("openlane", "metrics.modifiers") => metrics::modifiers,
        ("openlane", "metrics.aggregate") => metrics::aggregate,
        ("openlane", "metrics.compare") => metrics::compare,
        ("openlane", "metrics.cli") => metrics::command,
        ("openlane", "util.filter") => metrics::filter,
        ("openlane", "util.matching_wildcards") => metrics::matching,
        ("openlane", "state") => state::state,
        ("openlane", "state.design_format") => state::design_format,
        ("openlane", "state.validate") => state::validate,
        ("openlane", "state.load") => state::load,
        ("openlane", "step") => steps::step,
        ("openlane", "step.subprocess") => steps::subprocess,
        ("openlane", "step.checker") => steps::checker,
        ("openlane", "step.timing_checker") => steps::timing_checker,
        ("openlane", "toolbox.filter_views") => views::filter,
        ("openlane", "toolbox.timing_files") => views::timing_files,
        ("openlane", "io_pin_cfg") => views::pin_order,
        ("openlane", "util.slugify") => views::slug,
        ("openlane", "step_cli") => step_cli::command,
        ("openlane", area) if COVERED.iter().any(|of| area.starts_with(of)) => unknown,
        ("radgen", "merge_ok" | "error") => radgen::resolve,
        ("pydesignflow", "") => project::commands,
        ("hammer_hook", "") => hooks::order,
        _ => return None,
    })
}

/// Why nothing will run the cases of an area, if they are of things that tapeout does otherwise altogether.
pub(crate) fn not_ours(suite: &str, area: &str) -> Option<&'static str> {
    Some(match (suite, area) {
        ("openlane", "util.format_size") => "sizes are told in KiB, MiB and so on to people, and in bytes in files",
        ("openlane", "util.format_elapsed_time") => "times are told as `1:02` to people, and in milliseconds in files",
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
    let mut variables = registry.vocabularies().flat_map(|vocabulary| (vocabulary.variables)());
    let found = variables.find(|variable| variable.name == name);
    found.ok_or_else(|| format!("the flow Classic has no variable `{name}`"))
}
