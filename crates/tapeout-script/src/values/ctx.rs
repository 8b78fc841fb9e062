//! `ctx`: the first argument of each task's function. Reads what scripts hand over and asks the running task.

// Functions of the language have as many named arguments as users need.
#![allow(clippy::too_many_arguments)]

use std::fmt;
use std::sync::Arc;

use allocative::Allocative;
use starlark::collections::SmallMap;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::dict::{AllocDict, DictRef};
use starlark::values::list::{AllocList, ListRef};
use starlark::values::none::{NoneOr, NoneType};
use starlark::values::structs::AllocStruct;
use starlark::values::tuple::TupleRef;
use starlark::values::{
    Heap, NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};
use tapeout_flow::Failure;
use tapeout_flow::project::{Call, FlowCall, FlowThing, Word};
use tapeout_model::{Data, FilePath, View};

use super::files::{Attributes, FilesValue};
use super::path::{self, PathValue};
use super::running;
use crate::amounts;
use crate::complaint::{complaint, complaint_with, refused};
use crate::data::{self, named_data, to_data, to_value};
use crate::ops::Ops;
use crate::readers::regex;

/// The context of a task.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct CtxValue {
    /// The parameters of the block's type.
    pub(crate) params: Arc<[String]>,
}

starlark_simple_value!(CtxValue);

impl fmt::Display for CtxValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<ctx>")
    }
}

/// `ctx.block`.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct OwnBlockValue {
    params: Arc<[String]>,
}

starlark_simple_value!(OwnBlockValue);

impl fmt::Display for OwnBlockValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<block of this task>")
    }
}

/// The attribute that is no parameter.
pub(crate) const ID: &str = "id";

#[starlark_value(type = "block")]
impl<'v> StarlarkValue<'v> for OwnBlockValue {
    fn get_attr(&self, attribute: &str, heap: Heap<'v>) -> Option<Value<'v>> {
        if attribute == ID {
            return running::with(|ops| heap.alloc(ops.block().to_owned()));
        }
        if !self.has_attr(attribute, heap) {
            return None;
        }
        running::with(|ops| ops.param(attribute))?.map(|data| to_value(&data, heap))
    }

    fn has_attr(&self, attribute: &str, _heap: Heap<'v>) -> bool {
        attribute == ID || self.params.iter().any(|name| name == attribute)
    }

    fn dir_attr(&self) -> Vec<String> {
        self.params.iter().cloned().chain([ID.to_owned()]).collect()
    }
}

methods_static!(METHODS = methods);

#[starlark_value(type = "ctx")]
impl<'v> StarlarkValue<'v> for CtxValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }
}

/// Asks the running task.
fn ask<T>(ask: impl FnOnce(&mut dyn Ops) -> T) -> starlark::Result<T> {
    running::with(ask).ok_or_else(|| complaint("`ctx` is of no use outside the task that it was given to"))
}

/// Asks the running task for something that may fail.
fn try_to<T>(ask_for: impl FnOnce(&mut dyn Ops) -> Result<T, Failure>) -> starlark::Result<T> {
    ask(ask_for)?.map_err(refused)
}

fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

fn text_of<'v>(value: Value<'v>, what: &str) -> starlark::Result<&'v str> {
    value.unpack_str().ok_or_else(|| complaint(format!("{what} must be a string, found {}", data::named(value))))
}

/// The words of a command line, lists in it flattened.
fn add_words<'v>(value: Value<'v>, words: &mut Vec<Word>) -> starlark::Result<()> {
    if let Some(text) = value.unpack_str() {
        words.push(Word::Text(text.to_owned()));
    } else if let Some(path) = PathValue::from_value(value) {
        words.push(Word::Path(path.0.clone()));
    } else if matches!(value.get_type(), "int" | "float") {
        words.push(Word::Text(value.to_str()));
    } else if let Some(files) = FilesValue::from_value(value) {
        words.extend(files.items().iter().map(|(path, _)| Word::Path(path.clone())));
    } else {
        let items = ListRef::from_value(value).map(ListRef::content);
        let Some(items) = items.or_else(|| TupleRef::from_value(value).map(TupleRef::content)) else {
            return Err(complaint_with(
                format!("word {} of the command is {}", words.len() + 1, data::named(value)),
                "words are strings, numbers, paths, and lists of these",
            ));
        };
        for item in items {
            add_words(*item, words)?;
        }
    }
    Ok(())
}

fn command_line(argv: Value<'_>) -> starlark::Result<Vec<Word>> {
    if ListRef::from_value(argv).is_none() && TupleRef::from_value(argv).is_none() {
        return Err(complaint_with(
            format!("a command is a list of words, found {}", data::named(argv)),
            "there is no shell: ctx.run([\"yosys\", \"-p\", \"…\"])",
        ));
    }
    let mut words = Vec::new();
    add_words(argv, &mut words)?;
    match words.first() {
        Some(Word::Text(program)) if program.is_empty() => {
            Err(complaint("the first word of a command names a program"))
        }
        Some(_) => Ok(words),
        None => Err(complaint("a command without a word")),
    }
}

