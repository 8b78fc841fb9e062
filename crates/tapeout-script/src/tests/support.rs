//! A project of a few files, and a task that writes down what it is asked for.

use std::collections::BTreeMap;
use std::fs;

use tapeout_config::SourceMap;
use tapeout_flow::project::{Call, FlowCall, FlowResult, Word};
use tapeout_flow::{Failure, Registry};
use tapeout_model::{Class, Data, FilePath, Metric, View};
use tempfile::TempDir;

use crate::Script;
use crate::limits::Limits;
use crate::ops::{Ended, Ops};

/// A directory with files.
pub(crate) fn files(files: &[(&str, &str)]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// What loading these files gives.
pub(crate) fn load_files(list: &[(&str, &str)]) -> Result<Script, String> {
    let dir = files(list);
    let mut sources = SourceMap::new();
    Script::load(dir.path(), &Registry::default(), &mut sources).map_err(|problems| {
        let shown: Vec<String> = problems.iter().map(|problem| problem.render(&sources, false)).collect();
        shown.join("\n\n")
    })
}

/// What loading this `flow.star` gives.
pub(crate) fn load(text: &str) -> Result<Script, String> {
    load_files(&[("flow.star", text)])
}

/// What is wrong with this `flow.star`.
pub(crate) fn problems(text: &str) -> String {
    match load(text) {
        Ok(_) => panic!("it loads"),
        Err(problems) => problems,
    }
}

/// A task's world: what there is, and what was asked for.
#[derive(Default)]
pub(crate) struct Recorder {
    pub(crate) params: Vec<(String, Data)>,
    pub(crate) results: BTreeMap<String, Vec<Vec<(String, Data)>>>,
    pub(crate) sources: BTreeMap<String, String>,
    pub(crate) asked: Vec<String>,
    pub(crate) calls: Vec<Call>,
    pub(crate) flows: Vec<FlowCall>,
    pub(crate) written: BTreeMap<String, String>,
}

pub(crate) fn own(path: &str) -> FilePath {
    FilePath::Target { block: "top".into(), task: "it".into(), path: path.into() }
}

impl Ops for Recorder {
    fn block(&self) -> &str {
        "top"
    }

    fn task(&self) -> &str {
        "it"
    }

    fn cwd(&self) -> FilePath {
        own("")
    }

    fn param(&mut self, name: &str) -> Option<Data> {
        self.asked.push(format!("param {name}"));
        self.params.iter().find(|(known, _)| known == name).map(|(_, data)| data.clone())
    }

    fn results(&self, name: &str) -> usize {
        self.results.get(name).map_or(0, Vec::len)
    }

    fn attribute(&mut self, requirement: &str, index: usize, name: &str) -> Result<Data, Failure> {
        self.asked.push(format!("{requirement}[{index}].{name}"));
        let result = &self.results[requirement][index];
        result.iter().find(|(known, _)| known == name).map(|(_, data)| data.clone()).ok_or_else(|| {
            let names: Vec<&str> = result.iter().map(|(name, _)| &**name).collect();
            let message = format!("the result of `{requirement}` has no `{name}`; it has {}", names.join(", "));
            Failure::new(Class::Input, message)
        })
    }

    fn attributes(&mut self, requirement: &str, index: usize) -> Vec<String> {
        self.asked.push(format!("{requirement}[{index}].*"));
        self.results[requirement][index].iter().map(|(name, _)| name.clone()).collect()
    }

    fn input(&mut self, path: &str) -> Result<FilePath, Failure> {
        self.asked.push(format!("input {path}"));
        match self.sources.contains_key(path) {
            true => Ok(FilePath::Source(path.into())),
            false => Err(Failure::new(Class::Input, format!("`{path}` does not exist"))),
        }
    }

    fn glob(&mut self, pattern: &str) -> Result<Vec<FilePath>, Failure> {
        self.asked.push(format!("glob {pattern}"));
        let (before, after) = pattern.split_once('*').unwrap();
        let found = self.sources.keys().filter(|path| path.starts_with(before) && path.ends_with(after));
        Ok(found.map(|path| FilePath::Source(path.clone())).collect())
    }

    fn exists(&mut self, path: &FilePath) -> Result<bool, Failure> {
        Ok(match path {
            FilePath::Target { path, .. } => self.written.contains_key(path),
            FilePath::Source(path) => self.sources.contains_key(path),
        })
    }

    fn has_tool(&mut self, name: &str) -> bool {
        name == "yosys"
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<FilePath, Failure> {
        self.written.insert(path.into(), String::from_utf8(bytes.to_vec()).unwrap());
        Ok(own(path))
    }

    fn read(&mut self, path: &FilePath) -> Result<Vec<u8>, Failure> {
        let text = match path {
            FilePath::Target { path, .. } => self.written.get(path),
            FilePath::Source(path) => self.sources.get(path),
        };
        let missing = || Failure::new(Class::Input, format!("`{path}` does not exist"));
        Ok(text.ok_or_else(missing)?.clone().into_bytes())
    }

    fn shown(&self, path: &FilePath) -> String {
        match path {
            FilePath::Target { block, task, path } if block == "top" && task == "it" => path.clone(),
            FilePath::Target { .. } => format!("in/{path}"),
            FilePath::Source(path) => format!("../../{path}"),
        }
    }

    fn run(&mut self, call: &Call) -> Result<Ended, Failure> {
        self.calls.push(call.clone());
        if call.argv.first() == Some(&Word::Text("false".into())) && !call.accept.is_empty() {
            return Err(Failure::new(Class::Tool, "`false` failed with status 1"));
        }
        Ok(Ended { status: 0, log: "said".into() })
    }

    fn metric(&mut self, name: &str, value: Metric) {
        self.asked.push(format!("metric {name} {value:?}"));
    }

    fn say(&mut self, text: &str) {
        self.asked.push(format!("say {text}"));
    }

    fn flow(&mut self, call: &FlowCall) -> Result<FlowResult, Failure> {
        self.flows.push(call.clone());
        Ok(FlowResult {
            metrics: [("design__instance__count".into(), Metric::Int(7))].into(),
            views: [("nl".into(), View::File(own("top.nl.v")))].into(),
            failed: None,
        })
    }
}

/// The result of a task of a block.
pub(crate) type Outcome = Result<Option<Vec<(String, Data)>>, Failure>;

/// Runs a task of a block.
pub(crate) fn run(script: &Script, block: &str, task: &str, ops: &mut Recorder) -> Outcome {
    let project = script.project().expect("a flow");
    let (_, block) = project.blocks().iter().find(|(id, _)| id == block).expect("the block");
    ops.params.clone_from(&block.params);
    script.bodies[&(block.of.name.clone(), task.to_owned())].call(ops, Limits::TASK, Box::new(|| false))
}

/// Runs the only task of the only block of this `flow.star`.
pub(crate) fn run_only(text: &str, ops: &mut Recorder) -> Outcome {
    let script = load(text).unwrap_or_else(|problems| panic!("{problems}"));
    let (id, block) = &script.project().expect("a flow").blocks()[0];
    run(&script, id, &block.of.tasks[0].id, ops)
}

/// Runs a function's body as a task. Lines of the body are indented by four blanks already.
pub(crate) fn run_body(body: &str, ops: &mut Recorder) -> Outcome {
    run_only(&format!("def it(ctx):\n{body}\n\nflow = Flow()\nTop = block(tasks = [it])\nflow[\"top\"] = Top()\n"), ops)
}

/// What failed, with all its words.
pub(crate) fn words(outcome: Outcome) -> String {
    let failure = outcome.expect_err("it fails");
    let mut text = format!("{:?}: {}", failure.class, failure.message);
    for line in failure.words.iter().chain(&failure.hint) {
        text.push('\n');
        text.push_str(line);
    }
    text
}
