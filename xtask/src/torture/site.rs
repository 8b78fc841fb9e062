//! A site: a world on disk with the store that tapeout keeps of it, what is known to be recorded there, and the checks that
//! every run has to pass.

use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Report;
use super::expect::expect;
use super::mill::{self, Ended, Mill};
use super::random::Random;
use super::world::World;

/// So many results of one key are kept.
const KEPT: usize = 16;

/// How long the end of what was killed may take.
const ORPHANS_END: Duration = Duration::from_secs(5);

/// Where tapeout runs, is killed and runs again.
pub(super) struct Site {
    program: PathBuf,
    /// The project.
    pub(super) dir: PathBuf,
    pub(super) world: World,
    /// Where the cache is that it shares with others, if any.
    pub(super) shared: Option<String>,
    /// What each job's tool has read when it ran, newest last, as far as the results must be recorded.
    recorded: BTreeMap<String, VecDeque<String>>,
    /// How much of the log of started tools is known.
    log_read: usize,
    runs: usize,
    /// How long a run takes that has something to do.
    pub(super) typical: Duration,
}

/// The jobs whose tools started, and how often each.
pub(super) type Started = BTreeMap<String, usize>;

/// What a run may do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum May {
    /// Nothing but complete.
    Complete,
    /// End early, or with failures.
    Fail,
}

impl Site {
    /// A new site in a directory that is not there yet.
    pub(super) fn new(program: &Path, dir: PathBuf, random: &mut Random, jobs: usize) -> io::Result<Self> {
        let world = World::new(random, jobs);
        world.write(&dir)?;
        Ok(Self {
            program: program.to_owned(),
            dir,
            world,
            shared: None,
            recorded: BTreeMap::new(),
            log_read: 0,
            runs: 0,
            typical: Duration::from_millis(500),
        })
    }

    /// The same world without what was recorded, in another directory.
    pub(super) fn clean_copy(&self, dir: PathBuf) -> io::Result<Self> {
        self.world.write(&dir)?;
        let program = self.program.clone();
        let (world, recorded) = (self.world.clone(), BTreeMap::new());
        Ok(Self { program, dir, world, shared: None, recorded, log_read: 0, runs: 0, typical: self.typical })
    }

    /// The same world with another store of which all is expected that was recorded here, in another directory.
    pub(super) fn copy_with_store(&self, dir: PathBuf, store: &Path) -> io::Result<Self> {
        let mut copy = self.clean_copy(dir)?;
        copy.recorded.clone_from(&self.recorded);
        fs::create_dir_all(copy.dir.join(".tapeout"))?;
        fs::rename(store, copy.store())?;
        Ok(copy)
    }

    pub(super) fn store(&self) -> PathBuf {
        self.dir.join(".tapeout/store")
    }

    /// Where the files are that do not belong to the project.
    fn beside(&self, what: &str) -> PathBuf {
        let mut name = self.dir.clone().into_os_string();
        name.push(format!(".{what}"));
        name.into()
    }

    /// Where the last run has put what its jobs made.
    pub(super) fn outputs(&self) -> PathBuf {
        self.beside("made0")
    }

    /// Edits so many things. Says what.
    pub(super) fn edit(&mut self, random: &mut Random, times: usize) -> io::Result<String> {
        let edits: Vec<String> = (0..times).map(|_| self.world.edit(random, &self.dir)).collect::<Result<_, _>>()?;
        Ok(edits.join(", "))
    }

    /// Starts a run. `place`: of those at the same time, its number.
    pub(super) fn start(&mut self, place: usize) -> io::Result<Mill> {
        let outputs = self.beside(&format!("made{place}"));
        match fs::remove_dir_all(&outputs) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut args = vec![outputs.as_os_str()];
        let shared = self.shared.clone();
        if let Some(location) = &shared {
            args.extend([OsStr::new("--shared"), OsStr::new(location)]);
        }
        if self.runs % 7 == 3 {
            args.push(OsStr::new("--collect"));
        }
        self.start_with(place, &args)
    }

    fn start_with(&mut self, place: usize, args: &[&OsStr]) -> io::Result<Mill> {
        self.runs += 1;
        let name = self.dir.file_name().expect("sites have names").to_string_lossy();
        let tag = format!("{}-{name}-{}", std::process::id(), self.runs);
        Mill::start(&self.program, &self.dir, args, &self.beside(&format!("log{place}")), tag)
    }

    /// Has everything in the store checked, and what is damaged removed.
    pub(super) fn verify(&mut self, report: &mut Report, after: &str) -> io::Result<()> {
        let ended = self.start_with(0, &[OsStr::new("--verify")])?.wait()?;
        let after = format!("a check of the store after {after}");
        self.check(report, &ended, &Started::new(), May::Complete, &after);
        report.told += ended.damages;
        Ok(())
    }

    /// Runs until all that was damaged has been found and made again: a damaged blob shows when it is read, and then a run
    /// may end with an error that says so. Each run finds one at least. Then nothing is damaged any more.
    pub(super) fn recover(&mut self, report: &mut Report, damages: usize, after: &str) -> io::Result<Ended> {
        for _ in 0..damages {
            self.forget();
            let ended = self.start(0)?.wait()?;
            let started = self.started()?;
            self.check(report, &ended, &started, May::Fail, after);
            self.check_outputs(report, 0, May::Fail, after)?;
            let told = ended.words.lines().filter(|line| line.contains("damaged") || line.contains("is gone")).count();
            report.told += told;
            if ended.status.success() {
                break;
            }
            if told == 0 {
                report.incomplete(&format!("after {after}: {}", ended.words));
            }
        }
        self.verify(report, after)?;
        self.forget();
        self.complete(report, after)
    }

