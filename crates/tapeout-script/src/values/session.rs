//! What a step runs, as its function says it: `command`, `script`, `section`, `session`; and the files that it names.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, starlark_value};
use starlark::{methods_static, starlark_module, starlark_simple_value};
use tapeout_flow::{Command, DepFormat, Input, Invocation, Output, Script, Section, Session};

use super::plain::plain_value;
use super::scripted::ToolValue;
use crate::complaint::{complaint, complaint_with};
use crate::data::named;
use crate::leak::forever;

/// A file that a step reads: of a view, or of the user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StepFile {
    /// A file that another step or this one has made.
    Output(Output),
    /// A file of the user's.
    Source {
        /// The path from the design directory, or an absolute one.
        path: String,
        /// How a command line names it.
        shown: String,
    },
}

impl StepFile {
    /// How a command line names it.
    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Output(output) => &output.path,
            Self::Source { shown, .. } => shown,
        }
    }

    pub(crate) fn input(&self) -> Input {
        match self {
            Self::Output(output) => Input::Output(output.clone()),
            Self::Source { path, .. } => Input::Source { path: path.clone() },
        }
    }
}

/// The value of a file. As text it is how a command line names it.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct StepFileValue(#[allocative(skip)] pub(crate) StepFile);

starlark_simple_value!(StepFileValue);

impl fmt::Display for StepFileValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.shown())
    }
}

methods_static!(FILE_METHODS = file_methods);

#[starlark_value(type = "file")]
impl<'v> StarlarkValue<'v> for StepFileValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(FILE_METHODS.methods())
    }

    fn collect_str(&self, collector: &mut String) {
        collector.push_str(self.0.shown());
    }
}

#[starlark_module]
fn file_methods(builder: &mut MethodsBuilder) {
    /// How a command line names it.
    #[starlark(attribute)]
    fn path(this: &StepFileValue) -> starlark::Result<String> {
        Ok(this.0.shown().to_owned())
    }

    /// The last part of its path.
    #[starlark(attribute)]
    fn name(this: &StepFileValue) -> starlark::Result<String> {
        Ok(this.0.shown().rsplit('/').next().unwrap_or_default().to_owned())
    }
}

plain_value!(
    /// The value of `section(…)`: name and text.
    SectionValue((String, String)), "section", |(name, _)| format!("<section {name}>")
);

/// The value of `script(…)`. As text it is its path.
#[derive(Clone, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct ScriptValue(#[allocative(skip)] pub(crate) Arc<Script>);

starlark_simple_value!(ScriptValue);

impl fmt::Display for ScriptValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.path)
    }
}

#[starlark_value(type = "script")]
impl<'v> StarlarkValue<'v> for ScriptValue {
    fn collect_str(&self, collector: &mut String) {
        collector.push_str(&self.0.path);
    }
}

/// A word of a command line.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Text(String),
    File(StepFile),
    Script(Arc<Script>),
}

impl Arg {
    pub(crate) fn of(value: Value<'_>) -> Option<Self> {
        if let Some(text) = value.unpack_str() {
            return Some(Self::Text(text.to_owned()));
        }
        if let Some(file) = StepFileValue::from_value(value) {
            return Some(Self::File(file.0.clone()));
        }
        if let Some(script) = ScriptValue::from_value(value) {
            return Some(Self::Script(Arc::clone(&script.0)));
        }
        matches!(value.get_type(), "int" | "float").then(|| Self::Text(value.to_str()))
    }

    /// What it makes an input of a command; nothing for a word.
    pub(crate) fn input(&self) -> Option<Input> {
        match self {
            Self::Text(_) => None,
            Self::File(file) => Some(file.input()),
            Self::Script(script) => Some(Input::Text { name: script.path.clone(), text: script.render() }),
        }
    }

    pub(crate) fn shown(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::File(file) => file.shown(),
            Self::Script(script) => &script.path,
        }
    }
}

/// A command line.
#[derive(Debug)]
pub(crate) struct CommandDecl {
    pub(crate) tool: String,
    pub(crate) args: Vec<Arg>,
    pub(crate) stdin: Option<Arg>,
    pub(crate) stdout: Option<String>,
    pub(crate) any_status: bool,
    pub(crate) within: Option<Duration>,
    /// The section that it is.
    pub(crate) section: Option<String>,
}

plain_value!(
    /// The value of `command(…)`.
    CommandValue(Arc<CommandDecl>), "command", |command| format!("<command {}>", command.tool)
);

/// Commands that share a directory.
#[derive(Debug, Default)]
pub(crate) struct SessionDecl {
    pub(crate) commands: Vec<Arc<CommandDecl>>,
    pub(crate) scripts: Vec<Arc<Script>>,
    /// What they read beside what they name; all that the step asked for if it is not said.
    pub(crate) inputs: Option<Vec<Arg>>,
    /// What must be there afterwards, and what may; whatever the tools write if it is not said.
    pub(crate) outputs: Option<Vec<(String, bool)>>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) depfiles: Vec<(String, DepFormat)>,
    pub(crate) timeout: Option<Duration>,
}

plain_value!(
    /// The value of `session(…)`.
    SessionValue(Arc<SessionDecl>), "session", |_| "<session>".to_owned()
);

