//! Projects while they are described, and how what is described becomes blocks and tasks.

use std::collections::HashMap;
use std::panic::Location;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tapeout_config::Diagnostic;
use tapeout_engine::{Claims, Failure, Identity, KeyHasher};
use tapeout_model::Data;

use super::needs::At;
use super::{Mismatch, Needs, Shape, Target, TaskResult};
use crate::project::{Block, BlockType, Project, Requirement, Requires, TargetId, Task, TaskBody, TaskCx, check};

/// A project while it is described: blocks, and their tasks. What tasks require are values that it gave for the tasks
/// before, so that no requirement leads nowhere, or in a circle.
///
/// ```
/// # use std::path::Path;
/// use tapeout_flow::Failure;
/// use tapeout_flow::project::{Blueprint, Call, Diagnostic, FilePath, Project, TaskCx, TaskResult};
///
/// #[derive(TaskResult)]
/// struct Image {
///     hex: FilePath,
///     words: i64,
/// }
///
/// fn assemble(cx: &mut TaskCx<'_, '_>) -> Result<Image, Failure> {
///     let source = cx.input("firmware/blink.s")?;
///     cx.run(&Call::new(["my-assembler", "-o", "blink.hex"]).args([source]).outputs(&["blink.hex"]))?;
///     Ok(Image { hex: cx.cwd().join("blink.hex"), words: cx.value("depth")? })
/// }
///
/// fn simulate(cx: &mut TaskCx<'_, '_>, image: Image) -> Result<(), Failure> {
///     cx.say(&format!("{} words", image.words));
///     cx.run(&Call::new(["my-simulator"]).args([image.hex]))?;
///     Ok(())
/// }
///
/// pub fn project(root: &Path) -> Result<Project, Vec<Diagnostic>> {
///     # let code = "";
///     let mut project = Blueprint::new();
///     // The text of the file is what identifies the code: `include_str!("lib.rs")`.
///     let firmware = project.block("firmware", code).doc("The program of the core.").param("depth", 256).done();
///     let image = project.task(firmware, "assemble").doc("Translate the program.").run(assemble);
///     let core = project.block("core", code).done();
///     project.task(core, "simulate").requires(image).cores(2).run(simulate);
///     project.build(root)
/// }
/// # assert!(project(Path::new("/")).is_ok());
/// ```
///
/// The code of a task is a function, or a closure that captures nothing: all that it knows comes through its arguments, and
/// counts. What it takes from elsewhere (a `static`, the environment, a clock) does not count, and has no place there.
/// What the text of the file does not have, such as functions of other files, does not count either:
/// `concat!(include_str!("core.rs"), include_str!("tools.rs"))` is the text of two.
///
/// A requirement of another kind is refused by the compiler:
///
/// ```compile_fail,E0308
/// # use tapeout_flow::Failure;
/// # use tapeout_flow::project::{Blueprint, FilePath, TaskCx, TaskResult};
/// #[derive(TaskResult)]
/// struct Netlist { json: FilePath }
/// #[derive(TaskResult)]
/// struct Image { hex: FilePath }
///
/// fn synthesize(cx: &mut TaskCx<'_, '_>) -> Result<Netlist, Failure> {
///     Ok(Netlist { json: cx.write("top.json", b"{}")? })
/// }
///
/// fn simulate(cx: &mut TaskCx<'_, '_>, image: Image) -> Result<(), Failure> {
///     cx.read(&image.hex)?;
///     Ok(())
/// }
///
/// let mut project = Blueprint::new();
/// let core = project.block("core", "").done();
/// let netlist = project.task(core, "synthesize").run(synthesize);
/// // The function takes an `Image`, and this is a `Netlist`.
/// project.task(core, "simulate").requires(netlist).run(simulate);
/// ```
///
/// So is code that captures something:
///
/// ```compile_fail,E0308
/// # use tapeout_flow::project::Blueprint;
/// let mut project = Blueprint::new();
/// let core = project.block("core", "").done();
/// for depth in [16, 32] {
///     // A parameter of the block would count.
///     project.task(core, "generate").run(|cx| Ok(cx.say(&depth.to_string())));
/// }
/// ```
pub struct Blueprint {
    /// Another one for each, so that the targets of another one are noticed.
    id: u64,
    blocks: Vec<Drafted>,
    errors: Vec<Diagnostic>,
}

