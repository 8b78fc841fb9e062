//! Columns of text, as wide as they need to be.

use super::{Paint, Style};

/// One cell: text, what it is, and on which side it stands.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
    right: bool,
    spills: bool,
}

/// How wide a column gets for the sake of cells that may spill.
const WIDE: usize = 40;

impl Cell {
    pub(crate) fn left(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: None, right: false, spills: false }
    }

    pub(crate) fn right(text: impl Into<String>) -> Self {
        Self { right: true, ..Self::left(text) }
    }

    /// Lets a long text push aside what follows it in its row, instead of the column in all rows.
    pub(crate) fn spill(mut self) -> Self {
        self.spills = true;
        self
    }

    fn width(&self) -> usize {
        self.text.chars().count()
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
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.filter(|cell| !cell.spills || cell.width() <= WIDE).map(Cell::width).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut lines = Vec::new();
    for row in rows {
        let last = row.iter().rposition(|cell| !cell.text.is_empty());
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate().take(last.map_or(0, |last| last + 1)) {
            let fill = " ".repeat(widths[column].saturating_sub(cell.width()));
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

    #[test]
    fn a_long_cell_that_may_spill_moves_its_own_row_only() {
        let long = "x".repeat(WIDE + 1);
        let rows = ["ab", &long, "c"].map(|text| vec![Cell::left(text).spill(), Cell::left("end")]);
        assert_eq!(table(&rows, Paint::new(false)), format!("  ab  end\n  {long}  end\n  c   end"));
    }
}
