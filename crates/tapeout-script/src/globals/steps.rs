//! What steps are made of: `step`, `composite_step`, `tool`, `optional`; and what their functions give: `session`,
//! `command`, `script`, `section`, `step_result`, `alert`.

// Functions of the language have as many named arguments as they have.
#![allow(clippy::too_many_arguments)]

use std::sync::Arc;

use starlark::environment::GlobalsBuilder;
use starlark::eval::Evaluator;
use starlark::starlark_module;
use starlark::values::Value;
use starlark::values::dict::DictRef;
use starlark::values::list::ListRef;
use starlark::values::none::NoneOr;
use starlark::values::tuple::UnpackTuple;
use tapeout_flow::{Action, Alert, DepFormat, Script, StepPattern, Tool, design_format};
use tapeout_model::{Severity, Verdict};

use crate::amounts;
use crate::complaint::{complaint, complaint_with};
use crate::data::{named, to_data};
use crate::leak::{all_forever, forever};
use crate::values::declarations::Declarations;
use crate::values::flow_ctx::step_id;
use crate::values::scripted::{
    CompositeDecl, Optional, OptionalValue, StepDecl, StepSlots, StepValue, ToolDecl, ToolValue, VariableDecl,
    VariableValue, keep,
};
use crate::values::session::{
    Arg, CommandDecl, CommandValue, MAIN, ScriptValue, SectionValue, SessionDecl, SessionValue, add_args,
    check_section, in_directory, made_section, tool_name,
};
use crate::values::step_result::{
    AlertValue, ResultDecl, StepResultValue, alerts as alerts_of, metrics as metrics_of, views as views_of,
};
use crate::values::task::Slot;

/// The items of a list; none if it is not given.
pub(super) fn items<'v>(value: Option<Value<'v>>, what: &str) -> starlark::Result<Vec<Value<'v>>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    match ListRef::from_value(value) {
        Some(list) => Ok(list.content().to_vec()),
        None => Err(complaint(format!("`{what}` must be a list, found {}", named(value)))),
    }
}

/// The strings of a list.
pub(super) fn texts(value: Option<Value<'_>>, what: &str) -> starlark::Result<Vec<String>> {
    let text = |item: Value<'_>| match item.unpack_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(complaint(format!("`{what}` is a list of strings, found {} in it", named(item)))),
    };
    items(value, what)?.into_iter().map(text).collect()
}

/// The ids of steps in a list.
pub(super) fn steps(value: Value<'_>) -> starlark::Result<Vec<String>> {
    items(Some(value), "steps")?.into_iter().map(step_id).collect()
}

/// The variables of a list.
pub(super) fn variables(value: Option<Value<'_>>) -> starlark::Result<Vec<Arc<VariableDecl>>> {
    let variable = |item: Value<'_>| match VariableValue::from_value(item) {
        Some(variable) => Ok(Arc::clone(&variable.0)),
        None => Err(complaint_with(
            format!("`variables` is a list of variables, found {} in it", named(item)),
            "variable(\"TOP\", str, doc = \"The top module.\")",
        )),
    };
    items(value, "variables")?.into_iter().map(variable).collect()
}

/// A text that may be optional.
pub(super) fn maybe_optional(value: Value<'_>, what: &str) -> starlark::Result<(String, bool)> {
    if let Some(optional) = OptionalValue::from_value(value) {
        return Ok((optional.0.0.clone(), true));
    }
    match value.unpack_str() {
        Some(text) => Ok((text.to_owned(), false)),
        None => Err(complaint(format!("`{what}` is a list of strings, found {} in it", named(value)))),
    }
}

/// The id of a format, which must be known.
pub(super) fn format_id(name: &str) -> starlark::Result<String> {
    match design_format(name) {
        Ok(format) => Ok(format.id.to_owned()),
        Err(failure) => Err(match failure.hint {
            Some(hint) => complaint_with(failure.message, hint),
            None => complaint(failure.message),
        }),
    }
}

/// The id of a step must be one that hooks and configurations can name.
fn check_step_id(id: &str) -> starlark::Result<()> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    match id.contains('.') && id.split('.').all(is_word) && StepPattern::new(id).is_ok() {
        true => Ok(()),
        false => Err(complaint_with(
            format!("`{id}` cannot be the id of a step"),
            "ids are words with dots between them: \"My.Lint\"",
        )),
    }
}

