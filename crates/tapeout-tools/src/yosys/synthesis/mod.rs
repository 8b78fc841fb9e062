//! `Yosys.Synthesis`: from the sources to a flat netlist of the PDK's cells.

mod abc;
mod cells;

use std::collections::BTreeMap;

use glob::Pattern;
use tapeout_config::Config;
use tapeout_flow::{
    Action, Command, Completed, DepFormat, Failure, Input, Invocation, Script, Session, Step, StepCx, StepInfo,
    StepResult,
};
use tapeout_formats::{alerts, netlist, yosys_stat};
use tapeout_model::{Alert, Class};

use super::{checkpoints, needs_quotes, parameters, quoted};
use crate::design_files::{self, Supplies, lib_files};
use crate::values::{entries, entry, texts, value};
use crate::verilog::{self, Sources, in_work_dir};
use crate::views::of_corner;
use crate::{classic, pdk};
use abc::Mapping;
use cells::LibertyFile;

pub(super) struct Synthesis;

const UNMAPPED: &str = "design__instance_unmapped__count";
const PROBLEMS: &str = "synthesis__check_error__count";
const COUNT: &str = "design__instance__count";
/// In the unit of the Liberty file, which is µm² nearly everywhere.
const AREA: &str = "design__instance__area";

/// What the step reads as OpenLane has it; a PDK need not give those marked.
const VARIABLES: &[&str] = &[
    "LIB",
    "DEFAULT_CORNER",
    "SYNTH_CORNER",
    "SYNTH_STRATEGY",
    "SYNTH_ABC_BUFFERING",
    "SYNTH_SIZING",
    "SYNTH_ABC_DFF",
    "SYNTH_ABC_AREA_USE_NF",
    "SYNTH_AUTONAME",
    "SYNTH_HIERARCHY_MODE",
    "SYNTH_SHARE_RESOURCES",
    "SYNTH_DIRECT_WIRE_BUFFERING",
    "SYNTH_TIE_UNDEFINED",
    "SYNTH_CHECKS_ALLOW_TRISTATE",
    "SYNTH_ELABORATE_ONLY",
    "SYNTH_EXTRA_MAPPING_FILE",
    "SYNTH_LATCH_MAP",
    "SYNTH_TRISTATE_MAP",
    "SYNTH_PARAMETERS",
    "CLOCK_PERIOD",
    "EXTRA_EXCLUDED_CELLS",
    "EXTRA_LIBS",
    "EXTRA_VERILOG_MODELS",
    "MACROS",
];

/// What a PDK without such cells leaves out.
const OPTIONAL: &[&str] = &[
    "SYNTH_EXCLUDED_CELL_FILE",
    "PNR_EXCLUDED_CELL_FILE",
    "SYNTH_TIEHI_CELL",
    "SYNTH_TIELO_CELL",
    "SYNTH_BUFFER_CELL",
    "SYNTH_DRIVING_CELL",
    "OUTPUT_CAP_LOAD",
    "MAX_FANOUT_CONSTRAINT",
];

