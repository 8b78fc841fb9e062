//! A shared cache that is slow, wrong, damaged, read-only, absent, or gone halfway: it costs time, and nothing else. One
//! that is honest saves every run of a tool that somebody has made before.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::time::Duration;

use super::Cx;
use super::damage::{MANNERS, Manner, damage, files};
use super::mill::Ended;
use super::random::Random;
use super::server::{Conduct, Items, Server};
use super::site::{May, Site, Started};

/// No cache may hold a run up for longer: all waits of a client together, and the run.
const LONGEST: Duration = Duration::from_secs(30);

/// What a cache is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cache {
    Server(Conduct),
    /// A directory in which files are damaged.
    Damaged,
    /// A directory that goes away while it is used.
    Removed,
    /// A directory that two begin to fill at the same time.
    Contended,
    /// Neither a directory nor a server.
    Absent,
}

/// The first of these cost little time. A torture begins with any one of them, and comes to the slow ones after them all.
const QUICK: usize = 15;

const CACHES: [Cache; 17] = [
    Cache::Damaged,
    Cache::Server(Conduct::Fickle),
    Cache::Server(Conduct::Other),
    Cache::Server(Conduct::Flipped),
    Cache::Server(Conduct::Truncated),
    Cache::Server(Conduct::Huge),
    Cache::Server(Conduct::Garbage),
    Cache::Server(Conduct::Failing),
    Cache::Server(Conduct::Vanishing),
    Cache::Server(Conduct::ReadOnly),
    Cache::Server(Conduct::Honest),
    Cache::Absent,
    Cache::Removed,
    Cache::Contended,
    Cache::Server(Conduct::Slow),
    Cache::Server(Conduct::Dripping),
    Cache::Server(Conduct::Mute),
];

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let cache = cx.dir.join("cache");
    fs::create_dir_all(&cache)?;
    // Two sites with the same jobs, whose files and values come to differ.
    let mut one = cx.site("shared", 6)?;
    one.shared = Some(location(&cache));
    honest(cx, &mut one, "nothing")?;
    let mut two = one.clean_copy(cx.dir.join("deep/below/other"))?;
    two.shared.clone_from(&one.shared);
    let begin = cx.random.below(QUICK);
    for round in 0..cx.count {
        if !cx.has_time() {
            break;
        }
        if round % 6 == 0 {
            share(cx, &mut one, &mut two)?;
            share(cx, &mut two, &mut one)?;
        }
        cx.report.faults += 1;
        let dir = cx.dir.join(format!("round{round}"));
        let turn = round % CACHES.len();
        let turn = if turn < QUICK { (begin + turn) % QUICK } else { turn };
        match CACHES[turn] {
            Cache::Server(conduct) => served(cx, &one, conduct, &cache, &dir)?,
            Cache::Damaged => damaged(cx, &one, &dir)?,
            Cache::Removed => removed(cx, &one, &cache, &dir)?,
            Cache::Contended => contended(cx, &one, &dir)?,
            Cache::Absent => absent(cx, &one, &dir)?,
        }
        if cx.report.is_clean() {
            fs::remove_dir_all(&dir)?;
        }
    }
    Ok(())
}

fn location(directory: &Path) -> String {
    directory.to_string_lossy().into_owned()
}

/// A site without a store that has the jobs of another one and this cache.
fn newcomer(of: &Site, dir: &Path, name: &str, location: String) -> io::Result<Site> {
    let mut site = of.clean_copy(dir.join(name))?;
    site.shared = Some(location);
    Ok(site)
}

/// One of two edits and runs; the other one can have what it made.
fn share(cx: &mut Cx<'_>, giver: &mut Site, taker: &mut Site) -> io::Result<()> {
    giver.has_what(taker);
    let times = 1 + cx.random.below(3);
    let edits = giver.edit(&mut cx.random, times)?;
    honest(cx, giver, &format!("edits of {edits} beside another site"))?;
    taker.has_what(giver);
    Ok(())
}

/// Runs with a cache that does what it should: there is nothing to complain of.
fn honest(cx: &mut Cx<'_>, site: &mut Site, after: &str) -> io::Result<()> {
    let (ended, _) = grind(cx, site, after)?;
    if let Some(words) = complaint(&ended).or_else(|| line(&ended, "unshared ")) {
        cx.report.incomplete(&format!("after {after}, with an honest cache: {words}"));
    }
    Ok(())
}

/// Runs to completion with whatever cache there is, and once more, when nothing may run.
fn grind(cx: &mut Cx<'_>, site: &mut Site, after: &str) -> io::Result<(Ended, Started)> {
    let ended = site.start(0)?.wait()?;
    let started = site.started()?;
    check(cx, site, &ended, &started, after)?;
    site.complete(cx.report, &format!("{after}, again"))?;
    Ok((ended, started))
}

fn check(cx: &mut Cx<'_>, site: &mut Site, ended: &Ended, started: &Started, after: &str) -> io::Result<()> {
    site.check(cx.report, ended, started, May::Complete, after);
    site.check_outputs(cx.report, 0, May::Complete, after)?;
    site.check_orphans(cx.report, &ended.tag, after);
    if ended.wall > LONGEST {
        cx.report.incomplete(&format!("after {after}: it took {:.1} s", ended.wall.as_secs_f64()));
    }
    cx.report.told += ended.damages;
    Ok(())
}

/// What a run says against its cache, the first of it.
fn complaint(ended: &Ended) -> Option<&str> {
    line(ended, "damaged ").or_else(|| line(ended, "trouble "))
}

fn line<'e>(ended: &'e Ended, begin: &str) -> Option<&'e str> {
    ended.words.lines().find(|line| line.starts_with(begin))
}

