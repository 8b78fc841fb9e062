//! The end of process trees: nothing gets away, whatever ends it, and nothing else is hit.

#![allow(clippy::unwrap_used, reason = "as in tests, which clippy sees only in the test functions themselves")]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Bench, PATIENCE, ended, is_running, living, send, shell, start_guard, until};
use rustix::process::Signal;
use tapeout_guard::{ProcessSpec, SpawnError, Status, Stop, kill_leftovers};

const SIGKILL: i32 = 9;
const SIGTERM: i32 = 15;

/// Three ways to get away, under a shell that waits: 4 processes.
const TREE: &str = "sleep 1000 & setsid sleep 1001 & (setsid sh -c 'sleep 1002 & exit' &); wait; sleep 1003";

/// The same and one orphan that has no trace of whose it is: 5 processes.
fn tree_with_a_stranger() -> String {
    format!("(env -i /usr/bin/setsid /bin/sh -c '/bin/sleep 1004 & exit' &); {TREE}")
}

#[test]
fn a_time_out_ends_descendants_in_other_sessions() {
    let bench = Bench::new();
    let spec = ProcessSpec {
        timeout: Some(Duration::from_millis(300)),
        ..shell(bench.dir.path(), "setsid sleep 1000 & setsid sleep 1000; exit")
    };
    let exit = ended(&bench.guard.spawn(&spec).unwrap());
    assert_eq!((exit.status, exit.stopped), (Status::Signal(SIGTERM), Some(Stop::TimedOut)));
    assert!(exit.wall >= Duration::from_millis(300) && exit.wall < Duration::from_secs(2), "{exit:?}");
    bench.assert_nothing_lives();
}

#[test]
fn what_ignores_sigterm_is_killed_after_the_grace() {
    let bench = Bench::new();
    let running =
        bench.start("trap '' TERM; setsid sh -c 'sleep 1000; sleep 1000' & touch ready; sleep 1000; sleep 1000");
    bench.until_written("ready");
    bench.until_living(4);
    running.kill();
    assert_eq!(running.wait_timeout(Duration::from_millis(1000)), None, "it has two seconds");
    let exit = ended(&running);
    assert_eq!((exit.status, exit.stopped), (Status::Signal(SIGKILL), Some(Stop::Killed)));
    bench.assert_nothing_lives();
}

#[test]
fn a_tool_may_end_in_its_own_way_when_killed() {
    let bench = Bench::new();
    let running = bench.start("trap 'echo tidied; exit 3' TERM; touch ready; while :; do sleep 0.01; done");
    bench.until_written("ready");
    running.kill();
    let exit = ended(&running);
    assert_eq!((exit.status, exit.stopped), (Status::Code(3), Some(Stop::Killed)));
    assert!(bench.read("log").contains("tidied"));
}

#[test]
fn a_kill_at_once_leaves_nothing() {
    let bench = Bench::new();
    let running = bench.start(&tree_with_a_stranger());
    bench.until_living(5);
    running.kill_now();
    let exit = ended(&running);
    assert_eq!((exit.status, exit.stopped, exit.survivors), (Status::Signal(SIGKILL), Some(Stop::Killed), 0));
    bench.assert_nothing_lives();
}

#[test]
fn a_kill_finds_a_descendant_that_hides_its_origin() {
    let bench = Bench::new();
    // With a second job an orphan is not attributed for want of another.
    let neighbour = bench.start("exec sleep 1000");
    let running = bench.start("env -i /usr/bin/setsid /bin/sleep 1000; exit");
    bench.until_living(3);
    running.kill_now();
    ended(&running);
    assert_eq!(living(bench.dir.path()).len(), 1);
    assert_eq!(neighbour.wait_timeout(Duration::ZERO), None, "the other job is left alone");
}

#[test]
fn a_daemon_ends_with_its_job() {
    let bench = Bench::new();
    let neighbour = bench.start("exec sleep 1000");
    let exit = bench.run("(setsid sh -c 'sleep 1000 & exit' &); sleep 0.1; exit 4");
    assert_eq!((exit.status, exit.stopped), (Status::Code(4), None));
    assert_eq!(living(bench.dir.path()).len(), 1, "only the neighbour");
    neighbour.kill_now();
    ended(&neighbour);

    let exit = bench.run("(env -i /usr/bin/setsid /bin/sh -c '/bin/sleep 1000 & exit' &); sleep 0.1; exit 5");
    assert_eq!(exit.status, Status::Code(5));
    bench.assert_nothing_lives();

    let stubborn = bench.run("trap '' TERM; (setsid sh -c 'sleep 1000; sleep 1000' &); sleep 0.1");
    assert_eq!(stubborn.status, Status::Code(0));
    bench.assert_nothing_lives();
}

