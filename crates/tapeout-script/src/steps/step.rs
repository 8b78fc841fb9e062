//! A step whose functions are those of a script.

use std::sync::Arc;

use starlark::values::list::ListRef;
use starlark::values::tuple::TupleRef;
use starlark::values::{Heap, Value};
use tapeout_config::{Config, nearest};
use tapeout_flow::{Alert, Completed, Failure, Identity, Input, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_model::{Class, Data, Severity};

use super::Function;
use crate::leak::forever;
use crate::values::config::ConfigValue;
use crate::values::session::{CommandValue, SessionDecl, SessionValue};
use crate::values::step_ctx::{CompletedValue, StepCtxValue, StepRun};
use crate::values::step_result::{StepResultValue, alerts};

/// What the context of a step must know.
#[derive(Debug)]
pub(crate) struct StepFacts {
    pub(crate) id: &'static str,
    /// Its views, and which of them may be missing.
    pub(crate) inputs: Vec<(String, bool)>,
    /// The metrics that it reads; those that end with `*` stand for all that begin like this.
    pub(crate) metrics: Vec<String>,
    pub(crate) args: Vec<(String, Data)>,
    /// The names of its variables.
    pub(crate) variables: Arc<[String]>,
}

/// The functions of a step.
#[derive(Clone, Default)]
pub(crate) struct Functions {
    pub(crate) prepare: Option<Function>,
    pub(crate) collect: Option<Function>,
    pub(crate) follow_up: Option<Function>,
    pub(crate) nothing_to_do: Option<Function>,
    pub(crate) check: Option<Function>,
    pub(crate) tools: Option<Function>,
    pub(crate) alerts: Option<Function>,
    pub(crate) advice: Option<Function>,
}

impl Functions {
    /// All that there are, in order.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&'static str, &Function)> {
        let Self { prepare, collect, follow_up, nothing_to_do, check, tools, alerts, advice } = self;
        let named = [
            ("prepare", prepare),
            ("collect", collect),
            ("follow_up", follow_up),
            ("nothing_to_do", nothing_to_do),
            ("check", check),
            ("tools", tools),
            ("alerts", alerts),
            ("advice", advice),
        ];
        named.into_iter().filter_map(|(name, function)| Some((name, function.as_ref()?)))
    }
}

/// A step of a script.
#[derive(Clone)]
pub(crate) struct StarStep {
    pub(crate) info: StepInfo,
    pub(crate) facts: Arc<StepFacts>,
    pub(crate) functions: Functions,
}

impl Step for StarStep {
    fn info(&self) -> StepInfo {
        self.info.clone()
    }

    fn identify(&self, identity: &mut Identity<'_>) {
        if !self.facts.args.is_empty() {
            let args: Vec<(String, Data)> = self.facts.args.clone();
            identity.part("arguments", &Data::Map(args).to_json().to_string());
        }
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        // What is wrong with the function itself is told by `check`.
        self.reason(config).ok().flatten()
    }

