//! `Icestorm.Pack`: the bitstream as the device loads it.

use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Session, Step, StepCx, StepInfo, StepResult, design_name,
};
use tapeout_formats::alerts;
use tapeout_model::Alert;

use crate::nextpnr::{Device, device_variable};

pub(super) struct Pack;

impl Step for Pack {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Icestorm.Pack",
            "Pack the bitstream",
            "Packs the layout into the binary bitstream that the device loads. One that is too short for the device is refused.",
            env!("IMPLEMENTATION"),
        )
        .needs("asc")
        .makes(&["bitstream"])
        .variables([design_name(), device_variable()])
        .tools(&["icepack"])
        .action(Action::StreamOut)
        .sections(&[
            ("pack", "Calls icepack."),
        ])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let layout = cx.view_file("asc")?;
        let bitstream = format!("{}.bin", cx.config.str("DESIGN_NAME"));
        let invocation = Invocation {
            commands: vec![Command::new("icepack").args([&layout.path, &bitstream])],
            inputs: vec![Input::Output(layout)],
            outputs: vec![bitstream],
            ..Invocation::default()
        };
        Ok(vec![Session::from(invocation).call("pack", 0)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let name = format!("{}.bin", cx.config.str("DESIGN_NAME"));
        let size = sessions[0].output(&name).map_or(0, |output| output.size);
        if let Some(device) = Device::of(cx.config)
            && size < device.bitstream_bytes
        {
            let expected = device.bitstream_bytes;
            return Err(cx.unreadable(&name, format!("it has {size} bytes, those of {} have {expected}", device.name)));
        }
        Ok(StepResult::default()
            .view("bitstream", name)
            .metric("bitstream__size", size as i64)
            .alerts(self.alerts(sessions[0].log())))
    }

    fn alerts(&self, log: &str) -> Vec<Alert> {
        alerts::icepack(log)
    }
}
