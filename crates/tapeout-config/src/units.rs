//! Numbers with a unit, as in `2 ns` or `500 MHz`. Owns the units, and the words for one that does not fit; text
//! without a unit is not looked at.
//!
//! Symbols and prefixes are those of the SI brochure (9th edition, sections 2.3 and 3), with `u`, `Ohm`, `C` and `^2`
//! for those that keyboards lack.

use tapeout_model::Decimal;

use crate::suggest;

/// What a unit measures. Units of one quantity differ by a power of ten.
struct Quantity {
    /// With its article.
    one: &'static str,
    name: &'static str,
    /// The first one is the usual one.
    symbols: &'static [&'static str],
    /// What a prefix's power of ten is multiplied by; nothing if the unit has no prefixes.
    prefixed: Option<i32>,
}

const QUANTITIES: [Quantity; 13] = [
    Quantity { one: "a time", name: "time", symbols: &["s"], prefixed: Some(1) },
    Quantity { one: "a frequency", name: "frequency", symbols: &["Hz"], prefixed: Some(1) },
    Quantity { one: "a voltage", name: "voltage", symbols: &["V"], prefixed: Some(1) },
    Quantity { one: "a current", name: "current", symbols: &["A"], prefixed: Some(1) },
    Quantity { one: "a power", name: "power", symbols: &["W"], prefixed: Some(1) },
    Quantity { one: "a capacitance", name: "capacitance", symbols: &["F"], prefixed: Some(1) },
    Quantity { one: "an inductance", name: "inductance", symbols: &["H"], prefixed: Some(1) },
    // Greek omega, and the sign that looks like it.
    Quantity { one: "a resistance", name: "resistance", symbols: &["Ohm", "Ω", "\u{2126}"], prefixed: Some(1) },
    Quantity { one: "a length", name: "length", symbols: &["m"], prefixed: Some(1) },
    Quantity { one: "an area", name: "area", symbols: &["m^2", "m²"], prefixed: Some(2) },
    Quantity { one: "a temperature", name: "temperature", symbols: &["°C", "C"], prefixed: None },
    Quantity { one: "an absolute temperature", name: "absolute temperature", symbols: &["K"], prefixed: None },
    Quantity { one: "a percentage", name: "percentage", symbols: &["%"], prefixed: None },
];

/// Prefixes and their powers of ten. Micro is written in three ways: the micro sign, Greek mu, and `u`.
const PREFIXES: [(&str, i32); 13] = [
    ("", 0),
    ("a", -18),
    ("f", -15),
    ("p", -12),
    ("n", -9),
    ("u", -6),
    ("µ", -6),
    ("\u{3bc}", -6),
    ("m", -3),
    ("k", 3),
    ("M", 6),
    ("G", 9),
    ("T", 12),
];

/// Why a number with a unit is no value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    /// What follows the name of the variable: "is a time, in ns; `MHz` is a unit of frequency".
    pub(crate) reason: String,
    /// What is expected: "expected a time, in ns".
    pub(crate) label: String,
    /// What to do.
    pub(crate) help: String,
}

/// The number in `units` that a text of a number and a unit stands for. Nothing if the text is something else.
///
/// # Errors
/// The unit is unknown, or one of another quantity.
pub(crate) fn convert(text: &str, units: &str) -> Option<Result<Decimal, Mismatch>> {
    let (number, written) = split(text)?;
    if written == units {
        return Some(Ok(number));
    }
    let Some((quantity, exponent)) = find(units) else {
        return Some(Err(Mismatch {
            reason: format!("is in {units}, not in `{written}`"),
            label: format!("expected a number, in {units}"),
            help: format!("write the number of {units} without a unit"),
        }));
    };
    Some(match find(written) {
        Some((found, from)) if found.name == quantity.name => Ok(match from - exponent {
            0 => number,
            places => number.shift(places).normalize(),
        }),
        found => Err(mismatch(written, units, quantity, found.map(|(found, _)| found))),
    })
}

