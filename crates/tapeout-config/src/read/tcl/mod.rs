//! Tcl configurations: scripts that set elements of `::env`. A real interpreter evaluates them, which whoever starts
//! processes provides as a [`TclInterpreter`]; here is what it is asked, and the tree that its answer makes.
//!
//! `evaluate.tcl` is the program that the interpreter runs: it evaluates the configuration in a safe interpreter of its
//! own, which sees the variables it is given, may look at files in the directories it is given, and nothing else.

mod place;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value as Json;

use crate::diagnostic::Diagnostic;
use crate::read::read_text;
use crate::source::{SourceMap, Span};
use crate::tree::{Key, Node, Tree};
use place::Script;

/// What evaluates Tcl configurations: a process that runs `tclsh`, confined as the request says.
pub trait TclInterpreter: Send + Sync {
    /// Runs `tclsh PROGRAM INPUT`, where the two are files with the request's `program` and `input`, and gives what that
    /// prints on its standard output.
    ///
    /// # Errors
    /// See [`TclProblem`]. A script that fails is none of them: the program prints that.
    fn run(&self, request: &TclRequest<'_>) -> Result<String, TclProblem>;
}

/// What a Tcl interpreter is to run, and within what bounds.
#[derive(Clone, Debug)]
pub struct TclRequest<'a> {
    /// The Tcl program.
    pub program: &'a str,
    /// What the program reads.
    pub input: Vec<u8>,
    /// The only files and directories, besides the interpreter's own, that the process may read; it may write none, and
    /// has no environment. Absolute paths.
    pub read: Vec<PathBuf>,
    /// What it may use.
    pub limits: TclLimits,
}

/// What a Tcl script may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TclLimits {
    /// How long the script may run. The program sees to it; the process is ended by force if it is still there
    /// [`GRACE`](Self::GRACE) later.
    pub time: Duration,
    /// The memory of the process, in bytes.
    pub memory: u64,
    /// What it may print, in bytes.
    pub output: u64,
}

impl TclLimits {
    /// What the process has on top of the script's own time, to start and to print.
    pub const GRACE: Duration = Duration::from_secs(3);
}

impl Default for TclLimits {
    /// Far more than a configuration needs, and so little that nobody waits long for one that never ends.
    fn default() -> Self {
        Self { time: Duration::from_secs(10), memory: 256 << 20, output: 32 << 20 }
    }
}

/// Why an interpreter gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TclProblem {
    /// There is no such program: `NAME on PATH`, or a path.
    Missing(String),
    /// It could not be started, in words.
    NotStarted(String),
    /// It did not end in time.
    TimedOut,
    /// It printed more than it may.
    TooMuchOutput,
    /// It ended otherwise than with status 0.
    Ended {
        /// How: `exit code 1`, `signal 6`.
        how: String,
        /// What it said on its standard error output.
        said: String,
    },
}

/// Where and how Tcl scripts are evaluated.
#[derive(Clone, Copy)]
pub struct TclScripts<'a> {
    /// What runs them.
    pub interpreter: &'a dyn TclInterpreter,
    /// Where relative paths in them start: the design directory, as the user named it.
    pub dir: &'a Path,
    /// The directories that they may read, with what is beneath: the design's, the PDK's.
    pub roots: &'a [PathBuf],
    /// What each may use.
    pub limits: TclLimits,
}

/// What a script has made of the elements of `::env`.
#[derive(Clone, Debug)]
pub struct TclEnvironment {
    /// What the script set, a map in the order in which the elements were first set: to text, or to a map where `dict set`
    /// and its like made it. The places are those of the last command that set each.
    pub variables: Node,
    /// The elements that were given and that the script removed, with the place of the command.
    pub removed: Vec<Key>,
    /// All elements as Tcl has them after the script, by name: what the next script of a chain is given.
    pub env: Vec<(String, String)>,
}

const PROGRAM: &str = include_str!("evaluate.tcl");

