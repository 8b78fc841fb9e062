//! Custom flows: what they may ask for, what a failure is to them, and that nothing runs twice.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::{panic, thread};

use tapeout_config::{Config, Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::{
    Again, Candidate, Comparison, Completed, CustomFlow, Ended, Failure, FlowCx, FlowError, FlowState, Placing, Plan,
    PlanError, Registry, Run, RunEvent, Session, Standing, Stands, Step, StepCx, StepInfo, StepResult, StepStatus,
    Type, Variable, is_ending_flow,
};
use tapeout_model::Class;

/// Adds `AMOUNT` to the metric `sum`.
struct Add;

impl Step for Add {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Add", "Add", "", "1").reads_metric("sum").measures(&["sum"]).variables([Variable::new(
            "AMOUNT",
            Type::Int,
            "How much.",
        )
        .default(1_i64)])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        if config.int("AMOUNT") == 13 { Err(("AMOUNT", "brings bad luck".to_owned())) } else { Ok(()) }
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let sum = cx.metric("sum").and_then(|metric| metric.as_f64()).unwrap_or(0.0);
        Ok(StepResult::default().metric("sum", sum as i64 + cx.config.int("AMOUNT")))
    }
}

/// Does not accept a sum above `LIMIT`.
struct Check {
    id: &'static str,
    defers: bool,
}

impl Step for Check {
    fn info(&self) -> StepInfo {
        let info = StepInfo::new(self.id, "Check", "", "1").reads_metric("sum").variables([Variable::new(
            "LIMIT",
            Type::Int,
            "The limit.",
        )
        .default(10_i64)]);
        if self.defers { info.defers_check() } else { info }
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let sum = cx.metric("sum").and_then(|metric| metric.as_f64()).unwrap_or(0.0);
        let result = StepResult::default();
        Ok(if sum > cx.config.int("LIMIT") as f64 { result.failed(format!("{sum} is too much"), None) } else { result })
    }
}

/// Has no result, for a reason of this class.
struct Fail(&'static str, Class);

impl Step for Fail {
    fn info(&self) -> StepInfo {
        StepInfo::new(self.0, "Fail", "", "1")
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Err(Failure::new(self.1, "no result"))
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}

const STEPS: [&str; 7] =
    ["Test.Add", "Test.Check", "Test.CheckLater", "Test.Broken", "Test.NoDisk", "Test.Needs", "Test.Program"];

struct Needs;

impl Step for Needs {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Needs", "Needs", "", "1").needs("nl")
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default())
    }
}

type Body = fn(&FlowCx<'_>, FlowState) -> Result<FlowState, FlowError>;

struct TestFlow(Body);

impl CustomFlow for TestFlow {
    fn name(&self) -> &str {
        "Custom"
    }

    fn steps(&self) -> Vec<&str> {
        STEPS.to_vec()
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        (self.0)(cx, initial)
    }
}

struct Design {
    dir: tempfile::TempDir,
    events: Mutex<Vec<RunEvent>>,
}

impl Design {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), events: Mutex::default() }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    fn plan(&self, body: Body, config: &str) -> Result<Plan, PlanError> {
        let file = self.path().join("config.yaml");
        let meta = if config.starts_with("meta:") { "" } else { "meta: {flow: Custom}\n" };
        fs::write(&file, format!("{meta}{config}\nDESIGN_NAME: top\n")).unwrap();
        let mut registry = Registry::default();
        registry
            .add_step(Add)
            .add_step(Check { id: "Test.Check", defers: false })
            .add_step(Check { id: "Test.CheckLater", defers: true })
            .add_step(Fail("Test.Broken", Class::Tool))
            .add_step(Fail("Test.NoDisk", Class::Environment))
            .add_step(Needs)
            .add_step(Program)
            .add_custom_flow(TestFlow(body));
        let loader = Loader { files: vec![file], ..Loader::default() };
        Plan::load(&registry, loader, None, &mut SourceMap::new())
    }

    fn with<T>(&self, body: Body, config: &str, then: impl FnOnce(Run<'_>) -> T) -> T {
        let plan = self.plan(body, config).unwrap_or_else(|errors| panic!("{errors:?}"));
        let engine = Engine::open(&self.path(), Toolbox::default(), Options::cores(2)).unwrap();
        then(Run::new(&plan, &engine, "default").unwrap())
    }

    fn run(&self, body: Body, config: &str) -> Ended {
        self.events.lock().unwrap().clear();
        self.with(body, config, |run| {
            run.execute(|_| Again::No, |_, happened| self.events.lock().unwrap().push(happened.event.clone())).unwrap()
        })
    }

    fn look(&self, body: Body, config: &str) -> Vec<Standing> {
        self.with(body, config, |run| run.look(|_| Again::No))
    }
}