/// What comes after the last dot of an id.
fn last_word(id: &str) -> &str {
    id.rsplit('.').next().unwrap_or(id)
}

/// What a step is for.
fn action(word: &str) -> starlark::Result<Action> {
    Action::named(word).ok_or_else(|| {
        let all: Vec<&str> = Action::ALL.into_iter().map(Action::name).collect();
        complaint_with(format!("there is no action `{word}`"), format!("there are {}", all.join(", ")))
    })
}

/// The sections that a step declares: a dict with what each does, or a list of their names.
fn sections(value: Option<Value<'_>>) -> starlark::Result<Vec<(String, String)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let all = match DictRef::from_value(value) {
        None => texts(Some(value), "sections")?.into_iter().map(|name| (name, String::new())).collect(),
        Some(dict) => {
            let one = |(name, doc): (Value<'_>, Value<'_>)| match (name.unpack_str(), doc.unpack_str()) {
                (Some(name), Some(doc)) => Ok((name.to_owned(), doc.to_owned())),
                _ => Err(complaint_with(
                    format!("`sections` says in words what each does, found {}", named(doc)),
                    "sections = {\"read\": \"Reads the sources.\"}",
                )),
            };
            dict.iter().map(one).collect::<starlark::Result<Vec<_>>>()?
        }
    };
    for (index, (name, _)) in all.iter().enumerate() {
        check_section(name)?;
        if name == "outputs" {
            return Err(complaint("the section `outputs` is there already: every step ends with it"));
        }
        if all[..index].iter().any(|(known, _)| known == name) {
            return Err(complaint(format!("the step has two sections `{name}`")));
        }
    }
    Ok(all)
}

fn severity(word: &str) -> starlark::Result<Severity> {
    match word {
        "warning" => Ok(Severity::Warning),
        "error" => Ok(Severity::Error),
        _ => Err(complaint(format!("the severity of an alert is \"warning\" or \"error\", found {word:?}"))),
    }
}

fn depfiles(value: Option<Value<'_>>) -> starlark::Result<Vec<(String, DepFormat)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Some(dict) = DictRef::from_value(value) else {
        return Ok(texts(Some(value), "depfiles")?.into_iter().map(|path| (path, DepFormat::Makefile)).collect());
    };
    let one = |(path, format): (Value<'_>, Value<'_>)| {
        let format = match format.unpack_str() {
            Some("makefile") => DepFormat::Makefile,
            Some("lines") => DepFormat::Lines,
            _ => return Err(complaint("a dependency file is a \"makefile\", or has file names as \"lines\"")),
        };
        Ok((path.unpack_str().unwrap_or_default().to_owned(), format))
    };
    dict.iter().map(one).collect()
}

fn environment(value: Option<Value<'_>>) -> starlark::Result<Vec<(String, String)>> {
    let Some(value) = value else { return Ok(Vec::new()) };
    let Some(dict) = DictRef::from_value(value) else {
        return Err(complaint(format!("`env` must be a dict, found {}", named(value))));
    };
    let one = |(name, value): (Value<'_>, Value<'_>)| match (name.unpack_str(), Arg::of(value)) {
        (Some(name), Some(_)) => Ok((name.to_owned(), value.to_str())),
        _ => Err(complaint(format!("`env[{}]` must be a string, found {}", name.to_repr(), named(value)))),
    };
    dict.iter().map(one).collect()
}

