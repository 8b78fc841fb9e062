//! From a library to bytes.

use super::record::{data, kind};
use super::{Dates, Element, Layer, Library, PathStyle, Shape, Transform, real8};
use crate::FormatError;
use crate::gds::record::wrong;
use crate::geometry::Point;

/// Writes a file. Reading it gives the same library.
///
/// # Errors
/// If something does not fit into the format: a text with characters beyond a byte or that ends with a zero, a number
/// beyond its range, or more than 65 kB in one record, which is a polygon of more than 8191 points. The place is where the
/// record would begin.
pub fn write(library: &Library) -> Result<Vec<u8>, FormatError> {
    let mut out = Writer { bytes: Vec::new() };
    out.int16(kind::HEADER, &[library.version])?;
    out.dates(kind::BGNLIB, &library.dates)?;
    out.text(kind::LIBNAME, &library.name)?;
    out.reals(kind::UNITS, &[library.units.user, library.units.metres])?;
    for structure in &library.structures {
        out.dates(kind::BGNSTR, &structure.dates)?;
        out.text(kind::STRNAME, &structure.name)?;
        for element in &structure.elements {
            out.element(element)?;
        }
        out.mark(kind::ENDSTR)?;
    }
    out.mark(kind::ENDLIB)?;
    Ok(out.bytes)
}

struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    fn record(&mut self, kind: u8, data_type: u8, data: &[u8]) -> Result<(), FormatError> {
        // The length is a multiple of 2.
        let length = u16::try_from(data.len() + 4).ok().filter(|length| length.is_multiple_of(2));
        let length = length.ok_or_else(|| {
            let found = format!("{} bytes for one of kind {kind:#04x}", data.len());
            wrong(self.bytes.len(), "at most 65530 bytes in a record", found)
        })?;
        self.bytes.extend(length.to_be_bytes());
        self.bytes.extend([kind, data_type]);
        self.bytes.extend(data);
        Ok(())
    }

    fn mark(&mut self, kind: u8) -> Result<(), FormatError> {
        self.record(kind, data::NONE, &[])
    }

    fn bits(&mut self, kind: u8, bits: Option<u16>) -> Result<(), FormatError> {
        bits.map_or(Ok(()), |bits| self.record(kind, data::BITS, &bits.to_be_bytes()))
    }

    fn int16(&mut self, kind: u8, numbers: &[i16]) -> Result<(), FormatError> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        self.record(kind, data::INT16, &bytes)
    }

    fn int32(&mut self, kind: u8, number: Option<i32>) -> Result<(), FormatError> {
        number.map_or(Ok(()), |number| self.record(kind, data::INT32, &number.to_be_bytes()))
    }

    fn reals(&mut self, kind: u8, numbers: &[f64]) -> Result<(), FormatError> {
        let mut bytes = Vec::new();
        for number in numbers {
            let real = real8::encode(*number);
            let real = real.ok_or_else(|| wrong(self.bytes.len(), "a real number below 7.2e75", number.to_string()))?;
            bytes.extend(real);
        }
        self.record(kind, data::REAL8, &bytes)
    }

    fn text(&mut self, kind: u8, text: &str) -> Result<(), FormatError> {
        let bytes: Result<Vec<u8>, _> = text.chars().map(u8::try_from).collect();
        let mut bytes = match bytes {
            Ok(bytes) if !bytes.ends_with(&[0]) => bytes,
            _ => return Err(wrong(self.bytes.len(), "a text of characters of one byte", format!("`{text}`"))),
        };
        if !bytes.len().is_multiple_of(2) {
            bytes.push(0);
        }
        self.record(kind, data::TEXT, &bytes)
    }

    fn dates(&mut self, kind: u8, dates: &Dates) -> Result<(), FormatError> {
        self.int16(kind, &[dates.changed, dates.accessed].concat())
    }

    fn points(&mut self, points: &[Point<i32>]) -> Result<(), FormatError> {
        let bytes: Vec<u8> = points.iter().flat_map(|p| [p.x.to_be_bytes(), p.y.to_be_bytes()].concat()).collect();
        self.record(kind::XY, data::INT32, &bytes)
    }

    fn layer(&mut self, layer: Layer, type_kind: u8) -> Result<(), FormatError> {
        self.int16(kind::LAYER, &[layer.layer])?;
        self.int16(type_kind, &[layer.datatype])
    }

    fn style(&mut self, style: &PathStyle) -> Result<(), FormatError> {
        if let Some(path_type) = style.path_type {
            self.int16(kind::PATHTYPE, &[path_type])?;
        }
        self.int32(kind::WIDTH, style.width)?;
        self.int32(kind::BGNEXTN, style.begin_extension)?;
        self.int32(kind::ENDEXTN, style.end_extension)
    }

    fn transform(&mut self, transform: &Transform) -> Result<(), FormatError> {
        self.bits(kind::STRANS, transform.flags)?;
        if let Some(magnification) = transform.magnification {
            self.reals(kind::MAG, &[magnification])?;
        }
        if let Some(angle) = transform.angle {
            self.reals(kind::ANGLE, &[angle])?;
        }
        Ok(())
    }

    fn element(&mut self, element: &Element) -> Result<(), FormatError> {
        self.mark(match &element.shape {
            Shape::Boundary { .. } => kind::BOUNDARY,
            Shape::Path { .. } => kind::PATH,
            Shape::Reference { .. } => kind::SREF,
            Shape::Array { .. } => kind::AREF,
            Shape::Text { .. } => kind::TEXT,
            Shape::Node { .. } => kind::NODE,
            Shape::Box { .. } => kind::BOX,
        })?;
        self.bits(kind::ELFLAGS, element.flags)?;
        self.int32(kind::PLEX, element.plex)?;
        self.shape(&element.shape)?;
        for property in &element.properties {
            self.int16(kind::PROPATTR, &[property.attribute])?;
            self.text(kind::PROPVALUE, &property.value)?;
        }
        self.mark(kind::ENDEL)
    }

    fn shape(&mut self, shape: &Shape) -> Result<(), FormatError> {
        match shape {
            Shape::Boundary { layer, points } => {
                self.layer(*layer, kind::DATATYPE)?;
                self.points(points)
            }
            Shape::Path { layer, style, points } => {
                self.layer(*layer, kind::DATATYPE)?;
                self.style(style)?;
                self.points(points)
            }
            Shape::Reference { structure, transform, origin } => {
                self.text(kind::SNAME, structure)?;
                self.transform(transform)?;
                self.points(&[*origin])
            }
            Shape::Array { structure, transform, columns, rows, points } => {
                self.text(kind::SNAME, structure)?;
                self.transform(transform)?;
                self.int16(kind::COLROW, &[*columns, *rows])?;
                self.points(points)
            }
            Shape::Text { layer, presentation, style, transform, origin, text } => {
                self.layer(*layer, kind::TEXTTYPE)?;
                self.bits(kind::PRESENTATION, *presentation)?;
                self.style(style)?;
                self.transform(transform)?;
                self.points(&[*origin])?;
                self.text(kind::STRING, text)
            }
            Shape::Node { layer, points } => {
                self.layer(*layer, kind::NODETYPE)?;
                self.points(points)
            }
            Shape::Box { layer, points } => {
                self.layer(*layer, kind::BOXTYPE)?;
                self.points(points)
            }
        }
    }
}
