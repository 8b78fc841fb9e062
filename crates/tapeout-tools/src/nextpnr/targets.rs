//! The target of each clock.

use tapeout_config::Config;
use tapeout_flow::{Type, Variable};
use tapeout_model::{Decimal, Value};

/// A clock and the period it must reach.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Target {
    /// The input port or the net.
    pub(crate) clock: String,
    /// In ns.
    pub(crate) period_ns: Decimal,
}

/// The variables that say how fast the design must be.
pub(crate) fn clock_variables() -> Vec<Variable> {
    vec![
        Variable::new("CLOCK_PORT", Type::Str, "The port of the design's clock.").optional(),
        Variable::new(
            "CLOCK_PERIOD",
            Type::Decimal,
            "The period of the clock, and of every clock without one of its own.",
        )
        .units("ns")
        .check(positive),
        Variable::new(
            "CLOCK_PERIODS",
            Type::map(Type::Decimal),
            "The periods of further clocks by port or net name, such as `{clk_usb: 20.833}`.",
        )
        .units("ns")
        .default(Value::Map(Vec::new()))
        .check(positive),
    ]
}

pub(crate) fn positive(value: &Value) -> Result<(), String> {
    match value {
        Value::Decimal(period) if *period <= Decimal::ZERO || !period.is_finite() => {
            Err("must be above 0, and finite".to_owned())
        }
        Value::Map(periods) => periods
            .iter()
            .try_for_each(|(clock, period)| positive(period).map_err(|reason| format!("of `{clock}` {reason}"))),
        _ => Ok(()),
    }
}

/// The target of each clock that the configuration names.
pub(crate) fn targets(config: &Config) -> Vec<Target> {
    let mut targets = Vec::new();
    if let Some(Value::Map(periods)) = config.get("CLOCK_PERIODS") {
        for (clock, period) in periods {
            if let Value::Decimal(period_ns) = period {
                targets.push(Target { clock: clock.clone(), period_ns: *period_ns });
            }
        }
    }
    if let Some(clock) = config.opt_str("CLOCK_PORT")
        && !targets.iter().any(|target| target.clock == clock)
    {
        targets.insert(0, Target { clock: clock.to_owned(), period_ns: config.decimal("CLOCK_PERIOD") });
    }
    targets
}

/// What `--freq` gets: the target of clocks that have none of their own.
pub(super) fn default_frequency(config: &Config) -> String {
    megahertz(config.decimal("CLOCK_PERIOD"))
}

/// A frequency in MHz as nextpnr takes it. It rounds periods to picoseconds, so six digits are plenty.
pub(super) fn megahertz(period_ns: Decimal) -> String {
    (Decimal::from(1000) / period_ns).round_dp(6).normalize().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_are_above_zero_and_finite() {
        let decimal = |text: &str| Value::Decimal(text.parse().unwrap());
        let periods = |text| Value::Map(vec![("clk".to_owned(), decimal("10")), ("usb".to_owned(), decimal(text))]);
        assert_eq!(positive(&decimal("1e-3")), Ok(()));
        assert_eq!(positive(&periods("20.833")), Ok(()));
        for text in ["0", "0.0", "-1", "inf", "nan"] {
            assert_eq!(positive(&decimal(text)), Err("must be above 0, and finite".to_owned()), "{text}");
            let error = "of `usb` must be above 0, and finite".to_owned();
            assert_eq!(positive(&periods(text)), Err(error), "{text}");
        }
    }

    #[test]
    fn frequencies_have_six_places_at_most() {
        for (period, frequency) in [(10, "100"), (3, "333.333333"), (16, "62.5"), (7, "142.857143")] {
            assert_eq!(megahertz(period.into()), frequency);
        }
    }
}