#[starlark_module]
pub(super) fn declaring(builder: &mut GlobalsBuilder) {
    /// Declares a step.
    fn step<'v>(
        #[starlark(require = pos)] id: &'v str,
        #[starlark(require = named, default = NoneOr::None)] name: NoneOr<&'v str>,
        #[starlark(require = named, default = NoneOr::None)] doc: NoneOr<&'v str>,
        #[starlark(require = named)] inputs: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] about: NoneOr<&'v str>,
        #[starlark(require = named)] outputs: Option<Value<'v>>,
        #[starlark(require = named)] metrics: Option<Value<'v>>,
        #[starlark(require = named)] measures: Option<Value<'v>>,
        #[starlark(require = named)] variables: Option<Value<'v>>,
        #[starlark(require = named)] yields: Option<Value<'v>>,
        #[starlark(require = named)] tools: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] action: NoneOr<&'v str>,
        #[starlark(require = named)] sections: Option<Value<'v>>,
        #[starlark(require = named)] args: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] prepare: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] collect: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] follow_up: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] nothing_to_do: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] check: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] which_tools: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] alerts: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] advice: NoneOr<Value<'v>>,
        #[starlark(require = named, default = false)] defers_check: bool,
        #[starlark(require = named, default = false)] acts_outside: bool,
        #[starlark(require = named, default = false)] replaces: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StepValue> {
        let declarations = Declarations::of(eval, "step")?;
        check_step_id(id)?;
        let kept = |argument: &str, function: NoneOr<Value<'v>>| -> starlark::Result<Option<Slot>> {
            function.into_option().map(|function| keep(declarations, eval, argument, function)).transpose()
        };
        let functions = StepSlots {
            prepare: kept("prepare", prepare)?,
            collect: kept("collect", collect)?,
            follow_up: kept("follow_up", follow_up)?,
            nothing_to_do: kept("nothing_to_do", nothing_to_do)?,
            check: kept("check", check)?,
            tools: kept("which_tools", which_tools)?,
            alerts: kept("alerts", alerts)?,
            advice: kept("advice", advice)?,
        };
        if functions.prepare.is_none() && functions.collect.is_none() {
            return Err(complaint_with(
                format!("step `{id}` does nothing"),
                "prepare = a function that says what to run, collect = one that says what came out",
            ));
        }
        let view = |item: Value<'v>| {
            let (format, optional) = maybe_optional(item, "inputs")?;
            Ok((format_id(&format)?, optional))
        };
        let mut inputs: Vec<(String, bool)> =
            items(inputs, "inputs")?.into_iter().map(view).collect::<starlark::Result<_>>()?;
        let about = about.into_option().map(format_id).transpose()?;
        if let Some(about) = &about {
            inputs.retain(|(format, _)| format != about);
            inputs.push((about.clone(), true));
        }
        let formats = texts(outputs, "outputs")?;
        let arguments = match args {
            None => Vec::new(),
            Some(value) => match to_data(value) {
                Ok(tapeout_model::Data::Map(entries)) => entries,
                Ok(_) => return Err(complaint(format!("`args` must be a dict, found {}", named(value)))),
                Err(unfit) => return Err(complaint(format!("`args{}`: {}", unfit.at, unfit.why))),
            },
        };
        let decl = StepDecl {
            id: id.to_owned(),
            name: name.into_option().unwrap_or_else(|| last_word(id)).to_owned(),
            doc: doc.into_option().map(str::to_owned),
            inputs,
            about,
            outputs: formats.iter().map(|format| format_id(format)).collect::<starlark::Result<_>>()?,
            metrics: texts(metrics, "metrics")?,
            measures: texts(measures, "measures")?,
            variables: super::steps::variables(variables)?,
            yields: texts(yields, "yields")?,
            tools: items(tools, "tools")?.into_iter().map(tool_name).collect::<starlark::Result<_>>()?,
            action: action.into_option().map(super::steps::action).transpose()?,
            sections: super::steps::sections(sections)?,
            args: arguments,
            functions,
            defers_check,
            acts_outside,
            replaces,
            origin: declarations.call_site(eval),
        };
        declarations.scripted.steps.borrow_mut().push(Arc::new(decl));
        Ok(StepValue(id.into()))
    }

    /// Declares a step that consists of others, which run one after the other.
    fn composite_step<'v>(
        #[starlark(require = pos)] id: &'v str,
        #[starlark(require = named)] steps: Value<'v>,
        #[starlark(require = named, default = NoneOr::None)] name: NoneOr<&'v str>,
        #[starlark(require = named, default = "")] doc: &str,
        #[starlark(require = named, default = false)] replaces: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<StepValue> {
        let declarations = Declarations::of(eval, "composite_step")?;
        check_step_id(id)?;
        let decl = CompositeDecl {
            id: id.to_owned(),
            name: name.into_option().unwrap_or_else(|| last_word(id)).to_owned(),
            doc: doc.to_owned(),
            steps: super::steps::steps(steps)?,
            replaces,
            origin: declarations.call_site(eval),
        };
        declarations.scripted.composites.borrow_mut().push(Arc::new(decl));
        Ok(StepValue(id.into()))
    }

    /// Declares a tool.
    fn tool<'v>(
        #[starlark(require = pos)] name: &'v str,
        #[starlark(require = named, default = "")] summary: &str,
        #[starlark(require = named, default = "")] package: &str,
        #[starlark(require = named)] version_args: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] minimum: NoneOr<&'v str>,
        #[starlark(require = named)] companions: Option<Value<'v>>,
        #[starlark(require = named, default = false)] replaces: bool,
        eval: &mut Evaluator<'v, '_, '_>,
    ) -> starlark::Result<ToolValue> {
        let declarations = Declarations::of(eval, "tool")?;
        if name.is_empty() || name.contains(['/', ' ']) {
            return Err(complaint_with(
                format!("`{name}` cannot be the name of a tool"),
                "it is the name of its executable; where that is, the configuration says under `tools`",
            ));
        }
        let tool = Tool {
            name: forever(name),
            summary: forever(summary),
            package: forever(package),
            version_args: all_forever(&texts(version_args, "version_args")?),
            minimum: minimum.into_option().map(forever),
            companions: all_forever(&texts(companions, "companions")?),
        };
        let decl = Arc::new(ToolDecl { tool, replaces, origin: declarations.call_site(eval) });
        declarations.scripted.tools.borrow_mut().push(Arc::clone(&decl));
        Ok(ToolValue(decl))
    }

    /// A view that a step can do without, or a file that a session need not write.
    fn optional(#[starlark(require = pos)] name: &str) -> starlark::Result<OptionalValue> {
        Ok(OptionalValue(Optional(name.to_owned())))
    }
}

