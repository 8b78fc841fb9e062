//! Jobs of one script each, a project to run them in, and what came of them in a few letters.
#![allow(dead_code, unreachable_pub, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Trial};
use tapeout_engine::{
    Command, DepFormat, Engine, Event, Failure, Graph, How, Identity, Input, Invocation, Job, JobBody, JobCx, Mode,
    Options, Outcome, Part, Tool, ToolSettings, Toolbox, Wish,
};
use tapeout_model::{Record, View};

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Test functions with their names.
#[macro_export]
macro_rules! named {
    ($($test:path),* $(,)?) => { &[$((stringify!($test), $test as fn())),*] };
}

/// Runs tests. Not the usual harness: the test program is also its own guard, which must be the only thread of its
/// process, so `main` begins with [`tapeout_engine::serve_if_asked`].
pub fn run_tests(tests: &[(&'static str, fn())]) -> ! {
    let trial = |&(name, test): &(&'static str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    libtest_mimic::run(&Arguments::from_args(), tests.iter().map(trial).collect()).exit()
}

type Prepare = dyn Fn(&mut JobCx<'_>) -> Result<Invocation, Failure> + Send + Sync;

/// A job that runs one invocation and offers its output `out` as the view `out`.
struct Shell {
    name: String,
    script: String,
    prepare: Box<Prepare>,
}

impl JobBody for Shell {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("name", &self.name).part("script", &self.script);
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let invocation = (self.prepare)(cx)?;
        let entry = cx.execute(&invocation)?;
        let views = BTreeMap::from([("out".to_owned(), View::File("out".to_owned()))]);
        Ok(Record { views, ..entry.record().clone() })
    }
}

/// An invocation of a script that writes `out`.
pub fn sh(script: &str) -> Invocation {
    call("sh", &["-c", script])
}

/// An invocation of a tool that writes `out`.
pub fn call(tool: &str, args: &[&str]) -> Invocation {
    Invocation {
        log: "log".to_owned(),
        commands: vec![Command::new(tool).args(args.iter().copied())],
        outputs: vec!["out".to_owned()],
        timeout: Some(PATIENCE),
        ..Invocation::default()
    }
}

/// A job that works out what to run.
pub fn job(name: &str, prepare: impl Fn(&mut JobCx<'_>) -> Result<Invocation, Failure> + Send + Sync + 'static) -> Job {
    let body = Shell { name: name.to_owned(), script: String::new(), prepare: Box::new(prepare) };
    Job::new(name, Arc::new(body))
}

/// A job that always runs the same.
pub fn runs(name: &str, invocation: Invocation) -> Job {
    let script = format!("{:?}", invocation.commands);
    let body = Shell { name: name.to_owned(), script, prepare: Box::new(move |_| Ok(invocation.clone())) };
    Job::new(name, Arc::new(body))
}

/// The part that jobs of this file offer.
pub fn out() -> Part {
    Part::View("out".to_owned())
}

pub fn one(job: Job) -> Graph {
    all([job])
}

pub fn all(jobs: impl IntoIterator<Item = Job>) -> Graph {
    let mut graph = Graph::default();
    jobs.into_iter().for_each(|job| _ = graph.add(job));
    graph
}

/// Two jobs: the first drops comments from `src`, which includes `inc` as its dependency file says; the second counts the
/// characters of what is left.
pub fn two_jobs() -> Graph {
    let strip = |cx: &mut JobCx<'_>| {
        let source = cx.source("src")?;
        Ok(Invocation {
            inputs: vec![Input::Source { path: "src".to_owned() }],
            depfiles: vec![("deps".to_owned(), DepFormat::Makefile)],
            ..sh(&format!("cat {source} ../../../inc | grep -v '^#' > out; echo \"out: {source} ../../../inc\" > deps"))
        })
    };
    let count = |cx: &mut JobCx<'_>| {
        let Some(View::File(text)) = cx.view("out") else { panic!("the first job makes it") };
        Ok(Invocation { inputs: vec![Input::Output(text)], ..sh("mv out in; wc -c < in > out; echo counted") })
    };
    let mut graph = Graph::default();
    let strip = graph.add(job("strip", strip));
    graph.add(Job { inputs: vec![(out(), strip)], ..job("count", count) });
    graph
}

/// A tool that cannot tell its version.
pub fn tool(name: &'static str) -> Tool {
    Tool { name, summary: "", package: "package", version_args: &[], minimum: None, companions: &[] }
}

/// A letter for each job: `r`an, re`u`sed, `f`ailed, `s`kipped, `w`ould run.
pub fn letters(outcomes: &[Outcome]) -> String {
    let letter = |outcome: &Outcome| match outcome {
        Outcome::Done { how: How::Reused | How::Pinned, .. } => 'u',
        Outcome::Done { how: How::Ran, .. } => 'r',
        Outcome::Failed(_) => 'f',
        Outcome::Skipped => 's',
        Outcome::WouldRun => 'w',
    };
    outcomes.iter().map(letter).collect()
}

#[track_caller]
pub fn failure(outcome: &Outcome) -> &Failure {
    match outcome {
        Outcome::Failed(failure) => failure,
        other => panic!("expected a failure, found {other:?}"),
    }
}

/// Waits until something is so.
#[track_caller]
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A project. Scripts run in its work directories and find its files in `../../..`.
pub struct Project {
    root: PathBuf,
    /// Removed with the project, unless that is somebody else's.
    dir: Option<tempfile::TempDir>,
}

impl Project {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // As tools see it.
        Self { root: dir.path().canonicalize().unwrap(), dir: Some(dir) }
    }

    /// Another process's project.
    pub fn at(root: PathBuf) -> Self {
        Self { root, dir: None }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes an executable script.
    pub fn write_tool(&self, name: &str, text: &str) {
        self.write(name, text);
        fs::set_permissions(self.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub fn lines(&self, name: &str) -> usize {
        self.read(name).lines().count()
    }

    /// An engine with the tools `sh` and `nowhere`, which is missing.
    pub fn engine(&self, options: Options) -> Engine {
        self.engine_with(options, [])
    }

    /// An engine that has also these tools, each at a path from the project.
    pub fn engine_with<const N: usize>(&self, options: Options, tools: [(Tool, &str); N]) -> Engine {
        let settings = |(tool, path): &(Tool, &str)| {
            (tool.name.to_owned(), ToolSettings { path: Some((*path).to_owned()), ..ToolSettings::default() })
        };
        let settings: BTreeMap<_, _> = tools.iter().map(settings).collect();
        let tools = tools.into_iter().map(|(tool, _)| tool).chain([tool("sh"), tool("nowhere")]);
        Engine::open(self.root(), Toolbox::new(tools, &settings), options).unwrap()
    }

    /// Runs a graph on two cores.
    pub fn run(&self, graph: &Graph) -> (String, Vec<Outcome>) {
        let (letters, outcomes, _) = run(&self.engine(Options::cores(2)), graph);
        (letters, outcomes)
    }

    /// What would run.
    pub fn look(&self, graph: &Graph) -> String {
        look(&self.engine(Options::cores(2)), graph)
    }

    /// The file `out` of a result.
    #[track_caller]
    pub fn output(&self, outcome: &Outcome) -> String {
        output(&self.engine(Options::cores(1)), outcome)
    }

    /// The names in the folder of work directories.
    pub fn work_dirs(&self) -> Vec<String> {
        let Ok(listing) = fs::read_dir(self.path(".tapeout/work")) else { return Vec::new() };
        listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

/// Runs a graph and gives what happened, too.
pub fn run(engine: &Engine, graph: &Graph) -> (String, Vec<Outcome>, Vec<Event>) {
    let events = std::sync::Mutex::new(Vec::new());
    let outcomes = engine.run(graph, Mode::Run, |_| Wish::Result, &|event| events.lock().unwrap().push(event.clone()));
    (letters(&outcomes), outcomes, events.into_inner().unwrap())
}

pub fn look(engine: &Engine, graph: &Graph) -> String {
    letters(&engine.run(graph, Mode::Look, |_| Wish::Result, &|_| {}))
}

/// The file `out` of a result.
#[track_caller]
pub fn output(engine: &Engine, outcome: &Outcome) -> String {
    let Outcome::Done { entry, .. } = outcome else { panic!("not done: {outcome:?}") };
    let out = entry.record().output("out").unwrap();
    String::from_utf8(engine.store().read(&out.digest).unwrap()).unwrap()
}
