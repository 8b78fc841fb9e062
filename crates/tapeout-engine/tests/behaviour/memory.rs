//! Tools that run out of memory.

use tapeout_engine::{Cause, Event, Job, Options};
use tapeout_model::Class;

use crate::common::{Project, all, failure, one, output, run, runs, sh};

pub(crate) fn out_of_memory_is_tried_again_with_nothing_else_running() {
    let project = Project::new();
    project.write("running/.keep", "");
    // The second time it writes who else runs, at its beginning and at its end.
    let big = "echo >> ../../../attempts
        if [ $(wc -l < ../../../attempts) = 1 ]; then
            echo \"terminate called after throwing an instance of 'std::bad_alloc'\" >&2; kill -ABRT $$
        fi
        ls ../../../running > out; sleep 0.3; ls ../../../running >> out";
    let small = |n: usize| {
        let me = format!("../../../running/{n}");
        runs(&format!("small {n}"), sh(&format!("mkdir {me}; sleep 0.1; rmdir {me}; touch out")))
    };
    let first = Job { expected_ms: 1000, ..runs("big", sh(big)) };
    let engine = project.engine(Options::cores(3));
    let (ran, outcomes, events) = run(&engine, &all([first].into_iter().chain((0..9).map(small))));
    assert_eq!(ran, "r".repeat(10));
    assert_eq!(output(&engine, &outcomes[0]), "", "others ran beside it");
    assert_eq!(project.lines("attempts"), 2);
    let again: Vec<_> = events.iter().filter(|event| matches!(event, Event::Retried { .. })).collect();
    assert_eq!(again.len(), 1, "{again:?}");
}

pub(crate) fn out_of_memory_for_the_second_time_is_a_failure_of_the_environment() {
    let ways = [
        "echo 'ABC: virtual memory exhausted' >&2; exit 1",
        "echo 'what():  std::bad_alloc' >&2; kill -ABRT $$",
        "kill -KILL $$",
        "sh -c 'kill -KILL $$'; exit $?",
    ];
    for way in ways {
        let project = Project::new();
        let graph = one(runs("big", sh(&format!("echo >> ../../../attempts; {way}"))));
        let (_, outcomes, _) = run(&project.engine(Options::cores(1)), &graph);
        let failure = failure(&outcomes[0]);
        assert_eq!((failure.class, failure.cause), (Class::Environment, Some(Cause::OutOfMemory)), "{way}");
        assert!(failure.hint.as_deref().unwrap_or_default().contains("memory"), "{way}: {:?}", failure.hint);
        assert_eq!(project.lines("attempts"), 2, "{way}");
        assert_eq!(project.look(&graph), "w", "{way}");
    }
}
