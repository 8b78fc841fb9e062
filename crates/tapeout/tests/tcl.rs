//! Tcl configurations, evaluated by `tclsh` as tapeout runs it: what the kernel denies where Tcl does not, and what ends
//! a script that never would.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs, says what it skips, and fails by panic"
)]

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use support::{TestSpace, has};
use tapeout::Tclsh;
use tapeout_config::{SourceMap, TclInterpreter, TclLimits, TclProblem, TclRequest, TclScripts};
use tapeout_engine::{GuardCommand, confinement_support};

fn tclsh() -> Tclsh {
    Tclsh { guard: GuardCommand::of(env!("CARGO_BIN_EXE_tapeout")) }
}

/// What a script makes, as JSON, or what is said about it.
fn evaluate(dir: &Path, script: &str, limits: TclLimits) -> Result<String, String> {
    fs::write(dir.join("config.tcl"), script).unwrap();
    let mut sources = SourceMap::new();
    let roots = [dir.to_owned()];
    let scripts = TclScripts { interpreter: &tclsh(), dir, roots: &roots, limits };
    match scripts.evaluate(&dir.join("config.tcl"), &[("A".to_owned(), "1".to_owned())], &mut sources) {
        Ok(environment) => Ok(environment.variables.to_value().to_json().to_string()),
        Err(diagnostic) => Err(diagnostic.one_line(&sources).replace(&format!("{}/", dir.display()), "")),
    }
}

#[test]
fn a_configuration_is_evaluated_and_sees_nothing_of_ours() {
    if !has(&["tclsh"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.v"), "").unwrap();
    let script = "set ::env(FILES) [glob $::env(A)/../*.v *.v]\nset ::env(NAMES) [lsort [array names ::env]]";
    let script = script.replace("$::env(A)/../*.v ", "");
    assert_eq!(evaluate(dir.path(), &script, TclLimits::default()).unwrap(), r#"{"FILES":"a.v","NAMES":"A FILES"}"#);
    let error = evaluate(dir.path(), "set a 1\nset b $::env(PATH)", TclLimits::default()).unwrap_err();
    assert_eq!(error, "config.tcl:2:1: error: Tcl: can't read \"::env(PATH)\": no such element in array");
}

#[test]
fn a_script_that_asks_for_the_pdk_says_how_to_choose_it() {
    if !has(&["tclsh"]) {
        return;
    }
    let space = TestSpace::new();
    fs::write(space.path("config.tcl"), "set ::env(DESIGN_NAME) $::env(PDK)").unwrap();
    let neither = "choose a PDK with `--pdk NAME` and `--pdk-root DIR`";
    space.tapeout(&["config", "check"]).exits(2).says(&[neither]);
    let only_its_name = "choose the directory that the PDK is in with `--pdk-root DIR`";
    space.tapeout(&["config", "check", "--pdk", "sky"]).exits(2).says(&[only_its_name]);
}

#[test]
fn scripts_that_would_not_end_do() {
    if !has(&["tclsh"]) {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let limits = TclLimits { time: Duration::from_millis(200), memory: 64 << 20, output: 1 << 20 };
    let long = TclLimits { time: Duration::from_secs(60), ..limits };
    let cases = [
        ("while 1 {}", limits, "Tcl: it ran longer than 0.2 s"),
        ("proc f {} {f}; f", long, "Tcl: too many nested evaluations (infinite loop?)"),
        (
            "while 1 { lappend x [string repeat y 1000] }",
            long,
            "the Tcl script needs more than the 64 MiB of memory that it may",
        ),
        (
            "set ::env(X) [string repeat y 100000]",
            long,
            "Tcl: its variables have 100003 characters together, more than 65536",
        ),
    ];
    for (script, limits, words) in cases {
        let error = evaluate(dir.path(), script, limits).unwrap_err();
        assert_eq!(error, format!("config.tcl:1:1: error: {words}"), "{script}");
    }
}

/// What `tclsh` can do outside of the safe interpreter that configurations are evaluated in.
#[test]
fn the_kernel_confines_the_interpreter_itself() {
    if !has(&["tclsh"]) || confinement_support().is_none() {
        return;
    }
    let (listed, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(listed.path().join("a"), "listed").unwrap();
    fs::write(other.path().join("b"), "not listed").unwrap();
    let own = listed.path().display();
    let run = |program: &str, time: u64| {
        let limits = TclLimits { time: Duration::from_millis(time), memory: 256 << 20, output: 1 << 20 };
        tclsh().run(&TclRequest { program, input: Vec::new(), read: vec![listed.path().to_owned()], limits })
    };
    assert_eq!(run(&format!("puts -nonewline [read [open {own}/a]]"), 9000).unwrap(), "listed");
    assert_eq!(run("puts [lsort [array names env]]", 9000).unwrap().replace("TAPEOUT_JOB ", "").trim(), "LC_CTYPE TZ");
    for program in [
        format!("open {}/b", other.path().display()),
        "open /etc/passwd".to_owned(),
        format!("open {own}/a w"),
        format!("open {own}/new w"),
        "open new w".to_owned(),
        format!("file delete {own}/a"),
        format!("exec cat {}/b", other.path().display()),
        // Where the environments of other processes are, too.
        "open /proc/self/environ".to_owned(),
    ] {
        match run(&program, 9000) {
            Err(TclProblem::Ended { said, .. }) => assert!(said.contains("ermission denied"), "{program}: {said}"),
            other => panic!("{program}: {other:?}"),
        }
    }
    // What its own time limit does not end, the guard does.
    assert_eq!(run("while 1 {}", 0), Err(TclProblem::TimedOut));
    assert_eq!(run("while 1 { puts [string repeat x 100000] }", 9000), Err(TclProblem::TooMuchOutput));
}
