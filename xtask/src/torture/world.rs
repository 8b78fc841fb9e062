//! Worlds: random graphs of jobs with the files that they read, and random edits of them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::random::Random;

/// The script of all jobs, but for its first line.
const SCRIPT: &str = include_str!("job.sh");

/// A job, as `crates/tapeout-engine/examples/mill.rs` describes it.
#[derive(Clone, Default)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) tool: String,
    pub(super) script: String,
    pub(super) value: String,
    pause_ms: usize,
    pub(super) bulk: usize,
    pub(super) strips: bool,
    strays: bool,
    pub(super) sources: Vec<String>,
    pub(super) copied: Vec<String>,
    pub(super) probes: Vec<String>,
    pub(super) tree: Option<String>,
    pub(super) inputs: Vec<String>,
    pub(super) spares: Vec<String>,
    pub(super) tallies: Vec<String>,
    pub(super) asks: Vec<Job>,
    pub(super) chosen_by: Option<String>,
}

/// Jobs, each after those it has inputs from, and the files of their project.
#[derive(Clone)]
pub(super) struct World {
    pub(super) jobs: Vec<Job>,
    pub(super) files: BTreeMap<String, String>,
}

/// How a file gets another content.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It is written where it is.
    InPlace,
    /// So, and its time stamp is put back.
    TimeKept,
    /// Another file, which is decades older, takes its place.
    Older,
}

const SOURCES: usize = 6;
const COPIES: usize = 2;
const PROBES: usize = 3;
const TREES: usize = 4;
const SCRIPTS: usize = 2;
const TOOLS: usize = 3;
/// How many contents a file may have.
const VARIANTS: usize = 5;

fn names(folder: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{folder}{n}")).collect()
}

fn source(variant: usize) -> String {
    format!("# comment\nsource {variant}\n")
}

fn script(variant: usize) -> String {
    format!("salt=s{variant}\n{SCRIPT}")
}

fn tool(variant: usize) -> String {
    format!("#!/bin/sh\nTOOL_SALT=t{variant} exec sh \"$@\"\n")
}

impl World {
    /// A world with so many jobs that others do not ask for.
    pub(super) fn new(random: &mut Random, count: usize) -> Self {
        let mut files = BTreeMap::new();
        for (folder, count) in [("src/s", SOURCES), ("src/c", COPIES)] {
            files.extend(names(folder, count).into_iter().map(|name| (name, source(0))));
        }
        files.extend(names("scripts/s", SCRIPTS).into_iter().map(|name| (name, script(0))));
        files.extend(names("tools/t", TOOLS).into_iter().map(|name| (name, tool(0))));
        let mut world = Self { jobs: Vec::new(), files };
        for n in 0..TREES {
            let text = tree(random, n);
            world.files.insert(format!("src/t{n}"), text);
        }
        for n in 0..count {
            let earlier: Vec<String> = world.jobs.iter().map(|job| job.name.clone()).collect();
            let mut job = Job::random(random, format!("j{n}"), &earlier);
            if random.percent(25) {
                let chosen_by = format!("src/ask{n}");
                world.files.insert(chosen_by.clone(), "0 1\n".to_owned());
                job.chosen_by = Some(chosen_by);
                for child in 0..2 {
                    let before: Vec<String> = job.asks.iter().map(|job| job.name.clone()).collect();
                    job.asks.push(Job::random(random, format!("{}.c{child}", job.name), &before));
                }
            }
            world.jobs.push(job);
        }
        world
    }

    /// All jobs, those that are asked for after the one that asks.
    pub(super) fn all_jobs(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().flat_map(|job| [job].into_iter().chain(&job.asks))
    }

