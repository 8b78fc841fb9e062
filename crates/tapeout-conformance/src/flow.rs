//! The areas on sequential flows: `flow.substitution`, `flow.sequential`, `flow.start`. A flow of test steps is planned
//! and run as any other.

use serde_json::{Map, Value as Json, json};
use tapeout_config::{Loader, SourceMap, Type, Variable};
use tapeout_engine::{Engine, Failure, Options, Toolbox};
use tapeout_flow::{Again, Ended, Flow, Plan, PlanError, Range, Registry, Run};

use crate::outcome::{Outcome, Refusal};
use crate::place::Place;
use crate::run::{entry, only};
use crate::{cli, test_steps};

/// What the cases call the flow and the run.
const FLOW: &str = "F";
const TAG: &str = "FT";

/// `flow.substitution`: the ids after the edits of a configuration.
pub(crate) fn substitution(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["steps", "substitutions"])?;
    let (steps, edits) = (entry(input, "steps")?, entry(input, "substitutions")?);
    let config = json!({ "meta": { "version": 2, "flow": steps, "substituting_steps": edits }, "DESIGN_NAME": "x" });
    Ok(match planned(&test_steps::registry(), &config, place)? {
        Ok(plan) => Outcome::Accepted(plan.steps.iter().map(|step| step.id.as_str()).collect()),
        Err(refused) => refused,
    })
}

/// `flow.sequential`: what runs of a flow come to, one after the other under one tag.
pub(crate) fn sequential(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["steps", "flow", "runs", "gating"])?;
    let (flow, config) = flow(input)?;
    let mut registry = test_steps::registry();
    registry.add_flow(flow);
    let plan = match planned(&registry, &config, place)? {
        Ok(plan) => plan,
        Err(refused) => return Ok(refused),
    };
    let runs = entry(input, "runs")?.as_array().ok_or("`runs` is not a list")?;
    let mut came_to = Vec::new();
    for run in runs {
        let ended = part(plan.clone(), &range(run)?, &registry, place);
        let dir = place.cwd().join("runs").join(TAG);
        let mut told = Map::new();
        match &ended {
            Ok(ended) if ended.summary.class.is_none() => {
                let metrics = ended.summary.metrics.iter().map(|(name, metric)| (name.clone(), metric.to_json()));
                told.insert("metrics".to_owned(), metrics.collect::<Map<_, _>>().into());
            }
            Ok(ended) => _ = told.insert("error".to_owned(), json!(problems(ended))),
            Err(failure) => _ = told.insert("error".to_owned(), json!(words(failure))),
        }
        told.insert("step_dirs".to_owned(), json!(cli::step_dirs(&dir)));
        told.insert("final_exists".to_owned(), json!(dir.join("final").is_dir()));
        came_to.push(Json::Object(told));
    }
    Ok(Outcome::Accepted(if came_to.len() == 1 { came_to.remove(0) } else { came_to.into() }))
}

/// `flow.start`: runs that cannot begin.
pub(crate) fn start(input: &Json, place: &Place<'_>) -> Result<Outcome, String> {
    only(input, &["runs_dir", "last_run", "run_dir"])?;
    if input.get("last_run").is_some() {
        // The newest run is a word of the command line here.
        let (good, text) = cli::tapeout(&["logs", "@last"], place)?;
        let refused = Outcome::Refused(Refusal { text, errors: 1 });
        return Ok(if good { Outcome::Accepted(Json::Null) } else { refused });
    }
    place.write(&place.cwd().join("runs").join(TAG), "")?;
    let registry = test_steps::registry();
    let config = json!({ "meta": { "flow": ["Test.A"] }, "DESIGN_NAME": "x" });
    let plan = match planned(&registry, &config, place)? {
        Ok(plan) => plan,
        Err(refused) => return Ok(refused),
    };
    Ok(match part(plan, &Range::default(), &registry, place) {
        Ok(_) => Outcome::Accepted(Json::Null),
        Err(failure) => Outcome::Refused(Refusal { text: words(&failure), errors: 1 }),
    })
}

/// The flow of a case with the configuration for it. A case that speaks of a gate only has the step behind it.
fn flow(input: &Json) -> Result<(Flow, Json), String> {
    let ids: Vec<&str> = match input.get("steps") {
        Some(steps) => steps.as_array().into_iter().flatten().filter_map(Json::as_str).collect(),
        None => vec!["Test.A"],
    };
    let of_flow = input.get("flow").unwrap_or(input);
    let mut config = json!({ "meta": { "version": 2, "flow": FLOW }, "DESIGN_NAME": "x" });
    let mut flow = Flow::new(FLOW, "", &ids);
    for (name, value) in of_flow["vars"].as_object().into_iter().flatten() {
        flow = flow.variables([Variable::new(name.clone(), Type::Bool, "Whether a gate is open.")]);
        config[name.as_str()] = value.clone();
    }
    for (step, variables) in of_flow["gating"].as_object().into_iter().flatten() {
        let names: Vec<&str> = variables.as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        flow = flow.gate(step, &names);
    }
    if let Some(key) =
        of_flow.as_object().and_then(|keys| keys.keys().find(|key| !["vars", "gating"].contains(&key.as_str())))
    {
        return Err(format!("the flow has `{key}`, which is not understood"));
    }
    Ok((flow, config))
}

fn range(run: &Json) -> Result<Range, String> {
    only(run, &["from", "to", "skip"])?;
    let text = |key: &str| run.get(key).and_then(Json::as_str).map(str::to_owned);
    let skip = run.get("skip").and_then(Json::as_array).into_iter().flatten();
    Ok(Range {
        from: text("from"),
        to: text("to"),
        skip: skip.filter_map(Json::as_str).map(str::to_owned).collect(),
        ..Range::default()
    })
}

/// The plan of a configuration, or what is wrong with it.
fn planned(registry: &Registry, config: &Json, place: &Place<'_>) -> Result<Result<Plan, Outcome>, String> {
    let file = place.cwd().join("config.json");
    place.write(&file, &config.to_string())?;
    let mut sources = SourceMap::new();
    let loader = Loader { files: vec![file], ..Loader::default() };
    let plan = Plan::load(registry, loader, None, &mut sources);
    Ok(plan.map_err(|PlanError(diagnostics)| Outcome::refused(&diagnostics, &sources)))
}

/// Runs a part of a plan.
fn part(mut plan: Plan, range: &Range, registry: &Registry, place: &Place<'_>) -> Result<Ended, Failure> {
    let toolbox = Toolbox::new(registry.tools().cloned(), plan.config.tools());
    let engine = Engine::open(&place.cwd(), toolbox, Options::cores(1))?;
    plan.select(range)?;
    plan.hold(&engine, TAG)?;
    Run::new(&plan, &engine, TAG)?.execute(|_| Again::No, |_, _| {})
}

/// What went wrong in a run.
fn problems(ended: &Ended) -> String {
    let failures = ended.failures.iter().map(|(_, failure)| words(failure));
    let checks = ended.summary.steps.iter().filter_map(|step| step.reason.clone());
    failures.chain(checks).collect::<Vec<_>>().join("\n")
}

/// A failure as people read it.
fn words(failure: &Failure) -> String {
    let parts = std::iter::once(&failure.message).chain(&failure.words).chain(&failure.hint);
    parts.map(String::as_str).collect::<Vec<_>>().join("\n")
}
