//! The initialisation of `asic_dse`: what it does with what it is given, and the fields that follow from others.

use std::path::{Path, PathBuf};

use tapeout_config::Init;

use crate::asic_dse::{AsicDse, FlowMode, FlowStage};
use crate::common::Common;
use crate::flow_files::FlowFacts;
use crate::sweep::{DesignSweepInfo, SweepType, values};

/// Where things are looked for and put, relative to the current directory.
const PROJECTS: &str = "projects";
const SRAM_LIBRARY: &str = "shared_resources/sram_lib";

impl AsicDse {
    /// Fills in what follows from what is given. `flow` is what the flow's own files say.
    pub(crate) fn init(&mut self, common: &mut Common, flow: &FlowFacts, init: &mut Init<'_>) {
        let sweep = self.sweep_conf_fpath.is_some();
        let run_flow = self.flow_conf_fpaths.is_some() && !sweep;
        self.mode.sweep_gen = sweep && !self.compile_results;
        self.mode.result_parse = sweep && self.compile_results;
        self.mode.vlsi.enable = run_flow;

        self.init_stages(init);
        self.init_libraries(common);
        self.common_asic_flow.top_lvl_module.clone_from(&self.top_lvl_module);
        self.common_asic_flow.hdl_dpath.clone_from(&self.hdl_dpath);
        self.common_asic_flow.flow_conf_fpaths.clone_from(&self.flow_conf_fpaths);
        self.common_asic_flow.tool_env_conf_fpaths.clone_from(&self.tool_env_conf_fpaths);
        if run_flow {
            self.init_flow(flow, init);
        }
        if self.mode.sweep_gen {
            init.mode("sweep");
            self.design_sweep_info.init(self.top_lvl_module.as_ref(), flow, init);
        }
        // Without either, nothing is written and nothing is overridden.
        if (run_flow || self.mode.sweep_gen)
            && common.override_outputs
            && let Some(dir) = &common.manual_obj_dir
        {
            let message = format!(
                "`override_outputs` means the newest object directory, `manual_obj_dir` means `{}`: give one of them",
                dir.display()
            );
            init.error("common.override_outputs", message);
        }
        self.result_search_path.get_or_insert_with(|| PathBuf::from(PROJECTS));
        common.obj_dir.clone_from(&common.manual_obj_dir);
    }

    /// Without a choice all four stages run that make a result. Stages that were switched off stay off, and those that
    /// were switched on contradict the collecting of results.
    fn init_stages(&mut self, init: &mut Init<'_>) {
        let compile = self.compile_results;
        let stages = &mut self.common_asic_flow.flow_stages;
        let mut stages: [(&str, &mut FlowStage); 4] = [
            ("syn", &mut stages.syn),
            ("par", &mut stages.par),
            ("timing", &mut stages.timing),
            ("power", &mut stages.power),
        ];
        let chosen = stages.iter().any(|(_, stage)| stage.run);
        for (name, stage) in &mut stages {
            let field = format!("asic_dse.common_asic_flow.flow_stages.{name}.run");
            if compile {
                init.conflict(&field, "`compile_results` runs nothing: it collects the results of earlier runs");
                stage.run = false;
            } else if !chosen && !init.given(&field) {
                stage.run = true;
            }
        }
    }

    fn init_libraries(&mut self, common: &Common) {
        let pdk = &self.stdcell_lib.pdk_name;
        let sram = self.common_asic_flow.flow_stages.sram.run;
        self.common_asic_flow.db_libs.get_or_insert_with(|| {
            let sram = sram.then(|| "sram_db_libs".to_owned());
            sram.into_iter().chain([format!("{pdk}_db_libs")]).collect()
        });
        if self.stdcell_lib.sram_lib_path.is_none() {
            let of_hammer = common
                .hammer_home_path
                .as_ref()
                .map(|home| home.join("hammer/technology").join(pdk).join("sram_compiler/memories"));
            self.stdcell_lib.sram_lib_path = of_hammer.filter(|path| path.is_dir());
        }
        let srams = &mut self.sram_compiler_settings;
        let below = |path: &str| Path::new(SRAM_LIBRARY).join(path);
        srams.rtl_out_dpath.get_or_insert_with(|| below("rtl/gen"));
        srams.config_out_dpath.get_or_insert_with(|| below("configs/gen"));
        srams.scripts_out_dpath.get_or_insert_with(|| below("scripts"));
    }

