//! Violations of design rules as Magic found them, in the form in which our script has Magic print them:
//!
//! ```text
//! Design rules checked by Magic: gcd, style default
//! Metal2 spacing < 3 (Mosis #9.2)
//!     12.000 3.400 12.600 4.000
//! total 1
//! ```
//!
//! A rule with the words of the technology file, then a box for each violation: left, bottom, right and top edge in µm. The
//! last line says that all have been printed.

use crate::FormatError;

const FORMAT: &str = "Magic's report of design rules";
const HEAD: &str = "Design rules checked by Magic: ";

/// A report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    /// The cell that was checked.
    pub cell: String,
    /// Which set of rules was checked, such as `drc(full)`.
    pub style: String,
    /// The rules that are violated, in the order of the report.
    pub rules: Vec<Rule>,
}

/// A violated rule.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rule {
    /// The words of the technology file.
    pub text: String,
    /// Left, bottom, right and top edge of each violation, in µm.
    pub boxes: Vec<[f64; 4]>,
}

impl Report {
    /// How many violations there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.rules.iter().map(|rule| rule.boxes.len()).sum()
    }
}

/// Writes a report as the module says.
#[must_use]
pub fn write(report: &Report) -> String {
    let mut text = format!("{HEAD}{}, style {}\n", report.cell, report.style);
    for rule in &report.rules {
        text.push_str(&format!("{}\n", rule.text));
        for [left, bottom, right, top] in &rule.boxes {
            text.push_str(&format!("    {left:.4} {bottom:.4} {right:.4} {top:.4}\n"));
        }
    }
    text + &format!("total {}\n", report.count())
}

/// Reads reports, one behind the other; there may be none.
///
/// # Errors
/// As of [`parse`].
pub fn parse_all(text: &str) -> Result<Vec<Report>, FormatError> {
    let mut reports = Vec::new();
    let mut begin = 0;
    let lines: Vec<&str> = text.lines().collect();
    while begin < lines.len() {
        let is_end = |line: &&str| line.strip_prefix("total ").is_some_and(|total| total.parse::<usize>().is_ok());
        let count = lines[begin..].iter().position(is_end).map_or(lines.len() - begin, |end| end + 1);
        // Lines of errors are those of the report.
        reports.push(parse(&lines[begin..begin + count].join("\n"))?);
        begin += count;
    }
    Ok(reports)
}

/// Reads a report. What is behind its total is passed over.
///
/// # Errors
/// If the head or the total is missing, a box has no four numbers, or the total is another one than that of the boxes.
pub fn parse(text: &str) -> Result<Report, FormatError> {
    let wrong = |line: usize, expected: &str, found: &str| FormatError::Line {
        format: FORMAT,
        line,
        expected: expected.to_owned(),
        found: format!("`{found}`"),
    };
    let mut report: Option<Report> = None;
    let mut lines = 0;
    for (index, line) in text.lines().enumerate() {
        lines = index + 1;
        let Some(report) = &mut report else {
            let head = line.strip_prefix(HEAD).and_then(|head| head.rsplit_once(", style "));
            let (cell, style) = head.ok_or_else(|| wrong(lines, &format!("`{HEAD}CELL, style STYLE`"), line))?;
            report = Some(Report { cell: cell.to_owned(), style: style.to_owned(), rules: Vec::new() });
            continue;
        };
        if line.starts_with(' ') {
            let numbers: Result<Vec<f64>, _> = line.split_whitespace().map(str::parse).collect();
            let edges = numbers.ok().and_then(|numbers| <[f64; 4]>::try_from(numbers).ok());
            match (edges, report.rules.last_mut()) {
                (Some(edges), Some(rule)) => rule.boxes.push(edges),
                _ => return Err(wrong(lines, "four edges in µm below a rule", line)),
            }
        } else if let Some(total) = line.strip_prefix("total ").and_then(|total| total.parse::<usize>().ok()) {
            if total != report.count() {
                return Err(wrong(lines, &format!("`total {}`, as there are boxes above", report.count()), line));
            }
            return Ok(report.clone());
        } else {
            report.rules.push(Rule { text: line.to_owned(), boxes: Vec::new() });
        }
    }
    Err(FormatError::Missing { format: FORMAT, expected: "a line `total COUNT`".to_owned(), lines })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADED: &str = "Design rules checked by Magic: a, style b, style drc(full)\n";

    #[test]
    fn a_report() {
        let text =
            format!("{HEADED}Metal2 spacing < 3\n    1 2 3.5 4\n    -1 0 0 1\ntotal width\n    0 0 1 1\ntotal 3\n");
        let report = parse(&text).unwrap();
        assert_eq!((report.cell.as_str(), report.style.as_str(), report.count()), ("a, style b", "drc(full)", 3));
        assert_eq!(report.rules[0].boxes, [[1.0, 2.0, 3.5, 4.0], [-1.0, 0.0, 0.0, 1.0]]);
        assert_eq!(report.rules[1].text, "total width");
        assert_eq!(parse(&format!("{HEADED}total 0\n")).unwrap().count(), 0);
        assert_eq!(parse(&write(&report)).unwrap(), report);
        let other = Report { cell: "b".into(), ..Report::default() };
        let reports = [report, other];
        let text: String = reports.iter().map(write).collect();
        assert_eq!(parse_all(&text).unwrap(), reports);
        assert_eq!(parse_all("").unwrap(), []);
        assert!(parse_all(&format!("{text}rest\n")).is_err());
    }

    #[test]
    fn a_report_that_was_cut_off_or_lies_is_none() {
        for (text, line) in [
            (format!("{HEADED}rule\n    1 2 3\n"), Some(3)),
            (format!("{HEADED}    1 2 3 4\n"), Some(2)),
            (format!("{HEADED}rule\n    1 2 3 4\ntotal 0\n"), Some(4)),
            (format!("{HEADED}rule\n"), None),
            ("total 0\n".to_owned(), Some(1)),
            (String::new(), None),
        ] {
            assert_eq!(parse(&text).unwrap_err().line(), line, "{text}");
        }
    }
}
