//! The structs of `asic_dse`, the standard cell flow and its sweeps. How derived fields come about is in
//! [`crate::asic_dse_init`]; the sweep is in [`crate::sweep`].

use std::path::PathBuf;

use tapeout_config::Schema;

use crate::sweep::DesignSweepInfo;

/// The standard cell flow of a design, and sweeps over such flows.
#[derive(Clone, Debug, Schema)]
pub struct AsicDse {
    /// Hammer's environment files: where tools are installed, and their licence servers.
    #[schema(shortcut = "e")]
    pub tool_env_conf_fpaths: Option<Vec<PathBuf>>,
    /// The sweep: a YAML or JSON file of one design with what is varied. Its keys are those of `design_sweep_info`,
    /// which beat it.
    #[schema(shortcut = "s")]
    pub sweep_conf_fpath: Option<PathBuf>,
    /// The flow's configuration files in Hammer's form, or the one file of the custom flow. A later file beats an earlier.
    #[schema(shortcut = "p")]
    pub flow_conf_fpaths: Option<Vec<PathBuf>>,
    /// Collect the results of earlier runs instead of running anything.
    #[schema(shortcut = "c", default = false)]
    pub compile_results: bool,
    /// The top module. Without it, what the sweep file or the flow's configuration names.
    #[schema(shortcut = "t", mandatory_in("custom flow"))]
    pub top_lvl_module: Option<String>,
    /// The directory of the design's HDL files.
    #[schema(shortcut = "v", dir, mandatory_in("custom flow"))]
    pub hdl_dpath: Option<PathBuf>,
    /// Where object directories are looked for when results are collected. Without it, `projects`.
    #[schema(dir)]
    pub result_search_path: Option<PathBuf>,
    /// What is done, and how.
    pub mode: AsicDseMode,
    /// The cell library.
    pub stdcell_lib: StdCellLib,
    /// Scripts for other tools.
    pub scripts: ScriptInfo,
    /// What both flows share.
    pub common_asic_flow: CommonAsicFlow,
    /// The flow by Hammer.
    pub hammer_flow: HammerFlow,
    /// The sweep of a design, from `sweep_conf_fpath`.
    pub design_sweep_info: DesignSweepInfo,
    /// Where generated SRAMs go.
    pub sram_compiler_settings: SramCompilerSettings,
}

/// What `asic_dse` does.
#[derive(Clone, Debug, Schema)]
pub struct AsicDseMode {
    /// Whether the configurations and scripts of a sweep are generated.
    #[schema(default = false, derived_from("sweep_conf_fpath", "compile_results"))]
    pub sweep_gen: bool,
    /// Whether the results of a sweep are collected.
    #[schema(default = false, derived_from("sweep_conf_fpath", "compile_results"))]
    pub result_parse: bool,
    /// The run of a flow.
    pub vlsi: VlsiMode,
}

/// How a flow is run.
#[derive(Clone, Debug, Schema)]
pub struct VlsiMode {
    /// The points of a sweep one after the other, several at a time, or only as scripts.
    #[schema(shortcut = "r", default = "serial")]
    pub run: RunMode,
    /// By Hammer, or by the custom flow.
    #[schema(shortcut = "m", default = "hammer")]
    pub flow: FlowMode,
    /// Whether a flow is run.
    #[schema(default = false, derived_from("flow_conf_fpaths", "sweep_conf_fpath"))]
    pub enable: bool,
    /// Whether the flow's configuration is completed by the top module and the HDL files before it is run. Without a
    /// value where no flow is run.
    #[schema(derived_from("mode.vlsi.flow", "top_lvl_module", "hdl_dpath"))]
    pub config_pre_proc: Option<bool>,
}

/// How the points of a sweep are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Schema)]
pub enum RunMode {
    /// One after the other.
    Serial,
    /// Several at a time.
    Parallel,
    /// Not at all: scripts are written.
    GenScripts,
}

/// What runs the tools of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Schema)]
pub enum FlowMode {
    /// Hammer.
    Hammer,
    /// The flow that was there before Hammer, for Design Compiler, Innovus or Encounter, and PrimeTime.
    Custom,
}

/// The cell library of a design.
#[derive(Clone, Debug, Schema)]
pub struct StdCellLib {
    /// The technology, as Hammer and the SRAM mapper name it.
    #[schema(default = "asap7")]
    pub pdk_name: String,
    /// The library in Virtuoso with the views of the standard cells.
    #[schema(default = "asap7_TechLib")]
    pub cds_lib: String,
    /// The directory of the technology's SRAM macros, with `lib`, `lef` and `gds` of each. Without it, that of the
    /// technology in Hammer, where `HAMMER_HOME` is set.
    #[schema(dir)]
    pub sram_lib_path: Option<PathBuf>,
    /// The directory in which Virtuoso is started for this PDK.
    #[schema(dir)]
    pub pdk_rundir_path: Option<PathBuf>,
}

