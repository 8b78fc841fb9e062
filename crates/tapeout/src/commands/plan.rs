//! `tapeout plan`: what a run would do, step by step, without looking at what is recorded.

use clap::Args;
use serde_json::json;
use tapeout_config::ConfigSource;
use tapeout_engine::Part;
use tapeout_flow::hooks::StepHooks;
use tapeout_flow::{InRange, Plan, PlannedStep, StepInfo};

use super::sections;
use crate::Cx;
use crate::args::{PartArgs, ThingArgs};
use crate::error::CliError;
use crate::project;
use crate::targets::{self, TargetArgs};
use crate::terminal::table::{Cell, table};
use crate::terminal::words::plural;
use crate::terminal::{Style, Terminal};

/// Check a configuration and print the plan of its flow: steps, inputs, outputs, tools; or that of targets
///
/// A step with hooks shows its sections. With --verbose each step does, and the variables that it reads.
#[derive(Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    thing: ThingArgs,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    part: PartArgs,
}

pub(crate) fn run(cx: &Cx, args: &PlanArgs) -> Result<u8, CliError> {
    if let Some(asked) = targets::asked(cx, args.thing.thing.as_deref(), &args.targets.more)? {
        targets::refuse_overlay(&args.thing.overlay, &args.part, None)?;
        return super::targets::plan::run(cx, &asked);
    }
    let plan = project::load_part(cx, &args.thing, &args.part)?;
    if cx.terminal.json {
        cx.terminal.print_json(&to_json(&plan));
    } else {
        cx.terminal.print(&to_text(&cx.terminal, &plan));
    }
    Ok(0)
}

fn to_json(plan: &Plan) -> serde_json::Value {
    let part = |(id, hooks): (&str, &StepHooks)| json!({ "step": id, "sections": sections::to_json(hooks, None) });
    let step = |step: &PlannedStep| {
        let input = |(part, from): &(Part, usize)| {
            let kind = match part {
                Part::View(_) => "view",
                Part::Metrics(_) => "metrics",
                // A step reads nothing else.
                _ => "metric",
            };
            json!({ "kind": kind, "name": part.name(), "from": plan.steps[*from].id })
        };
        let of_step = match step.hooks() {
            Some(hooks) => sections::to_json(hooks, step.beyond_part()),
            None => sections::own_to_json(&step.info.sections),
        };
        json!({
            "id": step.id, "step": step.info.id, "name": step.info.name, "dir": step.dir, "left_out": step.left_out,
            "described": step.info.vocabulary.is_some(),
            "origin": step.origin, "held": step.in_range == InRange::Held,
            "inputs": step.inputs.iter().map(input).collect::<Vec<_>>(), "outputs": step.info.outputs,
            "tools": step.info.tools, "sections": of_step,
            "parts": step.hooks_of_parts().into_iter().map(part).collect::<Vec<_>>(), "variables": step.config().to_json(),
        })
    };
    let mut json = json!({
        "flow": plan.flow, "design": plan.design(), "design_dir": plan.config.design_dir(),
        "steps": plan.steps.iter().map(|planned| step(planned)).collect::<Vec<_>>(),
        "declared": plan.declared().map(|step| step.id).collect::<Vec<_>>(),
        "warnings": plan.warnings.iter().map(|warning| &warning.message).collect::<Vec<_>>(),
    });
    if plan.is_program() {
        json["hooked"] = plan.hooks_of_declared().into_iter().map(part).collect();
        json["declared"] = plan.declared().map(|step| step.id).collect();
    }
    json
}

