//! Writing DEF.

use std::fmt::{self, Write as _};

use super::{
    Axis, Blockage, Component, Def, Net, Pin, PinPort, Placement, Property, Row, Section, Status, Step, Tracks, Via,
    Wire, WireStatus,
};
use crate::geometry::{Point, Rect};

/// The text of a DEF file that reads back as the same.
#[must_use]
pub fn write(def: &Def) -> String {
    let mut text = String::new();
    // A string takes whatever is written.
    let _ = Writer { text: &mut text }.def(def);
    text
}

struct Writer<'t> {
    text: &'t mut String,
}

impl Writer<'_> {
    fn def(&mut self, def: &Def) -> fmt::Result {
        let quoted = |text: &Option<String>| text.as_ref().map(|text| format!("\"{text}\""));
        for (name, value) in [
            ("VERSION", def.version.clone()),
            ("NAMESCASESENSITIVE", def.names_case_sensitive.clone()),
            ("DIVIDERCHAR", quoted(&def.divider)),
            ("BUSBITCHARS", quoted(&def.bus_bits)),
            ("DESIGN", Some(def.design.clone()).filter(|name| !name.is_empty())),
        ] {
            if let Some(value) = value {
                writeln!(self.text, "{name} {value} ;")?;
            }
        }
        for statement in &def.other {
            writeln!(self.text, "{} ;", statement.join(" "))?;
        }
        writeln!(self.text, "UNITS DISTANCE MICRONS {} ;", def.units)?;
        self.sections(def, &["PROPERTYDEFINITIONS"])?;
        if !def.die_area.is_empty() {
            let points: String = def.die_area.iter().map(|p| format!(" ( {} {} )", p.x, p.y)).collect();
            writeln!(self.text, "DIEAREA{points} ;")?;
        }
        def.rows.iter().try_for_each(|row| self.row(row))?;
        def.tracks.iter().try_for_each(|tracks| self.tracks(tracks))?;
        for grid in &def.gcell_grids {
            let axis = axis(grid.axis);
            writeln!(self.text, "GCELLGRID {axis} {} DO {} STEP {} ;", grid.start, grid.count, grid.step)?;
        }
        self.items("VIAS", &def.vias, Self::via)?;
        self.sections(def, &["STYLES", "NONDEFAULTRULES", "REGIONS"])?;
        // Without any of their own these two sections are still there: readers count on them.
        self.all_items("COMPONENTS", &def.components, Self::component)?;
        self.all_items("PINS", &def.pins, Self::pin)?;
        self.sections(def, &["PINPROPERTIES", "DEFAULTCAP"])?;
        self.items("BLOCKAGES", &def.blockages, Self::blockage)?;
        self.sections(def, &["SLOTS", "FILLS"])?;
        self.all_items("NETS", &def.nets, Self::net)?;
        self.items("SPECIALNETS", &def.special_nets, Self::net)?;
        self.sections(def, &["SCANCHAINS", "GROUPS"])?;
        writeln!(self.text, "END DESIGN")
    }

    fn sections(&mut self, def: &Def, names: &[&str]) -> fmt::Result {
        for Section { name, words } in def.sections.iter().filter(|section| names.contains(&section.name.as_str())) {
            write!(self.text, "{name}")?;
            for word in words {
                write!(self.text, " {word}")?;
                if word == ";" {
                    writeln!(self.text)?;
                }
            }
            writeln!(self.text, "\nEND {name}")?;
        }
        Ok(())
    }

    fn items<T>(&mut self, name: &str, items: &[T], one: fn(&mut Self, &T) -> fmt::Result) -> fmt::Result {
        if items.is_empty() { Ok(()) } else { self.all_items(name, items, one) }
    }

    fn all_items<T>(&mut self, name: &str, items: &[T], one: fn(&mut Self, &T) -> fmt::Result) -> fmt::Result {
        writeln!(self.text, "\n{name} {} ;", items.len())?;
        items.iter().try_for_each(|item| one(self, item))?;
        writeln!(self.text, "END {name}")
    }

    fn properties(&mut self, properties: &[Property]) -> fmt::Result {
        properties.iter().try_for_each(|property| write!(self.text, " + {}", property.join(" ")))
    }

    fn row(&mut self, row: &Row) -> fmt::Result {
        let (at, count) = (row.at, row.count);
        write!(self.text, "ROW {} {} {} {} {}", row.name, row.site, at.x, at.y, row.orientation)?;
        write!(self.text, " DO {} BY {}", count.x, count.y)?;
        if let Some(step) = row.step {
            write!(self.text, " STEP {} {}", step.x, step.y)?;
        }
        self.properties(&row.other)?;
        writeln!(self.text, " ;")
    }

    fn tracks(&mut self, tracks: &Tracks) -> fmt::Result {
        let axis = axis(tracks.axis);
        write!(self.text, "TRACKS {axis} {} DO {} STEP {}", tracks.start, tracks.count, tracks.step)?;
        tracks.mask.iter().try_for_each(|word| write!(self.text, " {word}"))?;
        if !tracks.layers.is_empty() {
            write!(self.text, " LAYER {}", tracks.layers.join(" "))?;
        }
        writeln!(self.text, " ;")
    }

    fn rect(&mut self, rect: &Rect<i64>) -> fmt::Result {
        write!(self.text, " ( {} {} ) ( {} {} )", rect.low.x, rect.low.y, rect.high.x, rect.high.y)
    }

    fn placement(&mut self, placement: &Placement) -> fmt::Result {
        let status = match placement.status {
            Status::Placed => "PLACED",
            Status::Fixed => "FIXED",
            Status::Cover => "COVER",
        };
        let at = placement.at;
        write!(self.text, " + {status} ( {} {} ) {}", at.x, at.y, placement.orientation)
    }

    fn via(&mut self, via: &Via) -> fmt::Result {
        write!(self.text, "- {}", via.name)?;
        for (layer, rect) in &via.rects {
            write!(self.text, " + RECT {layer}")?;
            self.rect(rect)?;
        }
        self.properties(&via.other)?;
        writeln!(self.text, " ;")
    }

    fn component(&mut self, component: &Component) -> fmt::Result {
        write!(self.text, "- {} {}", component.name, component.cell)?;
        if let Some(source) = &component.source {
            write!(self.text, " + SOURCE {source}")?;
        }
        if let Some(placement) = &component.placement {
            self.placement(placement)?;
        }
        self.properties(&component.other)?;
        writeln!(self.text, " ;")
    }

    fn pin(&mut self, pin: &Pin) -> fmt::Result {
        write!(self.text, "- {}", pin.name)?;
        if !pin.net.is_empty() {
            write!(self.text, " + NET {}", pin.net)?;
        }
        if pin.special {
            write!(self.text, " + SPECIAL")?;
        }
        if let Some(direction) = pin.direction {
            write!(self.text, " + DIRECTION {}", direction.as_str())?;
        }
        if let Some(usage) = pin.usage {
            write!(self.text, " + USE {}", usage.as_str())?;
        }
        self.properties(&pin.other)?;
        // A single port need not be announced, and old readers do not know the word; one with nothing in it must.
        let is_announced = pin.ports.len() > 1 || pin.ports.first() == Some(&PinPort::default());
        for port in &pin.ports {
            if is_announced {
                write!(self.text, "\n  + PORT")?;
            }
            for shape in &port.shapes {
                write!(self.text, "\n  + LAYER {}", shape.layer)?;
                shape.options.iter().try_for_each(|word| write!(self.text, " {word}"))?;
                self.rect(&shape.rect)?;
            }
            self.properties(&port.other)?;
            if let Some(placement) = &port.placement {
                write!(self.text, "\n ")?;
                self.placement(placement)?;
            }
        }
        writeln!(self.text, " ;")
    }

    fn blockage(&mut self, blockage: &Blockage) -> fmt::Result {
        match &blockage.layer {
            Some(layer) => write!(self.text, "- LAYER {layer}")?,
            None => write!(self.text, "- PLACEMENT")?,
        }
        self.properties(&blockage.other)?;
        for rect in &blockage.rects {
            write!(self.text, " RECT")?;
            self.rect(rect)?;
        }
        for polygon in &blockage.polygons {
            write!(self.text, " POLYGON")?;
            polygon.iter().try_for_each(|p| write!(self.text, " ( {} {} )", p.x, p.y))?;
        }
        writeln!(self.text, " ;")
    }

    fn net(&mut self, net: &Net) -> fmt::Result {
        write!(self.text, "- {}", net.name)?;
        for (index, pin) in net.pins.iter().enumerate() {
            let break_line = if index % 4 == 0 { "\n " } else { "" };
            let options: String = pin.options.iter().map(|word| format!(" {word}")).collect();
            write!(self.text, "{break_line} ( {} {}{options} )", pin.instance.as_deref().unwrap_or("PIN"), pin.pin)?;
        }
        if let Some(source) = &net.source {
            write!(self.text, "\n  + SOURCE {source}")?;
        }
        if let Some(usage) = net.usage {
            write!(self.text, "\n  + USE {}", usage.as_str())?;
        }
        self.properties(&net.other)?;
        for wiring in &net.wirings {
            match &wiring.status {
                WireStatus::Routed => write!(self.text, "\n  + ROUTED")?,
                WireStatus::Fixed => write!(self.text, "\n  + FIXED")?,
                WireStatus::Cover => write!(self.text, "\n  + COVER")?,
                WireStatus::NoShield => write!(self.text, "\n  + NOSHIELD")?,
                WireStatus::Shield(net) => write!(self.text, "\n  + SHIELD {net}")?,
            }
            for (index, wire) in wiring.wires.iter().enumerate() {
                self.text.write_str(if index == 0 { "" } else { "\n    NEW" })?;
                self.wire(wire)?;
            }
        }
        writeln!(self.text, " ;")
    }

    fn wire(&mut self, wire: &Wire) -> fmt::Result {
        write!(self.text, " {}", wire.layer)?;
        if let Some(width) = wire.width {
            write!(self.text, " {width}")?;
        }
        wire.options.iter().try_for_each(|word| write!(self.text, " {word}"))?;
        let mut last = None;
        for step in &wire.path {
            match step {
                Step::To(to, beyond) => {
                    self.to(*to, last, *beyond)?;
                    last = Some(*to);
                }
                Step::Virtual(to) => {
                    write!(self.text, " VIRTUAL")?;
                    self.to(*to, last, None)?;
                    last = Some(*to);
                }
                Step::Mask(mask) => write!(self.text, " MASK {mask}")?,
                Step::Rect([a, b, c, d]) => write!(self.text, " RECT ( {a} {b} {c} {d} )")?,
                Step::Via(via, orientation) | Step::ViaArray(via, orientation, _) => {
                    write!(self.text, " {via}")?;
                    if let Some(orientation) = orientation {
                        write!(self.text, " {orientation}")?;
                    }
                    if let Step::ViaArray(_, _, [columns, rows, x, y]) = step {
                        write!(self.text, " DO {columns} BY {rows} STEP {x} {y}")?;
                    }
                }
            }
        }
        Ok(())
    }

    fn to(&mut self, to: Point<i64>, last: Option<Point<i64>>, beyond: Option<i64>) -> fmt::Result {
        let coordinate = |new: i64, old: Option<i64>| if old == Some(new) { "*".to_owned() } else { new.to_string() };
        let (x, y) = (coordinate(to.x, last.map(|p| p.x)), coordinate(to.y, last.map(|p| p.y)));
        match beyond {
            Some(beyond) => write!(self.text, " ( {x} {y} {beyond} )"),
            None => write!(self.text, " ( {x} {y} )"),
        }
    }
}

fn axis(axis: Axis) -> char {
    match axis {
        Axis::X => 'X',
        Axis::Y => 'Y',
    }
}
