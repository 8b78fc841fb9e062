//! The manifest of a PDK, `pdk.toml`: its form, and what is wrong with one. What its variables mean is for those to say
//! who declare them.

use super::hooks::{self, Entry};
use crate::diagnostic::Diagnostic;
use crate::read;
use crate::source::{FileId, Span};
use crate::suggest;
use crate::tree::{Key, Node, Tree};

/// A manifest as it is written.
#[derive(Clone, Debug, Default)]
pub(crate) struct Manifest {
    pub(crate) doc: String,
    pub(crate) found: Found,
    /// The oldest versions of tools that will do.
    pub(crate) tools: Vec<(String, String)>,
    pub(crate) corners: Vec<Corner>,
    /// What holds for all libraries.
    pub(crate) given: Given,
    /// The default one first.
    pub(crate) libraries: Vec<Library>,
    /// Its sections, and then its hooks.
    pub(crate) hooks: Vec<Entry>,
}

/// Where the files are, for a manifest that is not with them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Found {
    /// The Debian package that has them.
    pub(crate) package: Option<String>,
    /// What they come with, for people, where there is no package.
    pub(crate) origin: Option<String>,
    /// Directories below `PDK_ROOT`.
    pub(crate) below_root: Vec<String>,
    /// Directories where packages put them.
    pub(crate) directories: Vec<String>,
    /// Files that tell a directory of this PDK from any other: all of them are there.
    pub(crate) files: Vec<String>,
}

/// A cell library.
#[derive(Clone, Debug)]
pub(crate) struct Library {
    pub(crate) name: String,
    pub(crate) span: Span,
    pub(crate) doc: String,
    pub(crate) given: Given,
}

/// Values of variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) variables: Vec<(Key, Node)>,
    /// Those that are given only where all of their files are there.
    pub(crate) if_there: Vec<(Key, Node)>,
}

/// A timing corner and the conditions that it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corner {
    /// Its name, as configurations have it.
    pub name: String,
    /// The process: `tt`, `ss`.
    pub process: String,
    /// In volts, as it is written.
    pub voltage: String,
    /// In degrees Celsius, as it is written.
    pub temperature: String,
}

const KEYS: [&str; 10] =
    ["doc", "default_library", "found", "tools", "corners", "variables", "if_there", "libraries", "sections", "hooks"];

impl Manifest {
    /// Reads a text that is kept under `file`.
    ///
    /// # Errors
    /// The first fault.
    pub(crate) fn parse(text: &str, file: FileId) -> Result<Self, Diagnostic> {
        let top = read::parse(read::Format::Toml, text, file)?;
        let mut manifest = Self::default();
        let mut default = None;
        let mut hooks = Vec::new();
        for (key, node) in map(&top, "a manifest")? {
            match key.name.as_str() {
                "doc" => manifest.doc = string(node, &key.name)?,
                "default_library" => default = Some((string(node, &key.name)?, node.span)),
                "found" => manifest.found = found(node)?,
                "tools" => manifest.tools = strings(node, "`tools`")?,
                "corners" => manifest.corners = corners(node)?,
                "variables" => manifest.given.variables = map(node, "`variables`")?.to_vec(),
                "if_there" => manifest.given.if_there = map(node, "`if_there`")?.to_vec(),
                "libraries" => manifest.libraries = libraries(node)?,
                "sections" => manifest.hooks = hooks::entries(node, true)?,
                "hooks" => hooks = hooks::entries(node, false)?,
                _ => return Err(unknown(key, "a manifest", &KEYS)),
            }
        }
        manifest.hooks.append(&mut hooks);
        hooks::check_names(&manifest.hooks)?;
        if manifest.libraries.is_empty() {
            return Err(Diagnostic::error("the manifest has no library")
                .at(Span::new(file, 0, 0), "")
                .help("each table `[libraries.NAME]` is one; its values are in `[libraries.NAME.variables]`"));
        }
        if let Some((name, span)) = default {
            let place = manifest.libraries.iter().position(|library| library.name == name);
            let Some(place) = place else { return Err(manifest.no_library(&name).at(span, "named here")) };
            manifest.libraries[..=place].rotate_right(1);
        }
        Ok(manifest)
    }

    /// The library of that name, without one the default.
    ///
    /// # Errors
    /// There is none of that name.
    pub(crate) fn library(&self, name: Option<&str>) -> Result<&Library, Diagnostic> {
        let meant = self.libraries.iter().find(|library| name.is_none_or(|name| library.name == name));
        meant.ok_or_else(|| self.no_library(name.unwrap_or_default()))
    }

    fn no_library(&self, name: &str) -> Diagnostic {
        let names: Vec<&str> = self.libraries.iter().map(|library| library.name.as_str()).collect();
        let error = Diagnostic::error(format!("the PDK has no cell library `{name}`"));
        match suggest::nearest(name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("there are `{}`", names.join("`, `"))),
        }
    }
}

