//! What the body of a hook sees, and what it can do there.

use std::collections::BTreeMap;

use tapeout_config::Config;
use tapeout_engine::{Command, Failure, Input, Invocation};
use tapeout_model::{Alert, Class, Metric, Metrics, Output, Value, Verdict, View};

use super::calling::calling;
use super::set::HookUse;
use crate::step::Script;
use crate::{Completed, StepCx, StepInfo, slug};

/// The context of a hook: that of its step, and the place at which it stands.
///
/// What is read through the context of the step is noted in the trace of the result. What only makes sense elsewhere is an
/// error that says so: text is for scripts, views are made behind the step.
pub struct HookCx<'a, 'b, 'run> {
    /// The context of the step: inputs, sources, files of tools.
    pub step: &'a mut StepCx<'b, 'run>,
    pub(super) hook: &'a HookUse,
    pub(super) place: Place<'a>,
}

/// Where a hook stands.
pub(super) enum Place<'a> {
    /// In a script of a tool.
    Script {
        script: &'a Script,
        /// All that stands before it, as the tool will read it.
        before: &'a str,
        /// What it adds.
        text: &'a mut String,
        /// The text of the section that it replaces.
        replaces: Option<&'a str>,
        invocation: &'a mut Invocation,
    },
    /// Beside a call of a tool.
    Call {
        /// The call, where it is still to be made.
        call: Option<&'a mut Command>,
        /// What it adds.
        calls: &'a mut Vec<Command>,
        invocation: &'a mut Invocation,
    },
    /// Behind the step.
    Outputs { sessions: &'a mut Vec<Completed>, made: &'a mut Made },
}

/// What a step has come to, while hooks behind it may still change it.
#[derive(Default)]
pub(crate) struct Made {
    pub(crate) outputs: Vec<Output>,
    pub(crate) views: BTreeMap<String, View<String>>,
    pub(crate) metrics: Metrics,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) verdict: Verdict,
}

impl Made {
    /// Adds an output; one of the same path gives way.
    pub(super) fn put(&mut self, output: Output) {
        self.outputs.retain(|known| known.path != output.path);
        self.outputs.push(output);
    }

    fn output(&self, path: &str) -> Option<&Output> {
        self.outputs.iter().find(|output| output.path == path)
    }
}

