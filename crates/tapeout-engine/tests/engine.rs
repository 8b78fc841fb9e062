//! The engine with real processes: what runs, what does not run again, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use tapeout_engine::{
    Command, DepFormat, Engine, Event, Failure, Graph, How, Identity, Input, Invocation, Job, JobBody, JobCx, Mode,
    Options, Outcome, Part, Tool, ToolSettings, Toolbox, Wish,
};
use tapeout_model::{Class, Record, View};

/// Not the usual harness: this program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout_engine::serve_if_asked();
    let tests: [(&str, fn()); 6] = [
        (
            "only_what_changed_runs_and_equal_outputs_stop_the_wave",
            only_what_changed_runs_and_equal_outputs_stop_the_wave,
        ),
        (
            "a_failed_attempt_is_kept_and_takes_nothing_from_the_last_good_one",
            a_failed_attempt_is_kept_and_takes_nothing_from_the_last_good_one,
        ),
        ("success_needs_the_outputs_and_unchanged_inputs", success_needs_the_outputs_and_unchanged_inputs),
        ("a_missing_tool_and_a_panic_have_their_classes", a_missing_tool_and_a_panic_have_their_classes),
        ("the_first_failure_stops_the_others_and_so_does_stop", the_first_failure_stops_the_others_and_so_does_stop),
        (
            "copied_files_are_where_the_design_names_them_and_the_tools_to_spoil",
            copied_files_are_where_the_design_names_them_and_the_tools_to_spoil,
        ),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit();
}

type Prepare = fn(&mut JobCx<'_>) -> Result<Invocation, Failure>;

/// A job that runs one invocation and offers its output `out` as the view `out`.
struct Shell(Prepare);

impl JobBody for Shell {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("body", "shell");
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let invocation = (self.0)(cx)?;
        let entry = cx.execute(&invocation)?;
        let views = BTreeMap::from([("out".to_owned(), View::File("out".to_owned()))]);
        Ok(Record { views, ..entry.record().clone() })
    }
}

fn sh(script: &str) -> Invocation {
    Invocation {
        log: "log".to_owned(),
        commands: vec![Command::new("sh").args(["-c", script])],
        outputs: vec!["out".to_owned()],
        ..Invocation::default()
    }
}

fn job(name: &str, prepare: Prepare, inputs: Vec<(Part, tapeout_engine::JobId)>) -> Job {
    let body = Arc::new(Shell(prepare));
    Job { inputs, ..Job::new(name, body) }
}

fn open(project: &Path) -> Engine {
    let tool = |name| Tool { name, summary: "", package: "dash", version_args: &[], minimum: None, companions: &[] };
    let toolbox = Toolbox::new([tool("sh"), tool("nowhere")], &BTreeMap::<String, ToolSettings>::new());
    Engine::open(project, toolbox, Options::cores(2)).unwrap()
}

/// What a run of a graph came to: a letter for each job (`r`an, re`u`sed, `f`ailed, `s`kipped, `w`ould run).
fn run(project: &Path, graph: &Graph) -> (String, Vec<Outcome>) {
    let outcomes = open(project).run(graph, Mode::Run, |_| Wish::Result, &|_| {});
    (letters(&outcomes), outcomes)
}

fn letters(outcomes: &[Outcome]) -> String {
    let letter = |outcome: &Outcome| match outcome {
        Outcome::Done { how: How::Reused | How::Pinned, .. } => 'u',
        Outcome::Done { how: How::Ran, .. } => 'r',
        Outcome::Failed(_) => 'f',
        Outcome::Skipped => 's',
        Outcome::WouldRun => 'w',
    };
    outcomes.iter().map(letter).collect()
}

fn failure(outcome: &Outcome) -> &Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("expected a failure, found {other:?}"),
    }
}

fn project() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

