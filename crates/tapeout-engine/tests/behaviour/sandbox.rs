//! Tools that may touch only what their invocations declare. On a kernel without Landlock there is nothing to test: the
//! option has no effect there.

use std::fs;
use std::os::unix::fs::symlink;

use tapeout_engine::{Command, Failure, Input, Invocation, Options, Tool, confinement_support};
use tapeout_model::Class;

use crate::common::{Project, all, call, failure, one, output, run, runs, sh, tool};
use crate::processes::playing;

fn confined() -> Options {
    Options { sandbox: true, ..Options::cores(1) }
}

fn source(path: &str) -> Vec<Input> {
    vec![Input::Source { path: path.to_owned() }]
}

/// Whether a failure names a path, relative to the project, as denied.
fn denies(failure: &Failure, path: &str) -> bool {
    let denied = failure.message.split_once("; the sandbox denied it what is not declared: ");
    denied.is_some_and(|(_, paths)| paths.contains(&format!("`{path}`")))
}

pub(crate) fn what_is_not_declared_is_denied_and_named() {
    if confinement_support().is_none() {
        return;
    }
    let (project, other) = (Project::new(), Project::new());
    project.write("src/secret.vh", "secret");
    other.write("cells.lib", "secret");
    let outside = other.path("cells.lib").display().to_string();
    let elsewhere = other.root().to_str().unwrap();
    let cases = [
        ("cat ../../../src/secret.vh > out".to_owned(), "src/secret.vh"),
        (format!("cat {outside} > out"), outside.as_str()),
        (format!("ls {elsewhere} > out"), elsewhere),
        (format!("cd /; cat {outside} > $OLDPWD/out"), outside.as_str()),
        (format!("setsid --wait cat {outside} > out"), outside.as_str()),
    ];
    for (script, named) in &cases {
        let graph = one(runs("reads", sh(script)));
        let (_, outcomes, _) = run(&project.engine(confined()), &graph);
        let failure = failure(&outcomes[0]);
        assert_eq!(failure.class, Class::Tool, "{script}: {failure:?}");
        assert!(denies(failure, named), "{script}: {failure}");
        assert!(failure.hint.as_deref().unwrap_or_default().contains("--sandbox"));
        assert_eq!(project.look(&graph), "w", "{script}");
        assert_eq!(project.run(&graph).0, "r", "{script} without a sandbox");
    }
}

pub(crate) fn a_program_that_is_not_declared_is_denied_and_named() {
    if confinement_support().is_none() {
        return;
    }
    let project = Project::new();
    project.write_tool("scripts/helper", "#!/bin/sh\ntouch out\n");
    let graph = one(runs("starts", sh("../../../scripts/helper")));
    let (_, outcomes, _) = run(&project.engine(confined()), &graph);
    let failure = failure(&outcomes[0]);
    assert_eq!(failure.class, Class::Environment, "{failure:?}");
    assert!(denies(failure, "scripts/helper"), "{failure}");
    let declared = Invocation { inputs: source("scripts/helper"), ..sh("../../../scripts/helper") };
    assert_eq!(run(&project.engine(confined()), &one(runs("declares", declared))).0, "r");
}

