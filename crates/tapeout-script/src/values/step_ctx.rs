//! `ctx` of a step's functions: what a step sees while it prepares and collects, and what its functions make of it.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::values::dict::AllocDict;
use starlark::values::list::AllocList;
use starlark::values::structs::AllocStruct;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};
use tapeout_flow::{Completed, Failure, Input, Metric, Output, StepCx, StepResult, View};
use tapeout_model::{Class, Metrics};

use super::config::ConfigValue;
use super::reading::reading;
use super::session::{StepFile, StepFileValue, in_directory};
use crate::complaint::{complaint, complaint_with, refused, useless_ctx};
use crate::data::{metric_value, to_value};
use crate::steps::StepFacts;

/// What a step may ask for: its context, as far as the language shows it. A trait, as a context of the flow crate has
/// lifetimes that an evaluator cannot carry.
pub(crate) trait StepOps {
    fn view(&mut self, format: &str) -> Option<View<Output>>;
    fn metric(&mut self, name: &str) -> Option<Metric>;
    fn metrics(&mut self, prefix: &str) -> Metrics;
    fn source(&mut self, path: &str) -> Result<String, Failure>;
    fn exists(&mut self, path: &str) -> Result<bool, Failure>;
    fn read_source(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure>;
    fn output_bytes(&self, output: &Output) -> Result<Vec<u8>, Failure>;
    fn write(&self, path: &str, bytes: &[u8]) -> Result<Output, Failure>;
    fn tool_file(&mut self, tool: &str, path: &str) -> Result<String, Failure>;
    fn told(&self, session: &Completed) -> Result<StepResult, Failure>;
    fn say(&self, text: &str);
}

impl StepOps for StepCx<'_, '_> {
    fn view(&mut self, format: &str) -> Option<View<Output>> {
        self.view(format)
    }

    fn metric(&mut self, name: &str) -> Option<Metric> {
        self.metric(name)
    }

    fn metrics(&mut self, prefix: &str) -> Metrics {
        self.metrics(prefix)
    }

    fn source(&mut self, path: &str) -> Result<String, Failure> {
        self.source(path)
    }

    fn exists(&mut self, path: &str) -> Result<bool, Failure> {
        self.exists(path)
    }

    fn read_source(&mut self, path: &str) -> Result<Option<Vec<u8>>, Failure> {
        self.read_source(path)
    }

    fn output_bytes(&self, output: &Output) -> Result<Vec<u8>, Failure> {
        self.output_bytes(output)
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<Output, Failure> {
        self.write(path, bytes)
    }

    fn tool_file(&mut self, tool: &str, path: &str) -> Result<String, Failure> {
        self.tool_file(tool, path)
    }

    fn told(&self, session: &Completed) -> Result<StepResult, Failure> {
        self.told(session)
    }

    fn say(&self, text: &str) {
        self.say(text);
    }
}

/// One call of a step's function.
#[derive(ProvidesStaticType)]
pub(crate) struct StepRun<'e> {
    ops: RefCell<&'e mut (dyn StepOps + 'e)>,
    sessions: &'e [Completed],
    asked: RefCell<Vec<Input>>,
    written: RefCell<Vec<Output>>,
}

impl<'e> StepRun<'e> {
    pub(crate) fn new(ops: &'e mut (dyn StepOps + 'e), sessions: &'e [Completed]) -> Self {
        Self { ops: RefCell::new(ops), sessions, asked: RefCell::default(), written: RefCell::default() }
    }

    /// The files that were asked for.
    pub(crate) fn take_asked(&self) -> Vec<Input> {
        self.asked.take()
    }

    /// The files that were written.
    pub(crate) fn take_written(&self) -> Vec<Output> {
        self.written.take()
    }

    /// `print`, a line at a time: those of several steps are shown among each other.
    pub(crate) fn say(&self, text: &str) {
        let ops = self.ops.borrow();
        text.split('\n').for_each(|line| ops.say(line));
    }

    pub(super) fn ask<T>(&self, ask: impl FnOnce(&mut dyn StepOps) -> Result<T, Failure>) -> starlark::Result<T> {
        ask(&mut **self.ops.borrow_mut()).map_err(refused)
    }

    fn completed(&self, session: &CompletedValue) -> starlark::Result<&'e Completed> {
        self.sessions.get(session.index).ok_or_else(|| complaint("the session is none of this step"))
    }

    pub(super) fn note(&self, file: &StepFile) {
        let input = file.input();
        let mut asked = self.asked.borrow_mut();
        if !asked.contains(&input) {
            asked.push(input);
        }
    }

    fn add_written(&self, output: Output) {
        self.written.borrow_mut().push(output);
    }
}

