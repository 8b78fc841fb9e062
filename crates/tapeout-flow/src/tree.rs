//! The run tree: views of recorded results as people know them, `runs/<tag>/NN-step-id/` and `final/`.
//!
//! Everything here can be made again from the store. A directory appears whole or not at all: it is made under another
//! name and renamed. `.views.json` says which result each directory shows and what `stat` said of its files, so that an
//! unchanged tree is only looked at.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tapeout_engine::{Failure, KeyHasher};
use tapeout_model::{Class, Metric, Output, State, View};
use tapeout_store::{Entry, Store};

use crate::PlannedStep;

const VIEWS: &str = ".views.json";
const STATE_IN: &str = "state_in.json";
const STATE_OUT: &str = "state_out.json";

/// What a directory of the tree shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shown {
    /// The result.
    result: String,
    /// Size and modification time (seconds, nanoseconds) of each file.
    files: BTreeMap<String, (u64, i64, i64)>,
}

/// The tree of one run. It is locked as long as this lives.
pub(crate) struct RunTree {
    root: PathBuf,
    shown: BTreeMap<String, Shown>,
    changed: bool,
    _lock: File,
}

fn disk(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let action = format!("{action} `{}`", path.display());
    move |error| Failure::io(&action, &error)
}

impl RunTree {
    /// Opens the tree for writing.
    pub(crate) fn open(root: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(root).map_err(disk("create", root))?;
        let path = root.join(".lock");
        let lock = File::create(&path).map_err(disk("create", &path))?;
        lock.try_lock().map_err(|_| {
            Failure::new(Class::Environment, format!("another tapeout is running in `{}`", root.display()))
                .hint("wait for it, or give this run a tag of its own with `--tag`")
        })?;
        let shown = fs::read(root.join(VIEWS)).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Ok(Self { root: root.to_owned(), shown: shown.unwrap_or_default(), changed: false, _lock: lock })
    }

    /// Shows a step's result. `others` gives the results of the other steps, with their directories.
    pub(crate) fn show_step<'a>(
        &mut self,
        store: &Store,
        step: &PlannedStep,
        entry: &Entry,
        others: impl FnOnce() -> Vec<(&'a str, &'a Entry)>,
    ) -> Result<(), Failure> {
        self.remove_dir(&failed_dir(&step.dir))?;
        self.show(&step.dir, result_id(entry), |dir| {
            let others = others();
            for output in &entry.record().outputs {
                store.materialise(output, &dir.join(&output.path))?;
            }
            for input in &entry.attempt().inputs {
                let to = dir.join(&input.path);
                let from = others.iter().rev().find(|(_, other)| other.record().outputs.contains(input));
                match from {
                    Some((other, _)) => {
                        let target = Path::new("..").join(other).join(&input.path);
                        symlink(&target, &to).map_err(disk("link", &to))?;
                    }
                    None => store.materialise(input, &to)?,
                }
            }
            if let Some(log) = &entry.attempt().log {
                store.materialise(log, &dir.join(&log.path))?;
            }
            write(&dir.join("COMMANDS"), &entry.attempt().commands)?;
            write_json(&dir.join("config.json"), &step.config().to_json())
        })
    }

    /// Shows something in a directory of the tree, unless it is there already.
    fn show(
        &mut self,
        dir: &str,
        result: String,
        make: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let path = self.root.join(dir);
        if self.shown.get(dir).is_some_and(|shown| shown.result == result && shown.files == files(&path)) {
            return Ok(());
        }
        let new = self.root.join(format!(".{dir}.new"));
        let old = self.root.join(format!(".{dir}.old"));
        for leftover in [&new, &old] {
            if leftover.exists() {
                fs::remove_dir_all(leftover).map_err(disk("remove", leftover))?;
            }
        }
        fs::create_dir(&new).map_err(disk("create", &new))?;
        make(&new)?;
        if path.exists() {
            fs::rename(&path, &old).map_err(disk("replace", &path))?;
        }
        fs::rename(&new, &path).map_err(disk("replace", &path))?;
        if old.exists() {
            fs::remove_dir_all(&old).map_err(disk("remove", &old))?;
        }
        let files = files(&path);
        self.shown.insert(dir.to_owned(), Shown { result, files });
        self.changed = true;
        Ok(())
    }

    /// Writes the states around each step and takes away directories that no step of the plan has.
    pub(crate) fn show_states(&mut self, states: &[(String, State<String>, State<String>)]) -> Result<(), Failure> {
        for (dir, state_in, state_out) in states {
            for (name, state) in [(STATE_IN, state_in), (STATE_OUT, state_out)] {
                write_json(&self.root.join(dir).join(name), &state.to_json())?;
            }
        }
        Ok(())
    }

    /// Takes away the directories of steps that are not in the plan any more.
    pub(crate) fn keep_only(&mut self, dirs: &[&str]) -> Result<(), Failure> {
        let gone: Vec<String> =
            self.shown.keys().filter(|dir| *dir != FINAL && !dirs.contains(&dir.as_str())).cloned().collect();
        for dir in gone {
            self.remove_dir(&dir)?;
            self.remove_dir(&failed_dir(&dir))?;
            self.shown.remove(&dir);
            self.changed = true;
        }
        Ok(())
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
        let mut key = KeyHasher::new("final");
        for (format, view) in &state.views {
            key.text(format);
            view.files().iter().for_each(|file| _ = key.text(&file.path).digest(Some(&file.digest)));
        }
        let metrics: serde_json::Map<_, _> =
            state.metrics.iter().map(|(name, metric)| (name.clone(), metric.to_json())).collect();
        key.text(&json!(metrics).to_string());
        self.show(FINAL, key.finish().to_string(), |dir| {
            for (format, view) in &state.views {
                show_view(store, &dir.join(format), view)?;
            }
            write_json(&dir.join("metrics.json"), &json!(metrics))?;
            let rows = state.metrics.iter().map(|(name, metric)| format!("{name},{}\n", csv_field(metric)));
            write(&dir.join("metrics.csv"), &format!("Metric,Value\n{}", rows.collect::<String>()))
        })
    }

    /// Keeps the directory of a failed attempt beside the last good result.
    pub(crate) fn keep_failed(&self, step: &PlannedStep, work_dir: &Path) -> Result<PathBuf, Failure> {
        let path = self.root.join(failed_dir(&step.dir));
        if path.exists() {
            fs::remove_dir_all(&path).map_err(disk("remove", &path))?;
        }
        fs::rename(work_dir, &path).map_err(disk("keep the failed attempt as", &path))?;
        Ok(path)
    }

    /// Writes a file of the run as a whole.
    pub(crate) fn write_json(&self, name: &str, json: &serde_json::Value) -> Result<(), Failure> {
        write_json(&self.root.join(name), json)
    }

    /// Writes down what the tree shows.
    pub(crate) fn close(&mut self) -> Result<(), Failure> {
        if !self.changed {
            return Ok(());
        }
        self.changed = false;
        write_json(&self.root.join(VIEWS), &json!(self.shown))
    }
}

