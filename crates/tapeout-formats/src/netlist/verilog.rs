//! The netlist as structural Verilog (IEEE 1364-2005, clause 12): ports declared as in the sources, wires by bit.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::names::unsafe_because;
use super::{Direction, Instance, Netlist, Pin, Powered, Signal};

impl Netlist {
    /// The netlist as Verilog that has only modules, ports, wires and instances, and `assign` for ports that no cell drives.
    /// With `powered` it has the supplies as ports, at the pins of the cells and for constants, and the cells without logic.
    #[must_use]
    pub fn to_verilog(&self, powered: Option<&Powered>) -> String {
        let supplies: Vec<&str> = powered.iter().flat_map(|p| [p.power.net.as_str(), p.ground.net.as_str()]).collect();
        let ports: Vec<&str> =
            self.declared.iter().map(|(name, _)| name.as_str()).chain(supplies.iter().copied()).collect();
        let mut text = format!("module {} ({});\n", self.name, ports.join(", "));
        for (name, port) in &self.declared {
            let direction = match port.direction {
                Direction::Input => "input",
                Direction::Output => "output",
                Direction::Inout => "inout",
            };
            let range = port.range().map(|(left, right)| format!(" [{left}:{right}]")).unwrap_or_default();
            let _ = writeln!(text, "  {direction}{range} {name};");
        }
        for supply in &supplies {
            let _ = writeln!(text, "  inout {supply};");
        }
        let of_ports: std::collections::HashSet<&str> = self.ports.iter().map(|port| port.name.as_str()).collect();
        for net in self.nets.iter().filter(|net| !of_ports.contains(net.as_str())) {
            let _ = writeln!(text, "  wire {net};");
        }
        for port in &self.ports {
            let value = self.value(port.signal, powered);
            if value != port.name && !value.is_empty() {
                let _ = writeln!(text, "  assign {} = {value};", port.name);
            }
        }
        for instance in self.instances.iter().chain(powered.iter().flat_map(|p| &p.extra)) {
            self.instance(instance, powered, &mut text);
        }
        text.push_str("endmodule\n");
        text
    }

    fn value<'a>(&'a self, signal: Signal, powered: Option<&'a Powered>) -> &'a str {
        match (signal, powered) {
            (Signal::Net(net), _) => self.net(net),
            (Signal::Open, _) => "",
            (Signal::Low, None) => "1'b0",
            (Signal::High, None) => "1'b1",
            (Signal::Low, Some(powered)) => &powered.ground.net,
            (Signal::High, Some(powered)) => &powered.power.net,
        }
    }

    fn instance(&self, instance: &Instance, powered: Option<&Powered>, text: &mut String) {
        let mut connections = Vec::new();
        let mut pins = instance.pins.as_slice();
        while let Some(pin) = pins.first() {
            // The bits of a bus follow each other and are one connection, the highest first.
            let bus = bus_of(pin);
            let length = match bus {
                Some(bus) => pins.iter().take_while(|pin| bus_of(pin) == Some(bus)).count(),
                None => 1,
            };
            let (bits, rest) = pins.split_at(length);
            let value = match bus {
                None => self.value(pin.signal, powered).to_owned(),
                Some(_) if bits.iter().all(|bit| bit.signal == Signal::Open) => String::new(),
                Some(_) => {
                    // A part of a concatenation cannot be left out.
                    let bit = |bit: &Pin| match self.value(bit.signal, powered) {
                        "" => "1'bz".to_owned(),
                        value => value.to_owned(),
                    };
                    format!("{{{}}}", bits.iter().rev().map(bit).collect::<Vec<_>>().join(", "))
                }
            };
            connections.push(format!(".{}({value})", identifier(bus.unwrap_or(&pin.name))));
            pins = rest;
        }
        if let Some(powered) = powered {
            for pin in powered.cell_ports.get(&instance.cell).into_iter().flatten() {
                let is_connected = instance.pins.iter().any(|own| own.name == *pin);
                if let Some(net) = powered.supply_of(pin).filter(|_| !is_connected) {
                    connections.push(format!(".{}({net})", identifier(pin)));
                }
            }
        }
        let _ = writeln!(text, "  {} {} ({});", identifier(&instance.cell), instance.name, connections.join(", "));
    }
}

/// The bus that a pin is a bit of.
fn bus_of(pin: &Pin) -> Option<&str> {
    let (bus, index) = pin.name.strip_suffix(']')?.rsplit_once('[')?;
    index.parse::<i64>().ok().map(|_| bus)
}

/// A name of a library as Verilog reads it whatever its characters (IEEE 1364-2005, 3.7.1).
fn identifier(name: &str) -> Cow<'_, str> {
    match unsafe_because(name) {
        None => Cow::Borrowed(name),
        Some(_) => Cow::Owned(format!("\\{name} ")),
    }
}
