//! Several tapeouts on one tree: they share the work, and the death of one does not hurt the others.

use std::io;
use std::time::Duration;

use super::Cx;
use super::mill::Ended;
use super::site::{May, Started};

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let mut site = cx.site("several", 12)?;
    site.complete(cx.report, "nothing")?;
    for round in 0..cx.count {
        if !cx.has_time() {
            break;
        }
        let edits = site.edit(&mut cx.random, 4)?;
        let count = if round % 2 == 0 { 2 } else { 4 };
        let mut mills = Vec::new();
        for place in 0..count {
            mills.push(site.start(place)?);
            if cx.random.percent(50) {
                std::thread::sleep(cx.random.time_between(Duration::from_micros(100), Duration::from_millis(50)));
            }
        }
        let killed = round % 3 == 2;
        if killed {
            let time = site.typical.mul_f64(cx.random.unit());
            mills[0].sleep(time)?;
            mills[0].kill()?;
        }
        cx.report.faults += count;
        let ended: Vec<Ended> = mills.into_iter().map(super::mill::Mill::wait).collect::<io::Result<_>>()?;
        let after = format!("{count} at once after edits of {edits}");
        let started = site.started()?;
        if !killed {
            for (name, times) in started.iter().filter(|(_, times)| **times > 1) {
                cx.report.lost(&format!("after {after}: {name} ran {times} times"));
            }
        }
        for (place, ended) in ended.iter().enumerate() {
            let is_killed = killed && place == 0;
            let may = if is_killed { May::Fail } else { May::Complete };
            // Whatever ran was started by one of them.
            let started = if place == 0 { &started } else { &Started::new() };
            site.check(cx.report, ended, started, may, &after);
            site.check_outputs(cx.report, place, may, &after)?;
        }
        site.complete(cx.report, &after)?;
        for ended in &ended {
            site.check_orphans(cx.report, &ended.tag, &after);
        }
    }
    Ok(())
}
