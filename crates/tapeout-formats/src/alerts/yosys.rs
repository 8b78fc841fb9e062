//! Yosys: `Warning: text`, `ERROR: text`, with `FILE:LINE: ` or `ABC: ` in front where they come from there.
//!
//! Source: output of Yosys 0.23. Give either the log (`-l`) or the standard error of `-q`: both hold the same warnings.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[
    (&["syntax error"], "syntax-error"),
    (&["Can't open include file"], "include-not-found"),
    (&["Can't open input file"], "input-not-found"),
    (&["Can't open output file"], "output-not-writable"),
    (&["Can not open file", "$readmem"], "readmem-not-found"),
    (&["referenced in module", "is not part of the design"], "module-not-found"),
    (&["Module `", "not found"], "top-not-found"),
    (&["No such command"], "unknown-command"),
    (&["is implicitly declared"], "implicit-declaration"),
    (&["is used but has no driver"], "undriven-wire"),
    (&["multiple conflicting drivers"], "conflicting-drivers"),
    (&["found logic loop"], "logic-loop"),
    (&["is assigned in a block"], "wire-assigned-in-block"),
    (&["Resizing cell port"], "port-resized"),
    (&["Range select", "out of bounds"], "select-out-of-bounds"),
    (&["Range [", "select out of bounds"], "select-out-of-bounds"),
    (&["limited support for tri-state logic"], "tri-state"),
    (&["Replacing memory", "with list of registers"], "memory-to-registers"),
    (&["The network is combinational"], "abc-combinational"),
    (&["ABC: execution of command"], "abc-failed"),
];

/// Alerts of a log of Yosys.
#[must_use]
pub fn yosys(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("yosys", KNOWN);
    for line in log.lines() {
        let found = [("Warning: ", Severity::Warning), ("ERROR: ", Severity::Error)]
            .into_iter()
            .find_map(|(word, severity)| Some((severity, line.split_once(word)?)));
        match found {
            Some((severity, (before, said))) if is_prefix(before) => {
                collector.unnamed(severity, said, &format!("{before}{said}"));
            }
            _ => {
                collector.crash(line);
            }
        }
    }
    collector.alerts
}

/// Whether what stands before `Warning: ` says where it comes from, and the line is not text of the design or of a command.
fn is_prefix(before: &str) -> bool {
    match before.strip_suffix(": ") {
        None => before.is_empty(),
        Some("ABC") => true,
        Some(place) => place.rsplit_once(':').is_some_and(|(_, number)| number.bytes().all(|b| b.is_ascii_digit())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = r"
-- Running command `read_verilog undecl.v # Warning: not this' --
Warning: wire '\zz' is assigned in a block at undecl.v:1.79-1.86.
undecl.v:1: Warning: Identifier `\nosuchwire' is implicitly declared.
undecl.v:1: Warning: Identifier `\nosuchwire' is implicitly declared.
Warning: Yosys has only limited support for tri-state logic at the moment. (ports.v:2)
ABC: Warning: The network is combinational (run fraig).
mem.v:0: ERROR: Can not open file `nofile.hex` for \$readmemh.
ERROR: Module `\nosuch' referenced in module `\top' in cell `\u' is not part of the design.
ERROR: Module `nosuch' not found!
ERROR: Command stdout handler failed for reasons
Warnings: 4 unique messages, 5 total
";

    #[test]
    fn a_log() {
        let alerts = yosys(LOG);
        let got: Vec<_> = alerts.iter().map(|alert| (alert.code.as_str(), alert.count)).collect();
        assert_eq!(
            got,
            [
                ("yosys.wire-assigned-in-block", 1),
                ("yosys.implicit-declaration", 2),
                ("yosys.tri-state", 1),
                ("yosys.abc-combinational", 1),
                ("yosys.readmem-not-found", 1),
                ("yosys.module-not-found", 1),
                ("yosys.top-not-found", 1),
                ("yosys.command-stdout-handler-failed-for", 1),
            ]
        );
        assert_eq!(alerts[1].message, r"undecl.v:1: Identifier `\nosuchwire' is implicitly declared.");
        assert_eq!(alerts[4].severity, Severity::Error);
    }
}
