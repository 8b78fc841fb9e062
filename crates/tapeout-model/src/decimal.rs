//! Decimal numbers that print as they were written. Owns reading, printing and the order of the values; what is
//! computed with them is in `arithmetic`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How many significant digits are kept.
pub(crate) const MAX_DIGITS: u32 = 38;

/// The exponent of the first digit of a number is between this and its negative.
pub(crate) const MAX_EXPONENT: i64 = 999_999;

/// A decimal number, an infinity or NaN ("not a number").
///
/// It keeps up to 38 significant digits, trailing zeros included, and exponents up to ±999999. It prints by the rule of
/// `to-scientific-string` in the [General Decimal Arithmetic Specification](https://speleotrove.com/decimal/), as
/// Python's `decimal` does: `10.0` as `10.0`, `1e3` as `1E+3`, `0.000001` as itself and `1e-7` as `1E-7`, the specials
/// as `Infinity`, `-Infinity` and `NaN`. What it prints reads back as the same digits.
///
/// Equality and order go by the value, so that `10`, `10.0` and `1E+1` are equal, as are `0` and `-0`. The order is
/// total: -∞ comes first, NaN equals itself and comes last.
#[derive(Clone, Copy)]
pub struct Decimal(pub(crate) Kind);

#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Finite(Finite),
    Infinity { negative: bool },
    NaN,
}

/// `±coefficient · 10^exponent`. The coefficient has at most [`MAX_DIGITS`] digits.
#[derive(Clone, Copy)]
pub(crate) struct Finite {
    pub(crate) negative: bool,
    pub(crate) coefficient: u128,
    pub(crate) exponent: i32,
}

/// Why a text is no [`Decimal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum InvalidDecimal {
    /// The text is something else.
    #[error("not a decimal number")]
    Syntax,
    /// Digits would be lost.
    #[error("more than 38 significant digits")]
    Digits,
    /// The value is too large or too close to zero.
    #[error("an exponent beyond ±999999")]
    Exponent,
}

impl Decimal {
    /// 0
    pub const ZERO: Self = Self::finite(false, 0, 0);
    pub(crate) const NAN: Self = Self(Kind::NaN);

    pub(crate) const fn finite(negative: bool, coefficient: u128, exponent: i32) -> Self {
        Self(Kind::Finite(Finite { negative, coefficient, exponent }))
    }

    pub(crate) const fn infinity(negative: bool) -> Self {
        Self(Kind::Infinity { negative })
    }

    /// Whether it is neither infinite nor NaN.
    #[must_use]
    pub fn is_finite(self) -> bool {
        matches!(self.0, Kind::Finite(_))
    }

    /// Whether it is NaN.
    #[must_use]
    pub fn is_nan(self) -> bool {
        matches!(self.0, Kind::NaN)
    }

    /// Whether it is 0.
    #[must_use]
    pub fn is_zero(self) -> bool {
        matches!(self.0, Kind::Finite(Finite { coefficient: 0, .. }))
    }

    /// Whether it is a whole number, however written.
    #[must_use]
    pub fn is_integer(self) -> bool {
        matches!(self.0, Kind::Finite(finite) if finite.stripped().exponent >= 0)
    }

    /// The one way to write the value that all equal decimals share: no exponent if the digits suffice for that, and no
    /// zeros at the end of a fraction. `20`, `20.0` and `2e1` become `20`.
    #[must_use]
    pub fn normalize(self) -> Self {
        let Kind::Finite(finite) = self.0 else { return self };
        let stripped = finite.stripped();
        match u32::try_from(stripped.exponent) {
            Ok(zeros) if stripped.digits() + zeros <= MAX_DIGITS => {
                Self::finite(stripped.negative, stripped.coefficient * 10u128.pow(zeros), 0)
            }
            _ => Self(Kind::Finite(stripped)),
        }
    }

