//! Reading LEF.

use super::{
    Antenna, Cell, Direction, Foreign, Layer, LayerKind, Lef, NonDefaultRule, Pin, PinDirection, Port, Shape, Shapes,
    Site, Statement, Use, Via, ViaRule,
};
use crate::FormatError;
use crate::geometry::{Point, Rect};
use crate::words::Words;

/// Reads a LEF file. Keywords may be in small letters. `END LIBRARY` may be missing; what follows it is not read.
///
/// # Errors
/// The first word that is not what the format asks for there.
pub fn parse(text: &str) -> Result<Lef, FormatError> {
    let mut words = Words::new("LEF", text);
    let words = &mut words;
    let mut lef = Lef::default();
    while let Some(keyword) = words.peek() {
        match keyword.to_ascii_uppercase().as_str() {
            "VERSION" => lef.version = Some(value(words)?),
            "BUSBITCHARS" => lef.bus_bits = Some(words.text()?),
            "DIVIDERCHAR" => lef.divider = Some(words.text()?),
            "MANUFACTURINGGRID" => lef.manufacturing_grid = Some(number(words, "the manufacturing grid in µm")?),
            "UNITS" => units(words, &mut lef)?,
            "PROPERTYDEFINITIONS" => lef.property_definitions.extend(block(words, "PROPERTYDEFINITIONS")?),
            "SPACING" => lef.spacings.extend(block(words, "SPACING")?),
            "LAYER" => lef.layers.push(layer(words)?),
            "VIA" => lef.vias.push(via(words)?),
            "VIARULE" => lef.via_rules.push(via_rule(words)?),
            "NONDEFAULTRULE" => lef.non_default_rules.push(non_default_rule(words)?),
            "SITE" => lef.sites.push(site(words)?),
            "MACRO" => lef.cells.push(cell(words)?),
            "END" => {
                words.require("END")?;
                words.require("LIBRARY")?;
                break;
            }
            _ => lef.other.push(words.whole_statement()?),
        }
    }
    Ok(lef)
}

/// `KEYWORD WORD ;`
fn value(words: &mut Words<'_>) -> Result<String, FormatError> {
    words.next("a keyword")?;
    let value = words.next("a value")?.to_owned();
    words.require(";")?;
    Ok(value)
}

/// `KEYWORD NUMBER ;`
fn number(words: &mut Words<'_>, what: &str) -> Result<f64, FormatError> {
    words.next("a keyword")?;
    let number = words.number(what)?;
    words.require(";")?;
    Ok(number)
}

/// The statements of `NAME ... END NAME`.
fn block(words: &mut Words<'_>, name: &str) -> Result<Vec<Statement>, FormatError> {
    words.require(name)?;
    statements(words, name)
}

fn statements(words: &mut Words<'_>, name: &str) -> Result<Vec<Statement>, FormatError> {
    let mut all = Vec::new();
    while !is_end(words, name)? {
        all.push(words.whole_statement()?);
    }
    Ok(all)
}

/// Passes over `END NAME` if it is there.
fn is_end(words: &mut Words<'_>, name: &str) -> Result<bool, FormatError> {
    if !words.take("END") {
        return match words.peek() {
            Some(_) => Ok(false),
            None => Err(words.wrong(&format!("`END {name}`"))),
        };
    }
    if words.peek() != Some(name) {
        return Err(words.wrong(&format!("`{name}` behind `END`")));
    }
    words.next(name)?;
    Ok(true)
}

/// Words that may stand behind the name of a via or via rule.
const OPTIONS: [&str; 4] = ["DEFAULT", "GENERATE", "GENERATED", "TOPOFSTACKONLY"];

/// Such words, as far as there are any.
fn options(words: &mut Words<'_>) -> Vec<String> {
    let mut options = Vec::new();
    while let Some(word) = words.peek().filter(|word| OPTIONS.contains(word)) {
        options.push(word.to_owned());
        words.take(word);
    }
    options
}

fn units(words: &mut Words<'_>, lef: &mut Lef) -> Result<(), FormatError> {
    words.require("UNITS")?;
    while !is_end(words, "UNITS")? {
        if words.is_next("DATABASE") && words.peek_second().is_some_and(|word| word.eq_ignore_ascii_case("MICRONS")) {
            words.require("DATABASE")?;
            words.require("MICRONS")?;
            lef.database_units = Some(words.count("how many database units are 1 µm")?);
            words.require(";")?;
        } else {
            lef.other_units.push(words.whole_statement()?);
        }
    }
    Ok(())
}

