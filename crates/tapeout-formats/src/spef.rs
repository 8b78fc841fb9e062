//! SPEF: parasitics of nets. Written only.
//!
//! Source of the format: IEEE 1481-1999, chapter 11. Names are those of [`crate::netlist`], which need no escapes; the
//! file has no date and no program, so that it depends on the layout alone.

use std::fmt::Write as _;

use crate::netlist::Direction;
use crate::qrouter::rc::{self, Terminal};

/// Parasitics of a design, in pF and Ω.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spef {
    /// The top module.
    pub design: String,
    /// The nets.
    pub nets: Vec<Net>,
}

/// A net.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// Its name.
    pub name: String,
    /// Its pins, each with the way its signal goes: into or out of the design or the cell.
    pub pins: Vec<(Terminal, Direction)>,
    /// The capacitances, in pF.
    pub capacitances: Vec<(Node, f64)>,
    /// The resistances between nodes, in Ω.
    pub resistances: Vec<(Node, Node, f64)>,
}

/// A place on a net.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A pin.
    Pin(Terminal),
    /// A branch of the wires, by number.
    Branch(usize),
}

/// What stands for no resistance at all: a net must hang together, and tools divide by resistances.
const LEAST_RESISTANCE: f64 = 1e-3;

impl Net {
    /// The net of a tree of wires: each piece has its resistance, and its capacitance at its end.
    #[must_use]
    pub fn from_tree(tree: &rc::Net) -> Self {
        let node = |index: usize| match &tree.pieces[index].terminal {
            Some(terminal) => Node::Pin(terminal.clone()),
            None => Node::Branch(index + 1),
        };
        // A port that drives the net is an input of the design, an instance's pin that does is an output.
        let direction = |terminal: &Terminal, drives: bool| match (terminal, drives) {
            (Terminal::Port(_), true) | (Terminal::Pin { .. }, false) => Direction::Input,
            (Terminal::Port(_), false) | (Terminal::Pin { .. }, true) => Direction::Output,
        };
        let mut pins = vec![(tree.driver.clone(), direction(&tree.driver, true))];
        for terminal in tree.pieces.iter().filter_map(|piece| piece.terminal.as_ref()) {
            if pins.iter().all(|(known, _)| known != terminal) {
                pins.push((terminal.clone(), direction(terminal, false)));
            }
        }
        let pieces = || tree.pieces.iter().enumerate();
        let capacitances = pieces().map(|(index, piece)| (node(index), piece.capacitance)).collect();
        let resistances = pieces().map(|(index, piece)| {
            let from = piece.follows.map_or_else(|| Node::Pin(tree.driver.clone()), node);
            (from, node(index), piece.resistance)
        });
        Self { name: tree.name.clone(), pins, capacitances, resistances: resistances.collect() }
    }
}

/// The text of the file.
#[must_use]
pub fn write(spef: &Spef) -> String {
    let mut text = format!(
        "*SPEF \"IEEE 1481-1999\"\n*DESIGN \"{}\"\n*DATE \"\"\n*VENDOR \"\"\n*PROGRAM \"\"\n*VERSION \"\"\n*DESIGN_FLOW \"\"\n\
         *DIVIDER /\n*DELIMITER :\n*BUS_DELIMITER [ ]\n*T_UNIT 1 PS\n*C_UNIT 1 PF\n*R_UNIT 1 OHM\n*L_UNIT 1 HENRY\n",
        spef.design
    );
    for net in &spef.nets {
        let total: f64 = net.capacitances.iter().map(|(_, capacitance)| capacitance).sum();
        let _ = writeln!(text, "\n*D_NET {} {}\n*CONN", net.name, number(total));
        for (terminal, direction) in &net.pins {
            let kind = if matches!(terminal, Terminal::Port(_)) { 'P' } else { 'I' };
            let direction = match direction {
                Direction::Input => 'I',
                Direction::Output => 'O',
                Direction::Inout => 'B',
            };
            let _ = writeln!(text, "*{kind} {} {direction}", pin(terminal));
        }
        text.push_str("*CAP\n");
        for (index, (node, capacitance)) in (1..).zip(&net.capacitances) {
            let _ = writeln!(text, "{index} {} {}", name(net, node), number(*capacitance));
        }
        text.push_str("*RES\n");
        for (index, (from, to, resistance)) in (1..).zip(&net.resistances) {
            let resistance = number(resistance.max(LEAST_RESISTANCE));
            let _ = writeln!(text, "{index} {} {} {resistance}", name(net, from), name(net, to));
        }
        text.push_str("*END\n");
    }
    text
}

fn pin(terminal: &Terminal) -> String {
    match terminal {
        Terminal::Port(port) => port.clone(),
        Terminal::Pin { instance, pin } => format!("{instance}:{pin}"),
    }
}

fn name(net: &Net, node: &Node) -> String {
    match node {
        Node::Pin(terminal) => pin(terminal),
        Node::Branch(number) => format!("{}:{number}", net.name),
    }
}

/// Six significant digits, as measured values deserve.
fn number(value: f64) -> String {
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    if rounded != 0.0 && rounded.abs() < 1e-4 { format!("{rounded:e}") } else { rounded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_becomes_a_net() {
        let tree =
            &rc::parse("q[0] 1 u1/Y 2 ( 1.5 0.002 ( 2.3333333 1.00000049e-05 u2/A ) , ( 0 0 PIN/q[0] ) )").unwrap()[0];
        let text = write(&Spef { design: "t".into(), nets: vec![Net::from_tree(tree)] });
        let net = &text[text.find("*D_NET").unwrap()..];
        let expected = "*D_NET q[0] 0.00201\n*CONN\n*I u1:Y O\n*I u2:A I\n*P q[0] O\n*CAP\n1 q[0]:1 0.002\n2 u2:A 1e-5\n\
            3 q[0] 0\n*RES\n1 u1:Y q[0]:1 1.5\n2 q[0]:1 u2:A 2.33333\n3 q[0]:1 q[0] 0.001\n*END\n";
        assert_eq!(net, expected);
    }
}
