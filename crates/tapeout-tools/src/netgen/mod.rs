//! Netgen: the comparison of layout and netlist.
//!
//! Netgen exits with 0 whatever comes out, and calls circuits matching when a port is missing on one side. What counts is
//! its report.

use std::collections::BTreeSet;

use tapeout_config::Config;
use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Registry, Script, Session, Step, StepCx, StepInfo, StepResult, Tool,
    design_name,
};
use tapeout_formats::netgen::{self, Cell, Comparison, Differences};
use tapeout_formats::{alerts, tcl};
use tapeout_model::{Alert, Class, Severity};

use crate::classic::variable;
use crate::design_files::{sources, spice_files, spice_includes, spice_variables};

pub(crate) fn register(registry: &mut Registry) {
    registry.add_step(Lvs).add_tool(Tool {
        name: "netgen-lvs",
        summary: "Compares netlists",
        package: "netgen-lvs",
        version_args: &["-batch", "quit"],
        minimum: Some("1.5.133"),
        companions: &["../tcl", "../lib"],
    });
}

struct Lvs;

const REPORT: &str = "lvs.rpt";
const JSON: &str = "lvs.json";
const ERRORS: &str = "design__lvs_error__count";
const COUNTS: [&str; 7] = [
    ERRORS,
    "design__lvs_device_difference__count",
    "design__lvs_net_difference__count",
    "design__lvs_unmatched_device__count",
    "design__lvs_unmatched_net__count",
    "design__lvs_unmatched_pin__count",
    "design__lvs_property_fail__count",
];

/// How many differences are told in words; the report has all.
const TOLD: usize = 5;

