//! nextpnr: placement and routing for iCE40.

mod device;
mod targets;

use tapeout_config::Config;
use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Registry, Script, Session, Step, StepCx, StepInfo,
    StepResult, Tool, Type, Variable, design_name,
};
use tapeout_formats::{alerts, asc, nextpnr, pcf};
use tapeout_model::{Alert, Class, Severity};

use crate::verilog::inputs_of_words;
pub(crate) use device::{Device, device_variable, package_variable};
pub(crate) use targets::{Target, clock_variables, positive, targets};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(Ice40).add_tool(Tool {
        name: "nextpnr-ice40",
        summary: "Placement and routing for iCE40",
        package: "nextpnr-ice40",
        version_args: &["--version"],
        minimum: Some("0.4"),
        companions: &["../share/nextpnr/ice40", "../libexec/nextpnr-ice40"],
    });
}

/// The constraints file of the user, for each step that reads it.
pub(crate) fn pcf_variable() -> Variable {
    Variable::new(
        "PCF_FILE",
        Type::Path,
        "Physical constraints: which port is on which pin. Without it nextpnr chooses the pins, which is good for trying \
         a design and not for a board.",
    )
    .optional()
}

struct Ice40;

impl Step for Ice40 {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Nextpnr.Ice40",
            "Place and route",
            "Places and routes the netlist. Missed timing still gives the layout; `Checker.SetupViolations` judges it.",
            env!("IMPLEMENTATION"),
        )
        .needs("json")
        .makes(&["asc", "timing_report"])
        .variables([
            design_name(),
            device_variable(),
            package_variable(),
            pcf_variable(),
            Variable::new("PNR_SEED", Type::Int, "The seed of placement. Another one gives another, as good layout.")
                .default(1_i64),
            Variable::new(
                "PCF_ALLOW_UNCONSTRAINED",
                Type::Bool,
                "Whether ports that `PCF_FILE` does not name may go to any pin.",
            )
            .default(false),
            Variable::new("NEXTPNR_EXTRA_ARGS", Type::list(Type::Str), "Further arguments for nextpnr.")
                .default(Vec::<String>::new()),
        ])
        .variables(clock_variables())
        .tools(&["nextpnr-ice40"])
        .action(Action::PlaceAndRoute)
        .sections(&SCRIPTS.map(|(section, _, doc)| (section, doc)))
        .sections(&[("implement", "Calls nextpnr.")])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        device::check(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let netlist = cx.view_file("json")?;
        let constraints = constraints(cx)?;
        let config = cx.config;
        let top = config.str("DESIGN_NAME");
        let (device, package) = (config.str("ICE40_DEVICE"), config.str("ICE40_PACKAGE"));
        let mut command = Command::new("nextpnr-ice40")
            .arg(format!("--{device}"))
            .args(["--package", package, "--json", &netlist.path])
            .args(["--pcf", PCF, "--asc"])
            .arg(format!("{top}.asc"))
            .args(["--report", REPORT, "--timing-allow-fail"])
            .args(["--seed", &config.int("PNR_SEED").to_string()])
            .args(["--freq", &targets::default_frequency(config)]);
        if config.bool("PCF_ALLOW_UNCONSTRAINED") || config.opt_str("PCF_FILE").is_none() {
            command = command.arg("--pcf-allow-unconstrained");
        }
        let invocation = Invocation {
            commands: vec![command.args(config.strings("NEXTPNR_EXTRA_ARGS"))],
            inputs: [
                vec![Input::Output(netlist), Input::Text { name: PCF.to_owned(), text: constraints }],
                inputs_of_words(&config.strings("NEXTPNR_EXTRA_ARGS")),
            ]
            .concat(),
            outputs: vec![format!("{top}.asc"), REPORT.to_owned()],
            ..Invocation::default()
        };
        let mut session = Session::from(invocation).call("implement", 0);
        for (section, option, _) in SCRIPTS {
            let script = Script::new(format!("{}-{section}.py", cx.slug()), "#").section(section, "");
            session.scripts.push(script.given_by(option));
        }
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let session = &sessions[0];
        let layout = format!("{}.asc", cx.config.str("DESIGN_NAME"));
        asc::parse(&cx.text(session, &layout)?).map_err(|error| cx.unreadable(&layout, error))?;
        let report = nextpnr::parse(&cx.text(session, REPORT)?).map_err(|error| cx.unreadable(REPORT, error))?;
        let mut result =
            StepResult::default().view("asc", layout).view("timing_report", REPORT).alerts(self.alerts(session.log()));
        result.alerts.extend(overruled(cx)?);
        for (net, fmax) in &report.fmax {
            let clock = nextpnr::clock_source(net);
            result = result.metric(&format!("timing__fmax__clock:{clock}"), fmax.achieved);
        }
        for (bel, used) in report.utilization.iter().filter(|(_, used)| used.used > 0) {
            result = result
                .metric(&format!("design__instance__utilization__bel:{bel}"), used.used as f64 / used.available as f64)
                .metric(&format!("design__instance__count__bel:{bel}"), used.used as i64);
        }
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        // Missed timing is what `Checker.SetupViolations` says, once and against the targets of the configuration.
        alerts::nextpnr(log).into_iter().filter(|alert| alert.code != "nextpnr.timing-missed").collect()
    }

    fn advice(&self, log: &str) -> Option<String> {
        device::advice(log)
    }
}

