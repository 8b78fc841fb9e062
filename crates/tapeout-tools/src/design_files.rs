//! What steps read alike of the PDK, its cell library, macros and the design: which files these are by the configuration,
//! and the LEF, netlist and layout in them. Which files belong to a corner or a macro is in `views`; what a layout that was
//! written must be is in `layouts`.

use std::collections::BTreeSet;

use tapeout_config::{Config, Variable};
use tapeout_flow::{Failure, Input, StepCx, design_name};
use tapeout_formats::def::{self, Def};
use tapeout_formats::gds;
use tapeout_formats::lef::{self, Lef};
use tapeout_formats::netlist::Netlist;
use tapeout_formats::spice::{self, Spice};
use tapeout_model::Class;

use crate::classic::variable;
use crate::values::{names, value};
use crate::views::{of_corner, of_macros};

/// The variables that [`lef_files`], [`technology`] and [`library`] read.
pub(crate) fn lef_variables() -> [Variable; 5] {
    ["TECH_LEFS", "CELL_LEFS", "EXTRA_LEFS", "MACROS", "DEFAULT_CORNER"].map(variable)
}

/// The variables that [`gds_files`] reads.
pub(crate) fn gds_variables() -> [Variable; 3] {
    ["CELL_GDS", "EXTRA_GDS", "MACROS"].map(variable)
}

/// The variables that [`spice_files`] reads.
pub(crate) fn spice_variables() -> [Variable; 4] {
    ["CELL_SPICE_MODELS", "CELL_CDLS", "EXTRA_SPICE_MODELS", "MACROS"].map(variable)
}

/// The variables that [`Supplies::of`] and [`netlist`] read.
pub(crate) fn netlist_variables() -> Vec<Variable> {
    let supplies = ["VDD_NETS", "GND_NETS", "VDD_PIN", "GND_PIN"].map(variable);
    [design_name()].into_iter().chain(supplies).collect()
}

const PATTERNS: &str = "its keys are patterns of corners: `\"*\"` stands for all";

/// The LEF files in the order in which they must be read, each once, also where one file is several things: technology,
/// cells, macros, others.
///
/// # Errors
/// When there is no technology for the default corner.
pub(crate) fn lef_files(config: &Config) -> Result<Vec<String>, Failure> {
    let macros = of_macros(value(config, "MACROS"), "lef");
    Ok(once([technology_files(config)?, config.strings("CELL_LEFS"), macros, config.strings("EXTRA_LEFS")].concat()))
}

fn technology_files(config: &Config) -> Result<Vec<&str>, Failure> {
    let corner = config.str("DEFAULT_CORNER");
    let files = of_corner(value(config, "TECH_LEFS"), corner);
    if files.is_empty() {
        let message = format!("`TECH_LEFS` has no file for the corner {corner}, which is `DEFAULT_CORNER`");
        return Err(input(message).hint(PATTERNS));
    }
    Ok(files)
}

/// Whether there is a technology for the default corner.
pub(crate) fn check_lefs(config: &Config) -> Result<(), (&'static str, String)> {
    // Planned without a PDK, there is neither.
    if config.get("TECH_LEFS").is_none() || config.get("DEFAULT_CORNER").is_none() {
        return Ok(());
    }
    let corner = config.str("DEFAULT_CORNER");
    if of_corner(value(config, "TECH_LEFS"), corner).is_empty() {
        let message = format!("it has no file for the corner {corner}, which is `DEFAULT_CORNER`; {PATTERNS}");
        return Err(("TECH_LEFS", message));
    }
    Ok(())
}

/// The Liberty files of the cell library in a corner.
pub(crate) fn lib_files<'c>(config: &'c Config, corner: &str) -> Vec<&'c str> {
    of_corner(value(config, "LIB"), corner)
}

/// What a plan says of a corner for which the PDK has no Liberty file. Where there is no `LIB` at all, the configuration
/// has said so or is for planning only.
pub(crate) fn check_libs(config: &Config, corners: &[&str]) -> Result<(), (&'static str, String)> {
    let Some(libs) = config.get("LIB") else { return Ok(()) };
    let missing = corners.iter().find(|corner| of_corner(libs, corner).is_empty());
    let Some(corner) = missing else { return Ok(()) };
    let patterns: Vec<String> = names(libs).iter().map(|pattern| format!("`{pattern}`")).collect();
    let there = if patterns.is_empty() { "it is empty".to_owned() } else { format!("it has {}", patterns.join(", ")) };
    Err(("LIB", format!("no Liberty file for the corner `{corner}`: {there}. Add one, or leave the corner out")))
}

/// The GDS files of cells and macros, each once.
pub(crate) fn gds_files(config: &Config) -> Vec<String> {
    let macros = of_macros(value(config, "MACROS"), "gds");
    once([config.strings("CELL_GDS"), macros, config.strings("EXTRA_GDS")].concat())
}

/// The SPICE netlists of cells and macros, each once. Those of cells that have no SPICE are their CDL.
pub(crate) fn spice_files(config: &Config) -> Vec<String> {
    let cells = match config.strings("CELL_SPICE_MODELS") {
        cells if cells.is_empty() => config.strings("CELL_CDLS"),
        cells => cells,
    };
    once([cells, of_macros(value(config, "MACROS"), "spice"), config.strings("EXTRA_SPICE_MODELS")].concat())
}

fn once(files: Vec<&str>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    files.into_iter().filter(|file| seen.insert(*file)).map(str::to_owned).collect()
}

/// Files of the user's and the PDK's as inputs, and how they are named in the work directory.
pub(crate) fn sources(cx: &mut StepCx<'_, '_>, files: &[String]) -> Result<(Vec<String>, Vec<Input>), Failure> {
    let mut names = Vec::new();
    for file in files {
        names.push(cx.source(file)?);
    }
    Ok((names, files.iter().map(|path| Input::Source { path: path.clone() }).collect()))
}

