//! String literals of a Verilog source that look like paths of files, and what it includes.
//!
//! Source: IEEE 1800-2017, 5.4 (comments) and 5.9 (string literals). Macros and parameters are not evaluated: their
//! definitions hold the literals.

use std::collections::BTreeSet;

/// What a literal is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// It is what `` `include`` names.
    Include,
    /// Anything else.
    Other,
}

/// The literals that could be paths of files, each once, without a leading `./`.
pub(super) fn paths(source: &[u8]) -> BTreeSet<(Kind, String)> {
    let is_path = |(kind, text): &(Kind, String)| *kind == Kind::Include || looks_like_a_path(text);
    let plain = |(kind, text): (Kind, String)| (kind, text.trim_start_matches("./").to_owned());
    literals(source).into_iter().filter(is_path).map(plain).filter(|(_, text)| !text.is_empty()).collect()
}

fn literals(source: &[u8]) -> Vec<(Kind, String)> {
    let mut found = Vec::new();
    let mut rest = source;
    let mut including = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after.first()) {
            (b'/', Some(b'/')) => skip_past(after, b"\n"),
            (b'/', Some(b'*')) => skip_past(&after[1..], b"*/"),
            (b'`', _) => {
                including = after.starts_with(b"include");
                after
            }
            (b'"', _) => {
                let length = literal_length(after);
                if let Ok(text) = std::str::from_utf8(&after[..length]) {
                    found.push((if including { Kind::Include } else { Kind::Other }, text.to_owned()));
                }
                including = false;
                after.get(length + 1..).unwrap_or_default()
            }
            (b'\n', _) => {
                including = false;
                after
            }
            _ => after,
        };
    }
    found
}

fn skip_past<'a>(text: &'a [u8], end: &[u8]) -> &'a [u8] {
    match text.windows(end.len()).position(|window| window == end) {
        Some(at) => &text[at + end.len()..],
        None => &[],
    }
}

/// The length of a literal up to its closing quote or, as it cannot go on there, the end of the line.
fn literal_length(text: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            b'"' | b'\n' if !escaped => return at,
            b'\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// A path with a file extension, of characters that occur in file names and not in format strings.
fn looks_like_a_path(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-/+".contains(c);
    let extension = text.rsplit('/').next().and_then(|name| name.rsplit_once('.'));
    text.len() < 256
        && text.chars().all(plain)
        && extension.is_some_and(|(stem, extension)| !stem.is_empty() && !extension.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_are_found_outside_comments_and_format_strings_are_not_paths() {
        let source = br#"
            // "commented.hex"
            /* "also.hex" */ parameter F = "fw/image.hex";
            initial begin
                $readmemh("./ram.mem", ram); $display("%0d. \"quoted.hex\" done", x);
                $display("a/b"); $readmemh("/absolute.hex", ram); $readmemh("../up.hex", ram);
            end
            `define NAME "macro.bin"
            `include "map.vh"
            "unterminated.hex
        "#;
        let of = |wanted| {
            paths(source).into_iter().filter(|(kind, _)| *kind == wanted).map(|(_, text)| text).collect::<Vec<_>>()
        };
        let others = ["../up.hex", "/absolute.hex", "fw/image.hex", "macro.bin", "ram.mem", "unterminated.hex"];
        assert_eq!(
            (of(Kind::Include), of(Kind::Other)),
            (vec!["map.vh".to_owned()], others.map(str::to_owned).to_vec())
        );
        assert!(paths(b"/* never closed \"x.hex\"").is_empty());
        assert!(paths(b"\"").is_empty());
    }
}
