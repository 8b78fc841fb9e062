//! What a log of nextpnr says about clocks: which targets were applied, and what each clock reached.
//!
//! The report ([`crate::nextpnr`]) has the targets that counted. The log is needed to see that a `set_frequency` was
//! *ignored* because no net has that name, and that a PLL gave a derived target. Lines from nextpnr-ice40 0.4; a log
//! (`--log`) holds them whether or not nextpnr ran with `-q`.

use crate::FormatError;

/// Everything a log says about clocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClockLog {
    /// Target of clocks without one of their own, in MHz: `--freq`, or 12 if that is not given. Absent in later versions.
    pub default_target: Option<f64>,
    /// In the order of the log. Of several for one net the last one counts.
    pub constraints: Vec<Constraint>,
    /// Estimated after placement.
    pub placed: Vec<MaxFrequency>,
    /// The result after routing; empty if the run ended before.
    pub routed: Vec<MaxFrequency>,
}

/// What became of one target frequency.
#[derive(Clone, Debug, PartialEq)]
pub enum Constraint {
    /// A `set_frequency` or `ctx.addClock` was applied to a net of the design.
    Applied {
        /// The net, as the constraint names it.
        net: String,
        /// Target in MHz.
        mhz: f64,
    },
    /// No net has that name, so the target was ignored. Typical for a name after promotion, `clk$SB_IO_IN`.
    UnknownNet {
        /// The net, as the constraint names it.
        net: String,
    },
    /// The output of a PLL got a target from that of its input.
    Derived {
        /// The net at the output.
        net: String,
        /// Target in MHz, to one decimal as nextpnr prints it.
        mhz: f64,
    },
    /// The output of a PLL would have got a target, but has one of its own.
    Overridden {
        /// The net at the output.
        net: String,
        /// The target that the PLL implies, in MHz.
        derived: f64,
        /// The target that counts, in MHz.
        mhz: f64,
    },
}

/// A line `Max frequency for clock …`.
#[derive(Clone, Debug, PartialEq)]
pub struct MaxFrequency {
    /// The net, as nextpnr names it; [`crate::nextpnr::clock_source`] gives the name in the design.
    pub clock: String,
    /// MHz, to two decimals.
    pub achieved: f64,
    /// MHz, to two decimals.
    pub target: f64,
    /// nextpnr's verdict.
    pub met: bool,
}

/// Reads a log.
///
/// # Errors
/// If a line that starts as one about clocks does not go on as one.
pub fn parse_clocks(log: &str) -> Result<ClockLog, FormatError> {
    let mut clocks = ClockLog::default();
    let mut routing = false;
    for (index, line) in log.lines().enumerate() {
        let Some((_, said)) = line.split_once(": ") else { continue };
        let said = said.trim_start();
        let error = |expected: &str| FormatError::Line {
            format: "nextpnr log",
            line: index + 1,
            expected: expected.to_owned(),
            found: format!("`{line}`"),
        };
        if let Some(rest) = said.strip_prefix("Max frequency for clock") {
            let result = max_frequency(rest)
                .ok_or_else(|| error("`Max frequency for clock 'NET': N MHz (PASS or FAIL at N MHz)`"))?;
            if routing { &mut clocks.routed } else { &mut clocks.placed }.push(result);
        } else if said.starts_with("Routing..") || said.starts_with("Running router") {
            routing = true;
        } else if let Some(rest) = said.strip_prefix("constraining clock net ") {
            let applied = applied(rest).ok_or_else(|| error("`constraining clock net 'NET' to N MHz`"))?;
            clocks.constraints.push(applied);
        } else if let Some(rest) = said.strip_prefix("Derived frequency constraint of ") {
            let derived = derived(rest).ok_or_else(|| error("`Derived frequency constraint of N MHz for net NET`"))?;
            clocks.constraints.push(derived);
        } else if let Some(rest) = said.strip_prefix("Overriding derived constraint of ") {
            let overridden = overridden(rest).ok_or_else(|| {
                error("`Overriding derived constraint of N MHz on net NET with user-specified constraint of N MHz.`")
            })?;
            clocks.constraints.push(overridden);
        } else if let Some(net) = said.strip_suffix("' does not exist in design, ignoring clock constraint") {
            let net = net.strip_prefix("net '").unwrap_or(net).to_owned();
            clocks.constraints.push(Constraint::UnknownNet { net });
        } else if let Some(rest) = said.strip_prefix("Annotating ports with timing budgets for target frequency ") {
            clocks.default_target = Some(mhz(rest).ok_or_else(|| error("a target frequency in MHz"))?);
        }
    }
    Ok(clocks)
}