impl Step for Synthesis {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Yosys.Synthesis",
            "Synthesise",
            "Makes a netlist of the library's cells from Verilog: `SYNTH_STRATEGY` says how logic is mapped. The netlist is \
             flat, and has the names that all later files have. Latches go to the smallest plain latch of the library \
             unless `SYNTH_LATCH_MAP` says otherwise. It fails, and names it, when there is logic without a cell.",
            env!("IMPLEMENTATION"),
        )
        .takes("vhdl_nl")
        .makes(&["nl", "json"])
        .measures(&[COUNT, AREA, UNMAPPED, PROBLEMS])
        .measures_metrics(&["design__instance__count__cell:"])
        .variables(verilog::variables())
        .variables([pdk::excluded_cells()])
        .variables(pdk::choice())
        .variables(design_files::netlist_variables())
        .variables(VARIABLES.iter().map(|name| classic::variable(name)))
        .variables(OPTIONAL.iter().map(|name| classic::variable(name).optional()))
        .tools(&["yosys"])
        .action(Action::Synthesis)
        .sections(&[
            ("read", "Reads the library, black boxes and the sources."),
            ("parameters", "Sets the parameters of the top module."),
            ("hierarchy", "Finds the modules below the top module."),
            ("check", "Checks the design as the sources have it, before anything is optimised away."),
            ("tristate", "Finds tri-state drivers."),
            ("synth", "Makes logic and registers, and optimises them."),
            ("tristate_cells", "Maps tri-state drivers to cells."),
            ("latches", "Maps latches to cells."),
            ("flip_flops", "Maps registers to cells."),
            ("abc", "Maps logic to cells."),
            ("undefined", "Ties undefined values."),
            ("ties", "Gives constants cells that drive them."),
            ("buffers", "Puts buffers between ports that are wired to each other."),
            ("clean", "Removes what nothing needs, and names nets."),
            ("write", "Writes statistics and the netlist."),
        ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        verilog::check(config)?;
        for name in ["VERILOG_DEFINES", "VERILOG_INCLUDE_DIRS"] {
            if let Some(word) = config.strings(name).iter().find(|word| needs_quotes(word)) {
                return Err((name, format!("Yosys cannot take `{word}`: white space, `;` and `#` are special to it")));
            }
        }
        for (name, parts) in [("SYNTH_TIEHI_CELL", 2), ("SYNTH_TIELO_CELL", 2), ("SYNTH_BUFFER_CELL", 3)] {
            if let Some(cell) = config.opt_str(name).filter(|cell| cell.split('/').count() != parts) {
                let form = if parts == 2 { "CELL/PIN" } else { "CELL/INPUT/OUTPUT" };
                return Err((name, format!("expected `{form}`, found `{cell}`")));
            }
        }
        if let Some(parameter) = config.strings("SYNTH_PARAMETERS").iter().find(|parameter| !parameter.contains('=')) {
            return Err(("SYNTH_PARAMETERS", format!("expected `NAME=VALUE`, found `{parameter}`")));
        }
        if config.str("SYNTH_HIERARCHY_MODE") == "keep" {
            let message = "the steps of layout take a flat netlist: choose `flatten` or `deferred_flatten`";
            return Err(("SYNTH_HIERARCHY_MODE", message.to_owned()));
        }
        corner(config).map_or(Ok(()), |corner| design_files::check_libs(config, &[corner]))
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let liberty = liberty_file(cx)?;
        let sources = Sources::gather(cx, &[])?;
        let mut inputs = sources.inputs.clone();
        let library = match &liberty.trimmed {
            Some(text) => {
                inputs.push(Input::Text { name: TRIMMED.to_owned(), text: text.clone() });
                TRIMMED.to_owned()
            }
            None => in_work_dir(&liberty.path),
        };
        inputs.push(Input::Source { path: liberty.path.clone() });
        let config = cx.config;
        let latches = match config.opt_str("SYNTH_LATCH_MAP") {
            Some(path) => {
                inputs.push(Input::Source { path: path.to_owned() });
                Some(in_work_dir(path))
            }
            None => made_map(LATCHES, cells::latch_map(&liberty.usable), &mut inputs),
        };
        let tristate = match config.opt_str("SYNTH_TRISTATE_MAP") {
            Some(path) => {
                inputs.push(Input::Source { path: path.to_owned() });
                Some(in_work_dir(path))
            }
            None => made_map(TRISTATE, cells::tristate_map(&liberty.usable), &mut inputs),
        };
        if let Some(path) = config.opt_str("SYNTH_EXTRA_MAPPING_FILE") {
            inputs.push(Input::Source { path: path.to_owned() });
        }
        inputs.push(Input::Text { name: ABC.to_owned(), text: mapping(config).script() });
        inputs.push(Input::Text { name: CONSTRAINTS.to_owned(), text: constraints(config) });
        let mut read =
            format!("read_liberty -lib -ignore_miss_dir -setattr blackbox {}\n", quoted(&in_work_dir(&liberty.path)));
        for (command, path) in black_boxes(config) {
            read.push_str(&format!("{command} {}\n", quoted(&in_work_dir(&path))));
            inputs.push(Input::Source { path });
        }
        let script = script(cx, read, &sources, &quoted(&library), [tristate, latches]);
        let top = config.str("DESIGN_NAME");
        let invocation = Invocation {
            commands: vec![Command::new("yosys").args(["-E", "deps.d", "-s", &script.path])],
            inputs,
            outputs: vec![format!("{top}.json"), STAT.to_owned(), CHECK.to_owned()],
            depfiles: vec![("deps.d".to_owned(), DepFormat::Makefile)],
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let session = &sessions[0];
        let top = cx.config.str("DESIGN_NAME");
        let json = format!("{top}.json");
        let Supplies { power, ground } = Supplies::of(cx.config);
        let netlist = netlist::Netlist::from_yosys(&cx.text(session, &json)?, top, &[&power, &ground]);
        // Of nothing, Yosys writes statistics that are no JSON.
        if netlist.as_ref().is_ok_and(|netlist| netlist.instances.is_empty()) {
            let message = format!("nothing is left of `{top}`: none of its logic reaches an output");
            return Err(Failure::new(Class::Input, message)
                .hint("is `DESIGN_NAME` the name of the top module, and does the module drive its outputs?"));
        }
        let text = cx.text(session, STAT)?;
        let stat = yosys_stat::parse(&text).map_err(|error| cx.unreadable(STAT, error))?;
        let design = stat.design.as_ref().or_else(|| stat.modules.get(top));
        let Some(design) = design else { return Err(cx.unreadable(STAT, format!("it has no module `{top}`"))) };
        let check = cx.text(session, CHECK)?;
        let Some(problems) = problems(&check) else {
            return Err(cx.unreadable(CHECK, "it does not say how many problems there are"));
        };
        let counts: BTreeMap<&str, u64> =
            design.num_cells_by_type.iter().map(|(cell, count)| (cell.as_str(), count.0)).collect();
        let library = liberty_file(cx)?.library;
        let area: f64 = counts.iter().filter_map(|(cell, count)| Some(library.cell(cell)?.area? * *count as f64)).sum();
        let unmapped: Vec<(&str, u64)> =
            counts.iter().filter(|(cell, _)| cell.starts_with('$')).map(|(cell, count)| (*cell, *count)).collect();
        let mut result = StepResult::default()
            .alerts(self.alerts(session.log()))
            .metric(COUNT, design.cells() as i64)
            .metric(AREA, (area * 1e3).round() / 1e3)
            .metric(UNMAPPED, unmapped.iter().map(|(_, count)| *count as i64).sum::<i64>())
            .metric(PROBLEMS, problems);
        for (cell, count) in &counts {
            result = result.metric(&format!("design__instance__count__cell:{cell}"), *count as i64);
        }
        if !unmapped.is_empty() {
            // No other tool could read such a netlist: there is nothing for a checker to let pass.
            let words: Vec<String> = unmapped.iter().map(|(cell, count)| format!("{count} `{cell}`")).collect();
            let reason = format!("the library has no cell for {}", words.join(", "));
            let hint = "write it in another way, or give a map: `SYNTH_LATCH_MAP`, `SYNTH_TRISTATE_MAP`, \
                        `SYNTH_EXTRA_MAPPING_FILE`";
            return Ok(result.view("json", json).failed(reason, Some(hint.to_owned())));
        }
        let netlist = netlist.map_err(|error| Failure::new(Class::Input, error.to_string()))?;
        let verilog = cx.write(&format!("{top}.nl.v"), netlist.to_verilog(None).as_bytes())?;
        result = result.view("json", json).view("nl", verilog.path.clone());
        result.written.push(verilog);
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        // ABC is called with logic alone, and makes no cell with two outputs: both is as it should be.
        let noise = ["The network is combinational", "multi-output gates"];
        alerts::yosys(log)
            .into_iter()
            .filter(|alert| !noise.iter().any(|noise| alert.message.contains(noise)))
            .collect()
    }

    fn advice(&self, log: &str) -> Option<String> {
        if log.contains("is not part of the design") || log.contains("Module `") && log.contains("not found") {
            return Some(verilog::TOP_ADVICE.to_owned());
        }
        if log.contains("Can't open ABC output file") {
            let words = "ABC cannot map the logic: the library needs at least an inverter and a NAND or NOR that may be used, \
                         see `SYNTH_EXCLUDED_CELLS` and `EXTRA_EXCLUDED_CELLS`";
            return Some(words.to_owned());
        }
        log.contains("cannot be legalized").then(|| {
            "the library has no such flip-flop, or it is among the cells that must not be used: see \
             `SYNTH_EXCLUDED_CELLS` and `EXTRA_EXCLUDED_CELLS`; else write the register in another way"
                .to_owned()
        })
    }
}

const TRIMMED: &str = "mapped.lib";
const LATCHES: &str = "latches.v";
const TRISTATE: &str = "tristate.v";
const ABC: &str = "map.abc";
const CONSTRAINTS: &str = "abc.sdc";
const STAT: &str = "stat.json";
const CHECK: &str = "check.rpt";

/// The corner whose Liberty file guides mapping.
fn corner(config: &Config) -> Option<&str> {
    config.opt_str("SYNTH_CORNER").or_else(|| config.opt_str("DEFAULT_CORNER"))
}

/// The Liberty file to map to, without excluded cells.
fn liberty_file(cx: &mut StepCx<'_, '_>) -> Result<LibertyFile, Failure> {
    let config = cx.config;
    let corner = corner(config).unwrap_or_default();
    let paths = lib_files(config, corner);
    let path = match paths.as_slice() {
        [path] => (*path).to_owned(),
        [] => {
            let message = format!("there is no Liberty file for the corner `{corner}`");
            return Err(Failure::new(Class::Input, message).hint("choose a PDK, or set `LIB` and `DEFAULT_CORNER`"));
        }
        several => {
            let message =
                format!("Yosys maps to one Liberty file, and the corner `{corner}` has {}", several.join(", "));
            return Err(Failure::new(Class::Input, message).hint("put files of macros into `MACROS` or `EXTRA_LIBS`"));
        }
    };
    let mut patterns: Vec<String> = config.strings("SYNTH_EXCLUDED_CELLS").into_iter().map(str::to_owned).collect();
    patterns.extend(config.strings("EXTRA_EXCLUDED_CELLS").into_iter().map(str::to_owned));
    for file in ["SYNTH_EXCLUDED_CELL_FILE", "PNR_EXCLUDED_CELL_FILE"].iter().filter_map(|name| config.opt_str(name)) {
        let text = cx.read_source(file)?.unwrap_or_default();
        patterns.extend(cells::patterns_in(&String::from_utf8_lossy(&text)).map(str::to_owned));
    }
    let excluded: Vec<Pattern> = patterns
        .iter()
        .map(|pattern| Pattern::new(pattern).or_else(|_| Pattern::new(&Pattern::escape(pattern))))
        .filter_map(Result::ok)
        .collect();
    let text = cx.read_source(&path)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    LibertyFile::read(path.clone(), &text, &excluded)
        .map_err(|error| Failure::new(Class::Input, format!("`{path}`: {error}")))
}

/// The variables that [`black_boxes`] reads.
pub(super) const BLACK_BOXES: [&str; 4] = ["EXTRA_VERILOG_MODELS", "EXTRA_LIBS", "MACROS", "SYNTH_CORNER"];

/// Files that declare modules which are no cells of the library, with the command that reads them.
pub(super) fn black_boxes(config: &Config) -> Vec<(&'static str, String)> {
    const VERILOG: &str = "read_verilog -sv -lib";
    const LIBERTY: &str = "read_liberty -lib -ignore_miss_dir -setattr blackbox";
    let all = |command, name| config.strings(name).into_iter().map(move |path| (command, path.to_owned()));
    let mut files: Vec<_> = all(VERILOG, "EXTRA_VERILOG_MODELS").chain(all(LIBERTY, "EXTRA_LIBS")).collect();
    for (_, views) in entries(value(config, "MACROS")) {
        let verilog = ["vh", "nl", "pnl"].map(|view| texts(entry(views, view)));
        match verilog.into_iter().find(|paths| !paths.is_empty()) {
            Some(paths) => files.extend(paths.into_iter().map(|path| (VERILOG, path.to_owned()))),
            None => {
                let libs = of_corner(entry(views, "lib"), corner(config).unwrap_or_default());
                files.extend(libs.into_iter().map(|path| (LIBERTY, path.to_owned())));
            }
        }
    }
    files
}

fn mapping(config: &Config) -> Mapping<'_> {
    /// Where neither PDK nor user say how many inputs an output may drive.
    const FAN_OUT: i64 = 16;
    let period_ps = (config.decimal("CLOCK_PERIOD").to_f64() * 1e3).round();
    Mapping {
        strategy: config.str("SYNTH_STRATEGY"),
        target_ps: period_ps as i64,
        fan_out: config.opt_int("MAX_FANOUT_CONSTRAINT").unwrap_or(FAN_OUT),
        buffering: config.bool("SYNTH_ABC_BUFFERING"),
        sizing: config.bool("SYNTH_SIZING"),
        area_by_nf: config.bool("SYNTH_ABC_AREA_USE_NF"),
    }
}

