//! What a running task may ask for.

use tapeout_engine::Failure;
use tapeout_model::{Data, FilePath, Metric};

use crate::pending::{Call, FlowCall, FlowResult, Ran};

/// The requests of a running task: all that reaches beyond its own values.
pub trait Ops {
    /// The id of the block. A read.
    fn block(&mut self) -> String;
    /// The id of the task.
    fn task(&self) -> &str;
    /// The task's directory.
    fn cwd(&mut self) -> FilePath;
    /// A parameter of the block. A read, of its absence too.
    fn param(&mut self, name: &str) -> Option<Data>;
    /// How many results are behind a requirement.
    fn requirement_count(&self, name: &str) -> usize;
    /// An attribute of a result. A read.
    fn attribute(&mut self, requirement: &str, index: usize, name: &str) -> Result<Data, Failure>;
    /// The names of a result's attributes. A read.
    fn attributes(&mut self, requirement: &str, index: usize) -> Vec<String>;
    /// A file or directory of the project.
    fn input(&mut self, path: &str) -> Result<FilePath, Failure>;
    /// Files of the project by pattern. The listing is a read.
    fn glob(&mut self, pattern: &str) -> Result<Vec<FilePath>, Failure>;
    /// Whether there is such a file or directory. A read.
    fn exists(&mut self, path: &FilePath) -> Result<bool, Failure>;
    /// Whether there is such a tool. A read.
    fn has_tool(&mut self, name: &str) -> Result<bool, Failure>;
    /// Writes a file in the task's directory.
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FilePath, Failure>;
    /// The content of a file.
    fn read(&mut self, path: &FilePath) -> Result<Vec<u8>, Failure>;
    /// How a command in the task's directory names a file.
    fn shown(&self, path: &FilePath) -> String;
    /// Runs a command.
    fn run(&mut self, call: &Call) -> Result<Ran, Failure>;
    /// Gives a metric.
    fn metric(&mut self, name: &str, value: Metric);
    /// Says something, in the log and on the terminal.
    fn say(&mut self, text: &str);
    /// Runs a flow or steps.
    fn flow(&mut self, call: &FlowCall) -> Result<FlowResult, Failure>;
}
