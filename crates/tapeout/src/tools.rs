//! The machine that a design is run on: its environment, its cores and memory, where the tools are and whether they
//! will do.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tapeout_config::{ChosenPdk, Loader};
use tapeout_engine::{
    self as engine, Engine, Failure, FoundTool, GuardCommand, Resources, SharedCache, Tool, ToolProblem, ToolSettings,
    Toolbox,
};
use tapeout_flow::project::Project;
use tapeout_flow::{Plan, Registry};
use tapeout_model::Class;

use crate::Tclsh;
use crate::terminal::plural;

/// The environment, as far as it is text.
pub(crate) fn environment() -> Vec<(String, String)> {
    env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// What reads configurations in this environment, those in Tcl included. It has no configuration yet.
pub(crate) fn loader() -> Loader {
    let tclsh = Tclsh { guard: GuardCommand::current_exe() };
    Loader { env: environment(), tcl: Some(Arc::new(tclsh)), pdks: tapeout_tools::pdk::PDKS, ..Loader::default() }
}

/// How a run is to go.
#[derive(Debug, Default)]
pub(crate) struct Options {
    /// How many steps run at a time; without it, one for each core that this process may use.
    pub(crate) jobs: Option<u16>,
    pub(crate) keep_going: bool,
    pub(crate) sandbox: bool,
    /// Results that others made, too.
    pub(crate) shared: Option<Arc<SharedCache>>,
}

/// The engine for a design, with the tools as its configuration and the environment set them up.
pub(crate) fn engine(registry: &Registry, plan: &Plan) -> Result<Engine, Failure> {
    engine_with(registry, plan, &Options::default())
}

/// The same, for a run.
pub(crate) fn engine_with(registry: &Registry, plan: &Plan, options: &Options) -> Result<Engine, Failure> {
    let options = engine_options(options, plan.tool_limits());
    open(registry, plan.config.design_dir(), plan.config.tools().clone(), plan.config.pdk(), options)
}

/// How an engine runs on this machine. `tokens`: of what there is only so much.
fn engine_options(options: &Options, tokens: BTreeMap<String, u64>) -> engine::Options {
    let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
    let resources = Resources { cores: options.jobs.map_or(cores, u64::from), memory_mib: memory_mib(), tokens };
    engine::Options {
        resources,
        keep_going: options.keep_going,
        sandbox: options.sandbox,
        shared: options.shared.clone(),
        machine_notes: machine_notes(),
        ..engine::Options::cores(cores)
    }
}

/// The engine for a project of targets: its tasks may call whatever there is.
pub(crate) fn project_engine(registry: &Registry, project: &Project, options: &Options) -> Result<Engine, Failure> {
    let options = engine_options(options, project.licences().clone());
    let mut toolbox = toolbox(registry, BTreeMap::new());
    toolbox.take_any();
    Engine::open(project.root(), toolbox, options)
}

/// The engine for a directory without a configuration: tools are where the environment says.
pub(crate) fn bare_engine(registry: &Registry, dir: &Path) -> Result<Engine, Failure> {
    engine_of(registry, dir, BTreeMap::new())
}

/// The engine for a directory, with these settings of tools.
pub(crate) fn engine_of(
    registry: &Registry,
    dir: &Path,
    settings: BTreeMap<String, ToolSettings>,
) -> Result<Engine, Failure> {
    open(registry, dir, settings, None, engine::Options::cores(1))
}

fn open(
    registry: &Registry,
    dir: &Path,
    settings: BTreeMap<String, ToolSettings>,
    pdk: Option<&ChosenPdk>,
    options: engine::Options,
) -> Result<Engine, Failure> {
    let mut toolbox = toolbox(registry, settings);
    for (tool, version) in pdk.iter().flat_map(|pdk| &pdk.tools) {
        toolbox.demand(tool, version, &format!("the PDK `{}`", pdk.map_or("", |pdk| &pdk.name)));
    }
    Engine::open(dir, toolbox, engine::Options { machine_notes: machine_notes(), ..options })
}

/// The tools that there are, with settings for them; those of the environment come first.
fn toolbox(registry: &Registry, mut settings: BTreeMap<String, ToolSettings>) -> Toolbox {
    for tool in registry.tools() {
        if let Some(path) = path_in_environment(tool.name) {
            settings.entry(tool.name.to_owned()).or_default().path = Some(path);
        }
    }
    Toolbox::new(registry.tools().cloned(), &settings)
}

/// The memory of this machine, if the system tells.
fn memory_mib() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}

