//! How the user wants a tool to be started.

use std::collections::BTreeMap;

/// The user's settings for one tool. Absent ones leave the built-in way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolSettings {
    /// The executable: a path, or a name to be found on `PATH`.
    pub path: Option<String>,
    /// Shell commands that set up the tool's environment, such as `source /opt/tool/settings.sh`.
    pub setup: Option<String>,
    /// A command that the tool is started through, such as a container runtime with its arguments.
    pub prefix: Vec<String>,
    /// Variables that the tool's environment gets in addition.
    pub env: BTreeMap<String, String>,
    /// How many of it may run at a time: as many as there are licences. Not part of any key.
    pub at_once: Option<u64>,
    /// How long it may run, in seconds, where the step does not say. Not part of any key.
    pub timeout_s: Option<u64>,
    /// Words in its log that mean that there was no licence for it just then. Not part of any key.
    pub no_licence: Vec<String>,
}