fn to_text(terminal: &Terminal, plan: &Plan) -> String {
    let paint = terminal.out;
    let is_step = |step: &PlannedStep| !step.is_initial_state();
    let total = plan.steps.iter().filter(|step| is_step(step)).count();
    // The initial state has number 0.
    let first = (total + 1) - plan.steps.len();
    let digits = total.to_string().len();
    let running = plan.running().filter(|(_, step)| is_step(step) && step.in_range == InRange::Inside).count();
    let steps = match plan.is_program() {
        true => format!("a program, which may ask for {}", plural(plan.declared().count(), "step")),
        false => format!("{running} of {total} steps"),
    };
    let mut text =
        format!("{} of {}: {steps}", paint.paint(Style::Bold, &plan.flow), paint.paint(Style::Bold, plan.design()));
    for (index, step) in plan.steps.iter().enumerate() {
        let number = index + first;
        let id = paint.paint(Style::Bold, &step.id);
        text.push_str(&format!("\n\n{number:digits$}. {id}  {}", step.info.name));
        if let Some(words) = not_there(&step.info) {
            text.push_str(&paint.paint(Style::Dim, &format!(" {words}")));
        }
        if let Some(origin) = &step.origin {
            text.push_str(&paint.paint(Style::Dim, &format!("\n  put there by {origin}")));
        }
        if step.in_range == InRange::Held {
            text.push_str(&paint.paint(Style::Dim, "\n  before the range: stays at its recorded result"));
            continue;
        }
        if let Some(reason) = &step.left_out {
            text.push_str(&paint.paint(Style::Dim, &format!("\n  left out: {reason}")));
            continue;
        }
        let inputs = step.inputs.iter().map(|(part, from)| {
            let more = if matches!(part, Part::Metrics(_)) { "*" } else { "" };
            format!("{}{more} from {}", part.name(), plan.steps[*from].id)
        });
        let lines = [
            ("reads", inputs.collect::<Vec<_>>().join(", ")),
            ("makes", step.info.outputs.join(", ")),
            ("tools", step.info.tools.join(", ")),
        ];
        let mut rows: Vec<Vec<Cell>> = Vec::new();
        for (name, value) in lines {
            if !value.is_empty() {
                rows.push(vec![Cell::left(name).style(Some(Style::Dim)), Cell::left(value)]);
            }
        }
        if terminal.verbose {
            if step.hooks().is_none() && !step.info.sections.is_empty() {
                let names = sections::names(&step.info.sections);
                rows.push(vec![Cell::left("sections").style(Some(Style::Dim)), Cell::left(names)]);
            }
            rows.extend(variables(step));
        }
        if !rows.is_empty() {
            text.push_str(&format!("\n{}", table(&rows, paint)));
        }
        let parts = step.hooks_of_parts();
        let hooked = step.hooks().map(|hooks| ("sections", hooks)).into_iter().chain(parts);
        for (title, hooks) in hooked {
            text.push_str(&format!("\n{}", table(&sections::rows(title, hooks, step.beyond_part()), paint)));
        }
    }
    let declared: Vec<Vec<Cell>> = (plan.declared())
        .map(|step| {
            let words = not_there(step).unwrap_or_default();
            vec![Cell::left(step.id), Cell::left(step.name), Cell::left(words).style(Some(Style::Dim))]
        })
        .collect();
    if !declared.is_empty() {
        text.push_str(&format!("\n\n{}", table(&declared, paint)));
        for (id, hooks) in plan.hooks_of_declared() {
            text.push_str(&format!("\n\n{}", table(&sections::rows(id, hooks, None), paint)));
        }
        text.push_str("\n\n`tapeout run --dry-run` says what it asks for, as far as that is known");
    }
    text
}

/// What is said of a step that is known by its descriptor only.
fn not_there(step: &StepInfo) -> Option<&'static str> {
    step.vocabulary.map(|_| "(not part of this version)")
}

/// The variables that a step reads, each with its value and who gave it.
fn variables(step: &PlannedStep) -> Vec<Vec<Cell>> {
    let row = |(name, setting): (&str, &tapeout_config::Setting)| {
        let given = setting.origin.source != ConfigSource::Default;
        let origin = format!("({})", setting.origin);
        vec![
            Cell::left(name),
            Cell::left(setting.shown()).style((!given).then_some(Style::Dim)),
            Cell::left(origin).style(Some(Style::Dim)),
        ]
    };
    step.config().iter().map(row).collect()
}
