//! `Layout.Floorplan`: die, core, rows and tracks, and every cell, pin and net of the netlist without a place.

use std::collections::{BTreeMap, BTreeSet};

use tapeout_config::Config;
use tapeout_flow::{Action, Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::def::{Axis, Component, Def, Net, NetPin, Pin, Placement, Status, Tracks};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::lef::{Direction, Layer, Lef, PinDirection};
use tapeout_formats::netlist::{self, End, Netlist, Signal};
use tapeout_model::Value;

use super::plan::{Block, Plan, Request, Size, plan};
use super::{Scale, result};
use crate::classic::variable;
use crate::design_files::{self, Supplies, input};
use crate::names::some;
use crate::values::{entries, entry, numbers, texts, value};

pub(super) struct Floorplan;

const VARIABLES: [&str; 14] = [
    "FP_SIZING",
    "DIE_AREA",
    "CORE_AREA",
    "FP_CORE_UTIL",
    "FP_ASPECT_RATIO",
    "LEFT_MARGIN_MULT",
    "BOTTOM_MARGIN_MULT",
    "RIGHT_MARGIN_MULT",
    "TOP_MARGIN_MULT",
    "FP_OBSTRUCTIONS",
    "FP_MACRO_HORIZONTAL_HALO",
    "FP_MACRO_VERTICAL_HALO",
    "PLACE_SITE",
    "CLOCK_PORT",
];

impl Step for Floorplan {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Layout.Floorplan",
            "Plan the floor",
            "Gives the chip its outline, rows of sites and routing tracks, and puts the cells, pins and nets of the netlist \
             into it, without places. Macros stand where `MACROS` says, else one above the other at the lower left; a row \
             that meets one is left out.",
            env!("IMPLEMENTATION"),
        )
        .action(Action::PlaceAndRoute)
        .needs("json")
        .makes(&["def"])
        .measures(&[
            "design__die__area",
            "design__core__area",
            "design__die__bbox",
            "design__core__bbox",
            "design__rows",
            "design__sites",
            "design__instance__count",
            "design__instance__area",
            "design__instance__count__stdcell",
            "design__instance__area__stdcell",
            "design__instance__count__macros",
            "design__instance__area__macros",
            "design__instance__utilization",
            "design__instance__utilization__stdcell",
            "design__io",
        ])
        .variables(design_files::netlist_variables())
        .variables(design_files::lef_variables())
        .variables(VARIABLES.map(variable))
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        let is_absolute = config.str("FP_SIZING") == "absolute";
        if is_absolute && config.get("DIE_AREA").is_none() {
            return Err(("DIE_AREA", "`FP_SIZING` is `absolute`, so the size of the die must be given".to_owned()));
        }
        if !is_absolute && config.get("DIE_AREA").is_some_and(|area| *area != Value::Null) {
            let message =
                "it has no effect as long as `FP_SIZING` is `relative`: set that to `absolute`, or leave this out";
            return Err(("DIE_AREA", message.to_owned()));
        }
        for name in ["DIE_AREA", "CORE_AREA"] {
            let corners = config.get(name).map(numbers).unwrap_or_default();
            if let [left, bottom, right, top] = corners[..]
                && (left >= right || bottom >= top)
            {
                let found = format!("{left} {bottom} {right} {top}");
                return Err((
                    name,
                    format!("expected the lower left corner and then the upper right one, found `{found}`"),
                ));
            }
        }
        for name in ["FP_CORE_UTIL", "FP_ASPECT_RATIO"] {
            if config.decimal(name).to_f64() <= 0.0 {
                return Err((name, format!("expected more than 0, found {}", config.decimal(name))));
            }
        }
        if !is_absolute && config.decimal("FP_CORE_UTIL").to_f64() > 100.0 {
            let found = config.decimal("FP_CORE_UTIL");
            return Err((
                "FP_CORE_UTIL",
                format!("cells cannot fill {found} % of the rows; give at most 100, 60 to 80 is usual"),
            ));
        }
        Ok(())
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let library = design_files::library(cx)?;
        let netlist = design_files::netlist(cx)?;
        let config = cx.config;
        check_clock(config, &netlist)?;
        let scale =
            Scale { per_um: library.database_units.and_then(|units| i64::try_from(units).ok()).unwrap_or(1000) };
        let content = Content::of(&netlist, &library, config, scale)?;
        let request = content.request(config, &library, scale)?;
        let plan = plan(&request);
        content.check_room(&plan, &request, scale)?;
        let supplies = Supplies::of(config);
        let mut design = empty(&netlist.name, scale, &plan);
        design.tracks = tracks(&library, scale, plan.die);
        design.components = components(&netlist, &content, &plan);
        design.pins = pins(&netlist, &supplies);
        design.nets = nets(&netlist, &supplies);
        let stdcell = content.stdcells.len();
        let area = |rects: i128| scale.area(rects);
        let site = request.site.1;
        let cells_area = i128::from(request.cells) * i128::from(site.x) * i128::from(site.y);
        let macros_area: i128 = request.blocks.iter().map(|b| i128::from(b.size.x) * i128::from(b.size.y)).sum();
        let of = |rect: &Rect<i64>| i128::from(rect.width()) * i128::from(rect.height());
        let rows_area = i128::from(plan.sites()) * i128::from(site.x) * i128::from(site.y);
        Ok(result(cx, &design)?
            .metric("design__die__area", area(of(&plan.die)))
            .metric("design__core__area", area(of(&plan.core)))
            .metric("design__die__bbox", bbox(&plan.die, scale).as_str())
            .metric("design__core__bbox", bbox(&plan.core, scale).as_str())
            .metric("design__rows", plan.rows.len())
            .metric("design__sites", plan.sites())
            .metric("design__instance__count", stdcell + request.blocks.len())
            .metric("design__instance__area", area(cells_area + macros_area))
            .metric("design__instance__count__stdcell", stdcell)
            .metric("design__instance__area__stdcell", area(cells_area))
            .metric("design__instance__count__macros", request.blocks.len())
            .metric("design__instance__area__macros", area(macros_area))
            .metric("design__instance__utilization", (cells_area + macros_area) as f64 / of(&plan.core) as f64)
            .metric("design__instance__utilization__stdcell", cells_area as f64 / rows_area as f64)
            .metric("design__io", netlist.ports.len()))
    }
}

