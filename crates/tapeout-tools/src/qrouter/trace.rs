//! Follows the wires of a routed net from its driver to its pins, with the resistance and capacitance of each piece.
//!
//! qrouter does the same for itself and loses its way where a route begins with a via at a pin, clocks for example. What
//! is found here has the same form. A piece of wire has the resistance of its squares and the capacitance of its area and
//! edges, a via the resistance of its cut, all by the values in LEF; wires of other nets do not count. Of a loop one
//! branch is opened, with its capacitance kept.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use tapeout_formats::def::{Def, Net, NetPin, Step};
use tapeout_formats::geometry::{Point, Rect};
use tapeout_formats::lef::{Cell, LayerKind, Lef, PinDirection, Shape};
use tapeout_formats::qrouter::rc::{self, Terminal};

/// What following wires needs to know of process, cells and placement.
pub(super) struct Tracer<'d> {
    layers: Vec<Layer>,
    index: HashMap<&'d str, usize>,
    /// Vias by name: the lower and the upper layer, and Ω.
    vias: HashMap<&'d str, (usize, usize, f64)>,
    cells: HashMap<&'d str, &'d Cell>,
    components: HashMap<&'d str, &'d tapeout_formats::def::Component>,
    pins: HashMap<&'d str, &'d tapeout_formats::def::Pin>,
    units: f64,
}

/// A layer for wires.
#[derive(Clone, Copy, Debug)]
struct Layer {
    /// Database units.
    half_width: i64,
    /// Ω for each database unit of length.
    resistance: f64,
    /// pF for each database unit of length.
    capacitance: f64,
}

/// A place on a layer.
type Node = (usize, i64, i64);

/// A piece of wire along an axis.
#[derive(Clone, Copy, Debug)]
struct Segment {
    layer: usize,
    from: Point<i64>,
    to: Point<i64>,
}

/// A way from one layer to another.
#[derive(Clone, Copy, Debug)]
struct Via {
    low: usize,
    high: usize,
    at: Point<i64>,
    /// Ω.
    resistance: f64,
}

impl Segment {
    fn area(&self) -> Rect<i64> {
        Rect::new(self.from, self.to)
    }
}

/// Something between two nodes.
#[derive(Clone, Copy, Debug)]
struct Edge {
    to: Place,
    resistance: f64,
    capacitance: f64,
}

/// A node of the graph: a place on the wires, or a pin by its index in the net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    Wire(Node),
    Pin(usize),
}

impl<'d> Tracer<'d> {
    pub(super) fn new(def: &'d Def, lef: &'d Lef) -> Self {
        let units = def.units.max(1) as f64;
        let mut layers = Vec::new();
        let mut index = HashMap::new();
        for layer in lef.routing_layers() {
            let width = layer.width.unwrap_or_default();
            let length = 1.0 / units;
            let edge = layer.edge_capacitance.unwrap_or_default();
            index.insert(layer.name.as_str(), layers.len());
            layers.push(Layer {
                half_width: (width * units / 2.0).round() as i64,
                resistance: if width > 0.0 { layer.resistance.unwrap_or_default() * length / width } else { 0.0 },
                capacitance: (layer.capacitance.unwrap_or_default() * width + edge) * length,
            });
        }
        let cut = |name: &str| {
            let layer = lef.layer(name).filter(|layer| layer.kind == LayerKind::Cut);
            layer.map(|layer| layer.resistance.unwrap_or_default())
        };
        let mut vias = HashMap::new();
        let of_lef = lef.vias.iter().map(|via| {
            let layers: Vec<&str> = via.layers.iter().map(|shapes| shapes.layer.as_str()).collect();
            (via.name.as_str(), layers)
        });
        let of_def = def.vias.iter().map(|via| {
            let layers: Vec<&str> = via.rects.iter().map(|(layer, _)| layer.as_str()).collect();
            (via.name.as_str(), layers)
        });
        for (name, on) in of_lef.chain(of_def) {
            let wires: BTreeSet<usize> = on.iter().filter_map(|layer| index.get(layer).copied()).collect();
            if let (Some(low), Some(high)) = (wires.first(), wires.last()) {
                let resistance = on.iter().find_map(|layer| cut(layer)).unwrap_or_default();
                vias.insert(name, (*low, *high, resistance));
            }
        }
        Self {
            layers,
            index,
            vias,
            cells: lef.cells.iter().map(|cell| (cell.name.as_str(), cell)).collect(),
            components: def.components.iter().map(|component| (component.name.as_str(), component)).collect(),
            pins: def.pins.iter().map(|pin| (pin.name.as_str(), pin)).collect(),
            units,
        }
    }

