//! The files that give values: the top configuration and the sweep. Each becomes one flat map of dotted names, with
//! what stands for directories written out. Typing is elsewhere.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tapeout_config::{Diagnostic, Key, Node, Schema, SourceMap, Span, Tree, Type, nearest, read};

use crate::options::is_given_by_users;

/// What stands for RAD-Gen's directory in values.
const HOME_REFERENCE: &str = "${RAD_GEN_HOME}";

/// Where a command line is read: all that is not in its words and in files.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The current directory, to which paths are relative.
    pub dir: PathBuf,
    /// The environment: `RAD_GEN_HOME`, `HAMMER_HOME` and `HOME` are looked at where they are needed.
    pub env: Vec<(String, String)>,
}

impl Surroundings {
    /// A variable of the environment, unless it is empty.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let found = self.env.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    /// The file that a path names; seen from the directory of this process if the current directory is `.`.
    #[must_use]
    pub fn locate(&self, path: &Path) -> PathBuf {
        if self.dir == Path::new(".") { path.to_owned() } else { self.dir.join(path) }
    }

    /// Writes out `${RAD_GEN_HOME}`, and in a path the `~` that it begins with.
    pub(crate) fn expand(&self, text: &str, is_path: bool, span: Span) -> Result<String, Diagnostic> {
        let unset = |what: &str, name: &str| {
            Diagnostic::error(format!("`{what}` stands for nothing: {name} is not set in the environment"))
                .at(span, "used here")
                .help(format!("set {name}, or write the directory itself"))
        };
        let mut text = text.to_owned();
        if text.contains(HOME_REFERENCE) {
            let home = self.variable("RAD_GEN_HOME").ok_or_else(|| unset(HOME_REFERENCE, "RAD_GEN_HOME"))?;
            text = text.replace(HOME_REFERENCE, home);
        }
        if is_path && (text == "~" || text.starts_with("~/")) {
            let home = self.variable("HOME").ok_or_else(|| unset("~", "HOME"))?;
            text.replace_range(..1, home);
        }
        Ok(text)
    }
}

/// Reads a YAML or JSON file. `path` is as the user gave it.
pub(crate) fn read_file(
    path: &str,
    what: &str,
    place: Span,
    surroundings: &Surroundings,
    sources: &mut SourceMap,
) -> Result<Node, Diagnostic> {
    let path = surroundings.locate(Path::new(path));
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if path.is_file() && !["yaml", "yml", "json"].contains(&extension.to_ascii_lowercase().as_str()) {
        return Err(Diagnostic::error(format!("{what} `{}` is not a YAML or JSON file", path.display()))
            .at(place, "named here")
            .help("accepted are files that end in `.yaml`, `.yml` or `.json`"));
    }
    read(&path, sources).map_err(|diagnostic| match &diagnostic.label {
        Some(_) => diagnostic,
        None => diagnostic.at(place, "named here"),
    })
}