/// The user's cache directory, by the XDG Base Directory Specification.
fn machine_notes() -> Option<PathBuf> {
    let absolute = |name: &str| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(cache.join("tapeout/machine"))
}

/// The variable of the environment that says where a tool is: `TAPEOUT_NEXTPNR_ICE40`.
pub(crate) fn environment_name(tool: &str) -> String {
    format!("TAPEOUT_{}", tool.to_uppercase().replace('-', "_"))
}

/// A path in the environment is relative to where tapeout was started, not to the design.
pub(crate) fn path_in_environment(tool: &str) -> Option<String> {
    let path = env::var(environment_name(tool)).ok().filter(|path| !path.is_empty())?;
    if !path.contains('/') {
        return Some(path);
    }
    let absolute = std::path::absolute(&path).ok()?;
    Some(absolute.to_str()?.to_owned())
}

/// A tool and whether it can be used.
pub(crate) struct Checked<'a> {
    pub(crate) tool: &'a Tool,
    pub(crate) found: Result<Arc<FoundTool>, ToolProblem>,
}

impl Checked<'_> {
    /// What is wrong, in one line without advice.
    pub(crate) fn problem(&self) -> Option<String> {
        let from_environment = || match path_in_environment(self.tool.name) {
            Some(_) => format!(", which `{}` asks for", environment_name(self.tool.name)),
            None => String::new(),
        };
        match self.found.as_ref().err()? {
            ToolProblem::Missing { name, place, .. } => {
                Some(format!("`{name}` was not found{place}{}", from_environment()))
            }
            problem @ (ToolProblem::TooOld { .. } | ToolProblem::Broken { .. } | ToolProblem::Unknown(_)) => {
                Some(problem.to_string())
            }
        }
    }
}

/// Looks for tools, each by its name.
pub(crate) fn check_tools<'a>(engine: &'a Engine, names: &[&str]) -> Vec<Checked<'a>> {
    let wanted = engine.toolbox().tools().filter(|tool| names.contains(&tool.name));
    wanted.map(|tool| Checked { tool, found: engine.tool(tool.name) }).collect()
}

/// Everything that keeps a plan from starting, in one error.
pub(crate) fn require_tools(engine: &Engine, plan: &Plan) -> Result<(), Failure> {
    let names = plan.tools();
    let checked = check_tools(engine, &names);
    let unusable: Vec<&Checked<'_>> = checked.iter().filter(|tool| tool.found.is_err()).collect();
    let mut details: Vec<String> = unusable.iter().filter_map(|tool| tool.problem()).collect();
    // A step that declares a tool which nobody registered is a defect of that step, found here and not in the run.
    let unknown = names.iter().filter(|name| checked.iter().all(|checked| checked.tool.name != **name));
    details.extend(unknown.map(|name| ToolProblem::Unknown((*name).to_owned()).to_string()));
    if details.is_empty() {
        return Ok(());
    }
    let message = format!("{} cannot be used; nothing was started", plural(details.len(), "tool"));
    let hint = install_command(unusable.into_iter());
    Err(Failure { words: details, hint, ..Failure::new(Class::Environment, message) })
}

/// The command that installs what is missing or too old, if packages can help.
pub(crate) fn install_command<'a>(tools: impl Iterator<Item = &'a Checked<'a>>) -> Option<String> {
    let helps = |tool: &&Checked<'_>| {
        matches!(tool.found, Err(ToolProblem::Missing { .. } | ToolProblem::TooOld { .. }))
            && !tool.tool.package.is_empty()
    };
    let mut packages: Vec<&str> = tools.filter(helps).map(|tool| tool.tool.package).collect();
    packages.sort_unstable();
    packages.dedup();
    (!packages.is_empty()).then(|| format!("apt-get install {}", packages.join(" ")))
}