/// The files that SPICE netlists include, at any depth, as inputs.
pub(crate) fn spice_includes(cx: &mut StepCx<'_, '_>, files: &[String]) -> Result<Vec<Input>, Failure> {
    let mut found = BTreeSet::new();
    let mut pending = files.to_vec();
    while let Some(file) = pending.pop() {
        let text = cx.read_source(&file)?.unwrap_or_default();
        for included in includes_in(&String::from_utf8_lossy(&text)) {
            let path = std::path::Path::new(&file).with_file_name("").join(included).to_string_lossy().into_owned();
            if found.insert(path.clone()) {
                pending.push(path);
            }
        }
    }
    Ok(found.into_iter().map(|path| Input::Source { path }).collect())
}

/// What the lines `.include FILE` and `.lib FILE SECTION` name.
fn includes_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(|line| {
        let (card, rest) = line.trim().split_once(char::is_whitespace)?;
        let is_include = [".include", ".inc", ".lib"].iter().any(|known| card.eq_ignore_ascii_case(known));
        let rest = rest.trim().trim_start_matches(['"', '\'']);
        let end = rest.find(|c: char| c == '"' || c == '\'' || c.is_whitespace()).unwrap_or(rest.len());
        (is_include && end > 0).then(|| &rest[..end])
    })
}

/// What is wrong with what the user gave.
pub(crate) fn input(message: impl Into<String>) -> Failure {
    Failure::new(Class::Input, message)
}

/// The bytes of a file of this format.
fn bytes(cx: &mut StepCx<'_, '_>, format: &str, path: &str) -> Result<Vec<u8>, Failure> {
    cx.read_source(path)?.ok_or_else(|| input(format!("the {format} file `{path}` is not there")))
}

/// The LEF files as one.
fn merged(cx: &mut StepCx<'_, '_>, files: &[String]) -> Result<Lef, Failure> {
    let mut all = Lef::default();
    for path in files {
        let bytes = bytes(cx, "LEF", path)?;
        let read = lef::parse(&String::from_utf8_lossy(&bytes));
        all.merge(read.map_err(|error| input(format!("`{path}`: {error}")))?);
    }
    Ok(all)
}

/// The layers of the process.
///
/// # Errors
/// When a file is missing or is no LEF, or there is none for the default corner.
pub(crate) fn technology(cx: &mut StepCx<'_, '_>) -> Result<Lef, Failure> {
    let files = once(technology_files(cx.config)?);
    merged(cx, &files)
}

/// The layers of the process, its cells and the macros of the design.
///
/// # Errors
/// As [`technology`], and when there are no layers for wires.
pub(crate) fn library(cx: &mut StepCx<'_, '_>) -> Result<Lef, Failure> {
    let files = lef_files(cx.config)?;
    let library = merged(cx, &files)?;
    if library.routing_layers().next().is_none() {
        let corner = cx.config.str("DEFAULT_CORNER");
        return Err(input(format!("the LEF files have no layers for wires for the corner {corner}"))
            .hint("does a pattern in `TECH_LEFS` stand for that corner (`DEFAULT_CORNER`)?"));
    }
    Ok(library)
}

/// The subcircuits of cells and macros.
///
/// # Errors
/// When a file is missing or is no SPICE.
pub(crate) fn models(cx: &mut StepCx<'_, '_>) -> Result<Spice, Failure> {
    let mut models = Spice::default();
    for path in spice_files(cx.config) {
        let bytes = bytes(cx, "SPICE", &path)?;
        let read = spice::parse(&String::from_utf8_lossy(&bytes));
        models.subckts.extend(read.map_err(|error| input(format!("`{path}`: {error}")))?.subckts);
    }
    Ok(models)
}

/// The names of all structures in the GDS files of cells and macros.
///
/// # Errors
/// When a file is missing or is no GDS.
pub(crate) fn structures(cx: &mut StepCx<'_, '_>) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    for path in gds_files(cx.config) {
        let bytes = bytes(cx, "GDS", &path)?;
        names.extend(gds::structure_names(&bytes).map_err(|error| input(format!("`{path}`: {error}")))?);
    }
    Ok(names)
}

/// The names of the supply nets of the design.
pub(crate) struct Supplies {
    /// The positive one.
    pub(crate) power: String,
    /// The other one.
    pub(crate) ground: String,
}

impl Supplies {
    /// The first nets that the configuration names, else nets called as the cells' pins.
    pub(crate) fn of(config: &Config) -> Self {
        let name = |nets, pin| config.strings(nets).first().copied().unwrap_or_else(|| config.str(pin)).to_owned();
        Self { power: name("VDD_NETS", "VDD_PIN"), ground: name("GND_NETS", "GND_PIN") }
    }
}

/// The mapped netlist, from the view `json`.
///
/// # Errors
/// When there is none, or it is not flat.
pub(crate) fn netlist(cx: &mut StepCx<'_, '_>) -> Result<Netlist, Failure> {
    let view = cx.view_file("json")?;
    let supplies = Supplies::of(cx.config);
    let text = cx.output_text(&view)?;
    Netlist::from_yosys(&text, cx.config.str("DESIGN_NAME"), &[&supplies.power, &supplies.ground])
        .map_err(|error| input(format!("`{}`: {error}", view.path)))
}

/// The layout so far, from the view `def`.
///
/// # Errors
/// When there is none, or it is no DEF.
pub(crate) fn layout(cx: &mut StepCx<'_, '_>) -> Result<Def, Failure> {
    let view = cx.view_file("def")?;
    def::parse(&cx.output_text(&view)?).map_err(|error| cx.unreadable(&view.path, error))
}