/// The files that a value names below the directory of the PDK.
pub(crate) fn files(node: &Node) -> Vec<&str> {
    match &node.value {
        Tree::Str(text) => text.strip_prefix("pdk_dir::").into_iter().collect(),
        Tree::List(items) => items.iter().flat_map(files).collect(),
        Tree::Map(entries) => entries.iter().flat_map(|(_, node)| files(node)).collect(),
        _ => Vec::new(),
    }
}

fn found(node: &Node) -> Result<Found, Diagnostic> {
    let mut found = Found::default();
    for (key, node) in map(node, "`found`")? {
        match key.name.as_str() {
            "package" => found.package = Some(string(node, "package")?),
            "origin" => found.origin = Some(string(node, "origin")?),
            "below_root" => found.below_root = list(node, "below_root")?,
            "directories" => found.directories = list(node, "directories")?,
            "files" => found.files = list(node, "files")?,
            _ => return Err(unknown(key, "`found`", &["package", "origin", "below_root", "directories", "files"])),
        }
    }
    Ok(found)
}

fn corners(node: &Node) -> Result<Vec<Corner>, Diagnostic> {
    let mut corners = Vec::new();
    for (corner, node) in map(node, "`corners`")? {
        let mut new = Corner {
            name: corner.name.clone(),
            process: String::new(),
            voltage: String::new(),
            temperature: String::new(),
        };
        for (key, node) in map(node, &format!("the corner `{}`", corner.name))? {
            match key.name.as_str() {
                "process" => new.process = string(node, "process")?,
                "voltage" => new.voltage = number(node, "voltage")?,
                "temperature" => new.temperature = number(node, "temperature")?,
                _ => return Err(unknown(key, "a corner", &["process", "voltage", "temperature"])),
            }
        }
        corners.push(new);
    }
    Ok(corners)
}

fn libraries(node: &Node) -> Result<Vec<Library>, Diagnostic> {
    let mut libraries = Vec::new();
    for (library, node) in map(node, "`libraries`")? {
        let mut new =
            Library { name: library.name.clone(), span: library.span, doc: String::new(), given: Given::default() };
        for (key, node) in map(node, &format!("the library `{}`", library.name))? {
            match key.name.as_str() {
                "doc" => new.doc = string(node, "doc")?,
                "variables" => new.given.variables = map(node, "`variables`")?.to_vec(),
                "if_there" => new.given.if_there = map(node, "`if_there`")?.to_vec(),
                _ => return Err(unknown(key, "a library", &["doc", "variables", "if_there"])),
            }
        }
        libraries.push(new);
    }
    Ok(libraries)
}

pub(super) fn map<'n>(node: &'n Node, what: &str) -> Result<&'n [(Key, Node)], Diagnostic> {
    match &node.value {
        Tree::Map(entries) => Ok(entries),
        _ => Err(wrong(node, what, "a table")),
    }
}

pub(super) fn string(node: &Node, what: &str) -> Result<String, Diagnostic> {
    match &node.value {
        Tree::Str(text) => Ok(text.clone()),
        _ => Err(wrong(node, &format!("`{what}`"), "a string")),
    }
}

fn number(node: &Node, what: &str) -> Result<String, Diagnostic> {
    match &node.value {
        Tree::Int(number) => Ok(number.to_string()),
        Tree::Decimal(number) => Ok(number.to_string()),
        _ => Err(wrong(node, &format!("`{what}`"), "a number")),
    }
}

fn list(node: &Node, what: &str) -> Result<Vec<String>, Diagnostic> {
    match &node.value {
        Tree::List(items) => items.iter().map(|item| string(item, what)).collect(),
        _ => Err(wrong(node, &format!("`{what}`"), "a list of strings")),
    }
}

fn strings(node: &Node, what: &str) -> Result<Vec<(String, String)>, Diagnostic> {
    map(node, what)?.iter().map(|(key, node)| Ok((key.name.clone(), string(node, &key.name)?))).collect()
}

pub(super) fn wrong(node: &Node, what: &str, expected: &str) -> Diagnostic {
    Diagnostic::error(format!("{what} must be {expected}, not {}", node.kind()))
        .at(node.span, format!("expected {expected}"))
}

