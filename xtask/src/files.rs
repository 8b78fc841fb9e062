//! The files of the project: which they are, and copies of them to work in.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Stop, process};

/// What tools leave beside the sources.
const PRODUCED: [&str; 5] = [".git", "target", ".tapeout", "runs", "build"];

/// The project's files, relative to the checkout and sorted: those that git tracks or would track, or all that look like
/// sources where there is no repository.
pub(crate) fn all() -> Result<Vec<PathBuf>, Stop> {
    let listed = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(process::root())
        .output();
    let mut files = match listed {
        Ok(listed) if listed.status.success() => String::from_utf8_lossy(&listed.stdout)
            .split_terminator('\0')
            .map(PathBuf::from)
            // Deleted, and not yet committed.
            .filter(|file| process::root().join(file).is_file())
            .collect(),
        _ => {
            let mut files = Vec::new();
            walk(process::root(), Path::new(""), &mut files)
                .map_err(|e| Stop::environment(format!("cannot list the checkout: {e}")))?;
            files
        }
    };
    files.sort();
    Ok(files)
}

/// The text of a file of the project; `None` for one that is not text.
pub(crate) fn text(file: &Path) -> Result<Option<String>, Stop> {
    let bytes = fs::read(process::root().join(file))
        .map_err(|e| Stop::environment(format!("cannot read {}: {e}", file.display())))?;
    Ok(String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')))
}

/// A fresh copy of one example, without what earlier runs left in it. An older copy goes away.
pub(crate) fn copy_example(name: &str, to: &Path) -> Result<(), Stop> {
    let from = process::root().join("examples").join(name);
    let copy = || -> io::Result<()> {
        if to.exists() {
            fs::remove_dir_all(to)?;
        }
        let mut files = Vec::new();
        walk(&from, Path::new(""), &mut files)?;
        for file in files {
            let copied = to.join(&file);
            fs::create_dir_all(copied.parent().expect("it is below the copy's folder"))?;
            fs::copy(from.join(&file), copied)?;
        }
        Ok(())
    };
    copy().map_err(|e| Stop::environment(format!("cannot copy {} to {}: {e}", from.display(), to.display())))
}

/// All files below `base/dir` that no tool produced, relative to `base`.
fn walk(base: &Path, dir: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(base.join(dir))? {
        let entry = entry?;
        let path = dir.join(entry.file_name());
        if !entry.file_type()?.is_dir() {
            files.push(path);
        } else if !PRODUCED.iter().any(|name| entry.file_name() == *name) {
            walk(base, &path, files)?;
        }
    }
    Ok(())
}
