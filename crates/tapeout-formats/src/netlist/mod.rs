//! The flat netlist of library cells that place and route work on: ports by bit, nets and instances with the names that
//! every file of the flow has for them.
//!
//! It is made from the JSON that Yosys writes, and the names are given once, here (`names`), so that a net is called the
//! same in Verilog, DEF, SPICE, SPEF and the files of graywolf and qrouter. Where cells stand and how nets run is not part
//! of it. Source of the format: Yosys, `help write_json`.

mod names;
mod spice;
mod verilog;
mod yosys;

use std::collections::BTreeMap;

pub use crate::yosys_netlist::{Direction, Port};

/// A flat netlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Netlist {
    /// The module.
    pub name: String,
    /// The ports as declared, in their order: what Verilog's header says.
    pub declared: Vec<(String, Port)>,
    /// The bits of all ports, in the order of declaration, lowest index first.
    pub ports: Vec<PortBit>,
    /// The names of the nets, indexed by [`NetId`].
    pub nets: Vec<String>,
    /// The names that the sources have for each net, those of the highest level of the former hierarchy first; indexed as
    /// [`Netlist::nets`]. A port is called as it is.
    pub sources: Vec<Vec<String>>,
    /// The cells, in the order of the file.
    pub instances: Vec<Instance>,
}

/// A net of a netlist: an index of [`Netlist::nets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NetId(pub usize);

/// What a pin or a port is connected with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// A net.
    Net(NetId),
    /// The constant 0: the ground, where there are supplies. An unknown value counts as 0.
    Low,
    /// The constant 1: the power supply, where there are supplies.
    High,
    /// Nothing.
    Open,
}

/// One bit of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortBit {
    /// `clk`, or `a[3]` for a bit of a bus, by declared index. It is also the name of its net, unless an earlier port has
    /// the same net.
    pub name: String,
    /// Which way it goes.
    pub direction: Direction,
    /// What it is connected with inside.
    pub signal: Signal,
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its name in all files of the flow.
    pub name: String,
    /// Its name in the netlist of Yosys, by which a configuration may speak of it. Empty for what was added later.
    pub source: String,
    /// The cell of the library, or the macro.
    pub cell: String,
    /// Its signal pins in the order of the file; the bits of a bus follow each other, lowest first, as `A[0]`, `A[1]`.
    pub pins: Vec<Pin>,
}

/// A pin of an instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The pin of the cell.
    pub name: String,
    /// Which way it goes, if the netlist says so.
    pub direction: Option<Direction>,
    /// What it is connected with.
    pub signal: Signal,
}

/// A supply of a powered netlist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// The net and the port of the top module.
    pub net: String,
    /// The pins of cells that belong to it.
    pub pins: Vec<String>,
}

/// What the layout has beyond the logic: supplies and cells without logic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Powered {
    /// The supply that is the constant 1.
    pub power: Supply,
    /// The supply that is the constant 0.
    pub ground: Supply,
    /// Cells without logic, such as fillers; see [`Instance::filler`].
    pub extra: Vec<Instance>,
    /// The pins of each cell, supplies included, in the order in which SPICE has them.
    pub cell_ports: BTreeMap<String, Vec<String>>,
}

/// A pin of an instance or a port of the module, as an end of a net.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// An index of [`Netlist::ports`].
    Port(usize),
    /// An index of [`Netlist::instances`], and one of its [`Instance::pins`].
    Pin(usize, usize),
}

