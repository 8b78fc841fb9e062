//! What a job read decides whether it runs again, and nothing else does.

use std::sync::Arc;
use std::thread;

use tapeout_engine::{
    DepFormat, Failure, Graph, Identity, Input, Invocation, Job, JobBody, JobCx, Options, Outcome, Part,
};
use tapeout_model::{Metric, Record, View};

use crate::common::{Project, failure, job, one, out, run, runs, sh, until};

/// Makes a view of the lines of `src` that begin with `a` and one of the others, and counts both.
struct Split;

impl JobBody for Split {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("body", "split");
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let source = String::from_utf8(cx.read_source("src")?.unwrap_or_default()).unwrap();
        let (a, b): (Vec<&str>, Vec<&str>) = source.lines().partition(|line| line.starts_with('a'));
        let mut record = Record::default();
        for (name, lines) in [("a", a), ("b", b)] {
            record.outputs.push(cx.write_output(lines.join("\n").as_bytes(), name)?);
            record.views.insert(name.to_owned(), View::File(name.to_owned()));
            record.metrics.insert(name.to_owned(), Metric::Int(lines.len() as i64));
        }
        Ok(record)
    }
}

/// Counts the words of `src`: a metric for each.
struct Words;

impl JobBody for Words {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("body", "words");
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let source = String::from_utf8(cx.read_source("src")?.unwrap_or_default()).unwrap();
        let mut record = Record::default();
        for word in source.split_whitespace() {
            let count = source.split_whitespace().filter(|other| *other == word).count();
            record.metrics.insert(word.to_owned(), count.into());
        }
        Ok(record)
    }
}

fn view(name: &str) -> Part {
    Part::View(name.to_owned())
}

fn metric(name: &str) -> Part {
    Part::Metric(name.to_owned())
}

/// `split`, and a job for each part of its result that reads it, and one that could and does not.
fn slices() -> Graph {
    let mut graph = one(Job::new("split", Arc::new(Split)));
    let split = graph.ids().next().unwrap();
    for part in [view("a"), view("b"), metric("a"), metric("b")] {
        let reads = job(&format!("reads {part}"), |cx| {
            for part in cx.inputs() {
                match part {
                    Part::View(name) => _ = cx.view(&name),
                    Part::Metric(name) => _ = cx.metric(&name),
                    Part::Metrics(prefix) => _ = cx.metrics(&prefix),
                    other => unreachable!("no input here is of this kind: {other}"),
                }
            }
            Ok(sh("touch out"))
        });
        graph.add(Job { inputs: vec![(part, split)], ..reads });
    }
    let could = runs("could read", sh("touch out"));
    graph.add(Job { inputs: vec![(view("a"), split), (metric("b"), split)], ..could });
    graph
}

pub(crate) fn a_job_runs_again_only_for_the_parts_that_it_sees() {
    let project = Project::new();
    //           split, view a, view b, metric a, metric b, nothing
    let edits = [
        ("a1\nb1\n", "rrrrrr", "all for the first time"),
        ("a1\nb2\n", "ruruuu", "one more value of b"),
        ("a1\nb2\nb3\n", "rururu", "one more line of b"),
        ("b2\na1\nb3\n", "ruuuuu", "another order, which no part shows"),
        ("a4\nb2\nb3\n", "rruuuu", "another value of a"),
        ("a1\nb1\n", "uuuuuu", "as it was at first"),
    ];
    for (source, letters, edit) in edits {
        project.write("src", source);
        assert_eq!(project.run(&slices()).0, letters, "{edit}");
    }
}

pub(crate) fn metrics_with_like_names_are_read_together() {
    let project = Project::new();
    let graph = || {
        let mut graph = one(Job::new("words", Arc::new(Words)));
        let words = graph.ids().next().unwrap();
        let sum = job("sum", |cx| {
            let counts = cx.metrics("a");
            assert!(counts.keys().all(|name| name.starts_with('a')));
            Ok(sh(&format!("echo {} > out", counts.len())))
        });
        graph.add(Job { inputs: vec![(Part::Metrics("a".to_owned()), words)], ..sum });
        graph
    };
    let edits = [
        ("b", "rr", "0"),
        ("b b", "ru", "0"),
        ("a:1", "rr", "1"),
        ("a:1 a:2 b", "rr", "2"),
        ("a:2 a:2 a:1", "rr", "2"),
        ("a:2 a:2", "rr", "1"),
        ("a:3 a:3", "rr", "1"),
        ("x b a:2 a:2", "ru", "1"),
    ];
    for (source, letters, count) in edits {
        project.write("src", source);
        let (ran, outcomes) = project.run(&graph());
        assert_eq!((ran.as_str(), project.output(&outcomes[1]).trim()), (letters, count), "{source}");
    }
}

