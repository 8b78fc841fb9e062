//! Scripts with the engine: what is built, what is built again after an edit, and why.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::path::Path;
use std::sync::Arc;

use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::project::{FlowPlanner, TargetId, Targets};
use tapeout_flow::{Again, Registry, StepStatus};
use tapeout_script::Script;
use tempfile::TempDir;

const FLOW: &str = r#"
load("lib/count.star", "count")

def firmware(ctx):
    """Assembles."""
    words = count(ctx.read("fw/main.s"))
    return Result(image = ctx.write("fw.hex", "x" * words), words = words)

def simulate(ctx, fw):
    size = len(ctx.read(fw.image))
    print("size", size, ctx.block.depth)
    if size > ctx.block.depth:
        fail("the firmware does not fit: {} words of {}".format(size, ctx.block.depth))
    return Result(free = ctx.block.depth - size)

def report(ctx, all):
    return Result(text = ctx.write("report.md", "".join([str(one.free) for one in all])))

Core = block(params = {"depth": 8, "unread": 0}, tasks = [firmware, task(simulate, requires = {"fw": ".firmware"})])
Report = block(tasks = [task(report, requires = {"all": ["=a.simulate", "=b.simulate"]})])

flow = Flow()
flow["a"] = Core()
flow["b"] = Core(depth = 16)
flow["all"] = Report()
"#;

const COUNT: &str = "def count(text):\n    return len(text.splitlines())\n";

fn project() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in [("flow.star", FLOW), ("lib/count.star", COUNT), ("fw/main.s", "nop\nnop\nnop\n")] {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    dir
}

/// Replaces a text in a file.
fn edit(dir: &Path, name: &str, from: &str, to: &str) {
    let path = dir.join(name);
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{name} does not say {from}");
    fs::write(path, text.replace(from, to)).unwrap();
}

/// Builds everything: the targets that ran, and how others failed.
fn build(dir: &Path) -> (Vec<String>, Vec<String>) {
    let dir = dir.canonicalize().unwrap();
    let script = Script::load(&dir, &Registry::default(), &mut SourceMap::new())
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let project = Arc::new(script.into_project().unwrap());
    let engine = Engine::open(&dir, Toolbox::default(), Options::cores(2)).unwrap();
    let planner = FlowPlanner::new(Arc::new(Registry::default()), Loader::default());
    let all: Vec<TargetId> = project.targets().collect();
    let targets = Targets::new(&project, &all, &engine, Path::new("build"), planner).unwrap();
    let ended = targets.execute(|_| Again::No, |_, _| ()).unwrap();
    let ran = ended.targets.iter().filter(|target| target.status == StepStatus::Done);
    let mut ran: Vec<String> = ran.map(|target| project.name(target.id)).collect();
    ran.sort();
    let said = |(target, failure): &(String, tapeout_flow::Failure)| {
        format!("{target}: {:?}: {} | {}", failure.class, failure.message, failure.words.join(" | "))
    };
    (ran, ended.failures.iter().map(said).collect())
}

#[track_caller]
fn runs(dir: &Path, expected: &[&str]) {
    let (ran, failures) = build(dir);
    assert_eq!((ran, failures), (expected.iter().map(|name| (*name).to_owned()).collect(), Vec::new()));
}

#[test]
fn an_edit_runs_what_depends_on_it_and_nothing_else() {
    let dir = project();
    let dir = dir.path();
    runs(dir, &["a.firmware", "a.simulate", "all.report", "b.firmware", "b.simulate"]);
    let report = fs::read_to_string(dir.join("build/all/report/report.md")).unwrap();
    assert_eq!(report, "513");
    let log = fs::read_to_string(dir.join("build/b/simulate/simulate.log")).unwrap();
    assert_eq!(log, "size 3 16\n");
    runs(dir, &[]);
    edit(dir, "flow.star", "Assembles.", "Assembles the firmware.");
    edit(dir, "lib/count.star", "def count", "# Counts.\ndef count");
    edit(dir, "flow.star", "\"unread\": 0", "\"unread\": 1");
    runs(dir, &[]);
    // The same words in the end: what follows stays.
    edit(dir, "lib/count.star", "return len(text.splitlines())", "return len(text.split(\"\\n\")) - 1");
    runs(dir, &["a.firmware", "b.firmware"]);
    edit(dir, "flow.star", "depth = 16", "depth = 17");
    runs(dir, &["all.report", "b.simulate"]);
    edit(dir, "fw/main.s", "nop\nnop\n", "nop\n");
    runs(dir, &["a.firmware", "a.simulate", "all.report", "b.firmware", "b.simulate"]);
}

#[test]
fn a_task_fails_with_its_own_words() {
    let dir = project();
    let dir = dir.path();
    edit(dir, "flow.star", "\"depth\": 8", "\"depth\": 2");
    let (_, failures) = build(dir);
    assert_eq!(failures[0], "a.simulate: Check: the firmware does not fit: 3 words of 2 | flow.star:13:9: fail()");
    edit(dir, "flow.star", "fw.image", "fw.imag");
    let (_, failures) = build(dir);
    assert!(failures[0].contains("the result of `a.firmware` has no attribute `imag`"), "{failures:?}");
    assert!(failures[0].contains(" --> flow.star:10:25"), "{failures:?}");
}