    fn tools(&self, config: &Config) -> Vec<&'static str> {
        self.used_tools(config).ok().flatten().unwrap_or_else(|| self.info.tools.clone())
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        let checked = self.reason(config).and_then(|_| self.used_tools(config)).and_then(|_| self.fault(config));
        match checked {
            Ok(None) => Ok(()),
            Ok(Some(fault)) => Err(fault),
            Err(failure) => Err(("", in_one(failure))),
        }
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        match &self.functions.prepare {
            Some(function) => self.sessions(function, Class::Input, cx, &[], true),
            None => Ok(Vec::new()),
        }
    }

    fn follow_up(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<Vec<Session>, Failure> {
        match &self.functions.follow_up {
            Some(function) => self.sessions(function, Class::Tool, cx, sessions, false),
            None => Ok(Vec::new()),
        }
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let Some(function) = &self.functions.collect else { return Ok(StepResult::default()) };
        let ctx = self.ctx(cx);
        let run = StepRun::new(cx, sessions);
        let result = function.call_in(&run, Class::Tool, both(ctx, Some(sessions)), |returned| {
            if returned.is_none() {
                return Ok(StepResult::default());
            }
            let Some(result) = StepResultValue::from_value(returned) else {
                return Err(function.must_return("a step_result or None", returned));
            };
            let result = result.0.clone();
            let made = &self.info.outputs;
            if let Some(format) = result.views.keys().find(|format| !made.contains(&format.as_str())) {
                let message = format!(
                    "{}: `{}` of step `{}` gives the view `{format}`, which the step does not declare",
                    function.origin, function.name, self.info.id
                );
                let help = match nearest(format, made.iter().copied()) {
                    Some(near) => format!("is `{near}` meant?"),
                    None => format!("step(…, outputs = [\"{format}\"])"),
                };
                return Err(Failure::new(Class::Input, message).hint(help));
            }
            Ok(StepResult {
                views: result.views,
                metrics: result.metrics,
                alerts: result.alerts,
                verdict: result.verdict,
                written: Vec::new(),
            })
        })?;
        Ok(StepResult { written: run.take_written(), ..result })
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        let Some(function) = &self.functions.alerts else { return Vec::new() };
        let found = function.call(
            |heap| vec![heap.alloc(log)],
            |returned| alerts(returned).map_err(|error| function.failure(&error, Class::Input)),
        );
        found.unwrap_or_else(|failure| {
            // The tool has failed anyway: that its complaints cannot be found is one more.
            vec![Alert { severity: Severity::Warning, code: "script".into(), message: in_one(failure), count: 1 }]
        })
    }

    fn advice(&self, log: &str) -> Option<String> {
        let function = self.functions.advice.as_ref()?;
        let advice = function.call(|heap| vec![heap.alloc(log)], |returned| text(function, returned));
        advice.unwrap_or_else(|failure| Some(in_one(failure)))
    }
}

impl StarStep {
    fn config(&self, config: &Config) -> ConfigValue {
        let owner = format!("step `{}`", self.info.id).into();
        ConfigValue { config: config.clone(), owner, names: Some(Arc::clone(&self.facts.variables)) }
    }

    fn ctx(&self, cx: &StepCx<'_, '_>) -> StepCtxValue {
        StepCtxValue { config: self.config(cx.config), facts: Arc::clone(&self.facts) }
    }

    fn sessions(
        &self,
        function: &Function,
        fails_as: Class,
        cx: &mut StepCx<'_, '_>,
        sessions: &[Completed],
        first: bool,
    ) -> Result<Vec<Session>, Failure> {
        let ctx = self.ctx(cx);
        let declared = {
            let run = StepRun::new(cx, sessions);
            let args = both(ctx, (!first).then_some(sessions));
            let declared = function.call_in(&run, fails_as, args, |returned| self.declared(function, returned))?;
            (declared, run.take_asked())
        };
        let (declared, asked): (Vec<Arc<SessionDecl>>, Vec<Input>) = declared;
        Ok(declared.iter().map(|session| session.session(&asked)).collect())
    }

