//! Reads the netlist from the JSON that Yosys writes.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

use super::names::{self, Names};
use super::{Direction, Instance, NetId, Netlist, NetlistError, Pin, Port, PortBit, Signal};
use crate::FormatError;
use crate::yosys_netlist::{Entries, Flag};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Raw {
    #[serde(deserialize_with = "in_order")]
    modules: Vec<(String, Module)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Module {
    attributes: Attributes,
    #[serde(deserialize_with = "in_order")]
    ports: Vec<(String, RawPort)>,
    #[serde(deserialize_with = "in_order")]
    cells: Vec<(String, Cell)>,
    #[serde(deserialize_with = "in_order")]
    netnames: Vec<(String, NetName)>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Attributes {
    blackbox: Flag,
    whitebox: Flag,
}

#[derive(Deserialize)]
struct RawPort {
    direction: Direction,
    bits: Vec<Bit>,
    #[serde(default)]
    offset: i32,
    #[serde(default)]
    upto: u8,
}

#[derive(Deserialize)]
struct Cell {
    #[serde(default)]
    hide_name: u8,
    r#type: String,
    #[serde(default)]
    port_directions: BTreeMap<String, Direction>,
    #[serde(default, deserialize_with = "in_order")]
    connections: Vec<(String, Vec<Bit>)>,
}

#[derive(Deserialize)]
struct NetName {
    #[serde(default)]
    hide_name: u8,
    bits: Vec<Bit>,
    #[serde(default)]
    offset: i32,
    #[serde(default)]
    upto: u8,
}

/// A net, by number, or a constant.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bit {
    Net(u64),
    Low,
    High,
    Open,
}

impl<'de> Deserialize<'de> for Bit {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct BitVisitor;
        impl Visitor<'_> for BitVisitor {
            type Value = Bit;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the number of a net, or `0`, `1`, `x` or `z`")
            }

            fn visit_u64<E: de::Error>(self, net: u64) -> Result<Bit, E> {
                Ok(Bit::Net(net))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Bit, E> {
                match text {
                    "0" | "x" => Ok(Bit::Low),
                    "1" => Ok(Bit::High),
                    "z" => Ok(Bit::Open),
                    _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
                }
            }
        }
        deserializer.deserialize_any(BitVisitor)
    }
}

fn in_order<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<(String, T)>, D::Error> {
    let mut entries = Vec::new();
    deserializer.deserialize_map(Entries::new(|name, value| entries.push((name, value))))?;
    Ok(entries)
}

impl RawPort {
    fn declared(&self) -> Port {
        Port { direction: self.direction, width: self.bits.len(), offset: self.offset, upto: self.upto != 0 }
    }
}

/// The names of the bits of a bus in the order in which Yosys lists its bits, which begins with the lowest value: with
/// `[0:3]`, index 3.
fn bit_names(name: &str, port: &Port) -> Vec<String> {
    let mut names = port.bit_names(name);
    if port.upto {
        names.reverse();
    }
    names
}

pub(super) fn read(json: &str, top: &str, supplies: &[&str]) -> Result<Netlist, NetlistError> {
    let raw: Raw = serde_json::from_str(json).map_err(|error| FormatError::json("Yosys netlist", &error))?;
    let modules: HashMap<&str, &Module> = raw.modules.iter().map(|(name, module)| (name.as_str(), module)).collect();
    let Some(module) = modules.get(top) else {
        let own = raw.modules.iter().filter(|(_, module)| !module.is_blackbox());
        let found: Vec<String> = own.take(10).map(|(name, _)| format!("`{name}`")).collect();
        let found = if found.is_empty() { "no module with content".to_owned() } else { found.join(", ") };
        return Err(NetlistError::NoModule { name: top.to_owned(), found });
    };
    safe("module", top)?;
    Builder { names: Names::new(supplies), by_bit: HashMap::new(), netlist: Netlist::default() }
        .build(top, module, &modules)
}

fn safe(what: &'static str, name: &str) -> Result<(), NetlistError> {
    match names::unsafe_because(name) {
        Some(why) => Err(NetlistError::Name { what, name: name.to_owned(), why }),
        None => Ok(()),
    }
}

impl Module {
    fn is_blackbox(&self) -> bool {
        self.attributes.blackbox.0 || self.attributes.whitebox.0
    }
}

struct Builder {
    names: Names,
    by_bit: HashMap<u64, NetId>,
    netlist: Netlist,
}

