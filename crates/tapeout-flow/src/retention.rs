//! Retention: which run trees and which kept failed attempts have been there long enough. Results stay in the store; a
//! tree is a view of them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tapeout_engine::{Engine, Failure};
use tapeout_store::Store;

use crate::event::EVENTS;
use crate::finish::SUMMARY;
use crate::tree::{FAILED, LOCK, disk};

/// What is to go.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    /// Runs that ended longer ago than this, but for the newest one, those with pinned results, and those that go on.
    pub runs: Option<Duration>,
    /// Failed attempts that have been kept for longer than this.
    pub failed: Option<Duration>,
    /// Only tell what would go.
    pub dry: bool,
}

/// What went, or would.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// Tags of runs.
    pub runs: Vec<String>,
    /// Directories of failed attempts, relative to `runs`.
    pub failed: Vec<PathBuf>,
    /// The size of all of them.
    pub bytes: u64,
    /// Runs that are old enough and stay, with the reason.
    pub stay: Vec<(String, &'static str)>,
}

/// What the name of a run ends with that is being removed. It begins with a dot, which no tag does.
const REMOVED: &str = ".removed";

impl Retention {
    /// Removes what has been there long enough from a project's `runs`. Nothing else of the project is touched.
    ///
    /// # Errors
    /// When something cannot be read or removed.
    pub fn apply(&self, project: &Path, store: &Store) -> Result<Retired, Failure> {
        let mut retired = Retired::default();
        if !self.dry {
            sweep(project)?;
        }
        let mut runs = runs_of(project)?;
        runs.sort_by_key(|run| run.ended);
        let pinned = pinned(project, store);
        let (older, newest) = runs.split_at(runs.len().saturating_sub(1));
        let old = older.iter().filter(|run| self.runs.is_some_and(|limit| is_older(run.ended, limit)));
        let mut staying: Vec<&Run> = older.iter().filter(|run| !old.clone().any(|old| old.tag == run.tag)).collect();
        for run in old {
            let Some(_lock) = run.lock() else {
                retired.stay.push((run.tag.clone(), "it is running"));
                continue;
            };
            if fs::canonicalize(&run.dir).is_ok_and(|dir| pinned.contains(&dir)) {
                retired.stay.push((run.tag.clone(), "a result of it is pinned"));
                staying.push(run);
                continue;
            }
            retired.bytes += size_of(&run.dir);
            retired.runs.push(run.tag.clone());
            if !self.dry {
                // A tree that is half removed would look like a run.
                let going = run.dir.with_file_name(format!(".{}{REMOVED}", run.tag));
                fs::rename(&run.dir, &going).map_err(disk("remove", &run.dir))?;
                fs::remove_dir_all(&going).map_err(disk("remove", &going))?;
            }
        }
        if let Some(limit) = self.failed {
            for run in staying.into_iter().chain(newest) {
                self.retire_failed(run, limit, &mut retired)?;
            }
        }
        Ok(retired)
    }

    fn retire_failed(&self, run: &Run, limit: Duration, retired: &mut Retired) -> Result<(), Failure> {
        // While it is running, its attempts are its own business.
        let Some(_lock) = run.lock() else { return Ok(()) };
        for (name, dir) in folders(&run.dir)? {
            let is_attempt = name.ends_with(FAILED) && name.starts_with(|first: char| first.is_ascii_digit());
            if is_attempt && is_older(changed(&dir), limit) {
                retired.bytes += size_of(&dir);
                retired.failed.push(Path::new(&run.tag).join(name));
                if !self.dry {
                    fs::remove_dir_all(&dir).map_err(disk("remove", &dir))?;
                }
            }
        }
        Ok(())
    }
}

/// A run's tree.
struct Run {
    tag: String,
    dir: PathBuf,
    ended: SystemTime,
}

impl Run {
    /// Keeps others from running in it; `None` when somebody does.
    fn lock(&self) -> Option<File> {
        File::open(self.dir.join(LOCK)).ok().filter(|lock| lock.try_lock().is_ok())
    }
}

fn runs_dir(project: &Path) -> PathBuf {
    project.join("runs")
}

/// The runs of a project: directories that tapeout has locked once. What else people have in `runs` is theirs.
fn runs_of(project: &Path) -> Result<Vec<Run>, Failure> {
    let found = folders(&runs_dir(project))?.into_iter();
    let runs = found.filter(|(name, dir)| !name.starts_with('.') && dir.join(LOCK).is_file()).map(|(tag, dir)| {
        let ended = [SUMMARY, EVENTS].map(|name| changed(&dir.join(name)));
        Run { tag, ended: ended.into_iter().max().unwrap_or(SystemTime::UNIX_EPOCH), dir }
    });
    Ok(runs.collect())
}

/// Removes what another process did not come to remove.
fn sweep(project: &Path) -> Result<(), Failure> {
    for (name, dir) in folders(&runs_dir(project))? {
        if name.starts_with('.') && name.ends_with(REMOVED) {
            fs::remove_dir_all(&dir).map_err(disk("remove", &dir))?;
        }
    }
    Ok(())
}

/// The directories of runs that hold a result whatever changes.
fn pinned(project: &Path, store: &Store) -> BTreeSet<PathBuf> {
    let runs = store.runs().into_iter().filter(|(_, run)| run.jobs.iter().any(|job| job.pin.is_some()));
    runs.filter_map(|(_, run)| fs::canonicalize(Engine::store_dir(project).join(run.dir)).ok()).collect()
}

/// The directories in a directory, by name; links are none. None in one that is not there.
fn folders(dir: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let listing = match fs::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(disk("read", dir)(error)),
    };
    let mut folders = Vec::new();
    for entry in listing {
        let entry = entry.map_err(disk("read", dir))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Ok(name) = entry.file_name().into_string()
        {
            folders.push((name, entry.path()));
        }
    }
    folders.sort();
    Ok(folders)
}

/// When something was last changed; long ago when that is not known.
fn changed(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH)
}

fn is_older(then: SystemTime, limit: Duration) -> bool {
    // What is from the future is not old.
    SystemTime::now().duration_since(then).is_ok_and(|age| age > limit)
}

fn size_of(dir: &Path) -> u64 {
    let mut bytes = 0;
    let mut pending = vec![dir.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => pending.push(entry.path()),
                Ok(metadata) => bytes += metadata.len(),
                Err(_) => {}
            }
        }
    }
    bytes
}