    /// The sessions that a function gave.
    fn declared(&self, function: &Function, returned: Value<'_>) -> Result<Vec<Arc<SessionDecl>>, Failure> {
        let items = match ListRef::from_value(returned) {
            Some(list) => list.content().to_vec(),
            None if returned.is_none() => Vec::new(),
            None => vec![returned],
        };
        let session = |value: Value<'_>| match (SessionValue::from_value(value), CommandValue::from_value(value)) {
            (Some(session), _) => Ok(Arc::clone(&session.0)),
            (None, Some(command)) => {
                Ok(Arc::new(SessionDecl { commands: vec![Arc::clone(&command.0)], ..SessionDecl::default() }))
            }
            (None, None) => Err(function.must_return("a session, a list of sessions, or None", value)),
        };
        let sessions: Vec<Arc<SessionDecl>> = items.into_iter().map(session).collect::<Result<_, _>>()?;
        self.check_sections(function, &sessions)?;
        let mut tools = sessions.iter().flat_map(|session| &session.commands).map(|command| &command.tool);
        match tools.find(|tool| !self.info.tools.contains(&tool.as_str())) {
            None => Ok(sessions),
            Some(tool) => {
                let message = format!(
                    "{}: `{}` of step `{}` calls the tool `{tool}`, which the step does not declare",
                    function.origin, function.name, self.info.id
                );
                let help = match nearest(tool, self.info.tools.iter().copied()) {
                    Some(near) => format!("is `{near}` meant?"),
                    None => format!("step(…, tools = [\"{tool}\"])"),
                };
                Err(Failure::new(Class::Input, message).hint(help))
            }
        }
    }

    /// Sections that a step does not declare could not be found by hooks; one that declares none is undivided.
    fn check_sections(&self, function: &Function, sessions: &[Arc<SessionDecl>]) -> Result<(), Failure> {
        let declared = &self.info.sections;
        let mut sections = sessions.iter().flat_map(|session| session.sections());
        let unknown = sections.find(|section| !declared.iter().any(|known| known.name == *section));
        if let (Some(section), false) = (unknown, declared.is_empty()) {
            let message = format!(
                "{}: `{}` of step `{}` gives the section `{section}`, which the step does not declare",
                function.origin, function.name, self.info.id
            );
            let help = match nearest(section, declared.iter().map(|known| known.name)) {
                Some(near) => format!("is `{near}` meant?"),
                None => format!("step(…, sections = {{\"{section}\": \"What it does.\"}})"),
            };
            return Err(Failure::new(Class::Input, message).hint(help));
        }
        Ok(())
    }

    fn reason(&self, config: &Config) -> Result<Option<String>, Failure> {
        let Some(function) = &self.functions.nothing_to_do else { return Ok(None) };
        let config = self.config(config);
        function.call(|heap| vec![heap.alloc(config)], |returned| text(function, returned))
    }

    fn used_tools(&self, config: &Config) -> Result<Option<Vec<&'static str>>, Failure> {
        let Some(function) = &self.functions.tools else { return Ok(None) };
        let config = self.config(config);
        function.call(
            |heap| vec![heap.alloc(config)],
            |returned| {
                let wrong = || function.must_return("a list of tools that the step declares", returned);
                let names = ListRef::from_value(returned).ok_or_else(wrong)?;
                let declared = |name: Value<'_>| {
                    let name = crate::values::session::tool_name(name).ok()?;
                    self.info.tools.iter().copied().find(|known| *known == name)
                };
                names.iter().map(|name| declared(name).ok_or_else(wrong)).collect::<Result<_, _>>().map(Some)
            },
        )
    }

    /// What is wrong with the configuration: the variable, and why.
    fn fault(&self, config: &Config) -> Result<Option<(&'static str, String)>, Failure> {
        let Some(function) = &self.functions.check else { return Ok(None) };
        let config = self.config(config);
        function.call(
            |heap| vec![heap.alloc(config)],
            |returned| {
                if returned.is_none() {
                    return Ok(None);
                }
                if let Some(message) = returned.unpack_str() {
                    return Ok(Some(("", message.to_owned())));
                }
                let pair = TupleRef::from_value(returned).map(TupleRef::content);
                let texts = pair.map(|pair| pair.iter().map(|item| item.unpack_str()).collect::<Option<Vec<_>>>());
                match texts.flatten().as_deref() {
                    Some([name, message]) if self.facts.variables.iter().any(|known| known == name) => {
                        Ok(Some((forever(name), (*message).to_owned())))
                    }
                    _ => {
                        Err(function.must_return("None, what is wrong, or (VARIABLE, what is wrong with it)", returned))
                    }
                }
            },
        )
    }
}

/// The arguments of a function: its context, and the sessions that ran before.
fn both(ctx: StepCtxValue, sessions: Option<&[Completed]>) -> impl for<'v> FnOnce(Heap<'v>) -> Vec<Value<'v>> {
    move |heap| {
        let mut args = vec![heap.alloc(ctx)];
        args.extend(sessions.map(|sessions| CompletedValue::all(sessions, heap)));
        args
    }
}

/// A text or nothing.
fn text(function: &Function, returned: Value<'_>) -> Result<Option<String>, Failure> {
    match returned.unpack_str() {
        Some(text) => Ok(Some(text.to_owned())),
        None if returned.is_none() => Ok(None),
        None => Err(function.must_return("a string or None", returned)),
    }
}

/// A failure in one line.
pub(crate) fn in_one(failure: Failure) -> String {
    match failure.hint {
        Some(hint) => format!("{} ({hint})", failure.message),
        None => failure.message,
    }
}
