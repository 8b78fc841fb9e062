//! GDSII stream files: layouts as the makers of masks take them.
//!
//! Owns the file as values ([`Library`]), its reader and its writer, and what can be done on the bytes without either
//! ([`Records`], [`set_dates`], [`structure_names`]). It knows no layers, and does not resolve references.
//!
//! Source: the GDSII Stream Format Manual, release 6.0 (Calma, 1987). Coordinates are whole numbers of the database unit,
//! of 32 bits as in the file. Texts are bytes there; each byte is one character here, so that every file reads back. The
//! records of a library that only Calma's own programs used (`REFLIBS`, `FONTS`, `GENERATIONS` and the like) are passed
//! over.
//!
//! This is code of our own: `gds21`, the crate there is, is a pre-release (3.0.0-pre.2), shows its errors in debug form
//! only, and brings libraries for dates and for serialisation along that nothing here needs.

mod read;
mod real8;
mod record;
mod write;

pub use read::{read, structure_names};
pub use record::{Record, Records, kind};
pub use write::write;

use crate::FormatError;
use crate::geometry::Point;

pub(crate) const FORMAT: &str = "GDSII";

/// A whole file.
#[derive(Clone, Debug, PartialEq)]
pub struct Library {
    /// The release of the format: 3, 5, 6, 7 or 600.
    pub version: i16,
    /// When the library was changed and read.
    pub dates: Dates,
    /// Its name.
    pub name: String,
    /// What a database unit is.
    pub units: Units,
    /// Its structures, in the order of the file.
    pub structures: Vec<Structure>,
}

/// The two units of a library.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Units {
    /// A database unit in user units, usually 0.001.
    pub user: f64,
    /// A database unit in metres, usually 1e-9.
    pub metres: f64,
}

/// Year, month, day, hour, minute and second of the last change and the last access. Programs write the year in full or
/// less 1900. All zeros, the default, is what a file has that is to be the same each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Dates {
    /// The last change.
    pub changed: [i16; 6],
    /// The last access.
    pub accessed: [i16; 6],
}

/// A cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Structure {
    /// When it was changed and read.
    pub dates: Dates,
    /// Its name.
    pub name: String,
    /// What it is made of, in the order of the file.
    pub elements: Vec<Element>,
}

/// One part of a structure.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// What it is.
    pub shape: Shape,
    /// `ELFLAGS`: bit 0 (the lowest) marks a template, bit 1 external data.
    pub flags: Option<u16>,
    /// `PLEX`: the group that it belongs to.
    pub plex: Option<i32>,
    /// Attributes by number.
    pub properties: Vec<Property>,
}

impl From<Shape> for Element {
    fn from(shape: Shape) -> Self {
        Self { shape, flags: None, plex: None, properties: Vec::new() }
    }
}

/// An attribute of an element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its number, 1 to 127.
    pub attribute: i16,
    /// Its value.
    pub value: String,
}

/// A layer with the number that tells kinds of shapes on it apart: data type, text type, node type or box type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Layer {
    /// The layer.
    pub layer: i16,
    /// The kind.
    pub datatype: i16,
}

/// What an element is. What is optional in the file and absent there is `None`.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A filled polygon. The last point is the first one again.
    Boundary {
        /// Where.
        layer: Layer,
        /// Its corners.
        points: Vec<Point<i32>>,
    },
    /// A wire.
    Path {
        /// Where.
        layer: Layer,
        /// How it looks.
        style: PathStyle,
        /// Its middle line.
        points: Vec<Point<i32>>,
    },
    /// One instance of a structure.
    Reference {
        /// The name of the structure.
        structure: String,
        /// How it is turned.
        transform: Transform,
        /// Where its origin is.
        origin: Point<i32>,
    },
    /// Instances of a structure in columns and rows.
    Array {
        /// The name of the structure.
        structure: String,
        /// How each is turned.
        transform: Transform,
        /// How many columns.
        columns: i16,
        /// How many rows.
        rows: i16,
        /// The first origin, that after the last column, that after the last row.
        points: [Point<i32>; 3],
    },
    /// A label.
    Text {
        /// Where.
        layer: Layer,
        /// Font in bits 4 and 5 (from the lowest), vertical place in 2 and 3, horizontal place in 0 and 1.
        presentation: Option<u16>,
        /// How thick its lines are drawn.
        style: PathStyle,
        /// How it is turned.
        transform: Transform,
        /// Where it stands.
        origin: Point<i32>,
        /// What it says.
        text: String,
    },
    /// An electrical node.
    Node {
        /// Where.
        layer: Layer,
        /// Its points.
        points: Vec<Point<i32>>,
    },
    /// A box, which is no part of the mask.
    Box {
        /// Where.
        layer: Layer,
        /// Its five corners, of which the last is the first.
        points: Vec<Point<i32>>,
    },
}

/// How a path is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathStyle {
    /// Its ends: 0 flush, 1 round, 2 square and half a width longer, 4 with extensions. Without it flush.
    pub path_type: Option<i16>,
    /// The width in database units; negative widths are not magnified with the structure.
    pub width: Option<i32>,
    /// How much longer its beginning is, with path type 4.
    pub begin_extension: Option<i32>,
    /// How much longer its end is, with path type 4.
    pub end_extension: Option<i32>,
}

/// How an instance or a label is turned: reflected about the x axis, magnified, then turned counterclockwise.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Transform {
    /// `STRANS`: bit 15 reflects; bits 2 and 1 make magnification and angle absolute.
    pub flags: Option<u16>,
    /// The magnification; without it 1.
    pub magnification: Option<f64>,
    /// The angle in degrees; without it 0.
    pub angle: Option<f64>,
}

impl Transform {
    /// Whether it is reflected about the x axis.
    #[must_use]
    pub fn reflects(&self) -> bool {
        self.flags.is_some_and(|flags| flags & 0x8000 != 0)
    }
}

/// Gives a library and all its structures these dates, on the bytes of the file.
///
/// # Errors
/// If the bytes are no records up to the end of a library, or a date has another length than the format says.
pub fn set_dates(bytes: &mut [u8], dates: Dates) -> Result<(), FormatError> {
    let mut places = Vec::new();
    for record in Records::new(bytes) {
        let record = record?;
        if matches!(record.kind, kind::BGNLIB | kind::BGNSTR) {
            record.dates()?;
            places.push(record.offset + 4);
        }
    }
    let written: Vec<u8> = dates.changed.iter().chain(&dates.accessed).flat_map(|part| part.to_be_bytes()).collect();
    for place in places {
        bytes[place..place + written.len()].copy_from_slice(&written);
    }
    Ok(())
}