fn layer(words: &mut Words<'_>) -> Result<Layer, FormatError> {
    words.require("LAYER")?;
    let name = words.next("the name of a layer")?.to_owned();
    let mut kind = None;
    let mut new = Layer {
        name,
        kind: LayerKind::Routing,
        direction: None,
        pitch: None,
        offset: None,
        width: None,
        area: None,
        spacings: Vec::new(),
        resistance: None,
        capacitance: None,
        edge_capacitance: None,
        thickness: None,
        other: Vec::new(),
    };
    // Whether statements such as WIDTH belong to a table of current densities.
    let mut in_table = false;
    while !is_end(words, &new.name)? {
        let keyword = words.peek().unwrap_or_default().to_ascii_uppercase();
        match keyword.as_str() {
            _ if in_table => {
                in_table = keyword != "TABLEENTRIES";
                new.other.push(words.whole_statement()?);
            }
            "TYPE" => {
                let name = value(words)?.to_ascii_uppercase();
                kind = Some(match name.as_str() {
                    "ROUTING" => LayerKind::Routing,
                    "CUT" => LayerKind::Cut,
                    _ => LayerKind::Other(name),
                });
            }
            "DIRECTION" => {
                words.next("DIRECTION")?;
                let word = words.next("a direction")?.to_ascii_uppercase();
                new.direction = Some(match word.as_str() {
                    "HORIZONTAL" => Direction::Horizontal,
                    "VERTICAL" => Direction::Vertical,
                    "DIAG45" => Direction::Diagonal45,
                    "DIAG135" => Direction::Diagonal135,
                    _ => return Err(words.was_wrong("`HORIZONTAL`, `VERTICAL`, `DIAG45` or `DIAG135`")),
                });
                words.require(";")?;
            }
            "PITCH" => new.pitch = Some(one_or_two(words, "the distance of tracks in µm")?),
            "OFFSET" => new.offset = Some(one_or_two(words, "where tracks begin in µm")?),
            "WIDTH" => new.width = Some(number(words, "a width in µm")?),
            "AREA" => new.area = Some(number(words, "an area in µm²")?),
            "THICKNESS" => new.thickness = Some(number(words, "a thickness in µm")?),
            "EDGECAPACITANCE" => new.edge_capacitance = Some(number(words, "a capacitance in pF/µm")?),
            "SPACING" => {
                words.next("SPACING")?;
                let distance = words.number("a distance in µm")?;
                new.spacings.push((distance, words.statement()?));
            }
            "RESISTANCE" if is_plain(words, "RPERSQ") => {
                words.next("RESISTANCE")?;
                words.take("RPERSQ");
                new.resistance = Some(words.number("a resistance in Ω")?);
                words.require(";")?;
            }
            "CAPACITANCE" if is_plain(words, "CPERSQDIST") => {
                words.next("CAPACITANCE")?;
                words.take("CPERSQDIST");
                new.capacitance = Some(words.number("a capacitance in pF/µm²")?);
                words.require(";")?;
            }
            _ => {
                let statement = words.statement()?;
                let is_number = |word: &String| word.parse::<f64>().is_ok();
                in_table = keyword.ends_with("CURRENTDENSITY") && !statement.get(2).is_some_and(is_number);
                new.other.push(statement);
            }
        }
    }
    new.kind = kind.ok_or_else(|| words.was_wrong(&format!("`TYPE` in the layer {}", new.name)))?;
    Ok(new)
}

/// Whether the number of a statement follows, with this word before it or without.
fn is_plain(words: &Words<'_>, unit: &str) -> bool {
    words.peek_second().is_some_and(|word| word.eq_ignore_ascii_case(unit) || word.parse::<f64>().is_ok())
}

fn one_or_two(words: &mut Words<'_>, what: &str) -> Result<Point<f64>, FormatError> {
    words.next("a keyword")?;
    let x = words.number(what)?;
    let y = if words.is_next(";") { x } else { words.number(what)? };
    words.require(";")?;
    Ok(Point::new(x, y))
}

/// `SIZE X BY Y ;`
fn size(words: &mut Words<'_>) -> Result<Point<f64>, FormatError> {
    words.require("SIZE")?;
    let x = words.number("a width in µm")?;
    words.require("BY")?;
    let y = words.number("a height in µm")?;
    words.require(";")?;
    Ok(Point::new(x, y))
}

