//! LEF: the layers of a process, and cells as seen by placement and routing.
//!
//! Source of the format: LEF/DEF 5.8 Language Reference. Distances are µm. Statements that have no field of their own are
//! kept word by word in `other`, in their order, so that a file that is read and written says the same. Comments are not
//! kept. Statements of a kind stand together when written, whatever their order was.

mod read;
mod write;

use crate::geometry::{Orientation, Point, Rect};

pub use read::parse;
pub use write::write;

/// A statement word by word, without its `;`. Texts in quotes keep them.
pub type Statement = Vec<String>;

/// What one or several LEF files say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lef {
    /// `VERSION`: `5.8`.
    pub version: Option<String>,
    /// `BUSBITCHARS`, without quotes: `[]`.
    pub bus_bits: Option<String>,
    /// `DIVIDERCHAR`, without quotes: `/`.
    pub divider: Option<String>,
    /// `UNITS DATABASE MICRONS`: how many units of a layout database are 1 µm.
    pub database_units: Option<u64>,
    /// Other statements in `UNITS`.
    pub other_units: Vec<Statement>,
    /// `MANUFACTURINGGRID` in µm.
    pub manufacturing_grid: Option<f64>,
    /// `PROPERTYDEFINITIONS`, each statement.
    pub property_definitions: Vec<Statement>,
    /// From the lowest to the highest.
    pub layers: Vec<Layer>,
    /// `SPACING`, the block between layers and vias.
    pub spacings: Vec<Statement>,
    /// `VIA`.
    pub vias: Vec<Via>,
    /// `VIARULE`.
    pub via_rules: Vec<ViaRule>,
    /// `NONDEFAULTRULE`: each word up to its `END`.
    pub non_default_rules: Vec<NonDefaultRule>,
    /// `SITE`.
    pub sites: Vec<Site>,
    /// `MACRO`: cells.
    pub cells: Vec<Cell>,
    /// Other statements.
    pub other: Vec<Statement>,
}

/// What a layer is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerKind {
    /// Wires.
    Routing,
    /// Between two other layers.
    Cut,
    /// Devices: `MASTERSLICE`, `OVERLAP`, `IMPLANT`; in capitals.
    Other(String),
}

/// Which way the wires of a layer go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From left to right.
    Horizontal,
    /// From bottom to top.
    Vertical,
    /// `DIAG45`.
    Diagonal45,
    /// `DIAG135`.
    Diagonal135,
}

/// `LAYER`.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name.
    pub name: String,
    /// `TYPE`.
    pub kind: LayerKind,
    /// `DIRECTION`, of routing layers.
    pub direction: Option<Direction>,
    /// `PITCH`: the distance of vertical tracks (`x`) and of horizontal ones (`y`).
    pub pitch: Option<Point<f64>>,
    /// `OFFSET`: where the first tracks are, from the origin of the design.
    pub offset: Option<Point<f64>>,
    /// `WIDTH` of wires; of cuts, their size.
    pub width: Option<f64>,
    /// `AREA`: the smallest allowed, in µm².
    pub area: Option<f64>,
    /// `SPACING`: a distance, and the words of its conditions.
    pub spacings: Vec<(f64, Vec<String>)>,
    /// Ω per square; of cuts, Ω each.
    pub resistance: Option<f64>,
    /// pF/µm².
    pub capacitance: Option<f64>,
    /// pF/µm of edge.
    pub edge_capacitance: Option<f64>,
    /// µm.
    pub thickness: Option<f64>,
    /// Other statements.
    pub other: Vec<Statement>,
}

/// Shapes on one layer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shapes {
    /// The layer.
    pub layer: String,
    /// Words behind the name: `EXCEPTPGNET`, `SPACING 0.1`.
    pub options: Vec<String>,
    /// In the order of the file.
    pub shapes: Vec<Shape>,
}

/// One shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// `RECT`.
    Rect(Rect<f64>),
    /// `POLYGON`.
    Polygon(Vec<Point<f64>>),
    /// `PATH`, `WIDTH`, `VIA`, or a rectangle with a mask or repeated.
    Other(Statement),
}

