//! What hooks cost: planning a step that has very many, in one process, from its configuration to the order in which they
//! run; and whether one hook costs more where there are more.

use std::fs;
use std::process::{Command, Stdio};

use super::{Claims, least, median, remove_dir};
use crate::{Stop, process};

/// The first of them warm up.
const WARM_UP: usize = 3;
const ROUNDS: usize = 40;

/// Sections, and hooks on them.
const MANY: [usize; 2] = [100, 1000];
const MORE: [usize; 2] = [1000, 10_000];
/// How many times as long ten times as many may take: more memory is slower memory, but nothing is done once for each
/// pair, which would be a hundred times.
const GROWTH: f64 = 40.0;

pub(super) fn run(claims: &mut Claims, _parts: &[&str]) -> Result<(), Stop> {
    let args = ["build", "--release", "--quiet", "--package", "tapeout-flow", "--example", "hooks"];
    if !process::succeeds(&mut process::cargo(&args))? {
        return Err(Stop::failed("the hooks do not build; the compiler's messages are above"));
    }
    let many = planned(MANY, ROUNDS)?;
    claims.at_most("1000 hooks on 100 sections, planned", median(&many), 10.0, "ms");
    let more = planned(MORE, ROUNDS)?;
    let growth = least(&more) / least(&many);
    claims.at_most("10 times as many on 10 times as many, least to least", growth, GROWTH, "times");
    Ok(())
}

/// What the program that plans them prints, in milliseconds.
fn planned([sections, hooks]: [usize; 2], rounds: usize) -> Result<Vec<f64>, Stop> {
    let dir = process::target()?.join("bench/hooks");
    remove_dir(&dir)?;
    fs::create_dir_all(&dir).map_err(|e| Stop::environment(format!("cannot make {}: {e}", dir.display())))?;
    let mut command = Command::new(process::target()?.join("release/examples/hooks"));
    command.arg(&dir).args([sections, hooks, rounds + WARM_UP].map(|number| number.to_string())).stdin(Stdio::null());
    let output = command.output().map_err(|e| process::not_started(&command, &e))?;
    let times: Vec<f64> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.parse().ok()).skip(WARM_UP).collect();
    if !output.status.success() || times.len() != rounds {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Stop::failed(format!("hooks ended with {}: {}", output.status, said.trim())));
    }
    let (lowest, highest) = times.iter().fold((f64::MAX, 0.0_f64), |(low, high), it| (low.min(*it), high.max(*it)));
    println!("{hooks} hooks on {sections} sections, of {rounds}: lowest {lowest:.2} ms, highest {highest:.2} ms");
    remove_dir(&dir)?;
    Ok(times)
}
