//! What synthesis takes of a cell library: the Liberty text without excluded cells, and a map for its latches, which Yosys
//! itself does not map.

use std::cmp::Ordering;

use glob::Pattern;
use tapeout_formats::FormatError;
use tapeout_formats::liberty::{self, Cell, Direction, Library};

/// A Liberty file of the corner.
pub(super) struct LibertyFile {
    /// As a command line names it.
    pub(super) path: String,
    /// All of its cells: a design may instantiate any.
    pub(super) library: Library,
    /// The cells that may be picked.
    pub(super) usable: Library,
    /// The text without excluded cells, where there are some in it.
    pub(super) trimmed: Option<String>,
}

impl LibertyFile {
    pub(super) fn read(path: String, text: &str, excluded: &[Pattern]) -> Result<Self, FormatError> {
        let library = liberty::parse(text)?;
        let is_excluded = |name: &str| {
            library.cell(name).is_some_and(|cell| cell.dont_use) || excluded.iter().any(|pattern| pattern.matches(name))
        };
        let mut usable = library.clone();
        usable.cells.retain(|cell| !is_excluded(&cell.name));
        let trimmed = match usable.cells.len() < library.cells.len() {
            true => Some(liberty::without_cells(text, is_excluded)?),
            false => None,
        };
        Ok(Self { path, library, usable, trimmed })
    }
}

/// The patterns in a file of excluded cells, one a line; `#` begins a comment.
pub(super) fn patterns_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty())
}

/// The techmap modules for latches, from the smallest plain latch of the library: without set and reset, with an enable
/// that is a pin or its complement. Nothing where there is none.
pub(super) fn latch_map(library: &Library) -> Option<String> {
    let latches = library.cells.iter().filter_map(|cell| {
        let storage = cell.storage.as_ref().filter(|of| of.is_latch && of.clear.is_none() && of.preset.is_none())?;
        let (enable, inverted) = literal(&storage.clock);
        let (data, false) = literal(&storage.data) else { return None };
        let output = cell.pins.iter().find(|pin| {
            let function = pin.function.as_deref().map(literal);
            pin.direction == Some(Direction::Output)
                && pin.three_state.is_none()
                && function == Some((storage.state.0.as_str(), false))
        })?;
        (cell.pin(enable).is_some() && cell.pin(data).is_some()).then_some((cell, enable, inverted, data, &output.name))
    });
    let (cell, enable, inverted, data, output) = latches.min_by(|(a, ..), (b, ..)| by_area(a, b))?;
    let module = |name: &str, when_high: bool| {
        let not = if when_high == inverted { "~" } else { "" };
        format!(
            "module \\{name} (input E, input D, output Q);\n  \\{} _TECHMAP_REPLACE_ (.\\{enable} ({not}E), .\\{data} (D), \
             .\\{output} (Q));\nendmodule\n",
            cell.name
        )
    };
    Some(module("$_DLATCH_P_", true) + &module("$_DLATCH_N_", false))
}

/// The techmap module for tri-state buffers, from the smallest cell with an output that is one input or its complement
/// while another, or its complement, lets it be. Nothing where there is none.
pub(super) fn tristate_map(library: &Library) -> Option<String> {
    let buffers = library.cells.iter().filter(|cell| cell.storage.is_none()).filter_map(|cell| {
        let output = cell.pins.iter().find(|pin| pin.three_state.is_some())?;
        let (data, inverts) = literal(output.function.as_deref()?);
        let (enable, enabled_high) = literal(output.three_state.as_deref()?);
        let are_pins = cell.pin(enable).is_some() && cell.pin(data).is_some() && cell.pins.len() == 3;
        are_pins.then_some((cell, (data, inverts), (enable, enabled_high), &output.name))
    });
    let (cell, (data, inverts), (enable, enabled_high), output) = buffers.min_by(|(a, ..), (b, ..)| by_area(a, b))?;
    let (not_data, not_enable) = (if inverts { "~" } else { "" }, if enabled_high { "" } else { "~" });
    Some(format!(
        "module \\$_TBUF_ (input A, input E, output Y);\n  \\{} _TECHMAP_REPLACE_ (.\\{data} ({not_data}A), .\\{enable} \
         ({not_enable}E), .\\{output} (Y));\nendmodule\n",
        cell.name
    ))
}

fn by_area(a: &Cell, b: &Cell) -> Ordering {
    a.area.unwrap_or(f64::MAX).total_cmp(&b.area.unwrap_or(f64::MAX))
}

/// A name and whether it is complemented.
fn literal(expression: &str) -> (&str, bool) {
    let text = expression.trim_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
    match (text.strip_prefix('!'), text.strip_suffix('\'')) {
        (Some(name), _) | (None, Some(name)) => (name.trim(), true),
        (None, None) => (text, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "library(a) {
        cell (BIG) { area : 9; latch (Q, N) { enable : \"E\"; data_in : \"D\"; }
            pin(E) { direction : input; } pin(D) { direction : input; } pin(Q) { direction : output; function : \"Q\"; } }
        cell (LAT) { area : 3; latch (IQ, IQN) { enable : \"!G\"; data_in : \"D\"; }
            pin(G) { direction : input; } pin(D) { direction : input; } pin(Y) { direction : output; function : \"IQ\"; } }
        cell (RST) { area : 1; latch (IQ, IQN) { enable : \"G\"; data_in : \"D\"; clear : \"R\"; } }
    }";

    #[test]
    fn the_smallest_plain_latch_is_taken_in_its_sense() {
        let library = liberty::parse(TEXT).unwrap();
        let map = latch_map(&library).unwrap();
        assert_eq!(
            map,
            "module \\$_DLATCH_P_ (input E, input D, output Q);\n  \\LAT _TECHMAP_REPLACE_ (.\\G (~E), .\\D (D), .\\Y \
             (Q));\nendmodule\nmodule \\$_DLATCH_N_ (input E, input D, output Q);\n  \\LAT _TECHMAP_REPLACE_ (.\\G (E), \
             .\\D (D), .\\Y (Q));\nendmodule\n"
        );
        assert_eq!(latch_map(&Library::default()), None);
    }

    #[test]
    fn an_inverting_tri_state_buffer_is_turned_round() {
        let text = "library(a) { cell (T) { pin(A) { direction : input; } pin(EN) { direction : input; }
            pin(Y) { direction : output; function : \"(!A)\"; three_state : \"(!EN)\"; } } }";
        let map = tristate_map(&liberty::parse(text).unwrap()).unwrap();
        assert!(map.contains("\\T _TECHMAP_REPLACE_ (.\\A (~A), .\\EN (E), .\\Y (Y));"), "{map}");
    }

    #[test]
    fn excluded_cells_are_not_in_the_text() {
        let excluded = ["L*".to_owned()].map(|pattern| Pattern::new(&pattern).unwrap());
        let file = LibertyFile::read("a.lib".to_owned(), TEXT, &excluded).unwrap();
        assert!(!file.trimmed.unwrap().contains("LAT"));
        assert!(LibertyFile::read("a.lib".to_owned(), TEXT, &[]).unwrap().trimmed.is_none());
        assert_eq!(patterns_in("a_* # x\n\n# y\nb\n").collect::<Vec<_>>(), ["a_*", "b"]);
    }
}