/// Scripts for other tools.
#[derive(Clone, Debug, Schema)]
pub struct ScriptInfo {
    /// What the scripts that measure a layout in Virtuoso, and their table, are called.
    #[schema(default = "get_area")]
    pub gds_to_area_fname: String,
    /// A C shell script that sets up Virtuoso. With it, layouts of ASAP7 are measured in Virtuoso.
    pub virtuoso_setup_path: Option<PathBuf>,
}

/// What the flow by Hammer and the custom flow share.
#[derive(Clone, Debug, Schema)]
pub struct CommonAsicFlow {
    /// The top module.
    #[schema(derived_from("top_lvl_module"))]
    pub top_lvl_module: Option<String>,
    /// The directory of the HDL files.
    #[schema(dir, derived_from("hdl_dpath"))]
    pub hdl_dpath: Option<PathBuf>,
    /// The flow's configuration files.
    #[schema(derived_from("flow_conf_fpaths"))]
    pub flow_conf_fpaths: Option<Vec<PathBuf>>,
    /// The environment files.
    #[schema(derived_from("tool_env_conf_fpaths"))]
    pub tool_env_conf_fpaths: Option<Vec<PathBuf>>,
    /// The names, not paths, of the directories with compiled libraries for Synopsys tools. Without them, the
    /// directory of `stdcell_lib.pdk_name`, before it that of the SRAMs if the stage `sram` runs.
    pub db_libs: Option<Vec<String>>,
    /// The stages.
    pub flow_stages: FlowStages,
}

/// The stages of a flow. If none of `syn`, `par`, `timing`, `power` is chosen, all of them run.
#[derive(Clone, Debug, Schema)]
pub struct FlowStages {
    /// The makefile of the flow.
    #[schema(fields(
        run(shortcut = "build", doc = "Write a makefile with what depends on what."),
        tag(default = "build"),
        tool(default = "hammer")
    ))]
    pub build: FlowStage,
    /// The SRAM macros.
    #[schema(fields(
        run(
            shortcut = "sram",
            doc = "Generate what the SRAM macros of the design need. A design with such macros needs it."
        ),
        tag(default = "sram"),
        tool(default = "custom")
    ))]
    pub sram: FlowStage,
    /// Synthesis.
    #[schema(fields(run(shortcut = "syn", doc = "Run synthesis."), tag(default = "syn"), tool(default = "cadence")))]
    pub syn: FlowStage,
    /// Placement and routing.
    #[schema(fields(
        run(shortcut = "par", doc = "Run placement and routing."),
        tag(default = "par"),
        tool(default = "cadence")
    ))]
    pub par: FlowStage,
    /// Static timing analysis.
    #[schema(fields(
        run(shortcut = "timing", doc = "Run static timing analysis."),
        tag(default = "timing"),
        tool(default = "synopsys")
    ))]
    pub timing: FlowStage,
    /// Power analysis.
    #[schema(fields(
        run(shortcut = "power", doc = "Run power analysis."),
        tag(default = "power"),
        tool(default = "synopsys")
    ))]
    pub power: FlowStage,
}

/// One stage of a flow.
#[derive(Clone, Debug, Schema)]
pub struct FlowStage {
    /// What the stage is called in reports.
    pub tag: String,
    /// Its place in the order of the flow.
    pub exec_idx: Option<i64>,
    /// Run the stage.
    #[schema(default = false)]
    pub run: bool,
    /// Whose tool runs it, which is whose reports are read.
    pub tool: String,
}

/// The flow by Hammer.
#[derive(Clone, Debug, Schema)]
pub struct HammerFlow {
    /// The program that runs Hammer. Without it, `hammer-vlsi` as the shell finds it.
    pub cli_driver_bpath: Option<PathBuf>,
}

/// Where generated SRAMs go.
#[derive(Clone, Debug, Schema)]
pub struct SramCompilerSettings {
    /// The directory for their RTL. Without it, `shared_resources/sram_lib/rtl/gen`.
    #[schema(new_path)]
    pub rtl_out_dpath: Option<PathBuf>,
    /// The directory for their flow configurations. Without it, `shared_resources/sram_lib/configs/gen`.
    #[schema(new_path)]
    pub config_out_dpath: Option<PathBuf>,
    /// The directory for their scripts. Without it, `shared_resources/sram_lib/scripts`.
    #[schema(new_path)]
    pub scripts_out_dpath: Option<PathBuf>,
}
