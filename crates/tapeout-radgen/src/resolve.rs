//! From a command line to the resolved configuration of the subtools: files and options become layers, the schema types
//! them, and each subtool's initialisation fills in the rest. All that is wrong comes out together.

use std::path::{Path, PathBuf};

use tapeout_config::{
    Config, ConfigSource, Diagnostic, Key, Loader, Node, Schema, SchemaError, SourceMap, Span, Structure, Tree, Type,
    Variable,
};
use tapeout_model::Severity;

use crate::asic_dse::AsicDse;
use crate::coffe::Coffe;
use crate::command_line;
use crate::common::Common;
use crate::files::{Flat, Surroundings, of_the_environment, read_file};
use crate::flow_files::FlowFacts;
use crate::ic_3d::Ic3d;
use crate::options::Options;
use crate::subtool::Subtool;
use crate::words::{Word, Written, take_apart};

/// The sections of a top configuration.
#[derive(Clone, Debug, Schema)]
pub struct Settings {
    /// What all subtools share.
    pub common: Common,
    /// The standard cell flow of a design, and sweeps over such flows.
    pub asic_dse: AsicDse,
    /// The sizing of an FPGA's transistors.
    pub coffe: Coffe,
    /// The exploration of stacked dies.
    pub ic_3d: Ic3d,
}

/// What a command line comes to.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The subtools, in the order in which they were named.
    pub subtools: Vec<Subtool>,
    /// The settings. Fields that follow from others have their values only for the named subtools.
    pub settings: Settings,
    /// The same as variables, each with who gave it.
    pub config: Config,
    /// What is odd, but no error.
    pub warnings: Vec<Diagnostic>,
    /// Whether `--json` was given.
    pub json: bool,
}

/// What is asked of `tapeout radgen`.
#[derive(Clone, Debug)]
pub enum Request {
    /// To say which options there are, for these subtools.
    Help(Vec<Subtool>),
    /// To run subtools, or only to show what they would run with.
    Run(Box<Resolved>),
}

/// The variables of all sections.
///
/// # Errors
/// A fault in the declarations, thus in this crate.
pub fn schema() -> Result<Schema, SchemaError> {
    let mut schema = <Settings as Structure>::fields(false)?;
    let doc = "Timing and power analysis, when they were one stage.";
    let former = Variable::new("asic_dse.common_asic_flow.flow_stages.pt.run", Type::Bool, doc);
    schema.add(former.deprecated(|_| {
        Err("its stage became two: set `flow_stages.timing.run` and `flow_stages.power.run`".to_owned())
    }))?;
    Ok(schema)
}

/// Resolves what stands after `tapeout radgen`. The texts go to `sources`, for the diagnostics and origins.
///
/// # Errors
/// Everything that is wrong with words, files, values and their combination, in the order of the places.
pub fn resolve(
    words: &[String],
    surroundings: &Surroundings,
    sources: &mut SourceMap,
) -> Result<Request, Vec<Diagnostic>> {
    let schema = schema().map_err(|error| vec![Diagnostic::error(error.to_string())])?;
    let (line, before, written) = take_apart(words, sources);
    let mut diagnostics = Vec::new();
    let top = top_config(&written, surroundings, sources, &mut diagnostics);
    let subtools = subtools(&written, top.as_ref(), &mut diagnostics);
    if written.iter().any(|option| option.is("help", "h")) {
        return Ok(Request::Help(subtools));
    }

    // With none to go by, all options are known, so that one mistake does not make many.
    let known = if subtools.is_empty() { &Subtool::ALL[..] } else { &subtools };
    let options = Options::new(&schema, known);
    let given = command_line::entries(&before, &written, options, &mut diagnostics);
    let mut layers = Layers { surroundings, schema: &schema, layers: Vec::new(), diagnostics };
    layers.add_options(given);
    if let Some(node) = top {
        layers.add_file("", node);
    }
    if subtools.contains(&Subtool::AsicDse) {
        layers.add_sweep(sources);
    }
    let Layers { layers, mut diagnostics, .. } = layers;
    let config = match load(layers, Span::new(line, 0, 0), &schema, surroundings, sources) {
        Ok((config, warnings)) if diagnostics.is_empty() => {
            diagnostics.extend(warnings);
            config
        }
        Ok((_, more)) | Err(more) => {
            diagnostics.extend(more);
            return Err(in_order(diagnostics));
        }
    };
    let (settings, config) = initialise(&config, &subtools, surroundings, sources).map_err(|mut errors| {
        errors.append(&mut diagnostics);
        in_order(errors)
    })?;
    let json = written.iter().any(|option| option.is("json", ""));
    Ok(Request::Run(Box::new(Resolved { subtools, settings, config, warnings: diagnostics, json })))
}

