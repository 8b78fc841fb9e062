//! "Did you mean …": the nearest of the names that would have been right.

use std::path::{Path, PathBuf};

/// Names below this similarity are not what was meant, just other names.
const NEAR: f64 = 0.8;

/// The longest name that may be a mistake of somebody's hands, in bytes.
const LONGEST: usize = 256;

/// Among how many faults names are still looked for. A file of a million unknown names gets a million errors, but not as
/// many searches.
pub(crate) const MOST: usize = 100;

/// The candidate most like `name`, if one is near. Case does not count.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST {
        return None;
    }
    let name = name.to_lowercase();
    let mut best = (NEAR, None);
    for candidate in candidates {
        let similarity = strsim::jaro_winkler(&name, &candidate.to_lowercase());
        if similarity > best.0 {
            best = (similarity, Some(candidate));
        }
    }
    best.1
}

/// The existing file that a path which does not exist was probably meant to name, in the same directory.
#[must_use]
pub fn nearest_file(path: &Path) -> Option<PathBuf> {
    let parent = path.parent()?;
    let directory = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
    let mut names: Vec<String> =
        directory.read_dir().ok()?.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    // Directories are listed in any order; of two equally near names it is always the same that is proposed.
    names.sort();
    let near = nearest(path.file_name()?.to_str()?, names.iter().map(String::as_str))?;
    Some(parent.join(near))
}
