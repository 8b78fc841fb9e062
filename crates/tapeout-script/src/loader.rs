//! Files → modules: reads `flow.star` and everything that it loads, evaluates each once, and keeps what came out.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use starlark::PrintHandler;
use starlark::codemap::FileSpan;
use starlark::environment::{FrozenModule, Module as Scope};
use starlark::eval::{Evaluator, FileLoader};
use starlark::syntax::{AstModule, Dialect, DialectTypes};
use tapeout_config::{Diagnostic, FileId, Location, SourceMap, Span};
use tapeout_model::Digest;
use tapeout_store::hash_bytes;

use crate::diagnose;
use crate::globals::globals;
use crate::identity::{Module, ModuleText, Modules};
use crate::limits::Limits;
use crate::nesting::too_deep;
use crate::plugin::{MANIFEST, Plugin};
use crate::resolve::{self, Found, NotFound, Roots};
use crate::values::declarations::Declarations;

/// A file of the user's that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptFile {
    /// Where it is.
    pub path: PathBuf,
    /// What was in it.
    pub digest: Digest,
}

/// The language: Starlark with type annotations, statements at the top level, and f-strings.
pub(crate) const DIALECT: Dialect = Dialect {
    enable_keyword_only_arguments: true,
    enable_types: DialectTypes::Enable,
    enable_top_level_stmt: true,
    enable_f_strings: true,
    ..Dialect::Standard
};

/// Loads modules.
pub(crate) struct Loader<'a> {
    roots: Roots,
    sources: &'a mut SourceMap,
    pub(crate) modules: Modules,
    pub(crate) files: Vec<ScriptFile>,
    pub(crate) declarations: Declarations,
    pub(crate) problems: Vec<Diagnostic>,
    /// The plugins of which files were loaded.
    pub(crate) plugins: Vec<Plugin>,
    /// The text of each module that was read.
    texts: HashMap<Arc<str>, FileId>,
    /// The modules whose loads are being loaded, the outermost one first.
    open: Vec<Arc<str>>,
    limits: Limits,
}

/// Modules by the text of the `load` statement.
struct Loads<'a>(HashMap<&'a str, &'a FrozenModule>);

impl FileLoader for Loads<'_> {
    fn load(&self, path: &str) -> starlark::Result<FrozenModule> {
        // The loader has loaded them all, or this module would not be evaluated.
        let missing = || starlark::Error::new_other(std::io::Error::from(std::io::ErrorKind::NotFound));
        self.0.get(path).map(|module| (*module).clone()).ok_or_else(missing)
    }
}

impl PrintHandler for Declarations {
    fn println(&self, text: &str) -> starlark::Result<()> {
        self.say(text);
        Ok(())
    }
}

impl<'a> Loader<'a> {
    pub(crate) fn new(project: &Path, sources: &'a mut SourceMap, limits: Limits) -> Self {
        Self {
            roots: Roots { project: project.to_owned() },
            sources,
            modules: Modules::new(),
            files: Vec::new(),
            plugins: Vec::new(),
            declarations: Declarations::default(),
            problems: Vec::new(),
            texts: HashMap::new(),
            open: Vec::new(),
            limits,
        }
    }

    /// The text of a module, for places in it.
    pub(crate) fn file(&self, module: &str) -> Option<FileId> {
        self.texts.get(module).copied()
    }

    /// A place in a message.
    pub(crate) fn location(&self, span: Span) -> Location {
        self.sources.location(span)
    }

    /// Loads the file from which everything starts.
    pub(crate) fn root(&mut self, name: &str) -> Option<Arc<str>> {
        let found = self.roots.find(&format!("//{name}"), "");
        match found.and_then(|found| Ok((resolve::text(&found)?, found))) {
            Ok((text, found)) => self.module(found, text),
            Err(NotFound { message, help }) => {
                let problem = Diagnostic::error(message);
                self.problems.push(match help {
                    Some(help) => problem.help(help),
                    None => problem,
                });
                None
            }
        }
    }

