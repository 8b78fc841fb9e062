//! Tcl configurations, evaluated by the real `tclsh`. What the kernel denies besides is the binary's to test.
#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test starts programs, and fails by panic"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tapeout_config::{
    SourceMap, Span, TclEnvironment, TclInterpreter, TclLimits, TclProblem, TclRequest, TclScripts, Tree,
};
use tapeout_model::Value;

/// `tclsh` with no more than its own confinement.
pub(crate) struct Tclsh;

impl TclInterpreter for Tclsh {
    fn run(&self, request: &TclRequest<'_>) -> Result<String, TclProblem> {
        let dir = tempfile::tempdir().unwrap();
        let (program, input) = (dir.path().join("program"), dir.path().join("input"));
        fs::write(&program, request.program).unwrap();
        fs::write(&input, &request.input).unwrap();
        let output = Command::new("tclsh").args([program, input]).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() && said.is_empty() {
            return Ok(String::from_utf8(output.stdout).unwrap());
        }
        Err(TclProblem::Ended { how: output.status.to_string(), said })
    }
}

/// An interpreter that cannot be used.
struct Broken(TclProblem);

impl TclInterpreter for Broken {
    fn run(&self, _: &TclRequest<'_>) -> Result<String, TclProblem> {
        Err(self.0.clone())
    }
}

pub(crate) fn has_tclsh() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join("tclsh").is_file());
    if !found {
        println!("skipped: no tclsh");
    }
    found
}

/// A directory `design` with a configuration, and one beside it that is not to be read.
struct Design {
    dir: tempfile::TempDir,
    /// How long its scripts may run.
    time: Duration,
}

