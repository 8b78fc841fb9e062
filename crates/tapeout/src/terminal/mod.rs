//! The one place that prints. Results go to standard output; progress, warnings and errors to standard error.
//!
//! A reader that went away is no error: what is left to say is dropped, the work goes on, and the exit code tells how
//! it ended.

pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod plain;
pub(crate) mod standing;
pub(crate) mod style;
pub(crate) mod summary;
pub(crate) mod table;
pub(crate) mod tail;
pub(crate) mod watch;
pub(crate) mod words;

use std::env;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use tapeout_model::Class;

use crate::args::{Color, Global};
use crate::error::CliError;
pub(crate) use style::{Paint, Style};
pub(crate) use words::plural;

/// Where and how to print.
pub(crate) struct Terminal {
    pub(crate) quiet: bool,
    pub(crate) verbose: bool,
    pub(crate) json: bool,
    /// How standard output is painted.
    pub(crate) out: Paint,
    /// How standard error is painted.
    pub(crate) err: Paint,
    /// Why standard output could not be written, other than that nobody reads it.
    broken: OnceLock<io::Error>,
}

impl Terminal {
    pub(crate) fn new(global: &Global) -> Self {
        let paint = |is_terminal: bool| {
            Paint::new(match global.color {
                Color::Always => true,
                Color::Never => false,
                Color::Auto => is_terminal && !is_set("NO_COLOR") && !is_dumb(),
            })
        };
        Self {
            quiet: global.quiet,
            verbose: global.verbose,
            json: global.json,
            out: paint(io::stdout().is_terminal()),
            err: paint(io::stderr().is_terminal()),
            broken: OnceLock::new(),
        }
    }

    /// Whether there is somebody who sees lines change.
    pub(crate) fn is_live() -> bool {
        io::stderr().is_terminal() && !is_set("CI") && !is_dumb()
    }

    /// Whether standard error takes colours.
    pub(crate) fn err_colors(&self) -> bool {
        self.err.is_on()
    }

    /// A result, with a line break after it.
    pub(crate) fn print(&self, text: &str) {
        self.print_bytes(format!("{text}\n").as_bytes());
    }

    /// A result as JSON, in lines that people can read.
    pub(crate) fn print_json(&self, json: &serde_json::Value) {
        self.print(&format!("{json:#}"));
    }

    /// A result as it is.
    pub(crate) fn print_bytes(&self, bytes: &[u8]) {
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(bytes).and_then(|()| out.flush())
            && error.kind() != ErrorKind::BrokenPipe
        {
            let _ = self.broken.set(error);
        }
    }

    /// Something worth knowing beside the result; `--quiet` leaves it out.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.complain(text);
        }
    }

    /// Something that must be known.
    pub(crate) fn complain(&self, text: &str) {
        write_error(&format!("{text}\n"));
    }

    /// Why a command did not do what it was asked for.
    pub(crate) fn error(&self, error: &CliError) {
        let mut text = format!("{} {}", self.err.paint(Style::Error, "error:"), error.message);
        for detail in &error.details {
            text.push_str(&format!("\n  {detail}"));
        }
        if let Some(hint) = &error.hint {
            text.push_str(&format!("\n{} {hint}", self.err.paint(Style::Good, "try:")));
        }
        self.complain(&text);
    }

    /// The exit code, which is another one when the result could not be printed.
    pub(crate) fn finish(&self, code: u8) -> u8 {
        match self.broken.get() {
            Some(error) => {
                self.error(&CliError::environment(format!("cannot write to standard output: {error}")));
                if code == 0 { Class::Environment.exit_code() } else { code }
            }
            None => code,
        }
    }
}

/// Text for standard error as it is. Whom could we tell that it cannot be written?
fn write_error(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Replaces the words of a panic by ones for users.
pub(crate) fn announce_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let payload = panic.payload();
        let reason = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref::<&str>().copied());
        let reason = reason.unwrap_or("no reason given");
        // A flow that is not to go on is ended without a word, whatever its threads make of that.
        if tapeout_flow::is_ending_flow() {
            return;
        }
        let place = panic.location().map(|place| format!(" ({place})")).unwrap_or_default();
        let text = format!(
            "error: tapeout broke: {reason}{place}\n\
             this is a defect of tapeout or of a plug-in, not of the design; nothing that was recorded is lost\n"
        );
        write_error(&text);
    }));
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn is_dumb() -> bool {
    env::var_os("TERM").is_some_and(|term| term == "dumb")
}
