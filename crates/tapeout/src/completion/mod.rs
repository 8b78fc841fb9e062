//! Completion in shells: the scripts that make a shell ask, and the answers. The engine is `clap_complete`'s, which is
//! this program once more, told by a variable of the environment to complete a command line instead of running it.
//! Owns what is known only at run time: names of steps, flows and variables, and the values of these.

mod bash;

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{ArgMatches, Command, CommandFactory};
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter};
use clap_complete::env::{CompleteEnv, Elvish, Fish, Powershell, Shells, Zsh};
use tapeout_config::{Role, Schema, SourceMap, Type, Variable};
use tapeout_flow::{Configured, Registry};

use crate::args::{Cli, OverlayArgs, ThingArgs};
use crate::commands::list;
use crate::project;
use crate::runs;

/// The variable of the environment by which a script asks; its value is the shell.
const ASKS: &str = "TAPEOUT_COMPLETE";

const SHELLS: Shells<'static> = Shells(&[&bash::Bash, &Elvish, &Fish, &Powershell, &Zsh]);

/// Answers a shell that asks for completions. Says whether one did.
///
/// # Errors
/// The shell is unknown, or does not take the answer.
pub(crate) fn answer_if_asked(registry: &Registry) -> Result<bool, clap::Error> {
    if env::var_os(ASKS).is_none() {
        return Ok(false);
    }
    let here = env::current_dir().ok();
    // Everything behind `--` was typed; the last word is the one at the cursor.
    let mut typed: Vec<OsString> = env::args_os().skip_while(|arg| arg != "--").skip(1).collect();
    typed.pop();
    let known = Arc::new(Known { registry: registry.clone(), typed });
    CompleteEnv::with_factory(|| with_completers(Cli::command(), &known))
        .var(ASKS)
        .shells(SHELLS)
        .try_complete(env::args_os(), here.as_deref())
}

/// Writes the script that makes a shell ask this program.
///
/// # Errors
/// The shell is unknown.
pub(crate) fn script(shell: &str) -> io::Result<Vec<u8>> {
    let shell = SHELLS.completer(shell).ok_or_else(|| io::Error::other(format!("unknown shell `{shell}`")))?;
    let program = env::args_os().next().map(PathBuf::from).unwrap_or_default();
    let name = program.file_name().and_then(OsStr::to_str).unwrap_or("tapeout");
    // A program that is found on `PATH` stays so, wherever it is installed next time.
    let path = if program.components().count() > 1 { std::path::absolute(&program)? } else { PathBuf::from(name) };
    let mut script = Vec::new();
    shell.write_registration(ASKS, name, name, &path.to_string_lossy(), &mut script)?;
    Ok(script)
}

/// Lets the arguments whose values only the registry and the configuration know complete.
fn with_completers(command: Command, known: &Arc<Known>) -> Command {
    let in_show = command.get_name() == "show";
    let command = command.mut_args(|arg| {
        let answer: fn(&Known, &str) -> Vec<CompletionCandidate> = match arg.get_id().as_str() {
            "set" => Known::settings,
            "key" => Known::names,
            "flow" => Known::flows,
            "step" | "from" | "to" | "only" | "skip" => Known::steps,
            // Paths complete as well: the shell's own completion is used where nothing is answered.
            "what" => Known::steps,
            "before" | "after" => Known::runs,
            "name" if in_show => Known::things,
            _ => return arg,
        };
        let known = Arc::clone(known);
        arg.add(ArgValueCompleter::new(move |current: &OsStr| {
            current.to_str().map(|current| answer(&known, current)).unwrap_or_default()
        }))
    });
    command.mut_subcommands(|command| with_completers(command, known))
}

/// What answers are made from.
struct Known {
    registry: Registry,
    /// The words before the one at the cursor.
    typed: Vec<OsString>,
}

impl Known {
    fn flows(&self, current: &str) -> Vec<CompletionCandidate> {
        let flows = self.registry.flows().map(|flow| (flow.name.as_str(), flow.doc.as_str()));
        candidates(current, flows)
    }

    fn steps(&self, current: &str) -> Vec<CompletionCandidate> {
        // What stands before a slash is a run or a thing.
        let (before, current) =
            current.rsplit_once('/').map_or(("", current), |(_, step)| current.split_at(current.len() - step.len()));
        let steps = candidates(current, self.registry.steps().map(|step| (step.id, step.name)));
        steps.into_iter().map(|step| step.add_prefix(before)).collect()
    }

    /// The tags of the runs here, or of the thing before an `@`.
    fn runs(&self, current: &str) -> Vec<CompletionCandidate> {
        let (thing, current) = match current.split_once('@') {
            Some((thing, tag)) => (Some(thing).filter(|thing| !thing.is_empty()), tag),
            None => (None, current),
        };
        let here = self.argument::<PathBuf>("directory").unwrap_or_else(|| PathBuf::from("."));
        let dir = match thing.map(|thing| here.join(thing)) {
            Some(thing) if thing.is_dir() => thing,
            Some(file) => project::directory_of(&file),
            None => here,
        };
        let runs = runs::runs_in(&dir).unwrap_or_default();
        let tags = candidates(current, runs.iter().map(|run| (run.summary.tag.as_str(), "")));
        let before = thing.map(|thing| format!("{thing}@")).unwrap_or_default();
        tags.into_iter().map(|tag| tag.add_prefix(before.as_str())).collect()
    }

