//! The command line as people and scripts meet it: words, exit codes, streams. No EDA tool is needed here; runs with real
//! tools are tested where the tools are.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts tapeout itself, and fails by panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// tapeout in a directory, with nothing in its environment that changes what it says.
fn tapeout(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tapeout"));
    command.current_dir(dir).args(args).stdin(Stdio::null()).env_clear().env("PATH", "/nowhere");
    command
}

/// How a command ended: exit code, standard output, standard error.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn run(dir: &Path, args: &[&str]) -> (i32, String, String) {
    said(&tapeout(dir, args).output().unwrap())
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let (code, out, err) = run(dir, args);
    assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
    serde_json::from_str(&out).unwrap()
}

/// A project made by `tapeout init`.
fn project() -> TempDir {
    let dir = TempDir::new().unwrap();
    assert_eq!(run(dir.path(), &["init", "-q"]).0, 0);
    dir
}

#[test]
fn the_version_and_the_help_are_no_errors() {
    let dir = TempDir::new().unwrap();
    let version = format!("tapeout {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(dir.path(), &["--version"]), (0, version, String::new()));
    let (code, help, _) = run(dir.path(), &["run", "--help"]);
    assert_eq!(code, 0);
    assert!(help.contains("--keep-going"), "{help}");
}

#[test]
fn usage_errors_are_exit_code_2() {
    let dir = project();
    for args in [
        &["run", "--bogus"][..],
        &["frobnicate"],
        &["run", "--tag", "a/b"],
        &["run", "--tag", ".hidden"],
        &["run", "--jobs", "0"],
        &["run", "--fresh=nosuchstep"],
        &["-C", "nowhere", "plan"],
        &["run", "nowhere.yaml"],
        &["plan", "--flow", "Ice4"],
        &["logs", "nowhere@default"],
        &["show", "step", "nosuchstep"],
    ] {
        let (code, out, err) = run(dir.path(), args);
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}: {err}");
        assert!(err.contains("error:"), "{args:?}: {err}");
    }
}

#[test]
fn who_comes_from_openlane_is_told_what_the_option_is_here() {
    let dir = project();
    for (args, tip) in [
        (&["run", "--run-tag", "x"][..], "tip: `--tag` names the run"),
        (&["run", "--last-run"], "tip: a run goes on where the last one under its tag ended"),
        (&["run", "--with-initial-state=x"], "tip: `-i`, `--initial-state` is the state to begin with"),
        (&["step", "run", "-c", "config.yaml"], "try: name the file without `-c`"),
        (&["plan", "--set", "config.yaml"], "try: name the file without `-c`"),
    ] {
        let (code, _, err) = run(dir.path(), args);
        assert!(code == 2 && err.contains(tip) && !err.contains("as a value"), "{args:?}: {err}");
    }
}

#[test]
fn programs_are_called_so_where_a_configuration_is_checked() {
    let dir = project();
    let (_, out, _) = run(dir.path(), &["config", "check", "--flow", "Ice40Optimizing"]);
    assert!(out.contains("Ice40Optimizing (a program, which may ask for 8 steps)"), "{out}");
}

