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
        let is_tool = |path: &Path| tools.iter().any(|tool| tool.parts.cover(path));
        // `..` behind a link is not what its text says.
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (work_dir, project) = (real(&dir.path), real(self.project()));
        let mut reads = BTreeMap::new();
        for (depfile, format) in &invocation.depfiles {
            let unreadable = |reason: String| {
                Failure::new(Class::Tool, format!("cannot read the dependency file `{depfile}`: {reason}"))
            };
            let text = fs::read_to_string(dir.path.join(depfile)).map_err(|error| unreadable(error.to_string()))?;
            let rules;
            let files: Vec<&str> = match format {
                DepFormat::Makefile => {
                    rules = makefile_deps::parse(&text).map_err(|error| unreadable(error.to_string()))?;
                    makefile_deps::prerequisites(&rules)
                }
                DepFormat::Lines => text.lines().filter(|line| !line.is_empty()).collect(),
            };
            for prerequisite in files {
                let named = dir.path.join(prerequisite);
                let full = fs::canonicalize(&named).unwrap_or_else(|_| without_dots(&named));
                if full.starts_with(&work_dir) || is_tool(&full) {
                    continue;
                }
                let path = full.strip_prefix(&project).unwrap_or(&full).to_string_lossy().into_owned();
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
}

/// A path without `.` and `..`, by its text alone.
pub(crate) fn without_dots(path: &Path) -> PathBuf {
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
