//! The mill as a process: started, watched, killed, and what it said.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::measure;

/// A variable that tools get from the environment of tapeout and that no key depends on, as a licence server's. What has
/// it was started by a certain run.
const MARK: &str = "TORTURE_LICENSE_FILE";

/// A run takes a second or two. One that takes this long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a running mill is looked at.
const PERIOD: Duration = Duration::from_micros(500);

/// A mill that runs, or ran.
pub(super) struct Mill {
    child: Child,
    /// What marks its processes.
    pub(super) tag: String,
    /// The file to which it speaks.
    pub(super) words: PathBuf,
    errors: PathBuf,
    started: Instant,
}

/// What a mill came to.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    /// It did not end by itself.
    pub(super) hung: bool,
    pub(super) wall: Duration,
    pub(super) tag: String,
    /// The jobs that it said were done, and whether each ran.
    pub(super) done: BTreeMap<String, bool>,
    /// What else it said: failures, and errors.
    pub(super) words: String,
    /// How many damages it told of.
    pub(super) damages: usize,
}

impl Mill {
    /// Starts it for the project `dir`, whose tools are the first on `PATH`, with these further arguments. Its words go to
    /// files in `log`, where they remain until the next one's.
    pub(super) fn start(program: &Path, dir: &Path, args: &[&OsStr], log: &Path, tag: String) -> io::Result<Self> {
        fs::create_dir_all(log)?;
        let (words, errors) = (log.join("words"), log.join("errors"));
        let mut command = Command::new(program);
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = iter::once(dir.join("tools")).chain(env::split_paths(&path));
        command.env("PATH", env::join_paths(folders).map_err(io::Error::other)?);
        command.arg(dir).args(args).env(MARK, &tag).stdin(Stdio::null());
        let child = command.stdout(File::create(&words)?).stderr(File::create(&errors)?).spawn()?;
        Ok(Self { child, tag, words, errors, started: Instant::now() })
    }

    /// Sleeps, but not beyond its end. `false`: it has ended.
    pub(super) fn sleep(&mut self, time: Duration) -> io::Result<bool> {
        let until = Instant::now() + time;
        self.while_running(|| Instant::now() < until, PERIOD.min(time / 4))
    }

    /// Waits until something is so, or it has ended. `false`: it has ended.
    pub(super) fn while_running(&mut self, mut goes_on: impl FnMut() -> bool, period: Duration) -> io::Result<bool> {
        while goes_on() {
            if self.child.try_wait()?.is_some() {
                return Ok(false);
            }
            thread::sleep(period);
        }
        Ok(self.child.try_wait()?.is_none())
    }

    /// Kills it, unless it has ended.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
    }

    /// Halts it, or lets it go on. It must not have been waited for.
    pub(super) fn halt(&self, halted: bool) {
        self.signal(self.child.id(), if halted { libc::SIGSTOP } else { libc::SIGCONT });
    }

    /// Kills its guard, if it has one. `false`: it had none.
    pub(super) fn kill_guard(&mut self) -> io::Result<bool> {
        if self.child.try_wait()?.is_some() {
            return Ok(false);
        }
        let Some(guard) = self.guard() else { return Ok(false) };
        self.signal(guard, libc::SIGKILL);
        Ok(true)
    }

    /// What it has said so far.
    fn said(&self) -> io::Result<String> {
        fs::read_to_string(&self.words)
    }

    /// The jobs that it has said are done, so far.
    pub(super) fn done(&self) -> io::Result<Vec<String>> {
        let said = self.said()?;
        let done = said.lines().filter_map(|line| line.strip_prefix("done ")?.split(' ').next());
        Ok(done.map(str::to_owned).collect())
    }

    fn signal(&self, pid: u32, signal: libc::c_int) {
        measure::signal(libc::pid_t::try_from(pid).expect("process ids are pid_t"), signal);
    }

    /// The guard among its children: by its name, as its first moments are those of a copy of the mill.
    fn guard(&self) -> Option<u32> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
        let children = tasks.flatten().filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
        let children: Vec<u32> = children
            .flat_map(|list| list.split_whitespace().filter_map(|pid| pid.parse().ok()).collect::<Vec<_>>())
            .collect();
        children.into_iter().find(|pid| {
            fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "tapeout-guard")
        })
    }

    /// Waits for its end; one that hangs is killed.
    pub(super) fn wait(mut self) -> io::Result<Ended> {
        let give_up = self.started + PATIENCE;
        let hung = self.while_running(|| Instant::now() < give_up, Duration::from_millis(1))?;
        if hung {
            self.child.kill()?;
        }
        let status = self.child.wait()?;
        let said = self.said()?;
        let errors = String::from_utf8_lossy(&fs::read(&self.errors)?).into_owned();
        let mut ended = Ended {
            status,
            hung,
            wall: self.started.elapsed(),
            tag: self.tag,
            done: BTreeMap::new(),
            words: errors,
            damages: 0,
        };
        for line in said.lines() {
            match line.split_whitespace().collect::<Vec<_>>()[..] {
                ["done", name, how] => _ = ended.done.insert(name.to_owned(), how == "ran"),
                ["damaged", ..] => {
                    ended.damages += 1;
                    ended.words.push_str(line);
                    ended.words.push('\n');
                }
                _ => {
                    ended.words.push_str(line);
                    ended.words.push('\n');
                }
            }
        }
        Ok(ended)
    }
}

impl Ended {
    /// Whether it broke, whatever else it did.
    pub(super) fn panicked(&self) -> bool {
        self.status.code() == Some(101) || self.words.contains("panicked") || self.words.contains("broke:")
    }
}

/// The processes that a run with this mark has left, as they are called.
pub(super) fn marked(tag: &str) -> Vec<String> {
    let wanted = format!("{MARK}={tag}");
    let is_marked = |pid: &str| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes())
    };
    let called = |pid: &str| {
        let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        format!("{pid}: {}", String::from_utf8_lossy(&command).replace('\0', " "))
    };
    let listing = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = listing.filter_map(|entry| entry.file_name().into_string().ok());
    let pids = pids.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    pids.filter(|pid| is_marked(pid)).map(|pid| called(&pid)).collect()
}
