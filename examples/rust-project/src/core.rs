//! The core with a program: simulated, synthesised, made into a bitstream.

use tapeout::flow::project::{Blueprint, Call, Data, FilePath, FlowCall, FlowThing, Target, TaskCx, TaskResult};
use tapeout::flow::{Class, Failure, Metric, View};

use crate::firmware::Image;

const CODE: &str = include_str!("core.rs");

/// What the flow measures of the clock.
const FMAX: &str = "timing__fmax__clock:clk";

/// What the tasks of a core give.
pub(crate) struct Core {
    pub(crate) name: String,
    pub(crate) simulation: Target<Simulation>,
    pub(crate) netlist: Target<Netlist>,
    pub(crate) layout: Target<Layout>,
}

/// A bench that has passed.
#[derive(TaskResult)]
pub(crate) struct Simulation {
    /// How many values it looked at.
    pub(crate) values: usize,
    pub(crate) waves: FilePath,
}

/// The core as cells of the technology.
#[derive(TaskResult)]
pub(crate) struct Netlist {
    pub(crate) cells: i64,
    pub(crate) json: FilePath,
}

/// The core on the device.
#[derive(TaskResult)]
pub(crate) struct Layout {
    pub(crate) bitstream: FilePath,
    pub(crate) max_frequency_mhz: f64,
}

/// The block of the core with a program.
pub(crate) fn block(project: &mut Blueprint, program: &str, image: Target<Image>) -> Core {
    let block = project.block(&format!("core_{program}"), CODE).doc("The core, with a program in its memory.");
    let block = block.param("device", "hx1k").param("package", "tq144").param("clock_period_ns", 20).done();
    let rom = image.attribute(Image::ROM);
    Core {
        name: program.to_owned(),
        simulation: (project.task(block, "simulate"))
            .doc("Compare what the core puts out with what the model says.")
            .requires(image)
            .run(simulate),
        netlist: project.task(block, "synthesize").doc("Synthesise for iCE40.").requires(rom).run(synthesize),
        layout: project.task(block, "implement").doc("Make a bitstream.").requires(rom).cores(2).run(implement),
    }
}

fn simulate(cx: &mut TaskCx<'_, '_>, image: Image) -> Result<Simulation, Failure> {
    let sources = cx.glob("rtl/*.v")?;
    let bench = cx.input("tb/core_tb.v")?;
    let program = Call::new(["iverilog", "-g2012", "-s", "core_tb", "-o", "core.vvp"]).args([bench, image.rom]);
    cx.run(&program.args(sources).outputs(&["core.vvp"]))?;
    let count = format!("+count={}", image.outputs.len());
    let ran = cx.run(&Call::new(["vvp", "-n", "core.vvp", &count]).outputs(&["core.vcd"]))?;
    let found: Vec<&str> = ran.log().lines().filter_map(|line| line.strip_prefix("out ")).collect();
    for (index, expected) in image.outputs.iter().enumerate() {
        let expected = format!("{expected:02x}");
        match found.get(index) {
            Some(value) if *value == expected => {}
            value => {
                let value = value.copied().unwrap_or("nothing");
                let message = format!("value {index}: the core puts out {value}, and the model says {expected}");
                return Err(Failure::new(Class::Check, message));
            }
        }
    }
    Ok(Simulation { values: found.len(), waves: cx.cwd().join("core.vcd") })
}

fn synthesize(cx: &mut TaskCx<'_, '_>, rom: FilePath) -> Result<Netlist, Failure> {
    let sources = cx.glob("rtl/*.v")?;
    let script = "synth_ice40 -top core -json core.json; tee -q -o cells.txt stat";
    cx.run(&Call::new(["yosys", "-q", "-p", script]).args(sources).args([rom]).outputs(&["core.json", "cells.txt"]))?;
    let report = cx.read(&cx.cwd().join("cells.txt"))?;
    let cells = cells(&String::from_utf8_lossy(&report));
    let cells =
        cells.ok_or_else(|| Failure::new(Class::Tool, "the report of Yosys does not say how many cells there are"))?;
    cx.metric("design__instance__count", cells);
    Ok(Netlist { cells, json: cx.cwd().join("core.json") })
}

/// The number in `Number of cells: 74` or, as newer versions have it, `74 cells`.
fn cells(report: &str) -> Option<i64> {
    let number = |line: &str| {
        let line = line.trim();
        let number = line.strip_prefix("Number of cells:").or_else(|| line.strip_suffix("cells"))?;
        number.trim().parse().ok()
    };
    report.lines().filter_map(number).next_back()
}

fn implement(cx: &mut TaskCx<'_, '_>, rom: FilePath) -> Result<Layout, Failure> {
    let mut sources: Vec<Data> = cx.glob("rtl/*.v")?.into_iter().map(Data::Path).collect();
    sources.push(rom.into());
    let [device, package] = [cx.value::<String>("device")?, cx.value::<String>("package")?];
    let call = FlowCall::new(FlowThing::Flow("Ice40".to_owned()))
        .set("DESIGN_NAME", "core")
        .set("VERILOG_FILES", sources)
        .set("CLOCK_PORT", "clk")
        .set("CLOCK_PERIOD", cx.value::<i64>("clock_period_ns")?)
        .set("ICE40_DEVICE", device)
        .set("ICE40_PACKAGE", package)
        .set("PCF_FILE", cx.input("rtl/core.pcf")?);
    let result = cx.flow(&call)?;
    let missing = |what: &str| Failure::new(Class::Tool, format!("the flow gives no {what}"));
    let Some(View::File(bitstream)) = result.views.get("bitstream") else { return Err(missing("bitstream")) };
    let Some(Metric::Float(max_frequency_mhz)) = result.metrics.get(FMAX) else {
        return Err(missing("clock frequency"));
    };
    Ok(Layout { bitstream: bitstream.clone(), max_frequency_mhz: *max_frequency_mhz })
}
