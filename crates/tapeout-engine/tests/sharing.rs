//! Engines that share results, by nginx and by a directory: what does not run again, what stays local, and that no
//! server can make a result wrong.
#![expect(clippy::disallowed_methods, reason = "a test starts nginx")]
#![expect(clippy::print_stdout, reason = "a test says why it is skipped")]
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

mod common;
#[allow(dead_code, reason = "the tests of the store use the rest")]
#[path = "../../tapeout-store/tests/servers/mod.rs"]
mod servers;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tapeout_engine::{
    Access, DepFormat, Engine, Event, Failure, Graph, Input, Invocation, JobCx, Mode, Options, Outcome, SharedCache,
    Shares, Tool, ToolSettings, Toolbox, Wish,
};
use tapeout_model::{Attempt, Digest, Read, Record};
use tapeout_store::{Entry, Store};
use tempfile::TempDir;

use common::{job, one, run_tests, sh, two_jobs};
use servers::{Nginx, Tiny, free_port, reply};

/// Not the usual harness: this program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout_engine::serve_if_asked();
    run_tests(named![
        nginx_as_in_the_book_saves_every_tool_run,
        a_directory_saves_every_tool_run,
        who_may_only_read_brings_nothing,
        what_names_this_machine_stays_here,
        a_fresh_result_takes_the_place_of_the_old_one,
        damage_is_found_told_and_replaced,
        what_no_invocation_promised_is_not_taken,
        slow_wrong_and_absent_servers_change_nothing,
    ])
}

