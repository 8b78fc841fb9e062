//! Flows that are programs, started by [`Design`]: those of the page on custom flows, on real tools.
#![expect(clippy::unwrap_used, reason = "a test fails by panic")]

#[expect(clippy::disallowed_methods, clippy::print_stdout, reason = "shared with tests that start programs")]
mod support;

use std::fs;
use std::path::PathBuf;
use std::thread;

use libtest_mimic::{Arguments, Trial};
use tapeout::flow::{
    Class, CustomFlow, Ended, Flow, FlowCx, FlowError, FlowState, Registry, StepStatus, Type, Value, Variable,
};
use tapeout::{Design, StartError};

use support::TestSpace;

fn one_after_the_other(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    let synthesis = cx.start("Yosys.SynthIce40", &initial)?;
    cx.start("Nextpnr.Ice40", &synthesis)
}

fn config_copies(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    let netlist = cx.start("Yosys.SynthIce40", &initial)?;
    let other_seed = cx.with([("PNR_SEED", 7)])?;
    other_seed.start("Nextpnr.Ice40", &netlist)
}

fn futures(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    let netlist = cx.start_async("Yosys.SynthIce40", &initial);
    let mut layouts = Vec::new();
    for seed in [1, 2, 3] {
        let cx = cx.labelled(&format!("seed{seed}")).with([("PNR_SEED", seed)])?;
        layouts.push(cx.start_async("Nextpnr.Ice40", &netlist));
    }
    let mut best = (layouts[0], 0.0);
    for layout in layouts {
        let mhz = cx.number(&layout, "timing__fmax__clock:clk")?.unwrap_or(0.0);
        if mhz > best.1 {
            best = (layout, mhz);
        }
    }
    cx.start("Icestorm.Pack", &best.0)
}

fn fallback(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    const IMPLEMENT: &[&str] = &["Nextpnr.Ice40", "Checker.SetupViolations"];
    let netlist = cx.start("Yosys.SynthIce40", &initial)?;
    let hard = cx.labelled("hard").with([("CLOCK_PERIOD", 0.5)])?.at_once();
    match hard.sequence(IMPLEMENT, &netlist) {
        Err(error) if error.is_failed_check() => {
            cx.say(format!("on with the period of the configuration, as {error}"));
            cx.sequence(IMPLEMENT, &netlist)
        }
        other => other,
    }
}

fn failing_tool(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    let netlist = cx.start("Yosys.SynthIce40", &initial)?;
    let small = cx.labelled("small").with([("ICE40_PACKAGE", "qn84")])?.may_fail();
    small.start("Nextpnr.Ice40", &netlist).or_else(|_| cx.start("Nextpnr.Ice40", &netlist))
}

fn threads(cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
    let netlist = cx.start("Yosys.SynthIce40", &initial)?;
    let [first, second] = thread::scope(|scope| {
        let search = |name: &'static str, from: i64| {
            scope.spawn(move || {
                let mut state = netlist;
                for seed in from..from + 2 {
                    let cx = cx.labelled(&format!("{name}{seed}")).with([("PNR_SEED", seed)])?;
                    state = cx.start("Nextpnr.Ice40", &netlist)?;
                }
                Ok::<_, FlowError>(state)
            })
        };
        [search("low", 1), search("high", 100)].map(|thread| thread.join().expect("no search panics"))
    });
    first.and(second)
}

/// A flow within another.
struct Nested;

impl CustomFlow for Nested {
    fn name(&self) -> &str {
        "Nested"
    }

    fn steps(&self) -> Vec<&str> {
        [FUTURES.steps(), vec!["Icestorm.Time"]].concat()
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        let packed = FUTURES.run(cx, initial)?;
        cx.start("Icestorm.Time", &packed)
    }
}

/// A flow of a test, by its name.
struct Program(&'static str, fn(&FlowCx<'_>, FlowState) -> Result<FlowState, FlowError>);

const FUTURES: Program = Program("Futures", futures);

impl CustomFlow for Program {
    fn name(&self) -> &str {
        self.0
    }

    fn steps(&self) -> Vec<&str> {
        vec!["Yosys.SynthIce40", "Nextpnr.Ice40", "Icestorm.Pack", "Checker.SetupViolations"]
    }