/// The running call.
fn run_of<'a, 'e>(eval: &Evaluator<'_, 'a, 'e>) -> starlark::Result<&'a StepRun<'e>> {
    let run = eval.extra.and_then(|extra| extra.downcast_ref::<StepRun<'e>>());
    run.ok_or_else(useless_ctx)
}

/// The context of a step.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct StepCtxValue {
    #[allocative(skip)]
    pub(crate) config: ConfigValue,
    #[allocative(skip)]
    pub(crate) facts: Arc<StepFacts>,
}

starlark_simple_value!(StepCtxValue);

impl fmt::Display for StepCtxValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<ctx>")
    }
}

methods_static!(METHODS = all_methods);

fn all_methods(builder: &mut MethodsBuilder) {
    reading(builder);
    methods(builder);
}

#[starlark_value(type = "step_ctx")]
impl<'v> StarlarkValue<'v> for StepCtxValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }
}

pub(crate) fn view_value<'v>(view: &View<Output>, heap: Heap<'v>) -> Value<'v> {
    match view {
        View::File(output) => heap.alloc(StepFileValue(StepFile::Output(output.clone()))),
        View::Files(views) => heap.alloc(AllocList(views.iter().map(|view| view_value(view, heap)))),
        View::Named(views) => heap.alloc(AllocDict(views.iter().map(|(name, view)| (&**name, view_value(view, heap))))),
    }
}

/// Whether a metric of that name, or all that begin like this, are declared.
fn check_metric(facts: &StepFacts, name: &str, is_declared: bool) -> starlark::Result<()> {
    match is_declared {
        true => Ok(()),
        false => Err(complaint_with(
            format!("`{}` does not declare that it reads the metric `{name}`", facts.id),
            format!("step(…, metrics = [\"{name}\"])"),
        )),
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The variables that the step declares.
    #[starlark(attribute)]
    fn config(this: &StepCtxValue) -> starlark::Result<ConfigValue> {
        Ok(this.config.clone())
    }

    /// The arguments that the step was declared with.
    #[starlark(attribute)]
    fn args<'v>(this: &StepCtxValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let args = this.facts.args.iter().map(|(name, data)| (name.as_str(), to_value(data, heap)));
        Ok(heap.alloc(AllocStruct(args)))
    }

    /// The id of the step.
    #[starlark(attribute)]
    fn id(this: &StepCtxValue) -> starlark::Result<String> {
        Ok(this.facts.id.to_owned())
    }

    /// The id as part of file names.
    #[starlark(attribute)]
    fn slug(this: &StepCtxValue) -> starlark::Result<String> {
        Ok(tapeout_flow::slug(this.facts.id))
    }

    /// A view: a file, a list of files, or a dict of them by name; None if it is optional and there is none.
    fn view<'v>(
        this: &StepCtxValue,
        #[starlark(require = pos)] format: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let Some((_, optional)) = this.facts.inputs.iter().find(|(known, _)| known == format) else {
            return Err(complaint_with(
                format!("`{}` does not declare that it reads the view `{format}`", this.facts.id),
                format!("step(…, inputs = [\"{format}\"])"),
            ));
        };
        let run = run_of(eval)?;
        match run.ask(|ops| Ok(ops.view(format)))? {
            Some(view) => {
                view.files().into_iter().for_each(|output| run.note(&StepFile::Output(output.clone())));
                Ok(view_value(&view, eval.heap()))
            }
            None if *optional => Ok(Value::new_none()),
            None => {
                let message =
                    format!("`{}` needs a view `{format}`, and no step before it has made one", this.facts.id);
                Err(refused(Failure::new(Class::Input, message)))
            }
        }
    }

    /// A metric; None if there is none.
    fn metric<'v>(
        this: &StepCtxValue,
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        check_metric(&this.facts, name, this.facts.metrics.iter().any(|known| known == name))?;
        let metric = run_of(eval)?.ask(|ops| Ok(ops.metric(name)))?;
        Ok(metric.map_or(Value::new_none(), |metric| metric_value(&metric, eval.heap())))
    }

    /// All metrics whose names begin like this.
    fn metrics<'v>(
        this: &StepCtxValue,
        #[starlark(require = pos)] prefix: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let pattern = format!("{prefix}*");
        check_metric(&this.facts, &pattern, this.facts.metrics.contains(&pattern))?;
        let metrics = run_of(eval)?.ask(|ops| Ok(ops.metrics(prefix)))?;
        let heap = eval.heap();
        Ok(heap.alloc(AllocDict(metrics.iter().map(|(name, metric)| (&**name, metric_value(metric, heap))))))
    }

    /// Keeps a file of the step's own.
    fn write<'v>(
        this: &StepCtxValue,
        #[starlark(require = pos)] path: &str,
        #[starlark(require = pos)] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StepFileValue> {
        let _ = this;
        in_directory(path, "a file")?;
        let run = run_of(eval)?;
        let output = run.ask(|ops| ops.write(path, text.as_bytes()))?;
        run.add_written(output.clone());
        Ok(StepFileValue(StepFile::Output(output)))
    }

    /// The metrics that the tools of a session told by lines of their output. Reports that they told become files of the
    /// step.
    fn told<'v>(
        this: &StepCtxValue,
        #[starlark(require = pos)] session: &CompletedValue,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        let run = run_of(eval)?;
        let completed = run.completed(session)?;
        let told = run.ask(|ops| ops.told(completed))?;
        told.written.into_iter().for_each(|output| run.add_written(output));
        let heap = eval.heap();
        Ok(heap.alloc(AllocDict(told.metrics.iter().map(|(name, metric)| (&**name, metric_value(metric, heap))))))
    }
}