/// Collects the values of one layer.
pub(crate) struct Flat<'a> {
    pub(crate) schema: &'a Schema,
    pub(crate) surroundings: &'a Surroundings,
    pub(crate) entries: Vec<(Key, Node)>,
    places: HashMap<String, Span>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl<'a> Flat<'a> {
    pub(crate) fn new(schema: &'a Schema, surroundings: &'a Surroundings) -> Self {
        Self { schema, surroundings, entries: Vec::new(), places: HashMap::new(), diagnostics: Vec::new() }
    }

    /// Adds what stands in a file below a section; `prefix` is empty or ends in a dot.
    pub(crate) fn add_map(&mut self, prefix: &str, entries: Vec<(Key, Node)>) {
        // The comments that JSON can have.
        for (key, node) in
            entries.into_iter().filter(|(key, _)| !key.name.starts_with("//") && !key.name.starts_with('#'))
        {
            let name = format!("{prefix}{}", key.name);
            let below = format!("{name}.");
            let is_group = self.schema.get(&name).is_none()
                && (self.schema.is_group(&name) || self.schema.iter().any(|known| known.name.starts_with(&below)));
            match node.value {
                // An empty section: `asic_dse:` and nothing more.
                Tree::Null if is_group => {}
                Tree::Map(entries) if is_group => self.add_map(&below, entries),
                _ if is_group => self.diagnostics.push(
                    Diagnostic::error(format!("`{name}` is a section, not {}", node.kind()))
                        .at(node.span, "expected a map of its fields"),
                ),
                _ if !self.is_known(&name) => {
                    let diagnostic = self.unknown(&key, &name, matches!(node.value, Tree::Map(_)));
                    self.diagnostics.push(diagnostic);
                }
                _ => self.add(Key { name, span: key.span }, node),
            }
        }
    }

    /// Whether it is a field, or the entry of a field that is a map.
    fn is_known(&self, name: &str) -> bool {
        let begins = name.match_indices('.').map(|(at, _)| &name[..at]);
        begins.chain([name]).any(|name| self.schema.get(name).is_some())
    }

    /// The error for a name that stands for nothing. `written` is the part of it that stands at this place.
    fn unknown(&self, written: &Key, name: &str, is_section: bool) -> Diagnostic {
        let what = if is_section { "section" } else { "field" };
        let diagnostic =
            Diagnostic::error(format!("unknown {what} `{name}`")).at(written.span, "there is no such name");
        let fields = self.schema.iter().filter(|variable| is_given_by_users(variable));
        let names: Vec<&str> = if is_section {
            self.schema.groups().map(|(name, _)| name).collect()
        } else {
            fields.map(|variable| variable.name.as_ref()).collect()
        };
        // Right but for its place; like one as a whole; like one in its last part.
        let end = format!(".{}", written.name);
        let last = |name: &'a str| name.rsplit('.').next().unwrap_or(name);
        let elsewhere: Vec<&str> = names.iter().copied().filter(|name| name.ends_with(&end)).collect();
        let meant = match elsewhere.as_slice() {
            [] | [_, _, _, ..] => nearest(name, names.iter().copied()).or_else(|| {
                let near = nearest(written.name.rsplit('.').next()?, names.iter().copied().map(last))?;
                names.iter().copied().find(|name| last(name) == near)
            }),
            _ => None,
        };
        let meant = meant.map_or(elsewhere, |name| vec![name]);
        if meant.is_empty() || meant.len() > 2 {
            return diagnostic;
        }
        let meant: Vec<_> = meant.iter().map(|name| format!("`{name}`")).collect();
        diagnostic.help(format!("did you mean {}?", meant.join(" or ")))
    }

    /// Adds the value of a field.
    fn add(&mut self, key: Key, mut node: Node) {
        if key.name == "common.top_config_fpath" {
            self.diagnostics.push(
                Diagnostic::error("`top_config_fpath` can only be given on the command line")
                    .at(key.span, "given in a file"),
            );
            return;
        }
        if let Err(diagnostic) = of_the_environment(&key) {
            self.diagnostics.push(diagnostic);
            return;
        }
        if let Some(first) = self.places.insert(key.name.clone(), key.span) {
            self.diagnostics.push(
                Diagnostic::error(format!("`{}` is given twice", key.name))
                    .at(key.span, "given again here")
                    .also(first, "first given here")
                    .help("remove one of the two"),
            );
            return;
        }
        if self.write_out(&key.name, &mut node) {
            self.entries.push((key, node));
        }
    }

    /// Writes out what stands for directories in the value of a field; whether that could be done.
    pub(crate) fn write_out(&mut self, name: &str, node: &mut Node) -> bool {
        let is_path = self.schema.get(name).is_some_and(|variable| is_path(&variable.ty));
        let before = self.diagnostics.len();
        write_out(node, is_path, self.surroundings, &mut self.diagnostics);
        self.diagnostics.len() == before
    }
}

fn write_out(node: &mut Node, is_path: bool, surroundings: &Surroundings, diagnostics: &mut Vec<Diagnostic>) {
    match &mut node.value {
        Tree::Str(text) => match surroundings.expand(text, is_path, node.span) {
            Ok(expanded) => *text = expanded,
            Err(diagnostic) => diagnostics.push(diagnostic),
        },
        Tree::List(items) => items.iter_mut().for_each(|item| write_out(item, is_path, surroundings, diagnostics)),
        Tree::Map(entries) => {
            entries.iter_mut().for_each(|(_, value)| write_out(value, is_path, surroundings, diagnostics));
        }
        _ => {}
    }
}

/// Refuses what only the environment gives.
pub(crate) fn of_the_environment(key: &Key) -> Result<(), Diagnostic> {
    let variable = match key.name.as_str() {
        "common.rad_gen_home_path" => "RAD_GEN_HOME",
        "common.hammer_home_path" => "HAMMER_HOME",
        _ => return Ok(()),
    };
    Err(Diagnostic::error(format!("`{}` is what {variable} in the environment is", key.name))
        .at(key.span, "cannot be set here")
        .help(format!("set {variable} in the environment")))
}

/// Whether values of the type are paths, or lists of paths.
pub(crate) fn is_path(ty: &Type) -> bool {
    match ty {
        Type::Path | Type::Dir | Type::NewPath => true,
        Type::List(item) | Type::Optional(item) => is_path(item),
        _ => false,
    }
}