fn mhz(text: &str) -> Option<f64> {
    text.trim().trim_end_matches('.').strip_suffix("MHz")?.trim_end().parse().ok()
}

fn max_frequency(rest: &str) -> Option<MaxFrequency> {
    let (clock, rest) = rest.trim_start().strip_prefix('\'')?.rsplit_once("': ")?;
    let (achieved, verdict) = rest.split_once(" (")?;
    let (verdict, target) = verdict.strip_suffix(')')?.split_once(" at ")?;
    let met = match verdict {
        "PASS" => true,
        "FAIL" => false,
        _ => return None,
    };
    Some(MaxFrequency { clock: clock.to_owned(), achieved: mhz(achieved)?, target: mhz(target)?, met })
}

fn applied(rest: &str) -> Option<Constraint> {
    let (net, target) = rest.strip_prefix('\'')?.rsplit_once("' to ")?;
    Some(Constraint::Applied { net: net.to_owned(), mhz: mhz(target)? })
}

fn derived(rest: &str) -> Option<Constraint> {
    let (target, net) = rest.split_once(" for net ")?;
    Some(Constraint::Derived { net: net.to_owned(), mhz: mhz(target)? })
}

fn overridden(rest: &str) -> Option<Constraint> {
    let (derived, rest) = rest.split_once(" on net ")?;
    let (net, target) = rest.rsplit_once(" with user-specified constraint of ")?;
    Some(Constraint::Overridden { net: net.to_owned(), derived: mhz(derived)?, mhz: mhz(target)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_with_a_pll_and_a_missed_clock() {
        let clocks = parse_clocks(include_str!("../tests/data/nextpnr-0.4-pll.log")).unwrap();
        assert_eq!(clocks.default_target, Some(650.0));
        assert_eq!(
            clocks.constraints,
            [
                Constraint::Applied { net: "clk".to_owned(), mhz: 12.0 },
                Constraint::Applied { net: "c2".to_owned(), mhz: 55.0 },
                Constraint::UnknownNet { net: "ghost".to_owned() },
                Constraint::Overridden { net: "c2".to_owned(), derived: 48.0, mhz: 55.0 },
            ]
        );
        assert_eq!((clocks.placed.len(), clocks.routed.len()), (3, 3));
        let div = &clocks.routed[1];
        assert_eq!(div.clock, "div_$glb_clk");
        assert_eq!((div.achieved, div.target, div.met), (626.57, 650.0, false));
    }

    #[test]
    fn a_missed_clock_is_an_error_line_without_timing_allow_fail() {
        let log = "Info: Running router2...\nERROR: Max frequency for clock 'c': 1.50 MHz (FAIL at 600.00 MHz)\n";
        let clocks = parse_clocks(log).unwrap();
        assert!(clocks.placed.is_empty() && !clocks.routed[0].met);
        let pll = parse_clocks("Info:     Derived frequency constraint of 48.0 MHz for net c2\n").unwrap();
        assert_eq!(pll.constraints, [Constraint::Derived { net: "c2".to_owned(), mhz: 48.0 }]);
    }

    #[test]
    fn a_cut_line_is_an_error_with_its_number() {
        let error = parse_clocks("Info: x\nInfo: Max frequency for clock 'c': 1.5").unwrap_err();
        assert_eq!(error.line(), Some(2));
        assert!(error.to_string().starts_with("nextpnr log, line 2: expected `Max frequency"), "{error}");
    }
}
