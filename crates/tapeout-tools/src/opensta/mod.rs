//! OpenSTA: timing and power of a netlist of cells, corner by corner, before and after layout.
//!
//! It exits with 0 whatever happens: what counts is that its log has no error and that all reports are there.

mod timing_model;

use tapeout_config::{Config, Value};
use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Registry, Script, Session, Step, StepCx, StepInfo,
    StepResult, Tool, design_name,
};
use tapeout_formats::{alerts, opensta, tcl};
use tapeout_model::{Alert, Class, Metric, Metrics, Severity, View, aggregated};

use crate::corners::matches;
use crate::design_files::check_libs;
use crate::values::{entry, texts, value};
use crate::verilog::in_work_dir;
use crate::views::timing_files;
use crate::{classic, pdk};

pub(crate) fn register(registry: &mut Registry) {
    registry
        .add_step(Analysis::BeforeLayout)
        .add_step(Analysis::AfterLayout)
        .add_step(timing_model::TimingModel)
        .add_tool(Tool {
            name: "sta",
            summary: "Static timing analysis",
            package: "opensta",
            version_args: &["-version"],
            minimum: Some("2.0.17"),
            companions: &[],
        });
}

/// The two analyses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Analysis {
    BeforeLayout,
    AfterLayout,
}

/// What the step reads as OpenLane has it.
const VARIABLES: &[&str] = &[
    "LIB",
    "DEFAULT_CORNER",
    "STA_CORNERS",
    "CLOCK_PORT",
    "CLOCK_PERIOD",
    "FALLBACK_SDC",
    "EXTRA_LIBS",
    "MACROS",
    "STA_MACRO_PRIORITIZE_NL",
    "STA_MAX_VIOLATOR_COUNT",
    "MAX_TRANSITION_CONSTRAINT",
    "MAX_CAPACITANCE_CONSTRAINT",
];

/// What constraints leave out where a PDK says nothing of it.
const OPTIONAL: &[&str] = &[
    "CLOCK_UNCERTAINTY_CONSTRAINT",
    "CLOCK_TRANSITION_CONSTRAINT",
    "TIME_DERATING_CONSTRAINT",
    "IO_DELAY_CONSTRAINT",
    "SYNTH_DRIVING_CELL",
    "OUTPUT_CAP_LOAD",
    "MAX_FANOUT_CONSTRAINT",
];

const MEASURED: &[&str] = &[
    "timing__setup_vio__count__corner:",
    "timing__hold_vio__count__corner:",
    "timing__setup__ws__corner:",
    "timing__hold__ws__corner:",
    SLEW,
];
const REGISTERS: &str = "timing__register__count";
const SLEW: &str = "design__max_slew_violation__count__corner:";
const WORST: &[&str] = &["timing__setup__ws", "timing__setup__tns", "timing__hold__ws", "power__total"];

/// How many paths the reports list where nobody says.
const PATHS: i64 = 20;

const SUMMARY: &str = "summary.rpt";
/// In the directory of each corner.
const REPORTS: [&str; 5] = ["max.rpt", "min.rpt", "slew.rpt", CHECKS, "power.rpt"];
const CHECKS: &str = "checks.rpt";

impl Analysis {
    fn sdc_variable(self) -> &'static str {
        match self {
            Self::BeforeLayout => "PNR_SDC_FILE",
            Self::AfterLayout => "SIGNOFF_SDC_FILE",
        }
    }

    /// What every report says beside that the clock is ideal.
    fn label(self) -> &'static str {
        match self {
            Self::BeforeLayout => "Wires take no time.",
            Self::AfterLayout => "Wires are as they were extracted.",
        }
    }

    fn session(
        self,
        cx: &mut StepCx<'_, '_>,
        corner: &str,
        wires: Option<&View<tapeout_model::Output>>,
    ) -> Result<Session, Failure> {
        let Reading { libraries, design, parasitics, mut inputs } = Reading::of(cx, corner, wires)?;
        let config = cx.config;
        let top = config.str("DESIGN_NAME");
        let own = config.opt_str(self.sdc_variable()).or_else(|| config.opt_str("FALLBACK_SDC"));
        let constraints = match own {
            Some(sdc) => {
                inputs.push(Input::Source { path: sdc.to_owned() });
                format!("{}read_sdc {}\n", for_own_sdc(config), tcl::quote(&in_work_dir(sdc)))
            }
            None => format!("{}{}", limits(config), include_str!("constraints.tcl")),
        };
        let setup = format!(
            "set corner {}\nset design {}\nset label {}\nset paths {}\nfile mkdir $corner\n",
            tcl::quote(corner),
            tcl::quote(top),
            tcl::quote(self.label()),
            config.opt_int("STA_MAX_VIOLATOR_COUNT").unwrap_or(PATHS).max(1),
        );
        let script = Script::new(format!("{}-{corner}.tcl", cx.slug()), "#")
            .section("setup", setup)
            .section("liberty", libraries)
            .section("read", design)
            .section("parasitics", parasitics)
            .section("constraints", constraints)
            .section("report", include_str!("report.tcl"))
            .section("write", include_str!("write.tcl"));
        let invocation = Invocation {
            commands: vec![Command::new("sta").args(["-no_init", "-no_splash", "-exit", &script.path])],
            inputs,
            outputs: outputs(corner, top),
            ..Invocation::default()
        };
        Ok(Session::of(script, invocation))
    }
}

