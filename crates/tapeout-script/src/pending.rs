//! Stands in for the project types of the flow crate.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tapeout_config::Span;
use tapeout_engine::{Claims, Failure, Identity};
use tapeout_model::{Data, FilePath, Metric};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    Own { task: String },
    Symbolic { name: String, task: String },
    Direct { block: String, task: String },
}

impl FromStr for Requirement {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        let malformed = || format!("`{text}` is no requirement: `.task`, `name.task` or `=block.task` is expected");
        let (block, task) = text.split_once('.').ok_or_else(malformed)?;
        if !is_name(task) {
            return Err(malformed());
        }
        let task = task.to_owned();
        match block.strip_prefix('=') {
            Some(block) if is_name(block) => Ok(Self::Direct { block: block.to_owned(), task }),
            None if block.is_empty() => Ok(Self::Own { task }),
            None if is_name(block) => Ok(Self::Symbolic { name: block.to_owned(), task }),
            _ => Err(malformed()),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requires {
    One(Requirement),
    Many(Vec<Requirement>),
}

pub struct Project {
    pub blocks: Vec<(String, Block)>,
}

pub struct Block {
    pub kind: String,
    pub doc: String,
    pub params: Vec<(String, Data)>,
    pub dependency_map: BTreeMap<String, String>,
    pub tasks: Vec<Arc<Task>>,
    pub origin: Option<Span>,
}

pub struct Task {
    pub id: String,
    pub doc: String,
    pub requires: Vec<(String, Requires)>,
    pub always_rebuild: bool,
    pub hidden: bool,
    pub claims: Claims,
    pub body: Arc<dyn TaskBody>,
    pub origin: Option<Span>,
}

pub trait TaskBody: Send + Sync {
    fn identify(&self, identity: &mut Identity<'_>);
    fn run(&self, ops: &mut dyn crate::ops::Ops) -> Result<Option<Vec<(String, Data)>>, Failure>;
}

#[derive(Clone, Debug, PartialEq)]
pub enum Word {
    Text(String),
    Path(FilePath),
}

#[derive(Clone, Debug, PartialEq, Default)]
pub struct Call {
    pub argv: Vec<Word>,
    pub env: Vec<(String, String)>,
    pub timeout: Option<Duration>,
    pub within: Option<Duration>,
    pub outputs: Option<Vec<String>>,
    pub depfile: Option<String>,
    pub stdout: Option<String>,
    pub check: bool,
    pub name: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    pub status: i32,
    pub log: FilePath,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Thing {
    Flow(String),
    File(FilePath),
    Steps(Vec<String>),
}

#[derive(Clone, Debug, PartialEq)]
pub struct FlowCall {
    pub thing: Thing,
    pub config: Vec<(String, Data)>,
    pub views: Vec<(String, Data)>,
    pub label: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FlowResult {
    pub metrics: Vec<(String, Metric)>,
    pub views: Vec<(String, Data)>,
    pub state: FilePath,
}