/// Two jobs: the first drops comments from `src`, which includes `inc` as its dependency file says; the second counts the
/// characters of what is left.
fn two_jobs() -> Graph {
    let strip: Prepare = |cx| {
        let source = cx.source("src")?;
        Ok(Invocation {
            inputs: vec![Input::Source { path: "src".to_owned() }],
            depfiles: vec![("deps".to_owned(), DepFormat::Makefile)],
            ..sh(&format!("cat {source} ../../../inc | grep -v '^#' > out; echo \"out: {source} ../../../inc\" > deps"))
        })
    };
    let count: Prepare = |cx| {
        let Some(View::File(text)) = cx.view("out") else { panic!("the first job makes it") };
        Ok(Invocation { inputs: vec![Input::Output(text)], ..sh("mv out in; wc -c < in > out") })
    };
    let mut graph = Graph::default();
    let strip = graph.add(job("strip", strip, Vec::new()));
    graph.add(job("count", count, vec![(Part::View("out".to_owned()), strip)]));
    graph
}

fn output(project: &Path, outcome: &Outcome) -> String {
    let Outcome::Done { entry, .. } = outcome else { panic!("not done: {outcome:?}") };
    let out = entry.record().output("out").unwrap();
    String::from_utf8(open(project).store().read(&out.digest).unwrap()).unwrap()
}

fn only_what_changed_runs_and_equal_outputs_stop_the_wave() {
    let dir = project();
    let project = dir.path();
    fs::write(project.join("src"), "a\n").unwrap();
    fs::write(project.join("inc"), "b\n").unwrap();
    let graph = two_jobs();
    let (ran, outcomes) = run(project, &graph);
    assert_eq!((ran.as_str(), output(project, &outcomes[1]).trim()), ("rr", "4"));
    assert_eq!(run(project, &graph).0, "uu", "nothing changed");

    fs::write(project.join("src"), "# comment\na\n").unwrap();
    assert_eq!(run(project, &graph).0, "ru", "the output is the same");
    fs::write(project.join("inc"), "bcd\n").unwrap();
    let (ran, outcomes) = run(project, &graph);
    assert_eq!((ran.as_str(), output(project, &outcomes[1]).trim()), ("rr", "6"), "a discovered input changed");
    fs::write(project.join("inc"), "b\n").unwrap();
    assert_eq!(run(project, &graph).0, "uu", "this was recorded before");
    fs::remove_file(project.join("inc")).unwrap();
    assert_eq!(letters_of_look(project, &graph), "ww", "a discovered input is gone");
}

fn letters_of_look(project: &Path, graph: &Graph) -> String {
    letters(&open(project).run(graph, Mode::Look, |_| Wish::Result, &|_| {}))
}

fn a_failed_attempt_is_kept_and_takes_nothing_from_the_last_good_one() {
    let dir = project();
    let mut graph = Graph::default();
    let prepare: Prepare = |cx| {
        let source = cx.source("src")?;
        Ok(Invocation {
            inputs: vec![Input::Source { path: "src".to_owned() }],
            ..sh(&format!("echo half > out; . {source}"))
        })
    };
    graph.add(job("a", prepare, Vec::new()));
    fs::write(dir.path().join("src"), "true").unwrap();
    assert_eq!(run(dir.path(), &graph).0, "r");
    fs::write(dir.path().join("src"), "echo oh no >&2; exit 3").unwrap();
    let (ran, outcomes) = run(dir.path(), &graph);
    let failure = failure(&outcomes[0]);
    assert_eq!(
        (ran.as_str(), failure.class, failure.message.as_str()),
        ("f", Class::Tool, "`sh` failed with exit code 3")
    );
    let kept = failure.work_dir.as_ref().unwrap();
    assert_eq!(fs::read_to_string(kept.join("log")).unwrap(), "oh no\n");
    fs::write(dir.path().join("src"), "true").unwrap();
    assert_eq!(run(dir.path(), &graph).0, "u");
}