fn sum(ended: &Ended) -> Option<f64> {
    ended.summary.metrics.get("sum").and_then(|metric| metric.as_f64())
}

fn steps(ended: &Ended) -> Vec<(&str, StepStatus)> {
    ended.summary.steps.iter().map(|step| (step.id.as_str(), step.status)).collect()
}

/// Two branches from one step; the flow goes on with the greater one.
fn branches(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    let first = cx.start_async("Test.Add", &initial);
    let mut branches = Vec::new();
    for amount in [3_i64, 5, 4] {
        let cx = cx.labelled(&format!("BY {amount}")).with([("AMOUNT", amount)])?;
        branches.push(cx.start_async("test.add", &first));
    }
    let mut best = branches[0];
    for branch in branches {
        if cx.number(&branch, "sum")? > cx.number(&best, "sum")? {
            best = branch;
        }
    }
    cx.sequence(&["Test.Add", "Test.Check"], &best)
}

#[test]
fn futures_are_states_of_other_steps_and_the_last_state_is_that_of_its_own_way() {
    let design = Design::new();
    let ended = design.run(branches, "");
    let done = StepStatus::Done;
    assert_eq!(
        steps(&ended),
        [
            ("Test.Add", done),
            ("Test.Add-BY_3", done),
            ("Test.Add-BY_5", done),
            ("Test.Add-BY_4", done),
            ("Test.Add-1", done),
            ("Test.Check", done)
        ]
    );
    assert_eq!((sum(&ended), ended.summary.class), (Some(7.0), None));
    let state = |dir: &str| fs::read_to_string(ended.dir.join(dir).join("state_in.json")).unwrap();
    assert!(state("05-test-add-1").contains("\"sum\": 6"), "{}", state("05-test-add-1"));
    assert!(fs::read_to_string(ended.dir.join("final/metrics.csv")).unwrap().contains("sum,7"));

    let again = design.run(branches, "");
    assert!(again.summary.steps.iter().all(|step| step.reused), "{:?}", steps(&again));
    assert_eq!(sum(&again), Some(7.0));
    let changed = design.run(branches, "AMOUNT: 2");
    let ran: Vec<&str> =
        changed.summary.steps.iter().filter(|step| !step.reused).map(|step| step.id.as_str()).collect();
    assert_eq!(ran.len(), 6, "all build on the first one: {ran:?}");
    assert_eq!(sum(&changed), Some(9.0));
}

#[test]
fn a_look_goes_as_far_as_results_are_known() {
    let design = Design::new();
    let stands = |standings: Vec<Standing>| -> Vec<(String, Stands)> {
        standings.into_iter().map(|standing| (standing.step, standing.status)).collect()
    };
    let standings = stands(design.look(branches, ""));
    assert_eq!(standings[0], ("Test.Add".to_owned(), Stands::Missing));
    assert!(!standings.iter().any(|(id, _)| id == "Test.Check"), "nobody knows yet whether it is reached");
    design.run(branches, "");
    let standings = stands(design.look(branches, ""));
    assert_eq!(standings.len(), 6);
    assert!(standings.iter().all(|(_, status)| *status == Stands::Fresh), "{standings:?}");
}

