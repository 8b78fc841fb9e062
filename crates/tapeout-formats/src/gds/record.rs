//! The records that a GDSII file is a sequence of: a length of two bytes, the kind, the type of the data, the data.

use super::{Dates, FORMAT, real8};
use crate::FormatError;
use crate::geometry::Point;

/// The kinds of records, by the names of the manual.
#[expect(missing_docs, reason = "the manual says what they are")]
pub mod kind {
    pub const HEADER: u8 = 0x00;
    pub const BGNLIB: u8 = 0x01;
    pub const LIBNAME: u8 = 0x02;
    pub const UNITS: u8 = 0x03;
    pub const ENDLIB: u8 = 0x04;
    pub const BGNSTR: u8 = 0x05;
    pub const STRNAME: u8 = 0x06;
    pub const ENDSTR: u8 = 0x07;
    pub const BOUNDARY: u8 = 0x08;
    pub const PATH: u8 = 0x09;
    pub const SREF: u8 = 0x0a;
    pub const AREF: u8 = 0x0b;
    pub const TEXT: u8 = 0x0c;
    pub const LAYER: u8 = 0x0d;
    pub const DATATYPE: u8 = 0x0e;
    pub const WIDTH: u8 = 0x0f;
    pub const XY: u8 = 0x10;
    pub const ENDEL: u8 = 0x11;
    pub const SNAME: u8 = 0x12;
    pub const COLROW: u8 = 0x13;
    pub const NODE: u8 = 0x15;
    pub const TEXTTYPE: u8 = 0x16;
    pub const PRESENTATION: u8 = 0x17;
    pub const STRING: u8 = 0x19;
    pub const STRANS: u8 = 0x1a;
    pub const MAG: u8 = 0x1b;
    pub const ANGLE: u8 = 0x1c;
    pub const PATHTYPE: u8 = 0x21;
    pub const ELFLAGS: u8 = 0x26;
    pub const NODETYPE: u8 = 0x2a;
    pub const PROPATTR: u8 = 0x2b;
    pub const PROPVALUE: u8 = 0x2c;
    pub const BOX: u8 = 0x2d;
    pub const BOXTYPE: u8 = 0x2e;
    pub const PLEX: u8 = 0x2f;
    pub const BGNEXTN: u8 = 0x30;
    pub const ENDEXTN: u8 = 0x31;
}

/// The types of data.
pub(super) mod data {
    pub(crate) const NONE: u8 = 0;
    pub(crate) const BITS: u8 = 1;
    pub(crate) const INT16: u8 = 2;
    pub(crate) const INT32: u8 = 3;
    pub(crate) const REAL8: u8 = 5;
    pub(crate) const TEXT: u8 = 6;
}

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it begins in the file, in bytes.
    pub offset: usize,
    /// What it is, see [`kind`].
    pub kind: u8,
    /// The type of its data, 0 to 6.
    pub data_type: u8,
    /// Its data.
    pub data: &'a [u8],
}

/// The records of a file up to the end of its library. What follows there is padding.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    at: usize,
    ended: bool,
}

impl<'a> Records<'a> {
    /// The records of a file.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, ended: false }
    }

    fn take(&mut self) -> Result<Record<'a>, FormatError> {
        let offset = self.at;
        let rest = &self.bytes[offset..];
        let [high, low, kind, data_type, ..] = *rest else {
            let found = format!("the end of the file after {} bytes", self.bytes.len());
            return Err(wrong(offset, "a record, or the end of the library before", found));
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length < 4 {
            return Err(wrong(offset, "a record of at least 4 bytes", format!("one of {length}")));
        }
        let Some(data) = rest.get(4..length) else {
            return Err(wrong(offset, &format!("a record of {length} bytes"), format!("only {} bytes", rest.len())));
        };
        self.at += length;
        Ok(Record { offset, kind, data_type, data })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended {
            return None;
        }
        let record = self.take();
        self.ended = record.as_ref().map_or(true, |record| record.kind == kind::ENDLIB);
        Some(record)
    }
}

pub(super) fn wrong(offset: usize, expected: &str, found: impl Into<String>) -> FormatError {
    FormatError::Byte { format: FORMAT, offset, expected: expected.to_owned(), found: found.into() }
}

impl Record<'_> {
    /// Two bytes as a number.
    pub(super) fn int16(&self) -> Result<i16, FormatError> {
        let [one] = self.parts::<2, 1>("a number of 2 bytes")?;
        Ok(i16::from_be_bytes(one))
    }

    /// Two bytes as bits.
    pub(super) fn bits(&self) -> Result<u16, FormatError> {
        let [one] = self.parts::<2, 1>("16 bits")?;
        Ok(u16::from_be_bytes(one))
    }

    /// Four bytes as a number.
    pub(super) fn int32(&self) -> Result<i32, FormatError> {
        let [one] = self.parts::<4, 1>("a number of 4 bytes")?;
        Ok(i32::from_be_bytes(one))
    }

    /// Two numbers of two bytes.
    pub(super) fn two_int16(&self) -> Result<[i16; 2], FormatError> {
        Ok(self.parts::<2, 2>("two numbers of 2 bytes")?.map(i16::from_be_bytes))
    }

    /// A real number.
    pub(super) fn real(&self) -> Result<f64, FormatError> {
        let [one] = self.parts::<8, 1>("a real number of 8 bytes")?;
        Ok(real8::decode(one))
    }

    /// Two real numbers.
    pub(super) fn two_reals(&self) -> Result<[f64; 2], FormatError> {
        Ok(self.parts::<8, 2>("two real numbers of 8 bytes")?.map(real8::decode))
    }

    /// Two dates.
    pub(super) fn dates(&self) -> Result<Dates, FormatError> {
        let parts = self.parts::<2, 12>("two dates of 12 bytes")?.map(i16::from_be_bytes);
        let mut dates = Dates::default();
        dates.changed.copy_from_slice(&parts[..6]);
        dates.accessed.copy_from_slice(&parts[6..]);
        Ok(dates)
    }

    /// A text: one character for each byte, without the zero that makes its length even.
    pub(super) fn text(&self) -> String {
        let text = self.data.strip_suffix(&[0]).unwrap_or(self.data);
        text.iter().map(|byte| char::from(*byte)).collect()
    }

    /// Points.
    pub(super) fn points(&self) -> Result<Vec<Point<i32>>, FormatError> {
        if !self.data.len().is_multiple_of(8) {
            return Err(self.wrong("points of 8 bytes"));
        }
        let number = |bytes: &[u8]| i32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        Ok(self.data.chunks_exact(8).map(|point| Point { x: number(point), y: number(&point[4..]) }).collect())
    }

    fn parts<const SIZE: usize, const COUNT: usize>(&self, expected: &str) -> Result<[[u8; SIZE]; COUNT], FormatError> {
        let (parts, rest) = self.data.as_chunks::<SIZE>();
        match <[[u8; SIZE]; COUNT]>::try_from(parts) {
            Ok(parts) if rest.is_empty() => Ok(parts),
            _ => Err(self.wrong(expected)),
        }
    }

    pub(super) fn wrong(&self, expected: &str) -> FormatError {
        wrong(self.offset, expected, format!("a record of kind {:#04x} with {} bytes", self.kind, self.data.len()))
    }
}
