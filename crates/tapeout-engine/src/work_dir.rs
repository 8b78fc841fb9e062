//! Work directories: where tools run, `.tapeout/work/<owner>-<n>`, with a private `TMPDIR` beside each.
//!
//! The owner is a process, known by a lock that it holds on `<owner>.lock` as long as it lives. A process id would not do:
//! in containers it is the same again and again. What belongs to nobody any more is removed by the next process.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// The work directories of this process in one project.
pub(crate) struct Workplace {
    parent: PathBuf,
    owner: String,
    next: AtomicU32,
    _lock: File,
}

impl Workplace {
    /// Claims a name for this process.
    pub(crate) fn open(project: &Path) -> io::Result<Self> {
        let parent = project.join(".tapeout/work");
        fs::create_dir_all(&parent)?;
        for n in 0.. {
            let owner = format!("{}_{n}", std::process::id());
            match OpenOptions::new().write(true).create_new(true).open(lock_path(&parent, &owner)) {
                // Somebody who sweeps may have been faster with the lock: then the name is lost.
                Ok(lock) if lock.try_lock().is_ok() => {
                    return Ok(Self { parent, owner, next: AtomicU32::new(0), _lock: lock });
                }
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        unreachable!("there are more numbers than lock files")
    }

    /// A fresh directory.
    pub(crate) fn dir(&self) -> io::Result<WorkDir> {
        let name = format!("{}-{}", self.owner, self.next.fetch_add(1, Ordering::Relaxed));
        let tmp_name = format!("{name}.tmp");
        let dir = WorkDir {
            path: self.parent.join(&name),
            tmp: self.parent.join(&tmp_name),
            tmp_from_here: format!("../{tmp_name}"),
            kept: false,
        };
        fs::create_dir(&dir.path)?;
        fs::create_dir(&dir.tmp)?;
        Ok(dir)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // Best effort: without its lock the file says nothing.
        let _ = fs::remove_file(lock_path(&self.parent, &self.owner));
    }
}

fn lock_path(parent: &Path, owner: &str) -> PathBuf {
    parent.join(format!("{owner}.lock"))
}

/// A fresh directory for one invocation. Removed when dropped unless kept.
pub(crate) struct WorkDir {
    pub(crate) path: PathBuf,
    tmp: PathBuf,
    /// The private `TMPDIR`, from the work directory: not every tool takes a path with blanks, which that of the project
    /// may have.
    pub(crate) tmp_from_here: String,
    kept: bool,
}

impl WorkDir {
    /// Leaves the directory where it is, for looking at.
    pub(crate) fn keep(mut self) -> PathBuf {
        self.kept = true;
        self.path.clone()
    }
}

impl Drop for WorkDir {
    fn drop(&mut self) {
        // Best effort: what stays behind is removed when the next tapeout starts here.
        let _ = fs::remove_dir_all(&self.tmp);
        if !self.kept {
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// Removes the work directories of processes that are gone.
pub(crate) fn sweep(project: &Path) {
    let parent = project.join(".tapeout/work");
    let Ok(listing) = fs::read_dir(&parent) else { return };
    let names: Vec<String> = listing.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    let alive: HashSet<&str> = (names.iter().filter_map(|name| name.strip_suffix(".lock")))
        .filter(|owner| !is_abandoned(&lock_path(&parent, owner)))
        .collect();
    for name in &names {
        let owner = name.strip_suffix(".lock").unwrap_or(name.split('-').next().unwrap_or(name));
        if !alive.contains(owner) {
            let path = parent.join(name);
            let _ = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        }
    }
}

fn is_abandoned(lock: &Path) -> bool {
    File::open(lock).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_dead_process_left_is_swept_and_what_a_living_one_has_is_not() {
        let project = tempfile::tempdir().unwrap();
        let work = project.path().join(".tapeout/work");
        let alive = Workplace::open(project.path()).unwrap();
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
}
