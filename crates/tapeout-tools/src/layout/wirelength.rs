//! How long wires will be at least: half the perimeter of the rectangle around the pins of each net.

use std::collections::HashMap;

use tapeout_formats::def::{Component, Def};
use tapeout_formats::geometry::{Point, Rect};
use tapeout_formats::lef::{Cell, Lef};

use super::Scale;

/// The sum over all nets in database units. Pins without a place do not count.
pub(super) fn half_perimeters(design: &Def, library: &Lef) -> i64 {
    let scale = Scale { per_um: design.units };
    let cells: HashMap<&str, &Cell> = library.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect();
    let components: HashMap<&str, &Component> =
        design.components.iter().map(|component| (component.name.as_str(), component)).collect();
    let ports: HashMap<&str, Point<i64>> =
        design.pins.iter().filter_map(|pin| Some((pin.name.as_str(), pin.ports.first()?.placement?.at))).collect();
    let place = |instance: &str, pin: &str| {
        let component = components.get(instance)?;
        let placement = component.placement?;
        let cell = cells.get(component.cell.as_str())?;
        let around = cell.pin(pin)?.rects().map(|(_, rect)| *rect).reduce(|all, rect| all.union(&rect))?;
        let units = |um: f64| scale.units(um);
        let centre = Point::new(
            units((around.low.x + around.high.x) / 2.0 + cell.origin.x),
            units((around.low.y + around.high.y) / 2.0 + cell.origin.y),
        );
        let seen = placement.orientation.place(centre, Point::new(units(cell.size.x), units(cell.size.y)));
        Some(Point::new(placement.at.x + seen.x, placement.at.y + seen.y))
    };
    let of_net = |net: &tapeout_formats::def::Net| {
        let places = net.pins.iter().filter_map(|pin| match &pin.instance {
            Some(instance) => place(instance, &pin.pin),
            None => ports.get(pin.pin.as_str()).copied(),
        });
        let around = places.map(|place| Rect::new(place, place)).reduce(|all, rect| all.union(&rect));
        around.map_or(0, |around| around.width() + around.height())
    };
    design.nets.iter().map(of_net).sum()
}

#[cfg(test)]
mod tests {
    use tapeout_formats::{def, lef};

    use super::*;

    #[test]
    fn pins_count_where_they_are_once_cells_are_turned() {
        let library = lef::parse(
            "MACRO c SIZE 10 BY 4 ; PIN A PORT LAYER m ; RECT 0 0 2 2 ; RECT 0 0 1 4 ; END END A END c END LIBRARY",
        )
        .unwrap();
        let design = def::parse(
            "UNITS DISTANCE MICRONS 10 ; COMPONENTS 3 ; - a c + PLACED ( 0 0 ) N ; - b c + PLACED ( 100 50 ) S ; - u c ;\n\
             END COMPONENTS PINS 1 ; - p + NET n + LAYER m ( 0 0 ) ( 1 1 ) + PLACED ( 500 0 ) N ; END PINS\n\
             NETS 2 ; - n ( a A ) ( b A ) ( PIN p ) ( u A ) ; - m ( u A ) ; END NETS END DESIGN",
        )
        .unwrap();
        // a at 10 20, b at 190 70, p at 500 0.
        assert_eq!(half_perimeters(&design, &library), 490 + 70);
    }
}