pub(super) fn unknown(key: &Key, what: &str, known: &[&str]) -> Diagnostic {
    let error = Diagnostic::error(format!("{what} has no entry `{}`", key.name)).at(key.span, "unknown");
    match suggest::nearest(&key.name, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("its entries are `{}`", known.join("`, `"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::SourceMap;

    fn parse(text: &str) -> Result<Manifest, String> {
        let mut sources = SourceMap::new();
        let file = sources.add("pdk.toml", text);
        Manifest::parse(text, file).map_err(|error| error.one_line(&sources))
    }

    #[test]
    fn the_default_library_comes_first() {
        let text =
            "default_library = 'b'\n[libraries.a]\n[libraries.b]\n[libraries.b.variables]\nX = 1\n[libraries.c]\n";
        let manifest = parse(text).unwrap();
        let names: Vec<&str> = manifest.libraries.iter().map(|library| library.name.as_str()).collect();
        assert_eq!(names, ["b", "a", "c"]);
        assert_eq!(manifest.library(None).unwrap().given.variables.len(), 1);
        assert_eq!(manifest.library(Some("c")).unwrap().name, "c");
    }

    #[test]
    fn sections_and_hooks_have_a_place_and_parameters() {
        let text = "[[hooks]]\nname = 'pins'\nafter = 'Magic.*/write'\ntool = 'magic'\ntext = 'puts {{length}}'\n\
                    publish = true\n[hooks.parameters]\nlength = { type = 'decimal', default = 10 }\n\
                    layers = { type = 'list of strings' }\n\n  [[hooks]]\nremove = 'Magic.DRC/check'\n\
                    [[sections]]\nname = 'prepare'\nbefore = 'drc/check'\nfile = 'no.tcl'\n[libraries.a]\n";
        let mut sources = SourceMap::new();
        let file = sources.add("pdk.toml", text);
        let manifest = Manifest::parse(text, file).unwrap();
        let hooks: Vec<_> = manifest.hooks.iter().map(|hook| hook.described(&sources)).collect();
        let told: Vec<_> =
            hooks.iter().map(|hook| format!("{} {} {} {}", hook.origin, hook.name, hook.kind, hook.at)).collect();
        let expected = [
            "pdk.toml:13:1 prepare before drc/check",
            "pdk.toml:1:1 pins after Magic.*/write",
            "pdk.toml:11:3  remove Magic.DRC/check",
        ];
        assert_eq!(told, expected);
        assert!(hooks[0].is_section && hooks[1].published);
        let nature: Vec<_> = hooks[1].parameters.iter().map(|of| format!("{} {}", of.name, of.presence())).collect();
        assert_eq!(nature, ["length default 10", "layers required"]);
        let error = manifest.hooks[0].hook(std::path::Path::new("nowhere"), &mut sources).unwrap_err();
        let expected = "pdk.toml:16:8: error: cannot read the text of a hook `nowhere/no.tcl`: it does not exist";
        assert_eq!(error.one_line(&sources), expected);
    }

    #[test]
    fn what_is_wrong_is_said_with_its_place() {
        let cases = [
            ("corner = 1\n[libraries.a]", "pdk.toml:1:1: error: a manifest has no entry `corner`"),
            ("doc = 1\n[libraries.a]", "pdk.toml:1:7: error: `doc` must be a string, not an integer"),
            ("doc = ''", "pdk.toml:1:1: error: the manifest has no library"),
            ("default_library = 'x'\n[libraries.a]", "pdk.toml:1:19: error: the PDK has no cell library `x`"),
            (
                "[libraries.a]\n[corners.tt]\nvoltage = '1'",
                "pdk.toml:3:11: error: `voltage` must be a number, not a string",
            ),
            ("[hooks]\nname = 'x'", "pdk.toml:1:1: error: `hooks` must be a list of tables, not a map"),
            ("[[hooks]]\nname = 'x'\ntext = ''", "pdk.toml:1:1: error: a hook has no place"),
            (
                "[[hooks]]\nname = 'x'\nafter = 'A/b'\nbefore = 'A/c'\ntext = ''",
                "pdk.toml:3:9: error: a hook is both `after` and `before`",
            ),
            ("[[hooks]]\nname = 'x'\nafter = 'A/b'", "pdk.toml:1:1: error: a hook has nothing to put there"),
            ("[[hooks]]\nafter = 'A/b'\ntext = ''", "pdk.toml:1:1: error: a hook has no name"),
            ("[[hooks]]\nremove = 'A/b'\ntext = ''", "pdk.toml:1:1: error: a hook that takes something out has a text"),
            ("[[hooks]]\nname = 'a/b'", "pdk.toml:2:8: error: `a/b` cannot be the name of a section or a hook"),
            ("[[sections]]\nremove = 'A/b'", "pdk.toml:2:1: error: a section has no entry `remove`"),
            (
                "[[hooks]]\nname = 'x'\nafter = 'A/b'\ntext = ''\nparameters = { n = { type = 'integer' } }",
                "pdk.toml:1:1: error: a hook has parameters that nobody can set",
            ),
            (
                "[[hooks]]\nparameters = { n = { type = 'integer', default = 1.5 } }",
                "pdk.toml:2:50: error: the default of the parameter `n` must be an integer, not a decimal",
            ),
            ("[[hooks]]\nparameters = { n = { type = 'float' } }", "pdk.toml:2:29: error: there is no type `float`"),
            (
                "[[hooks]]\nname='x'\nafter='A/b'\ntext=''\npublish=true\n\
                 [[hooks]]\nname='x'\nafter='A/b'\ntext=''\npublish=true",
                "pdk.toml:6:1: error: the hook `x` is published twice",
            ),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text).unwrap_err(), error, "{text}");
        }
    }
}
