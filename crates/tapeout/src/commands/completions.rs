//! `tapeout completions`: the script by which a shell completes. What it completes is the completion's.

use clap::{Args, ValueEnum};

use crate::Cx;
use crate::completion;
use crate::error::CliError;

/// Print the script that lets a shell complete commands, steps and variables
#[derive(Debug, Args)]
#[command(after_help = "For bash: echo 'source <(tapeout completions bash)' >> ~/.bashrc")]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL", value_enum)]
    shell: Shell,
}

/// Shells that can complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Shell {
    Bash,
    Zsh,
    Fish,
    Elvish,
    Powershell,
}

pub(crate) fn run(cx: &Cx, args: &CompletionsArgs) -> Result<u8, CliError> {
    let shell = args.shell.to_possible_value().map(|shell| shell.get_name().to_owned()).unwrap_or_default();
    let script = completion::script(&shell).map_err(|error| CliError::environment(error.to_string()))?;
    cx.terminal.print_bytes(&script);
    Ok(0)
}
