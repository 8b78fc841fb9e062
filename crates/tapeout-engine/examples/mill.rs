//! Runs the graph that a description says through the engine, as a program that can be killed, damaged and starved.
//!
//! `mill DIR OUTPUTS [--shared LOCATION] [--collect]`: runs the jobs of `DIR/world.json` in the project `DIR` and puts what
//! they made into the folder `OUTPUTS`. Prints a line for each job as it ends: `done NAME ran`, `done NAME reused`,
//! `failed NAME REASON`; and at the end `damaged WORDS` for each damage that the store found. With `--collect`, the store
//! is tidied up at last. With `--shared`, results are shared with others by the cache at this location, and at the end
//! there is `damaged WORDS` for each damage in it, `trouble WORDS` when it is not used any more, and `unshared WORDS` for
//! what others do not have.
//!
//! `mill DIR --verify`: reads everything that is in the store, and prints `damaged WORDS` for what is wrong.
//!
//! A job's tool is a shell script that writes `NAME.out`, which tells all that went into it, and now and then
//! `NAME.spare`. See [`JobSpec`] for what can go in.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tapeout_engine::{
    Access, Command, DepFormat, Engine, Event, Failure, Graph, How, Identity, Input, Invocation, Job, JobBody, JobCx,
    JobId, Mode, Options, Outcome, Part, SharedCache, Tool, Toolbox, Wish, from_work_dir,
};
use tapeout_model::{Metric, Output, Record, View};
use tapeout_store::{Entry, GcOptions, JobRef, RunRef, ShownEntry, Store, StoreError};

/// The tools that jobs may name: wrappers of the shell, on `PATH`, so that no command line names where they are.
const TOOLS: [&str; 3] = ["t0", "t1", "t2"];

/// How long the end of a run waits for a shared cache.
const PATIENCE: Duration = Duration::from_secs(10);

const USAGE: &str = "the arguments are wrong, see the head of its source";

/// A job, as the description has it. Paths are those of the project.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct JobSpec {
    name: String,
    tool: String,
    /// What the tool runs.
    script: String,
    /// A value from the configuration.
    value: String,
    /// How long it takes, in seconds.
    pause: String,
    /// How many bytes its output has beyond what it tells.
    bulk: u64,
    /// Words that the script knows: `strip`, `stray`.
    flags: String,
    /// Files that are read where they are.
    sources: Vec<String>,
    /// Files that are copied into the work directory.
    copied: Vec<String>,
    /// Files that are looked for where they may not be.
    probes: Vec<String>,
    /// A file that includes others, which the tool tells of.
    tree: Option<String>,
    /// Jobs whose output goes in.
    inputs: Vec<String>,
    /// Jobs whose spare output goes in, where there is one.
    spares: Vec<String>,
    /// Jobs of which only a number goes in.
    tallies: Vec<String>,
    /// Jobs to ask for; which ones is written in the file `chosen_by`.
    asks: Vec<JobSpec>,
    chosen_by: Option<String>,
}

fn main() -> ExitCode {
    tapeout_engine::serve_if_asked();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let ended = match *args {
        [dir, "--verify"] => verify(Path::new(dir)),
        [dir, outputs, ref options @ ..] => parse(options).and_then(|Wanted { shared, collects }| {
            let all = grind(Path::new(dir), Path::new(outputs), shared)?;
            if collects {
                collect(Path::new(dir))?;
            }
            Ok(all)
        }),
        _ => Err(USAGE.into()),
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "mill: {error}");
            ExitCode::from(3)
        }
    }
}

/// What the options ask for.
struct Wanted {
    shared: Option<Arc<SharedCache>>,
    /// The store is to be tidied up.
    collects: bool,
}

fn parse(options: &[&str]) -> Result<Wanted, Box<dyn Error>> {
    let (location, rest) = match options {
        ["--shared", location, rest @ ..] => (Some(location), rest),
        rest => (None, rest),
    };
    let collects = match rest {
        [] => false,
        ["--collect"] => true,
        _ => return Err(USAGE.into()),
    };
    let open = |location: &&str| SharedCache::open(location, Access::ReadWrite).map(Arc::new);
    Ok(Wanted { shared: location.map(open).transpose()?, collects })
}

/// Prints a line with one call, so that it is out or not. That nobody hears it changes nothing.
fn tell(line: &str) {
    let _ = io::stdout().write_all(format!("{}\n", line.replace('\n', " ")).as_bytes());
}

