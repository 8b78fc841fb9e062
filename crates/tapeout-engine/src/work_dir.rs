//! Work directories: where tools run, `<owner>-<n>` in `.tapeout/work`, with a private `TMPDIR` beside each. Those that are
//! empty afterwards are used again: making and removing two directories costs a tenth of a short process.
//!
//! The owner is a process, known by a lock that it holds on `<owner>.lock` as long as it lives. A process id would not do:
//! in containers it is the same again and again. What belongs to nobody any more is removed by the next process. The lock
//! file says by which tags the guards of its owner mark their processes: where one was killed together with its guard,
//! tools that had got away from both may still run, and are killed first.

use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tapeout_model::Class;
use tapeout_store::Signature;

use crate::Failure;

/// The work directories of this process in one project.
pub(crate) struct Workplace {
    parent: PathBuf,
    owner: String,
    next: AtomicU32,
    /// Those that are as good as fresh.
    free: Mutex<Vec<Paths>>,
    lock: File,
}

/// A work directory and its `TMPDIR`.
struct Paths {
    path: PathBuf,
    tmp: PathBuf,
    tmp_from_here: String,
}

impl Workplace {
    /// Claims a name for this process.
    pub(crate) fn open(project: &Path) -> io::Result<Self> {
        let parent = project.join(".tapeout/work");
        fs::create_dir_all(&parent)?;
        for n in 0.. {
            // Process numbers come again, in containers all the time.
            let random = RandomState::new().build_hasher().finish() as u32;
            let owner = format!("{}_{random:08x}_{n}", std::process::id());
            match OpenOptions::new().write(true).create_new(true).open(lock_path(&parent, &owner)) {
                // Somebody who sweeps may have been faster with the lock: then the name is lost.
                Ok(lock) if lock.try_lock().is_ok() => {
                    return Ok(Self { parent, owner, next: AtomicU32::new(0), free: Mutex::default(), lock });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        unreachable!("there are more numbers than lock files")
    }

    /// Writes down by which tag the processes of a guard of this process are known.
    pub(crate) fn note_guard(&self, tag: &str) -> io::Result<()> {
        writeln!(&self.lock, "{tag}")
    }

    /// A fresh directory, or one that is as good.
    pub(crate) fn dir(self: &Arc<Self>) -> io::Result<WorkDir> {
        let free = self.free().pop();
        let Paths { path, tmp, tmp_from_here } = free.map_or_else(|| self.make(), Ok)?;
        Ok(WorkDir { path, tmp, tmp_from_here, kept: false, place: Arc::clone(self) })
    }

    fn make(&self) -> io::Result<Paths> {
        let name = format!("{}-{}", self.owner, self.next.fetch_add(1, Ordering::Relaxed));
        let tmp_name = format!("{name}.tmp");
        let (path, tmp) = (self.parent.join(&name), self.parent.join(&tmp_name));
        fs::create_dir(&path)?;
        fs::create_dir(&tmp)?;
        Ok(Paths { path, tmp, tmp_from_here: format!("../{tmp_name}") })
    }

    fn free(&self) -> MutexGuard<'_, Vec<Paths>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a tool left a directory of ours as it was given to it.
fn is_as_fresh(dir: &Path) -> bool {
    fs::symlink_metadata(dir).is_ok_and(|found| found.is_dir() && found.permissions().mode() & 0o700 == 0o700)
        && fs::read_dir(dir).is_ok_and(|mut listing| listing.next().is_none())
}

impl Drop for Workplace {
    fn drop(&mut self) {
        for Paths { path, tmp, .. } in self.free().drain(..) {
            // Best effort: what stays behind is removed when the next tapeout starts here.
            let _ = fs::remove_dir(tmp).and_then(|()| fs::remove_dir(path));
        }
        // Best effort: without its lock the file says nothing.
        let _ = fs::remove_file(lock_path(&self.parent, &self.owner));
    }
}

fn lock_path(parent: &Path, owner: &str) -> PathBuf {
    parent.join(format!("{owner}.lock"))
}

/// A directory for one invocation, empty at first. Not there any more for others once dropped, unless kept.
pub(crate) struct WorkDir {
    pub(crate) path: PathBuf,
    tmp: PathBuf,
    /// The private `TMPDIR`, from the work directory: not every tool takes a path with blanks, which that of the project
    /// may have.
    pub(crate) tmp_from_here: String,
    kept: bool,
    place: Arc<Workplace>,
}

impl WorkDir {
    /// The private `TMPDIR`.
    pub(crate) fn tmp(&self) -> PathBuf {
        self.tmp.clone()
    }

    /// Writes a file in it.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        let path = self.path.join(name);
        let failure = |error| Failure::io(&format!("write `{}`", path.display()), &error);
        if let Some(folder) = path.parent().filter(|folder| *folder != self.path) {
            fs::create_dir_all(folder).map_err(failure)?;
        }
        fs::write(&path, bytes).map_err(failure)
    }

    /// The files in it by path, and what `stat` says of each. A link to one of them is a file, too; other links are none.
    pub(crate) fn files(&self) -> Result<BTreeMap<String, Signature>, Failure> {
        let failure = |error| Failure::io(&format!("look through `{}`", self.path.display()), &error);
        let mut files = BTreeMap::new();
        let mut pending = vec![String::new()];
        while let Some(folder) = pending.pop() {
            for entry in fs::read_dir(self.path.join(&folder)).map_err(failure)? {
                let entry = entry.map_err(failure)?;
                let name = entry.file_name().into_string().map_err(|name| {
                    let message = format!("a tool wrote a file whose name is not UTF-8: {}", name.display());
                    Failure::new(Class::Tool, message)
                })?;
                let name = if folder.is_empty() { name } else { format!("{folder}/{name}") };
                let kind = entry.file_type().map_err(failure)?;
                if kind.is_dir() {
                    pending.push(name);
                } else if (kind.is_file() || kind.is_symlink() && self.is_within(&entry.path()))
                    && let Some(signature) = Signature::of_file(&entry.path())?
                {
                    files.insert(name, signature);
                }
            }
        }
        Ok(files)
    }

    /// Whether a link leads to something in it.
    fn is_within(&self, link: &Path) -> bool {
        let real = [link, &self.path].map(fs::canonicalize);
        matches!(real, [Ok(target), Ok(own)] if target.starts_with(&own))
    }

    /// The files in it that were not there when it had these, or have changed since; without the log.
    pub(crate) fn written(&self, filled: &BTreeMap<String, Signature>, log: &str) -> Result<Vec<String>, Failure> {
        let files = self.files()?.into_iter();
        let written = files.filter(|(name, signature)| name != log && filled.get(name) != Some(signature));
        Ok(written.map(|(name, _)| name).collect())
    }

    /// Leaves the directory where it is, for looking at.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        if !self.kept && is_as_fresh(&self.path) && is_as_fresh(&self.tmp) {
            let [path, tmp] = [&mut self.path, &mut self.tmp].map(std::mem::take);
            let tmp_from_here = std::mem::take(&mut self.tmp_from_here);
            self.place.free().push(Paths { path, tmp, tmp_from_here });
            return;
        }
        // Best effort: what stays behind is removed when the next tapeout starts here.
        let _ = fs::remove_dir_all(&self.tmp);
        if !self.kept {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Ends what processes that are gone have left running, and removes their work directories.
pub(crate) fn sweep(project: &Path) {
    let parent = project.join(".tapeout/work");
    let Ok(listing) = fs::read_dir(&parent) else { return };
    let names: Vec<String> = listing.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let mut alive = HashSet::new();
    // Their locks are held until the last file is gone: nobody can take over a name that is being swept.
    let mut abandoned = HashMap::new();
    for owner in names.iter().filter_map(|name| name.strip_suffix(".lock")) {
        let lock = lock_path(&parent, owner);
        let Some(file) = File::open(&lock).ok().filter(|file| file.try_lock().is_ok()) else {
            alive.insert(owner);
            continue;
        };
        abandoned.insert(owner, file);
        for tag in fs::read_to_string(&lock).unwrap_or_default().lines() {
            // Best effort: what is not this user's is not ours to end.
            let _ = tapeout_guard::kill_leftovers(tag);
        }
    }
    for name in &names {
        let owner = name.strip_suffix(".lock").unwrap_or(name.split('-').next().unwrap_or(name));
        // The lock of a process that has just begun may have come after the listing of it.
        let is_free = || abandoned.contains_key(owner) || !lock_path(&parent, owner).exists();
        if !alive.contains(owner) && is_free() {
            let path = parent.join(name);
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_is_swept_and_what_a_living_one_has_is_not() {
        let project = tempfile::tempdir().unwrap();
        let work = project.path().join(".tapeout/work");
        let alive = Arc::new(Workplace::open(project.path()).unwrap());
        let dir = alive.dir().unwrap();
        // What a killed process with the same id has left.
        let dead = format!("{}_7", std::process::id());
        fs::write(work.join(format!("{dead}.lock")), "").unwrap();
        fs::create_dir(work.join(format!("{dead}-0"))).unwrap();
        fs::create_dir(work.join("99-0.tmp")).unwrap();
        sweep(project.path());
        assert!(dir.path.is_dir());
        drop(dir);
        drop(alive);
        assert_eq!(fs::read_dir(&work).unwrap().count(), 0);
    }

    #[test]
    fn only_what_is_as_fresh_is_used_again() {
        let project = tempfile::tempdir().unwrap();
        let place = Arc::new(Workplace::open(project.path()).unwrap());
        let use_once = |change: fn(&WorkDir)| {
            let dir = place.dir().unwrap();
            change(&dir);
            dir.path.clone()
        };
        let first = use_once(|_| ());
        let changes: [fn(&WorkDir); 4] = [
            |dir| fs::write(dir.path.join("left"), "").unwrap(),
            |dir| fs::create_dir(dir.tmp().join("left")).unwrap(),
            |dir| fs::set_permissions(&dir.path, fs::Permissions::from_mode(0o500)).unwrap(),
            |dir| {
                fs::remove_dir(dir.tmp()).unwrap();
                std::os::unix::fs::symlink(&dir.path, dir.tmp()).unwrap();
            },
        ];
        let mut last = first;
        for change in changes {
            assert_eq!(use_once(|_| ()), last, "what nothing was done to");
            assert_eq!(use_once(change), last);
            let next = use_once(|_| ());
            assert_ne!(next, last, "what something was done to");
            last = next;
        }
        let [one, other] = [(), ()].map(|()| place.dir().unwrap());
        assert_ne!(one.path, other.path);
        let kept = one.keep();
        drop((other, place));
        assert!(kept.is_dir());
        assert_eq!(fs::read_dir(project.path().join(".tapeout/work")).unwrap().count(), 1);
    }
}
