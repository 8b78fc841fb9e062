//! File lists as simulators read them: entries of `VERILOG_FILES` that end in `.f` become the sources, include
//! directories and macro definitions that they list.
//!
//! Paths in a list are relative to the directory of the list, with `-f` as with `-F`, so that the result does not
//! depend on where tapeout is started.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_model::Value;

use crate::diagnostic::Diagnostic;
use crate::paths::{Kind, Paths};
use crate::read;
use crate::resolve::Settings;
use crate::schema::Schema;
use crate::setting::{ConfigSource, Origin};
use crate::source::{FileId, SourceMap, Span};
use crate::tree::MAX_DEPTH;

const SOURCES: &str = "VERILOG_FILES";
const INCLUDE_DIRS: &str = "VERILOG_INCLUDE_DIRS";
const DEFINES: &str = "VERILOG_DEFINES";

/// The variables that lists change.
pub(crate) const CHANGED: [&str; 3] = [SOURCES, INCLUDE_DIRS, DEFINES];

/// Lists that name each other twice over, level by level, would be read 2^n times.
const MAX_LISTS: usize = 1000;

/// Replaces the file lists among the sources by what they list.
pub(crate) fn expand(
    settings: &mut Settings,
    schema: &Schema,
    env: &HashMap<String, String>,
    paths: &mut Paths,
    sources: &mut SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some(setting) = settings.get(SOURCES) else { return };
    let (Some(Value::List(items)), origin) = (&setting.value, setting.origin.clone()) else { return };
    let is_list = |item: &Value| matches!(item, Value::Str(path) if is_list(path));
    if !items.iter().any(is_list) {
        return;
    }
    let mut expander =
        Expander { env, paths, sources, diagnostics, open: Vec::new(), read: 0, listed: Listed::default() };
    for item in items {
        match item {
            Value::Str(path) if is_list(item) => {
                expander.list(path, origin.place.as_ref().map(|(_, span)| *span));
            }
            _ => expander.listed.sources.push(item.clone()),
        }
    }
    let Listed { sources, include_dirs, defines } = expander.listed;
    let replaced = settings.get_mut(SOURCES).map(Arc::make_mut);
    replaced.expect("the sources were looked up above").value = Some(Value::List(sources));
    append(INCLUDE_DIRS, include_dirs, &origin, settings, schema, diagnostics);
    append(DEFINES, defines, &origin, settings, schema, diagnostics);
}

fn is_list(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "f")
}

/// Adds what lists give to what the configuration gives.
fn append(
    name: &'static str,
    items: Vec<(Value, Span)>,
    origin: &Origin,
    settings: &mut Settings,
    schema: &Schema,
    diagnostics: &mut Vec<Diagnostic>,
) {
    let Some((_, first)) = items.first() else { return };
    if schema.get(name).is_none() {
        diagnostics.push(Diagnostic::error(format!("the flow has no variable `{name}`")).at(*first, "to hold this"));
        return;
    }
    // Without a setting its value is at fault, which has been said.
    let Some(setting) = settings.get_mut(name).map(Arc::make_mut) else { return };
    if setting.origin.source == ConfigSource::Default {
        setting.origin = origin.clone();
    }
    let Value::List(values) = setting.value.get_or_insert(Value::List(Vec::new())) else { return };
    for (item, _) in items {
        if !values.contains(&item) {
            values.push(item);
        }
    }
}

#[derive(Default)]
struct Listed {
    sources: Vec<Value>,
    include_dirs: Vec<(Value, Span)>,
    defines: Vec<(Value, Span)>,
}

struct Expander<'a> {
    env: &'a HashMap<String, String>,
    paths: &'a mut Paths,
    sources: &'a mut SourceMap,
    diagnostics: &'a mut Vec<Diagnostic>,
    /// The lists being read, each named by the one before it.
    open: Vec<PathBuf>,
    read: usize,
    listed: Listed,
}

