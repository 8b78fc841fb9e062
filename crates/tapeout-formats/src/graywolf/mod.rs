//! The files of graywolf, the placer: what to place ([`cel`]), how ([`par`]), and where it was placed ([`pl1`]).
//!
//! Sources of the formats: the grammar in graywolf 0.1.6 (`readcell.y`, `readpar.c`), and files that it reads and writes.
//! Its distances are whole numbers; as in all files of this placer that are about, they are 1/100 µm.
//!
//! graywolf takes words such as `left` or `port` for its own wherever they stand. So every name has a prefix that no such
//! word has, which [`pl1::parse`] takes off again.

pub mod cel;
pub mod par;
pub mod pl1;

/// Before the names of cells.
const CELL: &str = "i_";
/// Before the names of pads, as graywolf marks them itself.
const PAD: &str = "twpin_";

/// A distance in µm as graywolf counts it.
#[must_use]
pub fn units(micrometres: f64) -> i64 {
    (micrometres * 100.0).round() as i64
}
