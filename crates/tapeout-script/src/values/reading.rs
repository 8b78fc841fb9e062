//! What `ctx` of a step and of a hook have in common: files of the user's, of views and of tools.

use starlark::environment::MethodsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, Value};
use tapeout_flow::Failure;
use tapeout_model::{Class, FilePath};

use super::hook_ctx::HookRun;
use super::path;
use super::session::{StepFile, StepFileValue};
use super::step_ctx::{StepOps, StepRun};
use crate::complaint::{complaint, useless_ctx};

/// The running call.
enum Run<'a, 'e> {
    Step(&'a StepRun<'e>),
    Hook(&'a HookRun<'e>),
}

impl<'a, 'e> Run<'a, 'e> {
    fn of(eval: &Evaluator<'_, 'a, 'e>) -> starlark::Result<Self> {
        let extra = eval.extra.ok_or_else(useless_ctx)?;
        match (extra.downcast_ref::<StepRun<'e>>(), extra.downcast_ref::<HookRun<'e>>()) {
            (Some(run), _) => Ok(Self::Step(run)),
            (_, Some(run)) => Ok(Self::Hook(run)),
            (None, None) => Err(useless_ctx()),
        }
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut dyn StepOps) -> Result<T, Failure>) -> starlark::Result<T> {
        match self {
            Self::Step(run) => run.ask(ask),
            Self::Hook(run) => run.ask_step(ask),
        }
    }

    fn source(&self, path: String) -> starlark::Result<StepFile> {
        let shown = self.ask(|step| step.source(&path))?;
        let file = StepFile::Source { path, shown };
        if let Self::Step(run) = self {
            run.note(&file);
        }
        Ok(file)
    }
}

/// The path of a file of the user's.
pub(super) fn source_path(value: Value<'_>) -> starlark::Result<String> {
    match path::of_value(value)? {
        FilePath::Source(path) => Ok(path),
        FilePath::Target { .. } => Err(complaint("a step reads no files of targets: give them to its flow as views")),
    }
}

/// A file of the user's, or each of a list of them, by what gives one for its path.
fn sources<'v>(
    value: Value<'v>,
    heap: Heap<'v>,
    source: &dyn Fn(String) -> starlark::Result<StepFile>,
) -> starlark::Result<Value<'v>> {
    let items = ListRef::from_value(value).map(ListRef::content);
    if let Some(items) = items.or_else(|| TupleRef::from_value(value).map(TupleRef::content)) {
        let files: Vec<Value<'v>> =
            items.iter().map(|item| sources(*item, heap, source)).collect::<starlark::Result<_>>()?;
        return Ok(heap.alloc(files));
    }
    Ok(heap.alloc(StepFileValue(source(source_path(value)?)?)))
}

/// A file that a function has been given, or a file of the user's by its path, to be read.
pub(super) fn readable(value: Value<'_>) -> starlark::Result<StepFile> {
    match StepFileValue::from_value(value) {
        Some(file) => Ok(file.0.clone()),
        None => Ok(StepFile::Source { path: source_path(value)?, shown: String::new() }),
    }
}

/// The text of a file. Tools write what they like into their reports: a stray byte is not worth a failure.
fn text_of(ops: &mut dyn StepOps, file: &StepFile) -> Result<String, Failure> {
    let bytes = match file {
        StepFile::Output(output) => ops.output_bytes(output)?,
        StepFile::Source { path, .. } => ops.read_source(path)?.ok_or_else(|| {
            Failure::new(Class::Input, format!("there is no file `{path}`"))
                .hint("paths are relative to the directory of the design")
        })?,
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[starlark_module]
pub(super) fn reading(builder: &mut MethodsBuilder) {
    /// A file of the user's, which must be there; of a list, all of them.
    fn source<'v>(
        this: Value<'v>,
        #[starlark(require = pos)] path: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        let run = Run::of(eval)?;
        sources(path, eval.heap(), &|path| run.source(path))
    }

    /// Whether there is such a file of the user's.
    fn exists<'v>(
        this: Value<'v>,
        #[starlark(require = pos)] path: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<bool> {
        let _ = this;
        let path = source_path(path)?;
        Run::of(eval)?.ask(|step| step.exists(&path))
    }

    /// The text of a file: of a view, of what was made, or of a file of the user's.
    fn read<'v>(
        this: Value<'v>,
        #[starlark(require = pos)] file: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let _ = this;
        let file = readable(file)?;
        Run::of(eval)?.ask(|step| text_of(step, &file))
    }

    /// The path of a file that comes with a tool, from the directory of its executable.
    fn tool_file<'v>(
        this: Value<'v>,
        #[starlark(require = pos)] tool: &str,
        #[starlark(require = pos)] path: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let _ = this;
        Run::of(eval)?.ask(|step| step.tool_file(tool, path))
    }
}
