//! `Magic.SpiceExtraction`: the netlist that the layout is, for the comparison with the one that it should be.

use tapeout_config::Config;
use tapeout_flow::{Action, Completed, Failure, Input, Script, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::{alerts, gds};
use tapeout_model::{Alert, Class};

use super::{Abstracts, READ_DEF, READ_GDS, Setting, advice, begin, checkpoints, judged, session, settings, variables};
use crate::classic::variable;
use crate::design_files::{check_lefs, gds_files, lef_variables};

pub(super) struct SpiceExtraction;

const FEEDBACK: &str = "feedback.txt";
const OVERLAPS: &str = "magic__illegal_overlap__count";

impl Step for SpiceExtraction {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Magic.SpiceExtraction",
            "Extract the netlist",
            "Magic extracts a netlist from the layout, for comparison: from the DEF, with cells as black boxes, or down to \
             transistors from the GDS with `MAGIC_EXT_USE_GDS`.",
            env!("IMPLEMENTATION"),
        )
        .takes("gds")
        .needs("def")
        .makes(&["spice"])
        .measures(&[OVERLAPS])
        .variables(variables())
        .variables(lef_variables())
        .variables(["MAGIC_EXT_USE_GDS", "MAGIC_EXT_ABSTRACT", "MAGIC_EXT_ABSTRACT_CELLS", "MAGIC_EXT_UNIQUE"].map(variable))
        .tools(&["magic"])
        .action(Action::Lvs)
        .sections(&[
            ("settings", "Sets variables."),
            ("begin", "Sets the grid, and turns checks off."),
            ("read", "Reads the layout."),
            ("extract", "Extracts devices and nets."),
            ("spice", "Writes them as a netlist."),
        ])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        super::has_no_technology(config)
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        if config.bool("MAGIC_EXT_USE_GDS") && gds_files(config).is_empty() {
            let message = "transistors are extracted from the layouts of cells, and `CELL_GDS` names none".to_owned();
            return Err(("MAGIC_EXT_USE_GDS", message));
        }
        check_lefs(config)?;
        if config.bool("MAGIC_EXT_USE_GDS") && config.bool("MAGIC_EXT_ABSTRACT") {
            return Err((
                "MAGIC_EXT_ABSTRACT",
                "cannot go with `MAGIC_EXT_USE_GDS`: set one of them to false".to_owned(),
            ));
        }
        let patterns = config.strings("MAGIC_EXT_ABSTRACT_CELLS");
        match patterns.into_iter().find(|pattern| regex::Regex::new(pattern).is_err()) {
            Some(pattern) => Err(("MAGIC_EXT_ABSTRACT_CELLS", format!("`{pattern}` is not a regular expression"))),
            None => Ok(()),
        }
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let begin = begin(cx)?;
        let spice = format!("{design}.spice");
        let unique: &[String] = &match cx.config.str("MAGIC_EXT_UNIQUE") {
            "all" => vec![],
            other => vec![other.to_owned()],
        };
        let unique =
            if cx.config.str("MAGIC_EXT_UNIQUE") == "none" { Setting::Text("none") } else { Setting::List(unique) };
        let script = Script::new(format!("{}.tcl", cx.slug()), "#").checkpoints(checkpoints(&["read", "extract"]));
        let mut of_extraction = vec![
            ("design", Setting::Text(&design)),
            ("spice", Setting::Text(&spice)),
            ("feedback", Setting::Text(FEEDBACK)),
            ("unique", unique),
        ];
        let (script, inputs) = if cx.config.bool("MAGIC_EXT_USE_GDS") {
            let layout = cx.view_file("gds")?;
            let black_boxes = black_boxes(cx, &design)?;
            let none: &[String] = &[];
            of_extraction.extend([
                ("layouts", Setting::List(std::slice::from_ref(&layout.path))),
                ("flatten", Setting::List(none)),
                ("ports", Setting::Flag(true)),
                ("black_boxes", Setting::List(&black_boxes)),
            ]);
            let script = script.section("settings", settings(&of_extraction));
            (script.section("begin", begin.as_str()).section("read", READ_GDS), vec![Input::Output(layout)])
        } else {
            let abstracts = Abstracts::gather(cx)?;
            of_extraction.push(("black_boxes", Setting::List(&[])));
            let script = script.section("settings", settings(&of_extraction) + &settings(&abstracts.settings()));
            (script.section("begin", begin.as_str()).section("read", READ_DEF), abstracts.inputs)
        };
        let script =
            script.section("extract", include_str!("extract.tcl")).section("spice", include_str!("extract_spice.tcl"));
        let mut session = session(cx, vec![script])?;
        session.invocation.inputs.extend(inputs);
        session.invocation.outputs = vec![spice.clone(), FEEDBACK.to_owned()];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let alerts = judged(cx.config, sessions[0].log())?;
        let design = cx.config.str("DESIGN_NAME");
        let spice = format!("{design}.spice");
        if !has_subcircuit(&cx.text(&sessions[0], &spice)?, design) {
            return Err(cx.unreadable(&spice, format!("it has no subcircuit `{design}`")));
        }
        let overlaps = cx.text(&sessions[0], FEEDBACK)?.lines().filter(|line| line.contains("Illegal overlap")).count();
        Ok(StepResult::default().view("spice", spice).metric(OVERLAPS, overlaps).alerts(alerts))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::magic(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        advice(log)
    }
}

/// The cells of the GDS that are not to be looked into.
fn black_boxes(cx: &mut StepCx<'_, '_>, design: &str) -> Result<Vec<String>, Failure> {
    let patterns: Vec<regex::Regex> =
        cx.config.strings("MAGIC_EXT_ABSTRACT_CELLS").into_iter().filter_map(|p| regex::Regex::new(p).ok()).collect();
    if patterns.is_empty() {
        return Ok(Vec::new());
    }
    let layout = cx.view_file("gds")?;
    let names = gds::structure_names(&cx.output_bytes(&layout)?)
        .map_err(|error| Failure::new(Class::Input, format!("cannot make sense of `{}`: {error}", layout.path)))?;
    let is_meant = |name: &String| name != design && patterns.iter().any(|pattern| pattern.is_match(name));
    Ok(names.into_iter().filter(is_meant).collect())
}

/// Whether a netlist declares the subcircuit. One that was cut off before its top cell does not.
fn has_subcircuit(spice: &str, name: &str) -> bool {
    spice.lines().any(|line| {
        let mut words = line.split_whitespace();
        words.next().is_some_and(|word| word.eq_ignore_ascii_case(".subckt")) && words.next() == Some(name)
    })
}
