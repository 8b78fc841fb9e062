//! Control groups (version 2) for jobs, where the user has been given a subtree: the kernel then counts the memory of each
//! job's tree, and kills it in one go.
//!
//! A group that holds processes cannot have its children's memory counted, so the guard's own group is never the place;
//! the one above it is, if the user may write to it and its children's memory is counted already. Nothing is switched on
//! in a group that somebody else made. Version 1 has no kill and no safe delegation, and is not used.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use crate::wire::JobId;

/// How long to wait for what `cgroup.kill` has killed to be gone.
const GIVE_UP: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(1);

/// The groups of one guard's jobs. Dropped, it goes away, if nothing is left in it.
pub(crate) struct Groups {
    dir: PathBuf,
}

/// The group of one job. Likewise.
pub(crate) struct Group {
    dir: PathBuf,
    handle: OwnedFd,
}

impl Groups {
    /// Makes room for the jobs of a guard; `None` where the user has been given no subtree, or the kernel is too old
    /// (before 5.19).
    pub(crate) fn make(tag: &str) -> Option<Self> {
        Self::make_in(&place()?, tag)
    }

    fn make_in(place: &Path, tag: &str) -> Option<Self> {
        if !lists(&place.join("cgroup.subtree_control"), "memory") {
            return None;
        }
        let dir = place.join(name(tag));
        fs::create_dir(&dir).ok()?;
        let groups = Self { dir };
        fs::write(groups.dir.join("cgroup.subtree_control"), "+memory").ok()?;
        groups.is_of_use().then_some(groups)
    }

    fn is_of_use(&self) -> bool {
        self.job(0).is_ok_and(|job| ["memory.peak", "cgroup.kill"].iter().all(|file| job.dir.join(file).exists()))
    }