/// A block with what is said of it so far.
struct Drafted {
    id: String,
    of: BlockType,
    params: Vec<(String, Data)>,
    /// The digest of the text that identifies the code of its tasks.
    code: Arc<str>,
    site: Site,
    /// Where its tasks are declared.
    tasks: Vec<Site>,
}

/// Where something is declared.
type Site = &'static Location<'static>;

/// A block of a [`Blueprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockRef {
    blueprint: u64,
    index: u32,
}

impl Default for Blueprint {
    fn default() -> Self {
        Self::new()
    }
}

impl Blueprint {
    /// A project without any block.
    #[must_use]
    pub fn new() -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Self { id: COUNT.fetch_add(1, Ordering::Relaxed), blocks: Vec::new(), errors: Vec::new() }
    }

    /// Begins a block. `code`: the text that identifies the code of its tasks, the file with their functions as
    /// `include_str!` gives it. When it changes, they run again.
    #[track_caller]
    pub fn block(&mut self, id: &str, code: &str) -> BlockDraft<'_> {
        let mut digest = KeyHasher::new("code");
        digest.text(code);
        let block = Drafted {
            id: id.to_owned(),
            of: BlockType::default(),
            params: Vec::new(),
            code: digest.finish().to_string().into(),
            site: Location::caller(),
            tasks: Vec::new(),
        };
        BlockDraft { blueprint: self, block }
    }

    /// Begins a task of a block.
    #[track_caller]
    pub fn task(&mut self, block: BlockRef, id: &str) -> TaskDraft<'_, ()> {
        let task = DraftedTask {
            block,
            id: id.to_owned(),
            doc: String::new(),
            requires: Vec::new(),
            always_rebuild: false,
            hidden: false,
            claims: Claims::default(),
            site: Location::caller(),
        };
        TaskDraft { blueprint: self, task, needs: () }
    }

    /// The project. `root`: its directory, absolute; paths of sources are relative to it.
    ///
    /// # Errors
    /// All that is wrong with it: ids that are no names or stand twice, values of another blueprint.
    pub fn build(mut self, root: &Path) -> Result<Project, Vec<Diagnostic>> {
        let mut known: HashMap<&str, Site> = HashMap::new();
        for block in &self.blocks {
            let invalid = check::invalid_block_id(&block.id);
            self.errors.extend(invalid.map(|message| declared(message, block.site)));
            self.errors.extend(twice("block", &block.id, block.site, &mut known));
            let mut known = HashMap::new();
            for (task, site) in block.of.tasks.iter().zip(&block.tasks) {
                let invalid = check::invalid_task_id(&task.id);
                self.errors.extend(invalid.map(|message| declared(message, site)));
                self.errors.extend(twice("task", &task.id, site, &mut known));
            }
        }
        if !self.errors.is_empty() {
            return Err(self.errors);
        }
        let block = |block: Drafted| (block.id, Block { params: block.params, ..Block::new(Arc::new(block.of)) });
        Project::new(root, self.blocks.into_iter().map(block).collect())
    }

    /// The names of a target that it has itself.
    fn names(&self, at: At) -> Option<(&str, &str)> {
        let TargetId { block, task } = at.target;
        let block = self.blocks.get(block as usize).filter(|_| at.blueprint == self.id)?;
        Some((&block.id, &block.of.tasks.get(task as usize)?.id))
    }
}

