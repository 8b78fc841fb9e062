//! The text report of icetime (`-r FILE`).
//!
//! Source: output of icetime of IceStorm 20230218.

use crate::FormatError;

const FORMAT: &str = "icetime report";

/// The worst path of a design.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// ns. Paths from and to pins count, as does the way of the clock from its pin, unless icetime ran with `-i`.
    pub delay_ns: f64,
    /// MHz; infinite for a path that takes no time.
    pub fmax_mhz: f64,
    /// Logic cells on the path.
    pub logic_levels: Option<u32>,
    /// Whether icetime ran with `-m`, which overestimates.
    pub conservative: bool,
}

/// Reads a report.
///
/// # Errors
/// If there is no line `Total path delay`, or it has no numbers.
pub fn parse(text: &str) -> Result<Report, FormatError> {
    let mut levels = None;
    let mut conservative = false;
    let mut lines = 0;
    for (index, line) in text.lines().enumerate() {
        lines = index + 1;
        if let Some(rest) = line.strip_prefix("Total path delay: ") {
            let (delay_ns, fmax_mhz) = delay_and_frequency(rest).ok_or_else(|| FormatError::Line {
                format: FORMAT,
                line: lines,
                expected: "`Total path delay: N ns (N MHz)`".to_owned(),
                found: format!("`{line}`"),
            })?;
            return Ok(Report { delay_ns, fmax_mhz, logic_levels: levels, conservative });
        } else if let Some(rest) = line.strip_prefix("Total number of logic levels: ") {
            levels = rest.trim().parse().ok();
        } else if line.starts_with("Info: max_span_hack is enabled") {
            conservative = true;
        }
    }
    Err(FormatError::Missing { format: FORMAT, expected: "a line `Total path delay: N ns (N MHz)`".to_owned(), lines })
}

/// `2.28 ns (438.37 MHz)`
fn delay_and_frequency(text: &str) -> Option<(f64, f64)> {
    let (delay, frequency) = text.trim_end().split_once(" ns (")?;
    Some((delay.trim().parse().ok()?, frequency.strip_suffix(" MHz)")?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report() {
        let report = parse(include_str!("../tests/data/icetime-hx4k.rpt")).unwrap();
        let expected = Report { delay_ns: 2.28, fmax_mhz: 438.37, logic_levels: Some(1), conservative: true };
        assert_eq!(report, expected);
        assert!(parse("Total path delay: 0.00 ns (inf MHz)\n").unwrap().fmax_mhz.is_infinite());
    }

    #[test]
    fn a_cut_report() {
        let error = parse("\nicetime topological timing analysis report\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "icetime report: expected a line `Total path delay: N ns (N MHz)`, not found in 2 lines"
        );
        assert_eq!(parse("\nTotal path delay: 2.2").unwrap_err().line(), Some(2));
    }
}
