//! Runs a flow of trivial steps, for benchmarks: `steps DIR COUNT` reads a configuration, plans, runs and shows in
//! `DIR/runs/default`. The first run does the work, the next finds nothing to do. Each step reads the view of the one
//! before and a variable, and writes a small file.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use tapeout_config::{Loader, SourceMap};
use tapeout_engine::{Engine, Options, Toolbox};
use tapeout_flow::{
    Again, Completed, Failure, Flow, Plan, Registry, Run, Session, Step, StepCx, StepInfo, StepResult, Type, Variable,
};

/// Copies the netlist of the step before, with a line more.
struct Trivial;

impl Step for Trivial {
    fn info(&self) -> StepInfo {
        StepInfo::new("Bench.Trivial", "Trivial", "Adds a line to the netlist.", "1")
            .takes("nl")
            .makes(&["nl"])
            .variables([Variable::new("LINE", Type::Str, "The line.").default("line")])
    }

    fn prepare(&self, _: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        Ok(Vec::new())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, _: &[Completed]) -> Result<StepResult, Failure> {
        let lines = match cx.view("nl") {
            Some(_) => {
                let before = cx.view_file("nl")?;
                cx.output_text(&before)?.lines().count() + 1
            }
            None => 1,
        };
        let line = format!("{}\n", cx.config.str("LINE"));
        let mut result = StepResult::default().view("nl", "netlist.v");
        result.written.push(cx.write("netlist.v", line.repeat(lines).as_bytes())?);
        Ok(result)
    }
}

fn run(dir: &Path, count: usize) -> Result<(), Box<dyn Error>> {
    let mut registry = Registry::default();
    registry.add_step(Trivial).add_flow(Flow::new("Trivial", "", &vec!["Bench.Trivial"; count]));
    let file = dir.join("config.yaml");
    fs::write(&file, "DESIGN_NAME: bench\nmeta: {version: 2, flow: Trivial}\n")?;
    let loader = Loader { files: vec![file], ..Loader::default() };
    let plan = Plan::load(&registry, loader, None, &mut SourceMap::new()).map_err(|_| "there is no plan")?;
    let engine = Engine::open(dir, Toolbox::default(), Options::cores(2))?;
    let ended = Run::new(&plan, &engine, "default")?.execute(|_| Again::No, |_, _| {})?;
    match ended.summary.class {
        None => Ok(()),
        Some(class) => Err(format!("the run ended with {class:?}").into()),
    }
}

fn main() -> ExitCode {
    tapeout_engine::serve_if_asked();
    let args: Vec<String> = std::env::args().collect();
    let ended = match args.as_slice() {
        [_, dir, count] => match (std::path::absolute(dir), count.parse()) {
            (Ok(dir), Ok(count)) => run(&dir, count),
            _ => return ExitCode::from(2),
        },
        _ => return ExitCode::from(2),
    };
    ExitCode::from(u8::from(ended.is_err()))
}
