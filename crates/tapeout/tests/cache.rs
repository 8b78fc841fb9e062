//! What is recorded: shared between projects, looked at, thinned out and checked from the command line.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]
#![allow(dead_code, reason = "the support is shared with other tests")]

mod support;

use std::fs::{self, File, Permissions};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::Value;
use support::{COUNTER, Ran, TestSpace, has, has_flow};
use tempfile::TempDir;

const DAY: Duration = Duration::from_secs(86_400);

/// A design that is only simulated; its bench prints this.
fn simulation(words: &str) -> TestSpace {
    let space = TestSpace::new();
    let config = "meta: {version: 2, flow: [Icarus.Simulate]}\nDESIGN_NAME: d\nVERILOG_FILES: 'dir::src/*.v'\n\
                  TEST_BENCHES: 'dir::tb/*.v'\n";
    let bench = format!("module tb;\n  wire q;\n  d dut (q);\n  initial $display(\"{words}\");\nendmodule\n");
    space.write_all(&[
        ("config.yaml", config),
        ("src/d.v", "module d(output q); assign q = 1; endmodule\n"),
        ("tb/tb.v", &bench),
    ]);
    space
}

fn has_simulator() -> bool {
    has(&["iverilog", "vvp"])
}

impl Ran {
    #[track_caller]
    fn json(self) -> Value {
        serde_json::from_str(&self.exits(0).out).unwrap()
    }
}

/// Makes files look as if they had been left alone since.
fn age(space: &TestSpace, paths: &[&str], age: Duration) {
    for path in paths {
        File::open(space.path(path)).unwrap().set_modified(SystemTime::now() - age).unwrap();
    }
}

fn blobs(space: &TestSpace) -> Vec<PathBuf> {
    let folders = fs::read_dir(space.path(".tapeout/store/blobs")).unwrap();
    folders.flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap()).map(|blob| blob.unwrap().path()).collect()
}

#[test]
fn checkouts_at_other_depths_and_with_other_homes_share_every_tool_run() {
    if !has_flow() {
        return;
    }
    let places = TempDir::new().unwrap();
    let place = |name: &str| {
        let dir = places.path().canonicalize().unwrap().join(name);
        fs::create_dir_all(&dir).unwrap();
        dir
    };
    let project = |dir: &str, home: &str| {
        let cache = place("cache").to_str().unwrap().to_owned();
        let home = place(home).to_str().unwrap().to_owned();
        let space = TestSpace::at(&place(dir)).env("TAPEOUT_SHARED_CACHE", cache).env("HOME", home).env("USER", dir);
        space.write_all(COUNTER);
        space
    };
    let ann = project("ann", "home/ann");
    let bitstream = ann.passes();
    let bob = project("deep/er/down/bob", "bob");
    assert_eq!(bob.passes(), bitstream);
    assert_eq!(bob.repeated(), ["Checker.SetupViolations"], "it has no tool to run");
    let step = bob.step("Yosys.SynthIce40");
    assert_eq!((&step["shared"], &step["status"]), (&Value::Bool(true), &Value::from("reused")));
    assert_eq!(step["attempt"], ann.step("Yosys.SynthIce40")["attempt"], "it tells of the run that there was");

    // From then on it is recorded here.
    fs::remove_dir_all(place("cache")).unwrap();
    assert!(!bob.run().exits(0).out.contains("shared"));
    let told = project("cid", "cid").tapeout(&["run", "--shared-cache", ann.path("none").to_str().unwrap()]).exits(0);
    assert_eq!(told.err.matches("warning: shared cache").count(), 1, "{}", told.err);
}

