//! A run, or the whole project, at another place: everything in it can still be opened.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{TestSpace, has_flow};
use tapeout_flow::load_state;

/// All files and links below a directory.
fn all(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let below = |path: PathBuf| if path.is_dir() && !path.is_symlink() { all(&path) } else { vec![path] };
    entries.flat_map(below).collect()
}

#[test]
fn a_run_that_was_moved_is_complete() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let bitstream = space.passes();
    fs::create_dir(space.path("archive")).unwrap();
    let moved = space.path("archive/old");
    fs::rename(space.path("runs/default"), &moved).unwrap();
    fs::rename(space.path(".tapeout"), space.path("no-store")).unwrap();

    let (mut links, mut states) = (0, 0);
    for path in all(&moved) {
        let shown = path.display();
        if path.is_symlink() {
            links += 1;
            assert!(fs::read_link(&path).unwrap().is_relative(), "{shown}");
            assert!(path.canonicalize().unwrap().starts_with(&moved), "{shown} leads out of the run");
        }
        if path.file_name().is_some_and(|name| name == "state_in.json" || name == "state_out.json") {
            states += 1;
            let state = load_state(&path).unwrap_or_else(|failure| panic!("{failure}"));
            for (key, file) in state.files() {
                assert!(file.canonicalize().unwrap().starts_with(&moved), "{shown}: {key}: {}", file.display());
            }
        }
    }
    assert!(links > 0 && states > 10, "{links} links, {states} states");
    let last = fs::read_dir(&moved).unwrap().map(|entry| entry.unwrap().path().join("state_out.json"));
    let last = load_state(&last.filter(|path| path.exists()).max().unwrap()).unwrap();
    let (_, file) = last.files().into_iter().find(|(key, _)| key == "bitstream").unwrap();
    assert_eq!(fs::read(file).unwrap(), bitstream);
}

#[test]
fn a_project_that_was_moved_has_its_results() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::new();
    let here = TestSpace::at(&space.path("here"));
    fs::create_dir(space.path("here")).unwrap();
    here.write_all(support::COUNTER);
    let bitstream = here.passes();
    fs::rename(space.path("here"), space.path("there")).unwrap();

    let there = TestSpace::at(&space.path("there"));
    let shown = there.tapeout(&["open", "default", "--format", "bitstream", "--print"]).exits(0);
    assert_eq!(fs::read(space.path("there").join(shown.out.trim())).unwrap(), bitstream, "{}", shown.out);
    assert_eq!(there.passes(), bitstream);
    assert_eq!(there.repeated(), [""; 0]);
}
