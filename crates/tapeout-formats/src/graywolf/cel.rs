//! `.cel`: the cells and pads of a design, and the nets at their pins. Written only.

use std::fmt::Write as _;

use super::{CELL, PAD};

/// What is to be placed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Design {
    /// The cells of the rows.
    pub cells: Vec<Cell>,
    /// The pins of the design.
    pub pads: Vec<Pad>,
}

/// A cell. Its middle is the origin of its pins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// The instance.
    pub name: String,
    /// 1/100 µm.
    pub width: i64,
    /// 1/100 µm.
    pub height: i64,
    /// Those that are to be wired.
    pub pins: Vec<Pin>,
}

/// A pin of a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pin {
    /// Its name.
    pub name: String,
    /// Its net.
    pub net: String,
    /// From the middle of the cell, in 1/100 µm.
    pub x: i64,
    /// From the middle of the cell, in 1/100 µm.
    pub y: i64,
}

/// A pin of the design.
#[derive(Clone, Debug, PartialEq)]
pub struct Pad {
    /// Its name.
    pub name: String,
    /// Its net.
    pub net: String,
    /// Width and height in 1/100 µm.
    pub size: (i64, i64),
    /// Where it has to be; anywhere, if it is not said.
    pub place: Option<(Side, f64)>,
}

/// A side of the core. With a pad goes where along it, from 0 at the left or the bottom to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// `L`
    Left,
    /// `R`
    Right,
    /// `B`
    Bottom,
    /// `T`
    Top,
}

impl Side {
    const fn letter(self) -> char {
        match self {
            Self::Left => 'L',
            Self::Right => 'R',
            Self::Bottom => 'B',
            Self::Top => 'T',
        }
    }
}

/// The text of the file.
#[must_use]
pub fn write(design: &Design) -> String {
    let mut text = String::new();
    for (index, cell) in design.cells.iter().enumerate() {
        let (x, y) = (cell.width / 2, cell.height / 2);
        let (right, top) = (cell.width - x, cell.height - y);
        let _ = writeln!(text, "cell {index} {CELL}{}\nleft -{x} right {right} bottom -{y} top {top}", cell.name);
        for pin in &cell.pins {
            let _ = writeln!(text, "pin name p_{} signal s_{} layer 1 {} {}", pin.name, pin.net, pin.x, pin.y);
        }
    }
    for (index, pad) in design.pads.iter().enumerate() {
        let (x, y) = (pad.size.0 / 2, pad.size.1 / 2);
        let _ = writeln!(text, "\npad {} name {PAD}{}", index + 1, pad.name);
        let _ = writeln!(text, "corners 4 -{x} -{y} -{x} {y} {x} {y} {x} -{y}");
        if let Some((side, position)) = pad.place {
            let _ = writeln!(text, "restrict side {}\nsidespace {:.6}", side.letter(), position.clamp(0.0, 1.0));
        }
        let _ = writeln!(text, "pin name p_{} signal s_{} layer 1 0 0", pad.name, pad.net);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_be_taken_for_words() {
        let pin = Pin { name: "A".into(), net: "top".into(), x: -3, y: 4 };
        let design = Design {
            cells: vec![Cell { name: "left".into(), width: 321, height: 2000, pins: vec![pin] }],
            pads: vec![
                Pad { name: "top".into(), net: "top".into(), size: (160, 200), place: Some((Side::Left, 0.25)) },
                Pad { name: "a[1]".into(), net: "a[1]".into(), size: (160, 200), place: None },
            ],
        };
        let expected = "cell 0 i_left\nleft -160 right 161 bottom -1000 top 1000\npin name p_A signal s_top layer 1 -3 4\n\n\
            pad 1 name twpin_top\ncorners 4 -80 -100 -80 100 80 100 80 -100\nrestrict side L\nsidespace 0.250000\n\
            pin name p_top signal s_top layer 1 0 0\n\n\
            pad 2 name twpin_a[1]\ncorners 4 -80 -100 -80 100 80 100 80 -100\npin name p_a[1] signal s_a[1] layer 1 0 0\n";
        assert_eq!(write(&design), expected);
    }
}
