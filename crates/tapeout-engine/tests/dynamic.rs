//! Jobs that ask for jobs: in any order, on one core, in circles, and not again when nothing has changed.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tapeout_engine::{
    Engine, Failure, Graph, How, Identity, Job, JobBody, JobCx, Mode, Options, Outcome, Part, Toolbox, Wish,
};
use tapeout_model::{Class, Record, View};

type Run = dyn Fn(&mut JobCx<'_>) -> Result<String, Failure> + Send + Sync;

/// A job whose body is a closure; the text that it gives is its view `text`.
struct Closure {
    name: String,
    run: Box<Run>,
}

impl JobBody for Closure {
    fn identify(&self, identity: &mut Identity<'_>) {
        identity.part("name", &self.name);
    }

    fn run(&self, cx: &mut JobCx<'_>) -> Result<Record, Failure> {
        let text = (self.run)(cx)?;
        let output = cx.write_output(text.as_bytes(), "text")?;
        let views = BTreeMap::from([("text".to_owned(), View::File(output.path.clone()))]);
        Ok(Record { outputs: vec![output], views, ..Record::default() })
    }
}

fn job(name: &str, run: impl Fn(&mut JobCx<'_>) -> Result<String, Failure> + Send + Sync + 'static) -> Job {
    Job::new(name, Arc::new(Closure { name: name.to_owned(), run: Box::new(run) }))
}

fn text() -> Part {
    Part::View("text".to_owned())
}

/// The text that a job made.
fn text_of(cx: &JobCx<'_>, entry: &tapeout_store::Entry) -> String {
    let output = entry.record().output("text").unwrap();
    String::from_utf8(cx.read_output(output).unwrap()).unwrap()
}

/// The text of the job's own input.
fn input(cx: &mut JobCx<'_>) -> String {
    let Some(View::File(output)) = cx.view("text") else { panic!("one file") };
    String::from_utf8(cx.read_output(&output).unwrap()).unwrap()
}

fn run_on(cores: u64, project: &Path, graph: &Graph) -> Vec<Outcome> {
    let engine = Engine::open(project, Toolbox::default(), Options::cores(cores)).unwrap();
    engine.run(graph, Mode::Run, |_| Wish::Result, &|_| {})
}

fn letters(outcomes: &[Outcome]) -> String {
    let letter = |outcome: &Outcome| match outcome {
        Outcome::Done { how: How::Ran, .. } => 'r',
        Outcome::Done { .. } => 'u',
        Outcome::Failed(_) => 'f',
        Outcome::Skipped => 's',
        Outcome::WouldRun => 'w',
    };
    outcomes.iter().map(letter).collect()
}

fn one(job: Job) -> Graph {
    let mut graph = Graph::default();
    graph.add(job);
    graph
}

/// A job that asks for a chain of this depth, the deepest first asked for by the last.
fn nested(depth: usize) -> Job {
    job(&format!("nested {depth}"), move |cx| {
        if depth == 0 {
            return Ok("0".to_owned());
        }
        let below = cx.require(nested(depth - 1))?;
        Ok(format!("{depth} {}", text_of(cx, &below)))
    })
}

#[test]
fn one_core_is_enough_for_any_depth_of_waiting() {
    let project = tempfile::tempdir().unwrap();
    let outcomes = run_on(1, project.path(), &one(nested(200)));
    assert_eq!(outcomes.len(), 201);
    assert_eq!(letters(&outcomes), "r".repeat(201));
    assert_eq!(letters(&run_on(1, project.path(), &one(nested(200)))), "u", "and it is recalled as a whole");
}

#[test]
fn what_is_brief_is_done_where_it_is_found_unless_it_asks_for_others() {
    let project = tempfile::tempdir().unwrap();
    let threads = Arc::new(Mutex::new(Vec::new()));
    let noting = |name: &str, asks: bool| {
        let threads = Arc::clone(&threads);
        let run = move |cx: &mut JobCx<'_>| {
            threads.lock().unwrap().push(std::thread::current().id());
            // A body that makes the best of a refusal is not believed.
            let other =
                if asks { cx.require(job("other", |_| Ok("other".to_owned()))) } else { return Ok("own".into()) };
            Ok(other.map_or("refused".to_owned(), |other| text_of(cx, &other)))
        };
        Job { brief: true, ..job(name, run) }
    };
    let mut graph = one(noting("looks", false));
    graph.add(noting("asks", true));
    let outcomes = run_on(1, project.path(), &graph);
    assert_eq!(letters(&outcomes), "rrr");
    let here = std::thread::current().id();
    let is_here: Vec<bool> = threads.lock().unwrap().iter().map(|thread| *thread == here).collect();
    assert_eq!(is_here, [true, true, false], "the one that asks begins again elsewhere");
    let Outcome::Done { entry, .. } = &outcomes[1] else { panic!("{outcomes:?}") };
    assert_eq!(entry.record().output("text").unwrap().size, "other".len() as u64);
}

#[test]
fn what_a_program_asks_for_is_read_by_its_job() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("word"), "one").unwrap();
    let asks = || {
        let path = project.path().join("word");
        job("asks", move |cx| {
            let word = |name: &str| {
                let path = path.clone();
                job(name, move |cx| cx.source("word").map(|_| fs::read_to_string(&path).unwrap()))
            };
            let asked = cx.conduct(|conductor| {
                let from_threads = std::thread::scope(|scope| {
                    let ask = |job: Job| scope.spawn(move || conductor.start(job));
                    [word("a"), word("b")].map(ask).map(|thread| thread.join().unwrap().unwrap())
                });
                let Outcome::Done { .. } = conductor.wait(from_threads[0]) else { panic!("it has a result") };
                from_threads
            })?;
            let texts = asked.map(|id| cx.wait(id).map(|entry| text_of(cx, &entry)).unwrap());
            Ok(texts.join(" "))
        })
    };
    // One core is enough, as the job that waits has given back its own.
    assert_eq!(letters(&run_on(1, project.path(), &one(asks()))), "rrr");
    assert_eq!(letters(&run_on(1, project.path(), &one(asks()))), "u");
    fs::write(project.path().join("word"), "another").unwrap();
    assert_eq!(letters(&run_on(1, project.path(), &one(asks()))), "rrr");
}

