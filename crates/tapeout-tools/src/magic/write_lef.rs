//! `Magic.WriteLEF`: an abstract of the design, for designs that have it inside.

use tapeout_config::Config;
use tapeout_flow::{Action, Completed, Failure, Script, Session, Step, StepCx, StepInfo, StepResult};
use tapeout_formats::alerts;
use tapeout_model::Alert;

use super::{
    Abstracts, READ_DEF, Setting, abstracts, advice, begin, checkpoints, judged, library, session, settings, variables,
};
use crate::classic::variable;
use crate::design_files::{check_lefs, gds_variables, lef_variables, technology};

pub(super) struct WriteLef;

const FULL: &str = "full.lef";
const HIDDEN: &str = "abstract.lef";

impl Step for WriteLef {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Magic.WriteLEF",
            "Write the abstract",
            "Magic writes an abstract of the layout, for designs that have this one inside. All but the pins and a way \
             to each is an obstruction on each routing layer that the design uses; with `MAGIC_WRITE_FULL_LEF` all shapes \
             are shown instead.",
            env!("IMPLEMENTATION"),
        )
        .needs("def")
        .makes(&["lef"])
        .variables(variables())
        .variables(lef_variables())
        .variables(gds_variables())
        .variables(["MAGIC_LEF_WRITE_USE_GDS", "MAGIC_WRITE_FULL_LEF", "MAGIC_WRITE_LEF_PINONLY"].map(variable))
        .tools(&["magic"])
        .action(Action::StreamOut)
        .sections(&[
            ("settings", "Sets variables."),
            ("begin", "Sets the grid, and turns checks off."),
            ("read", "Reads abstracts and layout."),
            ("read_gds", "Reads the layouts of the cells, with `MAGIC_LEF_WRITE_USE_GDS`."),
            ("write", "Writes the abstracts."),
        ])
    }

    fn nothing_to_do(&self, config: &Config) -> Option<String> {
        super::has_no_technology(config)
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        check_lefs(config)
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let design = cx.config.str("DESIGN_NAME").to_owned();
        let begin = begin(cx)?;
        let abstracts = Abstracts::gather(cx)?;
        let of_lef = [
            ("design", Setting::Text(&design)),
            ("full", Setting::Text(FULL)),
            ("lef", Setting::Text(HIDDEN)),
            ("pin_only", Setting::Flag(cx.config.bool("MAGIC_WRITE_LEF_PINONLY"))),
        ];
        let script = Script::new(format!("{}.tcl", cx.slug()), "#")
            .checkpoints(checkpoints(&["read_gds"]))
            .section("settings", settings(&of_lef) + &settings(&abstracts.settings()))
            .section("begin", begin.as_str())
            .section("read", READ_DEF);
        let mut inputs = abstracts.inputs;
        let read_gds = if cx.config.bool("MAGIC_LEF_WRITE_USE_GDS") {
            // The outline and the ports come from the DEF, the shapes of the cells from their layouts.
            let (layouts, more) = library(cx)?;
            inputs.extend(more);
            let read = "foreach file $layouts {\n    gds read $file\n}\nload $design\n";
            settings(&[("layouts", Setting::List(&layouts))]) + read
        } else {
            String::new()
        };
        let script = script.section("read_gds", read_gds).section("write", include_str!("write_lef.tcl"));
        let mut session = session(cx, vec![script])?;
        session.invocation.inputs.extend(inputs);
        session.invocation.outputs = vec![FULL.to_owned(), HIDDEN.to_owned()];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let alerts = judged(cx.config, sessions[0].log())?;
        let (full, hidden) = (cx.text(&sessions[0], FULL)?, cx.text(&sessions[0], HIDDEN)?);
        let text = if cx.config.bool("MAGIC_WRITE_FULL_LEF") {
            full
        } else {
            let layers: Vec<String> = technology(cx)?.routing_layers().map(|layer| layer.name.clone()).collect();
            abstracts::with_obstructions(&hidden, &full, &layers)
                .ok_or_else(|| cx.unreadable(HIDDEN, "it is not the abstract of one block"))?
        };
        let path = format!("{}.lef", cx.config.str("DESIGN_NAME"));
        let mut result = StepResult::default().view("lef", path.as_str()).alerts(alerts);
        result.written.push(cx.write(&path, text.as_bytes())?);
        Ok(result)
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::magic(log)
    }

    fn advice(&self, log: &str) -> Option<String> {
        advice(log)
    }
}
