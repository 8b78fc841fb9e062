//! Times and amounts of memory as scripts write them: `10m`, `30 s`, `4 GB`.

use std::time::Duration;

use starlark::values::{UnpackValue, Value};

use crate::complaint::complaint_with;
use crate::data::named;

/// The number before a unit, and the unit.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    Some((text[..end].parse().ok()?, text[end..].trim()))
}

/// A length of time: `"10m"`, `"30 s"`, or a number of seconds.
pub(crate) fn duration(value: Value<'_>) -> starlark::Result<Duration> {
    let seconds = match value.unpack_str() {
        Some(text) => split(text).and_then(|(number, unit)| {
            let unit = match unit {
                "" | "s" => 1.0,
                "ms" => 1e-3,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                "d" => 86400.0,
                _ => return None,
            };
            Some(number * unit)
        }),
        None => number(value),
    };
    let duration =
        seconds.filter(|seconds| *seconds > 0.0).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| {
        complaint_with(
            format!("{} is no length of time", named(value)),
            "write a number of seconds, or \"30 s\", \"10 m\", \"2 h\", \"1 d\"",
        )
    })
}

/// An amount of memory in MiB: `"4 GB"`, or a number of MiB. Rounded up.
pub(crate) fn memory_mib(value: Value<'_>) -> starlark::Result<u64> {
    const MIB: f64 = 1_048_576.0;
    let mib = match value.unpack_str() {
        Some(text) => split(text).and_then(|(number, unit)| {
            let unit = match unit {
                "kB" | "KB" => 1e3 / MIB,
                "MB" => 1e6 / MIB,
                "GB" => 1e9 / MIB,
                "TB" => 1e12 / MIB,
                "KiB" => 1.0 / 1024.0,
                "MiB" => 1.0,
                "GiB" => 1024.0,
                "TiB" => 1_048_576.0,
                _ => return None,
            };
            Some(number * unit)
        }),
        None => number(value),
    };
    match mib.filter(|mib| *mib > 0.0 && *mib < 1e12) {
        Some(mib) => Ok(mib.ceil() as u64),
        None => Err(complaint_with(
            format!("{} is no amount of memory", named(value)),
            "write \"500 MB\", \"4 GB\", \"16 GiB\", or a number of MiB",
        )),
    }
}

fn number(value: Value<'_>) -> Option<f64> {
    if value.get_type() == "bool" {
        return None;
    }
    starlark::values::float::UnpackFloat::unpack_value(value).ok().flatten().map(|number| number.0)
}
