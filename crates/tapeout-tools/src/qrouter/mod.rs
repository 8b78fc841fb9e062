//! qrouter: routing, and what it tells of resistances and capacitances.

mod parasitics;
mod trace;
mod wired;

use std::collections::BTreeSet;

use tapeout_config::{Config, Variable};
use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Registry, Script, Session, Step, StepCx, StepInfo,
    StepResult, Tool, Type,
};
use tapeout_formats::{alerts, def, qrouter, tcl};
use tapeout_model::{Alert, Class, Severity};

use crate::design_files::{self, Supplies};
use crate::layout::to_nm;
use crate::names::some;
use crate::{classic, time_limit};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(Route).add_step(parasitics::Parasitics).add_tool(Tool {
        name: "qrouter",
        summary: "Routing",
        package: "qrouter",
        version_args: &["-h"],
        minimum: Some("1.4.71"),
        companions: &["../lib/qrouter"],
    });
}

struct Route;

/// The metric of nets that are not routed.
pub(crate) const FAILED: &str = "route__net__failed__count";

impl Step for Route {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Qrouter.Route",
            "Routing",
            "Routes the nets of the placed design. It fails, and keeps what there is, when nets are left open: those that \
             qrouter gives up, and those that have no wires in what it has written or whose wires do not reach all of \
             their pins, whatever it says. Whether wires connect what they should not is for LVS to say.",
            env!("IMPLEMENTATION"),
        )
        .needs("def")
        .makes(&["def", "rc"])
        .measures(&[FAILED, "route__wirelength", "route__wirelength__max", "route__vias"])
        .variables(design_files::netlist_variables())
        .variables(design_files::lef_variables())
        .variables([
            classic::variable("RT_MAX_LAYER"),
            Variable::new(
                "QROUTER_VIA_STACK",
                Type::choice(["none", "1", "2", "3", "4", "all"]),
                "How many vias may stand on each other. Processes whose layers need more metal around a via than it has \
                 take `none`.",
            )
            .default("all")
            .from_pdk(),
            Variable::new(
                "QROUTER_COMMANDS",
                Type::list(Type::Str),
                "Further commands for qrouter after it has read the LEF files and before it reads the design, in Tcl.",
            )
            .default(Vec::<String>::new())
            .from_pdk(),
            time_limit::variable(
                "ROUTING_TIME_LIMIT",
                "How long qrouter may run. It tries a net that cannot be routed again and again.",
            )
            .default(1800_i64),
        ])
        .tools(&["qrouter"])
        .action(Action::PlaceAndRoute)
        .sections(&[
            ("read_lef", "Reads the LEF files."),
            ("supplies", "Names power and ground."),
            ("options", "Sets layers and vias, and gives the commands of `QROUTER_COMMANDS`."),
            ("read_def", "Reads the placed design."),
            ("route", "Routes, and writes the layout and what it has of resistances and capacitances."),
            ("end", "Leaves qrouter."),
        ])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let placed = cx.view_file("def")?;
        let layers = layers(cx)?;
        reachable(&design_files::layout(cx)?, &layers, cx.config.str("RT_MAX_LAYER"))?;
        let layers = layers.len();
        let paths = design_files::lef_files(cx.config)?;
        let mut read_lef = String::from("verbose 1\n");
        for path in &paths {
            let source = cx.source(path)?;
            read_lef.push_str(&format!("read_lef {}\n", tcl::quote(&source)));
        }
        let config = cx.config;
        let Supplies { power, ground } = Supplies::of(config);
        let [routed, rc] = written(config);
        let script = Script::new(SCRIPT, "#")
            .section("read_lef", read_lef)
            .section("supplies", format!("vdd {}\ngnd {}", tcl::quote(&power), tcl::quote(&ground)))
            .section("options", options(config, layers))
            .section("read_def", format!("read_def {}", tcl::quote(&placed.path)))
            // Its own sequence of passes, which also writes the layout and resistances and capacitances beside it.
            .section("route", format!("qrouter::standard_route {} false", tcl::quote(&routed)))
            .section("end", "quit");
        let invocation = Invocation {
            commands: vec![Command::new("qrouter").args(["-nog", "-s", SCRIPT])],
            inputs: [
                vec![Input::Output(placed)],
                paths.into_iter().map(|path| Input::Source { path }).collect::<Vec<_>>(),
            ]
            .concat(),
            outputs: vec![routed, rc],
            timeout: time_limit::of(config, "ROUTING_TIME_LIMIT"),
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let session = &sessions[0];
        let [def_file, rc_file] = written(cx.config);
        let log = qrouter::log::parse(session.log());
        if !log.is_finished {
            return Err(cx.unreadable(&def_file, "qrouter did not come to the end of its work"));
        }
        let alerts = self.alerts(session.log());
        // It goes on without what it could not use, and then says that all nets are routed.
        let unused: Vec<String> = alerts
            .iter()
            .filter(|alert| alert.severity == Severity::Error)
            .map(|alert| alert.message.clone())
            .collect();
        if !unused.is_empty() {
            let message = "qrouter could not use all of its input, so that its result is not the design".to_owned();
            let hint = unreachable(&alerts).then(|| LAYER_HINT.to_owned());
            let mut failure = Failure::new(Class::Tool, message);
            failure.words = unused;
            failure.hint = hint;
            failure.alerts = alerts;
            return Err(failure);
        }
        let placed = design_files::layout(cx)?;
        let mut routed = def::parse(&cx.text(session, &def_file)?).map_err(|error| cx.unreadable(&def_file, error))?;
        // Beside ends of wires that are off the tracks, it lists nets without any there, and miscounts them.
        routed.special_nets.retain(|net| !net.pins.is_empty() || net.wires().next().is_some());
        qrouter::rc::parse(&cx.text(session, &rc_file)?).map_err(|error| cx.unreadable(&rc_file, error))?;
        let wires = wired::look(&placed, &routed);
        let failed: BTreeSet<&str> =
            log.failed.iter().map(String::as_str).chain(wires.missing.iter().map(String::as_str)).collect();
        let lef = design_files::library(cx)?;
        let open: Vec<String> =
            wired::open(&routed, &lef).into_iter().filter(|net| !failed.contains(net.as_str())).collect();
        let unrouted = failed.len().max(usize::try_from(log.failed_count).unwrap_or(usize::MAX));
        let count = unrouted.saturating_add(open.len());
        let path = format!("{}.routed.def", cx.config.str("DESIGN_NAME"));
        let written = cx.write(&path, def::write(&routed).as_bytes())?;
        let mut result = StepResult::default()
            .view("def", path)
            .view("rc", rc_file)
            .metric(FAILED, count as i64)
            .metric("route__wirelength", to_nm(wires.length))
            .metric("route__wirelength__max", to_nm(wires.longest))
            .metric("route__vias", wires.vias as i64)
            .alerts(alerts);
        result.written.push(written);
        if count == 0 {
            return Ok(result);
        }
        let mut reasons = Vec::new();
        if unrouted > 0 {
            reasons.push(format!("{unrouted} of {} nets are not routed: {}", wires.nets, some(&failed)));
        }
        if !open.is_empty() {
            reasons.push(format!("the wires of nets do not reach all of their pins: {}", some(&open)));
        }
        let reason = reasons.join("; ");
        Ok(result.failed(reason, Some(ROOM_HINT.to_owned())))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::qrouter(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        let log = qrouter::log::parse(log);
        let contended: BTreeSet<&str> = log.contended.iter().map(String::as_str).collect();
        let remaining = log.remaining.filter(|_| !log.is_finished && !contended.is_empty())?;
        let nets = some(&contended);
        Some(format!(
            "{remaining} nets were left, {nets} among those in question; {ROOM_HINT}; or raise `ROUTING_TIME_LIMIT`"
        ))
    }
}