    /// Makes the group of a job.
    pub(crate) fn job(&self, id: JobId) -> io::Result<Group> {
        let dir = self.dir.join(id.to_string());
        fs::create_dir(&dir)?;
        let handle = rustix::fs::open(&dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        match handle {
            Ok(handle) => Ok(Group { dir, handle }),
            Err(error) => {
                let _ = fs::remove_dir(&dir);
                Err(error.into())
            }
        }
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

impl Group {
    /// For a process to be started in it.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }

    /// The most that its processes have used together.
    pub(crate) fn peak_kib(&self) -> Option<u64> {
        let bytes: u64 = fs::read_to_string(self.dir.join("memory.peak")).ok()?.trim().parse().ok()?;
        Some(bytes.div_ceil(1024))
    }

    /// Kills all that is in it.
    pub(crate) fn kill(&self) {
        // Where that fails, the guard has its own way, which it goes anyhow.
        let _ = kill(&self.dir);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Kills what is left in the groups of a guard that is gone, and removes them.
pub(crate) fn remove(tag: &str) {
    if let Some(place) = place() {
        remove_in(&place, tag);
    }
}

fn remove_in(place: &Path, tag: &str) {
    // A tag that is no file name is nobody's.
    if Path::new(tag).components().map(Component::as_os_str).ne([tag]) {
        return;
    }
    let dir = place.join(name(tag));
    let give_up_at = Instant::now() + GIVE_UP;
    while kill(&dir).is_ok() && Instant::now() < give_up_at {
        for job in fs::read_dir(&dir).into_iter().flatten().flatten() {
            let _ = fs::remove_dir(job.path());
        }
        if fs::remove_dir(&dir).is_ok() {
            return;
        }
        std::thread::sleep(PAUSE);
    }
}

fn kill(dir: &Path) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).open(dir.join("cgroup.kill"))?;
    io::Write::write_all(&mut file, b"1")
}

fn name(tag: &str) -> String {
    format!("tapeout-{tag}")
}

/// The group above this process's own.
fn place() -> Option<PathBuf> {
    let text = |file: &str| fs::read_to_string(Path::new("/proc/self").join(file)).ok();
    Some(own_dir(&text("cgroup")?, &text("mountinfo")?)?.parent()?.to_owned())
}

/// Where this process's own group is, by what `/proc/self/cgroup` and `/proc/self/mountinfo` say; `None` also for the
/// topmost group that can be seen, above which there is nothing of ours.
fn own_dir(cgroup: &str, mountinfo: &str) -> Option<PathBuf> {
    let own = Path::new(cgroup.lines().find_map(|line| line.strip_prefix("0::"))?);
    mountinfo.lines().find_map(|line| {
        // proc_pid_mountinfo(5): `… root mountpoint options… - type …`.
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(3);
        let (root, mount) = (fields.next()?, fields.next()?);
        let below = own.strip_prefix(root).ok()?;
        let is_below = below.components().next().is_some() && below.components().all(|c| c != Component::ParentDir);
        (after.starts_with("cgroup2 ") && is_below).then(|| Path::new(mount).join(below))
    })
}

/// Whether a word is in a file of words.
fn lists(file: &Path, word: &str) -> bool {
    fs::read_to_string(file).is_ok_and(|text| text.split_ascii_whitespace().any(|found| found == word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOUNTS: &str = "25 30 0:23 / /sys rw,nosuid shared:7 - sysfs sysfs rw\n\
                          36 25 0:31 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

    #[test]
    fn the_own_group_is_found_through_its_mount() {
        let found = |cgroup, mounts| own_dir(cgroup, mounts).map(|dir| dir.display().to_string());
        let scope = "0::/user.slice/user@1000.service/app.slice/x.scope\n";
        let dir = "/sys/fs/cgroup/user.slice/user@1000.service/app.slice/x.scope";
        assert_eq!(found(scope, MOUNTS).as_deref(), Some(dir));
        // Both versions side by side.
        let hybrid = format!("4:memory:/jobs/1\n1:name=systemd:/x\n{scope}");
        let mounts = MOUNTS.replace("/sys/fs/cgroup ", "/sys/fs/cgroup/unified ");
        assert_eq!(found(&hybrid, &mounts), Some(dir.replace("/cgroup/", "/cgroup/unified/")));
        // A container that has a part of the tree.
        let part = MOUNTS.replace("0:31 / ", "0:31 /user.slice ");
        assert_eq!(found(scope, &part), Some(dir.replace("/user.slice", "")));
        for (cgroup, mounts) in [
            ("4:memory:/jobs/1\n", MOUNTS),
            ("0::/\n", MOUNTS),
            ("0::/../elsewhere\n", MOUNTS),
            ("0::/other.slice/x\n", &part),
            (scope, "25 30 0:23 / /sys rw - sysfs sysfs rw\n"),
        ] {
            assert_eq!(found(cgroup, mounts), None, "{cgroup} {mounts}");
        }
    }

    #[test]
    fn groups_are_made_only_where_memory_is_counted() {
        let place = tempfile::tempdir().unwrap();
        let control = place.path().join("cgroup.subtree_control");
        for (given, made) in
            [(None, false), (Some("cpu io pids memory_recursiveprot\n"), false), (Some("cpu memory\n"), true)]
        {
            given.inspect(|text| fs::write(&control, text).unwrap());
            // Plain directories have no `memory.peak`, as those of an old kernel: tried, and left as they were found.
            assert!(Groups::make_in(place.path(), "tag").is_none());
            assert_eq!(place.path().join("tapeout-tag/cgroup.subtree_control").exists(), made);
        }
    }

    #[test]
    fn a_job_has_its_group_until_it_is_dropped() {
        let place = tempfile::tempdir().unwrap();
        let groups = Groups { dir: place.path().join("tapeout-tag") };
        fs::create_dir(&groups.dir).unwrap();
        let job = groups.job(7).unwrap();
        assert!(groups.job(7).is_err());
        assert_eq!(job.peak_kib(), None);
        fs::write(job.dir.join("memory.peak"), "1048577\n").unwrap();
        assert_eq!(job.peak_kib(), Some(1025));
        job.kill();
        assert!(!job.dir.join("cgroup.kill").exists(), "it only writes what is there");
        fs::write(job.dir.join("cgroup.kill"), "").unwrap();
        job.kill();
        assert_eq!(fs::read_to_string(job.dir.join("cgroup.kill")).unwrap(), "1");
        fs::remove_file(job.dir.join("cgroup.kill")).unwrap();
        fs::remove_file(job.dir.join("memory.peak")).unwrap();
        let dir = groups.dir.clone();
        drop(job);
        assert!(!dir.join("7").exists() && dir.exists());
        drop(groups);
        assert!(!dir.exists());
    }

    #[test]
    fn only_what_is_a_guards_is_removed() {
        let place = tempfile::tempdir().unwrap();
        let outside = place.path().join("outside");
        fs::create_dir_all(place.path().join("tapeout-x")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("cgroup.kill"), "").unwrap();
        remove_in(place.path(), "x/../outside");
        remove_in(place.path(), "none");
        assert_eq!(fs::read_to_string(outside.join("cgroup.kill")).unwrap(), "");
    }
}
