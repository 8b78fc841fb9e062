//! The pin order file of OpenLane's flows (`IO_PIN_ORDER_CFG`): which pins stand on which side of the block.
//!
//! ```text
//! @min_distance=0.8     before the first side: for all sides; after it: for that side
//! @bit_major            pins of buses are sorted by bit, then by name; @bus_major, by name, then by bit, is usual
//! #N                    a side: N, E, S or W; with R behind it, its pins stand in reverse
//! clk                   a regular expression of pins
//! $2                    room for so many pins
//! ```
//!
//! Words are separated by blanks and line breaks. Source: the format as LibreLane 3.0 reads it. What that reads
//! otherwise than it looks, such as `#NX` or a side that stands there twice, is an error here.

use tapeout_model::Decimal;

use crate::FormatError;

/// In which order the pins of buses stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BusOrder {
    /// Bus by bus: `a[0] a[1] b[0] b[1]`.
    #[default]
    BusMajor,
    /// Bit by bit: `a[0] b[0] a[1] b[1]`.
    BitMajor,
}

/// What stands on a side.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pin {
    /// All pins whose names match this regular expression.
    Pattern(String),
    /// Room for so many pins.
    Room(u32),
}

/// One side of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// The least distance between its pins in µm.
    pub min_distance: Option<Decimal>,
    /// Whether its pins stand in reverse: north and south from right to left, east and west from top to bottom.
    pub reverse: bool,
    /// How its pins are sorted that one expression matches.
    pub order: BusOrder,
    /// Its pins, from left to right or from bottom to top.
    pub pins: Vec<Pin>,
}

/// The four sides of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PinOrder {
    /// The upper side.
    pub north: Side,
    /// The right side.
    pub east: Side,
    /// The lower side.
    pub south: Side,
    /// The left side.
    pub west: Side,
}

const FORMAT: &str = "pin order";
const SIDES: [char; 4] = ['N', 'E', 'S', 'W'];

/// Reads a pin order file.
///
/// # Errors
/// The first line that is wrong.
pub fn parse(text: &str) -> Result<PinOrder, FormatError> {
    let mut reader = Reader::default();
    for (index, line) in text.lines().enumerate() {
        let mut rest = line.trim();
        while !rest.is_empty() {
            let after = reader.read(rest).map_err(|(expected, found)| FormatError::Line {
                format: FORMAT,
                line: index + 1,
                expected,
                found,
            })?;
            rest = after.trim_start();
        }
    }
    let [north, east, south, west] = reader.sides.map(|side| side.unwrap_or_else(|| reader.all.clone()));
    Ok(PinOrder { north, east, south, west })
}

/// What was expected and what was found.
type Wrong = (String, String);

#[derive(Default)]
struct Reader {
    /// What holds for each side that does not say otherwise.
    all: Side,
    sides: [Option<Side>; 4],
    /// The side that is being told of.
    current: Option<usize>,
}