    /// The tree of a net from the pin that drives it, else from its first; none if it has no pin.
    /// [`rc::Net::is_incomplete`] tells whether it reaches all pins.
    pub(super) fn trace(&self, net: &Net) -> Option<rc::Net> {
        let driver = net.pins.iter().position(|pin| self.drives(pin)).or((!net.pins.is_empty()).then_some(0))?;
        let edges = self.edges(net);
        let mut pieces: Vec<rc::Piece> = Vec::new();
        // The piece at whose end a place is; none at the driver.
        let mut reached: BTreeMap<Place, Option<usize>> = BTreeMap::from([(Place::Pin(driver), None)]);
        let mut next = VecDeque::from([Place::Pin(driver)]);
        let mut used: BTreeSet<(Place, Place)> = BTreeSet::new();
        while let Some(place) = next.pop_front() {
            let follows = reached.get(&place).copied().flatten();
            for edge in edges.get(&place).into_iter().flatten() {
                let key = (place.min(edge.to), place.max(edge.to));
                if !used.insert(key) {
                    continue;
                }
                if reached.contains_key(&edge.to) {
                    if let Some(piece) = follows.and_then(|index| pieces.get_mut(index)) {
                        piece.capacitance += edge.capacitance;
                    }
                    continue;
                }
                let terminal = match edge.to {
                    Place::Pin(pin) => Some(terminal(&net.pins[pin])),
                    Place::Wire(_) => None,
                };
                reached.insert(edge.to, Some(pieces.len()));
                next.push_back(edge.to);
                let Edge { resistance, capacitance, .. } = *edge;
                pieces.push(rc::Piece { follows, resistance, capacitance, terminal, is_lost: false });
            }
        }
        let (name, driver) = (net.name.clone(), terminal(&net.pins[driver]));
        Some(rc::Net { name, driver, sinks: net.pins.len() - 1, pieces })
    }

    fn drives(&self, pin: &NetPin) -> bool {
        match &pin.instance {
            None => self.pins.get(pin.pin.as_str()).is_some_and(|pin| pin.direction == Some(PinDirection::Input)),
            Some(instance) => {
                let cell = self.components.get(instance.as_str()).and_then(|c| self.cells.get(c.cell.as_str()));
                let direction = cell.and_then(|cell| cell.pin(&pin.pin)?.direction);
                matches!(direction, Some(PinDirection::Output | PinDirection::OutputTristate))
            }
        }
    }

    /// The shapes of a pin on layers for wires, where it is placed.
    fn shapes(&self, pin: &NetPin) -> Vec<(usize, Rect<i64>)> {
        let units = |p: Point<f64>| Point::new((p.x * self.units).round() as i64, (p.y * self.units).round() as i64);
        let mut shapes = Vec::new();
        match &pin.instance {
            None => {
                for port in self.pins.get(pin.pin.as_str()).into_iter().flat_map(|pin| &pin.ports) {
                    let Some(placement) = port.placement else { continue };
                    for shape in &port.shapes {
                        let rect = placement.orientation.place_rect(&shape.rect, Point::new(0, 0), placement.at);
                        shapes.extend(self.index.get(shape.layer.as_str()).map(|layer| (*layer, rect)));
                    }
                }
            }
            Some(instance) => {
                let component = self.components.get(instance.as_str());
                let placed = component.and_then(|c| Some((c.placement?, self.cells.get(c.cell.as_str())?)));
                let Some((placement, cell)) = placed else { return shapes };
                let (size, origin) = (units(cell.size), units(cell.origin));
                let ports = cell.pin(&pin.pin).into_iter().flat_map(|pin| &pin.ports);
                let of_layers = ports.flat_map(|port| &port.shapes);
                for (layer, rect) in
                    of_layers.flat_map(|on| on.shapes.iter().map(move |shape| (on.layer.as_str(), shape)))
                {
                    let Some(rect) = around(rect) else { continue };
                    let rect = Rect::new(units(rect.low), units(rect.high)).moved(origin);
                    let rect = placement.orientation.place_rect(&rect, size, placement.at);
                    shapes.extend(self.index.get(layer).map(|layer| (*layer, rect)));
                }
            }
        }
        shapes
    }