    fn describe(&self, flow: Flow) -> Flow {
        flow.variables([Variable::new("AMOUNTS", Type::list(Type::Decimal), "Unused.").default([1.5, 2.0])])
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        (self.1)(cx, initial)
    }
}

fn counter(space: &TestSpace) -> Design {
    Design::new(space.path("")).file("config.yaml")
}

fn registry(flow: impl CustomFlow + 'static) -> Registry {
    let mut registry = tapeout::registry();
    registry.add_custom_flow(flow);
    registry
}

/// Runs it twice: nothing runs the second time. Gives the first end, and where its files are.
#[track_caller]
fn started(flow: impl CustomFlow + 'static) -> (Ended, TestSpace) {
    let space = TestSpace::counter();
    let design = counter(&space).flow(flow.name());
    let registry = registry(flow);
    let ended = design.start(&registry).unwrap();
    let state = contents(&ended);
    let again = design.start(&registry).unwrap();
    assert!(again.summary.steps.iter().all(|step| step.reused), "{:?}", again.summary.steps);
    // Threads ask in the order in which they come, by which directories are numbered.
    let sorted = |ended| {
        let mut ids = ids(ended);
        ids.sort_unstable();
        ids.join(" ")
    };
    assert_eq!(sorted(&again), sorted(&ended));
    assert_eq!((&again.state.metrics, contents(&again)), (&ended.state.metrics, state));
    (ended, space)
}

/// What is in the files of the last state.
fn contents(ended: &Ended) -> Vec<(String, Vec<u8>)> {
    let read = |(key, path): (String, &PathBuf)| {
        assert!(path.is_absolute());
        (key, fs::read(path).unwrap())
    };
    ended.state.files().into_iter().map(read).collect()
}

fn ids(ended: &Ended) -> Vec<&str> {
    ended.steps().map(|step| step.id.as_str()).collect()
}

fn start_gives_the_last_state_and_the_steps_in_order() {
    let (ended, _space) = started(Program("OneAfterTheOther", one_after_the_other));
    assert_eq!(ids(&ended), ["Yosys.SynthIce40", "Nextpnr.Ice40"]);
    assert_eq!(ended.state.views.keys().collect::<Vec<_>>(), ["asc", "json", "timing_report"]);
    assert!(ended.state.metrics.contains_key("timing__fmax__clock:clk"));
}

fn a_step_gets_a_copy_of_the_configuration() {
    let (ended, space) = started(Program("ConfigCopies", config_copies));
    let step = ended.steps().last().unwrap();
    let config = space.read(&format!("runs/default/{}/config.json", step.dir));
    assert!(config.contains("\"PNR_SEED\": 7"), "{config}");
}

fn futures_are_inputs_of_other_steps() {
    let (ended, _space) = started(FUTURES);
    let seeds = ["Nextpnr.Ice40-seed1", "Nextpnr.Ice40-seed2", "Nextpnr.Ice40-seed3"];
    assert_eq!(ids(&ended), [&["Yosys.SynthIce40"], &seeds[..], &["Icestorm.Pack"]].concat());
    assert!(ended.state.views.contains_key("bitstream"));
}

fn a_missed_target_is_a_value() {
    let (ended, _space) = started(Program("Fallback", fallback));
    let checks: Vec<(&str, StepStatus, bool)> = ended
        .steps()
        .filter(|step| step.id.starts_with("Checker"))
        .map(|step| (step.id.as_str(), step.status, step.handled))
        .collect();
    let (failed, done) = (StepStatus::CheckFailed, StepStatus::Done);
    assert_eq!(checks, [("Checker.SetupViolations-hard", failed, true), ("Checker.SetupViolations", done, false)]);
}

fn a_tool_that_fails_is_a_value_and_is_not_run_again() {
    let (ended, _space) = started(Program("FailingTool", failing_tool));
    let layouts: Vec<StepStatus> = ended.steps().skip(1).map(|step| step.status).collect();
    assert_eq!(layouts, [StepStatus::Failed, StepStatus::Done]);
}

fn several_threads_may_drive_a_flow() {
    let (ended, _space) = started(Program("Threads", threads));
    let mut ids = ids(&ended);
    ids.sort_unstable();
    let layouts = ["high100", "high101", "low1", "low2"].map(|label| format!("Nextpnr.Ice40-{label}"));
    assert_eq!(ids[..4], layouts);
    assert!(ended.state.views["asc"].files()[0].to_string_lossy().contains("-high101"));
}

