//! A step's directory as one that stands for itself: what it names elsewhere is copied into it.

use std::fs;
use std::io;
use std::path::Path;

use tapeout_flow::{StepStatus, StepSummary};
use tapeout_model::State;

use crate::error::CliError;
use crate::terminal::words::from_here;

/// Refuses a directory in which there is something.
pub(super) fn refuse_full(dir: &Path) -> Result<(), CliError> {
    if dir.is_file() || fs::read_dir(dir).is_ok_and(|mut listing| listing.next().is_some()) {
        let message = format!("`{}` is there already", from_here(dir));
        return Err(CliError::input(message).hint("remove it, or name another place: `-o DIR`"));
    }
    Ok(())
}

/// Copies the directory of a step in a run: that of the failed attempt if it failed.
pub(super) fn copy_step(run: &Path, step: &StepSummary, to: &Path) -> Result<(), CliError> {
    let failed = run.join(format!("{}.failed", step.dir));
    let from = if step.status == StepStatus::Failed && failed.is_dir() { failed } else { run.join(&step.dir) };
    let problem = |error: io::Error| CliError::environment(format!("cannot copy to `{}`: {error}", from_here(to)));
    copy_dir(&from, to).map_err(problem)?;
    for name in ["state_in.json", "state_out.json"] {
        let Ok(text) = fs::read_to_string(from.join(name)) else { continue };
        let state = State::parse(&text).map_err(|error| CliError::environment(format!("`{name}`: {error}")))?;
        let mut copied = Ok(());
        let state = state.map(|path| {
            let Some((dir, own)) = path.strip_prefix("../").and_then(|other| other.split_once('/')) else {
                return path.clone();
            };
            let source = from.join(path);
            let is_other = |name: &str| fs::read(to.join(name)).is_ok_and(|it| fs::read(&source).ok() != Some(it));
            // Steps may give files of one name.
            let own = if is_other(own) { format!("{dir}-{own}") } else { own.to_owned() };
            if !to.join(&own).exists() && copied.is_ok() {
                copied = fs::copy(&source, to.join(&own)).map(drop);
            }
            own
        });
        copied.map_err(problem)?;
        fs::write(to.join(name), format!("{:#}\n", state.to_json())).map_err(problem)?;
    }
    Ok(())
}

/// Copies files and directories; what links lead to becomes a file.
fn copy_dir(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let Some(name) = path.file_name() else { continue };
        if path.is_dir() { copy_dir(&path, &to.join(name))? } else { _ = fs::copy(&path, to.join(name))? }
    }
    Ok(())
}