    fn init_flow(&mut self, flow: &FlowFacts, init: &mut Init<'_>) {
        // The SRAM stage works for all projects.
        if !self.common_asic_flow.flow_stages.sram.run {
            init.mode("flow");
        }
        let complete = self.top_lvl_module.is_some() && self.hdl_dpath.is_some();
        match self.mode.vlsi.flow {
            FlowMode::Hammer => {
                self.mode.vlsi.config_pre_proc = Some(complete);
                self.hammer_flow.cli_driver_bpath.get_or_insert_with(|| PathBuf::from("hammer-vlsi"));
                let top = &mut self.common_asic_flow.top_lvl_module;
                if top.is_none() {
                    top.clone_from(&flow.top_module);
                }
                if top.is_none() {
                    init.error(
                        "asic_dse.flow_conf_fpaths",
                        "the top module is not known: give `top_lvl_module`, or `synthesis.inputs.top_module` in one \
                         of the flow's files",
                    );
                }
            }
            FlowMode::Custom => {
                init.mode("custom flow");
                self.mode.vlsi.config_pre_proc = Some(true);
                let files = self.flow_conf_fpaths.as_ref().map_or(0, Vec::len);
                if files != 1 {
                    init.error(
                        "asic_dse.flow_conf_fpaths",
                        format!("the custom flow takes one configuration file, not {files}"),
                    );
                }
            }
        }
    }
}

impl DesignSweepInfo {
    fn init(&mut self, top: Option<&String>, flow: &FlowFacts, init: &mut Init<'_>) {
        const AT: &str = "asic_dse.design_sweep_info";
        let map = &self.vlsi_params.custom_map;
        let lists = [
            ("period", map.period.as_ref().map(Vec::len)),
            ("core_util", map.core_util.as_ref().map(Vec::len)),
            ("effort", map.effort.as_ref().map(Vec::len)),
        ];
        // A list that is not there is not swept; those that are go together.
        let mut lists = lists.into_iter().filter_map(|(name, length)| Some((name, length?)));
        if let Some((first, expected)) = lists.next() {
            for (name, found) in lists.filter(|(_, found)| *found != expected) {
                init.error(
                    &format!("{AT}.vlsi_params.custom_map.{name}"),
                    format!(
                        "`{name}` has {}, but `{first}` has {expected}: each point takes one value of each list",
                        values(found)
                    ),
                );
            }
        }
        for (parameter, axis) in self.rtl_params.sweep.iter().flatten() {
            if let Err(reason) = axis.goes_together() {
                init.error(&format!("{AT}.rtl_params.sweep"), format!("the sweep of `{parameter}`: {reason}"));
            }
        }
        match self.kind {
            Some(SweepType::Vlsi | SweepType::Rtl) => {
                init.mode("sweep of a design");
                match (top, &self.top_lvl_module) {
                    (Some(top), Some(swept)) if top != swept => init.error(
                        "asic_dse.top_lvl_module",
                        format!("`top_lvl_module` is `{top}`, but the sweep is one of `{swept}`"),
                    ),
                    (_, Some(_)) => {}
                    (top, None) => self.top_lvl_module = top.or(flow.top_module.as_ref()).cloned(),
                }
                if self.base_config_path.is_some() && self.top_lvl_module.is_none() {
                    init.error(
                        &format!("{AT}.base_config_path"),
                        "the top module is not known: give `top_lvl_module` in the sweep file, or \
                         `synthesis.inputs.top_module` in the base configuration",
                    );
                }
                if self.base_config_path.is_some() && self.hdl_dpath.is_none() && !flow.has_input_files {
                    init.error(
                        &format!("{AT}.base_config_path"),
                        "the design has no files: give `hdl_dpath` in the sweep file, or \
                         `synthesis.inputs.input_files` in the base configuration",
                    );
                }
            }
            Some(SweepType::Sram) => {
                let template = &mut self.sram_params.sram_rtl_template_fpath;
                template.get_or_insert_with(|| Path::new(SRAM_LIBRARY).join("rtl/src/sram_template.sv"));
            }
            None => {}
        }
    }
}

/// The object directories of a design's runs, and what their names begin with: `projects/alu/outputs/alu_ver/obj_dirs`
/// and `alu_ver-sweep`.
pub(crate) fn outputs(asic_dse: &AsicDse, common: &Common) -> (PathBuf, String) {
    let sweep = &asic_dse.design_sweep_info;
    if asic_dse.mode.sweep_gen && sweep.kind == Some(SweepType::Sram) {
        return (Path::new(SRAM_LIBRARY).join("obj_dirs"), "sram_gen".to_owned());
    }
    let top = match (asic_dse.sweep_conf_fpath.is_some(), &sweep.top_lvl_module) {
        (true, Some(top)) => Some(top),
        _ => asic_dse.common_asic_flow.top_lvl_module.as_ref(),
    };
    let top = top.map_or("asic_dse", String::as_str);
    let suffix = if asic_dse.mode.sweep_gen { "-sweep" } else { "" };
    (project_outputs(common, top), format!("{top}{suffix}"))
}

/// Where a project's runs of one design or subtool are.
pub(crate) fn project_outputs(common: &Common, of: &str) -> PathBuf {
    let project = common.project_name.as_deref().unwrap_or("default");
    Path::new(PROJECTS).join(project).join("outputs").join(of).join("obj_dirs")
}