/// The exit statuses that are no failure; empty: all.
fn accepted(check: Value<'_>) -> starlark::Result<Vec<i32>> {
    let malformed = || {
        complaint_with(
            format!("`check` must be True, False or a list of exit statuses, found {}", check.to_repr()),
            "check = [0, 2]: any other status is a failure",
        )
    };
    match check.unpack_bool() {
        Some(true) => return Ok(vec![0]),
        Some(false) => return Ok(Vec::new()),
        None => {}
    }
    let list = ListRef::from_value(check).filter(|list| !list.is_empty()).ok_or_else(malformed)?;
    list.iter()
        .map(|status| status.unpack_i32().filter(|status| (0..256).contains(status)).ok_or_else(malformed))
        .collect()
}

/// The tools that a command starts by itself.
fn texts(tools: Value<'_>) -> starlark::Result<Vec<String>> {
    let Some(list) = ListRef::from_value(tools) else {
        return Err(complaint(format!("`tools` must be a list of names, found {}", data::named(tools))));
    };
    list.iter().map(|tool| text_of(tool, "the name of a tool").map(str::to_owned)).collect()
}

/// The path of a file in the task's directory, from there.
fn in_cwd(value: Value<'_>, what: &str) -> starlark::Result<String> {
    let cwd = ask(|ops| ops.cwd())?;
    let outside = || complaint(format!("{what} must lie in the task's directory, found {}", value.to_str()));
    let path = match value.unpack_str() {
        Some(text) => path::below(&cwd, text)?,
        None => path::of_value(value)?,
    };
    match (&cwd, path) {
        (FilePath::Target { block, task, .. }, FilePath::Target { block: b, task: t, path })
            if *block == b && *task == t && !path.is_empty() =>
        {
            Ok(path)
        }
        _ => Err(outside()),
    }
}

fn optional_in_cwd(value: NoneOr<Value<'_>>, what: &str) -> starlark::Result<Option<String>> {
    value.into_option().map(|value| in_cwd(value, what)).transpose()
}

fn environment(env: Value<'_>) -> starlark::Result<Vec<(String, String)>> {
    let Some(env) = DictRef::from_value(env) else {
        return Err(complaint(format!("`env` must be a dict, found {}", data::named(env))));
    };
    let variable = |(name, value): (Value<'_>, Value<'_>)| {
        let name = text_of(name, "the name of an environment variable")?.to_owned();
        let is_word = matches!(value.get_type(), "string" | "int" | "float" | "Path");
        match is_word {
            true => Ok((name, value.to_str())),
            false => Err(complaint(format!("`env[{name:?}]` must be a string, found {}", data::named(value)))),
        }
    };
    env.iter().map(variable).collect()
}

/// The file that a task means: a path, or a string, which names a file of its own if it has one of that name, and else
/// one of the project.
fn meant(value: Value<'_>) -> starlark::Result<FilePath> {
    let path = path::of_value(value)?;
    let (Some(text), FilePath::Source(_)) = (value.unpack_str(), &path) else { return Ok(path) };
    let own = ask(|ops| ops.cwd())?.join(text);
    let is_own = matches!(own, FilePath::Target { .. }) && try_to(|ops| ops.exists(&own))?;
    Ok(if is_own { own } else { path })
}

/// A dict of data, such as configuration variables.
fn entries(value: Value<'_>, what: &str) -> starlark::Result<Vec<(String, Data)>> {
    match to_data(value) {
        Ok(Data::Map(entries)) => Ok(entries),
        Ok(_) => Err(complaint(format!("`{what}` must be a dict, found {}", data::named(value)))),
        Err(unfit) => Err(complaint(format!("`{what}{}`: {}", unfit.at, unfit.why))),
    }
}

/// The files that are there before the first step, by format: one, or several of a kind.
fn views(value: Value<'_>) -> starlark::Result<Vec<(String, FilePath)>> {
    let mut views = Vec::new();
    for (format, data) in entries(value, "views")? {
        let files = match data {
            Data::List(files) | Data::Tuple(files) => files,
            one => vec![one],
        };
        for file in files {
            match file {
                Data::Path(path) => views.push((format.clone(), path)),
                Data::Text(text) => views.push((format.clone(), FilePath::Source(String::new()).join(&text))),
                other => {
                    let message =
                        format!("`views[{format:?}]` must be a path or a list of paths, found {}", other.kind());
                    return Err(complaint(message));
                }
            }
        }
    }
    Ok(views)
}

