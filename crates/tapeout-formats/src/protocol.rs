//! The lines by which a tool's script tells metrics and reports in its output, as the scripts of OpenLane do:
//!
//! ```text
//! %OL_CREATE_REPORT FILE     the lines that follow are a report
//! %OL_END_REPORT             it ends; the next report or the end of the output ends it, too
//! %OL_METRIC NAME VALUE      a name, such as a device; the rest of the line is its value
//! %OL_METRIC_I NAME VALUE    a count
//! %OL_METRIC_F NAME VALUE    a quantity; it may be `inf`
//! ```
//!
//! They count only where they begin a line. A metric within a report is no part of the report. What is told twice is as
//! it was told last.

use std::collections::BTreeMap;

use tapeout_model::{Metric, Metrics};

use crate::FormatError;

/// What a tool told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// By their names.
    pub metrics: Metrics,
    /// Their bytes by their paths, which are below the directory in which the tool ran.
    pub reports: BTreeMap<String, Vec<u8>>,
}

const FORMAT: &str = "output of the tool";
const DIRECTIVES: &str = "one of %OL_CREATE_REPORT, %OL_END_REPORT, %OL_METRIC, %OL_METRIC_I and %OL_METRIC_F";

/// Reads the output of a tool: any bytes.
///
/// # Errors
/// A line begins with `%OL_` and is none of these lines, has no value or a wrong one, or names a report outside of the
/// directory.
pub fn parse(output: &[u8]) -> Result<Told, FormatError> {
    let mut told = Told::default();
    let mut report: Option<String> = None;
    for (index, line) in output.split_inclusive(|byte| *byte == b'\n').enumerate() {
        if !line.starts_with(b"%OL_") {
            if let Some(open) = report.as_ref().and_then(|path| told.reports.get_mut(path)) {
                open.extend_from_slice(line);
            }
            continue;
        }
        let wrong = |expected: &str, found: &str| FormatError::Line {
            format: FORMAT,
            line: index + 1,
            expected: expected.to_owned(),
            found: format!("`{found}`"),
        };
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end();
        let (directive, rest) = word(line);
        match directive {
            "%OL_CREATE_REPORT" => {
                let path = path_below(rest).ok_or_else(|| wrong("a report below the tool's directory", line))?;
                told.reports.insert(path.clone(), Vec::new());
                report = Some(path);
            }
            "%OL_END_REPORT" => report = None,
            "%OL_METRIC" | "%OL_METRIC_I" | "%OL_METRIC_F" => {
                let (name, value) = word(rest);
                if value.is_empty() {
                    return Err(wrong("a name and a value", line));
                }
                let metric = match directive {
                    "%OL_METRIC_I" => value.parse().map(Metric::Int).map_err(|_| wrong("an integer", line))?,
                    "%OL_METRIC_F" => quantity(value).map(Metric::Float).ok_or_else(|| wrong("a number", line))?,
                    _ => Metric::Text(value.to_owned()),
                };
                told.metrics.insert(name.to_owned(), metric);
            }
            _ => return Err(wrong(DIRECTIVES, line)),
        }
    }
    Ok(told)
}

/// The first word and what follows it, without the blanks between.
fn word(text: &str) -> (&str, &str) {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (first, rest.trim_start())
}

/// A number that is infinite only if it says so.
fn quantity(text: &str) -> Option<f64> {
    let number: f64 = text.parse().ok()?;
    (number.is_finite() || !text.contains(|c: char| c.is_ascii_digit())).then_some(number)
}

/// The path without `.` and `..`, if it is one of a file below the directory to which it is relative.
fn path_below(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    if path.starts_with('/') || path.ends_with('/') {
        return None;
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop()?,
            part => parts.push(part),
        }
    }
    (!parts.is_empty() && !path.ends_with("/.") && !path.ends_with("/..")).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_and_reports() {
        let output = b"before\n%OL_CREATE_REPORT ./a/../min.rpt\nslack\xfa 1\r\n%OL_METRIC_I count 3\nmore\n\
            %OL_CREATE_REPORT max path.rpt\nx\n%OL_END_REPORT\nafter\n %OL_METRIC_I indented 1\n\
            %OL_METRIC device up 5k \r\n%OL_METRIC_F  ws  -2.50\n%OL_METRIC_F wns inf\n%OL_METRIC_F count 4\n\
            %OL_CREATE_REPORT open.rpt\nto the end";
        let told = parse(output).unwrap();
        let metrics: Vec<String> = told.metrics.iter().map(|(name, metric)| format!("{name} {metric:?}")).collect();
        let expected = ["count Float(4.0)", "device Text(\"up 5k\")", "wns Float(inf)", "ws Float(-2.5)"];
        assert_eq!(metrics, expected);
        let reports: Vec<(&str, &[u8])> = told.reports.iter().map(|(path, bytes)| (&**path, &**bytes)).collect();
        let expected: [(&str, &[u8]); 3] =
            [("max path.rpt", b"x\n"), ("min.rpt", b"slack\xfa 1\r\nmore\n"), ("open.rpt", b"to the end")];
        assert_eq!(reports, expected);
    }

    #[test]
    fn a_line_that_means_nothing_is_an_error() {
        let cases = [
            ("%OL_METRIC_I n 1.0", "expected an integer, found `%OL_METRIC_I n 1.0`"),
            ("%OL_METRIC_F n two", "expected a number, found `%OL_METRIC_F n two`"),
            ("%OL_METRIC_F n 1e999", "expected a number, found `%OL_METRIC_F n 1e999`"),
            ("%OL_METRIC name", "expected a name and a value, found `%OL_METRIC name`"),
            ("%OL_METRIC_D n 1", &format!("expected {DIRECTIVES}, found `%OL_METRIC_D n 1`")),
        ];
        for (line, message) in cases {
            let error = parse(format!("a\n{line}\n").as_bytes()).unwrap_err();
            assert_eq!(error.to_string(), format!("output of the tool, line 2: {message}"));
        }
        for path in ["", "../a.rpt", "a/../../b", "/tmp/a.rpt", "a/", ".", "a/.."] {
            let error = parse(format!("%OL_CREATE_REPORT {path}\n").as_bytes()).unwrap_err();
            assert!(error.to_string().contains("expected a report below the tool's directory"), "{path}: {error}");
        }
    }
}