const SCRIPT: &str = "qrouter-route.tcl";

/// What qrouter writes: the layout, and the resistances and capacitances, which it calls alike.
fn written(config: &Config) -> [String; 2] {
    let design = config.str("DESIGN_NAME");
    // The layout that it reads has the plain name, and the one that the step gives is `routed`.
    ["def", "rc"].map(|extension| format!("{design}.qrouter.{extension}"))
}

const ROOM_HINT: &str = "give the nets more room: a lower `FP_CORE_UTIL`, a higher `RT_MAX_LAYER`, pins farther apart, or \
                         another `GRAYWOLF_SEED`";

const LAYER_HINT: &str = "a pin on a layer above `RT_MAX_LAYER`, or off the tracks, cannot be reached: see `IO_PIN_H_LAYER` and \
                          `IO_PIN_V_LAYER`";

fn unreachable(alerts: &[Alert]) -> bool {
    alerts.iter().any(|alert| alert.code == "qrouter.unreachable-pin")
}

fn options(config: &Config, layers: usize) -> String {
    let mut options = format!("layers {layers}\nvia stack {}\n", config.str("QROUTER_VIA_STACK"));
    for command in config.strings("QROUTER_COMMANDS") {
        options.push_str(command);
        options.push('\n');
    }
    options
}

/// The layers for wires up to the highest one that is allowed.
fn layers(cx: &mut StepCx<'_, '_>) -> Result<Vec<String>, Failure> {
    let lef = design_files::library(cx)?;
    let highest = cx.config.str("RT_MAX_LAYER");
    let mut names: Vec<String> = lef.routing_layers().map(|layer| layer.name.clone()).collect();
    match names.iter().position(|name| name == highest) {
        Some(index) => {
            names.truncate(index + 1);
            Ok(names)
        }
        None => Err(Failure::new(
            Class::Input,
            format!("`RT_MAX_LAYER` is `{highest}`, and the LEF files have the layers {}", names.join(", ")),
        )
        .hint("name one of these")),
    }
}

/// Whether no pin of the design lies on a layer that is not for wires. qrouter would leave its net out, and go on.
fn reachable(placed: &def::Def, layers: &[String], highest: &str) -> Result<(), Failure> {
    let mut found = BTreeSet::new();
    let mut names = BTreeSet::new();
    for pin in placed.pins.iter().filter(|pin| !pin.special) {
        let shapes = pin.ports.iter().flat_map(|port| &port.shapes);
        for shape in shapes.filter(|shape| !layers.contains(&shape.layer)) {
            found.insert(shape.layer.as_str());
            names.insert(pin.name.as_str());
        }
    }
    if names.is_empty() {
        return Ok(());
    }
    let found = found.into_iter().collect::<Vec<_>>().join(", ");
    let message = format!(
        "wires may go up to {highest} (`RT_MAX_LAYER`), and {} pins of the design lie on {found}: {}",
        names.len(),
        some(&names)
    );
    Err(Failure::new(Class::Input, message).hint("set `IO_PIN_H_LAYER` and `IO_PIN_V_LAYER` to layers for wires"))
}
