//! The project that the tests build: a task for each thing that targets can do, with plain tools of the shell.

use std::collections::BTreeMap;
use std::env;
use std::path::Path;
use std::time::Duration;

use tapeout::flow::project::{
    BlockRef, Blueprint, Call, Data, Diagnostic, FilePath, Project, Target, TaskCx, TaskResult,
};
use tapeout::flow::{Class, Failure};

/// The code of all tasks, as far as the store knows.
const CODE: &str = "1";

/// The variables of the environment that stand for edits of the project.
pub(crate) const DEPTH: &str = "LAB_DEPTH";
pub(crate) const CHAIN: &str = "LAB_CHAIN";

#[derive(TaskResult)]
struct One {
    file: FilePath,
}

#[derive(TaskResult)]
struct Pair {
    kept: String,
    noise: String,
}

#[derive(TaskResult)]
struct Corner {
    slack: f64,
    name: String,
}

#[derive(TaskResult)]
struct Everything {
    met: bool,
    area: i64,
    slack: f64,
    nothing: Option<i64>,
    pair: (i64, String),
    list: Vec<f64>,
    corners: BTreeMap<String, Corner>,
    typed: BTreeMap<String, String>,
    netlist: FilePath,
    source: FilePath,
}

pub(crate) fn project(root: &Path) -> Result<Project, Vec<Diagnostic>> {
    let mut project = Blueprint::new();
    if let Ok(length) = env::var(CHAIN) {
        chain(&mut project, length.parse().unwrap());
        return project.build(root);
    }
    let depth: i64 = env::var(DEPTH).map_or(4, |depth| depth.parse().unwrap());
    let calls = project.block("calls", CODE).param("root", root.to_str().unwrap()).done();
    of_calls(&mut project, calls);
    let cuts = project.block("cuts", CODE).doc("What is built again.").param("depth", depth).done();
    of_cuts(&mut project, cuts);
    let results = project.block("results", CODE).param("depth", "deep").done();
    of_results(&mut project, results);
    project.build(root)
}

/// A line for a shell, with files as `$1` and so on.
fn sh<const N: usize>(script: &str, files: [&FilePath; N]) -> Call {
    Call::new(["sh", "-c", script, "sh"]).args(files)
}

fn of_calls(project: &mut Blueprint, block: BlockRef) {
    project.task(block, "carry").run(|cx| {
        let first = cx.write("first.txt", b"1\n")?;
        cx.run(&sh("cat $1 > deep.txt; echo 2 >> deep.txt; echo > junk", [&first]).outputs(&["deep.txt"]))?;
        cx.run(&sh("test ! -e junk && cat first.txt deep.txt > last.txt && mkdir d && echo > d/kept", []))?;
        Ok(One { file: cx.cwd().join("last.txt") })
    });
    project.task(block, "streams").run(|cx| {
        let given = cx.write("given.txt", b"in\n")?;
        let call = sh("cat; echo $GREETING; echo said >&2", []).stdin(given).stdout("taken.txt");
        let ran = cx.run(&call.env("GREETING", "hello").outputs(&["taken.txt"]))?;
        let status = cx.run(&sh("exit 3", []).any_status())?.status();
        cx.say(&format!("said {:?}, exit {status}", ran.log()));
        Ok(One { file: cx.cwd().join("taken.txt") })
    });
    project.task(block, "replaces").run(|cx| {
        cx.write("a", b"file")?;
        cx.run(&sh("rm a; mkdir a; echo > a/b", []).stdout("deep/down/log.txt"))?;
        cx.run(&sh("test -d a", []))?;
        Ok(One { file: cx.cwd().join("a") })
    });
    project.task(block, "beneath").run(|cx| {
        cx.write("a", b"file")?;
        Ok(One { file: cx.write("a/b", b"")? })
    });
    project.task(block, "in_place_of_result").run(|cx| Ok(One { file: cx.write("result.json", b"{}")? }));
    project.task(block, "in_place_of_commands").run(|cx| {
        cx.run(&sh("echo > COMMANDS", []))?;
        Ok(())
    });
    project.task(block, "slow").run(|cx| {
        cx.run(&sh("echo > begun; sleep 60", []).timeout(Duration::from_millis(300)))?;
        Ok(())
    });
    project.task(block, "status").run(|cx| {
        cx.run(&sh("echo it cannot; exit 7", []))?;
        Ok(())
    });
    project.task(block, "missing").run(|cx| {
        cx.run(&sh("true", []).outputs(&["promised.txt"]))?;
        Ok(())
    });
    project.task(block, "undeclared").run(|cx| {
        cx.write("there.txt", b"")?;
        Ok(One { file: cx.cwd().join("their.txt") })
    });
    project.task(block, "outside").run(|cx| Ok(One { file: cx.write("../up.txt", b"")? }));
    let dir = project.task(block, "dir").run(|cx| {
        let noise = cx.input("src/noise.txt")?;
        cx.run(&sh("mkdir -p out/deep; echo a > out/a; cp $1 out/deep/b", [&noise]))?;
        Ok(One { file: cx.cwd().join("out") })
    });
    (project.task(block, "of_dir")).requires(dir.attribute(One::FILE)).run(|cx, dir| {
        cx.run(&sh("cat $1/a $1/deep/b > both", [&dir]))?;
        let b = cx.read(&dir.join("deep/b"))?;
        cx.write("b", &b)?;
        Ok(One { file: cx.cwd().join("both") })
    });
    let passed_on = project.task(block, "passes_on").requires(dir).run(|_, dir| Ok(dir));
    (project.task(block, "second_hand")).requires(passed_on).run(|cx, dir| {
        cx.run(&sh("cat $1/deep/b > b", [&dir.file]))?;
        Ok(One { file: cx.cwd().join("b") })
    });
    project.task(block, "own_tools").run(|cx| {
        let script = cx.input("tools/make.sh")?;
        cx.run(&Call::new([script]).args(["tool"]))?;
        cx.run(&Call::new(["./tool"]).stdout("said.txt"))?;
        Ok(One { file: cx.cwd().join("said.txt") })
    });
    project.task(block, "depfile").run(|cx| {
        let root: String = cx.value("root")?;
        let script = format!("cat {root}/src/noise.txt > out; echo 'out: {root}/src/noise.txt' > out.d");
        cx.run(&sh(&script, []).depfile("out.d").outputs(&["out"]))?;
        Ok(())
    });
    project.task(block, "reads_secret").run(|cx| {
        let root: String = cx.value("root")?;
        cx.run(&sh(&format!("cat {root}/secret.txt"), []))?;
        Ok(())
    });
    project.task(block, "waits").run(|cx| {
        let root: String = cx.value("root")?;
        cx.run(&sh(
            &format!("echo > out.txt; echo x >> {root}/begun; while ! test -e {root}/go; do sleep 0.05; done"),
            [],
        ))?;
        Ok(One { file: cx.cwd().join("out.txt") })
    });
}