fn via(words: &mut Words<'_>) -> Result<Via, FormatError> {
    words.require("VIA")?;
    let mut via = Via { name: words.next("the name of a via")?.to_owned(), ..Via::default() };
    via.options = options(words);
    while !is_end(words, &via.name)? {
        if words.is_next("LAYER") {
            via.layers.push(shapes_of_layer(words)?);
        } else if words.peek().is_some_and(|word| OPTIONS.contains(&word)) {
            return Err(words.wrong("it right behind the name of the via"));
        } else {
            via.other.push(words.whole_statement()?);
        }
    }
    Ok(via)
}

fn via_rule(words: &mut Words<'_>) -> Result<ViaRule, FormatError> {
    words.require("VIARULE")?;
    let name = words.next("the name of a via rule")?.to_owned();
    let options = options(words);
    let statements = statements(words, &name)?;
    Ok(ViaRule { name, options, statements })
}

fn non_default_rule(words: &mut Words<'_>) -> Result<NonDefaultRule, FormatError> {
    words.require("NONDEFAULTRULE")?;
    let mut rule = NonDefaultRule { name: words.next("the name of a rule")?.to_owned(), words: Vec::new() };
    // Its layers and vias have ends of their own, of other names.
    loop {
        if words.is_next("END") && words.peek_second() == Some(&rule.name) {
            is_end(words, &rule.name)?;
            return Ok(rule);
        }
        rule.words.push(words.next(&format!("`END {}`", rule.name))?.to_owned());
    }
}

fn site(words: &mut Words<'_>) -> Result<Site, FormatError> {
    words.require("SITE")?;
    let mut site = Site { name: words.next("the name of a site")?.to_owned(), ..Site::default() };
    while !is_end(words, &site.name)? {
        match words.peek().unwrap_or_default().to_ascii_uppercase().as_str() {
            "CLASS" => site.class = Some(value(words)?.to_ascii_uppercase()),
            "SYMMETRY" => site.symmetry = words.statement()?.split_off(1),
            "SIZE" => site.size = size(words)?,
            _ => site.other.push(words.whole_statement()?),
        }
    }
    Ok(site)
}

fn cell(words: &mut Words<'_>) -> Result<Cell, FormatError> {
    words.require("MACRO")?;
    let mut cell = Cell { name: words.next("the name of a cell")?.to_owned(), ..Cell::default() };
    let mut has_size = false;
    while !is_end(words, &cell.name)? {
        match words.peek().unwrap_or_default().to_ascii_uppercase().as_str() {
            "CLASS" => cell.class = words.statement()?.split_off(1).iter().map(|w| w.to_ascii_uppercase()).collect(),
            "ORIGIN" => {
                words.require("ORIGIN")?;
                cell.origin = words.bare_point()?;
                words.require(";")?;
            }
            "FOREIGN" if cell.foreign.is_none() => cell.foreign = Some(foreign(words)?),
            "SIZE" => {
                cell.size = size(words)?;
                has_size = true;
            }
            "SYMMETRY" => cell.symmetry = words.statement()?.split_off(1),
            "SITE" => {
                let mut statement = words.statement()?;
                if statement.len() == 2 && cell.site.is_none() {
                    cell.site = statement.pop();
                } else {
                    cell.other.push(statement);
                }
            }
            "PIN" => cell.pins.push(pin(words)?),
            "OBS" => {
                words.require("OBS")?;
                cell.obstructions.extend(all_shapes(words)?);
            }
            "DENSITY" => {
                words.require("DENSITY")?;
                while !words.take("END") {
                    cell.density.push(words.whole_statement()?);
                }
            }
            _ => cell.other.push(words.whole_statement()?),
        }
    }
    if !has_size {
        return Err(words.was_wrong(&format!("`SIZE` in the cell {}", cell.name)));
    }
    Ok(cell)
}

fn foreign(words: &mut Words<'_>) -> Result<Foreign, FormatError> {
    words.require("FOREIGN")?;
    let mut foreign = Foreign { cell: words.next("the name of a cell")?.to_owned(), ..Foreign::default() };
    if !words.is_next(";") {
        foreign.at = Some(words.bare_point()?);
    }
    if !words.is_next(";") {
        let orientation = words.next("an orientation")?.parse();
        foreign.orientation = Some(orientation.map_err(|_| words.was_wrong("an orientation"))?);
    }
    words.require(";")?;
    Ok(foreign)
}

