//! What starting tapeout costs.

use std::process::{Command, Stdio};

use super::{Claims, median};
use crate::{Stop, measure, process};

/// Milliseconds, the median of twenty.
pub(super) fn run(claims: &mut Claims, _parts: &[&str]) -> Result<(), Stop> {
    let tapeout = process::release_binary()?;
    let mut times = Vec::new();
    for _ in 0..20 {
        let mut command = Command::new(&tapeout);
        command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null());
        let cost = measure::cost(&mut command)?;
        if !cost.status.success() {
            return Err(Stop::failed(format!("tapeout --version ended with {}", cost.status)));
        }
        times.push(cost.cpu.as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    println!("of 20: lowest {:.2} ms, highest {:.2} ms", times[0], times[19]);
    claims.at_most("start", median(&times), 10.0, "ms");
    Ok(())
}
