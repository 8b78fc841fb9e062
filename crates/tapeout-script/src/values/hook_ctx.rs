//! `ctx` of a hook's function: what it sees of its step, and what it does there.

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::eval::Evaluator;
use starlark::values::dict::AllocDict;
use starlark::values::list::{AllocList, ListRef};
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};
use tapeout_config::nearest;
use tapeout_flow::{Failure, HookCx, Input, Output, StepInfo, View};
use tapeout_model::{Class, Metric, Value as Setting};

use super::config::{ConfigValue, setting_value};
use super::hook_ops::HookOps;
use super::reading::{readable, reading, source_path};
use super::session::{Arg, StepFile, StepFileValue, add_args, in_directory, tool_name};
use super::step_ctx::{StepOps, view_value};
use super::step_result::AlertValue;
use crate::complaint::{complaint, complaint_with, refused, useless_ctx};
use crate::data::{metric_value, named, to_metric};

/// One call of a hook's function.
#[derive(ProvidesStaticType)]
pub(crate) struct HookRun<'e> {
    ops: RefCell<&'e mut (dyn HookOps + 'e)>,
}

impl<'e> HookRun<'e> {
    pub(crate) fn new(ops: &'e mut (dyn HookOps + 'e)) -> Self {
        Self { ops: RefCell::new(ops) }
    }

    /// `print`, a line at a time: those of several steps are shown among each other.
    pub(crate) fn say(&self, text: &str) {
        let mut ops = self.ops.borrow_mut();
        text.split('\n').for_each(|line| ops.step().say(line));
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut dyn HookOps) -> Result<T, Failure>) -> starlark::Result<T> {
        ask(&mut **self.ops.borrow_mut()).map_err(refused)
    }

    /// Asks the context of the step.
    pub(super) fn ask_step<T>(&self, ask: impl FnOnce(&mut dyn StepOps) -> Result<T, Failure>) -> starlark::Result<T> {
        self.ask(|ops| ask(ops.step()))
    }

    fn is_behind(&self) -> bool {
        self.ops.borrow().is_behind()
    }
}

/// The running call.
fn run_of<'a, 'e>(eval: &Evaluator<'_, 'a, 'e>) -> starlark::Result<&'a HookRun<'e>> {
    let run = eval.extra.and_then(|extra| extra.downcast_ref::<HookRun<'e>>());
    run.ok_or_else(useless_ctx)
}

/// The context of a hook.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct HookCtxValue {
    #[allocative(skip)]
    config: ConfigValue,
    name: Arc<str>,
    #[allocative(skip)]
    params: Arc<[(String, Setting)]>,
    script_name: Option<String>,
    /// The script as far as it stands; nothing where there is none. Attributes are read without the running call.
    #[allocative(skip)]
    script: Arc<Mutex<Option<String>>>,
    /// The text in whose place it stands.
    replaced: Option<String>,
    /// What is known of its step.
    #[allocative(skip)]
    info: Arc<StepInfo>,
}

starlark_simple_value!(HookCtxValue);

impl HookCtxValue {
    /// That of a hook at its place.
    pub(crate) fn of(cx: &HookCx<'_, '_, '_>) -> Self {
        Self {
            config: ConfigValue { config: cx.config().clone(), owner: "the flow".into(), names: None },
            name: cx.name().into(),
            params: cx.parameters().into(),
            script_name: cx.script_name().map(str::to_owned),
            script: Arc::new(Mutex::new(cx.script().ok())),
            replaced: cx.replaced().map(str::to_owned),
            info: Arc::new(cx.info().clone()),
        }
    }

    /// A view must be read by the step, or declared by the hook; otherwise it would not be there.
    fn check_view(&self, format: &str) -> starlark::Result<bool> {
        let Self { info, name, .. } = self;
        if let Some(needs) = info.inputs.iter().find(|needs| needs.format == format) {
            return Ok(needs.optional);
        }
        Err(complaint_with(
            format!("`{}` does not read the view `{format}`, and the hook `{name}` does not declare it", info.id),
            format!("hook(…, inputs = [\"{format}\"])"),
        ))
    }

    /// After something was added to it.
    fn read_script(&self, run: &HookRun<'_>) {
        *self.script.lock().unwrap_or_else(PoisonError::into_inner) = run.ops.borrow().script().ok();
    }

