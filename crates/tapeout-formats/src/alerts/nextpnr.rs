//! nextpnr: `Warning: text`, `ERROR: text`, in the log and on standard error.
//!
//! Source: output of nextpnr-ice40 0.4.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["Max frequency for clock", "FAIL at"], "timing-missed"),
    (&["does not exist in design, ignoring clock constraint"], "unknown-clock-net"),
    (&["Overriding derived constraint"], "derived-clock-overridden"),
    (&["No PCF file specified"], "no-constraints-file"),
    (&["is unconstrained in PCF"], "unconstrained-io"),
    (&["unmatched constraint"], "constraint-without-port"),
    (&["package does not have a pin"], "no-such-pin"),
    (&["duplicate pin constraint"], "port-constrained-twice"),
    (&["since it is already bound to cell"], "pin-constrained-twice"),
    (&["Ignoring trailing PCF settings"], "constraint-ignored"),
    (&["Ignoring PCF setting"], "constraint-ignored"),
    (&["Unsupported package"], "unsupported-package"),
    (&["Use of default value for --package"], "no-package"),
    (&["no BELs remaining"], "device-full"),
    (&["Unable to find a placement location"], "device-full"),
    (&["combinatorial loops"], "combinational-loop"),
    (&["Top module", "not found"], "top-not-found"),
];

/// What nextpnr says of the end only.
const SUMMARIES: [&str; 1] = ["Loading PCF failed."];

/// Alerts of a log or of the standard error of nextpnr.
///
/// A missed clock is an error here unless nextpnr ran with `--timing-allow-fail`: it then exits 1, with good output.
#[must_use]
pub fn nextpnr(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("nextpnr", KNOWN);
    for line in log.lines() {
        let (severity, said) = if let Some(said) = line.strip_prefix("Warning: ") {
            (Severity::Warning, said)
        } else if let Some(said) = line.strip_prefix("ERROR: ") {
            (Severity::Error, said)
        } else if let Some(option) = line.strip_prefix("unrecognised option") {
            collector.named(Severity::Error, "unknown-option", &format!("unrecognised option{option}"));
            continue;
        } else {
            collector.crash(line);
            continue;
        };
        if !SUMMARIES.contains(&said) {
            collector.unnamed(severity, said, said);
        }
    }
    collector.alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_with_a_missed_clock() {
        let alerts = nextpnr(include_str!("../../tests/data/nextpnr-0.4-pll.log"));
        let codes: Vec<_> = alerts.iter().map(|alert| alert.code.as_str()).collect();
        assert_eq!(codes[0], "nextpnr.unknown-clock-net");
        assert_eq!(codes[1..6], ["nextpnr.unconstrained-io"; 5]);
        assert_eq!(codes[6..], ["nextpnr.derived-clock-overridden", "nextpnr.timing-missed"]);
        assert_eq!(alerts[7].severity, Severity::Warning);
        assert_eq!(
            alerts[7].message,
            "Max frequency for clock          'div_$glb_clk': 626.57 MHz (FAIL at 650.00 MHz)"
        );
    }

    #[test]
    fn errors_and_sums() {
        let log = "ERROR: package does not have a pin named '999' (on line 1)\nERROR: Loading PCF failed.\n\
                   ERROR: Failed to open JSON file 'no.json'.\nunrecognised option '--hx9k'\n0 warnings, 2 errors\n";
        let codes: Vec<_> = nextpnr(log).into_iter().map(|alert| alert.code).collect();
        assert_eq!(codes, ["nextpnr.no-such-pin", "nextpnr.failed-to-open-json-file", "nextpnr.unknown-option"]);
    }
}