/// A session that ran.
#[derive(Clone, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct CompletedValue {
    index: usize,
    #[allocative(skip)]
    log: Arc<str>,
    #[allocative(skip)]
    outputs: Arc<[Output]>,
}

starlark_simple_value!(CompletedValue);

impl CompletedValue {
    /// All of a step.
    pub(crate) fn all<'v>(sessions: &[Completed], heap: Heap<'v>) -> Value<'v> {
        let one = |(index, session): (usize, &Completed)| Self {
            index,
            log: session.log().into(),
            outputs: session.outputs().into(),
        };
        heap.alloc(AllocList(sessions.iter().enumerate().map(one)))
    }
}

impl fmt::Debug for CompletedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for CompletedValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<completed session>")
    }
}

methods_static!(COMPLETED_METHODS = completed_methods);

#[starlark_value(type = "completed_session")]
impl<'v> StarlarkValue<'v> for CompletedValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(COMPLETED_METHODS.methods())
    }
}

fn output_value(output: &Output) -> StepFileValue {
    StepFileValue(StepFile::Output(output.clone()))
}

#[starlark_module]
fn completed_methods(builder: &mut MethodsBuilder) {
    /// What the tools said.
    #[starlark(attribute)]
    fn log(this: &CompletedValue) -> starlark::Result<String> {
        Ok(this.log.as_ref().to_owned())
    }

    /// All files that the tools wrote.
    #[starlark(attribute)]
    fn outputs<'v>(this: &CompletedValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(heap.alloc(AllocList(this.outputs.iter().map(output_value))))
    }

    /// The exit status of a command, the first one if it is not said.
    fn status<'v>(
        this: &CompletedValue,
        #[starlark(require = pos, default = 0)] command: u32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<i32> {
        Ok(run_of(eval)?.completed(this)?.status(command as usize))
    }

    /// The file at this path; None if the tools have not written it.
    fn output<'v>(
        this: &CompletedValue,
        #[starlark(require = pos)] path: &str,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let output = this.outputs.iter().find(|output| output.path == path);
        Ok(output.map_or(Value::new_none(), |output| heap.alloc(output_value(output))))
    }

    /// The text of the file at this path.
    fn read<'v>(
        this: &CompletedValue,
        #[starlark(require = pos)] path: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let Some(output) = this.outputs.iter().find(|output| output.path == path) else {
            let message = format!("cannot make sense of `{path}`: the tool has not written it");
            return Err(refused(Failure::new(Class::Tool, message)));
        };
        let bytes = run_of(eval)?.ask(|ops| ops.output_bytes(output))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
