//! The object directory of a run: which it is, and what is written into it before anything runs.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::asic_dse_init::{outputs, project_outputs};
use crate::files::Surroundings;
use crate::resolve::Resolved;
use crate::subtool::Subtool;

/// A file or directory that could not be made.
#[derive(Debug)]
pub struct CannotWrite {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub reason: io::Error,
}

impl fmt::Display for CannotWrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write `{}`: {}", self.path.display(), self.reason)
    }
}

impl std::error::Error for CannotWrite {}

impl Resolved {
    /// Makes the object directory, with the resolved configuration in `config.json` and the command line that comes to
    /// it in `command`. It is `manual_obj_dir`; else, with `override_outputs`, the newest of the design; else a new one,
    /// named by the design and by `now` in UTC: `alu_ver-2026-11-21T09-05-07.120Z`.
    ///
    /// # Errors
    /// The first that cannot be written.
    pub fn save(&self, surroundings: &Surroundings, now: SystemTime) -> Result<PathBuf, CannotWrite> {
        let dir = self.object_dir(surroundings, now)?;
        let config = serde_json::to_string_pretty(&self.to_json()).unwrap_or_default();
        for (name, text) in [("config.json", config), ("command", self.command())] {
            let path = surroundings.locate(&dir).join(name);
            fs::write(&path, text + "\n").map_err(|reason| CannotWrite { path, reason })?;
        }
        Ok(dir)
    }

    fn object_dir(&self, surroundings: &Surroundings, now: SystemTime) -> Result<PathBuf, CannotWrite> {
        let common = &self.settings.common;
        let all = |dir: &Path| {
            let path = surroundings.locate(dir);
            fs::create_dir_all(&path).map_err(|reason| CannotWrite { path, reason })
        };
        if let Some(dir) = &common.manual_obj_dir {
            all(dir)?;
            return Ok(dir.clone());
        }
        let (base, label) = match self.subtools.first() {
            Some(Subtool::AsicDse) => outputs(&self.settings.asic_dse, common),
            Some(other) => (project_outputs(common, other.name()), other.name().to_owned()),
            None => (project_outputs(common, "common"), "common".to_owned()),
        };
        if common.override_outputs
            && let Some(newest) = newest(&surroundings.locate(&base), &label)
        {
            return Ok(base.join(newest));
        }
        all(&base)?;
        let mut milliseconds = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis());
        loop {
            let dir = base.join(format!("{label}-{}", Stamp(milliseconds)));
            let path = surroundings.locate(&dir);
            match fs::create_dir(&path) {
                Ok(()) => return Ok(dir),
                // Another run of the same moment.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => milliseconds += 1,
                Err(reason) => return Err(CannotWrite { path, reason }),
            }
        }
    }
}

/// The newest of the directories that are named by the label and a time.
fn newest(base: &Path, label: &str) -> Option<String> {
    let names = fs::read_dir(base).ok()?.filter_map(|entry| {
        let entry = entry.ok().filter(|entry| entry.path().is_dir())?;
        entry.file_name().into_string().ok()
    });
    names.filter(|name| name.strip_prefix(label).and_then(|rest| rest.strip_prefix('-')).is_some_and(is_stamp)).max()
}

/// Whether a text has the form of a [`Stamp`]. Of the same length all, they order as the times do.
fn is_stamp(text: &str) -> bool {
    const FORM: &str = "0000-00-00T00-00-00.000Z";
    text.len() == FORM.len()
        && text.chars().zip(FORM.chars()).all(|(c, form)| if form == '0' { c.is_ascii_digit() } else { c == form })
}

/// Milliseconds since 1970, shown as a time in UTC without colons.
struct Stamp(u128);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, milliseconds) = (self.0 / 1000, self.0 % 1000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        let (year, month, day) = date(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}.{milliseconds:03}Z")
    }
}

/// The year, month and day of a number of days since 1970 in the Gregorian calendar: years are counted from March, so
/// that the leap day ends them, in eras of 400 years.
fn date(days: u128) -> (u128, u128, u128) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u128::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_named_as_the_calendar_has_them() {
        let cases = [
            (0, "1970-01-01T00-00-00.000Z"),
            (951_782_400_000, "2000-02-29T00-00-00.000Z"),
            (1_709_251_199_999, "2024-02-29T23-59-59.999Z"),
            (1_709_251_200_000, "2024-03-01T00-00-00.000Z"),
            (4_107_542_399_120, "2100-02-28T23-59-59.120Z"),
            (4_107_542_400_000, "2100-03-01T00-00-00.000Z"),
        ];
        for (milliseconds, expected) in cases {
            assert_eq!(Stamp(milliseconds).to_string(), expected);
            assert!(is_stamp(expected));
        }
        for other in ["", "1970-01-01", "1970-01-01T00:00:00.000Z", "x970-01-01T00-00-00.000Z"] {
            assert!(!is_stamp(other), "{other}");
        }
    }
}
