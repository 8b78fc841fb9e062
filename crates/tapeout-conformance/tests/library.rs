//! The facts that the file of PyDesignFlow's cases tells of its library (`api_facts`), of what `flow.star` has in its
//! place. Where something is so on purpose that is otherwise there, the test says it.
#![expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test starts programs, and fails by panic")]

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value as Json;
use tempfile::TempDir;

/// The facts, each with the test that is about it.
const FACTS: [(&str, &str); 13] = [
    ("checkfile", "what_is_read_must_be_there"),
    ("checkdir", "what_is_read_must_be_there"),
    ("collection.add", "what_is_read_must_be_there"),
    ("collection.one", "one_file_is_chosen"),
    ("collection.call", "one_file_is_chosen"),
    ("collection.filter", "files_are_filtered"),
    ("collection.tag", "files_are_filtered"),
    ("collection.add-operator", "files_are_filtered"),
    ("collection.iterate", "files_are_filtered"),
    ("collection.frompattern", "attributes_come_from_names"),
    ("monitor", "targets_are_followed"),
    ("block-twice", "blocks_have_one_id"),
    ("call-method", "a_task_is_not_a_function"),
];

#[test]
fn each_fact_has_a_test() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conformance/pydesignflow.json");
    let file: Json = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let facts = file["api_facts"].as_array().unwrap();
    let told: Vec<&str> = facts.iter().filter_map(|fact| fact["what"].as_str()).collect();
    assert_eq!(told, FACTS.map(|(fact, _)| fact));
}

/// The command line in a directory.
fn tapeout(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_conformance"));
    command.arg0("tapeout").args(args).current_dir(dir).env("HOME", dir.join("home")).stdin(Stdio::null());
    command
}

/// What is said of a project with this `flow.star`, and whether all is well.
fn run(flow: &str) -> (bool, String) {
    let dir = project(flow);
    let output = tapeout(dir.path(), &["run", "-j1", "*"]).output().unwrap();
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (output.status.success(), text)
}

fn project(flow: &str) -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::create_dir_all(dir.path().join("lib")).unwrap();
    for name in ["fast_1v8.lib", "slow_1v8.lib", "slow_1v2.lib", "README"] {
        fs::write(dir.path().join("lib").join(name), "").unwrap();
    }
    fs::write(dir.path().join("flow.star"), flow).unwrap();
    dir
}

/// A collection of three files, and a task that does this with it.
fn with_collection(lines: &[&str]) -> (bool, String) {
    let mut flow = concat!(
        "def t(ctx):\n    c = files()\n",
        "    c.add(\"lib/fast_1v8.lib\", speed = \"fast\", voltage = 1.8)\n",
        "    c.add(\"lib/slow_1v8.lib\", speed = \"slow\", voltage = 1.8)\n",
        "    c.add(\"lib/slow_1v2.lib\", speed = \"slow\")\n",
    )
    .to_owned();
    for line in lines {
        flow.push_str(&format!("    {line}\n"));
    }
    flow.push_str("\nflow = Flow()\nflow[\"b\"] = block(tasks = [t])()\n");
    run(&flow)
}

#[track_caller]
fn prints(lines: &[&str], words: &str) {
    let (good, text) = with_collection(lines);
    assert!(good && text.contains(words), "no `{words}` in:\n{text}");
}

#[track_caller]
fn fails(lines: &[&str], words: &[&str]) {
    let (good, text) = with_collection(lines);
    assert!(!good, "{text}");
    for words in words {
        assert!(text.contains(words), "no `{words}` in:\n{text}");
    }
}

/// Here, a directory may be an input and an item like a file: tools read both.
#[test]
fn what_is_read_must_be_there() {
    prints(&["print(ctx.input(\"lib/README\") == ctx.input(ctx.input(\"lib/README\")))"], "True");
    prints(&["print(\"<\" + ctx.input(\"lib\").name + \">\")"], "<lib>");
    fails(&["ctx.input(\"lib/none.lib\")"], &["lib/none.lib", "flow.star:6"]);
    fails(&["c.add(\"lib/none.lib\")"], &["lib/none.lib", "flow.star:6"]);
}

