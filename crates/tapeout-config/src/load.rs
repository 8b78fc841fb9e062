//! The first phase: which files, options and environment there are, and what they say before any typing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use tapeout_model::{ToolSettings, Value};

use crate::config::ConfigSource;
use crate::diagnostic::{self, Diagnostic};
use crate::meta::{Meta, Typing, is_comment};
use crate::read;
use crate::source::{FileId, SourceMap, Span};
use crate::tools;
use crate::tree::{Key, Node, Tree};

/// Where a configuration comes from.
#[derive(Clone, Debug, Default)]
pub struct Loader {
    /// The directory to which paths are relative. Without it, that of the last file.
    pub design_dir: Option<PathBuf>,
    /// Configuration files; of two that give a variable, the later wins.
    pub files: Vec<PathBuf>,
    /// A configuration given by code, a [`Value::Map`]; it beats the files.
    pub mapping: Option<Value>,
    /// `KEY=VALUE` of each `-c`.
    pub sets: Vec<String>,
    /// The environment: it sets the variables that declare a name in it, and file lists refer to it.
    pub env: Vec<(String, String)>,
}

/// What files and options say, before it is known which variables there are.
#[derive(Clone, Debug)]
pub struct Loaded {
    pub(crate) design_dir: PathBuf,
    /// The same as the user named it.
    pub(crate) given_dir: PathBuf,
    pub(crate) meta: Meta,
    pub(crate) tools: BTreeMap<String, ToolSettings>,
    /// What is given for variables, the weakest first.
    pub(crate) entries: Vec<Entry>,
    pub(crate) env: HashMap<String, String>,
}

/// One value that is given for a variable.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) source: ConfigSource,
    pub(crate) key: Key,
    pub(crate) given: Given,
    pub(crate) typing: Typing,
}

/// A value as its layer gives it.
#[derive(Clone, Debug)]
pub(crate) enum Given {
    /// Read already.
    Tree(Node),
    /// Text whose reading depends on the type of the variable.
    Text(String, Span),
}

impl Loader {
    /// A configuration given by code.
    #[must_use]
    pub fn from_mapping(mapping: Value, design_dir: impl Into<PathBuf>) -> Self {
        Self { design_dir: Some(design_dir.into()), mapping: Some(mapping), ..Self::default() }
    }

