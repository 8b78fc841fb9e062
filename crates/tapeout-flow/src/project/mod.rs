//! Projects: blocks with tasks, and what these require of each other.
//!
//! ```text
//! blocks ──Project::new──► Project ──Targets::new──► Graph of target jobs ──Engine::run──► records ──► build/<block>/<task>/
//! ```
//!
//! - [`Project`]: blocks by id, checked as a whole: every requirement leads to a task, and none leads back. Immutable.
//! - [`Block`]: a [`BlockType`] with parameters and a map from the names by which its tasks know other blocks to ids.
//! - [`Task`]: what a block type can do, with a [`TaskBody`]. [`Requirement`]: a result that a task gets.
//! - [`TargetId`]: a task of a block, the thing that is built.
//! - [`TaskCx`]: all that a task may touch. What it reads through it becomes the trace of its result.
//! - [`Blueprint`]: a project that is described in Rust, with functions as tasks and structs as results.
//! - [`Targets`]: targets that are to be built, and all that they require. Owns the run and the views of it in the build
//!   directory.
//!
//! A target is a job of the engine: it is recalled as long as its code, the parameters, files, tools and the parts of other
//! results that it read are the same. Each call of a tool within it is looked up once more by its own key.

mod build;
mod call;
mod check;
mod cx;
mod flows;
mod job;
mod reason;
mod requirement;
mod result_file;
mod targets;
mod tree;
mod typed;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_config::{Span, nearest};
use tapeout_engine::{Claims, Failure, Identity};

pub use build::{Built, TargetState, TargetStatus, TargetsEnded};
pub use call::{Call, Ran, Word};
pub use cx::TaskCx;
pub use flows::{FlowCall, FlowPlanner, FlowResult, FlowThing};
pub use requirement::{InvalidRequirement, Requirement, Requires};
pub use tapeout_config::Diagnostic;
/// Makes a struct what a task gives; see the trait of this name.
pub use tapeout_derive::TaskResult;
pub use tapeout_model::{Data, FilePath};
pub use targets::{BUILD_DIR, TargetPlan, Targets};
pub use typed::{
    Attribute, Attributes, BlockDraft, BlockRef, Blueprint, Datum, Mismatch, Needs, Shape, Target, TargetAttribute,
    TaskDraft, TaskResult,
};

/// What a task does.
pub trait TaskBody: Send + Sync {
    /// Tells what identifies the code. What [`TaskBody::run`] reads through its context need not be told.
    fn identify(&self, identity: &mut Identity<'_>);

    /// Whether it may do next to nothing, and notices by [`TaskCx::is_between`] when it does more: then it says
    /// [`TaskCx::is_not_brief`], and is called again where it may take its time.
    fn may_be_brief(&self) -> bool {
        false
    }

    /// Does the work. What it gives is for those who require it: attributes by name, in order; nothing, if it has no data
    /// to give.
    ///
    /// # Errors
    /// When the task has failed: then there is no result.
    fn run(&self, cx: &mut TaskCx<'_, '_>) -> Result<Option<Vec<(String, Data)>>, Failure>;
}

/// A step of the work that blocks of a type can do.
pub struct Task {
    /// Its name in the block type.
    pub id: String,
    /// What it does; the first line is shown in tables.
    pub doc: String,
    /// The results that it gets, by the names under which it does.
    pub requires: Vec<(String, Requires)>,
    /// Whether it is built each time although its result is recorded.
    pub always_rebuild: bool,
    /// Whether tables leave it out unless asked.
    pub hidden: bool,
    /// What it needs while it runs.
    pub claims: Claims,
    /// What it does.
    pub body: Arc<dyn TaskBody>,
    /// Where it was declared.
    pub origin: Option<Span>,
}

impl Task {
    /// A task that requires nothing.
    #[must_use]
    pub fn new(id: impl Into<String>, body: Arc<dyn TaskBody>) -> Self {
        Self {
            id: id.into(),
            doc: String::new(),
            requires: Vec::new(),
            always_rebuild: false,
            hidden: false,
            claims: Claims::default(),
            body,
            origin: None,
        }
    }

