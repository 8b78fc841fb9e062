//! The part of Yosys' `write_json` netlist that a flow needs: modules, ports, and which cell types are used how often.
//!
//! Source of the format: Yosys, `help write_json`. Connections, net names and parameters are passed over unread; the
//! connections of a gate-level netlist are [`crate::netlist`]'s.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::FormatError;

/// A netlist.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Netlist {
    /// Name and version of the program.
    pub creator: Option<String>,
    /// By name. A netlist for an FPGA also holds the vendor's primitives, as blackboxes.
    pub modules: BTreeMap<String, Module>,
}

/// One module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Module {
    attributes: Attributes,
    /// Name and port, in the order of declaration.
    #[serde(deserialize_with = "in_order")]
    pub ports: Vec<(String, Port)>,
    /// How many cells there are of each type, by the type's name.
    #[serde(rename = "cells", deserialize_with = "count_types")]
    pub cell_types: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
struct Attributes {
    top: Flag,
    blackbox: Flag,
    whitebox: Flag,
}

/// An attribute that is set or not: Yosys writes a string of bits, or a number with `-compat-int`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.as_str().is_some_and(|bits| bits.contains('1')) || value.as_u64().is_some_and(|n| n != 0)))
    }
}

/// Which way a port goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Into the module.
    Input,
    /// Out of the module.
    Output,
    /// Both.
    Inout,
}

/// One port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Which way it goes.
    pub direction: Direction,
    /// Number of bits.
    pub width: usize,
    /// The lowest index: 4 for `[7:4]`. Indices in Verilog are 32 bit.
    pub offset: i32,
    /// Whether the index counts up, as in `[0:3]`.
    pub upto: bool,
}

#[derive(Deserialize)]
struct RawPort {
    direction: Direction,
    bits: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    offset: i32,
    #[serde(default)]
    upto: u8,
}

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let RawPort { direction, bits, offset, upto } = RawPort::deserialize(deserializer)?;
        Ok(Self { direction, width: bits.len(), offset, upto: upto != 0 })
    }
}

impl Port {
    /// The declared range, left and right index: `(7, 4)` for `[7:4]`, `(0, 3)` for `[0:3]`. None for a single bit without
    /// an offset; `[0:0]` can't be told from no range at all.
    #[must_use]
    pub fn range(&self) -> Option<(i64, i64)> {
        if self.width == 1 && self.offset == 0 && !self.upto {
            return None;
        }
        let first = i64::from(self.offset);
        let last = first + self.width.saturating_sub(1) as i64;
        Some(if self.upto { (first, last) } else { (last, first) })
    }

    /// The names of the bits of the port called `name`, lowest index first, as PCF and nextpnr name them.
    #[must_use]
    pub fn bit_names(&self, name: &str) -> Vec<String> {
        if self.range().is_none() {
            return vec![name.to_owned()];
        }
        (i64::from(self.offset)..).take(self.width).map(|index| format!("{name}[{index}]")).collect()
    }
}

impl Module {
    /// Whether this is the top module, by Yosys' mark.
    #[must_use]
    pub fn is_top(&self) -> bool {
        self.attributes.top.0
    }

    /// Whether only the interface is given or meant: a primitive of the vendor, a macro.
    #[must_use]
    pub fn is_blackbox(&self) -> bool {
        self.attributes.blackbox.0 || self.attributes.whitebox.0
    }
}

impl Netlist {
    /// The top module: the one that is marked, else the only one that is no blackbox.
    #[must_use]
    pub fn top(&self) -> Option<(&str, &Module)> {
        if let Some((name, module)) = self.modules.iter().find(|(_, module)| module.is_top()) {
            return Some((name, module));
        }
        let mut own = self.modules.iter().filter(|(_, module)| !module.is_blackbox());
        match (own.next(), own.next()) {
            (Some((name, module)), None) => Some((name, module)),
            _ => None,
        }
    }
}

/// Reads a netlist.
///
/// # Errors
/// If the text is not JSON (Yosys exits 0 even if the disk is full) or a value has another type than the format says.
pub fn parse(text: &str) -> Result<Netlist, FormatError> {
    serde_json::from_str(text).map_err(|error| FormatError::json("Yosys netlist", &error))
}

/// Visits the entries of a JSON object one by one, in the order of the text.
pub(crate) struct Entries<T, F>(F, PhantomData<T>);

impl<T, F: FnMut(String, T)> Entries<T, F> {
    pub(crate) fn new(visit: F) -> Self {
        Self(visit, PhantomData)
    }
}

impl<'de, T: Deserialize<'de>, F: FnMut(String, T)> Visitor<'de> for Entries<T, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry()? {
            (self.0)(name, value);
        }
        Ok(())
    }
}

fn in_order<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, Port)>, D::Error> {
    let mut ports = Vec::new();
    deserializer.deserialize_map(Entries::new(|name, port| ports.push((name, port))))?;
    Ok(ports)
}

fn count_types<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, u64>, D::Error> {
    #[derive(Deserialize)]
    struct Cell {
        r#type: String,
    }
    let mut types = BTreeMap::new();
    let count = |_: String, cell: Cell| *types.entry(cell.r#type).or_default() += 1;
    deserializer.deserialize_map(Entries::new(count))?;
    Ok(types)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_keep_order_direction_and_range() {
        let netlist = parse(include_str!("../tests/data/yosys-0.23-ports.json")).unwrap();
        let (name, top) = netlist.top().unwrap();
        assert_eq!((name, top.is_top(), top.is_blackbox()), ("top", true, false));
        let ports: Vec<_> =
            top.ports.iter().map(|(name, port)| (name.as_str(), port.direction, port.range())).collect();
        assert_eq!(
            ports,
            [
                ("clk", Direction::Input, None),
                ("hi", Direction::Input, Some((7, 4))),
                ("up", Direction::Input, Some((0, 3))),
                ("we.ird", Direction::Output, None),
                ("io", Direction::Inout, None),
            ]
        );
        assert_eq!(top.ports[1].1.bit_names("hi"), ["hi[4]", "hi[5]", "hi[6]", "hi[7]"]);
        assert_eq!(top.ports[2].1.bit_names("up")[0], "up[0]");
        assert_eq!(top.ports[0].1.bit_names("clk"), ["clk"]);
        assert_eq!(top.cell_types["$mux"], 1);
    }

    #[test]
    fn the_top_module_without_a_mark() {
        let netlist = r#"{"modules": {"SB_DFF": {"attributes": {"blackbox": 1}}, "a": {"cells": {"x": {"type": "SB_DFF"},
            "y": {"type": "SB_DFF", "connections": {"C": [2]}}}}}}"#;
        let netlist = parse(netlist).unwrap();
        let (name, module) = netlist.top().unwrap();
        assert_eq!((name, module.cell_types["SB_DFF"]), ("a", 2));
        assert!(netlist.modules["SB_DFF"].is_blackbox());
        assert!(parse(r#"{"modules": {"a": {}, "b": {}}}"#).unwrap().top().is_none());
        assert!(parse("{}").unwrap().top().is_none());
    }

    #[test]
    fn a_cut_netlist_is_an_error() {
        assert!(parse(r#"{"modules": {"a": {"ports": {"c": {"direction""#).is_err());
        let error =
            parse("{\"modules\": {\"a\": {\"ports\": {\"c\": {\"bits\": [2],\n\"direction\": \"up\"}}}}}").unwrap_err();
        assert_eq!(error.line(), Some(2));
        assert!(error.to_string().contains("expected one of `input`, `output`, `inout`"), "{error}");
    }
}
