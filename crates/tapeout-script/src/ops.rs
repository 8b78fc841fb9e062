//! What a running task may ask for: the context of the flow crate, as far as the language shows it. A trait, so that
//! tests can see what is asked.

use tapeout_flow::Failure;
use tapeout_flow::project::{Call, FlowCall, FlowResult, TaskCx};
use tapeout_model::{Data, FilePath, Metric};

/// A command that has run.
pub(crate) struct Ended {
    /// Its exit status.
    pub(crate) status: i32,
    /// What it said.
    pub(crate) log: String,
}

/// The requests of a running task. See the methods of the same names of [`TaskCx`].
pub(crate) trait Ops {
    fn block(&self) -> &str;
    fn task(&self) -> &str;
    fn cwd(&self) -> FilePath;
    fn param(&mut self, name: &str) -> Option<Data>;
    fn results(&self, requirement: &str) -> usize;
    fn attribute(&mut self, requirement: &str, index: usize, name: &str) -> Result<Data, Failure>;
    fn attributes(&mut self, requirement: &str, index: usize) -> Vec<String>;
    fn input(&mut self, path: &str) -> Result<FilePath, Failure>;
    fn glob(&mut self, pattern: &str) -> Result<Vec<FilePath>, Failure>;
    fn exists(&mut self, path: &FilePath) -> Result<bool, Failure>;
    fn has_tool(&mut self, name: &str) -> bool;
    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FilePath, Failure>;
    fn read(&mut self, path: &FilePath) -> Result<Vec<u8>, Failure>;
    fn shown(&self, path: &FilePath) -> String;
    fn run(&mut self, call: &Call) -> Result<Ended, Failure>;
    fn metric(&mut self, name: &str, value: Metric);
    fn say(&mut self, text: &str);
    fn flow(&mut self, call: &FlowCall) -> Result<FlowResult, Failure>;
}

impl Ops for TaskCx<'_, '_> {
    fn block(&self) -> &str {
        self.block()
    }

    fn task(&self) -> &str {
        self.task()
    }

    fn cwd(&self) -> FilePath {
        self.cwd()
    }

    fn param(&mut self, name: &str) -> Option<Data> {
        self.param(name)
    }

    fn results(&self, requirement: &str) -> usize {
        self.results(requirement)
    }

    fn attribute(&mut self, requirement: &str, index: usize, name: &str) -> Result<Data, Failure> {
        self.attribute(requirement, index, name)
    }

    fn attributes(&mut self, requirement: &str, index: usize) -> Vec<String> {
        self.attributes(requirement, index)
    }

    fn input(&mut self, path: &str) -> Result<FilePath, Failure> {
        self.input(path)
    }

    fn glob(&mut self, pattern: &str) -> Result<Vec<FilePath>, Failure> {
        self.glob(pattern)
    }

    fn exists(&mut self, path: &FilePath) -> Result<bool, Failure> {
        self.exists(path)
    }

    fn has_tool(&mut self, name: &str) -> bool {
        self.has_tool(name)
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FilePath, Failure> {
        self.write(path, bytes)
    }

    fn read(&mut self, path: &FilePath) -> Result<Vec<u8>, Failure> {
        self.read(path)
    }

    fn shown(&self, path: &FilePath) -> String {
        self.shown(path)
    }

    fn run(&mut self, call: &Call) -> Result<Ended, Failure> {
        let ran = self.run(call)?;
        Ok(Ended { status: ran.status(), log: ran.log().to_owned() })
    }

    fn metric(&mut self, name: &str, value: Metric) {
        self.metric(name, value);
    }

    fn say(&mut self, text: &str) {
        self.say(text);
    }

    fn flow(&mut self, call: &FlowCall) -> Result<FlowResult, Failure> {
        self.flow(call)
    }
}
