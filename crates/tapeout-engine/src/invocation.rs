//! An invocation: calls of tools that share a work directory, as data.

use std::fmt::Write as _;
use std::time::Duration;

use tapeout_model::{Output, shell_quoted};

/// How a command's exit status is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accept {
    /// Anything but 0 is a failure of the tool.
    Zero,
    /// These are part of the result; any other is a failure of the tool.
    These(Vec<i32>),
    /// The status is part of the result; only death by a signal is a failure.
    Any,
}

impl Accept {
    /// Whether an exit status is no failure.
    #[must_use]
    pub fn takes(&self, status: i32) -> bool {
        match self {
            Self::Zero => status == 0,
            Self::These(statuses) => statuses.contains(&status),
            Self::Any => true,
        }
    }
}

/// One command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The tool's name in the toolbox.
    pub tool: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// A file that is standard input, seen from the work directory; without it, there is nothing to read.
    pub stdin: Option<String>,
    /// A file that takes standard output, which otherwise goes to the log.
    pub stdout: Option<String>,
    /// How the exit status is judged.
    pub accept: Accept,
    /// How long it may take at most, for what need not come to an end: then it is ended, with the status [`TIMED_OUT`].
    /// Unlike [`Invocation::timeout`], this is part of the result.
    pub within: Option<Duration>,
}

/// The exit status of a command that has been ended, as that of `timeout`.
pub const TIMED_OUT: i32 = 124;

impl Command {
    /// A command that must exit with 0.
    #[must_use]
    pub fn new(tool: &str) -> Self {
        Self { tool: tool.to_owned(), args: Vec::new(), stdin: None, stdout: None, accept: Accept::Zero, within: None }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<T: Into<String>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sends standard output to a file of its own.
    #[must_use]
    pub fn stdout(mut self, file: impl Into<String>) -> Self {
        self.stdout = Some(file.into());
        self
    }

    /// Ends it after that time. The exit status is part of the result, whatever it is.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = Some(limit);
        self.any_status()
    }

    /// Makes the exit status part of the result.
    #[must_use]
    pub fn any_status(mut self) -> Self {
        self.accept = Accept::Any;
        self
    }
}

/// Something a command reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A file of the user's, read where it is, or looked for there and absent; see [`crate::JobCx::source`].
    Source {
        /// Path relative to the project, or absolute.
        path: String,
    },
    /// A file of the user's that the design names by a path of its own, such as a memory file. It is copied into the work
    /// directory under that name: a tool may write there.
    Copied {
        /// The name in the work directory.
        name: String,
        /// Path relative to the project, or absolute.
        path: String,
    },
    /// A file out of another job's result, copied into the work directory under its own path.
    Output(Output),
    /// A text that the step wrote for this run: a script.
    Text {
        /// The name in the work directory.
        name: String,
        /// Its content.
        text: String,
    },
}

/// How a dependency file lists files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DepFormat {
    /// As rules for make.
    Makefile,
    /// One on a line.
    Lines,
}

/// Commands that run one after the other in one fresh work directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The log's file name.
    pub log: String,
    /// The command lines.
    pub commands: Vec<Command>,
    /// All that they read, except what is discovered.
    pub inputs: Vec<Input>,
    /// Files that must be there afterwards.
    pub outputs: Vec<String>,
    /// Files that may be there afterwards.
    pub optional_outputs: Vec<String>,
    /// Whether whatever else the tools write is kept, too: new files, and inputs that they change. Links are not.
    pub keeps_all: bool,
    /// Tools that the commands call themselves: what they are counts, too. Those that are not there may be so.
    pub further_tools: Vec<String>,
    /// Dependency files that the tools write: what they list is read, too.
    pub depfiles: Vec<(String, DepFormat)>,
    /// Environment variables beyond the allow-list.
    pub env: Vec<(String, String)>,
    /// How long each command may run. Not part of the key: a result is the same however long one would have waited.
    pub timeout: Option<Duration>,
}

/// From the work directory, which is always this deep, to the project.
pub const TO_PROJECT: &str = "../../..";

/// How a file of the user's is named on a command line: the work directory and the step's directory in the run tree are
/// equally deep below the project, so this path holds in both, and in every checkout.
#[must_use]
pub fn from_work_dir(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("{TO_PROJECT}/{path}") }
}

/// Writes a command line so that a shell reads it back as it is.
pub(crate) fn shell_line(
    env: &[(String, String)],
    argv: &[String],
    stdin: Option<&str>,
    stdout: Option<&str>,
) -> String {
    let env = env.iter().map(|(name, value)| format!("{name}={}", shell_quoted(value)));
    let mut line = env.chain(argv.iter().map(|word| shell_quoted(word))).collect::<Vec<_>>().join(" ");
    if let Some(file) = stdin {
        let _ = write!(line, " < {}", shell_quoted(file));
    }
    if let Some(file) = stdout {
        let _ = write!(line, " > {}", shell_quoted(file));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_a_command_line_back() {
        let argv = ["yosys", "-p", "read 'a b'; x", "", "src/top.v", "$HOME"].map(str::to_owned);
        let line = shell_line(&[("A".to_owned(), "b c".to_owned())], &argv, Some("in"), Some("out file"));
        assert_eq!(line, r"A='b c' yosys -p 'read '\''a b'\''; x' '' src/top.v '$HOME' < in > 'out file'");
    }
}
