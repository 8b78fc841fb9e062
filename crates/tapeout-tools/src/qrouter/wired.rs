//! Which nets have wires, and how long those are, by the routed layout itself.

use std::collections::HashMap;

use tapeout_formats::def::{Def, Net};
use tapeout_formats::lef::Lef;

use super::trace::Tracer;

/// What there is of wires.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Wires {
    /// How many nets there are that need some.
    pub(super) nets: usize,
    /// The nets that need some and have none, in the order of the placed design.
    pub(super) missing: Vec<String>,
    /// All of them, in µm.
    pub(super) length: f64,
    /// Those of the longest net, in µm.
    pub(super) longest: f64,
    /// How many vias there are.
    pub(super) vias: usize,
}

/// Compares the layout with what was to be routed. A net needs wires when it has more than one pin, or is a supply that
/// pins are tied to.
pub(super) fn look(placed: &Def, routed: &Def) -> Wires {
    let by_name: HashMap<&str, &Net> = routed.nets.iter().map(|net| (net.name.as_str(), net)).collect();
    let special = |name: &str| placed.special_nets.iter().any(|net| net.name == name);
    let needs_wires = |net: &&Net| net.pins.len() > 1 || special(&net.name) && !net.pins.is_empty();
    let units = routed.units.max(1) as f64;
    let mut wires = Wires::default();
    for net in placed.nets.iter().filter(needs_wires) {
        wires.nets += 1;
        let Some(routed) = by_name.get(net.name.as_str()).filter(|net| net.wires().next().is_some()) else {
            wires.missing.push(net.name.clone());
            continue;
        };
        let length = routed.wire_length() as f64 / units;
        wires.length += length;
        wires.longest = wires.longest.max(length);
        wires.vias += routed.wires().map(|wire| wire.vias().count()).sum::<usize>();
    }
    wires
}

/// The nets whose wires do not reach all of their pins from the one that drives them.
pub(super) fn open(routed: &Def, lef: &Lef) -> Vec<String> {
    let tracer = Tracer::new(routed, lef);
    let is_open = |net: &&Net| {
        let is_wired = net.pins.len() > 1 && net.wires().next().is_some();
        is_wired && tracer.trace(net).is_some_and(|tree| tree.is_incomplete())
    };
    routed.nets.iter().filter(is_open).map(|net| net.name.clone()).collect()
}
