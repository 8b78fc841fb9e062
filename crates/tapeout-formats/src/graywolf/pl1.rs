//! `.pl1`: where graywolf has placed everything. Read only.

use super::{CELL, PAD};
use crate::FormatError;

/// What stands in the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placement {
    /// The cells, row by row.
    pub cells: Vec<Placed>,
    /// The pins of the design.
    pub pads: Vec<Placed>,
}

/// Where something stands, in 1/100 µm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Instance or pin.
    pub name: String,
    /// The left edge.
    pub left: i64,
    /// The lower edge.
    pub bottom: i64,
    /// The right edge.
    pub right: i64,
    /// The upper edge.
    pub top: i64,
    /// How it is turned: 0 as drawn, 1 mirrored at a horizontal line, 2 mirrored at a vertical one, 3 both.
    pub orientation: u8,
    /// The row, from 1 at the bottom. Of pads, -1 to -4: left, right, bottom, top.
    pub row: i64,
}

/// Reads the file. What graywolf adds of its own, such as feed-throughs, is left out.
///
/// # Errors
/// At the first line that is not a name and six numbers.
pub fn parse(text: &str) -> Result<Placement, FormatError> {
    let mut placement = Placement::default();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let mut words = text.split_whitespace();
        let name = words.next().unwrap_or_default();
        let mut number = |what: &str| -> Result<i64, FormatError> {
            let word = words.next().unwrap_or_default();
            word.parse().map_err(|_| error(line, what, word))
        };
        let (left, bottom) = (number("the left edge")?, number("the lower edge")?);
        let (right, top) = (number("the right edge")?, number("the upper edge")?);
        let orientation = number("an orientation from 0 to 7")?;
        let orientation = u8::try_from(orientation)
            .ok()
            .filter(|turned| *turned < 8)
            .ok_or_else(|| error(line, "an orientation from 0 to 7", &orientation.to_string()))?;
        let row = number("a row")?;
        if right < left || top < bottom {
            return Err(error(line, "edges in order", text));
        }
        let placed = |name: &str| Placed { name: name.to_owned(), left, bottom, right, top, orientation, row };
        if let Some(name) = name.strip_prefix(PAD) {
            placement.pads.push(placed(name));
        } else if let Some(name) = name.strip_prefix(CELL) {
            placement.cells.push(placed(name));
        }
    }
    Ok(placement)
}

fn error(line: usize, expected: &str, found: &str) -> FormatError {
    let found = if found.is_empty() { "the end of the line".to_owned() } else { format!("`{found}`") };
    FormatError::Line { format: "graywolf placement", line, expected: expected.to_owned(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_pads_without_what_graywolf_adds() {
        let text = "i_u389_DFFPOSX1 -399 -200  1521 1800  3 1\ntwfeed1 0 0  160 2000  0 1\n\n\
                    twpin_a[0] 21841 -600  22001 -400  0 -3\n";
        let placement = parse(text).unwrap();
        let placed = |name: &str, [left, bottom, right, top]: [i64; 4], orientation, row| Placed {
            name: name.into(),
            left,
            bottom,
            right,
            top,
            orientation,
            row,
        };
        assert_eq!(placement.cells, [placed("u389_DFFPOSX1", [-399, -200, 1521, 1800], 3, 1)]);
        assert_eq!(placement.pads, [placed("a[0]", [21841, -600, 22001, -400], 0, -3)]);
    }

    #[test]
    fn errors_have_a_line() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            message("\ni_a 1 2"),
            "graywolf placement, line 2: expected the right edge, found the end of the line"
        );
        assert_eq!(message("i_a 1 x"), "graywolf placement, line 1: expected the lower edge, found `x`");
        assert!(message("i_a 1 1 0 1 0 1").contains("edges in order"));
        assert!(message("i_a 1 1 2 2 9 1").contains("0 to 7"));
    }
}
