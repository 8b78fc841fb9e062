//! Single steps: what a flow begins with, one step again, and what can be given to others of it.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]

mod support;

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use support::{TestSpace, has, has_flow};
use tempfile::TempDir;

/// The end of the flow, from place and route on, for the counter.
const BACK_END: &str = "
meta: {version: 2, flow: [Nextpnr.Ice40, IceStorm.Pack]}
DESIGN_NAME: counter
CLOCK_PORT: clk
CLOCK_PERIOD: 20
ICE40_DEVICE: hx1k
ICE40_PACKAGE: tq144
PCF_FILE: dir::src/counter.pcf
";

/// The statuses of the last run under a tag, by step.
fn statuses(space: &TestSpace, tag: &str) -> Vec<(String, String)> {
    let summary: serde_json::Value = serde_json::from_str(&space.read(&format!("runs/{tag}/run.json"))).unwrap();
    let steps = summary["steps"].as_array().unwrap().iter();
    steps.map(|step| (step["id"].as_str().unwrap().to_owned(), step["status"].as_str().unwrap().to_owned())).collect()
}

#[test]
fn a_flow_begins_with_files_that_are_there() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let bitstream = space.passes();
    space.write("back.yaml", BACK_END);
    let netlist = fs::read_dir(space.path("runs/default/final/json")).unwrap().next().unwrap().unwrap().path();
    fs::copy(netlist, space.path("mine.json")).unwrap();
    space.write("state.json", r#"{"json": "mine.json", "nl": ["src/counter.v"], "metrics": {"my__count": 3}}"#);

    space.tapeout(&["plan", "back.yaml"]).exits(2).says(&["needs a view `json`", "`-e json=FILE`"]);
    let run = |state: &[&str]| space.tapeout(&[&["run", "back.yaml", "--tag", "back"], state].concat()).exits(0);
    run(&["-e", "json=mine.json"]);
    assert_eq!(space.bytes("runs/back/final/bitstream/counter.bin"), bitstream);
    assert!(space.read("runs/back/01-nextpnr-ice40/state_in.json").contains("\"../00-initial-state/mine.json\""));
    assert_eq!(space.read("runs/back/command"), "tapeout run back.yaml -e json=mine.json --tag back\n");

    // The same files by way of a state: the steps see no difference. The metrics and the other views come along.
    run(&["-i", "state.json"]);
    let steps = statuses(&space, "back");
    assert_eq!(steps.iter().map(|(_, status)| status.as_str()).collect::<Vec<_>>(), ["done", "reused", "reused"]);
    assert!(space.read("runs/back/final/metrics.json").contains("\"my__count\": 3"));
    assert_eq!(space.read("runs/back/final/nl/counter.v"), space.read("src/counter.v"));

    // The same by the run or the step that made it, which the recorded command names for good.
    for after in ["@default/synth", "runs/default/04-yosys-synthice40"] {
        run(&["-i", after]);
        let command = "tapeout run back.yaml -i runs/default/04-yosys-synthice40/state_out.json --tag back\n";
        assert_eq!(space.read("runs/back/command"), command);
    }
    let plan = |state: &str| space.tapeout(&["plan", "back.yaml", "-i", state]);
    for after in ["@default", "runs/default", "runs/default/final"] {
        plan(after).exits(0).prints(&["makes  asc, bitstream, json"]);
    }
    plan("src").exits(2).says(&["`src` has no state", "`@TAG/STEP`"]);
    plan("runs/default/final/metrics.json").exits(2).says(&["expected a path", "a `state_out.json` does"]);
    plan("@default/ghdl").exits(2).says(&["the step has no result"]);
    plan("@defualt").exits(2).says(&["did you mean `default`?"]);

    // Another content of the file is another design.
    run(&["-i", "state.json"]);
    let why = ["why", "back.yaml", "--tag", "back", "-i", "state.json"];
    space.tapeout(&why).exits(0).prints(&["nothing would run"]);
    space.edit("mine.json", "\"creator\": \"", "\"creator\": \"not ");
    space.tapeout(&why).exits(0).prints(&["Initial.State would run\n  `mine.json` changed"]);
    let dry = ["run", "back.yaml", "--tag", "back", "-i", "state.json", "-n"];
    space.tapeout(&dry).exits(0).prints(&["Nextpnr.Ice40  stale"]);
    run(&["-i", "state.json"]);
    assert_eq!(statuses(&space, "back")[1], ("Nextpnr.Ice40".to_owned(), "done".to_owned()));

    // From another directory; and when what it names is not there.
    let elsewhere = ["-C", "src", "status", "../back.yaml", "--tag", "back", "-i", "../state.json"];
    space.tapeout(&elsewhere).exits(0).prints(&["Nextpnr.Ice40  fresh"]);
    fs::remove_file(space.path("src/counter.v")).unwrap();
    space
        .tapeout(&["plan", "back.yaml", "-i", "state.json"])
        .exits(2)
        .says(&["`state.json`: the file of `nl[0]` does not exist: `src/counter.v`"]);
    space.tapeout(&["plan", "back.yaml", "-e", "jsn=mine.json"]).exits(2).says(&["did you mean `json`?"]);
    space.tapeout(&["plan", "back.yaml", "-e", "json"]).exits(2).says(&["expected `FORMAT=PATH`"]);
}

