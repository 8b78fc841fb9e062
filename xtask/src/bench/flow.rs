//! What flows cost beside LibreLane's: 500 steps that do next to nothing, first and again; chains of steps that sleep, on
//! so many workers; and whether a step costs more where there are many.
//!
//! Runs of the two alternate. What counts of the steps is the processor time of whole processes with their descendants,
//! from start-up to end. What counts of the chains is the wall time of the flow alone, and of that the least of all
//! rounds: whatever else the machine does only adds to it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Claims, least, median, remove_dir};
use crate::measure::{self, Cost};
use crate::{Stop, process, setup};

/// What can be measured alone.
pub(super) const PARTS: &[&str] = &["steps", "scale", "chains"];

const ROUNDS: usize = 5;
/// Rounds of what takes long and is not claimed.
const FEW_ROUNDS: usize = 2;
const STEPS: usize = 500;
/// How many times less processor time than LibreLane tapeout must take.
const RATIO: f64 = 20.0;
/// Numbers of steps that are compared, and how much more one step may cost among the most of them than among the least.
const SCALE: [usize; 3] = [500, 2000, 8000];
const GROWTH: f64 = 2.0;
/// Numbers of workers, and the seconds that three chains of two steps of 0.2 s take on them at least.
const CHAINS: [(usize, f64); 3] = [(1, 1.2), (2, 0.6), (8, 0.4)];

pub(super) fn run(claims: &mut Claims, parts: &[&str]) -> Result<(), Stop> {
    let bench = Bench { flows: flows()?, librelane: librelane()?, dir: process::target()?.join("bench/flow") };
    remove_dir(&bench.dir)?;
    let measures = [Bench::steps, Bench::scale, Bench::chains];
    for (_, measure) in PARTS.iter().zip(measures).filter(|(part, _)| parts.contains(part)) {
        measure(&bench, claims)?;
    }
    remove_dir(&bench.dir)
}

/// Builds the program that has tapeout's command line and the flows.
fn flows() -> Result<PathBuf, Stop> {
    println!("Building the flows");
    let args = ["build", "--release", "--package", "tapeout", "--example", "flows"];
    if !process::succeeds(&mut process::cargo(&args))? {
        return Err(Stop::failed("the flows do not build; the compiler's messages are above"));
    }
    Ok(process::target()?.join("release/examples/flows"))
}

/// The interpreter of LibreLane, where it can be had.
fn librelane() -> Result<Option<PathBuf>, Stop> {
    let python = setup::librelane()?;
    if python.is_none() {
        println!("LibreLane cannot be had here: tapeout is measured alone, and nothing is claimed in comparison.");
    }
    Ok(python)
}

