//! DEF: a design's floorplan, cells, pins, nets and wires.
//!
//! Source of the format: LEF/DEF 5.8 Language Reference; the form of wires also from what qrouter 1.4.71 and Magic 8.3
//! write. Distances are database units of the file, [`Def::units`] to the micrometre. Properties and sections that have no
//! field of their own are kept word by word, so that a file that is read and written says the same. Comments are not
//! kept, and `*` in coordinates is the value it stands for.
//!
//! Written files have `NETS` before `SPECIALNETS`: qrouter 1.4.71 loses nets otherwise.

mod items;
mod read;
mod wires;
mod write;

use crate::geometry::{Orientation, Point, Rect};
use crate::lef::{PinDirection, Statement, Use};

pub use read::parse;
pub use write::write;

/// The words behind a `+`, of a property that has no field of its own.
pub type Property = Vec<String>;

/// A DEF file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Def {
    /// `VERSION`: `5.8`.
    pub version: Option<String>,
    /// `NAMESCASESENSITIVE`, of versions before 5.6: `ON` or `OFF`.
    pub names_case_sensitive: Option<String>,
    /// `DIVIDERCHAR`, without quotes.
    pub divider: Option<String>,
    /// `BUSBITCHARS`, without quotes.
    pub bus_bits: Option<String>,
    /// `DESIGN`.
    pub design: String,
    /// `UNITS DISTANCE MICRONS`: how many units are 1 µm; 100 if the file does not say.
    pub units: i64,
    /// Other statements before the sections: `TECHNOLOGY`, `HISTORY`, ...
    pub other: Vec<Statement>,
    /// `DIEAREA`: two corners, or the corners of a polygon; none if the file does not say.
    pub die_area: Vec<Point<i64>>,
    /// `ROW`.
    pub rows: Vec<Row>,
    /// `TRACKS`.
    pub tracks: Vec<Tracks>,
    /// `GCELLGRID`.
    pub gcell_grids: Vec<GcellGrid>,
    /// `VIAS`.
    pub vias: Vec<Via>,
    /// `COMPONENTS`.
    pub components: Vec<Component>,
    /// `PINS`.
    pub pins: Vec<Pin>,
    /// `BLOCKAGES`.
    pub blockages: Vec<Blockage>,
    /// `SPECIALNETS`.
    pub special_nets: Vec<Net>,
    /// `NETS`.
    pub nets: Vec<Net>,
    /// Sections that are kept word by word: `PROPERTYDEFINITIONS`, `REGIONS`, `GROUPS`, `FILLS`, ...
    pub sections: Vec<Section>,
}

/// Whether coordinates go along x or y.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    /// A list of x coordinates: vertical lines.
    X,
    /// A list of y coordinates: horizontal lines.
    Y,
}

/// `ROW`: sites side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    /// The site.
    pub site: String,
    /// The lower left corner.
    pub at: Point<i64>,
    /// How cells stand in it.
    pub orientation: Orientation,
    /// How many sites there are to the right, and upwards; one of them is 1.
    pub count: Point<i64>,
    /// From one site to the next; none if the file does not say.
    pub step: Option<Point<i64>>,
    /// Other properties.
    pub other: Vec<Property>,
}

/// `TRACKS`: lines that wires should keep to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tracks {
    /// `X` for vertical wires.
    pub axis: Axis,
    /// The first one.
    pub start: i64,
    /// How many.
    pub count: i64,
    /// From one to the next.
    pub step: i64,
    /// `MASK`, its number and `SAMEMASK`.
    pub mask: Vec<String>,
    /// On which layers.
    pub layers: Vec<String>,
}

/// `GCELLGRID`: lines of the grid of global routing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GcellGrid {
    /// `X` for vertical lines.
    pub axis: Axis,
    /// The first one.
    pub start: i64,
    /// How many.
    pub count: i64,
    /// From one to the next.
    pub step: i64,
}

/// A via of the design's own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Via {
    /// Its name.
    pub name: String,
    /// Its rectangles, each with its layer.
    pub rects: Vec<(String, Rect<i64>)>,
    /// Other properties: `VIARULE`, `POLYGON`, ...
    pub other: Vec<Property>,
}

/// Whether something may be moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// It may.
    Placed,
    /// Tools may not.
    Fixed,
    /// Nobody may.
    Cover,
}

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Whether it may be moved.
    pub status: Status,
    /// Its lower left corner once it is turned; of a pin, its origin.
    pub at: Point<i64>,
    /// How it is turned.
    pub orientation: Orientation,
}

/// An instance of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Component {
    /// The instance.
    pub name: String,
    /// The cell.
    pub cell: String,
    /// None if it is not placed.
    pub placement: Option<Placement>,
    /// `SOURCE`: `NETLIST`, `DIST` (fill cells and the like), `USER`, `TIMING`.
    pub source: Option<String>,
    /// Other properties.
    pub other: Vec<Property>,
}

/// A pin of the design.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// Its name.
    pub name: String,
    /// Its net.
    pub net: String,
    /// Whether that is a special net.
    pub special: bool,
    /// Which way its signal goes.
    pub direction: Option<PinDirection>,
    /// What it is for.
    pub usage: Option<Use>,
    /// Its places; none before pins are placed.
    pub ports: Vec<PinPort>,
    /// Other properties.
    pub other: Vec<Property>,
}

/// One place of a pin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinPort {
    /// Its rectangles around its origin.
    pub shapes: Vec<PinShape>,
    /// Where the origin is.
    pub placement: Option<Placement>,
    /// Other properties: `POLYGON`, `VIA`.
    pub other: Vec<Property>,
}