#[test]
fn all_that_is_wrong_with_a_configuration_is_said_at_once() {
    let dir = project();
    let (code, out, err) = run(dir.path(), &["run", "-c", "CLOCK_PERIODE=3", "-c", "ICE40_PACKAGE"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert_eq!(
        err,
        "\
error: `-c ICE40_PACKAGE` sets nothing
 --> <command line>:2:4
  |
2 | -c ICE40_PACKAGE
  |    ^^^^^^^^^^^^^ expected KEY=VALUE
  |
  = help: write for instance `-c CLOCK_PERIOD=10`

error: 1 error in the configuration; nothing was started
"
    );
    let (code, _, err) = run(dir.path(), &["run", "-c", "CLOCK_PERIODE=3", "-c", "CLOCK_PERIOD=fast"]);
    assert_eq!(code, 2);
    assert_eq!(
        err,
        "\
error: unknown variable `CLOCK_PERIODE`
 --> <command line>:1:4
  |
1 | -c CLOCK_PERIODE=3
  |    ^^^^^^^^^^^^^ the flow has no such variable
  |
  = help: did you mean `CLOCK_PERIOD`?

error: `CLOCK_PERIOD` must be a decimal, not a string
 --> <command line>:2:17
  |
2 | -c CLOCK_PERIOD=fast
  |                 ^^^^ expected a decimal

error: 2 errors in the configuration; nothing was started
"
    );
    assert!(!dir.path().join("runs").exists());
}

#[test]
fn every_missing_tool_is_named_before_anything_starts() {
    let dir = project();
    let (code, out, err) = said(&tapeout(dir.path(), &["run"]).env("TAPEOUT_YOSYS", "bin/yosys").output().unwrap());
    assert_eq!((code, out.as_str()), (3, ""));
    let yosys = dir.path().canonicalize().unwrap().join("bin/yosys");
    let expected = format!("  `yosys` was not found as `{}`, which `TAPEOUT_YOSYS` asks for\n", yosys.display());
    assert!(err.contains(&expected), "{err}");
    assert!(err.contains("  `nextpnr-ice40` was not found on PATH\n"), "{err}");
    let (head, last) = err.trim_end().rsplit_once('\n').unwrap();
    assert!(head.starts_with("error: ") && head.lines().next().unwrap().ends_with("; nothing was started"), "{err}");
    assert!(last.starts_with("try: apt-get install fpga-icestorm iverilog nextpnr-ice40"), "{last}");
    assert!(!dir.path().join("runs").exists());
}

#[test]
fn doctor_fails_only_for_a_design_that_needs_what_is_missing() {
    let dir = project();
    assert_eq!(run(dir.path(), &["doctor"]).0, 0);
    assert_eq!(run(dir.path(), &["doctor", "config.yaml"]).0, 3);
    let tools = json(dir.path(), &["doctor", "--json"]);
    let yosys = tools["tools"].as_array().unwrap().iter().find(|tool| tool["tool"] == "yosys").unwrap();
    assert_eq!(yosys["status"], "missing");
}

#[test]
fn what_there_is_can_be_listed_and_shown() {
    let dir = TempDir::new().unwrap();
    let (code, flows, _) = run(dir.path(), &["list", "flows"]);
    assert_eq!(code, 0);
    assert!(flows.lines().any(|line| line.trim_start().starts_with("Ice40 ")), "{flows}");
    let steps = json(dir.path(), &["list", "steps", "--json"]);
    assert!(steps.as_array().unwrap().iter().any(|step| step["id"] == "Yosys.SynthIce40"), "{steps}");

    let step = json(dir.path(), &["show", "step", "yosys.synthice40", "--json"]);
    assert_eq!(step["id"], "Yosys.SynthIce40");
    assert_eq!(step["tools"], serde_json::json!(["yosys"]));
    let variable = json(dir.path(), &["show", "variable", "clock_period", "--json"]);
    assert_eq!((&variable["name"], &variable["units"]), (&"CLOCK_PERIOD".into(), &"ns".into()));
    let (_, text, _) = run(dir.path(), &["show", "variable", "WAIVED_ALERTS"]);
    assert!(text.starts_with("WAIVED_ALERTS  list of strings, default `[]`\n"), "{text}");
    assert!(text.ends_with("  read by  every flow\n"), "{text}");

    let (code, _, err) = run(dir.path(), &["show", "variable", "CLOKC_PERIODS"]);
    let expected = "error: there is no variable `CLOKC_PERIODS`\ntry: did you mean `CLOCK_PERIODS`?\n";
    assert_eq!((code, err.as_str()), (2, expected));
}

#[test]
fn init_makes_a_project_with_a_plan_and_overwrites_nothing() {
    let dir = TempDir::new().unwrap();
    let (code, out, _) = run(dir.path(), &["init", "my blinky"]);
    assert_eq!(code, 0);
    assert!(out.contains("  cd 'my blinky'\n"), "{out}");
    let project = dir.path().join("my blinky");
    let plan = json(&project, &["plan", "--json"]);
    assert_eq!((&plan["flow"], &plan["design"]), (&"Ice40".into(), &"blinky".into()));

    fs::write(project.join("src/blinky.v"), "mine").unwrap();
    fs::remove_file(project.join("config.yaml")).unwrap();
    let (code, out, err) = run(dir.path(), &["init", "my blinky"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.starts_with("error: 4 files would be overwritten; nothing was written\n"), "{err}");
    assert_eq!(fs::read_to_string(project.join("src/blinky.v")).unwrap(), "mine");
    assert!(!project.join("config.yaml").exists());
}

#[test]
fn the_design_stays_where_its_own_configuration_is() {
    let dir = project();
    let elsewhere = TempDir::new().unwrap();
    let overlay = elsewhere.path().join("fast.yaml");
    fs::write(&overlay, "CLOCK_PERIOD: 20\n").unwrap();
    let config = dir.path().join("config.yaml");
    let plan = json(
        elsewhere.path(),
        &["plan", "--json", config.to_str().unwrap(), "--with", "fast.yaml", "-c", "PNR_SEED=7"],
    );
    assert_eq!(plan["design_dir"], dir.path().to_str().unwrap());
    let steps = plan["steps"].as_array().unwrap();
    let route = steps.iter().find(|step| step["id"] == "Nextpnr.Ice40").unwrap();
    assert_eq!((&route["variables"]["CLOCK_PERIOD"], &route["variables"]["PNR_SEED"]), (&20.into(), &7.into()));
    // A directory stands for the configuration in it.
    assert_eq!(json(elsewhere.path(), &["plan", "--json", dir.path().to_str().unwrap()])["design"], "blinky");
}

#[test]
fn two_configurations_in_one_directory_must_be_told_apart() {
    let dir = project();
    fs::write(dir.path().join("config.json"), "{}").unwrap();
    let (code, _, err) = run(dir.path(), &["plan"]);
    let expected = "\
error: there are 2 configurations here
  config.json
  config.yaml
try: name the one that is meant
";
    assert_eq!((code, err.as_str()), (2, expected));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let dir = TempDir::new().unwrap();
    for args in [&["list", "variables"][..], &["--help"], &["show", "flow", "Ice40", "--json"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = tapeout(dir.path(), args).stdout(writer).output().unwrap();
        assert_eq!(said(&output), (0, String::new(), String::new()), "{args:?}");
    }
}

#[test]
fn a_result_that_cannot_be_written_is_an_error() {
    let dir = TempDir::new().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = tapeout(dir.path(), &["list", "steps"]).stdout(full).output().unwrap();
    let (code, _, err) = said(&output);
    assert_eq!(code, 3);
    assert!(err.starts_with("error: cannot write to standard output: "), "{err}");
}

#[test]
fn colours_are_for_terminals_unless_they_are_asked_for() {
    let dir = TempDir::new().unwrap();
    let colored = |args: &[&str]| run(dir.path(), args).2.contains('\x1b');
    assert!(!colored(&["plan"]));
    assert!(colored(&["plan", "--color", "always"]));
    assert!(!colored(&["plan", "--color", "never"]));
}

#[test]
fn there_is_nothing_to_show_of_a_run_that_was_not_made() {
    let dir = project();
    let expected = "error: there is no run in `.`\ntry: `tapeout run` makes one\n";
    for command in [&["logs"][..], &["open", "synth"], &["step", "shell"]] {
        assert_eq!(run(dir.path(), command), (2, String::new(), expected.to_owned()), "{command:?}");
    }
    assert_eq!(run(dir.path(), &["list", "runs"]), (0, String::new(), "there are none\n".to_owned()));
}

#[test]
fn all_that_follows_radgen_is_its_own() {
    let dir = TempDir::new().unwrap();
    fs::create_dir(dir.path().join("rtl")).unwrap();
    // `-v`, `-c` and `-q` mean something else before the word.
    let shown = json(dir.path(), &["--json", "radgen", "-v", "rtl", "-c", "-st", "asic_dse", "--just_config_init"]);
    assert_eq!(shown["config"]["asic_dse"]["hdl_dpath"], "rtl");
    assert_eq!(shown["config"]["asic_dse"]["mode"]["vlsi"]["config_pre_proc"], Value::Null);
    let command: Vec<&str> = shown["command"].as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
    let expected = ["--subtools", "asic_dse", "--just_config_init", "--compile_results", "--hdl_dpath", "rtl"];
    assert_eq!(command, expected);
    let again: Vec<&str> = ["radgen", "--json"].into_iter().chain(command).collect();
    assert_eq!(json(dir.path(), &again), shown);

    let (code, out, err) = run(dir.path(), &["-C", "rtl", "radgen", "-st", "asic_dse", "-o", "out"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.starts_with("error: running asic_dse is not part of this version\n"), "{err}");
    let command = fs::read_to_string(dir.path().join("rtl/out/command")).unwrap();
    assert_eq!(command, "tapeout radgen --subtools asic_dse --manual_obj_dir out\n");
    // Nothing is written where something is wrong.
    assert_eq!(run(dir.path(), &["radgen", "-st", "asic_dse", "-o", "other", "-r", "turbo"]).0, 2);
    assert!(!dir.path().join("other").exists());
    let (code, help, _) = run(dir.path(), &["radgen", "-st", "coffe", "--help"]);
    assert!(code == 0 && help.contains("--fpga_arch_conf_path PATH"), "{help}");
}
