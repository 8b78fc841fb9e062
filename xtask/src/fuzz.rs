//! `cargo xtask fuzz`: hostile input for every reader, for a bounded time each. The targets are in `fuzz/`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Stop, process, setup};

/// How long each target runs where nothing else is said.
const SECONDS: u64 = 60;

/// The longest that one input may take, in seconds, and the memory of a target, in MiB.
const BOUNDS: [&str; 2] = ["-timeout=5", "-rss_limit_mb=2048"];

/// How much of the output of a target is shown that found a fault, in lines.
const SHOWN: usize = 60;

/// Reads what stands behind `cargo xtask fuzz`.
pub(crate) fn seconds(options: &[&str]) -> Result<u64, Stop> {
    match options {
        [] => Ok(SECONDS),
        ["--seconds", number] => {
            number.parse().map_err(|_| Stop::usage(format!("--seconds takes a whole number, not {number}")))
        }
        _ => Err(Stop::usage(format!("fuzz takes --seconds N, not {}", options.join(" ")))),
    }
}

/// Runs each target, from its committed inputs and what earlier runs added to them. 1 if one found a fault.
pub(crate) fn run(seconds: u64) -> Result<u8, Stop> {
    let cargo_fuzz = setup::cargo_fuzz()?;
    let target = process::target()?.join("fuzz");
    let build = |command: &str| {
        let mut build = Command::new(&cargo_fuzz);
        // No sanitizer: they need a nightly compiler, and safe code has little for them to find.
        build.args(["fuzz", command, "--sanitizer", "none", "--target-dir"]).arg(&target);
        build.current_dir(process::root()).stdin(Stdio::null());
        build
    };
    if !process::succeeds(&mut build("build"))? {
        return Err(Stop::failed("the fuzz targets do not build; the compiler's messages are above"));
    }
    // Each input is some files: in memory they cost a tenth.
    let memory = Path::new("/dev/shm");
    let work = if memory.is_dir() { memory } else { &target }.join(format!("tapeout-fuzz-{}", std::process::id()));
    let mut faults = 0;
    for name in targets()? {
        let corpus = target.join("corpus").join(&name);
        for dir in [&corpus, &work] {
            fs::create_dir_all(dir).map_err(|e| Stop::environment(format!("cannot make {}: {e}", dir.display())))?;
        }
        let mut command = build("run");
        command.arg(&name).arg(&corpus).arg(process::root().join("fuzz/corpus-seeds").join(&name)).arg("--");
        command.args(BOUNDS).arg("-max_len=1024").arg("-print_final_stats=1");
        command.arg(format!("-max_total_time={seconds}")).env("TMPDIR", &work);
        let output = command.output().map_err(|e| process::not_started(&command, &e))?;
        // Each process leaves a design directory.
        fs::remove_dir_all(&work).map_err(|e| Stop::environment(format!("cannot remove {}: {e}", work.display())))?;
        let said = String::from_utf8_lossy(&output.stderr);
        match executions(&said) {
            Some(count) if output.status.success() => println!("{name:<10} {count:>9} inputs, no fault"),
            _ => {
                faults += 1;
                let lines: Vec<&str> = said.lines().collect();
                println!("{name:<10} {}", output.status);
                println!("{}", lines[lines.len().saturating_sub(SHOWN)..].join("\n"));
            }
        }
    }
    Ok(u8::from(faults > 0))
}

/// The names of the targets.
fn targets() -> Result<Vec<String>, Stop> {
    let dir = process::root().join("fuzz/fuzz_targets");
    let unread = |error| Stop::environment(format!("cannot read {}: {error}", dir.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).map_err(unread)? {
        let file = entry.map_err(unread)?.file_name();
        names.extend(Path::new(&file).file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// How many inputs a target was given, as it says at its end.
fn executions(said: &str) -> Option<u64> {
    said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:")?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::{executions, seconds, targets};

    #[test]
    fn options_are_read() {
        assert_eq!([seconds(&[]).ok(), seconds(&["--seconds", "4"]).ok()], [Some(60), Some(4)]);
        assert!(seconds(&["--seconds"]).is_err() && seconds(&["--seconds", "x"]).is_err() && seconds(&["4"]).is_err());
    }

    #[test]
    fn the_count_is_found() {
        assert_eq!(executions("Done\nstat::number_of_executed_units: 123\nstat::x: 4\n"), Some(123));
        assert_eq!(executions("==1== ERROR: libFuzzer: deadly signal\n"), None);
    }

    #[test]
    fn every_target_has_inputs_to_start_from() {
        let names = targets().unwrap_or_else(|stop| panic!("{}", stop.message));
        assert!(names.len() >= 10);
        for name in names {
            let seeds = crate::process::root().join("fuzz/corpus-seeds").join(&name);
            assert!(seeds.read_dir().is_ok_and(|mut files| files.next().is_some()), "{name}");
        }
    }
}
