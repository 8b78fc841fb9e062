//! `My.Ports`: which ports a netlist has. The script tells it by itself, in the lines that it prints.

use tapeout::flow::{
    Command, Completed, Failure, Input, Invocation, Script, Session, Step, StepCx, StepInfo, StepResult,
};

pub struct Ports;

const SCRIPT: &str = "ports.tcl";

impl Step for Ports {
    fn info(&self) -> StepInfo {
        StepInfo::new("My.Ports", "Ports", "Lists the ports of the netlist.", include_str!("ports.rs"))
            .needs("json")
            .measures(&["my__port__count"])
            .tools(&["yosys"])
            .sections(&[("read", "Reads the netlist."), ("tell", "Tells of its ports.")])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let netlist = cx.view_file("json")?;
        let script = Script::new(SCRIPT, "#")
            .section("read", format!("yosys -import\nread_json {}", netlist.path))
            .section("tell", include_str!("ports.tcl"));
        let invocation = Invocation {
            commands: vec![Command::new("yosys").args(["-c", SCRIPT])],
            inputs: vec![Input::Output(netlist)],
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        cx.told(&sessions[0])
    }
}
