//! What Netgen writes of a comparison of two netlists: the JSON report (`comp.json`) and the last words of the text report
//! (`comp.out`).
//!
//! Source: files written by Netgen 1.5.133. Of cells that are black boxes on both sides the JSON has only the pins. Its list
//! of pins is the only sign of ports that the other side lacks: Netgen says *match uniquely* even so.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::FormatError;

const FORMAT: &str = "Netgen report";

/// What stands in the place of a pin, net or element that the other side has and this one has not.
const NONE_HERE: &str = "(no matching ";

/// A comparison.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The cells that were compared, from the smallest to the top cell. Without one, nothing was compared.
    pub cells: Vec<Cell>,
    /// Cells whose inside is not known, as lists of pins on the one side and the other, in pairs.
    pub black_boxes: Vec<(Vec<String>, Vec<String>)>,
}

/// How a cell compares. Pairs are of the first and the second circuit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Its names.
    pub names: (String, String),
    /// How many devices of each class there are.
    pub devices: (BTreeMap<String, u64>, BTreeMap<String, u64>),
    /// How many nets there are.
    pub nets: (u64, u64),
    /// Nets that have no counterpart.
    pub bad_nets: (Vec<String>, Vec<String>),
    /// Devices that have no counterpart.
    pub bad_devices: (Vec<String>, Vec<String>),
    /// Devices with properties, such as widths, that differ.
    pub bad_properties: Vec<String>,
    /// Pins in pairs; one that the other side lacks is `None` there. Empty when nets or devices differ.
    pub pins: Vec<(Option<String>, Option<String>)>,
}

/// Differences by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// By how many the numbers of devices differ, class by class.
    pub devices: u64,
    /// By how many the numbers of nets differ.
    pub nets: u64,
    /// Devices without counterpart, on both sides.
    pub unmatched_devices: u64,
    /// Nets without counterpart, on both sides.
    pub unmatched_nets: u64,
    /// Pins without counterpart, or with one of another name.
    pub unmatched_pins: u64,
    /// Devices with other properties.
    pub properties: u64,
}

impl Differences {
    /// All together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.devices + self.nets + self.unmatched_devices + self.unmatched_nets + self.unmatched_pins + self.properties
    }
}

impl Cell {
    /// How it differs.
    #[must_use]
    pub fn differences(&self) -> Differences {
        let count = |(one, other): &(Vec<String>, Vec<String>)| (one.len() + other.len()) as u64;
        let classes = self.devices.0.keys().chain(self.devices.1.keys().filter(|c| !self.devices.0.contains_key(*c)));
        let of = |devices: &BTreeMap<String, u64>, class: &str| devices.get(class).copied().unwrap_or_default();
        Differences {
            devices: classes.map(|class| of(&self.devices.0, class).abs_diff(of(&self.devices.1, class))).sum(),
            nets: self.nets.0.abs_diff(self.nets.1),
            unmatched_devices: count(&self.bad_devices),
            unmatched_nets: count(&self.bad_nets),
            unmatched_pins: self.bad_pins().count() as u64,
            properties: self.bad_properties.len() as u64,
        }
    }

    /// The pins that have no counterpart, or one of another name. Case does not count, as in SPICE.
    pub fn bad_pins(&self) -> impl Iterator<Item = &(Option<String>, Option<String>)> {
        self.pins.iter().filter(|pair| match pair {
            (Some(one), Some(other)) => !one.eq_ignore_ascii_case(other),
            _ => true,
        })
    }
}

/// Whether the text report ends by saying that the circuits match; how their pins are called is not part of that.
#[must_use]
pub fn says_match(text: &str) -> bool {
    let last = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let last = last.strip_prefix("Final result:").map_or(last, str::trim);
    last == "Circuits match uniquely." || last.starts_with("Circuits match with ") && last.contains("symmetr")
}

/// Reads a JSON report.
///
/// # Errors
/// If the text is not JSON, which it also is not if Netgen broke off, or is no list of cells.
pub fn parse(text: &str) -> Result<Comparison, FormatError> {
    let json: Value = serde_json::from_str(text).map_err(|error| FormatError::json(FORMAT, &error))?;
    let Value::Array(entries) = json else {
        return Err(FormatError::Missing {
            format: FORMAT,
            expected: "a list of cells".to_owned(),
            lines: text.lines().count(),
        });
    };
    let mut comparison = Comparison::default();
    for entry in &entries {
        let (one, other) = pair(entry.get("pins"), texts);
        let names = pair(entry.get("name"), text_of);
        if names.0.is_empty() && names.1.is_empty() {
            comparison.black_boxes.push((one, other));
            continue;
        }
        let known = |name: String| (!name.starts_with(NONE_HERE)).then_some(name);
        let length = one.len().max(other.len());
        let mut sides = (one.into_iter(), other.into_iter());
        let pins = (0..length).map(|_| (sides.0.next().and_then(known), sides.1.next().and_then(known))).collect();
        comparison.cells.push(Cell {
            names,
            devices: pair(entry.get("devices"), counts),
            nets: pair(entry.get("nets"), |nets| nets.as_u64().unwrap_or_default()),
            bad_nets: fragments(entry.get("badnets")),
            bad_devices: fragments(entry.get("badelements")),
            bad_properties: properties(entry.get("properties")),
            pins,
        });
    }
    Ok(comparison)
}

