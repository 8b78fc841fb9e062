//! `SmallestDevice`: a flow that is a loop, and to which a tool that fails is an answer.

use tapeout::flow::{Comparison, CustomFlow, Flow, FlowCx, FlowError, FlowState, Placing};

pub struct SmallestDevice;

/// Devices with a package, the smallest first.
const DEVICES: &[(&str, &str)] = &[("lp384", "qn32"), ("lp1k", "qn84"), ("up5k", "sg48"), ("lp8k", "ct256")];

/// What is used of a device, as a part of it.
const USED: &str = "design__instance__utilization__bel:ICESTORM_LC";

impl CustomFlow for SmallestDevice {
    fn name(&self) -> &str {
        "SmallestDevice"
    }

    fn doc(&self) -> &str {
        "Implements a design for one device after the other, from the smallest on, until it fits."
    }

    fn steps(&self) -> Vec<&str> {
        vec!["Verilator.Lint", "Yosys.SynthIce40", "My.Depth", "Nextpnr.Ice40", "Icestorm.Pack"]
    }

    fn describe(&self, flow: Flow) -> Flow {
        // Whoever starts it need not choose a device.
        flow.default("ICE40_DEVICE", DEVICES[0].0).default("ICE40_PACKAGE", DEVICES[0].1)
    }

    fn run(&self, cx: &FlowCx<'_>, initial: FlowState) -> Result<FlowState, FlowError> {
        cx.set_max_stage_count(2);
        cx.start_stage("Search for a device");
        let linted = cx.start_async("Verilator.Lint", &initial);
        let mut tried = Comparison::new("devices", &["device", "package", "used"]);
        let mut fit = None;
        for (device, package) in DEVICES {
            let with_device = cx.with([("ICE40_DEVICE", *device), ("ICE40_PACKAGE", *package)])?;
            let attempt = with_device.labelled(device).may_fail();
            let netlist = attempt.sequence(&["Yosys.SynthIce40", "My.Depth"], &linted)?;
            if let Ok(layout) = attempt.start("Nextpnr.Ice40", &netlist) {
                let used = cx.number(&layout, USED)?.unwrap_or_default();
                tried.add(Placing::Best, &[device, package, &format!("{:.0} %", used * 100.0)]);
                fit = Some((with_device, layout));
                break;
            }
            tried.add(Placing::Failed, &[device, package, "–"]);
        }
        cx.compared(tried);
        cx.end_stage();

        let Some((with_device, layout)) = fit else {
            return Err(FlowError::new("the design fits into none of the devices").hint("make it smaller"));
        };
        cx.start_stage("Bitstream");
        let packed = with_device.start("Icestorm.Pack", &layout)?;
        cx.end_stage();
        Ok(packed)
    }
}
