//! From graywolf's placement, whose rows are as long as their cells, to places in the rows of the floorplan.

use std::collections::HashMap;

use tapeout_formats::def::{Def, Pin, PinPort, Placement, Status};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::graywolf::pl1;
use tapeout_formats::lef::{self, Lef, Use};

use super::FEWEST_CELLS;
use super::design::{self, Row, database};

/// Gives the components their places. `cells` is how many of them are to be placed: fewer than [`FEWEST_CELLS`] stand side
/// by side where the placement has none.
pub(super) fn place(
    def: &mut Def,
    lef: &Lef,
    rows: &[Row],
    cells: usize,
    placement: &pl1::Placement,
) -> Result<(), String> {
    let library: HashMap<&str, &lef::Cell> = lef.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect();
    let without_placer = placement.cells.is_empty() && cells < FEWEST_CELLS;
    if !without_placer && placement.cells.len() != cells {
        return Err(format!("expected {cells} cells, found {}", placement.cells.len()));
    }
    let places: HashMap<&str, &pl1::Placed> =
        placement.cells.iter().map(|placed| (placed.name.as_str(), placed)).collect();
    let left = placement.cells.iter().map(|placed| placed.left).min().unwrap_or_default();
    let right = placement.cells.iter().map(|placed| placed.right).max().unwrap_or_default();
    let count = placement.cells.iter().map(|placed| placed.row).max().unwrap_or(1).max(1);
    let units = def.units;
    let core = design::core(rows);
    let mut so_far = 0;
    for component in &mut def.components {
        if component.placement.is_some_and(|placement| placement.status != Status::Placed) {
            continue;
        }
        let cell = library.get(component.cell.as_str());
        let (along, row, is_mirrored) = match places.get(component.name.as_str()) {
            Some(placed) => {
                let middle = (placed.left + placed.right) as f64 / 2.0;
                let along = (middle - left as f64) / (right - left).max(1) as f64;
                // It may make more rows or fewer than it is asked for.
                let row = (placed.row - 1).clamp(0, count - 1) * rows.len() as i64 / count;
                (along, usize::try_from(row).unwrap_or_default(), placed.orientation & 2 != 0)
            }
            None if without_placer => {
                so_far += 1;
                ((so_far as f64 - 0.5) / cells as f64, rows.len() / 2, false)
            }
            None => return Err(format!("it has no place for `{}`", component.name)),
        };
        let Some(row) = rows.get(row) else { continue };
        let width = cell.map_or(0, |cell| database(cell.size.x, units));
        let x = core.low.x + (along * core.width() as f64) as i64 - width / 2;
        let x = x.clamp(row.area.low.x, (row.area.high.x - width).max(row.area.low.x));
        let may_mirror = cell.is_some_and(|cell| cell.symmetry.iter().any(|axis| axis == "Y"));
        let orientation = if is_mirrored && may_mirror { row.orientation.mirrored() } else { row.orientation };
        component.placement =
            Some(Placement { status: Status::Placed, at: Point::new(x, row.area.low.y), orientation });
    }
    Ok(())
}

/// Gives the pins that are not placed yet the places of graywolf's pads on the edge of the core: points without a shape.
/// Pins that have no pad, as nothing is connected to them, are spread around the core. Supplies have theirs from the power
/// grid.
pub(super) fn pins(def: &mut Def, rows: &[Row], placement: &pl1::Placement) {
    let places: HashMap<&str, &pl1::Placed> =
        placement.pads.iter().map(|placed| (placed.name.as_str(), placed)).collect();
    let all = placement
        .cells
        .iter()
        .map(|cell| Rect::new(Point::new(cell.left, cell.bottom), Point::new(cell.right, cell.top)));
    let (from, to) = (all.reduce(|all, cell| all.union(&cell)).unwrap_or_default(), design::core(rows));
    let scaled = |at: f64, from: (i64, i64), to: (i64, i64)| {
        let along = ((at - from.0 as f64) / (from.1 - from.0).max(1) as f64).clamp(0.0, 1.0);
        to.0 + (along * (to.1 - to.0) as f64).round() as i64
    };
    let mut without = Vec::new();
    let is_supply = |pin: &Pin| matches!(pin.usage, Some(Use::Power | Use::Ground));
    for pin in def.pins.iter_mut().filter(|pin| !is_supply(pin)) {
        if pin.ports.iter().any(|port| port.placement.is_some()) {
            continue;
        }
        let Some(pad) = places.get(pin.name.as_str()) else {
            without.push(pin);
            continue;
        };
        let middle = |low: i64, high: i64| (low + high) as f64 / 2.0;
        pin.ports = point(Point::new(
            scaled(middle(pad.left, pad.right), (from.low.x, from.high.x), (to.low.x, to.high.x)),
            scaled(middle(pad.bottom, pad.top), (from.low.y, from.high.y), (to.low.y, to.high.y)),
        ));
    }
    let count = without.len();
    for (index, pin) in without.into_iter().enumerate() {
        pin.ports = point(on_edge(&to, (index as f64 + 0.5) / count as f64));
    }
}

