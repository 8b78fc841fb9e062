//! Programs for people: viewers, pagers, shells. They take the place of this process and its terminal, so the guard,
//! which is there to end what a run leaves behind, has nothing to do with them.
#![expect(clippy::disallowed_methods, reason = "an interactive program replaces tapeout, it is not a tool of a run")]

use std::env;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::CliError;

/// Becomes another program. Comes back only with the reason why that was not possible.
pub(crate) fn become_program(program: &Path, args: &[&str], dir: &Path) -> CliError {
    let error = Command::new(program).args(args).current_dir(dir).exec();
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