impl SessionDecl {
    /// The names of its sections: parts of scripts, and commands.
    pub(crate) fn sections(&self) -> impl Iterator<Item = &str> {
        let args = self.commands.iter().flat_map(|command| &command.args);
        let scripts = args.filter_map(|arg| match arg {
            Arg::Script(script) => Some(script),
            _ => None,
        });
        let parts = scripts.chain(&self.scripts).flat_map(|script| &script.sections).map(|section| &*section.name);
        parts.chain(self.commands.iter().filter_map(|command| command.section.as_deref()))
    }

    /// As the flow crate has it. `asked` are the files that the step has asked for.
    pub(crate) fn session(&self, asked: &[Input]) -> Session {
        let mut scripts: Vec<Arc<Script>> = self.scripts.clone();
        let mut inputs: Vec<Input> = Vec::new();
        let mut add = |input: Input| {
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        };
        let mut commands = Vec::new();
        let mut written: Vec<&String> = Vec::new();
        let mut calls: Vec<(&'static str, usize)> = Vec::new();
        for (index, command) in self.commands.iter().enumerate() {
            calls.extend(command.section.as_ref().map(|section| (forever(section), index)));
            for arg in command.args.iter().chain(&command.stdin) {
                match arg {
                    Arg::Text(_) => {}
                    // What another command of the session writes is no input.
                    Arg::File(file) => add(file.input()),
                    Arg::Script(script) if scripts.contains(script) => {}
                    Arg::Script(script) => scripts.push(Arc::clone(script)),
                }
            }
            written.extend(&command.stdout);
            let mut made = Command::new(&command.tool).args(command.args.iter().map(Arg::shown));
            made.stdin = command.stdin.as_ref().map(|arg| arg.shown().to_owned());
            made.stdout.clone_from(&command.stdout);
            if command.any_status {
                made = made.any_status();
            }
            commands.push(match command.within {
                Some(limit) => made.within(limit),
                None => made,
            });
        }
        match &self.inputs {
            None => asked.iter().cloned().for_each(add),
            Some(given) => {
                for arg in given {
                    match arg {
                        Arg::File(file) => add(file.input()),
                        Arg::Text(path) => add(Input::Source { path: path.clone() }),
                        Arg::Script(script) => scripts.push(Arc::clone(script)),
                    }
                }
            }
        }
        let of_kind = |optional: bool| -> Vec<String> {
            let given = self.outputs.iter().flatten().filter(|(_, is_optional)| *is_optional == optional);
            given.map(|(path, _)| path.clone()).collect()
        };
        let (mut outputs, optional_outputs) = (of_kind(false), of_kind(true));
        // A file for standard output is always there.
        if self.outputs.is_some() {
            let more: Vec<String> = written
                .into_iter()
                .filter(|path| !outputs.contains(path) && !optional_outputs.contains(path))
                .cloned()
                .collect();
            outputs.extend(more);
        }
        Session {
            scripts: scripts.iter().map(|script| Script::clone(script)).collect(),
            invocation: Invocation {
                commands,
                inputs,
                outputs,
                optional_outputs,
                keeps_all: self.outputs.is_none(),
                depfiles: self.depfiles.clone(),
                env: self.env.clone(),
                timeout: self.timeout,
                ..Invocation::default()
            },
            calls,
        }
    }
}

/// Adds the words of a command line, lists in it flattened.
pub(crate) fn add_args(value: Value<'_>, args: &mut Vec<Arg>) -> starlark::Result<()> {
    if let Some(arg) = Arg::of(value) {
        args.push(arg);
        return Ok(());
    }
    let items = ListRef::from_value(value).map(ListRef::content);
    let Some(items) = items.or_else(|| TupleRef::from_value(value).map(TupleRef::content)) else {
        return Err(complaint_with(
            format!("argument {} of the command is {}", args.len() + 1, named(value)),
            "arguments are strings, numbers, files, scripts, and lists of these",
        ));
    };
    items.iter().try_for_each(|item| add_args(*item, args))
}

/// The name of a tool: a word, or what `tool(…)` gave.
pub(crate) fn tool_name(value: Value<'_>) -> starlark::Result<String> {
    if let Some(tool) = ToolValue::from_value(value) {
        return Ok(tool.0.tool.name.to_owned());
    }
    match value.unpack_str() {
        Some(name) if !name.is_empty() => Ok(name.to_owned()),
        _ => Err(complaint(format!("a tool is named by a string, found {}", named(value)))),
    }
}

/// What a tool or a function writes lies in the directory of the step.
pub(crate) fn in_directory(path: &str, what: &str) -> starlark::Result<()> {
    match path.is_empty() || path.starts_with('/') || path.split('/').any(|part| part == "..") {
        true => Err(complaint(format!("{what} must lie in the step's directory, found {path:?}"))),
        false => Ok(()),
    }
}

/// Sections have names that an address can have, and a line of a script.
pub(crate) fn check_section(name: &str) -> starlark::Result<()> {
    match name.is_empty() || name.contains(['/', '\n']) {
        true => Err(complaint(format!("{name:?} cannot be the name of a section"))),
        false => Ok(()),
    }
}

/// A section without a name of its own.
pub(crate) const MAIN: &str = "main";

/// A section as the flow crate has it.
pub(crate) fn made_section((name, text): &(String, String)) -> Section {
    Section { name: name.clone().into(), text: text.clone() }
}
