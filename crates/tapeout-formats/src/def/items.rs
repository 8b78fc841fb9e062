//! Reading DEF: what stands in sections, item by item.

use super::read::{orientation, point, property, rect};
use super::wires::{is_wiring, wiring};
use super::{Blockage, Component, Net, NetPin, Pin, PinPort, PinShape, Placement, Status, Via};
use crate::FormatError;
use crate::geometry::Orientation;
use crate::lef::{PinDirection, Use};
use crate::words::Words;

/// `NAME COUNT ; - ITEM ; ... END NAME`. Each item is read from behind its `-` to behind its `;`.
pub(super) fn section<T>(
    words: &mut Words<'_>,
    name: &str,
    item: impl Fn(&mut Words<'_>) -> Result<T, FormatError>,
) -> Result<Vec<T>, FormatError> {
    words.require(name)?;
    words.count("how many items the section has")?;
    words.require(";")?;
    let mut items = Vec::new();
    while words.take("-") {
        items.push(item(words)?);
    }
    if !words.take("END") {
        return Err(words.wrong(&format!("`-` or `END {name}`")));
    }
    words.require(name)?;
    Ok(items)
}

/// Reads the properties of an item, up to its `;`. The function gets each with its first word next, and says whether it
/// knew it; if not, it must not have read of it.
fn properties(
    words: &mut Words<'_>,
    mut known: impl FnMut(&str, &mut Words<'_>) -> Result<bool, FormatError>,
) -> Result<Vec<Vec<String>>, FormatError> {
    let mut other = Vec::new();
    while words.take("+") {
        let keyword = words.peek().unwrap_or_default().to_ascii_uppercase();
        if !known(&keyword, words)? {
            other.push(property(words)?);
        }
    }
    if words.take(";") { Ok(other) } else { Err(words.wrong("`+` or `;`")) }
}

/// `STATUS ( X Y ) ORIENTATION`, if it is one.
fn placement(keyword: &str, words: &mut Words<'_>) -> Result<Option<Placement>, FormatError> {
    let status = match keyword {
        "PLACED" => Status::Placed,
        "FIXED" => Status::Fixed,
        "COVER" => Status::Cover,
        _ => return Ok(None),
    };
    words.next(keyword)?;
    Ok(Some(Placement { status, at: point(words)?, orientation: orientation(words)? }))
}

fn word_behind(keyword: &str, words: &mut Words<'_>) -> Result<String, FormatError> {
    words.require(keyword)?;
    Ok(words.next(&format!("a word behind `{keyword}`"))?.to_owned())
}

fn usage(words: &mut Words<'_>) -> Result<Use, FormatError> {
    let expected = "`SIGNAL`, `POWER`, `GROUND`, `CLOCK`, `ANALOG`, `RESET`, `SCAN` or `TIEOFF`";
    let word = word_behind("USE", words)?;
    Use::of(&word).ok_or_else(|| words.was_wrong(expected))
}

pub(super) fn via(words: &mut Words<'_>) -> Result<Via, FormatError> {
    let mut via = Via { name: words.next("the name of a via")?.to_owned(), ..Via::default() };
    let rects = &mut via.rects;
    via.other = properties(words, |keyword, words| {
        let is_rect = keyword == "RECT";
        if is_rect {
            let layer = word_behind("RECT", words)?;
            rects.push((layer, rect(words)?));
        }
        Ok(is_rect)
    })?;
    Ok(via)
}

pub(super) fn component(words: &mut Words<'_>) -> Result<Component, FormatError> {
    let mut component = Component {
        name: words.next("the name of an instance")?.to_owned(),
        cell: words.next("the name of a cell")?.to_owned(),
        ..Component::default()
    };
    let (place, source) = (&mut component.placement, &mut component.source);
    component.other = properties(words, |keyword, words| {
        match keyword {
            "SOURCE" => *source = Some(word_behind("SOURCE", words)?),
            // The same as to say nothing, unless a place follows.
            "UNPLACED" if matches!(words.peek_second(), Some("+" | ";")) => words.require("UNPLACED")?,
            _ => match placement(keyword, words)? {
                Some(new) => *place = Some(new),
                None => return Ok(false),
            },
        }
        Ok(true)
    })?;
    Ok(component)
}

pub(super) fn pin(words: &mut Words<'_>) -> Result<Pin, FormatError> {
    let mut pin = Pin { name: words.next("the name of a pin")?.to_owned(), ..Pin::default() };
    let other = {
        let pin = &mut pin;
        properties(words, |keyword, words| {
            match keyword {
                "NET" => pin.net = word_behind("NET", words)?,
                "SPECIAL" => {
                    words.require("SPECIAL")?;
                    pin.special = true;
                }
                "DIRECTION" => {
                    pin.direction = Some(match word_behind("DIRECTION", words)?.to_ascii_uppercase().as_str() {
                        "INPUT" => PinDirection::Input,
                        "OUTPUT" => PinDirection::Output,
                        "INOUT" => PinDirection::Inout,
                        "FEEDTHRU" => PinDirection::Feedthru,
                        _ => return Err(words.was_wrong("`INPUT`, `OUTPUT`, `INOUT` or `FEEDTHRU`")),
                    });
                }
                "USE" => pin.usage = Some(usage(words)?),
                "PORT" => {
                    words.require("PORT")?;
                    pin.ports.push(PinPort::default());
                }
                "LAYER" => {
                    let layer = word_behind("LAYER", words)?;
                    let mut options = Vec::new();
                    while !words.is_next("(") {
                        options.push(words.next("`(`")?.to_owned());
                    }
                    let rect = rect(words)?;
                    last_port(pin).shapes.push(PinShape { layer, options, rect });
                }
                "POLYGON" | "VIA" => {
                    let property = property(words)?;
                    last_port(pin).other.push(property);
                }
                _ => match placement(keyword, words)? {
                    Some(placement) => last_port(pin).placement = Some(placement),
                    None => return Ok(false),
                },
            }
            Ok(true)
        })?
    };
    pin.other = other;
    Ok(pin)
}

fn last_port(pin: &mut Pin) -> &mut PinPort {
    if pin.ports.is_empty() {
        pin.ports.push(PinPort::default());
    }
    let last = pin.ports.len() - 1;
    &mut pin.ports[last]
}

pub(super) fn blockage(words: &mut Words<'_>) -> Result<Blockage, FormatError> {
    let mut blockage = Blockage::default();
    if words.take("LAYER") {
        blockage.layer = Some(words.next("a layer")?.to_owned());
    } else if !words.take("PLACEMENT") {
        return Err(words.wrong("`LAYER` or `PLACEMENT`"));
    }
    loop {
        if words.take("+") {
            let mut property = Vec::new();
            while !["+", ";", "RECT", "POLYGON"].iter().any(|end| words.is_next(end)) {
                property.push(words.next("`;`")?.to_owned());
            }
            blockage.other.push(property);
        } else if words.take("RECT") {
            blockage.rects.push(rect(words)?);
        } else if words.take("POLYGON") {
            let mut polygon = Vec::new();
            while words.is_next("(") {
                polygon.push(point(words)?);
            }
            blockage.polygons.push(polygon);
        } else if words.take(";") {
            return Ok(blockage);
        } else {
            return Err(words.wrong("`+`, `RECT`, `POLYGON` or `;`"));
        }
    }
}

pub(super) fn net(words: &mut Words<'_>, is_special: bool) -> Result<Net, FormatError> {
    let mut net = Net { name: words.next("the name of a net")?.to_owned(), ..Net::default() };
    while words.take("(") {
        let first = words.next("an instance or `PIN`")?;
        let instance = (first != "PIN").then(|| first.to_owned());
        let mut pin = NetPin { instance, pin: words.next("a pin")?.to_owned(), options: Vec::new() };
        while !words.take(")") {
            pin.options.push(words.next("`)`")?.to_owned());
        }
        net.pins.push(pin);
    }
    let (wirings, use_of, source) = (&mut net.wirings, &mut net.usage, &mut net.source);
    net.other = properties(words, |keyword, words| {
        match keyword {
            "USE" => *use_of = Some(usage(words)?),
            "SOURCE" => *source = Some(word_behind("SOURCE", words)?),
            _ if is_wiring(keyword, words) => wirings.push(wiring(words, is_special)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(net)
}

/// An orientation, if the next word is one.
pub(super) fn maybe_orientation(words: &mut Words<'_>) -> Option<Orientation> {
    let orientation = words.peek()?.parse().ok()?;
    words.next("an orientation").ok()?;
    Some(orientation)
}
