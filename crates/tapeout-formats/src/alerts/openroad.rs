//! OpenROAD: `[WARNING GRT-0026] text`, `[ERROR STA-0340] text`, also without a code. Its own codes name the kinds:
//! `openroad.GRT-0026`.
//!
//! Source: the levels of OpenROAD's logger. OpenSTA within it has its messages printed in this form.

use tapeout_model::{Alert, Severity};

use super::{Collector, Known};

const KNOWN: Known = &[];

/// Alerts of a log of OpenROAD.
#[must_use]
pub fn openroad(log: &str) -> Vec<Alert> {
    let mut collector = Collector::new("openroad", KNOWN);
    for line in log.lines() {
        match alert(line) {
            Some((severity, "", said)) => collector.unnamed(severity, said, said),
            Some((severity, code, said)) => collector.named(severity, code, said),
            None => _ = collector.crash(line),
        }
    }
    collector.alerts
}

/// Severity, code and text of a line that begins with `[LEVEL CODE]`.
fn alert(line: &str) -> Option<(Severity, &str, &str)> {
    let (head, said) = line.strip_prefix('[')?.split_once(']')?;
    let (level, code) = head.split_once(char::is_whitespace).unwrap_or((head, ""));
    let severity = match level {
        "WARNING" => Severity::Warning,
        "ERROR" | "CRITICAL" => Severity::Error,
        _ => return None,
    };
    let code = code.trim_start();
    (code.is_empty() || is_code(code)).then_some((severity, code, said.trim()))
}

/// The letters of a tool, a dash, and a number.
fn is_code(code: &str) -> bool {
    code.split_once('-').is_some_and(|(tool, number)| {
        !tool.is_empty()
            && tool.bytes().all(|byte| byte.is_ascii_uppercase())
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "\
[INFO GRT-0020] Min routing layer: met1
[WARNING GRT-0026] Missing route to pin u1/A.
[WARNING GRT-0026] Missing route to pin u2/A.
[WARNING GRT-0026] Missing route to pin u1/A.
  [WARNING GRT-0027] indented
[WARNING] Unit mismatch of 'lib'.
[ERROR STA-0340] liberty cell not found.
[WARNING grt-1] not a code
[ERROR
[CRITICAL ORD-0001] gone wrong
";

    #[test]
    fn a_log() {
        let alerts = openroad(LOG);
        let got: Vec<_> =
            alerts.iter().map(|alert| (&*alert.code, alert.severity, &*alert.message, alert.count)).collect();
        assert_eq!(
            got,
            [
                ("openroad.GRT-0026", Severity::Warning, "Missing route to pin u1/A.", 2),
                ("openroad.GRT-0026", Severity::Warning, "Missing route to pin u2/A.", 1),
                ("openroad.unit-mismatch-of", Severity::Warning, "Unit mismatch of 'lib'.", 1),
                ("openroad.STA-0340", Severity::Error, "liberty cell not found.", 1),
                ("openroad.ORD-0001", Severity::Error, "gone wrong", 1),
            ]
        );
    }
}
