//! `ctx` of a custom flow: asks for steps, and looks at what came of them. When a run is stopped, requests do not return
//! but unwind; that is caught where they are made, ends the evaluation like an error, and goes on outside of it.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use allocative::Allocative;
use starlark::ErrorKind;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::{AllocList, ListRef};
use starlark::values::none::NoneType;
use starlark::values::structs::AllocStruct;
use starlark::values::tuple::TupleRef;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};
use tapeout_config::nearest;
use tapeout_flow::{Candidate, Comparison, CustomFlow, FlowCx, FlowError, FlowState, Placing, View};
use tapeout_model::{FilePath, Value as Setting};

use super::config::{ConfigValue, to_setting};
use super::path::PathValue;
use super::plain::plain_value;
use super::scripted::{FlowNameValue, StepValue};
use crate::complaint::{complaint, complaint_with, useless_ctx};
use crate::data::{metric_value, named};

/// A flow that another one may run.
#[derive(Clone)]
pub(crate) enum Nested {
    Program(Arc<dyn CustomFlow>),
    Steps(Vec<String>),
}

/// What the context of a flow must know.
pub(crate) struct FlowFacts {
    pub(crate) name: String,
    /// The steps that it may ask for.
    pub(crate) steps: Vec<String>,
    /// The flows that it may run, by their names in lower case.
    pub(crate) nested: BTreeMap<String, Nested>,
}

/// One run of a flow's program.
#[derive(ProvidesStaticType)]
pub(crate) struct FlowRun<'e> {
    /// The contexts that there are: the values are numbers of these.
    contexts: RefCell<Vec<FlowCx<'e>>>,
    unwound: RefCell<Option<Box<dyn Any + Send>>>,
    facts: Arc<FlowFacts>,
}

/// An error of a step, on its way through starlark.
#[derive(Debug)]
struct Raised(FlowError);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Raised {}

fn raised(error: FlowError) -> starlark::Error {
    starlark::Error::new_kind(ErrorKind::Native(Raised(error).into()))
}

/// The error of a step that an evaluation ended with.
pub(crate) fn raised_in(error: &starlark::Error) -> Option<FlowError> {
    match error.kind() {
        ErrorKind::Native(inner) => inner.downcast_ref::<Raised>().map(|raised| raised.0.clone()),
        _ => None,
    }
}

impl<'e> FlowRun<'e> {
    pub(crate) fn new(cx: FlowCx<'e>, facts: Arc<FlowFacts>) -> Self {
        Self { contexts: RefCell::new(vec![cx]), unwound: RefCell::default(), facts }
    }

    /// What unwound a request.
    pub(crate) fn take_unwound(&self) -> Option<Box<dyn Any + Send>> {
        self.unwound.take()
    }

    /// The context that a program is given.
    pub(crate) fn first(&self) -> Option<FlowCtxValue> {
        self.contexts.borrow().first().map(|cx| self.ctx(0, cx))
    }

    fn ctx(&self, number: usize, cx: &FlowCx<'e>) -> FlowCtxValue {
        let owner = format!("flow `{}`", self.facts.name).into();
        FlowCtxValue { number, config: ConfigValue { config: cx.config().clone(), owner, names: None } }
    }

    fn add(&self, cx: FlowCx<'e>) -> FlowCtxValue {
        let mut contexts = self.contexts.borrow_mut();
        let ctx = self.ctx(contexts.len(), &cx);
        contexts.push(cx);
        ctx
    }

