//! Picking names by patterns.

use glob::Pattern;
use thiserror::Error;

/// A choice among names: patterns that allow a name, and such that begin with `!` and deny it. What any of these denies
/// is denied. In a pattern, `*` stands for any text, `?` for one character, `[…]` for one of those, `[!…]` for
/// another. Upper and lower case differ.
///
/// ```
/// use tapeout_model::Filter;
///
/// let filter = Filter::new(["power__*", "!*__iter:*"])?;
/// assert!(filter.allows("power__total") && !filter.allows("power__total__iter:1") && !filter.allows("timing__fmax"));
/// # Ok::<(), tapeout_model::InvalidPattern>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    allow: Vec<(String, Pattern)>,
    deny: Vec<Pattern>,
}

/// The metrics that say most about whether a design has become better or worse, as patterns for a [`Filter`].
pub const DEFAULT_FILTER: &[&str] = &[
    "design__*__area",
    "design__instance__count",
    "design__max_*",
    "design__lvs_error__count",
    "antenna__violating*",
    "clock__*",
    "ir__*",
    "power__*",
    "timing__*_vio__*",
    "timing*wns*",
    "timing*tns*",
    "timing*fmax*",
    "*error*",
    "!*__iter:*",
];

/// A text is not a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is not a pattern: {reason}")]
pub struct InvalidPattern {
    text: String,
    reason: &'static str,
}

impl Filter {
    /// A filter of these patterns. Without one that allows, nothing passes.
    ///
    /// # Errors
    /// The first that is not a pattern.
    pub fn new<'a>(patterns: impl IntoIterator<Item = &'a str>) -> Result<Self, InvalidPattern> {
        let mut filter = Self { allow: Vec::new(), deny: Vec::new() };
        for text in patterns {
            match text.strip_prefix('!') {
                Some(denied) => filter.deny.push(pattern(denied)?),
                None => filter.allow.push((text.to_owned(), pattern(text)?)),
            }
        }
        Ok(filter)
    }

    /// Whether a name passes.
    #[must_use]
    pub fn allows(&self, name: &str) -> bool {
        self.allowing(name).next().is_some() && !self.deny.iter().any(|pattern| pattern.matches(name))
    }

    /// The patterns that allow a name, whether or not another denies it.
    pub fn allowing<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.allow.iter().filter(|(_, pattern)| pattern.matches(name)).map(|(text, _)| text.as_str())
    }

    /// The patterns that allow none of these names. Who wrote one has probably mistyped it.
    #[must_use]
    pub fn idle<'a>(&'a self, names: &[&str]) -> Vec<&'a str> {
        let idle = |pattern: &Pattern| !names.iter().any(|name| pattern.matches(name));
        self.allow.iter().filter(|(_, pattern)| idle(pattern)).map(|(text, _)| text.as_str()).collect()
    }
}

/// A pattern over names, which have no directories: two stars are one.
pub(super) fn pattern(text: &str) -> Result<Pattern, InvalidPattern> {
    let mut simple = text.to_owned();
    while simple.contains("**") {
        simple = simple.replace("**", "*");
    }
    Pattern::new(&simple).map_err(|error| InvalidPattern { text: text.to_owned(), reason: error.msg })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(patterns: &[&str], name: &str) -> bool {
        Filter::new(patterns.iter().copied()).unwrap().allows(name)
    }

    #[test]
    fn denial_beats_permission_in_any_order() {
        assert!(allows(&["*"], "a/b"));
        assert!(!allows(&["!c", "*"], "c") && !allows(&["*", "!c"], "c"));
        assert!(allows(&["*", "!c"], "d"));
        assert!(!allows(&["!a"], "b") && !allows(&[], "b"));
        assert!(allows(&["timing**ws"], "timing__setup__ws") && !allows(&["Timing*"], "timing__setup__ws"));
        let error = Filter::new(["*", "![a"]).unwrap_err();
        assert_eq!(error.to_string(), "`[a` is not a pattern: invalid range pattern");
    }

    #[test]
    fn patterns_are_known_by_what_they_match() {
        let filter = Filter::new(["nom_*", "*_tt_*", "max_*", "!nom_tt*"]).unwrap();
        assert_eq!(filter.allowing("nom_tt_025C").collect::<Vec<_>>(), ["nom_*", "*_tt_*"]);
        assert_eq!(filter.idle(&["nom_tt_025C", "nom_ff"]), ["max_*"]);
        assert!(Filter::new(DEFAULT_FILTER.iter().copied()).unwrap().allows("timing__fmax__clock:clk"));
    }
}
