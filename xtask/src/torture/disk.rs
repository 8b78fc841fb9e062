//! A disk that is full at random instants, and then has space again.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;

use super::Cx;
use super::random::Random;
use super::site::{May, Site};

/// The size of the disk in MiB.
const SIZE: usize = 16;

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let dir = cx.dir.join("disk");
    fs::create_dir_all(&dir)?;
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", &format!("size={SIZE}m"), "tmpfs"]).arg(&dir).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        cx.report.skip("disk: a small disk cannot be mounted here");
        return Ok(());
    }
    let outcome = fill_again_and_again(cx);
    let unmounted = Command::new("umount").arg("--lazy").arg(&dir).status()?;
    outcome?;
    if unmounted.success() { Ok(()) } else { Err(io::Error::other(format!("umount ended with {unmounted}"))) }
}

fn fill_again_and_again(cx: &mut Cx<'_>) -> io::Result<()> {
    let mut site = cx.site("disk", 10)?;
    site.complete(cx.report, "nothing")?;
    for _ in 0..cx.count {
        if !cx.has_time() {
            break;
        }
        let edits = site.edit(&mut cx.random, 3)?;
        let filler = site.dir.join("filler");
        let mut mill = site.start(0)?;
        let early = site.typical.mul_f64(cx.random.unit() * 0.5);
        mill.sleep(early)?;
        fill(&filler, &mut cx.random)?;
        if cx.random.percent(50) {
            let long = site.typical.mul_f64(cx.random.unit() * 0.5);
            mill.sleep(long)?;
            fs::remove_file(&filler)?;
        }
        let ended = mill.wait()?;
        cx.report.faults += 1;
        let after = format!("a full disk after edits of {edits}");
        let started = site.started()?;
        site.check(cx.report, &ended, &started, May::Fail, &after);
        site.check_outputs(cx.report, 0, May::Fail, &after)?;
        free(&site, &filler)?;
        site.complete(cx.report, &after)?;
        site.check_orphans(cx.report, &ended.tag, &after);
    }
    Ok(())
}

/// Fills a disk but for a few pages.
fn fill(filler: &Path, random: &mut Random) -> io::Result<()> {
    let mut file = File::create(filler)?;
    let block = [1; 4096];
    let mut written = 0;
    while file.write_all(&block).is_ok() {
        written += block.len() as u64;
    }
    let left = (random.below(40) * block.len()) as u64;
    file.set_len(written.saturating_sub(left))
}

/// Gives the space back, also that of failed attempts, which are kept for the user to look at.
fn free(site: &Site, filler: &Path) -> io::Result<()> {
    match fs::remove_file(filler) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    // A line that was cut off must not run into the next.
    let log = site.dir.join("ran.log");
    if log.is_file() {
        File::options().append(true).open(log)?.write_all(b"\n")?;
    }
    Ok(())
}
