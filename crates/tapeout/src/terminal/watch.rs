//! Who watches a run: the forms of progress, and what they have in common.

use tapeout_flow::project::{Project, TargetId};
use tapeout_flow::{Happened, InRange, Plan, RunEvent, StepDone, StepStatus};

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
pub(crate) fn watcher(terminal: &Terminal, billing: Billing, json_log: bool) -> Box<dyn Watcher + '_> {
    if json_log {
        Box::new(json::JsonLog::new(terminal))
    } else if terminal.quiet {
        Box::new(Nobody)
    } else if Terminal::is_live() {
        Box::new(live::Live::new(terminal, billing))
    } else {
        Box::new(plain::Plain::new(terminal, billing))
    }
}

/// Who will be on: what is known of a run before it begins.
pub(crate) struct Billing {
    /// What runs.
    pub(crate) title: String,
    /// Where each step stands among those that run: `4` of `10`. None of a step that a program asks for.
    of: Vec<Option<usize>>,
    /// How many there are.
    pub(crate) total: usize,
    /// Whether what runs says itself how far it is.
    pub(crate) is_program: bool,
    /// The longest id, so that what follows ids lines up.
    pub(crate) width: usize,
}

impl Billing {
    /// The steps of a plan in the range that run.
    pub(crate) fn of_plan(plan: &Plan) -> Self {
        let mut of = vec![None; plan.steps.len()];
        let mut total = 0;
        for (index, step) in plan.running().filter(|(_, step)| step.in_range == InRange::Inside) {
            // The initial state has place 0.
            total += usize::from(!step.is_initial_state());
            of[index] = Some(total);
        }
        let planned = plan.running().map(|(_, step)| step.id.len());
        let width = planned.chain(plan.declared().map(|step| step.id.len())).max().unwrap_or(0);
        Self { title: plan.flow.clone(), of, total, is_program: plan.is_program(), width }
    }

    /// Targets of a project, in order.
    pub(crate) fn of_targets(project: &Project, targets: &[TargetId]) -> Self {
        let width = |target: &TargetId| project.block(*target).0.len() + 1 + project.task(*target).id.len();
        Self {
            title: "targets".to_owned(),
            of: (1..=targets.len()).map(Some).collect(),
            total: targets.len(),
            is_program: false,
            width: targets.iter().map(width).max().unwrap_or(0),
        }
    }

    /// None for a step that a program asked for.
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
                // A failure that the flow may have an answer to, and that is recorded.
                StepStatus::Failed => ending('✗', Style::Error, format!("failed: {reason}{time}")),
                StepStatus::CheckFailed => ending('✗', Style::Error, format!("check failed: {reason}{time}")),
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
