//! Tools: where each is, what it is, and whether it will do.
//!
//! A tool's identity covers the resolved executable and its companions by content, what the user's set-up adds, and
//! the version it prints. Contents come from the store's cache of digests, so an unchanged tool costs a `stat` per file.

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tapeout_model::{Attempt, Digest, Metric, Record, ToolSettings};
use tapeout_store::{Entry, KeyHasher, StoreError};

use crate::Engine;
use crate::execute::without_dots;

/// What tapeout knows of a tool before it has looked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The name by which steps ask for it, and that of its executable.
    pub name: &'static str,
    /// What it is, in a few words.
    pub summary: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
    /// Arguments that make it print its version; empty when it cannot.
    pub version_args: &'static [&'static str],
    /// The oldest version that works.
    pub minimum: Option<&'static str>,
    /// Files and directories that belong to it, relative to the directory of the real executable. Those that are not
    /// there do not count.
    pub companions: &'static [&'static str],
}

/// A version as numbers, compared part by part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(Vec<u64>);

impl Version {
    /// The first thing in a text that looks like a version: numbers with dots between them.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
            let word = word.trim_matches('.');
            word.contains('.').then(|| word.split('.').map(str::parse).collect::<Result<_, _>>().ok().map(Self))?
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// A tool that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundTool {
    /// What to execute: the executable, or what comes before it.
    pub argv: Vec<String>,
    /// The same as a person would type it.
    pub shown: Vec<String>,
    /// Environment variables for it.
    pub env: BTreeMap<String, String>,
    /// Where the executable is; with a prefix or a set-up, what is asked for there.
    pub path: String,
    /// The version it prints.
    pub version: Option<Version>,
    /// What it is, by content.
    pub identity: Digest,
    /// The files and directories that the identity covers.
    pub trees: Vec<PathBuf>,
}

/// Why a tool cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolProblem {
    /// There is none.
    #[error("`{name}` was not found{place}; it is in the Debian package `{package}`")]
    Missing {
        /// The tool.
        name: String,
        /// Where it was looked for, if not on `PATH`.
        place: String,
        /// The package that has it.
        package: String,
    },
    /// It is there and too old.
    #[error("`{name}` is version {found}, at least {minimum} is needed")]
    TooOld {
        /// The tool.
        name: String,
        /// Its version.
        found: Version,
        /// The oldest that works.
        minimum: String,
    },
    /// It is there and does not run, or its set-up does not.
    #[error("`{name}` does not run: {reason}")]
    Broken {
        /// The tool.
        name: String,
        /// What came instead.
        reason: String,
    },
    /// No step declares a tool of this name.
    #[error("there is no tool `{0}`")]
    Unknown(String),
}

type Found = Result<Arc<FoundTool>, ToolProblem>;

/// The tools that steps may ask for, the user's settings for them, and what was found so far.
#[derive(Default)]
pub struct Toolbox {
    tools: BTreeMap<String, (Tool, ToolSettings)>,
    found: Mutex<BTreeMap<String, Found>>,
}

impl Toolbox {
    /// A toolbox of these tools with these settings by name.
    #[must_use]
    pub fn new(tools: impl IntoIterator<Item = Tool>, settings: &BTreeMap<String, ToolSettings>) -> Self {
        let with_settings = |tool: Tool| {
            let settings = settings.get(tool.name).cloned().unwrap_or_default();
            (tool.name.to_owned(), (tool, settings))
        };
        Self { tools: tools.into_iter().map(with_settings).collect(), found: Mutex::default() }
    }

    /// All tools by name.
    pub fn tools(&self) -> impl Iterator<Item = &Tool> {
        self.tools.values().map(|(tool, _)| tool)
    }
}