    /// Writes all of it into a directory.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        self.describe(dir)?;
        self.files.iter().try_for_each(|(path, text)| put(dir, path, Some(text), Manner::InPlace))
    }

    fn describe(&self, dir: &Path) -> io::Result<()> {
        fs::create_dir_all(dir)?;
        let jobs: Vec<Value> = self.jobs.iter().map(Job::to_json).collect();
        fs::write(dir.join("world.json"), Value::from(jobs).to_string())
    }

    /// Edits one thing, here and in the directory. Says what.
    pub(super) fn edit(&mut self, random: &mut Random, dir: &Path) -> io::Result<String> {
        let variant = random.below(VARIANTS);
        let (path, text) = match random.below(10) {
            0..3 => {
                let mut text = source(variant);
                if random.percent(30) {
                    text.push_str(["# other comment\n", "# some comment\n"][random.below(2)]);
                }
                (random.one_of(&names("src/s", SOURCES)).clone(), Some(text))
            }
            3 => (random.one_of(&names("src/c", COPIES)).clone(), Some(source(variant))),
            4 => (random.one_of(&names("src/p", PROBES)).clone(), random.percent(60).then(|| source(variant))),
            5 => {
                let n = random.below(TREES);
                let text = (n == 0 || random.percent(80)).then(|| tree(random, n));
                (format!("src/t{n}"), text)
            }
            6 => (random.one_of(&names("scripts/s", SCRIPTS)).clone(), Some(script(variant))),
            7 => (random.one_of(&names("tools/t", TOOLS)).clone(), Some(tool(variant))),
            8 => {
                let choices: Vec<String> = self.jobs.iter().filter_map(|job| job.chosen_by.clone()).collect();
                if choices.is_empty() {
                    return self.edit_value(random, dir);
                }
                let text = *random.one_of(&["\n", "0\n", "1\n", "0 1\n"]);
                (random.one_of(&choices).clone(), Some(text.to_owned()))
            }
            _ => return self.edit_value(random, dir),
        };
        let manner = *random.one_of(&[Manner::InPlace, Manner::InPlace, Manner::TimeKept, Manner::Older]);
        put(dir, &path, text.as_deref(), manner)?;
        match text {
            Some(text) => self.files.insert(path.clone(), text),
            None => self.files.remove(&path),
        };
        Ok(path)
    }

    fn edit_value(&mut self, random: &mut Random, dir: &Path) -> io::Result<String> {
        let count = self.jobs.len();
        let mut job = &mut self.jobs[random.below(count)];
        if !job.asks.is_empty() && random.percent(50) {
            let asked = random.below(job.asks.len());
            job = &mut job.asks[asked];
        }
        job.value = random.below(VARIANTS).to_string();
        let what = format!("the value of {}", job.name);
        self.describe(dir)?;
        Ok(what)
    }
}

/// A file that includes some with higher numbers.
fn tree(random: &mut Random, n: usize) -> String {
    let others: Vec<String> = (n + 1..=TREES).map(|other| format!("include src/t{other}\n")).collect();
    let included = random.some_of(&others, 2).concat();
    format!("tree {}\n{included}", random.below(3))
}

/// Gives a file of the project a content, or removes it.
fn put(dir: &Path, path: &str, text: Option<&str>, manner: Manner) -> io::Result<()> {
    let full = dir.join(path);
    let Some(text) = text else {
        return match fs::remove_file(&full) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    };
    fs::create_dir_all(full.parent().expect("files are in folders"))?;
    let kept = fs::metadata(&full).and_then(|metadata| metadata.modified()).ok();
    let written = if manner == Manner::Older { full.with_extension("new") } else { full.clone() };
    fs::write(&written, text)?;
    let time = match manner {
        Manner::InPlace => None,
        Manner::TimeKept => kept,
        Manner::Older => Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)),
    };
    if let Some(time) = time {
        File::options().write(true).open(&written)?.set_modified(time)?;
    }
    if path.starts_with("tools/") {
        fs::set_permissions(&written, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    }
    if written == full { Ok(()) } else { fs::rename(written, full) }
}

impl Job {
    fn random(random: &mut Random, name: String, earlier: &[String]) -> Self {
        // Those just before are likelier, so that there are long ways through the graph.
        let near = &earlier[earlier.len().saturating_sub(5)..];
        Self {
            name,
            tool: format!("t{}", random.below(TOOLS)),
            script: format!("scripts/s{}", random.below(SCRIPTS)),
            value: random.below(VARIANTS).to_string(),
            pause_ms: random.below(20),
            bulk: if random.percent(20) { 100_000 } else { 0 },
            strips: random.percent(30),
            strays: random.percent(25),
            sources: random.some_of(&names("src/s", SOURCES), 2),
            copied: random.some_of(&names("src/c", COPIES), 1),
            probes: random.some_of(&names("src/p", PROBES), 1),
            tree: random.percent(25).then(|| "src/t0".to_owned()),
            inputs: random.some_of(near, 2),
            spares: random.some_of(near, 1),
            tallies: random.some_of(near, 1),
            asks: Vec::new(),
            chosen_by: None,
        }
    }

    fn to_json(&self) -> Value {
        let flags: Vec<&str> =
            [(self.strips, "strip"), (self.strays, "stray")].iter().filter(|flag| flag.0).map(|flag| flag.1).collect();
        let asks: Vec<Value> = self.asks.iter().map(Self::to_json).collect();
        json!({
            "name": self.name, "tool": self.tool, "script": self.script, "value": self.value,
            "pause": format!("0.{:03}", self.pause_ms), "bulk": self.bulk, "flags": flags.join(" "),
            "sources": self.sources, "copied": self.copied, "probes": self.probes, "tree": self.tree,
            "inputs": self.inputs, "spares": self.spares, "tallies": self.tallies,
            "asks": asks, "chosen_by": self.chosen_by,
        })
    }
}