/// Tries amounts until the check passes.
fn fallback(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    let mut tried = Vec::new();
    for amount in [30_i64, 20, 5] {
        let cx = cx.with([("AMOUNT", amount)])?;
        let added = cx.start("Test.Add", &initial)?;
        match cx.start("Test.Check", &added) {
            Ok(state) => return Ok(state),
            Err(error) => {
                assert!(error.is_failed_check());
                tried.push(error.to_string());
            }
        }
    }
    Err(FlowError::new(format!("no amount is good: {}", tried.join("; "))).hint("raise `LIMIT`"))
}

#[test]
fn a_failed_check_is_a_value_that_the_flow_handles() {
    let design = Design::new();
    let ended = design.run(fallback, "");
    assert_eq!((sum(&ended), ended.summary.class, ended.failures.len()), (Some(5.0), None, 0));
    let failed: Vec<(&str, bool)> = (ended.summary.steps.iter())
        .filter(|step| step.status == StepStatus::CheckFailed)
        .map(|step| (step.id.as_str(), step.handled))
        .collect();
    assert_eq!(failed, [("Test.Check", true), ("Test.Check-1", true)]);
    let again = design.run(fallback, "");
    assert!(again.summary.steps.iter().all(|step| step.reused));

    let without = design.run(fallback, "LIMIT: 1");
    assert_eq!(without.summary.class, Some(Class::Check));
    let (step, failure) = &without.failures[0];
    assert_eq!(step.as_deref(), None);
    assert!(failure.message.starts_with("no amount is good: Test.Check: 30 is too much; Test.Check-1:"), "{failure}");
}

#[test]
fn a_check_that_is_put_off_fails_the_run_only_on_the_way_to_the_last_state() {
    let beside: Body = |cx, initial| {
        let high = cx.with([("AMOUNT", 50_i64)])?.start("Test.Add", &initial)?;
        cx.start("Test.CheckLater", &high)?;
        cx.start("Test.Add", &initial)
    };
    assert_eq!(Design::new().run(beside, "").summary.class, None);
    let on_way: Body = |cx, initial| {
        let high = cx.with([("AMOUNT", 50_i64)])?.start("Test.Add", &initial)?;
        let checked = cx.start("Test.CheckLater", &high)?;
        cx.start("Test.Add", &checked)
    };
    let ended = Design::new().run(on_way, "");
    assert_eq!((ended.summary.class, sum(&ended)), (Some(Class::Check), Some(51.0)));
}

#[test]
fn a_tool_that_fails_is_a_value_and_a_full_disk_is_not() {
    let tool: Body = |cx, initial| match cx.start("Test.Broken", &initial) {
        Ok(_) => panic!("it fails"),
        Err(error) => {
            assert_eq!((error.step(), error.failure().message.as_str()), (Some("Test.Broken"), "no result"));
            cx.start("Test.Add", &initial)
        }
    };
    let ended = Design::new().run(tool, "");
    assert_eq!((ended.summary.class, ended.failures.len(), sum(&ended)), (None, 0, Some(1.0)));

    let disk: Body = |cx, initial| match cx.start("Test.NoDisk", &initial) {
        Ok(_) => panic!("it fails"),
        Err(error) => panic!("the flow heard of it: {error}"),
    };
    let ended = Design::new().run(disk, "");
    assert_eq!(ended.summary.class, Some(Class::Environment));
    assert_eq!(ended.failures.len(), 1, "{:?}", ended.failures);

    let unhandled: Body = |cx, initial| cx.start("Test.Broken", &initial);
    let ended = Design::new().run(unhandled, "");
    assert_eq!((ended.summary.class, ended.failures.len()), (Some(Class::Tool), 1));
}

