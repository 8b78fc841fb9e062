//! Progress for pipes and CI: one line when a step starts and one when it ends, nothing that moves. With `--verbose`
//! also the lines of the tools' logs.

use tapeout_flow::{Happened, Plan, RunEvent};

use super::Terminal;
use super::tail::Follower;
use super::watch::{Places, Watcher, ending, remark};

pub(crate) struct Plain<'a> {
    terminal: &'a Terminal,
    plan: &'a Plan,
    places: Places,
    logs: Option<Follower>,
}

impl<'a> Plain<'a> {
    pub(crate) fn new(terminal: &'a Terminal, plan: &'a Plan) -> Self {
        let logs = terminal.verbose.then(|| {
            let ids: Vec<String> = plan.steps.iter().map(|step| step.id.clone()).collect();
            Follower::start(move |step, lines| {
                let text: String = lines.iter().map(|line| format!("{} | {line}\n", ids[step])).collect();
                super::write_error(&text);
            })
        });
        Self { terminal, plan, places: Places::new(plan), logs }
    }

    fn line(&self, step: usize, words: &str) {
        let digits = self.places.total.to_string().len();
        let (place, total, id) = (self.places.of(step), self.places.total, &self.plan.steps[step].id);
        self.terminal.note(&format!("[{place:digits$}/{total}] {id}: {words}"));
    }
}

impl Watcher for Plain<'_> {
    fn heard(&self, step: Option<usize>, happened: &Happened) {
        let Some(step) = step else { return };
        let event = &happened.event;
        match event {
            RunEvent::StepStarted { reasons } => self.line(step, &started(reasons)),
            RunEvent::StepRunning { log, .. } => {
                if let Some(logs) = &self.logs {
                    logs.follow(step, log);
                }
            }
            _ => {
                if let Some(ending) = ending(event) {
                    if let Some(logs) = &self.logs {
                        logs.leave(step);
                    }
                    self.line(step, &ending.words);
                } else if let Some(remark) = remark(event) {
                    self.line(step, &remark);
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
