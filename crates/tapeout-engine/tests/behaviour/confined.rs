//! Programs outside of any job: what they see, and what ends them.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tapeout_engine::{Confined, ConfinedError, GuardCommand, confinement_support};

use crate::common::{PATIENCE, Project};

fn sh<'a>(args: &'a [&'a str], read: Vec<PathBuf>) -> Confined<'a> {
    let files: &[(&str, &[u8])] = &[("given", b"a file of its own")];
    Confined { program: "sh", args, files, read, timeout: PATIENCE, memory: 1 << 30, output: 1 << 20 }
}

fn answer(program: &Confined<'_>) -> Result<String, ConfinedError> {
    program.run(&GuardCommand::current_exe()).map(|bytes| String::from_utf8(bytes).unwrap())
}

pub(crate) fn it_reads_what_is_listed_and_writes_nothing() {
    let (project, other) = (Project::new(), Project::new());
    project.write("src/a", "listed");
    other.write("b", "not listed");
    let (own, outside) = (project.path("src/a").display().to_string(), other.path("b").display().to_string());
    let read = vec![project.path("src"), project.path("not there")];
    let args = ["-c", "cat given \"$1\"; cat", "sh", &own];
    assert_eq!(answer(&sh(&args, read.clone())).unwrap(), "a file of its ownlisted");
    if confinement_support().is_none() {
        return;
    }
    for script in [
        "cat \"$2\"",
        "cat /etc/passwd",
        "ls \"${2%/*}\"",
        "echo x > x",
        "echo x > given",
        "echo x > \"${1%/*}/x\"",
        "echo x > \"$1\"",
        "mkdir x",
        "cat /proc/self/environ",
        "rm given",
        "setsid --wait cat \"$2\"",
    ] {
        let args = ["-c", script, "sh", &own, &outside];
        match answer(&sh(&args, read.clone())) {
            Err(ConfinedError::Ended { how, said }) => {
                assert!(how.starts_with("exit code ") && said.contains("ermission denied"), "{script}: {how}: {said}");
            }
            other => panic!("{script}: {other:?}"),
        }
    }
    assert_eq!((project.read("src/a"), project.read("src/x")), ("listed".to_owned(), String::new()));
}

pub(crate) fn it_has_nothing_of_our_environment() {
    let args = ["-c", "env | sed 's/=.*//' | sort | tr '\\n' ' '"];
    // The shell adds where it is, and the guard its mark.
    let names = answer(&sh(&args, Vec::new())).unwrap();
    assert!(std::env::var_os("PATH").is_some());
    assert!(
        names
            .split_whitespace()
            .all(|name| ["LC_CTYPE", "PWD", "TAPEOUT_JOB", "TZ", "_", "SHLVL", "OLDPWD"].contains(&name)),
        "{names}"
    );
}

pub(crate) fn nothing_is_left_of_one_that_does_not_end() {
    // Nothing can be written, but what a process is called can be read.
    let mark = format!("mark-{}", std::process::id());
    let script = "sleep 40 & setsid sh -c 'sleep 40; exit' \"$0\" & (setsid sh -c 'sleep 40; exit' \"$0\" &) ; wait";
    let args = ["-c", script, &mark];
    let endless = Confined { timeout: Duration::from_secs(1), ..sh(&args, Vec::new()) };
    let most = std::thread::scope(|scope| {
        let ends = scope.spawn(|| answer(&endless));
        let mut most = 0;
        while !ends.is_finished() {
            most = most.max(called(&mark));
        }
        assert!(matches!(ends.join().unwrap(), Err(ConfinedError::TimedOut(_))));
        most
    });
    assert!(most >= 3, "only {most} processes were there");
    assert_eq!(called(&mark), 0);
}

/// How many processes have this among their arguments.
fn called(mark: &str) -> usize {
    let entries = fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let arguments = entries.filter_map(|entry| fs::read(entry.path().join("cmdline")).ok());
    arguments.filter(|line| line.split(|byte| *byte == 0).any(|word| word == mark.as_bytes())).count()
}

pub(crate) fn what_it_prints_and_what_it_needs_has_limits() {
    let args = ["-c", "exec head -c 2000000 /dev/zero"];
    assert!(matches!(answer(&sh(&args, Vec::new())), Err(ConfinedError::TooMuchOutput(1_048_576))));
    let args = ["-c", "head -c 900000000 /dev/zero | tail"];
    let hungry = Confined { memory: 100 << 20, ..sh(&args, Vec::new()) };
    match answer(&hungry) {
        Err(ConfinedError::Ended { said, .. }) => assert!(said.contains("memory"), "{said}"),
        other => panic!("{other:?}"),
    }
    let args = ["-c", "echo out; echo oh no >&2; exit 3"];
    let error = answer(&sh(&args, Vec::new())).unwrap_err();
    assert_eq!(error.to_string(), "exit code 3: oh no\n");
    let args = ["-c", "kill -ABRT $$"];
    assert!(answer(&sh(&args, Vec::new())).unwrap_err().to_string().starts_with("signal 6"));
}

pub(crate) fn a_program_that_is_missing_is_named() {
    for (program, words) in [("no-such-program", "`no-such-program` on PATH"), ("./nowhere", "`./nowhere`")] {
        let missing = Confined { program, ..sh(&[], Vec::new()) };
        assert_eq!(answer(&missing).unwrap_err().to_string(), format!("there is no program {words}"));
    }
}