    /// The nearest decimal with at most `places` digits after the point; of two equally near ones, the even one.
    #[must_use]
    pub fn round_dp(self, places: u16) -> Self {
        let Kind::Finite(finite) = self.0 else { return self };
        let drop = -i64::from(finite.exponent) - i64::from(places);
        if drop <= 0 {
            return self;
        }
        let exponent = -i32::from(places);
        match u32::try_from(drop).ok().filter(|drop| *drop <= MAX_DIGITS) {
            Some(drop) => {
                let unit = 10u128.pow(drop);
                let (kept, rest) = (finite.coefficient / unit, finite.coefficient % unit);
                let up = match (rest * 2).cmp(&unit) {
                    Ordering::Less => 0,
                    Ordering::Equal => kept % 2,
                    Ordering::Greater => 1,
                };
                Self::finite(finite.negative, kept + up, exponent)
            }
            None => Self::finite(finite.negative, 0, exponent),
        }
    }

    /// The value times 10^`places`, with the same digits. Infinite or zero if it leaves the range of exponents.
    #[must_use]
    pub fn shift(self, places: i32) -> Self {
        let Kind::Finite(finite) = self.0 else { return self };
        Self::in_range(finite.negative, finite.coefficient, i64::from(finite.exponent) + i64::from(places))
    }

    /// The value as an integer, if it is one and fits.
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        let Kind::Finite(Finite { negative, coefficient, exponent: 0 }) = self.normalize().0 else { return None };
        let magnitude = i128::try_from(coefficient).ok()?;
        i64::try_from(if negative { -magnitude } else { magnitude }).ok()
    }

    /// The nearest binary number: infinite above its range, zero below.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        // All that prints is in the grammar of binary numbers.
        self.to_string().parse().unwrap_or(f64::NAN)
    }

    /// The number, or what is nearest to it outside of the range of exponents: an infinity or zero.
    pub(crate) fn in_range(negative: bool, coefficient: u128, exponent: i64) -> Self {
        if coefficient == 0 {
            let exponent = exponent.clamp(-MAX_EXPONENT, MAX_EXPONENT);
            // The clamped exponent is small.
            return Self::finite(negative, 0, i32::try_from(exponent).unwrap_or(0));
        }
        let first = exponent + i64::from(digits(coefficient)) - 1;
        match i32::try_from(exponent) {
            Ok(exponent) if first.abs() <= MAX_EXPONENT => Self::finite(negative, coefficient, exponent),
            _ if first > 0 => Self::infinity(negative),
            _ => Self::ZERO,
        }
    }
}

/// How many digits the number has; 1 for zero.
pub(crate) fn digits(coefficient: u128) -> u32 {
    coefficient.checked_ilog10().unwrap_or(0) + 1
}

impl Finite {
    fn digits(self) -> u32 {
        digits(self.coefficient)
    }

    /// The power of ten of the first digit.
    pub(crate) fn first(self) -> i64 {
        i64::from(self.exponent) + i64::from(self.digits()) - 1
    }

    /// The same value without zeros at the end and without a sign of zero.
    pub(crate) fn stripped(mut self) -> Self {
        if self.coefficient == 0 {
            return Self { negative: false, coefficient: 0, exponent: 0 };
        }
        while self.coefficient.is_multiple_of(10) {
            self.coefficient /= 10;
            self.exponent += 1;
        }
        self
    }

