//! The commands, one a file: each has its arguments and a `run`, which gives the exit code.

pub(crate) mod cache;
pub(crate) mod clean;
pub(crate) mod compare;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod docs;
pub(crate) mod doctor;
mod hooks;
pub(crate) mod init;
pub(crate) mod list;
pub(crate) mod logs;
pub(crate) mod open;
mod pdks;
pub(crate) mod pin;
pub(crate) mod plan;
pub(crate) mod radgen;
pub(crate) mod run;
mod sections;
pub(crate) mod sharing;
pub(crate) mod show;
pub(crate) mod status;
pub(crate) mod step;
pub(crate) mod targets;
pub(crate) mod why;

use crate::Cx;
use crate::args::Command;
use crate::error::CliError;

pub(crate) fn dispatch(cx: &Cx, command: Command) -> Result<u8, CliError> {
    match command {
        Command::Run(args) => run::run(cx, &args),
        Command::Plan(args) => plan::run(cx, &args),
        Command::Status(args) => status::run(cx, &args),
        Command::Why(args) => why::run(cx, &args),
        Command::Clean(args) => clean::run(cx, &args),
        Command::Compare(args) => compare::run(cx, &args),
        Command::Config(args) => config::run(cx, &args),
        Command::Pin(args) => pin::pin(cx, &args),
        Command::Unpin(args) => pin::unpin(cx, &args),
        Command::Doctor(args) => doctor::run(cx, &args),
        Command::List(args) => list::run(cx, &args),
        Command::Show(args) => show::run(cx, &args),
        Command::Init(args) => init::run(cx, &args),
        Command::Logs(args) => logs::run(cx, &args),
        Command::Open(args) => open::run(cx, &args),
        Command::Step(args) => step::run(cx, &args),
        Command::Cache(args) => cache::run(cx, &args),
        Command::Radgen(args) => radgen::run(cx, &args),
        Command::Completions(args) => completions::run(cx, &args),
        Command::Docs(args) => docs::run(cx, &args),
    }
}
