//! From a file to a tree. Owns the choice of the reader and the errors of files that cannot be read at all; each
//! format has a module of its own.

mod json;
mod mapping;
mod number;
pub(crate) mod tcl;
mod toml;
pub(crate) mod yaml;

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

pub(crate) use mapping::from_value;

use crate::diagnostic::Diagnostic;
use crate::source::{FileId, SourceMap, Span};
use crate::tree::{Node, Tree};

const ACCEPTED: &str = "`.json`, `.jsonc`, `.yaml`, `.yml`, `.toml`";

type Reader = fn(&str, FileId) -> Result<Node, Diagnostic>;

/// Reads a configuration file; the extension says in which format it is. The top of the tree is a map.
///
/// # Errors
/// The first fault of the file: it cannot be read, has another extension, is empty, or is not well-formed.
pub fn read(path: &Path, sources: &mut SourceMap) -> Result<Node, Diagnostic> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Diagnostic::error(format!("`{shown}` is a directory, not a configuration file")).help(
            "name a file in it; the directory to which its paths are relative is that of the file, or the design \
             directory given explicitly",
        ));
    }
    // First: where nothing is, the form of the name is not what is wrong.
    let file = read_text(path, "configuration", sources)?;
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let reader: Reader = match extension.as_str() {
        "json" | "jsonc" => json::parse,
        "yaml" | "yml" => |text, file| yaml::parse(text, file, 0),
        "toml" => toml::parse,
        _ => {
            return Err(Diagnostic::error(format!("`{shown}` has the extension of no configuration format"))
                .help(format!("accepted are {ACCEPTED}")));
        }
    };
    let text = sources.text(file);
    let empty = || Diagnostic::error(format!("configuration `{shown}` is empty")).at(Span::new(file, 0, 0), "");
    if text.trim().is_empty() {
        return Err(empty());
    }
    let node = reader(&text, file)?;
    match node.value {
        Tree::Map(_) => Ok(node),
        Tree::Null => Err(empty()),
        _ => Err(Diagnostic::error(format!("the top of a configuration must be a map, not {}", node.kind()))
            .at(node.span, "expected a map of variables")),
    }
}

/// Reads a text file into the source map. `what` names it in errors: `configuration`, `file list`.
pub(crate) fn read_text(path: &Path, what: &str, sources: &mut SourceMap) -> Result<FileId, Diagnostic> {
    let shown = path.display();
    let bytes = fs::read(path).map_err(|error| {
        // The operating system's words without its error number.
        let reason = match error.kind() {
            ErrorKind::NotFound => "it does not exist".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        let diagnostic = Diagnostic::error(format!("cannot read {what} `{shown}`: {reason}"));
        match crate::suggest::file(path) {
            Some(near) if error.kind() == ErrorKind::NotFound => {
                diagnostic.help(format!("did you mean `{}`?", near.display()))
            }
            _ => diagnostic,
        }
    })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(sources.add(shown.to_string(), text.strip_prefix('\u{feff}').unwrap_or(&text))),
        Err(error) => {
            let good = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..good].iter().filter(|byte| **byte == b'\n').count() + 1;
            Err(Diagnostic::error(format!("{what} `{shown}` is not UTF-8: line {line}, byte {good} of the file"))
                .help("save it as UTF-8"))
        }
    }
}