    /// Runs without disturbance and checks all.
    pub(super) fn complete(&mut self, report: &mut Report, after: &str) -> io::Result<Ended> {
        let ended = self.start(0)?.wait()?;
        let started = self.started()?;
        self.check(report, &ended, &started, May::Complete, after);
        self.check_outputs(report, 0, May::Complete, after)?;
        self.check_orphans(report, &ended.tag, after);
        if ended.done.values().any(|ran| *ran) {
            self.typical = (self.typical + ended.wall) / 2;
        }
        Ok(ended)
    }

    /// Checks how a run ended, that it started nothing which was recorded, and takes down what it recorded.
    pub(super) fn check(&mut self, report: &mut Report, ended: &Ended, started: &Started, may: May, after: &str) {
        if ended.panicked() {
            report.panicked(&format!("after {after}: {}", ended.words));
        }
        if ended.hung {
            report.incomplete(&format!("after {after}: it did not end"));
        }
        if may == May::Complete && !ended.status.success() && !ended.hung {
            report.incomplete(&format!("after {after}: {}\n{}", ended.status, ended.words));
        }
        let expected = expect(&self.world);
        for (name, times) in started {
            let Some(expected) = expected.get(name) else {
                report.wrong(&format!("after {after}: {name} ran, which nothing asks for"));
                continue;
            };
            if self.recorded.get(name).is_some_and(|recorded| recorded.contains(&expected.reads)) {
                report.lost(&format!("after {after}: {name} ran {times} times, though its result was recorded"));
            }
        }
        self.note_recorded(ended.done.keys());
    }

    /// Takes down that the results of these jobs are recorded, in the world as it is.
    pub(super) fn note_recorded<'n>(&mut self, names: impl Iterator<Item = &'n String>) {
        let expected = expect(&self.world);
        for name in names {
            if let Some(expected) = expected.get(name) {
                let recorded = self.recorded.entry(name.clone()).or_default();
                if !recorded.contains(&expected.reads) {
                    recorded.push_back(expected.reads.clone());
                    recorded.drain(..recorded.len().saturating_sub(KEPT));
                }
            }
        }
    }

    /// Takes down that all that is recorded at another site of the same jobs can be had here, too.
    pub(super) fn has_what(&mut self, other: &Self) {
        for (name, reads) in &other.recorded {
            let recorded = self.recorded.entry(name.clone()).or_default();
            for reads in reads {
                if !recorded.contains(reads) {
                    recorded.push_back(reads.clone());
                }
            }
            recorded.drain(..recorded.len().saturating_sub(KEPT));
        }
    }

    /// Whether one of these jobs of another site, as its world is, need not have started with what is recorded here.
    pub(super) fn has_one_of(&self, other: &Self, started: &Started) -> bool {
        let expected = expect(&other.world);
        let is_recorded = |name: &String| {
            expected.get(name).zip(self.recorded.get(name)).is_some_and(|(job, recorded)| recorded.contains(&job.reads))
        };
        started.keys().any(is_recorded)
    }

    /// The jobs whose tools started since this was last asked, and how often.
    pub(super) fn started(&mut self) -> io::Result<Started> {
        let log = self.log()?;
        let mut started = Started::new();
        for name in log[self.log_read.min(log.len())..].lines() {
            *started.entry(name.to_owned()).or_default() += 1;
        }
        self.log_read = log.len();
        // Where the disk was full, a line may have been cut off.
        started.retain(|name, _| self.world.all_jobs().any(|job| job.name == *name));
        Ok(started)
    }

    /// The log of started tools.
    pub(super) fn log(&self) -> io::Result<String> {
        match fs::read_to_string(self.dir.join("ran.log")) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            read => read,
        }
    }

    /// Nothing is known to be recorded any more.
    pub(super) fn forget(&mut self) {
        self.recorded.clear();
    }

    /// Checks what a run has put in place, byte by byte.
    pub(super) fn check_outputs(&self, report: &mut Report, place: usize, may: May, after: &str) -> io::Result<()> {
        let outputs = self.beside(&format!("made{place}"));
        for (name, expected) in expect(&self.world) {
            let read = |kind: &str| match fs::read(outputs.join(format!("{name}.{kind}"))) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                read => read.map(Some),
            };
            // A job that was asked for is shown when the one that asked ran.
            let is_asked = !self.world.jobs.iter().any(|job| job.name == name);
            let Some(out) = read("out")? else {
                if !is_asked && may == May::Complete {
                    report.wrong(&format!("after {after}: {name} has no output"));
                }
                continue;
            };
            let spare = read("spare")?;
            let is_spare_missing = spare.is_none() && may == May::Fail;
            if out != expected.out || (!is_spare_missing && spare != expected.spare.map(String::into_bytes)) {
                let (found, wanted) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&expected.out));
                let mut lines = found.lines().zip(wanted.lines()).filter(|(found, wanted)| found != wanted);
                let (found, wanted) = lines.next().unwrap_or(("another length", "all of it, or its spare"));
                report.wrong(&format!("after {after}: {name} made `{found}` instead of `{wanted}`"));
            }
        }
        Ok(())
    }

    /// Checks that all processes of a run end.
    pub(super) fn check_orphans(&self, report: &mut Report, tag: &str, after: &str) {
        let give_up = Instant::now() + ORPHANS_END;
        loop {
            let orphans = mill::marked(tag);
            if orphans.is_empty() {
                return;
            }
            if Instant::now() > give_up {
                return report.orphans(&format!("after {after}: {}", orphans.join("; ")));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