#[test]
fn what_a_flow_may_not_ask_for_ends_it() {
    let undeclared: Body = |cx, initial| cx.start("Test.Other", &initial).or(Ok(initial));
    let ended = Design::new().run(undeclared, "");
    assert_eq!(ended.summary.class, Some(Class::Input));
    let message = &ended.failures[0].1.message;
    assert_eq!(message, "the flow `Custom` asks for the step `Test.Other`, which it does not declare");

    let missing: Body = |cx, initial| cx.start("Test.Needs", &initial).or(Ok(initial));
    let ended = Design::new().run(missing, "");
    let message = &ended.failures[0].1.message;
    assert_eq!(message, "`Test.Needs` needs a view `nl`, and no step before it makes one");

    let badly: Body = |cx, initial| cx.with([("AMOUNT", "much")])?.start("Test.Add", &initial);
    let ended = Design::new().run(badly, "");
    assert_eq!(ended.summary.class, Some(Class::Input));
    assert!(Design::new().plan(badly, "AMOUNT: much").is_err(), "variables are validated ahead");
}

#[test]
fn edits_of_a_configuration_hold_for_what_a_program_asks_for() {
    let asks: Body = |cx, initial| {
        let added = cx.start("test.add", &initial)?;
        cx.sequence(&["Test.Broken", "Test.Add"], &added)
    };
    let edited = |edits: &str| {
        let design = Design::new();
        let config = format!("meta: {{flow: Custom, substituting_steps: {edits}}}");
        let plan = design.plan(asks, &config);
        plan.map(|_| design.run(asks, &config)).map_err(|PlanError(errors)| {
            let [error] = errors.as_slice() else { panic!("{errors:?}") };
            assert!(error.label.is_some(), "the place is told");
            format!("{}; {}", error.message, error.help.clone().unwrap_or_default())
        })
    };
    assert_eq!(edited("{}").unwrap().summary.class, Some(Class::Tool));

    let without = edited("{Test.Broken: null, Test.NoDisk: null}").unwrap();
    assert_eq!((without.summary.class, sum(&without)), (None, Some(2.0)), "{:?}", without.failures);
    let left_out = without.summary.steps.iter().find(|step| step.id == "Test.Broken").unwrap();
    assert_eq!(left_out.status, StepStatus::LeftOut);
    assert!(left_out.reason.as_ref().unwrap().ends_with("config.yaml:1:43"), "{:?}", left_out.reason);

    let instead = edited("[[Test.B*, Test.NoDisk], [test.nodisk, Test.Add]]").unwrap();
    assert_eq!((instead.summary.class, sum(&instead)), (None, Some(3.0)), "{:?}", instead.failures);
    let ids: Vec<&str> = instead.summary.steps.iter().map(|step| step.id.as_str()).collect();
    assert_eq!(ids, ["Test.Add", "Test.Add-1", "Test.Add-2"]);

    assert_eq!(
        edited("{+Test.Add: Test.Check}").err().unwrap(),
        "the flow `Custom` is a program, in which no step can be put beside `Test.Add`; `A: B` lets B run where the \
         program asks for A, `A: null` takes A out"
    );
    let gone = edited("[[Test.Broken, null], [Test.Broken, Test.Add]]").err().unwrap();
    assert!(gone.starts_with("the flow has no step `Test.Broken`"), "{gone}");
}

#[test]
fn a_flow_may_be_driven_from_several_threads() {
    let threads: Body = |cx, initial| {
        let sums = std::thread::scope(|scope| {
            let branch = |amount: i64| {
                scope.spawn(move || {
                    let cx = cx.labelled(&amount.to_string()).with([("AMOUNT", amount)])?;
                    let once = cx.start("Test.Add", &initial)?;
                    cx.start("Test.Add", &once)
                })
            };
            let branches = [2, 3, 4].map(branch);
            branches.map(|branch| branch.join().unwrap())
        });
        let [_, _, last] = sums;
        last
    };
    let design = Design::new();
    let ended = design.run(threads, "");
    assert_eq!((sum(&ended), ended.summary.steps.len(), ended.summary.class), (Some(8.0), 6, None));
    let again = design.run(threads, "");
    assert!(again.summary.steps.iter().all(|step| step.reused), "{:?}", steps(&again));
}