    fn words<'v>(&self, words: Value<'v>) -> starlark::Result<(String, Vec<Arg>)> {
        let Some((tool, rest)) = ListRef::from_value(words).and_then(|list| list.content().split_first()) else {
            return Err(complaint_with(
                format!("a command is a list that begins with its tool, found {}", named(words)),
                "ctx.run([\"python3\", ctx.input(\"fix.py\"), \"out.gds\"])",
            ));
        };
        let tool = tool_name(*tool)?;
        let Self { info, name, .. } = self;
        if !info.tools.contains(&tool.as_str()) {
            let help = match nearest(&tool, info.tools.iter().copied()) {
                Some(near) => format!("is `{near}` meant? Otherwise: hook(…, tools = [\"{tool}\"])"),
                None => format!("hook(…, tools = [\"{tool}\"])"),
            };
            let message = format!("neither the hook `{name}` nor `{}` declares the tool `{tool}`", info.id);
            return Err(complaint_with(message, help));
        }
        let mut args = Vec::new();
        rest.iter().try_for_each(|arg| add_args(*arg, &mut args))?;
        Ok((tool, args))
    }
}

impl fmt::Display for HookCtxValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<ctx>")
    }
}

methods_static!(METHODS = all_methods);

fn all_methods(builder: &mut MethodsBuilder) {
    reading(builder);
    methods(builder);
}

#[starlark_value(type = "hook_ctx")]
impl<'v> StarlarkValue<'v> for HookCtxValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }
}

fn file_value(output: Output) -> StepFileValue {
    StepFileValue(StepFile::Output(output))
}

/// A file as an input: one that the function has been given, or one of the user's by its path.
fn file_arg(value: Value<'_>) -> starlark::Result<Arg> {
    match Arg::of(value) {
        Some(Arg::Text(_)) | None => {
            let path = source_path(value)?;
            Ok(Arg::File(StepFile::Source { shown: path.clone(), path }))
        }
        Some(arg) => Ok(arg),
    }
}

/// A file that can be kept with what the step makes.
fn made_file(value: Value<'_>) -> starlark::Result<Output> {
    match StepFileValue::from_value(value).map(|file| &file.0) {
        Some(StepFile::Output(output)) => Ok(output.clone()),
        _ => Err(complaint_with(
            format!("a file that was made is expected, found {}", named(value)),
            "`ctx.made_view`, `ctx.made_files`, `ctx.write` and `ctx.run` give such files",
        )),
    }
}

fn all_inputs(inputs: Option<Value<'_>>) -> starlark::Result<Vec<Arg>> {
    let Some(inputs) = inputs else { return Ok(Vec::new()) };
    match ListRef::from_value(inputs) {
        Some(list) => list.iter().map(file_arg).collect(),
        None => Err(complaint(format!("`inputs` must be a list of files, found {}", named(inputs)))),
    }
}

fn all_outputs(outputs: Option<Value<'_>>) -> starlark::Result<Vec<String>> {
    let Some(outputs) = outputs else { return Ok(Vec::new()) };
    let wrong = |found: Value<'_>| complaint(format!("`outputs` must be a list of paths, found {}", named(found)));
    let path = |item: Value<'_>| {
        let path = item.unpack_str().ok_or_else(|| wrong(item))?;
        in_directory(path, "an output")?;
        Ok(path.to_owned())
    };
    ListRef::from_value(outputs).ok_or_else(|| wrong(outputs))?.iter().map(path).collect()
}