/// Runs a program in a directory with nothing but `PATH`; gives its exit code and what it printed.
fn run_in(dir: &Path, program: &str, args: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(program);
    command.args(args).current_dir(dir).stdin(Stdio::null()).env_clear();
    let output = command.env("PATH", env::var_os("PATH").unwrap_or_default()).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8_lossy(&text).into_owned())
}

/// Does something while the project is not where it was.
fn while_away(space: &TestSpace, work: impl FnOnce()) {
    let away = TempDir::new().unwrap();
    let away = away.path().join("away");
    let home = space.path("");
    fs::rename(&home, &away).unwrap();
    work();
    fs::rename(&away, &home).unwrap();
}

/// A run without what comes before synthesis.
const FROM_SYNTHESIS: [&str; 5] = ["run", "-c", "RUN_LINTER=false", "-c", "RUN_SIMULATION=false"];

#[test]
fn a_failing_synthesis_fails_as_well_where_there_is_nothing_but_its_pack() {
    if !has_flow() || !has(&["tar"]) {
        return;
    }
    let space = TestSpace::counter();
    // A header from outside of the project, by way of one in it.
    let elsewhere = TempDir::new().unwrap();
    let headers = elsewhere.path().to_str().unwrap();
    space.write("src/step.vh", "`include \"more.vh\"\n");
    fs::write(elsewhere.path().join("more.vh"), "`define STEP 4'd1 +*\n").unwrap();
    space.edit("config.yaml", "['dir::src']", &format!("['dir::src', '{headers}']"));
    space.tapeout(&FROM_SYNTHESIS).exits(5);
    let packs = TempDir::new().unwrap();
    let archive = packs.path().join("report.tar.gz");
    let pack = ["step", "pack", "-o", archive.to_str().unwrap()];
    let verified = "verified: it fails elsewhere as it did here, with exit status 1\n";
    space.tapeout(&pack).exits(0).prints(&[verified]);
    space.tapeout(&pack).exits(2).says(&["is there already"]);
    let more = elsewhere.path().join("more.vh");
    fs::rename(&more, more.with_extension("away")).unwrap();
    while_away(&space, || {
        assert_eq!(run_in(packs.path(), "tar", &["xzf", "report.tar.gz"]).0, Some(0));
        let (code, text) = run_in(packs.path(), "report/run.sh", &[]);
        assert!(text.contains("syntax error, unexpected '*'"), "{text}");
        assert_eq!(code, Some(1));
    });
    let readme = fs::read_to_string(packs.path().join("report/README.md")).unwrap();
    let told = ["| `yosys` | ", "`yosys` failed with exit code 1", "- exit status 1: `yosys -E deps.d -s "];
    assert!(told.iter().all(|words| readme.contains(words)), "{readme}");

    // What is not as it was then gives no pack.
    fs::rename(more.with_extension("away"), &more).unwrap();
    space.write("src/counter.v", "module counter; endmodule");
    space.tapeout(&["step", "pack", "-o", "late"]).exits(2).says(&["`src/counter.v` is not what it was when"]);
}

