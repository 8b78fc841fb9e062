//! The paths that a pattern matches. Owns what `**` means: each directory beneath is looked at once, under its own name
//! where it has one there, so that links in circles end and no file is found twice.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// The most paths that a pattern may match, and any beginning of it: with links, there is no end to names.
const MOST: usize = 100_000;

/// Why the paths are not known.
pub(crate) enum Error {
    /// It is no pattern, for this reason.
    Pattern(&'static str),
    /// A directory could not be read.
    Unread(PathBuf, io::Error),
}

/// The files below a directory that a pattern matches, relative to it and in order.
///
/// # Errors
/// Why they are not known, in words.
pub fn matching(dir: &Path, pattern: &str) -> Result<Vec<String>, String> {
    let root = dir.to_str().ok_or_else(|| format!("the path of `{}` is not UTF-8", dir.display()))?;
    let whole = match pattern.starts_with('/') {
        true => pattern.to_owned(),
        false => format!("{}/{pattern}", Pattern::escape(root)),
    };
    let paths = of(&whole).map_err(|error| match error {
        Error::Pattern(reason) => format!("`{pattern}` is no pattern of file names: {reason}"),
        Error::Unread(path, error) => format!("cannot read `{}`: {error}", path.display()),
    })?;
    let files = paths.into_iter().filter(|path| path.is_file());
    let below = |path: PathBuf| path.strip_prefix(dir).unwrap_or(&path).to_str().map(str::to_owned);
    let mut names: Vec<String> = files.filter_map(below).collect();
    names.sort();
    Ok(names)
}

/// What the pattern matches, in no particular order. Each part of the pattern is looked for in all directories that the
/// parts before it lead to, each of these once: the cost is that of the tree for each part, however many there are.
pub(crate) fn of(pattern: &str) -> Result<Vec<PathBuf>, Error> {
    let valid = |text: &str| Pattern::new(text).map_err(|error| Error::Pattern(error.msg));
    valid(pattern)?;
    let mut found = vec![PathBuf::from(if pattern.starts_with('/') { "/" } else { "." })];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        let mut seen = HashSet::new();
        for dir in found.iter().filter(|dir| dir.is_dir()) {
            match (part, literal(part)) {
                ("**", _) => next.extend(beneath(dir, &mut seen)?),
                (_, Some(name)) => next.extend(Some(dir.join(name)).filter(|path| path.symlink_metadata().is_ok())),
                (_, None) => {
                    let part = valid(part)?;
                    let is_match = |name: &str| part.matches_with(name, OPTIONS);
                    // What is not UTF-8 has no place in a configuration.
                    let names = entries(dir)?.into_iter().filter_map(|entry| entry.file_name().into_string().ok());
                    next.extend(names.filter(|name| is_match(name)).map(|name| dir.join(name)));
                }
            }
            if next.len() > MOST {
                return Err(Error::Pattern("it matches more than 100000 paths"));
            }
        }
        next.sort();
        next.dedup();
        found = next;
    }
    Ok(found)
}

/// The name that a part of a pattern stands for, if it stands for one only: `[*]` is a star.
fn literal(part: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = part;
    while let Some(c) = rest.chars().next() {
        let escaped = ["[?]", "[*]", "[[]", "[]]"].into_iter().find(|escaped| rest.starts_with(escaped));
        match (escaped, c) {
            (Some(escaped), _) => {
                name.push_str(&escaped[1..2]);
                rest = &rest[3..];
            }
            (None, '*' | '?' | '[') => return None,
            (None, c) => {
                name.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Some(name)
}

fn entries(dir: &Path) -> Result<Vec<fs::DirEntry>, Error> {
    let read = || fs::read_dir(dir)?.collect::<io::Result<Vec<_>>>();
    read().map_err(|error| Error::Unread(dir.to_owned(), error))
}

/// The directory and all beneath it that are not hidden and not yet seen.
fn beneath(start: &Path, seen: &mut HashSet<PathBuf>) -> Result<Vec<PathBuf>, Error> {
    let mut dirs = Vec::new();
    // Links wait until all that is there by itself has been seen.
    let (mut next, mut links) = (vec![start.to_owned()], Vec::new());
    while let Some(dir) = next.pop().or_else(|| links.pop()) {
        let unread = |error| Error::Unread(dir.clone(), error);
        if !seen.insert(dir.canonicalize().map_err(unread)?) {
            continue;
        }
        let mut entries = entries(&dir)?;
        entries.sort_by_key(|entry| std::cmp::Reverse(entry.file_name()));
        for entry in entries.iter().filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b".")) {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => next.push(entry.path()),
                Ok(kind) if kind.is_symlink() && entry.path().is_dir() => links.push(entry.path()),
                _ => {}
            }
        }
        dirs.push(dir);
    }
    Ok(dirs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_stand_for_one_name() {
        let cases =
            [("a.v", Some("a.v")), ("[[]x[]]", Some("[x]")), ("a[*]", Some("a*")), ("a*", None), ("[ab]", None)];
        for (part, name) in cases {
            assert_eq!(literal(part).as_deref(), name, "{part}");
        }
    }
}
