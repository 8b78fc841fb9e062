//! What synthesis takes of a cell library: the Liberty text without excluded cells, and a map for its latches, which Yosys
//! itself does not map.

use glob::Pattern;
use tapeout_formats::FormatError;
use tapeout_formats::liberty::{self, Direction, Library};

/// A Liberty file of the corner.
pub(super) struct LibertyFile {
    /// As a command line names it.
    pub(super) path: String,
    pub(super) library: Library,
    /// The text without excluded cells, where there are some in it.
    pub(super) trimmed: Option<String>,
}

impl LibertyFile {
    pub(super) fn read(path: String, text: &str, excluded: &[Pattern]) -> Result<Self, FormatError> {
        let library = liberty::parse(text)?;
        let is_excluded = |name: &str| excluded.iter().any(|pattern| pattern.matches(name));
        let trimmed = match library.cells.iter().any(|cell| is_excluded(&cell.name)) {
            true => Some(liberty::without_cells(text, is_excluded)?),
            false => None,
        };
        Ok(Self { path, library, trimmed })
    }
}

/// The patterns in a file of excluded cells, one a line; `#` begins a comment.
pub(super) fn patterns_in(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| line.split('#').next().unwrap_or_default().trim()).filter(|line| !line.is_empty())
}

/// The techmap modules for latches, from the plainest transparent latch of the libraries: without set and reset, with an
/// enable that is a pin or its complement. Nothing where there is none.
pub(super) fn latch_map<'l>(libraries: impl Iterator<Item = &'l Library>) -> Option<String> {
    let latches = libraries.flat_map(|library| &library.cells).filter_map(|cell| {
        let storage = cell.storage.as_ref().filter(|of| of.is_latch && of.clear.is_none() && of.preset.is_none())?;
        let (enable, inverted) = literal(&storage.clock);
        let (data, false) = literal(&storage.data) else { return None };
        let output = cell.pins.iter().find(|pin| {
            let function = pin.function.as_deref().map(literal);
            pin.direction == Some(Direction::Output)
                && pin.three_state.is_none()
                && function == Some((storage.state.0.as_str(), false))
        })?;
        let is_pin = |name: &str| cell.pins.iter().any(|pin| pin.name == name);
        (is_pin(enable) && is_pin(data)).then_some((cell, enable, inverted, data, &output.name))
    });
    let (cell, enable, inverted, data, output) =
        latches.min_by(|(a, ..), (b, ..)| a.area.unwrap_or(f64::MAX).total_cmp(&b.area.unwrap_or(f64::MAX)))?;
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
        let map = latch_map(std::iter::once(&library)).unwrap();
        assert_eq!(
            map,
            "module \\$_DLATCH_P_ (input E, input D, output Q);\n  \\LAT _TECHMAP_REPLACE_ (.\\G (~E), .\\D (D), .\\Y \
             (Q));\nendmodule\nmodule \\$_DLATCH_N_ (input E, input D, output Q);\n  \\LAT _TECHMAP_REPLACE_ (.\\G (E), \
             .\\D (D), .\\Y (Q));\nendmodule\n"
        );
        assert_eq!(latch_map(std::iter::empty()), None);
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