#[test]
fn a_program_that_breaks_is_a_job_that_fails() {
    let project = tempfile::tempdir().unwrap();
    let breaks = job("breaks", |cx| {
        cx.conduct(|conductor| {
            let _ = conductor.start(job("other", |_| Ok("other".to_owned())));
            panic!("no way on")
        })
    });
    let outcomes = run_on(1, project.path(), &one(breaks));
    let Outcome::Failed(failure) = &outcomes[0] else { panic!("{outcomes:?}") };
    assert!(failure.message.contains("no way on"), "{}", failure.message);
}

#[test]
fn a_future_is_an_input_and_its_maker_need_not_have_started() {
    let project = tempfile::tempdir().unwrap();
    let consumer = job("asks", |cx| {
        let maker = cx.start(job("maker", |_| {
            std::thread::sleep(Duration::from_millis(30));
            Ok("made".to_owned())
        }))?;
        let user = Job { inputs: vec![(text(), maker)], ..job("user", |cx| Ok(format!("{} and used", input(cx)))) };
        let user = cx.require(user)?;
        Ok(text_of(cx, &user))
    });
    let outcomes = run_on(1, project.path(), &one(consumer));
    assert_eq!(letters(&outcomes), "rrr");
    let Outcome::Done { entry, .. } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(entry.record().output("text").unwrap().size, "made and used".len() as u64);
}

