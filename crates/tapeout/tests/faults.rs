//! Wrong input and faults of tools, disk and system, with the real tools: one clear message, the right exit code, no
//! process left over, the last good result in place, and the next run right.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs itself, says what it skips, and fails by panic"
)]

mod support;

use std::fs::{self, OpenOptions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::{TestSpace, fast_only, has, has_flow};

/// Time enough to stop, and too little to wait for the tool.
const SOON: Duration = Duration::from_secs(10);

/// A project in which a good run was made, with its bitstream.
fn good() -> (TestSpace, Vec<u8>) {
    let space = TestSpace::counter();
    let bitstream = space.passes();
    (space, bitstream)
}

/// The old result is in place, nothing is running, nothing is half-written.
#[track_caller]
fn is_intact(space: &TestSpace, bitstream: &[u8]) {
    space.is_quiet();
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin"), bitstream, "the last good result");
    for folder in ["runs/default", ".tapeout/work", ".tapeout/store/tmp"] {
        let leftover: Vec<PathBuf> = (fs::read_dir(space.path(folder)).into_iter().flatten())
            .map(|entry| entry.unwrap().path())
            .filter(|path| {
                let name = path.file_name().unwrap().to_str().unwrap();
                folder.starts_with(".tapeout")
                    || name.ends_with(".new")
                    || name.ends_with(".old")
                    || name.ends_with('~')
            })
            .collect();
        assert!(leftover.is_empty(), "{leftover:?}");
    }
}

type Edit = fn(&TestSpace);

/// Each tool alone meets what is wrong with the source: the linter, the simulator, synthesis.
const READERS: [(&str, &[&str]); 3] = [
    ("Verilator.Lint", &["run", "-j1"]),
    ("Icarus.Simulate", &["run", "-j1", "-c", "RUN_LINTER=false"]),
    ("Yosys.SynthIce40", &["run", "-j1", "-c", "RUN_LINTER=false", "-c", "RUN_SIMULATION=false"]),
];

#[test]
fn wrong_sources_are_told_in_the_tools_words_with_the_users_paths() {
    if !has_flow() {
        return;
    }
    let cases: [(&str, Edit, [&[&str]; 3]); 4] = [
        (
            "a syntax error",
            |space| space.edit("src/counter.v", "always @", "allways @"),
            [&["src/counter.v:7:", "syntax error"]; 3],
        ),
        (
            "a module that is not there",
            |space| space.edit("src/counter.v", "endmodule", "nowhere n (clk);\nendmodule"),
            [&["src/counter.v:8:", "'nowhere'"], &["src/counter.v:8:", "nowhere"], &["`\\nowhere'", "try: "]],
        ),
        (
            "a top that is not there",
            |space| space.edit("config.yaml", "DESIGN_NAME: counter", "DESIGN_NAME: conter"),
            // The bench names the module itself, so it is synthesis that misses it in the end.
            [
                &["'conter'"],
                &["conter", "try: is `DESIGN_NAME` the name"],
                &["conter", "try: is `DESIGN_NAME` the name"],
            ],
        ),
        (
            "a header that is not there",
            |space| fs::remove_file(space.path("src/step.vh")).unwrap(),
            [&["src/counter.v:1:", "step.vh"], &["src/counter.v:", "step.vh"], &["`step.vh'"]],
        ),
    ];
    let (space, bitstream) = good();
    let kept = keep(&space);
    for (what, edit, words) in cases {
        for ((step, arguments), words) in READERS.into_iter().zip(words) {
            println!("{what}: {step}");
            edit(&space);
            let ran = space.tapeout(arguments).exits(5).says_once(words).says(&["log: runs/default/"]);
            assert!(!ran.err.contains("../../../"), "a path that only the tool knows: {}", ran.err);
            is_intact(&space, &bitstream);
            kept.iter().for_each(|(path, text)| space.write(path, text));
        }
    }
    is_repaired(&space, &bitstream);
}

#[test]
fn wrong_constraints_are_told_with_what_to_do() {
    if !has_flow() {
        return;
    }
    let cases: [(&str, Edit, &[&str]); 3] = [
        (
            "a pin that the package does not have",
            |space| space.edit("src/counter.pcf", "count[0] 99", "count[0] 999"),
            &["does not have a pin named '999'", "try: look the pin up"],
        ),
        (
            "a port without a pin",
            |space| space.edit("src/counter.pcf", "set_io count[3] 96\n", ""),
            &["count[3]", "try: give the port a pin in `PCF_FILE`"],
        ),
        ("one pin for two ports", |space| space.edit("src/counter.pcf", "count[3] 96", "count[3] 97"), &["count["]),
    ];
    let (space, bitstream) = good();
    let kept = keep(&space);
    for (what, edit, words) in cases {
        println!("{what}");
        edit(&space);
        space.run().exits(5).says_once(&["error: Nextpnr.Ice40: ", "log: runs/default/"]).says(words);
        is_intact(&space, &bitstream);
        kept.iter().for_each(|(path, text)| space.write(path, text));
    }
    is_repaired(&space, &bitstream);

    // Boards come with the pins of everything that is on them.
    space.edit("src/counter.pcf", "count[3] 96", "count[3] 96\nset_io reset 95");
    let ran = space.run().exits(0);
    assert!(ran.out.contains("nextpnr.constraint-without-port"), "{}", ran.out);
}

/// The files that tests edit, as they are.
fn keep(space: &TestSpace) -> Vec<(&'static str, String)> {
    ["config.yaml", "src/counter.v", "src/step.vh", "src/counter.pcf"].map(|path| (path, space.read(path))).into()
}

/// A good run finds its old results, and takes what is kept of failed ones away.
#[track_caller]
fn is_repaired(space: &TestSpace, bitstream: &[u8]) {
    assert_eq!(space.passes(), bitstream);
    assert_eq!(space.repeated(), [""; 0]);
    let names = fs::read_dir(space.path("runs/default")).unwrap().map(|entry| entry.unwrap().file_name());
    let failed: Vec<_> = names.filter(|name| name.to_str().is_some_and(|name| name.ends_with(".failed"))).collect();
    assert!(failed.is_empty(), "{failed:?}");
}

#[test]
fn wrong_configurations_start_nothing() {
    let space = TestSpace::counter();
    let good = space.read("config.yaml");
    let edits: [(&str, &str, &[&str]); 7] = [
        ("'dir::src/*.v'", "'dir::src/conter.v'", &["src/conter.v", "config.yaml:3:", "src/counter.v"]),
        ("'dir::src/*.v'", "'dir::rtl/*.v'", &["rtl/*.v", "config.yaml:3:"]),
        ("hx1k", "hx1", &["`ICE40_DEVICE`", "config.yaml:7:", "did you mean `hx1k`?"]),
        ("tq144", "tq145", &["`hx1k` does not come in `tq145`; its packages are `cb121`", "`tq144`", "config.yaml:8:"]),
        ("counter.pcf", "pins.pcf", &["src/pins.pcf", "config.yaml:9:"]),
        ("CLOCK_PERIOD: 20", "CLOCK_PERIOD: 0", &["`CLOCK_PERIOD`", "must be above 0", "config.yaml:6:"]),
        ("ICE40_DEVICE: hx1k", "ICE40_DEVICE: [hx1k", &["config.yaml:"]),
    ];
    for (from, to, words) in edits {
        space.edit("config.yaml", from, to);
        let ran = space.run().exits(2).says(words).says(&["error: 1 error in the configuration; nothing was started"]);
        assert_eq!(ran.out, "");
        space.write("config.yaml", &good);
    }
    space.write("config.yaml", b"DESIGN_NAME: caf\xe9\n");
    space.run().exits(2).says(&["config.yaml", "UTF-8"]);
    space.write("config.yaml", "");
    space.run().exits(2).says(&["configuration `config.yaml` is empty"]);
    fs::remove_file(space.path("config.yaml")).unwrap();
    space.run().exits(2).says_once(&["there is no configuration here", "tapeout init"]);
    space.tapeout(&["run", "config.yaml"]).exits(2).says(&["config.yaml"]);
    fs::create_dir(space.path("config.yaml")).unwrap();
    space.run().exits(2).says_once(&["there is no configuration"]);
    assert!(!space.path("runs").exists() && !space.path(".tapeout").exists());

    fs::remove_dir(space.path("config.yaml")).unwrap();
    space.write("config.yaml", &good);
    fs::set_permissions(space.path("config.yaml"), fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read(space.path("config.yaml")).is_ok() {
        println!("skipped: root can read everything");
    } else {
        space.run().exits(2).says(&["config.yaml", "Permission denied"]);
    }
}

/// A good project, whose tool is then a script that does this when asked for more than its version.
fn with_fake(tool: &str, does: &str) -> (TestSpace, Vec<u8>) {
    let (space, bitstream) = good();
    let version = if tool == "yosys" { "-V" } else { "--version" };
    space.script(&format!("bin/{tool}"), &format!("[ \"$1\" = {version} ] && exec {tool} {version}\n{does}\n"));
    let variable = format!("TAPEOUT_{}", tool.to_uppercase().replace('-', "_"));
    (space.env(&variable, format!("bin/{tool}")), bitstream)
}

/// The same project with the real tools.
fn repaired(space: TestSpace, bitstream: &[u8]) {
    is_intact(&space, bitstream);
    is_repaired(&space.without_env(), bitstream);
}

#[test]
fn a_tool_that_breaks_leaves_the_last_good_result() {
    if fast_only() || !has_flow() {
        return;
    }
    let half = "echo '{\"modules\": {' > counter.json; echo '{' > stat.json; : > deps.d; \
                for section in map_luts map_cells; do : > checkpoint-$section.il; done";
    let cases: [(&str, String, &[&str]); 7] = [
        ("yosys", format!("{half}; kill -SEGV $$"), &["`yosys` crashed", "signal 11"]),
        ("yosys", format!("{half}; kill -KILL $$"), &["`yosys` was killed", "out of memory"]),
        (
            "yosys",
            format!("{half}; echo 'ERROR: no licence'; exit 3"),
            &["`yosys` failed with exit code 3", "no licence"],
        ),
        ("yosys", "exit 0".into(), &["`yosys` ended without an error but did not write `counter.json`"]),
        ("yosys", format!("{half}; exit 0"), &["stat.json"]),
        ("nextpnr-ice40", "exit 0".into(), &["did not write `counter.asc`"]),
        (
            "nextpnr-ice40",
            "nextpnr-ice40 \"$@\" || exit; head -c 20000 counter.asc > half && mv half counter.asc".into(),
            &["cannot make sense of `counter.asc`"],
        ),
    ];
    for (tool, does, words) in cases {
        println!("{tool}: {does}");
        let (space, bitstream) = with_fake(tool, &does);
        // What has no memory is the machine's fault.
        let code = if words.contains(&"out of memory") { 3 } else { 5 };
        space.run().exits(code).says_once(words).says(&["log: runs/default/"]);
        // It is no good to be asked twice.
        space.run().exits(code).says_once(words);
        repaired(space, &bitstream);
    }
}

#[test]
fn a_netlist_that_is_cut_off_is_noticed() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) =
        with_fake("yosys", "yosys \"$@\" || exit; head -c 9000 counter.json > half && mv half counter.json");
    space.run().exits(5).says_once(&["counter.json"]);
    repaired(space, &bitstream);
}

