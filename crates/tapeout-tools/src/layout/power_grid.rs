//! `Layout.PowerGrid`: the supplies of rows and macros, and their pins.

use std::collections::{BTreeSet, HashMap};

use tapeout_config::Config;
use tapeout_flow::{Action, Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::def::{
    Component, Def, Net, Pin, PinPort, PinShape, Placement, Status, Step as PathStep, Wire, WireStatus, Wiring,
};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::lef::{Cell, Lef, PinDirection, Use};

use super::comb::{Comb, Side, comb};
use super::rows::site;
use super::{Scale, result};
use crate::classic::variable;
use crate::design_files::{self, Supplies, input};

pub(super) struct PowerGrid;

impl Step for PowerGrid {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Layout.PowerGrid",
            "Connect supplies",
            "Draws a trunk of power on the left of the core and one of ground on the right, a wire from it to the end of \
             each rail, and to each macro; and gives the design its supply pins, at the edges of the die. The rails are those of the cells, so rows \
             must be filled.",
            env!("IMPLEMENTATION"),
        )
        .action(Action::PlaceAndRoute)
        .needs("def")
        .makes(&["def"])
        .variables(design_files::lef_variables())
        .variables(design_files::netlist_variables())
        .variables(["PDN_RAIL_LAYER", "PDN_RAIL_WIDTH", "SCL_POWER_PINS", "SCL_GROUND_PINS"].map(variable))
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let library = design_files::library(cx)?;
        let mut design = design_files::layout(cx)?;
        let config = cx.config;
        let scale = Scale { per_um: design.units };
        let supplies = Supplies::of(config);
        let grid = Grid::of(config, &design, &library, scale)?;
        let of_supply = [
            (supplies.power, Use::Power, pin_names(config, "VDD_PIN", "SCL_POWER_PINS")),
            (supplies.ground, Use::Ground, pin_names(config, "GND_PIN", "SCL_GROUND_PINS")),
        ];
        let mut drawn = Vec::new();
        for (net, usage, mut names) in of_supply {
            names.insert(net.clone());
            let side = grid.side(usage, &names);
            let comb = comb(&side).map_err(|index| {
                let name = grid.macros.get(index).map_or("", |(component, _)| component.name.as_str());
                let edge = if usage == Use::Power { "left" } else { "right" };
                input(format!(
                    "the supply `{net}` of the macro `{name}` cannot be reached from the {edge} by a straight wire on `{}`",
                    grid.layer
                ))
                .hint("macros need the supply's pin on that layer, power on their left and ground on their right, and one above the other")
            })?;
            drawn.push((special(&net, &comb, &grid), pin(&net, usage, &comb, &grid)));
        }
        for (net, pin) in drawn {
            design.special_nets.push(net);
            design.pins.push(pin);
        }
        result(cx, &design)
    }
}

fn pin_names(config: &Config, pin: &str, more: &str) -> BTreeSet<String> {
    let more = config.strings(more).into_iter().map(str::to_owned);
    [config.str(pin).to_owned()].into_iter().chain(more).collect()
}

/// What both supplies have in common.
struct Grid<'d> {
    layer: String,
    /// Half the width of wires.
    half: i64,
    spacing: i64,
    /// The left and right edge of the die.
    die: (i64, i64),
    /// The trunks of power and ground.
    trunks: (i64, i64),
    /// The ends of rows.
    core: (i64, i64),
    /// The heights of the rails of power and ground.
    rails: (BTreeSet<i64>, BTreeSet<i64>),
    /// Macros with a place.
    macros: Vec<(&'d Component, &'d Cell)>,
    scale: Scale,
}

impl<'d> Grid<'d> {
    fn of(config: &Config, design: &'d Def, library: &'d Lef, scale: Scale) -> Result<Self, Failure> {
        let name = config.str("PDN_RAIL_LAYER");
        let layer = library.layer(name);
        let layer = layer.ok_or_else(|| input(format!("the LEF files have no layer `{name}` (`PDN_RAIL_LAYER`)")))?;
        let site = site(design, library).ok_or_else(|| input("the layout has no rows of a site that LEF has"))?;
        let die = design.die().ok_or_else(|| input("the layout has no die area"))?;
        let areas = design.rows.iter().map(|row| row.area(site));
        let core = areas.reduce(|all, area| all.union(&area)).ok_or_else(|| input("the layout has no rows"))?;
        let width = scale.units(config.decimal("PDN_RAIL_WIDTH").to_f64());
        let spacing = layer.spacings.iter().map(|(distance, _)| scale.units(*distance)).max().unwrap_or(width);
        let margins = (core.low.x - die.low.x, die.high.x - core.high.x);
        let least = width + 2 * spacing;
        if margins.0.min(margins.1) < least {
            let (found, least) = (scale.um(margins.0.min(margins.1)), scale.um(least));
            return Err(input(format!("beside the core are {found} µm, and the supplies need {least} µm"))
                .hint("raise `LEFT_MARGIN_MULT` and `RIGHT_MARGIN_MULT`, or make `CORE_AREA` smaller"));
        }
        let cells: HashMap<&str, &Cell> = library.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect();
        let is_ground_low = is_ground_low(design, &cells, name);
        let mut rails = (BTreeSet::new(), BTreeSet::new());
        for row in &design.rows {
            let area = row.area(site);
            let is_upright = !matches!(row.orientation, Orientation::S | Orientation::FS);
            let (ground, power) =
                if is_upright == is_ground_low { (area.low.y, area.high.y) } else { (area.high.y, area.low.y) };
            rails.0.insert(power);
            rails.1.insert(ground);
        }
        let macros = design.components.iter().filter_map(|component| {
            let cell = *cells.get(component.cell.as_str())?;
            (component.placement.is_some() && !cell.is_core()).then_some((component, cell))
        });
        // On the manufacturing grid, like everything.
        let grid = scale.units(library.manufacturing_grid.unwrap_or(0.0)).max(1);
        let on_grid = |at: i64| at.div_euclid(grid) * grid;
        Ok(Self {
            layer: name.to_owned(),
            half: width / 2,
            spacing,
            die: (die.low.x, die.high.x),
            trunks: (on_grid(die.low.x + margins.0 / 2), on_grid(core.high.x + margins.1 / 2)),
            core: (core.low.x, core.high.x),
            rails,
            macros: macros.collect(),
            scale,
        })
    }

