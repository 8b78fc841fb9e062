//! `tapeout pin` and `unpin`: hold a step at its result, whatever changes.

use clap::Args;
use serde_json::json;
use tapeout_engine::Engine;
use tapeout_flow::{Plan, Run};

use crate::args::{OverlayArgs, TagArgs};
use crate::error::CliError;
use crate::{Cx, names, project, tools};

/// Hold a step at the result that a run shows, whatever changes
#[derive(Debug, Args)]
pub(crate) struct PinArgs {
    #[command(flatten)]
    step: PinnedArgs,
    /// Why, for whoever sees it in `status`
    #[arg(long, short, value_name = "TEXT", value_parser = reason)]
    reason: String,
    /// Make the edited files in the step's directory its result
    #[arg(long)]
    adopt: bool,
}

/// Let a pinned step run again when something changes
#[derive(Debug, Args)]
pub(crate) struct UnpinArgs {
    #[command(flatten)]
    step: PinnedArgs,
}

#[derive(Debug, Args)]
struct PinnedArgs {
    /// The step, or THING/STEP for a configuration that is not the one here
    #[arg(value_name = "[THING/]STEP")]
    step: String,
    #[command(flatten)]
    overlay: OverlayArgs,
    #[command(flatten)]
    tag: TagArgs,
}

fn reason(text: &str) -> Result<String, String> {
    let problem = match text.trim() {
        "" => "say why, for whoever finds it pinned",
        text if text.chars().any(char::is_control) => "a reason is one line of text",
        text => return Ok(text.to_owned()),
    };
    Err(problem.to_owned())
}

impl PinnedArgs {
    /// The plan, its engine, and what was typed for the step.
    fn plan(&self, cx: &Cx) -> Result<(Plan, Engine, String), CliError> {
        let (thing, step) = project::thing_and_step(Some(&self.step), self.overlay.clone());
        let plan = project::load(cx, &thing)?;
        let Some(step) = step else {
            return Err(CliError::input(format!("`{}` is a configuration, not a step", self.step))
                .hint("name a step of it: `THING/STEP`"));
        };
        let engine = tools::engine(&cx.registry, &plan)?;
        Ok((plan, engine, step))
    }

    /// The run, and the id of the step. A program has the steps that its last run asked for.
    fn run<'a>(&self, plan: &'a Plan, engine: &'a Engine, step: &str) -> Result<(Run<'a>, String), CliError> {
        let run = Run::new(plan, engine, &self.tag.tag)?;
        let ids: Vec<&str> = match plan.is_program() {
            true => run.steps(),
            false => plan.steps.iter().map(|step| step.id.as_str()).collect(),
        };
        if plan.is_program() && ids.is_empty() {
            let message = format!("the flow `{}` has not been run as `{}`", plan.flow, self.tag.tag);
            return Err(CliError::input(message).hint("which steps a program has, its first run shows: `tapeout run`"));
        }
        let id = names::find("step", step, &ids)?.to_owned();
        Ok((run, id))
    }
}

pub(crate) fn pin(cx: &Cx, args: &PinArgs) -> Result<u8, CliError> {
    let (plan, engine, step) = args.step.plan(cx)?;
    let (mut run, id) = args.step.run(&plan, &engine, &step)?;
    let adopted =
        if args.adopt { run.adopt(&id, &args.reason)? } else { run.pin(&id, &args.reason).map(|()| Vec::new())? };
    let terminal = &cx.terminal;
    if terminal.json {
        terminal.print_json(&json!({ "step": id, "pinned": true, "reason": args.reason, "adopted": adopted }));
    } else if adopted.is_empty() {
        terminal.print(&format!("{id} is pinned: {}", args.reason));
    } else {
        terminal.print(&format!("{id} is pinned with {} as edited: {}", adopted.join(", "), args.reason));
    }
    Ok(0)
}

pub(crate) fn unpin(cx: &Cx, args: &UnpinArgs) -> Result<u8, CliError> {
    let (plan, engine, step) = args.step.plan(cx)?;
    let (mut run, id) = args.step.run(&plan, &engine, &step)?;
    let was = run.unpin(&id)?;
    let terminal = &cx.terminal;
    if terminal.json {
        terminal.print_json(&json!({ "step": id, "pinned": false, "was_pinned": was }));
    } else {
        terminal.print(&format!("{id} {}", if was { "is not pinned any more" } else { "was not pinned" }));
    }
    Ok(0)
}