#[test]
fn a_bitstream_that_is_cut_off_is_noticed() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) = good();
    space.script("bin/icepack", "icepack \"$@\" || exit\nhead -c 30000 counter.bin > half && mv half counter.bin\n");
    let space = space.env("TAPEOUT_ICEPACK", "bin/icepack");
    space.run().exits(5).says_once(&["Icestorm.Pack", "`counter.bin`", "30000 bytes", "32220"]);
    repaired(space, &bitstream);
}

#[test]
fn a_tool_that_cannot_start_is_said_before_anything_starts() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) = good();
    let space = space.env("TAPEOUT_YOSYS", "bin/yosys");
    space.run().exits(3).says_once(&["`yosys` was not found", "`TAPEOUT_YOSYS`", "nothing was started"]);
    space.script("bin/yosys", "exec nothing \"$@\"\n");
    space.run().exits(3).says_once(&["`yosys` does not run", "`-V`"]);
    space.script("bin/yosys", "echo Yosys 0.9\n");
    space.run().exits(3).says_once(&["`yosys` is version 0.9, at least 0.23 is needed"]);
    space.write("bin/yosys", "#!/no/such/shell\n");
    space.run().exits(3).says_once(&["`yosys` does not run"]);
    repaired(space, &bitstream);
}

/// A file system of its own, in memory. Unmounted when it goes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where mounting is not permitted.
    fn mount(at: &Path, kib: u32) -> Option<Self> {
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "tmpfs"])
            .arg(at)
            .stderr(std::process::Stdio::null())
            .status()
            .is_ok_and(|status| status.success());
        if !mounted {
            println!("skipped: cannot mount a tmpfs");
        }
        mounted.then(|| Self(at.to_owned()))
    }

    fn resize(&self, kib: u32) {
        let status = Command::new("mount").args(["-o", &format!("remount,size={kib}k")]).arg(&self.0).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily, as a process of a failed test may still be in it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_said_and_what_was_done_is_kept() {
    if fast_only() || !has_flow() {
        return;
    }
    let (reference, bitstream) = good();
    drop(reference);
    let mut failures = 0;
    for kib in [48, 100, 160, 240, 320, 400, 500, 600, 800, 1000] {
        let dir = tempfile::tempdir().unwrap();
        let Some(disk) = SmallDisk::mount(dir.path(), kib) else { return };
        let space = TestSpace::at(&dir.path().canonicalize().unwrap());
        space.write_all(support::COUNTER);
        let ran = space.run();
        println!("{kib} KiB: {:?}", ran.code);
        if ran.code != Some(0) {
            failures += 1;
            let ran = ran.exits(3);
            let said = ran.err.to_lowercase();
            assert!(said.contains("full") || said.contains("no space left"), "{}", ran.err);
            assert!(said.contains("free some space"), "{}", ran.err);
        }
        space.is_quiet();
        disk.resize(20_000);
        assert_eq!(space.passes(), bitstream, "after {kib} KiB");
        space.run().exits(0);
        assert_eq!(space.repeated(), [""; 0], "after {kib} KiB");
    }
    assert!(failures >= 4, "the disks were too large: only {failures} were full");
}

/// A synthesis that takes a minute, with helpers that leave its process group and its session.
const SLOW: &str = "setsid sleep 60 & sleep 60 & touch ../../../started; echo half > counter.json; sleep 60";

#[test]
fn signals_stop_the_run_and_all_its_processes() {
    if !has_flow() || !has(&["setsid"]) {
        return;
    }
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let (space, bitstream) = with_fake("yosys", SLOW);
        let running = space.start(&["run"]);
        space.wait_for("started");
        running.signal(signal);
        let ran = running.wait(SOON).exits(code);
        assert!(ran.err.contains("stopped"), "{}", ran.err);
        repaired(space, &bitstream);
    }
}

