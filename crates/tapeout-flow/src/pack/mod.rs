//! A pack: what the tools of a step did, so that somebody else can have them do it again with nothing but the tools. For
//! reports to those who develop them.
//!
//! ```text
//! NAME/run.sh                      the commands, with the exit statuses that they had
//! NAME/README.md                   what this is, which tools, how to run it, what came of it
//! NAME/design/runs/TAG/NN-step/    where they run, with scripts and results of other steps
//! NAME/design/…                    the sources, where the commands expect them
//! NAME/outside/…                   files from elsewhere, such as those of a PDK
//! NAME/expected/                   the log, and the digests of what was written
//! ```

mod layout;
mod script;
mod verify;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tapeout_engine::{Engine, Failure, KeptAttempt, KeptFile, KeptTool, from_work_dir};
use tapeout_model::{Class, Read};
use tapeout_store::Entry;

use crate::tree::{FAILED, disk};
use crate::{StepStatus, StepSummary};
use layout::Layout;
pub use verify::Verified;

/// A text larger than this, in bytes, is a netlist rather than a script, and is not searched for names of files.
const SEARCHED: usize = 64 << 10;

/// What a step's tools did, and all that they need to do it again.
#[derive(Debug)]
pub struct Pack {
    /// The step's id.
    pub step: String,
    /// What it came to, if that was no good.
    pub reason: Option<String>,
    layout: Layout,
    /// The command lines as they run in the pack.
    commands: Vec<String>,
    /// The exit status that each command had.
    statuses: Vec<i32>,
    timed_out: bool,
    tools: Vec<KeptTool>,
    /// The files by their place in the pack.
    files: BTreeMap<PathBuf, Content>,
    /// Directories that commands name.
    dirs: BTreeSet<PathBuf>,
    /// What the tools wrote, by name in the work directory.
    outputs: Vec<KeptFile>,
    log: Option<(String, Vec<u8>)>,
    /// Absolute paths in commands that are not in the pack: they come with a tool.
    with_tools: BTreeSet<String>,
}

/// Where the content of a file comes from.
#[derive(Debug)]
enum Content {
    File(PathBuf),
    Bytes { bytes: Vec<u8>, executable: bool },
}

/// What is known of what a step did.
struct Known {
    commands: String,
    attempt: KeptAttempt,
    log: Option<(String, Vec<u8>)>,
    /// The directory of a failed attempt: it has the inputs, too.
    dir: Option<PathBuf>,
}

impl Pack {
    /// What a step of a run did: its failed attempt, if it failed, else its result.
    ///
    /// # Errors
    /// When nothing is known of it, or a file that it read is another one by now.
    pub fn of_step(engine: &Engine, run_dir: &Path, tag: &str, step: &StepSummary) -> Result<Self, Failure> {
        let known = known(engine, run_dir, tag, step)?;
        Self::new(engine, Path::new("runs").join(tag).join(&step.dir), step, known)
    }

    fn new(engine: &Engine, work: PathBuf, step: &StepSummary, known: Known) -> Result<Self, Failure> {
        let Known { commands, attempt, log, dir } = known;
        let mut commands = words::command_lines(&commands);
        let ran = attempt.statuses.len() + usize::from(attempt.timed_out);
        commands.truncate(ran.max(1));
        if commands.is_empty() {
            let message = format!("`{}` runs no tools: there is nothing to pack", step.id);
            return Err(Failure::new(Class::Input, message));
        }
        let inputs = attempt.inputs.iter().map(|file| {
            let bytes = file.digest.parse().ok().and_then(|digest| engine.store().read(&digest).ok());
            let bytes = bytes.or_else(|| fs::read(dir.as_ref()?.join(&file.path)).ok());
            bytes.map(|bytes| (file, bytes)).ok_or_else(|| {
                let message = format!("`{}`, which `{}` read, is not in the store any more", file.path, step.id);
                Failure::new(Class::Environment, message).hint("run the step again")
            })
        });
        let inputs = inputs.collect::<Result<Vec<_>, Failure>>()?;
        let scripts = inputs.iter().filter_map(|(_, bytes)| searched(bytes));
        let texts: Vec<&str> = commands.iter().map(String::as_str).chain(scripts).collect();
        let named: Vec<String> = attempt.sources.keys().map(|path| from_work_dir(path)).collect();
        let project = fs::canonicalize(engine.project()).map_err(disk("find", engine.project()))?;
        let mut pack = Self {
            step: step.id.clone(),
            reason: step.reason.clone(),
            layout: Layout::new(&project, &work, texts.iter().copied().chain(named.iter().map(String::as_str))),
            commands: Vec::new(),
            statuses: attempt.statuses,
            timed_out: attempt.timed_out,
            tools: attempt.tools,
            files: BTreeMap::new(),
            dirs: BTreeSet::new(),
            outputs: attempt.outputs,
            log,
            with_tools: BTreeSet::new(),
        };
        let mut sources = BTreeSet::new();
        for (path, digest) in &attempt.sources {
            let Some(digest) = digest else { continue };
            let full = pack.layout.absolute(path);
            if engine.store().file_digest(&full)?.map(|now| now.to_string()).as_ref() != Some(digest) {
                let message = format!("`{path}` is not what it was when `{}` ran", step.id);
                return Err(Failure::new(Class::Input, message).hint("`tapeout run`, then pack what came of that"));
            }
            sources.insert(full);
        }
        pack.find_more(&texts, &mut sources);
        for source in &sources {
            pack.files.insert(pack.layout.place(source), Content::File(source.clone()));
        }
        for (file, bytes) in &inputs {
            // What is no text names nothing that could be put in its place.
            let bytes = match searched(bytes) {
                Some(text) => pack.moved(text, &sources).into_bytes(),
                None => bytes.clone(),
            };
            let to = pack.layout.work().join(&file.path);
            pack.files.insert(to, Content::Bytes { bytes, executable: file.executable });
        }
        pack.commands = commands.iter().map(|command| pack.moved(command, &sources)).collect();
        Ok(pack)
    }

