//! A loss of power: what had been written at one instant of a run, as it was, and without some of what had not been brought
//! to the disk.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use super::Cx;
use super::damage::{files, rewrite};
use super::random::Random;
use super::site::{May, Site};

/// So many instants of each run.
const INSTANTS: usize = 3;

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let mut site = cx.site("power", 10)?;
    for round in 0..cx.count {
        if !cx.has_time() {
            break;
        }
        let edits = if round == 0 { "nothing".to_owned() } else { site.edit(&mut cx.random, 3)? };
        let old: Vec<PathBuf> = files(&site.store())?;
        let mut mill = site.start(0)?;
        let mut copies = Vec::new();
        for instant in 0..INSTANTS {
            let time = site.typical.mul_f64(cx.random.unit() / INSTANTS as f64);
            if !mill.sleep(time)? || !site.store().is_dir() {
                continue;
            }
            // Halted, it writes nothing, so the copy is of one instant.
            mill.halt(true);
            let done = mill.done();
            let copied = copy(cx, &site, &format!("{round}-{instant}"));
            mill.halt(false);
            copies.push((done?, copied?));
        }
        let ended = mill.wait()?;
        for (done, [whole, torn]) in copies {
            cx.report.faults += 2;
            let after = format!("a loss of power after edits of {edits}");
            let name = whole.file_name().expect("copies have names").to_string_lossy().into_owned();
            let mut there = site.copy_with_store(cx.dir.join(format!("at{name}")), &whole)?;
            there.note_recorded(done.iter());
            there.complete(cx.report, &after)?;

            let dropped = tear(&mut cx.random, &torn, &old, &site)?;
            let mut there = site.copy_with_store(cx.dir.join(format!("torn{name}")), &torn)?;
            let damages = there.world.all_jobs().count();
            there.recover(cx.report, damages, &format!("{after}, {dropped}"))?;
        }
        let started = site.started()?;
        site.check(cx.report, &ended, &started, May::Complete, &edits);
        site.check_outputs(cx.report, 0, May::Complete, &edits)?;
    }
    Ok(())
}

/// Two copies of the store.
fn copy(cx: &Cx<'_>, site: &Site, name: &str) -> io::Result<[PathBuf; 2]> {
    let copies = ["whole", "torn"].map(|kind| cx.dir.join(format!("{kind}{name}")));
    for to in &copies {
        let status = Command::new("cp").arg("-a").arg(site.store()).arg(to).status()?;
        if !status.success() {
            return Err(io::Error::other(format!("cp ended with {status}")));
        }
    }
    Ok(copies)
}

/// Takes from a copy of the store some of what was written last, as a file system may that keeps names before contents.
/// Says how much.
fn tear(random: &mut Random, copy: &std::path::Path, old: &[PathBuf], site: &Site) -> io::Result<String> {
    let mut torn = 0;
    for file in files(copy)? {
        let name = file.strip_prefix(copy).unwrap_or(&file).to_owned();
        if old.contains(&site.store().join(&name)) || random.percent(40) {
            continue;
        }
        let mut bytes = std::fs::read(&file)?;
        let left = if random.percent(50) { 0 } else { random.below(bytes.len() + 1) };
        bytes.truncate(left);
        rewrite(&file, &bytes)?;
        torn += 1;
    }
    Ok(format!("{torn} files torn"))
}
