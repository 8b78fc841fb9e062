//! Settings of jobs: those that the body read count, and no others; absence counts as well.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tapeout_engine::{
    Change, Engine, Failure, Graph, How, Identity, Job, JobBody, JobCx, Mode, Options, Outcome, Toolbox, Wish,
};
use tapeout_model::{Metric, Record};

type Settings = BTreeMap<String, String>;
type Run = dyn Fn(&mut JobCx<'_>, &Settings) -> Result<String, Failure> + Send + Sync;

/// A job with settings whose body is a closure; the text that it gives is its metric `text`.
struct Set {
    name: String,
    settings: Settings,
    run: Box<Run>,
}

impl JobBody for Set {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("name", &self.name);
    }

    fn settings(&self) -> Vec<String> {
        self.settings.keys().cloned().collect()
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.settings.get(name).cloned()
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let text = Metric::Text((self.run)(cx, &self.settings)?);
        Ok(Record { metrics: [("text".to_owned(), text)].into(), ..Record::default() })
    }
}

fn job(
    name: &str,
    settings: &[(&str, &str)],
    run: impl Fn(&mut JobCx<'_>, &Settings) -> Result<String, Failure> + Send + Sync + 'static,
) -> Job {
    let settings = settings.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Job::new(name, Arc::new(Set { name: name.to_owned(), settings, run: Box::new(run) }))
}

fn engine(project: &Path) -> Engine {
    Engine::open(project, Toolbox::default(), Options::cores(1)).unwrap()
}

/// A letter for what became of the first job, and its text.
fn run(project: &Path, job: Job) -> (char, String) {
    let mut graph = Graph::default();
    graph.add(job);
    let outcomes = engine(project).run(&graph, Mode::Run, |_| Wish::Result, &|_| {});
    let Outcome::Done { entry, how } = &outcomes[0] else { panic!("{outcomes:?}") };
    (if *how == How::Ran { 'r' } else { 'u' }, text_of(entry))
}

fn text_of(entry: &tapeout_store::Entry) -> String {
    entry.record().metrics["text"].to_string()
}

/// Reads `DEPTH` only where `MODE` is `deep`.
fn conditional(settings: &[(&str, &str)]) -> Job {
    job("conditional", settings, |cx, _| {
        let mode = cx.setting("MODE");
        let depth = if mode.as_deref() == Some("deep") { cx.setting("DEPTH") } else { None };
        Ok(format!("{mode:?} {depth:?}"))
    })
}

#[test]
fn only_settings_that_were_read_count_and_so_does_absence() {
    let project = tempfile::tempdir().unwrap();
    let expect = |settings: &[(&str, &str)], letter: char, text: &str| {
        assert_eq!(run(project.path(), conditional(settings)), (letter, text.to_owned()), "{settings:?}");
    };
    expect(&[("MODE", "flat"), ("DEPTH", "1")], 'r', "Some(\"flat\") None");
    expect(&[("MODE", "flat"), ("DEPTH", "2"), ("OTHER", "x")], 'u', "Some(\"flat\") None");
    expect(&[("MODE", "deep"), ("DEPTH", "2")], 'r', "Some(\"deep\") Some(\"2\")");
    expect(&[("MODE", "deep"), ("DEPTH", "3")], 'r', "Some(\"deep\") Some(\"3\")");
    expect(&[("MODE", "deep")], 'r', "Some(\"deep\") None");
    expect(&[], 'r', "None None");
    expect(&[("DEPTH", "4")], 'u', "None None");
    expect(&[("MODE", "")], 'r', "Some(\"\") None");
    expect(&[("MODE", "deep"), ("DEPTH", "2")], 'u', "Some(\"deep\") Some(\"2\")");
    expect(&[("MODE", "deep")], 'u', "Some(\"deep\") None");
}

#[test]
fn a_changed_setting_is_told_with_old_and_new_text_before_all_else_that_was_read() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("src"), "1").unwrap();
    let reads = |settings: &[(&str, &str)]| {
        job("reads", settings, |cx, _| {
            cx.read_source("src")?;
            Ok(format!("{:?} {:?}", cx.setting("DEPTH"), cx.setting("LIMIT")))
        })
    };
    let engine = engine(project.path());
    let mut graph = Graph::default();
    graph.add(reads(&[("DEPTH", "1"), ("UNREAD", "1")]));
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Result, &|_| {});
    let Outcome::Done { entry, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    let changes = |settings: &[(&str, &str)]| engine.changes(&reads(settings), &entry.key, Some(entry), |_| None);
    let setting = |name: &str, old: Option<&str>, new: Option<&str>| Change::Setting {
        name: name.to_owned(),
        old: old.map(str::to_owned),
        new: new.map(str::to_owned),
    };
    assert_eq!(changes(&[("DEPTH", "1"), ("UNREAD", "2")]), []);
    fs::write(project.path().join("src"), "2").unwrap();
    let file = Change::File { path: "src".to_owned(), was_there: true, is_there: true };
    let expected = [setting("DEPTH", Some("1"), None), setting("LIMIT", None, Some("5")), file];
    assert_eq!(changes(&[("LIMIT", "5")]), expected);
}

