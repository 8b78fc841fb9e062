//! `Time`: a moment, as seconds since 1970.

use std::cmp::Ordering;
use std::fmt;

use allocative::Allocative;
use starlark::environment::{Methods, MethodsBuilder};
use starlark::values::{
    NoSerialize, ProvidesStaticType, StarlarkPagablePanic, StarlarkValue, Value, ValueError, ValueLike, starlark_value,
};
use starlark::{methods_static, starlark_module, starlark_simple_value};

/// A moment. Shows as date and time in UTC.
#[derive(Clone, Copy, Debug, ProvidesStaticType, NoSerialize, StarlarkPagablePanic, Allocative)]
pub(crate) struct TimeValue(pub(crate) f64);

starlark_simple_value!(TimeValue);

impl fmt::Display for TimeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_finite() || self.0.abs() > LONGEST {
            return write!(f, "Time({})", self.0);
        }
        let whole = self.0.floor();
        let (days, second) = ((whole as i64).div_euclid(DAY), (whole as i64).rem_euclid(DAY));
        let (year, month, day) = date(days);
        write!(f, "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)?;
        // Binary fractions of seconds are longer than what anybody measured.
        let fraction = format!("{:.6}", self.0 - whole);
        f.write_str(fraction.trim_start_matches(['0', '1']).trim_end_matches(['0', '.']))
    }
}

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Beyond some ten thousand years, a number says more than a date.
const LONGEST: f64 = 2.5e11;

/// Year, month and day of a number of days since 1970, in the Gregorian calendar. Years begin in March here, so that the
/// day that is not in every year comes last.
fn date(days: i64) -> (i64, i64, i64) {
    // Days since the first of March of the year 0; 400 years are as many days as any other 400.
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year + i64::from(month <= 2), month, day)
}

methods_static!(METHODS = methods);

#[starlark_value(type = "Time")]
impl<'v> StarlarkValue<'v> for TimeValue {
    fn get_methods() -> Option<&'static Methods> {
        Some(METHODS.methods())
    }

    fn equals(&self, other: Value<'v>) -> starlark::Result<bool> {
        Ok(other.downcast_ref::<Self>().is_some_and(|other| other.0.total_cmp(&self.0).is_eq()))
    }

    fn compare(&self, other: Value<'v>) -> starlark::Result<Ordering> {
        match other.downcast_ref::<Self>() {
            Some(other) => Ok(self.0.total_cmp(&other.0)),
            None => ValueError::unsupported_with(self, "cmp()", other),
        }
    }
}

#[starlark_module]
fn methods(builder: &mut MethodsBuilder) {
    /// Seconds since 1970.
    #[starlark(attribute)]
    fn seconds(this: &TimeValue) -> starlark::Result<f64> {
        Ok(this.0)
    }
}