fn point(at: Point<i64>) -> Vec<PinPort> {
    let placement = Some(Placement { status: Status::Placed, at, orientation: Orientation::N });
    vec![PinPort { placement, ..PinPort::default() }]
}

/// The point on the edge of a rectangle that is this part of the way around it: from 0 at the lower left corner upwards to 1.
fn on_edge(around: &Rect<i64>, part: f64) -> Point<i64> {
    let (side, along) = ((part * 4.0).floor(), (part * 4.0).fract());
    let part_of = |size: i64, along: f64| (size as f64 * along).round() as i64;
    let (width, height) = (around.width(), around.height());
    match side as i64 {
        0 => Point::new(around.low.x, around.low.y + part_of(height, along)),
        1 => Point::new(around.low.x + part_of(width, along), around.high.y),
        2 => Point::new(around.high.x, around.high.y - part_of(height, along)),
        _ => Point::new(around.high.x - part_of(width, along), around.low.y),
    }
}

#[cfg(test)]
mod tests {
    use tapeout_formats::def::Component;

    use super::*;

    fn placed(name: &str, left: i64, right: i64, orientation: u8, row: i64) -> pl1::Placed {
        pl1::Placed { name: name.into(), left, bottom: 0, right, top: 1, orientation, row }
    }

    fn setup() -> (Def, Lef, Vec<Row>) {
        let cell = |name: &str, symmetry: &[&str]| lef::Cell {
            name: name.into(),
            size: Point::new(2.0, 10.0),
            symmetry: symmetry.iter().map(|axis| (*axis).to_owned()).collect(),
            ..lef::Cell::default()
        };
        let lef = Lef { cells: vec![cell("INV", &["X", "Y"]), cell("STIFF", &["X"])], ..Lef::default() };
        let component =
            |name: &str, cell: &str| Component { name: name.into(), cell: cell.into(), ..Component::default() };
        let components = vec![component("a", "INV"), component("b", "STIFF"), component("c", "INV")];
        let def = Def { units: 100, components, ..Def::default() };
        let row = |index: i64, orientation| Row {
            area: Rect::new(Point::new(1000, index * 1000), Point::new(3000, (index + 1) * 1000)),
            site: 100,
            orientation,
        };
        (def, lef, vec![row(1, Orientation::N), row(2, Orientation::FS)])
    }

    #[test]
    fn rows_are_stretched_to_the_core() {
        let (mut def, lef, rows) = setup();
        let cells = vec![placed("a", -100, 100, 2, 1), placed("b", 100, 300, 3, 2), placed("c", 700, 900, 3, 2)];
        let placement = pl1::Placement { cells, pads: Vec::new() };
        place(&mut def, &lef, &rows, 3, &placement).unwrap();
        let places: Vec<_> = (def.components.iter().filter_map(|component| component.placement))
            .map(|placement| (placement.at.x, placement.at.y, placement.orientation))
            .collect();
        // The outermost cells are as far from the edge as their middle is.
        assert_eq!(
            places,
            [(1100, 1000, Orientation::FN), (1500, 2000, Orientation::FS), (2700, 2000, Orientation::S)]
        );
    }

    #[test]
    fn what_is_not_placed_is_an_error() {
        let (mut def, lef, rows) = setup();
        let mut placement = pl1::Placement { cells: vec![placed("a", 0, 1, 0, 1)], pads: Vec::new() };
        assert_eq!(place(&mut def, &lef, &rows, 2, &placement).unwrap_err(), "expected 2 cells, found 1");
        placement.cells.extend([placed("x", 0, 1, 0, 1), placed("c", 0, 1, 0, 1)]);
        let message = place(&mut def, &lef, &rows, 3, &placement).unwrap_err();
        assert_eq!(message, "it has no place for `b`");
        // Few cells stand side by side in the middle without graywolf.
        def.components.truncate(1);
        place(&mut def, &lef, &rows, 1, &pl1::Placement::default()).unwrap();
        assert_eq!(def.components[0].placement.unwrap().at, Point::new(1900, 2000));
    }

    #[test]
    fn pins_without_a_pad_go_around_the_core_and_supplies_wait() {
        let (mut def, _, rows) = setup();
        let pin = |name: &str, usage| Pin { name: name.into(), usage, ..Pin::default() };
        def.pins = vec![pin("a", None), pin("b", None), pin("c", None), pin("d", None), pin("vdd", Some(Use::Power))];
        pins(&mut def, &rows, &pl1::Placement::default());
        let places: Vec<_> = def.pins.iter().map(|pin| Some(pin.ports.first()?.placement?.at)).collect();
        // The core is from 1000, 1000 to 3000, 3000.
        let at = |x, y| Some(Point::new(x, y));
        assert_eq!(places, [at(1000, 2000), at(2000, 3000), at(3000, 2000), at(2000, 1000), None]);
    }
}
