//! `cargo xtask bench`: timing claims, measured on the release binary. A claim that does not hold is a failure.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Stop, files, measure, process, setup};

/// A claim: what is measured, and what it must not exceed.
struct Bench {
    name: &'static str,
    what: &'static str,
    unit: &'static str,
    limit: f64,
    measure: fn(&Path) -> Result<f64, Stop>,
}

const BENCHES: [Bench; 2] = [
    Bench { name: "start", what: "processor time of `tapeout --version`", unit: "ms", limit: 10.0, measure: start },
    Bench { name: "ice40", what: "what tapeout adds to its tools, cold store", unit: "%", limit: 2.0, measure: ice40 },
];

/// Runs all of them, or the named one.
pub(crate) fn run(name: Option<&str>) -> Result<u8, Stop> {
    let chosen: Vec<&Bench> = BENCHES.iter().filter(|bench| name.is_none_or(|name| bench.name == name)).collect();
    if chosen.is_empty() {
        let names = BENCHES.map(|bench| bench.name).join(", ");
        return Err(Stop::usage(format!("no such bench: {}. There are: {names}", name.unwrap_or_default())));
    }
    let tapeout = process::release_binary()?;
    let mut missed = 0;
    for bench in chosen {
        let Bench { name, what, unit, limit, measure } = bench;
        println!("\n== {name}: {what}");
        let value = measure(&tapeout)?;
        let verdict = if value <= *limit { "holds" } else { "MISSED" };
        println!("== {name}: {value:.2} {unit}, must be at most {limit} {unit}: {verdict}");
        missed += u8::from(value > *limit);
    }
    Ok(u8::from(missed > 0))
}

/// Milliseconds, the median of twenty.
fn start(tapeout: &Path) -> Result<f64, Stop> {
    let mut times = Vec::new();
    for _ in 0..20 {
        let mut command = Command::new(tapeout);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
        let (status, cpu) = measure::processor_time(&mut command).map_err(|e| process::not_started(&command, &e))?;
        if !status.success() {
            return Err(Stop::failed(format!("tapeout --version ended with {status}")));
        }
        times.push(cpu.as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("of 20: lowest {:.2} ms, highest {:.2} ms", times[0], times[19]);
    Ok(f64::midpoint(times[9], times[10]))
}

/// The wall time in which no tool runs, plus the processor time of tapeout's own processes, in percent of the whole run
/// of the larger example, with nothing recorded. The first run on a machine also works out what the tools are; that is
/// printed, and the second project on the machine is what counts.
fn ice40(tapeout: &Path) -> Result<f64, Stop> {
    setup::eda_tools(&[setup::ICE40_TOOLS])?;
    let notes = process::target()?.join("bench/cache");
    if notes.exists() {
        fs::remove_dir_all(&notes)
            .map_err(|error| Stop::failed(format!("cannot remove {}: {error}", notes.display())))?;
    }
    let first = cold_run(tapeout, &notes)?;
    println!("{first:.2} % on a machine that has never run tapeout");
    cold_run(tapeout, &notes)
}

/// One run without anything recorded for the project, with the machine's notes in a folder.
fn cold_run(tapeout: &Path, notes: &Path) -> Result<f64, Stop> {
    let dir = process::target()?.join("bench/riscv-soc");
    files::copy_example("riscv-soc", &dir)?;
    let mut command = Command::new(tapeout);
    command.args(["run", "-q", "config.yaml"]).current_dir(&dir).env("XDG_CACHE_HOME", notes).stdin(Stdio::null());
    let run = measure::overhead(&mut command, tapeout).map_err(|e| process::not_started(&command, &e))?;
    if !run.status.success() {
        return Err(Stop::failed(format!("tapeout run ended with {}", run.status)));
    }
    let (wall, idle, own) = (run.wall.as_secs_f64(), run.idle.as_secs_f64(), run.own.as_secs_f64());
    if wall - idle < 0.5 * wall {
        return Err(Stop::failed(format!(
            "the tools ran for {:.2} s of {wall:.2} s only: was the store not cold?",
            wall - idle
        )));
    }
    println!("{wall:.2} s in all, {idle:.3} s without a tool, {own:.2} s processor time of tapeout itself");
    Ok((idle + own) / wall * 100.0)
}
