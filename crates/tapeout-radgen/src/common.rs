//! `common`: what all subtools share.

use std::path::PathBuf;

use tapeout_config::Schema;
use tapeout_model::Value;

use crate::files::Surroundings;
use crate::subtool::Subtool;

/// What all subtools share.
#[derive(Clone, Debug, Schema)]
pub struct Common {
    /// The subtools to set up: `asic_dse` (standard cell flow and its sweeps), `coffe` (sizing of FPGA transistors),
    /// `ic_3d` (links between stacked dies). Without a name, the only one that the top configuration has a section for.
    #[schema(shortcut = "st")]
    pub subtools: Option<Vec<Subtool>>,
    /// A YAML or JSON file with sections `common` and one for each subtool. The command line names it and beats it.
    #[schema(shortcut = "tc")]
    pub top_config_fpath: Option<PathBuf>,
    /// Write into the newest object directory of the design instead of into a new one.
    #[schema(shortcut = "l", default = false)]
    pub override_outputs: bool,
    /// The object directory. Without it the project's outputs get a new one.
    #[schema(shortcut = "o", new_path, mandatory_in("coffe"))]
    pub manual_obj_dir: Option<PathBuf>,
    /// The project. Generated configurations, RTL and results go into the directory of this name below `projects`.
    #[schema(shortcut = "n", mandatory_in("sweep of a design", "flow"))]
    pub project_name: Option<String>,
    /// What the mixture of cell libraries, transistor models and metal stacks of this run is called.
    #[schema(default = "custom_pdk")]
    pub pdk_name: String,
    /// Resolve the configuration, show it, and run nothing.
    #[schema(default = false)]
    pub just_config_init: bool,
    /// How much is told: 0 little, 1 also inputs and outputs and commands, 2 also what the tools print.
    #[schema(default = 1, check = verbosity)]
    pub log_verbosity: i64,
    /// The directory that `${RAD_GEN_HOME}` stands for.
    #[schema(new_path, derived_from("RAD_GEN_HOME"))]
    pub rad_gen_home_path: Option<PathBuf>,
    /// Where Hammer is installed.
    #[schema(new_path, derived_from("HAMMER_HOME"))]
    pub hammer_home_path: Option<PathBuf>,
    /// The object directory, once it is known. A run that makes a new one knows it when it begins.
    #[schema(new_path, derived_from("manual_obj_dir"))]
    pub obj_dir: Option<PathBuf>,
}

impl Common {
    pub(crate) fn init(&mut self, subtools: &[Subtool], surroundings: &Surroundings) {
        self.subtools.get_or_insert_with(|| subtools.to_vec());
        let directory = |name| surroundings.variable(name).map(PathBuf::from);
        self.rad_gen_home_path = directory("RAD_GEN_HOME");
        self.hammer_home_path = directory("HAMMER_HOME");
    }
}

fn verbosity(value: &Value) -> Result<(), String> {
    match value {
        Value::Int(0..=2) => Ok(()),
        other => Err(format!("must be 0, 1 or 2, not {other}")),
    }
}