fn a_flow_may_run_another() {
    let (ended, _space) = started(Nested);
    assert_eq!(ids(&ended)[4..], ["Icestorm.Pack", "Icestorm.Time"]);
}

fn what_is_wrong_is_an_error_in_words() {
    let space = TestSpace::counter();
    let registry = tapeout::registry();
    let wrong = counter(&space).set("PNR_SEED", "many").flow("Ice40").start(&registry).unwrap_err();
    assert!(matches!(wrong, StartError::Plan { .. }));
    let words = format!("{wrong:?}");
    assert!(words.contains("`PNR_SEED`") && words.contains("\"PNR_SEED\": \"many\""), "{words}");
    assert!(!space.path("runs").exists());

    let missing = counter(&space).set("tools", map([("yosys", map([("path", "nowhere/yosys".into())]))]));
    let missing = missing.flow("SeedSweep").start(&registry).unwrap_err();
    assert!(matches!(&missing, StartError::Failure(failure) if failure.class == Class::Environment));
    assert!(missing.to_string().contains("nowhere/yosys"), "{missing}");

    let late = counter(&space).set("CLOCK_PERIOD", 0.5).set("TEST_BENCHES", Vec::<String>::new()).tag("late");
    let StartError::Ended(ended) = late.start(&registry).unwrap_err() else { panic!("the target is out of reach") };
    assert_eq!(ended.summary.class, Some(Class::Check));
    assert!(ended.state.views["bitstream"].files()[0].starts_with(space.path("runs/late")));
    let words = StartError::Ended(ended).to_string();
    assert!(
        words.starts_with("the flow `Ice40` of `counter` did not end well\n  Checker.SetupViolations: "),
        "{words}"
    );
}

fn map<const N: usize>(entries: [(&str, Value); N]) -> Value {
    Value::Map(entries.map(|(name, value)| (name.to_owned(), value)).into())
}

/// The flow with a gate of the page on sequential flows.
fn checked() -> Flow {
    Flow::new("Checked", "Synthesis, with a look at the sources on request.", &["Verilator.Lint", "Yosys.SynthIce40"])
        .variables([Variable::new("RUN_LINT", Type::Bool, "Whether to look at the sources.").default(false)])
        .gate("Verilator.Lint", &["RUN_LINT"])
}

fn a_gate_is_open_on_request() {
    let mut registry = tapeout::registry();
    registry.add_flow(checked());
    for (lint, steps) in [(false, &["Yosys.SynthIce40"][..]), (true, &["Verilator.Lint", "Yosys.SynthIce40"])] {
        let space = TestSpace::counter();
        let ended = counter(&space).set("RUN_LINT", lint).flow("Checked").start(&registry).unwrap();
        assert_eq!(ids(&ended), steps);
    }
}

/// Not the usual harness: the test program is also its own guard, which must be the only thread of its process.
fn main() {
    tapeout::serve_if_asked();
    let with_tools: [(&str, fn()); 9] = [
        ("start_gives_the_last_state_and_the_steps_in_order", start_gives_the_last_state_and_the_steps_in_order),
        ("a_step_gets_a_copy_of_the_configuration", a_step_gets_a_copy_of_the_configuration),
        ("futures_are_inputs_of_other_steps", futures_are_inputs_of_other_steps),
        ("a_missed_target_is_a_value", a_missed_target_is_a_value),
        ("a_tool_that_fails_is_a_value_and_is_not_run_again", a_tool_that_fails_is_a_value_and_is_not_run_again),
        ("several_threads_may_drive_a_flow", several_threads_may_drive_a_flow),
        ("a_flow_may_run_another", a_flow_may_run_another),
        ("a_gate_is_open_on_request", a_gate_is_open_on_request),
        ("what_is_wrong_is_an_error_in_words", what_is_wrong_is_an_error_in_words),
    ];
    let trial = |(name, test): (&str, fn())| {
        Trial::test(name, move || {
            test();
            Ok(())
        })
    };
    let runs = !support::fast_only() && support::has_flow();
    let trials = with_tools.map(trial).map(|trial| trial.with_ignored_flag(!runs));
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit()
}
