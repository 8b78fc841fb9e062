//! What projects cost beside PyDesignFlow's: targets that do next to nothing, independent of each other and in a chain,
//! first and again; and what a `flow.star` of very many targets costs where nothing is to be done.
//!
//! Runs of the two alternate. What counts is the processor time of whole processes with their descendants, from start-up
//! to end; where nothing is to be done, how long a run takes. A first run has to make two directories and a file for each
//! target; what only that costs is told beside. Run again, PyDesignFlow looks at all results and runs the last target, whatever is there; tapeout looks at all
//! of them and runs nothing.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Claims, least, median, remove_dir};
use crate::measure::{self, Cost};
use crate::{Stop, process, setup};

/// What can be measured alone.
pub(super) const PARTS: &[&str] = &["targets", "load"];

const ROUNDS: usize = 5;
/// Numbers of targets: independent ones, and those of a chain, which is about the longest that PyDesignFlow can do. It
/// looks for dependencies by recursion.
const SHAPES: [(&str, usize); 2] = [("independent", 1000), ("chained", 900)];
/// How many times less processor time than PyDesignFlow tapeout must take.
const RATIO: f64 = 10.0;
/// Numbers of targets of which nothing is to be done, and the milliseconds that this may take.
const LOADED: [(usize, f64); 2] = [(10_000, 100.0), (100_000, 1000.0)];
/// How large the `result.json` of these targets is.
const RESULT_SIZE: usize = 264;
/// How many targets stand in a row in these.
const ROW: usize = 10;

pub(super) fn run(claims: &mut Claims, parts: &[&str]) -> Result<(), Stop> {
    let bench =
        Bench { tapeout: process::release_binary()?, peer: peer()?, dir: process::target()?.join("bench/project") };
    remove_dir(&bench.dir)?;
    let measures = [Bench::targets, Bench::load];
    for (_, measure) in PARTS.iter().zip(measures).filter(|(part, _)| parts.contains(part)) {
        measure(&bench, claims)?;
    }
    remove_dir(&bench.dir)
}

/// The interpreter of PyDesignFlow, where it can be had.
fn peer() -> Result<Option<PathBuf>, Stop> {
    let python = setup::pydesignflow()?;
    if python.is_none() {
        println!("PyDesignFlow cannot be had here: tapeout is measured alone, and nothing is claimed in comparison.");
    }
    Ok(python)
}

/// The program, the peer's interpreter, and where both work.
struct Bench {
    tapeout: PathBuf,
    peer: Option<PathBuf>,
    dir: PathBuf,
}

/// What the rounds of one contestant cost, in milliseconds.
#[derive(Default)]
struct Times {
    cpu: Vec<f64>,
    wall: Vec<f64>,
}

impl Times {
    fn add(&mut self, command: &mut Command) -> Result<(), Stop> {
        let Cost { cpu, wall, .. } = succeed(command)?;
        self.cpu.push(cpu.as_secs_f64() * 1e3);
        self.wall.push(wall.as_secs_f64() * 1e3);
        Ok(())
    }

    fn columns(&self) -> String {
        if self.cpu.is_empty() {
            return format!("{:>9} {:>9} {:>9}", "-", "-", "-");
        }
        format!("{:>9.1} {:>9.1} {:>9.1}", median(&self.cpu), least(&self.cpu), median(&self.wall))
    }
}

impl Bench {
    /// Both shapes, in a fresh directory for each round, and the same once more.
    fn targets(&self, claims: &mut Claims) -> Result<(), Stop> {
        println!("\n{:<24} {:>29} {:>29} {:>7}", "", "PyDesignFlow", "tapeout", "");
        let columns = format!("{:>9} {:>9} {:>9}", "cpu", "least", "wall");
        println!("{:<24} {columns} {columns} {:>7}", "targets", "ratio");
        for (shape, count) in SHAPES {
            let [mut ours, mut theirs] = [[Times::default(), Times::default()], [Times::default(), Times::default()]];
            let (text, last) = flow_star(shape, count);
            let mut files = Vec::new();
            for round in 0..ROUNDS {
                let dir = self.project(&format!("{shape}-{round}"), &text)?;
                let peer_dir = self.new_dir(&format!("peer-{shape}-{round}"))?;
                files.push(bare_files(&self.new_dir(&format!("files-{shape}-{round}"))?, count)?);
                for turn in 0..2 {
                    if let Some(python) = &self.peer {
                        theirs[turn].add(&mut script(python, &peer_dir, shape, count))?;
                        check(&peer_dir, &last, count)?;
                    }
                    ours[turn].add(&mut self.ours(&dir, &last))?;
                    check(&dir, &last, count)?;
                }
            }
            for ((turn, ours), theirs) in ["first", "again"].iter().zip(&ours).zip(&theirs) {
                let what = format!("{count} {shape}, {turn}");
                let ratio = (!theirs.cpu.is_empty()).then(|| median(&theirs.cpu) / median(&ours.cpu));
                let shown = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}"));
                println!("{what:<24} {} {} {shown:>7}", theirs.columns(), ours.columns());
                if *turn == "first" {
                    let most = ratio.map(|_| median(&theirs.cpu) / median(&files));
                    let most = most.map_or_else(String::new, |most| format!(", so that {most:.1} is the most"));
                    println!("  only the directories and files: {:.1} ms{most}", median(&files));
                }
                if let Some(ratio) = ratio {
                    claims.at_least(&format!("{what}: PyDesignFlow's processor time"), ratio, RATIO, "times");
                }
            }
        }
        Ok(())
    }

    /// Very many targets, all of which are recorded, in rows in which each needs the one before it.
    fn load(&self, claims: &mut Claims) -> Result<(), Stop> {
        println!("\n{:<24} {:>9} {:>9} {:>9}", "nothing to be done", "cpu", "least", "wall");
        for (count, limit) in LOADED {
            let dir = self.project(&format!("load-{count}"), &rows(count))?;
            let ours = || self.ours(&dir, "*.work");
            succeed(&mut ours())?;
            check(&dir, &format!("u{}.work", count - 1), ROW)?;
            let mut times = Times::default();
            // The first time, what the run before has written is still on its way to the disk.
            succeed(&mut ours())?;
            for _ in 0..ROUNDS {
                times.add(&mut ours())?;
            }
            println!("{:<24} {}", format!("{count} targets"), times.columns());
            claims.at_most(&format!("{count} targets, nothing to be done"), median(&times.wall), limit, "ms");
        }
        Ok(())
    }

    /// A new directory.
    fn new_dir(&self, name: &str) -> Result<PathBuf, Stop> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).map_err(|e| Stop::environment(format!("cannot make {}: {e}", dir.display())))?;
        Ok(dir)
    }

    /// A new directory with a project.
    fn project(&self, name: &str, flow_star: &str) -> Result<PathBuf, Stop> {
        let dir = self.new_dir(name)?;
        let file = dir.join("flow.star");
        fs::write(&file, flow_star).map_err(|e| Stop::environment(format!("cannot write {}: {e}", file.display())))?;
        Ok(dir)
    }

    /// A run of a target, with the machine's notes beside the projects.
    fn ours(&self, dir: &Path, target: &str) -> Command {
        let mut command = Command::new(&self.tapeout);
        command.args(["run", target]).current_dir(dir).env("XDG_CACHE_HOME", self.dir.join("notes"));
        silent(&mut command);
        command
    }
}

