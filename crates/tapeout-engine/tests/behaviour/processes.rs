//! Other processes: tapeouts that this program plays, and what still lives of them.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, exit};

use tapeout_engine::{Event, Mode, Options, Wish};

use crate::common::{Project, all, letters, one, runs, sh};

/// The argument that makes this program a tapeout with a part to play.
const PLAY: &str = "__play";

/// Plays a part and exits, in a process that [`play`] made.
pub(crate) fn play_if_asked() {
    let arguments: Vec<String> = env::args().collect();
    let [_, flag, part, root] = arguments.as_slice() else { return };
    if flag != PLAY {
        return;
    }
    let project = Project::at(PathBuf::from(root));
    match part.as_str() {
        "share" => share(&project),
        "leave" => leave(&project),
        "deny" => crate::sandbox::deny(&project),
        other => panic!("there is no part `{other}`"),
    }
    exit(0)
}

/// Starts this program as another tapeout in a project.
pub(crate) fn play(part: &str, project: &Project) -> Child {
    playing(part, project).spawn().unwrap()
}

pub(crate) fn playing(part: &str, project: &Project) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args([PLAY, part]).arg(project.root());
    command
}

/// Runs what other tapeouts run at the same time, and notes how that went.
fn share(project: &Project) {
    let graph = all((0..4).map(|n| {
        let script = format!("echo {n} >> ../../../ran; sleep 0.1; date +%N > out");
        runs(&format!("shared {n}"), sh(&script))
    }));
    let engine = project.engine(Options::cores(2));
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Result, &|_| {});
    let outputs: String = outcomes.iter().map(|outcome| crate::common::output(&engine, outcome)).collect();
    fs::write(project.path(&format!("told-{}", std::process::id())), letters(&outcomes) + "\n" + &outputs).unwrap();
}

/// Runs a tool that never ends, with helpers that try to get away.
fn leave(project: &Project) {
    let tree = "echo $PPID > ../../../guard; echo $$ >> ../../../pids
        setsid sh -c 'echo $$ >> ../../../pids; sleep 40; exit' &
        (setsid sh -c 'echo $$ >> ../../../pids; sleep 40; exit' &)
        wait; sleep 40";
    let engine = project.engine(Options::cores(1));
    engine.run(&one(runs("endless", sh(tree))), Mode::Run, |_| Wish::Result, &|_: &Event| {});
}

/// The process numbers that scripts have written into a file.
pub(crate) fn pids(project: &Project, file: &str) -> Vec<u32> {
    project.read(file).lines().map(|line| line.trim().parse().unwrap()).collect()
}

/// Whether a process has not ended. One that nobody has waited for yet has.
pub(crate) fn is_living(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| !rest.starts_with(['Z', 'X']))
}
