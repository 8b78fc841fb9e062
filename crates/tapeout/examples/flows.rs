//! The whole command line with flows of steps that do next to nothing, for `cargo xtask bench flow`. `BENCH_STEPS` says
//! how many steps `Sequential`, `InTurn` and `SideBySide` have. `Chains` has three chains of two steps that sleep.

use std::process::ExitCode;

use tapeout_flow::{
    Command, Completed, CustomFlow, Failure, Flow, FlowCx, FlowError, FlowState, Invocation, Session, Step, StepCx,
    StepInfo, StepResult, Tool, Type, Variable,
};

const COUNT: &str = "Bench.Count";
const SLEEP: &str = "Bench.Sleep";
const METRIC: &str = "bench__count";

/// Counts the steps before it.
struct Count;

impl Step for Count {
    fn info(&self) -> StepInfo {
        StepInfo::new(COUNT, "Count", "Adds one to a metric.", "1").reads_metric(METRIC).measures(&[METRIC])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().metric(METRIC, counted(cx) + 1))
    }
}

/// Sleeps for 0.2 s. Each has a name of its own for what it does, so that no two are one job.
struct Sleep;

impl Step for Sleep {
    fn info(&self) -> StepInfo {
        let name = Variable::new("NAME", Type::Str, "Whose sleep it is.").default("nobody");
        StepInfo::new(SLEEP, "Sleep", "Sleeps for 0.2 s and adds one to a metric.", "1")
            .reads_metric(METRIC)
            .measures(&[METRIC])
            .variables([name])
            .tools(&["sleep"])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let invocation = Invocation {
            commands: vec![Command::new("sleep").arg("0.2")],
            env: vec![("NAME".to_owned(), format!("{} {}", cx.config.str("NAME"), counted(cx)))],
            ..Invocation::default()
        };
        Ok(vec![invocation.into()])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().metric(METRIC, counted(cx) + 1))
    }
}

/// How many steps there were.
fn counted(cx: &mut StepCx<'_, '_>) -> i64 {
    cx.metric(METRIC).and_then(|metric| metric.as_f64()).map_or(0, |count| count as i64)
}

/// Three chains of two steps, side by side. The second step of each is asked for while nobody knows the state that it
/// begins with.
struct Chains;

impl CustomFlow for Chains {
    fn name(&self) -> &str {
        "Chains"
    }

    fn steps(&self) -> Vec<&str> {
        vec![SLEEP]
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        let mut ends = Vec::new();
        for chain in ["first", "second", "third"] {
            let cx = cx.with([("NAME", chain)])?;
            let half = cx.start_async(SLEEP, &initial);
            ends.push(cx.start_async(SLEEP, &half));
        }
        ends.iter().try_for_each(|end| cx.wait(end))?;
        Ok(ends[0])
    }
}

/// Asks for many steps one after the other, each on the state of the one before.
struct InTurn(usize);

impl CustomFlow for InTurn {
    fn name(&self) -> &str {
        "InTurn"
    }

    fn steps(&self) -> Vec<&str> {
        vec![COUNT]
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        (0..self.0).try_fold(initial, |state, _| cx.start(COUNT, &state))
    }
}

/// Asks for many steps at once, all on the initial state.
struct SideBySide(usize);

impl CustomFlow for SideBySide {
    fn name(&self) -> &str {
        "SideBySide"
    }

    fn steps(&self) -> Vec<&str> {
        vec![COUNT]
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        let ends: Vec<FlowState> = (0..self.0).map(|_| cx.start_async(COUNT, &initial)).collect();
        ends.iter().try_for_each(|end| cx.wait(end))?;
        Ok(ends.last().copied().unwrap_or(initial))
    }
}

fn main() -> ExitCode {
    let count = std::env::var("BENCH_STEPS").ok().and_then(|count| count.parse().ok()).unwrap_or(500);
    let mut registry = tapeout_tools::registry();
    registry
        .add_step(Count)
        .add_step(Sleep)
        .add_tool(Tool {
            name: "sleep",
            summary: "Sleeps",
            package: "coreutils",
            version_args: &[],
            minimum: None,
            companions: &[],
        })
        .add_flow(Flow::new("Sequential", "Counts its steps.", &vec![COUNT; count]))
        .add_custom_flow(Chains)
        .add_custom_flow(InTurn(count))
        .add_custom_flow(SideBySide(count));
    tapeout::main(registry)
}