/// `VIA`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Via {
    /// Its name.
    pub name: String,
    /// Words behind the name: `DEFAULT`, `GENERATED`.
    pub options: Vec<String>,
    /// Its layers.
    pub layers: Vec<Shapes>,
    /// Other statements.
    pub other: Vec<Statement>,
}

/// `VIARULE`, its statements word by word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViaRule {
    /// Its name.
    pub name: String,
    /// Words behind the name: `GENERATE`, `DEFAULT`.
    pub options: Vec<String>,
    /// What it says.
    pub statements: Vec<Statement>,
}

/// `NONDEFAULTRULE`, word by word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NonDefaultRule {
    /// Its name.
    pub name: String,
    /// All words up to `END NAME`, `;` included.
    pub words: Vec<String>,
}

/// `SITE`: what rows are made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Its name.
    pub name: String,
    /// `CORE` or `PAD`.
    pub class: Option<String>,
    /// `X`, `Y`, `R90`.
    pub symmetry: Vec<String>,
    /// Width and height.
    pub size: Point<f64>,
    /// Other statements.
    pub other: Vec<Statement>,
}

/// `MACRO`: a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Its name.
    pub name: String,
    /// `CLASS`: `CORE`, `CORE SPACER`, `BLOCK`, `PAD`, ...
    pub class: Vec<String>,
    /// `ORIGIN`: what is added to the coordinates of all shapes to have the lower left corner at 0, 0.
    pub origin: Point<f64>,
    /// `FOREIGN`.
    pub foreign: Option<Foreign>,
    /// Width and height.
    pub size: Point<f64>,
    /// `X`, `Y`, `R90`.
    pub symmetry: Vec<String>,
    /// Of which site its rows are.
    pub site: Option<String>,
    /// In the order of the file.
    pub pins: Vec<Pin>,
    /// `OBS`: where wires may not go.
    pub obstructions: Vec<Shapes>,
    /// `DENSITY`, its statements.
    pub density: Vec<Statement>,
    /// Other statements.
    pub other: Vec<Statement>,
}

/// `FOREIGN`: the name of the cell in the layout, and where its origin is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Foreign {
    /// The name in the layout.
    pub cell: String,
    /// The lower left corner of the LEF cell in the coordinates of the layout.
    pub at: Option<Point<f64>>,
    /// How the layout is turned.
    pub orientation: Option<Orientation>,
}

/// Which way a signal goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinDirection {
    /// Into the cell.
    Input,
    /// Out of the cell.
    Output,
    /// Out of the cell, if it is not switched off.
    OutputTristate,
    /// Both.
    Inout,
    /// Through the cell, without a connection.
    Feedthru,
}

impl PinDirection {
    /// As LEF and DEF write it; DEF knows no `OUTPUT TRISTATE`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "INPUT",
            Self::Output => "OUTPUT",
            Self::OutputTristate => "OUTPUT TRISTATE",
            Self::Inout => "INOUT",
            Self::Feedthru => "FEEDTHRU",
        }
    }
}

/// What a pin or net is for. `Reset`, `Scan` and `Tieoff` are in DEF only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// What is not said otherwise.
    Signal,
    /// An analogue signal.
    Analog,
    /// The positive supply.
    Power,
    /// The ground.
    Ground,
    /// A clock.
    Clock,
    /// A reset.
    Reset,
    /// A scan chain.
    Scan,
    /// A constant.
    Tieoff,
}

impl Use {
    const ALL: [Self; 8] =
        [Self::Signal, Self::Analog, Self::Power, Self::Ground, Self::Clock, Self::Reset, Self::Scan, Self::Tieoff];

    /// As LEF and DEF write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Signal => "SIGNAL",
            Self::Analog => "ANALOG",
            Self::Power => "POWER",
            Self::Ground => "GROUND",
            Self::Clock => "CLOCK",
            Self::Reset => "RESET",
            Self::Scan => "SCAN",
            Self::Tieoff => "TIEOFF",
        }
    }

    /// What a word of LEF or DEF means.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(word))
    }

    /// Whether it is a supply.
    #[must_use]
    pub const fn is_supply(self) -> bool {
        matches!(self, Self::Power | Self::Ground)
    }
}