    /// Asks for something that may unwind.
    fn ask<T>(&self, ctx: &FlowCtxValue, ask: impl FnOnce(&FlowCx<'e>) -> T) -> starlark::Result<T> {
        let cx = self.contexts.borrow().get(ctx.number).cloned();
        let Some(cx) = cx else { return Err(useless_ctx()) };
        catch_unwind(AssertUnwindSafe(|| ask(&cx))).map_err(|panic| {
            self.unwound.replace(Some(panic));
            complaint("the flow is stopped")
        })
    }

    /// The same for something that may fail.
    fn try_to<T>(
        &self,
        ctx: &FlowCtxValue,
        ask: impl FnOnce(&FlowCx<'e>) -> Result<T, FlowError>,
    ) -> starlark::Result<T> {
        self.ask(ctx, ask)?.map_err(raised)
    }

    /// A step that the flow declares.
    fn step(&self, value: Value<'_>) -> starlark::Result<String> {
        let id = step_id(value)?;
        let FlowFacts { steps, name, .. } = &*self.facts;
        if steps.iter().any(|known| known.eq_ignore_ascii_case(&id)) {
            return Ok(id);
        }
        let help = match nearest(&id, steps.iter().map(String::as_str)) {
            Some(near) => format!("is `{near}` meant?"),
            None => format!("custom_flow(…, steps = [\"{id}\"])"),
        };
        Err(complaint_with(format!("the flow `{name}` does not declare the step `{id}`"), help))
    }

    fn steps(&self, value: Value<'_>) -> starlark::Result<Vec<String>> {
        match ListRef::from_value(value) {
            Some(list) => list.iter().map(|step| self.step(step)).collect(),
            None => Err(complaint(format!("a list of steps is expected, found {}", named(value)))),
        }
    }
}

/// The running program.
fn run_of<'a, 'e>(eval: &Evaluator<'_, 'a, 'e>) -> starlark::Result<&'a FlowRun<'e>> {
    eval.extra.and_then(|extra| extra.downcast_ref::<FlowRun<'e>>()).ok_or_else(useless_ctx)
}

/// The id of a step.
pub(crate) fn step_id(value: Value<'_>) -> starlark::Result<String> {
    if let Some(step) = StepValue::from_value(value) {
        return Ok(step.0.as_ref().to_owned());
    }
    let id = value.unpack_str().map(str::to_owned);
    id.ok_or_else(|| complaint(format!("a step is named by its id, found {}", named(value))))
}

plain_value!(
    /// The state after a step.
    StateValue(FlowState), "state", |_| "<state>".to_owned()
);

/// Why there is no such state.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct ErrorValue(#[allocative(skip)] pub(crate) Arc<FlowError>);

starlark_simple_value!(ErrorValue);

impl fmt::Display for ErrorValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

methods_static!(ERROR_METHODS = error_methods);

#[starlark_value(type = "flow_error")]
impl<'v> StarlarkValue<'v> for ErrorValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(ERROR_METHODS.methods())
    }
}

#[starlark_module]
fn error_methods(builder: &mut MethodsBuilder) {
    /// The id of the step that failed; None if it is an error of the flow itself.
    #[starlark(attribute)]
    fn step<'v>(this: &ErrorValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(this.0.step().map_or(Value::new_none(), |step| heap.alloc(step)))
    }

    /// What happened.
    #[starlark(attribute)]
    fn message(this: &ErrorValue) -> starlark::Result<String> {
        Ok(this.0.failure().message.clone())
    }

    /// What to try; None if nobody knows.
    #[starlark(attribute)]
    fn hint<'v>(this: &ErrorValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        Ok(this.0.failure().hint.as_deref().map_or(Value::new_none(), |hint| heap.alloc(hint)))
    }

    /// Whether the step ran to its end and the design did not pass its check.
    #[starlark(attribute)]
    fn is_failed_check(this: &ErrorValue) -> starlark::Result<bool> {
        Ok(this.0.is_failed_check())
    }
}

fn error_value<'v>(error: FlowError, heap: Heap<'v>) -> Value<'v> {
    heap.alloc(ErrorValue(Arc::new(error)))
}

fn state(value: Value<'_>) -> starlark::Result<FlowState> {
    match (StateValue::from_value(value), ErrorValue::from_value(value)) {
        (Some(state), _) => Ok(state.0),
        (None, Some(error)) => Err(raised(FlowError::clone(&error.0))),
        (None, None) => Err(complaint(format!("a state is expected, found {}", named(value)))),
    }
}

/// The context of a flow.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct FlowCtxValue {
    number: usize,
    #[allocative(skip)]
    config: ConfigValue,
}

starlark_simple_value!(FlowCtxValue);

impl fmt::Display for FlowCtxValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<ctx>")
    }
}

methods_static!(METHODS = methods);

#[starlark_value(type = "flow_ctx")]
impl<'v> StarlarkValue<'v> for FlowCtxValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }
}

fn view_value<'v>(view: &View<PathBuf>, heap: Heap<'v>) -> Value<'v> {
    match view {
        View::File(path) => heap.alloc(PathValue(FilePath::Source(path.to_string_lossy().into_owned()))),
        View::Files(views) => heap.alloc(AllocList(views.iter().map(|view| view_value(view, heap)))),
        View::Named(views) => heap.alloc(AllocDict(views.iter().map(|(name, view)| (&**name, view_value(view, heap))))),
    }
}

/// What stands for a cell without a value.
const NOTHING: &str = "–";