impl<'run> HookCx<'_, '_, 'run> {
    /// The configuration: all variables of the flow. What is read is noted.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.step.config
    }

    /// A parameter of the hook.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&Value> {
        self.hook.values.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// All parameters of the hook, with their values.
    #[must_use]
    pub fn parameters(&self) -> &[(String, Value)] {
        &self.hook.values
    }

    /// What is known of the step, with what its hooks read and call beside it.
    #[must_use]
    pub fn info(&self) -> &StepInfo {
        self.step.info
    }

    /// Whether the hook stands behind its step, where it sees what came out.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        matches!(self.place, Place::Outputs { .. })
    }

    /// The name of the hook.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.hook.hook.name
    }

    /// The file name of the script that the hook writes into; nothing where there is none.
    #[must_use]
    pub fn script_name(&self) -> Option<&str> {
        match &self.place {
            Place::Script { script, .. } => Some(&script.path),
            _ => None,
        }
    }

    /// The script as far as it stands.
    ///
    /// # Errors
    /// The hook does not stand in a script.
    pub fn script(&self) -> Result<String, Failure> {
        match &self.place {
            Place::Script { before, text, .. } => Ok(format!("{before}{text}")),
            _ => Err(self.misplaced("there is no script here")),
        }
    }

    /// The text of the section that the hook replaces, for one that keeps a part of it.
    #[must_use]
    pub fn replaced(&self) -> Option<&str> {
        match &self.place {
            Place::Script { replaces, .. } => *replaces,
            _ => None,
        }
    }

    /// Adds text to the script of the tool.
    ///
    /// # Errors
    /// The hook does not stand in a script.
    pub fn append(&mut self, more: &str) -> Result<(), Failure> {
        match &mut self.place {
            Place::Script { text, .. } => {
                text.push_str(more);
                if !more.ends_with('\n') {
                    text.push('\n');
                }
                Ok(())
            }
            _ => Err(self.misplaced("there is no script to add text to")),
        }
    }

    /// Adds arguments to the call that the hook stands before or in place of.
    ///
    /// # Errors
    /// The hook does not stand before a call.
    pub fn add_args<W: Into<String>>(&mut self, args: impl IntoIterator<Item = W>) -> Result<(), Failure> {
        match &mut self.place {
            Place::Call { call: Some(call), .. } => {
                call.args.extend(args.into_iter().map(Into::into));
                Ok(())
            }
            _ => Err(self.misplaced("there is no call here that arguments could be added to")),
        }
    }

    /// Has a program called at this place: the step fails if it does. In a script, the tool calls it; beside a call, it is
    /// called by itself, and may be one of the [tools](tapeout_engine::Tool) only.
    ///
    /// # Errors
    /// The language of the script has no way to call programs; or the hook stands behind the step, where
    /// [`HookCx::run_on`] is for that.
    pub fn run<W: Into<String>>(&mut self, words: impl IntoIterator<Item = W>) -> Result<(), Failure> {
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let Some((tool, args)) = words.split_first() else {
            return Err(Failure::new(Class::Input, "there is no command to run"));
        };
        match &mut self.place {
            Place::Script { script, text, invocation, .. } => {
                let Some(line) = calling(&script.path, tool, args) else {
                    let path = script.path.clone();
                    return Err(self.misplaced(&format!("how programs are called from `{path}` is not known")));
                };
                text.push_str(&line);
                if !invocation.further_tools.contains(tool) {
                    invocation.further_tools.push(tool.clone());
                }
                Ok(())
            }
            Place::Call { calls, .. } => {
                calls.push(Command::new(tool).args(args));
                Ok(())
            }
            Place::Outputs { .. } => Err(self.misplaced("here a program must be told its inputs and outputs")),
        }
    }

    /// Says that the tool will write this file, which is then kept with what the step makes.
    ///
    /// # Errors
    /// The hook stands behind the step.
    pub fn output(&mut self, path: &str) -> Result<(), Failure> {
        match &mut self.place {
            Place::Script { invocation, .. } | Place::Call { invocation, .. } => {
                invocation.optional_outputs.retain(|known| known != path);
                if !invocation.outputs.iter().any(|known| known == path) {
                    invocation.outputs.push(path.to_owned());
                }
                Ok(())
            }
            Place::Outputs { .. } => Err(self.misplaced("the tool has ended")),
        }
    }

    /// A file of the user's as an input of the tool; gives its name for a script.
    ///
    /// # Errors
    /// It is not there; or the hook stands behind the step.
    pub fn input(&mut self, path: &str) -> Result<String, Failure> {
        let name = self.step.source(path)?;
        self.add_input(Input::Source { path: path.to_owned() })?;
        Ok(name)
    }

    /// A view that the step reads as an input of the tool; gives its name for a script.
    ///
    /// # Errors
    /// There is no such view of one file; or the hook stands behind the step.
    pub fn input_view(&mut self, format: &str) -> Result<String, Failure> {
        let file = self.step.view_file(format)?;
        let path = file.path.clone();
        self.add_input(Input::Output(file))?;
        Ok(path)
    }

    /// A file, or a text under a name, as an input of the tool.
    ///
    /// # Errors
    /// The hook stands behind the step.
    pub fn add_input(&mut self, input: Input) -> Result<(), Failure> {
        match &mut self.place {
            Place::Script { invocation, .. } | Place::Call { invocation, .. } => {
                if !invocation.inputs.contains(&input) {
                    invocation.inputs.push(input);
                }
                Ok(())
            }
            Place::Outputs { .. } => Err(self.misplaced("the tool has ended")),
        }
    }

    /// A view that the step has made; for a hook behind it.
    ///
    /// # Errors
    /// The hook does not stand behind the step.
    pub fn made_view(&self, format: &str) -> Result<Option<View<Output>>, Failure> {
        let made = self.made()?;
        let Some(view) = made.views.get(format) else { return Ok(None) };
        if let Some(gone) = view.files().into_iter().find(|path| made.output(path).is_none()) {
            let message = format!("the view `{format}` names `{gone}`, and the step has made no such file");
            return Err(Failure::new(Class::Input, message));
        }
        Ok(Some(view.map(&mut |path| made.output(path).cloned().expect("a file that is there"))))
    }

    /// All files that the step has made.
    ///
    /// # Errors
    /// The hook does not stand behind the step.
    pub fn made_outputs(&self) -> Result<&[Output], Failure> {
        Ok(&self.made()?.outputs)
    }

    /// A metric that the step has measured; for a hook behind it.
    ///
    /// # Errors
    /// The hook does not stand behind the step.
    pub fn made_metric(&self, name: &str) -> Result<Option<&Metric>, Failure> {
        Ok(self.made()?.metrics.get(name))
    }

    /// Has a tool called, behind the step, on these files; gives what it wrote of these outputs. The same call on the same
    /// files is made once.
    ///
    /// # Errors
    /// The tool fails, or does not write them; or the hook does not stand behind the step.
    pub fn run_on<W: Into<String>>(
        &mut self,
        words: impl IntoIterator<Item = W>,
        inputs: Vec<Input>,
        outputs: &[&str],
    ) -> Result<Vec<Output>, Failure> {
        self.made()?;
        let words: Vec<String> = words.into_iter().map(Into::into).collect();
        let Some((tool, args)) = words.split_first() else {
            return Err(Failure::new(Class::Input, "there is no command to run"));
        };
        let invocation = Invocation {
            log: format!("{}-{}.log", self.step.slug(), slug(&self.hook.hook.name)),
            commands: vec![Command::new(tool).args(args)],
            inputs,
            outputs: outputs.iter().map(|path| (*path).to_owned()).collect(),
            ..Invocation::default()
        };
        let entry = self.step.noting_job().execute(&invocation)?;
        let log = match &entry.attempt().log {
            Some(log) => String::from_utf8_lossy(&self.step.job.read_output(log)?).into_owned(),
            None => String::new(),
        };
        let written = entry.record().outputs.clone();
        if let Place::Outputs { sessions, .. } = &mut self.place {
            sessions.push(Completed { entry, log, places: None, earlier: Vec::new() });
        }
        Ok(written)
    }

    /// Keeps bytes as a file of the step, in place of one of the same path.
    ///
    /// # Errors
    /// The store cannot take them; or the hook does not stand behind the step.
    pub fn write(&mut self, path: &str, bytes: &[u8]) -> Result<Output, Failure> {
        self.made()?;
        let output = self.step.write(path, bytes)?;
        self.keep(output.clone())?;
        Ok(output)
    }

    /// Keeps a file as one of the step, in place of one of the same path.
    ///
    /// # Errors
    /// The hook does not stand behind the step.
    pub fn keep(&mut self, output: Output) -> Result<(), Failure> {
        self.made_mut()?.put(output);
        Ok(())
    }

    /// Makes this file a view of the step, in place of what it had.
    ///
    /// # Errors
    /// The step does not make such views; or the hook does not stand behind the step.
    pub fn set_view(&mut self, format: &str, file: Output) -> Result<(), Failure> {
        if !self.step.info.outputs.contains(&format) {
            let id = self.step.info.id;
            let message = format!("`{id}` does not make the view `{format}`, so that nobody behind it would read it");
            let makes = self.step.info.outputs.join(", ");
            return Err(Failure::new(Class::Input, message).hint(format!("it makes {makes}")));
        }
        let path = file.path.clone();
        let made = self.made_mut()?;
        made.put(file);
        made.views.insert(format.to_owned(), View::File(path));
        Ok(())
    }

    /// Adds a metric to those of the step, or changes one.
    ///
    /// # Errors
    /// The hook does not stand behind the step.
    pub fn set_metric(&mut self, name: &str, value: impl Into<Metric>) -> Result<(), Failure> {
        self.made_mut()?.metrics.insert(name.to_owned(), value.into());
        Ok(())
    }

    /// Adds a complaint to those of the step.
    ///
    /// # Errors
    /// The hook does not stand behind the step.
    pub fn alert(&mut self, alert: Alert) -> Result<(), Failure> {
        self.made_mut()?.alerts.push(alert);
        Ok(())
    }

    /// Lets the step's check fail: what it made is there, and the flow stops.
    ///
    /// # Errors
    /// The hook does not stand behind the step.
    pub fn fail_check(&mut self, reason: &str) -> Result<(), Failure> {
        // Without its place, which may change while the result stays.
        let reason = format!("hook `{}`: {reason}", self.hook.hook.full_name());
        self.made_mut()?.verdict = Verdict::Failed { reason, hint: None };
        Ok(())
    }

    fn made(&self) -> Result<&Made, Failure> {
        match &self.place {
            Place::Outputs { made, .. } => Ok(made),
            _ => Err(self.misplaced("nothing has come out yet")),
        }
    }

    fn made_mut(&mut self) -> Result<&mut Made, Failure> {
        self.made()?;
        match &mut self.place {
            Place::Outputs { made, .. } => Ok(made),
            _ => unreachable!("what is made was there a line above"),
        }
    }

    fn misplaced(&self, what: &str) -> Failure {
        let hint = match &self.place {
            Place::Script { .. } => "this hook stands in a script: it adds text and calls to it",
            Place::Call { .. } => {
                "this hook stands beside a call of a tool: it adds arguments to it, and further calls"
            }
            Place::Outputs { .. } => "this hook stands behind its step: it sees what came out, and may change that",
        };
        Failure::new(Class::Input, what).hint(hint)
    }
}
