//! Configurations in Tcl: which PDK a script sees, whether options, the environment, weaker layers or the script itself
//! choose it. What the PDK's own scripts give is `pdk`'s; how a script is evaluated is `read::tcl`'s.

use std::path::Path;

use crate::diagnostic::Diagnostic;
use crate::layer::Given;
use crate::load::{Loaded, NamedOption};
use crate::pdk;
use crate::references::{DESIGN_DIR, is_reference};
use crate::sections::Process;
use crate::source::SourceMap;
use crate::tree::{Node, Tree};

impl Loaded {
    /// A script may ask what the PDK sets, and may itself choose the PDK: then it is evaluated twice.
    pub(crate) fn evaluate_tcl(&self, path: &Path, sources: &mut SourceMap) -> Result<Node, Diagnostic> {
        let dir = (DESIGN_DIR.to_owned(), self.design_dir.to_string_lossy().into_owned());
        let before = self.chosen.clone().or(Process::of(&self.design_dir, |name| self.text_of(name)));
        let mut process = before.clone();
        if self.chosen.pdk.is_none() {
            // Where no PDK can be read, that may not be the one that the script chooses.
            let mut given = self.env_of(&before, &mut SourceMap::new()).unwrap_or_default();
            if given.is_empty() {
                given.extend(["PDK", "STD_CELL_LIBRARY"].map(|name| (name.to_owned(), String::new())));
            }
            given.push(dir.clone());
            if let Ok(first) = pdk::evaluate(self, path, &before, &given, &mut SourceMap::new()) {
                let is_set = |pair: &&(String, String)| !pair.1.is_empty() && !given.contains(pair);
                let set = |name: &str| first.env.iter().filter(is_set).find(|(set, _)| set == name);
                let by_script = Process::of(&self.design_dir, |name| set(name).map(|(_, value)| value.clone()));
                process = self.chosen.clone().or(by_script).or(before);
            }
        }
        let mut given = self.env_of(&process, sources)?;
        given.push(dir);
        let made = pdk::evaluate(self, path, &process, &given, sources).map_err(|diagnostic| {
            let asks = |name: &str| diagnostic.message.contains(&format!("::env({name})"));
            match (&process.pdk, &process.root) {
                _ if !["PDK", "PDK_ROOT", "PDKPATH", "STD_CELL_LIBRARY"].into_iter().any(asks) => diagnostic,
                (None, _) => diagnostic.help("choose a PDK with `--pdk NAME` and `--pdk-root DIR`"),
                (Some(_), None) => diagnostic.help("choose the directory that the PDK is in with `--pdk-root DIR`"),
                (Some(_), Some(_)) => diagnostic,
            }
        })?;
        let Tree::Map(mut entries) = made.variables.value else { return Ok(made.variables) };
        // What a script takes away from the PDK is not there.
        let gone = made.removed.into_iter().map(|key| (key.clone(), Node { value: Tree::Null, span: key.span }));
        entries.extend(gone);
        Ok(Node { value: Tree::Map(entries), span: made.variables.span })
    }

    /// What the PDK and its library set, as scripts see it. Nothing if none is chosen.
    fn env_of(&self, process: &Process, sources: &mut SourceMap) -> Result<Vec<(String, String)>, Diagnostic> {
        match process.path(self.pdks) {
            Some(_) => pdk::environment(self, process, sources),
            None => Ok(Vec::new()),
        }
    }

    /// What the layers so far give for a variable, where that is text as it stands.
    fn text_of(&self, name: &str) -> Option<String> {
        let entry = self.entries.iter().rfind(|entry| entry.key.name == name)?;
        match &entry.given {
            Given::Tree(Node { value: Tree::Str(text), .. }) if !is_reference(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// What options and environment say about the PDK, before any file is read.
    pub(crate) fn choose_process(&mut self, sets: &[String], options: &[NamedOption]) {
        let given = |name: &str| {
            let by_option = options.iter().rfind(|option| option.variable == name);
            let by_set = sets.iter().rev().find_map(|set| set.strip_prefix(name)?.strip_prefix('='));
            let by_option = by_option.map(|option| option.value.as_str());
            by_option.or(by_set).or_else(|| self.env.get(name).map(String::as_str)).map(str::to_owned)
        };
        self.chosen = Process::of(&self.design_dir, given);
    }
}
