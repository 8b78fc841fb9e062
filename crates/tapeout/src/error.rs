//! The error at the edge: a class, which is the exit code, and the words on the terminal.

use tapeout_engine::Failure;
use tapeout_model::Class;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub(crate) struct CliError {
    class: Class,
    /// One line, shown after `error: `.
    pub(crate) message: String,
    /// What belongs to it, a line each, shown indented.
    pub(crate) details: Vec<String>,
    /// What to do, shown after `try: `.
    pub(crate) hint: Option<String>,
}

impl CliError {
    pub(crate) fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), details: Vec::new(), hint: None }
    }

    /// The command line, a configuration or a name in it is wrong.
    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Class::Input, message)
    }

    /// The machine, its files or its tools are not as they must be.
    pub(crate) fn environment(message: impl Into<String>) -> Self {
        Self::new(Class::Environment, message)
    }

    /// Says more in the same line.
    pub(crate) fn and(mut self, more: &str) -> Self {
        self.message.push_str("; ");
        self.message.push_str(more);
        self
    }

    pub(crate) fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        self.class.exit_code()
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        Self { class: failure.class, message: failure.message, details: failure.words, hint: failure.hint }
    }
}
