//! What ends when something fails or somebody stops it, and what does not.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

use tapeout_engine::{Job, Options};
use tapeout_model::Class;

use crate::common::{PATIENCE, Project, all, failure, job, one, out, run, runs, sh, until};
use crate::processes::{is_living, pids};

/// Fails when `slow` runs.
const BAD: &str = "until [ -e ../../../slow ]; do sleep 0.01; done; exit 1";
/// Runs until everything else is done, and longer.
const SLOW: &str = "touch ../../../slow; sleep 0.4; touch out";

pub(crate) fn the_first_failure_ends_the_processes_of_the_run() {
    let project = Project::new();
    let endless = "echo $$ >> ../../../pids
        setsid sh -c 'echo $$ >> ../../../pids; touch ../../../slow; sleep 40; exit'; sleep 40";
    let graph = all([runs("endless", sh(endless)), runs("bad", sh(BAD))]);
    let begin = Instant::now();
    let (ran, outcomes) = project.run(&graph);
    assert_eq!((ran.as_str(), failure(&outcomes[0]).class), ("ff", Class::Interrupted));
    assert!(begin.elapsed() < PATIENCE);
    let pids = pids(&project, "pids");
    assert_eq!(pids.len(), 2);
    assert!(pids.iter().all(|pid| !is_living(*pid)));
}

pub(crate) fn with_keep_going_only_what_needs_the_failed_job_is_skipped() {
    let project = Project::new();
    let engine = project.engine(Options { keep_going: true, ..Options::cores(2) });
    let mut graph = all([runs("slow", sh(SLOW)), runs("bad", sh(BAD))]);
    let ids: Vec<_> = graph.ids().collect();
    graph.add(Job { inputs: vec![(out(), ids[1])], ..runs("needs bad", sh("touch out")) });
    graph.add(Job { after: vec![ids[0]], ..runs("needs slow", sh("touch out")) });
    assert_eq!(run(&engine, &graph).0, "rfsr");
}

pub(crate) fn a_failure_that_its_parent_handles_stops_nothing() {
    let project = Project::new();
    let parent = job("parent", |cx| {
        let refused = cx.require(runs("child", sh(BAD))).unwrap_err();
        assert_eq!(refused.class, Class::Tool);
        Ok(sh("touch out"))
    });
    let (ran, outcomes) = project.run(&all([runs("slow", sh(SLOW)), parent]));
    assert_eq!(ran, "rrf", "{outcomes:?}");
}

pub(crate) fn a_failure_in_one_run_of_an_engine_leaves_the_other_alone() {
    let project = Project::new();
    let engine = project.engine(Options::cores(2));
    let mut good = one(runs("slow", sh(SLOW)));
    let slow = good.ids().next().unwrap();
    good.add(Job { after: vec![slow], ..runs("next", sh("touch out")) });
    let bad = all([runs("bad", sh(BAD)), runs("endless", sh("sleep 40"))]);
    thread::scope(|scope| {
        let good = scope.spawn(|| run(&engine, &good).0);
        let bad = scope.spawn(|| run(&engine, &bad).0);
        assert_eq!(bad.join().unwrap(), "ff");
        until("the other run to go on", || good.is_finished());
        assert_eq!(good.join().unwrap(), "rr");
    });
}

pub(crate) fn nothing_starts_after_a_stop() {
    let project = Project::new();
    let engine = project.engine(Options::cores(2));
    let began = Arc::new(AtomicBool::new(false));
    let graph = {
        let began = Arc::clone(&began);
        all([
            job("in the program", move |_| {
                began.store(true, Ordering::SeqCst);
                Ok(sh("touch out"))
            }),
            runs("script", sh("touch ../../../began out")),
        ])
    };
    engine.stop();
    let (ran, _, events) = run(&engine, &graph);
    assert_eq!((ran.as_str(), events.len()), ("ss", 0), "{events:?}");
    assert!(!began.load(Ordering::SeqCst) && !project.path("began").exists());

    // In the middle of a run, by a job that still does something and asks for more.
    let engine = Arc::new(project.engine(Options::cores(2)));
    let heard = Arc::new(Mutex::new(None));
    let stops = {
        let (engine, heard) = (Arc::clone(&engine), Arc::clone(&heard));
        job("stops", move |cx| {
            engine.stop();
            let asked = cx.require(runs("asked", sh("touch ../../../began out")));
            *heard.lock().unwrap() = asked.err().map(|failure| failure.class);
            Ok(sh("touch ../../../began out"))
        })
    };
    let mut graph = one(stops);
    let stops = graph.ids().next().unwrap();
    graph.add(Job { after: vec![stops], ..runs("after", sh("touch ../../../began out")) });
    let (ran, outcomes, _) = run(&engine, &graph);
    assert_eq!((ran.as_str(), failure(&outcomes[0]).class), ("fss", Class::Interrupted));
    assert_eq!(*heard.lock().unwrap(), Some(Class::Interrupted));
    assert!(!project.path("began").exists());
}
