//! `Layout.PlacePins`, and how pins of the design come onto the tracks at the edges of the die.

use tapeout_config::{Config, Variable};
use tapeout_flow::{Action, Completed, Failure, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::def::{Axis, Def, PinPort, PinShape, Placement, Status, Tracks};
use tapeout_formats::geometry::{Orientation, Point, Rect};
use tapeout_formats::lef::{Layer, Lef};
use tapeout_formats::pin_order;
use tapeout_model::{Alert, Severity};

use super::edges::{Arranged, Edge, near, ordered, room, spread};
use super::rows::{outline, site};
use super::{Scale, result};
use crate::classic::variable;
use crate::design_files::{self, input};
use crate::names::some;

pub(super) struct PlacePins;

const ID: &str = "Layout.PlacePins";
const VARIABLES: [&str; 11] = [
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

/// What the shapes of pins and their distances depend on.
pub(super) fn variables() -> Vec<Variable> {
    VARIABLES.map(variable).into()
}

impl Step for PlacePins {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            ID,
            "Place pins",
            "Places the pins on the edges of the die, evenly, on routing tracks: on the sides and in the order that \
             `IO_PIN_ORDER_CFG` gives. Without that file the placer chooses where they are good for it, and \
             `Layout.Legalise` puts them onto tracks. Pins reach from the edge to the first track across, and are long \
             enough for the least area of a shape.",
            env!("IMPLEMENTATION"),
        )
        .action(Action::PlaceAndRoute)
        .needs("def")
        .makes(&["def"])
        .variables(design_files::lef_variables())
        .variables(["IO_PIN_ORDER_CFG", "ERRORS_ON_UNMATCHED_IO"].map(variable))
        .variables(variables())
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        config.opt_str("IO_PIN_ORDER_CFG").is_none().then(|| "IO_PIN_ORDER_CFG is not set".to_owned())
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let library = design_files::library(cx)?;
        let mut design = design_files::layout(cx)?;
        let config = cx.config;
        let rails = Rails::new(config, &design, &library)?;
        let path = config.str("IO_PIN_ORDER_CFG");
        let text = cx.read_source(path)?.ok_or_else(|| input(format!("the file `{path}` is not there")))?;
        let order =
            pin_order::parse(&String::from_utf8_lossy(&text)).map_err(|error| input(format!("`{path}`: {error}")))?;
        let (edges, alerts) = by_file(config, path, &order, &design)?;
        for (edge, arranged) in Edge::ALL.into_iter().zip(&edges) {
            let (rail, count) = (rails.of(edge), arranged.places.len());
            let apart = rail.apart(arranged.min_distance, Scale { per_um: design.units });
            let tracks = spread(count, rail.tracks.len(), apart);
            let tracks = tracks.ok_or_else(|| too_many(rail, edge, count, apart, design.units))?;
            let pins = arranged.places.iter().zip(tracks).filter_map(|(place, track)| Some(((*place)?, track)));
            place(&mut design, rail, edge, pins.collect());
        }
        Ok(result(cx, &design)?.alerts(alerts))
    }
}

/// Puts each pin that has a rough place and no shape yet onto a track at the edge that is nearest to it, with as little
/// moved along the edge as the distance between pins allows.
///
/// # Errors
/// When an edge has no room for its pins.
pub(super) fn onto_tracks(config: &Config, design: &mut Def, library: &Lef) -> Result<(), Failure> {
    let rough = |ports: &[PinPort]| ports.iter().find(|port| port.shapes.is_empty())?.placement;
    let rough: Vec<(usize, Point<i64>)> =
        design.pins.iter().enumerate().filter_map(|(index, pin)| Some((index, rough(&pin.ports)?.at))).collect();
    if rough.is_empty() {
        return Ok(());
    }
    let rails = Rails::new(config, design, library)?;
    let die = design.die().ok_or_else(|| input("the layout has no die area"))?;
    for edge in Edge::ALL {
        let rail = rails.of(edge);
        let apart = rail.apart(None, Scale { per_um: design.units });
        let mut pins: Vec<(i64, usize)> = (rough.iter())
            .filter(|(_, at)| Edge::nearest(*at, &die) == edge)
            .map(|(index, at)| (if edge.is_side() { at.y } else { at.x }, *index))
            .collect();
        pins.sort_unstable();
        let wanted: Vec<usize> =
            pins.iter().map(|(at, _)| rail.tracks.partition_point(|track| track + rail.step / 2 < *at)).collect();
        let tracks = near(&wanted, rail.tracks.len(), apart)
            .ok_or_else(|| too_many(rail, edge, pins.len(), apart, design.units))?;
        place(design, rail, edge, pins.into_iter().map(|(_, index)| index).zip(tracks).collect());
    }
    Ok(())
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
            return Err(input(message).hint("mend the file, or set `ERRORS_ON_UNMATCHED_IO` to `none`"));
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
    fn new(config: &Config, design: &Def, library: &Lef) -> Result<Self, Failure> {
        Ok(Self { sides: rail(config, "H", design, library)?, levels: rail(config, "V", design, library)? })
    }

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
    let pitch = scale.um(tracks.step);
    let thickest = (2.0 * (pitch - beside(library, layer))).max(least);
    let width = (least * number("THICKNESS_MULT").unwrap_or(1.0)).min(thickest);
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

/// How far a pin must stay away from the next track, where a wire with a via may be, in µm.
fn beside(library: &Lef, layer: &Layer) -> f64 {
    let shapes = library.vias.iter().flat_map(|via| &via.layers).filter(|shapes| shapes.layer == layer.name);
    let reach = |rect: &Rect<f64>| [-rect.low.x, -rect.low.y, rect.high.x, rect.high.y].into_iter().fold(0.0, f64::max);
    let via = shapes.flat_map(|shapes| shapes.rects()).map(reach).fold(0.0, f64::max);
    let spacing = layer.spacings.first().map_or(0.0, |(distance, _)| *distance);
    via.max(layer.width.unwrap_or(0.0) / 2.0) + spacing
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

fn too_many(rail: &Rail, edge: Edge, count: usize, apart: usize, units: i64) -> Failure {
    let room = room(rail.tracks.len(), apart);
    let distance = Scale { per_um: units }.um(apart as i64 * rail.step);
    input(format!(
        "the {} edge has room for {room} pins that are {distance} µm apart on `{}`, and {count} are to stand there",
        edge.name(),
        rail.layer
    ))
    .hint("make the die larger, put pins on other edges (`IO_PIN_ORDER_CFG`), or lower `IO_PIN_MIN_DISTANCE`")
}

/// Draws pins, by index, on tracks of an edge.
fn place(design: &mut Def, rail: &Rail, edge: Edge, pins: Vec<(usize, usize)>) {
    let is_low = matches!(edge, Edge::West | Edge::South);
    // Along the wire: the origin is on a crossing of tracks, where the router begins.
    let (origin, low, high) = if is_low {
        let end = rail.ends.0;
        (rail.across.0, end - rail.extension, (end + rail.length).max(rail.across.0 + rail.half))
    } else {
        let end = rail.ends.1;
        (rail.across.1, (end - rail.length).min(rail.across.1 - rail.half), end + rail.extension)
    };
    for (index, track) in pins {
        let Some(pin) = design.pins.get_mut(index) else { continue };
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
}