#[test]
fn loops_end_when_the_flow_says_so_and_nested_flows_share_the_run() {
    let looping: Body = |cx, initial| {
        let mut state = initial;
        loop {
            state = cx.start("Test.Add", &state)?;
            if cx.number(&state, "sum")? >= Some(4.0) {
                break branches(cx, state);
            }
        }
    };
    let ended = Design::new().run(looping, "");
    assert_eq!(
        (ended.summary.class, ended.summary.steps.len()),
        (Some(Class::Check), 10),
        "the check of the nested flow"
    );
    assert_eq!(ended.failures.len(), 0, "the step has said it: {:?}", ended.failures);
    let ended = Design::new().run(looping, "LIMIT: 11");
    assert_eq!((sum(&ended), ended.summary.class), (Some(11.0), None));
}

#[test]
fn stages_comparisons_and_messages_are_told() {
    let telling: Body = |cx, initial| {
        cx.set_max_stage_count(2);
        cx.start_stage("One");
        let state = cx.start("Test.Add", &initial)?;
        cx.end_stage();
        cx.start_stage("Two");
        cx.say("half done");
        cx.compared(Comparison {
            title: "Amounts tried".to_owned(),
            columns: vec!["amount".to_owned(), "sum".to_owned()],
            rows: vec![Candidate { cells: vec!["a, b".to_owned(), "1".to_owned()], standing: Placing::Best }],
        });
        cx.end_stage();
        Ok(state)
    };
    let design = Design::new();
    let ended = design.run(telling, "");
    let told: Vec<String> = (design.events.lock().unwrap().iter())
        .filter_map(|event| match event {
            RunEvent::StageStarted(stage) => Some(format!("{}/{} {}", stage.number, stage.of.unwrap(), stage.name)),
            RunEvent::StageEnded => Some("end".to_owned()),
            RunEvent::Message { text } => Some(text.clone()),
            RunEvent::Compared(comparison) => Some(comparison.title.clone()),
            RunEvent::StepDone(_) => Some("done".to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["1/2 One", "done", "end", "2/2 Two", "half done", "Amounts tried", "end"]);
    assert_eq!(ended.summary.comparisons.len(), 1);
    assert_eq!(fs::read_to_string(ended.dir.join("amounts-tried.csv")).unwrap(), "amount,sum\n\"a, b\",1\n");
}

#[test]
fn a_defect_of_a_flow_is_told_as_one() {
    let broken: Body = |_, _| panic!("index out of range");
    let ended = Design::new().run(broken, "");
    assert_eq!(ended.summary.class, Some(Class::Internal));
    assert!(ended.failures[0].1.message.contains("index out of range"), "{}", ended.failures[0].1);
}

#[test]
fn config_of_a_flow_is_what_steps_get() {
    let reading: Body = |cx, initial| {
        let config: &Config = cx.config();
        assert_eq!(config.int("AMOUNT"), 6);
        cx.start("Test.Add", &initial)
    };
    assert_eq!(sum(&Design::new().run(reading, "AMOUNT: 6")), Some(6.0));
}

#[test]
fn threads_of_a_flow_that_does_not_go_on_have_nothing_to_say() {
    static SAID: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| match is_ending_flow() {
        true => SAID.lock().unwrap().push(panic.to_string()),
        false => before(panic),
    }));
    let threads: Body = |cx, initial| {
        let waits = || cx.start("Test.Add", &initial).unwrap();
        thread::scope(|scope| Ok(scope.spawn(waits).join().unwrap()))
    };
    let standings = Design::new().look(threads, "");
    let would_run: Vec<(&str, bool)> = standings.iter().map(|step| (step.step.as_str(), step.would_run)).collect();
    assert_eq!(would_run, [("Test.Add", true)]);
    let said = SAID.lock().unwrap();
    assert!(said.iter().any(|words| words.contains("Result::unwrap")), "the thread that waits for the other: {said:?}");
}

