//! `Icestorm.PostLayoutSimulate`: the design's benches on the netlist read back from the bitstream.

use tapeout_config::Config;
use tapeout_flow::{Completed, Failure, Input, Session, Step, StepCx, StepInfo, StepResult, Type, Variable};
use tapeout_formats::alerts;
use tapeout_model::{Alert, Class, Verdict};

use crate::icarus::{self, Bench, Judgement};
use crate::verilog::{self, Sources};

pub(super) struct PostLayoutSimulate;

/// `RUN_POST_LAYOUT_SIMULATION`.
pub(super) fn switch() -> Variable {
    Variable::new("RUN_POST_LAYOUT_SIMULATION", Type::Bool, "Whether the benches run on the bitstream.").default(true)
}

pub(super) fn nothing_to_do(config: &Config) -> Option<String> {
    if config.bool("RUN_POST_LAYOUT_SIMULATION") {
        icarus::has_no_bench(config)
    } else {
        Some("RUN_POST_LAYOUT_SIMULATION is false".to_owned())
    }
}

impl Step for PostLayoutSimulate {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Icestorm.PostLayoutSimulate",
            "Post-layout simulation",
            "Runs each test bench on the netlist read back from the bitstream: function, without delays. A bench that \
             looks inside the design or sets its parameters cannot run on a netlist; the step says so. The macro \
             `POST_LAYOUT` is defined, for benches that do so only on the sources.",
            env!("IMPLEMENTATION"),
        )
        .about("post_layout_nl")
        .variables(verilog::variables())
        .variables(icarus::bench_variables())
        .variables([switch()])
        .tools(&["iverilog", "vvp", "yosys"])
        .defers_check()
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        nothing_to_do(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let Some(netlist) = cx.view("post_layout_nl") else { return Ok(Vec::new()) };
        let models = cx.tool_file("yosys", verilog::ICE40_MODELS)?;
        let mut sessions = Vec::new();
        for bench in Bench::all(cx.config) {
            let files: Vec<String> = cx.config.strings("TEST_FILES").iter().map(|file| (*file).to_owned()).collect();
            let mut sources = Sources::of(cx, &[files, vec![bench.path.clone()]].concat())?;
            for file in netlist.files() {
                sources.files.push(file.path.clone());
                sources.inputs.push(Input::Output(file.clone()));
            }
            sources.files.push(models.clone());
            sources.inputs.push(Input::Source { path: models.clone() });
            // The models give inputs default values, which Icarus Verilog does not read.
            let options = ["-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-DPOST_LAYOUT"];
            sessions.push(bench.session(cx.config, sources, &options, false));
        }
        Ok(sessions)
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        if sessions.is_empty() {
            return Ok(not_checked("the netlist could not be read back from the bitstream".to_owned()));
        }
        let benches = Bench::all(cx.config);
        for (bench, session) in benches.iter().zip(sessions) {
            let log = session.log();
            match bench.judge(cx.config, session) {
                Judgement::Passed => {}
                Judgement::DoesNotCompile(_) if looks_inside(log) => {
                    return Ok(cannot_run(bench, "looks inside the design"));
                }
                // An error in newer versions of Icarus Verilog, and a warning in older ones, in which the bench may pass.
                Judgement::DoesNotCompile(_) | Judgement::Failed(_) if sets_parameters(log) => {
                    return Ok(cannot_run(bench, "sets parameters of the design"));
                }
                Judgement::DoesNotCompile(words) => {
                    let message = format!("`iverilog` cannot compile the bench `{}` with the netlist", bench.name);
                    let mut failure = Failure::new(Class::Tool, message);
                    failure.words = words;
                    return Err(failure);
                }
                Judgement::Failed(_) => {}
            }
        }
        Ok(icarus::collect(cx.config, &benches, sessions))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        [alerts::iverilog(log), alerts::vvp(log)].concat()
    }
}

fn not_checked(reason: String) -> StepResult {
    StepResult { verdict: Verdict::NotChecked { reason }, ..StepResult::default() }
}

fn cannot_run(bench: &Bench, what_it_does: &str) -> StepResult {
    let name = &bench.name;
    not_checked(format!(
        "the bench `{name}` {what_it_does}, which a netlist does not have; see the macro `POST_LAYOUT`"
    ))
}

/// Whether compilation failed because a name inside the design does not exist.
fn looks_inside(log: &str) -> bool {
    ["Unable to bind", "Could not find variable", "Unable to elaborate r-value"].iter().any(|words| log.contains(words))
}

/// Whether the compiler ignored a parameter that the bench gives to the design.
fn sets_parameters(log: &str) -> bool {
    log.lines().any(|line| line.contains("parameter ") && line.contains("not found in"))
}