/// The program, the peer's interpreter, and where both work.
struct Bench {
    flows: PathBuf,
    librelane: Option<PathBuf>,
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
    /// A flow's worth of steps, in a fresh directory for each round, and the same once more.
    fn steps(&self, claims: &mut Claims) -> Result<(), Stop> {
        let [mut ours, mut theirs] = [[Times::default(), Times::default()], [Times::default(), Times::default()]];
        for round in 0..ROUNDS {
            let dir = self.design(&format!("steps-{round}"), "Sequential")?;
            let peer = self.peer_dir(&format!("peer-steps-{round}"))?;
            for turn in 0..2 {
                if let (Some(python), Some(peer)) = (&self.librelane, &peer) {
                    theirs[turn].add(script(python, "steps", peer).arg(STEPS.to_string()))?;
                }
                ours[turn].add(self.ours(&dir).env("BENCH_STEPS", STEPS.to_string()))?;
                check(&dir, STEPS, turn == 1)?;
            }
        }
        println!("\n{:<12} {:>29} {:>29} {:>7}", "", "LibreLane", "tapeout", "");
        let columns = format!("{:>9} {:>9} {:>9}", "cpu", "least", "wall");
        println!("{:<12} {columns} {columns} {:>7}", format!("{STEPS} steps"), "ratio");
        for ((what, ours), theirs) in ["first", "again"].iter().zip(&ours).zip(&theirs) {
            let ratio = (!theirs.cpu.is_empty()).then(|| median(&theirs.cpu) / median(&ours.cpu));
            let shown = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.1}"));
            println!("{what:<12} {} {} {shown:>7}", theirs.columns(), ours.columns());
            if let Some(ratio) = ratio {
                claims.at_least(&format!("{STEPS} steps, {what}: LibreLane's processor time"), ratio, RATIO, "times");
            }
        }
        for ((what, ours), limit) in ["first", "again"].iter().zip(&ours).zip([100.0, 20.0]) {
            claims.at_most(&format!("{STEPS} steps, {what}, least"), least(&ours.cpu), limit, "ms");
        }
        Ok(())
    }

    /// The same flow with more steps, and two programs that ask for as many.
    fn scale(&self, claims: &mut Claims) -> Result<(), Stop> {
        println!(
            "\n{:<12} {:>6} {:>12} {:>12}   microseconds of processor time for a step",
            "", "steps", "first", "again"
        );
        for flow in ["Sequential", "InTurn", "SideBySide"] {
            let mut costs = Vec::new();
            for steps in SCALE {
                let [mut first, mut again] = [Times::default(), Times::default()];
                for round in 0..FEW_ROUNDS {
                    let dir = self.design(&format!("scale-{flow}-{steps}-{round}"), flow)?;
                    for times in [&mut first, &mut again] {
                        times.add(self.ours(&dir).env("BENCH_STEPS", steps.to_string()))?;
                    }
                    check(&dir, steps, true)?;
                }
                #[expect(clippy::cast_precision_loss, reason = "a few thousand")]
                let cost = [first, again].map(|times| least(&times.cpu) * 1e3 / steps as f64);
                println!("{flow:<12} {steps:>6} {:>12.1} {:>12.1}", cost[0], cost[1]);
                costs.push(cost);
            }
            for (turn, what) in ["first", "again"].iter().enumerate() {
                let growth = costs[SCALE.len() - 1][turn] / costs[0][turn];
                claims.at_most(
                    &format!("{flow}, {what}: a step among the most, to one among the least"),
                    growth,
                    GROWTH,
                    "times",
                );
            }
        }
        Ok(())
    }

    /// Three chains of two steps, the second of which is asked for before the first has ended.
    fn chains(&self, claims: &mut Claims) -> Result<(), Stop> {
        println!("\n{:<12} {:>9} {:>19} {:>19} {:>19}", "", "", "LibreLane", "tapeout", "tapeout, process");
        let columns = format!("{:>9} {:>9}", "wall", "least");
        println!("{:<12} {:>9} {columns} {columns} {columns}   seconds", "three chains", "ideal");
        // The first run on a machine also works out what the tool is.
        succeed(&mut self.ours(&self.design("chains", "Chains")?))?;
        for (workers, ideal) in CHAINS {
            let [mut ours, mut process, mut theirs] = [Vec::new(), Vec::new(), Vec::new()];
            for round in 0..ROUNDS {
                let dir = self.design(&format!("chains-{workers}-{round}"), "Chains")?;
                let cost = succeed(self.ours(&dir).args(["-j", &workers.to_string()]))?;
                process.push(cost.wall.as_secs_f64());
                ours.push(flow_time(&dir)?);
                let few = round < FEW_ROUNDS;
                if let (Some(python), Some(peer)) =
                    (self.librelane.as_ref().filter(|_| few), self.peer_dir(&format!("peer-chains-{workers}-{round}"))?)
                {
                    let mut command = script(python, "chains", &peer);
                    command.arg(workers.to_string());
                    succeed(&mut command)?;
                    theirs.push(told_time(&peer)?);
                }
            }
            let pair = |times: &[f64]| match times {
                [] => format!("{:>9} {:>9}", "-", "-"),
                times => format!("{:>9.3} {:>9.3}", median(times), least(times)),
            };
            let what = if workers == 1 { "1 worker".to_owned() } else { format!("{workers} workers") };
            println!("{what:<12} {ideal:>9.1} {} {} {}", pair(&theirs), pair(&ours), pair(&process));
            claims.at_most(&format!("three chains, {what}, least"), least(&ours), ideal * 1.1, "s");
        }
        Ok(())
    }

    /// A new directory with a design for a flow.
    fn design(&self, name: &str, flow: &str) -> Result<PathBuf, Stop> {
        let dir = self.dir.join(name);
        let config = dir.join("config.yaml");
        let text = format!("meta: {{version: 2, flow: {flow}}}\nDESIGN_NAME: bench\n");
        fs::create_dir_all(&dir)
            .and_then(|()| fs::write(&config, text))
            .map_err(|e| Stop::environment(format!("cannot write {}: {e}", config.display())))?;
        Ok(dir)
    }

    /// A new directory with a PDK for LibreLane, where there is one.
    fn peer_dir(&self, name: &str) -> Result<Option<PathBuf>, Stop> {
        let Some(python) = &self.librelane else { return Ok(None) };
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).map_err(|e| Stop::environment(format!("cannot make {}: {e}", dir.display())))?;
        succeed(&mut script(python, "pdk", &dir))?;
        Ok(Some(dir))
    }

    /// A run of what a directory has, with the machine's notes beside it.
    fn ours(&self, dir: &Path) -> Command {
        let mut command = Command::new(&self.flows);
        command.args(["run", "config.yaml"]).current_dir(dir).env("XDG_CACHE_HOME", self.dir.join("notes"));
        silent(&mut command);
        command
    }
}

