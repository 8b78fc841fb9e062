//! Edits of a flow: substitutions and gates, and the part of it that is run.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::{
    Again, Completed, Ended, Failure, Flow, InRange, Plan, PlanError, Range, Registry, Run, RunEvent, Session, Stands,
    Step, StepCx, StepInfo, StepResult, StepStatus, Type, Variable,
};
use tapeout_model::Metric;

/// A step of a chain: it reads a metric and a file, and measures another metric.
struct Link(fn() -> StepInfo);

impl Step for Link {
    fn info(&self) -> StepInfo {
        (self.0)()
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let source = format!("{}.txt", self.info().id);
        if cx.read_source(&source)?.is_some_and(|text| text == b"fail") {
            return Err(Failure::new(tapeout_model::Class::Tool, "no"));
        }
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let info = self.info();
        let mut count = cx.read_source(&format!("{}.txt", info.id))?.map_or(0, |text| text.len() as i64);
        for name in &info.metrics {
            if let Some(Metric::Int(before)) = cx.metric(name) {
                count += before;
            }
        }
        Ok(info.measures.iter().fold(StepResult::default(), |result, name| result.metric(name, count)))
    }
}

fn registry() -> Registry {
    let mut registry = Registry::default();
    let flow = |name: &str| Flow::new(name, "", &["T.One", "T.Aside", "T.Two", "T.Three"]);
    registry
        .add_step(Link(|| StepInfo::new("T.One", "", "", "1").measures(&["one"])))
        .add_step(Link(|| StepInfo::new("T.Aside", "", "", "1")))
        .add_step(Link(|| StepInfo::new("T.Two", "", "", "1").reads_metric("one").measures(&["two"])))
        .add_step(Link(|| StepInfo::new("T.Three", "", "", "1").reads_metric("two").measures(&["three"])))
        .add_step(Link(|| StepInfo::new("T.Makes", "", "", "1").makes(&["json"])))
        .add_step(Link(|| StepInfo::new("T.Needs", "", "", "1").needs("json")))
        .add_step(Link(|| StepInfo::new("T.About", "", "", "1").about("json")))
        .add_flow(flow("Chain"))
        .add_flow(
            flow("Gated")
                .variables(
                    ["RUN_ASIDE", "RUN_END"].map(|name| Variable::new(name, Type::Bool, "A gate.").default(true)),
                )
                .gate("t.a*", &["RUN_ASIDE", "RUN_END"])
                .gate("T.Three", &["RUN_END"]),
        )
        .add_flow(flow("Unknown").gate("T.Four", &[]).gate("T.One", &["NONE"]))
        .add_flow(
            flow("Mistyped").variables([Variable::new("COUNT", Type::Int, "A number.")]).gate("T.One", &["COUNT"]),
        );
    registry
}

/// A design directory.
struct Design(tempfile::TempDir);

impl Design {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn dir(&self) -> PathBuf {
        self.0.path().canonicalize().unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.dir().join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.dir().join(name)).unwrap()
    }

    /// The plan, or the errors in one line each with their place.
    fn plan(&self, config: &str) -> Result<Plan, Vec<String>> {
        self.write("config.yaml", &format!("DESIGN_NAME: top\n{config}\n"));
        let mut sources = SourceMap::new();
        let loader = Loader { files: vec![self.dir().join("config.yaml")], ..Loader::default() };
        Plan::load(&registry(), loader, None, &mut sources).map_err(|PlanError(errors)| {
            let line = |error: &tapeout_config::Diagnostic| {
                let line = error.one_line(&sources).replace(&format!("{}/", self.dir().display()), "");
                format!("{line}; {}", error.help.as_deref().unwrap_or_default())
            };
            errors.iter().map(line).collect()
        })
    }

    /// Runs a part of `Chain` under the tag `t`, with the events of steps.
    fn part(&self, range: &Range) -> Result<(Ended, Vec<String>), Failure> {
        let mut plan = self.plan("meta: {flow: Chain}").unwrap();
        let engine = Engine::open(&self.dir(), Toolbox::default(), Options::cores(1)).unwrap();
        plan.select(range)?;
        plan.hold(&engine, "t")?;
        let heard = Mutex::new(Vec::new());
        let ended = Run::new(&plan, &engine, "t")?.execute(
            |_| Again::No,
            |step, happened| {
                if let (Some(step), RunEvent::StepDone(done)) = (step, &happened.event) {
                    let how = if done.reused { "reused" } else { "ran" };
                    heard.lock().unwrap().push(format!("{} {how}", plan.steps[step].id));
                }
            },
        )?;
        Ok((ended, heard.into_inner().unwrap()))
    }

    fn stale(&self, range: &Range) -> Vec<String> {
        let mut plan = self.plan("meta: {flow: Chain}").unwrap();
        let engine = Engine::open(&self.dir(), Toolbox::default(), Options::cores(1)).unwrap();
        plan.select(range).unwrap();
        plan.hold(&engine, "t").unwrap();
        let run = Run::new(&plan, &engine, "t").unwrap();
        assert!(run.look(|_| Again::No).iter().all(|step| step.status != Stands::Held || !step.would_run));
        run.stale().iter().map(|(step, reasons)| format!("{}: {}", step.id, reasons[0])).collect()
    }
}

