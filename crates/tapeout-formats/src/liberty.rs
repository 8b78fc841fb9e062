//! Liberty, the description of a cell library for timing: which cells there are, their pins, areas and storage, and the
//! conditions that it holds for. Tables of delays and powers are passed over: timing is OpenSTA's.
//!
//! Source of the format: the Liberty User Guide (2017.06), volume 1, chapter 1: groups `name (arguments) { … }`, simple
//! attributes `name : value;` and complex ones `name (arguments);`. A semicolon may be missing at the end of a line, as it
//! is in many libraries. The crates that read Liberty build all of it as a tree of tables, for which there is no use here.

mod lexer;
pub mod model;

use std::ops::Range;

use crate::FormatError;
use lexer::{Lexer, Token};

/// A library.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// Its name.
    pub name: String,
    /// `nom_process`, a factor.
    pub nominal_process: Option<f64>,
    /// `nom_voltage`, in volts.
    pub nominal_voltage: Option<f64>,
    /// `nom_temperature`, in degrees Celsius.
    pub nominal_temperature: Option<f64>,
    /// `time_unit` as it is written: `1ns`.
    pub time_unit: Option<String>,
    /// `capacitive_load_unit` as it is written: `1pf`.
    pub capacitance_unit: Option<String>,
    /// `leakage_power_unit` as it is written: `1nW`.
    pub leakage_unit: Option<String>,
    /// How delays and slews are measured: attributes such as `slew_upper_threshold_pct_rise`, with their values.
    pub measures: Vec<(String, f64)>,
    /// Its cells, in the order of the file.
    pub cells: Vec<Cell>,
}

/// A cell.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    /// Its name.
    pub name: String,
    /// In the library's unit of area, which is µm² nearly everywhere.
    pub area: Option<f64>,
    /// In [`Library::leakage_unit`].
    pub leakage: Option<f64>,
    /// `dont_use`: no tool may pick it.
    pub dont_use: bool,
    /// The pins of supplies (`pg_pin`) are none of these.
    pub pins: Vec<Pin>,
    /// What it stores, if it does.
    pub storage: Option<Storage>,
    /// The bytes of the text that it stands in, from its name to its closing brace.
    pub range: Range<usize>,
}

/// A pin of a cell. One of a bus has the bus' direction where it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pin {
    /// Its name.
    pub name: String,
    /// Where signals go.
    pub direction: Option<Direction>,
    /// The function of an output, in Liberty's notation: `(!(A B))`.
    pub function: Option<String>,
    /// When an output is high-impedance, in the same notation.
    pub three_state: Option<String>,
    /// In [`Library::capacitance_unit`].
    pub capacitance: Option<f64>,
    /// What it may drive, in the same unit.
    pub max_capacitance: Option<f64>,
    /// Whether it is a clock.
    pub is_clock: bool,
}

/// The direction of a pin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Into the cell.
    Input,
    /// Out of the cell.
    Output,
    /// Both.
    Inout,
    /// Of no concern outside.
    Internal,
}

/// What a cell stores. Expressions are in Liberty's notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// A latch rather than a flip-flop.
    pub is_latch: bool,
    /// The names of the stored value and of its complement in the functions of outputs.
    pub state: (String, String),
    /// `clocked_on` of a flip-flop, `enable` of a latch.
    pub clock: String,
    /// `next_state` of a flip-flop, `data_in` of a latch.
    pub data: String,
    /// When it is cleared.
    pub clear: Option<String>,
    /// When it is set.
    pub preset: Option<String>,
}

impl Library {
    /// The cell of that name.
    #[must_use]
    pub fn cell(&self, name: &str) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.name == name)
    }
}

impl Cell {
    /// The pin of that name.
    #[must_use]
    pub fn pin(&self, name: &str) -> Option<&Pin> {
        self.pins.iter().find(|pin| pin.name == name)
    }
}

/// What errors call the format.
pub(crate) const FORMAT: &str = "Liberty";

/// Reads a library.
///
/// # Errors
/// The first place at which the text is no Liberty, or an attribute that is read has no value that makes sense.
pub fn parse(text: &str) -> Result<Library, FormatError> {
    let mut reader = Reader { lexer: Lexer::new(text) };
    let mut library = None;
    while reader.lexer.peek()?.is_some() {
        match reader.item()? {
            Some(Item::Group { name: "library", args, .. }) if library.is_none() => {
                library = Some(reader.library(first(args))?);
            }
            Some(Item::Group { .. }) => reader.skip()?,
            Some(Item::Attribute { .. }) | None => {}
        }
    }
    library.ok_or(FormatError::Missing {
        format: FORMAT,
        expected: "a group `library (NAME) {`".to_owned(),
        lines: text.lines().count(),
    })
}