fn declared(message: String, site: Site) -> Diagnostic {
    Diagnostic::error(message).help(format!("it is declared at {site}"))
}

fn twice<'a>(kind: &str, id: &'a str, site: Site, known: &mut HashMap<&'a str, Site>) -> Option<Diagnostic> {
    let first = known.insert(id, site)?;
    let message = format!("the {kind} `{id}` is given twice");
    Some(Diagnostic::error(message).help(format!("it is declared at {first}, and again at {site}")))
}

/// A block that is being described. [`BlockDraft::done`] makes it one of the project.
#[must_use = "`done` makes it a block"]
pub struct BlockDraft<'b> {
    blueprint: &'b mut Blueprint,
    block: Drafted,
}

impl BlockDraft<'_> {
    /// What it is; the first paragraph is shown in tables.
    pub fn doc(mut self, doc: &str) -> Self {
        self.block.of.doc = doc.to_owned();
        self
    }

    /// A parameter, which its tasks read with [`TaskCx::value`].
    pub fn param(mut self, name: &str, value: impl Into<Data>) -> Self {
        self.block.params.push((name.to_owned(), value.into()));
        self
    }

    /// The block, for tasks of it.
    pub fn done(self) -> BlockRef {
        let index = self.blueprint.blocks.len() as u32;
        self.blueprint.blocks.push(self.block);
        BlockRef { blueprint: self.blueprint.id, index }
    }
}

/// A task with what is said of it so far.
struct DraftedTask {
    block: BlockRef,
    id: String,
    doc: String,
    requires: Vec<(String, Requires)>,
    always_rebuild: bool,
    hidden: bool,
    claims: Claims,
    site: Site,
}

/// A task that is being described, and what it requires. `run` says its code and makes it one of its block.
#[must_use = "`run` makes it a task"]
pub struct TaskDraft<'b, N> {
    blueprint: &'b mut Blueprint,
    task: DraftedTask,
    needs: N,
}

impl<N> TaskDraft<'_, N> {
    /// What it does; the first paragraph is shown in tables.
    pub fn doc(mut self, doc: &str) -> Self {
        self.task.doc = doc.to_owned();
        self
    }

    /// Has it run each time, although its result is recorded.
    pub fn always_rebuild(mut self) -> Self {
        self.task.always_rebuild = true;
        self
    }

    /// Has tables leave it out unless asked.
    pub fn hidden(mut self) -> Self {
        self.task.hidden = true;
        self
    }

    /// How many cores it uses; one if it is not said.
    pub fn cores(mut self, cores: u64) -> Self {
        self.task.claims.cores = cores;
        self
    }

    /// How much memory it uses, in MiB.
    pub fn memory_mib(mut self, memory: u64) -> Self {
        self.task.claims.memory_mib = memory;
        self
    }

    /// How many licences of a name it uses.
    pub fn licences(mut self, name: &str, count: u64) -> Self {
        self.task.claims.tokens.insert(name.to_owned(), count);
        self
    }

    /// Notes a requirement: the name of its task is that under which the task gets it.
    fn require(&mut self, needs: &impl Needs) {
        let (targets, is_list) = needs.targets();
        let mut direct = Vec::new();
        for at in targets {
            let Some((block, task)) = self.blueprint.names(at) else {
                let message = format!("the task `{}` requires a target of another blueprint", self.task.id);
                self.blueprint.errors.push(declared(message, self.task.site));
                return;
            };
            direct.push(Requirement::Direct { block: block.to_owned(), task: task.to_owned() });
        }
        let name = match direct.first() {
            Some(Requirement::Direct { task, .. }) => task.as_str(),
            _ => "none",
        };
        let is_free = |name: &String| self.task.requires.iter().all(|(known, _)| known != name);
        let mut names = std::iter::once(name.to_owned()).chain((2_u32..).map(|count| format!("{name}_{count}")));
        let name = names.find(is_free).unwrap_or_default();
        let requires = match direct.pop() {
            Some(only) if !is_list => Requires::One(only),
            last => Requires::Many(direct.into_iter().chain(last).collect()),
        };
        self.task.requires.push((name, requires));
    }

    fn add<R: TaskResult>(self, takes: impl FnOnce(&mut Shape), code: Code) -> Target<R> {
        let DraftedTask { block, id, doc, requires, always_rebuild, hidden, claims, site } = self.task;
        let blueprint = self.blueprint;
        let own = blueprint.blocks.get_mut(block.index as usize).filter(|_| block.blueprint == blueprint.id);
        let mut target = TargetId { block: block.index, task: u32::MAX };
        match own {
            Some(own) => {
                let [mut given, mut needed] = [Shape::default(), Shape::default()];
                R::describe(&mut given);
                takes(&mut needed);
                let body = Arc::new(Typed {
                    code: Arc::clone(&own.code),
                    gives: given.into_text(),
                    takes: needed.into_text(),
                    run: code,
                });
                target.task = own.tasks.len() as u32;
                own.tasks.push(site);
                let task = Task::new(id, body);
                own.of.tasks.push(Task { doc, requires, always_rebuild, hidden, claims, ..task });
            }
            None => {
                let message = format!("the task `{id}` is given to a block of another blueprint");
                blueprint.errors.push(declared(message, site));
            }
        }
        Target::new(At { blueprint: blueprint.id, target })
    }
}

