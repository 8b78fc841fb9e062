//! Programs for people: viewers, pagers, shells. They take the place of this process and its terminal, so the guard,
//! which is there to end what a run leaves behind, has nothing to do with them.
#![expect(clippy::disallowed_methods, reason = "an interactive program replaces tapeout, it is not a tool of a run")]

use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tapeout_engine::ShellEnvironment;

use crate::error::CliError;

/// Becomes another program. Comes back only with the reason why that was not possible.
pub(crate) fn become_program(program: &Path, args: &[&str], dir: &Path) -> CliError {
    become_program_with(program, args, dir, &ShellEnvironment { set: Vec::new(), unset: Vec::new() })
}

/// The same, with variables of the environment set and unset.
pub(crate) fn become_program_with(
    program: &Path,
    args: &[&str],
    dir: &Path,
    environment: &ShellEnvironment,
) -> CliError {
    let mut command = Command::new(program);
    environment.unset.iter().for_each(|name| _ = command.env_remove(name));
    let error = command.args(args).current_dir(dir).envs(environment.set.iter().cloned()).exec();
    CliError::environment(format!("cannot start `{}`: {error}", program.display()))
}

/// A program on PATH.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| path.is_file());
    }
    env::split_paths(&env::var_os("PATH")?).map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Whether windows can be opened.
pub(crate) fn has_display() -> bool {
    ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
}
