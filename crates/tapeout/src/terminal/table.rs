//! Columns of text, as wide as they need to be.

use super::{Paint, Style};

/// One cell: text, what it is, and on which side it stands.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
    right: bool,
}

impl Cell {
    pub(crate) fn left(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: None, right: false }
    }

    pub(crate) fn right(text: impl Into<String>) -> Self {
        Self { right: true, ..Self::left(text) }
    }

    pub(crate) fn style(mut self, style: Option<Style>) -> Self {
        self.style = style;
        self
    }
}

/// Lays rows out, indented by two columns, without blanks at the ends of lines and without a line break at the end.
pub(crate) fn table(rows: &[Vec<Cell>], paint: Paint) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.text.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut lines = Vec::new();
    for row in rows {
        let last = row.iter().rposition(|cell| !cell.text.is_empty());
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
            let fill = " ".repeat(widths[column] - cell.text.chars().count());
            let text = cell.style.map_or_else(|| cell.text.clone(), |style| paint.paint(style, &cell.text));
            line.push_str("  ");
            match (cell.right, Some(column) == last) {
                (true, _) => line.extend([fill, text]),
                (false, false) => line.extend([text, fill]),
                (false, true) => line.push_str(&text),
            }
        }
        lines.push(line);
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_have_no_blanks_at_the_end() {
        let rows = [
            vec![Cell::left("a"), Cell::right("1.5"), Cell::left("")],
            vec![Cell::left("longer"), Cell::right("10"), Cell::left("why")],
        ];
        assert_eq!(table(&rows, Paint::new(false)), "  a       1.5\n  longer   10  why");
    }
}
