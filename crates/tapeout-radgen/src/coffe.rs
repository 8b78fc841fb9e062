//! The struct of `coffe`, which sizes the transistors of an FPGA.

use std::path::PathBuf;

use tapeout_config::{Init, Schema};
use tapeout_model::Decimal;

use crate::common::Common;

/// The sizing of an FPGA's transistors.
#[derive(Clone, Debug, Schema)]
pub struct Coffe {
    /// The FPGA's architecture: a YAML file with logic blocks, wires, voltages, metal layers and device model.
    #[schema(shortcut = "f", mandatory_in("coffe"))]
    pub fpga_arch_conf_path: Option<PathBuf>,
    /// The hard blocks, each with the standard cell flow that makes it: a YAML file.
    #[schema(shortcut = "hb")]
    pub hb_flows_conf_path: Option<PathBuf>,
    /// Leave the transistors as large as they are.
    #[schema(shortcut = "ns", default = false)]
    pub no_sizing: bool,
    /// Whether a circuit is sized for the whole FPGA or for itself.
    #[schema(shortcut = "ot", default = "global")]
    pub opt_type: OptimizationType,
    /// The sizes to start with: a file, or `default`.
    #[schema(shortcut = "is")]
    pub initial_sizes: Option<String>,
    /// Of how many of the best sizings rise and fall times are made equal again.
    #[schema(shortcut = "re", default = 1)]
    pub re_erf: i64,
    /// The exponent of the area in the cost.
    #[schema(shortcut = "aw", default = 1)]
    pub area_opt_weight: i64,
    /// The exponent of the delay in the cost.
    #[schema(shortcut = "dw", default = 1)]
    pub delay_opt_weight: i64,
    /// How often the whole FPGA is sized at most.
    #[schema(shortcut = "mi", default = 6)]
    pub max_iterations: i64,
    /// Size only what connects hard blocks.
    #[schema(shortcut = "sh", default = "0.0")]
    pub size_hb_interfaces: Decimal,
    /// How much a resizing must improve the cost to go on: 0.03 is 3 %. Negative: go on in any case.
    #[schema(shortcut = "q", default = "-1.0")]
    pub quick_mode: Decimal,
    /// The telemetry of another run, to compare with.
    #[schema(shortcut = "ct")]
    pub ctrl_comp_telemetry_fpath: Option<PathBuf>,
    /// The directory with the tables of a routing resource graph.
    #[schema(shortcut = "rrg", dir)]
    pub rrg_data_dpath: Option<PathBuf>,
    /// Go through all steps without simulating.
    #[schema(shortcut = "pass", default = false)]
    pub pass_through: bool,
    /// The circuit simulator.
    #[schema(shortcut = "sst", default = "hspice")]
    pub spice_sim_type: SpiceSimulator,
    /// Directories with sizings of earlier runs, which are not simulated again.
    #[schema(shortcut = "ckpt")]
    pub checkpoint_dpaths: Option<Vec<PathBuf>>,
    /// The architecture's name.
    #[schema(derived_from("fpga_arch_conf_path"))]
    pub arch_name: Option<String>,
}

/// What a circuit is sized for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Schema)]
pub enum OptimizationType {
    /// For the area and delay of the whole FPGA.
    Global,
    /// For its own area and delay.
    Local,
}

/// The circuit simulators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Schema)]
pub enum SpiceSimulator {
    /// HSPICE.
    Hspice,
    /// ngspice.
    Ngspice,
}

impl Coffe {
    pub(crate) fn init(&mut self, common: &mut Common, init: &mut Init<'_>) {
        init.mode("coffe");
        let stem = self.fpga_arch_conf_path.as_ref().and_then(|path| path.file_stem());
        self.arch_name = stem.map(|stem| stem.to_string_lossy().into_owned());
        common.obj_dir.clone_from(&common.manual_obj_dir);
    }
}