/// Asks for a job and gives it the content of the file `which` as its setting; that one reads `src` and tells how often
/// bodies ran.
fn asking(bodies: &Arc<Mutex<Vec<String>>>) -> Job {
    let bodies = Arc::clone(bodies);
    job("asks", &[], move |cx, _| {
        let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap_or_default()).unwrap();
        let which = text(cx.read_source("which")?);
        bodies.lock().unwrap().push("asks".to_owned());
        let bodies = Arc::clone(&bodies);
        let asked = job("asked", &[("WHICH", &which)], move |cx, _| {
            let which = cx.setting("WHICH").unwrap();
            bodies.lock().unwrap().push(format!("asked {which}"));
            let source = text(cx.read_source("src")?);
            // The same for both where the source is `a`.
            Ok(if which == "1" && source != "a" { format!("1 {source}") } else { "no matter".to_owned() })
        });
        Ok(text_of(&*cx.require(asked)?))
    })
}

#[test]
fn the_settings_of_a_job_that_was_asked_for_belong_to_what_was_asked() {
    let dir = tempfile::tempdir().unwrap();
    let bodies = Arc::default();
    let expect = |which: &str, source: &str, ran: &[&str], text: &str| {
        let write = |name: &str, text: &str| {
            let path: PathBuf = dir.path().join(name);
            fs::write(path, text).unwrap();
        };
        write("which", which);
        write("src", source);
        let (_, found) = run(dir.path(), asking(&bodies));
        let bodies = std::mem::take(&mut *bodies.lock().unwrap());
        assert_eq!(
            (found.as_str(), bodies.iter().map(String::as_str).collect()),
            (text, ran.to_vec()),
            "{which} {source}"
        );
    };
    expect("1", "a", &["asks", "asked 1"], "no matter");
    expect("1", "a", &[], "no matter");
    expect("2", "a", &["asks", "asked 2"], "no matter");
    expect("1", "b", &["asks", "asked 1"], "1 b");
    // A result of the same job, good now, that was made for another setting is of no use.
    expect("2", "b", &["asks", "asked 2"], "no matter");
    expect("2", "c", &["asks", "asked 2"], "no matter");
    expect("1", "c", &["asks", "asked 1"], "1 c");
    expect("1", "a", &[], "no matter");
    expect("2", "c", &[], "no matter");
}

#[test]
fn jobs_that_differ_in_settings_alone_need_names_of_their_own() {
    let dir = tempfile::tempdir().unwrap();
    let asked = |text: &str| job("asked", &[("WHICH", text)], |cx, _| Ok(cx.setting("WHICH").unwrap_or_default()));
    let asks = job("asks", &[], move |cx, _| {
        let first = cx.start(asked("1"))?;
        assert_eq!(cx.start(asked("1"))?, first);
        let refused = cx.start(asked("2")).unwrap_err().message;
        Ok(format!("{} {refused}", text_of(&*cx.wait(first)?)))
    });
    assert_eq!(run(dir.path(), asks).1, "1 `asks` asks for `asked`, and another job has that name");
}

#[test]
fn jobs_of_one_key_and_several_settings_are_asked_for_and_recalled_side_by_side() {
    let dir = tempfile::tempdir().unwrap();
    let mut graph = Graph::default();
    for which in ["1", "2"] {
        graph.add(job(&format!("asks {which}"), &[], move |cx, _| {
            let asked =
                job("asked", &[("WHICH", which)], |cx, _| Ok(format!("was asked {}", cx.setting("WHICH").unwrap())));
            Ok(text_of(&*cx.require(Job { name: format!("asked {which}"), ..asked })?))
        }));
    }
    for expected in [How::Ran, How::Reused] {
        let outcomes = engine(dir.path()).run(&graph, Mode::Run, |_| Wish::Result, &|_| {});
        for (outcome, which) in outcomes.iter().zip(["1", "2"]) {
            let Outcome::Done { entry, how } = outcome else { panic!("{outcome:?}") };
            assert_eq!((text_of(entry), *how), (format!("was asked {which}"), expected));
        }
    }
}

#[test]
fn sixteen_settings_of_a_job_are_known_at_once() {
    let dir = tempfile::tempdir().unwrap();
    let run = |seed: u32| {
        let seed = seed.to_string();
        let (letter, text) =
            run(dir.path(), job("seeded", &[("SEED", &seed)], |cx, _| Ok(cx.setting("SEED").unwrap_or_default())));
        assert_eq!(text, seed);
        letter
    };
    for (seeds, letter) in [(0..16, 'r'), (0..16, 'u'), (16..17, 'r'), (1..17, 'u'), (0..1, 'r')] {
        for seed in seeds {
            assert_eq!(run(seed), letter, "{seed}");
        }
    }
}
