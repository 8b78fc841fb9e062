//! Icarus Verilog: simulation of the sources. Owns how a bench is compiled, run and judged, for every step that
//! simulates.

mod bench;
mod on_netlist;

use tapeout_config::Config;
use tapeout_flow::{
    Action, Completed, Failure, Registry, Session, Step, StepCx, StepInfo, StepResult, Tool, Type, Variable,
};
use tapeout_formats::alerts;
use tapeout_model::{Alert, Class, Severity};

use crate::time_limit;
use crate::verilog::{self, Sources};

pub(crate) use bench::{Bench, Judgement, collect, has_no_bench};
pub(crate) use on_netlist::{Models, OnNetlist};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(Simulate).add_step(GATE_LEVEL).add_tool(Tool {
        name: "iverilog",
        summary: "Verilog compiler of Icarus Verilog",
        package: "iverilog",
        version_args: &["-V"],
        minimum: Some("11.0"),
        companions: &["../lib/ivl", "../lib/x86_64-linux-gnu/ivl", "../lib/aarch64-linux-gnu/ivl"],
    });
    registry.add_tool(Tool {
        name: "vvp",
        summary: "Simulator of Icarus Verilog",
        package: "iverilog",
        version_args: &["-V"],
        minimum: Some("11.0"),
        companions: &["../lib/ivl", "../lib/x86_64-linux-gnu/ivl", "../lib/aarch64-linux-gnu/ivl"],
    });
}

/// The variables that describe benches.
pub(crate) fn bench_variables() -> Vec<Variable> {
    vec![
        Variable::new(
            "TEST_BENCHES",
            Type::list(Type::Path),
            "Test benches, one file each. The bench's module has the name of the file. A bench passes when it ends by \
             itself without an error: `$fatal`, `$error` and a line that begins with `ERROR` fail it.",
        )
        .default(Vec::<String>::new()),
        Variable::new("TEST_FILES", Type::list(Type::Path), "Verilog files that are compiled with every bench.")
            .default(Vec::<String>::new()),
        Variable::new("TEST_DEFINES", Type::list(Type::Str), "Macros for benches beside `VERILOG_DEFINES`.")
            .default(Vec::<String>::new()),
        Variable::new("TEST_PLUSARGS", Type::list(Type::Str), "Arguments for benches, without the plus: `NAME=VALUE`.")
            .default(Vec::<String>::new()),
        time_limit::variable("TEST_TIMEOUT", "How long a bench may run. Without it, for ever.").optional(),
        Variable::new(
            "TEST_PASS_PATTERN",
            Type::Str,
            "A text that every bench prints when it passes. With it, a bench that ends early without a word fails.",
        )
        .optional(),
    ]
}

/// The benches on the cells of a library.
const GATE_LEVEL: OnNetlist = OnNetlist {
    id: "Icarus.GateLevel",
    name: "Gate-level simulation",
    doc: "Runs each test bench on the netlist of the layout, with the models of the PDK's cells and the netlists (`nl`) of \
          `MACROS`: function, without delays. A bench that looks inside the design or sets its parameters cannot run on a netlist; the step says so. The macro \
          `POST_LAYOUT` is defined, for benches that do so only on the sources.",
    netlist: "nl",
    without: "no step before it has made a netlist",
    switch: || {
        Variable::new("RUN_GATE_LEVEL_SIMULATION", Type::Bool, "Whether the benches run on the netlist of cells.")
            .default(true)
    },
    models: Models::OfVariable(|| crate::classic::variable("CELL_VERILOG_MODELS")),
    options: &[],
};

struct Simulate;

impl Step for Simulate {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Icarus.Simulate",
            "Simulation",
            "Runs each test bench on the sources. Of a bench that fails the waves are kept.",
            env!("IMPLEMENTATION"),
        )
        .takes("vhdl_nl")
        .makes(&["vcd"])
        .variables(verilog::variables())
        .variables(bench_variables())
        .variables([
            verilog::macro_models(),
            Variable::new("RUN_SIMULATION", Type::Bool, "Whether the benches run on the sources.").default(true),
        ])
        .tools(&["iverilog", "vvp"])
        .action(Action::Simulation)
        .sections(&bench::SECTIONS)
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        if config.bool("RUN_SIMULATION") { has_no_bench(config) } else { Some("RUN_SIMULATION is false".to_owned()) }
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        verilog::check(config)?;
        bench::check(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Bench::all(cx.config).iter().map(|bench| session(cx, bench, false)).collect()
    }

    fn follow_up(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<Vec<Session>, Failure> {
        let mut again = Vec::new();
        for (bench, run) in Bench::all(cx.config).iter().zip(sessions) {
            if matches!(bench.judge(cx.config, run), Judgement::Failed(_)) {
                again.push(session(cx, bench, true)?);
            }
        }
        Ok(again)
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let benches = Bench::all(cx.config);
        for (bench, run) in benches.iter().zip(sessions) {
            if let Judgement::DoesNotCompile(words) = bench.judge(cx.config, run) {
                let mut failure =
                    Failure::new(Class::Tool, format!("`iverilog` cannot compile the bench `{}`", bench.name));
                failure.words = words;
                return Err(failure);
            }
        }
        Ok(collect(cx.config, &benches, sessions).alerts(warnings(sessions)))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        [alerts::iverilog(log), alerts::vvp(log)].concat()
    }
}

/// What the compiler warned of, each once. Errors are in the judgement of a bench; what looks like one here is a line that
/// a bench printed.
fn warnings(sessions: &[Completed]) -> Vec<Alert> {
    let mut all: Vec<Alert> = Vec::new();
    for alert in sessions.iter().flat_map(|session| alerts::iverilog(session.log())) {
        if alert.severity == Severity::Warning
            && !all.iter().any(|known| known.code == alert.code && known.message == alert.message)
        {
            all.push(alert);
        }
    }
    all
}

fn session(cx: &mut StepCx<'_, '_>, bench: &Bench, waves: bool) -> Result<Session, Failure> {
    let files: Vec<String> = cx.config.strings("TEST_FILES").iter().map(|file| (*file).to_owned()).collect();
    let models = verilog::macro_model_files(cx.config);
    let sources = Sources::gather(cx, &[models, files, vec![bench.path.clone()]].concat())?;
    Ok(bench.session(cx.config, sources, &[], waves))
}
