//! The log for programs: the stream of events, one JSON object a line on standard output, as it is recorded in
//! `events.jsonl` (see [`tapeout_flow::Happened`] for the fields).

use tapeout_flow::{Happened, RunEvent};

use super::Terminal;
use super::watch::Watcher;

pub(crate) struct JsonLog<'a> {
    terminal: &'a Terminal,
}

impl<'a> JsonLog<'a> {
    pub(crate) fn new(terminal: &'a Terminal) -> Self {
        Self { terminal }
    }
}

impl Watcher for JsonLog<'_> {
    fn heard(&self, _: Option<usize>, happened: &Happened) {
        self.terminal.print(&happened.to_line());
    }

    fn say(&self, text: &str) {
        self.heard(None, &Happened::now(None, RunEvent::Message { text: text.to_owned() }));
    }
}
