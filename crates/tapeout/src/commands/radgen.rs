//! `tapeout radgen`: RAD-Gen's own command line. What stands after the word is for `tapeout-radgen` alone: its shortcuts
//! (`-syn`, `-st`) are no bundles of letters, and some mean something else before the word.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use serde_json::json;
use tapeout_config::{Config, ConfigSource, SourceMap};
use tapeout_flow::PlanError;
use tapeout_radgen::{Request, Resolved, Surroundings, help, resolve, schema};

use crate::error::CliError;
use crate::project::reported;
use crate::terminal::table::{Cell, table};
use crate::terminal::{Style, Terminal};
use crate::{Cx, tools};

/// Set up RAD-Gen's subtools by its own command line
///
/// `tapeout radgen --help` lists the options that all subtools share, `tapeout radgen --subtools NAME --help` also those
/// of a subtool.
#[derive(Debug, Args)]
pub(crate) struct RadgenArgs {
    /// RAD-Gen's options
    #[arg(value_name = "OPTIONS", trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<String>,
}

/// The words of the process with all that stands after `radgen` marked as nothing for clap.
pub(crate) fn set_apart(mut words: Vec<OsString>) -> Vec<OsString> {
    let mut at = 1;
    while let Some(word) = words.get(at).and_then(|word| word.to_str()) {
        match word {
            "radgen" => {
                words.insert(at + 1, "--".into());
                return words;
            }
            "-C" | "--directory" | "--color" => at += 2,
            // Bundled flags of which the last takes a word: `-qC dir`.
            _ if word.starts_with('-') && !word.starts_with("--") && word.ends_with('C') => at += 2,
            _ if word.starts_with('-') => at += 1,
            _ => return words,
        }
    }
    words
}

pub(crate) fn run(cx: &Cx, args: &RadgenArgs) -> Result<u8, CliError> {
    let surroundings = Surroundings { dir: PathBuf::from("."), env: tools::environment() };
    let mut sources = SourceMap::new();
    let request = resolve(&args.words, &surroundings, &mut sources).map_err(PlanError);
    let request = reported(cx, request, &sources).map_err(|error| error.and("nothing was started"))?;
    let resolved = match request {
        Request::Help(subtools) => {
            // The declarations were found to be in order on the way here.
            let schema = schema().map_err(|error| CliError::input(error.to_string()))?;
            cx.terminal.print(help(&schema, &subtools).trim_end());
            return Ok(0);
        }
        Request::Run(resolved) => resolved,
    };
    for warning in &resolved.warnings {
        cx.terminal.note(&warning.render(&sources, cx.terminal.err_colors()));
    }
    if resolved.settings.common.just_config_init {
        show(&cx.terminal, &resolved);
        return Ok(0);
    }
    let dir =
        resolved.save(&surroundings, SystemTime::now()).map_err(|error| CliError::environment(error.to_string()))?;
    let names: Vec<&str> = resolved.subtools.iter().map(|subtool| subtool.name()).collect();
    Err(CliError::input(format!("running {} is not part of this version", names.join(" and ")))
        .details(vec![format!("the resolved configuration is in `{}`", dir.display())])
        .hint("`--just_config_init` shows what a run would begin with"))
}

/// Prints the resolved configuration: as text each variable with a value, and who gave it.
fn show(terminal: &Terminal, resolved: &Resolved) {
    if terminal.json || resolved.json {
        terminal.print_json(&json!({
            "subtools": resolved.subtools.iter().map(|subtool| subtool.name()).collect::<Vec<_>>(),
            "config": resolved.to_json(),
            "command": resolved.to_command_line(),
        }));
        return;
    }
    let rows = resolved.variables().filter_map(|variable| {
        let setting = resolved.config.setting(&variable.name);
        setting.value.as_ref()?;
        let origin = Cell::left(origin(&resolved.config, &variable.name)).style(Some(Style::Dim));
        Some(vec![Cell::left(variable.name.to_string()), Cell::left(setting.shown()), origin])
    });
    terminal.print(&table(&rows.collect::<Vec<_>>(), terminal.out));
}

fn origin(config: &Config, name: &str) -> String {
    let origin = &config.setting(name).origin;
    match (origin.source, config.derived_from(name)) {
        (ConfigSource::Default, _) => "default".to_owned(),
        (ConfigSource::Derived, from) if !from.is_empty() => format!("from {}", from.join(", ")),
        _ => origin.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_follows_the_command_is_set_apart() {
        let cases = [
            ("tapeout radgen -st coffe -v x", "tapeout radgen -- -st coffe -v x"),
            ("tapeout -q --json radgen -q 1", "tapeout -q --json radgen -- -q 1"),
            ("tapeout -C radgen status", "tapeout -C radgen status"),
            ("tapeout -qC radgen radgen -s x", "tapeout -qC radgen radgen -- -s x"),
            ("tapeout --color never radgen", "tapeout --color never radgen --"),
            ("tapeout run radgen -v", "tapeout run radgen -v"),
            ("tapeout", "tapeout"),
        ];
        for (words, expected) in cases {
            let found = set_apart(words.split(' ').map(OsString::from).collect());
            let found: Vec<&str> = found.iter().filter_map(|word| word.to_str()).collect();
            assert_eq!(found.join(" "), expected);
        }
    }
}
