//! Reading DEF: the header, the floorplan, and which section is what.

use super::{Axis, Def, GcellGrid, Row, Section, Tracks, items};
use crate::FormatError;
use crate::geometry::{Orientation, Point, Rect};
use crate::words::Words;

/// Reads a DEF file. What follows `END DESIGN` is not read. The counts of sections are not checked against what is in
/// them: tools write them before they know.
///
/// # Errors
/// The first word that is not what the format asks for there; a file that ends without `END DESIGN`.
pub fn parse(text: &str) -> Result<Def, FormatError> {
    let mut words = Words::new("DEF", text);
    let words = &mut words;
    let mut def = Def { units: 100, ..Def::default() };
    loop {
        let keyword = words.peek().ok_or_else(|| words.wrong("`END DESIGN`"))?.to_ascii_uppercase();
        match keyword.as_str() {
            "VERSION" => def.version = Some(value(words)?),
            "NAMESCASESENSITIVE" => def.names_case_sensitive = Some(value(words)?),
            "DIVIDERCHAR" => def.divider = Some(words.text()?),
            "BUSBITCHARS" => def.bus_bits = Some(words.text()?),
            "DESIGN" => def.design = value(words)?,
            "UNITS" => {
                for keyword in ["UNITS", "DISTANCE", "MICRONS"] {
                    words.require(keyword)?;
                }
                let what = "how many units are 1 µm, at least 1";
                def.units = words.integer(what)?;
                if def.units < 1 {
                    return Err(words.was_wrong(what));
                }
                words.require(";")?;
            }
            "DIEAREA" => {
                words.next("DIEAREA")?;
                while !words.take(";") {
                    def.die_area.push(point(words)?);
                }
            }
            "ROW" => def.rows.push(row(words)?),
            "TRACKS" => def.tracks.push(tracks(words)?),
            "GCELLGRID" => def.gcell_grids.push(gcell_grid(words)?),
            "VIAS" => def.vias = items::section(words, "VIAS", items::via)?,
            "COMPONENTS" => def.components = items::section(words, "COMPONENTS", items::component)?,
            "PINS" => def.pins = items::section(words, "PINS", items::pin)?,
            "BLOCKAGES" => def.blockages = items::section(words, "BLOCKAGES", items::blockage)?,
            "SPECIALNETS" => def.special_nets = items::section(words, "SPECIALNETS", |w| items::net(w, true))?,
            "NETS" => def.nets = items::section(words, "NETS", |w| items::net(w, false))?,
            "PROPERTYDEFINITIONS"
            | "REGIONS"
            | "PINPROPERTIES"
            | "SLOTS"
            | "FILLS"
            | "NONDEFAULTRULES"
            | "STYLES"
            | "SCANCHAINS"
            | "GROUPS"
            | "DEFAULTCAP" => def.sections.push(section(words)?),
            "END" => {
                words.require("END")?;
                words.require("DESIGN")?;
                return Ok(def);
            }
            _ => def.other.push(words.whole_statement()?),
        }
    }
}

/// `KEYWORD WORD ;`
fn value(words: &mut Words<'_>) -> Result<String, FormatError> {
    words.next("a keyword")?;
    let value = words.next("a value")?.to_owned();
    words.require(";")?;
    Ok(value)
}

/// `( X Y )`
pub(super) fn point(words: &mut Words<'_>) -> Result<Point<i64>, FormatError> {
    words.require("(")?;
    let x = words.integer("a coordinate in database units")?;
    let y = words.integer("a coordinate in database units")?;
    words.require(")")?;
    Ok(Point::new(x, y))
}

/// Two opposite corners.
pub(super) fn rect(words: &mut Words<'_>) -> Result<Rect<i64>, FormatError> {
    Ok(Rect::new(point(words)?, point(words)?))
}

pub(super) fn orientation(words: &mut Words<'_>) -> Result<Orientation, FormatError> {
    let expected = "an orientation: N, S, E, W, FN, FS, FE or FW";
    words.next(expected)?.parse().map_err(|_| words.was_wrong(expected))
}

/// The words behind `+`, up to the next one or `;`.
pub(super) fn property(words: &mut Words<'_>) -> Result<Vec<String>, FormatError> {
    let mut property = Vec::new();
    while !words.is_next("+") && !words.is_next(";") {
        property.push(words.next("`;`")?.to_owned());
    }
    Ok(property)
}

fn row(words: &mut Words<'_>) -> Result<Row, FormatError> {
    words.require("ROW")?;
    let coordinate = "a coordinate in database units";
    let mut row = Row {
        name: words.next("the name of a row")?.to_owned(),
        site: words.next("a site")?.to_owned(),
        at: Point::new(words.integer(coordinate)?, words.integer(coordinate)?),
        orientation: orientation(words)?,
        count: Point::new(1, 1),
        ..Row::default()
    };
    if words.take("DO") {
        row.count.x = words.integer("how many sites")?;
        words.require("BY")?;
        row.count.y = words.integer("how many sites")?;
        if words.take("STEP") {
            row.step = Some(Point::new(words.integer("a distance")?, words.integer("a distance")?));
        }
    }
    while words.take("+") {
        row.other.push(property(words)?);
    }
    words.require(";")?;
    Ok(row)
}

fn axis(words: &mut Words<'_>) -> Result<Axis, FormatError> {
    match words.next("`X` or `Y`")? {
        "X" | "x" => Ok(Axis::X),
        "Y" | "y" => Ok(Axis::Y),
        _ => Err(words.was_wrong("`X` or `Y`")),
    }
}

/// `AXIS START DO COUNT STEP DISTANCE`
fn grid(words: &mut Words<'_>) -> Result<GcellGrid, FormatError> {
    let axis = axis(words)?;
    let start = words.integer("a coordinate in database units")?;
    words.require("DO")?;
    let count = words.integer("how many")?;
    words.require("STEP")?;
    let step = words.integer("a distance")?;
    Ok(GcellGrid { axis, start, count, step })
}

fn gcell_grid(words: &mut Words<'_>) -> Result<GcellGrid, FormatError> {
    words.require("GCELLGRID")?;
    let grid = grid(words)?;
    words.require(";")?;
    Ok(grid)
}

fn tracks(words: &mut Words<'_>) -> Result<Tracks, FormatError> {
    words.require("TRACKS")?;
    let GcellGrid { axis, start, count, step } = grid(words)?;
    let mut tracks = Tracks { axis, start, count, step, mask: Vec::new(), layers: Vec::new() };
    if words.is_next("MASK") {
        while !words.is_next("LAYER") && !words.is_next(";") {
            tracks.mask.push(words.next("`LAYER`")?.to_owned());
        }
    }
    if words.take("LAYER") {
        while !words.is_next(";") {
            tracks.layers.push(words.next("a layer or `;`")?.to_owned());
        }
    }
    words.require(";")?;
    Ok(tracks)
}

/// A section that is kept as it is.
fn section(words: &mut Words<'_>) -> Result<Section, FormatError> {
    let mut section = Section { name: words.next("a section")?.to_ascii_uppercase(), words: Vec::new() };
    loop {
        let is_end = words.is_next("END");
        if is_end && words.peek_second().is_some_and(|name| name.eq_ignore_ascii_case(&section.name)) {
            words.take("END");
            words.next("a section")?;
            return Ok(section);
        }
        section.words.push(words.next(&format!("`END {}`", section.name))?.to_owned());
    }
}
