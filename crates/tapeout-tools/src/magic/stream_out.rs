//! `Magic.StreamOut`: the layouts of the cells into the routed design, as GDS.
//!
//! Two Magics run: the first places abstracts of cells by the origins of their LEFs and saves the design, the second puts
//! the cells' layouts into it. In one Magic the layouts would come first and be placed by their own corners, which lie
//! elsewhere.

use std::collections::BTreeSet;

use tapeout_config::Config;
use tapeout_flow::{Action, Completed, Failure, Script, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::gds;
use tapeout_model::Alert;

use super::{Abstracts, READ_DEF, READ_GDS, Setting, advice, begin, judged, library, session, settings, variables};
use crate::abstract_cells;
use crate::classic::variable;
use crate::design_files::{self, check_lefs, gds_files, gds_variables, lef_variables};
use crate::layouts::{ABSTRACT_CELLS, abstract_cells_alert, check_primary, with_gds, without_dates};

pub(super) struct StreamOut;

/// The GDS as Magic writes it, with dates.
const RAW: &str = "raw.gds";

impl Step for StreamOut {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Magic.StreamOut",
            "Write the layout",
            "Magic puts the layouts of the cells into the routed design and writes it as GDS. Cells that `CELL_GDS` and the \
             macros lack are shown by their abstracts, and counted. The dates in the GDS are zeros, so that two runs give the \
             same file.",
            env!("IMPLEMENTATION"),
        )
        .needs("def")
        .takes("gds")
        .makes(&["gds", "mag_gds", "mag"])
        .measures(&[ABSTRACT_CELLS])
        .variables(variables())
        .variables(lef_variables())
        .variables(gds_variables())
        .variables(
            ["PRIMARY_GDSII_STREAMOUT_TOOL", "MAGIC_DISABLE_CIF_INFO", "MAGIC_GDS_MERGE", "MAGIC_GDS_POLYGON_SUBCELLS"]
                .map(variable),
        )
        .tools(&["magic"])
        .action(Action::StreamOut)
        .sections(&[
            ("settings", "Sets variables."),
            ("begin", "Sets the grid, and turns checks off."),
            ("read", "Reads abstracts and layout."),
            ("save", "Saves the cells for the second Magic."),
            ("settings_gds", "Sets the variables of the second Magic."),
            ("begin_gds", "Sets its grid, and turns checks off."),
            ("read_gds", "Reads the layouts of the cells, and the saved design."),
            ("write", "Writes the GDS."),
        ])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        super::has_no_technology(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let begin = begin(cx)?;
        let slug = cx.slug();
        let abstracts = Abstracts::gather(cx)?;
        let (libraries, inputs) = library(cx)?;
        let flag = |name| Setting::Flag(cx.config.bool(name));
        let of_gds = [
            ("design", Setting::Text(&design)),
            ("gds", Setting::Text(RAW)),
            ("plain", flag("MAGIC_DISABLE_CIF_INFO")),
            ("merge", flag("MAGIC_GDS_MERGE")),
            ("subcells", flag("MAGIC_GDS_POLYGON_SUBCELLS")),
        ];
        let with_layouts = !libraries.is_empty();
        let mut first = Script::new(format!("{slug}.tcl"), "#")
            .section("settings", settings(&of_gds) + &settings(&abstracts.settings()))
            .section("begin", begin.as_str())
            .section("read", READ_DEF)
            .section("save", "writeall force\n");
        let mut scripts = Vec::new();
        if with_layouts {
            let none: &[String] = &[];
            let of_library = [
                ("layouts", Setting::List(&libraries)),
                ("flatten", Setting::List(none)),
                ("ports", Setting::Flag(false)),
            ];
            scripts.push(
                Script::new(format!("{slug}-gds.tcl"), "#")
                    .section("settings_gds", settings(&of_gds) + &settings(&of_library))
                    .section("begin_gds", begin)
                    .section("read_gds", READ_GDS)
                    .section("write", include_str!("write_gds.tcl")),
            );
        } else {
            for of_library in ["settings_gds", "begin_gds", "read_gds"] {
                first = first.section(of_library, "");
            }
            first = first.section("write", include_str!("write_gds.tcl"));
        }
        scripts.insert(0, first);
        let mut session = session(cx, scripts)?;
        session.invocation.inputs.extend([abstracts.inputs, inputs].concat());
        session.invocation.outputs = vec![RAW.to_owned(), format!("{design}.mag")];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let session = &sessions[0];
        let alerts = judged(cx.config, session.log())?;
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let bytes = without_dates(cx, RAW, cx.bytes(session, RAW)?)?;
        let written = gds::read(&bytes).map_err(|error| cx.unreadable(RAW, error))?;
        let shown = abstract_cells::shown(&written, &design, &design_files::library(cx)?);
        let structures = written.structures.into_iter().map(|structure| structure.name);
        let known = if gds_files(cx.config).is_empty() { BTreeSet::new() } else { design_files::structures(cx)? };
        let abstracts: Vec<String> =
            structures.filter(|name| *name != design && (!known.contains(name) || shown.contains(name))).collect();

        let magic = format!("{design}.mag");
        let saved = format!("{design}.layout.mag");
        let mut result = StepResult::default()
            .metric(ABSTRACT_CELLS, abstracts.len())
            .alerts(alerts)
            .alerts(abstract_cells_alert(&abstracts))
            .view("mag", saved.as_str());
        result.written.push(cx.write(&saved, without_timestamps(&cx.text(session, &magic)?).as_bytes())?);
        with_gds(cx, result, ("magic", "mag_gds"), &bytes)
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        check_lefs(config)?;
        check_primary(config)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        tapeout_formats::alerts::magic(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        advice(log)
    }
}

/// A layout in Magic's format with the same time everywhere: Magic looks cells over whose time is another one than their
/// users say, and no time at all counts as that.
fn without_timestamps(mag: &str) -> String {
    mag.lines()
        .map(|line| if line.starts_with("timestamp ") { "timestamp 1\n".to_owned() } else { format!("{line}\n") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layout_of_magic_has_the_same_time_each_run() {
        let layout =
            |time| format!("magic\ntech scmos\ntimestamp {time}\nuse FILL  FILL_1\ntimestamp {time}\n<< end >>\n");
        assert_eq!(without_timestamps(&layout(1_795_280_830)), layout(1));
    }
}