/// A rectangle of a pin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinShape {
    /// The layer.
    pub layer: String,
    /// Words between layer and rectangle: `SPACING 200`.
    pub options: Vec<String>,
    /// Seen from the pin's origin.
    pub rect: Rect<i64>,
}

/// Room that must stay empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Blockage {
    /// Of wires on this layer; none: of cells.
    pub layer: Option<String>,
    /// Properties: `SOFT`, `COMPONENT u1`, ...
    pub other: Vec<Property>,
    /// Where.
    pub rects: Vec<Rect<i64>>,
    /// Where, if it is not a rectangle.
    pub polygons: Vec<Vec<Point<i64>>>,
}

/// What connects pins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Net {
    /// Its name.
    pub name: String,
    /// What it connects.
    pub pins: Vec<NetPin>,
    /// Its wires.
    pub wirings: Vec<Wiring>,
    /// `USE`.
    pub usage: Option<Use>,
    /// `SOURCE`.
    pub source: Option<String>,
    /// Other properties.
    pub other: Vec<Property>,
}

/// A pin of a net.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetPin {
    /// The instance; `*` in special nets for all; none for a pin of the design.
    pub instance: Option<String>,
    /// The pin.
    pub pin: String,
    /// Words behind it: `+ SYNTHESIZED`.
    pub options: Vec<String>,
}

/// Whether wires may be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WireStatus {
    /// They may.
    Routed,
    /// Tools may not.
    Fixed,
    /// Nobody may.
    Cover,
    /// They must not be shielded.
    NoShield,
    /// They shield this net.
    Shield(String),
}

/// Wires of one status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wiring {
    /// Whether they may be changed.
    pub status: WireStatus,
    /// The first, then each after `NEW`.
    pub wires: Vec<Wire>,
}

/// A path on a layer, which vias may lead to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wire {
    /// The layer on which it begins.
    pub layer: String,
    /// Of special nets; others have that of the layer.
    pub width: Option<i64>,
    /// Words before the first point: `TAPER`, `+ SHAPE STRIPE`.
    pub options: Vec<String>,
    /// Points and vias in order.
    pub path: Vec<Step>,
}

/// A part of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// On to here; with how far the wire goes beyond it, if that is not half its width.
    To(Point<i64>, Option<i64>),
    /// A via at the last point, and how it is turned.
    Via(String, Option<Orientation>),
    /// A via repeated: the numbers of `DO COLUMNS BY ROWS STEP X Y`.
    ViaArray(String, Option<Orientation>, [i64; 4]),
    /// A rectangle, from the last point: left, bottom, right, top.
    Rect([i64; 4]),
    /// On to here without metal.
    Virtual(Point<i64>),
    /// `MASK` and its number.
    Mask(i64),
}

/// A section that is kept word by word.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// `REGIONS`.
    pub name: String,
    /// All words behind the name, up to `END`; `;` included.
    pub words: Vec<String>,
}

impl Def {
    /// The rectangle around the die; none if the file gives no area.
    #[must_use]
    pub fn die(&self) -> Option<Rect<i64>> {
        around(&self.die_area)
    }

    /// The component of that name.
    #[must_use]
    pub fn component(&self, name: &str) -> Option<&Component> {
        self.components.iter().find(|component| component.name == name)
    }
}

impl Row {
    /// What the row covers, with sites of this size. The last site has its whole size, whatever the step is.
    #[must_use]
    pub fn area(&self, site: Point<i64>) -> Rect<i64> {
        let step = self.step.unwrap_or(site);
        let more = |count: i64, step: i64, size: i64| count.saturating_sub(1).saturating_mul(step).saturating_add(size);
        let size = Point::new(more(self.count.x, step.x, site.x), more(self.count.y, step.y, site.y));
        Rect::new(self.at, Point::new(self.at.x.saturating_add(size.x), self.at.y.saturating_add(size.y)))
    }
}

impl Net {
    /// All its wires.
    pub fn wires(&self) -> impl Iterator<Item = &Wire> {
        self.wirings.iter().flat_map(|wiring| &wiring.wires)
    }

    /// The length of its wires along their paths, in database units. Vias and rectangles count nothing.
    #[must_use]
    pub fn wire_length(&self) -> u64 {
        self.wires().map(Wire::length).fold(0, u64::saturating_add)
    }
}

impl Wire {
    /// Along the path, in database units.
    #[must_use]
    pub fn length(&self) -> u64 {
        let mut last: Option<Point<i64>> = None;
        let mut length = 0_u64;
        for step in &self.path {
            let (to, is_metal) = match step {
                Step::To(to, _) => (*to, true),
                Step::Virtual(to) => (*to, false),
                _ => continue,
            };
            if let (Some(from), true) = (last, is_metal) {
                let along = to.x.abs_diff(from.x).saturating_add(to.y.abs_diff(from.y));
                length = length.saturating_add(along);
            }
            last = Some(to);
        }
        length
    }

    /// The vias on the path, by name.
    pub fn vias(&self) -> impl Iterator<Item = &str> {
        self.path.iter().filter_map(|step| match step {
            Step::Via(name, _) | Step::ViaArray(name, ..) => Some(name.as_str()),
            _ => None,
        })
    }
}

fn around(points: &[Point<i64>]) -> Option<Rect<i64>> {
    let (first, rest) = points.split_first()?;
    let first = Rect::new(*first, *first);
    Some(rest.iter().fold(first, |all, point| all.union(&Rect::new(*point, *point))))
}
