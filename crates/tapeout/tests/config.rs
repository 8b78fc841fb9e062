//! `tapeout config` as people and scripts meet it: what it says of right, wrong and former names, of entries of maps, of
//! layers, and of a configuration that is wrong elsewhere.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts tapeout itself, and fails by panic")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A project of `tapeout init` and beside it the configuration `classic/config.json` of a flow that can be planned only.
struct Project(TempDir);

/// How a command ended.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Project {
    fn new() -> Self {
        let project = Self(TempDir::new().unwrap());
        assert_eq!(project.run(".", &["init", "-q", "blinky"]).code, 0);
        project.write("classic/a.v", "");
        project.write(
            "classic/config.json",
            r#"{ "DESIGN_NAME": "a", "VERILOG_FILES": "dir::a.v", "FP_PDN_VOFFSET": 7, "CTS_TOLERANCE": 1,
  "pdk::sky*": { "FP_CORE_UTIL": 45 },
  "MACROS": { "m": { "gds": ["dir::a.v"], "lef": ["dir::a.v"] } } }"#,
        );
        project
    }

    fn write(&self, name: &str, text: &str) {
        let file = self.0.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    fn run(&self, dir: impl AsRef<Path>, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tapeout"));
        command.current_dir(self.0.path().join(dir)).args(args).stdin(Stdio::null());
        let output = command.env_clear().env("PATH", "/nowhere").output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let ran = Ran { code: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) };
        assert!(!ran.err.contains("panicked") && ran.code != 4, "{}", ran.err);
        ran
    }

    /// `tapeout config` with these words in `blinky`.
    fn config(&self, words: &[&str]) -> Ran {
        self.run("blinky", &[&["config"], words].concat())
    }

    fn classic(&self, words: &[&str]) -> Ran {
        self.run("classic", &[&["config"], words].concat())
    }
}

impl Ran {
    /// The lines of the table, each with its words one blank apart.
    fn rows(&self) -> Vec<String> {
        let rows = self.out.lines().filter(|line| line.starts_with("  "));
        rows.map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }

    #[track_caller]
    fn ends(self, code: i32, err: &str) -> Self {
        assert_eq!((self.code, self.err.as_str()), (code, err), "{}", self.out);
        self
    }
}

#[test]
fn why_answers_when_something_else_is_wrong() {
    let project = Project::new();
    let elsewhere = "error: there is 1 error elsewhere in the configuration\n\
        try: `tapeout config check` shows what is wrong\n";
    let why = project.config(&["why", "PNR_SEED", "-c", "PNR_SEED=5", "-c", "NOPE=1"]).ends(2, elsewhere);
    assert_eq!(why.rows(), ["5 command line -c PNR_SEED=5", "1 built-in default"]);
    // What is wrong with the variable itself is said as ever.
    let wrong = project.config(&["why", "PNR_SEED", "-c", "PNR_SEED=x", "-c", "NOPE=1"]);
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert!(
        wrong.err.contains("`PNR_SEED` must be an integer") && wrong.err.contains("2 errors in the configuration\n")
    );
    // A PDK without a place is an error of its own, of which sections need not know.
    let why = project.classic(&["why", "FP_CORE_UTIL", "-p", "sky130A"]).ends(2, elsewhere);
    assert_eq!(why.rows()[0], "45 file config.json:2:34 \"pdk::sky*\": { \"FP_CORE_UTIL\": 45 },");
    let check = project.classic(&["check", "-p", "sky130A"]);
    assert!(check.err.contains("the PDK `sky130A` is chosen, but not the directory that it is in"), "{}", check.err);
}

