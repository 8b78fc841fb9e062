//! The command line as types: the options of every command, and those that several commands share. What a command
//! alone understands is in its own file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::commands::{
    cache, clean, compare, completions, config, docs, doctor, init, list, logs, open, pin, plan, radgen, run, show,
    status, step, why,
};

/// From RTL to a bitstream with the EDA tools you have, never running the same work twice
#[derive(Debug, Parser)]
#[command(name = "tapeout", version, max_term_width = 100, arg_required_else_help = true)]
#[command(after_help = "`tapeout init blinky` makes a project to start from. \
    Exit codes: 0 done, 1 a check failed, 2 usage or configuration, 3 environment, 4 internal error, 5 a tool failed, \
    130/143 interrupted.")]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Global {
    /// Change to this directory first
    #[arg(short = 'C', value_name = "DIR", global = true)]
    pub(crate) directory: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    /// Print JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Whether to use colours
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    pub(crate) color: Color,
}

/// Whether to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Also in files and pipes
    Always,
    /// Nowhere
    Never,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(run::RunArgs),
    Plan(plan::PlanArgs),
    Status(status::StatusArgs),
    Why(why::WhyArgs),
    Clean(clean::CleanArgs),
    Compare(compare::CompareArgs),
    Config(config::ConfigArgs),
    Pin(pin::PinArgs),
    Unpin(pin::UnpinArgs),
    Doctor(doctor::DoctorArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
    Init(init::InitArgs),
    Logs(logs::LogsArgs),
    Open(open::OpenArgs),
    Step(step::StepArgs),
    Cache(cache::CacheArgs),
    Radgen(radgen::RadgenArgs),
    Completions(completions::CompletionsArgs),
    Docs(docs::DocsArgs),
}

impl Command {
    /// Whether it may have to do with the blocks, steps and flows of a project here.
    pub(crate) fn is_about_projects(&self) -> bool {
        match self {
            Self::Run(_)
            | Self::Plan(_)
            | Self::Status(_)
            | Self::Why(_)
            | Self::Clean(_)
            | Self::Config(_)
            | Self::Pin(_)
            | Self::Unpin(_)
            | Self::List(_)
            | Self::Show(_)
            | Self::Logs(_)
            | Self::Open(_)
            | Self::Step(_)
            | Self::Docs(_) => true,
            Self::Compare(_)
            | Self::Doctor(_)
            | Self::Init(_)
            | Self::Cache(_)
            | Self::Radgen(_)
            | Self::Completions(_) => false,
        }
    }
}

/// Which configuration, and what is laid over it.
#[derive(Debug, Default, Args)]
pub(crate) struct ThingArgs {
    /// A configuration file, or a directory with a `config.json`, `.yaml`, `.yml` or `.toml` [default: the one here]
    #[arg(value_name = "THING")]
    pub(crate) thing: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) overlay: OverlayArgs,
}

/// What is laid over a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct OverlayArgs {
    /// Set a variable; beats all files
    #[arg(short = 'c', long = "set", value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Lay another configuration file over it; the last one wins
    #[arg(long, value_name = "FILE")]
    pub(crate) with: Vec<PathBuf>,
    /// Run this flow instead of the one that the configuration names
    #[arg(long, value_name = "NAME")]
    pub(crate) flow: Option<String>,
    /// The PDK
    #[arg(short, long, value_name = "NAME")]
    pub(crate) pdk: Option<String>,
    /// The standard cell library of the PDK
    #[arg(short, long, value_name = "NAME")]
    pub(crate) scl: Option<String>,
    /// The directory that PDKs are in
    #[arg(long, value_name = "DIR")]
    pub(crate) pdk_root: Option<PathBuf>,
    /// What paths are relative to, and where `runs` is [default: the directory of THING]
    #[arg(long, value_name = "DIR")]
    pub(crate) design_dir: Option<PathBuf>,
}

/// What is there before the first step.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct InitialArgs {
    /// Begin with the views and metrics of this state: a `state_in.json` or `state_out.json`, `@TAG[/STEP]` or a
    /// directory, for the state after a run or a step; the last one wins
    #[arg(short, long, value_name = "STATE")]
    pub(crate) initial_state: Vec<PathBuf>,
    /// Begin with this file as the view in a format; beats all states
    #[arg(short = 'e', long, value_name = "FORMAT=PATH", value_parser = initial_view)]
    pub(crate) initial_view: Vec<(String, PathBuf)>,
}

fn initial_view(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((format, path)) if !format.is_empty() && !path.is_empty() => Ok((format.to_owned(), path.into())),
        _ => Err("expected `FORMAT=PATH`, such as `nl=top.v`".to_owned()),
    }
}

/// A run by its tag.
#[derive(Debug, Args)]
pub(crate) struct TagArgs {
    /// The name of the run, and of its directory in `runs`
    #[arg(long, value_name = "TAG", default_value = "default", value_parser = tag)]
    pub(crate) tag: String,
}

impl TagArgs {
    pub(crate) fn is_default(&self) -> bool {
        self.tag == "default"
    }
}

/// Which part of the flow.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Part of the flow")]
pub(crate) struct RangeArgs {
    /// Begin with this step, or with this section of it; steps before it stay at the results that the run shows, and what
    /// comes before a section is taken from its checkpoint where the tool leaves one
    #[arg(short = 'F', long, value_name = "STEP[/SECTION]")]
    pub(crate) from: Option<String>,
    /// Begin behind this step or section
    #[arg(long, value_name = "STEP[/SECTION]", conflicts_with = "from")]
    pub(crate) after: Option<String>,
    /// End with this step or section
    #[arg(short = 'T', long, value_name = "STEP[/SECTION]")]
    pub(crate) to: Option<String>,
    /// End before this step or section
    #[arg(long, value_name = "STEP[/SECTION]", conflicts_with = "to")]
    pub(crate) until: Option<String>,
    /// This step or section alone: from it to it
    #[arg(long, value_name = "STEP[/SECTION]", conflicts_with_all = ["from", "after", "to", "until"])]
    pub(crate) only: Option<String>,
    /// Leave out the steps whose ids match
    #[arg(short = 'S', long, value_name = "GLOB")]
    pub(crate) skip: Vec<String>,
}

/// What of the flow is to run, and from where.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(crate) struct PartArgs {
    #[command(flatten)]
    pub(crate) initial: InitialArgs,
    #[command(flatten)]
    pub(crate) range: RangeArgs,
}

fn tag(text: &str) -> Result<String, String> {
    let problem = match text {
        "" => "a tag cannot be empty",
        "last" => "`last` stands for the newest run",
        _ if text.contains(['/', '@']) => "a tag is the name of a directory, without `/` and `@`",
        _ if text.starts_with(['.', '-']) => "a tag does not begin with `.` or `-`",
        _ if text.trim() != text => "a tag does not begin or end with a blank",
        _ if text.chars().any(char::is_control) => "a tag is a name that can be read",
        _ => return Ok(text.to_owned()),
    };
    Err(problem.to_owned())
}