#[test]
fn a_second_signal_does_not_wait() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) = with_fake("yosys", &format!("trap '' INT TERM; {SLOW}"));
    let running = space.start(&["run"]);
    space.wait_for("started");
    running.signal("INT");
    running.signal("TERM");
    let ran = running.wait(SOON);
    assert!([Some(130), Some(143)].contains(&ran.code), "{ran:?}");
    space.is_quiet();
    let space = space.without_env();
    assert_eq!(space.passes(), bitstream);
}

#[test]
fn nothing_outlives_a_tapeout_that_was_killed() {
    if !has_flow() || !has(&["setsid"]) {
        return;
    }
    let (space, bitstream) = with_fake("yosys", SLOW);
    let running = space.start(&["run"]);
    space.wait_for("started");
    running.signal("KILL");
    assert_eq!(running.wait(SOON).code, None);
    space.is_quiet();
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin"), bitstream);
    let space = space.without_env();
    assert_eq!(space.passes(), bitstream);
    is_intact(&space, &bitstream);
}

#[test]
fn a_run_can_be_killed_at_any_moment() {
    if fast_only() || !has_flow() {
        return;
    }
    let (elsewhere, bitstream) = good();
    drop(elsewhere);
    let space = TestSpace::counter();
    // Spread over a run, in no order.
    for nth in 0..20_u64 {
        let arguments: &[&str] = if nth % 2 == 0 { &["run"] } else { &["run", "--fresh"] };
        let running = space.start(arguments);
        std::thread::sleep(Duration::from_millis(10 + nth * 617 % 1700));
        running.signal("KILL");
        let ran = running.wait(SOON);
        assert!(matches!(ran.code, None | Some(0)), "{ran:?}");
        space.is_quiet();
        let shown = space.path("runs/default/final/bitstream/counter.bin");
        if shown.exists() {
            assert_eq!(fs::read(shown).unwrap(), bitstream, "kill {nth}");
        }
    }
    assert_eq!(space.passes(), bitstream);
    space.run().exits(0);
    assert_eq!(space.repeated(), [""; 0]);
    is_intact(&space, &bitstream);
}