    /// Adds files from elsewhere and directories that commands and scripts name.
    fn find_more(&mut self, texts: &[&str], sources: &mut BTreeSet<PathBuf>) {
        for path in texts.iter().flat_map(|text| words::paths(text)) {
            let full = self.layout.resolved(&path);
            let is_own = path.starts_with("..") || path.starts_with('/');
            if !is_own || (path.starts_with('/') && self.comes_with_system(&full)) {
                continue;
            }
            if full.is_dir() && full.parent().is_some() {
                self.dirs.insert(self.layout.place(&full));
            } else if path.starts_with('/') && full.is_file() {
                // What is named otherwise was declared, or is not read: netlists tell of their sources.
                sources.insert(full);
            }
        }
    }

    /// A text with the absolute paths of packed files as they are in the pack.
    fn moved(&mut self, text: &str, sources: &BTreeSet<PathBuf>) -> String {
        let (layout, tools, dirs, with_tools) = (&self.layout, &self.tools, &self.dirs, &mut self.with_tools);
        words::with_paths(text, |word| {
            let path = Path::new(word);
            if !path.is_absolute() || path.parent().is_none() {
                return None;
            }
            if let Some(tool) = tools.iter().find(|tool| tool.path == word) {
                return Some(Path::new(&tool.path).file_name()?.to_string_lossy().into_owned());
            }
            let is_there = sources.iter().any(|source| source.starts_with(path)) || dirs.contains(&layout.place(path));
            if is_there {
                return Some(layout.named(path));
            }
            if path.exists() {
                with_tools.insert(word.to_owned());
            }
            None
        })
    }

    /// Whether an absolute path belongs to the system or a tool, and needs no copy.
    fn comes_with_system(&self, path: &Path) -> bool {
        let system = ["/usr", "/bin", "/lib", "/lib64", "/etc", "/dev", "/proc", "/sys", "/nix/store"];
        let beside = |tool: &KeptTool| {
            let real = fs::canonicalize(&tool.path).unwrap_or_else(|_| PathBuf::from(&tool.path));
            let tree = real.parent().and_then(Path::parent).filter(|tree| tree.parent().is_some());
            tree.is_some_and(|tree| path.starts_with(tree) && !self.layout.is_in_project(tree))
        };
        system.iter().any(|folder| path.starts_with(folder)) || self.tools.iter().any(beside)
    }

    /// Whether a command or a script names a file in the work directory.
    fn names(&self, file: &str) -> bool {
        let scripts = self.files.values().filter_map(|content| match content {
            Content::Bytes { bytes, .. } => searched(bytes),
            Content::File(_) => None,
        });
        scripts.chain(self.commands.iter().map(String::as_str)).any(|text| text.contains(file))
    }

    /// Writes the pack into a directory that is not there yet, or empty.
    ///
    /// # Errors
    /// When there is something, or it cannot be written.
    pub fn write(&self, to: &Path) -> Result<(), Failure> {
        if fs::read_dir(to).is_ok_and(|mut listing| listing.next().is_some()) || to.is_file() {
            let message = format!("`{}` is there already", to.display());
            return Err(Failure::new(Class::Input, message).hint("remove it, or name another place: `-o DIR`"));
        }
        let make = |dir: &Path| fs::create_dir_all(dir).map_err(disk("create", dir));
        make(&to.join(self.layout.work()))?;
        for dir in &self.dirs {
            make(&to.join(dir))?;
        }
        for (path, content) in &self.files {
            let path = to.join(path);
            if let Some(folder) = path.parent() {
                make(folder)?;
            }
            match content {
                Content::File(from) => _ = fs::copy(from, &path).map_err(disk("copy", from))?,
                Content::Bytes { bytes, executable } => write(&path, bytes, *executable)?,
            }
        }
        write(&to.join("run.sh"), self.run_script().as_bytes(), true)?;
        write(&to.join("README.md"), self.readme().as_bytes(), false)?;
        let expected = to.join("expected");
        make(&expected)?;
        if let Some((name, log)) = &self.log {
            write(&expected.join(name), log, false)?;
        }
        if !self.outputs.is_empty() {
            let line = |file: &KeptFile| format!("{}  {}\n", file.digest, file.path);
            write(&expected.join("SHA256SUMS"), self.outputs.iter().map(line).collect::<String>().as_bytes(), false)?;
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8], executable: bool) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, bytes).map_err(disk("write", path))?;
    if executable {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(disk("write", path))?;
    }
    Ok(())
}

