//! The paths that a pattern matches. Owns what `**` means: each directory beneath is looked at once, under its own name
//! where it has one there, so that links in circles end and no file is found twice.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};

const OPTIONS: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };

/// Why the paths are not known.
pub(crate) enum Error {
    /// It is no pattern, for this reason.
    Pattern(&'static str),
    /// A directory could not be read.
    Unread(PathBuf, io::Error),
}

/// What the pattern matches, in no particular order.
pub(crate) fn of(pattern: &str) -> Result<Vec<PathBuf>, Error> {
    Pattern::new(pattern).map_err(|error| Error::Pattern(error.msg))?;
    let mut found = Vec::new();
    add(pattern, &mut found)?;
    Ok(found)
}

fn add(pattern: &str, found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let (before, behind) = match pattern.split_once("/**/") {
        Some((before, behind)) => (before, behind.trim_start_matches("**/")),
        None => match pattern.strip_suffix("/**") {
            Some(before) => (before, ""),
            None => {
                for path in glob::glob_with(pattern, OPTIONS).map_err(|error| Error::Pattern(error.msg))? {
                    found.push(path.map_err(|error| Error::Unread(error.path().to_owned(), error.into()))?);
                }
                return Ok(());
            }
        },
    };
    let mut starts = Vec::new();
    add(if before.is_empty() { "/" } else { before }, &mut starts)?;
    starts.sort();
    let mut seen = HashSet::new();
    for dir in starts.iter().filter(|start| start.is_dir()) {
        for dir in beneath(dir, &mut seen)? {
            match (behind, dir.to_str()) {
                ("", _) => found.push(dir),
                // What is not UTF-8 has no place in a configuration.
                (_, None) => {}
                (behind, Some(dir)) => {
                    add(&format!("{}/{behind}", Pattern::escape(dir.trim_end_matches('/'))), found)?;
                }
            }
        }
    }
    Ok(())
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
        let mut entries = fs::read_dir(&dir).map_err(unread)?.collect::<Result<Vec<_>, _>>().map_err(unread)?;
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
