//! Icarus Verilog: the compiler `iverilog` and the simulator `vvp`.
//!
//! Source: output of version 11.0. Both exit statuses mislead: iverilog's is the number of errors modulo 256, so that 256
//! errors exit 0; vvp's is 0 after `$error` and after a memory file was not found.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known, place};

const KNOWN: Known = &[
    (&["syntax error"], "syntax-error"),
    (&["Include file", "not found"], "include-not-found"),
    (&["No such file or directory"], "input-not-found"),
    (&["Unknown module type"], "module-not-found"),
    (&["Unable to find the root module"], "top-not-found"),
    (&["No top level modules"], "top-not-found"),
    (&["Unable to bind"], "undefined-name"),
    (&["Unable to elaborate r-value"], "undefined-name"),
    (&["Could not find variable"], "undefined-name"),
    (&["with dangling input port"], "unconnected-input"),
    (&["expects", "bits, got"], "port-width"),
    (&["is not a port of"], "no-such-port"),
    (&["Wrong number of ports"], "port-count"),
    (&["bit select", "is after vector"], "select-out-of-bounds"),
    (&["bit select", "is before vector"], "select-out-of-bounds"),
    (&["Numeric constant truncated"], "constant-truncated"),
    (&["$readmem", "Unable to open"], "readmem-not-found"),
    (&["$readmem", "Not enough words"], "readmem-short"),
    (&["$readmem", "Too many words"], "readmem-long"),
    (&["is not defined by any module"], "unknown-system-task"),
    (&["Unable to open input file"], "input-not-found"),
];

/// Alerts of what iverilog prints.
#[must_use]
pub fn iverilog(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("iverilog", KNOWN);
    for line in log.lines() {
        let (at, rest) = place(line).map_or(("", line), |(at, rest)| (at, rest));
        // `FILE:LINE:        : text` goes on with the message before.
        if rest.starts_with(':') || rest.trim().is_empty() {
            continue;
        }
        let words = [
            ("error: ", Severity::Error),
            ("sorry: ", Severity::Error),
            ("internal error: ", Severity::Error),
            ("warning: ", Severity::Warning),
        ];
        let found = words.iter().find_map(|(word, severity)| Some((*severity, rest.strip_prefix(word)?)));
        match found {
            Some((severity, said)) => {
                let message = if at.is_empty() { said.to_owned() } else { format!("{at}: {said}") };
                collector.unnamed(severity, said, &message);
            }
            None if !at.is_empty()
                || rest.ends_with("No such file or directory")
                || rest.starts_with("No top level modules") =>
            {
                collector.unnamed(Severity::Error, rest, line);
            }
            None => {
                collector.crash(line);
            }
        }
    }
    collector.alerts
}

/// Alerts of what vvp prints, on both outputs. `$warning`, `$error` and `$fatal` of the design have the codes
/// `vvp.warning`, `vvp.error` and `vvp.fatal`; what a bench prints in its own words is not known here.
#[must_use]
pub fn vvp(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("vvp", KNOWN);
    for line in log.lines() {
        let words = [
            ("FATAL: ", Severity::Error, "fatal"),
            ("ERROR: ", Severity::Error, "error"),
            ("WARNING: ", Severity::Warning, "warning"),
        ];
        if let Some((rest, severity, kind)) =
            words.into_iter().find_map(|(word, severity, kind)| Some((line.strip_prefix(word)?, severity, kind)))
        {
            let said = place(rest).map_or(rest, |(_, said)| said);
            if said.starts_with("$readmem") {
                collector.unnamed(severity, said, rest);
            } else {
                collector.named(severity, kind, rest);
            }
        } else if let Some((at, said)) = place(line)
            && let Some(said) = said.strip_prefix("Error: ")
        {
            collector.unnamed(Severity::Error, said, &format!("{at}: {said}"));
        } else if line.ends_with(": Unable to open input file.") {
            collector.unnamed(Severity::Error, line, line);
        } else {
            collector.crash(line);
        }
    }
    collector.alerts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(alerts: &[Alert]) -> Vec<(&str, u32)> {
        alerts.iter().map(|alert| (alert.code.as_str(), alert.count)).collect()
    }

    #[test]
    fn the_compiler() {
        let alerts = iverilog(
            "syn.v:3: syntax error\nI give up.\ninc.v:2: Include file nofile.vh not found\n\
             No top level modules, and no -s option.\nmiss.v:1: error: Unknown module type: nosuch\n\
             2 error(s) during elaboration.\n*** These modules were missing:\n        nosuch referenced 1 times.\n***\n\
             iv.v:4: warning: Port 1 (a) of sub expects 1 bits, got 4.\niv.v:4:        : Pruning 3 high bits of the expression.\n\
             error: Unable to find the root module \"nosuch\" in the Verilog source.\n     : Perhaps ``-s nosuch'' is incorrect?\n\
             nofile.v: No such file or directory\na.v:9: sorry: Unpacked structs not supported.\n",
        );
        assert_eq!(
            codes(&alerts),
            [
                ("iverilog.syntax-error", 1),
                ("iverilog.include-not-found", 1),
                ("iverilog.top-not-found", 1),
                ("iverilog.module-not-found", 1),
                ("iverilog.port-width", 1),
                ("iverilog.top-not-found", 1),
                ("iverilog.input-not-found", 1),
                ("iverilog.unpacked-structs-not-supported", 1),
            ]
        );
        assert_eq!(alerts[4].severity, Severity::Warning);
        assert_eq!(alerts[4].message, "iv.v:4: Port 1 (a) of sub expects 1 bits, got 4.");
    }

    #[test]
    fn the_simulator() {
        let alerts = vvp("ERROR: mem.v:2: $readmemh: Unable to open nofile.hex for reading.\n\
             WARNING: m.v:2: $readmemh(short.hex): Not enough words in the file for the requested range [0:15].\n\
             FATAL: tb.sv:7: boom 3\n       Time: 0 Scope: tb\nERROR: tb.sv:8: bad 1\nERROR: tb.sv:8: bad 1\n\
             INFO: tb.sv:9: i\nst.v:1: Error: System task/function $nosuch() is not defined by any module.\n\
             x.vvp: Program not runnable, 1 errors.\nnofile.vvp: Unable to open input file.\n");
        assert_eq!(
            codes(&alerts),
            [
                ("vvp.readmem-not-found", 1),
                ("vvp.readmem-short", 1),
                ("vvp.fatal", 1),
                ("vvp.error", 2),
                ("vvp.unknown-system-task", 1),
                ("vvp.input-not-found", 1),
            ]
        );
        assert_eq!(alerts[2].message, "tb.sv:7: boom 3");
    }
}
