//! How a shared cache fares: what it may still be asked, and what the user should know of it.

use std::sync::Mutex;
use std::time::Duration;

use super::{Access, Item};
use crate::lock;

/// An answer that comes within this time is a good one.
const PROMPT: Duration = Duration::from_millis(250);
/// How long a process waits beyond that, all its questions together.
const PATIENCE: Duration = Duration::from_secs(10);
/// A place with so many damaged items is not a shared cache.
const MAX_DAMAGE: usize = 16;

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Use {
    Off,
    Read,
    ReadWrite,
}

struct State {
    usage: Use,
    /// Set with each step down of `usage`; the last one tells most.
    trouble: Option<String>,
    damage: Vec<(Item, String)>,
    late: Duration,
}

/// The health of one shared cache.
pub(super) struct Health {
    /// The location, for messages.
    name: String,
    state: Mutex<State>,
}

impl Health {
    pub(super) fn new(name: String, access: Access) -> Self {
        let usage = match access {
            Access::ReadOnly => Use::Read,
            Access::ReadWrite => Use::ReadWrite,
        };
        Self { name, state: Mutex::new(State { usage, trouble: None, damage: Vec::new(), late: Duration::ZERO }) }
    }

    pub(super) fn reads(&self) -> bool {
        lock(&self.state).usage >= Use::Read
    }

    pub(super) fn writes(&self) -> bool {
        lock(&self.state).usage >= Use::ReadWrite
    }

    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.state).trouble.clone()
    }

    pub(super) fn damage(&self) -> Vec<String> {
        lock(&self.state).damage.iter().map(|(item, what)| format!("{}/{item}: {what}", self.name)).collect()
    }

    pub(super) fn is_damaged(&self, item: Item) -> bool {
        lock(&self.state).damage.iter().any(|(damaged, _)| *damaged == item)
    }

    pub(super) fn switch_off(&self, why: &str) {
        self.step_down(&mut lock(&self.state), Use::Off, why);
    }

    pub(super) fn stop_writing(&self, why: &str) {
        self.step_down(&mut lock(&self.state), Use::Read, why);
    }

    /// Notes an item that is not what its name says; returns whether the cache is still in use.
    pub(super) fn note_damage(&self, item: Item, what: &str) -> bool {
        let mut state = lock(&self.state);
        if state.damage.len() < MAX_DAMAGE && !state.damage.iter().any(|(damaged, _)| *damaged == item) {
            state.damage.push((item, what.to_owned()));
            if state.damage.len() == MAX_DAMAGE {
                self.step_down(&mut state, Use::Off, &format!("{MAX_DAMAGE} answers were damaged"));
            }
        }
        state.usage >= Use::Read
    }

    /// Notes how long an answer took. One that is slow all the time costs more than it saves.
    pub(super) fn note_wait(&self, time: Duration) {
        let mut state = lock(&self.state);
        state.late += time.saturating_sub(PROMPT);
        if state.late > PATIENCE {
            let why = format!("it answers slowly; {} s were spent waiting for it", state.late.as_secs());
            self.step_down(&mut state, Use::Off, &why);
        }
    }

    /// The end of use, which is no trouble.
    pub(super) fn retire(&self) {
        lock(&self.state).usage = Use::Off;
    }

    fn step_down(&self, state: &mut State, to: Use, why: &str) {
        if state.usage <= to {
            return;
        }
        state.usage = to;
        let consequence = if to == Use::Off { "it is not used" } else { "new results are not shared" };
        state.trouble = Some(format!("shared cache {}: {why}; {consequence} for the rest of this run", self.name));
    }
}

#[cfg(test)]
mod tests {
    use tapeout_model::Digest;

    use super::*;

    #[test]
    fn steps_down_and_says_so_once() {
        let health = Health::new("here".to_owned(), Access::ReadWrite);
        health.stop_writing("full");
        health.stop_writing("again");
        let said = "shared cache here: full; new results are not shared for the rest of this run";
        assert_eq!(health.trouble().as_deref(), Some(said));
        assert!(health.reads() && !health.writes());
        health.switch_off("gone");
        health.stop_writing("still full");
        assert_eq!(health.trouble().unwrap(), "shared cache here: gone; it is not used for the rest of this run");
        assert!(!health.reads());
    }

    #[test]
    fn slowness_and_damage_add_up() {
        let health = Health::new("here".to_owned(), Access::ReadOnly);
        for _ in 0..1000 {
            health.note_wait(Duration::from_millis(200));
        }
        assert!(health.reads(), "prompt answers cost nothing");
        for _ in 0..5 {
            health.note_wait(PROMPT + Duration::from_secs(2));
        }
        assert!(health.reads());
        health.note_wait(Duration::from_secs(1));
        assert!(!health.reads() && health.trouble().unwrap().contains("answers slowly"));

        let health = Health::new("here".to_owned(), Access::ReadOnly);
        let item = |n| Item::Blob(Digest([n; 32]));
        for n in 0..15 {
            assert!(health.note_damage(item(n), "bad") && health.note_damage(item(n), "bad"));
        }
        assert!(!health.note_damage(item(15), "bad") && !health.reads());
        assert_eq!(health.damage().len(), 16);
        assert!(health.is_damaged(item(3)) && !health.is_damaged(item(16)));
    }
}
