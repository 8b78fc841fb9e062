//! The run tree: views of recorded results as people know them, `runs/<tag>/NN-step-id/` and `final/`.
//!
//! Everything here can be made again from the store. A directory appears whole or not at all: it is made under another
//! name and renamed, unless one file is all that it has. `.views` says which result each directory shows and what `stat` said of its files, so that an
//! unchanged tree is only looked at.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{AtFlags, Mode, OFlags, Stat, mkdirat, openat, statat};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tapeout_engine::{Failure, KeyHasher};
use tapeout_model::{Class, Digest, Output, Read, State, metrics_csv, metrics_json};
use tapeout_store::{Entry, Store};

use crate::settings::Says;
use crate::{Comparison, InRange, PlannedStep};

const VIEWS: &str = ".views";
pub(crate) const LOCK: &str = ".lock";
const LOCK_PATIENCE: Duration = Duration::from_millis(300);
const STATE_IN: &str = "state_in.json";
const STATE_OUT: &str = "state_out.json";
const CONFIG: &str = "config.json";

/// What a directory of the tree shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Shown {
    /// The result; none where everything is a person's.
    result: Option<Digest>,
    /// Its files.
    files: Vec<(String, ShownFile)>,
    /// The modification time of the directory when the states around the step had been written, as what it had last: as
    /// long as it is the same, nothing was added and nothing removed.
    listed: Option<(i64, i64)>,
    /// Whether the states around the step were there when it was last looked at.
    #[serde(skip)]
    has_states: bool,
}

/// A file as it was when it was shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct ShownFile {
    stamp: Stamp,
    /// Its content, where that is recorded; what is only written for people has none.
    digest: Option<Digest>,
}

/// Size and modification time (seconds, nanoseconds) of a file.
type Stamp = (u64, i64, i64);

/// What people did to the files of a directory since they were shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Touched {
    /// Changed by content.
    edited: Vec<String>,
    /// Added.
    added: Vec<String>,
    /// Removed.
    missing: bool,
    /// Something has another time stamp.
    stamped: bool,
    /// The states around the step are there.
    has_states: bool,
}

/// What a directory of the tree has.
#[derive(Default)]
struct Found {
    /// Its files, without the states, which depend on other steps.
    files: BTreeMap<String, Stamp>,
    /// Whether the states are there.
    has_states: bool,
}

/// Files of the tree that were edited, and where they were put before the recorded ones were shown again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The directory in the run.
    pub dir: String,
    /// Its edited files.
    pub files: Vec<String>,
    /// Where the directory is now, in the run.
    pub kept: String,
}

/// The tree of one run. It is locked as long as this lives.
pub(crate) struct RunTree {
    root: PathBuf,
    shown: HashMap<String, Shown>,
    /// The directories that keep failed attempts, once somebody has asked for one.
    failed: Option<BTreeSet<String>>,
    changed: bool,
    edited: Vec<Edited>,
    /// The folders of directories that are known to be there.
    folders: HashSet<String>,
    /// The root itself, to look at what is in it.
    dir: File,
    _lock: File,
}

pub(crate) fn disk(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let action = format!("{action} `{}`", path.display());
    move |error| Failure::io(&action, &error)
}