impl Expander<'_> {
    /// Reads the list with the stored path `list`, which is named at `from`.
    fn list(&mut self, list: &str, from: Option<Span>) {
        if let Err(diagnostic) = self.enter(list) {
            self.diagnostics.push(match (&diagnostic.label, from) {
                (None, Some(span)) => diagnostic.at(span, "named here"),
                _ => diagnostic,
            });
        }
    }

    fn enter(&mut self, list: &str) -> Result<(), Diagnostic> {
        let path = self.paths.shown(list);
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        if self.open.contains(&real) {
            return Err(Diagnostic::error(format!("file list `{list}` includes itself")));
        }
        self.read += 1;
        if self.read > MAX_LISTS || self.open.len() >= MAX_DEPTH {
            return Err(Diagnostic::error(format!(
                "more than {MAX_LISTS} file lists, or lists nested more than {MAX_DEPTH} deep"
            )));
        }
        let file = read::read_text(&path, "file list", self.sources)?;
        self.open.push(real);
        let result = self.entries(list, file);
        self.open.pop();
        result
    }

    fn entries(&mut self, list: &str, file: FileId) -> Result<(), Diagnostic> {
        let text = self.sources.text(file);
        let mut words = words(&text, file)?.into_iter();
        while let Some((word, span)) = words.next() {
            if let Err(diagnostic) = self.entry(list, &word, span, &mut words) {
                self.diagnostics.push(diagnostic);
            }
        }
        Ok(())
    }

    fn entry(
        &mut self,
        list: &str,
        word: &str,
        span: Span,
        rest: &mut impl Iterator<Item = (String, Span)>,
    ) -> Result<(), Diagnostic> {
        let word = self.substitute(word, span)?;
        if let Some(dirs) = word.strip_prefix("+incdir+") {
            for dir in dirs.split('+').filter(|dir| !dir.is_empty()) {
                for dir in self.find(list, dir, Kind::Dir, INCLUDE_DIRS, span)? {
                    self.listed.include_dirs.push((Value::Str(dir), span));
                }
            }
        } else if let Some(defines) = word.strip_prefix("+define+") {
            let defines = defines.split('+').filter(|define| !define.is_empty());
            self.listed.defines.extend(defines.map(|define| (Value::from(define), span)));
        } else if word == "-f" || word == "-F" {
            let Some((nested, span)) = rest.next() else {
                return Err(Diagnostic::error(format!("`{word}` is followed by nothing")).at(span, "expected a path"));
            };
            let nested = self.substitute(&nested, span)?;
            for nested in self.find(list, &nested, Kind::Any, SOURCES, span)? {
                self.list(&nested, Some(span));
            }
        } else if word.starts_with(['-', '+']) {
            let takes_path = matches!(word.as_str(), "-v" | "-y");
            let option = if takes_path { word.as_str() } else { word.split('=').next().unwrap_or(&word) };
            if takes_path {
                rest.next();
            }
            return Err(Diagnostic::error(format!("`{option}` is not supported in a file list"))
                .at(span, "not supported")
                .help("supported are paths, `+incdir+`, `+define+`, `-f` and `-F`; name library files as sources"));
        } else {
            for source in self.find(list, &word, Kind::Any, SOURCES, span)? {
                if is_list(&source) {
                    self.list(&source, Some(span));
                } else {
                    self.listed.sources.push(Value::Str(source));
                }
            }
        }
        Ok(())
    }

    /// The stored paths that a path in a list names.
    fn find(
        &mut self,
        list: &str,
        path: &str,
        kind: Kind,
        variable: &str,
        span: Span,
    ) -> Result<Vec<String>, Diagnostic> {
        let path = Path::new(list).parent().unwrap_or(Path::new("")).join(path);
        self.paths.expand(variable, &path.to_string_lossy(), kind, span)
    }

    /// The word with the values of `$NAME`, `${NAME}` and `$(NAME)`.
    fn substitute(&self, word: &str, span: Span) -> Result<String, Diagnostic> {
        let mut out = String::new();
        let mut rest = word;
        while let Some((before, after)) = rest.split_once('$') {
            out.push_str(before);
            let closing = match after.chars().next() {
                Some('{') => Some('}'),
                Some('(') => Some(')'),
                _ => None,
            };
            let (name, tail) = match closing {
                Some(closing) => after[1..].split_once(closing).ok_or_else(|| {
                    Diagnostic::error(format!("`{word}`: `{closing}` is missing")).at(span, "not closed")
                })?,
                None => {
                    let end = after.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(after.len());
                    after.split_at(end)
                }
            };
            match self.env.get(name) {
                Some(value) => out.push_str(value),
                // A lone dollar sign is part of a name.
                None if name.is_empty() => out.push('$'),
                None => {
                    return Err(Diagnostic::error(format!("the environment has no variable `{name}`"))
                        .at(span, "used here")
                        .help(format!("set {name} before starting, or write the path")));
                }
            }
            rest = tail;
        }
        out.push_str(rest);
        Ok(out)
    }
}

/// The words of a list without comments. `//`, `#` and `/*` begin a comment only where a word could begin: they also
/// occur within paths and patterns.
fn words(text: &str, file: FileId) -> Result<Vec<(String, Span)>, Diagnostic> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() || rest.starts_with("\\\n") || rest.starts_with("\\\r\n") {
            at += c.len_utf8();
        } else if c == '#' || rest.starts_with("//") {
            at += rest.find('\n').unwrap_or(rest.len());
        } else if let Some(comment) = rest.strip_prefix("/*") {
            let Some(length) = comment.find("*/") else {
                return Err(
                    Diagnostic::error("the comment is not closed").at(Span::new(file, at, at + 2), "opened here")
                );
            };
            at += length + 4;
        } else {
            let (word, length) = word(rest);
            let span = Span::new(file, at, at + length);
            match word {
                Some(word) => words.push((word, span)),
                None => return Err(Diagnostic::error("the quote is not closed").at(span, "opened here")),
            }
            at += length;
        }
    }
    Ok(words)
}

/// The word at the start of `text` and its length there; no word if a quote is left open in its line.
fn word(text: &str) -> (Option<String>, usize) {
    let mut word = String::new();
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '\n' if quoted => return (None, at),
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => return (Some(word), at),
            c => word.push(c),
        }
    }
    ((!quoted).then_some(word), text.len())
}