#[test]
fn a_failing_place_and_route_and_a_good_synthesis_are_packed() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.edit("src/counter.pcf", "set_io clk 21", "set_io clk 999");
    space.tapeout(&FROM_SYNTHESIS).exits(5);
    let packs = TempDir::new().unwrap();
    let to = |name: &str| packs.path().join(name).to_str().unwrap().to_owned();
    let json = space.tapeout(&["step", "pack", "--json", "-o", &to("pnr")]).exits(0).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["same"].as_bool(), json["verified"]["status"].as_i64()), (Some(true), Some(255)), "{json:#}");
    space.tapeout(&["step", "pack", "synth", "-o", &to("synth")]).exits(0).prints(&["verified: it gives the same"]);
    while_away(&space, || {
        let (code, text) = run_in(packs.path(), "pnr/run.sh", &[]);
        assert!(text.contains("999"), "{text}");
        assert_eq!(code, Some(255));
        assert_eq!(run_in(packs.path(), "synth/run.sh", &[]).0, Some(0));
        let work = packs.path().join("synth/design/runs/default/04-yosys-synthice40");
        let (code, text) = run_in(&work, "sha256sum", &["-c", "../../../../expected/SHA256SUMS"]);
        assert_eq!(code, Some(0), "{text}");
        assert!(text.contains("counter.json: OK"), "{text}");
    });
    space.tapeout(&["step", "pack", "pack"]).exits(2).says(&["nothing is recorded of `Icestorm.Pack`"]);
}

#[test]
fn a_pack_that_lacks_something_is_found_out() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.write("secret/key", "open");
    space.script(
        "fake/yosys",
        &format!("cat '{}' > /dev/null || exit 7\nexec yosys \"$@\"\n", space.path("secret/key").display()),
    );
    let space = {
        let tool = space.path("fake/yosys").display().to_string();
        space.env("TAPEOUT_YOSYS", tool)
    };
    space.tapeout(&FROM_SYNTHESIS).exits(0);
    let packs = TempDir::new().unwrap();
    let to = packs.path().join("pack").to_str().unwrap().to_owned();
    let pack = ["step", "pack", "synth", "-o", &to];
    // What reaches back into the project is denied it, where the system can.
    let found = space.tapeout(&pack);
    if !found.out.contains("free to read") {
        found.exits(1).says(&["does not do what was done here", "exit status 7, here it was 0", "secret/key"]);
    }
    fs::remove_dir_all(&to).unwrap();
    space.tapeout(&[&pack[..], &["--no-verify"]].concat()).exits(0).prints(&["not verified"]);
}

#[test]
fn a_step_runs_again_from_what_its_directory_has() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let bitstream = space.passes();
    let before = space.read("runs/default/run.json");
    let again = |args: &[&str]| space.tapeout(&[&["step", "run"], args].concat());
    again(&["nextpnr"]).exits(0).says(&["Nextpnr.Ice40: reused", "`--fresh` runs its tools again"]);
    again(&["runs/default/05-nextpnr-ice40", "--fresh"]).exits(0).says(&["Nextpnr.Ice40: done"]);
    again(&["@default/nextpnr", "-c", "PNR_SEED=7", "-o", "out"]).exits(0).says(&["`PNR_SEED` 1 → 7"]);
    assert!(space.read("out/COMMANDS").contains("--seed 7"));
    assert!(space.read("out/state_in.json").contains("\"json\": \"counter.json\""));
    again(&["nextpnr", "-o", "out"]).exits(2).says(&["`out` is there already"]);
    again(&["nextpnr", "-c", "PNR_SEEED=7"]).exits(2).says(&["PNR_SEED"]);
    // The run is what it was, and still the newest.
    assert_eq!(space.read("runs/default/run.json"), before);
    assert_eq!(space.bytes("runs/default/final/bitstream/counter.bin"), bitstream);
    space.tapeout(&["open", "--print", "pack"]).exits(0).prints(&["runs/default/06-icestorm-pack/counter.bin"]);

    // A directory as OpenLane has them.
    space.write(
        "alone/config.json",
        r#"{"meta": {"version": 2, "step": "Nextpnr.Ice40"}, "DESIGN_NAME": "counter", "CLOCK_PORT": "clk",
            "CLOCK_PERIOD": 20, "ICE40_DEVICE": "hx1k", "ICE40_PACKAGE": "tq144", "PCF_FILE": "dir::pins.pcf"}"#,
    );
    space.write("alone/pins.pcf", space.read("src/counter.pcf"));
    space.write("alone/nl.json", space.bytes("out/counter.json"));
    space.write("alone/state_in.json", r#"{"json": "nl.json", "metrics": {}}"#);
    again(&["alone", "-o", "alone/out"]).exits(0);
    for file in ["COMMANDS", "config.json", "state_in.json", "state_out.json", "nextpnr-ice40.log", "counter.asc"] {
        assert!(space.path("alone/out").join(file).is_file(), "{file}");
    }
    again(&["alone", "--id", "no.such"]).exits(2).says(&["there is no step `no.such`"]);
    fs::remove_file(space.path("alone/state_in.json")).unwrap();
    again(&["alone"]).exits(2).says(&["needs a view `json`"]);
    again(&["alone", "-e", "json=alone/nl.json"]).exits(0);
    again(&["alone/nl.json"]).exits(2).says(&["does not say which step"]);

    // A failed step, from the state after the one before it.
    space.edit("src/counter.pcf", "set_io clk 21", "set_io clk 999");
    space.run().exits(5);
    again(&[]).exits(5).says(&["Nextpnr.Ice40: failed"]);
    let pins = space.path("alone/pins.pcf").display().to_string();
    again(&["-c", &format!("PCF_FILE={pins}")]).exits(0);
}

