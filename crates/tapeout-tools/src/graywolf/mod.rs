//! graywolf: placement of cells in rows.

mod design;
mod spread;

use tapeout_config::{Config, Variable};
use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Registry, Session, Step, StepCx, StepInfo, StepResult,
    Tool, Type,
};
use tapeout_formats::def::{self, Def};
use tapeout_formats::graywolf::{cel, par, pl1};
use tapeout_formats::{alerts, netlist::Netlist};
use tapeout_model::{Alert, Class, Severity, Value};

use crate::{design_files, time_limit};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(Place).add_tool(Tool {
        name: "graywolf",
        summary: "Placement",
        package: "graywolf",
        // The version that it prints is one of 1992, and it exits with an error then.
        version_args: &[],
        minimum: None,
        companions: &["../lib/graywolf"],
    });
}

/// How many cells graywolf is good for. It takes more, ever more slowly and with worse results: see the step's text.
const PRACTICAL_CELLS: usize = 2_000;

struct Place;

impl Step for Place {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Graywolf.Place",
            "Placement",
            "Places the cells in the rows of the floorplan by simulated annealing, with the pins where they are. Cells \
             come to stand in the order that it found for each row, spread over the core, and not yet on sites: \
             `Layout.Legalise` puts them there. It is made for up to about 2,000 cells: 800 take 3 s, 1,500 take 11 s, \
             6,000 a minute, and 13,700 a quarter of an hour.",
            env!("IMPLEMENTATION"),
        )
        .needs("json")
        .needs("def")
        .makes(&["def"])
        .variables(design_files::netlist_variables())
        .variables(design_files::lef_variables())
        .variables([
            Variable::new(
                "GRAYWOLF_SEED",
                Type::Int,
                "The seed of placement. Another one gives another, as good layout.",
            )
            .default(1_i64)
            .check(|value| match value {
                Value::Int(seed) if u32::try_from(*seed).is_err() || *seed == 0 => {
                    Err("must be from 1 to 4294967295".to_owned())
                }
                _ => Ok(()),
            }),
            Variable::new(
                "GRAYWOLF_PARAMETERS",
                Type::list(Type::Str),
                "Further lines for graywolf's parameters, such as `TWSC*slow : on`.",
            )
            .default(Vec::<String>::new()),
            time_limit::variable("PLACEMENT_TIME_LIMIT", "How long graywolf may run.").default(1800_i64),
        ])
        .tools(&["graywolf"])
        .action(Action::PlaceAndRoute)
        .sections(&[("place", "Calls graywolf.")])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let inputs = Inputs::read(cx)?;
        let design = inputs.design()?;
        if design.cells.len() < FEWEST_CELLS {
            return Ok(Vec::new());
        }
        let name = "design";
        let text = |name: String, text: String| Input::Text { name, text };
        let invocation = Invocation {
            commands: vec![Command::new("graywolf").args(["-n", name])],
            inputs: vec![
                text(format!("{name}.cel"), cel::write(&design)),
                text(format!("{name}.par"), par::write(&inputs.parameters(cx.config))),
            ],
            outputs: vec![PLACED.to_owned()],
            timeout: time_limit::of(cx.config, "PLACEMENT_TIME_LIMIT"),
            ..Invocation::default()
        };
        Ok(vec![Session::from(invocation).call("place", 0)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let mut inputs = Inputs::read(cx)?;
        let mut result = StepResult::default();
        let mut placement = pl1::Placement::default();
        if let Some(session) = sessions.first() {
            let text = cx.text(session, PLACED)?;
            placement = pl1::parse(&text).map_err(|error| cx.unreadable(PLACED, error))?;
            result = result.alerts(self.alerts(session.log()));
        }
        let count = inputs.cells();
        spread::place(&mut inputs.def, &inputs.lef, &inputs.rows, count, &placement)
            .map_err(|reason| cx.unreadable(PLACED, reason))?;
        spread::pins(&mut inputs.def, &inputs.rows, &placement);
        if count > PRACTICAL_CELLS {
            let message = format!(
                "{count} cells are more than the {PRACTICAL_CELLS} or so that graywolf is made for: expect long wires and \
                 nets that cannot be routed"
            );
            let code = "graywolf.beyond-practical-size".to_owned();
            result = result.alerts([Alert { severity: Severity::Warning, code, message, count: 1 }]);
        }
        let path = format!("{}.def", cx.config.str("DESIGN_NAME"));
        let written = cx.write(&path, def::write(&inputs.def).as_bytes())?;
        result.written.push(written);
        Ok(result.view("def", path))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::graywolf(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        let cells = cells_in_log(log);
        if log.contains("twflow terminated") && !log.contains("corrupted") {
            return None;
        }
        let size = match cells {
            Some(cells) if cells > PRACTICAL_CELLS => format!(
                "graywolf is made for about {PRACTICAL_CELLS} cells, and the design has some {cells}: place it in parts, as \
                 hard macros, or "
            ),
            _ => String::new(),
        };
        Some(format!("{size}raise `PLACEMENT_TIME_LIMIT` if it was still at work, or try another `GRAYWOLF_SEED`"))
    }
}

const PLACED: &str = "design.pl1";

/// With fewer graywolf breaks down or never ends, and they need no placer.
const FEWEST_CELLS: usize = 4;

/// How many cells graywolf has read, by its log.
fn cells_in_log(log: &str) -> Option<usize> {
    let counts =
        log.lines().filter_map(|line| line.trim().strip_prefix("Read")?.split_whitespace().next()?.parse().ok());
    counts.max()
}

/// What is to be placed, and where there is room.
struct Inputs {
    netlist: Netlist,
    lef: tapeout_formats::lef::Lef,
    def: Def,
    rows: Vec<design::Row>,
}

impl Inputs {
    fn read(cx: &mut StepCx<'_, '_>) -> Result<Self, Failure> {
        let netlist = design_files::netlist(cx)?;
        let lef = design_files::library(cx)?;
        let def = design_files::layout(cx)?;
        let rows = design::rows(&def, &lef).map_err(|reason| Failure::new(Class::Input, reason))?;
        Ok(Self { netlist, lef, def, rows })
    }

    /// How many instances are not fixed.
    fn cells(&self) -> usize {
        design::movable(&self.netlist, &self.def).len()
    }

    fn design(&self) -> Result<cel::Design, Failure> {
        design::design(&self.netlist, &self.lef, &self.def, &self.rows)
            .map_err(|reason| Failure::new(Class::Input, reason))
    }

    fn parameters(&self, config: &Config) -> par::Parameters {
        let core = design::core(&self.rows);
        par::Parameters {
            layers: design::layers(&self.lef),
            site_width: self.rows.first().map_or(1, |row| design::hundredths(row.site, self.def.units)),
            rows: u32::try_from(self.rows.len()).unwrap_or(u32::MAX),
            aspect_ratio: core.height() as f64 / core.width().max(1) as f64,
            seed: u32::try_from(config.int("GRAYWOLF_SEED")).unwrap_or(1),
            further: config.strings("GRAYWOLF_PARAMETERS").iter().map(|line| (*line).to_owned()).collect(),
        }
    }
}
