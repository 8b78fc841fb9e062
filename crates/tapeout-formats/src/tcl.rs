//! Values as Tcl text, in the form in which the Tcl scripts of tools expect their variables. Writes only: what is Tcl on
//! the way in goes to a Tcl interpreter.
//!
//! Source of the format: the Tcl manual (`Tcl`, `list`), and what OpenLane's scripts are given.

use std::fmt::Write as _;

use tapeout_model::{Decimal, Value};

/// The text of a value: what `$::env(NAME)` is to a script.
///
/// A truth value is `1` or `0`; a decimal without a fraction ends in `.0`, so that Tcl does not divide it as an integer;
/// a list is a Tcl list, a map the list of its keys and values, and both quote what is in them by [`quote`]. Text is the
/// text itself. Null is `None`, as there is no such thing in Tcl: a variable without a value is better left out.
#[must_use]
pub fn value(value: &Value) -> String {
    match value {
        Value::Null => "None".to_owned(),
        Value::Bool(true) => "1".to_owned(),
        Value::Bool(false) => "0".to_owned(),
        Value::Int(integer) => integer.to_string(),
        Value::Decimal(number) => decimal(number),
        Value::Str(text) => text.clone(),
        Value::List(items) => list(items.iter().map(self::value)),
        Value::Map(entries) => list(entries.iter().flat_map(|(key, item)| [key.clone(), self::value(item)])),
    }
}

/// A Tcl list of these elements.
fn list(elements: impl Iterator<Item = String>) -> String {
    elements.map(|element| quote(&element)).collect::<Vec<_>>().join(" ")
}

/// One word of a Tcl list or command that stands for exactly this text: the text itself where no character of it can
/// mean anything to Tcl, else the text in double quotes.
#[must_use]
pub fn quote(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    let mut word = String::with_capacity(text.len() + 2);
    word.push('"');
    for c in text.chars() {
        match c {
            '\\' | '$' | '"' | '[' => word.extend(['\\', c]),
            // Tcl would drop a backslash before a line break together with the break.
            '\n' => word.push_str("\\n"),
            // To Tcl, it is a line break in a script's file.
            '\r' => word.push_str("\\r"),
            c => word.push(c),
        }
    }
    word.push('"');
    word
}

/// Beyond so many zeros a number stays in its form with an exponent: no integer of a design is that long.
const LONGEST: usize = 400;

fn decimal(number: &Decimal) -> String {
    let text = number.to_string();
    if !number.is_integer() {
        return text;
    }
    match digits(&text) {
        Some(mut digits) => {
            let _ = write!(digits, ".0");
            digits
        }
        None => text,
    }
}

/// The digits of a whole number, which may be written with zeros after the point or with an exponent.
fn digits(text: &str) -> Option<String> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent: i64 = exponent.parse().ok()?;
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let written = format!("{whole}{fraction}");
    let point = usize::try_from(i64::try_from(whole.len()).ok()?.checked_add(exponent)?).ok()?;
    if point > written.len() + LONGEST {
        return None;
    }
    let digits: String = written.chars().chain(std::iter::repeat('0')).take(point).collect();
    let digits = digits.trim_start_matches('0');
    Some(if digits.is_empty() { "0".to_owned() } else { format!("{sign}{digits}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Value {
        Value::Decimal(text.parse().unwrap())
    }

    #[test]
    fn values_are_written_as_scripts_expect_them() {
        let map =
            |entries: &[(&str, Value)]| Value::Map(entries.iter().map(|(k, v)| ((*k).into(), v.clone())).collect());
        let cases = [
            (Value::Null, "None"),
            (Value::Bool(true), "1"),
            (Value::Bool(false), "0"),
            (Value::Int(-1), "-1"),
            (number("10"), "10.0"),
            (number("10.0"), "10.0"),
            (number("10.00"), "10.0"),
            (number("-1.01"), "-1.01"),
            (number("0.0"), "0.0"),
            (Value::from("Hello"), "Hello"),
            (Value::from(" "), " "),
            (Value::from("a $b [c]"), "a $b [c]"),
            (Value::List(vec![]), ""),
            (map(&[]), ""),
            (Value::List(vec![number("1.0"), number("2.1"), Value::Int(3), number("4.01")]), "1.0 2.1 3 4.01"),
            (map(&[("abc", Value::Int(1)), ("d e", Value::from(""))]), "abc 1 \"d e\" \"\""),
            (
                Value::List(vec![Value::Bool(true), Value::List(vec![Value::Int(1), Value::from("x y")])]),
                r#"1 "1 \"x y\"""#,
            ),
            (Value::List(vec![Value::List(vec![]), Value::from("a")]), r#""" a"#),
        ];
        for (given, text) in cases {
            assert_eq!(value(&given), text, "{given:?}");
        }
    }

    #[test]
    fn words_are_quoted_where_they_could_mean_something() {
        let cases = [
            ("ringo", "ringo"),
            ("/a/b-c.v:1,2=3@4%5+6_7", "/a/b-c.v:1,2=3@4%5+6_7"),
            ("", r#""""#),
            ("r ingo", r#""r ingo""#),
            ("[expr ringo]", r#""\[expr ringo]""#),
            ("[expr $ringo]", r#""\[expr \$ringo]""#),
            ("a\nb", r#""a\nb""#),
            ("a\\\nb", r#""a\\\nb""#),
            ("q\"q", r#""q\"q""#),
            ("{x}", r#""{x}""#),
            ("a;b", r#""a;b""#),
            ("é", r#""é""#),
            ("#", r##""#""##),
        ];
        for (text, word) in cases {
            assert_eq!(quote(text), word, "{text:?}");
        }
    }

    #[test]
    fn whole_numbers_have_no_exponent() {
        let cases = [
            ("1E+2", Some("100")),
            ("1.50e3", Some("1500")),
            ("-2E2", Some("-200")),
            ("100E-2", Some("1")),
            ("0E+5", Some("0")),
            ("-0.0", Some("0")),
            ("0.5E1", Some("5")),
            ("12345678901234567890123456789012345", Some("12345678901234567890123456789012345")),
            ("1E+99999999", None),
            ("1E+99999999999999999999", None),
        ];
        for (text, expected) in cases {
            assert_eq!(digits(text).as_deref(), expected, "{text}");
        }
    }
}
