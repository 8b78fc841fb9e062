//! Writing LEF.

use std::fmt::{self, Display, Write as _};

use super::{Cell, Direction, Layer, LayerKind, Lef, Pin, Shape, Shapes, Site, Statement};
use crate::geometry::Point;

/// The text of a LEF file that reads back as the same.
#[must_use]
pub fn write(lef: &Lef) -> String {
    let mut text = String::new();
    // A string takes whatever is written.
    let _ = Writer { text: &mut text }.lef(lef);
    text
}

struct Writer<'t> {
    text: &'t mut String,
}

impl Writer<'_> {
    fn lef(&mut self, lef: &Lef) -> fmt::Result {
        self.named("", "VERSION", lef.version.as_ref())?;
        self.named("", "BUSBITCHARS", lef.bus_bits.as_ref().map(|chars| format!("\"{chars}\"")))?;
        self.named("", "DIVIDERCHAR", lef.divider.as_ref().map(|divider| format!("\"{divider}\"")))?;
        if lef.database_units.is_some() || !lef.other_units.is_empty() {
            writeln!(self.text, "UNITS")?;
            self.named("  ", "DATABASE MICRONS", lef.database_units)?;
            self.statements("  ", &lef.other_units)?;
            writeln!(self.text, "END UNITS")?;
        }
        self.named("", "MANUFACTURINGGRID", lef.manufacturing_grid)?;
        self.statements("", &lef.other)?;
        for (name, statements) in [("PROPERTYDEFINITIONS", &lef.property_definitions), ("SPACING", &lef.spacings)] {
            // Rules between layers stand behind the layers.
            if name == "SPACING" {
                lef.layers.iter().try_for_each(|layer| self.layer(layer))?;
            }
            if !statements.is_empty() {
                writeln!(self.text, "{name}")?;
                self.statements("  ", statements)?;
                writeln!(self.text, "END {name}\n")?;
            }
        }
        for via in &lef.vias {
            writeln!(self.text, "VIA {}{}", via.name, spaced(&via.options))?;
            self.statements("  ", &via.other)?;
            self.shapes("  ", &via.layers)?;
            writeln!(self.text, "END {}\n", via.name)?;
        }
        for rule in &lef.via_rules {
            writeln!(self.text, "VIARULE {}{}", rule.name, spaced(&rule.options))?;
            self.statements("  ", &rule.statements)?;
            writeln!(self.text, "END {}\n", rule.name)?;
        }
        for rule in &lef.non_default_rules {
            writeln!(self.text, "NONDEFAULTRULE {}\n {}\nEND {}\n", rule.name, spaced(&rule.words), rule.name)?;
        }
        lef.sites.iter().try_for_each(|site| self.site(site))?;
        lef.cells.iter().try_for_each(|cell| self.cell(cell))?;
        writeln!(self.text, "END LIBRARY")
    }

    fn named(&mut self, indent: &str, name: &str, value: Option<impl Display>) -> fmt::Result {
        value.map_or(Ok(()), |value| writeln!(self.text, "{indent}{name} {value} ;"))
    }

    fn statements(&mut self, indent: &str, statements: &[Statement]) -> fmt::Result {
        statements.iter().try_for_each(|statement| writeln!(self.text, "{indent}{} ;", statement.join(" ")))
    }

    fn layer(&mut self, layer: &Layer) -> fmt::Result {
        writeln!(self.text, "LAYER {}", layer.name)?;
        let (kind, per) = match &layer.kind {
            LayerKind::Routing => ("ROUTING", "RPERSQ "),
            LayerKind::Cut => ("CUT", ""),
            LayerKind::Other(kind) => (kind.as_str(), ""),
        };
        self.named("  ", "TYPE", Some(kind))?;
        let direction = layer.direction.map(|direction| match direction {
            Direction::Horizontal => "HORIZONTAL",
            Direction::Vertical => "VERTICAL",
            Direction::Diagonal45 => "DIAG45",
            Direction::Diagonal135 => "DIAG135",
        });
        self.named("  ", "DIRECTION", direction)?;
        let one_or_two = |p: Point<f64>| if p.x == p.y { p.x.to_string() } else { format!("{} {}", p.x, p.y) };
        self.named("  ", "PITCH", layer.pitch.map(one_or_two))?;
        self.named("  ", "OFFSET", layer.offset.map(one_or_two))?;
        self.named("  ", "WIDTH", layer.width)?;
        self.named("  ", "AREA", layer.area)?;
        for (distance, conditions) in &layer.spacings {
            writeln!(self.text, "  SPACING {distance}{} ;", spaced(conditions))?;
        }
        self.named("  ", "RESISTANCE", layer.resistance.map(|ohms| format!("{per}{ohms}")))?;
        self.named("  ", "CAPACITANCE CPERSQDIST", layer.capacitance)?;
        self.named("  ", "EDGECAPACITANCE", layer.edge_capacitance)?;
        self.named("  ", "THICKNESS", layer.thickness)?;
        self.statements("  ", &layer.other)?;
        writeln!(self.text, "END {}\n", layer.name)
    }

    fn site(&mut self, site: &Site) -> fmt::Result {
        writeln!(self.text, "SITE {}", site.name)?;
        self.named("  ", "CLASS", site.class.as_ref())?;
        self.list("  ", "SYMMETRY", &site.symmetry)?;
        writeln!(self.text, "  SIZE {} BY {} ;", site.size.x, site.size.y)?;
        self.statements("  ", &site.other)?;
        writeln!(self.text, "END {}\n", site.name)
    }

    fn list(&mut self, indent: &str, name: &str, words: &[String]) -> fmt::Result {
        if words.is_empty() { Ok(()) } else { writeln!(self.text, "{indent}{name}{} ;", spaced(words)) }
    }

    fn cell(&mut self, cell: &Cell) -> fmt::Result {
        writeln!(self.text, "MACRO {}", cell.name)?;
        self.list("  ", "CLASS", &cell.class)?;
        if let Some(foreign) = &cell.foreign {
            write!(self.text, "  FOREIGN {}", foreign.cell)?;
            if let Some(at) = foreign.at {
                write!(self.text, " {} {}", at.x, at.y)?;
                if let Some(orientation) = foreign.orientation {
                    write!(self.text, " {orientation}")?;
                }
            }
            writeln!(self.text, " ;")?;
        }
        writeln!(self.text, "  ORIGIN {} {} ;", cell.origin.x, cell.origin.y)?;
        writeln!(self.text, "  SIZE {} BY {} ;", cell.size.x, cell.size.y)?;
        self.list("  ", "SYMMETRY", &cell.symmetry)?;
        self.named("  ", "SITE", cell.site.as_ref())?;
        self.statements("  ", &cell.other)?;
        cell.pins.iter().try_for_each(|pin| self.pin(pin))?;
        if !cell.obstructions.is_empty() {
            writeln!(self.text, "  OBS")?;
            self.shapes("    ", &cell.obstructions)?;
            writeln!(self.text, "  END")?;
        }
        if !cell.density.is_empty() {
            writeln!(self.text, "  DENSITY")?;
            self.statements("    ", &cell.density)?;
            writeln!(self.text, "  END")?;
        }
        writeln!(self.text, "END {}\n", cell.name)
    }

    fn pin(&mut self, pin: &Pin) -> fmt::Result {
        writeln!(self.text, "  PIN {}", pin.name)?;
        self.named("    ", "DIRECTION", pin.direction.map(super::PinDirection::as_str))?;
        self.named("    ", "USE", pin.usage.map(super::Use::as_str))?;
        self.named("    ", "SHAPE", pin.shape.as_ref())?;
        self.statements("    ", &pin.other)?;
        let mut model = &None;
        for antenna in &pin.antennas {
            if antenna.model != *model {
                self.named("    ", "ANTENNAMODEL", antenna.model.as_ref())?;
                model = &antenna.model;
            }
            let layer = antenna.layer.as_ref().map(|layer| format!(" LAYER {layer}")).unwrap_or_default();
            writeln!(self.text, "    {} {}{layer} ;", antenna.name, antenna.value)?;
        }
        for port in &pin.ports {
            writeln!(self.text, "    PORT")?;
            self.named("      ", "CLASS", port.class.as_ref())?;
            self.shapes("      ", &port.shapes)?;
            writeln!(self.text, "    END")?;
        }
        writeln!(self.text, "  END {}", pin.name)
    }

    fn shapes(&mut self, indent: &str, layers: &[Shapes]) -> fmt::Result {
        for layer in layers {
            // Vias at the beginning of a port are on no layer that is named.
            if !layer.layer.is_empty() {
                writeln!(self.text, "{indent}LAYER {}{} ;", layer.layer, spaced(&layer.options))?;
            }
            for shape in &layer.shapes {
                match shape {
                    Shape::Rect(rect) => {
                        let (low, high) = (rect.low, rect.high);
                        writeln!(self.text, "{indent}  RECT {} {} {} {} ;", low.x, low.y, high.x, high.y)?;
                    }
                    Shape::Polygon(points) => {
                        let points: String = points.iter().map(|p| format!(" {} {}", p.x, p.y)).collect();
                        writeln!(self.text, "{indent}  POLYGON{points} ;")?;
                    }
                    Shape::Other(statement) => writeln!(self.text, "{indent}  {} ;", statement.join(" "))?,
                }
            }
        }
        Ok(())
    }
}

/// Each word with a blank before it.
fn spaced(words: &[String]) -> String {
    words.iter().map(|word| format!(" {word}")).collect()
}