    /// The graph of wires, vias and pins.
    fn edges(&self, net: &Net) -> BTreeMap<Place, Vec<Edge>> {
        let (segments, vias) = self.wires(net);
        let mut nodes: BTreeSet<Node> = BTreeSet::new();
        for segment in &segments {
            for end in [segment.from, segment.to] {
                nodes.insert((segment.layer, end.x, end.y));
            }
        }
        for Via { low, high, at, .. } in &vias {
            nodes.extend([(*low, at.x, at.y), (*high, at.x, at.y)]);
        }
        // Where wires cross, and where they touch pins on their way. Metal reaches beyond the middle line of a wire.
        for (index, one) in segments.iter().enumerate() {
            for other in segments[..index].iter().filter(|other| other.layer == one.layer) {
                nodes.extend(common(&one.area(), &other.area()).map(|at| (one.layer, at.x, at.y)));
            }
        }
        let pins: Vec<(usize, usize, Rect<i64>)> = (net.pins.iter().enumerate())
            .flat_map(|(index, pin)| self.shapes(pin).into_iter().map(move |(layer, rect)| (index, layer, rect)))
            .map(|(index, layer, rect)| {
                let half = self.layers[layer].half_width;
                (index, layer, rect.grown(Point::new(half, half)))
            })
            .collect();
        for (_, layer, rect) in &pins {
            for segment in segments.iter().filter(|segment| segment.layer == *layer) {
                nodes.extend(common(&segment.area(), rect).map(|at| (*layer, at.x, at.y)));
            }
        }
        let touching = self.touching(&segments, &mut nodes);
        let mut edges: BTreeMap<Place, Vec<Edge>> = BTreeMap::new();
        let mut connect = |from: Place, to: Place, resistance: f64, capacitance: f64| {
            edges.entry(from).or_default().push(Edge { to, resistance, capacitance });
            edges.entry(to).or_default().push(Edge { to: from, resistance, capacitance });
        };
        for (index, layer, rect) in pins {
            let touching = nodes.iter().filter(|(on, x, y)| *on == layer && rect.contains(Point::new(*x, *y))).copied();
            for node in touching {
                connect(Place::Pin(index), Place::Wire(node), 0.0, 0.0);
            }
        }
        for segment in &segments {
            let area = segment.area();
            let on = nodes.iter().filter(|(layer, x, y)| *layer == segment.layer && area.contains(Point::new(*x, *y)));
            let on: Vec<Node> = on.copied().collect();
            for pair in on.windows(2) {
                let length = ((pair[1].1 - pair[0].1).abs() + (pair[1].2 - pair[0].2).abs()) as f64;
                let layer = self.layers[segment.layer];
                let (resistance, capacitance) = (layer.resistance * length, layer.capacitance * length);
                connect(Place::Wire(pair[0]), Place::Wire(pair[1]), resistance, capacitance);
            }
        }
        for (one, other) in touching {
            connect(Place::Wire(one), Place::Wire(other), 0.0, 0.0);
        }
        for Via { low, high, at, resistance } in vias {
            connect(Place::Wire((low, at.x, at.y)), Place::Wire((high, at.x, at.y)), resistance, 0.0);
        }
        edges
    }

    /// Places whose metal overlaps though their middles differ, as at a via that is moved off its track to reach a pin. The
    /// places on wires that this needs become nodes.
    fn touching(&self, segments: &[Segment], nodes: &mut BTreeSet<Node>) -> Vec<(Node, Node)> {
        let overlaps = |one: Node, other: Node| {
            let width = 2 * self.layers[one.0].half_width;
            one != other && one.0 == other.0 && (one.1 - other.1).abs() < width && (one.2 - other.2).abs() < width
        };
        let mut touching = Vec::new();
        let before: Vec<Node> = nodes.iter().copied().collect();
        for (index, node) in before.iter().enumerate() {
            let close = before[..index].iter().filter(|other| overlaps(*node, **other));
            touching.extend(close.map(|other| (*other, *node)));
            for segment in segments.iter().filter(|segment| segment.layer == node.0) {
                let area = segment.area();
                let nearest = (node.0, node.1.clamp(area.low.x, area.high.x), node.2.clamp(area.low.y, area.high.y));
                if overlaps(*node, nearest) {
                    nodes.insert(nearest);
                    touching.push((*node, nearest));
                }
            }
        }
        touching
    }

