//! All other tortures once more, by a user who may do nothing special.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, chown};
use std::process::Command;
use std::time::Instant;

use super::{Cx, TORTURES};

/// `nobody` on every Linux.
const NOBODY: u32 = 65534;

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    if fs::metadata("/proc/self")?.uid() != 0 {
        cx.report.skip("user: this is an unprivileged user already");
        return Ok(());
    }
    // Where it was built, others may have no business.
    let [own, mill] = ["xtask", "mill"].map(|name| cx.dir.join(name));
    fs::copy(env::current_exe()?, &own)?;
    fs::copy(cx.mill, &mill)?;
    let dir = cx.dir.join("home");
    fs::create_dir_all(&dir)?;
    chown(&dir, Some(NOBODY), Some(NOBODY))?;
    for torture in TORTURES.iter().filter(|torture| torture.name != "user") {
        if !cx.has_time() {
            break;
        }
        let count = torture.counts[0].min(cx.count).to_string();
        let mut command = Command::new("setpriv");
        command.args([&format!("--reuid={NOBODY}"), &format!("--regid={NOBODY}"), "--clear-groups", "--"]);
        command.arg(&own).args(["torture", torture.name, "--count", &count, "--mill"]).arg(&mill);
        let minutes = 1 + cx.until.saturating_duration_since(Instant::now()).as_secs() / 60;
        command.args(["--minutes", &minutes.to_string()]);
        command.args(["--seed", &cx.random.next().to_string()]).env("TMPDIR", &dir).env("HOME", &dir).current_dir(&dir);
        let output = command.output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        said.lines().filter(|line| !line.is_empty()).for_each(|line| println!("   {line}"));
        let number = |name: &str| {
            let after = said.rsplit_once(name)?.1;
            after.trim_start().split(|c: char| !c.is_ascii_digit()).next()?.parse::<usize>().ok()
        };
        cx.report.faults += number("faults injected:").unwrap_or(0);
        cx.report.told += number("damages told of:").unwrap_or(0);
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            cx.report.incomplete(&format!("as another user, {}: {} {words}", torture.name, output.status));
        }
    }
    Ok(())
}
