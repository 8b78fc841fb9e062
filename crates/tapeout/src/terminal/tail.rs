//! Follows growing logs: hands over each whole line as it comes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::words::printable;

/// How often logs are looked at: as often as a person can see.
const PERIOD: Duration = Duration::from_millis(100);

/// Who takes the lines; called with the step's id.
type Listener = Box<dyn Fn(&str, &[String]) + Send + Sync>;

/// Follows the logs of the steps that run, in a thread of its own.
pub(crate) struct Follower {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    listener: Listener,
}

#[derive(Default)]
struct State {
    logs: BTreeMap<String, Tail>,
    ended: bool,
}

impl Follower {
    pub(crate) fn start(listener: impl Fn(&str, &[String]) + Send + Sync + 'static) -> Self {
        let shared =
            Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), listener: Box::new(listener) });
        let thread = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.watch())
        };
        Self { shared, thread: Some(thread) }
    }

    /// Follows this log for a step, after what is left of the one before.
    pub(crate) fn follow(&self, step: &str, log: &Path) {
        self.leave(step);
        // The file is held open: it can be read to its end also after it was moved to the store.
        if let Ok(file) = File::open(log) {
            self.shared.state().logs.insert(step.to_owned(), Tail { file, rest: Vec::new() });
        }
    }

    /// Hands over what is left of a step's log.
    pub(crate) fn leave(&self, step: &str) {
        let mut state = self.shared.state();
        if let Some(mut tail) = state.logs.remove(step) {
            let mut lines = tail.new_lines();
            lines.extend(tail.last_line());
            self.shared.tell(step, &lines);
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.state().ended = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn watch(&self) {
        let mut state = self.state();
        while !state.ended {
            // Lines are handed over while the lock is held, so that they stay in order.
            for (step, tail) in &mut state.logs {
                self.tell(step, &tail.new_lines());
            }
            state = self.changed.wait_timeout(state, PERIOD).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn tell(&self, step: &str, lines: &[String]) {
        if !lines.is_empty() {
            (self.listener)(step, lines);
        }
    }
}

/// One log, and the beginning of a line whose end has not come yet.
struct Tail {
    file: File,
    rest: Vec<u8>,
}

impl Tail {
    fn new_lines(&mut self) -> Vec<String> {
        // A log that cannot be read has no lines to show; its step will say why.
        let _ = self.file.read_to_end(&mut self.rest);
        let Some(end) = self.rest.iter().rposition(|byte| *byte == b'\n') else { return Vec::new() };
        let rest = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, rest);
        String::from_utf8_lossy(&whole).lines().map(printable).collect()
    }

    fn last_line(&mut self) -> Option<String> {
        let rest = std::mem::take(&mut self.rest);
        (!rest.is_empty()).then(|| printable(&String::from_utf8_lossy(&rest)))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn every_line_comes_once_and_the_unfinished_one_at_the_end() {
        let mut log = tempfile::NamedTempFile::new().unwrap();
        let (sender, lines) = mpsc::channel();
        let sender = Mutex::new(sender);
        let follower = Follower::start(move |step, new| {
            for line in new {
                sender.lock().unwrap().send((step.to_owned(), line.clone())).unwrap();
            }
        });
        follower.follow("A", log.path());
        log.write_all(b"one\ntw").unwrap();
        assert_eq!(lines.recv_timeout(Duration::from_secs(10)).unwrap(), ("A".to_owned(), "one".to_owned()));
        log.write_all(b"o\nrest").unwrap();
        follower.leave("A");
        drop(follower);
        assert_eq!(lines.iter().collect::<Vec<_>>(), ["two", "rest"].map(|line| ("A".to_owned(), line.to_owned())));
    }
}
