//! Debian packages: installs them, as root or through sudo, and waits for other package managers.

use std::fs;
use std::io::{self, BufRead, BufReader, IsTerminal};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::{Stop, process};

/// How long another package manager may hold its locks.
const LOCK_WAIT: Duration = Duration::from_secs(600);
/// How often a lock is tried that apt-get does not wait for itself (those of the package lists and of the downloads).
const LOCK_PAUSE: Duration = Duration::from_secs(5);

/// Installs these packages. Says exactly what to install where it may not.
pub(crate) fn install(packages: &[&str]) -> Result<(), Stop> {
    let manual = format!("apt-get install --no-install-recommends {}", packages.join(" "));
    if process::on_path("apt-get").is_none() {
        return Err(Stop::environment(format!(
            "these tools are missing, and there is no apt-get to install them with. \
             Put them on PATH, or on a Debian run as root:\n  {manual}"
        )));
    }
    let Some(rights) = rights() else {
        return Err(Stop::environment(format!("installing needs root. Run as root:\n  {manual}")));
    };
    let install = || {
        let mut args = vec!["install", "--yes", "--no-install-recommends"];
        args.extend(packages);
        apt_get(&rights, &args)
    };

    let mut updated = false;
    if !lists_know(packages) {
        updated = true;
        // One unreachable archive fails the update as a whole and may not matter: the installation tells.
        apt_get(&rights, &["update"])?;
    }
    let mut installed = install()?;
    if !installed && !updated {
        println!("The package lists may be out of date.");
        apt_get(&rights, &["update"])?;
        installed = install()?;
    }
    if installed {
        Ok(())
    } else {
        Err(Stop::environment(format!(
            "apt-get failed; its messages are above. When its reason is gone, run as root:\n  {manual}"
        )))
    }
}

/// What to put before a command that needs root; `None` where root cannot be had.
fn rights() -> Option<Vec<&'static str>> {
    if fs::metadata("/proc/self").is_ok_and(|meta| meta.uid() == 0) {
        return Some(vec![]);
    }
    process::on_path("sudo")?;
    let silent = Command::new("sudo").args(["-n", "true"]).stdin(Stdio::null()).stderr(Stdio::null()).status();
    if silent.is_ok_and(|status| status.success()) {
        Some(vec!["sudo", "-n"])
    } else if io::stdin().is_terminal() {
        Some(vec!["sudo"])
    } else {
        None
    }
}

/// Whether the package lists here have all of these.
fn lists_know(packages: &[&str]) -> bool {
    let simulated = Command::new("apt-get")
        .args(["install", "--simulate", "-qq", "--no-install-recommends"])
        .args(packages)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    simulated.is_ok_and(|status| status.success())
}

/// Runs apt-get; true if it ended well. Tries again while another package manager holds a lock.
fn apt_get(rights: &[&str], args: &[&str]) -> Result<bool, Stop> {
    let mut words: Vec<&str> = rights.to_vec();
    // sudo drops the environment, hence `env`.
    words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", "-q"]);
    words.extend(["-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Use-Pty=0", "-o", "Acquire::Retries=3"]);
    words.extend(args);

    let give_up = Instant::now() + LOCK_WAIT;
    loop {
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).stderr(Stdio::piped());
        if rights != ["sudo"] {
            command.stdin(Stdio::null());
        }
        let mut child = command.spawn().map_err(|e| process::not_started(&command, &e))?;
        let stderr = child.stderr.take().expect("it is piped");
        let mut locked = false;
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            locked |= line.contains("Could not get lock");
            eprintln!("{line}");
        }
        let status = child.wait().map_err(|e| Stop::environment(format!("cannot wait for apt-get: {e}")))?;
        if status.success() || !locked || Instant::now() > give_up {
            return Ok(status.success());
        }
        println!("Another package manager is at work; waiting for it.");
        thread::sleep(LOCK_PAUSE);
    }
}
