//! A guard, a directory, and a view of what lives in it.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]
#![allow(clippy::unwrap_used, reason = "as in tests, which clippy sees only in the test functions themselves")]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tapeout_guard::{Exit, Guard, GuardCommand, Limits, ProcessSpec, Running};

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub fn start_guard() -> Guard {
    Guard::start(&GuardCommand::of(env!("CARGO_BIN_EXE_tapeout-guard"))).unwrap()
}

/// A guard and a directory in which everything that it starts works, by which a test finds the processes that are its
/// own, whatever they have done to get away.
pub struct Bench {
    pub guard: Guard,
    pub dir: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        Self { guard: start_guard(), dir: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn start(&self, script: &str) -> Running {
        self.guard.spawn(&shell(self.dir.path(), script)).unwrap()
    }

    pub fn run(&self, script: &str) -> Exit {
        ended(&self.start(script))
    }

    /// Waits until `count` processes work in the directory.
    pub fn until_living(&self, count: usize) {
        until(&format!("{count} processes"), || living(self.dir.path()).len() == count);
    }

    pub fn until_written(&self, name: &str) {
        until(name, || self.path(name).exists());
    }

    #[track_caller]
    pub fn assert_nothing_lives(&self) {
        assert_eq!(living(self.dir.path()), Vec::<String>::new());
    }
}

pub fn shell(dir: &Path, script: &str) -> ProcessSpec {
    ProcessSpec {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), script.into()],
        cwd: dir.into(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        log: dir.join("log"),
        stdin: None,
        stdout: None,
        timeout: None,
        limits: Limits::default(),
        confine: None,
    }
}

#[track_caller]
pub fn ended(running: &Running) -> Exit {
    running.wait_timeout(PATIENCE).expect("the process ends")
}

#[track_caller]
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "still waiting for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The processes, without zombies, that work in a directory, with their command lines.
pub fn living(dir: &Path) -> Vec<String> {
    let dir = dir.canonicalize().unwrap();
    let here = |process: &PathBuf| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == dir);
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let describe = |process: PathBuf| {
        let command = fs::read_to_string(process.join("cmdline")).unwrap_or_default();
        format!("{} {}", process.display(), command.replace('\0', " "))
    };
    processes.filter(here).map(describe).collect()
}

/// Whether a process runs; a zombie does not.
pub fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').unwrap().1.trim_start().starts_with('Z'))
}

pub fn send(signal: Signal, pid: u32) {
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), signal).unwrap();
}