    /// Reads it all. The texts go to `sources`, for the diagnostics of this phase and of the next.
    ///
    /// # Errors
    /// Everything that is wrong with files, `meta`, `tools` and the form of options.
    pub fn load(self, sources: &mut SourceMap) -> Result<Loaded, Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        let given_dir = self.find_design_dir(&mut diagnostics);
        let mut loaded = Loaded {
            // Fails only where there is no current directory, where nothing relative can be found in any case.
            design_dir: std::path::absolute(&given_dir).unwrap_or_else(|_| given_dir.clone()),
            given_dir,
            meta: Meta::default(),
            tools: BTreeMap::new(),
            entries: Vec::new(),
            env: self.env.into_iter().collect(),
        };
        for path in &self.files {
            match read::read(path, sources) {
                Ok(node) => loaded.add_layer(ConfigSource::File, node, &mut diagnostics),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        if let Some(mapping) = &self.mapping {
            match read::from_value("<configuration>", mapping, sources) {
                Ok(node) => loaded.add_layer(ConfigSource::Code, node, &mut diagnostics),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
        }
        loaded.add_options(&self.sets, sources, &mut diagnostics);
        if diagnostics.is_empty() {
            return Ok(loaded);
        }
        diagnostic::sort(&mut diagnostics);
        Err(diagnostics)
    }

    fn find_design_dir(&self, diagnostics: &mut Vec<Diagnostic>) -> PathBuf {
        let dir = match (&self.design_dir, self.files.last()) {
            (Some(dir), _) => dir.clone(),
            (None, Some(file)) => file.parent().unwrap_or(Path::new("")).to_owned(),
            (None, None) if self.mapping.is_some() => {
                diagnostics.push(
                    Diagnostic::error("a configuration given by code needs a design directory")
                        .help("the paths in it are relative to the design directory"),
                );
                PathBuf::new()
            }
            (None, None) => {
                diagnostics.push(Diagnostic::error("no configuration is given").help("name a configuration file"));
                PathBuf::new()
            }
        };
        if dir.as_os_str().is_empty() { PathBuf::from(".") } else { dir }
    }
}

impl Loaded {
    /// What the configuration says about itself, such as the flow.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The directory to which paths are relative. Absolute.
    #[must_use]
    pub fn design_dir(&self) -> &Path {
        &self.design_dir
    }

    fn add_layer(&mut self, source: ConfigSource, node: Node, diagnostics: &mut Vec<Diagnostic>) {
        let span = node.span;
        let kind = node.kind();
        let Tree::Map(entries) = node.value else {
            diagnostics.push(
                Diagnostic::error(format!("a configuration must be a map, not {kind}"))
                    .at(span, "expected a map of variables"),
            );
            return;
        };
        let meta = entries.iter().find(|(key, _)| key.name == "meta");
        let typing = meta.map_or(Typing::Strict, |(_, node)| self.meta.update(node, diagnostics));
        for (key, node) in entries {
            match key.name.as_str() {
                "meta" => {}
                "tools" => tools::update(&mut self.tools, &node, diagnostics),
                name if is_comment(name) => {}
                _ => self.entries.push(Entry { source, key, given: Given::Tree(node), typing }),
            }
        }
    }

    /// The options stand in a text of their own, one a line, as they were written.
    fn add_options(&mut self, sets: &[String], sources: &mut SourceMap, diagnostics: &mut Vec<Diagnostic>) {
        if sets.is_empty() {
            return;
        }
        let mut text = String::new();
        let mut places = Vec::new();
        for set in sets {
            text.push_str("-c ");
            places.push(text.len());
            text.push_str(set);
            text.push('\n');
        }
        let file = sources.add("<command line>", text);
        for (set, start) in sets.iter().zip(places) {
            let whole = Span::new(file, start, start + set.len());
            match set.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    let key = Key { name: name.to_owned(), span: Span::new(file, start, start + name.len()) };
                    let value_at = start + name.len() + 1;
                    self.add_option(key, value, Span::new(file, value_at, whole.end), diagnostics);
                }
                _ => diagnostics.push(
                    Diagnostic::error(format!("`-c {set}` sets nothing"))
                        .at(whole, "expected KEY=VALUE")
                        .help("write for instance `-c CLOCK_PERIOD=10`"),
                ),
            }
        }
    }

    fn add_option(&mut self, key: Key, value: &str, span: Span, diagnostics: &mut Vec<Diagnostic>) {
        if let Some(path) = key.name.strip_prefix("tools.") {
            match tool_setting(path, key.span, value, span) {
                Ok(node) => tools::update(&mut self.tools, &node, diagnostics),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
            return;
        }
        let given = Given::Text(value.to_owned(), span);
        self.entries.push(Entry { source: ConfigSource::CommandLine, key, given, typing: Typing::Strict });
    }
}

/// `-c tools.yosys.path=/opt/yosys`, as the map that a file would have under `tools`. Tool names may have dots, the
/// settings have none.
fn tool_setting(path: &str, key: Span, value: &str, span: Span) -> Result<Node, Diagnostic> {
    let Some((tool, setting)) = path.rsplit_once('.').filter(|(tool, _)| !tool.is_empty()) else {
        return Err(Diagnostic::error(format!("`tools.{path}` does not name a setting of a tool"))
            .at(key, "expected tools.NAME.SETTING"));
    };
    let node = match setting {
        "path" | "setup" => Node { value: Tree::Str(value.to_owned()), span },
        _ => read::yaml::parse(value, span.file, span.start)?,
    };
    let wrap = |name: &str, node: Node| {
        let key = Key { name: name.to_owned(), span: key };
        Node { value: Tree::Map(vec![(key, node)]), span }
    };
    Ok(wrap(tool, wrap(setting, node)))
}

/// The place of a variable of the environment, in a text made for it.
pub(crate) fn environment_entry(variable: &str, name: &str, value: &str, sources: &mut SourceMap) -> Entry {
    let file: FileId = sources.add("<environment>", format!("{name}={value}\n"));
    let at = name.len() + 1;
    Entry {
        source: ConfigSource::Environment,
        key: Key { name: variable.to_owned(), span: Span::new(file, 0, name.len()) },
        given: Given::Text(value.to_owned(), Span::new(file, at, at + value.len())),
        typing: Typing::Strict,
    }
}