#[test]
fn a_labelled_step_runs_again_with_what_its_flow_gave_it() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.tapeout(&["run", "--flow", "SeedSweep", "-c", "SWEEP_SEEDS=2", "--tag", "sweep"]).exits(0);
    let again = |args: &[&str]| space.tapeout(&[&["step", "run"], args].concat()).exits(0);
    let commands = || space.read("runs/sweep.nextpnr-ice40-seed2/01-nextpnr-ice40/COMMANDS");
    again(&["@sweep/Nextpnr.Ice40-seed2"]);
    assert!(commands().contains("--seed 2"), "{}", commands());
    again(&["@sweep/nextpnr.ice40-seed2", "--id", "nextpnr", "-c", "CLOCK_PERIOD=30"]);
    assert!(commands().contains("--seed 2") && commands().contains("--freq 33.3"), "{}", commands());
    // In a failed attempt it is written, too.
    let seed_2 = "case \" $* \" in *' --seed 2 '*) echo 'ERROR: no' >&2; exit 1; esac\nexec nextpnr-ice40 \"$@\"\n";
    space.script("fake/nextpnr-ice40", seed_2);
    let tool = format!("tools.nextpnr-ice40.path={}", space.path("fake/nextpnr-ice40").display());
    let sweep = ["run", "--flow", "SeedSweep", "-c", "SWEEP_SEEDS=2", "--tag", "broken", "-c", &tool];
    space.tapeout(&sweep);
    let broken = ["step", "run", "@broken/Nextpnr.Ice40-seed2"];
    space.tapeout(&broken).exits(5).says(&["Nextpnr.Ice40: failed"]);
    space.tapeout(&["plan", "-i", "@sweep"]).exits(2).says(&["that of a program", "`@sweep/STEP`"]);
    // So does one that ends the run.
    space.edit("src/counter.pcf", "set_io clk 21", "set_io clk 999");
    space.tapeout(&FROM_SYNTHESIS).exits(5);
    let failed: serde_json::Value =
        serde_json::from_str(&space.read("runs/default/05-nextpnr-ice40.failed/config.json")).unwrap();
    assert_eq!((&failed["meta"]["step"], &failed["PNR_SEED"]), (&"Nextpnr.Ice40".into(), &1.into()));
}

#[test]
fn a_step_asks_for_nothing_that_only_other_steps_read() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.passes();
    let again = |args: &[&str]| space.tapeout(&[&["step", "run"], args].concat());
    for away in ["tb", "src/counter.pcf"] {
        fs::rename(space.path(away), space.path("away")).unwrap();
        let file = "runs/default/04-yosys-synthice40/config.json";
        again(&["@default/synth"]).exits(0).says(&["Yosys.SynthIce40: reused"]);
        again(&[file]).exits(0).says(&["Yosys.SynthIce40: reused"]);
        fs::rename(space.path("away"), space.path(away)).unwrap();
    }
    fs::rename(space.path("src/counter.v"), space.path("away")).unwrap();
    let told = again(&["@default/synth"]).exits(2).says(&["`src/counter.v` does not exist"]);
    assert!(!told.err.contains("warning"), "{}", told.err);
}