pub(crate) fn what_is_declared_and_what_systems_have_can_be_used() {
    if confinement_support().is_none() {
        return;
    }
    let project = Project::new();
    project.write("src/top.v", "module");
    project.write("src/include/defs.vh", "define");
    project.write("rom.hex", "00");
    // A tool with a tree of its own, which is found through a link.
    let cells = "$(dirname \"$(readlink -f \"$0\")\")/../share/cells";
    project.write_tool("suite/lib/tool", &format!("#!/bin/sh\ncat \"{cells}\" ../../../suite/share/cells > out\n"));
    project.write("suite/share/cells", "cells");
    fs::create_dir(project.path("links")).unwrap();
    symlink("../suite/lib/tool", project.path("links/tool")).unwrap();
    let suite = Tool { companions: &["../share"], ..tool("suite") };
    let script = "set -e
        cat ../../../src/top.v ../../../src/include/defs.vh data/rom.hex script.tcl
        echo x >> data/rom.hex; echo x >> script.tcl
        file=$(mktemp); case $file in ../*) ;; *) exit 7 ;; esac
        echo x > $file; mkdir $TMPDIR/sub; mv $file $TMPDIR/sub/f; mv $TMPDIR/sub/f there; ln there here
        echo x > /dev/null; head -c 1 /dev/urandom > byte; cat /proc/self/comm
        ls ../../../src | grep -q top.v; ls /usr/share > list; [ -s list ]; locale -a | grep -q C.utf8; sort list | ldd $(command -v ls) > libs
        cat /etc/passwd > users
        setsid --wait sh -c 'cat ../../../src/top.v' | tr a-z A-Z > out";
    let inputs = vec![
        Input::Source { path: "src/top.v".to_owned() },
        Input::Source { path: "src/include".to_owned() },
        Input::Copied { name: "data/rom.hex".to_owned(), path: "rom.hex".to_owned() },
        Input::Text { name: "script.tcl".to_owned(), text: "exit".to_owned() },
    ];
    let graph = all([runs("everything", Invocation { inputs, ..sh(script) }), runs("suite", call("suite", &[]))]);
    let engine = project.engine_with(confined(), [(suite, "links/tool")]);
    let (ran, outcomes, _) = run(&engine, &graph);
    assert_eq!(ran, "rr", "{outcomes:#?}");
    assert_eq!(
        (output(&engine, &outcomes[0]).as_str(), output(&engine, &outcomes[1]).as_str()),
        ("MODULE", "cellscells")
    );
    assert_eq!(project.read("rom.hex"), "00");
}

pub(crate) fn nothing_is_written_outside() {
    if confinement_support().is_none() {
        return;
    }
    let (project, elsewhere) = (Project::new(), Project::new());
    project.write("top.v", "module");
    elsewhere.write("file", "text");
    let outside = elsewhere.root().display();
    let cases = [
        ("echo x >> ../../../top.v".to_owned(), "top.v".to_owned()),
        ("echo x > ../../../new".to_owned(), "new".to_owned()),
        ("mkdir ../../../folder".to_owned(), "folder".to_owned()),
        (format!("rm {outside}/file"), format!("{outside}/file")),
        (format!("echo x > {outside}/new"), format!("{outside}/new")),
    ];
    for (script, named) in cases {
        let invocation = Invocation { inputs: source("top.v"), ..sh(&format!("{script} && touch out")) };
        let (_, outcomes, _) = run(&project.engine(confined()), &one(runs("writes", invocation)));
        let failure = failure(&outcomes[0]);
        assert!(denies(failure, &named), "{script}: {failure}");
        assert_eq!(project.read("top.v") + &elsewhere.read("file"), "moduletext", "{script}");
        assert!(!project.path("new").exists() && !project.path("folder").exists() && !elsewhere.path("new").exists());
    }
}

pub(crate) fn a_tool_in_the_project_does_not_open_the_project() {
    if confinement_support().is_none() {
        return;
    }
    let project = Project::new();
    project.write("secret", "secret");
    project.write_tool("bin/tool", "#!/bin/sh\ncat \"$@\" > out\n");
    let engine = project.engine_with(confined(), [(tool("tool"), "bin/tool")]);
    let (ran, outcomes, _) = run(&engine, &one(runs("reads", call("tool", &["../../../secret"]))));
    assert_eq!(ran, "f");
    assert!(denies(failure(&outcomes[0]), "secret"), "{outcomes:?}");
    let declared = Invocation { inputs: source("secret"), ..call("tool", &["../../../secret"]) };
    assert_eq!(run(&engine, &one(runs("declares", declared))).0, "r");
}

pub(crate) fn without_strace_the_failure_says_what_would_help() {
    if confinement_support().is_none() {
        return;
    }
    let project = Project::new();
    project.write("secret", "secret");
    fs::create_dir(project.path("path")).unwrap();
    for program in ["sh", "cat"] {
        let at = ["/usr/bin", "/bin"].map(|folder| format!("{folder}/{program}"));
        let at = at.iter().find(|path| fs::exists(path).unwrap()).unwrap();
        symlink(at, project.path("path").join(program)).unwrap();
    }
    let status = playing("deny", &project).env("PATH", project.path("path")).status().unwrap();
    assert!(status.success());
    let told = project.read("told");
    assert!(told.starts_with("Tool: `sh` failed with exit code 1\n"), "{told}");
    assert!(
        told.contains("the sandbox may have denied it a file; with `strace` installed, it would be named"),
        "{told}"
    );
}

/// In a process without `strace` on its `PATH`: writes down the failure of a tool that reads what it must not.
pub(crate) fn deny(project: &Project) {
    let invocation = Invocation { commands: vec![Command::new("sh").args(["-c", "cat ../../../secret"])], ..sh("") };
    let (_, outcomes, _) = run(&project.engine(confined()), &one(runs("reads", invocation)));
    let failure = failure(&outcomes[0]);
    let hint = failure.hint.as_deref().unwrap_or_default();
    project.write("told", &format!("{:?}: {failure}\n{hint}\n", failure.class));
}
