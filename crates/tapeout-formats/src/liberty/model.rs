//! A timing model of a block, written as Liberty: what a parent needs to analyse the paths that begin or end in the block.
//! Written only; [`super::parse`] reads it as any library.
//!
//! Source of the format: as of [`super`]. Delays are tables over the load, constraints are single numbers. A pair of pins
//! has two groups of delays, the latest and the earliest, of which analysis takes the worse one for setup and for hold.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::yosys_netlist::{Direction, Port};

/// A model of one block in one corner. Times are in ns, capacitances in pF.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Model {
    /// The block.
    pub cell: String,
    /// What the library is called.
    pub library: String,
    /// What readers should know, line by line: the file begins with it.
    pub remarks: Vec<String>,
    /// Process, voltage in V, temperature in °C.
    pub conditions: [Option<f64>; 3],
    /// How times are measured, as [`super::Library::measures`].
    pub measures: Vec<(String, f64)>,
    /// In µm².
    pub area: f64,
    /// The ports as declared.
    pub ports: Vec<(String, Port)>,
    /// The inputs that are clocks.
    pub clocks: Vec<String>,
    /// The loads of all tables, ascending.
    pub loads: Vec<f64>,
    /// What an input loads its driver with, by bit.
    pub capacitances: BTreeMap<String, f64>,
    /// The delays to outputs, by output and related pin.
    pub delays: BTreeMap<(String, String), Delays>,
    /// The constraints of inputs, by input and clock.
    pub checks: BTreeMap<(String, String), Checks>,
}

/// Of rising and of falling edges.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edges<T> {
    /// At rising edges of the data.
    pub rise: T,
    /// At falling edges of the data.
    pub fall: T,
}

impl<T> Edges<T> {
    /// The value of an edge by its name, `rise` or `fall`.
    pub fn of(&mut self, edge: &str) -> Option<&mut T> {
        match edge {
            "rise" => Some(&mut self.rise),
            "fall" => Some(&mut self.fall),
            _ => None,
        }
    }
}

/// Delays and slews at an output, one for each load.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Delays {
    /// Of the longest paths.
    pub latest: Edges<Vec<(f64, f64)>>,
    /// Of the shortest paths.
    pub earliest: Edges<Vec<(f64, f64)>>,
}

/// How long before and after the rising edge of the clock an input has to stay. Negative is the other way round.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checks {
    /// Before the edge.
    pub setup: Edges<Option<f64>>,
    /// After the edge.
    pub hold: Edges<Option<f64>>,
}

impl Model {
    /// The text of the library.
    #[must_use]
    pub fn write(&self) -> String {
        let mut text = String::from("/*\n");
        for line in &self.remarks {
            let _ = writeln!(text, " * {}", line.replace("*/", "* /"));
        }
        let _ = writeln!(text, " */\nlibrary ({}) {{", self.library);
        text.push_str(HEAD);
        for (name, value) in ["nom_process", "nom_voltage", "nom_temperature"].iter().zip(self.conditions) {
            if let Some(value) = value {
                let _ = writeln!(text, "  {name} : {value};");
            }
        }
        for (name, value) in &self.measures {
            let _ = writeln!(text, "  {name} : {value};");
        }
        let loads: Vec<String> = self.loads.iter().map(|load| number(*load)).collect();
        let _ = writeln!(
            text,
            "  lu_table_template (load) {{\n    variable_1 : total_output_net_capacitance;\n    index_1 (\"{}\");\n  }}",
            loads.join(", ")
        );
        for (name, port) in &self.ports {
            let Some((left, right)) = port.range() else { continue };
            let _ = writeln!(
                text,
                "  type ({name}_bits) {{\n    base_type : array;\n    data_type : bit;\n    bit_width : {};\n    bit_from : \
                 {left};\n    bit_to : {right};\n    downto : {};\n  }}",
                port.width,
                left >= right
            );
        }
        let _ =
            writeln!(text, "  cell ({}) {{\n    area : {};\n    is_macro_cell : true;", self.cell, number(self.area));
        text.push_str("    dont_touch : true;\n    dont_use : true;\n    interface_timing : true;\n");
        // What outputs do is not told, and OpenSTA 2.0.17 crashes in its report of power where an output has delays and no
        // function: each is a state of which nothing is known.
        let clock = self.clocks.first().map_or("0", String::as_str);
        let _ = writeln!(
            text,
            "    ff ({STATE}, {STATE}_n) {{\n      clocked_on : \"{clock}\";\n      next_state : \"{STATE}\";\n    }}"
        );
        for (name, port) in &self.ports {
            if port.range().is_none() {
                self.pin(&mut text, name, port.direction, "    ");
                continue;
            }
            let _ = writeln!(text, "    bus ({name}) {{\n      bus_type : {name}_bits;");
            let _ = writeln!(text, "      direction : {};", word(port.direction));
            for bit in port.bit_names(name) {
                self.pin(&mut text, &bit, port.direction, "      ");
            }
            text.push_str("    }\n");
        }
        text.push_str("  }\n}\n");
        text
    }

    fn pin(&self, text: &mut String, name: &str, direction: Direction, indent: &str) {
        let _ = writeln!(text, "{indent}pin ({name}) {{\n{indent}  direction : {};", word(direction));
        if direction != Direction::Output {
            let capacitance = self.capacitances.get(name).copied().unwrap_or_default();
            let _ = writeln!(text, "{indent}  capacitance : {};", number(capacitance));
        }
        if direction != Direction::Input {
            let _ = writeln!(text, "{indent}  function : \"{STATE}\";");
        }
        if self.clocks.iter().any(|clock| clock == name) {
            let _ = writeln!(text, "{indent}  clock : true;");
        }
        for ((_, clock), checks) in self.checks.iter().filter(|((pin, _), _)| pin == name) {
            for (kind, edges) in [("setup_rising", &checks.setup), ("hold_rising", &checks.hold)] {
                constraint(text, clock, kind, edges, indent);
            }
        }
        for ((_, related), delays) in self.delays.iter().filter(|((pin, _), _)| pin == name) {
            let kind = if self.clocks.contains(related) { "rising_edge" } else { "combinational" };
            delay(text, related, kind, &delays.latest, indent);
            if delays.earliest != delays.latest {
                delay(text, related, kind, &delays.earliest, indent);
            }
        }
        let _ = writeln!(text, "{indent}}}");
    }
}