/// A file as text, if it is one and not too large to be searched.
fn searched(bytes: &[u8]) -> Option<&str> {
    if bytes.len() > SEARCHED || bytes.contains(&0) { None } else { std::str::from_utf8(bytes).ok() }
}

/// The files that a step of a run read, other than those that steps before it made: from the project, or absolute.
///
/// # Errors
/// When nothing is known of the step.
pub fn sources_of_step(engine: &Engine, run_dir: &Path, tag: &str, step: &StepSummary) -> Result<Vec<String>, Failure> {
    let sources = known(engine, run_dir, tag, step)?.attempt.sources.into_iter();
    Ok(sources.filter_map(|(path, digest)| digest.map(|_| path)).collect())
}

fn known(engine: &Engine, run_dir: &Path, tag: &str, step: &StepSummary) -> Result<Known, Failure> {
    // A failure that a flow reckoned with is recorded like a result.
    let is_attempt = step.status == StepStatus::Failed && run_dir.join(format!("{}{FAILED}", step.dir)).exists();
    if is_attempt { failed(run_dir, step) } else { recorded(engine, tag, step) }
}

/// What is known of a failed attempt.
fn failed(run_dir: &Path, step: &StepSummary) -> Result<Known, Failure> {
    let dir = run_dir.join(format!("{}{FAILED}", step.dir));
    let unknown = |what: &str| {
        let message = format!("`{}` failed, and {what} in `{}`", step.id, dir.display());
        Failure::new(Class::Input, message).hint("run it again, then pack it")
    };
    let attempt = KeptAttempt::read(&dir).map_err(|error| unknown(&format!("what it read is not noted ({error})")))?;
    let commands = fs::read_to_string(dir.join("COMMANDS")).map_err(|_| unknown("there is no `COMMANDS`"))?;
    let log = step.log.as_ref().and_then(|log| Path::new(log).file_name()?.to_str());
    let log = log.and_then(|log| Some((log.to_owned(), fs::read(dir.join(log)).ok()?)));
    Ok(Known { commands, attempt, log, dir: Some(dir) })
}

/// What is known of a recorded result.
fn recorded(engine: &Engine, tag: &str, step: &StepSummary) -> Result<Known, Failure> {
    let Some(entry) = shown(engine, tag, step)? else {
        let message = format!("nothing is recorded of `{}` in the run `{tag}`", step.id);
        return Err(Failure::new(Class::Input, message).hint("`tapeout run` makes it"));
    };
    let (record, attempt) = (entry.record(), entry.attempt());
    let tool = |read| match read {
        Read::Tool { name, digest: Some(digest) } => {
            let words: BTreeMap<_, _> = engine.store().description(&digest).unwrap_or_default().into_iter().collect();
            let path = words.get("path").cloned().unwrap_or_else(|| name.clone());
            Some(KeptTool { name, path, version: words.get("version").cloned() })
        }
        _ => None,
    };
    let kept = KeptAttempt {
        sources: entry.reads().filter_map(KeptAttempt::source).collect(),
        inputs: attempt.inputs.iter().map(KeptFile::from).collect(),
        outputs: record.outputs.iter().map(KeptFile::from).collect(),
        tools: entry.reads().filter_map(tool).collect(),
        statuses: record.statuses.clone(),
        timed_out: false,
    };
    let log = attempt.log.as_ref().and_then(|log| Some((log.path.clone(), engine.store().read(&log.digest).ok()?)));
    Ok(Known { commands: attempt.commands.clone(), attempt: kept, log, dir: None })
}

/// The result of a step that the run shows.
fn shown(engine: &Engine, tag: &str, step: &StepSummary) -> Result<Option<std::sync::Arc<Entry>>, Failure> {
    let run = engine.store().run(tag)?;
    let job = run.iter().flat_map(|run| &run.jobs).find(|job| job.name == step.id);
    Ok(job.and_then(|job| job.shown).and_then(|shown| engine.store().entry(&shown.key, &shown.id)))
}