/// The text without the cells that `is_left_out` names. What else stands there stays as it is.
///
/// # Errors
/// As for [`parse`].
pub fn without_cells(text: &str, is_left_out: impl Fn(&str) -> bool) -> Result<String, FormatError> {
    let library = parse(text)?;
    let mut rest = String::with_capacity(text.len());
    let mut from = 0;
    for cell in library.cells.iter().filter(|cell| is_left_out(&cell.name)) {
        rest.push_str(text.get(from..cell.range.start).unwrap_or_default());
        from = cell.range.end;
    }
    rest.push_str(text.get(from..).unwrap_or_default());
    Ok(rest)
}

/// What stands in a group.
enum Item<'t> {
    /// A group whose brace is open.
    Group { name: &'t str, args: Vec<&'t str>, start: usize },
    /// An attribute.
    Attribute { name: &'t str, values: Vec<&'t str>, line: usize },
}

struct Reader<'t> {
    lexer: Lexer<'t>,
}

impl<'t> Reader<'t> {
    /// The next item; nothing where the group ends.
    fn item(&mut self) -> Result<Option<Item<'t>>, FormatError> {
        loop {
            let (start, line) = self.lexer.start();
            let name = match self.lexer.next()? {
                None => return Err(self.wrong_or_end(line, "`}` at the end of a group", None)),
                Some(Token::Close) => return Ok(None),
                Some(Token::Semicolon) => continue,
                Some(Token::Word(name)) => name,
                Some(other) => return Err(self.wrong(line, "the name of a group or attribute", &other)),
            };
            return match self.lexer.next()? {
                Some(Token::Colon) => {
                    let values = vec![self.lexer.value()?];
                    Ok(Some(Item::Attribute { name, values, line }))
                }
                Some(Token::Open) => {
                    let args = self.arguments()?;
                    if self.lexer.peek()? == Some(Token::OpenBrace) {
                        self.lexer.next()?;
                        return Ok(Some(Item::Group { name, args, start }));
                    }
                    Ok(Some(Item::Attribute { name, values: args, line }))
                }
                other => Err(self.wrong_or_end(line, "`:` or `(`", other.as_ref())),
            };
        }
    }

    /// What stands in parentheses that are open.
    fn arguments(&mut self) -> Result<Vec<&'t str>, FormatError> {
        let mut args = Vec::new();
        loop {
            let line = self.lexer.start().1;
            match self.lexer.next()? {
                Some(Token::End) => return Ok(args),
                Some(Token::Comma) => {}
                Some(Token::Word(word) | Token::Text(word)) => args.push(word),
                other => return Err(self.wrong_or_end(line, "`)`", other.as_ref())),
            }
        }
    }

    /// Passes over the rest of a group.
    fn skip(&mut self) -> Result<(), FormatError> {
        let mut depth = 1_usize;
        let line = self.lexer.start().1;
        while depth > 0 {
            match self.lexer.next()? {
                Some(Token::OpenBrace) => depth += 1,
                Some(Token::Close) => depth -= 1,
                Some(_) => {}
                None => return Err(self.wrong_or_end(line, "`}` of the group that is open here", None)),
            }
        }
        Ok(())
    }

    fn library(&mut self, name: String) -> Result<Library, FormatError> {
        let mut library = Library { name, ..Library::default() };
        while let Some(item) = self.item()? {
            match item {
                Item::Group { name: "cell", args, start } => {
                    let mut cell = self.cell(first(args))?;
                    cell.range = start..self.lexer.end();
                    library.cells.push(cell);
                }
                Item::Group { .. } => self.skip()?,
                Item::Attribute { name, values, line } => match name {
                    "nom_process" => library.nominal_process = Some(number(&values, line)?),
                    "nom_voltage" => library.nominal_voltage = Some(number(&values, line)?),
                    "nom_temperature" => library.nominal_temperature = Some(number(&values, line)?),
                    "time_unit" => library.time_unit = Some(first(values)),
                    "capacitive_load_unit" => library.capacitance_unit = Some(values.concat()),
                    "leakage_power_unit" => library.leakage_unit = Some(first(values)),
                    name if name.contains("_threshold_pct_") || name == "slew_derate_from_library" => {
                        library.measures.push((name.to_owned(), number(&values, line)?));
                    }
                    _ => {}
                },
            }
        }
        Ok(library)
    }

    fn cell(&mut self, name: String) -> Result<Cell, FormatError> {
        let mut cell = Cell { name, ..Cell::default() };
        while let Some(item) = self.item()? {
            match item {
                Item::Group { name: "pin", args, .. } => self.pins(&mut cell.pins, &args, None)?,
                Item::Group { name: "bus" | "bundle", .. } => self.bus(&mut cell.pins)?,
                Item::Group { name: name @ ("ff" | "latch"), args, .. } => {
                    cell.storage = Some(self.storage(name == "latch", &args)?);
                }
                Item::Group { .. } => self.skip()?,
                Item::Attribute { name: "area", values, line } => cell.area = Some(number(&values, line)?),
                Item::Attribute { name: "cell_leakage_power", values, line } => {
                    cell.leakage = Some(number(&values, line)?);
                }
                Item::Attribute { name: "dont_use", values, .. } => cell.dont_use = first(values) == "true",
                Item::Attribute { .. } => {}
            }
        }
        Ok(cell)
    }

    /// A group `pin`, which may be for several.
    fn pins(&mut self, pins: &mut Vec<Pin>, names: &[&str], bus: Option<Direction>) -> Result<(), FormatError> {
        let mut pin = Pin { direction: bus, ..Pin::default() };
        while let Some(item) = self.item()? {
            let Item::Attribute { name, values, line } = item else {
                self.skip()?;
                continue;
            };
            match name {
                "direction" => pin.direction = Some(direction(&values, line)?),
                "function" => pin.function = Some(first(values)),
                "three_state" => pin.three_state = Some(first(values)),
                "capacitance" => pin.capacitance = Some(number(&values, line)?),
                "max_capacitance" => pin.max_capacitance = Some(number(&values, line)?),
                "clock" => pin.is_clock = first(values) == "true",
                _ => {}
            }
        }
        pins.extend(names.iter().map(|name| Pin { name: (*name).to_owned(), ..pin.clone() }));
        Ok(())
    }

    fn bus(&mut self, pins: &mut Vec<Pin>) -> Result<(), FormatError> {
        let mut of_bus = None;
        while let Some(item) = self.item()? {
            match item {
                Item::Group { name: "pin", args, .. } => self.pins(pins, &args, of_bus)?,
                Item::Group { .. } => self.skip()?,
                Item::Attribute { name: "direction", values, line } => of_bus = Some(direction(&values, line)?),
                Item::Attribute { .. } => {}
            }
        }
        Ok(())
    }

    fn storage(&mut self, is_latch: bool, state: &[&str]) -> Result<Storage, FormatError> {
        let name = |index: usize| state.get(index).copied().unwrap_or_default().to_owned();
        let mut storage = Storage {
            is_latch,
            state: (name(0), name(1)),
            clock: String::new(),
            data: String::new(),
            clear: None,
            preset: None,
        };
        while let Some(item) = self.item()? {
            let Item::Attribute { name, values, .. } = item else {
                self.skip()?;
                continue;
            };
            match name {
                "clocked_on" | "enable" => storage.clock = first(values),
                "next_state" | "data_in" => storage.data = first(values),
                "clear" => storage.clear = Some(first(values)),
                "preset" => storage.preset = Some(first(values)),
                _ => {}
            }
        }
        Ok(storage)
    }

    fn wrong(&self, line: usize, expected: &str, found: &Token<'_>) -> FormatError {
        FormatError::Line { format: FORMAT, line, expected: expected.to_owned(), found: found.to_string() }
    }

    fn wrong_or_end(&self, line: usize, expected: &str, found: Option<&Token<'_>>) -> FormatError {
        let found = found.map_or_else(|| "the end of the text".to_owned(), ToString::to_string);
        FormatError::Line { format: FORMAT, line, expected: expected.to_owned(), found }
    }
}

