//! Verilator as a linter.

use tapeout_config::Config;
use tapeout_flow::{
    Action, Command, Completed, DepFormat, Failure, Input, Invocation, Registry, Session, Step, StepCx, StepInfo,
    StepResult, Tool, Type, Variable, design_name,
};
use tapeout_formats::alerts;
use tapeout_model::{Alert, Severity, View};

use crate::verilog::{self, ICE40_MODELS, ICE40_MODELS_NAME, Sources};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(Lint).add_tool(Tool {
        name: "verilator",
        summary: "Verilog simulator and linter",
        package: "verilator",
        version_args: &["--version"],
        minimum: Some("5.0"),
        companions: &["verilator_bin", "../share/verilator/include/verilated_std.sv"],
    });
}

struct Lint;

const ERRORS: &str = "design__lint_error__count";
const WARNINGS: &str = "design__lint_warning__count";
const TIMING: &str = "design__lint_timing_construct__count";

/// What Verilator says of constructs of simulated time that it checks without their time: delays of assignments and of
/// statements; then, as errors, events and waits within a process.
const TIMING_CODES: [&str; 3] = ["verilator.ASSIGNDLY", "verilator.STMTDLY", "verilator.NOTIMING"];

impl Step for Lint {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Verilator.Lint",
            "Lint",
            "Checks the sources with all of Verilator's warnings. Errors stop the flow. Warnings are counted by code and \
             can be waived by code with `WAIVED_ALERTS`. Delays, which synthesis ignores or cannot build, are among them and \
             are counted by themselves, too.",
            env!("IMPLEMENTATION"),
        )
        .takes("vhdl_nl")
        .measures(&[ERRORS, WARNINGS, TIMING])
        .variables(verilog::variables())
        .variables([
            design_name(),
            verilog::macro_models(),
            Variable::new("LINTER_DEFINES", Type::list(Type::Str), "Macros for the linter beside `VERILOG_DEFINES`.")
                .default(Vec::<String>::new()),
        ])
        .tools(&["verilator"])
        .action(Action::Lint)
        .sections(&[
            ("lint", "Calls Verilator."),
        ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        verilog::check(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let models = verilog::macro_model_files(cx.config);
        let sources = Sources::gather(cx, &models)?;
        let top = cx.config.str("DESIGN_NAME");
        let mut lint = Command::new("verilator")
            .args([
                "--lint-only",
                "-Wall",
                "-Wno-fatal",
                // Unless it is told what to make of delays, Verilator 5 takes each for an error.
                "--no-timing",
                "--relative-includes",
                "-MMD",
                "--Mdir",
                "obj_dir",
                "--top-module",
                top,
            ])
            .args(sources.includes)
            .args(sources.defines)
            .args(cx.config.strings("LINTER_DEFINES").iter().map(|define| format!("-D{define}")))
            .args(sources.files);
        let mut inputs = sources.inputs;
        // Primitives of the device have no module in the sources. Without Yosys Verilator says which it misses.
        if sources.has_ice40_primitives
            && let Ok(models) = cx.tool_file("yosys", ICE40_MODELS)
        {
            lint = lint.args(["-DNO_ICE40_DEFAULT_ASSIGNMENTS", "-v", &models]);
            inputs.push(Input::Source { path: models });
        }
        let invocation = Invocation {
            commands: vec![lint],
            inputs,
            depfiles: vec![(format!("obj_dir/V{top}__ver.d"), DepFormat::Makefile)],
            ..Invocation::default()
        };
        Ok(vec![Session::from(invocation).call("lint", 0)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        // What a tool wrote is not the user's to mend.
        let generated: Vec<String> =
            cx.view("vhdl_nl").iter().flat_map(View::files).map(|file| format!("{}:", file.path)).collect();
        let of_user = |alert: &Alert| {
            !alert.message.contains(ICE40_MODELS_NAME) && !generated.iter().any(|file| alert.message.starts_with(file))
        };
        let alerts: Vec<Alert> = self.alerts(sessions[0].log()).into_iter().filter(of_user).collect();
        let count = |severity| {
            alerts.iter().filter(|alert| alert.severity == severity).map(|a| i64::from(a.count)).sum::<i64>()
        };
        let is_timing = |alert: &&Alert| TIMING_CODES.contains(&alert.code.as_str());
        let timing = alerts.iter().filter(is_timing).map(|alert| i64::from(alert.count)).sum::<i64>();
        Ok(StepResult::default()
            .metric(ERRORS, count(Severity::Error))
            .metric(WARNINGS, count(Severity::Warning))
            .metric(TIMING, timing)
            .alerts(alerts))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::verilator(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        log.contains("Specified --top-module").then(|| verilog::TOP_ADVICE.to_owned())
    }
}