impl Builder {
    fn build(mut self, top: &str, module: &Module, modules: &HashMap<&str, &Module>) -> Result<Netlist, NetlistError> {
        self.netlist.name = top.to_owned();
        for (name, port) in &module.ports {
            self.port(name, port)?;
        }
        let visible = visible_names(module);
        // Nets that nothing but a port or a pin mentions are all there are; those of pins follow in the order of cells.
        for (index, (source, cell)) in module.cells.iter().enumerate() {
            let content = modules.get(cell.r#type.as_str());
            if content.is_some_and(|module| !module.is_blackbox()) {
                return Err(NetlistError::Hierarchy { instance: source.clone(), cell: cell.r#type.clone() });
            }
            let mut pins = Vec::new();
            for (pin, bits) in &cell.connections {
                let declared = content.and_then(|module| module.ports.iter().find(|(name, _)| name == pin));
                let port = declared.map(|(_, port)| port.declared()).filter(|port| port.width == bits.len());
                let direction = cell.port_directions.get(pin).copied().or(declared.map(|(_, port)| port.direction));
                let whole = Port { direction: Direction::Inout, width: bits.len(), offset: 0, upto: false };
                for (name, bit) in bit_names(pin, &port.unwrap_or(whole)).into_iter().zip(bits) {
                    pins.push(Pin { name, direction, signal: self.signal(*bit, &visible) });
                }
            }
            let kind: String =
                cell.r#type.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect();
            let candidate = (cell.hide_name == 0).then_some(source.as_str());
            let name = self.names.give(candidate, format!("u{index}_{kind}"));
            self.netlist.instances.push(Instance { name, source: source.clone(), cell: cell.r#type.clone(), pins });
        }
        Ok(self.netlist)
    }

    fn port(&mut self, name: &str, port: &RawPort) -> Result<(), NetlistError> {
        let declared = port.declared();
        let mut bits: Vec<(String, Bit)> =
            bit_names(name, &declared).into_iter().zip(port.bits.iter().copied()).collect();
        if declared.upto {
            bits.reverse();
        }
        for (bit_name, bit) in bits {
            self.names.port(name, &bit_name)?;
            let signal = match bit {
                Bit::Net(number) => {
                    let nets = &mut self.netlist.nets;
                    Signal::Net(*self.by_bit.entry(number).or_insert_with(|| {
                        nets.push(bit_name.clone());
                        self.netlist.sources.push(vec![bit_name.clone()]);
                        NetId(nets.len() - 1)
                    }))
                }
                other => self.signal(other, &HashMap::new()),
            };
            self.netlist.ports.push(PortBit { name: bit_name, direction: port.direction, signal });
        }
        self.netlist.declared.push((name.to_owned(), declared));
        Ok(())
    }

    fn signal(&mut self, bit: Bit, visible: &HashMap<u64, Vec<String>>) -> Signal {
        match bit {
            Bit::Low => Signal::Low,
            Bit::High => Signal::High,
            Bit::Open => Signal::Open,
            Bit::Net(number) => {
                if let Some(net) = self.by_bit.get(&number) {
                    return Signal::Net(*net);
                }
                let sources = visible.get(&number).cloned().unwrap_or_default();
                let name = self.names.give(sources.iter().map(String::as_str), format!("n{number}"));
                let net = NetId(self.netlist.nets.len());
                self.netlist.nets.push(name);
                self.netlist.sources.push(sources);
                self.by_bit.insert(number, net);
                Signal::Net(net)
            }
        }
    }
}

/// The names that the sources have for nets, those of the highest level of the former hierarchy first.
fn visible_names(module: &Module) -> HashMap<u64, Vec<String>> {
    let mut names: HashMap<u64, Vec<String>> = HashMap::new();
    for (name, net) in module.netnames.iter().filter(|(_, net)| net.hide_name == 0) {
        let shape =
            Port { direction: Direction::Inout, width: net.bits.len(), offset: net.offset, upto: net.upto != 0 };
        for (bit_name, bit) in bit_names(name, &shape).into_iter().zip(&net.bits) {
            if let Bit::Net(number) = bit {
                names.entry(*number).or_default().push(bit_name);
            }
        }
    }
    for of_net in names.values_mut() {
        of_net.sort_by_cached_key(|name| (name.matches('.').count(), name.len(), name.clone()));
    }
    names
}