impl Engine {
    /// Finds a tool, or says why it cannot be used. Looked for once per process.
    ///
    /// # Errors
    /// When the tool is missing, too old or broken.
    pub fn tool(&self, name: &str) -> Found {
        let toolbox = self.toolbox();
        if let Some(found) = toolbox.found.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return found.clone();
        }
        let found = match toolbox.tools.get(name) {
            Some((tool, settings)) => self.find_tool(tool, settings).map(Arc::new),
            None => Err(ToolProblem::Unknown(name.to_owned())),
        };
        toolbox.found.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), found.clone());
        found
    }

    fn find_tool(&self, tool: &Tool, settings: &ToolSettings) -> Result<FoundTool, ToolProblem> {
        let broken = |reason: String| ToolProblem::Broken { name: tool.name.to_owned(), reason };
        let mut key = KeyHasher::new("tool");
        let mut trees = Vec::new();
        key.text(tool.name).number(settings.env.len() as u64);
        for (name, value) in &settings.env {
            key.text(name).text(value);
        }
        let program = settings.path.clone().unwrap_or_else(|| tool.name.to_owned());
        let (argv, shown, path) = if !settings.prefix.is_empty() {
            let argv: Vec<String> = settings.prefix.iter().cloned().chain([program.clone()]).collect();
            let mut resolved = argv.clone();
            resolved[0] = self.resolve(&argv[0]).ok_or_else(|| missing(tool, &argv[0]))?.display().to_string();
            key.text("prefix").number(argv.len() as u64);
            argv.iter().for_each(|word| _ = key.text(word));
            (resolved, argv, program)
        } else if let Some(setup) = &settings.setup {
            let bash = self.resolve("bash").ok_or_else(|| broken("its set-up needs `bash`".to_owned()))?;
            let script = format!("set -e\n{setup}\nexec \"$@\"");
            let argv = vec![bash.display().to_string(), "-c".into(), script, "bash".into(), program.clone()];
            key.text("setup").text(setup);
            let question = vec![
                argv[0].clone(),
                "-c".into(),
                format!("set -e\n{{ {setup}\n}} >&2\ncommand -v \"$1\""),
                "bash".into(),
                program,
            ];
            let (code, answer) = self.capture(&question, &settings.env).map_err(broken)?;
            let path = answer.lines().last().unwrap_or_default().to_owned();
            if code != Some(0) || !path.starts_with('/') {
                return Err(broken(format!("after its set-up it is not on PATH. The set-up said: {}", answer.trim())));
            }
            trees = self.add_files(&mut key, tool, Path::new(&path)).map_err(|error| broken(error.to_string()))?;
            let mut shown = argv.clone();
            shown[0] = "bash".to_owned();
            (argv, shown, path)
        } else {
            let path = self.resolve(&program).ok_or_else(|| missing(tool, &program))?;
            trees = self.add_files(&mut key, tool, &path).map_err(|error| broken(error.to_string()))?;
            let path = path.display().to_string();
            (vec![path.clone()], vec![settings.path.as_ref().map_or(program, |_| path.clone())], path)
        };
        let files = key.finish();
        // What a prefix runs may change without a trace on this machine: it is asked each time.
        let version_text = self.version_text(tool, &argv, settings, (settings.prefix.is_empty()).then_some(files))?;
        let version = Version::find_in(&version_text);
        if let (Some(found), Some(minimum)) = (&version, tool.minimum)
            && Version::find_in(minimum).is_some_and(|minimum| *found < minimum)
        {
            return Err(ToolProblem::TooOld {
                name: tool.name.to_owned(),
                found: found.clone(),
                minimum: minimum.to_owned(),
            });
        }
        let mut identity = KeyHasher::new("tool identity");
        identity.digest(Some(&files)).text(&version_text);
        Ok(FoundTool { argv, shown, env: settings.env.clone(), path, version, identity: identity.finish(), trees })
    }

    /// An executable by name on `PATH`, or by path relative to the project.
    fn resolve(&self, program: &str) -> Option<PathBuf> {
        let is_executable =
            |path: &Path| fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0);
        if program.contains('/') {
            return Some(self.project().join(program)).filter(|path| is_executable(path));
        }
        env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(program)).find(|path| is_executable(path))
    }

    /// Adds the executable and its companions to a key and says which they are.
    fn add_files(&self, key: &mut KeyHasher, tool: &Tool, path: &Path) -> Result<Vec<PathBuf>, StoreError> {
        let real = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        key.digest(self.store().file_digest(&real)?.as_ref());
        let folder = real.parent().unwrap_or(Path::new("/")).to_owned();
        let mut trees = vec![real];
        for companion in tool.companions {
            let tree = without_dots(&folder.join(companion));
            let mut files = Vec::new();
            list_files(&tree, &mut files);
            trees.push(tree);
            files.sort();
            key.text(companion).number(files.len() as u64);
            for file in files {
                let name = file.strip_prefix(&folder).unwrap_or(&file);
                key.text(&name.to_string_lossy()).digest(self.store().file_digest(&file)?.as_ref());
            }
        }
        Ok(trees)
    }

    fn version_text(
        &self,
        tool: &Tool,
        argv: &[String],
        settings: &ToolSettings,
        cache_key: Option<Digest>,
    ) -> Result<String, ToolProblem> {
        if tool.version_args.is_empty() {
            return Ok(String::new());
        }
        let broken = |reason: String| ToolProblem::Broken { name: tool.name.to_owned(), reason };
        let key = cache_key.map(|files| {
            let mut key = KeyHasher::new("tool version");
            key.digest(Some(&files)).text(&tool.version_args.join(" "));
            key.finish()
        });
        if let Some(key) = key
            && let Some(entry) = self.store().entries(&key).pop()
            && let Some(Metric::Text(text)) = entry.record.metrics.get(VERSION)
        {
            return Ok(text.clone());
        }
        let question: Vec<String> =
            argv.iter().cloned().chain(tool.version_args.iter().map(|arg| (*arg).to_owned())).collect();
        let (_, text) = self.capture(&question, &settings.env).map_err(broken)?;
        if Version::find_in(&text).is_none() {
            let said = text.lines().next().unwrap_or("nothing");
            return Err(broken(format!(
                "asked for its version with `{}`, it said: {said}",
                tool.version_args.join(" ")
            )));
        }
        if let Some(key) = key {
            let metrics = [(VERSION.to_owned(), Metric::Text(text.clone()))].into();
            let record = Record { metrics, ..Record::default() };
            let entry = Entry { key, reads: Vec::new(), record, attempt: Attempt::default() };
            self.store().commit(entry).map_err(|error| broken(error.to_string()))?;
        }
        Ok(text)
    }
}