#[starlark_module]
pub(super) fn running(builder: &mut GlobalsBuilder) {
    /// A part of a script.
    fn section(
        #[starlark(require = pos)] name: &str,
        #[starlark(require = pos)] text: &str,
    ) -> starlark::Result<SectionValue> {
        check_section(name)?;
        Ok(SectionValue((name.to_owned(), text.to_owned())))
    }

    /// A script that a tool reads: one text, or sections.
    fn script<'v>(
        #[starlark(require = pos)] path: &str,
        #[starlark(require = pos)] text: Option<&'v str>,
        #[starlark(require = named)] sections: Option<Value<'v>>,
        #[starlark(require = named, default = "#")] comment: &str,
    ) -> starlark::Result<ScriptValue> {
        in_directory(path, "a script")?;
        let mut script = Script::new(path, forever(comment));
        script.sections.extend(text.map(|text| made_section(&(MAIN.to_owned(), text.to_owned()))));
        for item in items(sections, "sections")? {
            let Some(section) = SectionValue::from_value(item) else {
                return Err(complaint_with(
                    format!("`sections` is a list of sections, found {} in it", named(item)),
                    "section(\"read\", \"read_verilog top.v\")",
                ));
            };
            let section = made_section(&section.0);
            if script.sections.iter().any(|known| known.name == section.name) {
                return Err(complaint(format!("the script `{path}` has two sections `{}`", section.name)));
            }
            script.sections.push(section);
        }
        Ok(ScriptValue(Arc::new(script)))
    }

    /// A command line: the tool and its arguments. There is no shell.
    fn command<'v>(
        #[starlark(require = pos)] tool: Value<'v>,
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] stdin: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] stdout: NoneOr<&'v str>,
        #[starlark(require = named, default = false)] any_status: bool,
        #[starlark(require = named, default = NoneOr::None)] within: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] section: NoneOr<&'v str>,
    ) -> starlark::Result<CommandValue> {
        let mut words = Vec::new();
        args.items.iter().try_for_each(|arg| add_args(*arg, &mut words))?;
        let stdin = stdin.into_option().map(|value| {
            let file = Arg::of(value);
            file.ok_or_else(|| complaint(format!("`stdin` must be a file or its path, found {}", named(value))))
        });
        let stdout = stdout.into_option();
        stdout.map(|path| in_directory(path, "`stdout`")).transpose()?;
        Ok(CommandValue(Arc::new(CommandDecl {
            tool: tool_name(tool)?,
            args: words,
            stdin: stdin.transpose()?,
            stdout: stdout.map(str::to_owned),
            any_status,
            within: within.into_option().map(amounts::duration).transpose()?,
            section: section.into_option().map(str::to_owned),
        })))
    }

    /// Commands that run one after the other in one empty directory.
    fn session<'v>(
        #[starlark(args)] args: UnpackTuple<Value<'v>>,
        #[starlark(require = named)] commands: Option<Value<'v>>,
        #[starlark(require = named)] scripts: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] inputs: NoneOr<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] outputs: NoneOr<Value<'v>>,
        #[starlark(require = named)] env: Option<Value<'v>>,
        #[starlark(require = named)] depfiles: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] timeout: NoneOr<Value<'v>>,
    ) -> starlark::Result<SessionValue> {
        let command = |value: Value<'v>| match CommandValue::from_value(value) {
            Some(command) => Ok(Arc::clone(&command.0)),
            None => Err(complaint_with(
                format!("a session consists of commands, found {}", named(value)),
                "command(\"yosys\", \"-s\", script(\"synth.ys\", \"…\"))",
            )),
        };
        let script = |value: Value<'v>| match ScriptValue::from_value(value) {
            Some(script) => Ok(Arc::clone(&script.0)),
            None => Err(complaint(format!("`scripts` is a list of scripts, found {} in it", named(value)))),
        };
        let input = |value: Value<'v>| {
            Arg::of(value)
                .ok_or_else(|| complaint(format!("`inputs` is a list of files, found {} in it", named(value))))
        };
        let outputs = match outputs.into_option() {
            None => None,
            Some(value) => {
                let outputs = items(Some(value), "outputs")?.into_iter().map(|item| maybe_optional(item, "outputs"));
                Some(outputs.collect::<starlark::Result<Vec<_>>>()?)
            }
        };
        outputs.iter().flatten().try_for_each(|(path, _)| in_directory(path, "an output"))?;
        let commands: Vec<Arc<CommandDecl>> = {
            let all = args.items.into_iter().chain(items(commands, "commands")?);
            all.map(command).collect::<starlark::Result<_>>()?
        };
        if commands.is_empty() {
            return Err(complaint("a session without a command"));
        }
        let inputs = match inputs.into_option() {
            None => None,
            Some(value) => Some(items(Some(value), "inputs")?.into_iter().map(input).collect::<starlark::Result<_>>()?),
        };
        Ok(SessionValue(Arc::new(SessionDecl {
            commands,
            scripts: items(scripts, "scripts")?.into_iter().map(script).collect::<starlark::Result<_>>()?,
            inputs,
            outputs,
            env: environment(env)?,
            depfiles: super::steps::depfiles(depfiles)?,
            timeout: timeout.into_option().map(amounts::duration).transpose()?,
        })))
    }

    /// A complaint of a tool.
    fn alert<'v>(
        #[starlark(require = pos)] message: &str,
        #[starlark(require = named)] code: &str,
        #[starlark(require = named, default = "warning")] severity: &str,
        #[starlark(require = named, default = 1)] count: u32,
    ) -> starlark::Result<AlertValue> {
        let severity = super::steps::severity(severity)?;
        Ok(AlertValue(Alert { severity, code: code.to_owned(), message: message.to_owned(), count }))
    }

    /// What came out of a step.
    fn step_result<'v>(
        #[starlark(require = named)] views: Option<Value<'v>>,
        #[starlark(require = named)] metrics: Option<Value<'v>>,
        #[starlark(require = named)] alerts: Option<Value<'v>>,
        #[starlark(require = named, default = NoneOr::None)] failed: NoneOr<&'v str>,
        #[starlark(require = named, default = NoneOr::None)] not_checked: NoneOr<&'v str>,
        #[starlark(require = named, default = NoneOr::None)] hint: NoneOr<&'v str>,
    ) -> starlark::Result<StepResultValue> {
        let hint = hint.into_option().map(str::to_owned);
        let verdict = match (failed.into_option(), not_checked.into_option()) {
            (Some(reason), None) => Verdict::Failed { reason: reason.to_owned(), hint },
            (None, Some(reason)) => Verdict::NotChecked { reason: reason.to_owned() },
            (None, None) => Verdict::Passed,
            (Some(_), Some(_)) => return Err(complaint("a check cannot be failed and not made at once")),
        };
        Ok(StepResultValue(ResultDecl {
            views: views.map(views_of).transpose()?.unwrap_or_default(),
            metrics: metrics.map(metrics_of).transpose()?.unwrap_or_default(),
            alerts: alerts.map(alerts_of).transpose()?.unwrap_or_default(),
            verdict,
        }))
    }
}