/// Runs all jobs. `false`: not all of them have a result, or it cannot be shown.
fn grind(dir: &Path, outputs: &Path, shared: Option<Arc<SharedCache>>) -> Result<bool, Box<dyn Error>> {
    let specs: Vec<JobSpec> = serde_json::from_slice(&fs::read(dir.join("world.json"))?)?;
    let tool = |name| Tool { name, summary: "", package: "", version_args: &[], minimum: None, companions: &[] };
    let options = Options { keep_going: true, shared, ..Options::cores(3) };
    let engine = Engine::open(dir, Toolbox::new(TOOLS.map(tool), &BTreeMap::new()), options)?;

    let graph = graph(&specs);
    let names = std::sync::Mutex::new(specs.iter().map(|spec| spec.name.clone()).collect::<Vec<String>>());
    let name_of = |id: JobId| names.lock().map_or_else(|_| String::new(), |names| names[id.index()].clone());
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Result, &|event| match event {
        Event::Asked { name, .. } => {
            if let Ok(mut names) = names.lock() {
                names.push(name.clone());
            }
        }
        Event::Done { job, how, .. } => {
            let how = if *how == How::Ran { "ran" } else { "reused" };
            tell(&format!("done {} {how}", name_of(*job)));
        }
        Event::Failed { job, failure } => tell(&format!("failed {} {failure}", name_of(*job))),
        _ => {}
    });

    let mut all = true;
    let mut refs = Vec::new();
    for (id, outcome) in Graph::ids_of(outcomes.len()).zip(&outcomes) {
        let Outcome::Done { entry, .. } = outcome else {
            all = false;
            continue;
        };
        refs.push(JobRef {
            name: name_of(id),
            shown: Some(ShownEntry { key: entry.key, id: entry.id() }),
            pin: None,
            failed: None,
        });
        if let Err(error) = show(engine.store(), entry, outputs) {
            tell(&format!("failed {} {error}", name_of(id)));
            all = false;
        }
    }
    engine.store().write_run("mill", &RunRef { dir: dir.to_owned(), jobs: refs })?;
    engine.store().damages().iter().for_each(|damage| tell(&format!("damaged {damage}")));
    if let Some(shares) = engine.finish_sharing(PATIENCE) {
        shares.damage.iter().for_each(|damage| tell(&format!("damaged {damage}")));
        shares.trouble.iter().for_each(|trouble| tell(&format!("trouble {trouble}")));
        shares.uploads.reason.iter().for_each(|reason| tell(&format!("unshared {reason}")));
        shares.kept.iter().for_each(|kept| tell(&format!("unshared {}: {}", kept.job, kept.place)));
    }
    Ok(all)
}

fn show(store: &Store, entry: &Entry, outputs: &Path) -> Result<(), StoreError> {
    entry.record().outputs.iter().try_for_each(|output| store.materialise(output, &outputs.join(&output.path)))
}

fn verify(dir: &Path) -> Result<bool, Box<dyn Error>> {
    let report = Store::open(&dir.join(".tapeout/store"))?.verify()?;
    report.problems.iter().for_each(|problem| tell(&format!("damaged {problem}")));
    Ok(true)
}

