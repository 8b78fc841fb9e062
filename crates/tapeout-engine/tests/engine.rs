//! The engine with real processes: what runs, what does not run again, and what is refused.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

mod common;

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{Project, all, failure, job, letters, one, out, run_tests, runs, sh, two_jobs};
use tapeout_engine::{Command, DepFormat, Event, Failure, Graph, Input, Invocation, Job, JobCx, Mode, Options, Wish};
use tapeout_model::Class;

fn main() {
    tapeout_engine::serve_if_asked();
    run_tests(named![
        only_what_changed_runs_and_equal_outputs_stop_the_wave,
        a_failed_attempt_is_kept_and_takes_nothing_from_the_last_good_one,
        success_needs_the_outputs_and_unchanged_inputs,
        a_missing_tool_and_a_panic_have_their_classes,
        the_first_failure_stops_the_others_and_so_does_stop,
        copied_files_are_where_the_design_names_them_and_the_tools_to_spoil,
    ])
}

type Prepare = fn(&mut JobCx<'_>) -> Result<Invocation, Failure>;

fn only_what_changed_runs_and_equal_outputs_stop_the_wave() {
    let project = Project::new();
    project.write("src", "a\n");
    project.write("inc", "b\n");
    let graph = two_jobs();
    let (ran, outcomes) = project.run(&graph);
    assert_eq!((ran.as_str(), project.output(&outcomes[1]).trim()), ("rr", "4"));
    assert_eq!(project.run(&graph).0, "uu", "nothing changed");

    project.write("src", "# comment\na\n");
    assert_eq!(project.run(&graph).0, "ru", "the output is the same");
    project.write("inc", "bcd\n");
    let (ran, outcomes) = project.run(&graph);
    assert_eq!((ran.as_str(), project.output(&outcomes[1]).trim()), ("rr", "6"), "a discovered input changed");
    project.write("inc", "b\n");
    assert_eq!(project.run(&graph).0, "uu", "this was recorded before");
    fs::remove_file(project.path("inc")).unwrap();
    assert_eq!(project.look(&graph), "ww", "a discovered input is gone");
}

fn a_failed_attempt_is_kept_and_takes_nothing_from_the_last_good_one() {
    let project = Project::new();
    let prepare: Prepare = |cx| {
        let source = cx.source("src")?;
        Ok(Invocation {
            inputs: vec![Input::Source { path: "src".to_owned() }],
            ..sh(&format!("echo half > out; . {source}"))
        })
    };
    let graph = one(job("a", prepare));
    project.write("src", "true");
    assert_eq!(project.run(&graph).0, "r");
    project.write("src", "echo oh no >&2; exit 3");
    let (ran, outcomes) = project.run(&graph);
    let failure = failure(&outcomes[0]);
    assert_eq!(
        (ran.as_str(), failure.class, failure.message.as_str()),
        ("f", Class::Tool, "`sh` failed with exit code 3")
    );
    let kept = failure.work_dir.as_ref().unwrap();
    assert_eq!(fs::read_to_string(kept.join("log")).unwrap(), "oh no\n");
    project.write("src", "true");
    assert_eq!(project.run(&graph).0, "u");
}

fn success_needs_the_outputs_and_unchanged_inputs() {
    let project = Project::new();
    project.write("src", "x");
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
        let graph = one(job("a", prepare));
        let (_, outcomes) = project.run(&graph);
        assert_eq!(failure(&outcomes[0]).message, message);
        assert_eq!(project.look(&graph), "w", "nothing was recorded");
    }
}

fn a_missing_tool_and_a_panic_have_their_classes() {
    let project = Project::new();
    let cases: [(Prepare, Class); 3] = [
        (|_| Ok(sh("exec /nowhere/tool")), Class::Environment),
        (|_| Ok(Invocation { commands: vec![Command::new("nowhere")], ..sh("") }), Class::Environment),
        (|_| panic!("on purpose"), Class::Internal),
    ];
    for (prepare, class) in cases {
        let graph = one(job("a", prepare));
        assert_eq!(failure(&project.run(&graph).1[0]).class, class);
    }
}

fn the_first_failure_stops_the_others_and_so_does_stop() {
    let project = Project::new();
    let graph = all([runs("slow", sh("sleep 60; touch out")), runs("bad", sh("exit 1"))]);
    let begin = Instant::now();
    let (ran, outcomes) = project.run(&graph);
    assert_eq!((ran.as_str(), failure(&outcomes[0]).class), ("ff", Class::Interrupted));

    let engine = Arc::new(project.engine(Options::cores(2)));
    let started = Mutex::new(false);
    let mut graph = Graph::default();
    let slow = graph.add(runs("slow", sh("sleep 60; touch out")));
    graph.add(Job { inputs: vec![(out(), slow)], ..runs("after", sh("touch out")) });
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
    let project = Project::new();
    project.write("fw/image.hex", "1");
    let prepare: Prepare = |_| {
        let copy = Input::Copied { name: "data/rom.hex".to_owned(), path: "fw/image.hex".to_owned() };
        Ok(Invocation { inputs: vec![copy], ..sh("cp data/rom.hex out; echo damage > data/rom.hex") })
    };
    let graph = one(job("a", prepare));
    assert_eq!(project.output(&project.run(&graph).1[0]), "1");
    project.write("fw/image.hex", "2");
    let (ran, outcomes) = project.run(&graph);
    assert_eq!((ran.as_str(), project.output(&outcomes[0]).as_str()), ("r", "2"));
    assert_eq!(fs::read_to_string(project.path("fw/image.hex")).unwrap(), "2");
}