fn bbox(rect: &Rect<i64>, scale: Scale) -> String {
    let um = |units| scale.um(units);
    format!("{} {} {} {}", um(rect.low.x), um(rect.low.y), um(rect.high.x), um(rect.high.y))
}

fn check_clock(config: &Config, netlist: &Netlist) -> Result<(), Failure> {
    let ports = texts(value(config, "CLOCK_PORT"));
    let inputs: Vec<&str> = netlist
        .ports
        .iter()
        .filter(|port| port.direction != netlist::Direction::Output)
        .map(|port| port.name.as_str())
        .collect();
    match ports.iter().find(|port| !inputs.contains(port)) {
        None => Ok(()),
        Some(port) => {
            let inputs = some(&inputs);
            Err(input(format!("`CLOCK_PORT` is `{port}`, and the design has no such input; its inputs are {inputs}"))
                .hint("give `CLOCK_PORT` the name of the clock's input, or `null` if there is no clock"))
        }
    }
}

/// What stands on the chip.
struct Content<'n> {
    /// Cells for rows: index in the netlist, and width in sites.
    stdcells: Vec<(usize, i64)>,
    /// Macros: index in the netlist, and how they stand.
    macros: Vec<(usize, Orientation, Block)>,
    netlist: &'n Netlist,
    site: (String, Point<i64>),
}

