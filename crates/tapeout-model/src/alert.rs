//! What tools and checks complain about, and the classes of failure that decide advice and exit code.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much an alert matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; the result stands.
    Warning,
    /// The result cannot be trusted or does not exist.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// One kind of complaint of a tool, with how often it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// How much it matters.
    pub severity: Severity,
    /// The code by which it is counted and waived: the tool's own (`verilator.UNUSEDSIGNAL`), or one that the step gives.
    pub code: String,
    /// The tool's own words, of the first time.
    pub message: String,
    /// How often it was said.
    pub count: u32,
}

/// Whose turn it is when something fails. Each class has its exit code, see the book, "Exit codes".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A check of the design failed: timing, DRC, a test. The views exist. Exit code 1.
    Check,
    /// The user's input is wrong: command line, configuration, plan. Exit code 2.
    Input,
    /// The surroundings are wrong: a tool is missing or too old, no licence, no disk. Exit code 3.
    Environment,
    /// A defect of tapeout. Exit code 4.
    Internal,
    /// A tool failed. Exit code 5.
    Tool,
    /// The user or the system asked to stop. Exit code 130 or 143.
    Interrupted,
}

impl Class {
    /// The process exit code for this class; an interruption by SIGTERM is told apart by the binary.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Check => 1,
            Self::Input => 2,
            Self::Environment => 3,
            Self::Internal => 4,
            Self::Tool => 5,
            Self::Interrupted => 130,
        }
    }
}
