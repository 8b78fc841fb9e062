//! The struct of `ic_3d`, which explores the links and the power network of stacked dies.

use std::path::PathBuf;

use tapeout_config::{Init, Schema};

/// The exploration of stacked dies.
#[derive(Clone, Debug, Schema)]
pub struct Ic3d {
    /// Processes, package, design and what is explored: a YAML file.
    #[schema(shortcut = "ic", mandatory_in("ic_3d"))]
    pub input_config_path: Option<PathBuf>,
    /// Simulations, by their titles, to run again and to look at.
    #[schema(shortcut = "ds")]
    pub debug_spice: Option<Vec<String>>,
    /// Model the power network.
    #[schema(shortcut = "pm", default = false)]
    pub pdn_modeling: bool,
    /// Explore the buffers between the dies.
    #[schema(shortcut = "bd", default = false)]
    pub buffer_dse: bool,
    /// Study how the buffers depend on their load, with plots.
    #[schema(shortcut = "bs", default = false)]
    pub buffer_sens_study: bool,
}

impl Ic3d {
    pub(crate) fn init(&self, init: &mut Init<'_>) {
        init.mode("ic_3d");
    }
}
