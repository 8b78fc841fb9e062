//! graywolf: `ERROR[FUNCTION]:text`, `WARNING[FUNCTION]:text`, in the log.
//!
//! Source: output of graywolf 0.1.6.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["TWinitGraphics"], "no-display"),
    (&["corrupted size"], "crash"),
    (&["double free"], "crash"),
    (&[": syntax error"], "syntax"),
];

/// Alerts of a log of graywolf.
#[must_use]
pub fn graywolf(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("graywolf", KNOWN);
    for line in log.lines() {
        let line = line.trim();
        if collector.crash(line) {
            continue;
        }
        let severity = if line.starts_with("ERROR") {
            Severity::Error
        } else if line.starts_with("WARNING") {
            Severity::Warning
        } else if ["corrupted size", "double free", ": syntax error"].iter().any(|words| line.contains(words)) {
            Severity::Error
        } else {
            continue;
        };
        collector.unnamed(severity, line, line);
    }
    collector.alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_breakdowns() {
        let log = "No syntax errors were found\ncorrupted size vs. prev_size\nERROR[twflow]:Program TimberWolfSC died\n terminated normally\n";
        let codes: Vec<_> = graywolf(log).into_iter().map(|alert| alert.code).collect();
        assert_eq!(codes[0], "graywolf.crash");
        assert_eq!(codes.len(), 2);
    }
}
