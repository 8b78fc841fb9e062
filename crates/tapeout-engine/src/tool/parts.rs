//! What a tool consists of, and its identity.
//!
//! The identity covers the real executable and its companions by content, what the user's settings add, and the version
//! that it prints. As tools are large and hardly ever change, the identity is kept under what `stat` says of all its
//! files: an unchanged tool costs a `stat` per file and no reading.

use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tapeout_model::{Attempt, Digest, Metric, Record};
use tapeout_store::{Entry, FileTime, KeyHasher, Signature, Store, StoreError};

use super::{FoundTool, ToolProblem};
use crate::Engine;
use crate::discovered::without_dots;

/// The parts of a tool that was found.
#[derive(Debug)]
pub(crate) struct Parts {
    /// The settings under which it runs.
    start: Digest,
    /// Its files in order: name from the directory of the real executable, path, and what `stat` said. `None`: they are
    /// behind a prefix and out of sight.
    files: Option<Vec<(String, PathBuf, Option<Signature>)>>,
    /// The files and directories it was asked to consist of.
    trees: Vec<PathBuf>,
    pub(super) version_text: String,
}

impl Parts {
    pub(super) fn new(start: Digest, executable: Option<&Path>, companions: &[&str]) -> Self {
        let mut parts = Self { start, files: None, trees: Vec::new(), version_text: String::new() };
        let Some(executable) = executable else { return parts };
        let real = fs::canonicalize(executable).unwrap_or_else(|_| executable.to_owned());
        let folder = real.parent().unwrap_or(Path::new("/")).to_owned();
        parts.trees = companions.iter().map(|companion| without_dots(&folder.join(companion))).collect();
        parts.trees.insert(0, real);
        let own_name = parts.trees[0].file_name().unwrap_or_default().to_string_lossy().into_owned();
        let names = std::iter::once(own_name.as_str()).chain(companions.iter().copied());
        let mut all = Vec::new();
        for (tree, name) in parts.trees.iter().zip(names) {
            let mut files = Vec::new();
            list_files(tree, &mut files);
            files.sort();
            all.extend(files.into_iter().map(|path| {
                // The same wherever the tool was installed.
                let below = path.strip_prefix(tree).unwrap_or(&path).to_string_lossy();
                let signature = Signature::of_file(&path).ok().flatten();
                (format!("{name}/{below}"), path, signature)
            }));
        }
        parts.files = Some(all);
        parts
    }

    /// Whether a path belongs to the tool, so that its identity covers it.
    pub(crate) fn cover(&self, path: &Path) -> bool {
        self.trees.iter().any(|tree| path.starts_with(tree))
    }

    /// The files and directories that it consists of, the real executable first.
    pub(crate) fn trees(&self) -> &[PathBuf] {
        &self.trees
    }

    /// Whether its executable is not the one that was looked at.
    pub(crate) fn was_replaced(&self) -> bool {
        let executable = self.files.iter().flatten().find(|(_, path, _)| Some(path) == self.trees.first());
        executable.is_some_and(|(_, path, signature)| Signature::of_file(path).ok().flatten() != *signature)
    }

    /// Whether it is known what it consists of.
    pub(crate) fn are_in_sight(&self) -> bool {
        self.files.is_some()
    }

    /// A key that is the same as long as no file changed, if the files are in sight and old enough to tell.
    pub(super) fn stat_key(&self, domain: &str, more: &str) -> Option<Digest> {
        let now = FileTime::now();
        let mut key = KeyHasher::new(domain);
        key.text(more).digest(Some(&self.start));
        for (_, path, signature) in self.files.as_ref()? {
            let signature = (*signature)?;
            if !signature.is_older_than(now) {
                return None;
            }
            key.text(&path.to_string_lossy());
            signature.add_to(&mut key);
        }
        Some(key.finish())
    }

    fn identity(&self, store: &Store) -> Result<Digest, StoreError> {
        let mut key = KeyHasher::new("tool identity");
        key.digest(Some(&self.start)).text(&self.version_text);
        for (name, path, _) in self.files.iter().flatten() {
            key.text(name).digest(Some(&store.content_digest(path)?));
        }
        Ok(key.finish())
    }
}

impl Engine {
    /// What a tool is. Worked out once.
    pub(crate) fn identity(&self, tool: &FoundTool) -> Result<Digest, ToolProblem> {
        let work_out = || -> Result<Digest, StoreError> {
            let key = tool.parts.stat_key("tool identity by stat", &tool.parts.version_text);
            let known = key.and_then(|key| self.noted_text(&key)).and_then(|text| text.parse().ok());
            if let Some(identity) = known {
                return Ok(identity);
            }
            let identity = tool.parts.identity(self.store())?;
            if let Some(key) = key {
                self.note_text(key, &identity.to_string());
            }
            Ok(identity)
        };
        let broken = |error: StoreError| ToolProblem::Broken { name: tool.shown.join(" "), reason: error.to_string() };
        tool.identity.get_or_init(|| work_out().map_err(broken)).clone()
    }

    /// A text that was noted under a key.
    pub(super) fn noted_text(&self, key: &Digest) -> Option<String> {
        match self.notes().entries(key).pop()?.record().metrics.get(NOTE)? {
            Metric::Text(text) => Some(text.clone()),
            Metric::Int(_) | Metric::Float(_) => None,
        }
    }

    /// Notes a text under a key. A note spares work later: where none can be written, that work is done again.
    pub(super) fn note_text(&self, key: Digest, text: &str) {
        let metrics = [(NOTE.to_owned(), Metric::Text(text.to_owned()))].into();
        let record = Record { metrics, ..Record::default() };
        let _ = self.notes().commit(Entry::new(key, &[], record, Attempt::default()));
    }
}

/// The metric that holds a noted text.
const NOTE: &str = "tool__note";

/// All regular files below a path, or the path itself when it is one. What cannot be listed has no files.
fn list_files(path: &Path, files: &mut Vec<PathBuf>) {
    let mut pending = vec![path.to_owned()];
    // Links may lead in circles.
    let mut listed = HashSet::new();
    let mut is_new =
        |path: &Path| fs::metadata(path).is_ok_and(|metadata| listed.insert((metadata.dev(), metadata.ino())));
    while let Some(path) = pending.pop() {
        match fs::read_dir(&path) {
            // Interpreters write their caches beside the sources.
            Ok(_) if path.file_name().is_some_and(|name| name == "__pycache__") => {}
            Ok(_) if !is_new(&path) => {}
            Ok(listing) => pending.extend(listing.filter_map(Result::ok).map(|entry| entry.path())),
            Err(_) if path.is_file() => files.push(path),
            Err(_) => {}
        }
    }
}
