//! `Layout.PlacePins`: the pins of the design on the edges of the die.

use tapeout_config::{Config, Variable};
use tapeout_flow::{Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::def::{Axis, Def, PinPort, PinShape, Placement, Status, Tracks};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::lef::Lef;
use tapeout_formats::pin_order;
use tapeout_model::{Alert, Severity};

use super::edges::{Arranged, Edge, around, ordered, room, spread};
use super::inputs::{self, input};
use super::rows::{outline, site};
use super::{Scale, result, some};
use crate::classic::variable;

pub(super) struct PlacePins;

const ID: &str = "Layout.PlacePins";
const VARIABLES: [&str; 13] = [
    "IO_PIN_ORDER_CFG",
    "ERRORS_ON_UNMATCHED_IO",
    "IO_PIN_H_LAYER",
    "IO_PIN_V_LAYER",
    "IO_PIN_H_THICKNESS_MULT",
    "IO_PIN_V_THICKNESS_MULT",
    "IO_PIN_H_LENGTH",
    "IO_PIN_V_LENGTH",
    "IO_PIN_H_EXTENSION",
    "IO_PIN_V_EXTENSION",
    "IO_PIN_CORNER_AVOIDANCE",
    "IO_PIN_MIN_DISTANCE",
    "IO_PIN_MIN_DISTANCE_IN_TRACKS",
];

impl Step for PlacePins {
    fn info(&self) -> StepInfo {
        let variables: Vec<Variable> = VARIABLES.map(variable).into();
        StepInfo::new(
            ID,
            "Place pins",
            "Places the pins on the edges of the die, evenly, on routing tracks: on the sides and in the order that \
             `IO_PIN_ORDER_CFG` gives, else all around in the order of the ports. Pins reach from the edge to the first \
             track across, and are long enough for the least area of a shape.",
            env!("IMPLEMENTATION"),
        )
        .needs("def")
        .makes(&["def"])
        .variables(inputs::lef_variables())
        .variables(variables)
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let library = inputs::library(cx)?;
        let mut design = inputs::layout(cx)?;
        let config = cx.config;
        let scale = Scale { per_um: design.units };
        let rails =
            Rails { sides: rail(config, "H", &design, &library)?, levels: rail(config, "V", &design, &library)? };
        let (edges, alerts) = match config.opt_str("IO_PIN_ORDER_CFG") {
            Some(path) => {
                let text = cx.read_source(path)?.ok_or_else(|| input(format!("the file `{path}` is not there")))?;
                let order = pin_order::parse(&String::from_utf8_lossy(&text))
                    .map_err(|error| input(format!("`{path}`: {error}")))?;
                by_file(config, path, &order, &design)?
            }
            None => {
                let room = Edge::ALL.map(|edge| {
                    let rail = rails.of(edge);
                    room(rail.tracks.len(), rail.apart(None, scale))
                });
                (around(design.pins.len(), room), Vec::new())
            }
        };
        for (edge, arranged) in Edge::ALL.into_iter().zip(&edges) {
            place(&mut design, &rails, edge, arranged)?;
        }
        Ok(result(cx, &design)?.alerts(alerts))
    }
}

/// The pins as the order file says, and what it does not say.
fn by_file(
    config: &Config,
    path: &str,
    order: &pin_order::PinOrder,
    design: &Def,
) -> Result<([Arranged; 4], Vec<Alert>), Failure> {
    let names: Vec<&str> = design.pins.iter().map(|pin| pin.name.as_str()).collect();
    let (edges, unmatched) = ordered(&names, order).map_err(|error| input(format!("`{path}`: {error}")))?;
    let errors = config.str("ERRORS_ON_UNMATCHED_IO");
    let mut alerts = Vec::new();
    let mut complain = |is_error: bool, message: String| {
        if is_error {
            return Err(input(message).hint("mend the file, or set `ERRORS_ON_UNMATCHED_IO`"));
        }
        let code = "layout.unmatched-pins".to_owned();
        alerts.push(Alert { severity: Severity::Warning, code, message, count: 1 });
        Ok(())
    };
    if !unmatched.pins.is_empty() {
        let pins: Vec<&str> = unmatched.pins.iter().map(|pin| names[*pin]).collect();
        let message = format!("`{path}` gives no place to {}", some(&pins));
        complain(matches!(errors, "both" | "unmatched_design"), message)?;
    }
    if !unmatched.patterns.is_empty() {
        let message = format!("`{path}` names {}, and the design has no such pins", some(&unmatched.patterns));
        complain(matches!(errors, "both" | "unmatched_cfg"), message)?;
    }
    Ok((edges, alerts))
}

/// What pins on two opposite edges have in common. Along is the way of their wires: from the edge inwards.
struct Rail {
    layer: String,
    /// The tracks that pins may stand on.
    tracks: Vec<i64>,
    /// From one track to the next.
    step: i64,
    /// The tracks across: the first and the last one on the die.
    across: (i64, i64),
    /// From the lower edge to the upper one.
    ends: (i64, i64),
    /// Half the width of a pin.
    half: i64,
    length: i64,
    extension: i64,
    /// In tracks.
    min_distance: usize,
}

struct Rails {
    /// Of the left and right edge.
    sides: Rail,
    /// Of the top and bottom edge.
    levels: Rail,
}

impl Rails {
    fn of(&self, edge: Edge) -> &Rail {
        if edge.is_side() { &self.sides } else { &self.levels }
    }
}

impl Rail {
    /// How many tracks pins are apart at least.
    fn apart(&self, um: Option<f64>, scale: Scale) -> usize {
        let distance = um.map(|um| in_tracks(scale.units(um), self.step));
        distance.unwrap_or(self.min_distance).max(1)
    }
}

fn in_tracks(distance: i64, step: i64) -> usize {
    usize::try_from(super::plan::up(distance.max(0), step) / step).unwrap_or(usize::MAX)
}

fn rail(config: &Config, letter: &str, design: &Def, library: &Lef) -> Result<Rail, Failure> {
    let scale = Scale { per_um: design.units };
    let is_side = letter == "H";
    let name_of = |what: &str| format!("IO_PIN_{letter}_{what}");
    let number = |what: &str| config.opt_decimal(&name_of(what)).map(tapeout_model::Decimal::to_f64);
    let layer_variable = name_of("LAYER");
    let name = config.str(&layer_variable);
    let (axis, other) = if is_side { (Axis::Y, Axis::X) } else { (Axis::X, Axis::Y) };
    let Some(layer) = library.layer(name) else {
        let known: Vec<&str> = library.routing_layers().map(|layer| layer.name.as_str()).collect();
        return Err(input(format!(
            "the LEF files have no layer `{name}` (`{layer_variable}`); they have {}",
            some(&known)
        )));
    };
    let Some(tracks) = design.tracks.iter().find(|t| t.axis == axis && t.layers.iter().any(|on| on == name)) else {
        let way = if is_side { "horizontal" } else { "vertical" };
        let edges = if is_side { "left and right" } else { "top and bottom" };
        return Err(input(format!(
            "the layer `{name}` has no {way} tracks, as pins on the {edges} edge need (`{layer_variable}`)"
        )));
    };
    let across = design.tracks.iter().find(|tracks| tracks.axis == other && tracks.count > 0);
    let across = across.ok_or_else(|| input("the layout has no tracks across those of the pins"))?;
    let die = design.die().ok_or_else(|| input("the layout has no die area"))?;
    let (low, high) = pin_range(config, design, library, die, is_side);
    let last = |tracks: &Tracks| tracks.start + (tracks.count - 1).max(0) * tracks.step;
    let least = layer.width.unwrap_or(0.0);
    let width = least * number("THICKNESS_MULT").unwrap_or(1.0);
    let grid = scale.units(library.manufacturing_grid.unwrap_or(0.0)).max(1);
    // The length that makes the least area of a shape.
    let by_area = layer.area.filter(|_| width > 0.0).map_or(width, |area| (area / width).max(width));
    let length = super::plan::up(scale.units(number("LENGTH").unwrap_or(by_area)), grid);
    let in_pitches = config.opt_bool("IO_PIN_MIN_DISTANCE_IN_TRACKS").unwrap_or(false);
    let min_distance = match config.opt_decimal("IO_PIN_MIN_DISTANCE").map(tapeout_model::Decimal::to_f64) {
        None => 2,
        Some(count) if in_pitches => count.ceil().max(1.0) as usize,
        Some(um) => in_tracks(scale.units(um), tracks.step),
    };
    Ok(Rail {
        layer: name.to_owned(),
        tracks: (0..tracks.count)
            .map(|k| tracks.start + k * tracks.step)
            .filter(|at| (low..=high).contains(at))
            .collect(),
        step: tracks.step,
        across: (across.start, last(across)),
        ends: if is_side { (die.low.x, die.high.x) } else { (die.low.y, die.high.y) },
        half: scale.units(width / 2.0).max(1),
        length,
        extension: scale.units(number("EXTENSION").unwrap_or(0.0)),
        min_distance: min_distance.max(1),
    })
}

/// Between which coordinates pins stand: beside rows and macros, or as far from the corners as the configuration says.
fn pin_range(config: &Config, design: &Def, library: &Lef, die: Rect<i64>, is_side: bool) -> (i64, i64) {
    let scale = Scale { per_um: design.units };
    let of = |point: Point<i64>| if is_side { point.y } else { point.x };
    if let Some(avoided) = config.opt_decimal("IO_PIN_CORNER_AVOIDANCE") {
        let avoided = scale.units(avoided.to_f64());
        return (of(die.low) + avoided, of(die.high) - avoided);
    }
    let rows = site(design, library).into_iter().flat_map(|site| design.rows.iter().map(move |row| row.area(site)));
    let macros = design.components.iter().filter_map(|component| outline(component, library, scale));
    let core = rows.chain(macros).reduce(|all, area| all.union(&area)).unwrap_or(die);
    (of(core.low), of(core.high))
}

fn place(design: &mut Def, rails: &Rails, edge: Edge, arranged: &Arranged) -> Result<(), Failure> {
    let rail = rails.of(edge);
    let scale = Scale { per_um: design.units };
    let apart = rail.apart(arranged.min_distance, scale);
    let count = arranged.places.len();
    let Some(tracks) = spread(count, rail.tracks.len(), apart) else {
        let (room, distance) = (room(rail.tracks.len(), apart), scale.um(apart as i64 * rail.step));
        return Err(input(format!(
            "the {} edge has room for {room} pins that are {distance} µm apart on `{}`, and {count} are to stand there",
            edge.name(),
            rail.layer
        ))
        .hint("make the die larger, put pins on other edges (`IO_PIN_ORDER_CFG`), or lower `IO_PIN_MIN_DISTANCE`"));
    };
    let is_low = matches!(edge, Edge::West | Edge::South);
    // Along the wire: the origin is on a crossing of tracks, where the router begins.
    let (origin, low, high) = if is_low {
        let end = rail.ends.0;
        (rail.across.0, end - rail.extension, (end + rail.length).max(rail.across.0 + rail.half))
    } else {
        let end = rail.ends.1;
        (rail.across.1, (end - rail.length).min(rail.across.1 - rail.half), end + rail.extension)
    };
    for (place, track) in arranged.places.iter().zip(tracks) {
        let Some(pin) = place.and_then(|index| design.pins.get_mut(index)) else { continue };
        let track = rail.tracks[track];
        let along = (low - origin, high - origin);
        let (at, rect) = if edge.is_side() {
            let rect = Rect::new(Point::new(along.0, -rail.half), Point::new(along.1, rail.half));
            (Point::new(origin, track), rect)
        } else {
            let rect = Rect::new(Point::new(-rail.half, along.0), Point::new(rail.half, along.1));
            (Point::new(track, origin), rect)
        };
        pin.ports = vec![PinPort {
            shapes: vec![PinShape { layer: rail.layer.clone(), options: Vec::new(), rect }],
            placement: Some(Placement { status: Status::Placed, at, orientation: Orientation::N }),
            other: Vec::new(),
        }];
    }
    Ok(())
}