/// Removes what nothing refers to, unless somebody else uses the store.
fn collect(dir: &Path) -> Result<(), StoreError> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    match Store::open(&dir.join(".tapeout/store"))?.gc(&GcOptions { now, ..GcOptions::default() }) {
        Ok(_) | Err(StoreError::InUse { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn graph(specs: &[JobSpec]) -> Graph {
    let mut graph = Graph::default();
    let mut ids = BTreeMap::new();
    for spec in specs {
        let id = graph.add(job(spec, &ids));
        ids.insert(spec.name.as_str(), id);
    }
    graph
}

/// A job with those of its inputs that come from known jobs.
fn job<'s>(spec: &'s JobSpec, known: &BTreeMap<&'s str, JobId>) -> Job {
    let views = spec.inputs.iter().map(|name| (name, Part::View(out(name))));
    let views = views.chain(spec.spares.iter().map(|name| (name, Part::View(spare(name)))));
    let parts = views.chain(spec.tallies.iter().map(|name| (name, Part::Metric(tally(name)))));
    let inputs = parts.filter_map(|(name, part)| Some((part, *known.get(name.as_str())?))).collect();
    Job { inputs, ..Job::new(spec.name.clone(), Arc::new(Mill(spec.clone()))) }
}

fn out(name: &str) -> String {
    format!("{name}.out")
}

fn spare(name: &str) -> String {
    format!("{name}.spare")
}

fn tally(name: &str) -> String {
    format!("{name}__tally")
}

/// The body of every job.
struct Mill(JobSpec);

/// What goes into an invocation, as its script is told and as the engine is.
#[derive(Default)]
struct Items {
    args: Vec<String>,
    inputs: Vec<Input>,
}

impl Items {
    fn text(&mut self, words: String) {
        self.args.push(format!("text:{words}"));
    }

    fn source(&mut self, path: &str) {
        self.args.push(format!("file:{path}={}", from_work_dir(path)));
        self.inputs.push(Input::Source { path: path.to_owned() });
    }

    fn copied(&mut self, path: &str) {
        let name = format!("data/{path}");
        self.args.push(format!("file:{path}={name}"));
        self.inputs.push(Input::Copied { name, path: path.to_owned() });
    }

    fn output(&mut self, output: Output) {
        self.args.push(format!("file:{0}={0}", output.path));
        self.inputs.push(Input::Output(output));
    }
}

impl Mill {
    fn items(&self, cx: &mut JobCx<'_>) -> Result<Items, Failure> {
        let spec = &self.0;
        let mut items = Items::default();
        for path in spec.sources.iter().chain(&spec.probes) {
            items.source(path);
        }
        spec.copied.iter().for_each(|path| items.copied(path));
        if let Some(tree) = &spec.tree {
            items.args.push(format!("tree:{tree}"));
        }
        for view in spec.inputs.iter().map(|name| out(name)).chain(spec.spares.iter().map(|name| spare(name))) {
            let declared = cx.sees(&Part::View(view.clone()));
            match declared.then(|| cx.view(&view)).flatten() {
                Some(View::File(output)) => items.output(output),
                _ => items.text(format!("{view} absent")),
            }
        }
        for name in &spec.tallies {
            let declared = cx.sees(&Part::Metric(tally(name)));
            match declared.then(|| cx.metric(&tally(name))).flatten() {
                Some(Metric::Int(count)) => items.text(format!("{name} tally {count}")),
                _ => items.text(format!("{name} tally absent")),
            }
        }
        for entry in self.ask(cx)? {
            entry.record().outputs.iter().for_each(|output| items.output(output.clone()));
        }
        Ok(items)
    }

    /// Asks for the jobs that a file chooses, all of them before the first is waited for.
    fn ask(&self, cx: &mut JobCx<'_>) -> Result<Vec<Arc<Entry>>, Failure> {
        let Some(path) = &self.0.chosen_by else { return Ok(Vec::new()) };
        let text = cx.read_source(path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let mut known = BTreeMap::new();
        for word in text.split_whitespace() {
            if let Some(spec) = word.parse().ok().and_then(|index: usize| self.0.asks.get(index)) {
                let id = cx.start(job(spec, &known))?;
                known.insert(spec.name.as_str(), id);
            }
        }
        known.into_values().map(|id| cx.wait(id)).collect()
    }
}

impl JobBody for Mill {
    fn identify(&self, identity: &mut Identity<'_>) {
        // Of numbers, texts and lists of them there is always a text.
        identity.part("spec", &serde_json::to_string(&self.0).unwrap_or_default());
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let JobSpec { name, tool, script, value, pause, bulk, flags, tree, .. } = &self.0;
        let mut items = self.items(cx)?;
        items.inputs.push(Input::Source { path: script.clone() });
        let fixed = [&from_work_dir(script), name, value, pause, &bulk.to_string(), flags].map(String::clone);
        let invocation = Invocation {
            log: format!("{name}.log"),
            commands: vec![Command::new(tool).args(fixed).args(items.args)],
            inputs: items.inputs,
            outputs: vec![out(name)],
            optional_outputs: vec![spare(name)],
            depfiles: tree.iter().map(|_| ("deps".to_owned(), DepFormat::Lines)).collect(),
            ..Invocation::default()
        };
        let mut record = cx.execute(&invocation)?.record().clone();
        for output in &record.outputs {
            record.views.insert(output.path.clone(), View::File(output.path.clone()));
        }
        if let Some(output) = record.output(&out(name)) {
            let count = cx.read_output(output)?.iter().map(|byte| i64::from(*byte)).sum::<i64>() % 3;
            record.metrics.insert(tally(name), Metric::Int(count));
        }
        Ok(record)
    }
}
