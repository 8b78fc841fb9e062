//! `cargo xtask bench`: timing claims, measured on release builds. A claim that does not hold is a failure.

mod asic;
mod config;
mod engine;
mod flow;
mod hooks;
mod ice40;
mod peers;
mod project;
mod start;

use std::fs;
use std::io;
use std::path::Path;

use crate::Stop;

/// Something to measure, and what is claimed of it.
struct Bench {
    name: &'static str,
    what: &'static str,
    /// What of it can be measured alone.
    parts: &'static [&'static str],
    run: fn(&mut Claims, &[&str]) -> Result<(), Stop>,
}

const BENCHES: [Bench; 8] = [
    Bench { name: "start", what: "processor time of `tapeout --version`", parts: &[], run: start::run },
    Bench { name: "config", what: "configurations of 500 keys in five layers", parts: config::PARTS, run: config::run },
    Bench { name: "ice40", what: "what tapeout adds to its tools, cold store", parts: &[], run: ice40::run },
    Bench {
        name: "engine",
        what: "the engine and the store, beside make and ninja",
        parts: engine::PARTS,
        run: engine::run,
    },
    Bench { name: "flow", what: "flows of many steps, beside LibreLane", parts: flow::PARTS, run: flow::run },
    Bench { name: "hooks", what: "a step with very many hooks, planned", parts: &[], run: hooks::run },
    Bench {
        name: "project",
        what: "projects of many targets, beside PyDesignFlow",
        parts: project::PARTS,
        run: project::run,
    },
    Bench { name: "asic", what: "from RTL to GDSII, beside qflow", parts: asic::PARTS, run: asic::run },
];

/// Runs all of them, or the named one, or a part of that.
pub(crate) fn run(name: Option<&str>, part: Option<&str>) -> Result<u8, Stop> {
    let chosen: Vec<&Bench> = BENCHES.iter().filter(|bench| name.is_none_or(|name| bench.name == name)).collect();
    if chosen.is_empty() {
        let names = BENCHES.map(|bench| bench.name).join(", ");
        return Err(Stop::usage(format!("no such bench: {}. There are: {names}", name.unwrap_or_default())));
    }
    let mut claims = Claims { bench: "", missed: Vec::new() };
    for bench in chosen {
        println!("\n== {}: {}", bench.name, bench.what);
        claims.bench = bench.name;
        let parts: Vec<&str> = bench.parts.iter().copied().filter(|it| part.is_none_or(|part| part == *it)).collect();
        if part.is_some() && parts.is_empty() {
            return Err(Stop::usage(format!("no such part of {}. There are: {}", bench.name, bench.parts.join(", "))));
        }
        (bench.run)(&mut claims, &parts)?;
    }
    for claim in &claims.missed {
        println!("MISSED: {claim}");
    }
    Ok(u8::from(!claims.missed.is_empty()))
}

/// What was claimed so far and did not hold.
struct Claims {
    bench: &'static str,
    missed: Vec<String>,
}

impl Claims {
    /// Claims that a value is not above a limit, and says so on a line of its own.
    fn at_most(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        let verdict = self.judge(what, value <= limit);
        println!("== {what}: {value:.2} {unit}, must be at most {limit} {unit}: {verdict}");
    }

    /// Claims that a value is not below a limit, and says so on a line of its own.
    fn at_least(&mut self, what: &str, value: f64, limit: f64, unit: &str) {
        let verdict = self.judge(what, value >= limit);
        println!("== {what}: {value:.2} {unit}, must be at least {limit} {unit}: {verdict}");
    }

    /// Keeps count of a claim. Gives the word for it.
    fn judge(&mut self, what: &str, holds: bool) -> &'static str {
        if holds {
            return "holds";
        }
        self.missed.push(format!("{}: {what}", self.bench));
        "MISSED"
    }
}

/// The middle of some values, which there must be.
fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    f64::midpoint(values[(values.len() - 1) / 2], values[values.len() / 2])
}

/// The least of some values, which there must be.
fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Removes a directory, where there is one.
fn remove_dir(dir: &Path) -> Result<(), Stop> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => {
            Err(Stop::environment(format!("cannot remove {}: {e}", dir.display())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Claims, median};

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!([median(&[3.0, 1.0, 2.0]), median(&[4.0, 1.0]), median(&[7.0])], [2.0, 2.5, 7.0]);
    }

    #[test]
    fn what_does_not_hold_is_remembered() {
        let mut claims = Claims { bench: "b", missed: Vec::new() };
        claims.at_most("one", 1.0, 1.0, "ms");
        claims.at_most("two", 1.1, 1.0, "ms");
        claims.at_least("three", 1.1, 1.0, "GB/s");
        claims.at_least("four", 0.9, 1.0, "GB/s");
        claims.at_most("five", f64::NAN, 1.0, "ms");
        assert_eq!(claims.missed, ["b: two", "b: four", "b: five"]);
    }
}
