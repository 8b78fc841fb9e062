//! Files of the store truncated, emptied, removed, or with other bytes: it is found out, and what depends on them is done
//! again.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Cx;
use super::random::Random;
use super::site::Site;

/// How a file is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manner {
    Flipped,
    Truncated,
    Emptied,
    Zeroed,
    Lengthened,
    Removed,
}

pub(super) const MANNERS: [Manner; 6] =
    [Manner::Flipped, Manner::Truncated, Manner::Emptied, Manner::Zeroed, Manner::Lengthened, Manner::Removed];

/// Where results are recorded.
const RECORDS: [&str; 2] = ["journal", "index"];

/// What may be damaged. Records and blobs come oftener.
const PLACES: [&str; 10] =
    ["blobs", "blobs", "blobs", "journal", "journal", "index", "index", "words", "runs", "locks"];

pub(super) fn run(cx: &mut Cx<'_>) -> io::Result<()> {
    let mut site = cx.site("damage", 10)?;
    site.complete(cx.report, "nothing")?;
    for _ in 0..cx.count {
        if !cx.has_time() {
            break;
        }
        // So that there are segments that are not merged.
        let edits = site.edit(&mut cx.random, 2)?;
        site.complete(cx.report, &format!("edits of {edits}"))?;
        let is_edited = cx.random.percent(30);
        if is_edited {
            site.edit(&mut cx.random, 1)?;
        }
        let manner = *cx.random.one_of(&MANNERS);
        let (place, files) = loop {
            let place = *cx.random.one_of(&PLACES);
            let files = files(&site.store().join(place))?;
            if !files.is_empty() {
                break (place, files);
            }
        };
        let most = if cx.random.percent(15) { files.len() } else { 1 };
        let chosen = choose(&mut cx.random, &files, most);
        let mut what = Vec::new();
        for file in &chosen {
            if damage(&mut cx.random, file, manner)? {
                let name = file.strip_prefix(site.store()).unwrap_or(file);
                what.push(format!("{} {manner:?}", name.display()));
            }
        }
        cx.report.faults += what.len();
        let after = shortened(&what);
        site.forget();
        if manner == Manner::Flipped && RECORDS.contains(&place) && !is_edited {
            told_of(cx, &mut site, &after)?;
            continue;
        }
        if cx.random.percent(75) {
            site.recover(cx.report, what.len(), &after)?;
            continue;
        }
        // What a check of all of it has found disturbs no run.
        site.verify(cx.report, &after)?;
        site.complete(cx.report, &after)?;
    }
    Ok(())
}

/// Completes after records were damaged and nothing else has changed: what runs again, runs because of that, and the user
/// is told. What is cut off or gone cannot be told from what never was.
fn told_of(cx: &mut Cx<'_>, site: &mut Site, after: &str) -> io::Result<()> {
    let ended = site.complete(cx.report, after)?;
    cx.report.told += ended.damages;
    if ended.damages == 0 && ended.done.values().any(|ran| *ran) {
        cx.report.wrong(&format!("after {after}: jobs ran again, and nobody was told why"));
    }
    Ok(())
}

/// The first of many damages, and how many there are.
fn shortened(what: &[String]) -> String {
    match what {
        [] => "no damage".to_owned(),
        [one] => one.clone(),
        [first, ..] => format!("{} damages, the first: {first}", what.len()),
    }
}

fn choose(random: &mut Random, files: &[PathBuf], most: usize) -> Vec<PathBuf> {
    if most > 1 {
        return files.to_vec();
    }
    vec![random.one_of(files).clone()]
}

/// All files below a path, or the path itself when it is one; the same order for the same names.
pub(super) fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    let mut pending = vec![path.to_owned()];
    while let Some(folder) = pending.pop() {
        let listing = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            listing => listing?,
        };
        for entry in listing {
            let path = entry?.path();
            if path.is_dir() { pending.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Ok(files)
}

/// `false`: there was nothing to damage in it.
pub(super) fn damage(random: &mut Random, file: &Path, manner: Manner) -> io::Result<bool> {
    if manner == Manner::Removed {
        return fs::remove_file(file).map(|()| true);
    }
    let mut bytes = fs::read(file)?;
    if bytes.is_empty() && manner != Manner::Lengthened {
        return Ok(false);
    }
    match manner {
        Manner::Flipped => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        Manner::Truncated => bytes.truncate(random.below(bytes.len())),
        Manner::Zeroed => {
            let at = random.below(bytes.len());
            bytes[at..].fill(0);
        }
        Manner::Lengthened => bytes.extend_from_slice(&random.next().to_le_bytes()[..1 + random.below(8)]),
        Manner::Emptied | Manner::Removed => bytes.clear(),
    }
    rewrite(file, &bytes)?;
    Ok(true)
}

/// Gives a file that may be read-only another content.
pub(super) fn rewrite(file: &Path, bytes: &[u8]) -> io::Result<()> {
    let mode = fs::metadata(file)?.permissions();
    fs::set_permissions(file, Permissions::from_mode(0o600))?;
    fs::write(file, bytes)?;
    fs::set_permissions(file, mode)
}