/// Why there is no netlist of that kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetlistError {
    /// It is not a netlist of Yosys.
    #[error(transparent)]
    Format(#[from] crate::FormatError),
    /// The top module is not in it.
    #[error("expected a module `{name}` in the netlist, found {found}")]
    NoModule {
        /// The module.
        name: String,
        /// Which there are instead.
        found: String,
    },
    /// A cell is a module with content.
    #[error(
        "expected a flat netlist, found the module `{cell}` in it, as `{instance}`: flatten it in synthesis, or give it \
         as a macro"
    )]
    Hierarchy {
        /// The name that Yosys has for the cell.
        instance: String,
        /// The module.
        cell: String,
    },
    /// A cell has a part that a file of the flow cannot name.
    #[error("the {what} `{name}` cannot be named in all of Verilog, DEF and SPICE: {why}; rename it in the sources")]
    Name {
        /// Port, module, cell or pin.
        what: &'static str,
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// SPICE has no way to say that two ports are one net.
    #[error(
        "the ports `{first}` and `{second}` are the same net, which a layout cannot have as two pins: put a buffer between \
         them (`SYNTH_BUFFER_CELL`)"
    )]
    JoinedPorts {
        /// The port that the net is named after.
        first: String,
        /// The other one.
        second: String,
    },
    /// A port is a constant.
    #[error("the port `{port}` is constant, and no cell drives it: give a tie cell or a buffer to synthesis")]
    ConstantPort {
        /// The port.
        port: String,
    },
    /// A cell is in the netlist and not among those with known pins.
    #[error(
        "expected the pins of the cell `{cell}`, of which `{instance}` is one, in the SPICE models or in LEF; found none"
    )]
    UnknownCell {
        /// One instance of it.
        instance: String,
        /// The cell.
        cell: String,
    },
}

impl Instance {
    /// A cell without logic.
    #[must_use]
    pub fn filler(name: impl Into<String>, cell: impl Into<String>) -> Self {
        Self { name: name.into(), source: String::new(), cell: cell.into(), pins: Vec::new() }
    }
}

impl Netlist {
    /// Reads the JSON of Yosys and gives everything its name. `top` is the module; `supplies` are names of supply nets,
    /// which no other net gets.
    ///
    /// # Errors
    /// When it is not a flat netlist, or a port cannot be named in all files of the flow.
    pub fn from_yosys(json: &str, top: &str, supplies: &[&str]) -> Result<Self, NetlistError> {
        yosys::read(json, top, supplies)
    }

    /// The name of a net.
    ///
    /// # Panics
    /// When the id is of another netlist.
    #[must_use]
    pub fn net(&self, id: NetId) -> &str {
        &self.nets[id.0]
    }

    /// What each net connects, indexed by [`NetId`]: ports first, then pins, both in their order.
    #[must_use]
    pub fn ends(&self) -> Vec<Vec<End>> {
        let mut ends = vec![Vec::new(); self.nets.len()];
        let mut add = |signal, end| {
            if let Signal::Net(NetId(net)) = signal {
                ends[net].push(end);
            }
        };
        for (index, port) in self.ports.iter().enumerate() {
            add(port.signal, End::Port(index));
        }
        for (index, instance) in self.instances.iter().enumerate() {
            for (pin, connected) in instance.pins.iter().enumerate() {
                add(connected.signal, End::Pin(index, pin));
            }
        }
        ends
    }

    /// How many instances there are of each cell.
    #[must_use]
    pub fn cells(&self) -> BTreeMap<&str, usize> {
        let mut cells = BTreeMap::new();
        for instance in &self.instances {
            *cells.entry(instance.cell.as_str()).or_default() += 1;
        }
        cells
    }
}

