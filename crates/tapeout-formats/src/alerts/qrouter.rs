//! qrouter: sentences without a common form, in the log and on standard error.
//!
//! Source: output of qrouter 1.4.71.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["Could not find a macro definition"], "unknown-cell"),
    (&["Endpoint", "not found"], "unknown-pin"),
    (&["Cannot open input file"], "cannot-open"),
    (&["Unknown keyword"], "unknown-keyword"),
    (&["is defined outside of route layer area"], "unreachable-pin"),
    (&["Script file", "failed with result"], "script"),
];

/// What the readers of LEF and DEF warn of; they say neither of warnings nor of errors that they are.
const PASSED_OVER: [&str; 6] =
    ["Warning:", "Unknown keyword", "Unknown net property", "gnoring", "Assuming", "exceeds"];

/// Alerts of a log of qrouter.
///
/// What it says of single nets is left out: nets that it gives up are in [`crate::qrouter::log`], and `Failure to find route
/// start node` is also said of nets that are routed well, where a via is the first thing at a pin.
#[must_use]
pub fn qrouter(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("qrouter", KNOWN);
    for line in log.lines() {
        if collector.crash(line) {
            continue;
        }
        if line.starts_with("LEF Read, Line ") || line.starts_with("DEF Read, Line ") {
            let said = line.split_once(": ").map_or(line, |(_, said)| said);
            // Tracks of layers that it is told to leave alone.
            if !said.starts_with("NOTE:") && !said.starts_with("Ignoring TRACKS above") {
                let is_passed_over = PASSED_OVER.iter().any(|words| said.contains(words));
                let severity = if is_passed_over { Severity::Warning } else { Severity::Error };
                collector.unnamed(severity, said, line);
            }
        } else if line.starts_with("Cannot open input file") || line.starts_with("Script file ") {
            collector.unnamed(Severity::Error, line, line);
        }
    }
    collector.alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_of_the_readers_are_no_alerts() {
        let log = "LEF Read, Line 135: NOTE:  Old format VIARULE ignored.\nLEF file:  Defines site IO (ignored)\n\
            DEF Read, Line 9: Unknown keyword \"FOO\" in COMPONENT definition; ignoring.\n\
            DEF Read, Line 853: Could not find a macro definition for \"NOCELL\"\n\
            Error:  Failure to find route start node/route on net q[1]!\n\
            Error:  Failure to find route start node/route on net q[1]!\nRoute segment 0 was not walked!\n\
            Script file \"c.tcl\" failed with result 'invalid command name \"foo\"'\nFinal: No failed routes!\n";
        let found: Vec<_> = qrouter(log).into_iter().map(|alert| (alert.code, alert.severity, alert.count)).collect();
        assert_eq!(
            found,
            [
                ("qrouter.unknown-keyword".to_owned(), Severity::Warning, 1),
                ("qrouter.unknown-cell".to_owned(), Severity::Error, 1),
                ("qrouter.script".to_owned(), Severity::Error, 1),
            ]
        );
    }
}
