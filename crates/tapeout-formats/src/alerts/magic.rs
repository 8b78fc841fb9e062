//! Magic: `LEF read, Line 16 (Warning): text`, `Error: text`, and sentences without any mark for what it cannot read.
//!
//! Source: output of Magic 8.3 revision 105. It exits 0 whatever happens, and its *messages* about keywords of LEF that it
//! passes over say nothing of the design.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["Number of nets read"], "def-nets"),
    (&["Number of subcells read"], "def-components"),
    (&["already existed before reading"], "cell-twice"),
    (&["couldn't be read"], "cell-not-found"),
    (&["is unavailable"], "cell-not-found"),
    (&["Cannot open"], "input-not-found"),
    (&["Cell", "is not defined"], "cell-not-found"),
];

/// Sentences that mean that something went wrong, in any place of a line.
const ERRORS: &[&str] = &[
    "Cannot open",
    "couldn't be read",
    "couldn't be opened",
    "is unavailable",
    "invalid command name",
    "Don't know how to read",
    "Error message output from magic",
    "cannot be written",
    "Unrecognized macro",
    "Unknown layer",
    "Error while reading cell",
];

/// Alerts of a log of Magic.
#[must_use]
pub fn magic(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("magic", KNOWN);
    for line in log.lines().map(str::trim) {
        if let Some((place, severity, said)) = marked(line) {
            collector.unnamed(severity, said, &format!("{place}: {said}"));
        } else if let Some(said) = line.strip_prefix("Error: ") {
            collector.unnamed(Severity::Error, said, said);
        } else if ERRORS.iter().any(|words| line.contains(words)) {
            collector.unnamed(Severity::Error, line, line);
        } else if let Some(said) = line.strip_prefix("Warning: ") {
            // Said of every GDS file.
            if !said.starts_with("Calma reading is not undoable") {
                collector.unnamed(Severity::Warning, said, said);
            }
        } else {
            collector.crash(line);
        }
    }
    collector.alerts
}

/// `LEF read, Line 16 (Warning): text` as the place, the severity and the text. A message is neither.
fn marked(line: &str) -> Option<(&str, Severity, &str)> {
    let (place, rest) = line.split_once(" (").filter(|(place, _)| place.contains(" read"))?;
    let (level, said) = rest.split_once("): ")?;
    let severity = match level {
        "Error" => Severity::Error,
        "Warning" => Severity::Warning,
        _ => return None,
    };
    Some((place, severity, said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log() {
        let log = "\
LEF read, Line 16 (Message): Unknown keyword \"OBS\" in LEF file; ignoring.
DEF read, Line 837 (Warning): Number of nets read (4) does not match the number declared (6).
DEF read, Line 12 (Error): Cell NANDX is not defined.
Warning: Calma reading is not undoable!  I hope that's OK.
Cannot open input file lib/nofile.lef (No such file or directory).
File top.mag couldn't be read
Error: invalid command name \"nosuch\"
";
        let got: Vec<_> = magic(log).into_iter().map(|alert| (alert.severity, alert.code)).collect();
        let got: Vec<_> = got.iter().map(|(severity, code)| (*severity, code.as_str())).collect();
        assert_eq!(
            got,
            [
                (Severity::Warning, "magic.def-nets"),
                (Severity::Error, "magic.cell-not-found"),
                (Severity::Error, "magic.input-not-found"),
                (Severity::Error, "magic.cell-not-found"),
                (Severity::Error, "magic.invalid-command-name"),
            ]
        );
        assert!(magic(log)[1].message.starts_with("DEF read, Line 12: Cell NANDX"));
    }
}
