//! Runs graphs of trivial jobs, for benchmarks against other build engines and for profilers.
//!
//! - `shapes DIR run SHAPE COUNT WORK first|again [TIMES]`: in the project `DIR`, runs a graph of `COUNT` jobs of one
//!   shape: `chain`, `fan-in`, `layers`, `independent`. Their work is to `write` a small file in this process, or to
//!   spawn `true`. It fails unless each job ran (`first`) or each was recalled (`again`). With `TIMES`, all of it happens
//!   so many times in this process.
//! - `shapes edges SHAPE COUNT`: prints a line for each job, with the numbers of the jobs it needs.
//! - `shapes DIR fill COUNT`: records so many results in the store of `DIR`, each with an output of 100 kB.
//! - `shapes DIR open`: opens that store, nothing else.
//! - `shapes DIR hash FILE`: has that store hash a file that it does not know.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use tapeout_engine::{
    Command, Engine, Failure, Graph, How, Identity, Invocation, Job, JobBody, JobCx, JobId, KeyHasher, Mode, Options,
    Outcome, Part, Tool, Toolbox, Wish,
};
use tapeout_model::{Attempt, Read, Record, View};
use tapeout_store::{Entry, Store, hash_bytes};

type Done = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    tapeout_engine::serve_if_asked();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "shapes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(args: &[&str]) -> Done {
    match *args {
        ["edges", shape, count] => edges(shape, count.parse()?),
        [dir, "run", shape, count, work, state] => run(Path::new(dir), shape, count.parse()?, work, state),
        [dir, "run", shape, count, work, state, times] => {
            let (times, count): (u32, usize) = (times.parse()?, count.parse()?);
            (0..times).try_for_each(|_| run(Path::new(dir), shape, count, work, state))
        }
        [dir, "fill", count] => fill(Path::new(dir), count.parse()?),
        [dir, "open"] => Ok(open(Path::new(dir)).map(drop)?),
        [dir, "hash", file] => Ok(open(Path::new(dir))?.file_digest(Path::new(file)).map(drop)?),
        _ => Err("the arguments are wrong, see the head of its source".into()),
    }
}

/// The jobs that job `i` needs, ascending.
fn needs(shape: &str, count: usize, i: usize) -> Result<Vec<usize>, String> {
    Ok(match shape {
        "chain" => i.checked_sub(1).into_iter().collect(),
        "fan-in" if i + 1 == count => (0..i).collect(),
        "fan-in" | "independent" => Vec::new(),
        // A hundred layers; each job needs the one above it and that one's neighbour.
        "layers" => {
            let width = (count / 100).max(1);
            let Some(above) = i.checked_sub(width) else { return Ok(Vec::new()) };
            let mut needs = vec![above, above - above % width + (above + 1) % width];
            needs.sort_unstable();
            needs.dedup();
            needs
        }
        _ => return Err(format!("there is no shape {shape}")),
    })
}

fn edges(shape: &str, count: usize) -> Done {
    let mut out = BufWriter::new(io::stdout().lock());
    for i in 0..count {
        let needs: Vec<String> = needs(shape, count, i)?.iter().map(usize::to_string).collect();
        writeln!(out, "{}", needs.join(" "))?;
    }
    Ok(out.flush()?)
}

fn run(dir: &Path, shape: &str, count: usize, work: &str, state: &str) -> Done {
    let graph = graph(shape, count, work)?;
    let tool =
        Tool { name: "true", summary: "", package: "coreutils", version_args: &[], minimum: None, companions: &[] };
    let engine = Engine::open(dir, Toolbox::new([tool], &BTreeMap::new()), Options::cores(2))?;
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Result, &|_| {});
    let expected = if state == "again" { How::Reused } else { How::Ran };
    for (job, outcome) in graph.jobs().iter().zip(&outcomes) {
        if !matches!(outcome, Outcome::Done { how, .. } if *how == expected) {
            return Err(format!("job {} ended otherwise: {outcome:?}", job.name).into());
        }
    }
    // What is only memory goes with the process, as it does in make and ninja; the engine closes its store.
    std::mem::forget((graph, outcomes));
    Ok(())
}

