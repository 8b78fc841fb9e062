//! What the steps of place and route read alike: the LEF files of process, cells and macros, the netlist, the layout, and
//! what the supplies are called.

use std::collections::BTreeSet;

use tapeout_config::{Config, Variable};
use tapeout_flow::{Failure, StepCx, design_name};
use tapeout_formats::def::{self, Def};
use tapeout_formats::lef::{self, Lef};
use tapeout_formats::netlist::Netlist;
use tapeout_model::{Class, Value};

use crate::classic::variable;
use crate::views;

/// The variables that [`library`] reads.
pub(crate) fn lef_variables() -> Vec<Variable> {
    ["TECH_LEFS", "CELL_LEFS", "EXTRA_LEFS", "MACROS", "DEFAULT_CORNER"].map(variable).into()
}

/// The variables that [`Supplies::of`] and [`netlist`] read.
pub(crate) fn netlist_variables() -> Vec<Variable> {
    let supplies = ["VDD_NETS", "GND_NETS", "VDD_PIN", "GND_PIN"].map(variable);
    [design_name()].into_iter().chain(supplies).collect()
}

/// The LEF files in the order in which they are read: technology, cells, macros. Each once, also where one file is
/// several things.
pub(crate) fn lef_paths(config: &Config) -> Vec<String> {
    let technology = views::of_corner(config.get("TECH_LEFS").unwrap_or(&Value::Null), config.str("DEFAULT_CORNER"));
    let mut paths: Vec<String> = technology.into_iter().map(str::to_owned).collect();
    for name in ["CELL_LEFS", "EXTRA_LEFS"] {
        paths.extend(config.strings(name).into_iter().map(str::to_owned));
    }
    for (_, of_macro) in entries(config.get("MACROS")) {
        if let Some(Value::List(files)) = entry(of_macro, "lef") {
            paths.extend(files.iter().filter_map(|file| match file {
                Value::Str(path) => Some(path.clone()),
                _ => None,
            }));
        }
    }
    let mut known = BTreeSet::new();
    paths.retain(|path| known.insert(path.clone()));
    paths
}

/// The layers of the process, its cells and the macros of the design.
///
/// # Errors
/// When a file is missing or is no LEF, or there is none for the default corner.
pub(crate) fn library(cx: &mut StepCx<'_, '_>) -> Result<Lef, Failure> {
    let mut library = Lef::default();
    for path in lef_paths(cx.config) {
        let bytes = cx.read_source(&path)?.ok_or_else(|| input(format!("the LEF file `{path}` is not there")))?;
        let text = String::from_utf8_lossy(&bytes);
        library.merge(lef::parse(&text).map_err(|error| input(format!("`{path}`: {error}")))?);
    }
    if library.routing_layers().next().is_none() {
        let corner = cx.config.str("DEFAULT_CORNER");
        return Err(input(format!("the LEF files have no layers for wires for the corner {corner}"))
            .hint("does a pattern in `TECH_LEFS` stand for that corner (`DEFAULT_CORNER`)?"));
    }
    Ok(library)
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

/// What is wrong with what the user gave.
pub(super) fn input(message: impl Into<String>) -> Failure {
    Failure::new(Class::Input, message)
}

/// The entries of a map; none, if it is none.
pub(super) fn entries(value: Option<&Value>) -> &[(String, Value)] {
    match value {
        Some(Value::Map(entries)) => entries,
        _ => &[],
    }
}

pub(super) fn entry<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    entries(Some(value)).iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

/// The numbers in a list.
pub(super) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::List(items) => items.iter().flat_map(numbers).collect(),
        Value::Decimal(decimal) => vec![decimal.to_f64()],
        Value::Int(int) => vec![*int as f64],
        _ => Vec::new(),
    }
}
