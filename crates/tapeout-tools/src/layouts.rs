//! The files of cells and macros that layouts are made of and compared with, as configurations name them, and what of them
//! every layout tool needs alike. Owns no tool.

use std::collections::BTreeSet;

use tapeout_config::{Config, Variable};
use tapeout_flow::{Failure, Input, StepCx, StepResult};
use tapeout_formats::gds;
use tapeout_model::{Alert, Class, Severity, Value};

use crate::classic::variable;
use crate::views::{of_corner, of_macros};

/// How many kinds of cells a GDS shows by their abstracts only.
pub(crate) const ABSTRACT_CELLS: &str = "design__gds__abstract_cells";

const PATTERNS: &str = "its keys are patterns of corners: `\"*\"` stands for all";

/// The variables that [`lefs`] reads.
pub(crate) fn lef_variables() -> [Variable; 5] {
    ["TECH_LEFS", "CELL_LEFS", "EXTRA_LEFS", "MACROS", "DEFAULT_CORNER"].map(variable)
}

/// The variables that [`layouts`] reads.
pub(crate) fn gds_variables() -> [Variable; 3] {
    ["CELL_GDS", "EXTRA_GDS", "MACROS"].map(variable)
}

/// The variables that [`netlists`] reads.
pub(crate) fn netlist_variables() -> [Variable; 4] {
    ["CELL_SPICE_MODELS", "CELL_CDLS", "EXTRA_SPICE_MODELS", "MACROS"].map(variable)
}

/// The LEF files in the order in which they must be read, each once: technology, cells, macros, others.
pub(crate) fn lefs(config: &Config) -> Result<Vec<String>, Failure> {
    let corner = config.str("DEFAULT_CORNER");
    let technology = of_corner(value(config, "TECH_LEFS"), corner);
    if technology.is_empty() {
        let message = format!("`TECH_LEFS` has no file for the corner {corner}, which is `DEFAULT_CORNER`");
        return Err(
            Failure::new(Class::Input, message).hint("its keys are patterns of corners: `\"*\"` stands for all")
        );
    }
    let macros = of_macros(value(config, "MACROS"), "lef");
    Ok(once([technology, config.strings("CELL_LEFS"), macros, config.strings("EXTRA_LEFS")].concat()))
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

/// The GDS files of cells and macros, each once.
pub(crate) fn layouts(config: &Config) -> Vec<String> {
    let macros = of_macros(value(config, "MACROS"), "gds");
    once([config.strings("CELL_GDS"), macros, config.strings("EXTRA_GDS")].concat())
}

/// The SPICE netlists of cells and macros, each once. Those of cells that have no SPICE are their CDL.
pub(crate) fn netlists(config: &Config) -> Vec<String> {
    let cells = match config.strings("CELL_SPICE_MODELS") {
        cells if cells.is_empty() => config.strings("CELL_CDLS"),
        cells => cells,
    };
    once([cells, of_macros(value(config, "MACROS"), "spice"), config.strings("EXTRA_SPICE_MODELS")].concat())
}

fn value<'c>(config: &'c Config, name: &str) -> &'c Value {
    config.get(name).unwrap_or(&Value::Null)
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

/// The names of all structures in the GDS files of cells and macros.
pub(crate) fn library_structures(cx: &mut StepCx<'_, '_>) -> Result<BTreeSet<String>, Failure> {
    let mut names = BTreeSet::new();
    for file in layouts(cx.config) {
        let bytes = cx.read_source(&file)?.unwrap_or_default();
        let structures = gds::structure_names(&bytes)
            .map_err(|error| Failure::new(Class::Input, format!("cannot make sense of `{file}`: {error}")))?;
        names.extend(structures);
    }
    Ok(names)
}

/// What to say of cells that a layout shows by their abstracts only, if there are such.
pub(crate) fn abstract_cells_alert(cells: &[String]) -> Option<Alert> {
    let mut cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    cells.sort_unstable();
    let shown = cells.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    let more = if cells.len() > 5 { ", …" } else { "" };
    (!cells.is_empty()).then(|| Alert {
        severity: Severity::Warning,
        code: "layout.abstract-cells".to_owned(),
        message: format!(
            "this GDS cannot be manufactured: {} kinds of cells have no layout and are shown by their abstracts ({shown}{more}); \
             name the GDS files of the cells in `CELL_GDS`",
            cells.len()
        ),
        count: 1,
    })
}

/// One complaint of many violations: the rules with the most of them, and how many each has. Complaints of one code are
/// shown as one.
pub(crate) fn violations_alert(code: &str, what: &str, mut rules: Vec<(String, u64)>) -> Option<Alert> {
    rules.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let total: u64 = rules.iter().map(|(_, count)| count).sum();
    let left_out = rules.len().saturating_sub(MOST_RULES);
    let shown = rules.iter().take(MOST_RULES).map(|(rule, count)| format!("{rule} (×{count})"));
    let more = (left_out > 0).then(|| format!("and {left_out} more"));
    let message = format!("{what}: {}", shown.chain(more).collect::<Vec<_>>().join(", "));
    (total > 0).then(|| Alert { severity: Severity::Warning, code: code.to_owned(), message, count: 1 })
}

/// How many rules a complaint names.
const MOST_RULES: usize = 5;

/// Adds the GDS of a tool to a result: as the view of that tool, and as `gds` if it is the one to tape out or there is no
/// other. Else the `gds` from before stays: of two steps that make a view the later one is asked for it.
pub(crate) fn with_gds(
    cx: &mut StepCx<'_, '_>,
    mut result: StepResult,
    (tool, view): (&str, &str),
    bytes: &[u8],
) -> Result<StepResult, Failure> {
    let design = cx.config.str("DESIGN_NAME").to_owned();
    let of_tool = format!("{design}.{tool}.gds");
    result.written.push(cx.write(&of_tool, bytes)?);
    let is_primary = cx.config.str("PRIMARY_GDSII_STREAMOUT_TOOL") == tool;
    let earlier = if is_primary || cx.view("gds").is_none() { None } else { Some(cx.view_file("gds")?) };
    let earlier = earlier.map(|earlier| cx.output_bytes(&earlier)).transpose()?;
    let path = format!("{design}.gds");
    result.written.push(cx.write(&path, earlier.as_deref().unwrap_or(bytes))?);
    Ok(result.view(view, of_tool).view("gds", path))
}

/// Whether one of the tools is named whose GDS there can be.
pub(crate) fn check_primary(config: &Config) -> Result<(), (&'static str, String)> {
    match config.opt_str("PRIMARY_GDSII_STREAMOUT_TOOL") {
        None | Some("magic" | "klayout") => Ok(()),
        Some(other) => Err(("PRIMARY_GDSII_STREAMOUT_TOOL", format!("expected `magic` or `klayout`, found `{other}`"))),
    }
}

/// A GDS without dates, so that two runs give the same file.
pub(crate) fn without_dates(cx: &StepCx<'_, '_>, path: &str, mut bytes: Vec<u8>) -> Result<Vec<u8>, Failure> {
    gds::set_dates(&mut bytes, gds::Dates::default()).map_err(|error| cx.unreadable(path, error))?;
    Ok(bytes)
}