    /// The module that a `load` statement names; nothing if something is wrong with it, which has been said.
    fn load(&mut self, text: &str, from: &str, at: Span) -> Option<Arc<str>> {
        let complain = |NotFound { message, help }| {
            let problem = Diagnostic::error(message).at(at, "");
            match help {
                Some(help) => problem.help(help),
                None => problem,
            }
        };
        let found = match self.roots.find(text, from) {
            Ok(found) => found,
            Err(not_found) => {
                self.problems.push(complain(not_found));
                return None;
            }
        };
        if let Some(start) = self.open.iter().position(|open| *open == found.id) {
            let mut round: Vec<&str> = self.open[start..].iter().map(|id| &**id).collect();
            round.push(&found.id);
            let problem = Diagnostic::error(format!("files load each other in a circle: {}", round.join(" → ")));
            self.problems.push(problem.at(at, "").help("move what both need into a third file"));
            return None;
        }
        if self.texts.contains_key(&found.id) {
            return self.modules.contains_key(&found.id).then_some(found.id);
        }
        match resolve::text(&found) {
            Ok(text) => self.module(found, text),
            Err(not_found) => {
                self.problems.push(complain(not_found));
                None
            }
        }
    }

    /// Loads a module whose text has been read.
    fn module(&mut self, found: Found, text: String) -> Option<Arc<str>> {
        let Found { id, path, plugin } = found;
        if let Some(plugin) = plugin.filter(|plugin| !self.plugins.iter().any(|known| known.dir == plugin.dir)) {
            self.files.push(ScriptFile { path: plugin.dir.join(MANIFEST), digest: plugin.digest });
            self.plugins.push(plugin);
        }
        if let Some(path) = path {
            self.files.push(ScriptFile { path, digest: hash_bytes(text.as_bytes()) });
        }
        let file = self.sources.add(&*id, text.as_str());
        self.texts.insert(Arc::clone(&id), file);
        self.declarations.add_file(&id, file);
        if let Some(at) = too_deep(&text, &DIALECT) {
            self.problems.push(Diagnostic::error("this nests too deep").at(Span::new(file, at, at + 1), ""));
            return None;
        }
        let ast = match AstModule::parse(&id, text.clone(), &DIALECT) {
            Ok(ast) => ast,
            Err(error) => {
                self.complain(&id, &error);
                return None;
            }
        };
        self.open.push(Arc::clone(&id));
        let statements: Vec<(String, Span)> = ast
            .loads()
            .iter()
            .filter_map(|load| Some((load.module_id.to_owned(), self.declarations.span(&load.span)?)))
            .collect();
        // All of them, so that all that is wrong is said at once.
        let loads: Vec<Option<Arc<str>>> = statements.iter().map(|(text, at)| self.load(text, &id, *at)).collect();
        self.open.pop();
        let loads: Vec<Arc<str>> = loads.into_iter().collect::<Option<_>>()?;
        let module_text = ModuleText::new(&ast, &text, &DIALECT, loads);
        let by_text = statements.iter().zip(&module_text.loads);
        let by_text = by_text.filter_map(|((text, _), id)| Some((text.as_str(), &self.modules.get(id)?.frozen)));
        let frozen = match self.evaluate(&id, ast, &Loads(by_text.collect())) {
            Ok(frozen) => frozen,
            Err(error) => {
                self.complain(&id, &error);
                return None;
            }
        };
        self.modules.insert(Arc::clone(&id), Module { text: module_text, frozen });
        Some(id)
    }

    fn evaluate(&self, id: &Arc<str>, ast: AstModule, loads: &Loads<'_>) -> starlark::Result<FrozenModule> {
        self.declarations.begin(Arc::clone(id));
        Scope::with_temp_heap(|scope| {
            {
                let mut eval = Evaluator::new(&scope);
                self.limits.apply(&mut eval);
                eval.set_loader(loads);
                eval.set_print_handler(&self.declarations);
                eval.extra = Some(&self.declarations);
                eval.eval_module(ast, globals())?;
            }
            Ok(scope.freeze()?)
        })
    }

    fn complain(&mut self, module: &str, error: &starlark::Error) {
        let span = |place: &FileSpan| self.declarations.span(place);
        self.problems.push(diagnose::diagnostic(error, module, self.limits, &span));
    }
}
