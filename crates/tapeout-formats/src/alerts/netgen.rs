//! Netgen: `Error in SPICE file read: text`, `Warning: text`, and the errors of Tcl.
//!
//! Source: output of Netgen 1.5.133, which exits 0 whatever happens. What its setup file says of cells that a design does
//! not have is answered with an error that means nothing, and left out.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[(&["No file"], "input-not-found"), (&["invalid command name"], "script")];

/// What is said each time.
const NOISE: &[&str] = &[
    "No such cell or bad file number",
    "There were errors reading the setup file",
    "use fully-qualified name",
    "A case-insensitive file has been read",
];

/// Alerts of a log of Netgen.
#[must_use]
pub fn netgen(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("netgen", KNOWN);
    for line in log.lines().map(str::trim) {
        if NOISE.iter().any(|noise| line.contains(noise)) {
            continue;
        }
        if let Some(said) = line.strip_prefix("Warning:") {
            collector.unnamed(Severity::Warning, said.trim(), said);
        } else if line.starts_with("Error") || line.starts_with("invalid command name") || line.contains("No such file")
        {
            let said = line.strip_prefix("Error: ").unwrap_or(line);
            collector.unnamed(Severity::Error, said, said);
        } else {
            collector.crash(line);
        }
    }
    collector.alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log() {
        let log = "Warning: netgen command 'global' use fully-qualified name '::netgen::global'\n\
                   Error in SPICE file read: No file a.spice\nError s.tcl:1 (ignoring), No such cell or bad file number!\n\
                   Warning: Cell has no pins.\n";
        let got: Vec<_> = netgen(log).into_iter().map(|alert| (alert.code, alert.severity)).collect();
        let expected = [("netgen.input-not-found", Severity::Error), ("netgen.cell-has-no-pins", Severity::Warning)];
        assert_eq!(got, expected.map(|(code, severity)| (code.to_owned(), severity)));
    }
}
