//! Composite steps: one step in a flow, and a job for each of its parts.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use tapeout_config::{Config, Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::{
    Again, Completed, Ended, Failure, Flow, Plan, Registry, Run, Session, Step, StepCx, StepInfo, StepResult,
    StepStatus, Type, Variable,
};
use tapeout_model::Class;

/// How often a part has run.
static RUNS: [AtomicU32; 2] = [AtomicU32::new(0), AtomicU32::new(0)];

/// Writes the view `nl` from the variable `FIRST`.
struct First {
    implementation: &'static str,
}

impl Step for First {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.First", "First", "", self.implementation)
            .makes(&["nl"])
            .measures(&["first"])
            .variables([Variable::new("FIRST", Type::Str, "What it writes.").default("one")])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        RUNS[0].fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let text = cx.config.str("FIRST").to_owned();
        let output = cx.write("out.v", text.as_bytes())?;
        let result = StepResult { written: vec![output], ..StepResult::default() };
        Ok(result.view("nl", "out.v").metric("first", text.len() as i64))
    }
}

/// Measures whether it ran, unless `RUN_LAST` is false.
struct Last;

impl Step for Last {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Last", "Last", "", "1").measures(&["last"]).variables([Variable::new(
            "RUN_LAST",
            Type::Bool,
            "Whether it runs.",
        )
        .default(false)])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        (!config.bool("RUN_LAST")).then(|| "RUN_LAST is false".to_owned())
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().metric("last", 1_i64))
    }
}

/// Reads `nl` and `sdc`, and fails its check when `nl` is as long as `LIMIT`.
struct Second;

impl Step for Second {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Second", "Second", "", "1")
            .needs("nl")
            .takes("sdc")
            .reads_metric("first")
            .makes(&["def"])
            .variables([Variable::new("LIMIT", Type::Int, "A length.").default(100_i64)])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        RUNS[1].fetch_add(1, Ordering::SeqCst);
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let netlist = cx.view_file("nl")?;
        let text = cx.output_text(&netlist)?;
        let first = cx.metric("first").and_then(|metric| metric.as_f64());
        assert_eq!(first, Some(text.len() as f64));
        let output = cx.write("out.def", format!("def of {text}").as_bytes())?;
        let result = StepResult { written: vec![output], ..StepResult::default() }.view("def", "out.def");
        let long = cx.config.int("LIMIT") <= text.len() as i64;
        Ok(if long { result.failed("it is too long", None) } else { result })
    }
}

fn registry(implementation: &'static str) -> Registry {
    let mut registry = Registry::default();
    registry
        .add_step(First { implementation })
        .add_step(Second)
        .add_step(Last)
        .add_composite("Test.Both", "Both", "Both of them.", &["Test.First", "Test.Second"])
        .add_composite("Test.All", "All", "All of them.", &["Test.Both", "Test.Last"])
        .add_flow(Flow::new("Test", "", &["Test.All"]));
    registry
}

fn run(dir: &Path, config: &str) -> Ended {
    run_of(dir, config, "1")
}

fn run_of(dir: &Path, config: &str, implementation: &'static str) -> Ended {
    let file = dir.join("config.yaml");
    fs::write(&file, format!("DESIGN_NAME: top\n{config}\n")).unwrap();
    let loader = Loader { files: vec![file], ..Loader::default() };
    let plan = Plan::load(&registry(implementation), loader, Some("Test"), &mut SourceMap::new());
    let plan = plan.unwrap_or_else(|errors| panic!("{errors:?}"));
    let engine = Engine::open(dir, Toolbox::default(), Options::cores(1)).unwrap();
    Run::new(&plan, &engine, "default").unwrap().execute(|_| Again::No, |_, _| ()).unwrap()
}

fn runs() -> [u32; 2] {
    [0, 1].map(|part| RUNS[part].swap(0, Ordering::SeqCst))
}

#[test]
fn a_composite_step_says_what_its_parts_say_together() {
    let registry = registry("1");
    let info = registry.step("test.both").unwrap();
    let needs: Vec<(&str, bool)> = info.inputs.iter().map(|needs| (needs.format.as_str(), needs.optional)).collect();
    assert_eq!(needs, [("sdc", true)], "what a part before it makes is not needed from outside");
    assert_eq!(info.outputs, ["nl", "def"]);
    assert_eq!(info.metrics, [""; 0]);
    let names: Vec<&str> = info.variables.iter().map(|variable| variable.name.as_ref()).collect();
    assert_eq!(names, ["FIRST", "LIMIT"]);
}

#[test]
fn each_part_runs_only_when_it_must() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().canonicalize().unwrap();
    let ended = run(&dir, "");
    assert_eq!((ended.summary.class, runs()), (None, [1, 1]), "{:?}", ended.failures);
    let shown = |path: &str| fs::read_to_string(ended.dir.join("01-test-all").join(path)).unwrap();
    assert_eq!(shown("1-test-first/out.v"), "one");
    assert_eq!(shown("2-test-second/out.def"), "def of one");
    assert!(shown("state_out.json").contains("\"def\": \"2-test-second/out.def\""), "{}", shown("state_out.json"));
    assert_eq!(fs::read_to_string(ended.dir.join("final/def/out.def")).unwrap(), "def of one");

    assert!(run(&dir, "").summary.steps[0].reused);
    assert_eq!(runs(), [0, 0]);
    run(&dir, "LIMIT: 99");
    assert_eq!(runs(), [0, 1], "only the part that reads it");
    run(&dir, "FIRST: two");
    assert_eq!(runs(), [1, 1]);
    run_of(&dir, "FIRST: two", "2");
    assert_eq!(runs(), [1, 0], "another implementation, and the same result");

    let last = |config: &str| run(&dir, config).summary.metrics.contains_key("last");
    assert!(last("RUN_LAST: true"));
    assert!(!last("RUN_LAST: false"));
    assert!(last("RUN_LAST: true"));
    runs();

    let long = run(&dir, "LIMIT: 3");
    assert_eq!(long.summary.class, Some(Class::Check));
    assert_eq!(long.summary.steps[0].status, StepStatus::CheckFailed);
    assert_eq!(long.summary.steps[0].reason.as_deref(), Some("it is too long"));
}