fn pin(words: &mut Words<'_>) -> Result<Pin, FormatError> {
    words.require("PIN")?;
    let mut pin = Pin { name: words.next("the name of a pin")?.to_owned(), ..Pin::default() };
    let mut model = None;
    while !is_end(words, &pin.name)? {
        let keyword = words.peek().unwrap_or_default().to_ascii_uppercase();
        match keyword.as_str() {
            "DIRECTION" => pin.direction = Some(pin_direction(words)?),
            "USE" => {
                words.require("USE")?;
                let usage = Use::of(words.next("what the pin is for")?);
                pin.usage =
                    Some(usage.ok_or_else(|| words.was_wrong("`SIGNAL`, `ANALOG`, `POWER`, `GROUND` or `CLOCK`"))?);
                words.require(";")?;
            }
            "SHAPE" => pin.shape = Some(value(words)?),
            "PORT" => {
                words.require("PORT")?;
                let class = if words.is_next("CLASS") { Some(value(words)?) } else { None };
                pin.ports.push(Port { class, shapes: all_shapes(words)? });
            }
            "ANTENNAMODEL" => model = Some(value(words)?),
            _ if keyword.starts_with("ANTENNA") && words.peek_second().is_some_and(|w| w.parse::<f64>().is_ok()) => {
                words.next("ANTENNA")?;
                let value = words.number("a number")?;
                let layer = if words.take("LAYER") { Some(words.next("a layer")?.to_owned()) } else { None };
                words.require(";")?;
                pin.antennas.push(Antenna { model: model.clone(), name: keyword, value, layer });
            }
            _ => pin.other.push(words.whole_statement()?),
        }
    }
    Ok(pin)
}

fn pin_direction(words: &mut Words<'_>) -> Result<PinDirection, FormatError> {
    words.require("DIRECTION")?;
    let direction = match words.next("a direction")?.to_ascii_uppercase().as_str() {
        "INPUT" => PinDirection::Input,
        "OUTPUT" if words.take("TRISTATE") => PinDirection::OutputTristate,
        "OUTPUT" => PinDirection::Output,
        "INOUT" => PinDirection::Inout,
        "FEEDTHRU" => PinDirection::Feedthru,
        _ => return Err(words.was_wrong("`INPUT`, `OUTPUT`, `INOUT` or `FEEDTHRU`")),
    };
    words.require(";")?;
    Ok(direction)
}

/// Shapes layer by layer up to `END`.
fn all_shapes(words: &mut Words<'_>) -> Result<Vec<Shapes>, FormatError> {
    let mut all = Vec::new();
    while !words.take("END") {
        // A port may begin with vias, which are on no layer that is named.
        let is_via = words.is_next("VIA");
        all.push(if is_via {
            Shapes { shapes: vec![Shape::Other(words.statement()?)], ..Shapes::default() }
        } else {
            shapes_of_layer(words)?
        });
    }
    Ok(all)
}

fn shapes_of_layer(words: &mut Words<'_>) -> Result<Shapes, FormatError> {
    words.require("LAYER")?;
    let layer = words.next("the name of a layer")?.to_owned();
    let mut shapes = Shapes { layer, options: words.statement()?, shapes: Vec::new() };
    loop {
        let keyword = words.peek().unwrap_or_default().to_ascii_uppercase();
        let is_plain = words.peek_second().is_some_and(|word| word.parse::<f64>().is_ok());
        match keyword.as_str() {
            "RECT" if is_plain => {
                words.require("RECT")?;
                let (a, b) = (words.bare_point()?, words.bare_point()?);
                words.require(";")?;
                shapes.shapes.push(Shape::Rect(Rect::new(a, b)));
            }
            "POLYGON" if is_plain => {
                words.require("POLYGON")?;
                let mut points = Vec::new();
                while !words.take(";") {
                    points.push(words.bare_point()?);
                }
                shapes.shapes.push(Shape::Polygon(points));
            }
            "RECT" | "POLYGON" | "PATH" | "WIDTH" | "VIA" => shapes.shapes.push(Shape::Other(words.statement()?)),
            _ => return Ok(shapes),
        }
    }
}