    /// The side of a supply whose pins are called like this.
    fn side(&self, usage: Use, names: &BTreeSet<String>) -> Side {
        let is_power = usage == Use::Power;
        let (mut macros, mut others) = (Vec::new(), Vec::new());
        for (component, cell) in &self.macros {
            let mut own = Vec::new();
            for pin in &cell.pins {
                let rects = pin.rects().filter(|(layer, _)| *layer == self.layer);
                let rects = rects.map(|(_, rect)| self.seen(component, cell, rect));
                let is_own = names.contains(&pin.name) || pin.usage == Some(usage);
                if is_own { own.extend(rects) } else { others.extend(rects) }
            }
            let obstructions = cell.obstructions.iter().filter(|shapes| shapes.layer == self.layer);
            others.extend(obstructions.flat_map(|shapes| shapes.rects()).map(|rect| self.seen(component, cell, rect)));
            macros.push(own);
        }
        let (edge, trunk, core, rails) = if is_power {
            (self.die.0, self.trunks.0, self.core.0, &self.rails.0)
        } else {
            (self.die.1, self.trunks.1, self.core.1, &self.rails.1)
        };
        Side { edge, trunk, core, rails: rails.clone(), macros, half: self.half, spacing: self.spacing, others }
    }

    /// Where a rectangle of a cell is on the die.
    fn seen(&self, component: &Component, cell: &Cell, rect: &Rect<f64>) -> Rect<i64> {
        let placement = component.placement.unwrap_or(Placement {
            status: Status::Placed,
            at: Point::default(),
            orientation: Orientation::N,
        });
        let units = |x: f64, y: f64| Point::new(self.scale.units(x), self.scale.units(y));
        let rect = rect.moved(cell.origin);
        let rect = Rect::new(units(rect.low.x, rect.low.y), units(rect.high.x, rect.high.y));
        placement.orientation.place_rect(&rect, units(cell.size.x, cell.size.y), placement.at)
    }
}

/// Whether cells have ground at their lower edge, as drawn. So it is usual, and so it is taken where no cell tells.
fn is_ground_low(design: &Def, cells: &HashMap<&str, &Cell>, layer: &str) -> bool {
    let lowest = |cell: &Cell, usage: Use| {
        let pins = cell.pins.iter().filter(|pin| pin.usage == Some(usage));
        let rects = pins.flat_map(|pin| pin.rects()).filter(|(on, _)| *on == layer);
        rects.map(|(_, rect)| rect.low.y).reduce(f64::min)
    };
    let of_cells = design.components.iter().filter_map(|component| cells.get(component.cell.as_str()));
    of_cells
        .filter(|cell| cell.is_core())
        .find_map(|cell| Some(lowest(cell, Use::Ground)? < lowest(cell, Use::Power)?))
        .unwrap_or(true)
}

fn special(net: &str, comb: &Comb, grid: &Grid<'_>) -> Net {
    let wire = |(from, to): &(Point<i64>, Point<i64>)| Wire {
        layer: grid.layer.clone(),
        width: Some(2 * grid.half),
        options: Vec::new(),
        path: vec![PathStep::To(*from, None), PathStep::To(*to, None)],
    };
    let wirings = vec![Wiring { status: WireStatus::Fixed, wires: comb.wires.iter().map(wire).collect() }];
    // Without `USE`, which qrouter 1.4.71 complains about behind wires.
    Net { name: net.to_owned(), wirings, ..Net::default() }
}

fn pin(net: &str, usage: Use, comb: &Comb, grid: &Grid<'_>) -> Pin {
    // Square, and on the die.
    let inwards = if comb.pin.x == grid.die.0 { 2 * grid.half } else { -2 * grid.half };
    let rect = Rect::new(Point::new(0, -grid.half), Point::new(inwards, grid.half));
    Pin {
        name: net.to_owned(),
        net: net.to_owned(),
        direction: Some(PinDirection::Inout),
        usage: Some(usage),
        ports: vec![PinPort {
            shapes: vec![PinShape { layer: grid.layer.clone(), options: Vec::new(), rect }],
            placement: Some(Placement { status: Status::Placed, at: comb.pin, orientation: Orientation::N }),
            other: Vec::new(),
        }],
        ..Pin::default()
    }
}