/// The block types of both shapes.
const TYPES: &str = r#"
def _unit(ctx):
    return Result(value = 1)

def _link(ctx, before):
    return Result(value = before.value + 1)

Unit = block(doc = "A block that needs nothing.", tasks = [task(_unit, id = "work")])
Link = block(
    doc = "A block that needs the one before it.",
    tasks = [task(_link, id = "work", requires = {"before": "before.work"})],
)
flow = Flow()
"#;

/// The project of a shape, and its last target: of independent targets, one that needs them all.
fn flow_star(shape: &str, count: usize) -> (String, String) {
    if shape == "independent" {
        let all = format!(
            r#"
def _all(ctx, units):
    return Result(value = sum([unit.value for unit in units]))

def sum(values):
    total = 0
    for value in values:
        total += value
    return total

All = block(tasks = [task(_all, id = "work", requires = {{"units": ["=u%d.work" % i for i in range({count})]}})])
for i in range({count}):
    flow["u%d" % i] = Unit()
flow["all"] = All()
"#
        );
        return (format!("{TYPES}{all}"), "all.work".to_owned());
    }
    let chain = format!(
        r#"
flow["u0"] = Unit()
for i in range(1, {count}):
    flow["u%d" % i] = Link(dependency_map = {{"before": "u%d" % (i - 1)}})
"#
    );
    (format!("{TYPES}{chain}"), format!("u{}.work", count - 1))
}

/// A project of targets in rows.
fn rows(count: usize) -> String {
    let rows = format!(
        r#"
for i in range({count}):
    if i % {ROW} == 0:
        flow["u%d" % i] = Unit()
    else:
        flow["u%d" % i] = Link(dependency_map = {{"before": "u%d" % (i - 1)}})
"#
    );
    format!("{TYPES}{rows}")
}

/// What runs the last target of a shape in PyDesignFlow.
fn script(python: &Path, dir: &Path, shape: &str, count: usize) -> Command {
    let mut command = Command::new(python);
    command.arg(process::root().join("xtask/src/bench/project.py")).args([shape, &count.to_string()]).current_dir(dir);
    silent(&mut command);
    command
}

/// Neither has a terminal to draw on.
fn silent(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
}

/// Makes what `build` has after a first run, with nothing around it, and gives the processor time in milliseconds.
fn bare_files(dir: &Path, count: usize) -> Result<f64, Stop> {
    let make = || {
        for index in 0..count {
            let block = dir.join(format!("u{index}"));
            fs::create_dir(&block)?;
            let target = block.join("work");
            fs::create_dir(&target)?;
            fs::write(target.join("result.json"), [b' '; RESULT_SIZE])?;
        }
        Ok(())
    };
    let (made, cpu) = measure::own_cpu(make);
    made.map_err(|e: io::Error| Stop::environment(format!("cannot fill {}: {e}", dir.display())))?;
    Ok(cpu.as_secs_f64() * 1e3)
}

/// Runs what must end well.
fn succeed(command: &mut Command) -> Result<Cost, Stop> {
    let cost = measure::cost(command)?;
    if cost.status.success() {
        return Ok(cost);
    }
    Err(Stop::failed(format!("{command:?} ended with {}", cost.status)))
}

/// Checks that the last target has the value that it has only if all before it have theirs.
fn check(dir: &Path, target: &str, value: usize) -> Result<(), Stop> {
    let file = dir.join("build").join(target.replace('.', "/")).join("result.json");
    let text = fs::read(&file).map_err(|e| Stop::failed(format!("cannot read {}: {e}", file.display())))?;
    let result: Value =
        serde_json::from_slice(&text).map_err(|e| Stop::failed(format!("{} is not JSON: {e}", file.display())))?;
    if result["data"]["value"].as_u64() == u64::try_from(value).ok() {
        return Ok(());
    }
    Err(Stop::failed(format!("{}: the value is not {value}", file.display())))
}