fn from(step: &str) -> Range {
    Range { from: Some(step.to_owned()), ..Range::default() }
}

fn to(step: &str) -> Range {
    Range { to: Some(step.to_owned()), ..Range::default() }
}

fn ids(plan: &Plan) -> Vec<&str> {
    plan.steps.iter().map(|step| step.id.as_str()).collect()
}

#[test]
fn substitutions_are_made_in_order_and_known_by_their_place() {
    let design = Design::new();
    let edits = "meta:\n  flow: Chain\n  substituting_steps:\n    - [+t.one, t.two]\n    - [T.Two, T.Aside]\n    - [T.Aside-1, ]";
    let plan = design.plan(&edits.replace(", ]", ", null]")).unwrap();
    assert_eq!(ids(&plan), ["T.One", "T.Aside", "T.Two", "T.Three"]);
    let place = |index: usize| {
        let origin = plan.steps[index].origin.as_deref()?;
        Path::new(origin).file_name()?.to_str()
    };
    assert_eq!([0, 1, 2, 3].map(place), [None, Some("config.yaml:6:8"), None, None]);
    assert_eq!(plan.steps[1].dir, "02-t-aside");

    let plan = design.plan("meta: {flow: [T.One, T.Two], substituting_steps: {-T.*: T.Aside}}").unwrap();
    assert_eq!(ids(&plan), ["T.Aside", "T.One", "T.Aside-1", "T.Two"], "a list of steps is a flow, too");
}

#[test]
fn what_is_wrong_with_substitutions_is_said_at_their_place() {
    let design = Design::new();
    let cases: [(&str, &[&str]); 8] = [
        ("{T.Too: T.One}", &["config.yaml:2:42: error: the flow has no step `T.Too`; did you mean `T.Two`?"]),
        (
            "{T.One: T.Fuor, +T.Two: Q}",
            &[
                "config.yaml:2:49: error: there is no step `T.Fuor`; `tapeout list steps` shows them all",
                "config.yaml:2:65: error: there is no step `Q`; `tapeout list steps` shows them all",
            ],
        ),
        (
            "{+T.One: null}",
            &["config.yaml:2:50: error: `+T.One` puts a step beside `T.One`, and none is given; `T.One: null` takes \
               `T.One` out"],
        ),
        (
            "{T.One: 3}",
            &["config.yaml:2:49: error: what takes the place of `T.One` must be the id of a step, not an integer; "],
        ),
        (
            "[[T.One]]",
            &[
                "config.yaml:2:42: error: `meta.substituting_steps` must be a map of steps, or a list of pairs of such, \
               not a list; `A: B` replaces A, `+A: B` puts B after A, `-A: B` before it, `A: null` takes A out",
            ],
        ),
        (
            "{T.One: null, T.One-1: null}",
            &["config.yaml:2:55: error: the flow has no step `T.One-1`; by then it has `T.Aside`, `T.Two`, `T.Three`"],
        ),
        ("{'[': null}", &["config.yaml:2:42: error: `[` is not a pattern: invalid range pattern; "]),
        (
            "{T.Aside: T.Needs}",
            &["error: `T.Needs` needs a view `json`, and no step before it makes one; config.yaml:2:42 puts it there"],
        ),
    ];
    for (edits, errors) in cases {
        let found = design.plan(&format!("meta: {{flow: Chain, substituting_steps: {edits}}}")).err().unwrap();
        let found: Vec<String> =
            found.iter().map(|error| error.replace(&format!("{}/", design.dir().display()), "")).collect();
        assert_eq!(found, errors, "{edits}");
    }
}

#[test]
fn a_gate_that_is_closed_leaves_a_step_out_and_says_why() {
    let design = Design::new();
    let left_out = |config: &str| {
        let plan =
            design.plan(&format!("meta: {{flow: Gated, substituting_steps: {{+T.Two: T.Aside}}}}\n{config}")).unwrap();
        let left_out = plan.steps.iter().filter_map(|step| Some(format!("{}: {}", step.id, step.left_out.as_ref()?)));
        left_out.map(|line| line.replace(&format!("{}/", design.dir().display()), "")).collect::<Vec<_>>()
    };
    assert!(left_out("").is_empty());
    let aside = "RUN_ASIDE is false (config.yaml:3:12)";
    assert_eq!(left_out("RUN_ASIDE: false"), [format!("T.Aside: {aside}"), format!("T.Aside-1: {aside}")]);
    let [aside, end] = ["RUN_ASIDE is false (config.yaml:4:12)", "RUN_END is false (config.yaml:3:10)"];
    let both = format!("{aside}, {end}");
    assert_eq!(
        left_out("RUN_END: false\nRUN_ASIDE: false"),
        [format!("T.Aside: {both}"), format!("T.Aside-1: {both}"), format!("T.Three: {end}")]
    );
    // The variable belongs to that flow only.
    assert!(
        design.plan("meta: {flow: Chain}\nRUN_ASIDE: false").unwrap().steps.iter().all(|step| step.left_out.is_none())
    );
}

