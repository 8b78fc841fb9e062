//! GHDL: `FILE:LINE:COLUMN: text` for errors, `FILE:LINE:COLUMN:warning: text`, and reports of a running simulation,
//! `FILE:LINE:COLUMN:@TIME:(assertion error): text`.
//!
//! Source: output of GHDL 2.0.0.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known, place};

const KNOWN: Known = &[
    (&["no declaration for"], "undefined-name"),
    (&["is never assigned"], "never-assigned"),
    (&["cannot find entity or configuration"], "top-not-found"),
    (&["cannot open"], "input-not-found"),
    (&["missing \""], "syntax-error"),
];

/// Alerts of what GHDL prints when it analyses, synthesises or simulates.
///
/// `report` and `assert` of the design have the codes `ghdl.report-warning`, `ghdl.assertion-error` and the like; those
/// of severity `note` are no alerts.
#[must_use]
pub fn ghdl(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("ghdl", KNOWN);
    for line in log.lines() {
        if let Some((at, said)) = place(line) {
            source_line(&mut collector, at, said);
        } else if let Some((program, said)) = line.split_once(':')
            && program.rsplit('/').next().is_some_and(|name| name.starts_with("ghdl"))
        {
            let said = said.trim_start();
            let (severity, said) = match said.split_once(':') {
                Some(("error", said)) => (Severity::Error, said.trim_start()),
                Some(("warning", said)) => (Severity::Warning, said.trim_start()),
                // Such as the time at which the simulation stopped.
                Some(("info" | "note", _)) => continue,
                _ => (Severity::Error, said),
            };
            collector.unnamed(severity, said, said);
        } else {
            collector.crash(line);
        }
    }
    collector.alerts
}

fn source_line(collector: &mut Collector, at: &str, said: &str) {
    if let Some((kind, text)) = said.strip_prefix('@').and_then(|rest| rest.split_once(":(")?.1.split_once("): ")) {
        let severity = match kind.rsplit_once(' ') {
            Some((_, "note")) => return,
            Some((_, "warning")) => Severity::Warning,
            _ => Severity::Error,
        };
        collector.named(severity, &kind.replace(' ', "-"), &format!("{at}: {text}"));
        return;
    }
    let (severity, said) = match said.split_once(':') {
        Some(("warning", said)) => (Severity::Warning, said.trim_start()),
        Some(("error", said)) => (Severity::Error, said.trim_start()),
        Some(("note" | "info", _)) => return,
        _ => (Severity::Error, said),
    };
    let message = format!("{at}: {said}");
    match said.rsplit_once("[-W").and_then(|(_, name)| name.strip_suffix(']')) {
        Some(name) => collector.named(severity, name, &message),
        None => collector.unnamed(severity, said, &message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn analysis_and_simulation() {
        let alerts = ghdl(
            "bad.vhd:3:48: missing \";\" at end of architecture\n\
             architecture r of bad is begin q <= nosuch; end\n                                               ^\n\
             bad.vhd:3:37: no declaration for \"nosuch\"\n\
             warn.vhd:3:54:warning: signal \"u\" is never assigned and has no default value\n\
             a.vhd:1:2:warning: x hides y [-Whide]\n\
             tbv.vhd:2:46:@0ms:(report note): hello\ntbv.vhd:2:62:@0ms:(report warning): warn\n\
             tbv.vhd:2:166:@6ns:(assertion failure): fail\n/usr/bin/ghdl-mcode:error: assertion failed\n\
             /usr/bin/ghdl-mcode: cannot find entity or configuration nosuch\n\
             /usr/bin/ghdl-mcode:info: simulation stopped by --stop-time @5ns\n",
        );
        let got: Vec<_> = alerts.iter().map(|alert| (alert.severity, alert.code.as_str())).collect();
        assert_eq!(
            got,
            [
                (Severity::Error, "ghdl.syntax-error"),
                (Severity::Error, "ghdl.undefined-name"),
                (Severity::Warning, "ghdl.never-assigned"),
                (Severity::Warning, "ghdl.hide"),
                (Severity::Warning, "ghdl.report-warning"),
                (Severity::Error, "ghdl.assertion-failure"),
                (Severity::Error, "ghdl.assertion-failed"),
                (Severity::Error, "ghdl.top-not-found"),
            ]
        );
        assert_eq!(alerts[5].message, "tbv.vhd:2:166: fail");
        assert_eq!(alerts[2].message, "warn.vhd:3:54: signal \"u\" is never assigned and has no default value");
    }
}