    /// The first paragraph of the documentation, on one line.
    #[must_use]
    pub fn help(&self) -> String {
        help(&self.doc)
    }
}

/// The first paragraph of a text, on one line.
fn help(doc: &str) -> String {
    let lines = doc.trim().lines().take_while(|line| !line.trim().is_empty());
    lines.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

/// What blocks have in common.
#[derive(Default)]
pub struct BlockType {
    /// What it is called, for people.
    pub name: String,
    /// What such a block is.
    pub doc: String,
    /// What is known of its parameters: names and documentation.
    pub params: Vec<(String, String)>,
    /// Its tasks, in the order in which they are shown.
    pub tasks: Vec<Task>,
    /// Where it was declared.
    pub origin: Option<Span>,
}

/// A component of a design: a module, a bench, a program.
#[derive(Clone)]
pub struct Block {
    /// What it can do.
    pub of: Arc<BlockType>,
    /// What makes it differ from others of its type.
    pub params: Vec<(String, Data)>,
    /// The names that the tasks have for other blocks, in alphabetical order, each with the id of the block.
    pub dependency_map: Arc<[(String, String)]>,
    /// Where it was made.
    pub origin: Option<Span>,
}

impl Block {
    /// A block without parameters that depends on no other by name.
    #[must_use]
    pub fn new(of: Arc<BlockType>) -> Self {
        Self { of, params: Vec::new(), dependency_map: Arc::new([]), origin: None }
    }

    /// The id of the block that its tasks know by a name.
    #[must_use]
    pub fn dependency(&self, name: &str) -> Option<&str> {
        let place = self.dependency_map.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        Some(&self.dependency_map[place].1)
    }

    /// The first paragraph of the documentation, on one line.
    #[must_use]
    pub fn help(&self) -> String {
        help(&self.of.doc)
    }
}

/// A task of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TargetId {
    block: u32,
    task: u32,
}

/// Blocks by id.
pub struct Project {
    root: PathBuf,
    blocks: Vec<(String, Block)>,
    by_id: HashMap<String, u32>,
    /// The number of targets before those of each block.
    before: Vec<usize>,
    licences: BTreeMap<String, u64>,
    /// The places of tasks by id, for types with many tasks, by the addresses of the types.
    tasks: HashMap<usize, HashMap<String, u32>>,
    required: Required,
}

/// What each target requires.
#[derive(Default)]
struct Required {
    /// The targets that are required, those of each target one after the other.
    targets: Vec<TargetId>,
    /// Where those of each target begin.
    begin: Vec<usize>,
}

/// Among so many tasks one is found by looking at each.
const FEW_TASKS: usize = 16;

impl Project {
    /// A project of these blocks, in this order. `root`: its directory, absolute; paths of sources are relative to it.
    ///
    /// # Errors
    /// All that is wrong with it: ids that are no names or stand twice, requirements that lead nowhere, or in a circle.
    pub fn new(root: &Path, blocks: Vec<(String, Block)>) -> Result<Self, Vec<Diagnostic>> {
        let by_id = blocks.iter().zip(0..).map(|((id, _), index)| (id.clone(), index)).collect();
        let mut count = 0;
        let before = (blocks.iter())
            .map(|(_, block)| {
                let before = count;
                count += block.of.tasks.len();
                before
            })
            .collect();
        let mut tasks = HashMap::new();
        for (_, block) in blocks.iter().filter(|(_, block)| block.of.tasks.len() > FEW_TASKS) {
            // Of two with one id, which is an error, the first is meant.
            let places = block.of.tasks.iter().enumerate().rev().map(|(place, task)| (task.id.clone(), place as u32));
            tasks.entry(address(&block.of)).or_insert_with(|| places.collect());
        }
        let (root, licences, required) = (root.to_owned(), BTreeMap::new(), Required::default());
        let mut project = Self { root, blocks, by_id, before, licences, tasks, required };
        project.required = check::required(&project)?;
        check::circle(&project).map_or(Ok(project), |circle| Err(vec![circle]))
    }

    /// Says of which licences, or other things that tasks claim, there are how many.
    #[must_use]
    pub fn with_licences(mut self, licences: BTreeMap<String, u64>) -> Self {
        self.licences = licences;
        self
    }

    /// Of which licences there are how many.
    #[must_use]
    pub fn licences(&self) -> &BTreeMap<String, u64> {
        &self.licences
    }

    /// Its directory.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The blocks in order, each with its id.
    #[must_use]
    pub fn blocks(&self) -> &[(String, Block)] {
        &self.blocks
    }

    /// All targets, block by block.
    pub fn targets(&self) -> impl Iterator<Item = TargetId> {
        self.blocks.iter().zip(0..).flat_map(|((_, block), index)| {
            (0..block.of.tasks.len()).map(move |task| TargetId { block: index, task: task as u32 })
        })
    }

    /// How many targets there are.
    fn count(&self) -> usize {
        let last = self.blocks.last().map_or(0, |(_, block)| block.of.tasks.len());
        self.before.last().map_or(0, |before| before + last)
    }

