//! The command line of tapeout: arguments, terminal, exit codes. All that prints is here; what it prints comes from the
//! crates below.
//!
//! It is a library for programs of your own, which need no other crate of tapeout's. [`flow`] has what steps and flows
//! are made of. A binary of your own can have steps and flows of your own:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     let mut registry = tapeout::registry();
//!     // registry.add_step(…).add_flow(…).add_custom_flow(…)
//!     tapeout::main(registry)
//! }
//! ```
//!
//! And a program can start a flow and go on with what comes of it: see [`Design`].

mod amounts;
mod args;
mod commands;
mod completion;
mod design;
mod error;
mod initial;
mod names;
mod project;
mod reproduce;
mod runs;
mod signals;
mod targets;
mod tcl;
mod terminal;
mod tools;
mod trace;
mod usage;
mod viewer;

pub use design::{Design, StartError};
pub use tapeout_engine::serve_if_asked;
pub use tapeout_flow as flow;
pub use tapeout_tools::registry;
pub use tcl::Tclsh;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use tapeout_config::{Diagnostic, SourceMap, TargetResults};
use tapeout_flow::Registry;
use tapeout_flow::project::Project;
use tapeout_model::Class;
use tapeout_script::{FLOW_FILE, Script};

use crate::args::{Cli, Command};
use crate::error::CliError;
use crate::project::reported_as;
use crate::targets::LoadedProject;
use crate::terminal::Terminal;

/// What every command gets.
struct Cx {
    terminal: Terminal,
    registry: Registry,
    /// The project here, where there is one and the command has to do with it.
    project: Option<LoadedProject>,
    /// What its targets give, for configurations.
    results: Option<TargetResults>,
}

type MakeProject = Box<dyn Fn(&Path) -> Result<Project, Vec<Diagnostic>>>;

/// What a program of your own has: steps and flows, and perhaps a project.
pub struct App {
    registry: Registry,
    project: Option<MakeProject>,
}

impl App {
    /// These steps and flows.
    #[must_use]
    pub fn new(registry: Registry) -> Self {
        Self { registry, project: None }
    }

    /// A project of blocks and tasks, in place of a `flow.star`. `make` gets the directory that it is in: the current one.
    #[must_use]
    pub fn project(mut self, make: impl Fn(&Path) -> Result<Project, Vec<Diagnostic>> + 'static) -> Self {
        self.project = Some(Box::new(make));
        self
    }

    /// Reads the project that is meant by where the command was started: the program's own, or the nearest `flow.star`,
    /// here or above. Its steps and flows are added to those that there are.
    fn load(&self, terminal: &Terminal, registry: &mut Registry) -> Result<Option<LoadedProject>, CliError> {
        let here = std::env::current_dir()
            .map_err(|error| CliError::environment(format!("there is no current directory: {error}")))?;
        let mut sources = SourceMap::new();
        if let Some(make) = &self.project {
            let project = reported_as(terminal, make(&here), &sources, "project")?;
            return Ok(Some(LoadedProject { project: Arc::new(project), doc: String::new() }));
        }
        let Some(root) = targets::script_root(&here) else { return Ok(None) };
        let script = reported_as(terminal, Script::load(root, registry, &mut sources), &sources, "project")?;
        reported_as(terminal, script.register(registry), &sources, "project")?;
        script.said().iter().for_each(|text| terminal.note(text));
        let doc = script.doc().to_owned();
        if script.project().is_some_and(|project| project.blocks().is_empty()) {
            return Err(CliError::input(format!("the project in `{}` has no blocks", root.join(FLOW_FILE).display()))
                .hint("`flow[\"name\"] = MyBlock()` adds one"));
        }
        Ok(script.into_project().map(|project| LoadedProject { project: Arc::new(project), doc }))
    }
}

impl From<Registry> for App {
    fn from(registry: Registry) -> Self {
        Self::new(registry)
    }
}

/// Runs the command that the process was started with. First thing in a program's `main`: the guard process, which is
/// this program once more, begins here, too.
#[must_use]
pub fn main(app: impl Into<App>) -> ExitCode {
    let app = app.into();
    serve_if_asked();
    terminal::announce_panics();
    match completion::answer_if_asked(&app.registry) {
        Ok(false) => {}
        Ok(true) => return ExitCode::SUCCESS,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(Class::Environment.exit_code());
        }
    }
    let cli = match Cli::try_parse_from(commands::radgen::set_apart(std::env::args_os().collect())) {
        Ok(cli) => cli,
        // Help and version are "errors" of clap's with exit code 0. A closed pipe is no reason to complain.
        Err(usage) => {
            let usage = usage::explained(usage);
            let _ = usage.print();
            return ExitCode::from(if usage.use_stderr() { Class::Input.exit_code() } else { 0 });
        }
    };
    let terminal = Terminal::new(&cli.global);
    let mut cx = Cx { terminal, registry: app.registry.clone(), project: None, results: None };
    // A panic has been announced when it comes here; what is left is the exit code.
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        change_directory(&cli.global)?;
        if cli.command.is_about_projects() {
            cx.project = app.load(&cx.terminal, &mut cx.registry)?;
            let project = cx.project.as_ref().map(|loaded| Arc::clone(&loaded.project));
            let builds = matches!(cli.command, Command::Run(_));
            cx.results = project
                .map(|project| targets::results(project, cx.registry.clone(), Terminal::new(&cli.global), builds));
        }
        commands::dispatch(&cx, cli.command)
    }));
    let code = match ended {
        Ok(Ok(code)) => code,
        Ok(Err(error)) => {
            cx.terminal.error(&error);
            error.exit_code()
        }
        Err(_) => Class::Internal.exit_code(),
    };
    let code = cx.terminal.finish(code);
    // A project may have very many blocks: taking it apart piece by piece would only cost time now.
    std::mem::forget((app, cx));
    ExitCode::from(code)
}

fn change_directory(global: &args::Global) -> Result<(), CliError> {
    let Some(dir) = &global.directory else { return Ok(()) };
    std::env::set_current_dir(dir)
        .map_err(|error| CliError::input(format!("cannot change to the directory `{}`: {error}", dir.display())))
}