#[test]
fn one_file_is_chosen() {
    prints(&["print(\"<\" + c.one(speed = \"fast\").name + \">\")"], "<fast_1v8.lib>");
    prints(&["print(c(speed = \"fast\") == c.one(speed = \"fast\"))"], "True");
    fails(&["c.one(speed = \"typical\")"], &["No result", "typical", "fast_1v8.lib"]);
    fails(&["c.one(speed = \"slow\")"], &["Ambiguous result", "slow_1v8.lib", "slow_1v2.lib"]);
    fails(&["c(speed = \"slow\")"], &["Ambiguous result"]);
}

#[test]
fn files_are_filtered() {
    prints(
        &["print([p.name for p, _ in c.filter(voltage = 1.8, speed = \"slow\")])"],
        "slow_1v8.lib\", \"slow_1v2.lib",
    );
    prints(
        &["print([p.name for p, _ in c.filter(missing_key_deselects = True, voltage = 1.8, speed = \"slow\")])"],
        "[\"slow_1v8.lib\"]",
    );
    prints(&["print(len(c.tag(kind = \"x\").filter(kind = \"x\")), \"kind\" in c[0][1])"], "3 False");
    prints(
        &["print([p.stem for p, _ in c.filter(speed = \"fast\") + c.filter(speed = \"slow\")])"],
        "fast_1v8\", \"slow_1v8\", \"slow_1v2",
    );
    prints(
        &["for path, attributes in c.filter(speed = \"fast\"): print(path.name, attributes)"],
        "fast_1v8.lib {\"speed\": \"fast\", \"voltage\": 1.8}",
    );
}

/// Here, named groups of the expression are the attributes: a second function that takes one group apart is not needed.
#[test]
fn attributes_come_from_names() {
    let pattern = "d = ctx.frompattern(\"lib\", \"(?P<speed>fast|slow)_(?P<voltage>1v.)\")";
    prints(&[pattern, "print(len(d), d(speed = \"slow\", voltage = \"1v2\").name)"], "3 slow_1v2.lib");
    // From the start of the name.
    fails(&["ctx.frompattern(\"lib\", \"low\")"], &["lib", "low"]);
}

/// Here, one is told of all targets, whatever tables leave out, and at once.
#[test]
fn targets_are_followed() {
    let dir =
        project("def t(ctx):\n    pass\n\nflow = Flow()\nflow[\"b\"] = block(tasks = [t, task(t, id = \"u\")])()\n");
    let mut follower = tapeout(dir.path(), &["status", "--follow"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(follower.stdout.take().unwrap()).lines();
    let (tell, told) = mpsc::channel();
    let reader =
        thread::spawn(move || lines.map_while(Result::ok).for_each(|line| tell.send(line).unwrap_or_default()));
    // Time to begin to look.
    thread::sleep(Duration::from_secs(1));
    assert!(tapeout(dir.path(), &["run", "-q", "b.u"]).status().unwrap().success());
    let told = [(); 2].map(|()| told.recv_timeout(Duration::from_secs(30)));
    follower.kill().unwrap();
    follower.wait().unwrap();
    reader.join().unwrap();
    assert_eq!(told, [Ok("b.u: started".to_owned()), Ok("b.u: done".to_owned())]);
}

#[test]
fn blocks_have_one_id() {
    let (good, text) =
        run("def t(ctx):\n    pass\n\nflow = Flow()\nb = block(tasks = [t])()\nflow[\"b\"] = b\nflow[\"c\"] = b\n");
    assert!(!good && text.contains("flow.star:7") && text.contains("`b`"), "{text}");
}

/// Here, the function itself stays one, which others may call.
#[test]
fn a_task_is_not_a_function() {
    let flow = |call: &str| {
        format!(
            "def t(ctx):\n    print(\"CALLED\")\n\nof = task(t)\n\ndef u(ctx):\n    {call}(ctx)\n\nflow = Flow()\nflow[\"b\"] = block(tasks = [of, u])()\n"
        )
    };
    let (good, text) = run(&flow("of"));
    assert!(!good && text.contains("flow.star:7"), "{text}");
    let (good, text) = run(&flow("t"));
    assert!(good && text.contains("b.u | CALLED"), "{text}");
}