/// A row of a comparison: how it came off, and its cells.
fn row(value: Value<'_>, columns: usize) -> starlark::Result<Candidate> {
    let malformed = || {
        complaint_with(
            format!("a row of a comparison is (standing, cells), found {}", value.to_repr()),
            "(\"best\", [\"name\", 1.5]); the standing is \"best\", \"also\" or \"failed\"",
        )
    };
    let pair = TupleRef::from_value(value).map(TupleRef::content);
    let Some([standing, cells]) = pair else { return Err(malformed()) };
    let standing = match standing.unpack_str() {
        Some("best") => Placing::Best,
        Some("also") => Placing::Also,
        Some("failed") => Placing::Failed,
        _ => return Err(malformed()),
    };
    let cell = |cell: Value<'_>| if cell.is_none() { NOTHING.to_owned() } else { cell.to_str() };
    let cells: Vec<String> = ListRef::from_value(*cells).ok_or_else(malformed)?.iter().map(cell).collect();
    match cells.len() == columns {
        true => Ok(Candidate { cells, standing }),
        false => Err(complaint(format!("the comparison has {columns} columns, and a row has {} cells", cells.len()))),
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The configuration that steps get which are asked for through this.
    #[starlark(attribute)]
    fn config(this: &FlowCtxValue) -> starlark::Result<ConfigValue> {
        Ok(this.config.clone())
    }

    /// The same context, with variables replaced for the steps that are asked for through it.
    fn with_config<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] overrides: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<FlowCtxValue> {
        let Some(dict) = DictRef::from_value(overrides) else {
            let help = "ctx.with_config({\"PNR_SEED\": 7})";
            return Err(complaint_with(format!("the overrides must be a dict, found {}", named(overrides)), help));
        };
        let one = |(name, value): (Value<'v>, Value<'v>)| {
            let Some(name) = name.unpack_str() else {
                return Err(complaint(format!("the name of a variable is a string, found {}", named(name))));
            };
            match to_setting(value) {
                Ok(value) => Ok((name.to_owned(), value)),
                Err(unfit) => Err(complaint(format!("`{name}{}`: {}", unfit.at, unfit.why))),
            }
        };
        let overrides: Vec<(String, Setting)> = dict.iter().map(one).collect::<starlark::Result<_>>()?;
        let run = run_of(eval)?;
        Ok(run.add(run.try_to(this, |cx| cx.with(overrides))?))
    }

    /// The same context, with a label for the steps that are asked for through it.
    fn labelled<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] label: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<FlowCtxValue> {
        let run = run_of(eval)?;
        Ok(run.add(run.ask(this, |cx| cx.labelled(label))?))
    }

    /// The same context, where it is a result when a tool fails.
    fn may_fail<'v>(this: &FlowCtxValue, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<FlowCtxValue> {
        let run = run_of(eval)?;
        Ok(run.add(run.ask(this, FlowCx::may_fail)?))
    }

    /// The same context, where a check that otherwise is put off to the end of the run is an error at once.
    fn at_once<'v>(this: &FlowCtxValue, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<FlowCtxValue> {
        let run = run_of(eval)?;
        Ok(run.add(run.ask(this, FlowCx::at_once)?))
    }

    /// Asks for a step and waits for it. The flow fails with it.
    fn start<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] step: Value<'v>,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StateValue> {
        let run = run_of(eval)?;
        let (step, state) = (run.step(step)?, self::state(state)?);
        run.try_to(this, |cx| cx.start(&step, &state)).map(StateValue)
    }

    /// Asks for a step and does not wait. What goes wrong with it is told to whoever looks at its state.
    fn start_async<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] step: Value<'v>,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StateValue> {
        let run = run_of(eval)?;
        let (step, state) = (run.step(step)?, self::state(state)?);
        run.ask(this, |cx| cx.start_async(&step, &state)).map(StateValue)
    }

    /// Asks for steps one after the other and waits for the last. The flow fails with them.
    fn sequence<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] steps: Value<'v>,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StateValue> {
        let run = run_of(eval)?;
        let (steps, state) = (run.steps(steps)?, self::state(state)?);
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        run.try_to(this, |cx| cx.sequence(&steps, &state)).map(StateValue)
    }

    /// Asks for steps one after the other and does not wait.
    fn sequence_async<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] steps: Value<'v>,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StateValue> {
        let run = run_of(eval)?;
        let (steps, state) = (run.steps(steps)?, self::state(state)?);
        let steps: Vec<&str> = steps.iter().map(String::as_str).collect();
        run.ask(this, |cx| cx.sequence_async(&steps, &state)).map(StateValue)
    }

    /// Asks for a step, or for several one after the other, and waits: gives `.state`, or `.error` if it failed.
    fn attempt<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] step: Value<'v>,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let run = run_of(eval)?;
        let steps = match ListRef::from_value(step) {
            Some(_) => run.steps(step)?,
            None => vec![run.step(step)?],
        };
        let state = self::state(state)?;
        let ended = run.ask(this, |cx| match steps.as_slice() {
            [step] => cx.start(step, &state),
            steps => cx.sequence(&steps.iter().map(String::as_str).collect::<Vec<_>>(), &state),
        })?;
        let heap = eval.heap();
        let (state, error) = match ended {
            Ok(state) => (heap.alloc(StateValue(state)), Value::new_none()),
            Err(error) => (Value::new_none(), error_value(error, heap)),
        };
        Ok(heap.alloc(AllocStruct([("state", state), ("error", error)])))
    }

    /// Waits for a state: None, or the error.
    fn wait<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let state = self::state(state)?;
        let ended = run_of(eval)?.ask(this, |cx| cx.wait(&state))?;
        Ok(ended.map_or_else(|error| error_value(error, eval.heap()), |()| Value::new_none()))
    }

    /// A metric of a state, which is waited for; None if there is none.
    fn metric<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] state: Value<'v>,
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let state = self::state(state)?;
        let metric = run_of(eval)?.try_to(this, |cx| cx.metric(&state, name))?;
        Ok(metric.map_or(Value::new_none(), |metric| metric_value(&metric, eval.heap())))
    }

    /// The metrics of a state, which is waited for; those whose names begin like this.
    fn metrics<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] state: Value<'v>,
        #[starlark(require = pos, default = "")] prefix: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let state = self::state(state)?;
        let metrics = run_of(eval)?.try_to(this, |cx| cx.state(&state))?.metrics;
        let heap = eval.heap();
        let wanted = metrics.iter().filter(|(name, _)| name.starts_with(prefix));
        Ok(heap.alloc(AllocDict(wanted.map(|(name, metric)| (&**name, metric_value(metric, heap))))))
    }

    /// A view of a state, which is waited for: where its files are in the run's directory; None if there is none.
    fn view<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] state: Value<'v>,
        #[starlark(require = pos)] format: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let state = self::state(state)?;
        let view = run_of(eval)?.try_to(this, |cx| cx.view(&state, format))?;
        Ok(view.map_or(Value::new_none(), |view| view_value(&view, eval.heap())))
    }

    /// All views of a state, which is waited for, by format.
    fn views<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let state = self::state(state)?;
        let views = run_of(eval)?.try_to(this, |cx| cx.state(&state))?.views;
        let heap = eval.heap();
        Ok(heap.alloc(AllocDict(views.iter().map(|(format, view)| (&**format, view_value(view, heap))))))
    }

    /// Runs another flow within this one. This one fails with it.
    fn run<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] flow: Value<'v>,
        #[starlark(require = pos)] state: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StateValue> {
        let run = run_of(eval)?;
        let name = flow_name(flow)?;
        let state = self::state(state)?;
        let Some(nested) = run.facts.nested.get(&name.to_lowercase()) else {
            let message = format!("the flow `{}` does not declare that it runs the flow `{name}`", run.facts.name);
            return Err(complaint_with(message, format!("custom_flow(…, flows = [\"{name}\"])")));
        };
        let ended = run.try_to(this, |cx| match nested {
            Nested::Program(program) => program.run(cx, state),
            Nested::Steps(steps) => cx.sequence(&steps.iter().map(String::as_str).collect::<Vec<_>>(), &state),
        });
        ended.map(StateValue)
    }

    /// Says how many stages there will be.
    fn stages<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] count: u32,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        run_of(eval)?.ask(this, |cx| cx.set_max_stage_count(count))?;
        Ok(NoneType)
    }

    /// Begins a stage.
    fn start_stage<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        run_of(eval)?.ask(this, |cx| cx.start_stage(name))?;
        Ok(NoneType)
    }

    /// Ends the stage that was begun last.
    fn end_stage<'v>(this: &FlowCtxValue, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<NoneType> {
        run_of(eval)?.ask(this, FlowCx::end_stage)?;
        Ok(NoneType)
    }

    /// Shows a comparison: at the end of the run, and as a file in its directory.
    fn compared<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] title: &str,
        #[starlark(require = named)] columns: Value<'v>,
        #[starlark(require = named)] rows: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let list = |value: Value<'v>, what: &str| {
            let list = ListRef::from_value(value).map(ListRef::content);
            list.ok_or_else(|| complaint(format!("`{what}` must be a list, found {}", named(value))))
        };
        let columns: Vec<String> = list(columns, "columns")?.iter().map(|heading| heading.to_str()).collect();
        let rows = list(rows, "rows")?.iter().map(|value| row(*value, columns.len())).collect::<Result<_, _>>()?;
        let comparison = Comparison { title: title.to_owned(), columns, rows };
        run_of(eval)?.ask(this, |cx| cx.compared(comparison))?;
        Ok(NoneType)
    }

    /// Says something that is worth knowing.
    fn say<'v>(
        this: &FlowCtxValue,
        #[starlark(require = pos)] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        run_of(eval)?.ask(this, |cx| cx.say(text))?;
        Ok(NoneType)
    }
}

/// The name of a flow.
pub(crate) fn flow_name(value: Value<'_>) -> starlark::Result<String> {
    if let Some(flow) = FlowNameValue::from_value(value) {
        return Ok(flow.0.as_ref().to_owned());
    }
    let name = value.unpack_str().map(str::to_owned);
    name.ok_or_else(|| complaint(format!("a flow is named by a string, found {}", named(value))))
}
