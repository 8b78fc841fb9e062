//! The engine and the store beside make and ninja, as whole processes on the same graphs in the same run.
//!
//! Runs of the three alternate, so that whatever else the machine does hits all alike. What counts is the median of the
//! processor time of a process with its descendants; wall time is printed beside it.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::peers::{self, Work};
use super::{Claims, median, remove_dir};
use crate::measure::{self, Cost};
use crate::{Stop, process, setup};

/// How often each thing is measured.
const ROUNDS: usize = 20;
/// No further round of one graph begins after this time.
const TIME: Duration = Duration::from_secs(20);
/// How often ten thousand processes are spawned by each, if that does not take longer than [`SPAWN_TIME`].
const SPAWN_ROUNDS: usize = 3;
const SPAWN_TIME: Duration = Duration::from_secs(60);
/// The file that is hashed.
const HASHED_BYTES: u64 = 1 << 30;

/// What can be measured alone, in the order in which it is measured.
pub(super) const PARTS: &[&str] = &["steps", "true", "hash", "open", "null"];

/// Measures what is claimed.
pub(super) fn run(claims: &mut Claims, parts: &[&str]) -> Result<(), Stop> {
    let bench = Bench { shapes: shapes()?, dir: process::target()?.join("bench/engine") };
    setup::build_systems()?;
    remove_dir(&bench.dir)?;
    println!(
        "Where many files were removed in the last five minutes, as at the end of this bench, ext4 makes files slowly."
    );
    let measures = [Bench::steps, Bench::spawning, Bench::hashing, Bench::opening, Bench::null_runs];
    for (_, measure) in PARTS.iter().zip(measures).filter(|(part, _)| parts.contains(part)) {
        measure(&bench, claims)?;
    }
    // All at the end: ext4 passes over inodes that were freed lately one by one (`recently_deleted` in its source), so
    // that making a file takes ten times as long.
    remove_dir(&bench.dir)
}

/// Builds the program that runs graphs through the Rust API.
fn shapes() -> Result<PathBuf, Stop> {
    println!("Building the engine");
    let args = ["build", "--release", "--package", "tapeout-engine", "--example", "shapes"];
    if !process::succeeds(&mut process::cargo(&args))? {
        return Err(Stop::failed("the engine does not build; the compiler's messages are above"));
    }
    Ok(process::target()?.join("release/examples/shapes"))
}

/// The program, and where all of them work, each graph in a directory of its own.
struct Bench {
    shapes: PathBuf,
    dir: PathBuf,
}

/// What the rounds of one contestant cost, in milliseconds. None of them, when it crashed.
#[derive(Default)]
struct Times {
    cpu: Vec<f64>,
    wall: Vec<f64>,
    crashed: bool,
}

impl Times {
    /// Runs it once more; one that crashed is not tried again.
    fn add(&mut self, command: &mut Command) -> Result<(), Stop> {
        if self.crashed {
            return Ok(());
        }
        let Cost { status, cpu, wall } = measure::cost(command)?;
        if status.signal().is_some() {
            *self = Self { crashed: true, ..Self::default() };
            return Ok(());
        }
        if !status.success() {
            return Err(Stop::failed(format!("{command:?} ended with {status}")));
        }
        self.cpu.push(cpu.as_secs_f64() * 1e3);
        self.wall.push(wall.as_secs_f64() * 1e3);
        Ok(())
    }

    /// The median of the processor times.
    fn cpu(&self) -> Option<f64> {
        (!self.crashed).then(|| median(&self.cpu))
    }

    /// Both medians, as a table has them.
    fn columns(&self) -> String {
        match self.cpu() {
            Some(cpu) => format!("{cpu:>9.1} {:>9.1}", median(&self.wall)),
            None => format!("{:>19}", "crashed"),
        }
    }
}

/// Make, ninja and tapeout on one graph.
#[derive(Default)]
struct Row {
    make: Times,
    ninja: Times,
    tapeout: Times,
}

impl Row {
    fn heading(what: &str) -> String {
        let names = format!("\n{:<11} {:>7} {:>19} {:>19} {:>19} {:>9}", "", "", "make", "ninja", "tapeout", "limit");
        let columns = "      cpu      wall";
        format!("{names}\n{what:<11} {:>7} {columns} {columns} {columns} {:>9}  rounds", "jobs", "cpu")
    }

    /// What tapeout may take: so many times the faster of the two, and so many milliseconds. No limit where both crash.
    fn limit(&self, factor: f64, more: f64) -> Option<f64> {
        let peers = [self.make.cpu(), self.ninja.cpu()];
        peers.into_iter().flatten().min_by(f64::total_cmp).map(|faster| factor * faster + more)
    }

