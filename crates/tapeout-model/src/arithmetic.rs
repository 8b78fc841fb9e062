//! What is computed with decimals. Owns the rounding, the digits that a result prints, and the infinities and NaNs
//! that stand for results which are no numbers.
//!
//! Results are those of the [General Decimal Arithmetic Specification](https://speleotrove.com/decimal/) with 28
//! digits, half to even, which is the default of Python's `decimal`. An exact result keeps the places of its operands:
//! a sum those of the more precise one, a product those of both together, a quotient as few as it can. An inexact one
//! has 28 digits. What overflows is infinite, what underflows is zero, and zero has no sign.

use std::ops::{Add, Div, Mul, Neg, Sub};

use dashu_float::round::mode::HalfEven;
use dashu_float::round::{Rounded, Rounding};
use dashu_float::{Context, FBig, FpError, Repr};

use crate::decimal::{Decimal, Finite, Kind, digits};

/// The digits of an inexact result.
const DIGITS: u32 = 28;
const PRECISION: usize = 28;
const CONTEXT: Context<HalfEven> = Context::new(PRECISION);

type Computed = Result<Rounded<FBig<HalfEven, 10>>, FpError>;

impl Finite {
    fn repr(self) -> Repr<10> {
        // 38 digits fit, and exponents are far smaller than any `isize`.
        let coefficient = i128::try_from(self.coefficient).unwrap_or_default();
        let exponent = isize::try_from(self.exponent).unwrap_or_default();
        Repr::new((if self.negative { -coefficient } else { coefficient }).into(), exponent)
    }
}

/// The decimal of a computed number. An exact one ends at `10^ideal`, if it can without more than 28 digits.
fn decimal(computed: Computed, ideal: i64) -> Decimal {
    let (value, exact) = match computed {
        Ok(Rounded::Exact(value)) => (value, true),
        Ok(Rounded::Inexact(value, _)) => (value, false),
        Err(_) => return Decimal::NAN,
    };
    let (significand, exponent) = value.into_repr().into_parts();
    // A rounded number has at most 28 digits.
    let (Ok(significand), Ok(exponent)) = (i128::try_from(significand), i64::try_from(exponent)) else {
        return Decimal::NAN;
    };
    let coefficient = significand.unsigned_abs();
    if coefficient == 0 {
        return Decimal::in_range(false, 0, ideal);
    }
    let room = DIGITS.saturating_sub(digits(coefficient));
    let zeros = match u32::try_from(exponent.saturating_sub(ideal)) {
        Ok(missing) if exact => missing.min(room),
        Err(_) if exact && exponent < ideal => 0,
        _ => room,
    };
    Decimal::in_range(significand < 0, coefficient * 10u128.pow(zeros), exponent - i64::from(zeros))
}

/// What a computation gives that involves an infinity or NaN, or divides by zero.
fn special(value: f64) -> Decimal {
    if value.is_nan() {
        Decimal::NAN
    } else if value.is_infinite() {
        Decimal::infinity(value < 0.0)
    } else {
        Decimal::from(i64::from(value == 1.0))
    }
}

/// What matters of a number beside an infinity or a zero: its sign.
fn sign(value: Decimal) -> f64 {
    match value.0 {
        Kind::Finite(Finite { coefficient: 0, .. }) => 0.0,
        Kind::Finite(Finite { negative, .. }) => {
            if negative {
                -1.0
            } else {
                1.0
            }
        }
        Kind::Infinity { negative } => {
            if negative {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            }
        }
        Kind::NaN => f64::NAN,
    }
}

impl Add for Decimal {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Kind::Finite(a), Kind::Finite(b)) => sum(a, b),
            _ => special(sign(self) + sign(other)),
        }
    }
}

impl Sub for Decimal {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Decimal {
    type Output = Self;

    fn neg(self) -> Self {
        match self.0 {
            Kind::Finite(finite) => {
                let negative = !finite.negative && finite.coefficient != 0;
                Self(Kind::Finite(Finite { negative, ..finite }))
            }
            Kind::Infinity { negative } => Self::infinity(!negative),
            Kind::NaN => self,
        }
    }
}

impl Mul for Decimal {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Kind::Finite(a), Kind::Finite(b)) => {
                decimal(CONTEXT.mul(&a.repr(), &b.repr()), i64::from(a.exponent) + i64::from(b.exponent))
            }
            _ => special(sign(self) * sign(other)),
        }
    }
}