impl Design {
    fn new(config: &str) -> Self {
        let design = Self { dir: tempfile::tempdir().unwrap(), time: Duration::from_secs(60) };
        design.write("design/config.tcl", config);
        design.write("outside/secret", "set ::env(SECRET) 1");
        design
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn design_dir(&self) -> PathBuf {
        self.dir.path().join("design")
    }

    fn evaluate(&self, given: &[(&str, &str)]) -> Result<(TclEnvironment, SourceMap), String> {
        self.evaluate_by(&Tclsh, given)
    }

    fn evaluate_by(
        &self,
        interpreter: &dyn TclInterpreter,
        given: &[(&str, &str)],
    ) -> Result<(TclEnvironment, SourceMap), String> {
        let mut sources = SourceMap::new();
        let dir = self.design_dir();
        let limits = TclLimits { time: self.time, ..TclLimits::default() };
        let scripts = TclScripts { interpreter, dir: &dir, roots: std::slice::from_ref(&dir), limits };
        let given: Vec<_> = given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        match scripts.evaluate(&dir.join("config.tcl"), &given, &mut sources) {
            Ok(environment) => Ok((environment, sources)),
            Err(diagnostic) => {
                let base = format!("{}/", dir.display());
                Err(diagnostic.render(&sources, false).replace(&base, ""))
            }
        }
    }
}

fn variables(script: &str, given: &[(&str, &str)]) -> String {
    match Design::new(script).evaluate(given) {
        Ok((environment, _)) => environment.variables.to_value().to_json().to_string(),
        Err(text) => panic!("{script}\n{text}"),
    }
}

/// The first line of what is said about a script, and its place.
fn error(script: &str) -> String {
    said(&Design::new(script), script)
}

fn said(design: &Design, script: &str) -> String {
    match design.evaluate(&[("A", "1")]) {
        Ok((environment, _)) => panic!("{script}\nmade {}", environment.variables.to_value()),
        Err(text) => {
            let lines: Vec<&str> = text.lines().take(2).map(str::trim).collect();
            lines.join(" ").replace(&format!("{}/", design.dir.path().display()), "")
        }
    }
}

#[test]
fn every_way_to_set_an_element_counts() {
    if !has_tclsh() {
        return;
    }
    type Given = &'static [(&'static str, &'static str)];
    let cases: [(&str, Given, &str); 21] = [
        ("set ::env(B) 2", &[("A", "1")], r#"{"B":"2"}"#),
        ("set env(B) 2", &[], r#"{"B":"2"}"#),
        ("set B 2", &[], "{}"),
        ("", &[("A", "1")], "{}"),
        ("set ::env(A) $::env(A)", &[("A", "1")], r#"{"A":"1"}"#),
        ("append ::env(L) b\nset ::env(L) $::env(L)", &[("L", "a")], r#"{"L":"ab"}"#),
        ("set ::env(X) [expr 1+2]", &[], r#"{"X":"3"}"#),
        ("lappend ::env(L) b {c d}; incr ::env(N)", &[("L", "a")], r#"{"L":"a b {c d}","N":"1"}"#),
        ("array set ::env {A 1 B {x y}}", &[], r#"{"A":"1","B":"x y"}"#),
        ("foreach n {A B} { set ::env($n) $n }", &[], r#"{"A":"A","B":"B"}"#),
        ("foreach ::env(A) {1 2} {}; lassign {3 4} ::env(B) c", &[], r#"{"A":"2","B":"3"}"#),
        ("proc p n { global env; set env($n) 1 }; p A", &[], r#"{"A":"1"}"#),
        ("proc p n { upvar #0 env($n) x; set x 2 }; p A; p N", &[("A", "2")], r#"{"A":"2","N":"2"}"#),
        ("eval {set ::env(A) 1}; namespace eval n { set ::env(B) 2 }", &[], r#"{"A":"1","B":"2"}"#),
        ("set ::env(A) 1; unset ::env(A); unset ::env(B)", &[("B", "1")], "{}"),
        ("set ::env(A) 1; unset ::env; set ::env(B) 1", &[("C", "1")], r#"{"B":"1"}"#),
        ("regexp {a(.)} ab - ::env(A); regsub b ab c ::env(B)", &[], r#"{"A":"b","B":"ac"}"#),
        ("set ::env(A) \"x\\ty\\n\\\"\\\\ é 😀 \\0\"", &[], r#"{"A":"x\ty\n\"\\ é 😀 \u0000"}"#),
        ("set ::env(A) {}; set ::env(é) { }", &[], r#"{"A":"","é":" "}"#),
        ("puts hello; puts -nonewline stderr x; flush stdout; set ::env(A) [pwd]; return; junk", &[], "{}"),
        ("if {[info exists ::env(HOME)] || [array size ::env]} { set ::env(A) [array names ::env] }", &[], "{}"),
    ];
    for (script, given, json) in cases {
        let mut found = variables(script, given);
        if script.contains("[pwd]") {
            assert!(found.contains("/design\""), "{found}");
            found = "{}".to_owned();
        }
        assert_eq!(found, json, "{script}");
    }
}

#[test]
fn dict_set_makes_maps_and_nothing_else_does() {
    if !has_tclsh() {
        return;
    }
    let cases = [
        ("dict set ::env(D) k1 k2 v", r#"{"D":{"k1":{"k2":"v"}}}"#),
        ("dict set ::env(D) k {a b}", r#"{"D":{"k":"a b"}}"#),
        ("dict set ::env(D) a b c; dict set ::env(D) a x", r#"{"D":{"a":"x"}}"#),
        ("dict set ::env(D) a b c; dict set ::env(D) a d {e f}", r#"{"D":{"a":{"b":"c","d":"e f"}}}"#),
        (
            "dict lappend ::env(D) a 1 2; dict incr ::env(D) n; dict append ::env(D) t x",
            r#"{"D":{"a":"1 2","n":"1","t":"x"}}"#,
        ),
        ("dict set ::env(D) a 1; dict set ::env(D) b 2; dict unset ::env(D) a", r#"{"D":{"b":"2"}}"#),
        ("proc p {} { global env; foreach k {a b} { dict set env(D) $k 1 } }; p", r#"{"D":{"a":"1","b":"1"}}"#),
        ("set c dict; $c set ::env(D) {a b} {c d} {e f}", r#"{"D":{"a b":{"c d":"e f"}}}"#),
        ("dict set ::env(D) a 1; set ::env(D) {a 1}", r#"{"D":"a 1"}"#),
        ("set ::env(D) [dict create a 1]; dict get $::env(D) a", r#"{"D":"a 1"}"#),
        ("dict set d a 1; set ::env(D) $d", r#"{"D":"a 1"}"#),
    ];
    for (script, json) in cases {
        assert_eq!(variables(script, &[]), json, "{script}");
    }
    assert_eq!(variables("dict set ::env(D) c d", &[("D", "a {x y}")]), r#"{"D":{"a":"x y","c":"d"}}"#);
}

#[test]
fn the_classic_form_of_a_configuration() {
    if !has_tclsh() {
        return;
    }
    let design = Design::new(
        "set ::env(DESIGN_NAME) spm
set ::env(VERILOG_FILES) [glob $::env(DESIGN_DIR)/src/*.v]
set script_dir [file dirname [file normalize [info script]]]
set filename $::env(DESIGN_DIR)/$::env(PDK)_config.tcl
if { [file exists $filename] == 1 } {
    source $filename
}
source more/nested.tcl
",
    );
    for (name, text) in [
        ("src/b.v", ""),
        ("src/a.v", ""),
        ("sky_config.tcl", "# for one PDK\n\n  set ::env(CLOCK_PERIOD) 10.0\nunset ::env(OLD)\n"),
        ("more/nested.tcl", "set ::env(HERE) [file tail [info script]]"),
    ] {
        design.write(&format!("design/{name}"), text);
    }
    let dir = design.design_dir().display().to_string();
    let given = [("DESIGN_DIR", dir.as_str()), ("PDK", "sky"), ("OLD", "1"), ("KEPT", "{a b}")];
    let (environment, sources) = design.evaluate(&given).unwrap();
    let Tree::Map(entries) = &environment.variables.value else { panic!("not a map") };
    let at = |span: Span| {
        let place = sources.location(span).to_string().replace(&format!("{dir}/"), "");
        format!("{place} {}", &sources.text(span.file)[span.start..span.end])
    };
    let told: Vec<[String; 3]> = entries
        .iter()
        .map(|(key, node)| [at(key.span), at(node.span), node.to_value().to_string().replace(&dir, "DIR")])
        .collect();
    assert_eq!(
        told,
        [
            ["config.tcl:1:11 DESIGN_NAME", "config.tcl:1:24 spm", "spm"],
            [
                "config.tcl:2:11 VERILOG_FILES",
                "config.tcl:2:1 set ::env(VERILOG_FILES) [glob $::env(DESIGN_DIR)/src/*.v]",
                "DIR/src/a.v DIR/src/b.v"
            ],
            ["sky_config.tcl:3:13 CLOCK_PERIOD", "sky_config.tcl:3:27 10.0", "10.0"],
            [
                "more/nested.tcl:1:11 HERE",
                "more/nested.tcl:1:1 set ::env(HERE) [file tail [info script]]",
                "nested.tcl"
            ],
        ]
    );
    assert_eq!(environment.removed.iter().map(|key| at(key.span)).collect::<Vec<_>>(), ["sky_config.tcl:4:13 OLD"]);
    // The next script of a chain goes on from here.
    let names: Vec<&str> = environment.env.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["CLOCK_PERIOD", "DESIGN_DIR", "DESIGN_NAME", "HERE", "KEPT", "PDK", "VERILOG_FILES"]);
    assert!(environment.env.contains(&("KEPT".to_owned(), "{a b}".to_owned())));
}

#[test]
fn places_are_those_of_the_command_that_set_it_last() {
    if !has_tclsh() {
        return;
    }
    let script = "set ::env(A) 1
proc p {n v} {
    set x 1
    set ::env($n) $v
}
p B 2
set ::env(A) \\
    3
if {$::env(A) > 2} {
    lappend ::env(C) x
    foreach n {D} {
        set ::env($n) 4
    }
} else {
    set ::env(C) 5
}
array set ::env {E 1
    F 2}
dict set ::env(G) k v
eval \"set ::env(H) 1\"
";
    let (environment, sources) = Design::new(script).evaluate(&[]).unwrap();
    let Tree::Map(entries) = &environment.variables.value else { panic!("not a map") };
    let line = |span| sources.location(span).line;
    let told: Vec<_> = entries.iter().map(|(key, node)| (key.name.as_str(), line(key.span), line(node.span))).collect();
    let same = |name, line| (name, line, line);
    let expected = [("A", 7), ("B", 4), ("C", 10), ("D", 12), ("E", 17), ("F", 17), ("G", 19), ("H", 20)];
    assert_eq!(told, expected.map(|(name, line)| same(name, line)));
}

#[test]
fn what_scripts_may_look_at() {
    if !has_tclsh() {
        return;
    }
    let design = Design::new(
        "set ::env(OUT) [list [glob src/*.v] [glob -directory src -tails *.v] [glob -nocomplain src/*.x] \\
            [glob \"{src,rtl}/a.*\"] [glob -type f -path $::env(DIR)/src/ *]]
        set ::env(KINDS) [list [file isfile src/a.v] [file isdir src] [file exists src/c.v] [file size src/a.v]]
        set ::env(NAMES) [list [file join a b c] [file dirname /x/y.z] [file tail /x/y.z] [file ext y.z] \\
            [file rootname y.z] [file split a/b] [file tail [file normalize src/../src/a.v]]]
        set f [open src/a.v]; gets $f ::env(FIRST); set ::env(REST) [read $f]; close $f
        set ::env(LINK) [file exists link]",
    );
    design.write("design/src/a.v", "one\ntwo");
    design.write("design/src/b.v", "");
    symlink("../outside/secret", design.design_dir().join("link")).unwrap();
    let dir = design.design_dir().display().to_string();
    let (environment, _) = design.evaluate(&[("DIR", &dir)]).unwrap_or_else(|text| panic!("{text}"));
    let Value::Map(entries) = environment.variables.to_value() else { panic!("not a map") };
    let told: Vec<String> =
        entries.iter().map(|(name, value)| format!("{name}: {value}").replace(&dir, "DIR")).collect();
    assert_eq!(
        told,
        [
            "OUT: {src/a.v src/b.v} {a.v b.v} {} src/a.v {DIR/src/a.v DIR/src/b.v}",
            "KINDS: 1 1 0 7",
            "NAMES: a/b/c /x y.z .z y {a b} a.v",
            "FIRST: one",
            "REST: two",
            "LINK: 1",
        ]
    );
}

#[test]
fn what_scripts_may_not_do_is_told_with_its_line() {
    if !has_tclsh() {
        return;
    }
    let cases = [
        ("exec touch x", "`exec` is not available: a configuration may not start programs"),
        ("open {| touch x}", "`open |` is not available: a configuration may not start programs"),
        ("open x w", "cannot open \"x\" for writing: a configuration may only read files"),
        ("open config.tcl r+", "cannot open \"config.tcl\" for writing: a configuration may only read files"),
        ("file delete config.tcl", "`file delete` is not available: a configuration may only look at files"),
        ("file mkdir x", "`file mkdir` is not available: a configuration may only look at files"),
        ("file mtime config.tcl 1", "wrong # args: should be \"file mtime name\""),
        ("socket localhost 80", "`socket` is not available: a configuration may not open connections"),
        ("load x.so", "`load` is not available: a configuration may not load libraries"),
        ("cd /", "`cd` is not available: a configuration may not change directories"),
        (
            "exit 3",
            "`exit` is not available: a configuration may not end the program; leave out what follows by `return`",
        ),
        ("set x $env(HOME)", "can't read \"env(HOME)\": no such element in array"),
        ("interp create x; x eval {exec ls}", "invalid command name \"exec\""),
        ("interp expose {} exec", "permission denied: safe interpreter cannot expose commands"),
        ("interp invokehidden {} exec ls", "not allowed to invoke hidden commands from safe interpreter"),
        ("source ../outside/secret", "\"../outside/secret\" is not in a directory that a configuration may read"),
        ("source link", "\"link\" is not in a directory that a configuration may read"),
        ("open link", "\"link\" is not in a directory that a configuration may read"),
        ("open /proc/self/environ", "\"/proc/self/environ\" is not in a directory that a configuration may read"),
        ("glob ../outside/*", "\"../outside/*\" is not in a directory that a configuration may read"),
        ("glob */../../outside/*", "\"src/../../outside/secret\" is not in a directory that a configuration may read"),
        ("glob -directory /etc *", "\"*\" is not in a directory that a configuration may read"),
        ("file exists /etc/passwd", "\"/etc/passwd\" is not in a directory that a configuration may read"),
        (
            "catch {exec ls} m; error \"seen: $m\"",
            "seen: `exec` is not available: a configuration may not start programs",
        ),
        (
            "glob -nonsense *",
            "bad option \"-nonsense\": must be -directory, -join, -nocomplain, -path, -tails, -types, or --",
        ),
        ("break", "invoked \"break\" outside of a loop"),
        ("set x {", "missing close-brace"),
        ("expr {1 +}", "missing operand at _@_ in expression \"1 +_@_\""),
        ("while 1 {}", "it ran longer than 0.2 s"),
        ("catch {while 1 {}}", "it ran longer than 0.2 s"),
        ("while 1 {set ::env(A) 1}", "it ran longer than 0.2 s"),
        ("after 100000", "it ran longer than 0.2 s"),
        ("proc f {} {f}; f", "too many nested evaluations (infinite loop?)"),
        (
            "proc f n {set ::env(A) $n; f $n}; f 1",
            "can't set \"::env(A)\": too many nested evaluations (infinite loop?)",
        ),
        ("dict set ::env(D) {*}[lrepeat 200 k] v", "dictionaries are nested more than 100 deep"),
        ("set ::env(X) [string repeat a 3000000]", "its variables have 3000003 characters together, more than 2097152"),
    ];
    for (command, words) in cases {
        let script = format!("\n\n  {command}\n");
        let mut design = Design::new(&script);
        if words.contains("longer") {
            design.time = Duration::from_millis(200);
        }
        design.write("design/src/a.v", "");
        symlink("../outside/secret", design.design_dir().join("link")).unwrap();
        // Tcl knows no place of a command that leaves a script, nor of the whole of it.
        let place = if command == "break" || words.contains("together") { "1:1" } else { "3:3" };
        assert_eq!(said(&design, &script), format!("error: Tcl: {words} --> config.tcl:{place}"), "{command}");
        assert!(!design.design_dir().join("x").exists(), "{command}");
        assert_eq!(fs::read_to_string(design.design_dir().join("config.tcl")).unwrap(), script, "{command}");
    }
}

#[test]
fn an_error_is_shown_where_it_is_and_where_that_was_called_from() {
    if !has_tclsh() {
        return;
    }
    let design =
        Design::new("set n 1\nproc area {x} {\n    set y 2\n    return [expr {$x * $z}]\n}\n\nset ::env(A) [area 3]\n");
    assert_eq!(
        design.evaluate(&[]).unwrap_err(),
        r#"error: Tcl: can't read "z": no such variable
 --> config.tcl:4:5
  |
4 |     return [expr {$x * $z}]
  |     ^^^^^^^^^^^^^^^^^^^^^^^ fails here
...
7 | set ::env(A) [area 3]
  | --------------------- called from here"#
    );
    assert_eq!(
        error("foreach x {1 2} {\n  set y $x\n  nonsense $y\n}\n"),
        "error: Tcl: invalid command name \"nonsense\" --> config.tcl:3:3"
    );
    let design = Design::new("set a 1\nsource b.tcl\n");
    design.write("design/b.tcl", "set b 2\n\n   set c [nonsense]\n");
    assert_eq!(said(&design, ""), "error: Tcl: invalid command name \"nonsense\" --> b.tcl:3:4");
    design.write("design/b.tcl", "set b \u{fffd}\n");
    fs::write(design.design_dir().join("b.tcl"), b"set b \xff\n").unwrap();
    assert_eq!(
        said(&design, ""),
        "error: configuration `b.tcl` is not UTF-8: line 1, byte 6 of the file = help: save it as UTF-8"
    );
}

#[test]
fn an_interpreter_that_gives_no_answer_is_explained() {
    let design = Design::new("set a 1\n");
    let explained = |problem: TclProblem| {
        let text = design.evaluate_by(&Broken(problem), &[]).unwrap_err();
        text.lines().filter(|line| line.contains(": ")).map(str::trim).collect::<Vec<_>>().join(" ")
    };
    let ended = |said: &str| TclProblem::Ended { how: "signal 6".to_owned(), said: said.to_owned() };
    assert_eq!(
        explained(TclProblem::Missing("`tclsh` on PATH".to_owned())),
        "error: Tcl configurations need a Tcl interpreter, and there is no program `tclsh` on PATH = help: apt-get install tcl"
    );
    assert_eq!(
        explained(ended("unable to alloc 100 bytes\n")),
        "error: the Tcl script needs more than the 256 MiB of memory that it may"
    );
    assert_eq!(explained(ended("\n oh no\n")), "error: the Tcl interpreter broke off (signal 6); it said: oh no");
    assert_eq!(explained(TclProblem::TimedOut), "error: the Tcl script ran longer than 60 s, and was ended");
    assert_eq!(
        explained(TclProblem::TooMuchOutput),
        "error: the Tcl script makes more than the 32 MiB of text that it may"
    );
    let missing = TclScripts {
        interpreter: &Broken(TclProblem::TimedOut),
        dir: Path::new("."),
        roots: &[],
        limits: TclLimits::default(),
    };
    let error = missing.evaluate(Path::new("nowhere/config.tcl"), &[], &mut SourceMap::new()).unwrap_err();
    assert_eq!(error.message, "cannot read configuration `nowhere/config.tcl`: it does not exist");
}
