//! What the peer's messages say, and how ours say the same.

use std::sync::LazyLock;

use regex::Regex;

/// Messages of the peer, and what a message of ours must have for each: the captures of the first in the second.
/// Nothing, where it is the heading of something or the name of a class of Python.
const MESSAGES: [(&str, &str); 20] = [
    (r"^\w+(Error|Exception)$", ""),
    (r"^PyDesignFlow Build Plan:?$", ""),
    (r"^(?:\w+: )?Too many arguments\.$", "error"),
    (r"^Block '(.*)' not found\.$", "`$1`"),
    (r"^Target '(.*)' not found\.$", "`$1`"),
    (r"^No blocks defined", "block"),
    (r"^--no-dependencies requires block and task$", "--no-dependencies"),
    (r"^--rebuild-dependencies requires block and task$", "--fresh"),
    (r"^Cannot specify --monitor together with block/task\.$", "--follow"),
    (r"^(?:ResultRequired: )?Result of target (\S+) is missing\.$", "$1"),
    (r"dependency_map must declare exactly", "dependency_map"),
    (r#"Malformed requirement spec "(.*)"\."#, "`$1`"),
    (r"Malformed requirement spec", "requirement"),
    (r"Block (\S+) assigned multiple times", "`$1`"),
    (r"Unsupported attribute type", "attribute"),
    (r"Attribute dict keys must be str", "key"),
    (r"^incomplete$", "failed"),
    (r"^✓$", "fresh"),
    (r"Subprocess (\S+) exited with return code (\d+)", "$2"),
    (r"(?:^KeyError: |unexpected keyword argument )'(.*)'$", "$1"),
];

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compiled = MESSAGES.iter().filter_map(|(theirs, ours)| Some((Regex::new(theirs).ok()?, *ours)));
    compiled.collect()
});

/// Whether a text says what a message of the peer says.
pub(super) fn said(theirs: &str, text: &str) -> bool {
    for (pattern, ours) in &*PATTERNS {
        if let Some(captures) = pattern.captures(theirs) {
            let mut wanted = String::new();
            captures.expand(ours, &mut wanted);
            return text.contains(&wanted);
        }
    }
    // A command of a task sees the build directory where it is itself.
    text.contains(theirs) || text.contains(&theirs.replace("$BUILD/", ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_the_same_by_what_they_name() {
        assert_eq!(PATTERNS.len(), MESSAGES.len());
        assert!(said("Block 'b' not found.", "error: there is no block `b`"));
        assert!(!said("Block 'b' not found.", "error: there is no block `c`"));
        assert!(said("KeyError: 'x'", "no attribute `x`") && said("ValueError", ""));
        assert!(said("GOT=1", "b.t: GOT=1") && !said("GOT=1", "GOT=2"));
    }
}
