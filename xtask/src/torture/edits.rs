//! Random edits of random graphs: what an incremental run makes is what a clean one makes, and nothing runs whose reads
//! have not changed. Edits set time stamps back, too, as far as files have them: nothing here sets the system's clock.

use std::fs;
use std::io;

use super::Cx;
use super::site::Site;

/// So many rounds of edits in one world.
const ROUNDS: usize = 12;

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let mut done = 0;
    while done < cx.count && cx.has_time() {
        let jobs = 4 + cx.random.below(14);
        let mut site = cx.site(&format!("world{done}"), jobs)?;
        site.complete(cx.report, "nothing")?;
        for _ in 0..ROUNDS.min(cx.count - done) {
            let times = 1 + cx.random.below(4);
            let edits = site.edit(&mut cx.random, times)?;
            site.complete(cx.report, &format!("edits of {edits}"))?;
            done += 1;
            cx.report.faults += times;
        }
        let ended = site.complete(cx.report, "no edit at all")?;
        if ended.done.values().any(|ran| *ran) {
            cx.report.lost("though nothing was edited, jobs ran");
        }
        // Once more with everything, so that all outputs are there.
        let mut clean = site.clean_copy(cx.dir.join(format!("clean{done}")))?;
        clean.complete(cx.report, "a clean start")?;
        compare(cx, &site, &clean)?;
    }
    Ok(())
}

/// Compares what the last runs have made, byte for byte.
fn compare(cx: &mut Cx<'_>, incremental: &Site, clean: &Site) -> io::Result<()> {
    for entry in fs::read_dir(incremental.outputs())? {
        let (name, path) = entry.map(|entry| (entry.file_name(), entry.path()))?;
        let beside = clean.outputs().join(&name);
        if !beside.is_file() || fs::read(&path)? != fs::read(&beside)? {
            cx.report.wrong(&format!("{} and {} differ", path.display(), beside.display()));
        }
    }
    Ok(())
}