#[test]
fn an_orientation_has_one_word_whoever_writes_it() {
    let project = Project::new();
    let why = |name: &str| {
        let key = "MACROS.m.instances";
        let instances = format!("{key}={{i: {{location: [1, 2], orientation: {name}}}}}");
        project.classic(&["show", "--given", "-c", &instances])
    };
    assert!(why("MXR90").out.contains(r#""orientation":"FW""#));
    assert!(why("FW").out.contains(r#""orientation":"FW""#));
    let wrong = why("R91");
    assert!(
        wrong.err.contains("must be one of `N`, `FN`, `W`, `FW`, `S`, `FS`, `E`, `FE`, not `R91`"),
        "{}",
        wrong.err
    );
    assert!(wrong.err.contains("did you mean `R90`?"), "{}", wrong.err);
}

#[test]
fn changes_of_steps_are_not_passed_over() {
    let project = Project::new();
    let with = |meta: &str, command: &[&str]| {
        project.write("blinky/over.yaml", &format!("meta: {meta}\n"));
        project.run("blinky", &[command, &["--with", "over.yaml"]].concat())
    };
    let edits = "{flow: Ice40, substituting_steps: {Verilator.Lnt: null}}";
    for command in [&["config", "check"][..], &["plan"], &["run"]] {
        let ran = with(edits, command);
        assert_eq!(ran.code, 2);
        assert!(
            ran.err.starts_with("error: the flow has no step `Verilator.Lnt`\n --> over.yaml:1:42\n"),
            "{}",
            ran.err
        );
        assert!(ran.err.contains("did you mean `Verilator.Lint`?"), "{}", ran.err);
    }
    assert_eq!(with(edits, &["config", "check", "--flow", "Ice40"]).code, 0, "they are those of another flow");
    assert_eq!(with("{flow: Classic, substituting_steps: {Magic.D*: null}}", &["config", "check"]).code, 0);
    let ran = with("{flow: Classic, substituting_steps: {Magic.DRC: Magic.DCR}}", &["config", "check"]);
    assert!(ran.err.starts_with("error: there is no step `Magic.DCR`\n --> over.yaml:1:55\n"), "{}", ran.err);
    project.write("classic/over.yaml", "meta: {substituting_steps: {A: B}}\n");
    let ran = project.classic(&["check", "--with", "over.yaml"]);
    assert!(
        ran.err.starts_with("error: `meta.substituting_steps` changes the flow that `meta.flow` names"),
        "{}",
        ran.err
    );
}

#[test]
fn why_shows_entries_and_what_they_are_put_together_from() {
    let project = Project::new();
    project.write("blinky/over.yaml", "CLOCK_PERIODS: {a: 3, b.c: 10}\nNEXTPNR_EXTRA_ARGS: [--x, --y]\n");
    let why = |key: &str| project.config(&["why", key, "--with", "over.yaml", "-c", "CLOCK_PERIODS.a=5"]);
    let of_file = "over.yaml:1:16 CLOCK_PERIODS: {a: 3, b.c: 10}";
    assert_eq!(
        why("CLOCK_PERIODS").ends(0, "").rows(),
        [
            "{\"a\":5,\"b.c\":10}",
            "a: 5 command line -c CLOCK_PERIODS.a=5",
            &format!("{{\"a\":3,\"b.c\":10}} file {of_file}"),
            "{} built-in default",
        ]
    );
    let of_file = "CLOCK_PERIODS: {a: 3, b.c: 10}";
    let rows = why("CLOCK_PERIODS.a").ends(0, "").rows();
    assert_eq!(rows, ["5 command line -c CLOCK_PERIODS.a=5".to_owned(), format!("3 file over.yaml:1:20 {of_file}")]);
    assert_eq!(why("CLOCK_PERIODS.b.c").rows(), [format!("10 file over.yaml:1:28 {of_file}")]);
    assert_eq!(why("NEXTPNR_EXTRA_ARGS.1").rows(), ["--y file over.yaml:2:27 NEXTPNR_EXTRA_ARGS: [--x, --y]"]);
    why("CLOCK_PERIODS.x").ends(2, "error: `CLOCK_PERIODS` has no entry `x`\ntry: there are `a`, `b.c`\n");
    let item =
        "error: `NEXTPNR_EXTRA_ARGS` has no entry `7`\ntry: it has 2 items, the first is `NEXTPNR_EXTRA_ARGS.0`\n";
    why("NEXTPNR_EXTRA_ARGS.7").ends(2, item);
    let deep = project.classic(&["why", "MACROS.m.gds"]).ends(0, "").rows();
    assert_eq!(deep[0].split(" \"").next().unwrap(), "[\"a.v\"] file config.json:3:29");
}

#[test]
fn why_knows_former_removed_and_foreign_names() {
    let project = Project::new();
    let why = project.classic(&["why", "FP_PDN_VOFFSET"]);
    let why = why.ends(0, "`FP_PDN_VOFFSET` is a former name of `PDN_VOFFSET`\n");
    assert!(why.out.starts_with("PDN_VOFFSET  ") && why.rows()[0].starts_with("7 file config.json:1:"), "{}", why.out);
    let removed = "error: there is no variable `CTS_TOLERANCE` any more: OpenROAD has no such setting any more\n";
    project.classic(&["why", "CTS_TOLERANCE"]).ends(2, removed);
    let foreign = "error: the flow `Ice40` has no variable `CTS_CLK_BUFFERS`, another flow has\n";
    project.config(&["why", "CTS_CLK_BUFFERS"]).ends(2, foreign);
    let near = "error: there is no variable `CLOCK_PERID`\ntry: did you mean `CLOCK_PERIOD`?\n";
    project.config(&["why", "CLOCK_PERID"]).ends(2, near);
    let none = "error: there is no variable `zzz`\ntry: `tapeout config show` shows them all\n";
    project.config(&["why", "zzz"]).ends(2, none);
    project
        .config(&["why", "meta.flow"])
        .ends(2, "error: `meta.flow` is no variable: it is what a file says about itself\n");
    let flow = project.config(&["check", "-c", "meta.flow=Ice40"]);
    assert!(flow.err.contains("a command line with `--flow NAME`"), "{}", flow.err);
    let show = "error: there is no configuration `PNR_SEED`\n\
        try: if it is a variable, `tapeout config why PNR_SEED` shows it\n";
    project.config(&["show", "PNR_SEED"]).ends(2, show);
    let several = project.config(&["why", "CLOCK_P"]);
    assert!(several.err.starts_with("error: `CLOCK_P` may be any of 3 variables\n"), "{}", several.err);
}

#[test]
fn places_are_as_seen_from_here() {
    let project = Project::new();
    project.write("tapeout.toml", "PNR_SEED = 7\n");
    let rows = |dir: &str, thing: &str| {
        let ran = project.run(dir, &["config", "show", thing, "--given", "--origin", "-c", "RUN_LINTER=false"]);
        let wanted = ["DESIGN_NAME ", "PNR_SEED ", "RUN_LINTER "];
        let rows = ran.ends(0, "").rows().into_iter();
        rows.filter(|row| wanted.iter().any(|name| row.starts_with(name))).collect::<Vec<_>>().join(", ")
    };
    let expected = |file: &str, project: &str| {
        format!("DESIGN_NAME blinky {file}, PNR_SEED 7 {project}:1:12 (project file), RUN_LINTER false command line")
    };
    let design_name =
        |dir: &str, thing: &str| rows(dir, thing).split(',').next().unwrap().split(' ').nth(2).unwrap().to_owned();
    for (dir, thing, file, toml) in [
        ("blinky", ".", "config.yaml", "../tapeout.toml"),
        ("blinky/src", "..", "../config.yaml", "../../tapeout.toml"),
        (".", "blinky", "blinky/config.yaml", "tapeout.toml"),
    ] {
        let place = design_name(dir, thing);
        assert!(place.starts_with(&format!("{file}:")), "{place}");
        assert_eq!(rows(dir, thing), expected(&place, toml));
    }
}

#[test]
fn json_tells_the_same() {
    let project = Project::new();
    let json = |words: &[&str]| -> Value {
        let ran = project.config(&[words, &["--json"]].concat());
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err))
    };
    let default = json!({ "source": "built-in default", "file": null, "line": null, "column": null });
    let set = json!({ "source": "command line", "file": null, "line": null, "column": null });
    let why = json(&["why", "PNR_SEED", "-c", "PNR_SEED=2"]);
    assert_eq!(
        why["given"],
        json!([
            { "value": 2, "entry": null, "origin": set },
            { "value": 1, "entry": null, "origin": default },
        ])
    );
    assert_eq!((&why["name"], &why["value"], &why["type"]), (&json!("PNR_SEED"), &json!(2), &json!("integer")));
    let why = json(&["why", "CLOCK_PERIODS", "-c", "CLOCK_PERIODS.a=2"]);
    assert_eq!((&why["value"], &why["given"][0]["entry"]), (&json!({ "a": 2 }), &json!("a")));
    assert_eq!(json(&["why", "VHDL_TOP"])["value"], Value::Null);
    project.write("blinky/other.yaml", "include: config.yaml\nPNR_SEED: 3\n");
    let differences = json(&["diff", "config.yaml", "other.yaml"]);
    assert_eq!(differences.as_array().unwrap().len(), 1);
    assert_eq!((&differences[0]["name"], &differences[0]["b"]["origin"]["line"]), (&json!("PNR_SEED"), &json!(2)));
    assert_eq!(json(&["diff", "config.yaml", "config.yaml"]), json!([]));
    assert_eq!(json(&["check"])["good"], true);
    let wrong = json(&["check", "-c", "PNR_SED=2"]);
    assert_eq!(wrong["good"], false);
    let told = json!({
        "severity": "error", "message": "unknown variable `PNR_SED`", "help": "did you mean `PNR_SEED`?",
        "file": "<command line>", "line": 1, "column": 4,
    });
    assert_eq!(wrong["diagnostics"], json!([told]));
}

#[test]
fn what_both_sides_of_a_difference_are_warned_of_is_said_once() {
    let project = Project::new();
    project.write("classic/b.json", r#"{ "DESIGN_NAME": "b", "VERILOG_FILES": "dir::a.v" }"#);
    project.write("classic/over.json", r#"{ "FP_PDN_HOFFSET": 3 }"#);
    let ran = project.classic(&["diff", "config.json", "b.json", "--with", "over.json"]);
    assert_eq!((ran.code, ran.err.matches("`FP_PDN_HOFFSET` is a former name").count()), (1, 1), "{}", ran.err);
}

#[test]
fn a_long_value_does_not_push_the_others_aside() {
    let project = Project::new();
    let long = format!("NEXTPNR_EXTRA_ARGS=[{}]", vec!["--ignore-loops"; 20].join(","));
    let ran = project.config(&["show", "--given", "--origin", "-c", &long]).ends(0, "");
    let width = |name: &str| ran.out.lines().find(|line| line.trim_start().starts_with(name)).unwrap().len();
    assert!(width("NEXTPNR_EXTRA_ARGS") > 300 && width("DESIGN_NAME") < 80, "{}", ran.out);
}

#[test]
fn an_expression_of_a_number_with_a_unit_says_what_to_do() {
    let project = Project::new();
    project.write("blinky/over.yaml", "CLOCK_PERIOD: 2500 ps\nCLOCK_PERIODS: {a: expr::$CLOCK_PERIOD * 2}\n");
    let ran = project.config(&["check", "--with", "over.yaml"]);
    assert!(ran.err.contains("write the number alone, without a unit"), "{}", ran.err);
}

#[test]
fn a_file_may_name_its_schema() {
    let project = Project::new();
    project.write("blinky/over.json", r#"{ "$schema": "ice40.schema.json", "meta": { "version": 2 }, "PNR_SEED": 3 }"#);
    project.config(&["check", "--with", "over.json"]).ends(0, "");
}