#[test]
fn what_is_shared_is_chosen_on_the_command_line_and_told() {
    if !has_simulator() {
        return;
    }
    let cache = TempDir::new().unwrap();
    let location = cache.path().to_str().unwrap();
    let names = |kind: &str| fs::read_dir(cache.path().join(kind)).map_or(0, Iterator::count);

    simulation("a").tapeout(&["run", "--shared-cache", location, "--shared-cache-read-only"]).exits(0);
    let read_only = simulation("a").env("TAPEOUT_SHARED_CACHE_READ_ONLY", "1");
    read_only.tapeout(&["run", "--shared-cache", location]).exits(0);
    simulation("a").env("TAPEOUT_SHARED_CACHE", location).tapeout(&["run", "--shared-cache="]).exits(0);
    assert_eq!(names("ac"), 0);
    let ran = simulation("a").tapeout(&["run", "-v", "--shared-cache", location]).exits(0);
    assert!(ran.err.contains("to the shared cache: ") && names("ac") > 0, "{}", ran.err);
    let ran = simulation("a").tapeout(&["run", "--shared-cache", location]).exits(0);
    assert!(ran.out.contains("  shared  ") && ran.err.contains("Icarus.Simulate: shared"), "{}{}", ran.out, ran.err);

    // A log that names the project is of no use to others.
    let before = names("ac");
    let own = TestSpace::new();
    let space = simulation(&format!("read {}/x", own.path("").display()));
    let words = format!("read {}x", space.path("").display());
    space.edit("tb/tb.v", &format!("read {}/x", own.path("").display()), &words);
    space.tapeout(&["run", "-v", "--shared-cache", location]).exits(0).says(&["Icarus.Simulate is not shared: "]);
    assert_eq!(names("ac"), before);

    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let nobody = format!("http://127.0.0.1:{port}/team");
    let ran = simulation("a").tapeout(&["run", "--shared-cache", &nobody]).exits(0);
    assert_eq!(ran.err.matches("warning: ").count(), 1, "{}", ran.err);

    for location in ["ftp://host/x", "https://host/x", "http://"] {
        simulation("a").tapeout(&["run", "--shared-cache", location]).exits(2).says_once(&["shared cache"]);
    }
    let space = simulation("a").env("TAPEOUT_SHARED_CACHE_READ_ONLY", "maybe");
    space.tapeout(&["run", "--shared-cache", location]).exits(2).says_once(&["expected 0 or 1"]);
}

#[test]
fn old_runs_and_failed_attempts_go_and_nothing_else() {
    if !has_simulator() {
        return;
    }
    let space = simulation("a");
    for tag in ["old", "running", "held", "newest"] {
        space.tapeout(&["run", "--tag", tag]).exits(0);
    }
    space.tapeout(&["pin", "sim", "--tag", "held", "-r", "good"]).exits(0);
    space.edit("src/d.v", "assign", "assing");
    space.tapeout(&["run", "--tag", "newest"]).exits(5);
    let failed = "runs/newest/01-icarus-simulate.failed";
    assert!(space.path(failed).is_dir());
    for tag in ["old", "running", "held"] {
        age(
            &space,
            &["run.json", "events.jsonl"].map(|name| format!("runs/{tag}/{name}")).each_ref().map(|s| &**s),
            3 * DAY,
        );
    }
    age(&space, &[failed], 3 * DAY);
    // Not ours: no run of tapeout has been there.
    space.write("runs/mine/notes", "keep");
    age(&space, &["runs/mine/notes", "runs/mine"], 30 * DAY);
    std::os::unix::fs::symlink(space.path("src"), space.path("runs/link")).unwrap();
    let locked = File::open(space.path("runs/running/.lock")).unwrap();
    locked.lock().unwrap();

    let gc = |more: &[&str]| space.tapeout(&[&["cache", "gc"], more].concat());
    assert!(!gc(&["--runs-older-than", "4d", "--failed-older-than", "1w"]).exits(0).out.contains("removed the"));
    let ages = ["--runs-older-than", "2d", "--failed-older-than", "12h"];
    let told = gc(&[&ages[..], &["-n"]].concat()).exits(0).out;
    for words in [
        "would remove the run `old`\n",
        "the run `running` stays: it is running\n",
        "the run `held` stays: a result of it is pinned\n",
        "would remove the failed attempt `runs/newest/01-icarus-simulate.failed`\n",
    ] {
        assert!(told.contains(words), "{words}{told}");
    }
    assert!(space.path("runs/old/run.json").exists() && space.path(failed).is_dir());
    let report = gc(&[&ages[..], &["--json"]].concat()).json();
    assert_eq!(report["runs_removed"], serde_json::json!(["old"]));
    assert_eq!(report["failed_removed"], serde_json::json!(["newest/01-icarus-simulate.failed"]));
    assert_eq!((report["runs_kept"].as_array().unwrap().len(), report["runs_forgotten"][0].as_str()), (2, Some("old")));
    assert!(!space.path("runs/old").exists() && !space.path(failed).exists());
    for path in ["runs/running/run.json", "runs/held/run.json", "runs/newest/run.json", "runs/mine/notes", "src/d.v"] {
        assert!(space.path(path).exists(), "{path}");
    }
    drop(locked);
    // The newest stays however old it is.
    space.tapeout(&["unpin", "sim", "--tag", "held"]).exits(0);
    gc(&["--runs-older-than", "0s"]).exits(0);
    assert!(space.path("runs/newest").exists() && !space.path("runs/held").exists());
    for wrong in [&["--runs-older-than", "30"][..], &["--failed-older-than", "x"], &["--limit", "5GB"]] {
        gc(wrong).exits(2).says(&["expected"]);
    }
}

