//! `OpenSTA.TimingModel`: a Liberty model of the design for each corner, for designs that have it inside.
//!
//! OpenSTA 2.0.17 writes none. It tells the slack of paths from and to each port, with nothing around the design, and from
//! those follow the delays and constraints.

use std::collections::BTreeMap;

use tapeout_config::Config;
use tapeout_flow::{
    Action, Command, Completed, Failure, Invocation, Script, Session, Step, StepCx, StepInfo, StepResult,
};
use tapeout_formats::liberty::model::{Checks, Delays, Model};
use tapeout_formats::{alerts, liberty, tcl};
use tapeout_model::{Alert, Class, View};

use super::{Reading, clock_ports, corners, judged};
use crate::design_files;
use crate::values::value;
use crate::{classic, pdk};

pub(super) struct TimingModel;

const VARIABLES: [&str; 8] = [
    "LIB",
    "DEFAULT_CORNER",
    "STA_CORNERS",
    "CLOCK_PORT",
    "CLOCK_PERIOD",
    "EXTRA_LIBS",
    "MACROS",
    "STA_MACRO_PRIORITIZE_NL",
];

const OPTIONAL: [&str; 4] =
    ["CLOCK_TRANSITION_CONSTRAINT", "TIME_DERATING_CONSTRAINT", "SYNTH_DRIVING_CELL", "OUTPUT_CAP_LOAD"];

/// The load of outputs where no PDK says one, in fF.
const LOAD: f64 = 30.0;
/// How much greater the second load is, on the line through which delays are taken to lie.
const SECOND_LOAD: f64 = 5.0;

impl Step for TimingModel {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "OpenSTA.TimingModel",
            "Model the timing",
            "Writes a Liberty model of the design in each of `STA_CORNERS`, for designs that have it inside: delays from the \
             clock and from inputs to outputs, setup and hold of inputs, and loads. It is one of an ideal clock of the period \
             `CLOCK_PERIOD`, of the slews that `SYNTH_DRIVING_CELL` makes at the inputs, and of loads around \
             `OUTPUT_CAP_LOAD`; it has no power. The file says so.",
            env!("IMPLEMENTATION"),
        )
        .needs("nl")
        .needs("json")
        .needs("def")
        .takes("spef")
        .makes(&["lib"])
        .variables(design_files::netlist_variables())
        .variables(pdk::choice())
        .variables(VARIABLES.map(classic::variable))
        .variables(OPTIONAL.iter().map(|name| classic::variable(name).optional()))
        .tools(&["sta"])
        .action(Action::StreamOut)
        .sections(&[
            ("setup", "Sets variables."),
            ("liberty", "Sets units, and reads the libraries."),
            ("read", "Says how the design is read."),
            ("measure", "Measures delays and constraints at the ports."),
        ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        design_files::check_libs(config, &config.strings("STA_CORNERS"))
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let wires = cx.view("spef");
        corners(cx.config).iter().map(|corner| session(cx, corner, wires.as_ref())).collect()
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let config = cx.config;
        let netlist = design_files::netlist(cx)?;
        let layout = design_files::layout(cx)?;
        let units = layout.units.max(1) as f64;
        let area = layout.die().map_or(0.0, |die| die.width() as f64 * die.height() as f64 / units / units);
        let top = config.str("DESIGN_NAME").to_owned();
        let with_wires = cx.view("spef").is_some();
        let mut result = StepResult::default();
        let mut models = BTreeMap::new();
        for (corner, session) in corners(config).iter().zip(sessions) {
            let alerts = judged(session.log(), corner, value(config, "MACROS"), None)?;
            result.alerts.extend(alerts);
            let path = measured(corner);
            let mut model = Model {
                cell: top.clone(),
                library: format!("{top}_ideal_clock_fixed_slew_model"),
                remarks: remarks(config, corner, with_wires),
                area,
                ports: netlist.declared.clone(),
                clocks: clock_ports(config).into_iter().map(str::to_owned).collect(),
                loads: loads(config).into(),
                ..Model::default()
            };
            read(&cx.text(session, &path)?, &mut model).map_err(|reason| cx.unreadable(&path, reason))?;
            if let Some(cells) = cells(cx, corner)? {
                model.conditions = [cells.nominal_process, cells.nominal_voltage, cells.nominal_temperature];
                model.measures = cells.measures;
            }
            let path = format!("{corner}/{top}.lib");
            result.written.push(cx.write(&path, model.write().as_bytes())?);
            models.insert(corner.clone(), View::File(path));
        }
        result.alerts.dedup();
        result.views.insert("lib".to_owned(), View::Named(models));
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::opensta(log)
    }
}

fn measured(corner: &str) -> String {
    format!("{corner}/model.txt")
}

/// In pF.
fn loads(config: &Config) -> [f64; 2] {
    let load = config.opt_decimal("OUTPUT_CAP_LOAD").map_or(LOAD, |load| load.to_f64()) / 1e3;
    [load, load * SECOND_LOAD]
}