impl RunTree {
    /// Opens the tree for writing.
    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(root).map_err(disk("create", root))?;
        let path = root.join(LOCK);
        let mut lock = File::create(&path).map_err(disk("create", &path))?;
        // Who only asks whether a run goes on has the lock for an instant; who removes an old run takes its lock along.
        let until = Instant::now() + LOCK_PATIENCE;
        let is_there = |lock: &File| {
            let numbers = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
            matches!((lock.metadata(), fs::metadata(&path)), (Ok(a), Ok(b)) if numbers(a.clone()) == numbers(b.clone()))
        };
        while lock.try_lock().is_err() || !is_there(&lock) {
            if Instant::now() > until {
                let message = format!("another tapeout is running in `{}`", root.display());
                return Err(Failure::new(Class::Environment, message)
                    .hint("wait for it, or give this run a tag of its own with `--tag`"));
            }
            thread::sleep(Duration::from_millis(10));
            fs::create_dir_all(root).map_err(disk("create", root))?;
            lock = File::create(&path).map_err(disk("create", &path))?;
        }
        Ok(Self {
            root: root.to_owned(),
            shown: shown_in(root),
            failed: None,
            changed: false,
            edited: Vec::new(),
            folders: HashSet::new(),
            dir: File::open(root).map_err(disk("open", root))?,
            _lock: lock,
        })
    }

    /// Whether another process is writing the tree.
    pub(crate) fn is_in_use(root: &Path) -> bool {
        File::open(root.join(LOCK)).is_ok_and(|lock| lock.try_lock_shared().is_err())
    }

    /// What was edited, and moved aside to show what is recorded.
    pub(crate) fn take_edited(&mut self) -> Vec<Edited> {
        std::mem::take(&mut self.edited)
    }

    /// Shows a step's result. `maker` finds the other step that has made a file.
    pub(crate) fn show_step(
        &mut self,
        store: &Store,
        step: &PlannedStep,
        entry: &Entry,
        maker: impl Fn(&Output) -> Option<Arc<PlannedStep>>,
    ) -> Result<(), Failure> {
        // A failed attempt is behind us once there is a result; what is held has none that is newer.
        if step.in_range != InRange::Held {
            self.remove_failed(&step.dir)?;
        }
        // Links lead into directories whose names are those of other steps.
        let mut result = KeyHasher::new("step");
        result.digest(Some(&entry.id_with_attempt()));
        entry.attempt().inputs.iter().filter_map(&maker).for_each(|other| _ = result.text(&other.dir));
        let result = result.finish();
        let config = pretty(&own_config(step, variables_read(step, entry)))?;
        if !self.shows(&step.dir) && has_no_files(entry) && self.show_one_file(&step.dir, &result, (CONFIG, &config))? {
            return Ok(());
        }
        self.show(store, &step.dir, result, true, &|name| digest_of(entry, name), |dir| {
            for output in &entry.record().outputs {
                store.materialise(output, &dir.join(&output.path))?;
            }
            for input in &entry.attempt().inputs {
                let to = dir.join(&input.path);
                match maker(input) {
                    Some(other) => {
                        let up = "../".repeat(Path::new(&input.path).components().count());
                        let target = Path::new(&up).join(&other.dir).join(&input.path);
                        if let Some(folder) = to.parent() {
                            fs::create_dir_all(folder).map_err(disk("create", folder))?;
                        }
                        symlink(&target, &to).map_err(disk("link", &to))?;
                    }
                    None => store.materialise(input, &to)?,
                }
            }
            if let Some(log) = &entry.attempt().log {
                store.materialise(log, &dir.join(&log.path))?;
            }
            if !entry.attempt().commands.is_empty() {
                write_new(&dir.join("COMMANDS"), &entry.attempt().commands)?;
            }
            write_new(&dir.join(CONFIG), &config)
        })
    }

    /// Makes a directory that is not there yet and has one file. Gives whether it could; else nothing was done. One that a
    /// killed run left without that file is not known to show anything.
    pub(crate) fn show_one_file(
        &mut self,
        dir: &str,
        result: &Digest,
        (name, text): (&str, &str),
    ) -> Result<bool, Failure> {
        let action = |action: &str, at: &str| {
            let action = format!("{action} `{}`", self.root.join(at).display());
            move |error: Errno| Failure::io(&action, &error.into())
        };
        let create_dir = |dir: &str| match mkdirat(&self.dir, dir, Mode::from_raw_mode(0o777)) {
            Ok(()) => Ok(true),
            Err(Errno::EXIST) => Ok(false),
            Err(error) => Err(action("create", dir)(error)),
        };
        // To make what is there costs as much as to make what lacks its folder, and folders are made once.
        if let Some((folder, _)) = dir.rsplit_once('/')
            && self.folders.insert(folder.to_owned())
        {
            create_dir(folder)?;
        }
        if !create_dir(dir)? {
            return Ok(false);
        }
        let path = format!("{dir}/{name}");
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let file = openat(&self.dir, &path, flags, Mode::from_raw_mode(0o666)).map_err(action("write", &path))?;
        let mut file = File::from(file);
        let metadata = file.write_all(text.as_bytes()).and_then(|()| file.metadata());
        let stamp = stamp(&metadata.map_err(disk("write", &self.root.join(&path)))?);
        let files = vec![(name.to_owned(), ShownFile { stamp, digest: None })];
        self.shown.insert(dir.to_owned(), Shown { result: Some(*result), files, ..Shown::default() });
        self.changed = true;
        Ok(true)
    }

    /// Shows something in a directory of the tree, unless it is there already. `digest` knows the recorded content of a
    /// file. `adds`: whether people may add files.
    pub(crate) fn show(
        &mut self,
        store: &Store,
        dir: &str,
        result: Digest,
        adds: bool,
        digest: &dyn Fn(&str) -> Option<Digest>,
        make: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let path = self.root.join(dir);
        let is_shown = self.shown.get(dir).is_some_and(|shown| shown.result == Some(result));
        if let Some(shown) = self.shown.get_mut(dir).filter(|shown| is_shown && is_untouched(&self.dir, dir, shown)) {
            shown.has_states = true;
            return Ok(());
        }
        let touched = self.shown.get(dir).map(|shown| touched(store, &path, shown)).unwrap_or_default();
        if is_shown && !touched.missing && touched.edited.is_empty() && (adds || touched.added.is_empty()) {
            if touched.stamped {
                self.note(dir, result, digest);
            } else if let Some(shown) = self.shown.get_mut(dir) {
                shown.has_states = touched.has_states;
            }
            return Ok(());
        }
        let new = self.root.join(hidden(dir, "new"));
        let old = self.root.join(hidden(dir, "old"));
        fs::create_dir(&new)
            .or_else(|error| match error.kind() {
                // What a killed run has left.
                io::ErrorKind::AlreadyExists => fs::remove_dir_all(&new).and_then(|()| fs::create_dir(&new)),
                io::ErrorKind::NotFound => fs::create_dir_all(&new),
                _ => Err(error),
            })
            .map_err(disk("create", &new))?;
        make(&new)?;
        // Most often there is nothing in its place: trying costs less than looking first.
        if fs::rename(&new, &path).is_err() {
            self.make_room(dir, &path, &old, touched)?;
            fs::rename(&new, &path).map_err(disk("replace", &path))?;
            if old.exists() {
                fs::remove_dir_all(&old).map_err(disk("remove", &old))?;
            }
        }
        self.note(dir, result, digest);
        Ok(())
    }

    /// Takes what is in the place of a directory away: aside where a person has made it, else to `old`, to be removed.
    fn make_room(&mut self, dir: &str, path: &Path, old: &Path, touched: Touched) -> Result<(), Failure> {
        if old.exists() {
            fs::remove_dir_all(old).map_err(disk("remove", old))?;
        }
        if path.exists() {
            if touched.edited.is_empty() && touched.added.is_empty() {
                fs::rename(path, old).map_err(disk("replace", path))?;
            } else {
                // What a person made is never thrown away.
                let kept = (1..).map(|n| if n == 1 { format!("{dir}.edited") } else { format!("{dir}.edited-{n}") });
                let kept = kept.into_iter().find(|kept| !self.root.join(kept).exists()).unwrap_or_default();
                fs::rename(path, self.root.join(&kept)).map_err(disk("replace", path))?;
                let files = touched.edited.into_iter().chain(touched.added).collect();
                self.edited.push(Edited { dir: dir.to_owned(), files, kept });
            }
        }
        Ok(())
    }

    /// Notes that a directory shows a result as it is there now.
    fn note(&mut self, dir: &str, result: Digest, digest: &dyn Fn(&str) -> Option<Digest>) {
        let Found { files, has_states } = found_in(&self.root.join(dir));
        let files = files.into_iter().map(|(name, stamp)| {
            let digest = digest(&name);
            (name, ShownFile { stamp, digest })
        });
        self.shown
            .insert(dir.to_owned(), Shown { result: Some(result), files: files.collect(), listed: None, has_states });
        self.changed = true;
    }

    /// Whether a directory without folders shows a result, nothing was added to it and nothing removed, and, where
    /// `files` are looked at, nothing was written.
    pub(crate) fn stands(&self, dir: &str, result: &Digest, files: bool) -> bool {
        let shown = self.shown.get(dir).filter(|shown| shown.result.as_ref() == Some(result));
        shown.is_some_and(
            |shown| if files { is_untouched(&self.dir, dir, shown) } else { is_complete(&self.dir, dir, shown) },
        )
    }

    /// Whether something is shown in a directory.
    pub(crate) fn shows(&self, dir: &str) -> bool {
        self.shown.contains_key(dir)
    }

    /// Notes that a directory is complete: as long as its list of names is as it is now, nothing was added and nothing
    /// removed.
    pub(crate) fn note_listing(&mut self, dir: &str) {
        if let Some(shown) = self.shown.get_mut(dir).filter(|shown| shown.listed.is_none()) {
            shown.listed = listed(&self.dir, dir);
            self.changed = true;
        }
    }

    /// Notes that everything in a directory is a person's.
    pub(crate) fn disown(&mut self, dir: &str) -> Result<(), Failure> {
        self.shown.insert(dir.to_owned(), Shown::default());
        self.changed = true;
        self.close()
    }

    /// Notes that a step's directory, as it is, shows a result: one that was made of its edited files.
    pub(crate) fn adopt(&mut self, dir: &str, entry: &Entry) -> Result<(), Failure> {
        self.note(dir, entry.id_with_attempt(), &|name| digest_of(entry, name));
        self.close()
    }

    /// Whether the states around these steps, whose directories were looked at, are shown already: they follow from what
    /// the directories show.
    pub(crate) fn shows_states(&mut self, dirs: &[&str]) -> bool {
        let mut key = KeyHasher::new("states");
        for dir in dirs {
            key.text(dir).digest(self.shown.get(*dir).and_then(|shown| shown.result.as_ref()));
        }
        let result = Some(key.finish());
        let is_there = |dir: &&str| self.shown.get(*dir).is_some_and(|shown| shown.has_states);
        let shown = self.shown.get(STATES).is_some_and(|shown| shown.result == result) && dirs.iter().all(is_there);
        if !shown {
            self.shown.insert(STATES.to_owned(), Shown { result, ..Shown::default() });
            self.changed = true;
        }
        shown
    }

    /// Writes the states around each step.
    pub(crate) fn show_states(&mut self, states: &[(String, State<String>, State<String>)]) -> Result<(), Failure> {
        for (dir, state_in, state_out) in states {
            for (name, state) in [(STATE_IN, state_in), (STATE_OUT, state_out)] {
                write_first(&self.root.join(dir).join(name), &pretty(&state.to_json())?)?;
            }
            if let Some(shown) = self.shown.get_mut(dir) {
                shown.listed = listed(&self.dir, dir);
                self.changed = true;
            }
        }
        Ok(())
    }

    /// Takes away the directories of steps that are not in the plan any more.
    pub(crate) fn keep_only(&mut self, dirs: &BTreeSet<&str>) -> Result<(), Failure> {
        let gone: Vec<String> = self
            .shown
            .keys()
            .filter(|dir| *dir != FINAL && *dir != STATES && !dirs.contains(dir.as_str()))
            .cloned()
            .collect();
        for dir in gone {
            self.remove_dir(&dir)?;
            self.remove_failed(&dir)?;
            self.shown.remove(&dir);
            self.changed = true;
        }
        Ok(())
    }

    /// Takes away the failed attempt of the step that is shown in a directory, if one is kept.
    fn remove_failed(&mut self, dir: &str) -> Result<(), Failure> {
        let failed = failed_dir(dir);
        let all = self.failed.get_or_insert_with(|| failed_in(&self.root));
        if all.remove(&failed) { self.remove_dir(&failed) } else { Ok(()) }
    }

    /// Takes away the failed attempt that is kept beside a directory.
    pub(crate) fn forget_failed(&self, dir: &str) -> Result<(), Failure> {
        self.remove_dir(&failed_dir(dir))
    }

    fn remove_dir(&self, dir: &str) -> Result<(), Failure> {
        let path = self.root.join(dir);
        if path.exists() {
            fs::remove_dir_all(&path).map_err(disk("remove", &path))?;
        }
        Ok(())
    }

    /// Shows the views of the last state and its metrics in `final/`.
    pub(crate) fn show_final(&mut self, store: &Store, state: &State<Output>) -> Result<(), Failure> {
        let files = state.snapshot(|file| file.path.as_str());
        let mut key = KeyHasher::new("final");
        files.iter().for_each(|(path, file)| _ = key.text(path).digest(Some(&file.digest)));
        let metrics = metrics_json(&state.metrics);
        key.text(&metrics.to_string());
        self.show(store, FINAL, key.finish(), true, &|_| None, |dir| {
            for (path, file) in files {
                store.materialise(file, &dir.join(path))?;
            }
            write_new(&dir.join("metrics.json"), &pretty(&metrics)?)?;
            write_new(&dir.join("metrics.csv"), &metrics_csv(&state.metrics))
        })
    }

    /// Writes what a flow compared, for spreadsheets.
    pub(crate) fn show_comparisons(&self, comparisons: &[Comparison]) -> Result<(), Failure> {
        for (name, text) in comparisons.iter().map(Comparison::csv) {
            write(&self.root.join(name), &text)?;
        }
        Ok(())
    }

    /// Keeps the directory of a failed attempt beside the last good result.
    pub(crate) fn keep_failed(&mut self, step: &PlannedStep, work_dir: &Path) -> Result<PathBuf, Failure> {
        // What it would have read, had it come so far, is not known.
        let config = step.config().iter().map(|(name, setting)| (name.to_owned(), setting.shown_json()));
        write_new(&work_dir.join(CONFIG), &pretty(&own_config(step, config.collect()))?)?;
        self.keep_failed_as(&step.dir, work_dir)
    }

    /// The same for what is shown in a directory, as it is.
    pub(crate) fn keep_failed_as(&mut self, dir: &str, work_dir: &Path) -> Result<PathBuf, Failure> {
        let path = self.root.join(failed_dir(dir));
        if path.exists() {
            fs::remove_dir_all(&path).map_err(disk("remove", &path))?;
        }
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(disk("create", folder))?;
        }
        fs::rename(work_dir, &path).map_err(disk("keep the failed attempt as", &path))?;
        if let Some(all) = &mut self.failed {
            all.insert(failed_dir(dir));
        }
        Ok(path)
    }

    /// Writes a file of the run as a whole.
    pub(crate) fn write_json(&self, name: &str, json: &impl Serialize) -> Result<(), Failure> {
        write_json(&self.root.join(name), json)
    }

    pub(crate) fn write_text(&self, name: &str, line: &str) -> Result<(), Failure> {
        write(&self.root.join(name), &format!("{line}\n"))
    }

    /// Writes down what the tree shows.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        if !self.changed {
            return Ok(());
        }
        self.changed = false;
        let bytes = postcard::to_stdvec(&self.shown);
        let bytes = bytes.map_err(|error| Failure::new(Class::Internal, error.to_string()))?;
        write_bytes(&self.root.join(VIEWS), &bytes)
    }
}