#[test]
fn a_daemon_of_a_running_job_is_left_alone() {
    let bench = Bench::new();
    let running = bench.start("(setsid sh -c 'touch ready; sleep 0.5; touch done' &); sleep 0.8");
    bench.until_written("ready");
    while running.wait_timeout(Duration::ZERO).is_none() {
        assert!(bench.guard.spawn(&shell(bench.dir.path(), "true")).unwrap().wait().is_success());
    }
    assert!(bench.path("done").exists());
}

#[test]
fn a_tree_that_keeps_forking_dies() {
    let bench = Bench::new();
    let running = bench.start("touch ready; while :; do (setsid sleep 1000 &); done");
    bench.until_written("ready");
    std::thread::sleep(Duration::from_millis(100));
    running.kill_now();
    ended(&running);
    bench.assert_nothing_lives();
}

#[test]
fn a_chain_of_processes_that_fork_and_exit_dies() {
    let bench = Bench::new();
    fs::write(bench.path("run"), "setsid sh ./run &\n").unwrap();
    let running = bench.start("touch ready; sh ./run; sleep 1000");
    bench.until_written("ready");
    std::thread::sleep(Duration::from_millis(100));
    running.kill_now();
    assert_eq!(ended(&running).survivors, 0);
    bench.assert_nothing_lives();
}

#[test]
fn kill_all_ends_all_jobs() {
    let bench = Bench::new();
    let running: Vec<_> = (0..3).map(|_| bench.start(&tree_with_a_stranger())).collect();
    bench.until_living(15);
    let guard = bench.guard.clone();
    std::thread::spawn(move || guard.kill_all()).join().unwrap();
    for process in running {
        let exit = ended(&process);
        assert_eq!((exit.status, exit.stopped), (Status::Signal(SIGTERM), Some(Stop::Killed)));
    }
    bench.assert_nothing_lives();
    assert_eq!(bench.run("exit 6").status, Status::Code(6), "and what comes later runs");
}

#[test]
fn dropping_the_guard_ends_everything_and_waits_for_it() {
    let Bench { guard, dir } = Bench::new();
    let running = guard.spawn(&shell(dir.path(), &tree_with_a_stranger())).unwrap();
    until("the tree", || living(dir.path()).len() == 5);
    let pid = guard.pid();
    drop(guard);
    assert_eq!(living(dir.path()), Vec::<String>::new());
    assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "not even a zombie");
    assert_eq!(running.wait().status, Status::Lost);
}

#[test]
fn the_death_of_the_guard_is_noticed_and_leaves_nothing() {
    let bench = Bench::new();
    let running: Vec<_> = (0..2).map(|_| bench.start(TREE)).collect();
    bench.until_living(8);
    send(Signal::KILL, bench.guard.pid());
    for process in running {
        assert_eq!(ended(&process).status, Status::Lost);
    }
    bench.assert_nothing_lives();
    assert!(matches!(bench.guard.spawn(&shell(bench.dir.path(), "true")), Err(SpawnError::GuardLost)));
}

/// A process with a guard of its own that runs a script, and another until something is written to the pipe `go`.
struct Client {
    process: std::process::Child,
    guard: u32,
    tag: String,
}

impl Client {
    fn start(dir: &Path, script: &str, processes: usize) -> Self {
        #[expect(clippy::disallowed_methods, reason = "the client that is to die is another process")]
        let mut client = Command::new(std::env::current_exe().unwrap());
        client.args(["--exact", "client_that_is_killed"]);
        let process = client.env("GUARD_TEST_DIR", dir).env("GUARD_TEST_SCRIPT", script).spawn().unwrap();
        until("the client's guard and tree", || dir.join("guard").exists() && living(dir).len() == processes);
        let text = fs::read_to_string(dir.join("guard")).unwrap();
        let (guard, tag) = text.split_once(' ').unwrap();
        let guard = guard.parse().unwrap();
        assert!(is_running(guard));
        Self { process, guard, tag: tag.into() }
    }

    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Kills it and its guard so that neither can do anything about the death of the other. Gives the guard's tag.
    fn kill_with_guard(mut self) -> String {
        for pid in [self.guard, self.process.id()] {
            send(Signal::STOP, pid);
            let tasks = || fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten();
            let stopped = |stat: String| stat.rsplit_once(')').unwrap().1.starts_with(" T");
            until("the stop", || tasks().all(|task| stopped(fs::read_to_string(task.path().join("stat")).unwrap())));
        }
        send(Signal::KILL, self.guard);
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        until("the end of the guard", || !is_running(self.guard));
        self.tag
    }
}

