//! Why a job has no result.

use std::io;
use std::path::PathBuf;

use tapeout_model::{Alert, Class};
use tapeout_store::StoreError;

use crate::retry::Cause;

/// What to do when a disk is full.
pub(crate) const DISK_HINT: &str = "free some space on that disk and run again; everything that was done is kept";

/// Why a job has no result, in words for the user.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// Whose turn it is to act.
    pub class: Class,
    /// What kind of failure it was, where that decides whether to try again.
    pub cause: Option<Cause>,
    /// What happened, in one line.
    pub message: String,
    /// The tool's own error lines.
    pub words: Vec<String>,
    /// What to try.
    pub hint: Option<String>,
    /// The directory of the failed attempt with its log, kept for looking at.
    pub work_dir: Option<PathBuf>,
    /// The log within it.
    pub log: Option<String>,
    /// The exit status of the tool that failed; 128 and the number of the signal where one ended it.
    pub exit: Option<i32>,
    /// What the tool complained of before it failed.
    pub alerts: Vec<Alert>,
}

impl Failure {
    /// A failure with nothing but its class and message.
    #[must_use]
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self {
            class,
            cause: None,
            message: message.into(),
            words: Vec::new(),
            hint: None,
            work_dir: None,
            log: None,
            exit: None,
            alerts: Vec::new(),
        }
    }

    /// The failure of a job during which a file that it reads has changed: nobody knows which version it saw.
    #[must_use]
    pub(crate) fn changed(path: &str) -> Self {
        Self::new(Class::Environment, format!("`{path}` changed during the step, so that its result was not recorded"))
            .hint("run again")
    }

    /// The failure of an operation on files.
    #[must_use]
    pub fn io(action: &str, error: &io::Error) -> Self {
        let failure = Self::new(Class::Environment, format!("cannot {action}: {error}"));
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => failure.hint(DISK_HINT),
            _ => failure,
        }
    }

    /// The failure of a job that was stopped because the user, the system or another failure asked for it.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Class::Interrupted, "stopped before it was done")
    }

    /// The failure of a job that is not as brief as it says.
    pub(crate) fn not_brief(job: &str) -> Self {
        Self::new(Class::Internal, format!("`{job}` is brief and asks for other jobs")).because(Cause::NotBrief)
    }

    /// The same failure with its cause.
    #[must_use]
    pub(crate) fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// The same failure with something to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::new(Class::Environment, error.to_string());
        if error.is_lost() {
            return failure
                .because(Cause::LostInput)
                .hint("run again: what depends on it is done again; and look after that disk");
        }
        if error.is_full() {
            return failure.hint(DISK_HINT);
        }
        if error.is_refused() {
            return failure.hint("results are recorded in `.tapeout`: whoever runs steps must be able to write there");
        }
        failure
    }
}