#[test]
fn a_step_whose_variables_do_not_fit_says_so_and_the_flow_may_go_on() {
    let unfit: Body = |cx, initial| {
        let error = cx.with([("AMOUNT", 13_i64)])?.start("Test.Add", &initial).unwrap_err();
        assert_eq!(error.to_string(), "Test.Add: `AMOUNT`: brings bad luck");
        cx.start("Test.Add", &initial)
    };
    let ended = Design::new().run(unfit, "");
    assert_eq!((ended.summary.class, sum(&ended)), (None, Some(1.0)));
    let first = &ended.summary.steps[0];
    assert_eq!((first.status, first.reason.as_deref()), (StepStatus::LeftOut, Some("`AMOUNT`: brings bad luck")));
}

#[test]
fn a_flow_that_fails_tells_of_one_failure_and_others_that_it_allowed_for_are_beside_the_point() {
    let all: Body = |cx, initial| {
        let tried = ["a", "b"].map(|label| cx.labelled(label).may_fail().start("Test.Broken", &initial));
        let [first, second] = tried;
        second.or(first)
    };
    let ended = Design::new().run(all, "");
    let handled: Vec<(&str, bool)> = ended.summary.steps.iter().map(|step| (step.id.as_str(), step.handled)).collect();
    assert_eq!(handled, [("Test.Broken-a", false), ("Test.Broken-b", true)]);
    assert_eq!((ended.summary.class, ended.failures.len()), (Some(Class::Tool), 1), "{:?}", ended.failures);
}

#[test]
fn a_step_of_a_program_is_pinned_by_its_id() {
    let design = Design::new();
    design.run(branches, "");
    design.with(branches, "", |mut run| {
        assert!(run.steps().contains(&"Test.Add-BY_5"));
        run.pin("Test.Add-BY_5", "as it was").unwrap();
        assert!(run.pin("Test.Add-BY_6", "never there").is_err());
    });
    let pinned = design.run(branches, "AMOUNT: 2");
    let five = pinned.summary.steps.iter().find(|step| step.id == "Test.Add-BY_5").unwrap();
    assert_eq!((five.status, sum(&pinned)), (StepStatus::Pinned, Some(8.0)));
    assert!(design.with(branches, "", |mut run| run.unpin("Test.Add-BY_5").unwrap()));
    assert_eq!(sum(&design.run(branches, "AMOUNT: 2")), Some(9.0));
}

#[test]
fn results_of_steps_that_a_cut_flow_did_not_reach_stay_known() {
    let design = Design::new();
    let cut: Body = |cx, initial| {
        let state = cx.start("Test.Add", &initial)?;
        if cx.config().int("AMOUNT") == 1 { cx.start("Test.Add", &state) } else { Err(FlowError::new("no more")) }
    };
    design.run(cut, "");
    assert_eq!(design.run(cut, "AMOUNT: 2").summary.class, Some(Class::Check));
    design.with(cut, "AMOUNT: 2", |mut run| run.pin("Test.Add-1", "it still is shown").unwrap());
}

/// Acts outside: it must not run behind a failed check.
struct Program;

impl Step for Program {
    fn info(&self) -> StepInfo {
        StepInfo::new("Test.Program", "Program", "", "1").acts_outside()
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, _: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().metric("programmed", 1_i64))
    }
}

#[test]
fn what_acts_outside_waits_for_every_check_even_one_that_is_put_off() {
    let body: Body = |cx, initial| cx.sequence(&["Test.Add", "Test.CheckLater", "Test.Program"], &initial);
    let ended = Design::new().run(body, "AMOUNT: 50");
    assert_eq!(ended.summary.class, Some(Class::Check));
    assert!(!steps(&ended).iter().any(|(id, _)| *id == "Test.Program"), "{:?}", steps(&ended));
    assert!(steps(&Design::new().run(body, "")).contains(&("Test.Program", StepStatus::Done)));
}

#[test]
fn labels_and_numbers_do_not_meet() {
    let body: Body = |cx, initial| {
        let first = cx.labelled("1").start("Test.Add", &initial)?;
        let second = cx.start("Test.Add", &first)?;
        cx.start("Test.Add", &second)
    };
    let ended = Design::new().run(body, "");
    assert_eq!((sum(&ended), ended.summary.steps.len()), (Some(3.0), 3), "{:?}", steps(&ended));
}