fn success_needs_the_outputs_and_unchanged_inputs() {
    let dir = project();
    fs::write(dir.path().join("src"), "x").unwrap();
    let cases: [(Prepare, &str); 4] = [
        (
            |cx| {
                let source = cx.source("src")?;
                fs::write(cx.project().join("src"), "edited").unwrap();
                Ok(Invocation {
                    inputs: vec![Input::Source { path: "src".to_owned() }],
                    ..sh(&format!("cp {source} out"))
                })
            },
            "`src` changed during the step, so that its result was not recorded",
        ),
        (|_| Ok(sh("true")), "`sh` ended without an error but did not write `out`"),
        (
            |_| {
                Ok(Invocation {
                    inputs: vec![Input::Source { path: "src".to_owned() }],
                    ..sh("echo y >> ../../../src; touch out")
                })
            },
            "`src` changed during the step, so that its result was not recorded",
        ),
        (
            |_| {
                let depfiles = vec![("deps".to_owned(), DepFormat::Lines)];
                Ok(Invocation { depfiles, ..sh("echo y >> ../../../src; touch out; echo ../../../src > deps") })
            },
            "`src` changed during the step, so that its result was not recorded",
        ),
    ];
    for (prepare, message) in cases {
        let mut graph = Graph::default();
        graph.add(job("a", prepare, Vec::new()));
        let (_, outcomes) = run(dir.path(), &graph);
        assert_eq!(failure(&outcomes[0]).message, message);
        assert_eq!(letters_of_look(dir.path(), &graph), "w", "nothing was recorded");
    }
}

fn a_missing_tool_and_a_panic_have_their_classes() {
    let dir = project();
    let cases: [(Prepare, Class); 3] = [
        (|_| Ok(sh("exec /nowhere/tool")), Class::Environment),
        (|_| Ok(Invocation { commands: vec![Command::new("nowhere")], ..sh("") }), Class::Environment),
        (|_| panic!("on purpose"), Class::Internal),
    ];
    for (prepare, class) in cases {
        let mut graph = Graph::default();
        graph.add(job("a", prepare, Vec::new()));
        assert_eq!(failure(&run(dir.path(), &graph).1[0]).class, class);
    }
}

fn the_first_failure_stops_the_others_and_so_does_stop() {
    let dir = project();
    let mut graph = Graph::default();
    graph.add(job("slow", |_| Ok(sh("sleep 60; touch out")), Vec::new()));
    graph.add(job("bad", |_| Ok(sh("exit 1")), Vec::new()));
    let begin = Instant::now();
    let (ran, outcomes) = run(dir.path(), &graph);
    assert_eq!((ran.as_str(), failure(&outcomes[0]).class), ("ff", Class::Interrupted));

    let engine = Arc::new(open(dir.path()));
    let started = Mutex::new(false);
    let mut graph = Graph::default();
    let slow = graph.add(job("slow", |_| Ok(sh("sleep 60; touch out")), Vec::new()));
    graph.add(job("after", |_| Ok(sh("touch out")), vec![(Part::View("out".to_owned()), slow)]));
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Result, &|event| {
        if matches!(event, Event::Running { .. }) && !std::mem::replace(&mut *started.lock().unwrap(), true) {
            let engine = Arc::clone(&engine);
            std::thread::spawn(move || {
                std::thread::sleep(Duration::from_millis(100));
                engine.stop();
            });
        }
    });
    assert_eq!((letters(&outcomes), failure(&outcomes[0]).class), ("fs".to_owned(), Class::Interrupted));
    assert!(begin.elapsed() < Duration::from_secs(30), "nobody waited for the sleepers");
}

fn copied_files_are_where_the_design_names_them_and_the_tools_to_spoil() {
    let dir = project();
    fs::create_dir(dir.path().join("fw")).unwrap();
    fs::write(dir.path().join("fw/image.hex"), "1").unwrap();
    let prepare: Prepare = |_| {
        let copy = Input::Copied { name: "data/rom.hex".to_owned(), path: "fw/image.hex".to_owned() };
        Ok(Invocation { inputs: vec![copy], ..sh("cp data/rom.hex out; echo damage > data/rom.hex") })
    };
    let mut graph = Graph::default();
    graph.add(job("a", prepare, Vec::new()));
    assert_eq!(output(dir.path(), &run(dir.path(), &graph).1[0]), "1");
    fs::write(dir.path().join("fw/image.hex"), "2").unwrap();
    let (ran, outcomes) = run(dir.path(), &graph);
    assert_eq!((ran.as_str(), output(dir.path(), &outcomes[0]).as_str()), ("r", "2"));
    assert_eq!(fs::read_to_string(dir.path().join("fw/image.hex")).unwrap(), "2");
}