type Attributes = Option<Vec<(String, Data)>>;

/// The function of a task with what it requires taken care of. Gets the names under which that comes.
type Code = Box<dyn Fn(&mut TaskCx<'_, '_>, &[String]) -> Result<Attributes, Failure> + Send + Sync>;

/// The body of a task that is a function.
struct Typed {
    code: Arc<str>,
    /// What its result is made of: the definition may stand in another file.
    gives: String,
    takes: String,
    run: Code,
}

impl TaskBody for Typed {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("code", &self.code).part("gives", &self.gives).part("takes", &self.takes);
    }

    fn run(&self, cx: &mut TaskCx<'_, '_>) -> Result<Attributes, Failure> {
        let names: Vec<String> = cx.target.task().requires.iter().map(|(name, _)| name.clone()).collect();
        (self.run)(cx, &names)
    }
}

fn attributes(cx: &TaskCx<'_, '_>, result: impl TaskResult) -> Result<Attributes, Failure> {
    let whose = || format!("the result of `{}`", cx.target.name());
    result.into_attributes().map_err(|wrong: Mismatch| wrong.into_failure("attribute", &whose()))
}

macro_rules! arity {
    ($($need:ident $place:tt),*) => {
        impl<'b, $($need: Needs),*> TaskDraft<'b, ($($need,)*)> {
            /// What the task does: a function, or a closure that captures nothing, of the context and of what is required,
            /// in this order. Makes it a task of its block.
            pub fn run<R: TaskResult>(
                self,
                code: fn(&mut TaskCx<'_, '_> $(, $need::Given)*) -> Result<R, Failure>,
            ) -> Target<R> {
                let Self { blueprint, task, needs } = self;
                let run: Code = Box::new(move |cx, names| {
                    let _ = (names, &needs);
                    let given = ($(needs.$place.given(cx, &names[$place])?,)*);
                    let _ = &given;
                    let result = code(cx $(, given.$place)*)?;
                    attributes(cx, result)
                });
                let takes = |shape: &mut Shape| { let _ = &shape; $($need::describe(shape);)* };
                TaskDraft { blueprint, task, needs: () }.add(takes, run)
            }
        }
    };
}

