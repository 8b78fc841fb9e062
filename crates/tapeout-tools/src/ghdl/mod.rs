//! GHDL: VHDL as Verilog, for the tools that read only that.

use tapeout_config::Config;
use tapeout_flow::{
    Command, Completed, Failure, Input, Invocation, Registry, Session, Step, StepCx, StepInfo, StepResult, Tool, Type,
    Variable, design_name,
};
use tapeout_formats::alerts;
use tapeout_model::Alert;

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(ToVerilog).add_tool(Tool {
        name: "ghdl",
        summary: "VHDL compiler",
        package: "ghdl",
        version_args: &["--version"],
        minimum: Some("2.0"),
        companions: &["ghdl-mcode", "ghdl-gcc", "ghdl-llvm", "../lib/ghdl"],
    });
}

struct ToVerilog;

impl Step for ToVerilog {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Ghdl.ToVerilog",
            "VHDL to Verilog",
            "Synthesises the VHDL sources into a Verilog netlist, which the other tools read beside `VERILOG_FILES`.",
            env!("IMPLEMENTATION"),
        )
        .makes(&["vhdl_nl"])
        .variables([
            design_name(),
            Variable::new("VHDL_FILES", Type::list(Type::Path), "The VHDL sources, each after those that it uses.")
                .default(Vec::<String>::new()),
            Variable::new("VHDL_TOP", Type::Str, "The top entity of the VHDL part, when it is not `DESIGN_NAME`.")
                .optional(),
            Variable::new("VHDL_STANDARD", Type::choice(["87", "93", "02", "08"]), "The edition of VHDL.")
                .default("08"),
        ])
        .tools(&["ghdl"])
        .sections(&[("synthesise", "Calls GHDL.")])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        config.strings("VHDL_FILES").is_empty().then(|| "VHDL_FILES is empty".to_owned())
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let config = cx.config;
        let mut files = Vec::new();
        let mut inputs = Vec::new();
        for path in config.strings("VHDL_FILES") {
            files.push(cx.source(path)?);
            inputs.push(Input::Source { path: path.to_owned() });
        }
        let command = Command::new("ghdl")
            .args(["--synth", &format!("--std={}", config.str("VHDL_STANDARD")), "--out=verilog"])
            .args(files)
            .args(["-e", config.opt_str("VHDL_TOP").unwrap_or(config.str("DESIGN_NAME"))])
            .stdout(output(config));
        let invocation =
            Invocation { commands: vec![command], inputs, outputs: vec![output(config)], ..Invocation::default() };
        Ok(vec![Session::from(invocation).call("synthesise", 0)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        Ok(StepResult::default().view("vhdl_nl", output(cx.config)).alerts(self.alerts(sessions[0].log())))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::ghdl(log)
    }
}

fn output(config: &Config) -> String {
    format!("{}_vhdl.v", config.str("DESIGN_NAME"))
}
