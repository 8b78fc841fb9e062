//! Gives each folder of built-in steps a digest of what implements it, so that a changed implementation makes recorded
//! results of its steps void, and of its steps only.

use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// Code that the steps of every folder share.
const SHARED: &[&str] = &["src/verilog", "../tapeout-formats/src"];

fn main() {
    let mut shared = Sha256::new();
    for folder in SHARED {
        add_files(Path::new(folder), &mut shared);
    }
    for entry in sorted(Path::new("src")) {
        if entry.is_dir() {
            let mut hasher = shared.clone();
            add_files(&entry, &mut hasher);
            let name = entry.file_name().unwrap_or_default().to_string_lossy().to_uppercase();
            let digest: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            println!("cargo:rustc-env=IMPLEMENTATION_{name}={digest}");
        }
    }
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
