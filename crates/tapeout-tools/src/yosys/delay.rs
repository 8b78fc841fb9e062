//! `Yosys.DelayIce40`: how long a synthesised netlist takes, before placement.

use tapeout_flow::{
    Action, Command, Completed, Failure, Input, Invocation, Script, Session, Step, StepCx, StepInfo, StepResult,
    design_name,
};

/// The longest delay through cells, in ns.
pub(crate) const DELAY: &str = "timing__delay__estimate";

pub(super) struct DelayIce40;

impl Step for DelayIce40 {
    fn info(&self) -> StepInfo {
        StepInfo::new(
            "Yosys.DelayIce40",
            "Estimate delay",
            "Adds up the delays of the cells on the longest path of the netlist, with Yosys' command `sta` and the delays \
             that it knows of iCE40 cells. Wires take no time in it: what it gives is for comparing netlists.",
            env!("IMPLEMENTATION"),
        )
        .needs("json")
        .measures(&[DELAY])
        .variables([design_name(), crate::nextpnr::device_variable()])
        .tools(&["yosys"])
        .action(Action::Timing)
        .sections(&[
            ("read", "Reads the netlist."),
            ("cells", "Reads the cells of the family with their delays."),
            ("sta", "Adds up delays."),
        ])
    }

    fn prepare(&self, cx: &mut StepCx<'_, '_>) -> Result<Vec<Session>, Failure> {
        let netlist = cx.view_file("json")?;
        let top = cx.config.str("DESIGN_NAME");
        let slug = cx.slug();
        let family = crate::nextpnr::Device::of(cx.config).map_or("hx", |device| device.synth_family());
        // Cells have their delays only for the family that they are read for.
        let cells =
            format!("read_verilog -D ICE40_{} -lib -specify -overwrite +/ice40/cells_sim.v", family.to_uppercase());
        let script = Script::new(format!("{slug}.ys"), "#")
            .section("read", format!("read_json {}\nhierarchy -top {top}\nflatten", netlist.path))
            .section("cells", cells)
            .section("sta", format!("tee -q -o {REPORT} sta"));
        let invocation = Invocation {
            commands: vec![Command::new("yosys").arg("-s").arg(format!("{slug}.ys"))],
            inputs: vec![Input::Output(netlist)],
            outputs: vec![REPORT.to_owned()],
            ..Invocation::default()
        };
        Ok(vec![Session::of(script, invocation)])
    }

    fn collect(&self, cx: &mut StepCx<'_, '_>, sessions: &[Completed]) -> Result<StepResult, Failure> {
        let report = cx.text(&sessions[0], REPORT)?;
        Ok(match picoseconds(&report) {
            Some(ps) => StepResult::default().metric(DELAY, ps / 1e3),
            // A netlist of wires has no path.
            None if report.contains("No timing paths found") => StepResult::default().metric(DELAY, 0.0),
            None => return Err(cx.unreadable(REPORT, "it does not tell the latest arrival time")),
        })
    }
}

const REPORT: &str = "sta.rpt";

/// The latest arrival time in a report of `sta`, which counts in ps.
fn picoseconds(report: &str) -> Option<f64> {
    let (_, behind) = report.split_once("Latest arrival time in '")?;
    let (_, time) = behind.split_once("' is ")?;
    time.split(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_found_behind_any_name() {
        let report = "10. Executing STA pass.\nLatest arrival time in 'a is b' is 4354:\n   path\n";
        assert_eq!(picoseconds(&report.replace("a is b", "top")), Some(4354.0));
        assert_eq!(picoseconds("No timing paths found.\n"), None);
    }
}