impl TclScripts<'_> {
    /// Evaluates a script, to which the elements of `::env` in `given` are set. Its text and those of the scripts that it
    /// sources go to `sources`.
    ///
    /// # Errors
    /// The script cannot be read, fails, does what a configuration may not, needs more than its limits allow, or there is
    /// no interpreter.
    pub fn evaluate(
        &self,
        path: &Path,
        given: &[(String, String)],
        sources: &mut SourceMap,
    ) -> Result<TclEnvironment, Diagnostic> {
        let file = read_text(path, "configuration", sources)?;
        let whole = Span::new(file, 0, sources.text(file).len());
        let script = absolute(path);
        let mut read: Vec<PathBuf> = self.roots.iter().map(|root| absolute(root)).collect();
        let input = self.input(&script, &read, given).map_err(|text| {
            Diagnostic::error(format!("Tcl cannot be given `{text}`, which is not UTF-8"))
                .at(Span::new(file, 0, 0), "to evaluate this")
        })?;
        read.push(script);
        let answer = self
            .interpreter
            .run(&TclRequest { program: PROGRAM, input, read, limits: self.limits })
            .map_err(|problem| self.explain(problem).at(Span::new(file, 0, 0), "to evaluate this"))?;
        // What a script cannot have is text that JSON cannot have: halves of surrogate pairs.
        let answer: Json = serde_json::from_str(&answer).map_err(|error| {
            Diagnostic::error(format!("what the Tcl script sets is not text: {error}")).at(whole, "set here")
        })?;
        let mut scripts = vec![Script::new(file, sources)];
        for sourced in list(&answer["files"]).iter().skip(1) {
            let sourced = self.shown(Path::new(text(sourced)));
            let file = read_text(&sourced, "configuration", sources)?;
            scripts.push(Script::new(file, sources));
        }
        if let Some(error) = answer.get("error") {
            return Err(failure(error, &scripts));
        }
        let mut entries = Vec::new();
        for item in list(&answer["set"]) {
            let (name, value) = (text(&item["name"]), &item["value"]);
            let (key, span) = place(item, &scripts).entry(name, value.as_str());
            entries.push((Key { name: name.to_owned(), span: key }, node(value, span)));
        }
        let removed = list(&answer["removed"]).iter().map(|item| {
            let name = text(&item["name"]);
            Key { name: name.to_owned(), span: place(item, &scripts).entry(name, None).0 }
        });
        let pair = |pair: &Json| (text(&pair[0]).to_owned(), text(&pair[1]).to_owned());
        Ok(TclEnvironment {
            removed: removed.collect(),
            env: list(&answer["env"]).iter().map(pair).collect(),
            variables: Node { value: Tree::Map(entries), span: whole },
        })
    }

    /// What `evaluate.tcl` reads, or the path that is not text.
    fn input(&self, script: &Path, roots: &[PathBuf], given: &[(String, String)]) -> Result<Vec<u8>, String> {
        fn put(input: &mut Vec<u8>, text: &str) {
            input.extend(format!("{}\n{text}\n", text.len()).into_bytes());
        }
        let path = |path: &Path| path.to_str().map(str::to_owned).ok_or_else(|| path.display().to_string());
        let mut input = Vec::new();
        put(&mut input, &path(script)?);
        put(&mut input, &path(&absolute(self.dir))?);
        put(&mut input, &self.limits.time.as_millis().to_string());
        // A character takes up to six bytes as JSON, and each variable is told twice.
        put(&mut input, &(self.limits.output / 16).to_string());
        put(&mut input, &roots.len().to_string());
        for root in roots {
            put(&mut input, &path(root)?);
        }
        put(&mut input, &given.len().to_string());
        for (name, value) in given {
            put(&mut input, name);
            put(&mut input, value);
        }
        Ok(input)
    }

    fn explain(&self, problem: TclProblem) -> Diagnostic {
        let TclLimits { time, memory, output } = self.limits;
        let mib = |bytes: u64| bytes >> 20;
        match problem {
            TclProblem::Missing(program) => Diagnostic::error(format!(
                "Tcl configurations need a Tcl interpreter, and there is no program {program}"
            ))
            .help("apt-get install tcl"),
            TclProblem::NotStarted(why) => {
                Diagnostic::error(format!("the Tcl interpreter could not be started: {why}"))
            }
            TclProblem::TimedOut => {
                Diagnostic::error(format!("the Tcl script ran longer than {} s, and was ended", time.as_secs_f64()))
            }
            TclProblem::TooMuchOutput => {
                Diagnostic::error(format!("the Tcl script makes more than the {} MiB of text that it may", mib(output)))
            }
            // Tcl's last words before it aborts.
            TclProblem::Ended { said, .. }
                if said.contains("unable to alloc") || said.contains("unable to realloc") =>
            {
                Diagnostic::error(format!(
                    "the Tcl script needs more than the {} MiB of memory that it may",
                    mib(memory)
                ))
            }
            TclProblem::Ended { how, said } => {
                let said = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("nothing");
                Diagnostic::error(format!("the Tcl interpreter broke off ({how}); it said: {said}"))
            }
        }
    }

    /// A path that Tcl told, as the user would name it.
    fn shown(&self, path: &Path) -> PathBuf {
        match path.strip_prefix(absolute(self.dir)) {
            Ok(below) if self.dir == Path::new(".") => below.to_owned(),
            Ok(below) => self.dir.join(below),
            Err(_) => path.to_owned(),
        }
    }
}

/// Fails only where there is no current directory, where nothing relative can be found in any case.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn number(json: &Json) -> usize {
    json.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}

/// The line that an item of the answer names.
fn place<'s>(item: &Json, scripts: &'s [Script]) -> place::Line<'s> {
    let script = scripts.get(number(&item["file"])).unwrap_or(&scripts[0]);
    script.line(number(&item["line"]))
}

fn node(value: &Json, span: Span) -> Node {
    let value = match value {
        Json::Object(entries) => Tree::Map(
            entries.iter().map(|(name, value)| (Key { name: name.clone(), span }, node(value, span))).collect(),
        ),
        other => Tree::Str(text(other).to_owned()),
    };
    Node { value, span }
}

/// The error of a script, in Tcl's words.
fn failure(error: &Json, scripts: &[Script]) -> Diagnostic {
    let words: Vec<&str> = text(&error["message"]).split_whitespace().collect();
    let diagnostic = Diagnostic::error(format!("Tcl: {}", words.join(" ")));
    let called = place(error, scripts);
    let command = text(&error["command"]);
    match called.in_procedure(text(&error["procedure"]), number(&error["procedure_line"]), command) {
        Some(inner) => diagnostic.at(inner.span(), "fails here").also(called.span(), "called from here"),
        None => diagnostic.at(called.at_command(command).span(), "fails here"),
    }
}
