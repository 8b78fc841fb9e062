//! Tools: where each is, what it is, and whether it will do.

mod find;
mod parts;

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tapeout_model::{Digest, ToolSettings};

use crate::Engine;
pub(crate) use find::executable;
pub(crate) use parts::Parts;

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

/// A version: as it was written, compared as numbers.
#[derive(Clone, Debug)]
pub struct Version {
    numbers: Vec<u64>,
    text: String,
}

impl Version {
    /// The first thing in a text that looks like a version: numbers with dots between them.
    #[must_use]
    pub fn find_in(text: &str) -> Option<Self> {
        text.split(|c: char| !(c.is_ascii_digit() || c == '.')).find_map(|word| {
            let text = word.trim_matches('.');
            let numbers = text.split('.').map(str::parse).collect::<Result<Vec<u64>, _>>().ok()?;
            (numbers.len() > 1).then(|| Self { numbers, text: text.to_owned() })
        })
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }
}

impl Eq for Version {}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.numbers.cmp(&other.numbers)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A tool that was found.
#[derive(Debug)]
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
    /// How long it may run.
    pub(crate) timeout: Option<Duration>,
    /// Words in its log that mean that there was no licence for it.
    pub(crate) no_licence: Vec<String>,
    /// What it consists of.
    pub(crate) parts: Parts,
    identity: OnceLock<Result<Digest, ToolProblem>>,
}

impl FoundTool {
    /// What it is, in words: its version and where it was found.
    pub(crate) fn words(&self) -> Vec<(String, String)> {
        let version = self.version.iter().map(|version| (VERSION.to_owned(), version.to_string()));
        version.chain([(PATH.to_owned(), self.path.clone())]).collect()
    }
}

/// What the words of a tool are called.
pub(crate) const VERSION: &str = "version";
pub(crate) const PATH: &str = "path";

/// Why a tool cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ToolProblem {
    /// There is none.
    #[error("`{name}` was not found{place}{}", in_package(package))]
    Missing {
        /// The tool.
        name: String,
        /// Where it was looked for, if not on `PATH`.
        place: String,
        /// The package that has it, if that is known.
        package: String,
    },
    /// It is there and too old.
    #[error("`{name}` is version {found}, at least {minimum} is needed{by}")]
    TooOld {
        /// The tool.
        name: String,
        /// Its version.
        found: Version,
        /// The oldest that works.
        minimum: String,
        /// Who needs that, if it is not what tapeout needs: ` by the PDK sky130A`.
        by: String,
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

fn in_package(package: &str) -> String {
    if package.is_empty() { String::new() } else { format!("; it is in the Debian package `{package}`") }
}

/// A version of a tool that is needed beyond what tapeout itself needs.
#[derive(Clone, Debug)]
struct Demand {
    minimum: String,
    by: String,
}

impl Demand {
    /// A tool that tells no version is taken to be new enough, as elsewhere.
    fn met_by(&self, name: &str, tool: &FoundTool) -> Result<(), ToolProblem> {
        let too_old = tool
            .version
            .as_ref()
            .filter(|found| Version::find_in(&self.minimum).is_some_and(|minimum| **found < minimum));
        too_old.map_or(Ok(()), |found| {
            let by = format!(" by {}", self.by);
            Err(ToolProblem::TooOld { name: name.to_owned(), found: found.clone(), minimum: self.minimum.clone(), by })
        })
    }
}

type Found = Result<Arc<FoundTool>, ToolProblem>;

/// The tools that steps may ask for, the user's settings for them, and what was found so far.
#[derive(Default)]
pub struct Toolbox {
    tools: BTreeMap<String, (Tool, ToolSettings)>,
    demands: BTreeMap<String, Demand>,
    takes_any: bool,
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
        let tools = tools.into_iter().map(with_settings).collect();
        Self { tools, ..Self::default() }
    }

    /// Demands a version at least this new of a tool; `by` says who does, for messages. Of several demands the last holds.
    pub fn demand(&mut self, tool: &str, minimum: &str, by: &str) {
        self.demands.insert(tool.to_owned(), Demand { minimum: minimum.to_owned(), by: by.to_owned() });
    }

    /// Takes programs that nobody has told of for tools, too: by name on `PATH`, or by path from the project. Of these
    /// no version is known, and they consist of their executable alone.
    pub fn take_any(&mut self) {
        self.takes_any = true;
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
            Some((tool, settings)) => self.find_tool(name, tool, settings).and_then(|found| {
                toolbox.demands.get(name).map_or(Ok(()), |demand| demand.met_by(name, &found))?;
                Ok(Arc::new(found))
            }),
            None if toolbox.takes_any => {
                let tool =
                    Tool { name: "", summary: "", package: "", version_args: &[], minimum: None, companions: &[] };
                self.find_tool(name, &tool, &ToolSettings::default()).map(Arc::new)
            }
            None => Err(ToolProblem::Unknown(name.to_owned())),
        };
        toolbox.found.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), found.clone());
        found
    }

    /// The tools that were found so far.
    pub(crate) fn found_tools(&self) -> Vec<Arc<FoundTool>> {
        let found = self.toolbox().found.lock().unwrap_or_else(PoisonError::into_inner);
        found.values().flatten().cloned().collect()
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
            ("Verilator 5.006 2023-01-22 rev (Debian 5.006-3)", "5.006"),
            ("\"nextpnr-ice40\" -- Next Generation Place and Route (Version 0.4-1+b1)", "0.4"),
        ];
        for (text, version) in cases {
            assert_eq!(Version::find_in(text).unwrap().to_string(), version, "{text}");
        }
        assert!(Version::find_in("0.9") < Version::find_in("0.23"));
        assert_eq!(Version::find_in("no version, 2023"), None);
    }
}