    fn magnitude_cmp(self, other: Self) -> Ordering {
        match (self.coefficient, other.coefficient) {
            (0, 0) => return Ordering::Equal,
            (0, _) => return Ordering::Less,
            (_, 0) => return Ordering::Greater,
            _ => {}
        }
        self.first().cmp(&other.first()).then_with(|| {
            // The first digits stand at the same place, so that the shorter one has room for the zeros it lacks.
            let (mine, theirs) = (self.digits(), other.digits());
            let padded = |finite: Self, digits: u32| finite.coefficient * 10u128.pow(mine.max(theirs) - digits);
            padded(self, mine).cmp(&padded(other, theirs))
        })
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        fn rank(decimal: Decimal) -> i8 {
            match decimal.0 {
                Kind::Infinity { negative: true } => -2,
                Kind::Finite(Finite { coefficient: 0, .. }) => 0,
                Kind::Finite(Finite { negative, .. }) => {
                    if negative {
                        -1
                    } else {
                        1
                    }
                }
                Kind::Infinity { negative: false } => 2,
                Kind::NaN => 3,
            }
        }
        match (self.0, other.0) {
            (Kind::Finite(a), Kind::Finite(b)) if rank(*self) == rank(*other) => {
                let order = a.magnitude_cmp(b);
                if rank(*self) < 0 { order.reverse() } else { order }
            }
            _ => rank(*self).cmp(&rank(*other)),
        }
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Decimal {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Decimal {}

impl From<i64> for Decimal {
    fn from(value: i64) -> Self {
        Self::finite(value < 0, u128::from(value.unsigned_abs()), 0)
    }
}

impl FromStr for Decimal {
    type Err = InvalidDecimal;

    /// Reads `[+-]digits[.digits][e[+-]digits]`, with digits on one side of the point at least, and `inf`, `infinity`
    /// and `nan` in any case. More than 38 digits are fine as long as the rest are zeros.
    fn from_str(text: &str) -> Result<Self, InvalidDecimal> {
        let (negative, unsigned) = match text.as_bytes() {
            [b'-', ..] => (true, &text[1..]),
            [b'+', ..] => (false, &text[1..]),
            _ => (false, text),
        };
        if unsigned.eq_ignore_ascii_case("inf") || unsigned.eq_ignore_ascii_case("infinity") {
            return Ok(Self::infinity(negative));
        }
        if unsigned.eq_ignore_ascii_case("nan") {
            return Ok(Self::NAN);
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, written_exponent(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(InvalidDecimal::Syntax);
        }
        let (mut coefficient, mut dropped) = (0u128, 0i64);
        let mut lost = false;
        for byte in whole.bytes().chain(fraction.bytes()) {
            match byte {
                b'0'..=b'9' if dropped == 0 && coefficient < 10u128.pow(MAX_DIGITS - 1) => {
                    coefficient = coefficient * 10 + u128::from(byte - b'0');
                }
                b'0'..=b'9' => {
                    dropped += 1;
                    lost |= byte != b'0';
                }
                _ => return Err(InvalidDecimal::Syntax),
            }
        }
        if lost {
            return Err(InvalidDecimal::Digits);
        }
        let places = i64::try_from(fraction.len()).map_err(|_| InvalidDecimal::Exponent)?;
        let exponent = exponent.saturating_sub(places).saturating_add(dropped);
        let first = exponent.saturating_add(i64::from(digits(coefficient)) - 1);
        if first.saturating_abs() > MAX_EXPONENT {
            return Err(InvalidDecimal::Exponent);
        }
        Ok(Self::in_range(negative, coefficient, exponent))
    }
}

/// The exponent that the text after the `e` stands for. One that no number has is as good as one beyond the range.
fn written_exponent(text: &str) -> Result<i64, InvalidDecimal> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(InvalidDecimal::Syntax);
    }
    text.parse().map_err(|_| InvalidDecimal::Exponent)
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let finite = match self.0 {
            Kind::Finite(finite) => finite,
            Kind::Infinity { negative } => return f.pad(if negative { "-Infinity" } else { "Infinity" }),
            Kind::NaN => return f.pad("NaN"),
        };
        let mut text = finite.coefficient.to_string();
        let first = finite.first();
        if finite.exponent <= 0 && first >= -6 {
            // At most as many places as there are digits and six zeros.
            let places = usize::try_from(-finite.exponent).unwrap_or(0);
            if places > 0 {
                if text.len() <= places {
                    text.insert_str(0, &"0".repeat(places + 1 - text.len()));
                }
                text.insert(text.len() - places, '.');
            }
        } else {
            if text.len() > 1 {
                text.insert(1, '.');
            }
            text.push_str(&format!("E{first:+}"));
        }
        if finite.negative {
            text.insert(0, '-');
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Decimal {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    /// Decimals of all kinds, as they are written.
    pub(crate) fn written() -> impl Strategy<Value = String> {
        let number = (
            proptest::bool::ANY,
            "[0-9]{1,19}",
            proptest::option::of("[0-9]{0,19}"),
            proptest::option::of(prop_oneof![-40i64..40, -990_000i64..990_000]),
        );
        let number = number.prop_map(|(negative, whole, fraction, exponent)| {
            let sign = if negative { "-" } else { "" };
            let fraction = fraction.map(|digits| format!(".{digits}")).unwrap_or_default();
            let exponent = exponent.map(|exponent| format!("e{exponent}")).unwrap_or_default();
            format!("{sign}{whole}{fraction}{exponent}")
        });
        prop_oneof![20 => number, 1 => Just("Infinity".to_owned()), 1 => Just("-inf".to_owned()), 1 => Just("NaN".to_owned())]
    }

    #[test]
    fn numbers_print_by_the_rule_of_the_specification() {
        let cases = [
            ("10.0", "10.0"),
            ("+2.50", "2.50"),
            ("-2.5", "-2.5"),
            ("-0.0", "-0.0"),
            (".5", "0.5"),
            ("5.", "5"),
            ("007", "7"),
            ("1e3", "1E+3"),
            ("1.5E+3", "1.5E+3"),
            ("-2.50e-2", "-0.0250"),
            ("0.000001", "0.000001"),
            ("0.0000001", "1E-7"),
            ("12.30e-8", "1.230E-7"),
            ("1e-15", "1E-15"),
            ("1e-30", "1E-30"),
            ("123e40", "1.23E+42"),
            ("0e99999", "0E+99999"),
            ("0.00", "0.00"),
            ("9e999999", "9E+999999"),
            ("1e-999999", "1E-999999"),
            ("0.1234567890123456789012345678901234567", "0.1234567890123456789012345678901234567"),
            ("100000000000000000000000000000000000000000", "1.0000000000000000000000000000000000000E+41"),
            ("inf", "Infinity"),
            ("-Infinity", "-Infinity"),
            ("-nan", "NaN"),
        ];
        for (text, expected) in cases {
            assert_eq!(read(text).to_string(), expected, "{text}");
        }
        assert_eq!(Decimal::from(i64::MIN).to_string(), i64::MIN.to_string());
        assert_eq!(format!("{:>6}|{:<6}|", read("1.5"), read("inf")), "   1.5|Infinity|");
    }

    #[test]
    fn what_is_no_number_or_would_lose_digits_is_refused() {
        let texts = ["", "+", ".", "e5", "1e", "1e+", "1e5.0", "1_000", " 1", "--1", "0x1", ".inf", "1.2.3", "1é", "é"];
        for text in texts {
            assert_eq!(text.parse::<Decimal>(), Err(InvalidDecimal::Syntax), "{text}");
        }
        for text in ["1e1000000", "1e-1000000", "10e999999", "1e99999999999999999999", "0e-1000000"] {
            assert_eq!(text.parse::<Decimal>(), Err(InvalidDecimal::Exponent), "{text}");
        }
        for text in ["123456789012345678901234567890123456789", "0.100000000000000000000000000000000000001"] {
            assert_eq!(text.parse::<Decimal>(), Err(InvalidDecimal::Digits), "{text}");
        }
    }

    #[test]
    fn the_order_is_that_of_the_values() {
        let ascending: &[&[&str]] = &[
            &["-inf"],
            &["-1e999999"],
            &["-1000.1"],
            &["-1000", "-1e3", "-1000.0"],
            &["-1e-999999"],
            &["0", "-0.0", "0e50"],
            &["1e-30"],
            &["0.1", "0.10", "1e-1"],
            &["9.9999999999999999999999999999999999999"],
            &["10", "10.0", "1E+1"],
            &["1e40"],
            &["inf"],
            &["nan", "-nan"],
        ];
        for (i, lower) in ascending.iter().enumerate() {
            for (j, higher) in ascending.iter().enumerate() {
                for (a, b) in lower.iter().flat_map(|a| higher.iter().map(move |b| (a, b))) {
                    assert_eq!(read(a).cmp(&read(b)), i.cmp(&j), "{a} and {b}");
                }
            }
        }
    }

    #[test]
    fn equal_decimals_have_one_normal_form() {
        let cases = [
            ("20", "20"),
            ("20.0", "20"),
            ("2e1", "20"),
            ("-0.00", "0"),
            ("0.50", "0.5"),
            ("1e37", "10000000000000000000000000000000000000"),
            ("1e38", "1E+38"),
            ("10.0e37", "1E+38"),
            ("1.50e-9", "1.5E-9"),
            ("inf", "Infinity"),
        ];
        for (text, normal) in cases {
            assert_eq!(read(text).normalize().to_string(), normal, "{text}");
        }
    }

    #[test]
    fn places_are_dropped_half_to_even() {
        let cases = [
            ("33.3333333", 6, "33.333333"),
            ("0.125", 2, "0.12"),
            ("0.135", 2, "0.14"),
            ("-0.1251", 2, "-0.13"),
            ("2.5", 0, "2"),
            ("9.99", 1, "10.0"),
            ("1e3", 2, "1E+3"),
            ("1e-50", 3, "0.000"),
            ("0.00099999999999999999999999999999999999999", 3, "0.001"),
            ("inf", 2, "Infinity"),
        ];
        for (text, places, expected) in cases {
            assert_eq!(read(text).round_dp(places).to_string(), expected, "{text}");
        }
    }

    #[test]
    fn other_numbers() {
        assert_eq!(read("-2e1").to_i64(), Some(-20));
        assert_eq!(read("-9223372036854775808.0").to_i64(), Some(i64::MIN));
        for text in ["9223372036854775808", "0.5", "1e30", "1e999999", "inf", "nan"] {
            assert_eq!(read(text).to_i64(), None, "{text}");
        }
        assert_eq!((read("0.1").to_f64(), read("-inf").to_f64()), (0.1, f64::NEG_INFINITY));
        assert!(read("nan").to_f64().is_nan());
        assert_eq!(read("2.50").shift(-3).to_string(), "0.00250");
        assert_eq!(read("1").shift(1_000_000), read("inf"));
        assert_eq!(read("1").shift(-1_000_000), Decimal::ZERO);
        assert!(read("1.0e2").is_integer() && read("0.0").is_integer());
        assert!(!read("0.5").is_integer() && !read("inf").is_integer());
    }

    proptest! {
        #[test]
        fn what_prints_reads_back_as_the_same_digits(text in written()) {
            let decimal = read(&text);
            let printed = decimal.to_string();
            prop_assert_eq!(read(&printed).to_string(), printed);
            prop_assert_eq!(read(&decimal.to_string()), decimal);
            prop_assert_eq!(decimal.normalize(), decimal);
        }

        #[test]
        fn the_order_agrees_with_binary_numbers_where_they_tell_apart(a in written(), b in written()) {
            let (a, b) = (read(&a), read(&b));
            if let Some(order) = a.to_f64().partial_cmp(&b.to_f64()) && order.is_ne() {
                prop_assert_eq!(a.cmp(&b), order);
            }
            prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
            prop_assert_eq!(a == b, a.normalize().to_string() == b.normalize().to_string());
        }

        #[test]
        fn any_text_is_read_or_refused(text in "[-+.eE0-9infatyNé ]{0,60}") {
            let _ = text.parse::<Decimal>();
        }
    }
}