impl<'n> Content<'n> {
    fn of(netlist: &'n Netlist, library: &Lef, config: &Config, scale: Scale) -> Result<Self, Failure> {
        let name = config.str("PLACE_SITE");
        let Some(site) = library.site(name) else {
            let known: Vec<&str> = library.sites.iter().map(|site| site.name.as_str()).collect();
            return Err(input(format!(
                "the LEF files have no site `{name}` (`PLACE_SITE`); they have {}",
                some(&known)
            )));
        };
        let in_units = |size: Point<f64>| Point::new(scale.units(size.x), scale.units(size.y));
        let size = in_units(site.size);
        if size.x < 1 || size.y < 1 {
            return Err(input(format!("the site `{name}` has no size in LEF")));
        }
        let cells: BTreeMap<&str, _> = library.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect();
        let mut content = Self { stdcells: Vec::new(), macros: Vec::new(), netlist, site: (name.to_owned(), size) };
        let mut missing = BTreeSet::new();
        for (index, instance) in netlist.instances.iter().enumerate() {
            let Some(cell) = cells.get(instance.cell.as_str()) else {
                missing.insert(instance.cell.as_str());
                continue;
            };
            let of_cell = in_units(cell.size);
            if cell.is_core() {
                if of_cell.y != size.y || of_cell.x % size.x != 0 {
                    let (w, h) = (cell.size.x, cell.size.y);
                    let (sw, sh) = (site.size.x, site.size.y);
                    return Err(input(format!(
                        "the cell `{}` is {w} by {h} µm, which is no row of sites `{name}` of {sw} by {sh} µm",
                        cell.name
                    )));
                }
                content.stdcells.push((index, of_cell.x / size.x));
            } else {
                let given = wanted(config, instance, scale);
                let orientation = given.orientation.unwrap_or_default();
                let block =
                    Block { size: orientation.size(of_cell), origin: in_units(cell.origin), at: given.location };
                content.macros.push((index, orientation, block));
            }
        }
        if missing.is_empty() {
            return Ok(content);
        }
        let missing: Vec<&str> = missing.into_iter().collect();
        let paths = design_files::lef_files(config)?;
        Err(input(format!("the LEF files have no cell {}; read were {}", some(&missing), some(&paths)))
            .hint("name the LEF file that has it in `CELL_LEFS` or `EXTRA_LEFS`, or in `MACROS` for a macro"))
    }

    fn request(&self, config: &Config, library: &Lef, scale: Scale) -> Result<Request, Failure> {
        let site = self.site.1;
        let number = |name: &str| config.decimal(name).to_f64();
        let times = |name: &str, unit: i64| (number(name) * unit as f64).round() as i64;
        let rect = |name: &str| -> Option<Rect<i64>> { rects(config.get(name)?, scale).pop() };
        let die = rect("DIE_AREA");
        let grid = library.manufacturing_grid.unwrap_or(0.0);
        let is_off = |at: i64| scale.units(grid) > 0 && at % scale.units(grid) != 0;
        if let Some(at) =
            die.iter().flat_map(|die| [die.low.x, die.low.y, die.high.x, die.high.y]).find(|at| is_off(*at))
        {
            let at = scale.um(at);
            return Err(input(format!("`DIE_AREA`: {at} µm is not on the manufacturing grid, which is {grid} µm")));
        }
        let size = match (config.str("FP_SIZING"), die) {
            ("absolute", Some(die)) => Size::Absolute { die, core: rect("CORE_AREA") },
            _ => Size::Relative { utilisation: number("FP_CORE_UTIL") / 100.0, aspect: number("FP_ASPECT_RATIO") },
        };
        // Pins of cells are on the tracks of the lowest layers, counted from the origin of the cell.
        let tracks = |wanted| {
            let layer = library.routing_layers().find(|layer| layer.direction == Some(wanted))?;
            let pitch = pitch_of(layer, scale)?;
            Some(if wanted == Direction::Horizontal { pitch.y } else { pitch.x })
        };
        let grid_y = tracks(Direction::Horizontal).filter(|pitch| site.y % pitch == 0).unwrap_or(site.y);
        Ok(Request {
            size,
            site: self.site.clone(),
            cells: self.stdcells.iter().map(|(_, width)| width).sum(),
            widest: self.stdcells.iter().map(|(_, width)| *width).max().unwrap_or(0),
            blocks: self.macros.iter().map(|(_, _, block)| block.clone()).collect(),
            halo: Point::new(
                scale.units(number("FP_MACRO_HORIZONTAL_HALO")),
                scale.units(number("FP_MACRO_VERTICAL_HALO")),
            ),
            obstructions: config.get("FP_OBSTRUCTIONS").map(|value| rects(value, scale)).unwrap_or_default(),
            low_margin: Point::new(times("LEFT_MARGIN_MULT", site.x), times("BOTTOM_MARGIN_MULT", site.y)),
            high_margin: Point::new(times("RIGHT_MARGIN_MULT", site.x), times("TOP_MARGIN_MULT", site.y)),
            grid: Point::new(site.x, grid_y),
        })
    }