fn graph(shape: &str, count: usize, work: &str) -> Result<Graph, String> {
    let mut graph = Graph::default();
    let mut ids: Vec<JobId> = Vec::with_capacity(count);
    for i in 0..count {
        let needs = needs(shape, count, i)?;
        let body: Arc<dyn JobBody> = match work {
            "write" => Arc::new(Writes(i)),
            "true" => Arc::new(Spawns(i)),
            _ => return Err(format!("there is no work {work}")),
        };
        let inputs = needs.iter().map(|need| (Part::View(view(*need)), ids[*need])).collect();
        ids.push(graph.add(Job { inputs, ..Job::new(i.to_string(), body) }));
    }
    Ok(graph)
}

/// The view that a job offers.
fn view(job: usize) -> String {
    format!("o{job}")
}

/// Reads what it needs, the first one a source; writes one file that says which job it is.
struct Writes(usize);

impl JobBody for Writes {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("writes", &self.0.to_string());
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        if self.0 == 0 {
            cx.source("source")?;
        }
        for need in cx.inputs() {
            if let Part::View(format) = need {
                cx.view(&format);
            }
        }
        // Beyond 100k jobs, ten share a content: a million files would measure the file system.
        let output = cx.write_output((self.0 % 100_000).to_string().as_bytes(), "out")?;
        let views = [(view(self.0), View::File(output.path.clone()))].into();
        Ok(Record { outputs: vec![output], views, ..Record::default() })
    }
}

/// Spawns `true`. Its argument makes each of them another invocation.
struct Spawns(usize);

impl JobBody for Spawns {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("spawns", &self.0.to_string());
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let commands = vec![Command::new("true").arg(self.0.to_string())];
        let entry = cx.execute(&Invocation { log: "log".to_owned(), commands, ..Invocation::default() })?;
        Ok(entry.record().clone())
    }
}

fn open(dir: &Path) -> Result<Store, tapeout_store::StoreError> {
    Store::open(&dir.join(".tapeout/store"))
}

/// The outputs are sparse files with a number at the start, so that 10 GB of them fit on any disk. Their digests and
/// sizes are true.
fn fill(dir: &Path, count: usize) -> Done {
    let store = &open(dir)?;
    thread::scope(|scope| {
        let fill_half = |half: usize| move || (half..count).step_by(2).try_for_each(|i| record(store, dir, i));
        let halves = [0, 1].map(|half| scope.spawn(fill_half(half)));
        halves.into_iter().try_for_each(|half| half.join().map_err(|_| "a thread broke")?.map_err(|e| e.to_string()))
    })?;
    Ok(())
}

fn record(store: &Store, dir: &Path, i: usize) -> Result<(), Box<dyn Error + Send + Sync>> {
    const SIZE: u64 = 100_000;
    let made = dir.join(format!("made{i}"));
    let mut file = fs::File::create(&made)?;
    file.write_all(i.to_string().as_bytes())?;
    file.set_len(SIZE)?;
    drop(file);
    let output = store.take_file(&made, "out")?;
    let digest = Some(output.digest);
    let mut key = KeyHasher::new("fill");
    key.number(i as u64);
    let reads = vec![
        Read::File { path: format!("src/file{i}.v"), digest },
        Read::Tool { name: "yosys".to_owned(), digest: Some(hash_bytes(b"yosys")) },
        Read::Input { index: 0, digest },
    ];
    let views = [("out".to_owned(), View::File(output.path.clone()))].into();
    let record = Record { views, outputs: vec![output], ..Record::default() };
    let attempt = Attempt { commands: format!("yosys -p synth src/file{i}.v"), ..Attempt::default() };
    store.commit(Entry::new(key.finish(), &reads, record, attempt))?;
    Ok(())
}