    /// The wires and vias along the paths of a net.
    fn wires(&self, net: &Net) -> (Vec<Segment>, Vec<Via>) {
        let (mut segments, mut vias) = (Vec::new(), Vec::new());
        for wire in net.wires() {
            let Some(mut layer) = self.index.get(wire.layer.as_str()).copied() else { continue };
            let mut last: Option<Point<i64>> = None;
            for step in &wire.path {
                match step {
                    Step::To(to, _) => {
                        if let Some(from) = last.filter(|from| from != to) {
                            segments.push(Segment { layer, from, to: *to });
                        }
                        last = Some(*to);
                    }
                    Step::Virtual(to) => last = Some(*to),
                    Step::Via(name, _) | Step::ViaArray(name, ..) => {
                        if let (Some(at), Some((low, high, resistance))) = (last, self.vias.get(name.as_str()).copied())
                        {
                            vias.push(Via { low, high, at, resistance });
                            layer = if layer == low { high } else { low };
                        }
                    }
                    Step::Rect(_) | Step::Mask(_) => {}
                }
            }
        }
        (segments, vias)
    }
}

/// The rectangle around a shape; more than the shape, where it is a polygon.
fn around(shape: &Shape) -> Option<Rect<f64>> {
    match shape {
        Shape::Rect(rect) => Some(*rect),
        Shape::Polygon(points) => points.iter().map(|at| Rect::new(*at, *at)).reduce(|all, at| all.union(&at)),
        Shape::Other(_) => None,
    }
}

/// The lower left corner of what two rectangles have in common.
fn common(one: &Rect<i64>, other: &Rect<i64>) -> Option<Point<i64>> {
    let low = Point::new(one.low.x.max(other.low.x), one.low.y.max(other.low.y));
    (one.contains(low) && other.contains(low)).then_some(low)
}

fn terminal(pin: &NetPin) -> Terminal {
    match &pin.instance {
        None => Terminal::Port(pin.pin.clone()),
        Some(instance) => Terminal::Pin { instance: instance.clone(), pin: pin.pin.clone() },
    }
}

#[cfg(test)]
mod tests {
    use tapeout_formats::{def, lef};

    use super::*;

    const LEF: &str = "LAYER m1\nTYPE ROUTING ;\nDIRECTION HORIZONTAL ;\nPITCH 2 ;\nWIDTH 0.5 ;\nRESISTANCE RPERSQ 0.1 ;\n\
        CAPACITANCE CPERSQDIST 0.002 ;\nEND m1\nLAYER v1\nTYPE CUT ;\nRESISTANCE 3 ;\nEND v1\nLAYER m2\nTYPE ROUTING ;\n\
        DIRECTION VERTICAL ;\nPITCH 2 ;\nWIDTH 0.5 ;\nRESISTANCE RPERSQ 0.2 ;\nCAPACITANCE CPERSQDIST 0.001 ;\nEND m2\n\
        VIA M2_M1 DEFAULT\nLAYER m1 ;\nRECT -0.5 -0.5 0.5 0.5 ;\nLAYER v1 ;\nRECT -0.2 -0.2 0.2 0.2 ;\nLAYER m2 ;\n\
        RECT -0.5 -0.5 0.5 0.5 ;\nEND M2_M1\n\
        MACRO INV\nCLASS CORE ;\nSIZE 10 BY 10 ;\nPIN A\nDIRECTION INPUT ;\nPORT\nLAYER m1 ;\nRECT 1 1 2 2 ;\nEND\nEND A\n\
        PIN Y\nDIRECTION OUTPUT ;\nPORT\nLAYER m1 ;\nRECT 8 8 9 9 ;\nEND\nEND Y\nEND INV\nEND LIBRARY\n";