#[test]
fn the_death_of_the_client_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::start(dir.path(), &tree_with_a_stranger(), 6);
    let guard = client.guard;
    client.kill();
    until("the end of the tree", || living(dir.path()).is_empty());
    until("the end of the guard", || !is_running(guard));
}

#[test]
fn nor_does_its_death_with_news_unread() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::start(dir.path(), &tree_with_a_stranger(), 6);
    send(Signal::STOP, client.process.id());
    // The end of the other job, which the guard then tells a client that does not listen.
    fs::write(dir.path().join("go"), "\n").unwrap();
    until("the end of a job", || living(dir.path()).len() == 5);
    std::thread::sleep(Duration::from_millis(100));
    client.kill();
    until("the end of the tree", || living(dir.path()).is_empty());
}

#[test]
fn a_tool_dies_with_the_guard_even_when_the_client_cannot_help() {
    let dir = tempfile::tempdir().unwrap();
    let client = Client::start(dir.path(), "exec sleep 1000", 2);
    send(Signal::STOP, client.process.id());
    send(Signal::KILL, client.guard);
    until("the end of the tool", || living(dir.path()).is_empty());
    client.kill();
}

#[test]
fn the_leftovers_of_a_guard_killed_with_its_client_can_be_killed() {
    let dir = tempfile::tempdir().unwrap();
    // A process without a mark goes with its parent that has one.
    let script = format!("setsid sh -c 'env -i /bin/sleep 1005; exit' & {TREE}");
    let client = Client::start(dir.path(), &script, 7);
    let sleeps = |seconds: u32| living(dir.path()).iter().any(|line| line.ends_with(&format!(" sleep {seconds} ")));
    let stranger = || living(dir.path()).iter().any(|line| line.ends_with(" /bin/sleep 1005 "));
    until("each of the tree", || [1000, 1001, 1002].into_iter().all(sleeps) && stranger());
    // Another job of the user's, with another mark.
    let bench = Bench::new();
    let neighbour = bench.start(TREE);
    bench.until_living(4);

    let tag = client.kill_with_guard();
    // All but the two shells that were the guard's children.
    until("the end of the shells", || living(dir.path()).len() == 5);

    assert_eq!(kill_leftovers("no such tag").unwrap(), 0);
    assert_eq!(kill_leftovers(tag.split_once('-').unwrap().0).unwrap(), 0);
    assert_eq!(living(dir.path()).len(), 5);
    assert_eq!(kill_leftovers(&tag).unwrap(), 5);
    assert_eq!(living(dir.path()), Vec::<String>::new());
    assert_eq!(kill_leftovers(&tag).unwrap(), 0);

    bench.until_living(4);
    assert_eq!(neighbour.wait_timeout(Duration::ZERO), None, "the other guard's job is left alone");
    assert_ne!(start_guard().tag(), bench.guard.tag());
}

#[test]
fn leftovers_that_fork_and_exit_can_be_killed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("run"), "setsid sh ./run &\n").unwrap();
    let client = Client::start(dir.path(), "mkfifo start; read _ < start; touch started; sh ./run; sleep 1000", 2);
    fs::write(dir.path().join("start"), "\n").unwrap();
    until("the start", || dir.path().join("started").exists());
    std::thread::sleep(Duration::from_millis(50));
    let tag = client.kill_with_guard();
    until("the chain to be seen", || !living(dir.path()).is_empty());
    assert!(kill_leftovers(&tag).unwrap() > 0);
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(living(dir.path()), Vec::<String>::new());
}

/// What `Client::start` runs in a process of its own; without its environment there is nothing to do.
#[test]
fn client_that_is_killed() {
    let Some(dir) = std::env::var_os("GUARD_TEST_DIR").map(PathBuf::from) else { return };
    let guard = start_guard();
    let running = guard.spawn(&shell(&dir, &std::env::var("GUARD_TEST_SCRIPT").unwrap())).unwrap();
    let _waiting = guard.spawn(&shell(&dir, "mkfifo go; read _ < go")).unwrap();
    fs::write(dir.join("guard.tmp"), format!("{} {}", guard.pid(), guard.tag())).unwrap();
    fs::rename(dir.join("guard.tmp"), dir.join("guard")).unwrap();
    let _ = running.wait_timeout(PATIENCE);
}

#[test]
fn an_exit_is_not_held_back() {
    let bench = Bench::new();
    let _neighbour = bench.start("exec sleep 1000");
    let before = Instant::now();
    for _ in 0..20 {
        assert!(bench.run("true").is_success());
    }
    // Were each exit held back by the time that left-over processes get, it would be two seconds.
    assert!(before.elapsed() < Duration::from_secs(1), "{:?}", before.elapsed());
}