/// A map that was made from the library, as an input.
fn made_map(name: &str, text: Option<String>, inputs: &mut Vec<Input>) -> Option<String> {
    inputs.push(Input::Text { name: name.to_owned(), text: text? });
    Some(name.to_owned())
}

/// What ABC takes to be around the logic.
fn constraints(config: &Config) -> String {
    let driver = config.opt_str("SYNTH_DRIVING_CELL").and_then(|cell| cell.split('/').next());
    let driver = driver.map(|cell| format!("set_driving_cell {cell}\n")).unwrap_or_default();
    let load = config.opt_decimal("OUTPUT_CAP_LOAD").map(|load| format!("set_load {load}\n")).unwrap_or_default();
    driver + &load
}

fn script(
    cx: &StepCx<'_, '_>,
    mut read: String,
    sources: &Sources,
    liberty: &str,
    [tristate, latches]: [Option<String>; 2],
) -> Script {
    let config = cx.config;
    let top = config.str("DESIGN_NAME");
    let options: Vec<String> = sources.defines.iter().chain(&sources.includes).map(|word| quoted(word)).collect();
    let options = options.join(" ");
    for file in &sources.files {
        read.push_str(&format!("read_verilog -sv {options} {}\n", quoted(file)));
    }
    let techmap =
        |path: Option<String>| path.map(|path| format!("techmap -map {}\n", quoted(&path))).unwrap_or_default();
    let file = |name: &str| config.opt_str(name).map(in_work_dir);
    let flatten = if config.str("SYNTH_HIERARCHY_MODE") == "flatten" { " -flatten" } else { "" };
    let share = if config.bool("SYNTH_SHARE_RESOURCES") { "" } else { " -noshare" };
    let allow = if config.bool("SYNTH_CHECKS_ALLOW_TRISTATE") { " -allow-tbuf" } else { "" };
    let mut script = Script::new(format!("{}.ys", cx.slug()), "#")
        .section("read", read)
        .section("parameters", parameters(config))
        .section("hierarchy", format!("hierarchy -check -top {top}"))
        // Optimisation removes what has no driver, and so would hide it.
        .section("check", format!("proc\nflatten\nopt_clean\ntee -o {CHECK} check{allow}"));
    // States keep the code that the sources give them: so the netlist can be compared with them register by register.
    let coarse = format!("synth{flatten}{share} -nofsm -top {top} -run begin:fine\n");
    let fine = format!("synth{flatten}{share} -top {top} -run fine:check\nflatten\nopt_clean\n");
    let synth = coarse + &techmap(file("SYNTH_EXTRA_MAPPING_FILE")) + &fine;
    let dff = if config.bool("SYNTH_ABC_DFF") { " -dff" } else { "" };
    let mapping = [
        ("tristate", "tribuf".to_owned()),
        ("synth", synth),
        ("tristate_cells", techmap(tristate)),
        ("latches", techmap(latches) + "simplemap"),
        ("flip_flops", format!("dfflibmap -liberty {liberty}\nopt")),
        ("abc", format!("abc -liberty {liberty} -script {ABC} -constr {CONSTRAINTS}{dff}")),
    ];
    let is_mapped = !config.bool("SYNTH_ELABORATE_ONLY");
    for (name, text) in mapping {
        script = script.section(name, if is_mapped { text } else { String::new() });
    }
    let undefined = match config.opt_str("SYNTH_TIE_UNDEFINED") {
        Some("high") => "setundef -one",
        Some(_) => "setundef -zero",
        None => "",
    };
    let cell = |name: &str| config.opt_str(name).map(|cell| cell.replace('/', " "));
    let ties = match (cell("SYNTH_TIEHI_CELL"), cell("SYNTH_TIELO_CELL")) {
        (Some(high), Some(low)) => format!("hilomap -hicell {high} -locell {low}"),
        _ => String::new(),
    };
    // Before the netlist is clean, wires within it look like those from port to port.
    let buffers = cell("SYNTH_BUFFER_CELL").filter(|_| config.bool("SYNTH_DIRECT_WIRE_BUFFERING"));
    let buffers = buffers.map(|cell| format!("opt_clean -purge\ninsbuf -buf {cell}")).unwrap_or_default();
    let names = if config.bool("SYNTH_AUTONAME") { "\nautoname" } else { "" };
    script
        .checkpoints(checkpoints(&["synth", "abc"]))
        .writes("check", CHECK)
        .section("undefined", undefined)
        .section("ties", ties)
        .section("buffers", buffers)
        .section("clean", format!("opt_clean -purge{names}"))
        .section("write", format!("tee -q -o {STAT} stat -json\nwrite_json {top}.json"))
}

/// How many problems a report of `check` counts.
fn problems(report: &str) -> Option<i64> {
    let (_, behind) = report.rsplit_once("Found and reported ")?;
    behind.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_those_of_the_last_check() {
        let report = "Checking module x...\nFound and reported 3 problems.\n";
        assert_eq!(problems(report), Some(3));
        assert_eq!(problems("Checking module x...\n"), None);
    }
}