#[test]
fn one_tag_is_for_one_run_at_a_time() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) = with_fake("yosys", SLOW);
    let running = space.start(&["run"]);
    space.wait_for("started");
    space.run().exits(3).says_once(&["another tapeout is running in", "runs/default", "--tag"]);
    space.start(&["plan"]).wait(SOON).exits(0);
    running.signal("INT");
    running.wait(SOON).exits(130);
    repaired(space, &bitstream);
}

#[test]
fn a_source_that_changes_during_the_run_is_not_recorded_wrongly() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) = with_fake(
        "yosys",
        "touch ../../../started; while [ ! -e ../../../go ]; do sleep 0.05; done; exec yosys \"$@\"",
    );
    let running = space.start(&["run"]);
    space.wait_for("started");
    let text = space.read("src/counter.v");
    space.edit("src/counter.v", "+ `STEP", "- `STEP");
    space.write("go", "");
    running.wait(Duration::from_secs(60)).exits(3).says_once(&["`src/counter.v` changed during the step", "run again"]);
    space.run().exits(1).says(&["expected 1, got 15"]);
    space.write("src/counter.v", text);
    let space = space.without_env();
    assert_eq!(space.passes(), bitstream);
}

#[test]
fn a_project_that_cannot_be_written_is_said() {
    if !has_flow() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), 20_000) else { return };
    let space = TestSpace::at(&dir.path().canonicalize().unwrap());
    space.write_all(support::COUNTER);
    let status = Command::new("mount").args(["-o", "remount,ro"]).arg(&disk.0).status();
    assert!(status.unwrap().success());
    space.run().exits(3).says_once(&["Read-only file system"]);
    space.start(&["plan"]).wait(SOON).exits(0);
    let status = Command::new("mount").args(["-o", "remount,rw"]).arg(&disk.0).status();
    assert!(status.unwrap().success());
    space.passes();
    space.is_quiet();
}

