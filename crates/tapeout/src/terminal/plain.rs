//! Progress for pipes and CI: one line when a step starts and one when it ends, nothing that moves. With `--verbose`
//! also the lines of the tools' logs.

use tapeout_flow::{Happened, RunEvent};

use super::Terminal;
use super::tail::Follower;
use super::watch::{Billing, Watcher, ending, remark};

pub(crate) struct Plain<'a> {
    terminal: &'a Terminal,
    places: Billing,
    logs: Option<Follower>,
}

impl<'a> Plain<'a> {
    pub(crate) fn new(terminal: &'a Terminal, places: Billing) -> Self {
        let logs = terminal.verbose.then(|| {
            Follower::start(|id, lines| {
                let text: String = lines.iter().map(|line| format!("{id} | {line}\n")).collect();
                super::write_error(&text);
            })
        });
        Self { terminal, places, logs }
    }

    fn line(&self, step: usize, id: &str, words: &str) {
        let digits = self.places.total.to_string().len();
        let place = match self.places.of(step) {
            Some(place) => format!("[{place:digits$}/{}]", self.places.total),
            None => " ".to_owned(),
        };
        self.terminal.note(&format!("{place} {id}: {words}"));
    }
}

impl Watcher for Plain<'_> {
    fn heard(&self, step: Option<usize>, happened: &Happened) {
        let event = &happened.event;
        let (Some(step), Some(id)) = (step, happened.step.as_deref()) else {
            return match event {
                RunEvent::StageStarted(stage) => self.terminal.note(&stage.to_string()),
                RunEvent::Message { text } => self.terminal.note(text),
                _ => {}
            };
        };
        match event {
            RunEvent::Message { text } => self.terminal.note(&format!("{id} | {text}")),
            RunEvent::StepStarted { reasons, .. } => self.line(step, id, &started(reasons)),
            RunEvent::StepRunning { log, .. } => {
                if let Some(logs) = &self.logs {
                    logs.follow(id, log);
                }
            }
            _ => {
                if let Some(ending) = ending(event) {
                    if let Some(logs) = &self.logs {
                        logs.leave(id);
                    }
                    self.line(step, id, &ending.words);
                } else if let Some(remark) = remark(event) {
                    self.line(step, id, &remark);
                }
            }
        }
    }

    fn say(&self, text: &str) {
        self.terminal.note(text);
    }
}

/// The first reason says enough to know whether it is the expected one; `tapeout why` has them all.
fn started(reasons: &[String]) -> String {
    match reasons {
        [] => "started".to_owned(),
        [only] => format!("started: {only}"),
        [first, rest @ ..] => format!("started: {first} (and {} more)", rest.len()),
    }
}
