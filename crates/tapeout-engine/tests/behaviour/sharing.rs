//! Several tapeouts in one project, alive and dead.

use std::sync::Mutex;
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use tapeout_engine::{Event, Job, Mode, Options, Wish};

use crate::common::{Project, all, letters, one, output, run, runs, sh, until};
use crate::processes::{is_living, pids, play};

pub(crate) fn two_tapeouts_run_the_same_job_once() {
    let project = Project::new();
    let players: Vec<_> = (0..3).map(|_| play("share", &project)).collect();
    let told: Vec<String> = players
        .into_iter()
        .map(|mut player| {
            let file = format!("told-{}", player.id());
            assert!(player.wait().unwrap().success());
            project.read(&file)
        })
        .collect();
    assert_eq!(project.lines("ran"), 4, "each ran once: {}", project.read("ran"));
    assert!(!told[0].is_empty());
    let results = |told: &String| told.split_once('\n').unwrap().1.to_owned();
    assert!(told.iter().all(|other| results(other) == results(&told[0])), "all have the same results: {told:?}");
}

pub(crate) fn two_jobs_with_the_same_invocation_run_it_once() {
    let project = Project::new();
    let script = sh("echo >> ../../../ran; sleep 0.2; touch out");
    let graph = all([runs("one", script.clone()), runs("other", script)]);
    assert_eq!((project.run(&graph).0.as_str(), project.lines("ran")), ("rr", 1));
}

/// What two engines of one project made of a graph each, the second of which was started when the job `first` of the
/// other ran its script; with what the second one was told in order.
fn one_after_the_other(project: &Project, first: Job, second: Vec<Job>) -> (String, String, Vec<String>) {
    let shared = project.engine(Options::cores(1));
    let other = project.engine(Options::cores(1));
    let story = Mutex::new(Vec::new());
    let tell = |event: &Event| match event {
        Event::Waiting { job, .. } => story.lock().unwrap().push(format!("{} waits", job.index())),
        Event::Done { job, .. } => story.lock().unwrap().push(format!("{} done", job.index())),
        _ => {}
    };
    let (first, second) = thread::scope(|scope| {
        let first = scope.spawn(|| run(&shared, &one(first)).0);
        until("the first one to run", || project.path("began").exists());
        let outcomes = other.run(&all(second), Mode::Run, |_| Wish::Result, &tell);
        (first.join().unwrap(), letters(&outcomes))
    });
    (first, second, story.into_inner().unwrap())
}

pub(crate) fn who_waits_for_another_tapeout_holds_no_core() {
    let project = Project::new();
    let script = "echo >> ../../../ran; touch ../../../began
        until [ -e ../../../free ]; do sleep 0.01; done; touch out";
    let shared = runs("shared", sh(script));
    let frees = runs("frees", sh("touch ../../../free out"));
    let second = vec![Job { expected_ms: 1000, ..shared.clone() }, frees];
    let (first, second, story) = one_after_the_other(&project, shared, second);
    assert_eq!((first.as_str(), second.as_str(), project.lines("ran")), ("r", "rr", 1));
    assert_eq!(story, ["0 waits", "1 done", "0 done"], "on its one core");
}

pub(crate) fn when_the_other_one_fails_the_waiting_one_runs_it() {
    let project = Project::new();
    let script = "echo >> ../../../ran; touch ../../../began
        if [ $(wc -l < ../../../ran) = 1 ]; then sleep 0.2; exit 1; fi; touch out";
    let shared = runs("shared", sh(script));
    let (first, second, story) = one_after_the_other(&project, shared.clone(), vec![shared]);
    assert_eq!((first.as_str(), second.as_str(), project.lines("ran")), ("f", "r", 2));
    assert_eq!(story, ["0 waits", "0 done"]);
}

pub(crate) fn the_tools_of_a_killed_tapeout_are_ended_by_the_next() {
    let project = Project::new();
    let mut player = play("leave", &project);
    until("its tools", || project.lines("pids") == 3 && project.lines("guard") == 1);
    let guard = Pid::from_raw(pids(&project, "guard")[0] as i32).unwrap();
    let tools = pids(&project, "pids");
    // A guard that cannot act, and then nobody at all.
    kill_process(guard, Signal::STOP).unwrap();
    player.kill().unwrap();
    kill_process(guard, Signal::KILL).unwrap();
    player.wait().unwrap();
    until("the guard to go", || !is_living(guard.as_raw_pid() as u32));
    assert!(tools.iter().any(|pid| is_living(*pid)), "something got away from both");
    assert!(!project.work_dirs().is_empty());

    let engine = project.engine(Options::cores(1));
    assert!(tools.iter().all(|pid| !is_living(*pid)), "{tools:?}");
    assert_eq!(project.work_dirs(), Vec::<String>::new());
    let (_, outcomes, _) = run(&engine, &one(runs("next", sh("echo next > out"))));
    assert_eq!(output(&engine, &outcomes[0]), "next\n");
}
