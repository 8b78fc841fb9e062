//! What has changed since a result was recorded, in the words of [`Change`].

use std::fs;
use std::sync::Arc;

use tapeout_engine::{
    Change, DepFormat, Engine, Failure, Graph, Identity, Input, Invocation, Job, JobBody, JobCx, JobId, Mode, Options,
    Outcome, Part, Tool, Wish,
};
use tapeout_model::{Digest, Metric, Record};
use tapeout_store::Entry;

use crate::common::{Project, all, call, job, one, out, run, runs, sh, tool};

/// A job that is what its parts say, and reads the parts of others that it sees.
struct Told(Vec<(&'static str, String)>);

impl JobBody for Told {
    fn identify(&self, identity: &mut Identity<'_>) {
        for (name, value) in &self.0 {
            identity.part(name, value);
        }
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let text = String::from_utf8(cx.read_source("src")?.unwrap_or_default()).unwrap();
        for part in cx.inputs() {
            if let Part::Metric(name) = part {
                cx.metric(&name);
            }
        }
        let metrics = [("length".to_owned(), Metric::Int(text.len() as i64))].into();
        Ok(Record { metrics, ..Record::default() })
    }
}

fn told(name: &str, parts: &[(&'static str, &str)]) -> Job {
    Job::new(name, Arc::new(Told(parts.iter().map(|(name, value)| (*name, (*value).to_owned())).collect())))
}

/// Runs a graph and gives the result of a job with its key.
fn recorded(engine: &Engine, graph: &Graph, index: usize) -> (Digest, Arc<Entry>) {
    let (_, outcomes, _) = run(engine, graph);
    let Outcome::Done { entry, .. } = &outcomes[index] else { panic!("{:?}", outcomes[index]) };
    (entry.key, Arc::clone(entry))
}

/// What has changed for a job of a graph, with the results of the others as far as they need not run.
fn changes(engine: &Engine, graph: &Graph, index: usize, (key, entry): &(Digest, Arc<Entry>)) -> Vec<Change> {
    let now = engine.run(graph, Mode::Look, |_| Wish::Result, &|_| {});
    let result_of = |id: JobId| match &now[id.index()] {
        Outcome::Done { entry, .. } => Some(Arc::clone(entry)),
        _ => None,
    };
    engine.changes(&graph.jobs()[index], key, Some(entry), result_of)
}

fn part(name: &str, old: Option<&str>, new: Option<&str>) -> Change {
    let text = |value: Option<&str>| value.map(str::to_owned);
    Change::Part { name: name.to_owned(), old: text(old), new: text(new) }
}

fn file(path: &str, was_there: bool, is_there: bool) -> Change {
    Change::File { path: path.to_owned(), was_there, is_there }
}

pub(crate) fn changed_parts_are_told_with_old_and_new_values() {
    let project = Project::new();
    let engine = project.engine(Options::cores(1));
    let before = one(told("a", &[("CLOCK_PERIOD", "10"), ("TOP", "top"), ("OLD", "x"), ("FILE", "a"), ("FILE", "b")]));
    let result = recorded(&engine, &before, 0);
    assert_eq!(changes(&engine, &before, 0, &result), []);
    let after = one(told("a", &[("NEW", "y"), ("CLOCK_PERIOD", "8"), ("TOP", "top"), ("FILE", "a"), ("FILE", "c")]));
    let expected = [
        part("NEW", None, Some("y")),
        part("CLOCK_PERIOD", Some("10"), Some("8")),
        part("FILE", Some("a, b"), Some("a, c")),
        part("OLD", Some("x"), None),
    ];
    assert_eq!(changes(&engine, &after, 0, &result), expected);
    drop(engine);
    let engine = project.engine(Options::cores(1));
    assert_eq!(changes(&engine, &after, 0, &result), expected, "the next process knows it as well");
    let unknown = (Digest([7; 32]), result.1);
    assert_eq!(changes(&engine, &after, 0, &unknown), [Change::Unknown]);
    let [job] = after.jobs() else { panic!("one job") };
    assert_eq!(engine.changes(job, &unknown.0, None, |_| None), [Change::Unknown]);
}

pub(crate) fn changed_files_are_told_by_what_became_of_them() {
    let project = Project::new();
    let engine = project.engine(Options::cores(1));
    project.write("top.v", "1");
    project.write("include.vh", "1");
    let graph = one(runs(
        "a",
        Invocation {
            inputs: ["top.v", "absent.v"].map(|path| Input::Source { path: path.to_owned() }).into(),
            depfiles: vec![("deps".to_owned(), DepFormat::Lines)],
            ..sh("echo ../../../include.vh > deps; touch out")
        },
    ));
    let result = recorded(&engine, &graph, 0);
    assert_eq!(changes(&engine, &graph, 0, &result), []);
    project.write("top.v", "2");
    project.write("absent.v", "1");
    fs::remove_file(project.path("include.vh")).unwrap();
    let expected = [file("top.v", true, true), file("absent.v", false, true), file("include.vh", true, false)];
    assert_eq!(changes(&engine, &graph, 0, &result), expected);
    project.write("top.v", "1");
    project.write("include.vh", "2");
    let expected = [file("absent.v", false, true), file("include.vh", true, true)];
    assert_eq!(changes(&engine, &graph, 0, &result), expected);
}

pub(crate) fn changed_inputs_are_told_by_their_job() {
    let project = Project::new();
    let engine = project.engine(Options::cores(1));
    project.write("src", "text");
    let mut graph = one(told("measures", &[("BODY", "measures")]));
    let measures = graph.ids().next().unwrap();
    let reads = told("reads", &[("BODY", "reads")]);
    graph.add(Job { inputs: vec![(Part::Metric("length".to_owned()), measures)], ..reads });
    let result = recorded(&engine, &graph, 1);
    assert_eq!(changes(&engine, &graph, 1, &result), []);
    project.write("src", "longer text");
    let part = Part::Metric("length".to_owned());
    let change = |pending| Change::Input { from: measures, part: part.clone(), pending };
    let expected = [file("src", true, true), change(true)];
    let found = changes(&engine, &graph, 1, &result);
    assert!(expected.iter().all(|change| found.contains(change)) && found.len() == 2, "{found:?}");
    // When the other job is up to date again.
    run(&engine, &Graph::clone(&graph));
    let found = changes(&engine, &graph, 1, &result);
    assert!(found.contains(&change(false)) && !found.contains(&change(true)), "{found:?}");
}

pub(crate) fn a_changed_tool_is_told_by_its_version_or_its_path() {
    let project = Project::new();
    let version = |version: &str, more: &str| {
        format!("#!/bin/sh\nif [ \"$1\" = -V ]; then echo Synth {version}; exit; fi\ntouch out\n{more}")
    };
    let engine = |path: &str| {
        let synth = Tool { version_args: &["-V"], ..tool("synth") };
        project.engine_with(Options::cores(1), [(synth, path)])
    };
    project.write_tool("bin/synth", &version("0.23", ""));
    let graph = one(runs("a", call("synth", &[])));
    let result = recorded(&engine("bin/synth"), &graph, 0);
    assert_eq!(changes(&engine("bin/synth"), &graph, 0, &result), []);
    let change = |old: &str, new: Option<&str>| Change::Tool {
        name: "synth".to_owned(),
        old: Some(old.to_owned()),
        new: new.map(str::to_owned),
    };
    project.write_tool("bin/synth", &version("0.52", ""));
    assert_eq!(changes(&engine("bin/synth"), &graph, 0, &result), [change("0.23", Some("0.52"))]);
    project.write_tool("other/synth", &version("0.23", "# patched\n"));
    let [old, new] = ["bin/synth", "other/synth"].map(|path| project.path(path).display().to_string());
    assert_eq!(changes(&engine("other/synth"), &graph, 0, &result), [change(&old, Some(&new))]);
    fs::remove_file(project.path("bin/synth")).unwrap();
    assert_eq!(changes(&engine("bin/synth"), &graph, 0, &result), [change("0.23", None)]);
}

pub(crate) fn a_changed_answer_and_a_lost_file_are_told() {
    let project = Project::new();
    let engine = project.engine(Options::cores(1));
    project.write("src", "1");
    let asks = || {
        job("asks", |cx| {
            let inputs = vec![Input::Source { path: "src".to_owned() }];
            cx.require(runs("asked", Invocation { inputs, ..sh("cp ../../../src out") }))?;
            Ok(sh("echo asks > out"))
        })
    };
    let result = recorded(&engine, &one(asks()), 0);
    assert_eq!(changes(&engine, &one(asks()), 0, &result), []);
    project.write("src", "2");
    assert_eq!(changes(&engine, &one(asks()), 0, &result), [Change::Asked]);

    let graph = all([runs("lost", sh("echo lost > out"))]);
    let result = recorded(&engine, &graph, 0);
    let digest = result.1.record().output("out").unwrap().digest.to_string();
    remove_blob(&project, &digest);
    // What this process knows to be there it need not look for again.
    let engine = project.engine(Options::cores(1));
    assert_eq!(changes(&engine, &graph, 0, &result), [Change::Lost { path: "out".to_owned() }]);
    let mut graph = graph;
    let lost = graph.ids().next().unwrap();
    graph.add(Job { inputs: vec![(out(), lost)], ..runs("next", sh("touch out")) });
    assert_eq!(run(&engine, &graph).0, "rr", "and made again");
}

/// Removes the file of a blob, whose path ends with what its digest ends with.
fn remove_blob(project: &Project, digest: &str) {
    let mut folders = vec![project.path(".tapeout/store")];
    let mut removed = 0;
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if digest.ends_with(path.file_name().unwrap().to_str().unwrap()) {
                fs::remove_file(path).unwrap();
                removed += 1;
            }
        }
    }
    assert_eq!(removed, 1);
}
