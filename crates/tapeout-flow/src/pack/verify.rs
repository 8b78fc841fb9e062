//! Whether a pack does what it says: it is run in a directory of its own, far from the project.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;
use tapeout_engine::{Elsewhere, Engine, Failure, confinement_support};
use tapeout_model::Class;

use super::Pack;
use super::script::OTHER_END;
use super::words::with_paths;
use crate::tree::disk;

/// What came out when a pack was run elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// The exit status that the last command had in the project.
    pub expected: i32,
    /// The one that it has elsewhere; nothing if it did not come to it.
    pub status: Option<i32>,
    /// The files that are not the same, or not there.
    pub differs: Vec<String>,
    /// What the tools complained of in the project, if they do not elsewhere.
    pub unsaid: Option<String>,
    /// Files of the step's result that are not its tools' work but its own.
    pub own: Vec<String>,
    /// Whether the tools could touch nothing but the pack and what comes with them.
    pub confined: bool,
    /// The last lines that they said.
    pub words: Vec<String>,
}

/// How many of the last lines are told.
const WORDS: usize = 8;

impl Verified {
    /// Whether the same came out.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.status == Some(self.expected) && self.differs.is_empty() && self.unsaid.is_none()
    }
}

impl Pack {
    /// Whether it can be verified: what was ended when its time was up has no end to compare with.
    #[must_use]
    pub fn has_an_end(&self) -> bool {
        !self.timed_out && self.statuses.len() == self.commands.len()
    }

    /// Runs it in a new directory outside of the project, and compares.
    ///
    /// # Errors
    /// When that directory cannot be written, or the tools cannot be started.
    pub fn verify(&self, engine: &Engine) -> Result<Verified, Failure> {
        let temporary = tempfile::Builder::new().prefix("tapeout-pack-").tempdir();
        let temporary = temporary.map_err(|error| Failure::io("make a temporary directory", &error))?;
        let dir = temporary.path().canonicalize().map_err(disk("find", temporary.path()))?.join("pack");
        self.write(&dir)?;
        let log = temporary.path().join("log");
        let tools: Vec<PathBuf> = self.tools.iter().map(|tool| PathBuf::from(&tool.path)).collect();
        if let Some(missing) = tools.iter().find(|tool| tool.is_absolute() && !tool.is_file()) {
            let message = format!("`{}` is not there any more, so that the pack cannot be verified", missing.display());
            return Err(Failure::new(Class::Environment, message).hint("`--no-verify` packs without that"));
        }
        // What a prefix or a set-up starts is out of sight.
        let begins_with = |command: &str, tool: &Path| {
            tool.is_absolute() && tool.file_name() == program(command).map(std::ffi::OsStr::new)
        };
        let plain = |command: &String| tools.iter().any(|tool| begins_with(command, tool));
        let confined = self.commands.iter().all(plain) && confinement_support().is_some();
        let status = engine.run_elsewhere(&Elsewhere {
            dir: &dir,
            script: "run.sh",
            tools: &tools,
            confined,
            log: &log,
            timeout: None,
        })?;
        let words = fs::read(&log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let (mut differs, mut own) = (Vec::new(), Vec::new());
        for output in &self.outputs {
            let path = dir.join(self.layout.work()).join(&output.path);
            if !path.is_file() {
                let list = if self.names(&output.path) { &mut differs } else { &mut own };
                list.push(output.path.clone());
            } else if engine.store().content_digest(&path)?.to_string() != output.digest {
                differs.push(output.path.clone());
            }
        }
        let said = self.log.as_ref().map(|(_, log)| String::from_utf8_lossy(log).into_owned());
        let expected = self.statuses.last().copied().unwrap_or_default();
        let complaint = said.as_deref().filter(|_| expected != 0).and_then(complaint);
        let complaint = complaint.filter(|line| !words.lines().any(|other| plain_line(other) == plain_line(line)));
        let lines: Vec<&str> = words.lines().filter(|line| !line.trim().is_empty()).collect();
        Ok(Verified {
            expected,
            unsaid: complaint.map(str::to_owned),
            status: Some(status).filter(|status| *status != OTHER_END),
            differs,
            own,
            confined,
            words: lines.iter().rev().take(WORDS).rev().map(|line| (*line).to_owned()).collect(),
        })
    }
}

/// The program that a command line begins with, after variables that it sets.
fn program(command: &str) -> Option<&str> {
    command.split_whitespace().find(|word| !word.contains('='))
}

/// The first line of a log that tells of an error.
fn complaint(log: &str) -> Option<&str> {
    log.lines().find(|line| ["error", "fatal"].iter().any(|word| line.to_lowercase().contains(word)))
}

/// A line without the directories of the files that it names, which are others elsewhere.
fn plain_line(line: &str) -> String {
    with_paths(line, |path| Some(path.rsplit('/').next()?.to_owned()))
}
