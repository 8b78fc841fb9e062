//! The first phase: which files, options and environment there are, and what they say before any typing.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_model::{ToolSettings, Value};

use crate::diagnostic::Diagnostic;
use crate::include;
use crate::layer::{Entry, Given};
use crate::meta::{Meta, Typing, is_comment};
use crate::paths::normalise;
use crate::pdk::PdkManifests;
use crate::read::tcl::TclInterpreter;
use crate::read::{self, Format};
use crate::sections::Process;
use crate::setting::ConfigSource;
use crate::source::{SourceMap, Span};
use crate::targets::{self, TargetResults};
use crate::tools;
use crate::tree::{Key, Node, Tree};

/// Where a configuration comes from.
#[derive(Clone, Default)]
pub struct Loader {
    /// The directory to which paths are relative. Without it, that of the last file.
    pub design_dir: Option<PathBuf>,
    /// Configuration files; of two that give a variable, the later wins.
    pub files: Vec<PathBuf>,
    /// A configuration given by code, a [`Value::Map`]; it beats the files.
    pub mapping: Option<Value>,
    /// Layers that are read already, the weakest first. They stand for all files: with any, the project's file is not
    /// looked for.
    pub layers: Vec<(ConfigSource, Node)>,
    /// `KEY=VALUE` of each `-c`.
    pub sets: Vec<String>,
    /// Options that set one variable each; they beat `sets`.
    pub options: Vec<NamedOption>,
    /// The environment: it sets the variables that declare a name in it, and file lists refer to it.
    pub env: Vec<(String, String)>,
    /// What evaluates Tcl. Without it, a PDK or a configuration in Tcl is an error.
    pub tcl: Option<Arc<dyn TclInterpreter>>,
    /// The PDKs that are known beside those in `PDK_ROOT`.
    pub pdks: PdkManifests,
    /// What targets give. Without it, a value of `target::` is an error.
    pub targets: Option<TargetResults>,
}

/// An option of the command line that sets one variable: `--pdk sky130A`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedOption {
    /// How it is written.
    pub option: &'static str,
    /// The variable.
    pub variable: &'static str,
    /// Its value.
    pub value: String,
}

/// What files and options say, before it is known which variables there are.
#[derive(Clone)]
pub struct Loaded {
    pub(crate) design_dir: PathBuf,
    /// The same as the user named it.
    pub(crate) given_dir: PathBuf,
    pub(crate) meta: Meta,
    pub(crate) tools: BTreeMap<String, ToolSettings>,
    /// What is given for variables, the weakest first.
    pub(crate) entries: Vec<Entry>,
    /// How many layers there are.
    pub(crate) layers: usize,
    pub(crate) env: HashMap<String, String>,
    pub(crate) tcl: Option<Arc<dyn TclInterpreter>>,
    pub(crate) pdks: PdkManifests,
    /// What options and environment say about the PDK.
    pub(crate) chosen: Process,
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
            layers: 0,
            env: self.env.into_iter().collect(),
            tcl: self.tcl,
            pdks: self.pdks,
            chosen: Process::default(),
        };
        loaded.choose_process(&self.sets, &self.options);
        if let Some(project) = project_file(&loaded.design_dir).filter(|_| self.layers.is_empty()) {
            let project = if loaded.given_dir.is_relative() { from_here(project) } else { project };
            loaded.add_file(ConfigSource::Project, &project, sources, &mut diagnostics);
        }
        for path in &self.files {
            loaded.add_file(ConfigSource::File, path, sources, &mut diagnostics);
        }
        if let Some(mapping) = &self.mapping {
            loaded.add_mapping(ConfigSource::Code, "<configuration>", mapping, sources, &mut diagnostics);
        }
        for (source, node) in self.layers {
            loaded.add_layer(source, node, Format::Mapping, &mut diagnostics);
        }
        loaded.add_sets(&self.sets, sources, &mut diagnostics);
        loaded.add_options(&self.options, sources);
        targets::resolve(&mut loaded.entries, self.targets.as_ref(), &mut diagnostics);
        if diagnostics.is_empty() {
            return Ok(loaded);
        }
        Diagnostic::sort(&mut diagnostics);
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

/// The names that the project's file may have.
const PROJECT_NAMES: [&str; 4] = ["tapeout.toml", "tapeout.yaml", "tapeout.yml", "tapeout.json"];

/// The project's file: the nearest, in the design directory or above it.
fn project_file(design_dir: &Path) -> Option<PathBuf> {
    let here = |dir: &Path| PROJECT_NAMES.iter().map(|name| dir.join(name)).find(|path| path.is_file());
    // By the text, what `a/..` stands in is not `a`.
    normalise(design_dir).ancestors().find_map(here)
}

/// An absolute path as it is seen from the current directory, where it is in that or in one above.
fn from_here(path: PathBuf) -> PathBuf {
    let Ok(here) = std::env::current_dir() else { return path };
    if let Ok(below) = path.strip_prefix(&here) {
        return below.to_owned();
    }
    let levels = here.ancestors().position(|above| Some(above) == path.parent());
    match (levels, path.file_name()) {
        (Some(levels), Some(name)) => std::iter::repeat_n("..", levels).collect::<PathBuf>().join(name),
        _ => path,
    }
}

impl Loaded {
    /// What the configuration says about itself, such as the flow.
    #[must_use]
    pub fn meta(&self) -> &Meta {
        &self.meta
    }

