//! Kills of tapeout, of its guard, and of both, one after another in one project. After each, the next run completes.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::Cx;
use super::mill::Mill;
use super::random::Random;
use super::site::{May, Site};

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Tapeout,
    Guard,
    Both,
}

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let mut site = cx.site("kill", 10)?;
    site.complete(cx.report, "nothing")?;
    let begin = cx.report.faults;
    while cx.report.faults - begin < cx.count && cx.has_time() {
        let times = 1 + cx.random.below(3);
        let edits = site.edit(&mut cx.random, times)?;
        let victim = *cx.random.one_of(&[Victim::Tapeout, Victim::Tapeout, Victim::Guard, Victim::Both]);
        let mut mill = site.start(0)?;
        let killed = await_instant(&site, &mut mill, &mut cx.random)? && kill(&mut mill, victim)?;
        let ended = mill.wait()?;
        cx.report.faults += usize::from(killed);
        let after = format!("fault {}, a kill of {victim:?} after edits of {edits}", cx.report.faults);
        let started = site.started()?;
        site.check(cx.report, &ended, &started, May::Fail, &after);
        site.check_outputs(cx.report, 0, May::Fail, &after)?;
        // The next run may come while the guard is still at its work.
        if victim == Victim::Tapeout && cx.random.percent(50) {
            site.check_orphans(cx.report, &ended.tag, &after);
        }
        site.complete(cx.report, &after)?;
        site.check_orphans(cx.report, &ended.tag, &after);
    }
    Ok(())
}

/// Waits for a random instant of a run: early, at any time, soon after the start of a tool, or near the end of a job,
/// where its result is committed, or of the last one, when the store is tidied up.
/// `false`: the run has ended before.
fn await_instant(site: &Site, mill: &mut Mill, random: &mut Random) -> io::Result<bool> {
    let (instant, long) = (Duration::from_micros(50), Duration::from_millis(20));
    match random.below(5) {
        0 => mill.sleep(random.time_between(instant, long)),
        1 => mill.sleep(site.typical.mul_f64(random.unit())),
        2 => {
            let jobs = site.log()?.lines().count() + 1 + random.below(4);
            let in_time = mill.while_running(|| site.log().is_ok_and(|log| log.lines().count() < jobs), instant)?;
            Ok(in_time && mill.sleep(random.time_between(instant, long))?)
        }
        end => {
            let all = site.world.jobs.len();
            let jobs = if end == 3 { all } else { 1 + random.below(all) };
            let words = mill.words.clone();
            let in_time = mill.while_running(|| said(&words) < jobs, instant)?;
            Ok(in_time && mill.sleep(random.time_between(instant, long))?)
        }
    }
}

/// How many lines a mill has said.
fn said(words: &Path) -> usize {
    fs::read_to_string(words).map_or(0, |said| said.lines().count())
}

/// `false`: it was not there to be killed.
fn kill(mill: &mut Mill, victim: Victim) -> io::Result<bool> {
    let guard = match victim {
        Victim::Tapeout => false,
        Victim::Guard | Victim::Both => mill.kill_guard()?,
    };
    if victim != Victim::Guard {
        mill.kill()?;
        return Ok(true);
    }
    Ok(guard)
}