#[test]
fn a_step_is_left_out_with_what_it_is_about() {
    let design = Design::new();
    let planned = |steps: &str, skip: &[&str]| {
        let mut plan = design.plan(&format!("meta: {{flow: [{steps}]}}")).unwrap();
        let skip = skip.iter().map(|step| (*step).to_owned()).collect();
        plan.select(&Range { skip, ..Range::default() }).unwrap();
        let last = plan.steps.last().unwrap();
        (last.left_out.clone().unwrap_or_default(), last.in_range)
    };
    let reason = "no step before it makes a view `json`".to_owned();
    assert_eq!(planned("T.Makes, T.About", &[]), (String::new(), InRange::Inside));
    assert_eq!(planned("T.One, T.About", &[]), (reason.clone(), InRange::Inside));
    assert_eq!(planned("T.About, T.Makes, T.About", &["T.Makes"]), (reason, InRange::Skipped));
    assert_eq!(planned("T.Makes, T.Makes, T.About", &["T.Makes-1"]), (String::new(), InRange::Inside));
}

#[test]
fn a_gate_that_leads_nowhere_is_an_error() {
    let design = Design::new();
    assert_eq!(
        design.plan("meta: {flow: Unknown}").err().unwrap(),
        [
            "error: flow `Unknown`: the gate `T.Four` matches none of its steps; ",
            "error: flow `Unknown`: the gate `T.One` is opened by `NONE`, which is no variable of the flow; "
        ]
    );
    assert_eq!(
        design.plan("meta: {flow: Mistyped}\nCOUNT: 1").err().unwrap(),
        ["error: flow `Mistyped`: the gate `T.One` must be opened by a boolean, and `COUNT` is integer; "]
    );
    // What the configuration takes out is no fault of the flow.
    assert!(design.plan("meta: {flow: Gated, substituting_steps: {T.Three: null}}").is_ok());
}

#[test]
fn a_range_names_steps_that_there_are_in_their_order() {
    let design = Design::new();
    let flow = "meta: {flow: [T.One, T.Makes, T.Needs, T.One]}";
    let error = |range: Range| {
        let Failure { message, words, hint, .. } = design.plan(flow).unwrap().select(&range).err().unwrap();
        format!("{message}; {}; {}", words.join(", "), hint.unwrap_or_default())
    };
    let skip = |glob: &str| Range { skip: vec![glob.to_owned()], ..Range::default() };
    let only = |step: &str| Range { only: Some(step.to_owned()), ..Range::default() };
    let cases = [
        (
            from("T.Onne"),
            "`--from T.Onne`: the flow `Custom Sequential Flow` has no such step; T.One, T.Makes, T.Needs, T.One-1; did you \
             mean `T.One`?",
        ),
        (to("t.one*"), "`--to t.one*` must name one step, and matches 2; T.One, T.One-1; name the one that is meant"),
        (
            Range { to: Some("t.makes".to_owned()), ..from("T.Needs") },
            "the range is empty: `T.Needs` comes after `T.Makes` in the flow `Custom Sequential Flow`; ; `--from T.Makes \
             --to T.Needs`",
        ),
        (
            Range { to: Some("T.One".to_owned()), ..only("T.One") },
            "`--only` names the whole range: it does not go with `--from`, `--after`, `--to` and `--until`; ; ",
        ),
        (
            skip("*makes"),
            "`T.Needs` needs the view `json`, which only `T.Makes` makes, and that is skipped; ; leave the step in, or \
             skip `T.Needs`, too",
        ),
        (
            Range { skip: vec!["t.one*".to_owned()], ..only("T.One-1") },
            "`--only T.One-1`: nothing is left to run; `T.One-1`: skipped by `--skip t.one*`; ",
        ),
        (skip("["), "`--skip`: `[` is not a pattern: invalid range pattern; ; "),
    ];
    for (range, expected) in cases {
        assert_eq!(error(range.clone()), expected, "{range:?}");
    }
    let mut plan = design.plan(flow).unwrap();
    plan.select(&Range { to: Some("t.needs".to_owned()), skip: vec!["T.One".to_owned()], ..from("T.Makes") }).unwrap();
    let lie: Vec<InRange> = plan.steps.iter().map(|step| step.in_range).collect();
    assert_eq!(lie, [InRange::Skipped, InRange::Inside, InRange::Inside, InRange::Outside]);
    assert_eq!(plan.steps[3].left_out.as_deref(), Some("it comes after `--to t.needs`"));
}