pub(crate) const FINAL: &str = "final";

/// A name beside a directory for what is not to be seen.
fn hidden(dir: &str, what: &str) -> String {
    match dir.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/.{name}.{what}"),
        None => format!(".{dir}.{what}"),
    }
}

/// The place of the states among what is shown; no directory is called so.
const STATES: &str = "(states)";

/// What the name of a directory ends with that keeps a failed attempt.
pub(crate) const FAILED: &str = ".failed";

/// The directories of a run that keep failed attempts.
fn failed_in(root: &Path) -> BTreeSet<String> {
    let names = fs::read_dir(root).into_iter().flatten().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.ends_with(FAILED)).collect()
}

/// Where a failed attempt of a step is kept.
fn failed_dir(dir: &str) -> String {
    format!("{dir}{FAILED}")
}

/// The variables that a result was made of, with their values. They say nothing else as long as it is good, which cannot
/// be said of those that the step declares and did not read.
fn variables_read(step: &PlannedStep, entry: &Entry) -> BTreeMap<String, serde_json::Value> {
    let config = step.config();
    let value = |read| match read {
        Read::Setting { name, .. } => {
            let variable = Says::of(&name).variable();
            config.declares(variable).then(|| (variable.to_owned(), config.setting(variable).shown_json()))
        }
        _ => None,
    };
    // In the order of the names, as in the whole configuration.
    entry.reads().filter_map(value).collect()
}