#[test]
fn a_copied_step_stands_alone() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.write("inc/step.vh", "`define STEP 4'd1\n");
    space.edit("src/counter.v", "module counter", "`include \"step.vh\"\nmodule counter");
    space.edit("config.yaml", "['dir::src']", "['dir::inc']");
    space.tapeout(&FROM_SYNTHESIS).exits(0);
    let elsewhere = TempDir::new().unwrap();
    let copy = elsewhere.path().join("copy").to_str().unwrap().to_owned();
    space.tapeout(&["step", "run", "@default/synth", "-o", &copy]).exits(0);
    let mine = TestSpace::new();
    while_away(&space, || {
        mine.tapeout(&["step", "run", &copy]).exits(0).says(&["Yosys.SynthIce40: done"]);
        let file = format!("{copy}/config.json");
        mine.tapeout(&["step", "run", &file, "-c", "SYNTH_ABC9=true"]).exits(0);
    });
    assert!(elsewhere.path().join("copy/design/inc/step.vh").is_file());
    // What is in the way is not to be thrown away.
    let told = space.tapeout(&["step", "run", "@default/synth", "-o", "."]).exits(2).says(&["is there already"]);
    assert!(!told.err.contains("remove"), "{}", told.err);
}

#[test]
fn a_step_of_openlane_runs_with_its_own_configuration() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    let design = space.path("").display().to_string();
    let config = serde_json::json!({
        "meta": {"version": 2, "step": "Verilator.Lint", "openlane_version": "2.3"},
        "DESIGN_DIR": design, "DESIGN_NAME": "counter", "VERILOG_FILES": ["src/counter.v"],
        "VERILOG_INCLUDE_DIRS": ["src"], "VERILOG_DEFINES": null, "LINTER_DEFINES": null, "PDK": "sky130A",
        "PDK_ROOT": "/nowhere", "STD_CELL_LIBRARY": "sky130_fd_sc_hd", "CELL_SPICE_MODELS": ["/nowhere/cells.spice"],
    });
    space.write("lint/config.json", config.to_string());
    space.write("lint/state_in.json", "{}");
    space.tapeout(&["step", "run", "lint"]).exits(0).says(&["Verilator.Lint: done"]);
    space.edit("lint/config.json", "src/counter.v", "src/conter.v");
    let told = space.tapeout(&["step", "run", "lint"]).exits(2).says(&["did you mean `src/counter.v`"]);
    assert!(!told.err.contains("warning"), "{}", told.err);
    space.edit("lint/config.json", &design, "/nowhere");
    space.tapeout(&["step", "run", "lint"]).exits(2).says(&["for a design in `/nowhere`", "`DESIGN_DIR`"]);
}

#[test]
fn a_shell_has_the_environment_of_the_steps_tools() {
    if !has_flow() {
        return;
    }
    let space = TestSpace::counter();
    space.script("look", "pwd; yosys; echo \"$LC_CTYPE $TZ $LC_ALL $LICENCE $MINE $TERM\"\n");
    let real = env::split_paths(&env::var_os("PATH").unwrap()).map(|dir| dir.join("yosys")).find(|it| it.is_file());
    space.script("bin/yosys", &format!("[ $# = 0 ] && echo wrapped || exec {} \"$@\"\n", real.unwrap().display()));
    space.write(
        "config.yaml",
        space.read("config.yaml") + "tools: {yosys: {path: ./bin/yosys, env: {LICENCE: floating}}}\n",
    );
    space.tapeout(&FROM_SYNTHESIS).exits(0);
    assert!(space.read("runs/default/resolved.json").contains("\"LICENCE\": \"floating\""));
    let shell = space.path("look").display().to_string();
    let space = space.env("SHELL", shell).env("LC_ALL", "C").env("TZ", "Asia/Tokyo");
    let space = space.env("MINE", "mine").env("TERM", "dumb");
    let ran = space.tapeout(&["step", "shell", "synth"]).exits(0).says(&["yosys -E deps.d"]);
    let lines: Vec<&str> = ran.out.lines().collect();
    assert!(lines[0].ends_with("runs/default/04-yosys-synthice40"), "{}", ran.out);
    assert_eq!(lines[1..], ["wrapped", "C.UTF-8 UTC  floating  dumb"]);
}
