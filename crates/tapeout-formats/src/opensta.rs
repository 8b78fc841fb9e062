//! Reports of OpenSTA: power, and what a list of violations has.
//!
//! Source: output of OpenSTA 2.0.17, whose reports are tables for people.

use crate::FormatError;

/// The total power of a design, in watts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Power {
    /// Within cells when they switch.
    pub internal: f64,
    /// Of charging wires and pins.
    pub switching: f64,
    /// Of cells at rest.
    pub leakage: f64,
    /// All of it.
    pub total: f64,
}

/// Reads the line `Total` of a report of `report_power`.
///
/// # Errors
/// There is no such line, or it has no four numbers.
pub fn power(report: &str) -> Result<Power, FormatError> {
    const FORMAT: &str = "power report of OpenSTA";
    let found = report.lines().enumerate().find(|(_, line)| line.starts_with("Total "));
    let Some((index, line)) = found else {
        let expected = "a line `Total` with four numbers".to_owned();
        return Err(FormatError::Missing { format: FORMAT, expected, lines: report.lines().count() });
    };
    let numbers: Vec<f64> = line.split_whitespace().skip(1).map_while(|word| word.parse().ok()).take(4).collect();
    match numbers.as_slice() {
        &[internal, switching, leakage, total] => Ok(Power { internal, switching, leakage, total }),
        _ => Err(FormatError::Line {
            format: FORMAT,
            line: index + 1,
            expected: "four numbers behind `Total`".to_owned(),
            found: format!("`{line}`"),
        }),
    }
}

/// How many lines of a list of checks end with `(VIOLATED)`.
#[must_use]
pub fn violations(report: &str) -> usize {
    report.lines().filter(|line| line.trim_end().ends_with("(VIOLATED)")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POWER: &str = "\
Group                    Internal    Switching      Leakage        Total
                            Power        Power        Power        Power
------------------------------------------------------------------------
Sequential           4.328946e-02 1.479408e-04 2.937428e-09 4.343741e-02  77.3%
------------------------------------------------------------------------
Total                5.220535e-02 3.976449e-03 1.282971e-08 5.618181e-02 100.0%
                            92.9%         7.1%         0.0%
";

    #[test]
    fn the_total_is_read() {
        assert_eq!(power(POWER).unwrap().total, 5.618181e-02);
        let cut = POWER.replace("5.618181e-02", "");
        let error = power(&cut).unwrap_err().to_string();
        assert!(error.starts_with("power report of OpenSTA, line 6: expected four numbers"), "{error}");
        assert!(power("").is_err());
    }

    #[test]
    fn violations_are_lines_that_say_so() {
        let report = "max_transition\n\n_348_/A    0.20    0.66   -0.46 (VIOLATED)\n_1_/A  0.20 0.10 0.10 (MET)\n";
        assert_eq!(violations(report), 1);
    }
}
