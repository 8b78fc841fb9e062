//! How much worse a metric may become before that counts.

use std::str::FromStr;

use glob::Pattern;
use thiserror::Error;

use super::filter::{InvalidPattern, pattern};
use crate::Decimal;

/// By how much a metric may become worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// By so many percent of the former value; of zero, any part is zero.
    Percent(Decimal),
    /// By so much, in the unit of the metric.
    Absolute(Decimal),
}

impl Tolerance {
    /// No tolerance.
    pub const NONE: Self = Self::Absolute(Decimal::ZERO);

    /// Whether a change from `before` by `delta` is more than that. One that is not finite is.
    #[must_use]
    pub fn is_exceeded(self, before: Decimal, delta: Decimal) -> bool {
        let size = |value: Decimal| if value < Decimal::ZERO { -value } else { value };
        match self {
            _ if !delta.is_finite() => true,
            Self::Percent(percent) => size(delta) * Decimal::from(100) > percent * size(before),
            Self::Absolute(most) => size(delta) > most,
        }
    }
}

/// Tolerances for all metrics: one for those of a name, which may be a pattern, goes before one for all. Of several,
/// the last holds.
#[derive(Clone, Debug, Default)]
pub struct Tolerances {
    named: Vec<(Pattern, Tolerance)>,
    general: Option<Tolerance>,
}

/// Why a text is no tolerance.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidTolerance {
    /// What stands before the `=` is no pattern.
    #[error(transparent)]
    Name(#[from] InvalidPattern),
    /// A number without a unit, for metrics of many units.
    #[error("`{0}` for all metrics: expected percents as in `2%`, or a name as in `timing__setup__ws=0.1`")]
    Unnamed(String),
    /// It is something else.
    #[error("`{0}` is no tolerance: expected a number that is not negative, or percents as in `2%`")]
    Number(String),
}

impl Tolerances {
    /// Adds what the text says: `2%`, `NAME=2%` or `NAME=0.1`, where a name may be a pattern.
    ///
    /// # Errors
    /// Why it says nothing.
    pub fn add(&mut self, text: &str) -> Result<(), InvalidTolerance> {
        match text.rsplit_once('=') {
            Some((name, tolerance)) => self.named.push((pattern(name)?, tolerance.parse()?)),
            None => match text.parse()? {
                tolerance @ Tolerance::Percent(_) => self.general = Some(tolerance),
                Tolerance::Absolute(_) => return Err(InvalidTolerance::Unnamed(text.to_owned())),
            },
        }
        Ok(())
    }

    /// The tolerance for a metric.
    #[must_use]
    pub fn of(&self, metric: &str) -> Tolerance {
        let named = self.named.iter().rev().find(|(pattern, _)| pattern.matches(metric));
        named.map(|(_, tolerance)| *tolerance).or(self.general).unwrap_or(Tolerance::NONE)
    }
}

impl FromStr for Tolerance {
    type Err = InvalidTolerance;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || InvalidTolerance::Number(text.to_owned());
        let percent = text.strip_suffix('%');
        let number: Decimal = percent.unwrap_or(text).trim().parse().map_err(|_| wrong())?;
        if !number.is_finite() || number < Decimal::ZERO {
            return Err(wrong());
        }
        Ok(if percent.is_some() { Self::Percent(number) } else { Self::Absolute(number) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exceeded(tolerance: &str, before: &str, delta: &str) -> bool {
        let number = |text: &str| text.parse::<Decimal>().unwrap();
        tolerance.parse::<Tolerance>().unwrap().is_exceeded(number(before), number(delta))
    }

    #[test]
    fn what_is_just_reached_is_not_exceeded() {
        assert!(!exceeded("5%", "100", "-5") && exceeded("5%", "100", "-5.01"));
        assert!(!exceeded("5%", "-2", "-0.1") && exceeded("5%", "-2", "-0.11"));
        assert!(!exceeded("0.1", "7", "0.1") && exceeded("0.1", "7", "0.2"));
        assert!(exceeded("50%", "0", "1") && exceeded("0", "1", "1e-9"));
        assert!(exceeded("50%", "Infinity", "-Infinity") && exceeded("1e9", "1", "Infinity"));
    }

    #[test]
    fn a_name_goes_before_all_and_the_last_holds() {
        let mut tolerances = Tolerances::default();
        for text in ["timing__*=0.1", "timing__fmax*=1%", "1%", "2 %"] {
            tolerances.add(text).unwrap();
        }
        assert_eq!(tolerances.of("timing__fmax__clock:clk"), Tolerance::Percent(1.into()));
        assert_eq!(tolerances.of("timing__setup__ws"), "0.1".parse().unwrap());
        assert_eq!(tolerances.of("power__total"), Tolerance::Percent(2.into()));
        assert_eq!(Tolerances::default().of("power__total"), Tolerance::NONE);
    }

    #[test]
    fn what_is_no_tolerance_says_why() {
        let error = |text| Tolerances::default().add(text).unwrap_err().to_string();
        for text in ["a=x", "a=-1", "-1%", "inf%", "a=", "%"] {
            assert!(error(text).contains("is no tolerance"), "{text}: {}", error(text));
        }
        assert!(error("5").starts_with("`5` for all metrics"));
        assert!(error("[=5%").contains("`[` is not a pattern"));
    }
}
