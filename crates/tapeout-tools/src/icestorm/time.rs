//! `Icestorm.Time`: a second opinion on timing.

use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Session, Step, StepCx, StepInfo, StepResult, design_name,
};
use tapeout_formats::{alerts, icetime};
use tapeout_model::Alert;

use crate::nextpnr::{device_variable, package_variable};

pub(super) struct Time;

const REPORT: &str = "icetime.rpt";

/// The metric that [`Time`] measures.
pub(crate) const FMAX: &str = "timing__icetime__fmax";

impl Step for Time {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Icestorm.Time",
            "Timing analysis",
            "Analyses the longest path of the layout with IceStorm's own delays, over all clocks together: one figure, to \
             cross-check that of nextpnr.",
            env!("IMPLEMENTATION"),
        )
        .needs("asc")
        .measures(&[FMAX])
        .variables([design_name(), device_variable(), package_variable()])
        .tools(&["icetime"])
        .action(Action::Timing)
        .sections(&[
            ("analyse", "Calls icetime."),
        ])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let layout = cx.view_file("asc")?;
        let command = Command::new("icetime")
            .args(["-d", cx.config.str("ICE40_DEVICE"), "-P", cx.config.str("ICE40_PACKAGE")])
            .args(["-t", "-r", REPORT, &layout.path]);
        let invocation = Invocation {
            commands: vec![command],
            inputs: vec![Input::Output(layout)],
            outputs: vec![REPORT.to_owned()],
            ..Invocation::default()
        };
        Ok(vec![Session::from(invocation).call("analyse", 0)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let report = icetime::parse(&cx.text(&sessions[0], REPORT)?).map_err(|error| cx.unreadable(REPORT, error))?;
        Ok(StepResult::default().metric(FMAX, report.fmax_mhz).alerts(self.alerts(sessions[0].log())))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::icetime(log)
    }
}
