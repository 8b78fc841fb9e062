//! A clock that was set back: the project's files were last changed at a time that is yet to come. As nothing here may
//! set the system's clock, and no program can set the time of a change, that is written into the file system while it is
//! not in use.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use super::Cx;
use super::random::Random;
use super::site::Site;

/// The size of the file system.
const BYTES: u64 = 64 << 20;

/// The time of the files' last change, as debugfs has it.
const FUTURE: &str = "20370101000000";

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let (image, dir) = (cx.dir.join("image"), cx.dir.join("clock"));
    fs::create_dir_all(&dir)?;
    File::create(&image)?.set_len(BYTES)?;
    let is_mounted = works(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image)) && mount(&image, &dir);
    if !is_mounted {
        cx.report.skip("clock: a file system cannot be made and mounted here");
        return Ok(());
    }
    let outcome = set_back_again_and_again(cx, &image, &dir);
    let unmounted = works(Command::new("umount").arg("--lazy").arg(&dir));
    outcome?;
    if unmounted { Ok(()) } else { Err(io::Error::other("umount failed")) }
}

fn set_back_again_and_again(cx: &mut Cx<'_>, image: &Path, dir: &Path) -> io::Result<()> {
    let mut site = cx.site("clock", 10)?;
    site.complete(cx.report, "nothing")?;
    for _ in 0..cx.count {
        if !cx.has_time() {
            break;
        }
        let mut edits = site.edit(&mut cx.random, 3)?;
        set_back(&mut cx.random, &site, image, dir)?;
        cx.report.faults += 1;
        site.complete(cx.report, &format!("edits of {edits}, and a clock set back"))?;
        edits = site.edit(&mut cx.random, 3)?;
        site.complete(cx.report, &format!("a clock set back, and edits of {edits}"))?;
    }
    Ok(())
}

/// Gives most files of a world a time of change that is yet to come.
fn set_back(random: &mut Random, site: &Site, image: &Path, dir: &Path) -> io::Result<()> {
    let failed = |what: &str| io::Error::other(format!("{what} failed"));
    if !works(Command::new("umount").arg(dir)) {
        return Err(failed("umount"));
    }
    let chosen = site.world.files.keys().filter(|_| random.percent(80));
    let commands: String = chosen.map(|path| format!("set_inode_field /{path} ctime {FUTURE}\n")).collect();
    let script = image.with_extension("commands");
    fs::write(&script, commands)?;
    if !works(Command::new("debugfs").arg("-w").arg("-f").arg(&script).arg(image)) {
        return Err(failed("debugfs"));
    }
    if mount(image, dir) { Ok(()) } else { Err(failed("mount")) }
}

fn mount(image: &Path, dir: &Path) -> bool {
    works(Command::new("mount").args(["-o", "loop"]).arg(image).arg(dir))
}

/// Whether a program is there and ends well. What it says matters to nobody.
fn works(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}
