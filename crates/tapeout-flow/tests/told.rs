//! What a tool's script tells in its output becomes metrics and outputs of its step.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Trial};
use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Tool, Toolbox};
use tapeout_flow::{
    Again, Command, Completed, Ended, Failure, Flow, Invocation, Plan, Registry, Run, Session, Step, StepCx, StepInfo,
    StepResult,
};
use tapeout_model::Class;

/// Runs a script of the shell, which may write `out`.
struct Script(&'static str);

impl Step for Script {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Script", "", "", "1").tools(&["sh"]).makes(&["nl"])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let commands = vec![Command::new("sh").args(["-c", self.0])];
        let outputs = vec!["out".to_owned()];
        Ok(vec![Invocation { commands, outputs, ..Invocation::default() }.into()])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        Ok(cx.told(&sessions[0])?.view("nl", "out").metric("own", 1_i64))
    }
}

fn run(dir: &Path, script: &'static str) -> Ended {
    let file = dir.join("config.yaml");
    fs::write(&file, "DESIGN_NAME: top\n").unwrap();
    let mut registry = Registry::default();
    registry.add_flow(Flow::new("Test", "", &["Test.Script"])).add_step(Script(script));
    let loader = Loader { files: vec![file], ..Loader::default() };
    let plan = Plan::load(&registry, loader, Some("Test"), &mut SourceMap::new());
    let plan = plan.unwrap_or_else(|errors| panic!("{errors:?}"));
    let sh = Tool { name: "sh", summary: "", package: "dash", version_args: &[], minimum: None, companions: &[] };
    let toolbox = Toolbox::new([sh], plan.config.tools());
    let engine = Engine::open(dir, toolbox, Options::cores(1)).unwrap();
    Run::new(&plan, &engine, "default").unwrap().execute(|_| Again::No, |_, _| ()).unwrap()
}

fn metrics_and_reports_belong_to_the_step() {
    let dir = tempfile::tempdir().unwrap();
    let ended = run(
        dir.path(),
        "echo > out; echo '%OL_METRIC_I count 3'; echo '%OL_METRIC_F ws inf'
         echo '%OL_CREATE_REPORT deep/min.rpt'; echo slack
         echo '%OL_METRIC name a b'; echo '%OL_END_REPORT'; echo end",
    );
    assert_eq!(ended.failures.len(), 0, "{:?}", ended.failures);
    let metrics: Vec<String> = ended.summary.metrics.iter().map(|(name, metric)| format!("{name}={metric}")).collect();
    assert_eq!(metrics, ["count=3", "name=a b", "own=1", "ws=Infinity"]);
    let step = ended.dir.join(&ended.summary.steps[0].dir);
    assert_eq!(fs::read_to_string(step.join("deep/min.rpt")).unwrap(), "slack\n");
    assert!(fs::read_to_string(step.join("test-script.log")).unwrap().contains("%OL_CREATE_REPORT"));
}

fn a_wrong_line_is_the_tools_failure_with_its_place() {
    let cases = [
        (
            "echo > out; echo a; echo '%OL_METRIC_I n x'",
            "cannot make sense of `test-script.log`: output of the tool, line 2: expected an integer, found \
             `%OL_METRIC_I n x`",
        ),
        (
            "echo > out; echo '%OL_CREATE_REPORT ./out'",
            "cannot make sense of `test-script.log`: the report `out` is also a file that the tool wrote",
        ),
    ];
    for (script, message) in cases {
        let dir = tempfile::tempdir().unwrap();
        let ended = run(dir.path(), script);
        let (_, failure) = &ended.failures[0];
        assert_eq!((failure.message.as_str(), failure.class), (message, Class::Tool));
        let kept = failure.work_dir.as_ref().unwrap().join(failure.log.as_ref().unwrap());
        assert!(fs::read_to_string(kept).unwrap().contains("%OL_"));
    }
}

/// Not the usual harness: the test program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout_engine::serve_if_asked();
    let tests: [(&str, fn()); 2] = [
        ("metrics_and_reports_belong_to_the_step", metrics_and_reports_belong_to_the_step),
        ("a_wrong_line_is_the_tools_failure_with_its_place", a_wrong_line_is_the_tools_failure_with_its_place),
    ];
    let trials = tests.map(|(name, test)| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit()
}