/// Adds what words name to the inputs of the tool.
fn add_inputs<'a>(run: &HookRun<'_>, args: impl IntoIterator<Item = &'a Arg>) -> starlark::Result<()> {
    args.into_iter().filter_map(Arg::input).try_for_each(|input| run.ask(|ops| ops.add_input(input)))
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// All variables of the flow.
    #[starlark(attribute)]
    fn config(this: &HookCtxValue) -> starlark::Result<ConfigValue> {
        Ok(this.config.clone())
    }

    /// The name of the hook.
    #[starlark(attribute)]
    fn name(this: &HookCtxValue) -> starlark::Result<String> {
        Ok(this.name.as_ref().to_owned())
    }

    /// The parameters of the hook, by name.
    #[starlark(attribute)]
    fn params<'v>(this: &HookCtxValue, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
        let params = this.params.iter().map(|(name, value)| (name.as_str(), setting_value(value, heap)));
        Ok(heap.alloc(AllocDict(params)))
    }

    /// The id of the step.
    #[starlark(attribute)]
    fn id(this: &HookCtxValue) -> starlark::Result<String> {
        Ok(this.info.id.to_owned())
    }

    /// The id of the step as part of file names.
    #[starlark(attribute)]
    fn slug(this: &HookCtxValue) -> starlark::Result<String> {
        Ok(tapeout_flow::slug(this.info.id))
    }

    /// The script as far as it stands.
    #[starlark(attribute)]
    fn script(this: &HookCtxValue) -> starlark::Result<String> {
        let script = this.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.clone().ok_or_else(|| {
            complaint_with("there is no script here", "`ctx.script_name` is None where a hook stands in no script")
        })
    }

    /// The file name of the script that the hook stands in; None where there is none.
    #[starlark(attribute)]
    fn script_name(this: &HookCtxValue) -> starlark::Result<NoneOr<String>> {
        Ok(NoneOr::from_option(this.script_name.clone()))
    }

    /// The text of the section that the hook replaces; None if it replaces none.
    #[starlark(attribute)]
    fn replaced(this: &HookCtxValue) -> starlark::Result<NoneOr<String>> {
        Ok(NoneOr::from_option(this.replaced.clone()))
    }

    /// Adds text to the script.
    fn append<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let run = run_of(eval)?;
        run.ask(|ops| ops.append(text))?;
        this.read_script(run);
        Ok(NoneType)
    }

    /// Adds arguments to the call that the hook stands before.
    fn args<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] args: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let _ = this;
        let run = run_of(eval)?;
        let mut words = Vec::new();
        add_args(args, &mut words)?;
        run.ask(|ops| ops.add_args(words.iter().map(|word| word.shown().to_owned()).collect()))?;
        add_inputs(run, &words)?;
        Ok(NoneType)
    }

    /// Has a program called at this place. Behind the step it is called at once, and gives the files that it wrote.
    fn run<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] command: Value<'v>,
        #[starlark(require = named)] inputs: Option<Value<'v>>,
        #[starlark(require = named)] outputs: Option<Value<'v>>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let run = run_of(eval)?;
        let (tool, args) = this.words(command)?;
        let (inputs, outputs) = (all_inputs(inputs)?, all_outputs(outputs)?);
        let words: Vec<String> = [tool].into_iter().chain(args.iter().map(|arg| arg.shown().to_owned())).collect();
        let named = args.iter().chain(&inputs);
        if !run.is_behind() {
            run.ask(|ops| ops.run(words))?;
            this.read_script(run);
            add_inputs(run, named)?;
            outputs.iter().try_for_each(|path| run.ask(|ops| ops.output(path)))?;
            return Ok(Value::new_none());
        }
        let mut inputs: Vec<Input> = Vec::new();
        for input in named.filter_map(Arg::input) {
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        let written = run.ask(|ops| ops.run_on(words, inputs, &outputs))?;
        Ok(eval.heap().alloc(AllocList(written.into_iter().map(file_value))))
    }

    /// Makes a file an input of the tool: one of the user's by its path, or one that the function has been given.
    fn input<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] file: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StepFileValue> {
        let _ = this;
        let run = run_of(eval)?;
        let file = match readable(file)? {
            StepFile::Source { path, .. } => {
                let shown = run.ask_step(|step| step.source(&path))?;
                StepFile::Source { path, shown }
            }
            made => made,
        };
        run.ask(|ops| ops.add_input(file.input()))?;
        Ok(StepFileValue(file))
    }

    /// Makes the files of a view inputs of the tool; None if it is optional and there is none.
    fn input_view<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] format: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let run = run_of(eval)?;
        let Some(view) = viewed(this, run, format)? else { return Ok(Value::new_none()) };
        for output in view.files() {
            run.ask(|ops| ops.add_input(Input::Output(output.clone())))?;
        }
        Ok(view_value(&view, eval.heap()))
    }

    /// Says that the tool will write this file, which is then kept with what the step makes.
    fn output<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] path: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<String> {
        let _ = this;
        in_directory(path, "an output")?;
        run_of(eval)?.ask(|ops| ops.output(path))?;
        Ok(path.to_owned())
    }

    /// A view that the step or the hook reads: a file, a list of files, or a dict of them by name; None if it is optional
    /// and there is none.
    fn view<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] format: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let view = viewed(this, run_of(eval)?, format)?;
        Ok(view.map_or(Value::new_none(), |view| view_value(&view, eval.heap())))
    }

    /// A metric that the step reads; None if there is none.
    fn metric<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let StepInfo { id, metrics, metric_prefixes, .. } = &*this.info;
        let is_read = metrics.iter().any(|known| known == name);
        if !is_read && !metric_prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            let patterns = this.info.metric_patterns();
            let known = if patterns.is_empty() { "none".to_owned() } else { patterns.join(", ") };
            return Err(complaint_with(
                format!("`{id}` does not read the metric `{name}`"),
                format!("it reads {known}"),
            ));
        }
        let metric = run_of(eval)?.ask_step(|step| Ok(step.metric(name)))?;
        Ok(optional_metric(metric, eval.heap()))
    }

    /// A view that the step has made; None if it has not.
    fn made_view<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] format: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        let view = run_of(eval)?.ask(|ops| ops.made_view(format))?;
        Ok(view.map_or(Value::new_none(), |view| view_value(&view, eval.heap())))
    }

    /// All files that the step has made.
    fn made_files<'v>(this: &HookCtxValue, eval: &mut Evaluator<'v, '_, '_>) -> starlark::Result<Value<'v>> {
        let _ = this;
        let files = run_of(eval)?.ask(|ops| ops.made_files())?;
        Ok(eval.heap().alloc(AllocList(files.into_iter().map(file_value))))
    }

    /// A metric that the step has measured; None if it has not.
    fn made_metric<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] name: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        let metric = run_of(eval)?.ask(|ops| ops.made_metric(name))?;
        Ok(optional_metric(metric, eval.heap()))
    }

    /// Keeps a text as a file of the step, in place of one of the same path.
    fn write<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] path: &str,
        #[starlark(require = pos)] text: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StepFileValue> {
        let _ = this;
        in_directory(path, "a file")?;
        run_of(eval)?.ask(|ops| ops.write(path, text)).map(file_value)
    }

    /// Keeps a file that `ctx.run` gave with those of the step, in place of one of the same path.
    fn keep<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] file: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let _ = this;
        let file = made_file(file)?;
        run_of(eval)?.ask(|ops| ops.keep(file)).map(|()| NoneType)
    }

    /// Makes a file a view of the step, in place of what it had.
    fn set_view<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] format: &str,
        #[starlark(require = pos)] file: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let _ = this;
        let file = made_file(file)?;
        run_of(eval)?.ask(|ops| ops.set_view(format, file)).map(|()| NoneType)
    }

    /// Adds a metric to those of the step, or changes one.
    fn set_metric<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] value: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let _ = this;
        let Some(metric) = to_metric(value) else {
            return Err(complaint(format!("metric `{name}` must be a number or a string, found {}", named(value))));
        };
        run_of(eval)?.ask(|ops| ops.set_metric(name, metric)).map(|()| NoneType)
    }

    /// Adds a complaint to those of the step.
    fn alert<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] alert: Value<'v>,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let _ = this;
        let Some(alert) = AlertValue::from_value(alert) else {
            return Err(complaint_with(
                format!("an alert is expected, found {}", named(alert)),
                "ctx.alert(alert(\"what is odd\", code = \"my.CODE\"))",
            ));
        };
        let alert = alert.0.clone();
        run_of(eval)?.ask(|ops| ops.alert(alert)).map(|()| NoneType)
    }

    /// Lets the check of the step fail: what it made is there, and the flow stops.
    fn fail_check<'v>(
        this: &HookCtxValue,
        #[starlark(require = pos)] reason: &str,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<NoneType> {
        let _ = this;
        run_of(eval)?.ask(|ops| ops.fail_check(reason)).map(|()| NoneType)
    }
}

/// A view that the step or the hook declares.
fn viewed(ctx: &HookCtxValue, run: &HookRun<'_>, format: &str) -> starlark::Result<Option<View<Output>>> {
    let is_optional = ctx.check_view(format)?;
    let view = run.ask_step(|step| Ok(step.view(format)))?;
    if view.is_none() && !is_optional {
        let message = format!("`{}` needs a view `{format}`, and no step before it has made one", ctx.info.id);
        return Err(refused(Failure::new(Class::Input, message)));
    }
    Ok(view)
}

fn optional_metric<'v>(metric: Option<Metric>, heap: Heap<'v>) -> Value<'v> {
    metric.map_or(Value::new_none(), |metric| metric_value(&metric, heap))
}