/// Variables as the configuration of a step, in the manner of OpenLane: `meta.step` says for which.
fn own_config(step: &PlannedStep, mut variables: BTreeMap<String, serde_json::Value>) -> serde_json::Value {
    variables.insert("meta".to_owned(), json!({ "version": 2, "step": step.info.id }));
    json!(variables)
}

/// What a result says of the content of a file in its directory.
pub(crate) fn digest_of(entry: &Entry, name: &str) -> Option<Digest> {
    let attempt = entry.attempt();
    let files = entry.record().outputs.iter().chain(&attempt.log).chain(&attempt.inputs);
    files.into_iter().find(|file| file.path == name).map(|file| file.digest)
}

/// Whether no tool ran for a result and no file came out of it.
pub(crate) fn has_no_files(entry: &Entry) -> bool {
    let attempt = entry.attempt();
    entry.record().outputs.is_empty()
        && attempt.inputs.is_empty()
        && attempt.log.is_none()
        && attempt.commands.is_empty()
}

fn stamp(metadata: &fs::Metadata) -> Stamp {
    (metadata.size(), metadata.mtime(), metadata.mtime_nsec())
}

fn shown_in(root: &Path) -> HashMap<String, Shown> {
    let bytes = fs::read(root.join(VIEWS)).ok();
    bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default()
}