    /// Whether the cells can fit at all, and macros are on the die.
    fn check_room(&self, plan: &Plan, request: &Request, scale: Scale) -> Result<(), Failure> {
        let sites = plan.sites();
        let remedy = "give a larger `DIE_AREA` or `CORE_AREA`, or `FP_SIZING: relative` with a lower `FP_CORE_UTIL`";
        if request.cells > sites {
            let percent = if sites > 0 { request.cells as f64 * 100.0 / sites as f64 } else { f64::INFINITY };
            return Err(input(format!(
                "the cells need {} sites, and the {} rows have {sites}: a utilisation of {percent:.1} %",
                request.cells,
                plan.rows.len()
            ))
            .hint(remedy));
        }
        for ((index, _, block), at) in self.macros.iter().zip(&plan.blocks) {
            let outline = Rect::with_size(*at, block.size);
            if !plan.die.contains(outline.low) || !plan.die.contains(outline.high) {
                let name = &self.netlist.instances[*index].name;
                let (outline, die) = (bbox(&outline, scale), bbox(&plan.die, scale));
                return Err(input(format!("the macro `{name}` at {outline} µm is not on the die, {die} µm"))
                    .hint("give it another place in `MACROS`, or a larger die"));
            }
        }
        let outlines: Vec<_> = self.macros.iter().zip(&plan.blocks).collect();
        for (i, ((a, _, a_block), a_at)) in outlines.iter().enumerate() {
            for ((b, _, b_block), b_at) in &outlines[..i] {
                if Rect::with_size(**a_at, a_block.size).overlaps(&Rect::with_size(**b_at, b_block.size)) {
                    let name = |index: &usize| self.netlist.instances[*index].name.as_str();
                    return Err(input(format!("the macros `{}` and `{}` overlap", name(b), name(a)))
                        .hint("give them other places in `MACROS`, or none"));
                }
            }
        }
        Ok(())
    }
}

/// Where an instance of a macro is to stand.
#[derive(Default)]
struct Wanted {
    location: Option<Point<i64>>,
    orientation: Option<Orientation>,
}

fn wanted(config: &Config, instance: &netlist::Instance, scale: Scale) -> Wanted {
    let instances = entry(entry(value(config, "MACROS"), &instance.cell), "instances");
    let by_name = |(name, _): &&(String, Value)| *name == instance.source || *name == instance.name;
    let Some((_, given)) = entries(instances).iter().find(by_name) else { return Wanted::default() };
    let location = match numbers(entry(given, "location"))[..] {
        [x, y] => Some(Point::new(scale.units(x), scale.units(y))),
        _ => None,
    };
    let orientation = texts(entry(given, "orientation")).first().and_then(|word| word.parse().ok());
    Wanted { location, orientation }
}

/// A rectangle, or a list of them: four numbers each.
fn rects(value: &Value, scale: Scale) -> Vec<Rect<i64>> {
    let units: Vec<i64> = numbers(value).into_iter().map(|um| scale.units(um)).collect();
    units.chunks_exact(4).map(|n| Rect::new(Point::new(n[0], n[1]), Point::new(n[2], n[3]))).collect()
}

fn pitch_of(layer: &Layer, scale: Scale) -> Option<Point<i64>> {
    let pitch = layer.pitch?;
    let pitch = Point::new(scale.units(pitch.x), scale.units(pitch.y));
    (pitch.x > 0 && pitch.y > 0).then_some(pitch)
}

/// The tracks of each layer in its direction, as far as a wire on them stays on the die.
fn tracks(library: &Lef, scale: Scale, die: Rect<i64>) -> Vec<Tracks> {
    let mut all = Vec::new();
    for layer in library.routing_layers() {
        let (Some(pitch), Some(direction)) = (pitch_of(layer, scale), layer.direction) else { continue };
        let offset = layer.offset.map(|o| Point::new(scale.units(o.x), scale.units(o.y)));
        let offset = offset.unwrap_or(Point::new(pitch.x / 2, pitch.y / 2));
        let half = scale.units(layer.width.unwrap_or(0.0)) / 2;
        let (axis, step, offset, low, high) = match direction {
            Direction::Horizontal => (Axis::Y, pitch.y, offset.y, die.low.y, die.high.y),
            Direction::Vertical => (Axis::X, pitch.x, offset.x, die.low.x, die.high.x),
            Direction::Diagonal45 | Direction::Diagonal135 => continue,
        };
        let start = super::plan::up(low + half - offset, step) + offset;
        let count = ((high - half - start).div_euclid(step) + 1).max(0);
        all.push(Tracks { axis, start, count, step, mask: Vec::new(), layers: vec![layer.name.clone()] });
    }
    all
}