    /// Prints the row and judges it.
    fn end(&self, claims: &mut Claims, what: &str, shape: &str, jobs: usize, limit: Option<f64>) {
        let holds = self.tapeout.cpu().is_some_and(|cpu| limit.is_none_or(|limit| cpu <= limit));
        let mut verdict = claims.judge(&format!("{what} {shape} {jobs}"), holds);
        if holds && limit.is_none() {
            verdict = "completes";
        }
        let limit = limit.map_or_else(|| "-".to_owned(), |limit| format!("{limit:.1}"));
        let contestants = [&self.make, &self.ninja, &self.tapeout];
        let mut line = format!("{shape:<11} {jobs:>7}");
        for times in contestants {
            let _ = write!(line, " {}", times.columns());
        }
        println!("{line} {limit:>9}  {:<6} {verdict}", self.tapeout.cpu.len());
    }
}

impl Bench {
    /// Nothing to do in graphs of three shapes, and in a chain that only has to come to its end.
    fn null_runs(&self, claims: &mut Claims) -> Result<(), Stop> {
        println!("{}", Row::heading("null run"));
        for count in [1_000, 10_000, 100_000] {
            for shape in ["chain", "fan-in", "layers"] {
                self.null_run(claims, shape, count, TIME)?;
            }
        }
        self.null_run(claims, "chain", 1_000_000, Duration::ZERO)
    }

    fn null_run(&self, claims: &mut Claims, shape: &str, count: usize, time: Duration) -> Result<(), Stop> {
        let dir = &self.new_dir(&format!("{shape}-{count}"))?;
        peers::write(dir, &self.edges(shape, count)?, Work::Write)?;
        let jobs = count.to_string();
        let ours = |state| self.ours(dir, &["run", shape, &jobs, "write", state]);
        succeed(&mut ours("first"))?;
        // What make and ninja say also brings their files into memory.
        peers::finds_nothing_to_do(make(dir), dir, "Nothing to be done")?;
        peers::finds_nothing_to_do(ninja(dir), dir, "no work to do")?;
        let mut row = Row::default();
        let begin = Instant::now();
        for round in 0..ROUNDS {
            if round > 0 && begin.elapsed() >= time {
                break;
            }
            row.make.add(&mut make(dir))?;
            row.ninja.add(&mut ninja(dir))?;
            row.tapeout.add(&mut ours("again"))?;
        }
        row.end(claims, "null run", shape, count, row.limit(1.1, 2.0));
        Ok(())
    }

    /// Ten thousand processes, each with a record and a log of its own.
    fn spawning(&self, claims: &mut Claims) -> Result<(), Stop> {
        const COUNT: usize = 10_000;
        println!("{}", Row::heading("spawns true"));
        let shape = "independent";
        let edges = self.edges(shape, COUNT)?;
        let jobs = COUNT.to_string();
        let mut row = Row::default();
        let begin = Instant::now();
        for round in 0..SPAWN_ROUNDS {
            if round > 0 && begin.elapsed() >= SPAWN_TIME {
                break;
            }
            // Neither a store nor ninja's log from an earlier round.
            let dir = &self.new_dir(&format!("true-{round}"))?;
            peers::write(dir, &edges, Work::True)?;
            row.make.add(make(dir).arg("-j2"))?;
            row.ninja.add(ninja(dir).arg("-j2"))?;
            row.tapeout.add(&mut self.ours(dir, &["run", shape, &jobs, "true", "first"]))?;
        }
        row.end(claims, "spawns true", shape, COUNT, row.limit(1.2, 0.0));
        Ok(())
    }

    /// A flow's worth of trivial steps.
    fn steps(&self, claims: &mut Claims) -> Result<(), Stop> {
        let [mut first, mut again] = [Times::default(), Times::default()];
        for round in 0..ROUNDS {
            let dir = &self.new_dir(&format!("steps-{round}"))?;
            let source = dir.join("source");
            fs::write(&source, "").map_err(|e| not_written(&source, &e))?;
            for (times, state) in [(&mut first, "first"), (&mut again, "again")] {
                times.add(&mut self.ours(dir, &["run", "chain", "500", "write", state]))?;
            }
        }
        claim_cpu(claims, "500 steps in this process, first", &first, 100.0)?;
        claim_cpu(claims, "500 steps in this process, again", &again, 20.0)
    }

    /// A large file that the store has not seen, in memory.
    fn hashing(&self, claims: &mut Claims) -> Result<(), Stop> {
        let file = self.new_dir("hash")?.join("large");
        write_noise(&file, HASHED_BYTES).map_err(|e| not_written(&file, &e))?;
        let mut times = Times::default();
        // The first round reads it into memory where it is not there still, and does not count.
        for round in 0..6 {
            let mut command = self.ours(&self.new_dir(&format!("hash-{round}"))?, &["hash"]);
            command.arg(&file);
            if round == 0 {
                succeed(&mut command)?;
            } else {
                times.add(&mut command)?;
            }
        }
        let cpu = times.cpu().ok_or_else(|| Stop::failed("the store crashed"))?;
        #[expect(clippy::cast_precision_loss, reason = "a power of two")]
        let rate = HASHED_BYTES as f64 / 1e6 / cpu;
        claims.at_least("new inputs hashed, on one core", rate, 1.0, "GB/s");
        Ok(())
    }

