//! Where things are, and how other programs are started.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Stop;

/// The checkout.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Cargo's target directory: the one this program was built into.
pub(crate) fn target() -> Result<PathBuf, Stop> {
    let program = env::current_exe().map_err(|e| Stop::environment(format!("cannot find my own program: {e}")))?;
    // target/debug/xtask, and target/debug/deps/xtask-… for its tests.
    let target = program.ancestors().find(|dir| dir.join("CACHEDIR.TAG").is_file());
    Ok(target.map_or_else(|| root().join("target"), Path::to_path_buf))
}

/// The cargo that runs this program, in the checkout.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    command.args(args).current_dir(root());
    command
}

/// Runs it with the terminal of this program; true if it ended well.
pub(crate) fn succeeds(command: &mut Command) -> Result<bool, Stop> {
    let status = command.status().map_err(|e| not_started(command, &e))?;
    Ok(status.success())
}

/// That a program could not be started.
pub(crate) fn not_started(command: &Command, error: &std::io::Error) -> Stop {
    Stop::environment(format!("cannot start {}: {error}", command.get_program().display()))
}

/// Builds the release binary of tapeout and says where it is.
pub(crate) fn release_binary() -> Result<PathBuf, Stop> {
    println!("Building tapeout");
    let mut command = cargo(&["build", "--release", "--package", "tapeout"]);
    if !succeeds(&mut command)? {
        return Err(Stop::failed("tapeout does not build; the compiler's messages are above"));
    }
    Ok(target()?.join("release/tapeout"))
}

/// The executable that a shell would run for this name.
pub(crate) fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_executable(file))
}

/// Whether this is a file that can be executed.
pub(crate) fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}
