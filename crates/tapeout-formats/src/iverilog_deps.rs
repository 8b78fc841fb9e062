//! The dependency file of Icarus Verilog with `-Mprefix=FILE`: one file a line, `M` for a source and `I` for an include.
//!
//! Source: output of Icarus Verilog 11 and its manual page. Memory files are not in it: they are read when the
//! simulation runs. Files named by `-f` and `-c` are not in it either.

use crate::FormatError;

/// One file that the compiler read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dependency {
    /// Whether it was named by `` `include``, and not on the command line, in a file list, or found in a library.
    pub included: bool,
    /// As the compiler opened it, relative to its working directory.
    pub path: String,
}

/// Reads a dependency file; a file that was read several times is given once, at its first place.
///
/// # Errors
/// If a line starts with neither `M ` nor `I `.
pub fn parse(text: &str) -> Result<Vec<Dependency>, FormatError> {
    let mut seen = std::collections::HashSet::new();
    let mut dependencies = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.is_empty()) {
        let (included, path) = match line.split_once(' ') {
            Some(("M", path)) => (false, path),
            Some(("I", path)) => (true, path),
            _ => {
                return Err(FormatError::Line {
                    format: "Icarus Verilog dependency file",
                    line: index + 1,
                    expected: "`M PATH` or `I PATH`".to_owned(),
                    found: format!("`{line}`"),
                });
            }
        };
        let dependency = Dependency { included, path: path.to_owned() };
        if seen.insert(dependency.clone()) {
            dependencies.push(dependency);
        }
    }
    Ok(dependencies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_includes() {
        let read = parse("M src/top.v\nI src/same.vh\nI inc/defs.vh\nI inc/defs.vh\nM sp ace/two.v\n").unwrap();
        let read: Vec<_> = read.iter().map(|dependency| (dependency.included, dependency.path.as_str())).collect();
        assert_eq!(read, [(false, "src/top.v"), (true, "src/same.vh"), (true, "inc/defs.vh"), (false, "sp ace/two.v")]);
    }

    #[test]
    fn a_file_without_prefixes() {
        let error = parse("M a.v\nsrc/top.v\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "Icarus Verilog dependency file, line 2: expected `M PATH` or `I PATH`, found `src/top.v`"
        );
    }
}