impl Div for Decimal {
    type Output = Self;

    /// The quotient. Something divided by zero is infinite, zero by zero is NaN.
    fn div(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Kind::Finite(a), Kind::Finite(b)) if b.coefficient != 0 => {
                decimal(CONTEXT.div(&a.repr(), &b.repr()), i64::from(a.exponent) - i64::from(b.exponent))
            }
            _ => special(sign(self) / sign(other)),
        }
    }
}

impl Decimal {
    /// The power, right in all 28 digits. NaN for `0 ** 0`, and for a negative number with an exponent that is no
    /// integer.
    #[must_use]
    pub fn pow(self, exponent: Self) -> Self {
        match (self.0, exponent.0) {
            (Kind::NaN, _) | (_, Kind::NaN) => Self::NAN,
            (Kind::Finite(a), Kind::Finite(b)) => power(a, b),
            (_, Kind::Infinity { .. }) if self < Self::ZERO => Self::NAN,
            _ => special(self.to_f64().powf(exponent.to_f64())),
        }
    }
}

fn sum(a: Finite, b: Finite) -> Decimal {
    let ideal = i64::from(a.exponent.min(b.exponent));
    let (large, small) = if a.first() >= b.first() { (a, b) } else { (b, a) };
    // Far behind the last digit of the large one it matters only that there is something, and of which sign.
    let far = large.coefficient != 0 && i64::from(large.exponent) - small.first() > 100;
    let small = match far {
        true => Finite { coefficient: small.coefficient.min(1), exponent: large.exponent - 50, ..small },
        false => small,
    };
    // The sum is rounded apart: with a limit the library leaves a digit too many to some differences.
    let exact = Context::<HalfEven>::new(0).add(&large.repr(), &small.repr());
    decimal(exact.map(|sum| sum.value().with_precision(PRECISION)), ideal)
}

/// Above this the natural logarithm of a number is that of one beyond the range of exponents.
const MAX_LOGARITHM: i64 = 2_302_590;

fn power(base: Finite, exponent: Finite) -> Decimal {
    if exponent.coefficient == 0 {
        return if base.coefficient == 0 { Decimal::NAN } else { Decimal::from(1) };
    }
    if base.coefficient == 0 {
        return if exponent.negative { Decimal::infinity(false) } else { Decimal::ZERO };
    }
    let whole = exponent.stripped();
    let integer = whole.exponent >= 0;
    if base.negative && !integer {
        return Decimal::NAN;
    }
    let negative = base.negative && whole.exponent == 0 && whole.coefficient % 2 == 1;
    let magnitude = magnitude_power(Finite { negative: false, ..base }, exponent, integer);
    if negative { -magnitude } else { magnitude }
}

/// The power of a positive number.
fn magnitude_power(base: Finite, exponent: Finite, integer: bool) -> Decimal {
    let (base_repr, exponent_repr) = (base.repr(), exponent.repr());
    if !base_repr.is_one() {
        // What is out of range, or 1 in all digits, is known from the logarithm before anything large is computed.
        let rough = Context::<HalfEven>::new(10);
        let product = rough.ln(&base_repr, None).and_then(|ln| rough.mul(ln.value().repr(), &exponent_repr));
        let logarithm = decimal(product, 0);
        let (limit, negligible) = (Decimal::from(MAX_LOGARITHM), Decimal::finite(false, 1, -30));
        if logarithm > limit {
            return Decimal::infinity(false);
        }
        if logarithm < -limit {
            return Decimal::ZERO;
        }
        if -negligible < logarithm && logarithm < negligible {
            return decimal(Ok(Rounded::Exact(FBig::ONE)), i64::MIN);
        }
    }
    if integer {
        let ideal = match Decimal(Kind::Finite(exponent)).to_i64() {
            Some(exponent) => i64::from(base.exponent).saturating_mul(exponent),
            // Only of a power of 1 is so much in range.
            None => 0,
        };
        return decimal(integer_power(base_repr, exponent.stripped()), ideal);
    }
    let logarithm = WIDE.ln(&base_repr, None).and_then(|ln| WIDE.mul(ln.value().repr(), &exponent_repr));
    let power = logarithm.and_then(|logarithm| WIDE.exp(logarithm.value().repr(), None));
    decimal(power.map(|power| narrowed(power.value(), false)), i64::MIN)
}