    /// The names that `show KIND` takes.
    fn things(&self, current: &str) -> Vec<CompletionCandidate> {
        let registry = &self.registry;
        match self.typed.last().and_then(|kind| kind.to_str()).map(|kind| kind.trim_end_matches('s')) {
            Some("step") => self.steps(current),
            Some("flow") => candidates(current, registry.flows().map(|flow| (flow.name.as_str(), flow.doc.as_str()))),
            Some("tool") => candidates(current, registry.tools().map(|tool| (tool.name, tool.summary))),
            Some("variable") => {
                let all = list::variables(registry);
                candidates(current, all.values().map(|known| (&*known.variable.name, &*known.variable.doc)))
            }
            _ => Vec::new(),
        }
    }

    fn names(&self, current: &str) -> Vec<CompletionCandidate> {
        let variables = self.variables();
        candidates(current, variables.iter().map(|variable| (&*variable.name, &*variable.doc)))
    }

    /// `KEY=`, and behind it the values where they can be told.
    fn settings(&self, current: &str) -> Vec<CompletionCandidate> {
        let variables = self.variables();
        let Some((name, value)) = current.split_once('=') else {
            let names = candidates(current, variables.iter().map(|variable| (&*variable.name, &*variable.doc)));
            return names
                .into_iter()
                .map(|name| CompletionCandidate::new(equals(&name)).help(name.get_help().cloned()))
                .collect();
        };
        let Some(variable) = variables.iter().find(|variable| variable.name == name) else { return Vec::new() };
        let values = values(&variable.ty, value, &self.design_dir());
        values.into_iter().map(|value| value.add_prefix(format!("{name}="))).collect()
    }

    /// The variables of the flow that the command line names, or the configuration; all there are where neither can be
    /// told.
    fn variables(&self) -> Vec<Variable> {
        let of_flow = self.of_flow().map(|schema| schema.iter().cloned().collect());
        let all = || list::variables(&self.registry).into_values().map(|known| known.variable).collect();
        let mut variables: Vec<Variable> = of_flow.unwrap_or_else(all);
        variables.retain(|variable| matches!(variable.role, Role::Input | Role::Secret));
        variables.sort_by(|a, b| a.name.cmp(&b.name));
        variables
    }

    fn of_flow(&self) -> Option<Schema> {
        let flow = self.argument::<String>("flow");
        let loader = match &flow {
            Some(_) => None,
            // Nobody waits at a cursor for a Tcl interpreter.
            None => Some(tapeout_config::Loader { tcl: None, ..project::loader(&self.thing()).ok()? }),
        };
        let schema = Configured::schema(&self.registry, loader, flow.as_deref(), &mut SourceMap::new());
        schema.ok().map(|(_, schema)| schema)
    }

    fn thing(&self) -> ThingArgs {
        let here = self.argument::<PathBuf>("directory");
        let thing = match (here, self.argument::<PathBuf>("thing")) {
            (Some(here), thing) => Some(here.join(thing.unwrap_or_default())),
            (None, thing) => thing,
        };
        ThingArgs { thing, overlay: OverlayArgs::default() }
    }

    fn design_dir(&self) -> PathBuf {
        let file = project::find_config(self.thing().thing.as_deref());
        file.map_or_else(|_| PathBuf::from("."), |file| project::directory_of(&file))
    }

    /// An argument of the command that is being typed, which need not be complete.
    fn argument<T: Clone + Send + Sync + 'static>(&self, id: &str) -> Option<T> {
        let command = Cli::command().ignore_errors(true);
        let matches = command.try_get_matches_from(&self.typed).ok()?;
        let mut at: &ArgMatches = &matches;
        let mut found = None;
        loop {
            found = at.try_get_one::<T>(id).ok().flatten().cloned().or(found);
            match at.subcommand() {
                Some((_, below)) => at = below,
                None => return found,
            }
        }
    }
}

fn equals(name: &CompletionCandidate) -> OsString {
    let mut text = name.get_value().to_owned();
    text.push("=");
    text
}

/// Those that begin with what is there, each with the first sentence of its documentation.
fn candidates<'a>(current: &str, all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<CompletionCandidate> {
    let fitting = all.filter(|(name, _)| name.starts_with(current));
    let candidate = |(name, doc): (&str, &str)| {
        let help = list::first_sentence(doc);
        CompletionCandidate::new(name).help((!help.is_empty()).then(|| help.to_owned().into()))
    };
    fitting.map(candidate).collect()
}

/// The values of a type that begin with what is there: words and files, those of a list one at a time.
fn values(ty: &Type, current: &str, design_dir: &Path) -> Vec<CompletionCandidate> {
    let words = |words: &[&str]| candidates(current, words.iter().map(|word| (*word, "")));
    match ty {
        Type::Bool => words(&["true", "false"]),
        Type::Choice(choices) => words(&choices.iter().map(AsRef::as_ref).collect::<Vec<&str>>()),
        Type::List(item) | Type::Optional(item) => values(item, current, design_dir),
        Type::Union(members) => members.iter().flat_map(|member| values(member, current, design_dir)).collect(),
        Type::Path | Type::NewPath => PathCompleter::any().current_dir(design_dir).complete(OsStr::new(current)),
        Type::Dir => PathCompleter::dir().current_dir(design_dir).complete(OsStr::new(current)),
        Type::Int | Type::Decimal | Type::Str | Type::Map(_) | Type::Tuple(_) | Type::Struct(_) | Type::Any => {
            Vec::new()
        }
    }
}