fn mismatch(written: &str, units: &str, quantity: &Quantity, found: Option<&Quantity>) -> Mismatch {
    let what = match found {
        Some(found) => format!("is a unit of {}", found.name),
        None => "is no unit".to_owned(),
    };
    let spellings = spellings(quantity);
    // The unit of the variable comes first, where only the case tells units apart.
    let near = match found {
        Some(_) => None,
        None => suggest::nearest(written, spellings.iter().map(String::as_str).chain([units]).rev()),
    };
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None if spellings.len() == 1 => format!("the unit is `{units}`, and may be left out"),
        None => format!("units of {}: {}", quantity.name, spellings.join(", ")),
    };
    Mismatch {
        reason: format!("is {}, in {units}; `{written}` {what}", quantity.one),
        label: format!("expected {}, in {units}", quantity.one),
        help,
    }
}

/// Each unit of the quantity in the spelling that keyboards have.
fn spellings(quantity: &Quantity) -> Vec<String> {
    let symbol = quantity.symbols[0];
    if quantity.prefixed.is_none() {
        return vec![symbol.to_owned()];
    }
    PREFIXES.iter().filter(|(prefix, _)| prefix.is_ascii()).map(|(prefix, _)| format!("{prefix}{symbol}")).collect()
}

/// What the unit measures, and its power of ten.
fn find(unit: &str) -> Option<(&'static Quantity, i32)> {
    QUANTITIES.iter().find_map(|quantity| {
        let mut prefix = quantity.symbols.iter().filter_map(|symbol| unit.strip_suffix(symbol));
        match quantity.prefixed {
            None => prefix.any(str::is_empty).then_some((quantity, 0)),
            Some(factor) => prefix.find_map(|prefix| {
                let (_, exponent) = PREFIXES.iter().find(|(known, _)| *known == prefix)?;
                Some((quantity, exponent * factor))
            }),
        }
    })
}

