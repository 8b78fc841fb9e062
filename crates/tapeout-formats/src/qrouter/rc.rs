//! `.rc`: resistance and capacitance of the wires of each net, as a tree from its driver on. Read only.
//!
//! Source of the format: what `write_delays` of qrouter 1.4.71 writes. A line is
//! `NET 1 DRIVER COUNT ( R C END , ( R C ... ) , ... )`: each pair of parentheses is a piece of wire with the pin at its
//! end, if there is one, and the pieces behind it. R is in the unit of the LEF's resistances (Ω), C in that of its
//! capacitances (pF). Where qrouter has lost its way, `ERROR` stands for a pin.

use crate::FormatError;

/// The wires of a net.
#[derive(Clone, Debug, PartialEq)]
pub struct Net {
    /// Its name.
    pub name: String,
    /// The pin that the tree begins at.
    pub driver: Terminal,
    /// How many other pins the net has, by qrouter's count.
    pub sinks: usize,
    /// The pieces of wire, each behind the one that it follows.
    pub pieces: Vec<Piece>,
}

/// A piece of wire from one branch to the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    /// The piece that it follows, an index of [`Net::pieces`]; none at the driver.
    pub follows: Option<usize>,
    /// Ω.
    pub resistance: f64,
    /// pF.
    pub capacitance: f64,
    /// The pin at its end, if there is one.
    pub terminal: Option<Terminal>,
    /// Whether qrouter should have a pin here and does not know which: `ERROR`.
    pub is_lost: bool,
}

/// A pin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Terminal {
    /// A pin of the design.
    Port(String),
    /// A pin of an instance.
    Pin {
        /// The instance.
        instance: String,
        /// Its pin.
        pin: String,
    },
}

impl Terminal {
    fn parse(word: &str) -> Option<Self> {
        if let Some(port) = word.strip_prefix("PIN/") {
            return (!port.is_empty()).then(|| Self::Port(port.to_owned()));
        }
        let (instance, pin) = word.rsplit_once('/')?;
        let is_whole = !instance.is_empty() && !pin.is_empty();
        is_whole.then(|| Self::Pin { instance: instance.to_owned(), pin: pin.to_owned() })
    }
}

impl Net {
    /// Whether the tree does not reach each pin once.
    #[must_use]
    pub fn is_incomplete(&self) -> bool {
        let reached = self.pieces.iter().filter(|piece| piece.terminal.is_some()).count();
        reached != self.sinks || self.pieces.iter().any(|piece| piece.is_lost)
    }

    /// The capacitance of all pieces, in pF.
    #[must_use]
    pub fn capacitance(&self) -> f64 {
        self.pieces.iter().map(|piece| piece.capacitance).sum()
    }
}

/// Reads the file.
///
/// # Errors
/// At the first line that is not a whole tree, as where the disk was full.
pub fn parse(text: &str) -> Result<Vec<Net>, FormatError> {
    let lines = (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty());
    lines.map(|(line, text)| net(line, text)).collect()
}

fn net(line: usize, text: &str) -> Result<Net, FormatError> {
    let mut words = text.split_whitespace();
    let mut next = |what: &str| words.next().ok_or_else(|| error(line, what, ""));
    let name = next("a net")?.to_owned();
    let drivers = next("`1`, the number of drivers")?;
    if drivers != "1" {
        return Err(error(line, "`1`, the number of drivers", drivers));
    }
    let driver = next("a driver")?;
    let driver = Terminal::parse(driver).ok_or_else(|| error(line, "a driver `INSTANCE/PIN` or `PIN/PORT`", driver))?;
    let sinks = next("the number of pins")?;
    let sinks = sinks.parse().map_err(|_| error(line, "the number of pins", sinks))?;
    let mut pieces: Vec<Piece> = Vec::new();
    // The pieces whose parentheses are open. Trees are as deep as nets have branches, so this is no recursion.
    let mut open: Vec<usize> = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "(" => {
                let mut number = |what: &str| {
                    let word = words.next().unwrap_or_default();
                    word.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(|| error(line, what, word))
                };
                let (resistance, capacitance) = (number("a resistance")?, number("a capacitance")?);
                let follows = open.last().copied();
                open.push(pieces.len());
                pieces.push(Piece { follows, resistance, capacitance, terminal: None, is_lost: false });
            }
            ")" if open.pop().is_some() => {}
            ")" => return Err(error(line, "as many `(` as `)`", word)),
            "," => {}
            word => {
                let piece = open.last().and_then(|index| pieces.get_mut(*index));
                let piece = piece.ok_or_else(|| error(line, "`(` before a pin", word))?;
                if word == "ERROR" {
                    piece.is_lost = true;
                } else if piece.terminal.is_some() {
                    return Err(error(line, "one pin at the end of a piece of wire", word));
                } else {
                    let terminal = Terminal::parse(word);
                    piece.terminal =
                        Some(terminal.ok_or_else(|| error(line, "a pin `INSTANCE/PIN` or `PIN/PORT`", word))?);
                }
            }
        }
    }
    if !open.is_empty() {
        return Err(error(line, "as many `)` as `(`", ""));
    }
    Ok(Net { name, driver, sinks, pieces })
}

fn error(line: usize, expected: &str, found: &str) -> FormatError {
    let found = if found.is_empty() { "the end of the line".to_owned() } else { format!("`{found}`") };
    FormatError::Line { format: "qrouter RC", line, expected: expected.to_owned(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str =
        "n1 1 u1/Y 3 ( 1.5 0.002 ( 2 0.001 u2/A , ( 3 0 PIN/q[0] ) ) , ( 0 0 ERROR ) , ( 4 1e-05 u3/B ) )";

    #[test]
    fn a_tree_is_read_with_its_pins() {
        let nets = parse(&format!("{LINE} \n")).unwrap();
        let net = &nets[0];
        let pin = |instance: &str, pin: &str| Terminal::Pin { instance: instance.into(), pin: pin.into() };
        assert_eq!((net.name.as_str(), &net.driver, net.sinks), ("n1", &pin("u1", "Y"), 3));
        let follows: Vec<_> = net.pieces.iter().map(|piece| piece.follows).collect();
        assert_eq!(follows, [None, Some(0), Some(1), Some(0), Some(0)]);
        assert_eq!(net.pieces[2].terminal, Some(Terminal::Port("q[0]".into())));
        assert_eq!(net.pieces[4].capacitance, 1e-5);
        assert!(net.pieces[3].is_lost && net.is_incomplete());
        let whole = parse(&LINE.replace(" ( 0 0 ERROR ) ,", "")).unwrap();
        assert!(!whole[0].is_incomplete());
        assert!((net.capacitance() - 0.00301).abs() < 1e-9);
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        let message = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(message(&LINE[..60]), "qrouter RC, line 1: expected as many `)` as `(`, found the end of the line");
        assert!(message("n1 1 u1 1").contains("a driver `INSTANCE/PIN`"));
        assert!(message("\nn1 1 u1/Y 1 ( x 1 u2/A )").starts_with("qrouter RC, line 2: expected a resistance"));
        assert!(message("n1 1 u1/Y 1 u2/A").contains("`(` before a pin"));
        assert!(message("n1 1 u1/Y 1 ( 1 1 u2/A ) )").contains("as many `(` as `)`"));
        // Deep trees need no stack.
        let deep = format!("n 1 PIN/a 1 {} u/A {}", "( 1 1 ".repeat(100_000), ") ".repeat(100_000));
        assert_eq!(parse(&deep).unwrap()[0].pieces.len(), 100_000);
    }
}
