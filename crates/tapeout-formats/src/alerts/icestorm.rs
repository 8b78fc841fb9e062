//! icepack and icetime of IceStorm: `Error: text`, `// Warning: text`, `Can't open …`.
//!
//! Source: output of IceStorm 20230218. Missed timing (`-c`) is no alert: see [`crate::icetime::parse_check`].

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["Device type", "do not match"], "device-mismatch"),
    (&["Invalid device type"], "unknown-device"),
    (&["Can't find chipdb file"], "device-unknown-in-design"),
    (&["Can't open input file"], "input-not-found"),
    (&["Failed to open input file"], "input-not-found"),
    (&["Failed to open output file"], "output-not-writable"),
    (&["Unexpected data line"], "bad-input"),
    (&["Unknown nosleep setting"], "bad-input"),
    (&["cannot process it"], "bad-input"),
];

/// Alerts of what icepack prints. It packs a file that ends early without a word: see [`crate::asc`].
#[must_use]
pub fn icepack(log: &str) -> Vec<Alert> {
    alerts("icepack", log)
}

/// Alerts of what icetime prints. With a device of another die it warns, exits 0 and gives wrong numbers.
#[must_use]
pub fn icetime(log: &str) -> Vec<Alert> {
    alerts("icetime", log)
}

fn alerts(tool: &'static str, log: &str) -> Vec<Alert> {
    let mut collector = Collector::new(tool, KNOWN);
    for line in log.lines() {
        let said = line.trim_start_matches(['/', ' ']);
        if let Some(said) = said.strip_prefix("Warning: ") {
            collector.unnamed(Severity::Warning, said, said);
        } else if let Some(said) = said.strip_prefix("Error: ") {
            collector.unnamed(Severity::Error, said, said);
        } else if said.starts_with("Can't ") || said.starts_with("icetime cannot ") {
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
    fn icetime_with_the_wrong_device_and_with_no_device() {
        let alerts =
            icetime("// Reading input .asc file..\n// Warning: Device type 'up5k' and chip '8k' do not match.\n");
        assert_eq!((alerts[0].code.as_str(), alerts[0].severity), ("icetime.device-mismatch", Severity::Warning));
        assert_eq!(icetime("Can't find chipdb file for device \n")[0].code, "icetime.device-unknown-in-design");
        let cut = "Input file contains very long lines.\nicetime cannot process it.\n";
        assert_eq!(icetime(cut)[0].code, "icetime.bad-input");
        assert_eq!(icetime("Error: Invalid device type 'bogus'.\n")[0].code, "icetime.unknown-device");
    }

    #[test]
    fn icepack_with_something_else_than_a_design() {
        let alerts = icepack("Error: Unexpected data line: hello\n");
        assert_eq!((alerts[0].code.as_str(), alerts[0].severity), ("icepack.bad-input", Severity::Error));
        assert_eq!(alerts[0].message, "Unexpected data line: hello");
    }
}