/// The file that the command line names as the top configuration.
fn top_config(
    written: &[Written],
    surroundings: &Surroundings,
    sources: &mut SourceMap,
    diagnostics: &mut Vec<Diagnostic>,
) -> Option<Node> {
    let option = written.iter().rev().find(|option| named(option, "top_config_fpath", "tc"))?;
    let word = option.values().next()?;
    let read = surroundings
        .expand(&word.text, true, word.span)
        .and_then(|path| read_file(&path, "top configuration", word.span, surroundings, sources));
    match read {
        Ok(node) => Some(node),
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            None
        }
    }
}

fn named(option: &Written, long: &str, short: &str) -> bool {
    option.is(long, short) || (option.long && option.name.strip_prefix("common.") == Some(long))
}

/// The subtools that the command line names, else those that the top configuration names, else the only one that it has
/// a section for.
fn subtools(written: &[Written], top: Option<&Node>, diagnostics: &mut Vec<Diagnostic>) -> Vec<Subtool> {
    let option = written.iter().rev().find(|option| named(option, "subtools", "st"));
    let words: Vec<Word> = match option {
        Some(option) => option.values().cloned().collect(),
        None => top.map(named_in_file).unwrap_or_default(),
    };
    if words.is_empty() {
        let sections = top.map(sections).unwrap_or_default();
        if let (None, [only]) = (option, sections.as_slice()) {
            return vec![*only];
        }
        let diagnostic = Diagnostic::error("no subtool is named").help(format!("write `--subtools` and {}", listed()));
        diagnostics.push(match option {
            Some(option) => diagnostic.at(option.span, "expected subtools after it"),
            None => diagnostic,
        });
    }
    let mut subtools = Vec::new();
    for word in &words {
        match Subtool::named(&word.text) {
            Some(subtool) if !subtools.contains(&subtool) => subtools.push(subtool),
            Some(subtool) => diagnostics.push(
                Diagnostic::error(format!("`{}` is named twice", subtool.name()))
                    .at(word.span, "named again here")
                    .help("name each subtool once"),
            ),
            // Typing says what is wrong with a word that names none.
            None => {}
        }
    }
    subtools
}

/// The subtools that a file has sections for.
fn sections(top: &Node) -> Vec<Subtool> {
    let Tree::Map(entries) = &top.value else { return Vec::new() };
    let is_there =
        |subtool: &Subtool| entries.iter().any(|(key, _)| key.name.split('.').next() == Some(subtool.name()));
    Subtool::ALL.into_iter().filter(is_there).collect()
}

fn listed() -> String {
    let names = Subtool::ALL.map(|subtool| format!("`{subtool}`"));
    format!("any of {}", names.join(", "))
}

fn named_in_file(top: &Node) -> Vec<Word> {
    let find = |node: &Node, name: &str| match &node.value {
        Tree::Map(entries) => entries.iter().find(|(key, _)| key.name == name).map(|(_, value)| value.clone()),
        _ => None,
    };
    let found = find(top, "common").and_then(|common| find(&common, "subtools"));
    let node = found.or_else(|| find(top, "common.subtools"));
    let items = match node.map(|node| (node.value.clone(), node)) {
        Some((Tree::List(items), _)) => items,
        Some((Tree::Str(_), node)) => vec![node],
        _ => Vec::new(),
    };
    let word = |item: Node| match item.value {
        Tree::Str(text) => Some(Word { text, span: item.span }),
        _ => None,
    };
    items.into_iter().filter_map(word).collect()
}

/// The layers, the strongest first until they are loaded.
struct Layers<'a> {
    surroundings: &'a Surroundings,
    schema: &'a Schema,
    layers: Vec<(ConfigSource, Vec<(Key, Node)>)>,
    diagnostics: Vec<Diagnostic>,
}