#[test]
fn the_same_job_asked_for_twice_runs_once_and_another_of_its_name_is_refused() {
    let project = tempfile::tempdir().unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let shared = {
        let runs = Arc::clone(&runs);
        move || {
            let runs = Arc::clone(&runs);
            job("shared", move |_| {
                runs.fetch_add(1, Ordering::SeqCst);
                Ok(String::new())
            })
        }
    };
    let mut graph = Graph::default();
    for name in ["a", "b"] {
        let shared = shared.clone();
        graph.add(job(name, move |cx| cx.require(shared()).map(|_| String::new())));
    }
    assert_eq!(letters(&run_on(2, project.path(), &graph)), "rrr");
    assert_eq!(runs.load(Ordering::SeqCst), 1);

    let clash = job("clash", |cx| {
        let mut other = job("clash's child", |_| Ok(String::new()));
        cx.require(other.clone())?;
        other.inputs.clear();
        other.body = job("something else", |_| Ok(String::new())).body;
        let failure = cx.require(other).unwrap_err();
        assert_eq!(failure.class, Class::Input);
        Ok(failure.message)
    });
    let outcomes = run_on(2, project.path(), &one(clash));
    assert_eq!(letters(&outcomes), "rr", "{outcomes:?}");
}

#[test]
fn cycles_are_errors_that_name_the_way() {
    let project = tempfile::tempdir().unwrap();
    let message: Arc<Mutex<String>> = Arc::default();
    let heard = Arc::clone(&message);
    // `first` asks for `second`, which asks for `first` and handles the refusal.
    let graph = one(job("first", move |cx| {
        let heard = Arc::clone(&heard);
        let second = job("second", move |cx| {
            let failure = cx.require(job("first", |_| Ok(String::new()))).unwrap_err();
            *heard.lock().unwrap() = failure.message;
            Ok(String::new())
        });
        cx.require(second).map(|_| String::new())
    }));
    assert_eq!(letters(&run_on(1, project.path(), &graph)), "rr");
    assert_eq!(*message.lock().unwrap(), "`second` waits for itself: second needs first needs second");
}

#[test]
fn a_failure_is_a_value_for_the_one_that_asked() {
    let project = tempfile::tempdir().unwrap();
    let graph = one(job("tries", |cx| {
        let failed = cx.require(job("fails", |_| Err(Failure::new(Class::Tool, "no")))).unwrap_err();
        let fallback = cx.require(job("fallback", |_| Ok("fallback".to_owned())))?;
        Ok(format!("{failed}, {}", text_of(cx, &fallback)))
    }));
    let outcomes = run_on(1, project.path(), &graph);
    assert_eq!(letters(&outcomes), "rfr", "the run goes on");
    // A failure is never recorded, so whoever has seen one runs again.
    assert_eq!(letters(&run_on(1, project.path(), &graph)), "rfu");
}

#[test]
fn what_a_child_read_decides_whether_its_parent_runs_again() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("a"), "1").unwrap();
    fs::write(project.path().join("b"), "1").unwrap();
    let graph = || {
        one(job("parent", |cx| {
            let a = cx.start(job("a", |cx| {
                cx.read_source("a")?;
                Ok("same".to_owned())
            }))?;
            let b = Job {
                inputs: vec![(text(), a)],
                ..job("b", |cx| {
                    let b = cx.read_source("b")?.unwrap_or_default();
                    Ok(format!("{}{}", input(cx), String::from_utf8_lossy(&b)))
                })
            };
            let b = cx.require(b)?;
            Ok(text_of(cx, &b))
        }))
    };
    assert_eq!(letters(&run_on(2, project.path(), &graph())), "rrr");
    assert_eq!(letters(&run_on(2, project.path(), &graph())), "u");
    fs::write(project.path().join("a"), "2").unwrap();
    assert_eq!(letters(&run_on(2, project.path(), &graph())), "rru", "the equal output of `a` leaves `b` as it was");
    assert_eq!(letters(&run_on(2, project.path(), &graph())), "u");
    fs::write(project.path().join("b"), "2").unwrap();
    assert_eq!(letters(&run_on(2, project.path(), &graph())), "rur");
    fs::write(project.path().join("b"), "1").unwrap();
    assert_eq!(letters(&run_on(2, project.path(), &graph())), "u", "what was there before is still recorded");
}
