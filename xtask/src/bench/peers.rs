//! The graphs of the engine's bench as make and ninja want them.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::{Stop, measure};

/// What each job of a graph does.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Work {
    /// Makes a file.
    Write,
    /// Spawns `true`.
    True,
}

/// Writes `Makefile` and `build.ninja` into a directory. Job `i` makes the file `o<i>`; the first one reads `source`.
/// `edges` has the numbers of the jobs that each needs. Jobs whose work is to write are up to date then: their files are
/// there.
pub(super) fn write(dir: &Path, edges: &[Vec<u32>], work: Work) -> Result<(), Stop> {
    let files = || -> io::Result<()> {
        fs::write(dir.join("Makefile"), makefile(edges, work))?;
        fs::write(dir.join("build.ninja"), build_ninja(edges, work))?;
        if work == Work::Write {
            let long_ago = SystemTime::now() - Duration::from_secs(3600);
            File::create(dir.join("source"))?.set_modified(long_ago)?;
            for i in 0..edges.len() {
                File::create(dir.join(format!("o{i}")))?.set_modified(long_ago)?;
            }
        }
        Ok(())
    };
    files().map_err(|e| Stop::environment(format!("cannot write in {}: {e}", dir.display())))
}

/// The files that a job needs, each after a space.
fn prerequisites(i: usize, needs: &[u32], work: Work) -> String {
    let mut text = String::new();
    if i == 0 && work == Work::Write {
        text.push_str(" source");
    }
    for need in needs {
        let _ = write!(text, " o{need}");
    }
    text
}

fn makefile(edges: &[Vec<u32>], work: Work) -> String {
    let mut last = vec![true; edges.len()];
    for need in edges.iter().flatten() {
        last[*need as usize] = false;
    }
    let mut text = "all:".to_owned();
    for (i, _) in last.iter().enumerate().filter(|(_, last)| **last) {
        let _ = write!(text, " o{i}");
    }
    text.push('\n');
    let program = match work {
        Work::Write => "touch",
        Work::True => "/bin/true",
    };
    for (i, needs) in edges.iter().enumerate() {
        let _ = writeln!(text, "o{i}:{}\n\t{program} $@", prerequisites(i, needs, work));
    }
    text
}

fn build_ninja(edges: &[Vec<u32>], work: Work) -> String {
    // A generator is judged by file times alone, so that files need not have been made by ninja itself.
    let mut text = match work {
        Work::Write => "rule job\n  command = touch $out\n  generator = 1\n".to_owned(),
        Work::True => "rule job\n  command = /bin/true $out\n".to_owned(),
    };
    for (i, needs) in edges.iter().enumerate() {
        let _ = writeln!(text, "build o{i}: job{}", prerequisites(i, needs, work));
    }
    text
}

/// Runs a peer where everything is up to date and checks that it says so. A crash is left for the measurement to tell.
pub(super) fn finds_nothing_to_do(mut command: Command, dir: &Path, words: &str) -> Result<(), Stop> {
    let said = dir.join("said");
    let io = |e: io::Error| Stop::environment(format!("cannot keep what a peer says in {}: {e}", said.display()));
    command.stdout(File::create(&said).map_err(io)?);
    let status = measure::cost(&mut command)?.status;
    let said = fs::read_to_string(&said).map_err(io)?;
    if status.code().is_some() && !said.contains(words) {
        let program = command.get_program().display();
        let said: String = said.chars().take(500).collect();
        return Err(Stop::failed(format!("{program} ended with {status} and did not say \"{words}\" but:\n{said}")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Work, build_ninja, finds_nothing_to_do, makefile};

    #[test]
    fn both_peers_get_the_same_graph() {
        let edges = [vec![], vec![], vec![0, 1], vec![1]];
        let make = "all: o2 o3\no0: source\n\ttouch $@\no1:\n\ttouch $@\no2: o0 o1\n\ttouch $@\no3: o1\n\ttouch $@\n";
        assert_eq!(makefile(&edges, Work::Write), make);
        let ninja = "build o0: job source\nbuild o1: job\nbuild o2: job o0 o1\nbuild o3: job o1\n";
        assert!(build_ninja(&edges, Work::Write).ends_with(ninja));
        assert_eq!(makefile(&[vec![]], Work::True), "all: o0\no0:\n\t/bin/true $@\n");
        assert_eq!(build_ninja(&[vec![]], Work::True), "rule job\n  command = /bin/true $out\nbuild o0: job\n");
    }

    #[test]
    fn a_peer_that_works_is_caught() {
        let dir = crate::process::target().unwrap_or_else(|stop| panic!("{}", stop.message));
        let dir = dir.join(format!("peers-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let says = |script| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            finds_nothing_to_do(command, &dir, "no work to do")
        };
        let found = [says("echo ninja: no work to do."), says("echo [1/1] touch o1"), says("kill -SEGV $$")];
        std::fs::remove_dir_all(&dir).unwrap();
        assert_eq!(found.map(|found| found.is_ok()), [true, false, true]);
    }
}
