//! The shape of source files: their length, the line that says what they are for, and where a lint may be lifted.

use std::path::Path;

use crate::{Stop, files};

/// A file beyond this has a second subject.
const LONGEST: usize = 800;

/// Lints that hold the architecture, with the files and folders that may lift each.
const LIFTED: [(&str, &[&str]); 4] = [
    ("unsafe_code", &["crates/tapeout-guard/src/sys.rs", "crates/tapeout-script/src/values/mod.rs"]),
    (
        "clippy::disallowed_methods",
        &[
            "crates/tapeout-conformance/src/cli.rs",
            "crates/tapeout-guard/src/client.rs",
            "crates/tapeout/src/viewer.rs",
        ],
    ),
    ("clippy::print_stdout", &["crates/tapeout/src"]),
    ("clippy::print_stderr", &["crates/tapeout/src"]),
];

/// What is wrong with the shape of the project's files.
pub(crate) fn check() -> Result<Vec<String>, Stop> {
    let mut problems = Vec::new();
    for file in files::all()? {
        let is_rust = file.extension().is_some_and(|extension| extension == "rs");
        let is_manifest = file.starts_with("crates") && file.ends_with("Cargo.toml");
        if (is_rust || is_manifest)
            && let Some(text) = files::text(&file)?
        {
            let found = if is_rust { in_source(&file, &text) } else { in_manifest(&text) };
            problems.extend(found.into_iter().map(|problem| format!("{}: {problem}", file.display())));
        }
    }
    Ok(problems)
}

/// What is wrong with a Rust file.
fn in_source(file: &Path, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        problems.push(format!("{lines} lines, more than {LONGEST}: find the second subject"));
    }
    let parts: Vec<&str> = file.iter().filter_map(|part| part.to_str()).collect();
    if !matches!(parts[..], ["crates", _, "src", ..] | ["xtask", "src", ..]) {
        return problems;
    }
    if !text.starts_with("//!") {
        problems.push("does not begin with a `//!` line that says what it is for".to_owned());
    }
    if file.starts_with("xtask") {
        return problems;
    }
    let shipped = text.lines().take_while(|line| line.trim() != "#[cfg(test)]");
    for (number, line) in shipped.enumerate() {
        for (lint, places) in LIFTED {
            if line.contains(lint) && !places.iter().any(|place| file.starts_with(place)) {
                problems.push(format!("line {}: {lint} may be lifted in {} only", number + 1, places.join(" and ")));
            }
        }
    }
    problems
}

/// What is wrong with a crate's manifest.
fn in_manifest(text: &str) -> Vec<String> {
    let inherits =
        text.split_once("[lints]").is_some_and(|(_, rest)| rest.trim_start().starts_with("workspace = true"));
    if inherits {
        vec![]
    } else {
        vec!["does not take the workspace's lints: add `[lints] workspace = true`".to_owned()]
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{LONGEST, in_manifest, in_source};

    #[test]
    fn a_file_says_what_it_is_for_and_has_one_subject() {
        let file = Path::new("crates/tapeout-flow/src/step.rs");
        assert!(in_source(file, "//! Steps.\n").is_empty());
        assert_eq!(in_source(file, "use std::fs;\n").len(), 1);
        assert!(in_source(Path::new("crates/tapeout-flow/tests/steps.rs"), "use std::fs;\n").is_empty());
        assert!(in_source(file, &"//!\n".repeat(LONGEST)).is_empty());
        assert_eq!(in_source(file, &"//!\n".repeat(LONGEST + 1)).len(), 1);
        assert_eq!(in_source(Path::new("crates/tapeout-flow/tests/steps.rs"), &"\n".repeat(LONGEST + 1)).len(), 1);
    }

    #[test]
    fn lints_are_lifted_where_they_may_be() {
        let text = "//! X.\n#![allow(clippy::print_stdout)]\n";
        assert!(in_source(Path::new("crates/tapeout/src/main.rs"), text).is_empty());
        assert_eq!(
            in_source(Path::new("crates/tapeout-flow/src/lib.rs"), text),
            ["line 2: clippy::print_stdout may be lifted in crates/tapeout/src only"]
        );
        let tests = "//! X.\n#[cfg(test)]\n#[allow(clippy::disallowed_methods)]\nmod tests {}\n";
        assert!(in_source(Path::new("crates/tapeout-flow/src/lib.rs"), tests).is_empty());
    }

    #[test]
    fn a_crate_takes_the_lints() {
        assert!(in_manifest("[package]\n\n[lints]\nworkspace = true\n").is_empty());
        assert_eq!(in_manifest("[package]\n").len(), 1);
    }
}