#[test]
fn a_limit_evicts_what_no_run_shows() {
    if !has_simulator() {
        return;
    }
    let space = simulation("a");
    space.run().exits(0);
    space.edit("tb/tb.v", "\"a\"", "\"b\"");
    space.run().exits(0);
    let stat = || space.tapeout(&["cache", "stat", "--json"]).json();
    let before = stat();
    assert_eq!((&before["runs"], &before["unreferenced"]["count"]), (&Value::from(1), &Value::from(0)));
    assert!(space.tapeout(&["cache", "stat"]).exits(0).out.contains("today"));
    let dry = space.tapeout(&["cache", "gc", "--limit", "0", "-n", "--json"]).json();
    assert_eq!(stat(), before, "nothing was done");
    let report = space.tapeout(&["cache", "gc", "--limit", "0", "--json"]).json();
    assert_eq!(
        (&dry["results_removed"], &dry["bytes_removed"]),
        (&report["results_removed"], &report["bytes_removed"])
    );
    assert!(report["results_removed"].as_u64().unwrap() > 0 && report["held_by_runs"].as_u64().unwrap() > 0);
    assert!(report["tool_ms_removed"].as_u64().unwrap() > 0);
    space.repeats("what is shown was kept", &[]);
    space.edit("tb/tb.v", "\"b\"", "\"a\"");
    space.repeats("this was evicted", &["Icarus.Simulate"]);

    // The same by itself, when nobody else is there.
    let space = space.env("TAPEOUT_CACHE_LIMIT", "0.25K");
    let user = File::open(space.path(".tapeout/store/lock")).unwrap();
    user.lock_shared().unwrap();
    assert!(!space.run().exits(0).err.contains("TAPEOUT_CACHE_LIMIT"), "quiet while it cannot be kept");
    space.tapeout(&["cache", "gc"]).exits(3).says_once(&["using", "nothing was removed"]);
    drop(user);
    space.run().exits(0).says(&["TAPEOUT_CACHE_LIMIT: ", "more than the limit of 256 B"]);
    let space = space.env("TAPEOUT_CACHE_LIMIT", "much");
    space.run().exits(2).says_once(&["TAPEOUT_CACHE_LIMIT", "`much` is no size"]);
    let space = space.without_env();
    fs::remove_dir_all(space.path("runs")).unwrap();
    let told = space.tapeout(&["cache", "gc", "--limit", "0"]).exits(0).out;
    assert!(told.contains(", which tools had taken ") && told.contains("0 results and 0 files stay"), "{told}");
    assert_eq!(blobs(&space), Vec::<PathBuf>::new());
    space.repeats("all is gone", &["Icarus.Simulate"]);
}

#[test]
fn damage_is_found_and_a_project_named() {
    if !has_simulator() {
        return;
    }
    let space = simulation("a");
    space.run().exits(0);
    let elsewhere = TestSpace::new();
    elsewhere.tapeout(&["cache", "stat"]).exits(2).says_once(&["nothing is recorded in"]);
    assert!(!elsewhere.path(".tapeout").exists(), "looking leaves no trace");
    elsewhere.tapeout(&["cache", "verify", "nowhere"]).exits(2).says_once(&["there is no `nowhere`"]);
    let project = space.path("");
    for thing in [project.as_path(), &project.join("config.yaml")] {
        let report = elsewhere.tapeout(&["cache", "verify", "--json", text(thing)]).json();
        assert_eq!(report["problems"], serde_json::json!([]));
    }

    let log = blobs(&space).into_iter().max_by_key(|blob| fs::metadata(blob).unwrap().len()).unwrap();
    fs::set_permissions(&log, Permissions::from_mode(0o644)).unwrap();
    let mut bytes = fs::read(&log).unwrap();
    bytes[0] ^= 1;
    fs::write(&log, bytes).unwrap();
    space.tapeout(&["cache", "verify"]).exits(3).says_once(&["in the store", "damaged", "`tapeout run`"]);
    assert!(!log.exists());
    let found = space.tapeout(&["cache", "verify", "--json"]).exits(3);
    let report: Value = serde_json::from_str(&found.out).unwrap();
    assert!(report["problems"][0].as_str().unwrap().contains("has lost"), "{report}");
    space.run().exits(0);
    space.tapeout(&["cache", "verify"]).exits(0);
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