/// Powers are computed with these digits. The library's own ones are not used: they search without end where the 29th
/// digit is the last one, and a 5.
const WIDE: Context<HalfEven> = Context::new(112);

/// Rounds what was computed with [`WIDE`]. The rounding between makes exact what is; no square root of 38 digits
/// comes as near to the middle between two numbers of 28.
fn narrowed(value: FBig<HalfEven, 10>, exact: bool) -> Rounded<FBig<HalfEven, 10>> {
    match value.with_precision(96).value().with_precision(PRECISION) {
        Rounded::Exact(value) if !exact => Rounded::Inexact(value, Rounding::NoOp),
        rounded => rounded,
    }
}

/// The power by repeated squaring. The exponent has no zeros at its end; those are its own exponent.
fn integer_power(base: Repr<10>, exponent: Finite) -> Computed {
    let mut exact = true;
    let mut product = |a: &Repr<10>, b: &Repr<10>| {
        WIDE.mul(a, b).map(|product| {
            exact &= matches!(product, Rounded::Exact(_));
            product.value().into_repr()
        })
    };
    let mut raised = |base: Repr<10>, exponent: u128| {
        let mut power = base.clone();
        for bit in (0..exponent.ilog2()).rev() {
            power = product(&power, &power)?;
            if exponent >> bit & 1 == 1 {
                power = product(&power, &base)?;
            }
        }
        Ok(power)
    };
    let mut power = raised(base, exponent.coefficient)?;
    for _ in 0..exponent.exponent {
        if power.is_one() {
            break;
        }
        power = raised(power, 10)?;
    }
    let mut power = FBig::from_repr(power, WIDE);
    if exponent.negative {
        let inverse = WIDE.div(&Repr::one(), power.repr())?;
        exact &= matches!(inverse, Rounded::Exact(_));
        power = inverse.value();
    }
    Ok(narrowed(power, exact))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Decimal {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn compute(a: Decimal, operator: &str, b: Decimal) -> Decimal {
        match operator {
            "+" => a + b,
            "-" => a - b,
            "*" => a * b,
            "/" => a / b,
            "**" => a.pow(b),
            other => panic!("no operator: {other}"),
        }
    }

    /// Numbers are as Python's `_pydecimal` gives them, which rounds correctly; specials stand where it raises.
    #[test]
    fn results_are_those_of_the_specification() {
        let cases = [
            ("0.1", "+", "0.2", "0.3"),
            ("1.50", "+", "2", "3.50"),
            ("1.0", "-", "1.00", "0.00"),
            ("1", "+", "0e-100", "1.000000000000000000000000000"),
            ("1e999999", "+", "1e-999999", "1.000000000000000000000000000E+999999"),
            ("1.0000000000000000000000000005", "+", "0", "1.000000000000000000000000000"),
            ("1.0000000000000000000000000005", "+", "1e-300", "1.000000000000000000000000001"),
            ("1.0000000000000000000000000015", "-", "1e-300", "1.000000000000000000000000001"),
            ("-42.5", "-", "-0.78533522307676942912444985139192495756", "-41.71466477692323057087555015"),
            ("-555555555555555555555.5555555", "+", "5e-7", "-555555555555555555555.5555550"),
            ("4000000000000000000000000006e-31", "**", "0.5", "0.02000000000000000000000000001"),
            ("1.5", "*", "2", "3.0"),
            ("2.50", "*", "4.0", "10.000"),
            ("1e500000", "*", "1e500000", "Infinity"),
            ("1e-500000", "*", "1e-500000", "0"),
            ("123456789.123456789", "*", "987654321.987654321", "121932631356500531.3472031691"),
            ("1", "/", "3", "0.3333333333333333333333333333"),
            ("2", "/", "3", "0.6666666666666666666666666667"),
            ("8", "/", "2", "4"),
            ("100", "/", "2", "50"),
            ("1", "/", "8", "0.125"),
            ("1e3", "/", "4", "2.5E+2"),
            ("1.0", "/", "0.10", "1E+1"),
            ("1", "/", "9801", "0.0001020304050607080910111213142"),
            ("2", "**", "3", "8"),
            ("1.50", "**", "2", "2.2500"),
            ("10", "**", "2", "100"),
            ("10", "**", "-2", "0.01"),
            ("2", "**", "-1", "0.5"),
            ("-2", "**", "3", "-8"),
            ("-2", "**", "4", "16"),
            ("2", "**", "0.5", "1.414213562373095048801688724"),
            ("4", "**", "0.5", "2.000000000000000000000000000"),
            ("10", "**", "-0.5", "0.3162277660168379331998893544"),
            ("0.3", "**", "1e4", "1.631350185342625874303256729E-5229"),
            ("1.0000001", "**", "99999999999", "8.802415037270826001584513561E+4342"),
            ("1.00", "**", "1e900000", "1"),
            ("3", "**", "1e-40", "1.000000000000000000000000000"),
            ("0", "**", "2", "0"),
            ("7", "**", "0", "1"),
            ("9", "**", "387420489", "Infinity"),
            ("-9", "**", "387420489", "-Infinity"),
            ("9", "**", "-387420489", "0"),
            ("0.1", "**", "1e999999", "0"),
            ("0", "**", "0", "NaN"),
            ("-8", "**", "0.5", "NaN"),
            ("0", "**", "-1", "Infinity"),
            ("1", "/", "0", "Infinity"),
            ("-1", "/", "0", "-Infinity"),
            ("0", "/", "0", "NaN"),
            ("inf", "-", "inf", "NaN"),
            ("inf", "*", "-2", "-Infinity"),
            ("inf", "*", "0", "NaN"),
            ("2", "/", "-inf", "0"),
            ("inf", "+", "1", "Infinity"),
            ("nan", "+", "1", "NaN"),
            ("2", "**", "inf", "Infinity"),
            ("0.5", "**", "inf", "0"),
            ("-2", "**", "inf", "NaN"),
            ("inf", "**", "0", "1"),
            ("nan", "**", "0", "NaN"),
        ];
        for (a, operator, b, expected) in cases {
            assert_eq!(compute(read(a), operator, read(b)).to_string(), expected, "{a} {operator} {b}");
        }
        assert_eq!((-read("0.0")).to_string(), "0.0");
        assert_eq!((-read("-2.50")).to_string(), "2.50");
        assert_eq!((-read("inf")).to_string(), "-Infinity");
    }

    #[test]
    fn a_power_just_between_two_of_28_digits_is_even() {
        // 10000000069179859283044252375
        let expected = "1.000000006917985928304425238E+28";
        assert_eq!(read("2154434695").pow(read("3")).to_string(), expected);
        assert_eq!(read("4641588855019743025").pow(read("1.5")).to_string(), expected);
        assert_eq!(read("2").pow(read("-41")).to_string(), "4.547473508864641189575195312E-13");
    }

    proptest! {
        #[test]
        fn results_are_near_those_of_binary_numbers(
            a in -1e9f64..1e9, b in -1e9f64..1e9, operator in prop_oneof!["[-+*/]".prop_map(|o| o)],
        ) {
            let (x, y) = (read(&a.to_string()), read(&b.to_string()));
            let expected = match operator.as_str() { "+" => a + b, "-" => a - b, "*" => a * b, _ => a / b };
            let computed = compute(x, &operator, y).to_f64();
            let scale = if operator == "+" || operator == "-" { a.abs() + b.abs() } else { expected.abs() };
            prop_assert!((computed - expected).abs() <= scale * 1e-15, "{a} {operator} {b}: {computed} or {expected}");
        }

        #[test]
        fn a_power_is_that_of_binary_numbers_roughly(a in 1e-9f64..1e9, b in -20f64..20.0) {
            let computed = read(&a.to_string()).pow(read(&b.to_string())).to_f64();
            prop_assert!((computed / a.powf(b) - 1.0).abs() < 1e-9, "{a} ** {b}: {computed}");
        }

        #[test]
        fn any_two_decimals_have_results(
            a in "-?[0-9]{1,38}(e-?[0-9]{1,5})?", b in "-?[0-9]{1,38}(e-?[0-9]{1,5})?",
        ) {
            let (Ok(a), Ok(b)) = (a.parse::<Decimal>(), b.parse::<Decimal>()) else { return Ok(()) };
            for operator in ["+", "-", "*", "/", "**"] {
                let result = compute(a, operator, b);
                prop_assert_eq!(read(&result.to_string()), result);
            }
            prop_assert_eq!(a + b, b + a);
            prop_assert_eq!(a - b, -(b - a));
        }
    }
}