    /// The place of a target among all.
    fn index(&self, target: TargetId) -> usize {
        self.before[target.block as usize] + target.task as usize
    }

    /// The targets of a block.
    #[must_use]
    pub fn targets_of(&self, block: &str) -> Option<Vec<TargetId>> {
        let block = *self.by_id.get(block)?;
        Some(
            (0..self.blocks[block as usize].1.of.tasks.len())
                .map(|task| TargetId { block, task: task as u32 })
                .collect(),
        )
    }

    /// The target of a task in a block.
    #[must_use]
    pub fn target(&self, block: &str, task: &str) -> Option<TargetId> {
        let block = *self.by_id.get(block)?;
        let of = &self.blocks[block as usize].1.of;
        let task = if of.tasks.len() > FEW_TASKS {
            *self.tasks.get(&address(of))?.get(task)?
        } else {
            of.tasks.iter().position(|known| known.id == task)? as u32
        };
        Some(TargetId { block, task })
    }

    /// The target that a text of the form `block.task` names.
    ///
    /// # Errors
    /// What there is instead, in words.
    pub fn find(&self, text: &str) -> Result<TargetId, String> {
        let Some((block, task)) = text.split_once('.') else {
            return Err(format!("expected `block.task`, found `{text}`"));
        };
        match self.targets_of(block) {
            None => {
                let ids = self.blocks.iter().map(|(id, _)| id.as_str());
                Err(format!("there is no block `{block}`{}", or_near(nearest(block, ids))))
            }
            Some(targets) => self.target(block, task).ok_or_else(|| {
                let near = nearest(task, targets.iter().map(|target| self.task(*target).id.as_str()));
                format!("the block `{block}` has no task `{task}`{}", or_near(near))
            }),
        }
    }

    /// The block of a target, with its id.
    #[must_use]
    pub fn block(&self, target: TargetId) -> (&str, &Block) {
        let (id, block) = &self.blocks[target.block as usize];
        (id, block)
    }

    /// The task of a target.
    #[must_use]
    pub fn task(&self, target: TargetId) -> &Task {
        &self.blocks[target.block as usize].1.of.tasks[target.task as usize]
    }

    /// A target as it is written: `block.task`.
    #[must_use]
    pub fn name(&self, target: TargetId) -> String {
        [self.block(target).0, ".", &self.task(target).id].concat()
    }

    /// The directory of a target in the build directory.
    #[must_use]
    pub fn dir(&self, target: TargetId) -> String {
        [self.block(target).0, "/", &self.task(target).id].concat()
    }

    /// The targets that a target requires, with the names under which it gets their results.
    pub fn required(&self, target: TargetId) -> impl Iterator<Item = (&str, TargetId)> {
        let requires = self.task(target).requires.iter();
        let names = requires.flat_map(|(name, requires)| requires.each().iter().map(move |_| name.as_str()));
        names.zip(self.required.targets[self.required.begin[self.index(target)]..].iter().copied())
    }

    /// These targets and all that they require, each after what it requires, in the order in which they are named and
    /// required.
    #[must_use]
    pub fn closure(&self, targets: &[TargetId]) -> Vec<TargetId> {
        let mut order = Vec::new();
        let mut seen = vec![false; self.count()];
        let mut is_new = |target: TargetId| !std::mem::replace(&mut seen[self.index(target)], true);
        // Each with where that is which it requires and has not been looked at. Chains may be long: no recursion.
        let mut path: Vec<(TargetId, std::ops::Range<usize>)> = Vec::new();
        for target in targets {
            let enter = |target: TargetId| {
                let begin = self.required.begin[self.index(target)];
                (
                    target,
                    begin..begin + self.task(target).requires.iter().map(|(_, each)| each.each().len()).sum::<usize>(),
                )
            };
            if is_new(*target) {
                path.push(enter(*target));
            }
            while let Some((target, rest)) = path.last_mut() {
                match rest.next().map(|place| self.required.targets[place]) {
                    Some(next) if is_new(next) => path.push(enter(next)),
                    Some(_) => {}
                    None => {
                        order.push(*target);
                        path.pop();
                    }
                }
            }
        }
        order
    }
}

/// What tells a block type from others while the project is there.
fn address(of: &Arc<BlockType>) -> usize {
    Arc::as_ptr(of).addr()
}

fn or_near(near: Option<&str>) -> String {
    near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"))
}

impl fmt::Debug for Project {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.targets().map(|target| self.name(target))).finish()
    }
}
