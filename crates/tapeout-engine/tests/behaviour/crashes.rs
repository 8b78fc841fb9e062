//! Guards that are killed, and tools that never end.

use std::time::{Duration, Instant};

use tapeout_engine::{Cause, Event, Invocation, Options, Outcome, TIMED_OUT};
use tapeout_model::Class;

use crate::common::{PATIENCE, Project, all, failure, one, output, run, runs, sh};
use crate::processes::{is_living, pids};

/// A script that kills the guard, which is its parent, so many times, and then writes `out`.
fn killing(times: u32) -> String {
    format!(
        "echo >> ../../../attempts
        if [ $(wc -l < ../../../attempts) -le {times} ]; then kill -KILL $PPID; sleep 40; fi
        echo done > out"
    )
}

pub(crate) fn a_job_that_was_lost_with_its_guard_runs_again_under_another() {
    let project = Project::new();
    let engine = project.engine(Options::cores(2));
    // The second is lost with the same guard: it is the first's turn only when that one runs.
    let bystander = "echo $$ >> ../../../bystanders
        if [ $(wc -l < ../../../bystanders) = 1 ]; then sleep 40; fi
        echo done > out";
    let killer = format!("until [ -s ../../../bystanders ]; do sleep 0.01; done; {}", killing(1));
    let graph = all([runs("killer", sh(&killer)), runs("bystander", sh(bystander))]);
    let (ran, outcomes, events) = run(&engine, &graph);
    assert_eq!(ran, "rr", "{outcomes:?}");
    assert_eq!(output(&engine, &outcomes[1]), "done\n");
    let again = events.iter().filter(|event| matches!(event, Event::Retried { .. })).count();
    assert_eq!((again, project.lines("attempts"), project.lines("bystanders")), (2, 2, 2));
    assert!(!is_living(pids(&project, "bystanders")[0]), "nothing of the first attempt runs on");
}

pub(crate) fn a_job_that_is_lost_twice_fails() {
    let project = Project::new();
    let engine = project.engine(Options::cores(1));
    let (_, outcomes, _) = run(&engine, &one(runs("killer", sh(&killing(2)))));
    let lost = failure(&outcomes[0]);
    assert_eq!((lost.class, lost.cause), (Class::Environment, Some(Cause::Lost)));
    assert!(lost.hint.is_some());
    assert_eq!(project.lines("attempts"), 2);
    assert_eq!(run(&engine, &one(runs("another", sh("touch out")))).0, "r", "the engine goes on");
}

pub(crate) fn a_time_out_ends_the_whole_tree_and_is_not_tried_again() {
    let project = Project::new();
    let tree = "echo $$ >> ../../../pids
        setsid sh -c 'echo $$ >> ../../../pids; sleep 40; exit' &
        (setsid sh -c 'echo $$ >> ../../../pids; sleep 40; exit' &)
        echo >> ../../../attempts; wait; sleep 40";
    let invocation = Invocation { timeout: Some(Duration::from_millis(500)), ..sh(tree) };
    let begin = Instant::now();
    let (_, outcomes, _) = run(&project.engine(Options::cores(1)), &one(runs("endless", invocation)));
    let failure = failure(&outcomes[0]);
    assert_eq!((failure.class, failure.cause), (Class::Tool, Some(Cause::TimedOut)));
    assert!(begin.elapsed() < PATIENCE);
    let pids = pids(&project, "pids");
    assert_eq!((pids.len(), project.lines("attempts")), (3, 1));
    assert!(pids.iter().all(|pid| !is_living(*pid)), "of its tree lives on: {pids:?}");
}

pub(crate) fn what_need_not_come_to_an_end_has_a_status_when_its_time_is_over() {
    let project = Project::new();
    let mut invocation = sh("echo half > out; sleep 40");
    invocation.commands[0] = invocation.commands[0].clone().within(Duration::from_millis(300));
    let engine = project.engine(Options::cores(1));
    let graph = one(runs("proof", invocation.clone()));
    let (ran, outcomes, _) = run(&engine, &graph);
    let Outcome::Done { entry, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!((ran.as_str(), entry.record().statuses.as_slice()), ("r", &[TIMED_OUT][..]));
    assert_eq!(run(&engine, &graph).0, "u");

    // Another limit is another question, and one from outside ends the attempt.
    invocation.timeout = Some(Duration::from_millis(200));
    invocation.commands[0] = invocation.commands[0].clone().within(Duration::from_secs(30));
    let (ran, outcomes, _) = run(&engine, &one(runs("proof", invocation)));
    assert_eq!((ran.as_str(), failure(&outcomes[0]).cause), ("f", Some(Cause::TimedOut)));
}
