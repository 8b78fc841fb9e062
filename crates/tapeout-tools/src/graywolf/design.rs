//! From netlist, LEF and floorplan to what graywolf reads.

use std::collections::{BTreeMap, HashMap, HashSet};

use tapeout_formats::def::{Def, Status};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::graywolf::cel::{Cell, Design, Pad, Pin, Side};
use tapeout_formats::graywolf::{par, units};
use tapeout_formats::lef::{self, Direction, Lef};
use tapeout_formats::netlist::{End, Netlist, Signal};

/// A row of the floorplan, in database units. What macros cut out of it is not told: the legaliser sees to that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// From its first to its last site.
    pub(super) area: Rect<i64>,
    /// The width of a site.
    pub(super) site: i64,
    /// How cells stand in it.
    pub(super) orientation: Orientation,
}

/// The rows from the bottom up. Pieces at one height are one row.
pub(super) fn rows(def: &Def, lef: &Lef) -> Result<Vec<Row>, String> {
    let mut rows: BTreeMap<i64, Row> = BTreeMap::new();
    for row in &def.rows {
        let site = lef.site(&row.site).ok_or_else(|| {
            format!("the rows of the floorplan are made of the site `{}`, which is in no LEF file", row.site)
        })?;
        let size = Point::new(database(site.size.x, def.units), database(site.size.y, def.units));
        let new = Row { area: row.area(size), site: size.x, orientation: row.orientation };
        let known = rows.entry(row.at.y).or_insert(new);
        known.area = known.area.union(&new.area);
    }
    if rows.is_empty() {
        return Err(
            "expected rows in the floorplan, found none: does `Layout.Floorplan` run before placement?".to_owned()
        );
    }
    Ok(rows.into_values().collect())
}

/// The rectangle around all rows.
pub(super) fn core(rows: &[Row]) -> Rect<i64> {
    let areas = rows.iter().map(|row| row.area);
    areas.reduce(|all, area| all.union(&area)).unwrap_or_default()
}

/// µm in database units.
pub(super) fn database(micrometres: f64, units: i64) -> i64 {
    (micrometres * units as f64).round() as i64
}

/// Database units in 1/100 µm.
pub(super) fn hundredths(distance: i64, units: i64) -> i64 {
    (distance as f64 * 100.0 / units as f64).round() as i64
}

/// The instances that may be moved, by index.
pub(super) fn movable(netlist: &Netlist, def: &Def) -> Vec<usize> {
    let is_fixed = |status: Status| status != Status::Placed;
    let fixed: HashSet<&str> = (def.components.iter())
        .filter(|component| component.placement.is_some_and(|placement| is_fixed(placement.status)))
        .map(|component| component.name.as_str())
        .collect();
    let all = netlist.instances.iter().enumerate();
    all.filter(|(_, instance)| !fixed.contains(instance.name.as_str())).map(|(index, _)| index).collect()
}

/// The movable cells with their pins, and the pins of the design with their places. Nets with one end or none pull
/// nothing and are left out.
pub(super) fn design(netlist: &Netlist, lef: &Lef, def: &Def, rows: &[Row]) -> Result<Design, String> {
    let library: HashMap<&str, &lef::Cell> = lef.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect();
    let ends = netlist.ends();
    let net = |signal: Signal| match signal {
        Signal::Net(net) if ends[net.0].len() > 1 => Some(netlist.net(net).to_owned()),
        _ => None,
    };
    let mut cells = Vec::new();
    for index in movable(netlist, def) {
        let instance = &netlist.instances[index];
        let cell = library.get(instance.cell.as_str()).ok_or_else(|| {
            format!(
                "the cell `{}`, of which `{}` is one, is in no LEF file: is it one of another library (`CELL_LEFS`), or a \
                 macro without LEF (`MACROS`)?",
                instance.cell, instance.name
            )
        })?;
        let middle = Point::new(cell.size.x / 2.0, cell.size.y / 2.0);
        let mut pins = Vec::new();
        for pin in &instance.pins {
            let Some(net) = net(pin.signal) else { continue };
            let shape = cell.pin(&pin.name).ok_or_else(|| {
                format!("the cell `{}` has no pin `{}` in LEF, and the netlist connects it", instance.cell, pin.name)
            })?;
            let at = shape.rects().next().map_or(middle, |(_, rect)| {
                Point::new((rect.low.x + rect.high.x) / 2.0, (rect.low.y + rect.high.y) / 2.0)
            });
            let at = Point::new(at.x + cell.origin.x, at.y + cell.origin.y);
            pins.push(Pin { name: pin.name.clone(), net, x: units(at.x - middle.x), y: units(at.y - middle.y) });
        }
        let (width, height) = (units(cell.size.x), units(cell.size.y));
        cells.push(Cell { name: instance.name.clone(), width, height, pins });
    }
    let core = core(rows);
    let size = (rows.first().map_or(1, |row| hundredths(row.site, def.units)).max(2), 2 * PAD_HALF);
    let pads = netlist.ports.iter().filter_map(|port| {
        let net = net(port.signal)?;
        let placed = def.pins.iter().find(|pin| pin.name == port.name).and_then(|pin| pin.ports.first()?.placement);
        Some(Pad { name: port.name.clone(), net, size, place: placed.map(|placed| side(placed.at, &core)) })
    });
    let mut pads: Vec<Pad> = pads.collect();
    pads.extend(of_fixed(netlist, &library, def, &core, size));
    Ok(Design { cells, pads })
}

