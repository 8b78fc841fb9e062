//! Gives the built-in steps a digest of what implements them: a changed implementation makes their recorded results void.
//! One for all, as they share code; when it changes, `prepare` and `collect` run again, and what the tools have done is
//! found under the keys of their invocations.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// All that a result of a built-in step depends on.
const SOURCES: &[&str] = &["src", "../tapeout-formats/src", "../tapeout-flow/src", "../tapeout-model/src"];

fn main() {
    let mut hasher = Sha256::new();
    for folder in SOURCES {
        add_files(Path::new(folder), &mut hasher);
    }
    let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    println!("cargo:rustc-env=IMPLEMENTATION={digest}");
}

fn add_files(folder: &Path, hasher: &mut Sha256) {
    println!("cargo:rerun-if-changed={}", folder.display());
    for path in sorted(folder) {
        if path.is_dir() {
            add_files(&path, hasher);
        } else {
            println!("cargo:rerun-if-changed={}", path.display());
            let text = fs::read(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
            hasher.update(path.to_string_lossy().as_bytes());
            hasher.update((text.len() as u64).to_le_bytes());
            hasher.update(text);
        }
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let listing = fs::read_dir(folder).unwrap_or_else(|error| panic!("cannot read {}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = listing.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    paths
}
