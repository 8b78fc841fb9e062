//! Where the files are that `load()` names. The one place that knows of roots, the built-in library and plugins.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_config::nearest;

use crate::plugin::{self, Plugin};

/// A file that a `load()` names.
pub(crate) struct Found {
    /// What the module is called in messages, and the same for each way to name it: `lib/x.star`, `@tapeout//x.star`.
    pub(crate) id: Arc<str>,
    /// Where it is; nothing if it is part of the program.
    pub(crate) path: Option<PathBuf>,
    /// The plugin that it is a file of.
    pub(crate) plugin: Option<Plugin>,
}

/// Why there is no such file: what is wrong, and what to do.
pub(crate) struct NotFound {
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// The files of the built-in library.
const LIBRARY: &[(&str, &str)] = &[("project.star", include_str!("library/project.star"))];

/// The name of the library in `load()`.
const OURS: &str = "@tapeout//";

/// Where files are looked for.
pub(crate) struct Roots {
    /// The directory of the project.
    pub(crate) project: PathBuf,
}

impl Roots {
    /// The file that `text` names in the file `from`.
    pub(crate) fn find(&self, text: &str, from: &str) -> Result<Found, NotFound> {
        let not_found = |message: String| NotFound { message, help: None };
        if text.starts_with('@') {
            return match text.split_once("//") {
                Some((root, path)) => self.in_root(root, path, text),
                None => self.in_root(text, "", text),
            };
        }
        if let Some(path) = text.strip_prefix("//") {
            // The files of a plugin know nothing of the project.
            return self.in_root(from.split_once("//").map_or("", |(root, _)| root), path, text);
        }
        if text.is_empty() || text.starts_with('/') {
            return Err(NotFound {
                message: format!("`{text}` names no file of the project"),
                help: Some("paths are relative to this file, or, with `//` before them, to the project".to_owned()),
            });
        }
        let (root, path) = match from.split_once("//") {
            Some((root, path)) => (root, path),
            None => ("", from),
        };
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let joined = normal(&format!("{directory}/{text}"));
        match joined {
            Some(path) => self.in_root(root, &path, text),
            None => Err(not_found(format!("`{text}` leads out of the project"))),
        }
    }

    fn in_root(&self, root: &str, path: &str, text: &str) -> Result<Found, NotFound> {
        if let Some(name) = root.strip_prefix('@').filter(|_| root != OURS.trim_end_matches('/')) {
            return self.in_plugin(name, path, text);
        }
        let Some(path) = normal(path).filter(|path| !path.is_empty()) else {
            return Err(NotFound { message: format!("`{text}` names no file of the project"), help: None });
        };
        match root {
            "" => Ok(Found { path: Some(self.project.join(&path)), id: path.into(), plugin: None }),
            _ => match LIBRARY.iter().any(|(name, _)| *name == path) {
                true => Ok(Found { id: format!("{OURS}{path}").into(), path: None, plugin: None }),
                false => {
                    let names = LIBRARY.iter().map(|(name, _)| *name);
                    let all: Vec<String> = names.clone().map(|name| format!("{OURS}{name}")).collect();
                    let help = match nearest(&path, names) {
                        Some(near) => format!("is `{OURS}{near}` meant?"),
                        None => format!("there are: {}", all.join(", ")),
                    };
                    Err(NotFound { message: format!("the built-in library has no `{path}`"), help: Some(help) })
                }
            },
        }
    }

    /// A file of a plugin: the one that is meant to be loaded, if no path is given.
    fn in_plugin(&self, name: &str, path: &str, text: &str) -> Result<Found, NotFound> {
        let plugin = plugin::find(&self.project, name)?;
        let path = if path.is_empty() { &plugin.entry } else { path };
        match normal(path) {
            Some(path) => Ok(Found {
                id: format!("@{name}//{path}").into(),
                path: Some(plugin.dir.join(path)),
                plugin: Some(plugin),
            }),
            None => Err(NotFound { message: format!("`{text}` leads out of the plugin"), help: None }),
        }
    }
}

/// The text of a file.
pub(crate) fn text(found: &Found) -> Result<String, NotFound> {
    let Some(path) = &found.path else {
        let name = found.id.strip_prefix(OURS).unwrap_or(&found.id);
        let text = LIBRARY.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text);
        return Ok(text.to_owned());
    };
    let not_found = |message: String, help| NotFound { message, help };
    let bytes = fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => not_found(format!("`{}` does not exist", found.id), similar(path, &found.id)),
        io::ErrorKind::IsADirectory => not_found(format!("`{}` is a directory", found.id), None),
        _ => not_found(format!("cannot read `{}`: {error}", found.id), None),
    })?;
    String::from_utf8(bytes).map_err(|_| not_found(format!("`{}` is not UTF-8", found.id), None))
}

/// A file in the same directory that may have been meant.
fn similar(path: &Path, id: &str) -> Option<String> {
    let listed = path.parent()?.read_dir().ok()?;
    let mut names: Vec<String> = listed.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    // Directories are listed in any order.
    names.sort();
    let near = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    let directory = id.rsplit_once('/').map_or(String::new(), |(directory, _)| format!("{directory}/"));
    Some(format!("is `{directory}{near}` meant?"))
}

/// A relative path without `.` and `..`; nothing if it leads out.
fn normal(path: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}