/// The files of each directory of a run that were edited since they were shown.
pub(crate) fn edited_files(store: &Store, root: &Path) -> BTreeMap<String, Vec<String>> {
    let edited = |(dir, shown): (String, Shown)| {
        let edited = touched(store, &root.join(&dir), &shown).edited;
        (!edited.is_empty()).then_some((dir, edited))
    };
    shown_in(root).into_iter().filter_map(edited).collect()
}

/// Whether a directory of a tree without folders is as it was when it had been completed, by as little looking as can be.
fn is_untouched(root: &File, dir: &str, shown: &Shown) -> bool {
    let stat = |path: &str| statat(root, path, AtFlags::SYMLINK_NOFOLLOW).ok();
    let mut path = format!("{dir}/");
    let mut is_same = |(name, file): &(String, ShownFile)| {
        path.truncate(dir.len() + 1);
        path.push_str(name);
        let stamp = |now: Stat| (now.st_size as u64, now.st_mtime, now.st_mtime_nsec as i64);
        !name.contains('/') && stat(&path).is_some_and(|now| stamp(now) == file.stamp)
    };
    is_complete(root, dir, shown) && shown.files.iter().all(&mut is_same)
}

/// Whether nothing was added to a directory of a tree and nothing removed.
fn is_complete(root: &File, dir: &str, shown: &Shown) -> bool {
    shown.listed.is_some() && shown.listed == listed(root, dir)
}

