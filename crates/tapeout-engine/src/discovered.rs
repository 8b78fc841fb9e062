//! Discovered inputs: what tools say that they have read beyond the declared inputs, from the dependency files that they
//! write.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use tapeout_formats::makefile_deps;
use tapeout_model::{Class, Read};
use tapeout_store::{FileTime, Signature};

use crate::invocation::{DepFormat, Input};
use crate::work_dir::WorkDir;
use crate::{Failure, FoundTool, Invocation, JobCx};

impl JobCx<'_> {
    /// What the tools say they have read beyond the declared inputs.
    pub(crate) fn discovered(
        &self,
        dir: &WorkDir,
        invocation: &Invocation,
        tools: &[Arc<FoundTool>],
        started: FileTime,
    ) -> Result<Vec<Read>, Failure> {
        if invocation.depfiles.is_empty() {
            return Ok(Vec::new());
        }
        let declared = |path: &str| {
            invocation.inputs.iter().any(|input| match input {
                Input::Source { path: source } | Input::Copied { path: source, .. } => source == path,
                Input::Output(_) | Input::Text { .. } => false,
            })
        };
        let mut reads = BTreeMap::new();
        for (depfile, format) in &invocation.depfiles {
            let files = listed_files(&dir.path.join(depfile), *format).map_err(|reason| {
                Failure::new(Class::Tool, format!("cannot read the dependency file `{depfile}`: {reason}"))
            })?;
            for prerequisite in files {
                let Some((path, full)) = self.outside_of(dir, &prerequisite, tools) else { continue };
                if declared(&path) || reads.contains_key(&path) {
                    continue;
                }
                let found = self.engine.store().file_digest_and_signature(&full)?;
                let is_new = |signature: Signature| !signature.is_older_than(started) && !signature.is_ahead_of_clock();
                if found.is_some_and(|(_, signature)| is_new(signature)) {
                    return Err(Failure::changed(&path));
                }
                reads.insert(path, found.map(|(digest, _)| digest));
            }
        }
        Ok(reads.into_iter().map(|(path, digest)| Read::File { path, digest }).collect())
    }

    /// A file that a tool names from its work directory, as a path from the project and as an absolute one; nothing where
    /// it lies in the work directory or belongs to a tool.
    pub(crate) fn outside_of(&self, dir: &WorkDir, named: &str, tools: &[Arc<FoundTool>]) -> Option<(String, PathBuf)> {
        // `..` behind a link is not what its text says.
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let named = dir.path.join(named);
        let full = fs::canonicalize(&named).unwrap_or_else(|_| without_dots(&named));
        if full.starts_with(real(&dir.path)) || tools.iter().any(|tool| tool.parts.cover(&full)) {
            return None;
        }
        let project = real(self.project());
        Some((full.strip_prefix(&project).unwrap_or(&full).to_string_lossy().into_owned(), full))
    }
}

/// The files that a dependency file lists.
pub(crate) fn listed_files(depfile: &Path, format: DepFormat) -> Result<Vec<String>, String> {
    let text = fs::read_to_string(depfile).map_err(|error| error.to_string())?;
    Ok(match format {
        DepFormat::Makefile => {
            let rules = makefile_deps::parse(&text).map_err(|error| error.to_string())?;
            makefile_deps::prerequisites(&rules).into_iter().map(str::to_owned).collect()
        }
        DepFormat::Lines => text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect(),
    })
}

/// A path without `.` and `..`, by its text alone.
#[must_use]
pub fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = plain.pop(),
            other => plain.push(other),
        }
    }
    plain
}