const STATE: &str = "unknown_state";

const HEAD: &str = "  delay_model : table_lookup;
  time_unit : \"1ns\";
  voltage_unit : \"1V\";
  current_unit : \"1mA\";
  pulling_resistance_unit : \"1kohm\";
  leakage_power_unit : \"1nW\";
  capacitive_load_unit (1, pf);
";

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Input => "input",
        Direction::Output => "output",
        Direction::Inout => "inout",
    }
}

fn constraint(text: &mut String, clock: &str, kind: &str, edges: &Edges<Option<f64>>, indent: &str) {
    if *edges == Edges::default() {
        return;
    }
    open(text, clock, kind, indent);
    for (name, value) in [("rise_constraint", edges.rise), ("fall_constraint", edges.fall)] {
        if let Some(value) = value {
            let _ = writeln!(text, "{indent}    {name} (scalar) {{ values (\"{}\"); }}", number(value));
        }
    }
    let _ = writeln!(text, "{indent}  }}");
}

fn delay(text: &mut String, related: &str, kind: &str, edges: &Edges<Vec<(f64, f64)>>, indent: &str) {
    if *edges == Edges::default() {
        return;
    }
    open(text, related, kind, indent);
    let _ = writeln!(text, "{indent}    timing_sense : non_unate;");
    for (edge, values) in [("rise", &edges.rise), ("fall", &edges.fall)] {
        if values.is_empty() {
            continue;
        }
        let list = |of: fn(&(f64, f64)) -> f64| values.iter().map(|v| number(of(v))).collect::<Vec<_>>().join(", ");
        let _ = writeln!(text, "{indent}    cell_{edge} (load) {{ values (\"{}\"); }}", list(|value| value.0));
        let _ = writeln!(text, "{indent}    {edge}_transition (load) {{ values (\"{}\"); }}", list(|value| value.1));
    }
    let _ = writeln!(text, "{indent}  }}");
}

fn open(text: &mut String, related: &str, kind: &str, indent: &str) {
    let _ = writeln!(
        text,
        "{indent}  timing () {{\n{indent}    related_pin : \"{related}\";\n{indent}    timing_type : {kind};"
    );
}

/// To a thousandth of a picosecond or femtofarad.
fn number(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    // From 0, so that there is no negative one.
    (rounded + 0.0).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::{Direction as PinDirection, parse};
    use super::*;

    #[test]
    fn a_model_is_a_library_with_one_cell() {
        let port = |direction, width| Port { direction, width, offset: 0, upto: false };
        let pair = |pin: &str, related: &str| (pin.to_owned(), related.to_owned());
        let delays = Delays {
            latest: Edges { rise: vec![(1.5, 0.1), (2.0, 0.3)], fall: Vec::new() },
            earliest: Edges { rise: vec![(1.0, 0.1), (1.25, 0.3)], fall: Vec::new() },
        };
        let checks = Checks { setup: Edges { rise: Some(0.5), fall: None }, hold: Edges::default() };
        let model = Model {
            cell: "b".to_owned(),
            library: "b_model".to_owned(),
            remarks: vec!["a /* b */ c".to_owned()],
            conditions: [None, Some(3.3), None],
            measures: vec![("slew_upper_threshold_pct_rise".to_owned(), 70.0)],
            area: 12.5,
            ports: vec![
                ("clk".to_owned(), port(Direction::Input, 1)),
                ("d".to_owned(), port(Direction::Input, 2)),
                ("q".to_owned(), port(Direction::Output, 1)),
            ],
            clocks: vec!["clk".to_owned()],
            loads: vec![0.01, 0.1],
            capacitances: [("d[1]".to_owned(), 0.0123456789)].into(),
            delays: [(pair("q", "clk"), delays)].into(),
            checks: [(pair("d[1]", "clk"), checks)].into(),
        };
        let text = model.write();
        let library = parse(&text).unwrap();
        assert_eq!((library.name.as_str(), library.nominal_voltage), ("b_model", Some(3.3)));
        assert_eq!(library.measures, model.measures);
        let cell = library.cell("b").unwrap();
        let names: Vec<&str> = cell.pins.iter().map(|pin| pin.name.as_str()).collect();
        assert_eq!((names, cell.area), (vec!["clk", "d[0]", "d[1]", "q"], Some(12.5)));
        assert!(cell.pin("clk").unwrap().is_clock && !cell.pin("q").unwrap().is_clock);
        let bit = cell.pin("d[1]").unwrap();
        assert_eq!((bit.capacitance, bit.direction), (Some(0.012346), Some(PinDirection::Input)));
        let delay =
            "timing_type : rising_edge;\n        timing_sense : non_unate;\n        cell_rise (load) { values (\"";
        assert_eq!(text.matches(&format!("{delay}1.5, 2\"")).count(), 1, "{text}");
        assert_eq!(text.matches(&format!("{delay}1, 1.25\"")).count(), 1, "{text}");
        assert!(text.contains("rise_constraint (scalar) { values (\"0.5\"); }") && !text.contains("hold_rising"));
        assert!(!text.contains("fall_constraint") && !text.contains("cell_fall"), "{text}");
    }
}