/// What a list of two has of the one circuit and of the other.
fn pair<T: Default>(list: Option<&Value>, of: impl Fn(&Value) -> T) -> (T, T) {
    let side = |index| list.and_then(|list| list.get(index)).map(&of).unwrap_or_default();
    (side(0), side(1))
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().map(text_of).collect()
}

/// `[["INVX1", 3], …]`
fn counts(list: &Value) -> BTreeMap<String, u64> {
    let class = |entry: &Value| Some((entry.get(0)?.as_str()?.to_owned(), entry.get(1)?.as_u64()?));
    list.as_array().into_iter().flatten().filter_map(class).filter(|(name, _)| !name.starts_with(NONE_HERE)).collect()
}

/// Groups, each a pair of lists of a name with connections: the names of each side.
fn fragments(groups: Option<&Value>) -> (Vec<String>, Vec<String>) {
    let mut all = (Vec::new(), Vec::new());
    for group in groups.and_then(Value::as_array).into_iter().flatten() {
        let (one, other) = pair(Some(group), |members| {
            members.as_array().into_iter().flatten().filter_map(|member| member.get(0)).map(text_of).collect::<Vec<_>>()
        });
        all.0.extend(one.into_iter().filter(|name| !name.starts_with(NONE_HERE)));
        all.1.extend(other.into_iter().filter(|name| !name.starts_with(NONE_HERE)));
    }
    all
}

/// Pairs of a device with its properties: the names of the devices of the first circuit.
fn properties(pairs: Option<&Value>) -> Vec<String> {
    let name = |pair: &Value| pair.get(0).and_then(|side| side.get(0)).map(text_of).unwrap_or_default();
    pairs.and_then(Value::as_array).into_iter().flatten().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circuits_that_match() {
        let report = parse(include_str!("../tests/data/netgen-1.5.133-match.json")).unwrap();
        assert_eq!((report.cells.len(), report.black_boxes.len()), (1, 0));
        let top = &report.cells[0];
        assert_eq!((top.names.0.as_str(), top.nets, top.devices.0["INVX1"]), ("pair", (5, 5), 2));
        assert_eq!(top.pins[2], (Some("a".to_owned()), Some("a".to_owned())));
        assert_eq!(top.differences(), Differences::default());
    }

    #[test]
    fn swapped_pins_of_an_instance_are_nets_that_do_not_match() {
        let report = parse(include_str!("../tests/data/netgen-1.5.133-swapped.json")).unwrap();
        let top = report.cells.last().unwrap();
        let differences = top.differences();
        let expected = Differences { unmatched_nets: 10, unmatched_devices: 4, ..Differences::default() };
        assert_eq!((differences, differences.total()), (expected, 14));
        assert!(top.bad_nets.0.contains(&"a".to_owned()), "{:?}", top.bad_nets);
    }

    #[test]
    fn a_port_that_one_side_lacks_counts_though_the_circuits_match() {
        let text = r#"[{"pins": [["A", "Y"], ["A", "(no matching pin)"]]}, {"name": ["t", "t"], "devices": [[["X", 2]], [["X", 3], ["(no matching element)", 1]]], "nets": [2, 2],
            "badnets": [], "badelements": [], "properties": [[["M1", []], ["M1", []]]],
            "pins": [["a", "Y", "done", "(no matching pin)"], ["a", "Z", "(no matching pin)", "donex"]]}]"#;
        let report = parse(text).unwrap();
        let differences = report.cells[0].differences();
        assert_eq!(report.black_boxes[0].1, ["A", "(no matching pin)"]);
        let expected = Differences { devices: 1, unmatched_pins: 3, properties: 1, ..Differences::default() };
        assert_eq!(differences, expected);
    }

    #[test]
    fn last_words() {
        assert!(says_match("x\nCircuits match uniquely.\n\n") && says_match("Circuits match with 2 symmetries.\n"));
        assert!(says_match("Final result: Circuits match uniquely.\n"));
        for different in ["", "Circuits match uniquely.\nProperty errors were found.\n", "Netlists do not match.\n"] {
            assert!(!says_match(different), "{different}");
        }
        assert_eq!(parse("[\n  {").unwrap_err().line(), Some(2));
        assert!(parse("{}").is_err());
    }
}