/// Scripts in Python that nextpnr runs between its parts, where hooks put something into them: the section, nextpnr's
/// option, and what it is for.
const SCRIPTS: [(&str, &str, &str); 4] = [
    ("pack", "--pre-pack", "Runs before packing, with the netlist as it was read."),
    ("place", "--pre-place", "Runs before placement, with the packed design."),
    ("route", "--pre-route", "Runs before routing, with the placed design."),
    ("finish", "--post-route", "Runs behind routing, with the routed design."),
];

const PCF: &str = "constraints.pcf";
const REPORT: &str = "timing_report.json";

/// The user's constraints, with the target of each clock behind them: of two targets for one net the last one counts.
fn constraints(cx: &mut StepCx<'_, '_>) -> Result<String, Failure> {
    let mut text = match cx.config.opt_str("PCF_FILE") {
        Some(path) => {
            let bytes = cx.read_source(path)?.unwrap_or_default();
            String::from_utf8(bytes).map_err(|_| Failure::new(Class::Input, format!("`{path}` is not UTF-8 text")))?
        }
        None => String::new(),
    };
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for Target { clock, period_ns } in targets(cx.config) {
        text.push_str(&format!("set_frequency {clock} {}\n", targets::megahertz(period_ns)));
    }
    Ok(text)
}

/// Warnings for each `set_frequency` of the user's constraints that says something else than the configuration.
fn overruled(cx: &mut StepCx<'_, '_>) -> Result<Vec<Alert>, Failure> {
    let Some(path) = cx.config.opt_str("PCF_FILE") else { return Ok(Vec::new()) };
    let text = String::from_utf8_lossy(&cx.read_source(path)?.unwrap_or_default()).into_owned();
    // What nextpnr has read without an error and we cannot is none of this step's business.
    let Ok(constraints) = pcf::parse(&text) else { return Ok(Vec::new()) };
    let mut alerts = Vec::new();
    for pcf::SetFrequency { line, net, mhz } in &constraints.frequencies {
        let Some(target) = targets(cx.config).into_iter().find(|target| target.clock == *net) else { continue };
        let wanted = targets::megahertz(target.period_ns);
        if wanted.parse() != Ok(*mhz) {
            alerts.push(Alert {
                severity: Severity::Warning,
                code: "nextpnr.overruled-frequency".to_owned(),
                message: format!(
                    "{path}:{line}: `set_frequency {net} {mhz}` is overruled: the configuration asks for {wanted} MHz"
                ),
                count: 1,
            });
        }
    }
    Ok(alerts)
}