impl Powered {
    /// The net of a supply pin of a cell.
    fn supply_of(&self, pin: &str) -> Option<&str> {
        [&self.power, &self.ground]
            .into_iter()
            .find(|supply| supply.pins.iter().any(|own| own == pin))
            .map(|s| s.net.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two modules of Yosys 0.23: one that has what can be odd in a netlist, and a macro.
    const JSON: &str = include_str!("../../tests/data/yosys-0.23-gates.json");

    fn netlist() -> Netlist {
        Netlist::from_yosys(JSON, "t", &["vdd", "gnd"]).unwrap()
    }

    fn powered() -> Powered {
        let pins = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Powered {
            power: Supply { net: "vdd".into(), pins: pins(&["vdd"]) },
            ground: Supply { net: "gnd".into(), pins: pins(&["gnd"]) },
            extra: vec![Instance::filler("fill_0", "FILL")],
            cell_ports: [
                ("BUFX2", pins(&["vdd", "gnd", "A", "Y"])),
                ("NAND2X1", pins(&["vdd", "Y", "gnd", "A", "B"])),
                ("FILL", pins(&["vdd", "gnd"])),
                ("RAM", pins(&["d[1]", "d[2]", "q", "vdd", "gnd"])),
            ]
            .map(|(cell, pins)| (cell.to_owned(), pins))
            .into(),
        }
    }

    #[test]
    fn nets_and_instances_have_their_names() {
        let netlist = netlist();
        let ports: Vec<&str> = netlist.ports.iter().map(|port| port.name.as_str()).collect();
        assert_eq!(ports, ["a[4]", "a[5]", "u[0]", "u[1]", "q", "k"]);
        let names: Vec<&str> = netlist.instances.iter().map(|instance| instance.name.as_str()).collect();
        assert_eq!(netlist.cells().into_iter().collect::<Vec<_>>(), [("BUFX2", 1), ("NAND2X1", 2), ("RAM", 1)]);
        assert_eq!(names, ["core_mem", "u1_NAND2X1", "u2_NAND2X1", "u3_BUFX2"]);
        assert_eq!(netlist.nets, ["a[4]", "a[5]", "u[0]", "u[1]", "q", "k", "core_r_2", "n9"]);
        let ends = netlist.ends();
        assert_eq!(ends[0], [End::Port(0), End::Pin(0, 0)]);
        assert!(matches!(netlist.instances[0].pins[1], Pin { ref name, signal: Signal::Open, .. } if name == "d[2]"));
    }

    #[test]
    fn verilog_has_ports_as_declared_and_constants() {
        let expected = "module t (a, u, q, k);\n  input [5:4] a;\n  input [0:1] u;\n  output q;\n  output k;\n  \
            wire core_r_2;\n  wire n9;\n  \
            RAM core_mem (.d({1'bz, a[4]}), .q(core_r_2));\n  \
            NAND2X1 u1_NAND2X1 (.A(u[1]), .B(u[0]), .Y(n9));\n  \
            NAND2X1 u2_NAND2X1 (.A(n9), .B(core_r_2), .Y(q));\n  \
            BUFX2 u3_BUFX2 (.A(1'b1), .Y(k));\nendmodule\n";
        assert_eq!(netlist().to_verilog(None), expected);
    }

    #[test]
    fn the_powered_forms_have_supplies_and_fillers() {
        let (netlist, powered) = (netlist(), powered());
        let verilog = netlist.to_verilog(Some(&powered));
        for line in [
            "module t (a, u, q, k, vdd, gnd);",
            "  inout gnd;",
            "  BUFX2 u3_BUFX2 (.A(vdd), .Y(k), .vdd(vdd), .gnd(gnd));",
            "  FILL fill_0 (.vdd(vdd), .gnd(gnd));",
        ] {
            assert!(verilog.lines().any(|found| found == line), "{line}\n{verilog}");
        }
        let subckt = netlist.to_spice(&powered).unwrap();
        let text = crate::spice::write(&crate::spice::Spice { subckts: vec![subckt], ..Default::default() });
        let expected = ".subckt t a[4] a[5] u[0] u[1] q k vdd gnd\n\
            Xcore_mem a[4] nc_core_mem_d[2] core_r_2 vdd gnd RAM\nXu1_NAND2X1 vdd n9 gnd u[1] u[0] NAND2X1\n\
            Xu2_NAND2X1 vdd q gnd n9 core_r_2 NAND2X1\nXu3_BUFX2 vdd gnd vdd k BUFX2\nXfill_0 vdd gnd FILL\n.ends\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_no_flat_netlist_is_refused() {
        let message = |json: &str| Netlist::from_yosys(json, "t", &["vdd"]).unwrap_err().to_string();
        assert_eq!(message(r#"{"modules": {"s": {}}}"#), "expected a module `t` in the netlist, found `s`");
        assert!(message(r#"{"modules": {"t": {"cells": {"c": {"type": "s"}}}, "s": {}}}"#).contains("flatten it"));
        let port = |name: &str| {
            format!(r#"{{"modules": {{"t": {{"ports": {{"{name}": {{"direction": "input", "bits": [2]}}}}}}}}}}"#)
        };
        assert!(message(&port("a.b")).starts_with("the port `a.b` cannot be named"));
        assert!(message(&port("VDD")).contains("a supply"));
        assert!(
            message(r#"{"modules": {"t": {"cells": {"c": {"type": "s", "connections": {"A": ["2"]}}}}}}"#)
                .contains("line 1")
        );
    }
}
