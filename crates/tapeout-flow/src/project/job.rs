//! A target as a job of the engine.

use std::path::Path;
use std::sync::Arc;

use tapeout_config::matching;
use tapeout_engine::{Failure, Identity, JobBody, JobCx};
use tapeout_model::{FilePath, Record};

use super::{Block, FlowPlanner, Project, TargetId, Task, TaskCx};

/// What the targets of a run have in common.
pub(super) struct Site {
    pub(super) project: Arc<Project>,
    /// The build directory: relative to the project where it lies in it, else absolute.
    pub(super) build_dir: String,
    /// What plans the flows that tasks ask for.
    pub(super) planner: FlowPlanner,
}

pub(super) struct TargetJob {
    pub(super) site: Arc<Site>,
    pub(super) target: TargetId,
}

/// The settings that a task may read, by what their names begin with.
pub(super) mod setting {
    pub(in super::super) const PARAM: &str = "parameter ";
    pub(in super::super) const FILES: &str = "files ";
    pub(in super::super) const FLOW: &str = "flow ";
    pub(in super::super) const DIRECTORY: &str = "directory ";

    pub(in super::super) fn param(name: &str) -> String {
        format!("{PARAM}{name}")
    }

    pub(in super::super) fn files(pattern: &str) -> String {
        format!("{FILES}{pattern}")
    }

    pub(in super::super) fn directory(path: &str) -> String {
        format!("{DIRECTORY}{path}")
    }

    pub(in super::super) fn flow(request: &str) -> String {
        format!("{FLOW}{request}")
    }
}

/// The names of the parts of a target's identity.
pub(super) const TARGET: &str = "(target)";
pub(super) const REQUIRES: &str = "(requires)";

impl JobBody for TargetJob {
    fn identify(&self, identity: &mut Identity<'_>) {
        let name = |target| (self.project().block(target).0, &self.project().task(target).id);
        let (block, task) = name(self.target);
        identity.joined(TARGET, &[block, ".", task]);
        for (requirement, required) in self.project().required(self.target) {
            let (block, task) = name(required);
            identity.part(REQUIRES, requirement).joined(REQUIRES, &[block, ".", task]);
        }
        self.task().body.identify(identity);
    }

    fn settings(&self) -> Vec<String> {
        self.block().1.params.iter().map(|(name, _)| setting::param(name)).collect()
    }

    fn setting(&self, name: &str) -> Option<String> {
        if let Some(name) = name.strip_prefix(setting::PARAM) {
            let (_, value) = self.block().1.params.iter().find(|(known, _)| known == name)?;
            return Some(value.to_json().to_string());
        }
        if let Some(pattern) = name.strip_prefix(setting::FILES) {
            return Some(self.list(pattern).ok()?.join("\n"));
        }
        if let Some(path) = name.strip_prefix(setting::DIRECTORY) {
            return self.is_dir(path).then(|| "there".to_owned());
        }
        self.site.planner.setting(name.strip_prefix(setting::FLOW)?)
    }

    fn run(&self, job: &mut JobCx<'_>) -> Result<Record, Failure> {
        let mut cx = TaskCx::new(job, self);
        match self.task().body.run(&mut cx) {
            Ok(data) => cx.finish(data),
            Err(failure) => Err(cx.keeping(failure)),
        }
    }
}

impl TargetJob {
    pub(super) fn project(&self) -> &Project {
        &self.site.project
    }

    pub(super) fn block(&self) -> (&str, &Block) {
        self.project().block(self.target)
    }

    pub(super) fn task(&self) -> &Task {
        self.project().task(self.target)
    }

    pub(super) fn name(&self) -> String {
        self.project().name(self.target)
    }

    pub(super) fn build_dir(&self) -> &str {
        &self.site.build_dir
    }

    /// The files of the project's that match a pattern, in order. What targets give is none of them, unless the pattern
    /// names the build directory.
    pub(super) fn list(&self, pattern: &str) -> Result<Vec<String>, String> {
        let mut found = matching(self.project().root(), pattern)?;
        let built = format!("{}/", FilePath::Source(String::new()).join(self.build_dir()));
        if !pattern.starts_with(&built) {
            found.retain(|path| !path.starts_with(&built));
        }
        Ok(found)
    }

    pub(super) fn is_dir(&self, path: &str) -> bool {
        self.project().root().join(path).is_dir()
    }

    /// A file that may have been meant by one that is not there.
    pub(super) fn near(&self, path: &str) -> Option<String> {
        let root = self.project().root();
        let near = tapeout_config::nearest_file(&root.join(path))?;
        Some(near.strip_prefix(root).unwrap_or(Path::new(&near)).display().to_string())
    }
}
