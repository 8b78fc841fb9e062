//! The files that sources mention in string literals: what they may include, and memory files.
//!
//! All places where such a file may be are looked at, and those where it is not count, too: a file that appears where a
//! tool looks first changes the result.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tapeout_engine::TO_PROJECT;
use tapeout_flow::{Failure, Input, StepCx};
use tapeout_model::Class;

use super::literals::{self, Kind};

/// What sources mention.
pub(super) struct Mentions {
    /// Files, without the sources themselves.
    pub(super) inputs: Vec<Input>,
    /// Whether there may be cells of iCE40 among the modules.
    pub(super) ice40_primitives: bool,
}

/// Reads these sources, and what they include, for what they mention.
pub(super) fn of(cx: &mut StepCx<'_, '_>, sources: &[String]) -> Result<Mentions, Failure> {
    let mut folders: Vec<String> = cx.config.strings("VERILOG_INCLUDE_DIRS").into_iter().map(str::to_owned).collect();
    for source in sources {
        let folder = folder_of(source).to_owned();
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    let mut ice40_primitives = false;
    let mut looked_at = BTreeSet::new();
    let mut copied: BTreeMap<String, String> = BTreeMap::new();
    let mut scanned: BTreeSet<String> = sources.iter().cloned().collect();
    let mut pending: VecDeque<String> = sources.iter().cloned().collect();
    while let Some(source) = pending.pop_front() {
        let text = cx.read_source(&source)?.unwrap_or_default();
        ice40_primitives |= text.windows(3).any(|window| window == b"SB_");
        for (kind, literal) in literals::paths(&text) {
            if let Some(path) = outside_work_dir(&literal) {
                looked_at.insert(path);
                continue;
            }
            // Also what is no include itself: a macro may hold its name.
            for folder in [folder_of(&source)].into_iter().chain(folders.iter().map(String::as_str)) {
                let candidate = in_folder(folder, &literal);
                let is_source = kind == Kind::Include || has_verilog(&literal);
                if cx.exists(&candidate)? && is_source && scanned.insert(candidate.clone()) {
                    pending.push_back(candidate.clone());
                }
                looked_at.insert(candidate);
            }
            if kind == Kind::Other && !literal.split('/').any(|part| part == "..") {
                let places = [literal.clone(), in_folder(folder_of(&source), &literal)];
                for place in places {
                    if cx.exists(&place)? {
                        copy(&mut copied, literal, place)?;
                        break;
                    }
                }
            }
        }
    }
    looked_at.retain(|path| !sources.contains(path));
    let read = looked_at.into_iter().map(|path| Input::Source { path });
    let inputs = read.chain(copied.into_iter().map(|(name, path)| Input::Copied { name, path })).collect();
    Ok(Mentions { inputs, ice40_primitives })
}

/// The files that words of a command line name: as a whole, or behind `=`.
pub(crate) fn inputs_of_words(words: &[&str]) -> Vec<Input> {
    let value = |word: &str| word.split_once('=').map(|(_, value)| value.to_owned());
    let parts = words.iter().flat_map(|word| [Some((*word).to_owned()), value(word)]);
    parts.flatten().filter_map(|part| outside_work_dir(&part)).map(|path| Input::Source { path }).collect()
}

fn copy(copied: &mut BTreeMap<String, String>, name: String, path: String) -> Result<(), Failure> {
    match copied.get(&name) {
        Some(other) if *other != path => {
            let message = format!("two sources mention a file as `{name}`: `{other}` and `{path}`");
            Err(Failure::new(Class::Input, message).hint("name them by their paths from the design directory"))
        }
        Some(_) => Ok(()),
        None => {
            copied.insert(name, path);
            Ok(())
        }
    }
}

/// The file that a path means wherever a tool runs: an absolute one, or one that climbs to the project by itself.
fn outside_work_dir(path: &str) -> Option<String> {
    if path.starts_with('/') {
        return Some(path.to_owned());
    }
    path.strip_prefix(TO_PROJECT)?.strip_prefix('/').map(str::to_owned)
}

/// Whether a file may mention others itself.
fn has_verilog(name: &str) -> bool {
    let extension = name.rsplit('.').next().unwrap_or_default();
    ["v", "vh", "sv", "svh", "h", "inc"].contains(&extension)
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn in_folder(folder: &str, name: &str) -> String {
    if folder.is_empty() || folder == "." { name.to_owned() } else { format!("{folder}/{name}") }
}