type Prepare = fn(&mut JobCx<'_>) -> Result<Invocation, Failure>;

/// Where projects are, at several depths.
struct Space(TempDir);

impl Space {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A project that nothing was run in.
    fn project(&self, place: &str) -> PathBuf {
        let project = self.path(place);
        fs::create_dir_all(&project).unwrap();
        fs::write(project.join("src"), "# comment\na\n").unwrap();
        fs::write(project.join("inc"), "b\n").unwrap();
        project
    }

    /// The location of a cache in a directory.
    fn cache(&self) -> String {
        fs::create_dir_all(self.path("cache")).unwrap();
        self.path("cache").to_str().unwrap().to_owned()
    }

    /// The files of that cache, by kind.
    fn cached(&self, kind: &str) -> Vec<PathBuf> {
        let listing = fs::read_dir(self.path("cache").join(kind)).into_iter().flatten();
        listing.map(|entry| entry.unwrap().path()).collect()
    }
}

/// What a run came to.
struct Ran {
    /// A letter for each invocation: `t` its tools ran, `s` it was taken from the shared cache.
    tools: String,
    outputs: Vec<String>,
    shares: Shares,
}

fn run(project: &Path, location: &str, graph: &Graph) -> Ran {
    run_as(project, location, graph, Access::ReadWrite, &Wish::Result)
}

fn run_as(project: &Path, location: &str, graph: &Graph, access: Access, wish: &Wish) -> Ran {
    let tool = Tool { name: "sh", summary: "", package: "dash", version_args: &[], minimum: None, companions: &[] };
    let toolbox = Toolbox::new([tool], &BTreeMap::<String, ToolSettings>::new());
    let shared = Some(Arc::new(SharedCache::open(location, access).unwrap()));
    let engine = Engine::open(project, toolbox, Options { shared, ..Options::cores(2) }).unwrap();
    let tools = Mutex::new(String::new());
    let outcomes = engine.run(graph, Mode::Run, |_| wish.clone(), &|event| match event {
        Event::Running { .. } => tools.lock().unwrap().push('t'),
        Event::Shared { host, .. } => {
            assert!(!host.is_empty());
            tools.lock().unwrap().push('s');
        }
        _ => {}
    });
    let output = |outcome: &Outcome| {
        let Outcome::Done { entry, .. } = outcome else { panic!("not done: {outcome:?}") };
        let out = entry.record().output("out").unwrap();
        String::from_utf8(engine.store().read(&out.digest).unwrap()).unwrap().trim().to_owned()
    };
    let outputs = outcomes.iter().map(output).collect();
    let shares = engine.finish_sharing(servers::PATIENCE).unwrap();
    Ran { tools: tools.into_inner().unwrap(), outputs, shares }
}

#[track_caller]
fn assert_well(ran: &Ran, tools: &str, count: &str) {
    let Shares { uploads, kept, trouble, damage } = &ran.shares;
    assert_eq!((ran.tools.as_str(), ran.outputs[1].as_str()), (tools, count), "{:?}", ran.shares);
    assert_eq!((uploads.left, kept.len(), trouble, damage.len()), (0, 0, &None, 0), "{:?}", ran.shares);
}

/// Several people with one cache.
fn everybody_shares(location: &str) {
    let space = Space::new();
    let [ann, bob] = ["ann", "deep/er/bob"].map(|place| space.project(place));
    let graph = two_jobs();
    assert_well(&run(&ann, location, &graph), "tt", "4");
    let ran = run(&bob, location, &graph);
    assert_well(&ran, "ss", "4");
    assert_eq!(ran.shares.uploads.sent, 0, "there was nothing new");
    assert_well(&run(&bob, location, &graph), "", "4");

    // What was read has to be the same, also what only the tool knows of.
    fs::write(bob.join("inc"), "bcd\n").unwrap();
    assert_well(&run(&bob, location, &graph), "tt", "6");
    let cid = space.project("cid");
    assert_well(&run(&cid, location, &graph), "ss", "4");
    fs::write(cid.join("inc"), "bcd\n").unwrap();
    assert_well(&run(&cid, location, &graph), "ss", "6");
}

/// What the book puts into nginx's configuration for the folder of the cache.
fn directives() -> &'static str {
    let page = include_str!("../../../book/src/shared-cache.md");
    let (_, block) = page.split_once("```nginx\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    let (_, location) = block.split_once("location /team/ {").unwrap();
    let (location, _) = location.rsplit_once("}\n}").unwrap();
    location
}

fn nginx_as_in_the_book_saves_every_tool_run() {
    let Some(nginx) = Nginx::start(directives()) else { return };
    everybody_shares(&nginx.location());

    // The same for somebody who may not bring anything.
    let directives = directives().replace("allow 127.0.0.1;", "");
    assert_ne!(directives, self::directives());
    let Some(nginx) = Nginx::start(&directives) else { return };
    let space = Space::new();
    let ran = run(&space.project("ann"), &nginx.location(), &two_jobs());
    assert_eq!((ran.tools.as_str(), ran.outputs[1].as_str()), ("tt", "4"));
    let trouble = ran.shares.trouble.unwrap();
    assert!(trouble.contains("new results are not shared"), "{trouble}");
    assert!(!nginx.path("ac").exists());
}

fn a_directory_saves_every_tool_run() {
    let space = Space::new();
    everybody_shares(&space.cache());
}

fn who_may_only_read_brings_nothing() {
    let space = Space::new();
    let [ann, bob] = ["ann", "bob"].map(|place| space.project(place));
    let graph = two_jobs();
    let read = |project: &Path| run_as(project, &space.cache(), &graph, Access::ReadOnly, &Wish::Result);
    assert_well(&read(&ann), "tt", "4");
    assert_eq!((space.cached("ac").len(), space.cached("cas").len()), (0, 0));
    assert_well(&run(&bob, &space.cache(), &graph), "tt", "4");
    assert_well(&read(&space.project("cid")), "ss", "4");
}

fn what_names_this_machine_stays_here() {
    let cases: [(Prepare, &str); 5] = [
        (|_| Ok(sh("pwd > out")), "`out` names a path of this machine"),
        (|_| Ok(sh("echo 1 > out; echo reading $HOME/.rc")), "`log` names a path of this machine"),
        (
            |cx| Ok(sh(&format!("echo {} > /dev/null; echo 1 > out", cx.project().display()))),
            "its command line names a path of this machine",
        ),
        (
            |cx| {
                let text = format!("set dir {}", cx.project().display());
                Ok(Invocation { inputs: vec![Input::Text { name: "script".to_owned(), text }], ..sh("echo 1 > out") })
            },
            "`script` names a path of this machine",
        ),
        (
            |_| {
                let depfiles = vec![("deps".to_owned(), DepFormat::Lines)];
                Ok(Invocation { depfiles, ..sh("echo 1 > out; echo \"$HOME/.none\" > deps") })
            },
            "its record names a path of this machine",
        ),
    ];
    for (prepare, place) in cases {
        let space = Space::new();
        let ran = run(&space.project("ann"), &space.cache(), &one(job("job", prepare)));
        let kept = &ran.shares.kept;
        assert_eq!(kept.iter().map(|kept| kept.place.as_str()).collect::<Vec<_>>(), [place]);
        assert_eq!(ran.shares.uploads.sent, 0);
        assert!(space.cached("ac").is_empty() && space.cached("cas").is_empty());
        assert_eq!(run(&space.project("bob"), &space.cache(), &one(job("job", prepare))).tools, "t");
    }
}

fn a_fresh_result_takes_the_place_of_the_old_one() {
    // It reads what it does not tell of.
    let graph = one(job("job", |_| Ok(sh("cat ../../../inc > out"))));
    let space = Space::new();
    let [ann, bob] = ["ann", "bob"].map(|place| space.project(place));
    let location = space.cache();
    run(&ann, &location, &graph);
    fs::write(ann.join("inc"), "new").unwrap();
    assert_eq!(run(&ann, &location, &graph).outputs, ["b"]);
    let fresh = run_as(&ann, &location, &graph, Access::ReadWrite, &Wish::Fresh);
    assert_eq!((fresh.tools.as_str(), fresh.outputs), ("t", vec!["new".to_owned()]));
    let ran = run(&bob, &location, &graph);
    assert_eq!((ran.tools.as_str(), ran.outputs), ("s", vec!["new".to_owned()]));
}

/// Does something to the files of a cache.
type Damage = fn(&Space, &[PathBuf]);

fn damage_is_found_told_and_replaced() {
    let kinds: [(&str, Damage); 4] = [
        ("cas", |_, files| {
            for file in files {
                change(file, |bytes| bytes[0] ^= 1);
            }
        }),
        ("cas", |_, files| files.iter().for_each(|file| change(file, |bytes| bytes.truncate(1)))),
        ("ac", |_, files| {
            for file in files {
                change(file, |bytes| {
                    let middle = bytes.len() / 2;
                    bytes[middle] ^= 1;
                });
            }
        }),
        ("ac", |space, files| {
            let other = space.path("other");
            fs::rename(&files[0], &other).unwrap();
            fs::rename(&files[1], &files[0]).unwrap();
            fs::rename(&other, &files[1]).unwrap();
        }),
    ];
    for (n, (kind, damage)) in kinds.into_iter().enumerate() {
        let space = Space::new();
        let graph = two_jobs();
        let location = space.cache();
        run(&space.project("ann"), &location, &graph);
        damage(&space, &space.cached(kind));
        let ran = run(&space.project("bob"), &location, &graph);
        assert_eq!((ran.tools.as_str(), ran.outputs[1].as_str()), ("tt", "4"), "case {n}");
        assert!(!ran.shares.damage.is_empty(), "case {n}");
        // Each run comes upon one damaged file of a result and replaces it.
        let healed = (0..6).any(|n| run(&space.project(&format!("later{n}")), &location, &graph).tools == "ss");
        assert!(healed, "case {n}");
    }
}

fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(file).unwrap();
    change(&mut bytes);
    fs::remove_file(file).unwrap();
    fs::write(file, bytes).unwrap();
}

fn what_no_invocation_promised_is_not_taken() {
    let graph = one(job("job", |_| Ok(sh("echo right > out"))));
    let cases: [fn(&mut Record, &mut Attempt, &mut Vec<Read>); 5] = [
        |record, _, _| record.outputs.clear(),
        |record, _, _| record.outputs[1].path = "unexpected".to_owned(),
        |record, _, _| record.statuses = vec![1],
        |_, attempt, _| attempt.log = None,
        |_, _, reads| reads.push(Read::File { path: "inc".to_owned(), digest: Some(Digest([1; 32])) }),
    ];
    let harmless: fn(&mut Record, &mut Attempt, &mut Vec<Read>) = |record, _, _| _ = record.outputs.pop();
    for (n, forge) in cases.into_iter().chain([harmless]).enumerate() {
        let space = Space::new();
        run(&space.project("ann"), &space.cache(), &graph);
        let [action] = &space.cached("ac")[..] else { panic!("one result") };
        let key = action.file_name().unwrap().to_str().unwrap().parse().unwrap();
        fs::remove_file(action).unwrap();
        let store = Store::open(&space.path("forger")).unwrap();
        let output = |name| store.put_bytes(b"forged", name).unwrap();
        let mut record = Record { outputs: vec![output("out"), output("out")], statuses: vec![0], ..Record::default() };
        let mut attempt = Attempt { log: Some(output("log")), host: "elsewhere".to_owned(), ..Attempt::default() };
        let mut reads = Vec::new();
        forge(&mut record, &mut attempt, &mut reads);
        let cache = SharedCache::open(&space.cache(), Access::ReadWrite).unwrap();
        store.share(&cache, &Entry::new(key, &reads, record, attempt), &[]).unwrap();
        assert_eq!(cache.finish(servers::PATIENCE).left, 0);
        let ran = run(&space.project("bob"), &space.cache(), &graph);
        let expected = if n == 5 { ("s", "forged") } else { ("t", "right") };
        assert_eq!((ran.tools.as_str(), ran.outputs[0].as_str()), expected, "case {n}");
    }
}

fn slow_wrong_and_absent_servers_change_nothing() {
    let slow = Tiny::start(|_, stream| {
        thread::sleep(Duration::from_secs(60));
        reply(stream, 404, b"")
    });
    let broken = Tiny::start(|_, stream| reply(stream, 500, b"broken"));
    let words = Tiny::start(|_, stream| reply(stream, 200, b"<html>log in</html>"));
    let drops = Tiny::start(|_, _| false);
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let nowhere = "/nowhere/at/all".to_owned();
    let servers = [slow.location(), broken.location(), words.location(), drops.location(), nobody, nowhere];
    let graph = two_jobs();
    thread::scope(|scope| {
        for location in &servers {
            let graph = &graph;
            scope.spawn(move || {
                let space = Space::new();
                let begin = Instant::now();
                let ran = run(&space.project("ann"), location, graph);
                assert_eq!((ran.tools.as_str(), ran.outputs[1].as_str()), ("tt", "4"), "{location}");
                let told = ran.shares.trouble.is_some() || !ran.shares.damage.is_empty();
                assert!(told, "{location}: {:?}", ran.shares);
                assert!(begin.elapsed() < Duration::from_secs(30), "{location}: {:?}", begin.elapsed());
            });
        }
    });
}