/// All files below a folder of the store, in order.
fn stored(space: &TestSpace, folder: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut pending = vec![space.path(".tapeout/store").join(folder)];
    while let Some(path) = pending.pop() {
        match fs::read_dir(&path) {
            Ok(listing) => pending.extend(listing.map(|entry| entry.unwrap().path())),
            Err(_) => files.push(path),
        }
    }
    files.sort();
    files
}

fn truncate(path: &Path, length: u64) {
    let mut permissions = fs::metadata(path).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "blobs are read-only, and the test is about damage")]
    permissions.set_readonly(false);
    fs::set_permissions(path, permissions).unwrap();
    OpenOptions::new().write(true).open(path).unwrap().set_len(length).unwrap();
}

#[test]
fn a_damaged_store_costs_work_and_nothing_else() {
    if fast_only() || !has_flow() {
        return;
    }
    let (space, bitstream) = good();
    type Damage = fn(&TestSpace);
    let damages: [(&str, Damage); 8] = [
        // A single one may hit what a tool did for a step whose own result is whole: then nothing is to be done again.
        ("bytes of the journal flipped", |space| {
            for segment in stored(space, "journal") {
                let mut bytes = fs::read(&segment).unwrap();
                bytes.iter_mut().skip(512).step_by(512).for_each(|byte| *byte ^= 0x40);
                fs::write(&segment, bytes).unwrap();
            }
        }),
        ("the journal cut off", |space| {
            stored(space, "journal")
                .iter()
                .for_each(|segment| truncate(segment, fs::metadata(segment).unwrap().len() / 2));
        }),
        ("an empty segment", |space| stored(space, "journal").iter().for_each(|segment| truncate(segment, 0))),
        ("noise for a segment", |space| {
            let noise: Vec<u8> = (0..5000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
            stored(space, "journal").iter().for_each(|segment| fs::write(segment, &noise).unwrap());
        }),
        ("no journal", |space| fs::remove_dir_all(space.path(".tapeout/store/journal")).unwrap()),
        // Blobs are looked at when they are needed: to show a result again, for one.
        ("every blob cut off", |space| {
            fs::remove_dir_all(space.path("runs")).unwrap();
            stored(space, "blobs").iter().for_each(|blob| truncate(blob, fs::metadata(blob).unwrap().len() / 2));
        }),
        ("every second blob gone", |space| {
            stored(space, "blobs").iter().step_by(2).for_each(|blob| fs::remove_file(blob).unwrap());
        }),
        ("no store", |space| fs::remove_dir_all(space.path(".tapeout")).unwrap()),
    ];
    for (what, damage) in damages {
        println!("{what}");
        damage(&space);
        assert_eq!(space.passes(), bitstream, "{what}");
        assert_ne!(space.repeated(), [""; 0], "{what}: nothing was lost");
        space.run().exits(0);
        assert_eq!(space.repeated(), [""; 0], "{what}");
        is_intact(&space, &bitstream);
    }
}

#[test]
fn a_store_of_another_version_is_said() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) = good();
    space.write(".tapeout/store/FORMAT", "tapeout store 9\n");
    space.run().exits(3).says_once(&["`tapeout store 9`", "`tapeout store 1`"]);
    space.write(".tapeout/store/FORMAT", "tapeout store 1\n");
    repaired(space, &bitstream);
}

#[test]
fn edited_views_are_made_again() {
    if !has_flow() {
        return;
    }
    let (space, bitstream) = good();
    space.write("runs/default/final/bitstream/counter.bin", "mine");
    fs::remove_file(space.path("runs/default/04-yosys-synthice40/counter.json")).unwrap();
    assert_eq!(space.passes(), bitstream);
    assert!(space.path("runs/default/04-yosys-synthice40/counter.json").is_file());
    assert_eq!(space.repeated(), [""; 0]);
}
