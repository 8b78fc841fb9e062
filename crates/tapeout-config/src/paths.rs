//! Paths in values: references to the design directory, globs, existence, and the form in which paths are stored.
//!
//! A stored path is relative to the design directory, as the user gave it, without `.` and `a/..`. It is absolute only
//! if the user wrote an absolute path that does not lie in the design directory.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use glob::Pattern;

use crate::diagnostic::Diagnostic;
use crate::matches;
use crate::source::Span;
use crate::suggest;

/// What a path must name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Anything that exists; of what a pattern matches, no directories.
    Any,
    /// A directory.
    Dir,
    /// As [`Kind::Any`], also where it is one of many that a pattern matches.
    Either,
}

/// Looks paths up for one configuration.
#[derive(Debug)]
pub(crate) struct Paths {
    design_dir: PathBuf,
    /// The design directory as the user named it, for messages.
    given: PathBuf,
    /// The design directory as it may also be written in absolute paths.
    roots: Vec<PathBuf>,
    globs: Vec<String>,
    /// The same, to be looked up.
    expanded: HashSet<String>,
}

impl Paths {
    /// `design_dir` is absolute, `given` the same directory as the user named it.
    pub(crate) fn new(design_dir: &Path, given: &Path) -> Self {
        let mut roots = vec![normalise(design_dir)];
        roots.extend(design_dir.canonicalize().ok().filter(|canonical| *canonical != roots[0]));
        Self {
            design_dir: design_dir.to_owned(),
            given: given.to_owned(),
            roots,
            globs: Vec::new(),
            expanded: HashSet::new(),
        }
    }

    /// Takes over patterns that were expanded before.
    pub(crate) fn take_over(&mut self, globs: &[String]) {
        self.globs.extend_from_slice(globs);
        self.expanded.extend(globs.iter().cloned());
    }

    pub(crate) fn into_globs(self) -> Vec<String> {
        self.globs
    }

    /// The file that a stored path names.
    pub(crate) fn locate(&self, stored: &str) -> PathBuf {
        self.design_dir.join(stored)
    }

    /// The same file under the name that the user expects to read.
    pub(crate) fn shown(&self, stored: &str) -> PathBuf {
        normalise(&self.given.join(stored))
    }

    /// The form in which a path is stored.
    pub(crate) fn stored(&self, path: &Path) -> PathBuf {
        let path = normalise(path);
        for root in &self.roots {
            if let Ok(below) = path.strip_prefix(root) {
                return if below.as_os_str().is_empty() { PathBuf::from(".") } else { below.to_owned() };
            }
        }
        path
    }

    /// The existing paths that `text` names: one, or all that match if it is a pattern. `at` names the variable.
    pub(crate) fn expand(&mut self, at: &str, text: &str, kind: Kind, span: Span) -> Result<Vec<String>, Diagnostic> {
        if text.is_empty() {
            return Err(Diagnostic::error(format!("`{at}`: the path is empty")).at(span, "expected a path"));
        }
        let stored = self.stored(Path::new(text));
        let stored = stored.to_str().expect("a path made from text is text");
        let file = self.locate(stored);
        // What exists under the very name is meant, even if it looks like a pattern.
        if file.exists() {
            return match kind {
                Kind::Dir if !file.is_dir() => Err(Diagnostic::error(format!("`{at}`: `{stored}` is not a directory"))
                    .at(span, "expected a directory")),
                _ => Ok(vec![stored.to_owned()]),
            };
        }
        if stored.contains(['*', '?', '[']) {
            return self.glob(at, stored, kind, span);
        }
        Err(self.missing(at, stored, span))
    }

    /// What a pattern matches, whatever it is; the pattern itself where it matches nothing.
    pub(crate) fn any(&mut self, at: &str, text: &str, span: Span) -> Vec<String> {
        let stored = self.stored(Path::new(text)).to_string_lossy().into_owned();
        if self.locate(&stored).exists() {
            return vec![stored];
        }
        self.glob(at, &stored, Kind::Either, span).unwrap_or_else(|_| vec![text.to_owned()])
    }

    fn glob(&mut self, at: &str, pattern: &str, kind: Kind, span: Span) -> Result<Vec<String>, Diagnostic> {
        if self.expanded.insert(pattern.to_owned()) {
            self.globs.push(pattern.to_owned());
        }
        let invalid = |reason: &str| {
            Diagnostic::error(format!("`{at}`: `{pattern}` is not a valid pattern")).at(span, reason.to_owned())
        };
        let whole = if Path::new(pattern).is_absolute() {
            pattern.to_owned()
        } else {
            let root = self.design_dir.to_str().ok_or_else(|| invalid("the design directory's path is not UTF-8"))?;
            format!("{}/{pattern}", Pattern::escape(root))
        };
        let mut found = Vec::new();
        for path in matches::of(&whole).map_err(|error| match error {
            matches::Error::Pattern(reason) => invalid(reason),
            matches::Error::Unread(path, error) => {
                Diagnostic::error(format!("`{at}`: cannot read `{}`: {error}", path.display()))
                    .at(span, "while looking for this pattern")
            }
        })? {
            if kind != Kind::Either && path.is_dir() != (kind == Kind::Dir) {
                continue;
            }
            let stored = match path.strip_prefix(&self.design_dir) {
                Ok(below) => normalise(below),
                Err(_) => self.stored(&path),
            };
            let Some(stored) = stored.to_str() else {
                return Err(Diagnostic::error(format!("`{at}`: the path `{}` is not UTF-8", stored.display()))
                    .at(span, "matched by this pattern"));
            };
            found.push(stored.to_owned());
        }
        if found.is_empty() {
            let what = if kind == Kind::Dir { "directory" } else { "file" };
            return Err(Diagnostic::error(format!("`{at}`: no {what} matches `{pattern}`"))
                .at(span, "matches nothing")
                .help(self.base()));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    fn missing(&self, at: &str, stored: &str, span: Span) -> Diagnostic {
        let help = match suggest::nearest_file(&self.locate(stored)) {
            Some(near) => format!("did you mean `{}`?", self.stored(&near).display()),
            None => self.base(),
        };
        Diagnostic::error(format!("`{at}`: `{stored}` does not exist")).at(span, "no such file").help(help)
    }

    fn base(&self) -> String {
        format!("relative paths start at the design directory, `{}`", self.given.display())
    }
}

/// The path without `.` and `a/..`. By the text alone: where `a` is a link elsewhere, the result names another file,
/// as the user would expect who reads it.
pub(crate) fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir) => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() { PathBuf::from(".") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_normalised_by_their_text() {
        let cases = [
            ("src/a.v", "src/a.v"),
            ("./src//a.v", "src/a.v"),
            ("src/../rtl/a.v", "rtl/a.v"),
            ("../../rtl/b.v", "../../rtl/b.v"),
            ("a/../../b.v", "../b.v"),
            ("a/..", "."),
            ("/../a", "/a"),
        ];
        for (path, expected) in cases {
            assert_eq!(normalise(Path::new(path)), Path::new(expected), "{path}");
        }
    }

    #[test]
    fn stored_paths_are_relative_where_they_can_be() {
        let paths = Paths::new(Path::new("/d/x/../design"), Path::new("."));
        let cases = [
            ("src/a.v", "src/a.v"),
            ("/d/design/src/a.v", "src/a.v"),
            ("/d/design", "."),
            ("/d/designs/a.v", "/d/designs/a.v"),
            ("../lib/a.v", "../lib/a.v"),
        ];
        for (path, expected) in cases {
            assert_eq!(paths.stored(Path::new(path)), Path::new(expected), "{path}");
        }
    }
}