const VERSION: &str = "tool__version";

fn missing(tool: &Tool, program: &str) -> ToolProblem {
    let place = if program == tool.name { " on PATH".to_owned() } else { format!(" as `{program}`") };
    ToolProblem::Missing { name: tool.name.to_owned(), place, package: tool.package.to_owned() }
}

/// All regular files below a path, or the path itself when it is one. What cannot be listed has no files.
fn list_files(path: &Path, files: &mut Vec<PathBuf>) {
    let mut pending = vec![path.to_owned()];
    while let Some(path) = pending.pop() {
        match fs::read_dir(&path) {
            // Interpreters write their caches beside the sources.
            Ok(_) if path.file_name().is_some_and(|name| name == "__pycache__") => {}
            Ok(listing) => pending.extend(listing.filter_map(Result::ok).map(|entry| entry.path())),
            Err(_) if path.is_file() => files.push(path),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_what_tools_print_and_compared_as_numbers() {
        let cases = [
            ("Yosys 0.23 (git sha1 7ce5011c24b)", "0.23"),
            ("Icarus Verilog version 11.0 (stable) ()", "11.0"),
            ("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)", "5.6"),
            ("\"nextpnr-ice40\" -- Next Generation Place and Route (Version 0.4-1+b1)", "0.4"),
        ];
        for (text, version) in cases {
            assert_eq!(Version::find_in(text).unwrap().to_string(), version, "{text}");
        }
        assert!(Version::find_in("0.9") < Version::find_in("0.23"));
        assert_eq!(Version::find_in("no version, 2023"), None);
    }
}