/// The number and the unit of a text.
fn split(text: &str) -> Option<(Decimal, &str)> {
    let text = text.trim();
    let unit = text.find(|c: char| c.is_alphabetic() || "%°".contains(c))?;
    // An `e` starts an exponent if digits follow it.
    let exponent = text[unit..].strip_prefix(['e', 'E']).map_or(0, |rest| {
        let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
        match digits.bytes().take_while(u8::is_ascii_digit).count() {
            0 => 0,
            count => 1 + rest.len() - digits.len() + count,
        }
    });
    let (number, unit) = text.split_at(unit + exponent);
    let unit = unit.trim_start();
    let symbol = |c: char| c.is_alphanumeric() || "%°^/".contains(c);
    if unit.is_empty()
        || !unit.chars().all(symbol)
        || !number.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
    {
        return None;
    }
    Some((number.trim_end().parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn converted(text: &str, units: &str) -> Option<Result<String, String>> {
        Some(convert(text, units)?.map(|value| value.to_string()).map_err(|mismatch| mismatch.reason))
    }

    #[test]
    fn units_of_one_quantity_are_converted_exactly() {
        let cases = [
            ("2 ns", "ns", "2"),
            ("2ns", "ns", "2"),
            ("2.50 ns", "ns", "2.50"),
            (" -1.5\tns ", "ns", "-1.5"),
            ("2000 ps", "ns", "2"),
            ("2500 ps", "ns", "2.5"),
            ("0.1 µs", "ns", "100"),
            ("0.1 μs", "ns", "100"),
            ("1e3 us", "ns", "1000000"),
            ("1e-3us", "ns", "1"),
            ("1 s", "as", "1000000000000000000"),
            ("1 as", "Ts", "1E-30"),
            (".5 GHz", "MHz", "500"),
            ("1.8 V", "mV", "1800"),
            ("3 kOhm", "Ω", "3000"),
            ("3 k\u{2126}", "kΩ", "3"),
            ("12 fF", "pF", "0.012"),
            ("1 mm", "µm", "1000"),
            ("1 mm^2", "um^2", "1000000"),
            ("1 µm²", "nm²", "1000000"),
            ("25 C", "°C", "25"),
            ("25°C", "C", "25"),
            ("50 %", "%", "50"),
            ("5 sites", "sites", "5"),
            ("5 Ω/µm", "Ω/µm", "5"),
        ];
        for (text, units, expected) in cases {
            assert_eq!(converted(text, units), Some(Ok(expected.to_owned())), "{text} in {units}");
        }
    }

    #[test]
    fn text_without_a_unit_is_left_alone() {
        for text in
            ["", "2", "2.5", "1e3", " 7 ", "ns", "abc 2 ns", "2 ns 3", "2, 3 ns", "1.2.3 ns", "inf", "µ", "-", "2 ns!"]
        {
            assert_eq!(convert(text, "ns"), None, "{text}");
        }
    }

    #[test]
    fn other_units_are_told_apart() {
        let cases = [
            (
                "2 MHz",
                "ns",
                "is a time, in ns; `MHz` is a unit of frequency",
                "units of time: s, as, fs, ps, ns, us, ms, ks, Ms, Gs, Ts",
            ),
            ("2 nsec", "ns", "is a time, in ns; `nsec` is no unit", "did you mean `ns`?"),
            ("2 mhz", "MHz", "is a frequency, in MHz; `mhz` is no unit", "did you mean `MHz`?"),
            (
                "300 K",
                "°C",
                "is a temperature, in °C; `K` is a unit of absolute temperature",
                "the unit is `°C`, and may be left out",
            ),
            (
                "300 mK",
                "K",
                "is an absolute temperature, in K; `mK` is no unit",
                "the unit is `K`, and may be left out",
            ),
            (
                "1 um",
                "um^2",
                "is an area, in um^2; `um` is a unit of length",
                "units of area: m^2, am^2, fm^2, pm^2, nm^2, um^2, mm^2, km^2, Mm^2, Gm^2, Tm^2",
            ),
            ("1e ns", "ns", "", ""),
            ("5 ns", "sites", "is in sites, not in `ns`", "write the number of sites without a unit"),
        ];
        for (text, units, reason, help) in cases {
            match convert(text, units) {
                Some(Err(mismatch)) => {
                    assert_eq!((mismatch.reason.as_str(), mismatch.help.as_str()), (reason, help), "{text}")
                }
                other => assert!(reason.is_empty() && other.is_none(), "{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_unit_has_one_meaning() {
        let mut seen = std::collections::HashMap::new();
        for quantity in &QUANTITIES {
            for symbol in quantity.symbols {
                for (prefix, _) in
                    PREFIXES.iter().filter(|(prefix, _)| prefix.is_empty() || quantity.prefixed.is_some())
                {
                    let unit = format!("{prefix}{symbol}");
                    assert_eq!(find(&unit).map(|(found, _)| found.name), Some(quantity.name), "{unit}");
                    assert_eq!(seen.insert(unit.clone(), quantity.name), None, "{unit}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn there_and_back_is_the_same(number in "[1-9][0-9]{0,15}(\\.[0-9]{1,10})?", from in 0usize..13, to in 0usize..13) {
            let unit = |index: usize| format!("{}Hz", PREFIXES[index].0);
            let there = convert(&format!("{number} {}", unit(from)), &unit(to)).unwrap().unwrap();
            let back = convert(&format!("{there}{}", unit(to)), &unit(from)).unwrap().unwrap();
            prop_assert_eq!(back, number.parse().unwrap());
        }

        #[test]
        fn any_text_is_converted_refused_or_left_alone(text in "[-+.0-9eE µmnsHz%°²^]{0,20}|\\PC{0,20}") {
            let _ = convert(&text, "ns");
        }
    }
}