/// How a session gets a design in one corner.
struct Reading {
    /// Commands for what all designs share: units and libraries.
    libraries: String,
    /// Commands for the design itself. With those for its wires, they can be given again, for one without constraints.
    design: String,
    /// Commands for the wires of macros, and of the design where they are known.
    parasitics: String,
    inputs: Vec<Input>,
}

impl Reading {
    fn of(cx: &mut StepCx<'_, '_>, corner: &str, wires: Option<&View<tapeout_model::Output>>) -> Result<Self, Failure> {
        let netlist = cx.view_file("nl")?;
        let config = cx.config;
        let value = |name| config.get(name).unwrap_or(&Value::Null);
        let files = timing_files(value("LIB"), value("MACROS"), corner, config.bool("STA_MACRO_PRIORITIZE_NL"));
        let mut inputs = vec![Input::Output(netlist.clone())];
        let mut libraries =
            String::from("set_cmd_units -time ns -capacitance pF -voltage V -current mA -resistance kOhm\n");
        let libs = files.libs.iter().map(String::as_str).chain(config.strings("EXTRA_LIBS"));
        for lib in libs {
            inputs.push(Input::Source { path: lib.to_owned() });
            libraries.push_str(&format!("read_liberty {}\n", tcl::quote(&in_work_dir(lib))));
        }
        // Linking uses netlists up: those of macros are read with the design's own.
        let mut design = String::new();
        for path in &files.netlists {
            inputs.push(Input::Source { path: path.clone() });
            design.push_str(&format!("read_verilog {}\n", tcl::quote(&in_work_dir(path))));
        }
        let top = config.str("DESIGN_NAME");
        design.push_str(&format!("read_verilog {}\nlink_design {}\n", tcl::quote(&netlist.path), tcl::quote(top)));
        let mut parasitics = String::new();
        for (instance, path) in &files.parasitics {
            inputs.push(Input::Source { path: path.clone() });
            parasitics.push_str(&format!(
                "read_spef -path {} {}\n",
                tcl::quote(instance),
                tcl::quote(&in_work_dir(path))
            ));
        }
        if let Some(wires) = wires {
            let spef = spef_of(wires, corner).ok_or_else(|| no_parasitics(corner, wires))?;
            parasitics.push_str(&format!("read_spef {}\n", tcl::quote(&spef.path)));
            inputs.push(Input::Output(spef.clone()));
        }
        Ok(Self { libraries, design, parasitics, inputs })
    }
}