/// `PIN` of a cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pin {
    /// Its name.
    pub name: String,
    /// `DIRECTION`.
    pub direction: Option<PinDirection>,
    /// `USE`.
    pub usage: Option<Use>,
    /// `SHAPE`: `ABUTMENT`, `RING`, `FEEDTHRU`.
    pub shape: Option<String>,
    /// Its ports; each alone is enough to connect it.
    pub ports: Vec<Port>,
    /// What antenna rules need to know of it.
    pub antennas: Vec<Antenna>,
    /// Other statements.
    pub other: Vec<Statement>,
}

/// `PORT` of a pin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Port {
    /// `CLASS`: `NONE`, `CORE`, `BUMP`.
    pub class: Option<String>,
    /// Its shapes.
    pub shapes: Vec<Shapes>,
}

/// A statement such as `ANTENNAGATEAREA 1.2 LAYER metal1`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Antenna {
    /// `ANTENNAMODEL` under which it stands.
    pub model: Option<String>,
    /// The statement's name.
    pub name: String,
    /// Its number: µm², or a ratio.
    pub value: f64,
    /// For which layer.
    pub layer: Option<String>,
}

impl Shapes {
    /// Its rectangles.
    pub fn rects(&self) -> impl Iterator<Item = &Rect<f64>> {
        self.shapes.iter().filter_map(|shape| match shape {
            Shape::Rect(rect) => Some(rect),
            _ => None,
        })
    }
}

impl Pin {
    /// The rectangles of all ports, each with its layer.
    pub fn rects(&self) -> impl Iterator<Item = (&str, &Rect<f64>)> {
        let shapes = self.ports.iter().flat_map(|port| &port.shapes);
        shapes.flat_map(|shapes| shapes.rects().map(|rect| (shapes.layer.as_str(), rect)))
    }

    /// Whether it is a supply.
    #[must_use]
    pub fn is_supply(&self) -> bool {
        self.usage.is_some_and(Use::is_supply)
    }
}

impl Cell {
    /// The pin of that name.
    #[must_use]
    pub fn pin(&self, name: &str) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.name == name)
    }

    /// Whether it is made to stand in rows.
    #[must_use]
    pub fn is_core(&self) -> bool {
        self.class.first().is_some_and(|class| class == "CORE" || class == "ENDCAP")
    }
}

impl Lef {
    /// Adds what another file says. What both name counts as the first says it.
    pub fn merge(&mut self, other: Self) {
        fn add<T>(mine: &mut Vec<T>, theirs: Vec<T>, name: fn(&T) -> &str) {
            let known: std::collections::HashSet<String> = mine.iter().map(|item| name(item).to_owned()).collect();
            mine.extend(theirs.into_iter().filter(|item| !known.contains(name(item))));
        }
        self.version = self.version.take().or(other.version);
        self.bus_bits = self.bus_bits.take().or(other.bus_bits);
        self.divider = self.divider.take().or(other.divider);
        self.database_units = self.database_units.or(other.database_units);
        self.manufacturing_grid = self.manufacturing_grid.or(other.manufacturing_grid);
        add(&mut self.layers, other.layers, |layer| &layer.name);
        add(&mut self.vias, other.vias, |via| &via.name);
        add(&mut self.via_rules, other.via_rules, |rule| &rule.name);
        add(&mut self.non_default_rules, other.non_default_rules, |rule| &rule.name);
        add(&mut self.sites, other.sites, |site| &site.name);
        add(&mut self.cells, other.cells, |cell| &cell.name);
        for (mine, theirs) in [
            (&mut self.other_units, other.other_units),
            (&mut self.property_definitions, other.property_definitions),
            (&mut self.spacings, other.spacings),
            (&mut self.other, other.other),
        ] {
            let new: Vec<_> = theirs.into_iter().filter(|statement| !mine.contains(statement)).collect();
            mine.extend(new);
        }
    }

    /// The layer of that name.
    #[must_use]
    pub fn layer(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    /// The layers for wires, from the lowest to the highest.
    pub fn routing_layers(&self) -> impl Iterator<Item = &Layer> {
        self.layers.iter().filter(|layer| layer.kind == LayerKind::Routing)
    }

    /// The site of that name.
    #[must_use]
    pub fn site(&self, name: &str) -> Option<&Site> {
        self.sites.iter().find(|site| site.name == name)
    }

    /// The cell of that name.
    #[must_use]
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.name == name)
    }
}