/// When the list of names of a directory of a tree last changed.
fn listed(root: &File, dir: &str) -> Option<(i64, i64)> {
    let now = statat(root, dir, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    Some((now.st_mtime, now.st_mtime_nsec as i64))
}

fn touched(store: &Store, dir: &Path, shown: &Shown) -> Touched {
    let mut now = found_in(dir);
    let mut touched = Touched { has_states: now.has_states, ..Touched::default() };
    for (name, file) in &shown.files {
        let Some(stamp) = now.files.remove(name) else {
            touched.missing = true;
            continue;
        };
        if stamp != file.stamp {
            touched.stamped = true;
            let same = match &file.digest {
                // A file that was only touched, or copied back, is not edited.
                Some(digest) => store.content_digest(&dir.join(name)).is_ok_and(|now| now == *digest),
                None => stamp.0 == file.stamp.0,
            };
            if !same {
                touched.edited.push(name.clone());
            }
        }
    }
    touched.added = now.files.into_keys().collect();
    touched
}

/// What a shown directory has. A link counts as itself, not as what it leads to.
fn found_in(dir: &Path) -> Found {
    let mut found = Found::default();
    let mut states = 0;
    let mut pending = vec![dir.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            let Ok(name) = path.strip_prefix(dir) else { continue };
            if name == Path::new(STATE_IN) || name == Path::new(STATE_OUT) {
                states += 1;
                continue;
            }
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                pending.push(path);
            } else {
                found.files.insert(name.to_string_lossy().into_owned(), stamp(&metadata));
            }
        }
    }
    found.has_states = states == 2;
    found
}