fn first(values: Vec<&str>) -> String {
    values.first().copied().unwrap_or_default().to_owned()
}

fn number(values: &[&str], line: usize) -> Result<f64, FormatError> {
    let text = values.first().copied().unwrap_or_default();
    text.trim().parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| FormatError::Line {
        format: FORMAT,
        line,
        expected: "a number".to_owned(),
        found: format!("`{text}`"),
    })
}

fn direction(values: &[&str], line: usize) -> Result<Direction, FormatError> {
    match values.first().copied().unwrap_or_default() {
        "input" => Ok(Direction::Input),
        "output" => Ok(Direction::Output),
        "inout" => Ok(Direction::Inout),
        "internal" => Ok(Direction::Internal),
        other => Err(FormatError::Line {
            format: FORMAT,
            line,
            expected: "`input`, `output`, `inout` or `internal`".to_owned(),
            found: format!("`{other}`"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"/* two cells */
library("small") {
  nom_process : 1; nom_voltage : 3.3
  nom_temperature : 25;
  capacitive_load_unit (1,pf);
  time_unit : "1ns";
  lu_table_template(t) { variable_1 : x; index_1 ("1, 2"); }
  cell (NAND2) { // two inputs
    area : 96;
    dont_use : true;
    pin(A, B) { direction : input; capacitance : 0.01; }
    pin ( Y ) { direction : output; function : "(!(A B))"; max_capacitance : 0.4;
      timing() { related_pin : "A"; cell_rise(t) { values ("1, 2", \
        "3, 4"); } }
    }
  }
  cell("LATCH") {
    latch (IQ,IQN) { enable : "CLK"; data_in : "D"; clear : "!R"; }
    pin(CLK) { clock : true; direction : input; }
    bus (D) { direction : input; pin (D[0]) { capacitance : 1; } }
  }
}
"#;

    #[test]
    fn cells_pins_and_conditions_are_read() {
        let library = parse(TEXT).unwrap();
        assert_eq!((library.name.as_str(), library.nominal_voltage), ("small", Some(3.3)));
        assert_eq!(library.capacitance_unit.as_deref(), Some("1pf"));
        let nand = library.cell("NAND2").unwrap();
        assert_eq!((nand.area, nand.dont_use, nand.pins.len()), (Some(96.0), true, 3));
        assert_eq!(nand.pin("B").unwrap().capacitance, Some(0.01));
        assert_eq!(nand.pin("Y").unwrap().function.as_deref(), Some("(!(A B))"));
        assert!(TEXT[nand.range.clone()].starts_with("cell (NAND2)") && TEXT[nand.range.clone()].ends_with("}\n  }"));
        let latch = library.cell("LATCH").unwrap();
        let storage = latch.storage.as_ref().unwrap();
        assert!(storage.is_latch && storage.state.0 == "IQ" && storage.clear.as_deref() == Some("!R"));
        assert!(latch.pin("CLK").unwrap().is_clock);
        assert_eq!(latch.pin("D[0]").unwrap().direction, Some(Direction::Input));
    }

    #[test]
    fn cells_can_be_left_out_of_the_text() {
        let rest = without_cells(TEXT, |name| name == "NAND2").unwrap();
        let names: Vec<String> = parse(&rest).unwrap().cells.into_iter().map(|cell| cell.name).collect();
        assert_eq!(names, ["LATCH"]);
        assert_eq!(without_cells(TEXT, |_| false).unwrap(), TEXT);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_line() {
        let cases = [
            ("library (a) {\n  cell (b) {\n area : x;\n}}", "Liberty, line 3: expected a number, found `x`"),
            ("library (a) {\n cell {", "Liberty, line 2: expected `:` or `(`, found `{`"),
            (
                "library (a) {\n t (b) {",
                "Liberty, line 2: expected `}` of the group that is open here, found the end of the text",
            ),
            (
                "library (a) {\n t : \"b",
                "Liberty, line 2: expected `\"` at the end of a text, found the end of the text",
            ),
            (
                "library (a) { cell (b) {}\n",
                "Liberty, line 2: expected `}` at the end of a group, found the end of the text",
            ),
            ("cell (a) {}", "Liberty: expected a group `library (NAME) {`, not found in 1 lines"),
        ];
        for (text, error) in cases {
            assert_eq!(parse(text).unwrap_err().to_string(), error, "{text}");
        }
    }

    #[test]
    fn no_beginning_of_a_library_makes_it_panic() {
        for end in (0..TEXT.len()).filter(|end| TEXT.is_char_boundary(*end)) {
            let _ = parse(&TEXT[..end]);
            let _ = without_cells(&TEXT[end..], |_| true);
        }
    }
}
