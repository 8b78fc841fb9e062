//! The netlist as a SPICE subcircuit of the placed design: the schematic side of LVS.

use std::collections::HashSet;

use super::{Instance, NetId, Netlist, NetlistError, Powered, Signal};
use crate::spice::{Element, Subckt};

impl Netlist {
    /// The design as a subcircuit: its ports by bit, then power and ground; an instance of each cell, those without logic
    /// included. A pin without a net gets one of its own.
    ///
    /// # Errors
    /// When a cell has no known pins, a port is constant, or two ports are one net.
    pub fn to_spice(&self, powered: &Powered) -> Result<Subckt, NetlistError> {
        let mut taken = HashSet::new();
        let mut ports = Vec::new();
        for port in &self.ports {
            match port.signal {
                Signal::Net(NetId(net)) if !taken.insert(net) => {
                    let (first, second) = (self.nets[net].clone(), port.name.clone());
                    return Err(NetlistError::JoinedPorts { first, second });
                }
                Signal::Net(_) | Signal::Open => ports.push(port.name.clone()),
                Signal::Low | Signal::High => return Err(NetlistError::ConstantPort { port: port.name.clone() }),
            }
        }
        ports.extend([powered.power.net.clone(), powered.ground.net.clone()]);
        let instances = self.instances.iter().chain(&powered.extra);
        let elements = instances.map(|instance| self.element(instance, powered)).collect::<Result<_, _>>()?;
        Ok(Subckt { name: self.name.clone(), ports, elements, ..Subckt::default() })
    }

    fn element(&self, instance: &Instance, powered: &Powered) -> Result<Element, NetlistError> {
        let Some(ports) = powered.cell_ports.get(&instance.cell) else {
            return Err(NetlistError::UnknownCell { instance: instance.name.clone(), cell: instance.cell.clone() });
        };
        let net = |port: &String| {
            let connected = instance.pins.iter().find(|pin| pin.name == *port).map_or(Signal::Open, |pin| pin.signal);
            match connected {
                Signal::Net(net) => self.net(net).to_owned(),
                Signal::Low => powered.ground.net.clone(),
                Signal::High => powered.power.net.clone(),
                Signal::Open => match powered.supply_of(port) {
                    Some(net) => net.to_owned(),
                    None => format!("nc_{}_{port}", instance.name),
                },
            }
        };
        Ok(Element::instance(&instance.name, ports.iter().map(net).collect(), &instance.cell))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Netlist, NetlistError, Powered, Supply};

    #[test]
    fn what_spice_cannot_say_is_refused() {
        let powered = Powered {
            power: Supply { net: "vdd".into(), pins: vec!["vdd".into()] },
            ground: Supply { net: "gnd".into(), pins: vec!["gnd".into()] },
            ..Powered::default()
        };
        let design = |bits: &str, cells: &str| {
            let ports = format!(
                r#"{{"a": {{"direction": "input", "bits": [2]}}, "b": {{"direction": "output", "bits": [{bits}]}}}}"#
            );
            let json = format!(r#"{{"modules": {{"t": {{"ports": {ports}, "cells": {{{cells}}}}}}}}}"#);
            Netlist::from_yosys(&json, "t", &[]).unwrap().to_spice(&powered).unwrap_err()
        };
        assert!(
            matches!(design("2", ""), NetlistError::JoinedPorts { first, second } if first == "a" && second == "b")
        );
        assert!(matches!(design("\"1\"", ""), NetlistError::ConstantPort { port } if port == "b"));
        let cell = r#""c": {"type": "INV", "connections": {"A": [2], "Y": [3]}}"#;
        assert!(matches!(design("3", cell), NetlistError::UnknownCell { cell, .. } if cell == "INV"));
    }
}
