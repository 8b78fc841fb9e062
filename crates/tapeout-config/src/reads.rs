//! What was read of a configuration: a view of it notes each thing that its getters are asked for. What becomes of that
//! is the business of whoever handed out the view.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Something that a configuration was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ConfigRead {
    /// The value of the variable, or that it has none, or that there is no such variable.
    Value(String),
    /// Whether the variable was given, as opposed to its default.
    Given(String),
    /// The layer of the variable's value.
    Layer(String),
}

/// What was read through a view of a configuration, see [`Config::noting`](crate::Config::noting). Each thing counts
/// once.
#[derive(Debug, Default)]
pub struct ConfigReads(Mutex<Noted>);

#[derive(Debug, Default)]
struct Noted {
    known: HashSet<ConfigRead>,
    new: Vec<ConfigRead>,
}

impl ConfigReads {
    /// What was read since this was last asked, in the order of reading. What was given out once does not come again.
    #[must_use]
    pub fn take_new(&self) -> Vec<ConfigRead> {
        std::mem::take(&mut self.noted().new)
    }

    pub(crate) fn note(&self, read: ConfigRead) {
        let mut noted = self.noted();
        if !noted.known.contains(&read) {
            noted.known.insert(read.clone());
            noted.new.push(read);
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