/// A server that has all that was ever made here. What is not had from it, though it has it, has a reason that is told.
fn served(cx: &mut Cx<'_>, of: &Site, conduct: Conduct, cache: &Path, dir: &Path) -> io::Result<()> {
    let server = Server::start(conduct, items(cache)?, Random::new(cx.random.next()))?;
    let mut site = newcomer(of, dir, "site", server.location())?;
    let is_right = matches!(conduct, Conduct::Honest | Conduct::Slow | Conduct::ReadOnly);
    if is_right {
        site.has_what(of);
    }
    let times = cx.random.below(3);
    let edits = site.edit(&mut cx.random, times)?;
    let after = format!("edits of {edits} with a server that is {conduct:?}");
    let (ended, started) = grind(cx, &mut site, &after)?;
    let complaint = complaint(&ended);
    match complaint {
        None if of.has_one_of(&site, &started) => {
            cx.report.wrong(&format!("after {after}: jobs ran that were there, and nobody was told why"));
        }
        Some(words) if is_right && (conduct != Conduct::ReadOnly || words.starts_with("damaged ")) => {
            cx.report.incomplete(&format!("after {after}: {words}"));
        }
        _ => {}
    }
    for item in server.wrong() {
        cx.report.wrong(&format!("after {after}: {item} was brought in with another content"));
    }
    Ok(())
}

/// A directory in which one file is damaged, or each. One is found out, made again by one job, and replaced.
fn damaged(cx: &mut Cx<'_>, of: &Site, dir: &Path) -> io::Result<()> {
    let cache = dir.join("cache");
    fs::create_dir_all(&cache)?;
    let mut giver = newcomer(of, dir, "giver", location(&cache))?;
    honest(cx, &mut giver, "nothing")?;
    let manner = *cx.random.one_of(&MANNERS);
    let all = files(&cache)?;
    let file = cx.random.one_of(&all).clone();
    let chosen = if cx.random.percent(25) { &all[..] } else { std::slice::from_ref(&file) };
    for file in chosen {
        damage(&mut cx.random, file, manner)?;
    }
    let name = file.strip_prefix(&cache).unwrap_or(&file).display();
    let after = format!("{} of {} shared files {manner:?}, among them {name}", chosen.len(), all.len());
    let mut taker = newcomer(of, dir, "taker", location(&cache))?;
    let (ended, started) = grind(cx, &mut taker, &after)?;
    if chosen.len() > 1 {
        return Ok(());
    }
    // Of a result, there are bits that mean nothing.
    if file.starts_with(cache.join("cas")) && manner != Manner::Removed && complaint(&ended).is_none() {
        cx.report.wrong(&format!("after {after}: nobody was told"));
    }
    if started.len() > 1 {
        cx.report.lost(&format!("after {after}: more than one job ran: {started:?}"));
    }
    let mut next = newcomer(of, dir, "next", location(&cache))?;
    next.has_what(&taker);
    honest(cx, &mut next, &format!("{after}, and its repair"))
}

/// A directory that goes away while it is used.
fn removed(cx: &mut Cx<'_>, of: &Site, cache: &Path, dir: &Path) -> io::Result<()> {
    let moved = dir.join("cache");
    for (name, content) in items(cache)? {
        let file = moved.join(name);
        fs::create_dir_all(file.parent().expect("items are in folders"))?;
        fs::write(file, content)?;
    }
    let mut site = newcomer(of, dir, "site", location(&moved))?;
    let edits = site.edit(&mut cx.random, 2)?;
    let after = format!("edits of {edits} with a directory that goes away");
    let mut mill = site.start(0)?;
    mill.sleep(site.typical.mul_f64(cx.random.unit()))?;
    fs::rename(&moved, dir.join("gone"))?;
    let ended = mill.wait()?;
    let started = site.started()?;
    check(cx, &mut site, &ended, &started, &after)?;
    site.complete(cx.report, &after).map(drop)
}

/// Two sites that fill one directory at the same time.
fn contended(cx: &mut Cx<'_>, of: &Site, dir: &Path) -> io::Result<()> {
    let cache = dir.join("cache");
    fs::create_dir_all(&cache)?;
    let mut sites = [newcomer(of, dir, "one", location(&cache))?, newcomer(of, dir, "two", location(&cache))?];
    let mut mills = Vec::new();
    for site in &mut sites {
        let edits = site.edit(&mut cx.random, 1)?;
        mills.push((site.start(0)?, format!("an edit of {edits} with a cache that another one fills, too")));
    }
    for (site, (mill, after)) in sites.iter_mut().zip(mills) {
        let ended = mill.wait()?;
        let started = site.started()?;
        check(cx, site, &ended, &started, &after)?;
        if let Some(words) = complaint(&ended) {
            cx.report.incomplete(&format!("after {after}: {words}"));
        }
    }
    Ok(())
}

/// A server or a directory that is not there. It is told.
fn absent(cx: &mut Cx<'_>, of: &Site, dir: &Path) -> io::Result<()> {
    let nowhere = if cx.random.percent(50) {
        // Nobody listens there any more.
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        format!("http://{address}")
    } else {
        location(&dir.join("nothing"))
    };
    let after = format!("a start with a cache that is not there, {nowhere}");
    let mut site = newcomer(of, dir, "site", nowhere)?;
    let (ended, _) = grind(cx, &mut site, &after)?;
    if complaint(&ended).is_none() {
        cx.report.wrong(&format!("{after}: nobody was told"));
    }
    Ok(())
}

/// What is in a directory.
fn items(cache: &Path) -> io::Result<Items> {
    let named = |path: std::path::PathBuf| {
        let name = path.strip_prefix(cache).map_err(io::Error::other)?.to_string_lossy().into_owned();
        Ok((name, fs::read(&path)?))
    };
    files(cache)?.into_iter().map(named).collect()
}
