//! Running a job twice and comparing.

use tapeout_engine::{Difference, Event, Mode, Options, Wish};

use crate::common::{Project, all, letters, look, one, output, run, runs, sh};

pub(crate) fn a_tool_that_fails_the_second_time_is_told_and_its_first_result_stays() {
    let project = Project::new();
    let engine = project.engine(Options::cores(1));
    let graph = one(runs("fails", sh("if [ -e ../../../ran ]; then exit 3; fi; touch ../../../ran; echo first > out")));
    let told = std::sync::Mutex::new(Vec::new());
    let outcomes = engine.run(&graph, Mode::Run, |_| Wish::Repeat, &|event| {
        if let Event::Repeated { differences, .. } = event {
            *told.lock().unwrap() = differences.clone();
        }
    });
    assert_eq!((letters(&outcomes).as_str(), output(&engine, &outcomes[0]).as_str()), ("r", "first\n"));
    let how = "[0], then `sh` failed with exit code 3".to_owned();
    assert_eq!(told.into_inner().unwrap(), [Difference { what: "exit statuses".to_owned(), how }]);
}

pub(crate) fn a_second_run_tells_which_bytes_differ_and_the_first_result_stays() {
    let project = Project::new();
    let engine = project.engine(Options::cores(2));
    let changing = "echo >> ../../../times; echo same; (echo header; date +%s.%N) > out";
    let stable = "echo >> ../../../times; date +%N; echo same > out";
    let graph = all([runs("changing", sh(changing)), runs("stable", sh(stable))]);
    let (ran, first, _) = run(&engine, &graph);
    assert_eq!((ran.as_str(), project.lines("times")), ("rr", 2));

    let reports = std::sync::Mutex::new(Vec::new());
    let again = engine.run(&graph, Mode::Run, |_| Wish::Repeat, &|event| {
        if let Event::Repeated { job, differences } = event {
            reports.lock().unwrap().push((job.index(), differences.clone()));
        }
    });
    assert_eq!((letters(&again).as_str(), project.lines("times")), ("rr", 4), "each ran once more");
    let mut reports = reports.into_inner().unwrap();
    reports.sort_by_key(|(job, _)| *job);
    let [(0, changed), (1, same)] = reports.as_slice() else { panic!("{reports:?}") };
    assert_eq!(same, &[], "the log may differ");
    let [Difference { what, how }] = changed.as_slice() else { panic!("{changed:?}") };
    let at = how.strip_prefix("first at byte ").and_then(|rest| rest.split_once(' '));
    let (at, rest) = at.unwrap_or_else(|| panic!("{how}"));
    assert_eq!(what, "out");
    assert!(at.parse::<usize>().unwrap() >= "header\n".len() && rest.starts_with("(line 2)"), "{how}");

    assert_eq!(look(&engine, &graph), "uu");
    let (_, now, _) = run(&engine, &graph);
    for (first, now) in first.iter().zip(&now) {
        assert_eq!(output(&engine, first), output(&engine, now), "the first result stays");
    }
}