    /// A port on m2 at 10 20 with a via right at it, a wire on m1 that branches, and two cells, one mirrored.
    fn routed(more: &str) -> String {
        format!(
            "VERSION 5.6 ;\nDESIGN t ;\nUNITS DISTANCE MICRONS 100 ;\nDIEAREA ( 0 0 ) ( 9000 9000 ) ;\nCOMPONENTS 2 ;\n\
             - u1 INV + PLACED ( 4000 1850 ) N ;\n- u2 INV + PLACED ( 2000 3000 ) FN ;\nEND COMPONENTS\nPINS 1 ;\n\
             - a + NET a + DIRECTION INPUT + LAYER m2 ( -25 -25 ) ( 25 25 ) + PLACED ( 1000 2000 ) N ;\nEND PINS\n\
             NETS 1 ;\n- a ( PIN a ) ( u1 A ) ( u2 A )\n+ ROUTED m1 ( 1000 2000 ) M2_M1\nNEW m1 ( 1000 2000 ) ( 4150 * ){more} ;\n\
             END NETS\nEND DESIGN\n"
        )
    }

    #[test]
    fn a_branching_net_is_followed_through_vias_to_all_pins() {
        let lef = lef::parse(LEF).unwrap();
        // u2's A is at 28.5 31.5 to 29 32, mirrored.
        let text = routed("\nNEW m1 ( 2850 2000 ) M2_M1 ( * 3150 ) M2_M1");
        let def = def::parse(&text).unwrap();
        let tree = Tracer::new(&def, &lef).trace(&def.nets[0]).unwrap();
        assert!(!tree.is_incomplete(), "{tree:#?}");
        assert_eq!(tree.driver, Terminal::Port("a".into()));
        // The resistance from the driver to a pin.
        let resistance = |instance: &str| {
            let is_it = |piece: &&rc::Piece| matches!(&piece.terminal, Some(Terminal::Pin { instance: of, .. }) if of == instance);
            let mut piece = tree.pieces.iter().find(is_it);
            let mut sum = 0.0;
            while let Some(at) = piece {
                sum += at.resistance;
                piece = at.follows.map(|index| &tree.pieces[index]);
            }
            sum
        };
        // A via and m1 up to where its metal touches the pin; three vias, 18.5 µm of m1 and 11.5 µm of m2.
        assert!((resistance("u1") - (3.0 + 0.1 * 30.75 / 0.5)).abs() < 1e-9, "{}", resistance("u1"));
        assert!((resistance("u2") - (9.0 + 0.1 * 18.5 / 0.5 + 0.2 * 11.5 / 0.5)).abs() < 1e-9, "{}", resistance("u2"));
        let capacitance = 31.5 * 0.5 * 0.002 + 11.5 * 0.5 * 0.001;
        assert!((tree.capacitance() - capacitance).abs() < 1e-9, "{}", tree.capacitance());
    }

    #[test]
    fn a_pin_that_the_wires_do_not_reach_is_missed_and_a_loop_ends() {
        let lef = lef::parse(LEF).unwrap();
        for (more, reached) in [("", 1), ("\nNEW m1 ( 2850 2000 ) M2_M1 ( * 2900 ) M2_M1", 1)] {
            let def = def::parse(&routed(more)).unwrap();
            let tree = Tracer::new(&def, &lef).trace(&def.nets[0]).unwrap();
            assert_eq!(tree.pieces.iter().filter(|piece| piece.terminal.is_some()).count(), reached);
            assert!(tree.is_incomplete());
        }
        // The via is beside the wire, and its metal overlaps it.
        let beside = def::parse(&routed("\nNEW m1 ( 2850 2030 ) M2_M1 ( * 3150 ) M2_M1")).unwrap();
        assert!(!Tracer::new(&beside, &lef).trace(&beside.nets[0]).unwrap().is_incomplete());
        let around = "\nNEW m1 ( 2850 2000 ) ( * 3150 ) ( 2000 * ) ( * 2000 )";
        let def = def::parse(&routed(around)).unwrap();
        let tree = Tracer::new(&def, &lef).trace(&def.nets[0]).unwrap();
        assert!(!tree.is_incomplete(), "{tree:#?}");
        let length = 31.5 + 11.5 + 8.5 + 11.5;
        assert!((tree.capacitance() - length * 0.5 * 0.002).abs() < 1e-9, "{}", tree.capacitance());
    }
}
