//! `KLayout.Render`: a picture of the layout.

use tapeout_config::Config;
use tapeout_flow::{Completed, Failure, Input, Script, Session, Step, StepCx, StepInfo, StepResult, design_name};
use tapeout_formats::alerts;
use tapeout_model::Alert;

use super::layers::{layer_map, layer_variables};
use super::{Setting, session, settings};
use crate::classic::variable;
use crate::design_files::sources;

pub(super) struct Render;

impl Step for Render {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "KLayout.Render",
            "Draw the layout",
            "KLayout draws a picture of the layout, in the colours of `KLAYOUT_PROPERTIES` if the PDK has such; else with the \
             layers of wires in colours, and what else is in the cells pale below them.",
            env!("IMPLEMENTATION"),
        )
        .about("gds")
        .makes(&["render"])
        .variables([design_name()])
        .variables(layer_variables())
        .variables(
            [
                "KLAYOUT_PROPERTIES",
                "KLAYOUT_RENDER_GRID_VISBLE",
                "KLAYOUT_RENDER_SHOW_RULER",
                "KLAYOUT_RENDER_BACKGROUND_COLOR",
                "KLAYOUT_RENDER_TEXT_VISIBLE",
                "KLAYOUT_RENDER_RESOLUTION",
                "KLAYOUT_RENDER_OVERSAMPLING",
            ]
            .map(variable),
        )
        .tools(&["klayout"])
        .sections(&[
            ("settings", "Sets variables."),
            ("draw", "Draws the layout."),
        ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        let width = config.int("KLAYOUT_RENDER_RESOLUTION");
        if !(16..=16_384).contains(&width) {
            return Err(("KLAYOUT_RENDER_RESOLUTION", format!("expected 16 to 16384 pixels, found {width}")));
        }
        let oversampling = config.int("KLAYOUT_RENDER_OVERSAMPLING");
        if !(0..=3).contains(&oversampling) {
            return Err(("KLAYOUT_RENDER_OVERSAMPLING", format!("expected 0 to 3, found {oversampling}")));
        }
        Ok(())
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let gds = cx.view_file("gds")?;
        let properties: Vec<String> = cx.config.opt_str("KLAYOUT_PROPERTIES").map(str::to_owned).into_iter().collect();
        let (properties, mut inputs) = sources(cx, &properties)?;
        let (map, more) = layer_map(cx)?;
        inputs.extend(more);
        let config = cx.config;
        let flag = |name| Setting::Flag(config.bool(name));
        let picture = picture(config);
        let set = settings(&[
            ("design", Setting::Text(config.str("DESIGN_NAME"))),
            ("gds", Setting::Text(&gds.path)),
            ("png", Setting::Text(&picture)),
            ("properties", properties.first().map_or(Setting::Nothing, |file| Setting::Text(file))),
            ("map", Setting::Text(&map)),
            ("grid", flag("KLAYOUT_RENDER_GRID_VISBLE")),
            ("ruler", flag("KLAYOUT_RENDER_SHOW_RULER")),
            ("text", flag("KLAYOUT_RENDER_TEXT_VISIBLE")),
            ("background", Setting::Text(config.str("KLAYOUT_RENDER_BACKGROUND_COLOR"))),
            ("width", Setting::Number(config.int("KLAYOUT_RENDER_RESOLUTION"))),
            ("oversampling", Setting::Number(config.int("KLAYOUT_RENDER_OVERSAMPLING"))),
        ]);
        inputs.push(Input::Output(gds));
        let script = Script::new(format!("{}.rb", cx.slug()), "#")
            .section("settings", set)
            .section("draw", include_str!("render.rb"));
        let mut session = session(script);
        session.invocation.inputs = inputs;
        session.invocation.outputs = vec![picture];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let picture = picture(cx.config);
        if !cx.bytes(&sessions[0], &picture)?.starts_with(b"\x89PNG\r\n") {
            return Err(cx.unreadable(&picture, "it is no PNG"));
        }
        Ok(StepResult::default().view("render", picture).alerts(self.alerts(sessions[0].log())))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::klayout(log)
    }
}

fn picture(config: &Config) -> String {
    format!("{}.png", config.str("DESIGN_NAME"))
}
