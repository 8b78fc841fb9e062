//! `KLayout.StreamOut`: the layouts of the cells into the routed design, as GDS, a second time and by another program.

use std::collections::BTreeSet;

use tapeout_config::Config;
use tapeout_flow::{
    Action, Completed, Failure, Input, Script, Session, Step, StepCx, StepInfo, StepResult, design_name,
};
use tapeout_formats::{alerts, gds};
use tapeout_model::Alert;

use super::layers::{layer_map, layer_variables};
use super::{Setting, session, settings};
use crate::abstract_cells;
use crate::classic::variable;
use crate::design_files::{self, check_lefs, gds_files, gds_variables, lef_files, lef_variables, sources};
use crate::layouts::{ABSTRACT_CELLS, abstract_cells_alert, check_primary, with_gds, without_dates};

pub(super) struct StreamOut;

const RAW: &str = "raw.gds";
const ABSTRACTS: &str = "abstracts.txt";

impl Step for StreamOut {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "KLayout.StreamOut",
            "Write the layout",
            "KLayout puts the layouts of the cells into the routed design and writes it as GDS. `KLAYOUT_DEF_LAYER_MAP` or \
             `GDS_LAYERS` says which layer of the GDS is which of the DEF. Cells that `CELL_GDS` and the macros lack are shown by their \
             abstracts, and counted.",
            env!("IMPLEMENTATION"),
        )
        .needs("def")
        .takes("gds")
        .makes(&["gds", "klayout_gds"])
        .reads_metric(ABSTRACT_CELLS)
        .measures(&[ABSTRACT_CELLS])
        .variables([design_name()])
        .variables(lef_variables())
        .variables(gds_variables())
        .variables(layer_variables())
        .variables([variable("PRIMARY_GDSII_STREAMOUT_TOOL")])
        .tools(&["klayout"])
        .action(Action::StreamOut)
        .sections(&[
            ("settings", "Sets variables."),
            ("write", "Reads the layout, puts in the cells, and writes it."),
        ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        check_lefs(config)?;
        check_primary(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let def = cx.view_file("def")?;
        let (lefs, mut inputs) = sources(cx, &lef_files(cx.config)?)?;
        let (layouts, more) = sources(cx, &gds_files(cx.config))?;
        inputs.extend(more);
        let (map, more) = layer_map(cx)?;
        inputs.extend(more);
        let set = settings(&[
            ("design", Setting::Text(cx.config.str("DESIGN_NAME"))),
            ("def", Setting::Text(&def.path)),
            ("lefs", Setting::List(&lefs)),
            ("map", Setting::Text(&map)),
            ("layouts", Setting::List(&layouts)),
            ("gds", Setting::Text(RAW)),
            ("abstracts", Setting::Text(ABSTRACTS)),
        ]);
        inputs.push(Input::Output(def));
        let script = Script::new(format!("{}.rb", cx.slug()), "#")
            .section("settings", set)
            .section("write", include_str!("stream_out.rb"));
        let mut session = session(script);
        session.invocation.inputs = inputs;
        session.invocation.outputs = vec![RAW.to_owned(), ABSTRACTS.to_owned()];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let session = &sessions[0];
        let bytes = without_dates(cx, RAW, cx.bytes(session, RAW)?)?;
        let written = gds::read(&bytes).map_err(|error| cx.unreadable(RAW, error))?;
        let shown = abstract_cells::shown(&written, cx.config.str("DESIGN_NAME"), &design_files::library(cx)?);
        let missing: BTreeSet<String> = cx.text(session, ABSTRACTS)?.lines().map(str::to_owned).collect();
        let abstracts: Vec<String> = missing.union(&shown).cloned().collect();
        let result = StepResult::default().metric(ABSTRACT_CELLS, abstracts.len()).alerts(self.alerts(session.log()));
        // Once is enough, if another program has found as many.
        let is_known = cx.metric(ABSTRACT_CELLS).and_then(|count| count.as_f64()) == Some(abstracts.len() as f64);
        let result = result.alerts(abstract_cells_alert(&abstracts).filter(|_| !is_known));
        with_gds(cx, result, ("klayout", "klayout_gds"), &bytes)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::klayout(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        let cases = [
            (
                "Macro not found in LEF",
                "a cell of the layout is in none of `CELL_LEFS`, `EXTRA_LEFS` and the LEFs of `MACROS`",
            ),
            ("database unit", "the DEF must have a database unit of 1 nm, or a multiple of it"),
        ];
        cases.iter().find(|(words, _)| log.contains(words)).map(|(_, advice)| (*advice).to_owned())
    }
}
