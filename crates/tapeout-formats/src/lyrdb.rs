//! KLayout's report database (`.lyrdb`): violations of design rules by category.
//!
//! Source: the files that KLayout 0.28 writes. What is read is how many items each category has; a file can also be made
//! of boxes, for KLayout to show what another program found.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::FormatError;

const FORMAT: &str = "KLayout report";

/// A report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The cell that was checked.
    pub top_cell: String,
    /// What each category is about, by its name; that of a category in another is `OUTER.INNER`. A deck declares rules
    /// that are not violated, too.
    pub categories: BTreeMap<String, String>,
    /// How many violations each category has, for those that have any.
    pub counts: BTreeMap<String, u64>,
}

impl Report {
    /// How many violations there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.values().sum()
    }
}

/// A category with its violations, to be written.
#[derive(Clone, Copy, Debug)]
pub struct Category<'a> {
    /// Its name.
    pub name: &'a str,
    /// Left, bottom, right and top edge of each violation, in µm.
    pub boxes: &'a [[f64; 4]],
}

/// Reads a report.
///
/// # Errors
/// If the text is not XML or not a report database; a file that was cut off is not XML.
pub fn parse(text: &str) -> Result<Report, FormatError> {
    let document = roxmltree::Document::parse(text).map_err(|error| FormatError::Line {
        format: FORMAT,
        line: error.pos().row as usize,
        expected: "XML".to_owned(),
        found: error.to_string(),
    })?;
    let root = document.root_element();
    if root.tag_name().name() != "report-database" {
        return Err(FormatError::Line {
            format: FORMAT,
            line: 1,
            expected: "`<report-database>`".to_owned(),
            found: format!("`<{}>`", root.tag_name().name()),
        });
    }
    let mut report = Report { top_cell: text_of(root, "top-cell").to_owned(), ..Report::default() };
    if let Some(categories) = child(root, "categories") {
        // Categories within categories: the list instead of recursion, so that no depth of a file is too deep.
        let mut open = vec![(categories, String::new())];
        while let Some((categories, outer)) = open.pop() {
            for category in categories.children().filter(|node| node.has_tag_name("category")) {
                let name = text_of(category, "name");
                let name = if outer.is_empty() { name.to_owned() } else { format!("{outer}.{name}") };
                if let Some(inner) = child(category, "categories") {
                    open.push((inner, name.clone()));
                }
                report.categories.insert(name, text_of(category, "description").to_owned());
            }
        }
    }
    for item in child(root, "items").into_iter().flat_map(|items| items.children()) {
        if item.has_tag_name("item") {
            let count = text_of(item, "multiplicity").parse().unwrap_or(1);
            let total = report.counts.entry(unquoted(text_of(item, "category"))).or_insert(0u64);
            *total = total.saturating_add(count);
        }
    }
    Ok(report)
}

fn child<'a, 'i>(node: roxmltree::Node<'a, 'i>, name: &str) -> Option<roxmltree::Node<'a, 'i>> {
    node.children().find(|child| child.has_tag_name(name))
}

fn text_of<'a>(node: roxmltree::Node<'a, '_>, name: &str) -> &'a str {
    child(node, name).and_then(|child| child.text()).unwrap_or_default().trim()
}

/// `'M1.b'` and `a.'b c'` without the quotes that stand around names with more than letters and digits.
fn unquoted(path: &str) -> String {
    let mut name = String::with_capacity(path.len());
    let mut chars = path.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => name.extend(chars.next()),
            '\'' => {}
            _ => name.push(c),
        }
    }
    name
}

/// A report of boxes in one cell.
#[must_use]
pub fn write(description: &str, cell: &str, categories: &[Category<'_>]) -> String {
    let cell = escaped(cell);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<report-database>\n <description>{}</description>\n <original-file/>\n \
         <generator/>\n <top-cell>{cell}</top-cell>\n <tags/>\n <categories>\n",
        escaped(description)
    );
    for category in categories {
        let name = escaped(category.name);
        let _ =
            writeln!(text, "  <category>\n   <name>{name}</name>\n   <description>{name}</description>\n  </category>");
    }
    let _ =
        write!(text, " </categories>\n <cells>\n  <cell>\n   <name>{cell}</name>\n  </cell>\n </cells>\n <items>\n");
    for category in categories {
        let name = escaped(&category.name.replace('\\', "\\\\").replace('\'', "\\'"));
        for [left, bottom, right, top] in category.boxes {
            let _ = writeln!(
                text,
                "  <item>\n   <category>'{name}'</category>\n   <cell>{cell}</cell>\n   <multiplicity>1</multiplicity>\n   \
                 <values>\n    <value>box: ({left},{bottom};{right},{top})</value>\n   </values>\n  </item>"
            );
        }
    }
    text.push_str(" </items>\n</report-database>\n");
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            // XML has no place for control characters.
            c if c.is_control() && c != '\t' => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn violations_are_counted_by_category() {
        let text = r#"<?xml version="1.0" encoding="utf-8"?><report-database><top-cell>top</top-cell><categories>
            <category><name>M1.b</name><description>Metal 1 spacing</description><categories>
            <category><name>a b</name><description/></category></categories></category>
            <category><name>W</name></category></categories><items>
            <item><category>'M1.b'</category><cell>top</cell><multiplicity>1</multiplicity></item>
            <item><category>'M1.b'.'a b'</category><multiplicity>2</multiplicity></item>
            <item><category>'M1.b'</category></item></items></report-database>"#;
        let report = parse(text).unwrap();
        let counts: Vec<_> = report.counts.iter().map(|(name, count)| (name.as_str(), *count)).collect();
        assert_eq!(counts, [("M1.b", 2), ("M1.b.a b", 2)]);
        assert_eq!((report.total(), report.categories.len(), report.top_cell.as_str()), (4, 3, "top"));
        assert_eq!(report.categories["M1.b"], "Metal 1 spacing");
    }

    #[test]
    fn what_is_written_reads_back() {
        let boxes = [[0.0, 1.0, 2.5, 3.0], [1.0, 1.0, 2.0, 2.0]];
        let categories = [
            Category { name: "Metal2 spacing < 3 (it's \\ & \"so\")", boxes: &boxes },
            Category { name: "W", boxes: &[] },
        ];
        let report = parse(&write("Design rules", "top", &categories)).unwrap();
        assert_eq!((report.top_cell.as_str(), report.categories.len()), ("top", 2));
        assert_eq!(report.counts, BTreeMap::from([(categories[0].name.to_owned(), 2)]));
    }

    #[test]
    fn what_is_cut_off_or_something_else_is_refused() {
        assert_eq!(parse("<report-database>\n</items>").unwrap_err().line(), Some(2));
        let error = parse("<html/>").unwrap_err().to_string();
        assert_eq!(error, "KLayout report, line 1: expected `<report-database>`, found `<html>`");
    }
}