    /// The version of OpenLane's configuration language that the last file or mapping is in, which says how its values are
    /// typed: 1 converts text, 2 does not. Without any, 2.
    #[must_use]
    pub fn version(&self) -> u8 {
        let written = |entry: &&Entry| matches!(entry.source, ConfigSource::File | ConfigSource::Code);
        match self.entries.iter().rfind(written).map(|entry| entry.typing) {
            Some(Typing::Permissive) => 1,
            Some(Typing::Strict) | None => 2,
        }
    }

    /// The directory to which paths are relative. Absolute.
    #[must_use]
    pub fn design_dir(&self) -> &Path {
        &self.design_dir
    }

    /// Adds defaults of the flow or the technology, a [`Value::Map`], which beat the variables' own only.
    ///
    /// # Errors
    /// It is no map, or too deep.
    pub fn add_defaults(&mut self, defaults: &Value, sources: &mut SourceMap) -> Result<(), Vec<Diagnostic>> {
        let mut diagnostics = Vec::new();
        self.add_mapping(ConfigSource::Technology, "<defaults>", defaults, sources, &mut diagnostics);
        if diagnostics.is_empty() { Ok(()) } else { Err(diagnostics) }
    }

    /// The files that a file includes are layers of their own, below it.
    fn add_file(
        &mut self,
        source: ConfigSource,
        path: &Path,
        sources: &mut SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let mut files = Vec::new();
        include::read(path, sources, &mut files, diagnostics, &mut |path, sources| self.read_file(path, sources));
        for (node, format) in files {
            self.add_layer(source, node, format, diagnostics);
        }
    }

    fn read_file(&self, path: &Path, sources: &mut SourceMap) -> Result<(Node, Format), Diagnostic> {
        match Format::of(path) {
            Some(Format::Tcl) if path.is_file() => Ok((self.evaluate_tcl(path, sources)?, Format::Tcl)),
            _ => read::read_any(path, sources),
        }
    }

    fn add_mapping(
        &mut self,
        source: ConfigSource,
        name: &str,
        mapping: &Value,
        sources: &mut SourceMap,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        match read::from_value(name, mapping, sources) {
            Ok(node) => self.add_layer(source, node, Format::Mapping, diagnostics),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }

    fn add_layer(&mut self, source: ConfigSource, node: Node, format: Format, diagnostics: &mut Vec<Diagnostic>) {
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
        let typing = match meta {
            Some((_, node)) => self.meta.update(node, format.typing(), diagnostics),
            None => format.typing(),
        };
        let layer = self.next_layer();
        for (key, node) in entries {
            match key.name.as_str() {
                // Editors find the schema of a file by `$schema`.
                "meta" | "include" | "$schema" => {}
                "tools" => tools::update(&mut self.tools, &node, diagnostics),
                name if is_comment(name) => {}
                _ => self.entries.push(Entry { source, layer, key, given: Given::Tree(node), typing }),
            }
        }
    }

    fn next_layer(&mut self) -> usize {
        self.layers += 1;
        self.layers
    }

    /// Each `-c` stands on a line of its own, as it was written.
    fn add_sets(&mut self, sets: &[String], sources: &mut SourceMap, diagnostics: &mut Vec<Diagnostic>) {
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
        let layer = self.next_layer();
        for (set, start) in sets.iter().zip(places) {
            let whole = Span::new(file, start, start + set.len());
            match set.split_once('=') {
                Some((name, value)) if !name.is_empty() => {
                    let key = Key { name: name.to_owned(), span: Span::new(file, start, start + name.len()) };
                    let at = Span::new(file, start + name.len() + 1, whole.end);
                    self.add_option(layer, key, value, at, diagnostics);
                }
                _ => diagnostics.push(
                    Diagnostic::error(format!("`-c {set}` sets nothing"))
                        .at(whole, "expected KEY=VALUE")
                        .help("write for instance `-c CLOCK_PERIOD=10`"),
                ),
            }
        }
    }

    fn add_options(&mut self, options: &[NamedOption], sources: &mut SourceMap) {
        for NamedOption { option, variable, value } in options {
            let file = sources.add("<command line>", format!("{option} {value}\n"));
            let at = Span::new(file, option.len() + 1, option.len() + 1 + value.len());
            let key = Key { name: (*variable).to_owned(), span: Span::new(file, 0, option.len()) };
            let given = Given::Text(value.clone(), at);
            let (source, layer) = (ConfigSource::CommandLine, self.next_layer());
            self.entries.push(Entry { source, layer, key, given, typing: Typing::Permissive });
        }
    }

    fn add_option(&mut self, layer: usize, key: Key, value: &str, span: Span, diagnostics: &mut Vec<Diagnostic>) {
        if let Some(path) = key.name.strip_prefix("tools.") {
            match tool_setting(path, key.span, value, span) {
                Ok(node) => tools::update(&mut self.tools, &node, diagnostics),
                Err(diagnostic) => diagnostics.push(diagnostic),
            }
            return;
        }
        let given = Given::Text(value.to_owned(), span);
        let source = ConfigSource::CommandLine;
        self.entries.push(Entry { source, layer, key, given, typing: Typing::Permissive });
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

/// What a variable of the environment gives, with a text made for it.
pub(crate) fn environment_entry(
    variable: &str,
    layer: usize,
    name: &str,
    value: &str,
    sources: &mut SourceMap,
) -> Entry {
    let file = sources.add("<environment>", format!("{name}={value}\n"));
    let at = Span::new(file, name.len() + 1, name.len() + 1 + value.len());
    Entry {
        source: ConfigSource::Environment,
        layer,
        key: Key { name: variable.to_owned(), span: Span::new(file, 0, name.len()) },
        given: Given::Text(value.to_owned(), at),
        typing: Typing::Permissive,
    }
}
