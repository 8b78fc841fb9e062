//! `include`: files that a configuration file stands upon. Their paths are relative to the directory of the file that
//! names them; of several, the later beats the earlier, and the including file beats them all.

use std::path::{Path, PathBuf};

use crate::diagnostic::Diagnostic;
use crate::read::Format;
use crate::source::{SourceMap, Span};
use crate::tree::{MAX_DEPTH, Node, Tree};

/// Files that include each other twice over, level by level, would be read 2^n times.
const MAX_FILES: usize = 1000;

type ReadFile<'a> = dyn FnMut(&Path, &mut SourceMap) -> Result<(Node, Format), Diagnostic> + 'a;

/// Reads a file after those that it includes, and puts each into `files`.
pub(crate) fn read(
    path: &Path,
    sources: &mut SourceMap,
    files: &mut Vec<(Node, Format)>,
    diagnostics: &mut Vec<Diagnostic>,
    read_file: &mut ReadFile<'_>,
) {
    let mut includer = Includer { sources, files, diagnostics, read_file, open: Vec::new(), read: 0 };
    includer.file(path, None);
}

struct Includer<'a, 'r> {
    sources: &'a mut SourceMap,
    files: &'a mut Vec<(Node, Format)>,
    diagnostics: &'a mut Vec<Diagnostic>,
    read_file: &'a mut ReadFile<'r>,
    /// The files being read, each included by the one before it.
    open: Vec<PathBuf>,
    read: usize,
}

impl Includer<'_, '_> {
    fn file(&mut self, path: &Path, from: Option<Span>) {
        if let Err(diagnostic) = self.enter(path) {
            self.diagnostics.push(match (&diagnostic.label, from) {
                (None, Some(span)) => diagnostic.at(span, "included here"),
                _ => diagnostic,
            });
        }
    }

    fn enter(&mut self, path: &Path) -> Result<(), Diagnostic> {
        let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if self.open.contains(&real) {
            return Err(Diagnostic::error(format!("configuration `{}` includes itself", path.display())));
        }
        self.read += 1;
        if self.read > MAX_FILES || self.open.len() >= MAX_DEPTH {
            return Err(Diagnostic::error(format!(
                "more than {MAX_FILES} included configurations, or more than {MAX_DEPTH} deep"
            )));
        }
        let (node, format) = (self.read_file)(path, self.sources)?;
        self.open.push(real);
        self.included(path, &node);
        self.open.pop();
        self.files.push((node, format));
        Ok(())
    }

    fn included(&mut self, path: &Path, node: &Node) {
        let Tree::Map(entries) = &node.value else { return };
        let Some((_, include)) = entries.iter().find(|(key, _)| key.name == "include") else { return };
        let paths = match &include.value {
            Tree::List(paths) => paths.as_slice(),
            _ => std::slice::from_ref(include),
        };
        let dir = path.parent().unwrap_or(Path::new(""));
        for node in paths {
            match &node.value {
                Tree::Str(text) => self.file(&dir.join(text), Some(node.span)),
                _ => self.diagnostics.push(
                    Diagnostic::error(format!("`include` must be a path or a list of paths, not {}", node.kind()))
                        .at(node.span, "expected a path")
                        .help("paths of included files are relative to the file that includes them"),
                ),
            }
        }
    }
}
