//! A store that cannot be written, and one that goes away.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::Cx;
use super::site::{May, Site};

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let mut site = cx.site("store", 8)?;
    site.complete(cx.report, "nothing")?;
    for round in 0..cx.count {
        if !cx.has_time() {
            break;
        }
        cx.report.faults += 1;
        match round % 3 {
            0 => read_only(cx, &mut site)?,
            1 => {
                fs::remove_dir_all(site.store())?;
                site.forget();
                site.complete(cx.report, "the loss of the store")?;
            }
            _ => gone_meanwhile(cx, &mut site)?,
        }
    }
    Ok(())
}

/// What is recorded can be used, and what is not fails with an error.
fn read_only(cx: &mut Cx<'_>, site: &mut Site) -> io::Result<()> {
    let store = site.store();
    let is_mounted = mount_read_only(&store);
    if !is_mounted {
        set_writable(&store, false)?;
    }
    let mut outcome = use_read_only(cx, site);
    if is_mounted {
        let unmounted = Command::new("umount").arg("--lazy").arg(&store).status()?;
        if !unmounted.success() {
            outcome = Err(io::Error::other(format!("umount ended with {unmounted}")));
        }
    } else {
        set_writable(&store, true)?;
    }
    outcome?;
    site.complete(cx.report, "a read-only store").map(drop)
}

fn use_read_only(cx: &mut Cx<'_>, site: &mut Site) -> io::Result<()> {
    let ended = site.start(0)?.wait()?;
    let started = site.started()?;
    site.check(cx.report, &ended, &started, May::Fail, "a read-only store");
    site.check_outputs(cx.report, 0, May::Fail, "a read-only store")?;
    if ended.done.len() < site.world.jobs.len() || !started.is_empty() {
        cx.report.incomplete(&format!("results in a read-only store are not used: {}", ended.words));
    }
    let edits = site.edit(&mut cx.random, 3)?;
    let ended = site.start(0)?.wait()?;
    let started = site.started()?;
    let after = format!("a read-only store and edits of {edits}");
    site.check(cx.report, &ended, &started, May::Fail, &after);
    site.check_outputs(cx.report, 0, May::Fail, &after)
}

/// `false`: this user cannot.
fn mount_read_only(store: &Path) -> bool {
    let mount = |options: &str| {
        let mut command = Command::new("mount");
        command.args(["-o", options]).arg(store).arg(store);
        command.output().is_ok_and(|output| output.status.success())
    };
    mount("bind") && mount("remount,bind,ro")
}

fn set_writable(folder: &Path, writable: bool) -> io::Result<()> {
    fs::set_permissions(folder, Permissions::from_mode(if writable { 0o755 } else { 0o555 }))?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            set_writable(&path, writable)?;
        } else if !path.components().any(|part| part.as_os_str() == "blobs") {
            fs::set_permissions(path, Permissions::from_mode(if writable { 0o644 } else { 0o444 }))?;
        }
    }
    Ok(())
}

/// It is removed while it is used.
fn gone_meanwhile(cx: &mut Cx<'_>, site: &mut Site) -> io::Result<()> {
    let edits = site.edit(&mut cx.random, 3)?;
    let mut mill = site.start(0)?;
    let time = site.typical.mul_f64(cx.random.unit());
    mill.sleep(time)?;
    // While it is being written to, a folder may not be empty when its turn comes.
    while fs::remove_dir_all(site.store()).is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {}
    let ended = mill.wait()?;
    site.forget();
    let after = format!("the loss of the store in a run after edits of {edits}");
    let started = site.started()?;
    site.check(cx.report, &ended, &started, May::Fail, &after);
    site.check_outputs(cx.report, 0, May::Fail, &after)?;
    site.forget();
    site.complete(cx.report, &after).map(drop)
}