/// The script that has LibreLane's side of it.
fn script(python: &Path, what: &str, dir: &Path) -> Command {
    let mut command = Command::new(python);
    command.arg(process::root().join("xtask/src/bench/flows.py")).arg(what).arg(dir);
    silent(&mut command);
    command
}

/// Neither has a terminal to draw on.
fn silent(command: &mut Command) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
}

/// Runs what must end well.
fn succeed(command: &mut Command) -> Result<Cost, Stop> {
    let cost = measure::cost(command)?;
    if cost.status.success() {
        return Ok(cost);
    }
    Err(Stop::failed(format!("{command:?} ended with {}", cost.status)))
}

/// Checks that all steps have a result, and that it is one that was there before, or none.
fn check(dir: &Path, steps: usize, reused: bool) -> Result<(), Stop> {
    let summary = read_json(&dir.join("runs/default/run.json"))?;
    let found = summary["steps"].as_array().map_or(&[][..], Vec::as_slice);
    let right = found.iter().filter(|step| step["reused"] == reused).count();
    if found.len() == steps && right == steps {
        return Ok(());
    }
    let word = if reused { "recalled" } else { "run" };
    Err(Stop::failed(format!("{}: of {steps} steps {right} were {word}", dir.display())))
}

/// The seconds between the first and the last event of a run.
fn flow_time(dir: &Path) -> Result<f64, Stop> {
    let file = dir.join("runs/default/events.jsonl");
    let text = fs::read_to_string(&file).map_err(|e| Stop::failed(format!("cannot read {}: {e}", file.display())))?;
    let time = |line: Option<&str>| serde_json::from_str::<Value>(line?).ok()?["time"].as_f64();
    match (time(text.lines().next()), time(text.lines().next_back())) {
        (Some(begin), Some(end)) => Ok(end - begin),
        _ => Err(Stop::failed(format!("{}: there is no run in it", file.display()))),
    }
}

/// The seconds that LibreLane's flow took, which the script leaves in a file.
fn told_time(dir: &Path) -> Result<f64, Stop> {
    let file = dir.join("seconds.json");
    read_json(&file)?.as_f64().ok_or_else(|| Stop::failed(format!("{}: no number", file.display())))
}

fn read_json(file: &Path) -> Result<Value, Stop> {
    let text = fs::read(file).map_err(|e| Stop::failed(format!("cannot read {}: {e}", file.display())))?;
    serde_json::from_slice(&text).map_err(|e| Stop::failed(format!("{} is not JSON: {e}", file.display())))
}