macro_rules! requires {
    ($($need:ident $place:tt),*) => {
        impl<'b, $($need: Needs),*> TaskDraft<'b, ($($need,)*)> {
            /// One thing more that the task requires, and gets as its next argument: the result of a target, an
            /// attribute of one, or a list. A task can require up to six things, and a list has any length.
            pub fn requires<Next: Needs>(mut self, needs: Next) -> TaskDraft<'b, ($($need,)* Next,)> {
                self.require(&needs);
                let Self { blueprint, task, needs: before } = self;
                let _ = &before;
                TaskDraft { blueprint, task, needs: ($(before.$place,)* needs,) }
            }
        }
    };
}

arity!();
arity!(A 0);
arity!(A 0, B 1);
arity!(A 0, B 1, C 2);
arity!(A 0, B 1, C 2, D 3);
arity!(A 0, B 1, C 2, D 3, E 4);
arity!(A 0, B 1, C 2, D 3, E 4, F 5);

requires!();
requires!(A 0);
requires!(A 0, B 1);
requires!(A 0, B 1, C 2);
requires!(A 0, B 1, C 2, D 3);
requires!(A 0, B 1, C 2, D 3, E 4);

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing(_: &mut TaskCx<'_, '_>) -> Result<(), Failure> {
        Ok(())
    }

    fn said(blueprint: Blueprint) -> Vec<String> {
        let errors = blueprint.build(Path::new("/")).map(|_| ()).unwrap_err();
        errors.into_iter().map(|error| format!("{}; {}", error.message, error.help.unwrap_or_default())).collect()
    }

    #[test]
    fn requirements_are_named_after_their_tasks() {
        let mut project = Blueprint::new();
        let [a, b] = ["a", "b"].map(|id| project.block(id, "").done());
        let [first, second] = [a, b].map(|block| project.task(block, "make").run(nothing));
        let none: Vec<Target<()>> = Vec::new();
        let all = project.task(b, "all").requires(first).requires(vec![second]).requires(none);
        all.run(|_, (), _, _| Ok(()));
        let project = project.build(Path::new("/")).unwrap();
        let task = project.task(project.find("b.all").unwrap());
        let of = |block: &str| Requirement::Direct { block: block.to_owned(), task: "make".to_owned() };
        let expected = [
            ("make", Requires::One(of("a"))),
            ("make_2", Requires::Many(vec![of("b")])),
            ("none", Requires::Many(Vec::new())),
        ];
        assert_eq!(task.requires, expected.map(|(name, requires)| (name.to_owned(), requires)));
    }

    #[test]
    fn all_mistakes_are_told_with_the_places_in_the_program() {
        let mut project = Blueprint::new();
        let a = project.block("a", "").done();
        project.block("b c", "").done();
        project.task(a, "x-y").run(nothing);
        let [first, again] = [line!(), line!() + 1];
        project.task(a, "twice").run(nothing);
        project.task(a, "twice").run(nothing);
        let errors = said(project);
        let [task, twice, block] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(task.starts_with("the task id `x-y` is no name: expected letters, digits and `_`"), "{task}");
        assert!(block.starts_with("the block id `b c` is no name"), "{block}");
        assert!(twice.starts_with("the task `twice` is given twice; it is declared at "), "{twice}");
        for line in [first + 1, again + 1] {
            assert!(twice.contains(&format!("blueprint.rs:{line}:")), "{twice}");
        }
    }

    #[test]
    fn blueprints_do_not_mix() {
        let [mut mine, mut other] = [Blueprint::new(), Blueprint::new()];
        let [a, foreign] = [&mut mine, &mut other].map(|project| project.block("a", "").done());
        let target = other.task(foreign, "make").run(nothing);
        mine.task(a, "use").requires(target).run(|_, ()| Ok(()));
        mine.task(foreign, "own").run(nothing);
        let errors = said(mine);
        let [requires, given] = errors.as_slice() else { panic!("{errors:?}") };
        assert!(
            requires.starts_with("the task `use` requires a target of another blueprint; it is declared"),
            "{requires}"
        );
        assert!(given.starts_with("the task `own` is given to a block of another blueprint"), "{given}");
    }
}