impl Step for Lvs {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Netgen.LVS",
            "Compare with the netlist",
            "Netgen compares the netlist that was extracted from the layout with the one that was placed: `cdl`, or `pnl` \
             where there is none. Cells without devices on one side are black boxes. `Checker.LVS` judges the number of \
             differences; `lvs.rpt` has them all.",
            env!("IMPLEMENTATION"),
        )
        .about("spice")
        .takes("cdl")
        .takes("pnl")
        .measures(&COUNTS)
        .variables([design_name()])
        .variables(spice_variables())
        .variables(
            ["LVS_FLATTEN_CELLS", "LVS_IGNORE_CELLS"].map(variable),
        )
        .variables([variable("NETGEN_SETUP").optional()])
        .tools(&["netgen-lvs"])
        .action(Action::Lvs)
        .sections(&[
            ("read", "Reads layout, cells and netlist."),
            ("cells", "Says which cells are dissolved or ignored."),
            ("compare", "Compares layout and netlist."),
        ])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        let pdk = config.pdk().filter(|_| config.opt_str("NETGEN_SETUP").is_none())?;
        Some(format!("NETGEN_SETUP is not set: the PDK {} is not for Netgen", pdk.name))
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let layout = cx.view_file("spice")?;
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let (netlist, format) = match cx.view("cdl") {
            Some(_) => (cx.view_file("cdl")?, "spice"),
            None if cx.view("pnl").is_some() => (cx.view_file("pnl")?, "verilog"),
            None => {
                let message =
                    "`Netgen.LVS` needs a view `cdl` or `pnl` to compare the layout with, and there is neither";
                return Err(Failure::new(Class::Input, message.to_owned()));
            }
        };
        let setup = cx.config.str("NETGEN_SETUP").to_owned();
        let (setup, mut inputs) = sources(cx, &[setup])?;
        // Two empty circuits with pins in another order do not match, for Netgen: the cells come from the PDK where the
        // netlist does not declare them itself.
        let declared = subcircuits(&cx.output_text(&netlist)?);
        let mut models = Vec::new();
        for file in spice_files(cx.config) {
            let text = cx.read_source(&file)?.unwrap_or_default();
            let cells = subcircuits(&String::from_utf8_lossy(&text));
            if declared.is_disjoint(&cells) {
                models.push(file);
            }
        }
        inputs.extend(spice_includes(cx, &models)?);
        let (models, more) = sources(cx, &models)?;
        inputs.extend(more);

        let mut circuits = format!("set layout [readnet spice {}]\n", tcl::quote(&layout.path));
        let mut files: Vec<(&str, &str)> = models.iter().map(|file| ("spice", file.as_str())).collect();
        files.push((format, &netlist.path));
        for (index, (format, file)) in files.iter().enumerate() {
            let (begin, end) = if index == 0 { ("set schematic [", "]") } else { ("", " $schematic") };
            circuits.push_str(&format!("{begin}readnet {format} {}{end}\n", tcl::quote(file)));
        }
        let edits: String = [("LVS_FLATTEN_CELLS", "flatten class"), ("LVS_IGNORE_CELLS", "ignore class")]
            .iter()
            .flat_map(|(name, command)| cx.config.strings(name).into_iter().map(move |cell| (*command, cell)))
            .flat_map(|(command, cell)| ["layout", "schematic"].map(|side| (command, side, cell)))
            // A cell may be on one side only.
            .map(|(command, side, cell)| format!("catch {{{command} \"${side} {cell}\"}}\n"))
            .collect();
        let compare = format!(
            "lvs \"$layout {design}\" \"$schematic {design}\" {} {REPORT} -json -blackbox\nquit\n",
            tcl::quote(&setup[0])
        );
        let script = Script::new(format!("{}.tcl", cx.slug()), "#")
            .section("read", circuits)
            .section("cells", edits)
            .section("compare", compare);
        inputs.extend([Input::Output(layout), Input::Output(netlist)]);
        let mut session = Session { scripts: vec![script], ..Session::default() };
        session.invocation.commands =
            vec![Command::new("netgen-lvs").args(["-batch", "source", &format!("{}.tcl", cx.slug())])];
        session.invocation.inputs = inputs;
        session.invocation.outputs = vec![REPORT.to_owned(), JSON.to_owned()];
        Ok(vec![session])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        for name in ["LVS_FLATTEN_CELLS", "LVS_IGNORE_CELLS"] {
            let is_odd = |cell: &&str| cell.contains(|c: char| c.is_whitespace() || "\"\\[]{}$".contains(c));
            if let Some(cell) = config.strings(name).into_iter().find(is_odd) {
                return Err((name, format!("`{cell}` is not the name of a cell")));
            }
        }
        Ok(())
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let session = &sessions[0];
        let alerts = self.alerts(session.log());
        let words: Vec<String> = (alerts.iter())
            .filter(|alert| alert.severity == Severity::Error)
            .map(|alert| alert.message.clone())
            .collect();
        if !words.is_empty() {
            // It goes on without what it could not read, and compares black boxes.
            let message = "Netgen could not read all of its input, so that it has not compared the design".to_owned();
            return Err(Failure { words, alerts, ..Failure::new(Class::Tool, message) });
        }
        let comparison = netgen::parse(&cx.text(session, JSON)?).map_err(|error| cx.unreadable(JSON, error))?;
        let matches = netgen::says_match(&cx.text(session, REPORT)?);
        let design = cx.config.str("DESIGN_NAME");
        let is_top = |cell: &Cell| cell.names.0.eq_ignore_ascii_case(design);
        if !comparison.cells.last().is_some_and(is_top) {
            return Err(cx.unreadable(JSON, format!("`{design}` was not compared")));
        }
        Ok(judged(&comparison, matches).alerts(alerts))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::netgen(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        log.contains("No file").then(|| "does every file of `CELL_SPICE_MODELS` exist?".to_owned())
    }
}

/// The names of the subcircuits that a SPICE netlist declares.
fn subcircuits(spice: &str) -> BTreeSet<String> {
    let name = |line: &str| {
        let mut words = line.split_whitespace();
        let declares = words.next().is_some_and(|word| word.eq_ignore_ascii_case(".subckt"));
        words.next().filter(|_| declares).map(str::to_owned)
    };
    spice.lines().filter_map(name).collect()
}

/// The metrics, and the first differences in words.
fn judged(comparison: &Comparison, matches: bool) -> StepResult {
    let mut sum = Differences::default();
    let mut words: Vec<String> = Vec::new();
    for cell in &comparison.cells {
        let of_cell = cell.differences();
        sum.devices += of_cell.devices;
        sum.nets += of_cell.nets;
        sum.unmatched_devices += of_cell.unmatched_devices;
        sum.unmatched_nets += of_cell.unmatched_nets;
        sum.unmatched_pins += of_cell.unmatched_pins;
        sum.properties += of_cell.properties;
        words.extend(told(cell));
    }
    // Netgen can find circuits different and name no difference.
    let total = if matches { sum.total() } else { sum.total().max(1) };
    let counts =
        [total, sum.devices, sum.nets, sum.unmatched_devices, sum.unmatched_nets, sum.unmatched_pins, sum.properties];
    let mut result = StepResult::default();
    for (name, count) in COUNTS.iter().zip(counts) {
        result = result.metric(name, i64::try_from(count).unwrap_or(i64::MAX));
    }
    if total > 0 && words.is_empty() {
        words.push("layout and netlist do not match, and Netgen names no difference".to_owned());
    }
    let left_out = words.len().saturating_sub(TOLD);
    words.truncate(TOLD);
    if left_out > 0 {
        words.push(format!("{left_out} further differences are in `{REPORT}`"));
    }
    let alert = |code: &str, message: String| Alert {
        severity: Severity::Warning,
        code: format!("netgen.{code}"),
        message,
        count: 1,
    };
    let pins = comparison.black_boxes.iter().filter(|(one, other)| one != other).map(|(one, other)| {
        alert(
            "black-box-pins",
            format!("a black box has the pins {} in the layout and {} in the netlist", one.join(" "), other.join(" ")),
        )
    });
    let differences = (total > 0).then(|| alert("difference", words.join("; ")));
    result.alerts(differences.into_iter().chain(pins).collect::<Vec<_>>())
}