pub(crate) const FINAL: &str = "final";

/// Where a failed attempt of a step is kept.
fn failed_dir(dir: &str) -> String {
    format!("{dir}.failed")
}

fn show_view(store: &Store, dir: &Path, view: &View<Output>) -> Result<(), Failure> {
    match view {
        View::File(file) => {
            let name = Path::new(&file.path).file_name().unwrap_or_default();
            Ok(store.materialise(file, &dir.join(name))?)
        }
        View::Files(views) => views.iter().try_for_each(|view| show_view(store, dir, view)),
        View::Named(views) => views.iter().try_for_each(|(name, view)| show_view(store, &dir.join(name), view)),
    }
}

/// What identifies a result and how it was got, for a view of it.
fn result_id(entry: &Entry) -> String {
    let mut key = KeyHasher::new("result");
    key.digest(Some(&entry.key)).text(&entry.attempt().commands).number(entry.attempt().started);
    for output in entry.record().outputs.iter().chain(&entry.attempt().log).chain(&entry.attempt().inputs) {
        key.text(&output.path).digest(Some(&output.digest));
    }
    key.finish().to_string()
}

/// Size and modification time of each file of a shown directory, without the states, which depend on other steps.
fn files(dir: &Path) -> BTreeMap<String, (u64, i64, i64)> {
    let mut files = BTreeMap::new();
    let mut pending = vec![dir.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
            let path = entry.path();
            let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
            if metadata.is_dir() {
                pending.push(path);
            } else if let Ok(name) = path.strip_prefix(dir)
                && name != Path::new(STATE_IN)
                && name != Path::new(STATE_OUT)
            {
                let stamp = (metadata.size(), metadata.mtime(), metadata.mtime_nsec());
                files.insert(name.to_string_lossy().into_owned(), stamp);
            }
        }
    }
    files
}

fn csv_field(metric: &Metric) -> String {
    let text = metric.to_string();
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

fn write_json(path: &Path, json: &serde_json::Value) -> Result<(), Failure> {
    write(path, &format!("{json:#}\n"))
}

/// Writes a small file whole, and only when it says something else than before.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if fs::read(path).is_ok_and(|old| old == text.as_bytes()) {
        return Ok(());
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push("~");
    let temporary = path.with_file_name(name);
    fs::write(&temporary, text).and_then(|()| fs::rename(&temporary, path)).map_err(|error| {
        // Best effort: the error being reported is the first one.
        let _ = fs::remove_file(&temporary);
        disk("write", path)(error)
    })
}