/// The pins of what is fixed, as pads at the side of the core that they are nearest to, so that they pull like those of the
/// design: graywolf has no place for cells outside of rows.
fn of_fixed(
    netlist: &Netlist,
    library: &HashMap<&str, &lef::Cell>,
    def: &Def,
    core: &Rect<i64>,
    size: (i64, i64),
) -> Vec<Pad> {
    let components: HashMap<&str, _> = def.components.iter().map(|of| (of.name.as_str(), of)).collect();
    let movable: HashSet<usize> = movable(netlist, def).into_iter().collect();
    let ends = netlist.ends();
    // Those of nets between fixed things and pins of the design pull nothing.
    let pulls =
        |net: usize| ends[net].iter().any(|end| matches!(end, End::Pin(instance, _) if movable.contains(instance)));
    let mut pads = Vec::new();
    for (index, instance) in netlist.instances.iter().enumerate().filter(|(index, _)| !movable.contains(index)) {
        let cell = library.get(instance.cell.as_str());
        let placement = components.get(instance.name.as_str()).and_then(|component| component.placement);
        let (Some(cell), Some(placement)) = (cell, placement) else { continue };
        let units = |x: f64, y: f64| Point::new(database(x, def.units), database(y, def.units));
        for (number, pin) in instance.pins.iter().enumerate() {
            let Signal::Net(net) = pin.signal else { continue };
            let Some((_, rect)) = cell.pin(&pin.name).and_then(|shape| shape.rects().next()) else { continue };
            if !pulls(net.0) {
                continue;
            }
            let rect = rect.moved(cell.origin);
            let rect = Rect::new(units(rect.low.x, rect.low.y), units(rect.high.x, rect.high.y));
            let rect = placement.orientation.place_rect(&rect, units(cell.size.x, cell.size.y), placement.at);
            let at = Point::new((rect.low.x + rect.high.x) / 2, (rect.low.y + rect.high.y) / 2);
            // No pin of the design has such a name.
            let name = format!("{index}.{number}");
            pads.push(Pad { name, net: netlist.net(net).to_owned(), size, place: Some(side(at, core)) });
        }
    }
    pads
}

/// Half of what a pad reaches out from the core, in 1/100 µm. It takes no room from the cells.
const PAD_HALF: i64 = 100;

/// The side of the core that a pin is nearest to, and where along it.
fn side(at: Point<i64>, core: &Rect<i64>) -> (Side, f64) {
    let along = |at: i64, low: i64, size: i64| ((at - low) as f64 / size.max(1) as f64).clamp(0.0, 1.0);
    let (x, y) = (along(at.x, core.low.x, core.width()), along(at.y, core.low.y, core.height()));
    // How far outside, or how little inside.
    let sides = [
        (at.x - core.low.x, Side::Left, y),
        (core.high.x - at.x, Side::Right, y),
        (at.y - core.low.y, Side::Bottom, x),
        (core.high.y - at.y, Side::Top, x),
    ];
    let nearest = sides.into_iter().min_by_key(|(distance, ..)| *distance);
    nearest.map_or((Side::Left, 0.5), |(_, side, along)| (side, along))
}

/// The lowest layers for wires: graywolf only takes pitches from them, for which it needs both directions.
pub(super) fn layers(lef: &Lef) -> Vec<par::Layer> {
    const ENOUGH: usize = 4;
    let layer = |layer: &lef::Layer| {
        let is_horizontal = layer.direction == Some(Direction::Horizontal);
        let width = layer.width.unwrap_or_default();
        let pitch = layer.pitch.map_or(2.0 * width, |pitch| if is_horizontal { pitch.y } else { pitch.x });
        par::Layer {
            name: layer.name.clone(),
            is_horizontal,
            resistance: layer.resistance.unwrap_or_default(),
            // pF to fF.
            capacitance: layer.capacitance.unwrap_or_default() * 1000.0,
            width: units(width),
            pitch: units(pitch),
        }
    };
    lef.routing_layers().take(ENOUGH).map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_is_on_its_nearest_side() {
        let core = Rect::new(Point::new(100, 100), Point::new(500, 300));
        for (at, expected) in [
            ((0, 150), (Side::Left, 0.25)),
            ((600, 300), (Side::Right, 1.0)),
            ((200, 90), (Side::Bottom, 0.25)),
            ((300, 299), (Side::Top, 0.5)),
            ((300, 900), (Side::Top, 0.5)),
        ] {
            assert_eq!(side(Point::new(at.0, at.1), &core), expected, "{at:?}");
        }
    }
}
