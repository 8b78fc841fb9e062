//! `tapeout status`: how each step stands now, and what the last run came to.

use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;
use tapeout_flow::{Again, Run, RunEvent, Stands, recorded_events};
use tapeout_model::Class;

use crate::Cx;
use crate::args::{PartArgs, TagArgs, ThingArgs};
use crate::error::CliError;
use crate::runs::RecordedRun;
use crate::targets::{self, TargetArgs};
use crate::terminal::standing;
use crate::terminal::words::ago;
use crate::{project, tools};

/// Say which steps are up to date, which would run and why, and what the last run came to
#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    thing: ThingArgs,
    #[command(flatten)]
    targets: TargetArgs,
    #[command(flatten)]
    part: PartArgs,
    #[command(flatten)]
    tag: TagArgs,
    /// Show hidden targets, too
    #[arg(short, long, help_heading = "Targets of flow.star")]
    all: bool,
    /// Say when targets begin and end, whoever builds them, until interrupted
    #[arg(long, help_heading = "Targets of flow.star", conflicts_with_all = ["thing", "more"])]
    follow: bool,
}

pub(crate) fn run(cx: &Cx, args: &StatusArgs) -> Result<u8, CliError> {
    if args.follow {
        return super::targets::follow::run(cx, &args.targets.build);
    }
    if let Some(asked) = targets::asked(cx, args.thing.thing.as_deref(), &args.targets.more)? {
        targets::refuse_overlay(&args.thing.overlay, &args.part, Some(&args.tag))?;
        let all = args.all || args.thing.thing.is_some();
        return super::targets::status::run(cx, &asked, &args.targets.build, all);
    }
    let mut plan = project::load_part(cx, &args.thing, &args.part)?;
    let engine = tools::engine(&cx.registry, &plan)?;
    let tag = &args.tag.tag;
    plan.hold(&engine, tag)?;
    let last = RecordedRun::read(&plan.config.design_dir().join("runs").join(tag))?;
    let steps = Run::new(&plan, &engine, tag)?.look(|_| Again::No);
    let terminal = &cx.terminal;
    if terminal.json {
        let last = last.map(|run| run.summary);
        terminal.print_json(&json!({
            "flow": plan.flow, "design": plan.design(), "tag": tag, "steps": steps, "last_run": last,
        }));
        return Ok(0);
    }
    for damage in engine.store().damages() {
        terminal.complain(&format!("warning: {damage}"));
    }
    let events = recorded_events(&plan.config.design_dir().join("runs").join(tag));
    let ended = events.last().is_none_or(|last| matches!(last.event, RunEvent::RunFinished { .. }));
    let running = steps.iter().any(|step| step.status == Stands::Running);
    let last = match &last {
        _ if running => format!("{} of {}, running as `{tag}`", plan.flow, plan.design()),
        _ if !ended => {
            let began = SystemTime::UNIX_EPOCH + Duration::from_secs_f64(events[0].time.max(0.0));
            format!("{} of {}, last run as `{tag}` {}: it was killed", plan.flow, plan.design(), ago(began))
        }
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
    terminal.print(&format!("{last}\n{}", standing::text(terminal, &plan, &steps)));
    Ok(0)
}
