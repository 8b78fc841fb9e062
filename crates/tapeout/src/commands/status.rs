//! `tapeout status`: how each step stands now, and what the last run came to.

use clap::Args;
use serde_json::json;
use tapeout_flow::{Again, Run};
use tapeout_model::Class;

use super::run::{Standing, standing_text};
use crate::Cx;
use crate::args::{TagArgs, ThingArgs};
use crate::error::CliError;
use crate::project;
use crate::runs::RecordedRun;
use crate::terminal::words::ago;

/// Say which steps are up to date and which would run, and what the last run came to
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    thing: ThingArgs,
    #[command(flatten)]
    tag: TagArgs,
}

pub(crate) fn run(cx: &Cx, args: &StatusArgs) -> Result<u8, CliError> {
    let plan = project::load(cx, &args.thing)?;
    let engine = project::engine(&cx.registry, &plan.config, 1, true)?;
    let tag = &args.tag.tag;
    let run = Run::new(&plan, &engine, tag);
    let last = RecordedRun::read(&plan.config.design_dir().join("runs").join(tag))?;
    let mut steps = Vec::new();
    for (step, status) in plan.steps.iter().zip(run.look(|_| Again::No)) {
        let time = last.as_ref().and_then(|run| run.tool_time(&step.id));
        steps.push(Standing { id: &step.id, status, time, left_out: &step.left_out });
    }
    let terminal = &cx.terminal;
    if terminal.json {
        let steps: Vec<_> = steps.iter().map(Standing::to_json).collect();
        let last = last.map(|run| run.summary);
        terminal.print_json(&json!({
            "flow": plan.flow, "design": plan.design(), "tag": tag, "steps": steps, "last_run": last,
        }));
        return Ok(0);
    }
    let last = match &last {
        None => format!("{} of {}, never run as `{tag}`", plan.flow, plan.design()),
        Some(run) => {
            let outcome = match run.summary.class {
                None => "all was well".to_owned(),
                Some(Class::Check) => "a check failed".to_owned(),
                Some(Class::Interrupted) => "it was stopped".to_owned(),
                Some(_) => "it failed".to_owned(),
            };
            let failed = run.failed_step().map(|step| format!(" in {}", step.id)).unwrap_or_default();
            let when = ago(run.ended);
            format!("{} of {}, last run as `{tag}` {when}: {outcome}{failed}", plan.flow, plan.design())
        }
    };
    terminal.print(&format!("{last}\n{}", standing_text(terminal, &steps)));
    Ok(0)
}
