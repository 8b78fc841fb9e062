//! KLayout: `ERROR: text` and `Warning: text`.
//!
//! Source: output of KLayout 0.28.5. It warns of every purpose of a layer of DEF that the layer map leaves out. That
//! matters for wires and vias only: outlines, labels and what an abstract shows of a cell have no layer in a mask.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["No mapping for layer"], "layer-not-mapped"),
    (&["Unable to open file"], "input-not-found"),
    (&["uninitialized constant RBA::"], "too-old"),
    (&["Macro not found in LEF"], "cell-not-found"),
    (&["undefined method"], "script"),
];

/// Alerts of a log of KLayout.
#[must_use]
pub fn klayout(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("klayout", KNOWN);
    for line in log.lines().map(str::trim) {
        if let Some(said) = line.strip_prefix("ERROR: ") {
            collector.unnamed(Severity::Error, said, said);
        } else if let Some(said) = line.strip_prefix("Warning: ") {
            let unmapped = said.starts_with("No mapping for ");
            let drawn = ["'NET'", "'SPNET'", "'VIA'", "'PIN'", "'FILL'"].iter().any(|purpose| said.contains(purpose));
            if !unmapped || drawn {
                collector.unnamed(Severity::Warning, said, said);
            }
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
        let log = "Warning: No mapping for purpose 'OUTLINE' - layer is ignored\n\
                   Warning: No mapping for layer 'metal1', purpose 'LEFOBS' - layer is ignored\n\
                   Warning: No mapping for layer 'via1', purpose 'VIA' Via size 0.4,0.4 - layer is ignored\n\
                   ERROR: uninitialized constant RBA::EdgePairToEdgeOperator in Executable::execute\n";
        let got: Vec<_> = klayout(log).into_iter().map(|alert| (alert.code, alert.severity)).collect();
        let expected = [("klayout.layer-not-mapped", Severity::Warning), ("klayout.too-old", Severity::Error)];
        assert_eq!(got, expected.map(|(code, severity)| (code.to_owned(), severity)));
    }
}
