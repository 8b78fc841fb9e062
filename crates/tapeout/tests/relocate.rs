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

use serde_json::json;
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

#[test]
fn a_run_is_found_by_its_directory_and_from_within() {
    let space = TestSpace::new();
    let step = json!({
        "id": "Tool.Measure", "dir": "01-tool-measure", "status": "done", "reused": false,
        "log": "01-tool-measure/measure.log",
    });
    let summary = json!({
        "tapeout": "0.1.0", "flow": "Ice40", "design": "d", "tag": "default", "steps": [step], "metrics": {},
    });
    space.write("moved/old/run.json", summary.to_string());
    space.write("moved/old/01-tool-measure/measure.log", "seven\n");
    space.write("moved/other/notes.txt", "");
    let absolute = space.path("moved/old/01-tool-measure");
    let says_seven = |space: &TestSpace, what: &[&str]| {
        let ran = space.tapeout(&[&["logs"], what].concat()).exits(0);
        assert_eq!(ran.out, "seven\n", "{what:?}");
    };
    let known = ["moved/old/01-tool-measure", "moved/old/measure", "./moved/old/01-tool-measure/"];
    known.iter().for_each(|what| says_seven(&space, &[what]));
    says_seven(&space, &[absolute.to_str().unwrap()]);
    space.tapeout(&["logs", "moved/old"]).exits(0).prints(&["Tool.Measure"]);
    space.tapeout(&["open", "moved/old", "--json"]).exits(0);
    space.tapeout(&["logs", "moved/old/nix"]).exits(2).says_once(&["there is no step `nix`"]);
    for dir in ["moved/old", "moved/old/01-tool-measure"] {
        let inside = TestSpace::at(&space.path(dir));
        for what in ["measure", "default/measure", "@last/measure", "last/measure"] {
            says_seven(&inside, &[what]);
        }
    }
    says_seven(&TestSpace::at(&space.path("moved/old")), &["01-tool-measure"]);
    says_seven(&TestSpace::at(&absolute), &["../../old/measure"]);

    let none = "is the directory neither of a run nor of a step in one";
    space.tapeout(&["logs", "moved/other"]).exits(2).says_once(&["`moved/other`", none, "`run.json`"]);
    space.tapeout(&["logs", "moved"]).exits(2).says_once(&["`moved`", none]);
    // A tag goes before a directory, which can be named all the same.
    space.write("runs/moved/run.json", summary.to_string().replace("default", "moved"));
    space.write("runs/moved/01-tool-measure/measure.log", "eight\n");
    space.tapeout(&["logs", "moved/measure"]).exits(0).prints(&["eight"]);
    says_seven(&space, &["./moved/old/measure"]);
    space.tapeout(&["logs", "./moved/other"]).exits(2).says_once(&["`./moved/other`", none]);
    for what in ["/nowhere/at/all", "@", "@/measure"] {
        let ran = space.tapeout(&["logs", what]).exits(2).says_once(&["names no run", "`@last`"]);
        assert!(!ran.err.contains("``"), "{}", ran.err);
    }
}
