//! From bytes to a library.

use super::record::{kind, wrong};
use super::{Element, Layer, Library, PathStyle, Property, Record, Records, Shape, Structure, Transform, Units};
use crate::FormatError;
use crate::geometry::Point;

/// Reads a file.
///
/// # Errors
/// If a record is cut off, not where the format has it, or has data of another length; with its place in bytes.
pub fn read(bytes: &[u8]) -> Result<Library, FormatError> {
    let mut records = Records::new(bytes);
    let version = require(&mut records, kind::HEADER, "a header")?.int16()?;
    let dates = skip_to(&mut records, kind::BGNLIB, "the begin of the library")?.dates()?;
    let name = skip_to(&mut records, kind::LIBNAME, "the name of the library")?.text();
    let [user, metres] = skip_to(&mut records, kind::UNITS, "the units of the library")?.two_reals()?;
    let mut structures = Vec::new();
    loop {
        let record = next(&mut records)?;
        match record.kind {
            kind::ENDLIB => break,
            kind::BGNSTR => structures.push(structure(&record, &mut records)?),
            _ => return Err(record.wrong("a structure or the end of the library")),
        }
    }
    Ok(Library { version, dates, name, units: Units { user, metres }, structures })
}

/// The names of the structures of a file, in its order: what is in them is not looked at.
///
/// # Errors
/// If the bytes are no records up to the end of a library.
pub fn structure_names(bytes: &[u8]) -> Result<Vec<String>, FormatError> {
    let mut names = Vec::new();
    // Structures come behind the units, and what is before those is passed over.
    let (mut is_behind_units, mut begins) = (false, false);
    for record in Records::new(bytes) {
        let record = record?;
        if begins && record.kind == kind::STRNAME {
            names.push(record.text());
        }
        is_behind_units |= record.kind == kind::UNITS;
        begins = is_behind_units && record.kind == kind::BGNSTR;
    }
    Ok(names)
}

fn next<'a>(records: &mut Records<'a>) -> Result<Record<'a>, FormatError> {
    // Behind the end of a library nothing is asked for.
    records.next().unwrap_or_else(|| Err(wrong(0, "a record", "the end of the library")))
}

fn require<'a>(records: &mut Records<'a>, kind: u8, what: &str) -> Result<Record<'a>, FormatError> {
    let record = next(records)?;
    if record.kind == kind { Ok(record) } else { Err(record.wrong(what)) }
}

/// The next record of that kind; what is before it is of no use here.
fn skip_to<'a>(records: &mut Records<'a>, kind: u8, what: &str) -> Result<Record<'a>, FormatError> {
    loop {
        let record = next(records)?;
        if record.kind == kind {
            return Ok(record);
        }
        if matches!(record.kind, kind::BGNSTR | kind::ENDLIB) {
            return Err(record.wrong(what));
        }
    }
}

fn structure(begin: &Record<'_>, records: &mut Records<'_>) -> Result<Structure, FormatError> {
    let dates = begin.dates()?;
    let name = require(records, kind::STRNAME, "the name of the structure")?.text();
    let mut elements = Vec::new();
    loop {
        let record = next(records)?;
        match record.kind {
            kind::ENDSTR => return Ok(Structure { dates, name, elements }),
            kind::BOUNDARY | kind::PATH | kind::SREF | kind::AREF | kind::TEXT | kind::NODE | kind::BOX => {
                elements.push(element(&record, records)?);
            }
            // `STRCLASS`, of which only Calma's own programs knew.
            0x34 => {}
            _ => return Err(record.wrong("an element or the end of the structure")),
        }
    }
}

/// What the records of an element have said. Their order is not looked at.
#[derive(Default)]
struct Parts {
    layer: Option<i16>,
    datatype: Option<i16>,
    points: Option<Vec<Point<i32>>>,
    name: Option<String>,
    text: Option<String>,
    columns_rows: Option<[i16; 2]>,
    presentation: Option<u16>,
    style: PathStyle,
    transform: Transform,
}

fn element(begin: &Record<'_>, records: &mut Records<'_>) -> Result<Element, FormatError> {
    let (mut flags, mut plex) = (None, None);
    let mut properties: Vec<Property> = Vec::new();
    let mut attribute = None;
    let mut parts = Parts::default();
    loop {
        let record = next(records)?;
        match record.kind {
            kind::ENDEL => break,
            kind::ELFLAGS => flags = Some(record.bits()?),
            kind::PLEX => plex = Some(record.int32()?),
            kind::LAYER => parts.layer = Some(record.int16()?),
            kind::DATATYPE | kind::TEXTTYPE | kind::NODETYPE | kind::BOXTYPE => parts.datatype = Some(record.int16()?),
            kind::XY => parts.points = Some(record.points()?),
            kind::SNAME => parts.name = Some(record.text()),
            kind::STRING => parts.text = Some(record.text()),
            kind::COLROW => parts.columns_rows = Some(record.two_int16()?),
            kind::PRESENTATION => parts.presentation = Some(record.bits()?),
            kind::PATHTYPE => parts.style.path_type = Some(record.int16()?),
            kind::WIDTH => parts.style.width = Some(record.int32()?),
            kind::BGNEXTN => parts.style.begin_extension = Some(record.int32()?),
            kind::ENDEXTN => parts.style.end_extension = Some(record.int32()?),
            kind::STRANS => parts.transform.flags = Some(record.bits()?),
            kind::MAG => parts.transform.magnification = Some(record.real()?),
            kind::ANGLE => parts.transform.angle = Some(record.real()?),
            kind::PROPATTR => attribute = Some(record.int16()?),
            kind::PROPVALUE => {
                let attribute = attribute.take().ok_or_else(|| record.wrong("the number of a property before it"))?;
                properties.push(Property { attribute, value: record.text() });
            }
            _ => return Err(record.wrong("a part of an element")),
        }
    }
    let shape = parts.shape(begin)?;
    Ok(Element { shape, flags, plex, properties })
}

impl Parts {
    fn shape(self, begin: &Record<'_>) -> Result<Shape, FormatError> {
        let lacks = |what: &str| {
            let found = format!("an element of kind {:#04x} without it", begin.kind);
            wrong(begin.offset, what, found)
        };
        let layer = || match (self.layer, self.datatype) {
            (Some(layer), Some(datatype)) => Ok(Layer { layer, datatype }),
            _ => Err(lacks("a layer with a data type")),
        };
        let points = self.points.ok_or_else(|| lacks("points"))?;
        let origin = || match *points {
            [origin] => Ok(origin),
            _ => Err(lacks("one point")),
        };
        let style = self.style;
        let transform = self.transform;
        Ok(match begin.kind {
            kind::BOUNDARY => Shape::Boundary { layer: layer()?, points },
            kind::PATH => Shape::Path { layer: layer()?, style, points },
            kind::NODE => Shape::Node { layer: layer()?, points },
            kind::BOX => Shape::Box { layer: layer()?, points },
            kind::TEXT => Shape::Text {
                layer: layer()?,
                presentation: self.presentation,
                style,
                transform,
                origin: origin()?,
                text: self.text.ok_or_else(|| lacks("a text"))?,
            },
            _ => {
                let structure = self.name.ok_or_else(|| lacks("the name of a structure"))?;
                if begin.kind == kind::SREF {
                    return Ok(Shape::Reference { structure, transform, origin: origin()? });
                }
                let [columns, rows] = self.columns_rows.ok_or_else(|| lacks("columns and rows"))?;
                let points = <[Point<i32>; 3]>::try_from(points).map_err(|_| lacks("three points"))?;
                Shape::Array { structure, transform, columns, rows, points }
            }
        })
    }
}
