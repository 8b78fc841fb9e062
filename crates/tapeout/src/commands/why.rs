//! `tapeout why`: why steps would run, or why they ran the last time.

use std::path::Path;
use std::time::{Duration, SystemTime};

use clap::Args;
use serde_json::json;
use tapeout_flow::{Again, Run, Standing, Stands};

use crate::args::{OverlayArgs, PartArgs, TagArgs};
use crate::error::CliError;
use crate::targets::{self, BuildArgs};
use crate::terminal::words::ago;
use crate::terminal::{Style, Terminal};
use crate::{Cx, names, project, tools};

/// Say why steps would run, or why they ran
#[derive(Debug, Args)]
pub(crate) struct WhyArgs {
    /// A configuration, a step of the one here, THING/STEP, or a target [default: all steps or targets here]
    #[arg(value_name = "THING[/STEP]")]
    what: Option<String>,
    #[command(flatten)]
    overlay: OverlayArgs,
    #[command(flatten)]
    part: PartArgs,
    #[command(flatten)]
    tag: TagArgs,
    #[command(flatten)]
    build: BuildArgs,
}

pub(crate) fn run(cx: &Cx, args: &WhyArgs) -> Result<u8, CliError> {
    if let Some(asked) = targets::asked(cx, args.what.as_deref().map(Path::new), &[])? {
        targets::refuse_overlay(&args.overlay, &args.part, Some(&args.tag))?;
        return super::targets::why::run(cx, &asked, &args.build, args.what.is_some());
    }
    let (thing, step) = project::thing_and_step(args.what.as_deref(), args.overlay.clone());
    let mut plan = project::load_part(cx, &thing, &args.part)?;
    let engine = tools::engine(&cx.registry, &plan)?;
    plan.hold(&engine, &args.tag.tag)?;
    let run = Run::new(&plan, &engine, &args.tag.tag)?;
    let mut steps = run.look(|_| Again::No);
    let mut ids: Vec<&str> = steps.iter().map(|standing| standing.step.as_str()).collect();
    ids.extend(run.steps().into_iter().filter(|id| !steps.iter().any(|standing| standing.step == *id)));
    let step = step.map(|step| names::find("step", &step, &ids)).transpose()?.map(str::to_owned);
    steps.retain(|standing| step.as_ref().is_none_or(|step| standing.step == *step));
    if let Some(step) = step.as_ref().filter(|_| steps.is_empty()) {
        let message = format!("whether the flow `{}` asks for `{step}` is not known yet", plan.flow);
        return Err(CliError::input(message).hint("a step that it looks at before would run first: `tapeout why`"));
    }
    let terminal = &cx.terminal;
    if terminal.json {
        let with_last = |standing: &Standing| {
            let last = run.last_ran(&standing.step);
            let mut json = json!(standing);
            json["last_ran"] = json!(last.map(|(time, reasons)| json!({ "time": time, "reasons": reasons })));
            json
        };
        terminal.print_json(&json!({
            "flow": plan.flow, "design": plan.design(), "tag": args.tag.tag,
            "steps": steps.iter().map(with_last).collect::<Vec<_>>(),
        }));
        return Ok(0);
    }
    // Of a whole flow, what would run is of interest; of one step, whatever there is to say.
    let shown: Vec<&Standing> = steps.iter().filter(|standing| step.is_some() || standing.would_run).collect();
    if shown.is_empty() {
        terminal.print("nothing would run");
    }
    for standing in shown {
        terminal.print(&text(terminal, standing, run.last_ran(&standing.step)));
    }
    Ok(0)
}

fn text(terminal: &Terminal, standing: &Standing, last: Option<(u64, &[String])>) -> String {
    let paint = terminal.out;
    let note = standing.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    let state = state(standing.status, &note);
    let mut lines = vec![format!("{} {state}", paint.paint(Style::Bold, &standing.step))];
    if standing.status != Stands::Missing {
        lines.extend(standing.reasons.iter().map(|reason| format!("  {reason}")));
    }
    if let (Stands::Fresh, Some((time, reasons))) = (standing.status, last) {
        lines.push(format!(
            "  it ran {}: {}",
            ago(SystemTime::UNIX_EPOCH + Duration::from_secs(time)),
            reasons.join("; ")
        ));
    }
    lines.join("\n")
}

/// What a run would do, in words.
pub(super) fn state(status: Stands, note: &str) -> String {
    match status {
        Stands::Fresh => "would not run: nothing that it reads has changed".to_owned(),
        Stands::Stale => "would run".to_owned(),
        Stands::Missing => "would run: it has no result yet".to_owned(),
        Stands::Failed => format!("would run again, it failed{note}"),
        Stands::Interrupted => format!("would run again, it was interrupted{note}"),
        Stands::Running => "is running".to_owned(),
        Stands::Pinned => format!("would not run: it is pinned{note}"),
        Stands::Held => "would not run: it stands before the range".to_owned(),
        Stands::Edited => format!("would not run, and its recorded files would be shown again; edited{note}"),
        Stands::LeftOut => format!("is left out{note}"),
    }
}
