//! A project's scripts, loaded.

use std::path::Path;
use std::thread;

use tapeout_config::{Diagnostic, SourceMap};
use tapeout_flow::Registry;
use tapeout_flow::project::Project;

use crate::limits::Limits;
use crate::loader::{Loader, ScriptFile};
use crate::plugin::Plugin;
use crate::project;
use crate::steps::{self, Made, made};
use crate::values::scripted::Scripted;

/// The file from which everything is loaded.
pub const FLOW_FILE: &str = "flow.star";

/// A deep expression must not end the program.
const STACK: usize = 256 << 20;

/// What `flow.star` and the files that it loads declare.
pub struct Script {
    doc: String,
    files: Vec<ScriptFile>,
    plugins: Vec<Plugin>,
    said: Vec<String>,
    project: Option<Project>,
    made: Made,
    #[cfg(test)]
    pub(crate) bodies: std::collections::HashMap<(String, String), std::sync::Arc<crate::task::StarTask>>,
}

impl Script {
    /// Loads the `flow.star` in the directory of a project. The texts of all files go to `sources`, under their paths
    /// from there. `registry` has the flows that are there already; what the script declares comes to it by
    /// [`Script::register`].
    ///
    /// # Errors
    /// All that is wrong with the files, as far as it can be found.
    pub fn load(root: &Path, registry: &Registry, sources: &mut SourceMap) -> Result<Self, Vec<Diagnostic>> {
        let root = &std::path::absolute(root).unwrap_or_else(|_| root.to_owned());
        thread::scope(|scope| {
            let load = || load(root, registry, sources, Limits::LOAD);
            let thread = thread::Builder::new().name("scripts".to_owned()).stack_size(STACK).spawn_scoped(scope, load);
            match thread.map(thread::ScopedJoinHandle::join) {
                Ok(Ok(loaded)) => loaded,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(error) => Err(vec![Diagnostic::error(format!("cannot start a thread: {error}"))]),
            }
        })
    }

    /// The documentation of `flow.star`.
    #[must_use]
    pub fn doc(&self) -> &str {
        &self.doc
    }

    /// The files that were read, as they were.
    #[must_use]
    pub fn files(&self) -> &[ScriptFile] {
        &self.files
    }

    /// The plugins of which files were loaded.
    #[must_use]
    pub fn plugins(&self) -> &[Plugin] {
        &self.plugins
    }

    /// What the files said by `print` while they were loaded.
    #[must_use]
    pub fn said(&self) -> &[String] {
        &self.said
    }

    /// Adds the steps, tools and flows that the script declares to the registry with which it was loaded.
    ///
    /// # Errors
    /// What has the id of something built in, or of another one, without saying that it replaces it; what refers to a step,
    /// tool or flow that is not there.
    pub fn register(&self, registry: &mut Registry) -> Result<(), Vec<Diagnostic>> {
        steps::register(&self.made, registry)
    }

    /// The project, if there is a `flow` in `flow.star`.
    #[must_use]
    pub fn project(&self) -> Option<&Project> {
        self.project.as_ref()
    }

    /// The same, to keep.
    #[must_use]
    pub fn into_project(self) -> Option<Project> {
        self.project
    }
}

fn load(root: &Path, registry: &Registry, sources: &mut SourceMap, limits: Limits) -> Result<Script, Vec<Diagnostic>> {
    let mut loader = Loader::new(root, sources, limits);
    loader.declarations.scripted = Scripted::beside(registry);
    let module = loader.root(FLOW_FILE);
    let mut problems = std::mem::take(&mut loader.problems);
    problems.extend(loader.declarations.take_problems());
    let Some(module) = module.filter(|_| problems.is_empty()) else {
        Diagnostic::sort(&mut problems);
        return Err(problems);
    };
    let declared = both(project::declared(&loader, &module), made(&loader));
    let plugins = std::mem::take(&mut loader.plugins);
    let (files, said) = (std::mem::take(&mut loader.files), loader.declarations.take_said());
    let doc = loader.modules.get(&module).map_or(String::new(), |module| module.text.doc.clone());
    let script = declared.and_then(|(declared, made)| {
        let project = declared.blocks.map(|blocks| Project::new(root, blocks)).transpose()?;
        Ok(Script {
            doc,
            files,
            plugins,
            said,
            project: project.map(|project| project.with_licences(declared.licences)),
            made,
            #[cfg(test)]
            bodies: declared.bodies,
        })
    });
    match script {
        Ok(script) => Ok(script),
        Err(mut problems) => {
            Diagnostic::sort(&mut problems);
            Err(problems)
        }
    }
}

/// Both, or all that is wrong with either.
fn both<A, B>(a: Result<A, Vec<Diagnostic>>, b: Result<B, Vec<Diagnostic>>) -> Result<(A, B), Vec<Diagnostic>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(mut problems), Err(more)) => {
            problems.extend(more);
            Err(problems)
        }
        (Err(problems), Ok(_)) | (Ok(_), Err(problems)) => Err(problems),
    }
}
