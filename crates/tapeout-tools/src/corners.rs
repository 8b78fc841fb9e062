//! Timing corners and the patterns by which configurations name them: `nom_tt_*`, and `!` before what is left out.

use glob::Pattern;

/// Whether a pattern stands for a corner. What is no pattern stands for itself. `!` counts as any other character here.
pub(crate) fn matches(pattern: &str, corner: &str) -> bool {
    Pattern::new(pattern).map_or(pattern == corner, |pattern| pattern.matches(corner))
}

/// Patterns that say together which corners are meant: those that one of them stands for, without those that one with
/// `!` in front stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CornerPatterns {
    meant: Vec<String>,
    left_out: Vec<String>,
}

impl CornerPatterns {
    /// An empty pattern stands for no corner, and is no pattern: it is how OpenLane's configurations say *none*.
    pub(crate) fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Self {
        let mut new = Self::default();
        for pattern in patterns.into_iter().filter(|pattern| !pattern.is_empty()) {
            match pattern.strip_prefix('!') {
                Some(pattern) => new.left_out.push(pattern.to_owned()),
                None => new.meant.push(pattern.to_owned()),
            }
        }
        new
    }

    /// Whether the corner is meant.
    pub(crate) fn mean(&self, corner: &str) -> bool {
        let is_one_of = |patterns: &[String]| patterns.iter().any(|pattern| matches(pattern, corner));
        is_one_of(&self.meant) && !is_one_of(&self.left_out)
    }

    /// The patterns that stand for none of these corners: most likely a name is wrong.
    pub(crate) fn unused<'c>(&self, corners: impl Iterator<Item = &'c str> + Clone) -> Vec<String> {
        let is_unused = |pattern: &&String| !corners.clone().any(|corner| matches(pattern, corner));
        let denying = self.left_out.iter().filter(is_unused).map(|pattern| format!("!{pattern}"));
        self.meant.iter().filter(is_unused).cloned().chain(denying).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_corners() {
        let patterns = CornerPatterns::new(["*_tt_*", "", "min_[f]?", "!nom_tt_2*", "!max_*"]);
        let corners = ["nom_tt_1", "nom_tt_2", "min_ff", "min_fff"];
        assert_eq!(corners.map(|corner| patterns.mean(corner)), [true, false, true, false]);
        assert_eq!(patterns.unused(corners.into_iter()), ["!max_*"]);
        assert!(matches("[", "[") && !matches("[", "a") && !matches("nom_", "nom_tt"));
        assert!(!CornerPatterns::new([""]).mean("") && CornerPatterns::new([""]) == CornerPatterns::default());
    }
}
