//! Tools with fewer seats than jobs.

use std::fs;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tapeout_engine::{Claims, Engine, Event, Job, Mode, Options, Outcome, Retry, RetryPolicy, Wish};
use tapeout_model::Class;

use crate::common::{PATIENCE, Project, all, call, failure, letters, look, one, run, runs, tool};

/// Takes one of so many seats in a folder as long as it runs, and fails in the words of FlexNet when none is free.
const LICENSED: &str = r#"#!/bin/sh
seat=1
until mkdir "$1/seat$seat" 2>/dev/null; do
    seat=$((seat + 1))
    if [ $seat -gt "$2" ]; then
        echo "Licensed number of users already reached."
        echo "Feature:       synthesis"
        echo "FlexNet Licensing error:-4,132"
        echo >> "$1/refused"
        exit 1
    fi
done
trap 'rmdir "$1/seat$seat"' EXIT
sleep 0.05
echo "$3" > out
"#;

/// A project with the tool `licensed`, which has seats in `seats`.
fn licensed_project() -> Project {
    let project = Project::new();
    project.write_tool("tools/licensed", LICENSED);
    fs::create_dir(project.path("seats")).unwrap();
    project
}

fn engine(project: &Project, options: Options) -> Engine {
    project.engine_with(options, [(tool("licensed"), "tools/licensed")])
}

fn synthesis(name: &str, seats: u32) -> Job {
    runs(name, call("licensed", &["../../../seats", &seats.to_string(), name]))
}

fn asking(times: u32, wait: Duration) -> RetryPolicy {
    RetryPolicy { no_licence: Retry { times, wait }, ..RetryPolicy::default() }
}

fn waits(events: &[Event]) -> usize {
    events.iter().filter(|event| matches!(event, Event::Waiting { .. })).count()
}

pub(crate) fn tokens_keep_jobs_within_the_seats() {
    let project = licensed_project();
    let mut options = Options::cores(8);
    options.retry = asking(0, Duration::ZERO);
    options.resources.tokens.insert("licensed".to_owned(), 2);
    let job = |n: u32| {
        let claims = Claims { tokens: [("licensed".to_owned(), 1)].into(), ..Claims::default() };
        Job { claims, ..synthesis(&format!("job {n}"), 2) }
    };
    let (ran, _, events) = run(&engine(&project, options), &all((0..6).map(job)));
    assert_eq!((ran.as_str(), waits(&events)), ("rrrrrr", 0));
}

pub(crate) fn without_a_licence_a_job_waits_and_nothing_is_recorded() {
    let project = licensed_project();
    let engine = engine(&project, Options { retry: asking(500, Duration::from_millis(10)), ..Options::cores(3) });
    let graph = all((0..3).map(|n| synthesis(&format!("job {n}"), 1)));
    let (ran, outcomes, events) = run(&engine, &graph);
    assert_eq!(ran, "rrr");
    assert!(project.lines("seats/refused") >= 2, "they were three for one seat");
    assert_eq!(waits(&events), project.lines("seats/refused"), "each refusal is told");
    for outcome in &outcomes {
        let Outcome::Done { entry, .. } = outcome else { panic!("{outcome:?}") };
        assert_eq!(entry.record().statuses, [0]);
    }
    assert_eq!(look(&engine, &graph), "uuu");
    drop(engine);
    assert_eq!(project.work_dirs(), Vec::<String>::new(), "nothing is kept of an attempt without a licence");
}

pub(crate) fn a_job_that_waits_for_a_licence_holds_no_core() {
    let project = licensed_project();
    fs::create_dir(project.path("seats/seat1")).unwrap();
    let engine = engine(&project, Options { retry: asking(500, Duration::from_secs(30)), ..Options::cores(1) });
    let other = runs("other", crate::common::sh("touch out"));
    let graph = all([Job { expected_ms: 1000, ..synthesis("waits", 1) }, other]);
    let begin = Instant::now();
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Result, &|event| {
        if matches!(event, Event::Done { .. }) {
            engine.stop();
        }
    });
    assert_eq!((letters(&outcomes).as_str(), project.lines("seats/refused")), ("fr", 1), "it came first");
    assert!(begin.elapsed() < PATIENCE, "the other one ran during the wait");
}

pub(crate) fn a_stop_ends_the_wait_for_a_licence() {
    let project = licensed_project();
    fs::create_dir(project.path("seats/seat1")).unwrap();
    let engine = engine(&project, Options { retry: asking(500, Duration::from_secs(30)), ..Options::cores(1) });
    let graph = one(synthesis("waits", 1));
    let begin = Instant::now();
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Result, &|event| {
        if matches!(event, Event::Waiting { .. }) {
            engine.stop();
        }
    });
    assert_eq!(failure(&outcomes[0]).class, Class::Interrupted);
    assert!(begin.elapsed() < PATIENCE);
    drop(engine);
    assert_eq!(project.look(&graph), "w", "nothing was recorded");
}

pub(crate) fn the_wait_for_a_licence_has_an_end() {
    let project = licensed_project();
    fs::create_dir(project.path("seats/seat1")).unwrap();
    let engine = engine(&project, Options { retry: asking(2, Duration::from_millis(1)), ..Options::cores(1) });
    let (_, outcomes, events) = run(&engine, &one(synthesis("waits", 1)));
    let failure = failure(&outcomes[0]);
    assert_eq!((failure.class, waits(&events), project.lines("seats/refused")), (Class::Environment, 2, 3));
    let hint = failure.hint.as_deref().unwrap_or_default();
    assert!(hint.contains("FlexNet Licensing error:-4,132") && hint.contains("licence"), "{hint}");
}

pub(crate) fn a_second_run_waits_for_a_licence_too() {
    let project = licensed_project();
    let engine = engine(&project, Options { retry: asking(500, Duration::from_millis(10)), ..Options::cores(1) });
    let graph = one(synthesis("again", 1));
    assert_eq!(run(&engine, &graph).0, "r");
    let seat = project.path("seats/seat1");
    fs::create_dir(&seat).unwrap();
    let told = Mutex::new(Vec::new());
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Repeat, &|event| match event {
        Event::Waiting { .. } => _ = fs::remove_dir(&seat),
        Event::Repeated { differences, .. } => told.lock().unwrap().push(differences.clone()),
        _ => {}
    });
    assert_eq!((letters(&outcomes).as_str(), told.into_inner().unwrap()), ("r", vec![vec![]]));
    assert!(project.lines("seats/refused") > 0);
}

pub(crate) fn no_licence_is_no_result_even_where_the_status_is_one() {
    let project = licensed_project();
    fs::create_dir(project.path("seats/seat1")).unwrap();
    let engine = engine(&project, Options { retry: asking(0, Duration::ZERO), ..Options::cores(1) });
    let mut invocation = call("licensed", &["../../../seats", "1", "check"]);
    invocation.commands[0] = invocation.commands[0].clone().any_status();
    invocation.optional_outputs = std::mem::take(&mut invocation.outputs);
    let (_, outcomes, _) = run(&engine, &one(runs("check", invocation)));
    let failure = failure(&outcomes[0]);
    assert_eq!((letters(&outcomes).as_str(), failure.class), ("f", Class::Environment), "{failure:?}");
}
