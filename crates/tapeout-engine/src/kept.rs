//! What is noted in the directory of a failed attempt, beside its files: what its tools read and how they ended. With
//! that, somebody else can have the same failure.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tapeout_model::{Attempt, Digest, Output, Read};
use tapeout_store::Entry;

use crate::discovered::listed_files;
use crate::invocation::Input;
use crate::work_dir::WorkDir;
use crate::{Failure, Invocation, JobCx};

/// The file that it is in.
const FILE: &str = ".attempt.json";

/// What is noted of a failed attempt.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptAttempt {
    /// The user's files that its tools were given, or are known to have read, with the digest of their content in
    /// hexadecimal digits; nothing for those that were not there. Paths are relative to the project, or absolute.
    pub sources: BTreeMap<String, Option<String>>,
    /// The files that were put into the directory before the tools ran.
    pub inputs: Vec<KeptFile>,
    /// The files that tools wrote in it, where they ended well.
    pub outputs: Vec<KeptFile>,
    /// The tools.
    pub tools: Vec<KeptTool>,
    /// The exit status of each command that ended. One that a signal ended has 128 and the number of the signal.
    pub statuses: Vec<i32>,
    /// Whether a further command was ended because its time was up, so that it has no status.
    pub timed_out: bool,
}

/// A file in the directory of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// Its name there.
    pub path: String,
    /// The digest of its content in hexadecimal digits.
    pub digest: String,
    /// Whether it may be executed.
    pub executable: bool,
}

/// A tool of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTool {
    /// The name by which the step asked for it.
    pub name: String,
    /// Where it was.
    pub path: String,
    /// Its version, if it prints one.
    pub version: Option<String>,
}

impl From<&tapeout_model::Output> for KeptFile {
    fn from(file: &tapeout_model::Output) -> Self {
        Self { path: file.path.clone(), digest: file.digest.to_string(), executable: file.executable }
    }
}

impl KeptAttempt {
    /// Reads what is noted in the directory of a failed attempt.
    ///
    /// # Errors
    /// Nothing is noted there, or another version noted it.
    pub fn read(dir: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(dir.join(FILE))?)?)
    }

    /// A file of the user's that was read, as it stands among [`KeptAttempt::sources`].
    #[must_use]
    pub fn source(read: Read) -> Option<(String, Option<String>)> {
        match read {
            Read::File { path, digest } => Some((path, digest.as_ref().map(Digest::to_string))),
            _ => None,
        }
    }

    /// Best effort: the failure itself is what counts.
    fn write(&self, dir: &Path) {
        if let Ok(text) = serde_json::to_vec_pretty(self) {
            let _ = fs::write(dir.join(FILE), text);
        }
    }
}

impl JobCx<'_> {
    /// Notes what is known of an attempt that failed, in its work directory.
    pub(crate) fn note_attempt(
        &self,
        dir: &WorkDir,
        invocation: &Invocation,
        attempt: &Attempt,
        statuses: &[i32],
        failure: &Failure,
    ) {
        let mut kept = KeptAttempt {
            inputs: attempt.inputs.iter().map(KeptFile::from).collect(),
            statuses: statuses.iter().copied().chain(failure.exit).collect(),
            timed_out: failure.cause == Some(crate::Cause::TimedOut),
            ..KeptAttempt::default()
        };
        let mut sources: Vec<String> = invocation
            .inputs
            .iter()
            .filter_map(|input| match input {
                Input::Source { path } | Input::Copied { path, .. } => Some(path.clone()),
                Input::Output(_) | Input::Text { .. } => None,
            })
            .collect();
        let found: Vec<_> = invocation.commands.iter().filter_map(|it| self.engine.tool(&it.tool).ok()).collect();
        for (depfile, format) in &invocation.depfiles {
            // A tool that failed may not have come to write it.
            let files = listed_files(&dir.path.join(depfile), *format).unwrap_or_default();
            let outside = files.iter().filter_map(|file| self.outside_of(dir, file, &found));
            sources.extend(outside.map(|(path, _)| path));
        }
        for path in sources {
            let digest = self.engine.store().file_digest(&self.absolute(&path)).unwrap_or_default();
            kept.sources.insert(path, digest.map(|digest| digest.to_string()));
        }
        for command in &invocation.commands {
            let Ok(tool) = self.engine.tool(&command.tool) else { continue };
            let (path, version) = (tool.path.clone(), tool.version.as_ref().map(ToString::to_string));
            let tool = KeptTool { name: command.tool.clone(), path, version };
            if !kept.tools.contains(&tool) {
                kept.tools.push(tool);
            }
        }
        kept.write(&dir.path);
    }

    /// Keeps some files of an attempt whose tools ended well, with results that are of no use, for looking at; gives their
    /// directory. `outputs`: files that are recorded. `completed`: what the tools gave.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn keep_failed<'o>(
        &self,
        files: &[(&str, &str)],
        outputs: impl IntoIterator<Item = &'o Output>,
        completed: &[&Entry],
    ) -> Result<PathBuf, Failure> {
        let failure = |error: io::Error| Failure::io("keep the failed attempt", &error);
        let dir = self.engine.work_dir().map_err(failure)?;
        for (name, text) in files {
            fs::write(dir.path.join(name), text).map_err(failure)?;
        }
        for output in outputs {
            self.engine.store().materialise(output, &dir.path.join(&output.path))?;
        }
        let mut kept = KeptAttempt::default();
        for entry in completed {
            kept.inputs.extend(entry.attempt().inputs.iter().map(KeptFile::from));
            kept.outputs.extend(entry.record().outputs.iter().map(KeptFile::from));
            kept.statuses.extend(&entry.record().statuses);
            kept.sources.extend(entry.reads().filter_map(KeptAttempt::source));
        }
        for read in self.reads() {
            match read {
                Read::Tool { name, .. } => {
                    if let Ok(tool) = self.engine.tool(name) {
                        let version = tool.version.as_ref().map(ToString::to_string);
                        kept.tools.push(KeptTool { name: name.clone(), path: tool.path.clone(), version });
                    }
                }
                other => kept.sources.extend(KeptAttempt::source(other.clone())),
            }
        }
        kept.write(&dir.path);
        Ok(dir.keep())
    }
}
