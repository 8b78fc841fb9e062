//! Who watches a run: the forms of progress, and what they have in common.

use tapeout_flow::{Plan, StepEvent};
use tapeout_model::{Record, Verdict};

use super::words::duration;
use super::{Style, Terminal, json, live, plain};

/// Is told what happens in a run; from several threads, one call at a time for each step.
pub(crate) trait Watcher: Sync {
    /// Something happened to a step, given by its index in the plan.
    fn step(&self, step: usize, event: &StepEvent);

    /// Something that the user must see now.
    fn say(&self, text: &str);
}

/// Tells nobody.
struct Nobody;

impl Watcher for Nobody {
    fn step(&self, _: usize, _: &StepEvent) {}

    fn say(&self, _: &str) {}
}

/// The form of progress that fits the terminal and the options.
pub(crate) fn watcher<'a>(terminal: &'a Terminal, plan: &'a Plan, json_log: bool) -> Box<dyn Watcher + 'a> {
    if json_log {
        Box::new(json::JsonLog::new(terminal, plan))
    } else if terminal.quiet {
        Box::new(Nobody)
    } else if Terminal::is_live() {
        Box::new(live::Live::new(terminal, plan))
    } else {
        Box::new(plain::Plain::new(terminal, plan))
    }
}

/// Where each step stands among those that run: `4` of `10`.
pub(crate) struct Places {
    of: Vec<Option<usize>>,
    pub(crate) total: usize,
}

impl Places {
    pub(crate) fn new(plan: &Plan) -> Self {
        let mut of = vec![None; plan.steps.len()];
        let mut total = 0;
        for (index, _) in plan.running() {
            total += 1;
            of[index] = Some(total);
        }
        Self { of, total }
    }

    pub(crate) fn of(&self, step: usize) -> usize {
        self.of.get(step).copied().flatten().unwrap_or_default()
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
pub(crate) fn ending(event: &StepEvent) -> Option<Ending> {
    let ending = |mark, style, words| Some(Ending { mark, style, words });
    match event {
        StepEvent::Started | StepEvent::Running { .. } => None,
        StepEvent::Reused(entry) => match verdict_words(&entry.record) {
            Some(words) => ending(mark_of(&entry.record), style_of(&entry.record), format!("{words} (recorded)")),
            None => ending('=', Style::Dim, "reused".to_owned()),
        },
        StepEvent::Done(entry) => {
            // A step without tools takes no time worth telling.
            let time = match entry.attempt().peak_kib {
                0 => String::new(),
                _ => format!(", {}", duration(entry.attempt().wall_ms)),
            };
            match verdict_words(&entry.record) {
                Some(words) => ending(mark_of(&entry.record), style_of(&entry.record), format!("{words}{time}")),
                None => ending('✓', Style::Good, format!("done{time}")),
            }
        }
        StepEvent::Failed(failure) if failure.class == tapeout_model::Class::Interrupted => {
            ending('-', Style::Warning, "stopped".to_owned())
        }
        StepEvent::Failed(failure) => ending('✗', Style::Error, format!("failed: {}", failure.message)),
    }
}

fn verdict_words(record: &Record) -> Option<String> {
    match &record.verdict {
        Verdict::Passed => None,
        Verdict::NotChecked { reason } => Some(format!("not checked: {reason}")),
        Verdict::Failed { reason, .. } => Some(format!("check failed: {reason}")),
    }
}

fn mark_of(record: &Record) -> char {
    if matches!(record.verdict, Verdict::Failed { .. }) { '✗' } else { '?' }
}

fn style_of(record: &Record) -> Style {
    if matches!(record.verdict, Verdict::Failed { .. }) { Style::Error } else { Style::Warning }
}
