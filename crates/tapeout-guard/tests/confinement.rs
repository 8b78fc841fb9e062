//! Confinement to files: what is allowed works, and nothing else does, for the whole tree.
//!
//! On a kernel without Landlock there is one thing to test: that nothing runs unconfined.

#![allow(clippy::unwrap_used, reason = "as in tests, which clippy sees only in the test functions themselves")]

mod common;

use std::fs;
use std::path::PathBuf;

use common::{Bench, ended, shell};
use tapeout_guard::{Confinement, ProcessSpec, SpawnError, Status, confinement_support};

/// Where a shell and its commands are.
fn system() -> Vec<PathBuf> {
    ["/usr", "/bin", "/lib", "/lib64", "/etc"].map(PathBuf::from).to_vec()
}

/// A bench with `work` (to write), `given` and `given.txt` (to read), and `secret`, and the script for `work`.
fn confined(bench: &Bench, script: &str) -> ProcessSpec {
    for dir in ["work", "given", "secret"] {
        fs::create_dir_all(bench.path(dir)).unwrap();
    }
    for file in ["given/file", "given.txt", "secret/file"] {
        fs::write(bench.path(file), "content\n").unwrap();
    }
    let read = system().into_iter().chain([bench.path("given"), bench.path("given.txt")]).collect();
    ProcessSpec {
        cwd: bench.path("work"),
        confine: Some(Confinement { read, write: vec![bench.path("work")], ..Confinement::default() }),
        ..shell(bench.dir.path(), script)
    }
}

/// Runs the script confined; `None` on a kernel which cannot, after seeing that it did not run.
#[track_caller]
fn run(bench: &Bench, script: &str) -> Option<String> {
    let spec = confined(bench, script);
    if confinement_support().is_none() {
        assert!(matches!(bench.guard.spawn(&spec), Err(SpawnError::Confine { .. })));
        assert_eq!(bench.read("log"), "");
        return None;
    }
    let exit = ended(&bench.guard.spawn(&spec).unwrap());
    let log = bench.read("log");
    assert_eq!(exit.status, Status::Code(0), "{log}");
    Some(log)
}

#[test]
fn what_is_listed_can_be_used() {
    let bench = Bench::new();
    let log = run(
        &bench,
        "set -e
         cat ../given/file ../given.txt; ls ../given; ls > /dev/null < /dev/zero
         head -c 1 /dev/urandom > byte; cat /proc/self/comm
         mkdir a b; echo first > a/file; echo more >> a/file; : > a/file
         mkfifo pipe; ln -s a/file link; rm link pipe; mv a/file a/renamed; rmdir b
         printf '#!/bin/sh\\necho script' > run; chmod +x run; ./run",
    );
    assert!(log.is_none_or(|log| log == "content\ncontent\nfile\ncat\nscript\n"));
}

#[test]
fn files_move_between_directories_that_may_be_written() {
    let bench = Bench::new();
    let two = |spec: ProcessSpec| {
        let confine = spec.confine.map(|Confinement { read, list, mut write, .. }| {
            write.push(bench.path("more"));
            Confinement { read, list, write, hide_processes: false }
        });
        ProcessSpec { confine, ..spec }
    };
    fs::create_dir(bench.path("more")).unwrap();
    let spec = two(confined(&bench, "echo moved > file; mkdir sub; mv -T file sub/file; ln sub/file ../more/file"));
    if confinement_support().is_some_and(|version| version >= 2) {
        assert!(ended(&bench.guard.spawn(&spec).unwrap()).is_success(), "{}", bench.read("log"));
        assert_eq!(bench.read("more/file"), "moved\n");
    }
}

#[test]
fn nothing_else_can() {
    let bench = Bench::new();
    fs::write(bench.path("tool"), "#!/bin/sh\necho ran\n").unwrap();
    let mode: fs::Permissions = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(bench.path("tool"), mode).unwrap();
    // The descendants in their own session are no freer.
    let attempts = [
        "cat ../secret/file",
        "ls ../secret",
        "echo x > ../secret/file",
        "echo x >> ../given/file",
        "echo x > ../given.txt",
        "echo x > ../given/new",
        "rm ../given/file",
        "rm ../secret/file",
        "mkdir ../new",
        "mv ../given/file .",
        "ln ../secret/file here",
        "ln -s /etc link && echo x > link/new",
        "ln -s ../secret/file l2 && cat l2",
        "../tool",
        "echo x > /proc/self/oom_score_adj",
        "setsid --wait cat ../secret/file",
    ];
    let script: String =
        attempts.iter().map(|attempt| format!("if ({attempt}) 2>/dev/null; then echo '{attempt}'; fi\n")).collect();
    assert_eq!(run(&bench, &script).unwrap_or_default(), "", "these worked");
    assert_eq!(bench.read("secret/file") + &bench.read("given/file") + &bench.read("given.txt"), "content\n".repeat(3));
    // That they fail for no other reason:
    let free = ProcessSpec { confine: None, ..confined(&bench, &script) };
    ended(&bench.guard.spawn(&free).unwrap());
    assert!(bench.read("log").contains("cat ../secret/file\n"), "{}", bench.read("log"));
}

#[test]
fn standard_output_is_not_affected() {
    let bench = Bench::new();
    let spec = ProcessSpec { stdout: Some(bench.path("out")), ..confined(&bench, "echo result; echo remark >&2") };
    if confinement_support().is_some() {
        ended(&bench.guard.spawn(&spec).unwrap());
        assert_eq!((bench.read("out"), bench.read("log")), ("result\n".into(), "remark\n".into()));
    }
}

#[test]
fn what_cannot_be_confined_does_not_start() {
    let bench = Bench::new();
    if confinement_support().is_none() {
        return;
    }
    let with = |read: Vec<PathBuf>| ProcessSpec {
        confine: Some(Confinement { read, ..Confinement::default() }),
        ..confined(&bench, "touch started")
    };
    // More links than the system follows.
    std::os::unix::fs::symlink("loop", bench.path("loop")).unwrap();
    match bench.guard.spawn(&with([system(), vec![bench.path("missing"), bench.path("loop")]].concat())) {
        Err(error @ SpawnError::Confine { .. }) => {
            let message = error.to_string();
            let expected = format!("cannot confine /bin/sh to {}: ", bench.path("loop").display());
            assert!(message.starts_with(&expected), "{message}");
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(bench.guard.spawn(&with(vec!["relative".into()])), Err(SpawnError::Spec { .. })));
    // The program is a file like any other.
    assert!(matches!(bench.guard.spawn(&with(vec![])), Err(SpawnError::Exec { .. })));
    assert!(!bench.path("work/started").exists());
}

#[test]
fn processes_can_be_hidden() {
    let bench = Bench::new();
    let mut spec = confined(&bench, "cat /proc/self/comm /proc/$PPID/environ && echo seen");
    if let Some(confine) = &mut spec.confine {
        confine.hide_processes = true;
    }
    if confinement_support().is_none() {
        return;
    }
    let exit = ended(&bench.guard.spawn(&spec).unwrap());
    let log = bench.read("log");
    assert_eq!((exit.status, log.matches("Permission denied").count()), (Status::Code(1), 2), "{log}");
}
