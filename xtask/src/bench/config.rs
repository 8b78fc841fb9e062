//! What configurations cost: reading one of 500 keys, variants of it, and asking why a value holds.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Claims, median, remove_dir};
use crate::{Stop, measure, process};

/// What can be measured alone.
pub(super) const PARTS: &[&str] = &["resolve", "copies", "why"];

/// The first of them warm up.
const WARM_UP: usize = 3;

pub(super) fn run(claims: &mut Claims, parts: &[&str]) -> Result<(), Stop> {
    let dir = process::target()?.join("bench/config");
    remove_dir(&dir)?;
    let made = |error| Stop::environment(format!("cannot set up {}: {error}", dir.display()));
    fs::create_dir_all(&dir).map_err(made)?;
    for part in parts {
        match *part {
            "resolve" => {
                let times = measured("resolve", &dir, 40)?;
                claims.at_most("500 keys in 5 layers, read and checked", times, 5.0, "ms");
            }
            "copies" => {
                let times = measured("copies", &dir, 5)?;
                claims.at_most("1000 variants of it", times, 1000.0, "ms");
            }
            _ => why(claims, &dir.join("classic"))?,
        }
    }
    Ok(())
}

/// The median of what the program that uses the library prints, in milliseconds.
fn measured(part: &str, dir: &Path, rounds: usize) -> Result<f64, Stop> {
    let args = ["build", "--release", "--quiet", "--package", "tapeout-config", "--example", "costs"];
    if !process::succeeds(&mut process::cargo(&args))? {
        return Err(Stop::failed("the configurations do not build; the compiler's messages are above"));
    }
    let mut command = Command::new(process::target()?.join("release/examples/costs"));
    command.arg(part).arg(dir).arg((rounds + WARM_UP).to_string()).stdin(Stdio::null());
    let output = command.output().map_err(|e| process::not_started(&command, &e))?;
    let times: Vec<f64> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| line.parse().ok()).skip(WARM_UP).collect();
    if !output.status.success() || times.len() != rounds {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Stop::failed(format!("costs {part} ended with {}: {}", output.status, said.trim())));
    }
    tell(part, &times);
    Ok(median(&times))
}

fn tell(what: &str, times: &[f64]) {
    let (lowest, highest) = times.iter().fold((f64::MAX, 0.0_f64), |(low, high), it| (low.min(*it), high.max(*it)));
    println!("{what}, of {}: lowest {lowest:.2} ms, highest {highest:.2} ms", times.len());
}

/// The whole process, on a configuration for Classic with 500 settings in five layers.
fn why(claims: &mut Claims, dir: &Path) -> Result<(), Stop> {
    let tapeout = process::release_binary()?;
    let settings = settings(&tapeout)?;
    let key = settings[0].0.clone();
    let (args, count) = layers(&settings, dir)?;
    println!("{count} settings of {} variables", settings.len());
    let mut times = Vec::new();
    for _ in 0..20 + WARM_UP {
        let mut command = Command::new(&tapeout);
        command.args(["config", "why", "--json", &key, "config.json"]).args(&args).current_dir(dir);
        let cost = measure::cost(command.stdin(Stdio::null()).stdout(Stdio::null()))?;
        if !cost.status.success() {
            return Err(Stop::failed(format!("tapeout config why ended with {}", cost.status)));
        }
        times.push(cost.wall.as_secs_f64() * 1e3);
    }
    let times = times.split_off(WARM_UP);
    tell("config why", &times);
    claims.at_most("config why, the whole process", median(&times), 15.0, "ms");
    Ok(())
}

/// Classic's switches and numbers, with values that they may have.
fn settings(tapeout: &Path) -> Result<Vec<(String, Value)>, Stop> {
    let mut command = Command::new(tapeout);
    command.args(["config", "schema", "--flow", "Classic"]).stdin(Stdio::null());
    let output = command.output().map_err(|e| process::not_started(&command, &e))?;
    let schema: Value = serde_json::from_slice(&output.stdout)
        .map_err(|e| Stop::failed(format!("tapeout config schema printed no JSON Schema: {e}")))?;
    let properties = schema["properties"].as_object().into_iter().flatten();
    let settings: Vec<_> = properties
        .filter(|(_, property)| property["deprecated"] != true)
        .filter_map(|(name, property)| {
            let default = &property["default"];
            (default.is_boolean() || default.is_number()).then(|| (name.clone(), default.clone()))
        })
        .collect();
    if settings.len() < 150 {
        return Err(Stop::failed(format!("Classic has {} switches and numbers with defaults only", settings.len())));
    }
    Ok(settings)
}

/// Writes the layers, each of which gives fewer variables than the one below. The arguments that name those above the
/// first, and how many settings there are.
fn layers(settings: &[(String, Value)], dir: &Path) -> Result<(Vec<String>, usize), Stop> {
    let rest = 500 - settings.len().min(200);
    let counts = [rest * 9 / 20, rest * 6 / 20, rest * 4 / 20].map(|count| count.min(settings.len()));
    let (mut json, mut args) =
        ("{\n  \"DESIGN_NAME\": \"spm\",\n  \"VERILOG_FILES\": \"dir::*.v\"".to_owned(), Vec::new());
    let (mut yaml, mut toml, mut overlay) = (String::new(), String::new(), "{\n".to_owned());
    let base = settings.len().min(200);
    for (name, value) in &settings[..base] {
        let _ = write!(json, ",\n  \"{name}\": {value}");
    }
    json.push_str("\n}\n");
    for (name, value) in &settings[..counts[0]] {
        let _ = writeln!(yaml, "{name}: {value}");
    }
    for (name, value) in &settings[..counts[1]] {
        let _ = writeln!(toml, "{name} = {value}");
    }
    for (name, value) in &settings[..counts[2]] {
        let _ = writeln!(overlay, "  \"{name}\": {value},");
    }
    overlay.push_str("}\n");
    fs::create_dir_all(dir).map_err(|e| Stop::environment(format!("cannot make {}: {e}", dir.display())))?;
    for (name, text) in
        [("config.json", json), ("b.yaml", yaml), ("c.toml", toml), ("d.json", overlay), ("spm.v", String::new())]
    {
        fs::write(dir.join(name), text).map_err(|e| Stop::environment(format!("cannot write {name}: {e}")))?;
    }
    for file in ["b.yaml", "c.toml", "d.json"] {
        args.extend(["--with".to_owned(), file.to_owned()]);
    }
    let given = base + counts.iter().sum::<usize>();
    let sets = 500usize.saturating_sub(given);
    for (name, value) in &settings[..sets.min(settings.len())] {
        args.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    Ok((args, given + sets))
}
