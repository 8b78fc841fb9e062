//! `cargo xtask demo`: from a bare machine to bitstreams and layouts of the examples, and the same again with nothing to do.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::{Stop, files, process, setup};

/// The examples, and the file in each that says what to run.
const EXAMPLES: [(&str, &str); 5] = [
    ("blinky", "config.json"),
    ("riscv-soc", "config.yaml"),
    ("spm", "config.yaml"),
    ("gcd", "config.yaml"),
    ("uart", "config.yaml"),
];

/// What a run leaves that people look for, by the end of its name.
const RESULTS: [(&str, &str); 4] = [("bitstream", "bin"), ("layout", "gds"), ("picture", "png"), ("metrics", "json")];

/// Runs the demo in copies of the examples, so that the checkout stays as it is. The exit code is that of the first
/// run that did not end well.
pub(crate) fn run() -> Result<u8, Stop> {
    setup::eda_tools(&[setup::ICE40_TOOLS, setup::ASIC_TOOLS])?;
    let tapeout = process::release_binary()?;
    let demo = process::target()?.join("demo");
    println!("Copying the examples to {}", demo.display());
    for (name, _) in EXAMPLES {
        files::copy_example(name, &demo.join(name))?;
    }

    let mut code = 0;
    let mut summary = String::new();
    let mut layouts = String::new();
    for (name, config) in EXAMPLES {
        let dir = demo.join(name);
        let (first, seconds) = timed(&tapeout, &dir, config)?;
        summary.push_str(&format!("\n{name}\n  first run  {seconds:8.2} s\n"));
        if first == 0 {
            println!("\nThe same again: nothing changed, so nothing has to run.");
            let (again, seconds) = timed(&tapeout, &dir, config)?;
            summary.push_str(&format!("  run again  {seconds:8.2} s\n"));
            code = if code == 0 { again } else { code };
        } else {
            summary.push_str(&format!("  ended with exit code {first}\n"));
            code = if code == 0 { first } else { code };
        }
        for (what, extension) in RESULTS {
            for file in results(&dir.join("runs"), extension) {
                summary.push_str(&format!("  {what:<9}  {}\n", file.display()));
            }
        }
        layouts.extend(layout(name, &dir.join("runs/default")));
    }
    println!("{summary}");
    if !layouts.is_empty() {
        let [cells, area, full] = ["cells", "area µm²", "full %"];
        println!(
            "{:<8}{cells:>7}{area:>12}{full:>8}{:>10}{:>6}{:>6}{:>14}{:>14}",
            "layout", "wires µm", "DRC", "LVS", "slack before", "after, ns"
        );
        println!("{layouts}Slack is that of an ideal clock: there is no clock tree.");
    }
    Ok(code)
}

/// A line of the table of layouts, for a run that has made one.
fn layout(name: &str, run: &Path) -> Option<String> {
    let json = |path: &Path| serde_json::from_slice::<Value>(&fs::read(path).ok()?).ok();
    let last = json(&run.join("final/metrics.json"))?;
    let mut steps = fs::read_dir(run).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let before = steps.find(|step| step.to_string_lossy().ends_with("-opensta-prepnr"));
    let before = before.and_then(|step| json(&step.join("state_out.json"))).map(|state| state["metrics"].clone());
    let number = |metrics: &Value, name: &str, scale: f64, decimals: usize| match metrics[name].as_f64() {
        Some(value) => format!("{:.decimals$}", value * scale),
        None => "–".to_owned(),
    };
    last.get("design__lvs_error__count")?;
    let of = |name: &str, scale: f64, decimals: usize| number(&last, name, scale, decimals);
    Some(format!(
        "{name:<8}{:>7}{:>12}{:>8}{:>10}{:>6}{:>6}{:>14}{:>14}\n",
        of("design__instance__count", 1.0, 0),
        of("design__instance__area", 1.0, 0),
        of("design__instance__utilization", 100.0, 0),
        of("route__wirelength", 1.0, 0),
        of("magic__drc_error__count", 1.0, 0),
        of("design__lvs_error__count", 1.0, 0),
        number(&before.unwrap_or_default(), "timing__setup__ws", 1.0, 2),
        of("timing__setup__ws", 1.0, 2),
    ))
}

/// One `tapeout run` and how many seconds it took.
fn timed(tapeout: &Path, dir: &Path, config: &str) -> Result<(u8, f64), Stop> {
    println!("\n{}$ tapeout run {config}", dir.display());
    let mut command = Command::new(tapeout);
    command.args(["run", config]).current_dir(dir);
    let started = Instant::now();
    let status = command.status().map_err(|e| process::not_started(&command, &e))?;
    // A run ended by a signal has no code of its own.
    let code = status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(4);
    Ok((code, started.elapsed().as_secs_f64()))
}

/// The bitstreams and the metrics among the final views of all runs.
fn results(runs: &Path, extension: &str) -> Vec<PathBuf> {
    let below = |dir: &Path| -> Vec<PathBuf> {
        fs::read_dir(dir).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path())).collect()
    };
    let mut found = Vec::new();
    for run in below(runs) {
        // `final/metrics.json`, `final/<format>/<design>.bin`; the former has no other JSON beside it that is meant.
        for file in below(&run.join("final")).into_iter().flat_map(|entry| [below(&entry), vec![entry]].concat()) {
            let wanted = match extension {
                "json" => file.file_name() == Some(OsStr::new("metrics.json")),
                _ => file.extension() == Some(OsStr::new(extension)),
            };
            if wanted && file.is_file() {
                found.push(file);
            }
        }
    }
    found.sort();
    found
}
