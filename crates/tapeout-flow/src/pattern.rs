//! How steps are meant: patterns over their ids, as substitutions, gates and ranges have them, and the id that a wrong one
//! is nearest to.

use glob::{MatchOptions, Pattern};
use tapeout_config::nearest;

/// Names for people never tell apart by case.
const ANY_CASE: MatchOptions =
    MatchOptions { case_sensitive: false, require_literal_separator: false, require_literal_leading_dot: false };

/// A pattern over names: `*`, `?` and `[…]` as in file names. Case does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepPattern(Pattern);

impl StepPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// In words, why the text is none.
    pub fn new(text: &str) -> Result<Self, String> {
        Pattern::new(text).map(Self).map_err(|error| format!("`{text}` is not a pattern: {}", error.msg))
    }

    /// Whether the name is one of those meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches_with(name, ANY_CASE)
    }
}

/// The id that was probably meant by one that there is not. Where others begin with the same word before the dot, it is one
/// of those, and what follows must be like it: `OpenROAD.Nope` is not nearly `OpenROAD.OpenGUI`.
pub fn nearest_step<'a>(id: &str, ids: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let ids: Vec<&str> = ids.into_iter().collect();
    let Some((family, own)) = id.split_once('.') else { return nearest(id, ids) };
    let of_family = |known: &&'a str| {
        let (its_family, its_own) = known.split_once('.')?;
        its_family.eq_ignore_ascii_case(family).then_some((*known, its_own))
    };
    let relatives: Vec<(&str, &str)> = ids.iter().filter_map(of_family).collect();
    if relatives.is_empty() {
        return nearest(id, ids);
    }
    let owns = || relatives.iter().map(|(_, own)| *own);
    // In a short word, one letter that is another is much, and of letters in another order hardly any stands in its place.
    let near = nearest(own, owns()).or_else(|| owns().find(|known| differing_letters(known, own) <= 2))?;
    relatives.iter().find(|(_, own)| *own == near).map(|(known, _)| *known)
}

/// How many letters are in one of two words only, wherever they stand: two, where one is another.
fn differing_letters(one: &str, other: &str) -> usize {
    let mut other: Vec<char> = other.to_lowercase().chars().collect();
    let mut only_in_one = 0;
    for letter in one.to_lowercase().chars() {
        match other.iter().position(|known| *known == letter) {
            Some(at) => _ = other.swap_remove(at),
            None => only_in_one += 1,
        }
    }
    only_in_one + other.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_step_is_like_what_was_written() {
        let ids = ["OpenROAD.OpenGUI", "OpenROAD.CTS", "Magic.DRC", "Verilator.Lint"];
        let cases = [
            ("OpenROAD.Nope", None),
            ("openroad.cst", Some("OpenROAD.CTS")),
            ("Magic.DCR", Some("Magic.DRC")),
            ("Verilator.Lnt", Some("Verilator.Lint")),
            // Another family.
            ("Veriltor.Lint", Some("Verilator.Lint")),
            ("verilator", Some("Verilator.Lint")),
            ("Nonsense", None),
        ];
        for (id, near) in cases {
            assert_eq!(nearest_step(id, ids), near, "{id}");
        }
    }
}