impl Reader {
    /// Reads what the text begins with; gives what follows.
    fn read<'t>(&mut self, text: &'t str) -> Result<&'t str, Wrong> {
        if let Some(annotation) = text.strip_prefix('@') {
            self.annotation(annotation.trim_start())
        } else if let Some(side) = text.strip_prefix('#') {
            let (side, rest) = word(side.trim_start());
            self.begin(side).map(|()| rest)
        } else if let Some(room) = text.strip_prefix('$') {
            let (room, rest) = word(room.trim_start());
            let pins = room.parse().map_err(|_| wrong("a number of pins after `$`", room))?;
            self.add(Pin::Room(pins), &format!("${room}")).map(|()| rest)
        } else {
            let (pattern, rest) = word(text);
            self.add(Pin::Pattern(pattern.to_owned()), pattern).map(|()| rest)
        }
    }

    fn annotation<'t>(&mut self, text: &'t str) -> Result<&'t str, Wrong> {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        let (value, rest) = match rest.trim_start().strip_prefix('=') {
            Some(rest) => {
                let (value, rest) = word(rest.trim_start());
                (Some(value), rest)
            }
            None => (None, rest),
        };
        let order = match name {
            "min_distance" => {
                let value = value.ok_or_else(|| wrong("`@min_distance` with a value: `@min_distance=0.8`", ""))?;
                let distance: Option<Decimal> = value.parse().ok();
                let distance = distance.filter(|distance| *distance >= Decimal::ZERO && distance.is_finite());
                self.side().min_distance = Some(distance.ok_or_else(|| wrong("a distance in µm", value))?);
                return Ok(rest);
            }
            "bus_major" => BusOrder::BusMajor,
            "bit_major" => BusOrder::BitMajor,
            _ => return Err(wrong("`@min_distance`, `@bus_major` or `@bit_major`", &format!("@{name}"))),
        };
        if let Some(value) = value {
            return Err(wrong(&format!("`@{name}` without a value"), &format!("={value}")));
        }
        self.side().order = order;
        Ok(rest)
    }

    /// The side that an annotation is for.
    fn side(&mut self) -> &mut Side {
        match self.current {
            Some(side) => self.sides[side].get_or_insert_default(),
            None => &mut self.all,
        }
    }

    fn begin(&mut self, name: &str) -> Result<(), Wrong> {
        // What `@bit_major` was once.
        if name == "BUS_SORT" {
            self.all.order = BusOrder::BitMajor;
            return Ok(());
        }
        let (letter, reverse) = name.strip_suffix('R').map_or((name, false), |letter| (letter, true));
        let known = SIDES.iter().position(|side| letter.len() == 1 && letter.starts_with(*side));
        let side = known.ok_or_else(|| wrong("`#N`, `#E`, `#S` or `#W`, with `R` for reverse", &format!("#{name}")))?;
        if self.sides[side].is_some() {
            return Err(wrong("each side once", &format!("another #{letter}")));
        }
        self.sides[side] = Some(Side { reverse, ..self.all.clone() });
        self.current = Some(side);
        Ok(())
    }

    fn add(&mut self, pin: Pin, words: &str) -> Result<(), Wrong> {
        if self.current.is_none() {
            return Err(wrong("a side such as `#N` before the first pin", words));
        }
        self.side().pins.push(pin);
        Ok(())
    }
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

fn wrong(expected: &str, found: &str) -> Wrong {
    (expected.to_owned(), if found.is_empty() { "nothing".to_owned() } else { format!("`{found}`") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(pins: &[&str]) -> Vec<Pin> {
        pins.iter().map(|pin| Pin::Pattern((*pin).to_owned())).collect()
    }

    #[test]
    fn sides_have_what_is_said_of_all_and_of_them() {
        let text = "@bit_major @min_distance = 0.50\n#NR\n@ min_distance=2\na\\[.*\\]  b\n$ 3\n\n# S @bus_major clk\n";
        let order = parse(text).unwrap();
        let all = Side { min_distance: "0.5".parse().ok(), order: BusOrder::BitMajor, ..Side::default() };
        let mut pins = patterns(&["a\\[.*\\]", "b"]);
        pins.push(Pin::Room(3));
        assert_eq!(order.north, Side { min_distance: "2".parse().ok(), reverse: true, pins, ..all.clone() });
        assert_eq!(order.south, Side { order: BusOrder::BusMajor, pins: patterns(&["clk"]), ..all.clone() });
        assert_eq!((order.east, order.west), (all.clone(), all));
        assert_eq!(parse("#E\nx\n#BUS_SORT\n#W\ny").unwrap().west.order, BusOrder::BitMajor);
        assert_eq!(parse(""), Ok(PinOrder::default()));
    }

    #[test]
    fn errors_have_a_line() {
        let cases = [
            ("@nope", "expected `@min_distance`, `@bus_major` or `@bit_major`, found `@nope`"),
            ("@bus_major=1", "expected `@bus_major` without a value, found `=1`"),
            ("@min_distance", "expected `@min_distance` with a value: `@min_distance=0.8`, found nothing"),
            ("@min_distance=-1", "expected a distance in µm, found `-1`"),
            ("#N", "expected each side once, found `another #N`"),
            ("#NX", "expected `#N`, `#E`, `#S` or `#W`, with `R` for reverse, found `#NX`"),
            ("# pins of the north", "expected `#N`, `#E`, `#S` or `#W`, with `R` for reverse, found `#pins`"),
            ("$x", "expected a number of pins after `$`, found `x`"),
        ];
        for (line, message) in cases {
            let error = parse(&format!("#N\n{line}\n")).unwrap_err();
            assert_eq!(error.to_string(), format!("pin order, line 2: {message}"));
        }
        for pin in ["$8", "a.*"] {
            let message =
                format!("pin order, line 1: expected a side such as `#N` before the first pin, found `{pin}`");
            assert_eq!(parse(pin).unwrap_err().to_string(), message);
        }
    }
}
