//! One process at a time: what it is given, what is told of its end, and why it may not start.

mod common;

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use common::{Bench, ended, shell};
use tapeout_guard::{MemorySource, ProcessSpec, SpawnError, Status, Stop};

#[test]
fn exit_codes_and_signals_are_told() {
    let bench = Bench::new();
    for code in [0, 1, 2, 127, 255] {
        let exit = bench.run(&format!("exit {code}"));
        assert_eq!((exit.status, exit.stopped, exit.survivors), (Status::Code(code), None, 0));
        assert_eq!(exit.is_success(), code == 0);
    }
    for signal in [6, 9, 15] {
        assert_eq!(bench.run(&format!("kill -{signal} $$")).status, Status::Signal(signal));
    }
}

#[test]
fn times_and_memory_are_told() {
    let bench = Bench::new();
    let busy = bench.run("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done");
    assert!(busy.user > Duration::from_millis(5), "{busy:?}");
    assert!(busy.wall >= busy.user && busy.wall < common::PATIENCE, "{busy:?}");
    let idle = bench.run("sleep 0.2");
    assert!(idle.wall >= Duration::from_millis(200) && idle.user < idle.wall / 2, "{idle:?}");
    let large = bench.run("head -c 50000000 /dev/zero | tail -c 50000000 > /dev/null");
    assert!(large.memory.peak_kib > 45_000 && idle.memory.peak_kib < 40_000, "{large:?} {idle:?}");
}

#[test]
fn memory_is_that_of_the_whole_tree() {
    let bench = Bench::new();
    // The processes hold a part each at the same time: in the tree, in another session, and as an orphan.
    let holder = "sh -c '(head -c 40000000 /dev/zero; sleep 1.5) | tail -c 40000000 > /dev/null'";
    let exit = bench.run(&format!("{holder} & setsid {holder} & (setsid {holder} &); wait; exit"));
    assert!(exit.memory.by != MemorySource::LargestProcess, "{exit:?}");
    assert!((120_000..400_000).contains(&exit.memory.peak_kib), "{exit:?}");
    assert_ne!(bench.run("exit").memory.by, MemorySource::Sampled);
}

#[test]
fn the_log_has_both_streams_in_their_order_and_is_appended_to() {
    let bench = Bench::new();
    let lines: String = (0..100).map(|i| format!("echo {i}{};", if i % 3 == 0 { " >&2" } else { "" })).collect();
    fs::write(bench.path("log"), "before\n").unwrap();
    bench.run(&lines);
    let expected: String = (0..100).map(|i| format!("{i}\n")).collect();
    assert_eq!(bench.read("log"), format!("before\n{expected}"));
}

#[test]
fn standard_output_can_go_elsewhere() {
    let bench = Bench::new();
    fs::write(bench.path("out"), "something older and longer").unwrap();
    let spec =
        ProcessSpec { stdout: Some(bench.path("out")), ..shell(bench.dir.path(), "echo result; echo remark >&2") };
    ended(&bench.guard.spawn(&spec).unwrap());
    assert_eq!((bench.read("out"), bench.read("log")), ("result\n".into(), "remark\n".into()));
}

