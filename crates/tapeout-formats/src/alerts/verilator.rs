//! Verilator, and programs that it has built: `%Warning-CODE: FILE:LINE:COLUMN: text`, `%Error: …`.
//!
//! Source: Verilator's manual, "Errors and Warnings", and output of version 5.006.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known, place};

const KNOWN: Known = &[
    (&["syntax error"], "syntax-error"),
    (&["Cannot find include file"], "include-not-found"),
    (&["Cannot find file containing module"], "module-not-found"),
    (&["Can't find definition of"], "undefined-name"),
    (&["Specified --top-module"], "top-not-found"),
    (&["Assertion failed"], "assertion-failed"),
    (&["Verilog $stop"], "stop"),
];

/// Lines of kind `%Error` that say nothing new: the sum at the end, and advice on the error before.
const SUMMARIES: [&str; 4] =
    ["Exiting due to", "Cannot continue", "Command Failed", "This may be because there's no search path"];

/// Alerts of a log of Verilator, or of the standard error of a simulation that it has built.
///
/// With warnings that are fatal (no `-Wno-fatal`) Verilator exits 1; its alerts are warnings nonetheless.
#[must_use]
pub fn verilator(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("verilator", KNOWN);
    for line in log.lines() {
        // A running simulation puts its time in front: `[5000] %Error: …`.
        let line = if line.starts_with('[') { line.split_once("] ").map_or(line, |(_, said)| said) } else { line };
        let (severity, rest) = if let Some(rest) = line.strip_prefix("%Warning") {
            (Severity::Warning, rest)
        } else if let Some(rest) = line.strip_prefix("%Error").or_else(|| line.strip_prefix("%Fatal")) {
            (Severity::Error, rest)
        } else {
            collector.crash(line);
            continue;
        };
        let Some((kind, message)) = rest.split_once(": ") else { continue };
        let said = place(message).map_or(message, |(_, said)| said);
        if SUMMARIES.iter().any(|summary| said.starts_with(summary)) {
            continue;
        }
        match kind.strip_prefix('-') {
            Some(kind) => collector.named(severity, kind, message),
            None => collector.unnamed(severity, said, message),
        }
    }
    collector.alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINT: &str = "\
%Warning-PINMISSING: lint.v:1:124: Cell has missing pin: 'b'
    1 | module top(input clk); sub s(.a(clk)); endmodule
      |                            ^
%Warning-WIDTH: lint.v:1:81: Operator ASSIGNW expects 8 bits on the Assign RHS, but Assign RHS's CONST '4'h3' generates 4 bits.
                           : ... In instance top
%Error: miss.v:1:34: Cannot find file containing module: 'nosuch'
%Error: miss.v:1:34: This may be because there's no search path specified with -I<dir>.
        ... Looked in:
             nosuch
%Error-UNSUPPORTED: a.v:2:3: Unsupported: x
%Error: Specified --top-module 'nosuch' was not found in design.
%Error: Exiting due to 2 error(s)
";

    #[test]
    fn warnings_and_errors_of_a_check() {
        let alerts = verilator(LINT);
        let codes: Vec<_> = alerts.iter().map(|alert| (alert.severity, alert.code.as_str())).collect();
        assert_eq!(
            codes,
            [
                (Severity::Warning, "verilator.PINMISSING"),
                (Severity::Warning, "verilator.WIDTH"),
                (Severity::Error, "verilator.module-not-found"),
                (Severity::Error, "verilator.UNSUPPORTED"),
                (Severity::Error, "verilator.top-not-found"),
            ]
        );
        assert_eq!(alerts[0].message, "lint.v:1:124: Cell has missing pin: 'b'");
    }

    #[test]
    fn a_simulation() {
        let said =
            "[5000] %Error: vt.sv:2: Assertion failed in TOP.tb: bad\n%Error: vt.sv:2: Verilog $stop\nAborting...\n";
        let codes: Vec<_> = verilator(said).into_iter().map(|alert| alert.code).collect();
        assert_eq!(codes, ["verilator.assertion-failed", "verilator.stop"]);
    }
}