impl Step for Analysis {
    fn info(&self) -> StepInfo {
        let info = match self {
            Self::BeforeLayout => StepInfo::new(
                "OpenSTA.PrePnR",
                "Analyse timing before layout",
                "Analyses timing and power of the netlist in each of `STA_CORNERS`. Wires take no time, and the clock is \
                 ideal. Constraints are those of `PNR_SDC_FILE` or `FALLBACK_SDC`, else they are made from `CLOCK_PORT`, \
                 `CLOCK_PERIOD` and what the PDK says.",
                env!("IMPLEMENTATION"),
            )
            .makes(&["sdc", "sdf"])
            .measures(&[crate::yosys::DELAY]),
            Self::AfterLayout => StepInfo::new(
                "OpenSTA.PostPnR",
                "Analyse timing after layout",
                "Analyses timing and power in each of `STA_CORNERS` with the wires as they were extracted. The clock is \
                 ideal. Constraints are those of `SIGNOFF_SDC_FILE` or `FALLBACK_SDC`, else they are made from \
                 `CLOCK_PORT`, `CLOCK_PERIOD` and what the PDK says.",
                env!("IMPLEMENTATION"),
            )
            .needs("spef")
            .makes(&["sdf", "sdc"]),
        };
        info.needs("nl")
            .measures(WORST)
            .measures_metrics(MEASURED)
            .variables([design_name()])
            .variables(pdk::choice())
            .variables(VARIABLES.iter().map(|name| classic::variable(name)))
            .variables(OPTIONAL.iter().map(|name| classic::variable(name).optional()))
            .variables([classic::variable(self.sdc_variable())])
            .tools(&["sta"])
            .action(Action::Timing)
            .sections(&[
                ("setup", "Sets variables."),
                ("liberty", "Sets units, and reads the libraries."),
                ("read", "Reads the netlists, and links the design."),
                ("parasitics", "Reads the wires of macros and, after layout, those of the design."),
                ("constraints", "Constrains the design."),
                ("report", "Writes the reports, and tells the metrics."),
                ("write", "Writes delays and constraints."),
            ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        check_libs(config, &config.strings("STA_CORNERS"))
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let corners = corners(cx.config);
        if corners.is_empty() {
            let message = "there is no timing corner: `STA_CORNERS` is empty";
            return Err(Failure::new(Class::Input, message).hint("choose a PDK, or set `STA_CORNERS` and `LIB`"));
        }
        let wires = if *self == Self::AfterLayout { cx.view("spef") } else { None };
        corners.iter().map(|corner| self.session(cx, corner, wires.as_ref())).collect()
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let corners = corners(cx.config);
        let top = cx.config.str("DESIGN_NAME");
        let default = cx.config.opt_str("DEFAULT_CORNER").unwrap_or_default();
        let macros = value(cx.config, "MACROS");
        let mut result = StepResult::default();
        let mut delays = std::collections::BTreeMap::new();
        for (corner, session) in corners.iter().zip(sessions) {
            let alerts = judged(session.log(), corner, macros, self.advice(session.log()))?;
            let told = cx.told(session)?;
            result.metrics.extend(told.metrics);
            result.alerts.extend(alerts);
            if let Some((count, example)) = unclocked(&cx.text(session, &format!("{corner}/{CHECKS}"))?) {
                let registers = match count {
                    1 => format!("the register of the pin `{example}` has no clock"),
                    _ => format!("{count} registers have no clock, such as that of the pin `{example}`"),
                };
                let own = cx.config.opt_str(self.sdc_variable()).or_else(|| cx.config.opt_str("FALLBACK_SDC"));
                if own.is_none() && clock_ports(cx.config).is_empty() {
                    let message =
                        format!("`CLOCK_PORT` is not set, and {registers}: nothing could be said of their timing");
                    return Err(Failure::new(Class::Input, message).hint(format!(
                        "set `CLOCK_PORT` to the input that is the clock, or name constraints of your own in `{}`",
                        self.sdc_variable()
                    )));
                }
                let all = result.metrics.get(&format!("{REGISTERS}__corner:{corner}")).and_then(Metric::as_f64);
                if own.is_none() && all.is_some_and(|all| all <= count as f64) {
                    let ports = clock_ports(cx.config).join("`, `");
                    let message = format!("the clock `{ports}` reaches no register: {registers}");
                    return Err(
                        Failure::new(Class::Input, message).hint("name the input that is the clock in `CLOCK_PORT`")
                    );
                }
                let message = format!("{registers}: timing is not checked there");
                let code = "opensta.no-clock".to_owned();
                result.alerts.push(Alert { severity: Severity::Warning, code, message, count: 1 });
            }
            let slews = opensta::violations(&cx.text(session, &format!("{corner}/slew.rpt"))?);
            result = result.metric(&format!("{SLEW}{corner}"), slews as i64);
            let report = format!("{corner}/power.rpt");
            let power = opensta::power(&cx.text(session, &report)?).map_err(|error| cx.unreadable(&report, error))?;
            if *corner == default || corners.len() == 1 {
                // Power of several corners does not add up.
                result = result
                    .metric("power__internal__total", power.internal)
                    .metric("power__switching__total", power.switching)
                    .metric("power__leakage__total", power.leakage)
                    .metric("power__total", power.total);
                result = result.view("sdc", format!("{corner}/{top}.sdc"));
            }
            delays.insert(corner.clone(), View::File(format!("{corner}/{top}.sdf")));
        }
        result.alerts.extend(macro_warnings(cx.config, &corners));
        result.alerts.dedup();
        // With constraints of its own, a design may have another period.
        let has_own = [self.sdc_variable(), "FALLBACK_SDC"].iter().any(|name| cx.config.opt_str(name).is_some());
        if *self == Self::BeforeLayout
            && !has_own
            && let Some(slack) = inner_slack(&result.metrics, default)
        {
            // The shortest period that the longest path from register to register leaves.
            let delay = cx.config.decimal("CLOCK_PERIOD").to_f64() - slack;
            result = result.metric(crate::yosys::DELAY, (delay * 1e6).round() / 1e6);
        }
        result.metrics = aggregated(&result.metrics);
        result.views.insert("sdf".to_owned(), View::Named(delays));
        let summary = cx.write(SUMMARY, summary(self.label(), &corners, &result.metrics).as_bytes())?;
        result.written.push(summary);
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::opensta(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        log.contains("which `CLOCK_PORT` names").then(|| "set `CLOCK_PORT` to the input that is the clock".to_owned())
    }
}

/// What OpenSTA complained about. It goes on after errors, with a result that is none.
fn judged(log: &str, corner: &str, macros: &Value, hint: Option<String>) -> Result<Vec<Alert>, Failure> {
    let alerts = alerts::opensta(log);
    let wrong = |alert: &&Alert| alert.severity == Severity::Error || is_unknown_cell(alert, macros);
    let words: Vec<String> = alerts.iter().filter(wrong).map(|alert| alert.message.clone()).collect();
    if words.is_empty() {
        return Ok(alerts);
    }
    let message = format!("`sta` cannot analyse the netlist in the corner `{corner}`");
    let class = match alerts.iter().any(|alert| alert.code == "opensta.clock-port-not-found") {
        true => Class::Input,
        false => Class::Tool,
    };
    Err(Failure { words, alerts, hint, ..Failure::new(class, message) })
}

/// What is odd about the files of macros in these corners.
fn macro_warnings(config: &Config, corners: &[String]) -> Vec<Alert> {
    let value = |name| config.get(name).unwrap_or(&Value::Null);
    let of = |corner: &String| {
        timing_files(value("LIB"), value("MACROS"), corner, config.bool("STA_MACRO_PRIORITIZE_NL")).warnings
    };
    let alert =
        |message| Alert { severity: Severity::Warning, code: "opensta.macro-files".to_owned(), message, count: 1 };
    corners.iter().flat_map(of).map(alert).collect()
}

/// The least slack from register to register in a corner; that of all paths, where no path is such.
fn inner_slack(metrics: &Metrics, corner: &str) -> Option<f64> {
    let of = |name: &str| metrics.get(&format!("{name}__corner:{corner}"))?.as_f64();
    of("timing__setup_r2r__ws").or_else(|| of("timing__setup__ws")).filter(|slack| slack.is_finite())
}

fn corners(config: &Config) -> Vec<String> {
    config.strings("STA_CORNERS").into_iter().map(str::to_owned).collect()
}

fn outputs(corner: &str, top: &str) -> Vec<String> {
    let views = ["sdf", "sdc"].map(|extension| format!("{corner}/{top}.{extension}"));
    REPORTS.iter().map(|report| format!("{corner}/{report}")).chain(views).collect()
}

/// The parasitics of a corner: those of a pattern that stands for it.
fn spef_of<'v>(view: &'v View<tapeout_model::Output>, corner: &str) -> Option<&'v tapeout_model::Output> {
    match view {
        View::File(file) => Some(file),
        View::Files(_) => None,
        View::Named(views) => {
            let found = views.iter().find(|(pattern, _)| matches(pattern, corner));
            found.and_then(|(_, view)| view.files().into_iter().next())
        }
    }
}

fn no_parasitics(corner: &str, view: &View<tapeout_model::Output>) -> Failure {
    let there: Vec<String> = match view {
        View::Named(views) => views.keys().map(|pattern| format!("`{pattern}`")).collect(),
        _ => Vec::new(),
    };
    let there = if there.is_empty() { "there are several files for one corner".to_owned() } else { there.join(", ") };
    Failure::new(Class::Input, format!("there are no parasitics for the corner `{corner}`, only: {there}"))
        .hint("extract them for it, or leave the corner out of `STA_CORNERS`")
}

/// A cell without timing would make all of it look better than it is. A macro may have none.
fn is_unknown_cell(alert: &Alert, macros: &Value) -> bool {
    let Some((_, behind)) = alert.message.split_once("module ").filter(|_| alert.code == "opensta.black-box") else {
        return false;
    };
    let cell = behind.split_whitespace().next().unwrap_or_default();
    *entry(macros, cell) == Value::Null
}

/// How many pins of registers have no clock by a report of `check_setup`, and the first of them.
fn unclocked(report: &str) -> Option<(u64, &str)> {
    let mut lines = report.lines();
    let found = lines.find_map(|line| {
        let (_, behind) = line.split_once("There are ")?;
        behind.split_once(" unclocked ")?.0.parse().ok()
    });
    // One pin is told of in the singular.
    let count = found.or_else(|| {
        lines = report.lines();
        lines.find(|line| line.contains("There is 1 unclocked ")).map(|_| 1)
    })?;
    Some((count, lines.next().unwrap_or_default().trim()))
}

/// The names of `CLOCK_PORT`.
fn clock_ports(config: &Config) -> Vec<&str> {
    texts(value(config, "CLOCK_PORT"))
}

/// What the constraints are made from, as variables of Tcl; empty where there is nothing.
fn limits(config: &Config) -> String {
    let number = |name| config.opt_decimal(name).map(|number| number.to_string()).unwrap_or_default();
    let values = [
        ("clock_ports", tcl::value(&clock_ports(config).into_iter().map(str::to_owned).collect::<Vec<_>>().into())),
        ("period", number("CLOCK_PERIOD")),
        ("uncertainty", number("CLOCK_UNCERTAINTY_CONSTRAINT")),
        ("transition", number("CLOCK_TRANSITION_CONSTRAINT")),
        ("derate", number("TIME_DERATING_CONSTRAINT")),
        ("io_delay", number("IO_DELAY_CONSTRAINT")),
        ("driver", config.opt_str("SYNTH_DRIVING_CELL").unwrap_or_default().to_owned()),
        ("load", number("OUTPUT_CAP_LOAD")),
        ("max_fanout", config.opt_int("MAX_FANOUT_CONSTRAINT").map(|count| count.to_string()).unwrap_or_default()),
        ("max_transition", number("MAX_TRANSITION_CONSTRAINT")),
        ("max_capacitance", number("MAX_CAPACITANCE_CONSTRAINT")),
    ];
    values.iter().map(|(name, value)| format!("set {name} {}\n", tcl::quote(value))).collect()
}

/// What constraints that are written for OpenLane ask of their environment.
fn for_own_sdc(config: &Config) -> String {
    let number = |name| config.opt_decimal(name).map(|number| number.to_string());
    let values = [
        ("DESIGN_NAME", Some(config.str("DESIGN_NAME").to_owned())),
        ("CLOCK_PORT", Some(clock_ports(config).join(" "))),
        ("CLOCK_PERIOD", number("CLOCK_PERIOD")),
        ("CLOCK_UNCERTAINTY_CONSTRAINT", number("CLOCK_UNCERTAINTY_CONSTRAINT")),
        ("CLOCK_TRANSITION_CONSTRAINT", number("CLOCK_TRANSITION_CONSTRAINT")),
        ("TIME_DERATING_CONSTRAINT", number("TIME_DERATING_CONSTRAINT")),
        ("IO_DELAY_CONSTRAINT", number("IO_DELAY_CONSTRAINT")),
        ("SYNTH_DRIVING_CELL", config.opt_str("SYNTH_DRIVING_CELL").map(str::to_owned)),
        ("OUTPUT_CAP_LOAD", number("OUTPUT_CAP_LOAD")),
        ("MAX_FANOUT_CONSTRAINT", config.opt_int("MAX_FANOUT_CONSTRAINT").map(|count| count.to_string())),
    ];
    let given = values.iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
    given.map(|(name, value)| format!("set ::env({name}) {}\n", tcl::quote(value))).collect()
}

/// A table of all corners, for people.
fn summary(label: &str, corners: &[String], metrics: &Metrics) -> String {
    let value = |name: &str| match metrics.get(name).and_then(|metric| metric.as_f64()) {
        Some(value) if value.is_infinite() => "no path".to_owned(),
        Some(value) if value.fract() == 0.0 => format!("{value:.0}"),
        Some(value) => format!("{value:.3}"),
        None => "–".to_owned(),
    };
    let width = corners.iter().map(String::len).max().unwrap_or_default().max("corner".len());
    let mut text = format!(
        "Timing in ns. The clock is ideal: there is no clock tree. {label}\n\n{:width$}  {:>10} {:>10} {:>6}  {:>10} {:>10} \
         {:>6}  {:>6}\n",
        "corner", "setup", "sum", "paths", "hold", "sum", "paths", "slews"
    );
    for corner in corners {
        let of = |name: &str| value(&format!("{name}__corner:{corner}"));
        text.push_str(&format!(
            "{corner:width$}  {:>10} {:>10} {:>6}  {:>10} {:>10} {:>6}  {:>6}\n",
            of("timing__setup__ws"),
            of("timing__setup__tns"),
            of("timing__setup_vio__count"),
            of("timing__hold__ws"),
            of("timing__hold__tns"),
            of("timing__hold_vio__count"),
            of("design__max_slew_violation__count"),
        ));
    }
    text
}