#[test]
fn a_part_of_a_run_leaves_the_rest_as_it_was() {
    let design = Design::new();
    design.write("T.One.txt", "1");
    let (ended, ran) = design.part(&to("T.Two")).unwrap();
    assert_eq!(ran, ["T.One ran", "T.Aside ran", "T.Two ran"]);
    assert!(!ended.whole && !design.dir().join("runs/t/final").exists(), "a part is not the end of the flow");
    let (ended, ran) = design.part(&Range::default()).unwrap();
    assert_eq!(ran, ["T.One reused", "T.Aside reused", "T.Two reused", "T.Three ran"]);
    assert!(ended.whole);
    let metrics = design.read("runs/t/final/metrics.json");

    // One changes: what is held does not run, and what follows does not see the change.
    design.write("T.One.txt", "111");
    assert_eq!(design.stale(&from("T.Two")), ["T.One: `T.One.txt` changed"]);
    let (ended, ran) = design.part(&from("T.Two")).unwrap();
    assert_eq!(ran, ["T.Two reused", "T.Three reused"], "nothing is forced");
    let status: Vec<StepStatus> = ended.summary.steps.iter().map(|step| step.status).collect();
    assert_eq!(status, [StepStatus::Held, StepStatus::Held, StepStatus::Reused, StepStatus::Reused]);
    assert!(ended.whole);
    assert_eq!(design.read("runs/t/final/metrics.json"), metrics);

    // Another part brings the first steps up to date; the others keep what they show, and so does the end.
    let (ended, ran) = design.part(&to("T.One")).unwrap();
    assert_eq!((ran, ended.whole), (vec!["T.One ran".to_owned()], false));
    assert_eq!(design.read("runs/t/final/metrics.json"), metrics);
    assert!(design.dir().join("runs/t/04-t-three/state_out.json").exists());
    assert_eq!(design.stale(&from("T.Three")), ["T.Two: T.One gave something else"]);
    let (_, ran) = design.part(&from("T.Three")).unwrap();
    assert_eq!(ran, ["T.Three reused"], "it begins with what the run shows of the second");
    let (_, ran) = design.part(&from("T.Two")).unwrap();
    assert_eq!(ran, ["T.Two ran", "T.Three ran"]);
    assert!(design.read("runs/t/final/metrics.json").contains("\"three\": 3"));
}

#[test]
fn what_a_range_needs_and_the_run_has_not_is_named() {
    let design = Design::new();
    let failure = design.part(&from("T.Three")).err().unwrap();
    assert_eq!(failure.message, "`T.Three` reads what `T.Two` makes, and the run `t` has no result of that");
    assert_eq!(failure.hint.as_deref(), Some("`tapeout run --to T.Two --tag t` makes it"));
    // What nobody in the range reads may be missing.
    design.write("T.Aside.txt", "fail");
    assert_eq!(design.part(&Range::default()).unwrap().0.failures.len(), 1);
    let (ended, ran) = design.part(&from("T.Two")).unwrap();
    assert_eq!((ran.as_slice(), ended.whole), (&["T.Two ran".to_owned(), "T.Three ran".to_owned()][..], false));
    let aside = &ended.summary.steps[1];
    assert_eq!(aside.reason.as_deref(), Some("it comes before the range, and the run `t` has no result of it"));
    // A failed attempt of what is held is still the last one.
    design.write("T.Aside.txt", "");
    design.part(&Range::default()).unwrap();
    let failed = design.dir().join("runs/t/02-t-aside.failed");
    fs::create_dir(&failed).unwrap();
    design.part(&from("T.Two")).unwrap();
    assert!(failed.exists());
    // Skipped, it stays in the tree of the run with what it was.
    let (ended, _) = design.part(&Range { skip: vec!["t.aside".to_owned()], ..Range::default() }).unwrap();
    assert!(ended.whole && design.dir().join("runs/t/02-t-aside").exists());
    let (_, ran) = design.part(&Range::default()).unwrap();
    assert!(ran.contains(&"T.Aside reused".to_owned()), "{ran:?}");
}

#[test]
fn a_file_in_the_place_of_a_run_is_an_error() {
    let design = Design::new();
    fs::create_dir(design.dir().join("runs")).unwrap();
    design.write("runs/t", "");
    let failure = design.part(&Range::default()).err().unwrap();
    assert!(failure.message.starts_with("the run `t` needs the directory"), "{}", failure.message);
}