pub(crate) fn equal_metrics_stop_the_wave() {
    let project = Project::new();
    let chain = || {
        let mut graph = one(Job::new("split", Arc::new(Split)));
        let split = graph.ids().next().unwrap();
        let even = job("is even", |cx| {
            let Some(Metric::Int(count)) = cx.metric("b") else { panic!("it is counted") };
            Ok(sh(&format!("echo $(({count} % 2)) > out")))
        });
        let even = graph.add(Job { inputs: vec![(metric("b"), split)], ..even });
        let report = job("report", |cx| {
            let Some(View::File(text)) = cx.view("out") else { panic!("one file") };
            Ok(Invocation { inputs: vec![Input::Output(text)], ..sh("echo >> out") })
        });
        graph.add(Job { inputs: vec![(out(), even)], ..report });
        graph
    };
    for (source, letters) in [("b\n", "rrr"), ("b\nb\nb\n", "rru"), ("c\nc\nc\n", "ruu"), ("b\nb\n", "rrr")] {
        project.write("src", source);
        assert_eq!(project.run(&chain()).0, letters, "{source:?}");
    }
}

/// Takes the first `header` in `include/` and in the project, and tells where it looked, in the way of make.
fn including() -> Job {
    let script = "for dir in ../../../include ../../..; do
            deps=\"$deps $dir/header\"; if [ -e $dir/header ]; then cat $dir/header > out; break; fi
        done; touch out; echo \"out:$deps\" > deps";
    runs("including", Invocation { depfiles: vec![("deps".to_owned(), DepFormat::Makefile)], ..sh(script) })
}

pub(crate) fn a_header_counts_when_it_appears_changes_or_vanishes() {
    let project = Project::new();
    let graph = one(including());
    let expect = |ran: &str, text: &str, what: &str| {
        let (letters, outcomes) = project.run(&graph);
        assert_eq!((letters.as_str(), project.output(&outcomes[0]).as_str()), (ran, text), "{what}");
    };
    expect("r", "", "no header");
    project.write("header", "outer");
    expect("r", "outer", "one appeared");
    project.write("header", "OUTER");
    expect("r", "OUTER", "it changed");
    project.write("include/header", "inner");
    expect("r", "inner", "another appeared before it");
    project.write("header", "no matter");
    expect("u", "inner", "what is behind it does not count");
    std::fs::remove_file(project.path("include/header")).unwrap();
    expect("r", "no matter", "it vanished");
    std::fs::remove_file(project.path("header")).unwrap();
    expect("u", "", "as in the beginning");
}

pub(crate) fn edits_within_one_tick_are_seen() {
    let project = Project::new();
    let engine = project.engine(Options::cores(1));
    let graph = one(Job::new("split", Arc::new(Split)));
    // Of equal length, so that only time stamps and content tell them apart; and no process takes its time.
    for n in 100..200 {
        let text = format!("a{n}");
        project.write("src", &text);
        let (ran, outcomes, _) = run(&engine, &graph);
        let Outcome::Done { entry, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
        let found = engine.store().read(&entry.record().output("a").unwrap().digest).unwrap();
        assert_eq!((ran.as_str(), String::from_utf8(found).unwrap()), ("r", text));
    }
}

pub(crate) fn what_changes_while_a_job_runs_is_not_recorded_even_if_it_changes_back() {
    let wait = "touch ../../../began; until [ -e ../../../edited ]; do sleep 0.01; done; touch out";
    let source = |path: &str| vec![Input::Source { path: path.to_owned() }];
    let deps = vec![("deps".to_owned(), DepFormat::Lines)];
    let read_by_body = job("body", move |cx| {
        cx.read_source("src")?;
        Ok(sh(wait))
    });
    let jobs = [
        (runs("declared", Invocation { inputs: source("src"), ..sh(wait) }), true),
        (runs("absent", Invocation { inputs: source("new"), ..sh(wait) }), false),
        (runs("discovered", Invocation { depfiles: deps, ..sh(&format!("{wait}; echo ../../../src > deps")) }), true),
        // The body itself holds what it has read: only what is there at the end counts.
        (read_by_body, false),
    ];
    for (job, changes_back) in jobs {
        let project = Project::new();
        project.write("src", "text");
        let name = job.name.clone();
        let graph = one(job);
        thread::scope(|scope| {
            let running = scope.spawn(|| project.run(&graph));
            until("the job to run", || project.path("began").exists());
            let path = if name == "absent" { "new" } else { "src" };
            project.write(path, "edit");
            if changes_back {
                project.write(path, "text");
            }
            project.write("edited", "");
            let (ran, outcomes) = running.join().unwrap();
            assert_eq!(ran, "f", "{name}");
            let message = &failure(&outcomes[0]).message;
            assert!(message.contains(&format!("`{path}` changed during the step")), "{name}: {message}");
        });
        std::fs::remove_file(project.path("began")).unwrap();
        assert_eq!(project.look(&graph), "w", "{name}");
        assert_eq!(project.run(&graph).0, "r", "{name}");
    }
}
