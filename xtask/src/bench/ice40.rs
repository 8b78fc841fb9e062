//! What tapeout adds to the tools of an iCE40 flow.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Claims, remove_dir};
use crate::{Stop, files, measure, process, setup};

/// The wall time in which no tool runs, plus the processor time of tapeout's own processes, in percent of the whole run
/// of the larger example, with nothing recorded. The first run on a machine also works out what the tools are; that is
/// printed, and the second project on the machine is what counts.
pub(super) fn run(claims: &mut Claims, _parts: &[&str]) -> Result<(), Stop> {
    let tapeout = process::release_binary()?;
    setup::eda_tools(&[setup::ICE40_TOOLS])?;
    let notes = process::target()?.join("bench/cache");
    remove_dir(&notes)?;
    let first = cold_run(&tapeout, &notes)?;
    println!("{first:.2} % on a machine that has never run tapeout");
    claims.at_most("ice40", cold_run(&tapeout, &notes)?, 2.0, "%");
    Ok(())
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