fn of_cuts(project: &mut Blueprint, block: BlockRef) {
    project.task(block, "sources").doc("Counts files.").run(|cx| {
        let found = cx.glob("src/*.txt")?.len();
        cx.write("count", found.to_string().as_bytes())?;
        Ok(())
    });
    project.task(block, "all_files").run(|cx| {
        let found = cx.glob("**/*.txt")?.len();
        cx.write("count.txt", found.to_string().as_bytes())?;
        Ok(())
    });
    project.task(block, "deep").run(|cx| {
        let depth: i64 = cx.value("depth")?;
        cx.write("depth", depth.to_string().as_bytes())?;
        Ok(())
    });
    project.task(block, "shallow").run(|_| Ok(()));
    let pair = project.task(block, "pair").run(|cx| {
        let mut read = |path| {
            let path = cx.input(path)?;
            Ok::<_, Failure>(String::from_utf8_lossy(&cx.read(&path)?).into_owned())
        };
        Ok(Pair { kept: read("src/kept.txt")?, noise: read("src/noise.txt")? })
    });
    project.task(block, "uses_kept").requires(pair.attribute(Pair::KEPT)).run(|cx, kept| {
        cx.write("kept", kept.as_bytes())?;
        Ok(())
    });
    project.task(block, "uses_both").requires(pair).run(|cx, pair| {
        cx.write("both", format!("{}{}", pair.kept, pair.noise).as_bytes())?;
        Ok(())
    });
    let always =
        project.task(block, "always").always_rebuild().run(|_| Ok(Pair { kept: "a".into(), noise: "b".into() }));
    project.task(block, "after_always").requires(always).hidden().run(|_, _| Ok(()));
    project.task(block, "flaky").run(|cx| {
        cx.write("first.txt", b"1")?;
        cx.say("looks whether it may");
        if cx.exists(&FilePath::Source("src/fail".to_owned()))? {
            return Err(Failure::new(Class::Check, "timing not met").hint("a slower clock"));
        }
        Ok(One { file: cx.cwd().join("first.txt") })
    });
}

fn of_results(project: &mut Blueprint, block: BlockRef) {
    project.task(block, "everything").run(|cx| {
        let corner = |slack| Corner { slack, name: "slow".to_owned() };
        Ok(Everything {
            met: true,
            area: 1234,
            slack: f64::NEG_INFINITY,
            nothing: None,
            pair: (1, "a".to_owned()),
            list: vec![f64::NAN, 0.5],
            corners: BTreeMap::from([("ss".to_owned(), corner(-0.25))]),
            typed: BTreeMap::from([("_type".to_owned(), "Path".to_owned())]),
            netlist: cx.write("netlist.v", b"")?,
            source: cx.input("src/kept.txt")?,
        })
    });
    project.task(block, "wrong_kind").run(|cx| cx.value::<i64>("depth").map(|_| ()));
    project.task(block, "wrong_name").run(|cx| cx.value::<i64>("dept").map(|_| ()));
    project.task(block, "anything").run(|cx| {
        cx.metric("design__instance__count", 3_i64);
        Ok(Wide { data: Data::List(vec![Data::None]), large: u64::MAX })
    });
}

#[derive(TaskResult)]
struct Wide {
    data: Data,
    large: u64,
}

#[derive(TaskResult)]
struct Link {
    number: i64,
}

/// Each requires the one before.
fn chain(project: &mut Blueprint, length: usize) {
    let block = project.block("chain", CODE).done();
    let first: Target<Link> = project.task(block, "t0").run(|_| Ok(Link { number: 0 }));
    (1..length).fold(first, |last, index| {
        let task = project.task(block, &format!("t{index}"));
        task.requires(last).run(|_: &mut TaskCx<'_, '_>, last| Ok(Link { number: last.number + 1 }))
    });
}