fn pretty(json: &impl Serialize) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(json);
    text.map(|text| text + "\n").map_err(|error| Failure::new(Class::Internal, error.to_string()))
}

fn write_json(path: &Path, json: &impl Serialize) -> Result<(), Failure> {
    write(path, &pretty(json)?)
}

/// Writes a file of a directory that is made under another name and appears whole. What has its place, a link into the
/// directory of another step perhaps, is replaced and not written through.
pub(crate) fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let write = || File::create_new(path).and_then(|mut file| file.write_all(text.as_bytes()));
    write()
        .or_else(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => fs::remove_file(path).and_then(|()| write()),
            _ => Err(error),
        })
        .map_err(disk("write", path))
}

/// Writes a file that most often is not there yet, for which trying costs less than looking first. What shows it is noted
/// only when all are written.
fn write_first(path: &Path, text: &str) -> Result<(), Failure> {
    match File::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map_err(disk("write", path)),
        Err(_) => write(path, text),
    }
}

/// Writes a small file whole, and only when it says something else than before.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    write_bytes(path, text.as_bytes())
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("~");
    let temporary = path.with_file_name(name);
    fs::write(&temporary, bytes).and_then(|()| fs::rename(&temporary, path)).map_err(|error| {
        // Best effort: the error being reported is the first one.
        let _ = fs::remove_file(&temporary);
        disk("write", path)(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_takes_the_place_of_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("of-another-step"), dir.path().join("COMMANDS"));
        fs::write(&file, "its own").unwrap();
        symlink("of-another-step", &link).unwrap();
        write_new(&link, "sleep 1\n").unwrap();
        let texts = [&file, &link].map(|path| fs::read_to_string(path).unwrap());
        assert_eq!(texts, ["its own", "sleep 1\n"]);
    }

    #[test]
    fn states_are_there_when_both_are_and_are_no_files_of_the_directory() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("reports")).unwrap();
        for (name, there) in [(STATE_IN, false), ("a.v", false), ("reports/state_out.json", false), (STATE_OUT, true)] {
            fs::write(dir.path().join(name), "").unwrap();
            assert_eq!(found_in(dir.path()).has_states, there, "{name}");
        }
        let found: Vec<String> = found_in(dir.path()).files.into_keys().collect();
        assert_eq!(found, ["a.v", "reports/state_out.json"]);
    }
}