/// The differences of a cell in words: how many devices and nets there are, then which have no counterpart.
fn told(cell: &Cell) -> Vec<String> {
    let name = &cell.names.0;
    let mut words = Vec::new();
    let classes: BTreeSet<&String> = cell.devices.0.keys().chain(cell.devices.1.keys()).collect();
    for class in classes {
        let count = |side: &std::collections::BTreeMap<String, u64>| side.get(class).copied().unwrap_or_default();
        let (one, other) = (count(&cell.devices.0), count(&cell.devices.1));
        if one != other {
            words.push(format!("`{name}` has {one} of `{class}` in the layout and {other} in the netlist"));
        }
    }
    if cell.nets.0 != cell.nets.1 {
        let (one, other) = cell.nets;
        let guess = if one > other { "a net is open" } else { "nets are shorted" };
        words.push(format!("`{name}` has {one} nets in the layout and {other} in the netlist: {guess} in the layout"));
    }
    for (one, other) in cell.bad_pins() {
        words.push(match (one, other) {
            (Some(pin), None) => format!("the pin `{pin}` of `{name}` is in the layout and not in the netlist"),
            (None, Some(pin)) => format!("the pin `{pin}` of `{name}` is in the netlist and not in the layout"),
            (Some(one), Some(other)) => {
                format!("the pin `{one}` of `{name}` in the layout is `{other}` in the netlist")
            }
            (None, None) => continue,
        });
    }
    for (sides, what) in [(&cell.bad_nets, "net"), (&cell.bad_devices, "device")] {
        let layout = sides.0.iter().map(|of| format!("the {what} `{of}` of `{name}` in the layout has no counterpart"));
        let mut netlist =
            sides.1.iter().map(|of| format!("the {what} `{of}` of `{name}` in the netlist has no counterpart"));
        // Side by side, as they most likely belong together.
        for word in layout {
            words.push(word);
            words.extend(netlist.next());
        }
        words.extend(netlist);
    }
    words.extend(cell.bad_properties.iter().map(|of| format!("the device `{of}` of `{name}` has other properties")));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell() -> Cell {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        Cell {
            names: ("top".to_owned(), "top".to_owned()),
            nets: (12, 13),
            bad_nets: (names(&["a", "b", "c"]), names(&["x", "y", "z"])),
            ..Cell::default()
        }
    }

    fn messages(result: &StepResult) -> Vec<&str> {
        result.alerts.iter().flat_map(|alert| alert.message.split("; ")).collect()
    }

    #[test]
    fn the_first_differences_are_told() {
        let result = judged(&Comparison { cells: vec![cell()], ..Comparison::default() }, false);
        assert_eq!(
            messages(&result),
            [
                "`top` has 12 nets in the layout and 13 in the netlist: nets are shorted in the layout",
                "the net `a` of `top` in the layout has no counterpart",
                "the net `x` of `top` in the netlist has no counterpart",
                "the net `b` of `top` in the layout has no counterpart",
                "the net `y` of `top` in the netlist has no counterpart",
                "2 further differences are in `lvs.rpt`",
            ]
        );
        assert_eq!(result.metrics[ERRORS].as_f64(), Some(7.0));
    }

    #[test]
    fn what_netgen_does_not_call_matching_is_an_error_without_a_difference_too() {
        let same = Comparison { cells: vec![Cell { nets: (1, 1), ..Cell::default() }], ..Comparison::default() };
        assert_eq!(judged(&same, true).metrics[ERRORS].as_f64(), Some(0.0));
        let result = judged(&same, false);
        assert_eq!(result.metrics[ERRORS].as_f64(), Some(1.0));
        assert_eq!(messages(&result), ["layout and netlist do not match, and Netgen names no difference"]);
    }
}