fn view_value<'v>(view: &View<FilePath>, heap: Heap<'v>) -> Value<'v> {
    match view {
        View::File(path) => heap.alloc(PathValue(path.clone())),
        View::Files(views) => heap.alloc(AllocList(views.iter().map(|view| view_value(view, heap)))),
        View::Named(views) => heap.alloc(AllocDict(views.iter().map(|(name, view)| (&**name, view_value(view, heap))))),
    }
}

/// What is said of a flow beside which one.
struct About<'v> {
    config: Option<Value<'v>>,
    views: Option<Value<'v>>,
    label: NoneOr<&'v str>,
    check: bool,
}

/// Runs a flow and shows what came out.
fn run_flow<'v>(thing: FlowThing, about: About<'v>, heap: Heap<'v>) -> starlark::Result<Value<'v>> {
    let call = FlowCall {
        thing,
        config: about.config.map(|value| entries(value, "config")).transpose()?.unwrap_or_default(),
        views: about.views.map(views).transpose()?.unwrap_or_default(),
        label: about.label.into_option().map(str::to_owned),
        check: about.check,
    };
    let result = try_to(|ops| ops.flow(&call))?;
    let metrics = result.metrics.iter().map(|(name, metric)| (&**name, data::metric_value(metric, heap)));
    let metrics = heap.alloc(AllocDict(metrics));
    let views = result.views.iter().map(|(format, view)| (&**format, view_value(view, heap)));
    let views = heap.alloc(AllocDict(views));
    let failed = result.failed.map_or(Value::new_none(), |failed| heap.alloc(failed));
    Ok(heap.alloc(AllocStruct([("metrics", metrics), ("views", views), ("failed", failed)])))
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// The task's directory.
    #[starlark(attribute)]
    fn cwd(this: &CtxValue) -> starlark::Result<PathValue> {
        let _ = this;
        Ok(PathValue(ask(|ops| ops.cwd())?))
    }

    /// The block with its parameters.
    #[starlark(attribute)]
    fn block(this: &CtxValue) -> starlark::Result<OwnBlockValue> {
        Ok(OwnBlockValue { params: Arc::clone(&this.params) })
    }

    /// The id of the task.
    #[starlark(attribute)]
    fn task(this: &CtxValue) -> starlark::Result<String> {
        let _ = this;
        ask(|ops| ops.task().to_owned())
    }

    /// Runs a command in the task's directory.
    fn run<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] argv: Value<'v>,
        #[starlark(require = named)] env: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] timeout: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] outputs: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] depfile: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] stdin: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] stdout: NoneOr<Value<'v>>,
        #[starlark(require = named)] check: Option<Value<'v>>,
        #[starlark(require = named)] tools: Option<Value<'v>>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        let outputs = match outputs.into_option() {
            None => None,
            Some(value) => match ListRef::from_value(value) {
                Some(list) => Some(list.iter().map(|one| in_cwd(one, "an output")).collect::<Result<_, _>>()?),
                None => return Err(complaint(format!("`outputs` must be a list, found {}", data::named(value)))),
            },
        };
        let call = Call {
            argv: command_line(argv)?,
            env: env.map(environment).transpose()?.unwrap_or_default(),
            timeout: timeout.into_option().map(amounts::duration).transpose()?,
            outputs,
            depfile: optional_in_cwd(depfile, "`depfile`")?,
            stdin: stdin.into_option().map(meant).transpose()?,
            stdout: optional_in_cwd(stdout, "`stdout`")?,
            accept: check.map_or_else(|| Ok(vec![0]), accepted)?,
            tools: tools.map(texts).transpose()?.unwrap_or_default(),
        };
        let ended = try_to(|ops| ops.run(&call))?;
        Ok(heap.alloc(AllocStruct([("status", heap.alloc(ended.status)), ("log", heap.alloc(ended.log))])))
    }

    /// A file or directory of the project; with a wildcard, the list of all that match.
    fn input<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] path: Value<'v>,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        match path::of_value(path)? {
            FilePath::Source(text) if path.unpack_str().is_some() && is_pattern(&text) => {
                Ok(heap.alloc(AllocList(try_to(|ops| ops.glob(&text))?.into_iter().map(PathValue))))
            }
            FilePath::Source(text) => Ok(heap.alloc(PathValue(try_to(|ops| ops.input(&text))?))),
            target @ FilePath::Target { .. } => Ok(heap.alloc(PathValue(target))),
        }
    }

    /// The files of the project that match a pattern, as a collection.
    fn files<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] pattern: &str,
        #[starlark(kwargs)] attributes: SmallMap<String, Value<'v>>,
    ) -> starlark::Result<FilesValue> {
        let _ = this;
        let attributes = named_data(&attributes)?;
        let found = try_to(|ops| ops.glob(pattern))?;
        Ok(FilesValue::new(found.into_iter().map(|path| (path, attributes.clone())).collect()))
    }

    /// The files of a directory whose names a regular expression matches from their start; its named groups become their
    /// attributes.
    fn frompattern<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] directory: Value<'v>,
        #[starlark(require = pos)] pattern: &str,
    ) -> starlark::Result<FilesValue> {
        let _ = this;
        let FilePath::Source(directory) = path::of_value(directory)? else {
            return Err(complaint("`frompattern` looks at directories of the project"));
        };
        let expression = regex(pattern)?;
        let all = if directory.is_empty() { "*".to_owned() } else { format!("{directory}/*") };
        let mut items: Vec<(FilePath, Attributes)> = Vec::new();
        for path in try_to(|ops| ops.glob(&all))? {
            let Some(groups) =
                expression.captures(path.name()).filter(|groups| groups.get(0).is_some_and(|all| all.start() == 0))
            else {
                continue;
            };
            let named = |name: &str| Some((name.to_owned(), Data::Text(groups.name(name)?.as_str().to_owned())));
            items.push((path.clone(), expression.capture_names().flatten().filter_map(named).collect()));
        }
        match items.is_empty() {
            true => Err(complaint(format!("no file in `{directory}` matches `{pattern}`"))),
            false => Ok(FilesValue::new(items)),
        }
    }

    /// Writes a file in the task's directory.
    fn write<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] path: Value<'v>,
        #[starlark(require = pos)] text: Value<'v>,
    ) -> starlark::Result<PathValue> {
        let _ = this;
        let text = text_of(text, "what is written")?;
        let path = in_cwd(path, "a file that is written")?;
        Ok(PathValue(try_to(|ops| ops.write(&path, text.as_bytes()))?))
    }

    /// The text of a file.
    fn read<'v>(this: &CtxValue, #[starlark(require = pos)] path: Value<'v>) -> starlark::Result<String> {
        let _ = this;
        let path = meant(path)?;
        let bytes = try_to(|ops| {
            let path = match path {
                FilePath::Source(text) => ops.input(&text)?,
                target @ FilePath::Target { .. } => target,
            };
            ops.read(&path)
        })?;
        // Tools write what they like into their reports: a stray byte is not worth a failure.
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Whether there is such a file or directory.
    fn exists<'v>(this: &CtxValue, #[starlark(require = pos)] path: Value<'v>) -> starlark::Result<bool> {
        let _ = this;
        let path = meant(path)?;
        try_to(|ops| ops.exists(&path))
    }

    /// Whether there is such a tool.
    fn has_tool(this: &CtxValue, #[starlark(require = pos)] name: &str) -> starlark::Result<bool> {
        let _ = this;
        ask(|ops| ops.has_tool(name))
    }

    /// Gives a metric.
    fn metric<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] value: Value<'v>,
    ) -> starlark::Result<NoneType> {
        let _ = this;
        let Some(metric) = data::to_metric(value) else {
            let message = format!("metric `{name}` must be a number or a string, found {}", data::named(value));
            return Err(complaint(message));
        };
        ask(|ops| ops.metric(name, metric))?;
        Ok(NoneType)
    }

    /// Runs a flow: one by name, or that of a configuration file.
    fn flow<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] thing: Value<'v>,
        #[starlark(require = named)] config: Option<Value<'v>>,
        #[starlark(require = named)] views: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] label: NoneOr<&'v str>,
        #[starlark(require = named, default = true)] check: bool,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        let thing = match (thing.unpack_str(), ListRef::from_value(thing)) {
            // Names of flows are words; files have a suffix or lie somewhere.
            (Some(name), _) if !name.contains(['.', '/']) => FlowThing::Flow(name.to_owned()),
            (_, Some(steps)) => {
                let id = |step| text_of(step, "the id of a step").map(str::to_owned);
                FlowThing::Steps(steps.iter().map(id).collect::<Result<_, _>>()?)
            }
            _ => match path::of_value(thing)? {
                FilePath::Source(file) => FlowThing::File(file),
                FilePath::Target { .. } => {
                    return Err(complaint("the configuration of a flow must be a file of the project"));
                }
            },
        };
        run_flow(thing, About { config, views, label, check }, heap)
    }

    /// Runs one step.
    fn step<'v>(
        this: &CtxValue,
        #[starlark(require = pos)] id: &str,
        #[starlark(require = named)] config: Option<Value<'v>>,
        #[starlark(require = named)] views: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] label: NoneOr<&'v str>,
        #[starlark(require = named, default = true)] check: bool,
        heap: Heap<'v>,
    ) -> starlark::Result<Value<'v>> {
        let _ = this;
        run_flow(FlowThing::Steps(vec![id.to_owned()]), About { config, views, label, check }, heap)
    }
}
