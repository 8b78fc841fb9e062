//! From a file to a tree. Owns the choice of the reader and the errors of files that cannot be read at all; each
//! format has a module of its own.

mod json;
mod mapping;
mod number;
pub(crate) mod tcl;
mod toml;
pub(crate) mod yaml;

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::Path;

pub(crate) use mapping::from_value;

use crate::diagnostic::Diagnostic;
use crate::meta::Typing;
use crate::source::{FileId, SourceMap, Span};
use crate::tree::{Node, Tree};

const ACCEPTED: &str = "`.json`, `.jsonc`, `.yaml`, `.yml`, `.toml`, `.tcl`";

/// The formats of configurations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON, also with comments.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
    /// A script in Tcl.
    Tcl,
    /// A map that code gives.
    Mapping,
}

impl Format {
    /// How values are typed in a file that does not say so. In OpenLane, JSON without
    /// `meta` and Tcl are of the first version.
    pub(crate) fn typing(self) -> Typing {
        match self {
            Self::Json | Self::Tcl => Typing::Permissive,
            Self::Yaml | Self::Toml | Self::Mapping => Typing::Strict,
        }
    }

    pub(crate) fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()?.to_ascii_lowercase().as_str() {
            "json" | "jsonc" => Some(Self::Json),
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "tcl" => Some(Self::Tcl),
            _ => None,
        }
    }
}

/// Reads a configuration file; the extension says in which format it is. The top of the tree is a map.
///
/// # Errors
/// The first fault of the file: it cannot be read, has another extension, is empty, or is not well-formed.
pub fn read(path: &Path, sources: &mut SourceMap) -> Result<Node, Diagnostic> {
    read_any(path, sources).map(|(node, _)| node)
}

/// The same with the format.
pub(crate) fn read_any(path: &Path, sources: &mut SourceMap) -> Result<(Node, Format), Diagnostic> {
    let shown = path.display();
    if path.is_dir() {
        return Err(Diagnostic::error(format!("`{shown}` is a directory, not a configuration file")).help(
            "name a file in it; the directory to which its paths are relative is that of the file, or the design \
             directory given explicitly",
        ));
    }
    // First: where nothing is, the form of the name is not what is wrong.
    let file = read_text(path, "configuration", sources)?;
    let Some(format) = Format::of(path) else {
        return Err(Diagnostic::error(format!("`{shown}` has the extension of no configuration format"))
            .help(format!("accepted are {ACCEPTED}")));
    };
    let text = sources.text(file);
    let empty = || Diagnostic::error(format!("configuration `{shown}` is empty")).at(Span::new(file, 0, 0), "");
    if text.trim().is_empty() {
        return Err(empty());
    }
    let node = parse(format, &text, file)?;
    match node.value {
        Tree::Map(_) => Ok((node, format)),
        Tree::Null => Err(empty()),
        _ => Err(Diagnostic::error(format!("the top of a configuration must be a map, not {}", node.kind()))
            .at(node.span, "expected a map of variables")),
    }
}

/// The tree of a text.
pub(crate) fn parse(format: Format, text: &str, file: FileId) -> Result<Node, Diagnostic> {
    match format {
        Format::Json | Format::Mapping => json::parse(text, file),
        Format::Yaml => yaml::parse(text, file, 0),
        Format::Toml => toml::parse(text, file),
        Format::Tcl => Err(Diagnostic::error("a configuration in Tcl is a program")
            .at(Span::new(file, 0, 0), "")
            .help("it is evaluated as a part of a configuration, not read alone")),
    }
}

/// The largest file that is read, in bytes. No design needs a tenth of it.
const MAX_SIZE: u64 = 64 << 20;

/// Reads a text file into the source map. `what` names it in errors: `configuration`, `file list`.
pub(crate) fn read_text(path: &Path, what: &str, sources: &mut SourceMap) -> Result<FileId, Diagnostic> {
    let shown = path.display();
    let bytes = read_bytes(path).map_err(|error| {
        // The operating system's words without its error number.
        let reason = match error.kind() {
            ErrorKind::NotFound => "it does not exist".to_owned(),
            ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        let diagnostic = Diagnostic::error(format!("cannot read {what} `{shown}`: {reason}"));
        match crate::suggest::nearest_file(path) {
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

/// What a file holds. Looks at the file before it opens it: to open a pipe is to wait for a writer.
fn read_bytes(path: &Path) -> io::Result<Vec<u8>> {
    let refused = |reason: String| Err(io::Error::other(reason));
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return refused("it is a directory".to_owned());
    }
    if !metadata.is_file() {
        return refused("it is a pipe or a device, not a file".to_owned());
    }
    let too_large = |size: String| refused(format!("it has {size} MiB, and at most {} are read", MAX_SIZE >> 20));
    if metadata.len() > MAX_SIZE {
        return too_large(metadata.len().div_ceil(1 << 20).to_string());
    }
    let mut bytes = Vec::new();
    // A file may grow, and those that the system makes up have no size.
    File::open(path)?.take(MAX_SIZE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SIZE {
        return too_large(format!("more than {}", MAX_SIZE >> 20));
    }
    Ok(bytes)
}
