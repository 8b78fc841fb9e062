//! Reading DEF: the wires of nets. A `+` may stand within them, so they are not read as other properties are.

use super::items::maybe_orientation;
use super::{Step, Wire, WireStatus, Wiring};
use crate::FormatError;
use crate::geometry::Point;
use crate::words::Words;

/// Whether a property is wires. `+ FIXEDBUMP` is none, and `+ SHIELDNET` neither. What follows the status in special nets
/// may be a shape alone (`+ ROUTED + RECT ...`), which is none either.
pub(super) fn is_wiring(keyword: &str, words: &Words<'_>) -> bool {
    matches!(keyword, "ROUTED" | "FIXED" | "COVER" | "NOSHIELD" | "SHIELD") && words.peek_second() != Some("+")
}

pub(super) fn wiring(words: &mut Words<'_>, is_special: bool) -> Result<Wiring, FormatError> {
    let status = match words.next("the status of wires")?.to_ascii_uppercase().as_str() {
        "ROUTED" => WireStatus::Routed,
        "FIXED" => WireStatus::Fixed,
        "COVER" => WireStatus::Cover,
        "NOSHIELD" => WireStatus::NoShield,
        _ => WireStatus::Shield(words.next("the net that is shielded")?.to_owned()),
    };
    let mut wires = vec![wire(words, is_special)?];
    while words.take("NEW") {
        wires.push(wire(words, is_special)?);
    }
    Ok(Wiring { status, wires })
}

/// Words within a wire before its first point, each with how many follow it.
const OPTIONS: [(&str, usize); 3] = [("TAPER", 0), ("TAPERRULE", 1), ("STYLE", 1)];
/// Those of special nets, behind a `+`.
const SPECIAL_OPTIONS: [(&str, usize); 3] = [("SHAPE", 1), ("STYLE", 1), ("MASK", 1)];

fn wire(words: &mut Words<'_>, is_special: bool) -> Result<Wire, FormatError> {
    let mut wire = Wire { layer: words.next("a layer")?.to_owned(), ..Wire::default() };
    if is_special {
        wire.width = Some(words.integer("the width of the wire in database units")?);
    }
    loop {
        let plus = words.is_next("+");
        let next = if plus { words.peek_second() } else { words.peek() };
        let known: &[_] = if plus { &SPECIAL_OPTIONS } else { &OPTIONS };
        let option = known.iter().find(|(name, _)| next.is_some_and(|word| word.eq_ignore_ascii_case(name)));
        let Some((_, more)) = option.filter(|_| !plus || is_special) else { break };
        for _ in 0..usize::from(plus) + 1 + more {
            wire.options.push(words.next("a word of the wire")?.to_owned());
        }
    }
    let mut last = None;
    loop {
        let Some(next) = words.peek() else { return Err(words.wrong("`;`")) };
        let step = match next {
            "+" | ";" | "NEW" => break,
            "(" => {
                let (to, beyond) = to(words, last)?;
                last = Some(to);
                Step::To(to, beyond)
            }
            "VIRTUAL" => {
                words.require("VIRTUAL")?;
                let (to, _) = to(words, last)?;
                last = Some(to);
                Step::Virtual(to)
            }
            "MASK" => {
                words.require("MASK")?;
                Step::Mask(words.integer("the number of a mask")?)
            }
            "RECT" => {
                words.require("RECT")?;
                words.require("(")?;
                let mut sides = [0; 4];
                for side in &mut sides {
                    *side = words.integer("a distance in database units")?;
                }
                words.require(")")?;
                Step::Rect(sides)
            }
            via => {
                if last.is_none() {
                    return Err(words.wrong("a point: `( X Y )`"));
                }
                words.next("a via")?;
                let orientation = maybe_orientation(words);
                if words.take("DO") {
                    let columns = words.integer("how many")?;
                    words.require("BY")?;
                    let rows = words.integer("how many")?;
                    words.require("STEP")?;
                    let (x, y) = (words.integer("a distance")?, words.integer("a distance")?);
                    Step::ViaArray(via.to_owned(), orientation, [columns, rows, x, y])
                } else {
                    Step::Via(via.to_owned(), orientation)
                }
            }
        };
        wire.path.push(step);
    }
    Ok(wire)
}

/// `( X Y )` or `( X Y BEYOND )`, where `*` is the coordinate of the point before.
fn to(words: &mut Words<'_>, last: Option<Point<i64>>) -> Result<(Point<i64>, Option<i64>), FormatError> {
    words.require("(")?;
    let mut coordinate = |last: Option<i64>| {
        if !words.take("*") {
            return words.integer("a coordinate in database units, or `*`");
        }
        last.ok_or_else(|| words.was_wrong("a coordinate: `*` stands for that of the point before, and there is none"))
    };
    let x = coordinate(last.map(|point| point.x))?;
    let y = coordinate(last.map(|point| point.y))?;
    let beyond = if words.is_next(")") { None } else { Some(words.integer("how far the wire goes beyond, or `)`")?) };
    words.require(")")?;
    Ok((Point::new(x, y), beyond))
}