impl Layers<'_> {
    /// Of two values of a field the later beats the earlier, and so stands in a layer above.
    fn add_options(&mut self, given: Vec<(Key, Node)>) {
        let mut flat = Flat::new(self.schema, self.surroundings);
        let mut below: Vec<Vec<(Key, Node)>> = vec![Vec::new()];
        for (key, mut node) in given.into_iter().rev() {
            if let Err(diagnostic) = of_the_environment(&key) {
                flat.diagnostics.push(diagnostic);
                continue;
            }
            if !flat.write_out(&key.name, &mut node) {
                continue;
            }
            let free = below.iter().position(|layer| layer.iter().all(|(known, _)| known.name != key.name));
            match free {
                Some(free) => below[free].push((key, node)),
                None => below.push(vec![(key, node)]),
            }
        }
        self.diagnostics.append(&mut flat.diagnostics);
        self.layers.extend(below.into_iter().map(|layer| (ConfigSource::CommandLine, layer)));
    }

    fn add_file(&mut self, prefix: &str, node: Node) {
        let Tree::Map(entries) = node.value else { return };
        let mut flat = Flat::new(self.schema, self.surroundings);
        flat.add_map(prefix, entries);
        self.diagnostics.append(&mut flat.diagnostics);
        self.layers.push((ConfigSource::File, flat.entries));
    }

    /// The file of the sweep, the keys of which are those of the struct.
    fn add_sweep(&mut self, sources: &mut SourceMap) {
        const FILE: &str = "asic_dse.sweep_conf_fpath";
        let given = self.layers.iter().find_map(|(_, layer)| layer.iter().find(|(key, _)| key.name == FILE));
        let Some((_, Node { value: Tree::Str(path), span })) = given else { return };
        let path = path.strip_prefix("dir::").unwrap_or(path);
        // Typing says that a path does not exist.
        if !self.surroundings.locate(Path::new(path)).exists() {
            return;
        }
        match read_file(path, "sweep file", *span, self.surroundings, sources) {
            Ok(node) => self.add_file("asic_dse.design_sweep_info.", node),
            Err(diagnostic) => self.diagnostics.push(diagnostic),
        }
    }
}

/// Types the layers, of which the strongest comes first. As wholes they stand nowhere but in the command line.
fn load(
    layers: Vec<(ConfigSource, Vec<(Key, Node)>)>,
    whole: Span,
    schema: &Schema,
    surroundings: &Surroundings,
    sources: &mut SourceMap,
) -> Result<(Config, Vec<Diagnostic>), Vec<Diagnostic>> {
    let layers = layers.into_iter().rev();
    let loader = Loader {
        design_dir: Some(surroundings.dir.clone()),
        layers: layers.map(|(source, map)| (source, Node { value: Tree::Map(map), span: whole })).collect(),
        env: surroundings.env.clone(),
        ..Loader::default()
    };
    loader.load(sources)?.resolve(schema, sources)
}

fn initialise(
    config: &Config,
    subtools: &[Subtool],
    surroundings: &Surroundings,
    sources: &mut SourceMap,
) -> Result<(Settings, Config), Vec<Diagnostic>> {
    let given: Settings = config.read("");
    let asic = &given.asic_dse;
    let files: Vec<&PathBuf> = match (&asic.sweep_conf_fpath, &asic.design_sweep_info.base_config_path) {
        _ if !subtools.contains(&Subtool::AsicDse) => Vec::new(),
        (Some(_), base) => base.iter().collect(),
        (None, _) => asic.flow_conf_fpaths.iter().flatten().collect(),
    };
    let files: Vec<PathBuf> = files.into_iter().map(|file| surroundings.locate(file)).collect();
    let flow = FlowFacts::read(files.iter().map(PathBuf::as_path), sources)?;
    config.initialise("", |settings: &mut Settings, init| {
        let Settings { common, asic_dse, coffe, ic_3d } = settings;
        common.init(subtools, surroundings);
        for subtool in subtools {
            match subtool {
                Subtool::AsicDse => asic_dse.init(common, &flow, init),
                Subtool::Coffe => coffe.init(common, init),
                Subtool::Ic3d => ic_3d.init(init),
            }
        }
    })
}

/// The errors in the order of their places, those without a place last.
fn in_order(mut diagnostics: Vec<Diagnostic>) -> Vec<Diagnostic> {
    Diagnostic::sort(&mut diagnostics);
    diagnostics.dedup();
    debug_assert!(diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error), "an error has a reason");
    diagnostics
}
