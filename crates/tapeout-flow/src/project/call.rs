//! A call of a tool by a task, as data.

use std::sync::Arc;
use std::time::Duration;

use tapeout_model::FilePath;
use tapeout_store::Entry;

/// A word of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// As it is.
    Text(String),
    /// The name of a file where the tool runs. The file becomes an input.
    Path(FilePath),
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&FilePath> for Word {
    fn from(path: &FilePath) -> Self {
        Self::Path(path.clone())
    }
}

impl From<FilePath> for Word {
    fn from(path: FilePath) -> Self {
        Self::Path(path)
    }
}

/// A command line, and what is expected of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The tool and its arguments. The tool is one that is known, a program on `PATH`, or a file of the project's.
    pub argv: Vec<Word>,
    /// Environment variables beyond the few that each tool gets.
    pub env: Vec<(String, String)>,
    /// How long it may run.
    pub timeout: Option<Duration>,
    /// The files that must be there afterwards and are kept; all that it wrote if it is not said.
    pub outputs: Option<Vec<String>>,
    /// A dependency file in the syntax of make that it writes: what is listed there is read, too.
    pub depfile: Option<String>,
    /// A file that it gets as its standard input.
    pub stdin: Option<FilePath>,
    /// A file that takes its standard output, which otherwise goes to the log.
    pub stdout: Option<String>,
    /// The exit statuses that are no failure; with none, no status is one.
    pub accept: Vec<i32>,
    /// Tools that it calls itself: what they are counts, too. Those that are not there may be so.
    pub tools: Vec<String>,
}

impl Call {
    /// A call that must exit with 0, and of which all files are kept.
    #[must_use]
    pub fn new(argv: impl IntoIterator<Item = impl Into<Word>>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            env: Vec::new(),
            timeout: None,
            outputs: None,
            depfile: None,
            stdin: None,
            stdout: None,
            accept: vec![0],
            tools: Vec::new(),
        }
    }

    /// Adds words.
    #[must_use]
    pub fn args(mut self, words: impl IntoIterator<Item = impl Into<Word>>) -> Self {
        self.argv.extend(words.into_iter().map(Into::into));
        self
    }

    /// Says which files must be there afterwards; only these are kept.
    #[must_use]
    pub fn outputs(mut self, paths: &[&str]) -> Self {
        self.outputs = Some(paths.iter().map(|path| (*path).to_owned()).collect());
        self
    }

    /// Gives it a file as its standard input.
    #[must_use]
    pub fn stdin(mut self, path: FilePath) -> Self {
        self.stdin = Some(path);
        self
    }

    /// Sends standard output to a file of its own.
    #[must_use]
    pub fn stdout(mut self, path: &str) -> Self {
        self.stdout = Some(path.to_owned());
        self
    }

    /// Says how long it may run.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Says which dependency file it writes, in the syntax of make.
    #[must_use]
    pub fn depfile(mut self, path: &str) -> Self {
        self.depfile = Some(path.to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets it exit with any status.
    #[must_use]
    pub fn any_status(mut self) -> Self {
        self.accept.clear();
        self
    }
}

/// A call that ended, now or earlier.
#[derive(Clone)]
pub struct Ran {
    pub(super) entry: Arc<Entry>,
    pub(super) log: String,
}

impl Ran {
    /// The exit status.
    #[must_use]
    pub fn status(&self) -> i32 {
        self.entry.record().statuses.first().copied().unwrap_or_default()
    }

    /// What it said on standard output and standard error.
    #[must_use]
    pub fn log(&self) -> &str {
        &self.log
    }
}