fn session(
    cx: &mut StepCx<'_, '_>,
    corner: &str,
    wires: Option<&View<tapeout_model::Output>>,
) -> Result<Session, Failure> {
    let reading = Reading::of(cx, corner, wires)?;
    let config = cx.config;
    let number = |name| config.opt_decimal(name).map(|number| number.to_string()).unwrap_or_default();
    let values = [
        ("corner", corner.to_owned()),
        ("clock_ports", clock_ports(config).join(" ")),
        ("period", config.decimal("CLOCK_PERIOD").to_string()),
        ("transition", number("CLOCK_TRANSITION_CONSTRAINT")),
        ("derate", number("TIME_DERATING_CONSTRAINT")),
        ("driver", config.opt_str("SYNTH_DRIVING_CELL").unwrap_or_default().to_owned()),
        ("loads", loads(config).map(|load| load.to_string()).join(" ")),
    ];
    let setup: String = values.iter().map(|(name, value)| format!("set {name} {}\n", tcl::quote(value))).collect();
    let script = Script::new(format!("{}-{corner}.tcl", cx.slug()), "#")
        .section("setup", setup)
        .section("liberty", reading.libraries)
        .section("read", format!("proc load_design {{}} {{\n{}{}}}\n", reading.design, reading.parasitics))
        .section("measure", include_str!("timing_model.tcl"));
    let invocation = Invocation {
        commands: vec![Command::new("sta").args(["-no_init", "-no_splash", "-exit", &script.path])],
        inputs: reading.inputs,
        outputs: vec![measured(corner)],
        ..Invocation::default()
    };
    Ok(Session::of(script, invocation))
}

/// The first library of cells, whose conditions the model has, too.
fn cells(cx: &mut StepCx<'_, '_>, corner: &str) -> Result<Option<liberty::Library>, Failure> {
    let paths = cx.config.get("LIB").map(|libs| crate::views::of_corner(libs, corner)).unwrap_or_default();
    let Some(path) = paths.first().map(|path| (*path).to_owned()) else { return Ok(None) };
    let bytes = cx.read_source(&path)?.unwrap_or_default();
    let library = liberty::parse(&String::from_utf8_lossy(&bytes));
    library.map(Some).map_err(|error| Failure::new(Class::Input, format!("`{path}`: {error}")))
}

fn remarks(config: &Config, corner: &str, with_wires: bool) -> Vec<String> {
    let top = config.str("DESIGN_NAME");
    let [low, high] = loads(config);
    let slews = match config.opt_str("SYNTH_DRIVING_CELL") {
        Some(cell) => format!("those that {cell} makes at each"),
        None => "0".to_owned(),
    };
    let wires = if with_wires { "Wires are as they were extracted." } else { "Wires take no time." };
    vec![
        format!("A timing model of the block {top} in the corner {corner}, for first analyses of a parent."),
        "The clock is ideal: no time passes between the pin of the clock and the registers.".to_owned(),
        format!("Slews at inputs are fixed: {slews}. Loads of outputs are from {low} pF to {high} pF."),
        format!("The period of the clock is {} ns. {wires}", config.decimal("CLOCK_PERIOD")),
        "There is no power. What counts is the analysis with the block's netlist and parasitics.".to_owned(),
    ]
}

/// Takes in what was measured: see the script.
fn read(text: &str, model: &mut Model) -> Result<(), String> {
    let mut is_whole = false;
    for (index, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let wrong = || format!("line {}: `{line}` is no measurement", index + 1);
        let number = |word: &str| {
            let value = word.parse::<f64>().ok().filter(|value| value.is_finite()).ok_or_else(wrong)?;
            // Slacks are differences of single precision: 0.1 ps, or 0.1 fF, is what of them is sure.
            Ok::<f64, String>((value * 1e4).round() / 1e4)
        };
        match *words.as_slice() {
            ["capacitance", port, value] => {
                model.capacitances.insert(port.to_owned(), number(value)?);
            }
            ["check", kind, clock, port, edge, time] => {
                let checks: &mut Checks = model.checks.entry((port.to_owned(), clock.to_owned())).or_default();
                let edges = if kind == "setup" { &mut checks.setup } else { &mut checks.hold };
                *edges.of(edge).ok_or_else(wrong)? = Some(number(time)?);
            }
            ["delay", related, port, edge, which, _, time, slew] => {
                let delays: &mut Delays = model.delays.entry((port.to_owned(), related.to_owned())).or_default();
                let edges = if which == "max" { &mut delays.latest } else { &mut delays.earliest };
                edges.of(edge).ok_or_else(wrong)?.push((number(time)?, number(slew)?));
            }
            ["end"] => is_whole = true,
            _ => return Err(wrong()),
        }
    }
    if is_whole { Ok(()) } else { Err("it ends early".to_owned()) }
}