#[test]
fn the_environment_is_the_given_one_and_the_mark() {
    let bench = Bench::new();
    let env = [("B", "two words"), ("A", ""), ("TAPEOUT_JOB", "forged")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let spec =
        ProcessSpec { program: "/usr/bin/env".into(), args: vec![], env: env.to_vec(), ..shell(bench.dir.path(), "") };
    ended(&bench.guard.spawn(&spec).unwrap());
    let log = bench.read("log");
    let (marks, others): (Vec<&str>, Vec<&str>) = log.lines().partition(|line| line.starts_with("TAPEOUT_JOB="));
    assert_eq!(others, ["B=two words", "A="]);
    assert!(marks.len() == 1 && !marks[0].contains("forged"), "{marks:?}");
}

#[test]
fn nothing_else_is_inherited() {
    let bench = Bench::new();
    let exit = bench.run(
        "ls /proc/$$/fd; cat; grep SigBlk /proc/self/status
         read -r _ _ _ _ group session _ < /proc/self/stat; [ $group = $$ ] && [ $session != $$ ] && pwd",
    );
    let dir = bench.dir.path().canonicalize().unwrap();
    let expected = format!("0\n1\n2\nSigBlk:\t0000000000000000\n{}\n", dir.display());
    assert_eq!((exit.status, bench.read("log")), (Status::Code(0), expected));
    // Rust programs ignore SIGPIPE; a tool must not.
    assert_eq!(bench.run("kill -PIPE $$").status, Status::Signal(13));
}

#[test]
fn limits_hold() {
    let bench = Bench::new();
    let mut spec = shell(bench.dir.path(), "exec head -c 100000 /dev/zero > big");
    spec.limits.file_size = Some(4096);
    assert_eq!(ended(&bench.guard.spawn(&spec).unwrap()).status, Status::Signal(25));
    assert_eq!(fs::metadata(bench.path("big")).unwrap().len(), 4096);
    let mut spec = shell(bench.dir.path(), "ulimit -v; ulimit -f");
    spec.limits.address_space = Some(512 << 20);
    spec.stdout = Some(bench.path("out"));
    ended(&bench.guard.spawn(&spec).unwrap());
    assert_eq!(bench.read("out"), "524288\nunlimited\n");
}

#[test]
fn what_cannot_start_says_why() {
    let bench = Bench::new();
    let good = shell(bench.dir.path(), "true");
    let refused = |spec: &ProcessSpec| bench.guard.spawn(spec).map(|running| running.wait()).unwrap_err();

    let missing = bench.path("missing");
    match refused(&ProcessSpec { program: missing.clone(), ..good.clone() }) {
        SpawnError::Exec { program, source } => assert_eq!((program, source.kind()), (missing, ErrorKind::NotFound)),
        other => panic!("{other:?}"),
    }
    let plain = bench.path("plain");
    fs::write(&plain, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&plain, fs::Permissions::from_mode(0o644)).unwrap();
    match refused(&ProcessSpec { program: plain, ..good.clone() }) {
        SpawnError::Exec { source, .. } => assert_eq!(source.kind(), ErrorKind::PermissionDenied),
        other => panic!("{other:?}"),
    }
    let nowhere = bench.path("no/where");
    match refused(&ProcessSpec { cwd: nowhere.clone(), ..good.clone() }) {
        SpawnError::WorkDir { path, .. } => assert_eq!(path, nowhere),
        other => panic!("{other:?}"),
    }
    for (log, stdout) in [(nowhere.clone(), None), (good.log.clone(), Some(nowhere.clone()))] {
        match refused(&ProcessSpec { log, stdout, ..good.clone() }) {
            SpawnError::Output { path, .. } => assert_eq!(path, nowhere),
            other => panic!("{other:?}"),
        }
    }
    for bad in [
        ProcessSpec { program: "true".into(), ..good.clone() },
        ProcessSpec { args: vec!["a\0b".into()], ..good.clone() },
        ProcessSpec { env: vec![("A=B".into(), "C".into())], ..good.clone() },
    ] {
        assert!(matches!(refused(&bad), SpawnError::Spec { .. }));
    }
    assert_eq!(ended(&bench.guard.spawn(&good).unwrap()).status, Status::Code(0), "the guard is none the worse");
}

#[test]
fn what_is_submitted_tells_its_end_only() {
    let bench = Bench::new();
    let submit = |script: &str| bench.guard.submit(shell(bench.dir.path(), script)).unwrap();
    assert_eq!(submit("exit 7").wait().unwrap().status, Status::Code(7));
    let killed = submit("sleep 1000");
    killed.kill();
    let exit = killed.wait().unwrap();
    assert_eq!((exit.status, exit.stopped), (Status::Signal(15), Some(Stop::Killed)));

    let missing = ProcessSpec { program: bench.path("missing"), ..shell(bench.dir.path(), "") };
    assert!(matches!(bench.guard.submit(missing).unwrap().wait(), Err(SpawnError::Exec { .. })));
    let relative = ProcessSpec { cwd: "here".into(), ..shell(bench.dir.path(), "") };
    assert!(matches!(bench.guard.submit(relative), Err(SpawnError::Spec { .. })));

    let lost = submit("exec sleep 1000");
    common::send(rustix::process::Signal::KILL, bench.guard.pid());
    assert_eq!(lost.wait().unwrap().status, Status::Lost);
    bench.assert_nothing_lives();
}

#[test]
fn many_at_once_are_told_apart() {
    let bench = Bench::new();
    std::thread::scope(|scope| {
        for worker in 0..8 {
            let bench = &bench;
            scope.spawn(move || {
                let codes = (0..25).map(|i| worker * 25 + i);
                let running: Vec<_> =
                    codes.map(|code| (code, bench.start(&format!("sleep 0.0{}; exit {code}", code % 7)))).collect();
                for (code, process) in running {
                    assert_eq!(ended(&process).status, Status::Code(code));
                }
            });
        }
    });
    bench.assert_nothing_lives();
}
