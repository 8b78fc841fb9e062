//! OpenSTA: `Warning: FILE, line 3 text` and `Error: FILE, 39 text`, or without a place. It exits with 0 after errors, and
//! goes on after some: the log alone tells.
//!
//! Source: output of OpenSTA 2.0.17.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["there is no input port"], "clock-port-not-found"),
    (&["cannot read file"], "input-not-found"),
    (&["syntax error"], "syntax-error"),
    (&["Creating black box"], "black-box"),
    (&["not found"], "object-not-found"),
];

/// Alerts of a log of OpenSTA.
#[must_use]
pub fn opensta(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("opensta", KNOWN);
    for line in log.lines() {
        let found = [("Warning: ", Severity::Warning), ("Error: ", Severity::Error)]
            .into_iter()
            .find_map(|(word, severity)| Some((severity, line.strip_prefix(word)?)));
        match found {
            Some((severity, message)) => collector.unnamed(severity, without_place(message), message),
            None => _ = collector.crash(line),
        }
    }
    collector.alerts
}

/// The message behind `FILE, line 3 ` or `FILE, 3 `.
fn without_place(message: &str) -> &str {
    let behind = message.split_once(", ").map(|(_, behind)| behind.strip_prefix("line ").unwrap_or(behind));
    let numbered = behind.and_then(|behind| behind.split_once(' '));
    match numbered {
        Some((number, said)) if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => said,
        _ => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_no_part_of_the_kind() {
        let log = "Warning: bad.v, line 1 module FOO not found.  Creating black box for u.\nError: cannot read file nope.v.\n\
                   Error: t.tcl, 39 can not find channel named \"==\"\nslack Error: no\n";
        let alerts = opensta(log);
        let codes: Vec<&str> = alerts.iter().map(|alert| alert.code.as_str()).collect();
        assert_eq!(codes, ["opensta.black-box", "opensta.input-not-found", "opensta.can-not-find-channel-named"]);
        assert_eq!(alerts[1].severity, Severity::Error);
    }
}