fn empty(name: &str, scale: Scale, plan: &Plan) -> Def {
    Def {
        version: Some("5.6".to_owned()),
        names_case_sensitive: Some("ON".to_owned()),
        divider: Some("/".to_owned()),
        bus_bits: Some("[]".to_owned()),
        design: name.to_owned(),
        units: scale.per_um,
        die_area: vec![plan.die.low, plan.die.high],
        rows: plan.rows.clone(),
        ..Def::default()
    }
}

fn components(netlist: &Netlist, content: &Content<'_>, plan: &Plan) -> Vec<Component> {
    let places = content.macros.iter().zip(&plan.blocks).map(|((index, orientation, _), at)| {
        (*index, Placement { status: Status::Fixed, at: *at, orientation: *orientation })
    });
    let places: BTreeMap<usize, Placement> = places.collect();
    let component = |(index, instance): (usize, &netlist::Instance)| Component {
        name: instance.name.clone(),
        cell: instance.cell.clone(),
        placement: places.get(&index).copied(),
        ..Component::default()
    };
    netlist.instances.iter().enumerate().map(component).collect()
}

/// The name of the net of a signal; none of what is open.
fn net_name<'n>(netlist: &'n Netlist, signal: Signal, supplies: &'n Supplies) -> Option<&'n str> {
    match signal {
        Signal::Net(net) => Some(netlist.net(net)),
        Signal::Low => Some(&supplies.ground),
        Signal::High => Some(&supplies.power),
        Signal::Open => None,
    }
}

fn pins(netlist: &Netlist, supplies: &Supplies) -> Vec<Pin> {
    let pin = |port: &netlist::PortBit| Pin {
        name: port.name.clone(),
        net: net_name(netlist, port.signal, supplies).unwrap_or(&port.name).to_owned(),
        direction: Some(match port.direction {
            netlist::Direction::Input => PinDirection::Input,
            netlist::Direction::Output => PinDirection::Output,
            netlist::Direction::Inout => PinDirection::Inout,
        }),
        ..Pin::default()
    };
    netlist.ports.iter().map(pin).collect()
}

/// The nets with something to connect: two ends or more. A supply has as ends what is constant; its cells are connected
/// by the rails.
fn nets(netlist: &Netlist, supplies: &Supplies) -> Vec<Net> {
    let of_end = |end: &End| match *end {
        End::Port(port) => NetPin { pin: netlist.ports[port].name.clone(), ..NetPin::default() },
        End::Pin(instance, pin) => {
            let instance = &netlist.instances[instance];
            NetPin { instance: Some(instance.name.clone()), pin: instance.pins[pin].name.clone(), options: Vec::new() }
        }
    };
    let net = |name: &str, pins: Vec<NetPin>| Net { name: name.to_owned(), pins, ..Net::default() };
    let ends = netlist.ends();
    let connected = netlist.nets.iter().zip(&ends).filter(|(_, ends)| ends.len() > 1);
    let mut nets: Vec<Net> = connected.map(|(name, ends)| net(name, ends.iter().map(of_end).collect())).collect();
    for (signal, name) in [(Signal::High, &supplies.power), (Signal::Low, &supplies.ground)] {
        let of_instances = netlist.instances.iter().enumerate().flat_map(|(index, instance)| {
            let constant = move |(_, pin): &(usize, &netlist::Pin)| pin.signal == signal;
            instance.pins.iter().enumerate().filter(constant).map(move |(pin, _)| End::Pin(index, pin))
        });
        let pins: Vec<NetPin> = of_instances.map(|end| of_end(&end)).collect();
        if !pins.is_empty() {
            nets.push(net(name, pins));
        }
    }
    nets
}
