//! Who watches a run: the forms of progress, and what they have in common.

use tapeout_flow::{Happened, InRange, Plan, PlannedStep, RunEvent, StepDone, StepStatus};

use super::words::duration;
use super::{Style, Terminal, json, live, plain};

/// Is told what happens in a run; from several threads, one call at a time for each step.
pub(crate) trait Watcher: Sync {
    /// Something happened, to a step where its index in the plan is given.
    fn heard(&self, step: Option<usize>, happened: &Happened);

    /// Something that the user must see now.
    fn say(&self, text: &str);
}

/// Tells nobody.
struct Nobody;

impl Watcher for Nobody {
    fn heard(&self, _: Option<usize>, _: &Happened) {}

    fn say(&self, _: &str) {}
}

/// The form of progress that fits the terminal and the options.
pub(crate) fn watcher<'a>(terminal: &'a Terminal, plan: &'a Plan, json_log: bool) -> Box<dyn Watcher + 'a> {
    if json_log {
        Box::new(json::JsonLog::new(terminal))
    } else if terminal.quiet {
        Box::new(Nobody)
    } else if Terminal::is_live() {
        Box::new(live::Live::new(terminal, plan))
    } else {
        Box::new(plain::Plain::new(terminal, plan))
    }
}

/// Where each step stands among those in the range that run: `4` of `10`.
pub(crate) struct Places {
    of: Vec<Option<usize>>,
    pub(crate) total: usize,
}

impl Places {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut of = vec![None; plan.steps.len()];
        let mut total = 0;
        // The initial state has place 0.
        let counts = |step: &PlannedStep| !step.is_initial_state() && step.in_range == InRange::Inside;
        for (index, _) in plan.running().filter(|(_, step)| counts(step)) {
            total += 1;
            of[index] = Some(total);
        }
        Self { of, total }
    }

    /// None for a step that a flow asked for while it ran.
    pub(crate) fn of(&self, step: usize) -> Option<usize> {
        self.of.get(step).copied().flatten()
    }
}

/// The end of a step in a few words.
pub(crate) struct Ending {
    /// One character that says it without words.
    pub(crate) mark: char,
    pub(crate) style: Style,
    pub(crate) words: String,
}

/// How a step ended, if the event is an end.
pub(crate) fn ending(event: &RunEvent) -> Option<Ending> {
    let ending = |mark, style, words| Some(Ending { mark, style, words });
    match event {
        RunEvent::StepDone(done) => {
            // A step without tools takes no time worth telling.
            let time = match done {
                StepDone { shared: true, .. } => " (shared)".to_owned(),
                StepDone { reused: true, .. } => " (recorded)".to_owned(),
                StepDone { peak_kib: 0, .. } => String::new(),
                StepDone { wall_ms, .. } => format!(", {}", duration(*wall_ms)),
            };
            let reason = done.reason.as_deref().unwrap_or("no reason given");
            match done.status {
                StepStatus::CheckFailed => ending('✗', Style::Error, format!("check failed: {reason}{time}")),
                StepStatus::Failed => ending('✗', Style::Error, format!("failed: {reason}{time}")),
                StepStatus::NotChecked => ending('?', Style::Warning, format!("not checked: {reason}{time}")),
                StepStatus::Pinned => ending('=', Style::Dim, "pinned".to_owned()),
                _ if done.shared => ending('=', Style::Dim, "shared".to_owned()),
                _ if done.reused => ending('=', Style::Dim, "reused".to_owned()),
                _ => ending('✓', Style::Good, format!("done{time}")),
            }
        }
        RunEvent::StepFailed(failed) if failed.class == tapeout_model::Class::Interrupted => {
            ending('-', Style::Warning, "stopped".to_owned())
        }
        RunEvent::StepFailed(failed) => ending('✗', Style::Error, format!("failed: {}", failed.message)),
        _ => None,
    }
}

/// What a step says that goes on.
pub(crate) fn remark(event: &RunEvent) -> Option<String> {
    match event {
        RunEvent::StepWaiting { reason } => Some(format!("waiting: {reason}")),
        RunEvent::StepRetried { reason } => Some(format!("trying again: {reason}")),
        RunEvent::StepRepeated { differences } if differences.is_empty() => Some("the same once more".to_owned()),
        RunEvent::StepRepeated { differences } => {
            let differences: Vec<String> =
                differences.iter().map(|difference| format!("`{}` {}", difference.what, difference.how)).collect();
            Some(format!("not the same once more: {}", differences.join("; ")))
        }
        _ => None,
    }
}
