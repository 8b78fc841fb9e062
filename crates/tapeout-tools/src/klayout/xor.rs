//! `KLayout.XOR`: have two programs streamed out the same layout?

use tapeout_config::Config;
use tapeout_flow::{Completed, Failure, Input, Script, Session, Step, StepCx, StepInfo, StepResult, design_name};
use tapeout_formats::{alerts, lyrdb};
use tapeout_model::Alert;

use super::{Setting, session, settings};
use crate::classic::variable;
use crate::layouts::violations_alert;

pub(super) struct Xor;

const REPORT: &str = "xor.lyrdb";
const COUNT_FILE: &str = "xor.txt";
const COUNT: &str = "design__xor_difference__count";

impl Step for Xor {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "KLayout.XOR",
            "Compare layouts",
            "Compares the layouts of Magic and KLayout, layer by layer and shape by shape. The differences are in `xor.lyrdb` \
             for KLayout; `Checker.XOR` judges their number. Labels are not compared.",
            env!("IMPLEMENTATION"),
        )
        .about("mag_gds")
        .needs("klayout_gds")
        .measures(&[COUNT])
        .variables([design_name()])
        .variables(["KLAYOUT_XOR_THREADS", "KLAYOUT_XOR_IGNORE_LAYERS", "KLAYOUT_XOR_TILE_SIZE"].map(variable))
        .tools(&["klayout"])
        .sections(&[
            ("settings", "Sets variables."),
            ("compare", "Compares the layouts layer by layer."),
        ])
    }

    fn check(&self, config: &Config) -> Result<(), (&'static str, String)> {
        if let Some(size) = config.opt_int("KLAYOUT_XOR_TILE_SIZE").filter(|size| *size <= 0) {
            return Err(("KLAYOUT_XOR_TILE_SIZE", format!("expected µm above 0, found {size}")));
        }
        let is_layer = |layer: &&str| {
            layer
                .split_once('/')
                .is_some_and(|(layer, datatype)| [layer, datatype].iter().all(|number| number.parse::<u16>().is_ok()))
        };
        match config.strings("KLAYOUT_XOR_IGNORE_LAYERS").into_iter().find(|layer| !is_layer(layer)) {
            Some(layer) => {
                Err(("KLAYOUT_XOR_IGNORE_LAYERS", format!("expected layers such as `81/0`, found `{layer}`")))
            }
            None => Ok(()),
        }
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let (one, other) = (cx.view_file("mag_gds")?, cx.view_file("klayout_gds")?);
        let config = cx.config;
        let ignored: Vec<String> = config.strings("KLAYOUT_XOR_IGNORE_LAYERS").into_iter().map(str::to_owned).collect();
        let set = settings(&[
            ("design", Setting::Text(config.str("DESIGN_NAME"))),
            ("one", Setting::Text(&one.path)),
            ("other", Setting::Text(&other.path)),
            ("ignored", Setting::List(&ignored)),
            ("tile", config.opt_int("KLAYOUT_XOR_TILE_SIZE").map_or(Setting::Nothing, Setting::Number)),
            ("threads", Setting::Number(config.opt_int("KLAYOUT_XOR_THREADS").unwrap_or(1))),
            ("report", Setting::Text(REPORT)),
            ("count", Setting::Text(COUNT_FILE)),
        ]);
        let script = Script::new(format!("{}.rb", cx.slug()), "#")
            .section("settings", set)
            .section("compare", include_str!("xor.rb"));
        let mut session = session(script);
        session.invocation.inputs = vec![Input::Output(one), Input::Output(other)];
        session.invocation.outputs = vec![REPORT.to_owned(), COUNT_FILE.to_owned()];
        Ok(vec![session])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let report = lyrdb::parse(&cx.text(&sessions[0], REPORT)?).map_err(|error| cx.unreadable(REPORT, error))?;
        let count = cx.text(&sessions[0], COUNT_FILE)?;
        if count.trim().parse() != Ok(report.total()) {
            let reason = format!("it has {} differences, and KLayout counted {}", report.total(), count.trim());
            return Err(cx.unreadable(REPORT, reason));
        }
        let layers = report.counts.iter().map(|(layer, count)| (layer.clone(), *count)).collect();
        Ok(StepResult::default()
            .metric(COUNT, i64::try_from(report.total()).unwrap_or(i64::MAX))
            .alerts(violations_alert("klayout.xor", "the layouts differ on the layers", layers))
            .alerts(self.alerts(sessions[0].log())))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::klayout(log)
    }
}