    /// A store of a hundred thousand results and 10 GB. Most of that are holes in files, as opening does not read them.
    fn opening(&self, claims: &mut Claims) -> Result<(), Stop> {
        let dir = &self.new_dir("store")?;
        succeed(&mut self.ours(dir, &["fill", "100000"]))?;
        succeed(&mut self.ours(dir, &["open"]))?;
        let mut times = Times::default();
        for _ in 0..ROUNDS {
            times.add(&mut self.ours(dir, &["open"]))?;
        }
        claim_cpu(claims, "a store of 100k results and 10 GB opened", &times, 20.0)
    }

    /// A directory of its own for one thing that is measured.
    fn new_dir(&self, name: &str) -> Result<PathBuf, Stop> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).map_err(|e| not_written(&dir, &e))?;
        Ok(dir)
    }

    /// The program on one of the directories.
    fn ours(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(&self.shapes);
        command.arg(dir).args(args).stdin(Stdio::null());
        command
    }

    /// The jobs that each job of a graph needs, from the program that has the shapes.
    fn edges(&self, shape: &str, count: usize) -> Result<Vec<Vec<u32>>, Stop> {
        let mut command = Command::new(&self.shapes);
        command.args(["edges", shape, &count.to_string()]).stdin(Stdio::null()).stderr(Stdio::inherit());
        let output = command.output().map_err(|e| process::not_started(&command, &e))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let edges: Vec<Vec<u32>> =
            text.lines().map(|line| line.split(' ').filter_map(|need| need.parse().ok()).collect()).collect();
        if edges.len() == count { Ok(edges) } else { Err(Stop::failed(format!("{command:?}: {}", output.status))) }
    }
}

fn make(dir: &Path) -> Command {
    silent("make", dir)
}

fn ninja(dir: &Path) -> Command {
    silent("ninja", dir)
}

/// What a crash leaves on standard error is in the table.
fn silent(program: &str, dir: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Runs what is not measured.
fn succeed(command: &mut Command) -> Result<(), Stop> {
    let Cost { status, .. } = measure::cost(command)?;
    if status.success() { Ok(()) } else { Err(Stop::failed(format!("{command:?} ended with {status}"))) }
}

/// Claims that the processor time has a limit, in milliseconds.
fn claim_cpu(claims: &mut Claims, what: &str, times: &Times, limit: f64) -> Result<(), Stop> {
    let cpu = times.cpu().ok_or_else(|| Stop::failed(format!("{what}: crashed")))?;
    claims.at_most(&format!("{what} (wall {:.1} ms)", median(&times.wall)), cpu, limit, "ms");
    Ok(())
}

/// Fills a file with bytes of no pattern (xorshift64, Marsaglia 2003).
fn write_noise(file: &Path, bytes: u64) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(file)?);
    let mut x: u64 = 0x9e37_79b9_7f4a_7c15;
    for _ in 0..bytes / 8 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        out.write_all(&x.to_le_bytes())?;
    }
    out.flush()
}

fn not_written(file: &Path, error: &io::Error) -> Stop {
    Stop::environment(format!("cannot write {}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{Claims, Row, Times};

    fn times(cpu: f64) -> Times {
        Times { cpu: vec![cpu], wall: vec![cpu], crashed: false }
    }

    #[test]
    fn the_limit_is_that_of_the_faster_peer_that_came_to_its_end() {
        let crashed = || Times { crashed: true, ..Times::default() };
        let row = |make, ninja| Row { make, ninja, tapeout: times(13.5) };
        let limit = row(times(20.0), times(10.0)).limit(1.1, 2.0);
        assert!(limit.is_some_and(|limit| (limit - 13.0).abs() < 1e-9));
        assert_eq!(row(crashed(), times(10.0)).limit(1.0, 0.0), Some(10.0));
        assert_eq!(row(crashed(), crashed()).limit(1.1, 2.0), None);

        let mut claims = Claims { bench: "b", missed: Vec::new() };
        let row = row(times(20.0), times(10.0));
        row.end(&mut claims, "w", "chain", 1, Some(13.0));
        row.end(&mut claims, "w", "chain", 2, Some(13.5));
        row.end(&mut claims, "w", "chain", 3, None);
        Row { tapeout: crashed(), ..row }.end(&mut claims, "w", "chain", 4, None);
        assert_eq!(claims.missed, ["b: w chain 1", "b: w chain 4"]);
    }

    #[test]
    fn a_crash_is_a_result_and_a_failure_is_none() {
        let sh = |script| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let mut times = Times::default();
        assert!(times.add(&mut sh("true")).is_ok() && times.cpu().is_some());
        assert!(times.add(&mut sh("exit 2")).is_err());
        assert!(times.add(&mut sh("kill -SEGV $$")).is_ok());
        assert!(times.cpu().is_none() && times.cpu.is_empty());
    }
}
